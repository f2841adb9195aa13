"""Any name gets a free address, wherever a row is made."""

from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import models
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, resolve
from django.utils import translation
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clusters.models import Cluster, Organisation, Programme
from clusters.models.addresses import Addressed, TakenSlugs, free_slug
from clusters.models.clusters import PAGES
from clusters.models.programmes import PAGES_OF_PROGRAMMES
from labels.importing.lines import COLUMNS
from labels.importing.writer import with_addresses
from news.models import AnnouncementText, Topic
from tests.factories import make_announcement, make_cluster, make_organisation, make_programme

pytestmark = pytest.mark.django_db

ADDRESSED = [model for model in apps.get_models() if issubclass(model, Addressed)]
PAGES_OF = {Cluster: PAGES, Programme: PAGES_OF_PROGRAMMES}
NAMES = [
    pytest.param("Compare", id="a page"),
    pytest.param("MAP", id="another page"),
    pytest.param("2024", id="digits"),
    pytest.param("Кластер здравја", id="Cyrillic"),
    pytest.param("日本クラスター", id="Japanese"),
    pytest.param("a" * 200, id="200 letters"),
    pytest.param("!!! — ?", id="no letter"),
    pytest.param("-", id="a hyphen"),
    pytest.param("Taken", id="the address of another"),
    pytest.param("Formerly Taken", id="a former address of another"),
    pytest.param("BCDFGHJK", id="the public id of another"),
]


def make(model: type[models.Model], name: str, **fields: Any) -> Any:
    """A row that comes without an address."""
    if model is AnnouncementText:
        return make_announcement(title=name, slug="", **fields).texts.get()
    if model is Programme:
        return make_programme(name_en=name, name_it=name, slug="", **fields)
    maker: Callable[..., Any] = make_cluster if model is Cluster else make_organisation
    return maker(name=name, slug="", **fields)


def occupy(model: type[models.Model]) -> None:
    row = make(model, "Other")
    row.slug = "formerly-taken"
    row.save()
    row.slug = "taken"
    row.save()
    if hasattr(row, "public_id"):
        model._base_manager.filter(pk=row.pk).update(public_id="BCDFGHJK")


def page_of(row: Any) -> str:
    page = row.announcement if isinstance(row, AnnouncementText) else row
    return str(page.get_absolute_url())


def test_every_model_with_an_address_makes_it() -> None:
    with_slug = {
        model
        for model in apps.get_models()
        if model._meta.app_label in ("clusters", "labels", "news")
        and not model.__name__.startswith("Historical")
        and any(field.name == "slug" for field in model._meta.fields)
    }

    # A topic has no page: its word is in addresses of lists, and the secretariat chooses it.
    assert with_slug == {*ADDRESSED, Topic}


@pytest.mark.parametrize("model", ADDRESSED)
@pytest.mark.parametrize("name", NAMES)
def test_any_name_gets_a_free_address(model: Any, name: str, client: Client) -> None:
    occupy(model)
    first, second = make(model, name), make(model, name)

    assert first.slug != second.slug
    assert model._meta.get_field("slug").clean(first.slug, None) == first.slug
    for row in (first, second):
        row.full_clean()
        assert resolve(page_of(row)).kwargs["slug"] == row.slug
        response = client.get(page_of(row))
        assert response.status_code == 200
        assert (name if len(name) < 100 else row.slug) in response.content.decode()


@pytest.mark.parametrize("model", ADDRESSED)
def test_address_made_by_a_form_is_freed_too(model: Any) -> None:
    occupy(model)
    row = make(model, "Taken")
    new = type(row)(
        **{
            field.attname: getattr(row, field.attname)
            for field in row._meta.concrete_fields
            if not field.primary_key and field.name not in ("slug", "public_id", "language")
        }
    )
    if model is AnnouncementText:
        new.announcement, new.language = make_announcement(slug="x").texts.get().announcement, "it"
    new.slug = "taken"
    new.full_clean()

    assert new.slug not in ("taken", row.slug)


def test_address_that_is_given_stays() -> None:
    cluster = Cluster(name="bioPmed", slug="health", country="IT")
    cluster.full_clean()
    cluster.save()
    cluster.name = "Other"
    cluster.save()

    assert cluster.slug == "health"


def test_texts_of_an_announcement_may_share_an_address() -> None:
    text = make_announcement(title="Gold", slug="").texts.get()
    other = AnnouncementText(announcement=text.announcement, language="it", title="Gold", body="x")
    other.save()

    assert (text.slug, other.slug) == ("gold", "gold")


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text("Aaß-ж! 9", max_size=3), min_size=1, max_size=4))
def test_many_names_get_as_many_addresses(names: list[str]) -> None:
    rows = with_addresses(Cluster, [Cluster(name=name, country="IT") for name in names])

    assert len({row.slug for row in rows}) == len(rows)
    assert all(Cluster._meta.get_field("slug").clean(row.slug, None) for row in rows)


def test_many_of_one_name_are_numbered() -> None:
    taken = TakenSlugs(Cluster)
    found = []
    for _number in range(4):
        found.append(free_slug(Cluster, "Compare", taken, ["IT"]))
        taken.add(found[-1])

    assert found == ["compare-it", "compare-2", "compare-3", "compare-4"]


@pytest.mark.parametrize("name", ["Compare", "map", "!!!", "2024", "Кластер"])
def test_import_gives_an_address_to_any_name(name: str, tmp_path: Path) -> None:
    file = tmp_path / "register.csv"
    values = dict.fromkeys(COLUMNS, "")
    values |= {"cluster": name, "country_code": "IT", "label_level": "Gold"}
    values |= {"managing_organisation": name}
    file.write_text(f"{','.join(COLUMNS)}\n{','.join(values.values())}\n", encoding="utf-8")

    call_command("import_register", file, stdout=StringIO())

    cluster = Cluster.objects.get(name=name)
    cluster.full_clean()
    assert Cluster.objects.at(cluster.slug) == cluster
    assert Organisation.objects.get(name=name).slug


# Reserved words


def routes(patterns: Any, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, route)
        else:
            yield route, pattern


def reserved_words(model: type[models.Model]) -> set[str]:
    # What stands in the URLconf where the address of a row would.
    page = page_of(make(model, "Any"))
    own = resolve(page)
    [here] = [
        route
        for route, pattern in routes(get_resolver().url_patterns)
        if pattern.name == own.url_name and pattern.callback == own.func
    ]
    before = here.removesuffix("<slug:slug>/")
    found = (
        route.removeprefix(before)
        for route, _pattern in routes(get_resolver().url_patterns)
        if route.startswith(before)
    )
    return {rest.removesuffix("/") for rest in found if rest.count("/") == 1 and "<" not in rest}


@pytest.mark.parametrize("model", ADDRESSED)
@pytest.mark.parametrize("language", ["en", "it"])
def test_no_address_is_that_of_a_page(model: Any, language: str) -> None:
    with translation.override(language):
        words = reserved_words(model)

        assert {
            word: make(model, word).slug for word in words if make(model, word).slug == word
        } == {}
        assert words == {*PAGES_OF.get(model, ())}
