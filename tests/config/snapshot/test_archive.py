"""The whole register in one archive: everything public, nothing else, the same to the byte."""

import csv
import hashlib
import json
from collections.abc import Iterator
from datetime import date
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from django.utils import timezone

from clusters.formats.facts import header_of
from clusters.models import (
    Cluster,
    ClusterName,
    ClusterText,
    Lineage,
    LineageKind,
    MembershipCount,
    OrganisationName,
    Region,
    Shareholding,
)
from config.snapshot.records import snapshot_kinds
from labels.models import RequiredLevel
from tests.factories import (
    make_announcement,
    make_announcement_text,
    make_cluster,
    make_label,
    make_management,
    make_organisation,
    make_participation,
    make_programme,
    portfolio,
    region,
    transfer_label,
)
from tests.test_non_interference import hide_a_thousand

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _today() -> Iterator[None]:
    with time_machine.travel("2026-11-22T12:00Z", tick=False):
        yield


@pytest.fixture
def published() -> Cluster:
    """A small register in which everything is connected; its first cluster."""
    first = make_cluster(
        name="Alpha <b>&", slug="alpha", portfolio=portfolio(), region=region(), founded_on="2009",
        town="Ivrea", website="https://alpha.example/", contact_address="info@example.org",
        is_contact_shown=True,
    )  # fmt: skip
    second = make_cluster(name="=Beta", slug="beta", country="FR", contact_address="b@example.org")
    ClusterName.objects.create(cluster=first, name="Former")
    for language, tagline in (("en", "Who it is"), ("it", "Chi è")):
        ClusterText.objects.create(cluster=first, language=language, tagline=tagline)
    MembershipCount.objects.create(cluster=first, counted_on="2016", count=80, source="a page")
    Lineage.objects.create(cluster=second, other=first, kind=LineageKind.MERGED_INTO)
    park = make_organisation(
        name="Park", slug="park", region=region(), role_address="p@example.org"
    )
    OrganisationName.objects.create(organisation=park, name="Garden", ended_on="2010")
    Shareholding.objects.create(organisation=park, shareholder=make_organisation(name="Region"))
    make_management(cluster=first, organisation=park, started_on="2012")
    programme = make_programme(slug="ace", owner=park, description_en="Text.", country="IT")
    make_participation(programme=programme, cluster=first, started_on="2015-03")
    RequiredLevel.objects.create(programme=programme, level_id="silver")
    gold = make_label(cluster=first, managing_organisation=park, assessed_on="2025-11-02")
    transfer_label(gold, on=date(2026, 3, 1), cluster=second)
    make_label(cluster=second, level="bronze", assessed_on="2025-11")
    announcement = make_announcement(
        slug="gold", clusters=[first], organisations=[park], labels=[gold], programmes=[programme],
        contact_organisation=park, body="*Text* with [a link](https://a.example/).", box="A box.",
    )  # fmt: skip
    make_announcement_text(announcement, language="it", slug="oro", title="Oro")
    Region.objects.create(country="FR", name="Without a code", other_names="One|Two")
    return first


def export(path: Path, *options: str) -> bytes:
    call_command("export_snapshot", str(path), *options)
    return path.read_bytes()


def files_in(archive: bytes) -> dict[str, str]:
    with ZipFile(BytesIO(archive)) as opened:
        assert opened.testzip() is None
        names = opened.namelist()
        assert len(names) == len(set(names))
        return {name: opened.read(name).decode() for name in names}


def test_archive_tells_nothing_of_hidden_rows(published: Cluster, tmp_path: Path) -> None:
    before = export(tmp_path / "before.zip")

    hide_a_thousand(published)
    with time_machine.travel("2026-11-22T17:30Z", tick=False):
        after = export(tmp_path / "after.zip")

    assert files_in(after) == files_in(before)
    assert after == before
    Cluster.objects.filter(slug="hidden-1").update(is_published=True)
    assert export(tmp_path / "published.zip") != before


def test_archive_has_every_public_record_in_each_form(published: Cluster, tmp_path: Path) -> None:
    files = files_in(export(tmp_path / "all.zip", "--on", "2026-02-01"))

    expected: dict[str, set[str]] = {}
    for kind in snapshot_kinds(date(2026, 2, 1), timezone.now()):
        expected[kind.name] = {record["id"] for record in kind.records}
        data = json.loads(files[f"data/{kind.name}.json"])
        rows = list(csv.DictReader(StringIO(files[f"data/{kind.name}.csv"], newline="")))
        assert data["on"] == "2026-02-01"
        assert {record["id"] for record in data[kind.name]} == expected[kind.name]
        assert data["count"] == len(data[kind.name]) == len(expected[kind.name])
        assert [row["id"] for row in rows] == [record["id"] for record in data[kind.name]]
        assert list(rows[0]) == header_of(kind.facts)
    assert {kind: len(numbers) for kind, numbers in expected.items()} | {"regions": 0} == {
        "clusters": 2, "organisations": 2, "programmes": 1, "labels": 3, "announcements": 1,
        "portfolios": len(expected["portfolios"]), "regions": 0, "levels": 3,
    }  # fmt: skip


def test_hidden_contact_is_nowhere_and_a_formula_is_text(
    published: Cluster, tmp_path: Path
) -> None:
    files = files_in(export(tmp_path / "all.zip", "--on", "2026-02-01"))

    assert "info@example.org" in files["data/clusters.csv"]
    assert "b@example.org" not in "".join(files.values())
    assert "'=Beta" in files["data/clusters.csv"]


def test_checksums_are_of_all_other_files(published: Cluster, tmp_path: Path) -> None:
    files = files_in(export(tmp_path / "all.zip"))

    lines = files.pop("SHA256SUMS").splitlines()
    assert lines == [
        f"{hashlib.sha256(text.encode()).hexdigest()}  {name}" for name, text in files.items()
    ]


def test_file_that_is_there_is_replaced_only_by_force(tmp_path: Path) -> None:
    path = tmp_path / "all.zip"
    path.write_text("kept")

    with pytest.raises(CommandError, match="exists already"):
        export(path)
    assert path.read_text() == "kept"

    assert export(path, "--force").startswith(b"PK")
    assert path.stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize(
    ("name", "message"), [("missing/all.zip", "No such file or directory"), ("", "is a folder")]
)
def test_place_that_takes_no_file_is_named(tmp_path: Path, name: str, message: str) -> None:
    with pytest.raises(CommandError, match=message):
        export(tmp_path / name)


def test_there_is_never_half_a_file(published: Cluster, tmp_path: Path) -> None:
    path = tmp_path / "all.zip"
    path.write_text("kept")

    def fail(execute: Any, sql: str, *rest: Any) -> Any:
        if "labels_label" in sql:
            raise OperationalError("gone")
        return execute(sql, *rest)

    with connection.execute_wrapper(fail), pytest.raises(OperationalError):
        export(path, "--force")

    assert [(found.name, found.read_text()) for found in tmp_path.iterdir()] == [
        ("all.zip", "kept")
    ]
