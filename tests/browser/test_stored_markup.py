"""Script in every text that anybody can store, on every page that shows it: none may run."""

import re
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection, models, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation
from django_countries.fields import CountryField
from playwright.sync_api import BrowserContext, Dialog, Page, Route, expect
from pytest_django.live_server_helper import LiveServer
from pytest_django.plugin import DjangoDbBlocker

from clusters.fields import NormalNameField, PartialDateField
from clusters.models import (
    Account,
    Claim,
    Cluster,
    ClusterName,
    ClusterText,
    ConfirmationRequest,
    Event,
    EventAddress,
    EventKind,
    FactSource,
    Invitation,
    Lineage,
    LineageKind,
    MembershipCount,
    Organisation,
    OrganisationName,
    Portfolio,
    ProblemReport,
    Programme,
    RecordKind,
    Region,
    Role,
    Shareholding,
    TeamRole,
)
from labels.models import (
    Decision,
    DecisionKind,
    DecisionState,
    Delivery,
    Expert,
    IssuingBody,
    Label,
    LabelSource,
    Notice,
    NoticeKind,
    RequiredLevel,
    Statement,
)
from labels.models.triggers import GUARDS
from news.models import Announcement
from tests import databases
from tests.browser.payloads import ADDRESSES, GROUPS, MARK, PAYLOADS
from tests.factories import (
    MOMENT,
    change_label,
    make_account,
    make_announcement,
    make_announcement_text,
    make_attachment,
    make_cluster,
    make_correction,
    make_label,
    make_mail,
    make_management,
    make_organisation,
    make_participation,
    make_picture,
    make_policy_maker,
    make_programme,
    make_review_comment,
    make_subscription,
    make_suspension,
    make_team_member,
    make_topic,
)

pytestmark = [
    pytest.mark.browser,
    pytest.mark.ignore_template_errors,
    pytest.mark.skipif(
        "sqlite3" not in settings.DATABASES["default"]["ENGINE"],
        reason="PostgreSQL does not store more than the length of a column",
    ),
]

ROOT = "root@example.org"
APPS = ("clusters", "labels", "news")
LANGUAGES = ("en", "it")
# An address is poisoned at its start only, so that there is a row for each scheme; a text holds as
# many groups as it takes for all rows together to hold all of them.
ROWS = len(GROUPS)
FEW = 5
# Their history, an old version and the question before deleting are looked at, too.
WITH_A_MENU = (Cluster, Organisation, Programme, Label, Announcement, ProblemReport, Account)
# Addresses and keys, which no page finds any more once they are changed, and what is not shown.
LEFT = {
    "clusters.account.password",
    "clusters.invitation.role",
    "clusters.problemreport.record_id",
    "labels.level.code",
    "news.announcement.approved_digest",
    "news.announcement.source_key",
    "news.topic.slug",
    *(
        f"{label}.{name}"
        for name in ("slug", "public_id")
        for label in (
            "clusters.cluster",
            "clusters.organisation",
            "clusters.programme",
            "labels.label",
            "news.announcement",
            "news.announcementtext",
        )
    ),
}

# What a page must not contain, whether or not it ran; and the reports of the policy so far.
LISTEN = """
window.reports = [];
document.addEventListener("securitypolicyviolation", (event) => {
  reports.push(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`);
});
"""
LOOK = """
([mark, calls]) => {
  const found = [...window.reports];
  const addresses = ["href", "xlink:href", "src", "srcdoc", "action", "formaction", "data"];
  for (const element of document.querySelectorAll("*")) {
    const say = (what) => found.push(`${what}: ${element.outerHTML.slice(0, 200)}`);
    if (element.hasAttribute(mark)) say("planted");
    for (const { name, value } of element.attributes) {
      if (name.startsWith("on")) say("handler");
      if (!addresses.includes(name)) continue;
      const { protocol } = new URL(value, "http://here/");
      if (!["http:", "https:", "mailto:", "webcal:"].includes(protocol)) say("address");
    }
    if (element.localName !== "script" || element.hasAttribute("src")) continue;
    if (!/^application\\/(ld\\+)?json$/.test(element.type)) say("inline script");
    else try { JSON.parse(element.text) } catch (error) { say(`no JSON (${error.message})`) }
  }
  const seen = document.documentElement.outerHTML.match(new RegExp(calls, "g")) ?? [];
  return [found, [...new Set(seen)]];
}
"""


