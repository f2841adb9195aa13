"""The page on which labels are verified, and the same for machines."""

import csv
import json
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date, datetime
from io import BytesIO, StringIO
from random import Random
from time import process_time
from typing import Any
from urllib.parse import urlencode

import pytest
import time_machine
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from openpyxl import load_workbook

from clusters.models import ClusterName
from labels.models import Label
from labels.verify import limits
from tests.conftest import MOST_QUERIES
from tests.factories import (
    hide,
    make_cluster,
    make_label,
    make_management,
    make_organisation,
    transfer_label,
)
from tests.labels.test_certainty import NO_END

pytestmark = pytest.mark.django_db

VERIFY = "/en/verify/"
MACHINE = "/api/v1/verify"


@pytest.fixture(autouse=True)
def _today() -> Any:
    cache.clear()
    with time_machine.travel("2015-09-08T12:00Z", tick=False):
        yield


def text_of(response: Any) -> str:
    return " ".join(str(response.content, "utf-8").split())


def biopmed() -> Label:
    return make_label(cluster=make_cluster(name="bioPmed"), certificate_number="G-2015/57")


def upload(data: bytes, name: str = "list.csv") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data, content_type="text/csv")


def send_json(client: Client, data: Any, query: str = "") -> Any:
    return client.post(f"{MACHINE}{query}", json.dumps(data), content_type="application/json")


# One question


def test_label_verify_without_a_question_explains(client: Client) -> None:
    response = client.get(VERIFY)

    assert response.context["answer"] is None
    assert "What the answer tells" in text_of(response)


@pytest.mark.parametrize(
    "asked",
    [
        pytest.param("{id}", id="public id"),
        pytest.param(" {lower} ", id="public id in lower case"),
        pytest.param("g-2015/57", id="certificate number"),
        pytest.param("BIOPMED", id="cluster name"),
        pytest.param("bioPmed  Piemonte", id="former name"),
        pytest.param("https://example.org/it/labels/{id}/?on=2015-01-01", id="address"),
        pytest.param("/labels/{id}.json", id="machine address"),
    ],
)
def test_label_verify_finds_the_label(client: Client, asked: str) -> None:
    label = biopmed()
    ClusterName.objects.create(cluster=label.cluster, name="bioPmed Piemonte")
    make_label()

    response = client.get(
        VERIFY, {"q": asked.format(id=label.public_id, lower=label.public_id.lower())}
    )

    assert response.context["answer"].labels == [label]
    assert "Valid until 31 July 2017." in text_of(response)


def test_label_verify_as_of_another_day_keeps_it_in_its_links(client: Client) -> None:
    label = biopmed()

    text = text_of(client.get(VERIFY, {"q": "bioPmed", "on": "2017-08-01"}))

    assert "Expired on 31 July 2017; may still be renewed until 31 July 2018." in text
    assert f'href="{label.get_absolute_url()}?on=2017-08-01"' in text


def test_label_verify_of_a_cluster_without_labels_says_so(client: Client) -> None:
    cluster = make_cluster(name="Agrifood")

    response = client.get(VERIFY, {"q": "agrifood"})

    assert response.context["answer"].clusters_without_labels == [cluster]
    assert "the register holds no label of it" in text_of(response)


@pytest.mark.parametrize("asked", ["bioPmod", "pmed"])
def test_label_verify_of_an_unknown_name_says_so_and_names_the_nearest(
    client: Client, asked: str
) -> None:
    label = biopmed()
    make_label(cluster=make_cluster(name="Zeta"))

    response = client.get(VERIFY, {"q": asked})

    assert response.context["answer"].is_unknown
    assert [near.name for near in response.context["answer"].nearest] == [label.cluster.name]
    assert '<a class="chip" href="?q=bioPmed">' in text_of(response)


@pytest.mark.parametrize("hidden", ["label", "cluster"])
def test_label_verify_does_not_know_what_is_unpublished(client: Client, hidden: str) -> None:
    label = biopmed()
    hide(label if hidden == "label" else label.cluster)

    answer = client.get(VERIFY, {"q": label.public_id}).context["answer"]

    assert (answer.labels, answer.is_unknown) == ([], True)


def test_label_verify_escapes_the_question(client: Client) -> None:
    text = text_of(client.get(VERIFY, {"q": "<script>alert(1)</script>"}))

    assert "<script>alert" not in text


def test_label_verify_takes_as_many_queries_for_three_rows(
    count_queries: Callable[..., int],
) -> None:
    label = biopmed()
    for_one = count_queries(f"{VERIFY}?q=bioPmed", MOST_QUERIES + 1)  # one for what was counted
    make_label(cluster=label.cluster, level="bronze")
    make_label(cluster=label.cluster, level="silver")

    assert count_queries(f"{VERIFY}?q=bioPmed", MOST_QUERIES + 1) == for_one


