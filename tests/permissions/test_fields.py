"""What is hidden from a person is told by no view of admin, and found by no question to a list."""

import re
from collections.abc import Callable, Iterable, Iterator
from io import BytesIO
from itertools import islice, product
from typing import Any
from zipfile import ZipFile

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.admin import SimpleListFilter
from django.contrib.admin.utils import flatten_fieldsets
from django.core.exceptions import FieldDoesNotExist
from django.db import IntegrityError, models, transaction
from django.test import RequestFactory
from django.urls import reverse

from clusters.admin.base import ScopedAdmin
from clusters.admin.clusters import ProgrammeAdmin
from clusters.admin.lists import PortalChangeList
from clusters.admin.tables import TablesAdmin
from clusters.admin.versions import Comparison
from clusters.models import Account, Organisation, Programme
from clusters.people import policy
from labels.models import Label
from tests.config.privacy.test_fields import sensitivities_of
from tests.factories import make_organisation, make_policy_maker, make_programme, update_label
from tests.permissions import cells, table
from tests.permissions.world import World, mark

pytestmark = pytest.mark.django_db

EVERYBODY = tuple(name for name in table.BY_PAGES if name not in table.STRANGERS)
# One person for each role that sees only some rows.
PARTLY_SEEING = ("owner", "other", "former", "expert", "policymaker")
ADMINS = sorted(admin.site._registry.items(), key=lambda pair: pair[0]._meta.label)


def label_of(model: Any) -> str:
    label: str = model._meta.label_lower
    return label


def request_of(world: World, identity: str, query: str = "") -> Any:
    request: Any = RequestFactory().get(f"/admin/{query}")
    request.user = Account.objects.get(pk=world.people[identity].pk)
    return request


of_each_admin = pytest.mark.parametrize(
    "model_admin", [pytest.param(one, id=label_of(model)) for model, one in ADMINS]
)


# Questions to a list


LOOKUPS = ("", "exact", "iexact", "regex", "startswith", "contains", "gt", "in", "isnull", "year")


def paths(model: type[models.Model]) -> Iterator[tuple[str, ...]]:
    """Every field, and every field of what it leads to, one and two relations away."""
    for first in model._meta.get_fields():
        yield (first.name,)
        for second in fields_beyond(first):
            yield (first.name, second.name)
            for third in fields_beyond(second):
                yield (first.name, second.name, third.name)


def fields_beyond(field: Any) -> Iterable[Any]:
    # Of the model to which a relation leads, either way.
    return field.related_model._meta.get_fields() if field.related_model else ()


def questions(model: type[models.Model]) -> Iterator[str]:
    for path in paths(model):
        lookups = LOOKUPS if len(path) < 3 else ("exact", "regex", "isnull")
        for lookup in lookups:
            yield "__".join((*path, lookup)) if lookup else "__".join(path)


def own_questions(model_admin: Any) -> set[str]:
    """What the filters of the list and its line of dates ask, by their declaration."""
    day = model_admin.date_hierarchy
    found = {f"{day}__{period}" for period in ("year", "month", "day")} if day else set()
    for given in model_admin.list_filter:
        if isinstance(given, type) and issubclass(given, SimpleListFilter):
            found.add(str(given.parameter_name))
            continue
        path = given[0] if isinstance(given, tuple) else given
        model = model_admin.model
        for name in path.split("__"):
            field = model._meta.get_field(name)
            model = field.related_model or model
        found |= {f"{path}__exact", f"{path}__isnull"}
        if field.is_relation:
            found.add(f"{path}__{field.target_field.name}__exact")
    return found


def told_by_questions(world: World, model_admin: Any) -> list[str]:
    own = own_questions(model_admin)
    found = []
    for identity in EVERYBODY:
        request = request_of(world, identity)
        found += [
            f"{identity}: {question}"
            for question in questions(model_admin.model)
            if model_admin.lookup_allowed(question, "x", request) and question not in own
        ]
    return found


@of_each_admin
def test_list_is_asked_by_its_own_filters_only(world: World, model_admin: Any) -> None:
    assert told_by_questions(world, model_admin) == []