PICTURE = b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNkYAAAAAYAAjCB0C8AAAAASUVORK5CYII="
)


def is_text(field: Any) -> bool:
    return (
        isinstance(field, models.CharField | models.TextField)
        # A normal form is made of another column.
        and not isinstance(field, CountryField | PartialDateField | NormalNameField)
        and not field.choices
    )


def name_of(field: Any) -> str:
    return f"{field.model._meta.label_lower}.{field.name}"


def text_fields(model: type[models.Model]) -> list[Any]:
    return [
        field
        for field in model._meta.concrete_fields
        if is_text(field) and name_of(field) not in LEFT
    ]


POISONED = {
    model: text_fields(model)
    for app in APPS
    for model in apps.get_app_config(app).get_models()
    if not model.__name__.startswith("Historical") and text_fields(model)
}


def payload_of(field: Any, row: int, rows: int, number: int) -> str:
    """All rows of a model together carry every payload in each field, and the field's name."""
    step = min(rows, len(GROUPS))
    groups = range(row % step, len(GROUPS), step)
    text = "\n".join(GROUPS[(group + number) % len(GROUPS)] for group in groups)
    start = ADDRESSES[row % len(ADDRESSES)] if isinstance(field, models.URLField) else ""
    return f"{start}{text} [{name_of(field)}] {row}"


def build() -> None:
    """Records of each kind, all public and tied to each other; then every text is poisoned."""
    picture = default_storage.save("picture.png", ContentFile(PICTURE))
    regions, portfolios = list(Region.objects.order_by("pk")[:ROWS]), list(Portfolio.objects.all())
    awarders = list(IssuingBody.objects.all())
    clusters: list[Cluster] = []
    organisations: list[Organisation] = []
    for number in range(ROWS):
        cluster = make_cluster(
            region=regions[number % len(regions)],
            portfolio=portfolios[number % len(portfolios)],
            latitude="45.1",
            longitude=str(-10 + number),
            contact_address="info@example.org",
            is_contact_shown=True,
            logo=picture,
        )
        organisation = make_organisation(role_address="info@example.org", is_address_shown=True)
        clusters.append(cluster)
        organisations.append(organisation)
        add_parts(cluster, organisation, clusters, organisations)
        programme = make_programme(owner=organisation)
        make_participation(programme=programme, cluster=cluster)
        add_people(organisation, programme, number)
        add_reports(cluster, organisation)
        if number < FEW:
            awarded_by = awarders[number % len(awarders)]
            label = add_label(cluster, organisation, programme, awarded_by)
            add_announcement(cluster, organisation, programme, label, picture)
    make_mail()
    make_subscription()
    with guards_down(), connection.cursor() as cursor:
        # All payloads together are longer than most texts may be.
        cursor.execute("PRAGMA ignore_check_constraints = ON")
        for model, fields in POISONED.items():
            poison(model, fields)
        cursor.execute("PRAGMA ignore_check_constraints = OFF")


def add_label(
    cluster: Cluster, organisation: Organisation, programme: Programme, awarded_by: IssuingBody
) -> Label:
    label = make_label(
        level="silver", cluster=cluster, managing_organisation=organisation, awarded_by=awarded_by
    )
    make_suspension(label, starts_on="2015-12-01", ends_on="2015-12-31")
    change_label(label, revoked_on=date(2016, 12, 1), revocation_reason="Audit.")
    add_decisions(label, programme)
    return label


def add_announcement(
    cluster: Cluster, organisation: Organisation, programme: Programme, label: Label, picture: str
) -> None:
    statement = Statement.objects.create(
        as_of_on="2015", definition_en="x", definition_it="x", count=1, source=label.pk
    )
    announcement = make_announcement(
        clusters=[cluster],
        organisations=[organisation],
        labels=[label],
        programmes=[programme],
        statements=[statement],
        contact_organisation=organisation,
        written_by=organisation,
        kind="event",
        begins_at=MOMENT,
        topics=[make_topic()],
    )
    make_announcement_text(announcement, language="it")
    make_picture(announcement, image=picture)
    make_attachment(announcement)
    make_correction(announcement)
    make_review_comment(announcement)