def test_label_verify_tells_of_the_organisation_behind_a_vat_number(client: Client) -> None:
    organisation = make_organisation(name="Bio Park", vat_number="IT00743110157")
    make_management(cluster=biopmed().cluster, organisation=organisation)

    text = text_of(client.get(VERIFY, {"q": "it 00743110157"}))

    assert "Bio Park manages bioPmed on this day." in text
    assert "Valid until 31 July 2017." in text


def test_label_verify_says_why_nothing_was_found(client: Client) -> None:
    text = text_of(client.get(VERIFY, {"q": "BCDF234"}))

    assert "has 8 characters; this has 7." in text


# Lists


def test_list_is_answered_line_by_line(client: Client) -> None:
    label = biopmed()
    make_cluster(name="Agrifood")

    response = client.post(VERIFY, {"lines": f"{label.public_id}\r\n\r\nagrifood\r\nbioPmod"})

    assert response.status_code == 200
    assert [
        (part.verdict, [line.number for line in part.lines]) for part in response.context["parts"]
    ] == [
        ("valid", [1]),
        ("uncertain", []),
        ("not_valid", []),
        ("transferred", []),
        ("unknown", [3, 4]),
    ]
    text = text_of(response)
    assert "Valid until 31 July 2017." in text
    assert "This register holds no label of this cluster." in text
    assert "That does not prove that there is no label" in text
    assert 'I mean bioPmed <span class="meta">is spelt alike</span>' in text


def test_list_is_answered_for_the_day_and_keeps_it_in_its_links(client: Client) -> None:
    label = biopmed()

    text = text_of(client.post(VERIFY, {"lines": "bioPmed", "on": "2017-08-01"}))

    assert "Expired on 31 July 2017; may still be renewed until 31 July 2018." in text
    assert f'href="{label.get_absolute_url()}?on=2017-08-01"' in text
    assert 'name="on" value="2017-08-01"' in text


def test_list_uploaded_as_a_file_is_answered_and_stands_in_the_form(client: Client) -> None:
    label = biopmed()

    response = client.post(
        VERIFY, {"file": upload(b"\xef\xbb\xbfcountry;cluster\nIT;BIOPMED\n"), "lines": "ignored"}
    )

    assert [line.answer.labels for line in response.context["answered"]] == [[label]]
    assert response.context["lines"] == "BIOPMED"


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        pytest.param({"lines": " "}, "There is no line to verify.", id="empty"),
        pytest.param({"lines": "x\n" * 1001}, "Line 1001: the list has 1001 lines", id="too many"),
        pytest.param({"lines": "é" * 600_000}, "larger than 1 MB", id="too large"),
    ],
)
def test_list_that_cannot_be_answered_says_why_and_keeps_what_was_typed(
    client: Client, data: dict[str, str], problem: str
) -> None:
    response = client.post(VERIFY, data)

    assert response.status_code == 400
    assert problem in text_of(response)
    assert response.context["lines"] == data["lines"]
    assert data["lines"].strip() in str(response.content, "utf-8")


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        pytest.param(b"a\nb\xe8\n", "is not encoded in UTF-8.", id="encoding"),
        pytest.param(b"PK\x03\x04" + bytes(1000), "Line 1: this is no CSV file", id="spreadsheet"),
        pytest.param(b"a\n\x00", "Line 2: this holds the character", id="binary"),
        pytest.param(b"x" * 10 * 1024 * 1024, "larger than 1 MB", id="10 MB"),
    ],
)
def test_file_that_cannot_be_read_says_why_and_keeps_what_was_typed(
    client: Client, data: bytes, problem: str
) -> None:
    response = client.post(VERIFY, {"file": upload(data), "lines": "typed"})

    assert response.status_code == 400
    assert problem in text_of(response)
    assert response.context["lines"] == "typed"


def test_list_needs_no_token_and_sets_no_cookie() -> None:
    client = Client(enforce_csrf_checks=True)
    biopmed()

    response = client.post(VERIFY, {"lines": "bioPmed"})

    assert (response.status_code, dict(response.cookies)) == (200, {})
    assert "no-store" in response["Cache-Control"]


HOSTILE_NAME = '=HYPERLINK("http://x.example")'


