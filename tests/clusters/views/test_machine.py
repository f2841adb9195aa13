"""The directory's list in every format: the clusters that it finds, in its order."""

import csv
import json
import tracemalloc
from collections.abc import Callable
from datetime import date, datetime
from io import BytesIO, StringIO
from typing import Any

import feedparser
import pytest
import time_machine
from django.db import connection
from django.http import QueryDict
from django.test import Client
from django.test.utils import CaptureQueriesContext
from icalendar import Calendar
from openpyxl import load_workbook

from clusters.formats.clusters import FACTS, cluster_records
from clusters.formats.facts import header_of, rows_of
from clusters.formats.writers import value_as_text, without_formula
from clusters.models import Cluster, ClusterName, ClusterText, FactSource, MembershipCount
from clusters.models.keys import KEYS_AT_ONCE
from labels.formats.records import headline_records
from labels.models import Label
from labels.register.holdings import directory
from tests.factories import (
    make_cluster,
    make_label,
    make_management,
    make_organisation,
    make_participation,
    make_programme,
    portfolio,
    region,
)

pytestmark = pytest.mark.django_db

TODAY = date(2018, 3, 1)
SUFFIXES = ("csv", "xlsx", "json", "jsonld", "atom", "ics")
QUERIES = (
    "",
    "q=alpha",
    "country=it&country=fr&sort=newest",
    "level=gold",
    "level=silver&on=2015-09-08&sort=ending",
    "state=expired&sort=members",
    "manager=foundation&portfolio=health-and-medical-science",
    "provisional=no&sort=confirmed&after=ZZZZZZZZ&page=2",
    "q=nobody",
    "colour=red",
)


@pytest.fixture(autouse=True)
def _today() -> Any:
    with time_machine.travel(f"{TODAY}T12:00Z", tick=False):
        yield


def body(response: Any) -> bytes:
    assert response.status_code == 200
    return b"".join(response) if response.streaming else bytes(response.content)


def get(client: Client, suffix: str, query: str = "") -> bytes:
    return body(client.get(f"/clusters.{suffix}?{query}"))


def read_csv(text: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(text.decode(), newline=""), strict=True))


def read_xlsx(file: bytes) -> list[dict[str, Any]]:
    header, *rows = load_workbook(BytesIO(file))["clusters"].iter_rows(values_only=True)
    return [dict(zip(map(str, header), row, strict=True)) for row in rows]


def about(file: bytes) -> dict[str, Any]:
    rows = load_workbook(BytesIO(file)).worksheets[1].iter_rows(values_only=True)
    return {str(term): value for term, value in rows}


def fill_the_directory() -> Cluster:
    """Clusters of some kinds, and beside each what nobody may see; the fullest of them."""
    full = make_cluster(
        name="Alpha", slug="alpha", portfolio=portfolio(), region=region(), town="Ivrea",
        latitude="45.4326", longitude="7.8103", founded_on="2009-11", website="https://a.example/",
        contact_address="info@example.org", is_contact_shown=True, confirmed_on="2018-01-31",
    )  # fmt: skip
    ClusterName.objects.create(cluster=full, name="Former")
    ClusterName.objects.create(cluster=full, name="Other", kind="other")
    ClusterText.objects.create(cluster=full, language="it", tagline="Salute", description="Testo.")
    for year, number in (("2016", 80), ("2014", 60)):
        MembershipCount.objects.create(cluster=full, counted_on=year, count=number)
    MembershipCount.objects.filter(cluster=full, counted_on="2016").update(qualifier="about")
    FactSource.objects.create(
        cluster=full, fact="town", source="https://a.example/about", note="On its first page."
    )
    FactSource.objects.create(cluster=full, fact="website", confidence="doubtful")
    MembershipCount.objects.create(cluster=full, counted_on="2017", count=5, kind="sme")
    park = make_organisation(name="Park", slug="park", kind="foundation")
    make_management(cluster=full, organisation=park)
    make_management(cluster=full, role="joint", ended_on="2017-12")
    make_management(cluster=full, role="joint", organisation=make_organisation(is_published=False))
    make_participation(cluster=full, programme=make_programme(slug="ace", name_en="ACE"))
    make_participation(cluster=full, ended_on="2017")
    make_participation(cluster=full, programme=make_programme(is_published=False))
    make_label(cluster=full, level="silver", assessed_on="2014-03")
    make_label(cluster=full, assessed_on="2017-06")
    make_label(cluster=full, level="bronze", assessed_on="2017-01", is_published=False)
    other = make_cluster(
        name="=Beta", country="FR", contact_address="kept@example.org", state="provisional"
    )
    make_label(cluster=other, level="bronze", assessed_on="2011")
    make_management(cluster=other, organisation=park, role="joint")
    make_cluster(name="Gamma", country="NO", founded_on="1999")
    hidden = make_cluster(name="Alpha, hidden", is_published=False)
    make_label(cluster=hidden)
    return full


