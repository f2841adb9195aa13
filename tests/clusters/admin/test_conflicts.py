"""Two people on one screen of the admin: what one saved is not undone by the other."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.apps import apps
from django.contrib import admin
from django.db import IntegrityError, models, transaction
from django.forms import inlineformset_factory
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone
from django_countries.fields import CountryField

from clusters.admin.base import ReadOnly
from clusters.fields import PartialDateField
from clusters.models import ClusterName, Role
from tests.admin_forms import errors, form_data
from tests.factories import make_account, make_announcement, make_cluster, make_management
from tests.test_mass_assignment import MORNING, World, build

pytestmark = [pytest.mark.django_db, pytest.mark.ignore_template_errors]

TOLD = "Somebody else changed this after you opened it"


def change(row: Any) -> str:
    options = row._meta
    return reverse(f"admin:{options.app_label}_{options.model_name}_change", args=[row.pk])


@pytest.fixture
def desk(client: Client) -> Client:
    client.force_login(make_account(Role.LEAD))
    return client


@pytest.fixture(scope="module")
def world(module_rows: None) -> World:
    with time_machine.travel(MORNING):
        built = build()
    # As far as a form wants them.
    for label in ("labels.indicatorset", "labels.indicator"):
        row: Any = built.rows[label]
        row.name_en = row.name_it = "Name"
        row.save()
    # A box that is not ticked is not sent.
    comment: Any = built.rows["news.reviewcomment"]
    comment.is_resolved = True
    comment.save()
    return built


def another_value(column: Any, now: Any) -> Any:
    if column.flatchoices and not isinstance(column, CountryField):
        return next(key for key, _name in column.flatchoices if key not in (now, "", None))
    if isinstance(column, CountryField):
        return "FR" if now != "FR" else "IT"
    if isinstance(column, models.BooleanField):
        return not now
    if isinstance(column, PartialDateField):
        return "2031"
    if isinstance(column, models.DateTimeField):
        return (now or timezone.now()) + timedelta(days=400)
    if isinstance(column, models.DateField):
        return (now or timezone.localdate()) + timedelta(days=400)
    if isinstance(column, (models.IntegerField, models.DecimalField)):
        return (now or 0) + 1
    return "theirs"


def by_hand(column: Any) -> bool:
    # Addresses and pictures have a notation of their own.
    own = (models.FileField, models.SlugField, models.URLField, models.EmailField)
    return not (column.is_relation or column.primary_key or isinstance(column, own))


def write_by_another(row: Any, names: set[str]) -> Any:
    """Write another value into the first of these fields that takes one, with its version."""
    model = type(row)
    columns = [one for one in model._meta.concrete_fields if one.name in names and by_hand(one)]
    for column in sorted(columns, key=lambda one: not isinstance(one, models.TextField)):
        value = another_value(column, getattr(row, column.name))
        with suppress(IntegrityError), transaction.atomic():
            model._base_manager.filter(pk=row.pk).update(**{column.name: value})
            stored = model._base_manager.get(pk=row.pk)
            names_of_columns = [one.attname for one in row.history.model.tracked_fields]
            model.history.create(
                history_date=timezone.now(),
                history_type="~",
                **{name: getattr(stored, name) for name in names_of_columns},
            )
            return column
    return None


# What these forms want besides.
TYPED = {
    "clusters.claim": {"state": "denied", "answer": "No."},
    "labels.label": {"reason": "A slip."},
}
ADMINS = [model._meta.label_lower for model in admin.site._registry]


def screens(row: Any, data: dict[str, Any], world: World) -> Iterator[tuple[str, Any]]:
    """Prefixes of the forms on a row's screen that stand for a stored row, with that row."""
    yield "", row
    for inline in admin.site._registry[type(row)].inlines:
        if issubclass(inline, ReadOnly):
            continue
        formset: Any = inlineformset_factory(
            type(row), inline.model, fk_name=inline.fk_name, fields=()
        )
        prefix, pk = formset.get_default_prefix(), inline.model._meta.pk.name
        for number in range(int(data.get(f"{prefix}-INITIAL_FORMS", 0))):
            key = data[f"{prefix}-{number}-{pk}"]
            yield f"{prefix}-{number}-", inline.model._base_manager.get(pk=key)
            break


