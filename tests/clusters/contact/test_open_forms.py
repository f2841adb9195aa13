"""What holds for every form without a cookie, of whichever app."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import URLResolver, get_resolver, reverse

from clusters.contact.forms import OpenForm
from clusters.models import Claim, ProblemReport
from news.models import Announcement
from tests.factories import (
    make_announcement,
    make_cluster,
    make_label,
    make_organisation,
    make_programme,
)
from tests.mails import sent_mails
from tests.test_forms import subclasses

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DESK = "desk@example.org"
OTHER_SITES = ["cross-site", "same-site"]


def of_announcement(announcement: Announcement) -> list[Any]:
    return [announcement.year, announcement.texts.get().slug]


# The arguments of the address, of a new record; all are sent the same fields.
OPEN_FORMS: dict[str, Any] = {
    "clusters:cluster_contact": lambda: [make_cluster(contact_address=DESK).slug],
    "clusters:cluster_report": lambda: [make_cluster().slug],
    "clusters:organisation_contact": lambda: [make_organisation(role_address=DESK).slug],
    "clusters:organisation_report": lambda: [make_organisation().slug],
    "clusters:organisation_claim": lambda: [make_organisation().slug],
    "clusters:programme_report": lambda: [make_programme().slug],
    "labels:report": lambda: [make_label().public_id],
    "news:contact": lambda: of_announcement(
        make_announcement(contact_organisation=make_organisation(role_address=DESK))
    ),
    "news:report": lambda: of_announcement(make_announcement()),
    "news:subscribe": list,
}
# They write nothing; or the signed link in the address is a secret that another site has not.
NO_OPEN_FORMS = {
    "labels:verify", "clusters:confirm_profile", "labels:notice",
    "news:confirm_subscription", "news:subscription", "news:unsubscribe",
}  # fmt: skip
# What it sends to the address that was typed is a link, and nothing that somebody wrote.
MAILS_A_LINK = "news:subscribe"
FIELDS = {
    "address": "reader@example.org",
    "subject": "A question",
    "message": "May we visit?",
    "text": "The town is wrong.",
    "reason": "It is ours.",
    "role_address": "info@example.org",
    "reply_address": "answer@example.org",
    "kinds": "news",
    "rhythm": "weekly",
    "language": "en",
}


def exempt_addresses(patterns: Any, namespace: str = "") -> Iterator[str]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            if pattern.namespace != "admin":
                inside = f"{pattern.namespace}:" if pattern.namespace else namespace
                yield from exempt_addresses(pattern.url_patterns, inside)
        elif getattr(pattern.callback, "csrf_exempt", False):
            yield f"{namespace}{pattern.name}"


def post(name: str, **headers: str) -> Any:
    client = Client()
    address = reverse(name, args=OPEN_FORMS[name]())
    form = client.get(address).context["form"]
    # As of a page that was opened some seconds ago.
    form.now -= timedelta(seconds=10)
    return client.post(address, FIELDS | {"stamp": form.stamp}, headers=headers)


def was_anything_sent() -> bool:
    return bool(sent_mails()) or ProblemReport.objects.exists() or Claim.objects.exists()


def test_every_form_without_a_token_is_looked_at() -> None:
    found = {
        name
        for name in exempt_addresses(get_resolver("config.urls").url_patterns)
        if not name.startswith("api")
    }

    assert found == OPEN_FORMS.keys() | NO_OPEN_FORMS


@pytest.mark.parametrize("site", OTHER_SITES)
@pytest.mark.parametrize("name", OPEN_FORMS)
def test_form_that_another_site_sends_is_refused_in_words(name: str, site: str) -> None:
    response = post(name, sec_fetch_site=site)

    assert response.status_code == 403
    assert "Nothing was sent" in response.content.decode()
    # It would be ready to be sent by a second click.
    assert "May we visit?" not in response.content.decode()
    assert not was_anything_sent()


@pytest.mark.parametrize("site", ["same-origin", "none", ""])
@pytest.mark.parametrize("name", OPEN_FORMS)
def test_form_that_its_own_page_sends_is_taken(name: str, site: str) -> None:
    response = post(name, **({"sec_fetch_site": site} if site else {}))

    assert response.status_code == 302
    assert was_anything_sent()


@pytest.mark.parametrize("name", sorted(OPEN_FORMS.keys() - {MAILS_A_LINK}))
def test_address_that_was_typed_gets_no_mail(name: str) -> None:
    post(name)

    typed = {value for value in FIELDS.values() if "@" in value}
    assert was_anything_sent()
    assert len(typed) == 3
    assert not typed & {to for message in sent_mails() for to in message.recipients()}


@pytest.mark.parametrize("site", OTHER_SITES)
def test_language_is_not_switched_by_another_site_either(site: str) -> None:
    address = reverse("clusters:cluster_report", args=[make_cluster().slug])
    fields = {"switch_language": "1", "text": "Send me"}

    response = Client().post(address, fields, headers={"sec-fetch-site": site})

    assert (response.status_code, "Send me" in response.content.decode()) == (403, False)


def test_stamp_of_a_form_is_worth_nothing_on_another() -> None:
    forms = {form for form in subclasses(OpenForm) if "base_fields" in form.__dict__}
    assert len(forms) > 2
    for form in forms:
        stamp = form({}, about="record", now=NOW).stamp
        for other in forms:
            read = other({"stamp": stamp}, about="record", now=NOW)
            assert (read.age is None) == (other is not form)
        assert form({"stamp": stamp}, about="another", now=NOW).age is None