def table_of(client: Client) -> list[dict[str, str]]:
    make_label(cluster=make_cluster(name=HOSTILE_NAME))
    data = {"lines": f"{HOSTILE_NAME}\n+nobody", "format": "csv"}
    response = client.post(VERIFY, data)
    assert response["Content-Disposition"] == ('attachment; filename="verification-2015-09-08.csv"')
    text = response.content.decode("utf-8-sig")
    return list(csv.DictReader(StringIO(text, newline=""), strict=True))


def test_answers_as_csv_hold_no_formula(client: Client) -> None:
    found, unknown = table_of(client)

    assert (found["asked"], found["cluster"]) == (f"'{HOSTILE_NAME}", f"'{HOSTILE_NAME}")
    assert (found["line"], found["verdict"], found["ends_on"]) == ("1", "valid", "2017-07-31")
    assert (unknown["asked"], unknown["verdict"]) == ("'+nobody", "unknown")


def test_answers_as_csv_are_for_a_spreadsheet_of_the_page_s_language(client: Client) -> None:
    biopmed()

    english, italian = (
        client.post(f"/{language}/verify/", {"lines": "bioPmed", "format": "csv"}).content.decode()
        for language in ("en", "it")
    )

    assert english.startswith("\ufeffline,asked,")
    assert italian.startswith("\ufeffline;asked;")


def test_answers_as_a_spreadsheet_hold_no_formula(client: Client) -> None:
    make_label(cluster=make_cluster(name=HOSTILE_NAME))

    response = client.post(VERIFY, {"lines": HOSTILE_NAME, "format": "xlsx"})

    sheet = load_workbook(BytesIO(response.content))["answers"]
    header, row = list(sheet.iter_rows())
    cells = {name.value: cell for name, cell in zip(header, row, strict=True)}
    assert (cells["Asked"].value, cells["Asked"].data_type) == (HOSTILE_NAME, "s")
    assert (cells["Line"].value, cells["Cluster"].data_type) == (1, "s")
    assert cells["Last day at the latest"].value == datetime(2017, 7, 31)
    assert cells["State"].value == "valid"


def test_downloads_say_the_same_as_machines_are_told(client: Client) -> None:
    biopmed()
    lines = "bioPmed\nnobody"

    downloaded = client.post(VERIFY, {"lines": lines, "format": "json"}).json()

    assert downloaded == send_json(client, {"q": lines.split()}).json()


def test_list_in_italian(client: Client) -> None:
    assert client.post("/it/verify/", {"lines": "x"}).status_code == 200


# Machines


def test_machine_is_answered(client: Client) -> None:
    label = biopmed()

    response = send_json(client, {"q": ["G-2015/57"], "on": "2016-01-01"})

    data = response.json()
    assert (data["on"], data["summary"]) == (
        "2016-01-01",
        {"valid": 1, "uncertain": 0, "not_valid": 0, "transferred": 0, "unknown": 0},
    )
    (answer,) = data["answers"]
    assert (answer["line"], answer["asked"], answer["verdict"], answer["found_as"]) == (
        1,
        "G-2015/57",
        "valid",
        "certificate_number",
    )
    assert answer["in_words"] == "Valid until 31 July 2017."
    assert answer["caveat"] == NO_END
    twin = client.get(f"/labels/{label.public_id}.json?on=2016-01-01").json()
    assert answer["labels"] == [{name: twin[name] for name in twin if name != "sources"}]


def test_machine_is_answered_at_every_origin_without_a_cookie(client: Client) -> None:
    response = send_json(client, ["x"])

    assert response["Access-Control-Allow-Origin"] == "*"
    assert response["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert dict(response.cookies) == {}
    assert response["Cache-Control"] == "no-store"


def test_another_origin_may_send_a_list(client: Client) -> None:
    response = client.options(MACHINE)

    assert (response.status_code, response["Access-Control-Allow-Headers"]) == (204, "Content-Type")
    assert response["Access-Control-Allow-Methods"] == "POST"
    assert response["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        pytest.param("application/json", b'{"q": ["bioPmed", "x"]}', id="JSON"),
        pytest.param("application/json", b'["bioPmed", "x"]', id="JSON list"),
        pytest.param("text/plain; charset=utf-8", b"bioPmed\nx\n", id="text"),
        pytest.param("text/csv", b"name,town\nbioPmed,y\nx,y\n", id="CSV"),
    ],
)
def test_list_of_a_machine_is_answered(client: Client, content_type: str, body: bytes) -> None:
    biopmed()

    response = client.post(MACHINE, body, content_type=content_type)

    assert [(a["asked"], a["verdict"]) for a in response.json()["answers"]] == [
        ("bioPmed", "valid"),
        ("x", "unknown"),
    ]
    assert response["Cache-Control"] == "no-store"