def test_every_format_says_what_the_directory_finds(client: Client) -> None:
    fill_the_directory()
    happened = feedparser.parse(body(client.get("/labels.atom"))).entries
    ends = uids(body(client.get("/labels.ics")))

    for query in QUERIES:
        keys = list(directory(QueryDict(query), "/", TODAY).keys())
        rows = Cluster.objects.in_bulk(keys)
        as_json = json.loads(get(client, "json", query))
        records = as_json["clusters"]
        expected = list(rows_of(FACTS, records))
        assert [record["id"] for record in records] == [rows[key].public_id for key in keys]
        assert as_json["count"] == len(keys)
        assert [list(row.values()) for row in read_csv(get(client, "csv", query))] == [
            [without_formula(value_as_text(value)) for value in row] for row in expected
        ]
        sheet = read_xlsx(get(client, "xlsx", query))
        assert [row["Number"] for row in sheet] == [record["id"] for record in records]
        assert [row["Name"] for row in sheet] == [record["name"] for record in records]
        graph = json.loads(get(client, "jsonld", query))["@graph"]
        assert [thing["identifier"] for thing in graph] == [record["id"] for record in records]

        labels = set(
            Label.objects.published().of_clusters(keys).values_list("public_id", flat=True)
        )
        # The feed of the register tells of today, and so does this one of a later day.
        if "on=" not in query:
            feed = feedparser.parse(get(client, "atom", query))
            assert not feed.bozo
            assert {entry.id for entry in feed.entries} == {
                entry.id for entry in happened if entry.id.split("/")[1] in labels
            }
        assert uids(get(client, "ics", query)) == {
            uid for uid in ends if uid.partition("-")[0] in labels
        }


def uids(calendar: bytes) -> set[str]:
    return {str(event["UID"]) for event in Calendar.from_ical(calendar).walk("VEVENT")}


def test_json_tells_what_the_public_may_know(client: Client) -> None:
    full = fill_the_directory()
    gold = Label.objects.get(cluster=full, level="gold")
    park, ace = full.organisations.get(slug="park"), full.programmes.get(slug="ace")

    found = json.loads(get(client, "json", "q=ivrea&on=2018-02-01"))

    assert found == {
        "on": "2018-02-01",
        "page": "http://testserver/en/clusters/?q=ivrea&on=2018-02-01",
        "count": 1,
        "corrected_to": None,
        "clusters": [
            {
                "id": full.public_id,
                "url": "http://testserver/en/clusters/alpha/",
                "on": "2018-02-01",
                "name": "Alpha",
                "other_names": [
                    {"name": "Former", "kind": "former"},
                    {"name": "Other", "kind": "other"},
                ],
                "state": "active",
                "country": "IT",
                "region": {"code": "IT-21", "name": "Piemonte"},
                "town": "Ivrea",
                "latitude": 45.4326,
                "longitude": 7.8103,
                "portfolio": "health-and-medical-science",
                "managers": [
                    {
                        "id": park.public_id,
                        "name": "Park",
                        "url": "http://testserver/en/organisations/park/",
                        "role": "lead",
                    }
                ],
                "founded_on": "2009-11",
                "members": {"number": 80, "qualifier": "about", "counted_on": "2016"},
                "label": {
                    "id": gold.public_id,
                    "url": f"http://testserver/en/labels/{gold.public_id}/",
                    "level": "gold",
                    "state": "valid",
                    "starts_on": "2017-06-01",
                    "certain_from": "2017-06-30",
                    "certain_until": str(gold.certain_until),
                    "ends_on": str(gold.ends_on),
                    "valid_until_is_computed": True,
                    "renewable_until": str(gold.renewable_until),
                },
                "programmes": [
                    {
                        "id": ace.public_id,
                        "name": "ACE",
                        "url": "http://testserver/en/programmes/ace/",
                    }
                ],
                "texts": [{"language": "it", "tagline": "Salute", "description": "Testo."}],
                "website": "https://a.example/",
                "eccp_url": None,
                "contact_address": "info@example.org",
                "unconfirmed": ["website"],
                "sources": [
                    {
                        "fact": "town",
                        "confidence": "seen",
                        "source": "https://a.example/about",
                        "note": "On its first page.",
                    },
                    {"fact": "website", "confidence": "doubtful", "source": None, "note": None},
                ],
                "confirmed_on": "2018-01-31",
            }
        ],
    }  # fmt: skip


def test_contact_address_that_is_not_shown_is_in_no_file(client: Client) -> None:
    fill_the_directory()

    assert [row["contact_address"] for row in read_csv(get(client, "csv", "country=FR"))] == [""]
    assert b"kept@example.org" not in b"".join(get(client, s) for s in ("json", "jsonld", "atom"))


