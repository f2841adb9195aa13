"""A label's certificate: an extract of the register to print, as PDF/UA, with the state on a day.

It is made once for what it says and then kept. With it comes the label's signed credential as an
attached file, by which a changed text can be told.
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path

from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from clusters.formats.documents import fetcher, library, make_once, page_as_pdf, path_of
from clusters.http.addresses import absolute
from labels.models import Label
from labels.proofs.seal import Scheme, draw_seal, seal_of_label, visible
from labels.proofs.signing import NoSigningKey, sign
from labels.proofs.status import claims_about
from labels.register.queries import published_manager

ATTACHED = "credential.jwt"


@dataclass(frozen=True)
class Certificate:
    """All that a document says: the same parts give the same document."""

    number: str
    language: str
    day: date
    page: str
    style: str
    # Signed, "" where there is none.
    credential: str

    @property
    def digest(self) -> str:
        parts = [self.page, self.style, self.credential]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()

    @property
    def path(self) -> Path:
        return path_of(self.day, f"{self.number}-{self.language}-{self.digest}.pdf")

    @property
    def saved_as(self) -> str:
        return f"{self.number}-{self.day}-{self.language}.pdf"


def certificate(label: Label, day: date) -> Certificate:
    """In the active language, of a row of `for_pages(day)` with a place; without a query more."""
    language = get_language() or "en"
    signed = attached_credential(label)
    context = {
        "label": label,
        "day": day,
        "language": language,
        "holder": visible(label.cluster.name),
        "manager": visible(published_manager(label) or ""),
        "source": visible(label.source),
        "address": absolute(label.get_absolute_url()),
        "verify_address": absolute(reverse("labels:verify")),
        "seal": draw_seal(seal_of_label(label, day), Scheme.LIGHT),
        "attached": ATTACHED if signed else "",
    }
    return Certificate(
        number=label.public_id,
        language=language,
        day=day,
        page=render_to_string("labels/certificate.html", context),
        style=render_to_string("labels/certificate.css"),
        credential=signed,
    )


def attached_credential(label: Label) -> str:
    # What is at its own address too; "" without a certain day, or where the portal has no key.
    if not label.has_certain_days:
        return ""
    try:
        return sign(claims_about(label))
    except NoSigningKey:
        return ""


def make(wanted: Certificate) -> bytes:
    # Wants `library()`. Raises TooManyAtOnce.
    return make_once(wanted.path, lambda: write_pdf(wanted))


def write_pdf(wanted: Certificate) -> bytes:
    attachments = []
    if wanted.credential:
        midnight = datetime.combine(wanted.day, time.min)
        attachments.append(
            library().Attachment(
                string=wanted.credential,
                name=ATTACHED,
                description=_("The signed credential of this label (Open Badges 3.0)"),
                created=midnight,
                modified=midnight,
                url_fetcher=fetcher(),
            )
        )
    return page_as_pdf(wanted.page, wanted.style, wanted.digest[:32], attachments)