@contextmanager
def guards_down() -> Iterator[None]:
    """The database lets nobody change a revoked label."""
    triggers = [trigger for guard in GUARDS for trigger in guard.on_sqlite()]
    with connection.cursor() as cursor:
        for trigger in triggers:
            cursor.execute(f"DROP TRIGGER {trigger.name}")
        yield
        for trigger in triggers:
            cursor.execute(trigger.create)


def add_decisions(label: Label, programme: Programme) -> None:
    """One that is public, one that was refused; a notice; what the programme requires."""
    now = timezone.now()
    for state, answer in ((DecisionState.MADE, ""), (DecisionState.REFUSED, "x")):
        Decision.objects.create(
            label=label,
            kind=DecisionKind.CORRECTION,
            state=state,
            takes_effect_on=date(2016, 1, 1),
            reason="x",
            answer=answer,
            needs_two=False,
            proposed_at=now,
            decided_at=now,
        )
    LabelSource.objects.create(label=label, source="x")
    notice = Notice.objects.create(label=label, kind=NoticeKind.END, due_on=date(2016, 1, 1))
    Delivery.objects.create(notice=notice, written_at=now)
    RequiredLevel.objects.create(programme=programme, level=label.level)


def add_parts(
    cluster: Cluster,
    organisation: Organisation,
    clusters: list[Cluster],
    organisations: list[Organisation],
) -> None:
    for language in ("en", "it"):
        ClusterText.objects.create(cluster=cluster, language=language)
    ClusterName.objects.create(cluster=cluster, name="Old")
    MembershipCount.objects.create(cluster=cluster, counted_on="2015", count=1)
    FactSource.objects.create(cluster=cluster, fact="town", source="x")
    make_management(cluster=cluster, organisation=organisation)
    OrganisationName.objects.create(organisation=organisation, name="Old")
    if len(clusters) > 1:
        Lineage.objects.create(cluster=cluster, other=clusters[-2], kind=LineageKind.SPLIT_FROM)
        Shareholding.objects.create(organisation=organisation, shareholder=organisations[-2])


def add_people(organisation: Organisation, programme: Programme, number: int) -> None:
    now = timezone.now()
    account = make_policy_maker(programme)
    make_team_member(organisation=organisation, account=account)
    Expert.objects.create(account=make_account(Role.EXPERT), country="IT")
    Invitation.objects.create(
        email=f"invited-{number}@example.org",
        organisation=organisation,
        team_role=TeamRole.OWNER,
        invited_by=account,
        expires_at=now,
    )
    Claim.objects.create(
        organisation=organisation, role_address="info@example.org", reason="x", answer="x"
    )
    ConfirmationRequest.objects.create(organisation=organisation, due_on=now.date(), asked_at=now)
    event = Event.objects.create(
        happened_at=now,
        kind=EventKind.SIGNED_IN,
        account=account,
        about=account,
        detail=payload_of(Event._meta.get_field("detail"), number, ROWS, 0),
    )
    EventAddress.objects.create(event=event, network_address="192.0.2.1")


def add_reports(cluster: Cluster, organisation: Organisation) -> None:
    """One in the public log, one that waits."""
    for kind, row in ((RecordKind.CLUSTER, cluster), (RecordKind.ORGANISATION, organisation)):
        closed = kind == RecordKind.CLUSTER
        ProblemReport.objects.create(
            kind=kind,
            record_id=row.public_id,
            state="corrected" if closed else "new",
            is_logged=closed,
            correction_en="x",
            correction_it="x",
            answer="x",
            closed_at=timezone.now() if closed else None,
        )


