"""The admin site as a whole: every page opens, the dashboard counts what its links list."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.apps import apps
from django.contrib import admin
from django.db import connection, models
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from simple_history.admin import SimpleHistoryAdmin

from clusters.models import (
    Account,
    Change,
    Claim,
    Cluster,
    ClusterName,
    ClusterState,
    ClusterText,
    ConfirmationRequest,
    Event,
    EventAddress,
    EventKind,
    FactSource,
    FormDraft,
    Invitation,
    Lineage,
    LineageKind,
    Mail,
    Management,
    Mandate,
    MembershipCount,
    Organisation,
    OrganisationName,
    Participation,
    ProblemReport,
    Programme,
    Region,
    SavedFilter,
    Shareholding,
    TeamMember,
)
from clusters.people.log import record
from labels.models import (
    Decision,
    Delivery,
    Expert,
    IssuedCredential,
    IssuingBody,
    Label,
    LabelSource,
    LevelRule,
    Notice,
    RequiredLevel,
    RuleChange,
    Statement,
    Suspension,
)
from news.models import (
    Announcement,
    AnnouncementText,
    Attachment,
    Correction,
    Picture,
    ReviewComment,
    Subscription,
    Topic,
)
from tests.factories import (
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
    make_programme,
    make_report,
    make_review_comment,
    make_subscription,
    make_suspension,
    make_team_member,
    make_topic,
    make_undated_label,
    portfolio,
    region,
)

# Django's own templates name variables that a page may lack.
pytestmark = [pytest.mark.django_db, pytest.mark.ignore_template_errors]

MODELS = sorted(admin.site._registry, key=lambda model: model._meta.label)
OURS = [model for model in MODELS if model._meta.app_label in ("clusters", "labels", "news")]


def label_of(model: type[models.Model]) -> str:
    return model._meta.label_lower


def url(model: type[models.Model], page: str, *arguments: object) -> str:
    options = model._meta
    return reverse(f"admin:{options.app_label}_{options.model_name}_{page}", args=arguments)


def make_full_announcement() -> Announcement:
    return make_announcement(
        clusters=[make_cluster()],
        organisations=[make_organisation()],
        labels=[make_label()],
        programmes=[make_programme(owner=make_organisation())],
        statements=[make_statement()],
        contact_organisation=make_organisation(),
        box="Background.",
    )


def make_full_cluster() -> Cluster:
    return make_cluster(
        portfolio=portfolio(), region=region(), confirmed_on=date(2026, 1, 2), logo="logos/a.png"
    )


def make_statement() -> Statement:
    number = Statement.objects.count()
    return Statement.objects.create(
        as_of_on="2015-09", definition_en="Golds", definition_it="Oro", count=number, source=number
    )


def make_decision(label: Label | None = None) -> Decision:
    return Decision.objects.create(
        label=label or make_label(),
        kind="revocation",
        takes_effect_on=date(2026, 11, 1),
        reason="The cluster closed.",
        needs_two=True,
        proposed_by=make_account(),
        proposed_at=timezone.now(),
    )


def make_notice() -> Notice:
    return Notice.objects.create(label=make_label(), kind="end", due_on=date(2017, 7, 31))


MAKERS: dict[type[models.Model], Callable[[], object]] = {
    Announcement: make_full_announcement,
    AnnouncementText: lambda: make_announcement_text(make_announcement(), language="it"),
    Picture: lambda: make_picture(make_announcement()),
    Attachment: lambda: make_attachment(make_announcement()),
    Correction: lambda: make_correction(make_announcement()),
    ReviewComment: lambda: make_review_comment(make_announcement()),
    Subscription: make_subscription,
    Topic: make_topic,
    Claim: lambda: Claim.objects.create(
        organisation=make_organisation(), role_address="info@example.org", reason="Ours."
    ),
    Cluster: make_full_cluster,
    ClusterName: lambda: ClusterName.objects.create(cluster=make_cluster(), name="Old"),
    ClusterText: lambda: ClusterText.objects.create(cluster=make_cluster(), language="en"),
    Event: lambda: record(EventKind.SIGNED_IN, now=timezone.now(), account=make_account()),
    ConfirmationRequest: lambda: ConfirmationRequest.objects.create(
        organisation=make_organisation(), due_on=date(2026, 5, 1), asked_at=timezone.now()
    ),
    Decision: make_decision,
    Delivery: lambda: Delivery.objects.create(
        notice=make_notice(), account=make_account(), written_at=timezone.now()
    ),
    Mail: make_mail,
    Expert: lambda: Expert.objects.create(account=make_account(), country="IT"),
    Invitation: lambda: Invitation.objects.create(
        email="new@example.org",
        organisation=make_organisation(),
        team_role="owner",
        expires_at=timezone.now() + timedelta(days=1),
    ),
    Label: lambda: make_label(
        managing_organisation=make_organisation(), awarded_by=IssuingBody.objects.earliest("pk")
    ),
    Lineage: lambda: Lineage.objects.create(
        cluster=make_cluster(), other=make_cluster(), kind=LineageKind.MERGED_INTO
    ),
    Management: make_management,
    Mandate: lambda: Mandate.objects.create(account=make_account(), programme=make_programme()),
    MembershipCount: lambda: MembershipCount.objects.create(
        cluster=make_cluster(), counted_on="2015", count=120
    ),
    FactSource: lambda: FactSource.objects.create(
        cluster=make_cluster(), fact="town", confidence="doubtful"
    ),
    LabelSource: lambda: LabelSource.objects.create(label=make_label(), confidence="doubtful"),
    Notice: make_notice,
    Organisation: make_organisation,
    OrganisationName: lambda: OrganisationName.objects.create(
        organisation=make_organisation(), name="Old"
    ),
    Participation: make_participation,
    ProblemReport: make_report,
    Programme: lambda: make_programme(owner=make_organisation()),
    RequiredLevel: lambda: RequiredLevel.objects.create(
        programme=make_programme(), level_id="silver"
    ),
    Shareholding: lambda: Shareholding.objects.create(
        organisation=make_organisation(), shareholder=make_organisation()
    ),
    RuleChange: lambda: RuleChange.objects.create(
        level_id="gold",
        reason="Shorter.",
        state="made",
        needs_two=False,
        is_in_effect=True,
        proposed_by=make_account(),
        proposed_at=timezone.now(),
        decided_at=timezone.now(),
    ),
    Statement: make_statement,
    TeamMember: make_team_member,
    Suspension: lambda: make_suspension(make_label(), starts_on=date(2016, 1, 1), reason="Audit."),
}


def count_queries(client: Client, address: str) -> int:
    with CaptureQueriesContext(connection) as queries:
        response = client.get(address)
    assert response.status_code == 200
    return len(queries)


@pytest.mark.parametrize("model", OURS, ids=label_of)
def test_model_is_edited_with_its_history(model: type[models.Model]) -> None:
    """But for the log of events, the outbox and subscriptions: nobody edits them."""
    is_read_only = model in (Event, Mail, Subscription)
    assert isinstance(admin.site._registry[model], SimpleHistoryAdmin) or is_read_only


@pytest.mark.parametrize("app", ["clusters", "labels", "news"])
def test_every_model_has_its_admin(app: str) -> None:
    """But for addresses of events, which the lines of the log show, and what programs write."""
    own = [
        model
        for model in apps.get_app_config(app).get_models()
        if not model.__name__.startswith("Historical")
        and model not in (EventAddress, Change, IssuedCredential, FormDraft, SavedFilter)
    ]

    assert [model for model in own if model not in admin.site._registry] == []


@pytest.mark.parametrize("model", MODELS, ids=label_of)
def test_list_opens(admin_client: Client, model: type[models.Model]) -> None:
    MAKERS.get(model, lambda: None)()

    response = admin_client.get(url(model, "changelist"))

    assert response.status_code == 200


@pytest.mark.parametrize("model", MODELS, ids=label_of)
def test_add_form_opens(admin_client: Client, rf: Any, model: type[models.Model]) -> None:
    response = admin_client.get(url(model, "add"))

    request = rf.get("/")
    request.user = Account.objects.get()
    expected = 200 if admin.site._registry[model].has_add_permission(request) else 403
    assert response.status_code == expected


@pytest.mark.parametrize("model", MODELS, ids=label_of)
@pytest.mark.parametrize("view", ["change", "history"])
def test_form_and_history_open(admin_client: Client, model: type[models.Model], view: str) -> None:
    MAKERS.get(model, lambda: None)()
    row = model._default_manager.latest("pk")

    response = admin_client.get(url(model, view, row.pk))

    assert response.status_code == 200


@pytest.mark.parametrize("page", ["add", "change"])
@pytest.mark.parametrize("model", MODELS, ids=label_of)
def test_names_of_fields_begin_with_a_capital(
    admin_client: Client, model: type[models.Model], page: str
) -> None:
    MAKERS.get(model, lambda: None)()
    keys = [model._default_manager.latest("pk").pk] if page == "change" else []

    response = admin_client.get(url(model, page, *keys), headers={"Accept-Language": "en"})

    names = re.findall(r'<label[^>]* for="id_[^"]*"[^>]*>\s*([^<\s][^<]*)', response.text)
    assert [name for name in names if name[0].islower()] == []


@pytest.mark.parametrize(
    "model", [m for m in OURS if admin.site._registry[m].search_fields], ids=label_of
)
def test_search_finds_nothing_quietly(admin_client: Client, model: type[models.Model]) -> None:
    response = admin_client.get(url(model, "changelist"), {"q": "no such thing"})

    assert response.status_code == 200


@pytest.mark.parametrize("model", MAKERS, ids=label_of)
def test_list_asks_the_same_for_one_and_three_rows(
    admin_client: Client, model: type[models.Model]
) -> None:
    make = MAKERS[model]
    make()
    address = url(model, "changelist")
    admin_client.get(address)
    one = count_queries(admin_client, address)

    make()
    make()

    assert count_queries(admin_client, address) == one


# The dashboard


NOON = datetime(2026, 11, 22, 12, tzinfo=timezone.get_default_timezone())


@pytest.fixture
def attention() -> None:
    """For each line of the dashboard a number of rows of its own, as of 2026-11-22."""
    shared = {
        "country": "IT",
        "portfolio": portfolio(),
        "latitude": "45.1",
        "longitude": "7.7",
        "confirmed_on": date(2026, 11, 1),
    }
    holder = make_cluster(**shared)
    ending = make_label(cluster=holder, assessed_on="2025-01", level="gold")  # 31 January 2027
    Notice.objects.create(label=ending, kind="3-months", due_on=date(2026, 10, 31))
    make_mail(created_at=NOON)
    RuleChange.objects.create(level_id="gold", reason="x", needs_two=True, proposed_at=NOON)
    for age in (timedelta(minutes=10), timedelta(hours=1)):
        make_mail(created_at=NOON - age)
    for age in (timedelta(days=6), timedelta(days=8)):
        make_mail(state="failed", error="x", created_at=NOON - age)
    make_decision(ending)
    make_label(cluster=holder, assessed_on="2025-01", level="bronze", is_published=False)
    make_label(cluster=holder, assessed_on="2023-12", level="silver")  # renewable to 31 Dec 2026
    make_undated_label(cluster=holder, level="bronze", certificate_number="1")
    make_undated_label(cluster=holder, level="bronze", certificate_number="2")
    make_label(cluster=holder, assessed_on="2010", level="bronze")  # expired long ago
    make_cluster(**shared | {"latitude": None, "longitude": None})
    make_cluster(**shared | {"portfolio": None})
    make_cluster(**shared | {"state": ClusterState.PROVISIONAL})
    make_cluster(**shared | {"confirmed_on": date(2025, 11, 21)})
    make_cluster(**shared | {"confirmed_on": None})
    make_cluster(**shared | {"confirmed_on": None, "state": ClusterState.CLOSED})
    Region.objects.create(name="Nowhere", country="IT")
    make_team_member(role="editor")
    Claim.objects.create(
        organisation=make_organisation(), role_address="info@example.org", reason="Ours."
    )
    make_report()
    make_announcement(state="draft")
    make_announcement(state="in_review")
    complete = make_announcement()
    make_announcement_text(complete, language="it")
    make_announcement()


EXPECTED = {
    "Profiles not confirmed for 12 months": 2,
    "Provisional clusters": 1,
    "Clusters without coordinates": 1,
    "Clusters without a portfolio": 1,
    "Profiles whose team lost its owner": 1,
    "Claims waiting": 1,
    "Reported problems waiting": 1,
    "Mails of the last 7 days that failed": 1,
    "Mails waiting for more than 10 minutes": 2,
    "Regions without a code": 1,
    "Labels ending within 6 months": 1,
    "Labels renewable for less than 3 months more": 1,
    "Labels with unknown dates": 2,
    "Decisions waiting": 1,
    "Changes of rules waiting": 1,
    "Notices for which there is nobody to tell": 1,
    "Draft announcements": 1,
    "Announcements in review": 1,
    "Announcements missing a language": 3,
}


@time_machine.travel("2026-11-22 12:00", tick=False)
@pytest.mark.usefixtures("attention")
def test_dashboard_counts_what_needs_attention(admin_client: Client) -> None:
    response = admin_client.get("/admin/")

    assert {item.title: item.number for item in response.context["items"]} == EXPECTED


@time_machine.travel("2026-11-22 12:00", tick=False)
@pytest.mark.usefixtures("attention")
def test_dashboard_links_list_what_was_counted(admin_client: Client) -> None:
    items = admin_client.get("/admin/").context["items"]

    listed = {item.title: admin_client.get(item.url).context["cl"].result_count for item in items}

    assert listed == {item.title: item.number for item in items}


def test_dashboard_shows_no_zero_and_what_one_may_begin(
    client: Client, admin_client: Client
) -> None:
    make_cluster(is_published=False)
    first = admin_client.get("/admin/")
    shown = [item for item in first.context["items"] if f'href="{item.url}"' in first.text]
    assert 0 < len(shown) < len(first.context["items"])
    assert all(item.number for item in shown)
    assert f'href="{url(Cluster, "add")}"' in first.text
    client.force_login(make_team_member().account)
    assert [str(title) for title, _url in client.get("/admin/").context["quick_actions"]] == [
        "Write an announcement"
    ]


def test_dashboard_shows_only_what_one_may_view(client: Client) -> None:
    owner = make_team_member()
    ours, theirs = make_cluster(name="Ours"), make_cluster(name="Theirs")
    make_management(cluster=ours, organisation=owner.organisation)
    make_management(cluster=theirs)
    client.force_login(owner.account)

    context = client.get("/admin/").context

    numbers = {item.title: item.number for item in context["items"]}
    assert numbers["Profiles not confirmed for 12 months"] == 1
    assert "Regions without a code" not in numbers
    assert {change.name for change in context["changes"]} == {"Ours", str(owner.organisation)}


def test_account_without_a_role_does_not_enter(client: Client) -> None:
    client.force_login(make_account())

    response = client.get("/admin/", follow=True)

    assert response.redirect_chain[-1] == ("/en/account/", 302)


def test_dashboard_tells_who_changed_what(admin_client: Client) -> None:
    cluster = make_cluster(name="bioPmed")
    history = cluster.history.get()
    history.history_user = Account.objects.get()
    history.save()

    (change,) = admin_client.get("/admin/").context["changes"]

    assert (change.kind, change.name, change.action, change.user) == (
        "Cluster",
        "bioPmed",
        "added",
        "admin@example.com",
    )
    assert change.url == url(Cluster, "history", cluster.pk)


def test_dashboard_asks_the_same_for_one_and_three_rows(admin_client: Client) -> None:
    def make_one_of_each() -> None:
        make_full_cluster()
        make_organisation()
        make_label()
        make_announcement()

    make_one_of_each()
    admin_client.get("/admin/")
    one = count_queries(admin_client, "/admin/")

    make_one_of_each()
    make_one_of_each()

    assert one <= 12
    assert count_queries(admin_client, "/admin/") == one


def test_login_is_asked_for(client: Client) -> None:
    response = client.get("/admin/")

    assert (response.status_code, response["Location"]) == (302, "/admin/login/?next=/admin/")


def test_rule_of_a_level_cannot_be_deleted_on_its_own(admin_client: Client) -> None:
    rule = LevelRule.objects.latest("pk")

    assert admin_client.post(url(LevelRule, "delete", rule.pk), {"post": "yes"}).status_code == 403


@pytest.mark.parametrize(
    ("language", "moment"), [("en", "8 September 2015, 16:05"), ("it", "8 settembre 2015, 16:05")]
)
def test_moments_have_one_form(client: Client, language: str, moment: str) -> None:
    # What Django writes itself, in lists and on forms, is as the portal's own words are.
    with time_machine.travel(datetime(2015, 9, 8, 14, 5, tzinfo=UTC), tick=False):
        person = make_account(is_superuser=True, language=language)
        client.force_login(person)
        record(EventKind.INVITED, now=timezone.now(), account=person)
        page = client.get(
            reverse("admin:clusters_event_changelist"), headers={"accept-language": language}
        )

    assert moment in page.content.decode()