@pytest.mark.parametrize("label", ADMINS)
def test_stale_form_is_refused_and_kept(world: World, label: str) -> None:
    client = Client()
    client.force_login(make_account(is_superuser=True, language="en"))
    row: Any = world.rows.get(label)
    model_admin: Any = admin.site._registry[apps.get_model(label)]
    request: Any = RequestFactory().get("/")
    request.user = make_account(is_superuser=True)
    # What a level's screen proposes is compared when it is approved.
    if label == "labels.level" or not model_admin.has_change_permission(request, row):
        return
    fresh = form_data(client, change(row))
    checked = []
    for prefix, one in screens(row, fresh, world):
        data = form_data(client, change(row))
        data |= TYPED.get(label, {})
        names = {
            field.name for field in one._meta.concrete_fields if f"{prefix}{field.name}" in data
        } - {"state"}
        with transaction.atomic():
            column = write_by_another(one, names)
            if column is None:
                continue
            response = client.post(change(row), data)
            told = errors(response)
            stored = type(one)._base_manager.get(pk=one.pk)
            transaction.set_rollback(True)

        assert told, (label, prefix, column.name)
        assert told[0].startswith(TOLD), (told, prefix, column.name)
        assert any(str(column.verbose_name).lower() in line.lower() for line in told[1:])
        assert getattr(stored, column.name) != getattr(one, column.name)
        shown = response.content.decode()
        assert f'name="_versions" value="{data["_versions"]}"' not in shown
        checked.append(prefix)
    assert checked


@pytest.mark.parametrize("label", ADMINS)
def test_form_sent_back_as_it_is_writes_no_version(world: World, label: str) -> None:
    client = Client()
    root = make_account(is_superuser=True)
    client.force_login(root)
    row: Any = world.rows.get(label)
    model_admin: Any = admin.site._registry[apps.get_model(label)]
    request: Any = RequestFactory().get("/")
    request.user = root
    # A claim is decided, a text filled in, a level proposed (tests/labels/admin/test_rules.py).
    if label in ("clusters.claim", "labels.level") or not model_admin.has_change_permission(
        request, row
    ):
        return
    models_shown = [type(row), *(inline.model for inline in model_admin.inlines)]

    def versions() -> list[int]:
        return [model.history.count() for model in models_shown]

    if label == "news.announcement":
        type(row).objects.filter(pk=row.pk).update(published_at=timezone.now())
    before = versions()

    response = client.post(change(row), form_data(client, change(row)))

    assert (errors(response), response.status_code) == ([], 302)
    assert versions() == before


def test_second_save_is_refused_with_both_versions_and_the_third_goes_through(desk: Client) -> None:
    cluster = make_cluster(town="Torino", website="https://example.org/")
    colleague = make_account(Role.EDITOR, email="colleague@example.org")
    other = Client()
    other.force_login(colleague)
    mine = form_data(desk, change(cluster)) | {"website": "https://example.org/mine"}
    theirs = form_data(other, change(cluster)) | {"town": "Ivrea"}
    assert errors(other.post(change(cluster), theirs)) == []

    response = desk.post(change(cluster), mine)

    heading, line = errors(response)
    assert heading.startswith(f"{TOLD} (colleague@example.org, ")
    assert line == "Town: now “Ivrea”, yours “Torino”."
    form = response.context["adminform"].form
    assert form["website"].value() == "https://example.org/mine"
    cluster.refresh_from_db()
    assert (cluster.town, cluster.website) == ("Ivrea", "https://example.org/")
    versions = {"_versions": response.context["request"].screen_versions}
    assert errors(desk.post(change(cluster), mine | {"town": "Ivrea"} | versions)) == []
    cluster.refresh_from_db()
    assert (cluster.town, cluster.website) == ("Ivrea", "https://example.org/mine")


def test_other_mistakes_are_told_first_and_the_conflict_stays(desk: Client) -> None:
    cluster = make_cluster(town="Torino")
    data = form_data(desk, change(cluster))
    cluster.town = "Ivrea"
    cluster.save()

    response = desk.post(change(cluster), data | {"website": "nowhere"})

    versions = response.context["request"].screen_versions
    assert versions == data["_versions"]
    again = desk.post(change(cluster), data | {"_versions": versions})
    assert errors(again)[1] == "Town: now “Ivrea”, yours “Torino”."


def test_form_sent_twice_is_saved_once(desk: Client) -> None:
    cluster = make_cluster(town="Torino")
    data = form_data(desk, change(cluster)) | {"town": "Ivrea"}

    assert errors(desk.post(change(cluster), data)) == []
    assert errors(desk.post(change(cluster), data)) == []

    assert cluster.history.count() == 2


