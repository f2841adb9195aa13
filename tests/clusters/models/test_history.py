"""Who changed what, when and from where; and the way back."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from io import StringIO
from itertools import count
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.core.paginator import Paginator
from django.db import models
from django.template.loader import render_to_string
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import translation
from django.utils.text import capfirst
from django_countries.fields import CountryField
from simple_history.models import HistoricalRecords

from clusters.admin.versions import KINDS, DiffLine, diff_lines, origin_in_words
from clusters.fields import PartialDateField
from clusters.models import Cluster, ClusterText, Portfolio, Role
from clusters.models.history import PAGE, Restored, came_from
from labels.importing.writer import import_register
from labels.models import Label
from tests.admin_forms import form_data
from tests.factories import (
    make_account,
    make_announcement,
    make_cluster,
    make_management,
    make_organisation,
    make_team_member,
    portfolio,
    region,
)

pytestmark = [pytest.mark.django_db, pytest.mark.ignore_template_errors]


def page(row: Any, view: str = "history", *more: object) -> str:
    options = row._meta
    return reverse(f"admin:{options.app_label}_{options.model_name}_{view}", args=[row.pk, *more])


def told(client: Client, row: Any) -> list[tuple[str, str, str, list[tuple[str, str, str]]]]:
    """The versions as the page tells them, the latest first."""
    response = client.get(page(row))
    assert response.status_code == 200
    return [
        (v.who, str(v.kind), v.origin, [(c.field, c.old, c.new) for c in v.differences])
        for v in response.context["lines"]
    ]


@pytest.fixture
def secretariat(client: Client) -> Client:
    client.force_login(make_account(Role.LEAD, email="lead@example.org"))
    return client


# Where a version comes from


def test_save_without_a_request_comes_from_a_command() -> None:
    assert make_cluster().history.get().history_change_reason == "command"


@pytest.mark.parametrize(("path", "origin"), [("/admin/x/", "admin"), ("/en/account/", "page")])
def test_save_in_a_request_comes_from_its_page(path: str, origin: str, rf: RequestFactory) -> None:
    HistoricalRecords.context.request = rf.get(path)
    try:
        cluster = make_cluster()
    finally:
        del HistoricalRecords.context.request

    assert cluster.history.get().history_change_reason == origin


def test_origin_given_by_the_writer_goes_before_the_page() -> None:
    with came_from(PAGE):
        cluster = make_cluster()

    assert cluster.history.get().history_change_reason == "page"


def test_change_of_relations_has_its_origin() -> None:
    announcement = make_announcement()

    announcement.clusters.add(make_cluster())

    version = announcement.history.latest()
    assert (version.history_type, version.history_change_reason) == ("~", "command")
    assert version.clusters.count() == 1


def test_imported_rows_come_from_the_import() -> None:
    lines = "cluster,country_code,region,managing_organisation,sector,label_level,"
    lines += "awarded_on_or_year,valid_until,source\nNova,IT,,,,gold,2015,,Printed\n"

    import_register(StringIO(lines))

    reasons = {
        *Cluster.history.values_list("history_change_reason", flat=True),
        *Label.history.values_list("history_change_reason", flat=True),
    }
    assert reasons == {"import"}


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("admin", "in the admin"),
        ("page", "on a page of the portal"),
        ("command", "by a command"),
        ("import", "by an import"),
        ("load_demo", "with the demo data"),
        ("Corrected after a report", "Corrected after a report"),
        (None, "–"),
        (
            "restored 7 2026-01-02T10:30:00+00:00",
            "restored from the version of 2 January 2026, 11:30",
        ),
    ],
)
def test_origin_is_told_in_words(reason: str | None, words: str) -> None:
    assert origin_in_words(reason) == words


def test_reason_that_only_begins_like_a_restored_one_is_told_as_it_is() -> None:
    assert origin_in_words("restored after a call") == "restored after a call"


# What changed


def test_history_tells_choices_relations_and_days_in_words(secretariat: Client) -> None:
    cluster = make_cluster(portfolio=portfolio(), is_published=True)
    cluster.state = "closed"
    cluster.portfolio = Portfolio.objects.get(code="biotechnology")
    cluster.region = region()
    cluster.country = "FR"
    cluster.confirmed_on = date(2026, 1, 2)
    cluster.is_published = False
    cluster.save()

    latest, first = told(secretariat, cluster)

    assert first == ("the portal", "added", "by a command", [])
    assert latest[:3] == ("the portal", "changed", "by a command")
    assert sorted(latest[3]) == [
        ("Comparative portfolio", "Health and medical science", "Biotechnology"),
        ("Country", "Italy", "France"),
        ("Last confirmed", "–", "2 January 2026"),
        ("Published", "yes", "no"),
        ("Region", "–", "Piemonte"),
        ("State", "active", "closed"),
    ]


def test_history_tells_relations_to_many_by_name(secretariat: Client) -> None:
    announcement = make_announcement(clusters=[make_cluster(name="Alpha")])
    announcement.clusters.add(make_cluster(name="Beta"))

    latest = told(secretariat, announcement)[0]

    assert latest[3] == [("Clusters", "Alpha", "Alpha, Beta")]


def test_history_tells_a_deleted_relation_by_its_key(secretariat: Client) -> None:
    announcement = make_announcement()
    gone = make_cluster()
    announcement.clusters.add(gone)
    key = gone.pk
    gone.delete()

    told_versions = told(secretariat, announcement)

    assert [("Clusters", "–", f"deleted ({key})")] in [version[3] for version in told_versions]


def test_history_tells_long_texts_line_by_line() -> None:
    old = "One.\n\nTwo.\nThree.\nFour.\nFive.\nSix."
    new = "One.\n\nTwo.\nThree.\nFour.\nFive!\nSix."

    assert list(diff_lines(old, new)) == [
        DiffLine(" ", "…"),
        DiffLine(" ", "Four."),
        DiffLine("-", "Five."),
        DiffLine("+", "Five!"),
        DiffLine(" ", "Six."),
    ]


def test_history_shows_lines_of_a_text(secretariat: Client) -> None:
    text = ClusterText.objects.create(
        cluster=make_cluster(), language="en", description="Kept.\nOld <b>."
    )
    text.description = "Kept.\nNew."
    text.save()

    content = secretariat.get(page(text)).content.decode()

    assert "<del>Old &lt;b&gt;.</del>" in content
    assert "<ins>New.</ins>" in content


def test_last_version_of_a_page_is_compared_with_the_one_before(
    secretariat: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster = make_cluster(town="A")
    for town in "BC":
        cluster.town = town
        cluster.save()
    monkeypatch.setattr("clusters.admin.history_pages.HistoryAdmin.history_list_per_page", 1)

    (latest,) = told(secretariat, cluster)

    assert latest[3] == [("Town", "B", "C")]


def test_history_asks_the_same_for_two_and_ten_versions(
    secretariat: Client, django_assert_max_num_queries: Any
) -> None:
    announcement = make_announcement()
    for _number in range(10):
        announcement.clusters.add(make_cluster())
        announcement.organisations.add(make_organisation())

    with django_assert_max_num_queries(30):
        told(secretariat, announcement)


def two_values(field: Any) -> tuple[Any, Any]:
    """Two values of a column that read differently; the first of a number is zero."""
    if field.is_relation:
        return 900_001, 900_002
    if field.primary_key:
        return (900_001, 900_002) if isinstance(field, models.IntegerField) else ("one", "two")
    if field.flatchoices and not isinstance(field, CountryField):
        return field.flatchoices[0][0], field.flatchoices[1][0]
    if isinstance(field, CountryField):
        return "IT", "FR"
    if isinstance(field, PartialDateField):
        return "2013", "2015-07"
    if isinstance(field, models.BooleanField):
        return False, True
    if isinstance(field, models.DateTimeField):
        return datetime(2020, 1, 2, tzinfo=UTC), datetime(2021, 1, 2, tzinfo=UTC)
    if isinstance(field, models.DateField):
        return date(2020, 1, 2), date(2021, 1, 2)
    if isinstance(field, models.DecimalField):
        return Decimal(0), Decimal(1)
    if isinstance(field, (models.IntegerField, models.FloatField)):
        return 0, 1
    return "one", "two"


MODELS_WITH_HISTORY = [
    model for model in apps.get_models() if hasattr(model._meta, "simple_history_manager_attribute")
]


@pytest.mark.parametrize("language", ["en", "it"])
@pytest.mark.parametrize("model", MODELS_WITH_HISTORY, ids=lambda model: model._meta.label)
def test_history_tells_the_field_that_changed_and_nothing_else(
    model: Any, language: str, rf: RequestFactory
) -> None:
    admin_of_model: Any = admin.site._registry[model]
    every = model.history.model.tracked_fields
    columns = [field for field in every if not field.primary_key]
    key = two_values(model._meta.pk)[1]
    values = {field.attname: two_values(field)[0] for field in columns} | {
        model._meta.pk.attname: key
    }
    moments = (datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=n) for n in count())
    expected = []

    def add_version(kind: str = "~") -> None:
        model.history.create(history_date=next(moments), history_type=kind, **values)

    add_version("+")
    for field in columns:
        # Emptied, too: from zero, from false, from a text.
        for value in ([None] if field.null else []) + [two_values(field)[1]]:
            values[field.attname] = value
            add_version()
            expected.append([field] if field.editable else [])
    request: Any = rf.get("/admin/")
    request.user = make_account(is_superuser=True)
    history = admin_of_model.record_history(request, model(pk=key))

    with translation.override(language):
        lines = history.lines(history.entries)
        page_of_entries = Paginator(lines, 1000).get_page(1)
        shown = render_to_string(
            "admin/history_list.html", {"lines": lines, "page_obj": page_of_entries}
        )
        lines = lines[::-1]
        assert [str(line.kind) for line in lines] == [
            str(KINDS["+"]),
            *[str(KINDS["~"])] * len(expected),
        ]
        assert [[one.field for one in line.differences] for line in lines] == [
            [],
            *[[capfirst(str(field.verbose_name)) for field in fields] for fields in expected],
        ]
    assert all(one.old != one.new for line in lines for one in line.differences)
    assert shown.count("<dt>") == sum(map(len, expected))


# Who changed it


@pytest.fixture
def cluster_of_a_team() -> Any:
    """A cluster, and a member of the team that manages it."""
    member = make_team_member()
    management = make_management(organisation=member.organisation)
    return management.cluster, member


def change_by(cluster: Cluster, account: Any, town: str) -> None:
    cluster.town = town
    cluster._history_user = account  # type: ignore[attr-defined]
    cluster.save()


def test_team_reads_no_address_in_a_history(client: Client, cluster_of_a_team: Any) -> None:
    cluster, member = cluster_of_a_team
    colleague = make_team_member(organisation=member.organisation).account
    change_by(cluster, make_account(Role.LEAD, email="lead@example.org"), "A")
    change_by(cluster, make_account(is_superuser=True, email="root@example.org"), "B")
    change_by(cluster, colleague, "C")
    change_by(cluster, make_team_member().account, "D")
    change_by(cluster, member.account, "E")
    client.force_login(member.account)

    names = [version[0] for version in told(client, cluster) if version[1] == "changed"]

    assert names == ["you", "somebody else", "a colleague", "the secretariat", "the secretariat"]
    content = client.get(page(cluster)).content.decode()
    assert "lead@example.org" not in content
    assert colleague.email not in content


def test_team_reads_no_address_on_the_dashboard(client: Client, cluster_of_a_team: Any) -> None:
    cluster, member = cluster_of_a_team
    change_by(cluster, make_account(Role.LEAD, email="lead@example.org"), "A")
    client.force_login(member.account)

    response = client.get("/admin/")

    assert "lead@example.org" not in response.content.decode()
    assert "the secretariat" in {change.user for change in response.context["changes"]}


@pytest.mark.parametrize("role", [Role.LEAD, Role.EDITOR, Role.AUDITOR])
def test_secretariat_and_auditors_read_who_it_was(client: Client, role: Role) -> None:
    cluster = make_cluster()
    change_by(cluster, make_account(email="owner@example.org"), "A")
    client.force_login(make_account(role))

    assert told(client, cluster)[0][0] == "owner@example.org"


# The way back


def restore(client: Client, row: Any, version: Any) -> Any:
    address = page(row, "simple_history", version.pk)
    shown = client.get(address).context
    versions = {"_versions": shown["request"].screen_versions}
    return client.post(address, sent_by(shown["adminform"].form) | versions)


def sent_by(form: Any) -> dict[str, Any]:
    from tests.admin_forms import sent

    data: dict[str, Any] = {}
    for field in form:
        value = field.value()
        if hasattr(field.field, "queryset") and isinstance(value, list):
            data[field.html_name] = [getattr(row, "pk", row) for row in value]
        else:
            data |= dict(sent(field.field.widget, field.html_name, value))
    return data


def test_restoring_says_from_which_version(secretariat: Client) -> None:
    cluster = make_cluster(name="First", town="A")
    first = cluster.history.latest()
    change_by(cluster, None, "B")

    response = restore(secretariat, cluster, first)

    assert response.status_code == 302
    latest = cluster.history.latest()
    assert latest.town == "A"
    assert Restored.parse(latest.history_change_reason) == Restored(first.pk, first.history_date)
    assert latest.history_user.email == "lead@example.org"
    assert told(secretariat, cluster)[0][2].startswith("restored from the version of ")


def test_restoring_brings_relations_back(secretariat: Client) -> None:
    announcement = make_announcement(clusters=[make_cluster(name="Alpha")], state="draft")
    before = announcement.history.latest()
    announcement.clusters.set([make_cluster(name="Beta")])

    response = restore(secretariat, announcement, before)

    assert response.status_code == 302
    assert [cluster.name for cluster in announcement.clusters.all()] == ["Alpha"]
    reason = announcement.history.latest().history_change_reason
    assert Restored.parse(reason) == Restored(before.pk, before.history_date)


def test_change_after_a_restored_one_has_its_own_origin(secretariat: Client) -> None:
    cluster = make_cluster(town="A")
    first = cluster.history.latest()
    change_by(cluster, None, "B")
    restore(secretariat, cluster, first)

    data = form_data(secretariat, page(cluster, "change")) | {"town": "C"}
    secretariat.post(page(cluster, "change"), data)

    assert cluster.history.latest().history_change_reason == "admin"


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.POLICY_MAKER])
def test_who_may_not_restore_finds_no_way(client: Client, role: Role) -> None:
    cluster = make_cluster(town="A")
    first = cluster.history.latest()
    change_by(cluster, None, "B")
    client.force_login(make_account(role))

    status = client.post(page(cluster, "simple_history", first.pk), {}).status_code

    assert status == (403 if role == Role.AUDITOR else 404)
    cluster.refresh_from_db()
    assert cluster.town == "B"


def test_team_finds_no_way_to_restore(client: Client, cluster_of_a_team: Any) -> None:
    cluster, member = cluster_of_a_team
    first = cluster.history.latest()
    client.force_login(member.account)

    assert (
        page(cluster, "simple_history", first.pk) not in client.get(page(cluster)).content.decode()
    )
    assert client.post(page(cluster, "simple_history", first.pk), {}).status_code == 403


def test_version_of_another_row_is_not_restored(secretariat: Client) -> None:
    cluster, other = make_cluster(), make_cluster()

    address = page(cluster, "simple_history", other.history.get().pk)

    assert secretariat.get(address).status_code == 404