def test_machine_is_answered_in_italian_when_it_asks_so(client: Client) -> None:
    biopmed()

    (answer,) = send_json(client, ["bioPmed"], "?lang=it").json()["answers"]

    assert answer["labels"][0]["url"].startswith("http://testserver/it/")


@pytest.mark.parametrize(
    ("query", "parameter"), [("?on=soon", "on"), ("?lang=fr", "lang"), ("?on=", "on")]
)
def test_wrong_parameter_of_a_machine_is_named(client: Client, query: str, parameter: str) -> None:
    response = send_json(client, ["x"], query)

    assert (response.status_code, response["Content-Type"]) == (422, "application/problem+json")
    assert response["Access-Control-Allow-Origin"] == "*"
    assert [error["parameter"] for error in response.json()["errors"]] == [parameter]


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        pytest.param("application/json", b"{", 400, id="no JSON"),
        pytest.param("application/json", b"[" * 100_000, 400, id="nested"),
        pytest.param("application/json", b'{"q": "x"}', 400, id="no list"),
        pytest.param("application/json", b'{"q": [1]}', 400, id="number"),
        pytest.param("application/json", b'{"q": ["x"], "on": 5}', 400, id="day"),
        pytest.param("application/json", b'["\\ud800"]', 400, id="half a character"),
        pytest.param("application/json", b'["a\\u0000"]', 400, id="NUL"),
        pytest.param("application/json", b"\xff", 400, id="no UTF-8"),
        pytest.param("text/plain", b"\xff", 400, id="text that is no UTF-8"),
        pytest.param("text/csv", b"PK\x03\x04", 400, id="spreadsheet"),
        pytest.param("application/json", b"[" + b'"x",' * 1000 + b'"x"]', 413, id="too many"),
        pytest.param("text/plain", b"x" * 1_100_000, 413, id="too large"),
        pytest.param("text/plain", b"x" * 10_000_000, 413, id="10 MB"),
        pytest.param("application/x-www-form-urlencoded", b"q=x", 415, id="form"),
        pytest.param("image/png", b"x", 415, id="picture"),
    ],
)
def test_machine_is_told_what_is_wrong_with_a_list(
    client: Client, content_type: str, body: bytes, status: int
) -> None:
    response = client.post(MACHINE, body, content_type=content_type)

    assert (response.status_code, response.json()["status"]) == (status, status)
    assert response["Content-Type"] == "application/problem+json"


def test_machine_is_told_the_line_that_cannot_be_read(client: Client) -> None:
    response = client.post(MACHINE, b"a\n\xff", content_type="text/plain")

    assert (response.status_code, response.json()["line"]) == (400, 2)


def test_machine_asks_with_post_only(client: Client) -> None:
    for response in (client.get(MACHINE), client.put(MACHINE)):
        assert (response.status_code, response["Allow"]) == (405, "POST, OPTIONS")


# Fair use


