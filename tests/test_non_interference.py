"""What is hidden changes nothing that the public can get: no page, feed, count, order or header."""

import re
from collections import deque
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from typing import Any
from urllib.parse import urlsplit

import pytest
import time_machine
from django.db import transaction
from django.test import Client
from django.utils import timezone

from clusters.models import (
    Claim,
    Cluster,
    ClusterText,
    Invitation,
    Lineage,
    LineageKind,
    Management,
    ManagementRole,
    Organisation,
    Participation,
    ProblemReport,
    Programme,
    RecordKind,
    Shareholding,
)
from labels.models import Decision, DecisionKind, DecisionState, Label, RequiredLevel, Statement
from labels.register.holdings import INDEX
from news.models import Announcement, AnnouncementText
from tests.factories import (
    make_account,
    make_announcement,
    make_announcement_text,
    make_cluster,
    make_label,
    make_management,
    make_organisation,
    make_participation,
    make_programme,
    make_review_comment,
    portfolio,
    region,
    update_label,
)

pytestmark = pytest.mark.django_db

HIDDEN = 1000
STARTS = (
    "/en/",
    "/it/",
    "/sitemap.xml",
    "/robots.txt",
    "/news.atom",
    "/en/clusters/?q=hidden",
    "/it/clusters/?q=hidden&country=IT",
    "/en/organisations/?q=hidden",
    "/en/search/?q=hidden",
    "/en/search/?q=SECRET-NUMBER",
    "/it/search/?q=hidden-1",
    "/it/clusters/",
    "/it/clusters/alpha/",
    "/it/organisations/park/",
    "/it/programmes/ace/",
    "/it/programmes/compare/",
    "/it/labels/",
    "/it/news/",
    "/opensearch.en.xml",
    "/en/labels/?q=hidden",
    "/en/labels/?on=2016-01-01",
    "/en/figures/?on=2016-01-01",
    "/it/figures/?country=IT",
    "/labels.csv?q=hidden",
    "/labels.csv?on=2016-01-01",
    "/labels.xlsx",
    "/labels.json",
    "/labels.atom",
    "/labels.ics",
    "/clusters.csv?q=hidden",
    "/clusters.csv?on=2016-01-01",
    "/clusters.xlsx",
    "/clusters.json",
    "/clusters.jsonld",
    "/clusters.atom",
    "/clusters.ics",
    "/clusters/hidden-1/seal.svg",
    "/labels/status/revocation.jwt",
    "/labels/status/suspension.jwt",
    "/.well-known/jwks.json",
    "/en/verify/?q=hidden",
    "/en/verify/?q=SECRET-NUMBER",
    "/en/verify/?q=hidden-1",
    "/en/news/?cluster=hidden-1",
    "/en/clusters/hidden-1/",
    "/en/clusters/map/?q=hidden",
    "/it/clusters/map/?view=world&country=IT",
    "/en/clusters/compare/?c=alpha",
    "/it/clusters/compare/?c=alpha&c=beta&c=hidden-1",
    "/en/clusters/compare/?c=alpha&c=beta&add=hidden",
    "/clusters/compare.csv?c=alpha&c=beta",
    "/clusters/compare.csv?c=hidden-1",
    "/en/organisations/hidden-1/",
    "/en/programmes/hidden-1/",
    "/en/programmes/ace/?on=2999-01-01",
    "/programmes/hidden-1/requirement.csv",
    "/en/news/2015/hidden-1/",
    "/api/v1/clusters?q=hidden",
    "/api/v1/clusters?programme=hidden-1",
    "/api/v1/clusters?near=hidden-1",
    "/api/v1/clusters?on=2016-01-01",
    "/api/v1/clusters/facets",
    "/api/v1/organisations?limit=1",
    "/api/v1/organisations?q=hidden",
    "/api/v1/programmes",
    "/api/v1/labels?limit=1",
    "/api/v1/labels?q=hidden",
    "/api/v1/announcements",
    "/api/v1/docs",
)
LINK = re.compile(r"""(?:href|src|action|<loc>)=?["']?([^"'\s<>]+)""")
WITH_LINKS = ("text/html", "application/xml", "application/atom+xml", "application/json")
MOST_PAGES = 700

Answer = tuple[int, tuple[tuple[str, str], ...], bytes]


