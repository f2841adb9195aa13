"""A label's certificate: an extract of the register to print, as PDF/UA, with the state on a day.

It is made once for what it says and then kept. With it comes the label's signed credential as an
attached file, by which a changed text can be told.
"""

import hashlib
import json
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import cache
from pathlib import Path
from threading import BoundedSemaphore, Lock
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from PIL import ImageFile

from clusters.formats.files import replaced_as_a_whole
from clusters.http.addresses import absolute
from labels.models import Label
from labels.proofs.seal import Scheme, draw_seal, seal_of_label, visible
from labels.proofs.signing import NoSigningKey, sign
from labels.proofs.status import claims_about
from labels.register.queries import published_manager

ATTACHED = "credential.jwt"

logger = logging.getLogger(__name__)
# A document takes a processor half a second; the library does not promise to be safe in threads.
one_at_a_time = Lock()
# One is made and one waits, in each worker: its other threads are for all other pages.
MOST_AT_ONCE = 2
SECONDS_TO_RETRY = 5
turns = BoundedSemaphore(MOST_AT_ONCE)


class TooManyAtOnce(Exception):
    """As many documents are being made as a worker takes on."""

    def __str__(self) -> str:
        return _("Too many documents are being made at this moment. Ask again in a few seconds.")


@contextmanager
def turn() -> Iterator[None]:
    """The library for this thread alone. Raises TooManyAtOnce where others wait for it already."""
    if not turns.acquire(blocking=False):
        raise TooManyAtOnce
    try:
        with one_at_a_time:
            yield
    finally:
        turns.release()


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
        # A folder for each day, so that those of the past go as a whole.
        name = f"{self.number}-{self.language}-{self.digest}.pdf"
        return Path(settings.CERTIFICATES_ROOT, str(self.day), name)


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


@cache
def library() -> Any:
    """WeasyPrint, or None where the part of it that the system brings (pango) is missing."""
    try:
        import weasyprint
    except OSError:
        logger.warning("Pango is missing: label pages to print stand in for certificates.")
        return None
    # It lets Pillow take truncated pictures, everywhere: uploads are to be whole.
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    return weasyprint


def stored_certificate(wanted: Certificate) -> bytes | None:
    try:
        return wanted.path.read_bytes()
    except OSError:
        return None


def make(wanted: Certificate) -> bytes:
    # The document, stored for the next reader; wants `library()`. Raises TooManyAtOnce.
    with turn():
        document = stored_certificate(wanted)
        if document is None:
            document = write_pdf(wanted)
            try:
                wanted.path.parent.mkdir(parents=True, exist_ok=True)
                with replaced_as_a_whole(wanted.path) as file:
                    file.write(document)
            except OSError:
                # It can be made again: a full disk keeps nobody from a certificate.
                logger.exception("A certificate could not be stored.")
        return document


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
                url_fetcher=without_fetching(),
            )
        )
    return page_as_pdf(wanted.page, wanted.style, wanted.digest[:32], attachments)


def page_as_pdf(page: str, style: str, identifier: str, attachments: Sequence[Any] = ()) -> bytes:
    """PDF/UA; the same page, style and identifier give the same document. Wants `library()`."""
    weasyprint, fetcher = library(), without_fetching()
    document: bytes = weasyprint.HTML(string=page, url_fetcher=fetcher).write_pdf(
        stylesheets=[weasyprint.CSS(string=style, url_fetcher=fetcher)],
        attachments=attachments,
        pdf_variant="pdf/ua-1",
        pdf_identifier=identifier.encode(),
        finisher=complete_tags,
    )
    return document


def without_fetching() -> Any:
    # Nothing is fetched, neither from the network nor from the disk.
    return library().urls.URLFetcher(allowed_protocols=())


def complete_tags(_document: Any, pdf: Any) -> None:
    # What the library leaves out: that the wording is English, and that headers are of rows.
    from pydyf import String

    for part in pdf.objects:
        tag = part.get("S") if isinstance(part, dict) else None
        if tag == "/BlockQuote":
            part["Lang"] = String("en")
        elif tag == "/TH":
            part["A"]["Scope"] = "/Row"