def test_questions_from_one_network_have_a_limit(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MAX_QUESTIONS", 5)
    answers = [client.get(VERIFY, {"q": "x"}).status_code for _number in range(6)]
    refused = client.get(VERIFY, {"q": "typed"})

    assert answers == [200] * 5 + [429]
    assert (refused.status_code, refused["Retry-After"]) == (429, "60")
    assert "wait a minute" in text_of(refused)
    assert client.get(VERIFY, {"q": "x"}, REMOTE_ADDR="198.51.100.7").status_code == 200


@pytest.mark.parametrize("path", [VERIFY, MACHINE])
def test_lists_from_one_network_have_a_limit(
    client: Client, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setattr(limits, "MAX_LISTS", 5)

    def send() -> Any:
        if path == MACHINE:
            return send_json(client, ["typed"])
        return client.post(path, {"lines": "typed"})

    answers = [send().status_code for _number in range(5)]
    refused = send()

    assert answers == [200] * 5
    assert (refused.status_code, refused["Retry-After"]) == (429, "60")
    assert "wait a minute" in text_of(refused)
    assert path == MACHINE or refused.context["lines"] == "typed"


def test_page_without_a_question_is_not_counted(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MAX_QUESTIONS", 5)
    answers = {client.get(VERIFY).status_code for _number in range(7)}

    assert answers == {200}


# Hostile input

HOSTILE = 300
FORM = "application/x-www-form-urlencoded"
MOST_SECONDS = 5  # of CPU, for one request
PIECES = (
    "<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "{{ 7*7 }}", "{% now %}",
    "' OR '1'='1", "'; DROP TABLE labels_label; --", "%", "_", "\\", "=1+1", "+cmd|' /C calc'!A0",
    "@SUM(A1)", "\t=1", "\u202eabc", "\u200f", "\ufeff", "\ud800", "\x00", "\x1b[31m", "\u2028",
    "🏅", "ẞ", "\u0131", "İ", "A\u0301" * 50, "x" * 5000, "../../etc/passwd", "/labels/",
    "/clusters/%00/", "/clusters/%ff/", "http://[::1", "IT", "IT" + "9" * 12, "1e999", "-1",
    "9" * 300, "null", "\r\n", "\n\n", "\"", ";", "\t", ",",
)  # fmt: skip
FILES = (
    b"", b"\x00" * 4096, b"\xff\xfe" + b"x" * 99, b"PK\x03\x04" + bytes(4096), b"\xef\xbb\xbf",
    b'"' * 9999, b"," * 99_999, b";\n" * 5000, b"\r" * 5000, b"x" * 1_048_577, b"[" * 200_000,
    b'{"q":' * 50_000, b'["' + b"\\ud83d" * 999 + b'"]', b"9" * 99_999, b'{"q":["x"],"on":{}}',
)  # fmt: skip
TYPES = (
    "application/json", "text/plain", "text/csv", "text/plain; charset=utf-16", "image/png",
    "application/json; charset=latin-1", "multipart/form-data", "x",
    "multipart/form-data; boundary=x", "application/x-www-form-urlencoded", "",
)  # fmt: skip


def hostile_requests(client: Client) -> Iterator[Any]:
    chance = Random(57)  # noqa: S311
    for number in range(HOSTILE):
        address: dict[str, Any] = {"REMOTE_ADDR": f"203.0.{number // 250}.{number % 250}"}
        text = "".join(chance.choices(PIECES, k=chance.randint(1, 4)))
        data = text.encode(errors="surrogatepass")
        data = chance.choice((data, *FILES[: chance.randint(1, len(FILES))]))
        sent = chance.choice(("page", "list", "file", "machine"))
        if sent == "page":
            yield client.get(f"{VERIFY}?{urlencode({'q': data, 'on': data[:20]})}", **address)
        elif sent == "list":
            fields = {"lines": data, "format": chance.choice(["", "csv", "xlsx", "json", data[:9]])}
            yield client.generic("POST", VERIFY, urlencode(fields), FORM, **address)
        elif sent == "file":
            sent_file: dict[str, Any] = {
                "file": upload(data),
                "format": chance.choice(["", "csv", "xlsx"]),
            }
            yield client.post(VERIFY, sent_file, **address)
        else:
            yield client.generic("POST", MACHINE, data, chance.choice(TYPES), **address)


def test_hostile_requests_are_answered_in_bounds(client: Client) -> None:
    biopmed()
    client.raise_request_exception = False
    slowest, statuses, begins = 0.0, Counter[int](), process_time()

    for response in hostile_requests(client):
        slowest, begins = max(slowest, process_time() - begins), process_time()
        statuses[response.status_code] += 1
        if response["Content-Type"].startswith("text/html"):
            body = response.content.decode()
            assert "<script>alert" not in body
            assert "<img src=x" not in body

    assert set(statuses) == {200, 302, 400, 413, 415}
    assert slowest < MOST_SECONDS


# Labels that moved


def test_answers_lead_to_the_label_in_the_place_of_a_transferred_one(client: Client) -> None:
    label = biopmed()
    successor = transfer_label(label, on=date(2016, 3, 1), cluster=make_cluster(name="New Valley"))
    link = (
        f'<a href="/en/labels/{successor.public_id}/?on=2016-03-01">'
        "Gold label of New Valley, in its place</a>"
    )

    one = client.get(VERIFY, {"q": label.public_id, "on": "2016-03-01"})
    many = client.post(VERIFY, {"lines": f"{label.public_id}\nx1", "on": "2016-03-01"})

    assert link in text_of(one)
    assert link in text_of(many)
    assert [part.verdict for part in many.context["parts"] if part.lines] == [
        "transferred",
        "unknown",
    ]


def test_machine_is_told_transferred_and_where_to(client: Client) -> None:
    label = biopmed()
    successor = transfer_label(label, on=date(2016, 3, 1))

    data = send_json(client, {"q": [label.public_id], "on": "2016-03-01"}).json()

    assert data["summary"] == {
        "valid": 0, "uncertain": 0, "not_valid": 0, "transferred": 1, "unknown": 0,
    }  # fmt: skip
    (found,) = data["answers"][0]["labels"]
    assert (found["state"], found["transferred_to"]) == (
        "transferred",
        f"http://testserver/en/labels/{successor.public_id}/",
    )