def crawl(client: Client) -> dict[str, Answer]:
    """Every address that can be reached from the starts, with at most one parameter each.

    In Italian only the starts: what stands on a page is the same.
    """
    waiting = deque(STARTS)
    answers: dict[str, Answer] = {}
    while waiting and len(answers) < MOST_PAGES:
        address = waiting.popleft()
        if address in answers:
            continue
        response = client.get(address)
        body = b"".join(response) if response.streaming else response.content
        answers[address] = (response.status_code, tuple(sorted(response.items())), body)
        if response.get("Content-Type", "").startswith(WITH_LINKS):
            waiting.extend(links_of(body.decode()))
    assert not waiting, "the crawl has no end"
    return answers


def links_of(text: str) -> list[str]:
    found = []
    for link in LINK.findall(text):
        parts = urlsplit(unescape(link))
        if parts.scheme in ("", "http") and parts.netloc in ("", "testserver"):
            address = parts.path + (f"?{parts.query}" if parts.query else "")
            is_page = address.startswith("/") and not address.startswith(
                ("/static/", "/media/", "/admin/", "/it/")
            )
            if is_page and parts.query.count("=") < 2 and "/account/" not in address:
                found.append(address)
    return found


@pytest.fixture
def published() -> Cluster:
    """A small register in which everything is connected; its first cluster."""
    first = make_cluster(
        name="Alpha", slug="alpha", portfolio=portfolio(), region=region(), founded_on="2009"
    )
    second = make_cluster(name="Beta", slug="beta", country="FR")
    organisation = make_organisation(name="Park", slug="park", role_address="info@example.org")
    make_management(cluster=first, organisation=organisation)
    programme = make_programme(slug="ace", owner=organisation)
    make_participation(programme=programme, cluster=first)
    RequiredLevel.objects.create(programme=programme, level_id="silver")
    gold = make_label(cluster=first, managing_organisation=organisation)
    make_label(cluster=second, level="bronze", assessed_on="2025-11")
    announcement = make_announcement(
        slug="gold", clusters=[first], organisations=[organisation], labels=[gold]
    )
    make_announcement_text(announcement, language="it", slug="oro")
    make_announcement(slug="only-english")
    return first


