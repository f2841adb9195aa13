"""Files that only look like a register, values that are none, and rows that only look alike."""

import json
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from openpyxl import Workbook

from clusters.models import Cluster, Organisation
from clusters.tables.reader import (
    PLACEHOLDERS,
    Finding,
    TableRefused,
    grouped_findings,
    read_csv_table,
)
from labels.importing.lines import COLUMNS
from labels.models import Label
from labels.verify.questions import read_csv_lines, read_pasted_lines

pytestmark = pytest.mark.django_db

HEADER = ",".join(COLUMNS)
ROW = "Alpha,IT,,,,Gold,2020,,"


def workbook() -> bytes:
    file = BytesIO()
    book = Workbook()
    book.active.append(list(COLUMNS))
    book.save(file)
    return file.getvalue()


def run(path: Path, content: bytes) -> str:
    path.write_bytes(content)
    out = StringIO()
    call_command("import_register", path, stdout=out)
    return out.getvalue()


def refusal(path: Path, content: bytes) -> str:
    path.write_bytes(content)
    out = StringIO()
    with pytest.raises(CommandError):
        call_command("import_register", path, stdout=out)
    assert not Cluster.objects.exists()
    return out.getvalue()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "register.csv"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(workbook(), "a document or a spreadsheet", id="xlsx"),
        pytest.param(b"<!DOCTYPE html>\n<html><body>", "this is a web page", id="html"),
        pytest.param(b"  <table><tr><td>cluster</td></tr>", "this is a web page", id="table"),
        pytest.param(
            f"Labels of 2020,,,,,,,,\n\n{HEADER}\n{ROW}\n".encode(),
            "Line 3: the names of the columns stand here. Remove the lines above.",
            id="title row",
        ),
        pytest.param(b"a;b\n1;2\n", "this is a table of something else", id="another table"),
        pytest.param(
            b"cluster,source\nAlpha,x\n", "columns are missing: country_code,", id="some columns"
        ),
    ],
)
def test_file_that_is_no_register_is_told_once_what_it_is(
    path: Path, content: bytes, said: str
) -> None:
    report = refusal(path, content)

    assert said in report
    assert "Bad lines: 1" in report
    assert len(report.strip().splitlines()) == 2


@pytest.mark.parametrize("delimiter", [";", ",", "\t", "|"])
@pytest.mark.parametrize("line", ["sep={}", "SEP={} "])
def test_line_that_names_the_delimiter_is_read(path: Path, line: str, delimiter: str) -> None:
    text = f"{line.format(delimiter)}\r\n{HEADER}\r\n{ROW}\r\n"

    run(path, b"\xef\xbb\xbf" + text.replace(",", delimiter).encode())

    assert Label.objects.get().cluster.name == "Alpha"


@pytest.mark.parametrize("value", sorted({*PLACEHOLDERS, "#N/D", "#RIF!", "N/A", "NULL", " - "}))
def test_placeholder_is_a_missing_value_wherever_a_table_is_read(path: Path, value: str) -> None:
    assert "the value is missing" in refusal(
        path, f"{HEADER}\n{value},IT,,,,Gold,2020,,\n".encode()
    )
    run(path, f"{HEADER}\nAlpha,IT,{value},{value},{value},Gold,2020,{value},{value}\n".encode())
    label = Label.objects.get()
    assert (label.cluster.region, label.valid_until, label.source) == (None, None, "")
    assert not Organisation.objects.exists()

    assert read_csv_table(f"name,town\nAlpha,{value}\n".encode()).rows[0].values == ["Alpha", ""]
    assert [line.asked for line in read_csv_lines(f"name\nAlpha\n{value}\n".encode())] == ["Alpha"]
    assert [line.asked for line in read_pasted_lines(f"{value}\tAlpha\n{value}")] == ["Alpha"]


@pytest.mark.parametrize("name", ["NA", "ND", "Null Cluster", "N/A Cluster", "A-B"])
def test_name_that_is_nearly_a_placeholder_stays(path: Path, name: str) -> None:
    run(path, f"{HEADER}\n{name},IT,,,,Gold,2020,,\n".encode())

    assert Cluster.objects.get().name == name


def test_same_mistake_is_told_once_with_its_first_lines(path: Path) -> None:
    bad = "Alpha,IT,,,,Iron,2020,,"

    report = refusal(path, "\n".join([HEADER, *[bad] * 120]).encode())

    assert "Bad lines: 120" in report
    assert "Lines 2, 3, 4 and 117 more, label_level: “Iron” is no level." in report
    assert report.count("is no level") == 1


@pytest.mark.parametrize(
    ("numbers", "told"),
    [
        ([5], "Line 5, town: wrong"),
        ([5, 9], "Lines 5, 9, town: wrong"),
        ([5, 9, 11, 12], "Lines 5, 9, 11 and 1 more, town: wrong"),
    ],
)
def test_findings_are_grouped(numbers: list[int], told: str) -> None:
    findings = [Finding(number, "town", "wrong") for number in numbers]

    assert grouped_findings([*findings, Finding(1, "", "other")]) == [told, "Line 1: other"]


def as_json(path: Path, *rows: str) -> Any:
    path.write_text("\n".join([HEADER, *rows]))
    out = StringIO()
    call_command("import_register", path, stdout=out, format="json")
    return json.loads(out.getvalue())


def test_two_clusters_of_one_name_do_not_become_one(path: Path) -> None:
    text = "\n".join(
        [
            HEADER,
            "Health Cluster,IT,IT-21,A,,Gold,2020,,",
            "Health Cluster,IT,IT-25,B,,Gold,2020,,",
            "Health Cluster,IT,IT-25,B,,Gold,2022,,",
        ]
    )

    report = refusal(path, text.encode())

    assert "Lines 3, 4, region: line 2 names another region for “Health Cluster”." in report


def test_row_without_a_region_or_with_the_same_is_the_same_cluster(path: Path) -> None:
    report = as_json(
        path,
        "Health Cluster,IT,,,,Bronze,2018,,",
        "Health Cluster,IT,IT-21,,,Silver,2019,,",
        "HEALTH CLUSTER,IT,Piemonte,,,Gold,2020,,",
    )

    assert (report["errors"], report["created"]["clusters"]) == ([], 1)


def test_repeated_row_says_what_it_says_otherwise(path: Path) -> None:
    report = as_json(path, "Alpha,IT,,Park A,,Gold,2020,,one", "Alpha,IT,,Park B,,Gold,2020,,two")

    (notice,) = [row for row in report["notices"] if "repeats" in row["message"]]
    assert "managing_organisation “Park B”, source “two”" in notice["message"]


def test_table_of_admin_reads_the_same_lookalikes() -> None:
    assert read_csv_table(b"sep=;\nname;town\nAlpha;Ivrea\n").columns == ("name", "town")
    with pytest.raises(TableRefused, match="web page"):
        read_csv_table(b"<html><body>")