def test_open_lookups_would_be_found(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(ScopedAdmin, "lookup_allowed")

    found = told_by_questions(world, admin.site._registry[Account])

    assert "auditor: password__regex" in found


@of_each_admin
def test_filter_leads_to_a_list(world: World, model_admin: Any) -> None:
    path = cells.admin_path(label_of(model_admin.model), "changelist")
    page = cells.ask(world, "root", "GET", path).context["cl"]
    for spec in page.filter_specs:
        for choice in islice(spec.choices(page), 3):
            assert cells.ask(world, "root", "GET", path + choice["query_string"]).status_code == 200
    if model_admin.date_hierarchy:
        query = f"?{model_admin.date_hierarchy}__year=2015"
        assert cells.ask(world, "root", "GET", path + query).status_code == 200


@pytest.mark.parametrize(
    ("identity", "path"),
    [
        ("auditor", "clusters/account/?password__regex=^a"),
        ("lead", "clusters/account/?session_number=0"),
        ("policymaker", "labels/label/?areas_of_improvement__startswith=z"),
        ("owner", "labels/label/?benchmarked_on__gt=2001"),
        ("policymaker", "clusters/programme/?owner__name__startswith=z"),
        ("policymaker", "clusters/cluster/export/?contact_address__startswith=z"),
    ],
)
def test_question_about_what_is_hidden_is_refused(world: World, identity: str, path: str) -> None:
    assert cells.ask(world, identity, "GET", f"/admin/{path}").status_code == 400


# Fields: what each view is made of


# A person has no other name, and is named beside what they belong to.
NAME_OF_A_PERSON = ("clusters.account", "email")


def readable(identity: str, model: type[models.Model]) -> set[str]:
    """By the tables written by hand."""
    known = sensitivities_of(model)
    return {
        field.name
        for field in (*model._meta.fields, *model._meta.many_to_many)
        if field.primary_key
        or known.get(field.name, "public") == "public"
        or identity in table.fields().get((label_of(model), field.name), ())
        or (label_of(model), field.name) == NAME_OF_A_PERSON
    }


def seen_by(identity: str, model: type[models.Model]) -> bool:
    return any(
        "V" in letters for letters in table.GRIDS[label_of(model)].get(identity, {}).values()
    )


def test_every_field_that_is_not_public_is_declared() -> None:
    wanted = {
        (label_of(model), field)
        for model, _admin in ADMINS
        if any(seen_by(identity, model) for identity in table.PARTLY_SEEING)
        for field, sensitivity in sensitivities_of(model).items()
        if sensitivity != "public" and field != model._meta.pk.name
    }

    assert set(table.fields()) == wanted


def columns_of(world: World, identity: str, model_admin: Any) -> Iterator[tuple[str, str]]:
    """The view, and each field that it shows or asks."""
    model, request = model_admin.model, request_of(world, identity)
    names = [str(order_path(model_admin, name)) for name in model_admin.get_list_display(request)]
    yield from product(["list"], names)
    yield from product(["filter"], map(filter_path, model_admin.get_list_filter(request)))
    yield from product(["search"], model_admin.get_search_fields(request))
    yield "line of dates", model_admin.date_hierarchy or ""
    if isinstance(model_admin, TablesAdmin) and model_admin.has_export_permission(request):
        resource = model_admin.get_export_resource_classes(request)[0](
            **model_admin.get_export_resource_kwargs(request)
        )
        yield from product(["export"], resource.get_export_order())
    for row in model_admin.get_queryset(request):
        yield from product(["form"], flatten_fieldsets(model_admin.get_fieldsets(request, row)))
        if hasattr(row, "history"):
            told = Comparison(model, row.history.all()[:1], request.user)
            yield from product(
                ["history"], [field.name for field in (*told.fields, *told.m2m_fields)]
            )
        for inline in model_admin.get_inline_instances(request, row):
            shown = flatten_fieldsets(inline.get_fieldsets(request, row))
            yield from product([f"form of {label_of(inline.model)}"], shown)


def order_path(model_admin: Any, name: Any) -> Any:
    shown = name if callable(name) else getattr(model_admin, name, None)
    return getattr(shown, "admin_order_field", None) or name


def filter_path(given: Any) -> str:
    given = given[0] if isinstance(given, tuple) else given
    return given if isinstance(given, str) else ""


def hidden_columns(world: World, identity: str, model_admin: Any) -> list[str]:
    """Fields that a view shows although the person may not read them."""
    found = set()
    for view, path in columns_of(world, identity, model_admin):
        model = model_admin.model
        if view.startswith("form of "):
            model = apps.get_model(view.removeprefix("form of "))
        for name in path.split("__"):
            try:
                field: Any = model._meta.get_field(name)
            except FieldDoesNotExist:
                break
            if not field.auto_created and name not in readable(identity, model):
                found.add(f"{identity}, {view}: {path}")
            model = field.related_model or model
    return sorted(found)


@of_each_admin
def test_no_view_has_a_field_that_the_person_may_not_read(world: World, model_admin: Any) -> None:
    found = [
        problem
        for identity in table.PARTLY_SEEING
        if seen_by(identity, model_admin.model)
        for problem in hidden_columns(world, identity, model_admin)
    ]

    assert found == []


def test_field_without_its_rule_would_be_found(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(policy, "hidden_fields", lambda person, verb, model: frozenset())
    model_admin = {label_of(model): one for model, one in ADMINS}

    clusters = hidden_columns(world, "policymaker", model_admin["clusters.cluster"])
    labels = hidden_columns(world, "owner", model_admin["labels.label"])

    assert {"policymaker, export: contact_address", "policymaker, form: contact_address"} <= {
        *clusters
    }
    assert {"owner, form: benchmarked_on", "owner, history: areas_of_improvement"} <= {*labels}


# Values: what stands in a response


SECRETS = {
    "zqsecretcontact": ("clusters.cluster", "contact_address"),
    "zqsecretareas": ("labels.label", "areas_of_improvement"),
    "1987": ("labels.label", "benchmarked_on"),
}
# One row for each model of records that is public to nobody whom it may be hidden from.
HIDDEN = {
    "clusters.organisation": "hidden",
    "clusters.cluster": "hidden",
    "clusters.programme": "hidden",
    "labels.label": "unpublished",
}


@pytest.fixture(scope="module")
def planted(world: World) -> Iterator[World]:
    """Every row refers to hidden ones wherever it can, and the hidden fields are filled."""
    with transaction.atomic():
        for model, model_admin in ADMINS:
            for state in world.states(label_of(model)):
                plant(world, model, world.row(label_of(model), state).pk, model_admin)
        world.tables.clear()
        yield world
        transaction.set_rollback(True)
    world.tables.clear()
    world.forms.clear()
    world.nothing.clear()


# What the database keeps as it was decided.
DECIDED = ("labels.decision", "labels.rulechange", "labels.level", "labels.levelrule")


def write(rows: Any, values: dict[str, Any]) -> None:
    """Past the rules; a public label changes by a decision only."""
    for row in rows:
        if isinstance(row, Label):
            update_label(row, **values)
            return
    rows.update(**values)


def plant(world: World, model: type[models.Model], key: Any, model_admin: Any) -> None:
    rows = model._base_manager.filter(pk=key)
    label = label_of(model)
    fields: list[Any] = [*model._meta.fields, *model._meta.many_to_many]
    for field in fields:
        hidden = HIDDEN.get(label_of(field.related_model)) if field.is_relation else None
        if hidden is None or (label, field.name) in WHICH_SAY_WHOSE:
            continue
        other = world.row(label_of(field.related_model), hidden)
        if field.many_to_many:
            if not field.remote_field.through._meta.auto_created:
                continue
            getattr(rows.get(), field.name).add(other)
        elif field.null and other.pk != key:
            values = {field.name: other} | ALONG.get((label, field.name), {})
            try:
                with transaction.atomic():
                    write(rows, values)
            except IntegrityError:
                assert label in DECIDED or (label, field.name) in ONCE
    if label == "clusters.cluster":
        rows.update(contact_address="zqsecretcontact@example.org")
    if label == "labels.label":
        areas = {"areas_of_improvement": "zqsecretareas", "benchmarked_on": "1987-06"}
        write(rows, {"level": "silver", **areas})
    row = rows.get()
    if hasattr(row, "history") and label != "labels.label":
        row.save()
    elif label == "labels.label":
        model.history.model.objects.filter(id=key).update(  # type: ignore[attr-defined]
            **areas, managing_organisation=world.row("clusters.organisation", "hidden").pk
        )


# By these the rows of a person are told from others.
WHICH_SAY_WHOSE = {("news.announcement", "written_by"), ("clusters.invitation", "organisation")}
# What the database wants beside it, and what it wants once only.
ALONG = {("labels.label", "renews"): {"kind": "renewal"}}
ONCE = {("labels.label", "transferred_from")}


def visits(world: World, identity: str, model_admin: Any) -> Iterator[tuple[str, str]]:
    """The pages of a list and of its rows that the person may open."""
    model, request = model_admin.model, request_of(world, identity)
    label = label_of(model)
    path = cells.admin_path(label, "changelist")
    columns = len(model_admin.get_list_display(request)) + 1
    orders = [f"?o={number}" for number in range(columns)]
    for query in ("", "?q=zq", *orders):
        yield "GET", path + query
    page = cells.ask(world, identity, "GET", path).context["cl"]
    for spec in page.filter_specs:
        yield "GET", path + list(spec.choices(page))[-1]["query_string"]
    for row in model_admin.get_queryset(request):
        yield "GET", cells.admin_path(label, "change", row.pk)
        yield "GET", cells.admin_path(label, "history", row.pk)
        if model_admin.has_delete_permission(request, row):
            yield "GET", cells.admin_path(label, "delete", row.pk)
    if isinstance(model_admin, TablesAdmin) and model_admin.has_export_permission(request):
        export = cells.admin_path(label, "export")
        yield "GET", export
        yield "CSV", export
        yield "XLSX", export


def answer(world: World, identity: str, method: str, path: str) -> str:
    if method == "GET":
        return cells.text_of(cells.ask(world, identity, "GET", path))
    data = {"format": "0" if method == "CSV" else "1"}
    response = cells.ask(world, identity, "POST", path, data)
    assert response.status_code == 200
    if method == "CSV":
        return cells.text_of(response)
    with ZipFile(BytesIO(response.content)) as book:
        return " ".join(book.read(name).decode() for name in book.namelist())


def told(world: World, identity: str, model_admin: Any) -> list[str]:
    """What the pages tell that the person may not know of."""
    found = []
    for method, path in visits(world, identity, model_admin):
        with world.undone():
            body = answer(world, identity, method, path)
        problems = cells.leaks(world, identity, body)
        problems += [
            secret
            for secret, place in SECRETS.items()
            if secret in body and identity not in table.fields()[place]
        ]
        found += [f"{identity} {method} {path}: {problem}" for problem in problems]
    return found


def partly_seen_admins(*, is_searched: bool = False) -> Iterator[Any]:
    for identity, (model, model_admin) in product(PARTLY_SEEING, ADMINS):
        if seen_by(identity, model) and (model_admin.search_fields or not is_searched):
            yield pytest.param(identity, model_admin, id=f"{identity} {label_of(model)}")


@pytest.mark.parametrize(("identity", "model_admin"), list(partly_seen_admins()))
def test_no_page_tells_what_is_hidden(planted: World, identity: str, model_admin: Any) -> None:
    assert told(planted, identity, model_admin) == []


@pytest.mark.parametrize("identity", PARTLY_SEEING)
def test_no_suggestion_and_no_dashboard_tells_what_is_hidden(planted: World, identity: str) -> None:
    asked = [cell.path for cell in cells.autocomplete_cells([identity])]
    bodies = [answer(planted, identity, "GET", path) for path in (*asked, reverse("admin:index"))]

    assert [cells.leaks(planted, identity, body) for body in bodies] == [[]] * len(bodies)


def test_who_sees_everything_is_told(planted: World) -> None:
    label = cells.admin_path("labels.label", "change", planted.row("labels.label", "own").pk)
    cluster = planted.row("clusters.cluster", "own")
    programme = planted.row("clusters.programme", "mine")
    body = "".join(
        answer(planted, "secretariat", method, path)
        for method, path in (
            ("GET", label),
            (
                "GET",
                cells.admin_path("labels.label", "history", planted.row("labels.label", "own").pk),
            ),
            ("GET", cells.admin_path("clusters.cluster", "change", cluster.pk)),
            ("GET", cells.admin_path("clusters.programme", "changelist")),
            ("GET", cells.admin_path("clusters.programme", "change", programme.pk)),
            ("CSV", cells.admin_path("clusters.cluster", "export")),
        )
    )

    assert [secret for secret in (*SECRETS, "zqorganisationhidden") if secret not in body] == []


@pytest.mark.parametrize(
    ("identity", "label", "hole"),
    [
        pytest.param(
            "policymaker", "clusters.programme",
            lambda patch: patch.setattr(
                policy, "with_known_relations", lambda person, rows, day: rows
            ),
            id="relations",
        ),
        pytest.param(
            "policymaker", "clusters.cluster",
            lambda patch: patch.setattr(
                policy, "hidden_fields", lambda person, verb, model: frozenset()
            ),
            id="fields",
        ),
        pytest.param(
            "owner", "labels.label",
            lambda patch: patch.setattr(policy, "nameable_rows", lambda person, rows, day: rows),
            id="names",
        ),
    ],
)  # fmt: skip
def test_what_is_told_would_be_found(
    planted: World,
    monkeypatch: pytest.MonkeyPatch,
    identity: str,
    label: str,
    hole: Callable[[pytest.MonkeyPatch], None],
) -> None:
    hole(monkeypatch)

    assert told(planted, identity, admin.site._registry[apps.get_model(label)]) != []


def test_nobody_reads_the_hash_of_a_password(world: World) -> None:
    with world.undone():
        Account.objects.update(password="zqhashed")
        world.clients["auditor"].force_login(Account.objects.get(pk=world.people["auditor"].pk))
        for identity in ("auditor", "lead", "root"):
            client = world.clients[identity]
            client.force_login(Account.objects.get(pk=world.people[identity].pk))
            for row in Account.objects.all():
                for page in ("change", "history"):
                    path = cells.admin_path("clusters.account", page, row.pk)
                    assert "zqhashed" not in client.get(path).content.decode()
            assert "zqhashed" not in client.get("/admin/clusters/account/").content.decode()


# Search and order


@pytest.mark.parametrize(("identity", "model_admin"), list(partly_seen_admins(is_searched=True)))
def test_search_finds_nothing_by_what_is_hidden(
    planted: World, identity: str, model_admin: Any
) -> None:
    request = request_of(planted, identity)
    rows = model_admin.get_queryset(request)
    words = {mark(label, state) for label, state in HIDDEN.items()} | {*SECRETS}

    found = {
        word: [*model_admin.get_search_results(request, rows, word)[0]] for word in words - {"1987"}
    }

    assert {word for word, listed in found.items() if listed} == set()


def test_search_finds_by_the_same_words_for_who_sees_everything(planted: World) -> None:
    model_admin = admin.site._registry[Programme]
    request = request_of(planted, "secretariat")
    word = mark("clusters.organisation", "hidden")

    rows = model_admin.get_queryset(request)

    assert model_admin.get_search_results(request, rows, word)[0].exists()


def test_search_through_hidden_rows_would_be_found(
    planted: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(policy, "is_partly_seen", lambda person, field: False)
    model_admin = admin.site._registry[Programme]
    request = request_of(planted, "policymaker")
    word = mark("clusters.organisation", "hidden")

    rows = model_admin.get_queryset(request)

    assert model_admin.get_search_results(request, rows, word)[0].exists()


@of_each_admin
def test_no_order_by_what_is_hidden(world: World, model_admin: Any) -> None:
    for identity in table.PARTLY_SEEING:
        if not seen_by(identity, model_admin.model):
            continue
        request = request_of(world, identity)
        for path in ordered_by(world, identity, model_admin):
            assert policy.reads_path(request.user, model_admin.model, path)


def ordered_by(world: World, identity: str, model_admin: Any) -> set[str]:
    path = cells.admin_path(label_of(model_admin.model), "changelist")
    columns = len(model_admin.get_list_display(request_of(world, identity))) + 1
    found: set[str] = set()
    for number in range(columns):
        page = cells.ask(world, identity, "GET", f"{path}?o={number}").context["cl"]
        found |= {
            re.sub("^-", "", one) for one in page.queryset.query.order_by if isinstance(one, str)
        }
    return found


def test_order_tells_nothing_of_a_hidden_owner(client: Any) -> None:
    programmes = [make_programme(name_en=name) for name in ("One", "Two")]
    client.force_login(make_policy_maker(*programmes))
    owners = [make_organisation(name=name, is_published=False) for name in ("Aaa", "Zzz")]
    place = ProgrammeAdmin.list_display.index("owner") + 1

    def listed(first: Organisation, second: Organisation) -> list[str]:
        for programme, owner in zip(programmes, (first, second), strict=True):
            Programme.objects.filter(pk=programme.pk).update(owner=owner)
        page = client.get(f"/admin/clusters/programme/?o={place}").context["cl"]
        return [str(row) for row in page.result_list]

    assert listed(*owners) == listed(*reversed(owners))


def test_order_would_tell_of_a_hidden_owner(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(PortalChangeList, "get_ordering_field")

    with pytest.raises(AssertionError):
        test_order_tells_nothing_of_a_hidden_owner(client)