def test_spreadsheet_runs_nothing_of_a_name(client: Client) -> None:
    fill_the_directory()

    assert read_csv(get(client, "csv", "country=FR"))[0]["name"] == "'=Beta"
    sheet = load_workbook(BytesIO(get(client, "xlsx", "country=FR")))["clusters"]
    name = sheet.cell(2, header_of(FACTS).index("name") + 1)
    assert (name.value, name.data_type) == ("=Beta", "s")


def test_spreadsheet_is_in_words_of_the_reader(client: Client) -> None:
    full = fill_the_directory()
    file = get(client, "xlsx", "q=alpha&lang=it")

    (row,) = read_xlsx(file)

    assert row["Nome"] == "Alpha"
    assert row["Paese"] == "Italia"
    assert row["Stato"] == "attivo"
    assert row["Portafoglio"] == portfolio().name_it
    assert row["Stato della certificazione"] == "valida"
    assert row["Livello"] == "Gold"
    assert row["Ultima conferma"] == datetime(2018, 1, 31)
    assert row["Fondazione"] == "2009-11"
    assert row["Latitudine"] == 45.4326
    assert about(file) == {
        "Fonte": "Registro dei cluster, http://testserver",
        "Pagina": "http://testserver/it/clusters/?q=alpha",
        "Data": datetime(2018, 3, 1),
        "Licenza": "CC BY 4.0, https://creativecommons.org/licenses/by/4.0/",
        "Filtro": "“alpha”",
    }
    assert full.founded_on is not None


def test_columns_are_as_wide_as_what_is_in_them(client: Client) -> None:
    make_cluster(name="A name of some length in letters", website=f"https://a.example/{'x' * 150}")

    sheet = load_workbook(BytesIO(get(client, "xlsx")))["clusters"]
    widths = {
        str(cell.value): sheet.column_dimensions[cell.column_letter].width for cell in sheet[1]
    }

    assert 30 < widths["Name"] < 36
    assert 8 <= widths["Town"] < 10
    assert widths["Website"] <= 61


def test_csv_is_written_for_the_reader_that_was_asked_for(client: Client) -> None:
    make_cluster()
    plain = get(client, "csv")

    assert get(client, "csv", "for=programs") == plain
    assert get(client, "csv", "for=spreadsheet") == b"\xef\xbb\xbf" + plain
    assert get(client, "csv", "for=spreadsheet&lang=it").startswith(b"\xef\xbb\xbfid;url;on;name;")
    assert plain.startswith(b"id,url,on,name,")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_file_finds_what_the_page_finds_for_a_mistyped_word(client: Client, suffix: str) -> None:
    make_label(cluster=make_cluster(name="bioPmed", slug="biopmed"))
    make_label(cluster=make_cluster(name="Other"))
    assert "this was found for “biopmed”" in client.get("/en/clusters/?q=biomped").content.decode()

    right, mistyped = (client.get(f"/clusters.{suffix}?q={q}") for q in ("biopmed", "biomped"))
    expected, found = body(right), body(mistyped)

    assert "Corrected-To" not in right
    assert mistyped["Corrected-To"] == "biopmed"
    assert mistyped["Access-Control-Expose-Headers"] == "Corrected-To"
    if suffix in ("csv", "jsonld"):
        assert found == expected
    if suffix == "xlsx":
        assert read_xlsx(found) == read_xlsx(expected) != []
        assert about(found)["Filter"] == "“biomped” (found for “biopmed”)"
    if suffix == "json":
        assert json.loads(found)["corrected_to"] == "biopmed"
        assert json.loads(found)["clusters"] == json.loads(expected)["clusters"]
    title = "Labels of clusters: “biomped” (found for “biopmed”)"
    if suffix == "atom":
        assert feedparser.parse(found).feed.title == title
        tags = [entry.tags[1].term for entry in feedparser.parse(found).entries]
        assert set(tags) == {"bioPmed"}
    if suffix == "ics":
        assert Calendar.from_ical(found)["NAME"] == title
        assert uids(found) == uids(expected) != set()


