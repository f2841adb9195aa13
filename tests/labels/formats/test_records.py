"""The register's list in every format: the same labels in the same state on the same day."""

import json
from io import BytesIO
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from openpyxl import load_workbook

from clusters.formats.facts import header_of
from labels.formats.records import FACTS
from tests.factories import make_cluster, make_label, make_organisation
from tests.labels.test_agreement import (
    LIST,
    TODAY,
    assert_all_say_the_same,
    body,
    get,
    read_csv,
    read_json,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _today() -> Any:
    with time_machine.travel(f"{TODAY}T12:00Z", tick=False):
        yield


def test_every_format_has_more_rows_than_a_page_of_the_list(client: Client) -> None:
    for number in range(60):
        make_label(assessed_on=f"20{number % 9 + 10}-{number % 12 + 1:02}")

    assert_all_say_the_same(client, "")
    assert len(read_csv(client)) == 60


# What is wrong with a question


@pytest.mark.parametrize("suffix", ["csv", "xlsx", "json", "atom", "ics"])
@pytest.mark.parametrize(
    ("query", "problem"),
    [
        pytest.param("level=platinum", "level: there is no “platinum”", id="level"),
        pytest.param("level=gold&level=lead", "level: there is no “lead”", id="one of two"),
        pytest.param("state=dead", "state: there is no “dead”", id="state"),
        pytest.param("country=ZZ", "country: there is no “ZZ”", id="country"),
        pytest.param("portfolio=x", "portfolio: there is no “x”", id="portfolio"),
        pytest.param("on=soon", "on: “soon” is not a day like 2015-09-08", id="day"),
        pytest.param("on=2015-02-30", "on: “2015-02-30” is not a day like 2015-09-08", id="no day"),
        pytest.param("lang=xx", "lang: “xx” is not one of en, it", id="language"),
        pytest.param(
            "level=x&on=y",
            "level: there is no “x”; on: “y” is not a day like 2015-09-08",
            id="two at once",
        ),
    ],
)
def test_wrong_value_is_named(client: Client, suffix: str, query: str, problem: str) -> None:
    response = client.get(f"/labels.{suffix}?{query}")

    assert response.status_code == 400
    assert response["Access-Control-Allow-Origin"] == "*"
    text = response.content.decode().strip()
    if suffix == "json":
        assert json.loads(text) == {"error": problem}
    else:
        assert response["Content-Type"] == "text/plain; charset=utf-8"
        assert text == problem


def test_wrong_value_is_not_repeated_as_a_whole(client: Client) -> None:
    response = client.get("/labels.csv", {"level": "x" * 5000})

    assert len(response.content) < 200


# What a file is like


def test_csv_cannot_run_anything(client: Client) -> None:
    make_label(cluster=make_cluster(name="=HYPERLINK(1)"), certificate_number="@x", source="+1; -1")

    (row,) = read_csv(client)

    assert (row["cluster"], row["certificate_number"], row["source"]) == (
        "'=HYPERLINK(1)", "'@x", "'+1; -1",
    )  # fmt: skip


@pytest.mark.parametrize("text", ["=1+1", "{=1+1}", "https://example.org/", "+1", "mailto:a@b.c"])
def test_xlsx_keeps_text_as_text(client: Client, text: str) -> None:
    make_label(cluster=make_cluster(name=text))

    sheet = load_workbook(BytesIO(get(client, "xlsx")))["labels"]
    cell = sheet.cell(2, header_of(FACTS).index("cluster") + 1)

    assert (cell.data_type, cell.value, cell.hyperlink) == ("s", text, None)


def test_csv_is_named_after_its_day(client: Client) -> None:
    response = client.get("/labels.csv?on=2015-09-08")

    assert response["Content-Disposition"] == 'attachment; filename="labels-2015-09-08.csv"'
    body(response)


def test_json_names_its_day_and_the_page_that_shows_the_same(client: Client) -> None:
    found = read_json(client, "on=2015-09-08&level=gold")

    assert found == {
        "on": "2015-09-08",
        "page": "http://testserver/en/labels/?level=gold&on=2015-09-08",
        "labels": [],
    }


def test_languages_differ_in_addresses_only(client: Client) -> None:
    make_label()

    (english,), (italian,) = read_csv(client), read_csv(client, "lang=it")

    assert italian["url"] == english["url"].replace("/en/labels/", "/it/labels/")
    assert {name for name in english if english[name] != italian[name]} == {"url", "cluster_url"}


@pytest.mark.parametrize("suffix", ["csv", "xlsx", "json", "atom", "ics"])
def test_file_does_not_ask_what_the_browser_speaks(client: Client, suffix: str) -> None:
    make_label()

    italian = client.get(f"/labels.{suffix}", headers={"accept-language": "it"})

    assert body(italian) == get(client, suffix)
    assert "Accept-Language" not in italian.get("Vary", "")


@pytest.mark.parametrize("suffix", ["csv", "xlsx", "json", "atom", "ics"])
def test_file_is_open_short_lived_and_not_sent_twice(client: Client, suffix: str) -> None:
    make_label()
    first = client.get(f"/labels.{suffix}")
    body(first)

    again = client.get(f"/labels.{suffix}", headers={"if-none-match": first["ETag"]})

    assert first["Access-Control-Allow-Origin"] == "*"
    assert first["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert first["Cache-Control"] == "public, max-age=300"
    assert not first.cookies
    assert again.status_code == 304
    assert again["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert again["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize("suffix", ["csv", "xlsx", "json", "atom", "ics"])
def test_file_changes_with_the_register(client: Client, suffix: str) -> None:
    label = make_label()
    first = client.get(f"/labels.{suffix}")
    body(first)
    label.cluster.name = "Another name"
    label.cluster.save()

    again = client.get(f"/labels.{suffix}", headers={"if-none-match": first["ETag"]})
    assert body(again)


@pytest.mark.parametrize("suffix", ["csv", "xlsx", "json", "atom", "ics"])
def test_file_takes_as_many_queries_for_three_rows(client: Client, suffix: str) -> None:
    make_label()
    with CaptureQueriesContext(connection) as for_one:
        get(client, suffix)
    make_label()
    make_label(managing_organisation=make_organisation())

    with CaptureQueriesContext(connection) as for_three:
        get(client, suffix)

    assert len(for_three) == len(for_one) <= 8


@pytest.mark.parametrize("suffix", ["csv", "xlsx", "json", "atom", "ics"])
def test_file_is_read_only(client: Client, suffix: str) -> None:
    assert client.post(f"/labels.{suffix}").status_code == 405


@pytest.mark.parametrize("suffix", ["csv", "xlsx", "json", "atom", "ics"])
def test_list_links_to_itself_in_every_format(client: Client, suffix: str) -> None:
    make_label()

    english = client.get(f"{LIST}?level=gold&on=2015-09-08").content.decode()
    italian = client.get("/it/labels/?level=gold").content.decode()
    more = "&amp;for=spreadsheet" if suffix == "csv" else ""

    assert f'href="/labels.{suffix}?level=gold&amp;on=2015-09-08{more}"' in english
    assert f'href="/labels.{suffix}?level=gold{more}&amp;lang=it"' in italian


def test_list_links_without_what_it_left_out(client: Client) -> None:
    make_label()

    text = client.get(f"{LIST}?level=platinum&on=soon").content.decode()

    assert 'href="/labels.csv?for=spreadsheet"' in text


def test_every_column_is_explained(client: Client) -> None:
    text = client.get("/en/data/").content.decode()

    assert [name for name in header_of(FACTS) if f"<code>{name}</code>" not in text] == []
