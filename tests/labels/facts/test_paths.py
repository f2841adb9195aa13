"""Every path by which somebody could write is declared, and tried where it touches a label."""

from csv import DictWriter
from io import StringIO

import pytest

from labels.importing.lines import COLUMNS, Outcome
from labels.importing.writer import import_register
from tests.labels.facts import paths, ways
from tests.labels.facts.test_ways import PAGES
from tests.labels.facts.world import World, changed, facts_stored

pytestmark = pytest.mark.one_engine


def test_every_path_is_declared(db: None) -> None:
    assert list(paths.unknown_paths()) == []


def test_every_way_that_is_named_is_tried() -> None:
    tables = (paths.ADDRESSES, paths.ACTIONS, paths.INLINES, paths.RESOURCES)
    named = {way for table in tables for way in table.values() if callable(way)}

    assert named <= {*PAGES}
    assert named >= {*PAGES} - {ways.by_the_proposer}


def test_nothing_is_declared_that_is_not_there(db: None) -> None:
    of_labels = {name for name in paths.ADDRESSES if name.startswith("admin:labels_label_")}

    assert of_labels <= paths.addresses()
    assert paths.INLINES.keys() <= paths.inlines()
    assert paths.RESOURCES.keys() == paths.resources()
    assert paths.COMMANDS.keys() == paths.commands()
    assert paths.OPERATIONS.keys() == paths.operations()
    assert paths.public_posts() == paths.PUBLIC_POSTS


def test_register_file_changes_no_label(world: World) -> None:
    before = facts_stored()
    cluster = world.gold.cluster
    row = {
        "country_code": "IT", "cluster": cluster.name, "label_level": "silver",
        "awarded_on_or_year": "2019-01-10", "valid_until": "2020-12-31",
    }  # fmt: skip
    file = StringIO(newline="")
    writer = DictWriter(file, COLUMNS)
    writer.writeheader()
    writer.writerow(row)
    file.seek(0)

    assert import_register(file).outcome == Outcome.WRITTEN

    assert changed(before) <= {"added", "clusters"}