@pytest.mark.parametrize("path", ["clusters", "clusters/facets"])
def test_api_says_that_a_word_was_corrected(client: Client, path: str) -> None:
    make_cluster(name="bioPmed")
    make_cluster(name="Other")

    right, mistyped = (client.get(f"/api/v1/{path}?q={q}").json() for q in ("biopmed", "biomped"))

    assert (right.pop("corrected_to"), mistyped.pop("corrected_to")) == (None, "biopmed")
    assert mistyped["count"] == 1


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_file_in_italian_leads_to_italian_pages(client: Client, suffix: str) -> None:
    make_label()

    # A spreadsheet is a compressed archive.
    text = (
        str(read_xlsx(get(client, suffix, "lang=it")))
        if suffix == "xlsx"
        else get(client, suffix, "lang=it").decode()
    )

    assert "http://testserver/it/" in text
    assert "http://testserver/en/" not in text


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("country=XX", "There is no country “XX”"),
        ("on=soon", "“soon” is not a day like 2015-09-08"),
        ("lang=tlh", "lang: “tlh” is not one of en, it"),
        ("for=me", "for: “me” is not one of programs, spreadsheet"),
        ("near=Nowhere", "No cluster stands in “Nowhere”"),
    ],
)
def test_wrong_value_is_refused_by_its_name(client: Client, query: str, message: str) -> None:
    refused = client.get(f"/clusters.json?{query}")

    assert (refused.status_code, refused.json()) == (400, {"error": message})
    assert refused["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_file_is_kept_until_something_changes(client: Client, suffix: str) -> None:
    label = make_label()
    first = client.get(f"/clusters.{suffix}")
    body(first)
    assert first["Cache-Control"] == "public, max-age=300"
    assert first["Access-Control-Allow-Origin"] == "*"

    Cluster.objects.filter(pk=label.cluster_id).update(name="Another name")
    changed = client.get(f"/clusters.{suffix}", headers={"if-none-match": first["ETag"]})
    assert body(changed)

    same = client.get(f"/clusters.{suffix}", headers={"if-none-match": changed["ETag"]})
    assert (same.status_code, same["Cross-Origin-Resource-Policy"]) == (304, "cross-origin")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_file_takes_as_many_queries_for_three_clusters(client: Client, suffix: str) -> None:
    fill_one()
    get(client, suffix)  # The index of this process is read once.
    with CaptureQueriesContext(connection) as for_one:
        get(client, suffix)
    fill_one()
    fill_one()
    get(client, suffix)

    with CaptureQueriesContext(connection) as for_three:
        get(client, suffix)

    assert len(for_three) == len(for_one) <= 10


def fill_one() -> None:
    cluster = make_cluster(portfolio=portfolio(), region=region())
    make_label(cluster=cluster)
    make_management(cluster=cluster)
    make_participation(cluster=cluster)
    ClusterName.objects.create(cluster=cluster, name="Former")
    FactSource.objects.create(cluster=cluster, fact="town", confidence="doubtful")


def test_five_hundred_clusters_are_loaded_at_once() -> None:
    cluster = make_cluster()
    missing = range(10**6, 10**6 + KEYS_AT_ONCE)

    with CaptureQueriesContext(connection) as queries:
        records = list(cluster_records([*missing, cluster.pk], TODAY, headline_records))

    assert [record["id"] for record in records] == [cluster.public_id]
    assert len(queries) == 2 * 8


def test_memory_does_not_grow_with_the_clusters() -> None:
    made = Cluster.objects.bulk_create(
        Cluster(name=f"Cluster {n}", slug=f"many-{n}", country="IT", town="x" * 100)
        for n in range(3 * KEYS_AT_ONCE)
    )
    keys = [cluster.pk for cluster in made]
    del made

    def read(number: int) -> Callable[[], object]:
        return lambda: sum(1 for _ in cluster_records(keys[:number], TODAY, headline_records))

    few, many = peak_of(read(KEYS_AT_ONCE)), peak_of(read(3 * KEYS_AT_ONCE))

    assert many < 1.2 * few


def peak_of(work: Callable[[], object]) -> int:
    work()
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_labels_are_found_by_any_number_of_keys() -> None:
    label, other = make_label(), make_label()
    keys = set(range(1, 300_000)) - {other.cluster_id} | {label.cluster_id}

    assert list(Label.objects.published().held_by(keys)) == [label]
    assert list(Label.objects.published().held_by([])) == []


def test_every_column_is_explained(client: Client) -> None:
    text = client.get("/en/data/").content.decode()
    start = text.index('id="cluster-columns"')

    assert [name for name in header_of(FACTS) if f"<code>{name}</code>" not in text[start:]] == []


def test_list_links_to_itself_in_every_format(client: Client) -> None:
    make_cluster()

    plain = client.get("/en/clusters/").content.decode()
    english = client.get("/en/clusters/?country=IT&on=2018-01-01&colour=red").content.decode()
    italian = client.get("/it/clusters/?country=IT").content.decode()

    for suffix in ("xlsx", "json", "atom", "ics"):
        assert f'href="/clusters.{suffix}"' in plain
        assert f'href="/clusters.{suffix}?country=IT&amp;on=2018-01-01"' in english
        assert f'href="/clusters.{suffix}?country=IT&amp;lang=it"' in italian
    assert 'href="/clusters.csv?for=spreadsheet"' in plain
    assert 'href="/clusters.csv?country=IT&amp;for=spreadsheet&amp;lang=it"' in italian
    assert 'href="webcal://testserver/clusters.ics?country=IT&amp;lang=it"' in italian
