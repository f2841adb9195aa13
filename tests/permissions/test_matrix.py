"""Every right, and every address and method as each role, as the table says."""

from collections.abc import Iterable
from typing import Any

import pytest
from django.contrib import admin

from tests.permissions import cells, table
from tests.permissions.rights import every_right
from tests.permissions.world import World

pytestmark = pytest.mark.django_db


def none_wrong(world: World, asked: Iterable[cells.Asked]) -> None:
    found = cells.wrong(world, asked)
    if found:
        pytest.fail("\n".join([f"{len(found)} wrong cells", *found]), pytrace=False)


@pytest.mark.parametrize("label", sorted(table.GRIDS))
def test_rights(world: World, label: str) -> None:
    none_wrong(world, every_right(label))


@pytest.mark.parametrize("label", sorted(cells.asked_by_pages()))
def test_rows_of_admin(world: World, label: str) -> None:
    none_wrong(world, cells.model_cells(world, label))


def test_steps(world: World) -> None:
    none_wrong(world, cells.step_cells(world))


def test_tables(world: World) -> None:
    none_wrong(world, cells.table_cells())


def test_autocomplete(world: World) -> None:
    none_wrong(world, cells.autocomplete_cells())


def test_dashboard(world: World) -> None:
    none_wrong(world, cells.dashboard_cells())


def test_drafts(world: World) -> None:
    none_wrong(world, cells.draft_cells(world))


def test_writing(world: World) -> None:
    none_wrong(world, cells.writing_cells(world))


def test_every_address_is_declared() -> None:
    assert cells.every_address() - cells.declared_addresses() == set()


def test_every_declared_address_exists() -> None:
    assert cells.declared_addresses() - cells.every_address() == set()


def test_every_model_of_admin_is_declared() -> None:
    registered = {model._meta.label_lower for model in admin.site._registry}

    assert registered == set(table.GRIDS)


@pytest.mark.parametrize("kind", sorted({kind for kind, *_states in table.addresses().values()}))
def test_pages(world: World, kind: str) -> None:
    names = [name for name, declared in table.addresses().items() if declared[0] == kind]
    none_wrong(world, cells.page_cells(world, names))


def test_forms_take_what_they_offer(world: World) -> None:
    none_wrong(world, cells.forged_cells(world))


def test_rights_end_with_the_next_request(world: World) -> None:
    none_wrong(world, cells.ended_cells(world))


def test_no_way_to_the_page_of_any_row(world: World) -> None:
    none_wrong(world, cells.site_cells(world))


def test_second_factor(world: World, settings: Any) -> None:
    settings.REQUIRE_SECOND_FACTOR = True
    none_wrong(world, cells.enrolment_cells(world))