def hide_a_thousand(seen: Cluster) -> None:
    """Hidden rows of every kind, tied to what is published wherever a relation allows it."""
    numbers = range(1, HIDDEN // 8 + 1)
    organisation = Organisation.objects.get(slug="park")
    programme = Programme.objects.get(slug="ace")
    label = Label.objects.get(cluster=seen)
    clusters = Cluster.objects.bulk_create(
        Cluster(
            name=f"Hidden {n}", slug=f"hidden-{n}", country="IT" if n % 2 else "DE",
            region=region(), portfolio=portfolio(), latitude="45.1", longitude="7.7",
            is_published=False,
        )
        for n in numbers
    )  # fmt: skip
    organisations = Organisation.objects.bulk_create(
        Organisation(name=f"Hidden {n}", slug=f"hidden-{n}", country="IT", is_published=False)
        for n in numbers
    )
    programmes = Programme.objects.bulk_create(
        Programme(
            name_en=f"Hidden {n}", name_it=f"Nascosto {n}", slug=f"hidden-{n}", is_published=False
        )
        for n in numbers
    )
    ClusterText.objects.bulk_create(
        ClusterText(cluster=cluster, language="en", tagline="Hidden") for cluster in clusters
    )
    Management.objects.bulk_create(
        Management(cluster=seen, organisation=hidden, role=ManagementRole.JOINT)
        for hidden in organisations
    )
    Management.objects.bulk_create(
        Management(cluster=hidden, organisation=organisation) for hidden in clusters
    )
    Participation.objects.bulk_create(
        Participation(cluster=hidden, programme=programme) for hidden in clusters
    )
    Participation.objects.bulk_create(
        Participation(cluster=seen, programme=hidden) for hidden in programmes
    )
    Shareholding.objects.bulk_create(
        Shareholding(organisation=organisation, shareholder=hidden) for hidden in organisations
    )
    Lineage.objects.create(cluster=clusters[0], other=seen, kind=LineageKind.MERGED_INTO)
    for n in range(20):
        make_label(
            cluster=seen, level="silver", assessed_on=f"20{n + 10}-01", is_published=False,
            certificate_number="SECRET-NUMBER",
        )  # fmt: skip
        make_label(cluster=clusters[n], assessed_on="2025-11")
    hide_decisions(label)
    announcements = Announcement.objects.bulk_create(
        Announcement(
            state="published" if n % 2 == 0 else "draft",
            published_at=timezone.now() + timedelta(days=n) if n % 2 == 0 else None,
            written_by=organisation,
        )
        for n in numbers
    )
    AnnouncementText.objects.bulk_create(
        AnnouncementText(
            announcement=announcement,
            language="en",
            title="Hidden",
            slug=f"hidden-{n}",
            body="Hidden.",
            state="ready",
        )
        for n, announcement in enumerate(announcements, 1)
    )
    for public in Announcement.objects.published(timezone.now()):
        make_review_comment(public, text="Hidden.")
        if public.texts.count() == 1:
            make_announcement_text(public, language="it", slug="hidden-text", state="draft")
    for announcement in announcements[:20]:
        announcement.clusters.add(seen)
        announcement.organisations.add(organisation)
        announcement.labels.add(label)
    ProblemReport.objects.bulk_create(
        ProblemReport(
            kind=RecordKind.CLUSTER, record_id=seen.public_id, record_name="Alpha",
            path="clusters/alpha/", text="Hidden.",
        )
        for n in numbers
    )  # fmt: skip
    Claim.objects.bulk_create(
        Claim(organisation=organisation, role_address=f"claim-{n}@example.org", reason="Hidden.")
        for n in numbers
    )
    Invitation.objects.bulk_create(
        Invitation(
            organisation=organisation, team_role="owner", email=f"hidden-{n}@example.org",
            expires_at=timezone.now() + timedelta(days=1),
        )
        for n in numbers
    )  # fmt: skip
    make_account(email="hidden@example.org")


def hide_decisions(label: Label) -> None:
    """One that waits, and others that were refused."""
    now, clerk = timezone.now(), make_account(email="clerk@example.org")
    facts = {"label": label, "reason": "Hidden.", "needs_two": True, "proposed_at": now}
    waiting = Decision(kind=DecisionKind.REVOCATION, takes_effect_on=now.date(), **facts)
    refused = [
        Decision(
            kind=kind, state=DecisionState.REFUSED, takes_effect_on=now.date(), answer="Hidden.",
            decided_by=clerk, decided_at=now, **facts,
        )
        for kind in {*DecisionKind} - {DecisionKind.ANNULMENT}
    ]  # fmt: skip
    Decision.objects.bulk_create([waiting, *refused])


@time_machine.travel("2026-11-22 12:00", tick=False)  # forms carry a signed time
def test_nothing_public_tells_of_a_thousand_hidden_rows(client: Client, published: Cluster) -> None:
    before = crawl(client)

    hide_a_thousand(published)

    after = crawl(client)
    assert after.keys() == before.keys()
    assert [address for address in before if before[address] != after[address]] == []
    assert len(before) > 100


def publish(model: Any, **lookup: Any) -> None:
    model.objects.filter(**lookup).update(is_published=True)


def publish_labels() -> None:
    for label in Label.objects.filter(level_id="silver"):
        update_label(label, is_published=True)


def publish_drafts() -> None:
    Announcement.objects.filter(state="draft").update(
        state="published", published_at=timezone.now()
    )


def state_a_count() -> None:
    Statement.objects.create(
        as_of_on="2015", definition_en="New", definition_it="Nuovo", count=1, source="x"
    )


APPEARS: dict[str, tuple[Callable[[], None], str]] = {
    "cluster": (lambda: publish(Cluster, slug="hidden-1"), "/en/clusters/"),
    "organisation": (lambda: publish(Organisation, slug="hidden-1"), "/en/clusters/alpha/"),
    "programme": (lambda: publish(Programme, slug="hidden-1"), "/en/clusters/alpha/"),
    "label": (publish_labels, "/en/labels/"),
    "announcement": (publish_drafts, "/news.atom"),
    "statement": (state_a_count, "/en/labels/how-it-works/"),
}


def test_it_would_be_seen_once_published(client: Client, published: Cluster) -> None:
    """The control: the comparison above is able to find a difference."""
    hide_a_thousand(published)

    for kind, (appear, address) in APPEARS.items():
        before = client.get(address).content
        with transaction.atomic():
            appear()
            assert client.get(address).content != before, kind
            transaction.set_rollback(True)
        INDEX.forget()