def poison(model: type[models.Model], fields: list[Any]) -> None:
    """Past every validator; a version of each row in its history, too."""
    if model is Event:
        return  # never changed: it was written like that
    rows = list(model._base_manager.order_by("pk")[: 2 * ROWS])  # at most two languages
    keys = [row.pk for row in rows]
    for row, key in enumerate(keys):
        values = {
            field.name: payload_of(field, row, len(keys), number)
            for number, field in enumerate(fields)
        }
        decision = rows[row]
        if isinstance(decision, Decision) and decision.state == DecisionState.MADE:
            del values["answer"]  # only a refusal has one
        model._base_manager.filter(pk=key).update(**values)
    if hasattr(model, "history"):
        for saved in model._base_manager.filter(pk__in=keys):
            saved.save()
        model.history.update(history_change_reason=PAYLOADS[0])


@pytest.fixture(scope="module")
def poisoned(server: LiveServer, django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """The address of the server, whose every record carries script, for tests that only read."""
    with django_db_blocker.unblock():
        with transaction.atomic():
            build()
            Account.objects.create_superuser(ROOT)
        yield server.url
        databases.restore()


class Visit:
    """One tab of the browser, and all that went wrong on its pages."""

    def __init__(self, page: Page, server: str) -> None:
        self.page, self.server = page, server
        self.complaints: list[str] = []
        self.seen: set[str] = set()
        page.add_init_script(LISTEN)
        page.on("dialog", self.ran)
        page.on("pageerror", lambda error: self.complain(f"error: {error}"))
        page.on(
            "console",
            lambda message: self.complain(message.text) if is_complaint(message) else None,
        )

    def ran(self, dialog: Dialog) -> None:
        self.complain(f"ran: {dialog.message}")
        dialog.dismiss()

    def complain(self, text: str) -> None:
        self.complaints.append(f"{self.page.url}: {text}")

    def to(self, path: str, *statuses: int) -> None:
        response = self.page.goto(f"{self.server}{path}")
        assert response
        if response.status not in (statuses or (200,)) or "/login/" in response.url:
            self.complain(f"{path} answered {response.status}")
        self.look()

    def look(self) -> None:
        found, seen = self.page.evaluate(LOOK, [MARK, SHOWN])
        for problem in found:
            self.complain(problem)
        self.seen.update(seen)


# A payload by its number, a field by its name.
CALL = re.compile(r"alert\(\d+\)")
SHOWN = r"alert\(\d+\)|\[[a-z]+\.[a-z]+\.[a-z_]+\]"  # in JavaScript


def is_complaint(message: Any) -> bool:
    return message.type == "error" and "Failed to load resource" not in message.text


@pytest.fixture
def visit(page: Page, poisoned: str) -> Visit:
    return Visit(page, poisoned)


@pytest.fixture
def desk(context: BrowserContext, poisoned: str) -> Visit:
    """Signed in as one who may see and do everything."""
    client = Client()
    client.force_login(Account.objects.get(email=ROOT))
    session = client.cookies["sessionid"].value
    context.add_cookies([{"name": "sessionid", "value": session, "url": poisoned}])
    return Visit(context.new_page(), poisoned)


def assert_harmless(visit: Visit) -> None:
    assert visit.complaints == []


def address_of(row: Any, language: str) -> str:
    with translation.override(language):
        return str(row.get_absolute_url())


def details() -> list[Any]:
    """Every record with a page of its own."""
    kinds = (Cluster, Organisation, Programme, Label, Announcement)
    return [row for kind in kinds for row in kind.objects.order_by("pk")]


PUBLIC = [
    "",
    "clusters/",
    "organisations/",
    "programmes/",
    "labels/",
    "labels/?on=2015-12-15",
    "labels/how-it-works/",
    "news/",
    "news/2015/",
    "corrections/",
    "about/",
    "data/",
    "privacy/",
]


def test_there_are_three_hundred_payloads() -> None:
    assert len(set(PAYLOADS)) == 300


def test_public_page_runs_nothing_that_is_stored(visit: Visit) -> None:
    for number, path in enumerate(PUBLIC):
        visit.to(f"/{LANGUAGES[number % 2]}/{path}")
    for number, row in enumerate(details()):
        visit.to(address_of(row, LANGUAGES[number % 2]))

    assert_harmless(visit)
    assert plain(PAYLOADS) - visit.seen == set()


def plain(payloads: list[str]) -> set[str]:
    """The calls that can be found in a page's source as they are."""
    return {call for payload in payloads for call in CALL.findall(payload)}


SEARCHES = [
    ("clusters/", "q"),
    ("organisations/", "q"),
    ("labels/", "q"),
    ("verify/", "q"),
    ("news/", "cluster"),
]


def test_public_page_runs_nothing_of_its_address(visit: Visit) -> None:
    for number, group in enumerate(GROUPS):
        text = group.replace("\f", " ")  # control characters are refused
        search, name = SEARCHES[number % len(SEARCHES)]
        visit.to(f"/en/{quote(text)}/", 404)
        visit.to(f"/it/{search}?{urlencode({name: text, 'on': text, 'country': text})}", 200, 404)

    assert_harmless(visit)


def admin_address(model: type[models.Model], page: str, *arguments: object) -> str:
    options = model._meta
    return reverse(f"admin:{options.app_label}_{options.model_name}_{page}", args=arguments)


def test_admin_runs_nothing_that_is_stored(desk: Visit) -> None:
    desk.to("/admin/")
    for model in admin.site._registry:
        if model._meta.app_label not in APPS:
            continue
        desk.to(admin_address(model, "changelist"))
        row: Any = model._base_manager.earliest("pk")
        desk.to(admin_address(model, "change", row.pk))
        if model in WITH_A_MENU:
            version = row.history.latest()
            desk.to(admin_address(model, "delete", row.pk), 200, 403)
            desk.to(admin_address(model, "history", row.pk))
            desk.to(admin_address(model, "simple_history", row.pk, version.pk), 200, 403)

    assert_harmless(desk)
    planted = {name_of(field) for fields in POISONED.values() for field in fields}
    assert planted - shown(desk) - SHOWN_TO_NOBODY == set()


# What a mail says, what only programs read, and what only its owner does
# (tests/clusters/admin/test_saved_filters.py, test_drafts.py).
SHOWN_TO_NOBODY = {
    "clusters.formdraft.address",
    "clusters.formdraft.data",
    "clusters.formdraft.opening",
    "clusters.savedfilter.model",
    "clusters.savedfilter.name",
    "clusters.savedfilter.query",
    "clusters.mail.unsubscribe_url",
    "news.subscription.address",
    "clusters.mail.html",
    "clusters.mail.language",
    "clusters.mail.reply_to",
    "clusters.mail.subject",
    "clusters.mail.text",
    "labels.issuedcredential.digest",
}


def shown(visit: Visit) -> set[str]:
    return {text.strip("[]") for text in visit.seen}


def test_opened_autocomplete_runs_nothing_that_is_stored(desk: Visit) -> None:
    for model in (Cluster, Organisation, Programme, Label, Announcement):
        desk.to(admin_address(model, "add"))
        fields = desk.page.locator(".form-row .related-widget-wrapper:visible .select2-selection")
        assert fields.count() > 0
        for number in range(fields.count()):
            fields.nth(number).click()
            expect(
                desk.page.locator(".select2-results__option:has-text('alert(')").first
            ).to_be_visible()
            desk.look()
            desk.page.keyboard.press("Escape")

    assert_harmless(desk)


# The controls: script that is really there is reported under the policy, and runs without it.


def plant(page: Page, *, with_policy: bool) -> None:
    def answer(route: Route) -> None:
        response = route.fetch()
        headers = response.headers
        if not with_policy:
            del headers["content-security-policy"]
        body = response.text().replace("</h1>", "<script>alert('planted')</script></h1>", 1)
        route.fulfill(status=200, headers=headers, body=body)

    page.route("**/en/about/", answer)


def test_planted_script_is_reported(visit: Visit) -> None:
    plant(visit.page, with_policy=True)

    visit.to("/en/about/")

    assert [text for text in visit.complaints if "ran:" in text] == []
    assert any("policy: script-src-elem inline" in text for text in visit.complaints)
    assert any("inline script: " in text for text in visit.complaints)


def test_planted_script_runs_without_the_policy(visit: Visit) -> None:
    plant(visit.page, with_policy=False)

    visit.to("/en/about/")

    assert any("ran: planted" in text for text in visit.complaints)