def test_change_out_of_the_form_does_not_disturb(client: Client) -> None:
    cluster = make_cluster(town="Torino", confirmed_on=None)
    client.force_login(make_account(Role.LEAD))
    data = form_data(client, change(cluster)) | {"website": "https://example.org/mine"}
    ClusterName.objects.create(cluster=cluster, name="Another name")

    assert errors(client.post(change(cluster), data)) == []

    assert cluster.names.get().name == "Another name"


def test_row_that_another_deleted_is_told_and_kept_in_the_form(desk: Client) -> None:
    cluster = make_cluster()
    gone = ClusterName.objects.create(cluster=cluster, name="Gone")
    stays = ClusterName.objects.create(cluster=cluster, name="Stays")
    data = form_data(desk, change(cluster))
    gone.delete()

    response = desk.post(change(cluster), data)

    assert [line.partition(" is not")[0] for line in errors(response)[1:]] == ["“Gone”"]
    (formset,) = (
        one.formset
        for one in response.context["inline_admin_formsets"]
        if one.formset.prefix == "names"
    )
    assert [form["name"].value() for form in formset.forms] == ["Stays", "Gone"]
    assert [form.instance.pk for form in formset.forms] == [stays.pk, None]
    assert list(cluster.names.values_list("name", flat=True)) == ["Stays"]


def test_row_that_both_deleted_is_no_conflict(desk: Client) -> None:
    cluster = make_cluster()
    gone = ClusterName.objects.create(cluster=cluster, name="Gone")
    data = form_data(desk, change(cluster)) | {"names-0-DELETE": "on"}
    gone.delete()

    assert errors(desk.post(change(cluster), data)) == []
    assert not cluster.names.exists()


def test_row_that_another_moved_to_their_screen_is_told(desk: Client) -> None:
    cluster, other = make_cluster(), make_cluster()
    management = make_management(cluster=cluster)
    data = form_data(desk, change(cluster))
    management.cluster = other
    management.save()

    assert "is not there any more" in errors(desk.post(change(cluster), data))[1]
    assert not cluster.managements.exists()


@pytest.mark.parametrize("name", ["TOTAL", "INITIAL"])
@pytest.mark.parametrize("number", ["9" * 5000, "-1", "x", "\u0663"])
def test_forged_number_of_rows_breaks_nothing(desk: Client, name: str, number: str) -> None:
    cluster = make_cluster()
    data = form_data(desk, change(cluster)) | {f"names-{name}_FORMS": number}

    assert desk.post(change(cluster), data).status_code in (200, 302)


def test_row_that_another_changed_is_not_deleted(desk: Client) -> None:
    cluster = make_cluster()
    name = ClusterName.objects.create(cluster=cluster, name="Old")
    data = form_data(desk, change(cluster)) | {"names-0-DELETE": "on"}
    name.name = "New"
    name.save()

    assert errors(desk.post(change(cluster), data))[1:] == [
        "New, name: now “New”, yours “deleted”."
    ]
    assert cluster.names.get().name == "New"


def test_relations_that_another_changed_are_told(desk: Client) -> None:
    alpha, beta = make_cluster(name="Alpha"), make_cluster(name="Beta")
    announcement = make_announcement(clusters=[alpha])
    data = form_data(desk, change(announcement))
    announcement.clusters.add(beta)

    assert errors(desk.post(change(announcement), data))[1:] == [
        "Clusters: now “Alpha, Beta”, yours “Alpha”."
    ]
    assert announcement.clusters.count() == 2


def test_restoring_is_refused_where_another_wrote_meanwhile(desk: Client) -> None:
    cluster = make_cluster(town="Torino")
    first = cluster.history.latest()
    cluster.town = "Ivrea"
    cluster.save()
    options = cluster._meta
    address = reverse(
        f"admin:{options.app_label}_{options.model_name}_simple_history",
        args=[cluster.pk, first.pk],
    )
    page = desk.get(address).context
    data = {field.html_name: field.value() or "" for field in page["adminform"].form}
    data |= {"_versions": page["request"].screen_versions}
    del data["logo"]
    cluster.town = "Asti"
    cluster.save()

    response = desk.post(address, data)

    assert errors(response)[1:] == ["Town: now “Asti”, yours “Torino”."]
    cluster.refresh_from_db()
    assert cluster.town == "Asti"


def test_conflict_is_told_in_italian(desk: Client) -> None:
    cluster = make_cluster(town="Torino")
    data = form_data(desk, change(cluster))
    cluster.town = "Ivrea"
    cluster.save()

    response = desk.post(change(cluster), data, headers={"accept-language": "it"})

    heading, line = errors(response)
    assert heading.startswith("Nel frattempo qualcun altro ha modificato questa scheda")
    assert line == "Località: ora “Ivrea”, qui “Torino”."
