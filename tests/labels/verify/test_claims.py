"""Lists of claims: each line may say a level and a day, and is borne out or not."""

import csv
import json
from datetime import date
from io import StringIO
from typing import Any

import pytest
import time_machine
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from clusters.formats.documents import library
from clusters.tables.reader import TableRefused
from labels.verify.lookup import Found, verify
from labels.verify.questions import QuestionLine, read_csv_lines, read_pasted_lines
from tests.factories import make_cluster, make_label

pytestmark = pytest.mark.django_db

DAY = date(2015, 9, 8)


@pytest.fixture(autouse=True)
def _today() -> Any:
    cache.clear()
    with time_machine.travel("2016-01-15T09:30Z", tick=False):
        yield


@pytest.fixture
def gold() -> Any:
    """A Gold from July 2015 to July 2017 of a cluster that held a Bronze known by 2013."""
    label = make_label(cluster=make_cluster(name="bioPmed"))
    make_label(cluster=label.cluster, level="bronze", awarded_on="2013", assessed_on=None)
    return label


@pytest.mark.parametrize(
    "line",
    [
        "bioPmed\tGold\t2015-09-08",
        "bioPmed\t2015-09-08\tgold label",
        "bioPmed\tOro\t2015-09-08\t",
        "\tbioPmed\tGOLD\t2015-09-08",
    ],
)
def test_line_of_a_spreadsheet_is_a_claim(line: str) -> None:
    assert read_pasted_lines(line) == [QuestionLine(1, "bioPmed", "gold", DAY)]


def test_cells_of_a_line_that_claims_nothing_are_passed_over() -> None:
    assert read_pasted_lines("bioPmed\tItaly\t7") == [QuestionLine(1, "bioPmed")]


@pytest.mark.parametrize("line", ["bioPmed\tPlatinum\t2015-09-08", "bioPmed\tItaly\tGold"])
def test_claim_that_is_not_understood_is_refused(line: str) -> None:
    with pytest.raises(TableRefused, match=r"Line 1: .*no level and no day"):
        read_pasted_lines(line)
    with pytest.raises(TableRefused, match=r"Line 2: .*Platino"):
        read_csv_lines(b"name;livello\nbioPmed;Platino\n")


@pytest.mark.parametrize("dash", [" ", "-", ".", "\u2011", "\u00a0"])
def test_number_is_read_as_it_stands_on_paper(dash: str) -> None:
    label = make_label()
    number = label.public_id

    assert verify(f"{number[:4]}{dash}{number[4:].lower()}", DAY).labels == [label]
    wide = "".join(chr(ord(letter) + 0xFEE0) for letter in number)
    assert verify(wide, DAY).labels == [label]


@pytest.mark.parametrize(
    "asked",
    ["https://biopmed.eu", "http://www.biopmed.eu/en/about?x=1", "biopmed.eu", "WWW.bioPmed.EU"],
)
def test_cluster_is_found_by_its_web_site(asked: str) -> None:
    label = make_label(cluster=make_cluster(name="bioPmed", website="https://www.biopmed.eu/"))
    make_cluster(website="https://notbiopmed.eu")

    found = verify(asked, DAY)

    assert (found.labels, found.found_as) == ([label], Found.WEBSITE)


def test_name_is_found_without_its_spaces() -> None:
    label = make_label(cluster=make_cluster(name="bioPmed"))

    assert verify("bio pmed", DAY).labels == [label]
    other = make_label(cluster=make_cluster(name="bio pmed"))
    assert verify("Bio Pmed", DAY).labels == [other]


@pytest.mark.parametrize(
    ("data", "line"),
    [
        ("cluster;level;on\nbioPmed;Gold;2015-09-08\n", 2),
        ("name,giorno,livello\nbioPmed,2015-09-08,oro\n", 2),
        ("bioPmed;Gold;2015-09-08\n", 1),
    ],
)
def test_file_of_claims_is_read(data: str, line: int) -> None:
    assert read_csv_lines(data.encode()) == [QuestionLine(line, "bioPmed", "gold", DAY)]


@pytest.mark.parametrize("day", ["08/09/2015", "8.9.2015", "2015-13-01", "2015/09/08", "9-2015"])
def test_day_that_can_be_misread_is_refused_with_its_line(day: str) -> None:
    with pytest.raises(TableRefused, match=r"Line 2: .*2015-09-08") as refused:
        read_pasted_lines(f"bioPmed\nbioPmed\tGold\t{day}")

    assert refused.value.line == 2


LINES = [
    ("bioPmed\tGold\t2015-09-08", "yes"),
    ("bioPmed\tGold\t2018-09-08", "no"),
    ("bioPmed\tGold\t2015-07-10", "cannot_be_told"),
    ("bioPmed\tBronze\t2015-09-08", "cannot_be_told"),
    ("bioPmed\tBronze\t2014-09-08", "yes"),
    ("bioPmed\tSilver\t2015-09-08", "cannot_be_told"),
    ("Nobody\tGold\t2015-09-08", "cannot_be_told"),
    ("bioPmed\tGold", "yes"),
    ("bioPmed", None),
]


def test_each_claim_is_borne_out_or_not(client: Client, gold: Any) -> None:
    text = "\n".join(line for line, _borne_out in LINES)

    as_json = client.post("/en/verify/", {"lines": text, "format": "json"})
    as_csv = client.post("/en/verify/", {"lines": text, "format": "csv"})

    expected = [borne_out for _line, borne_out in LINES]
    assert [row["borne_out"] for row in as_json.json()["answers"]] == expected
    rows = list(csv.DictReader(StringIO(as_csv.content.decode("utf-8-sig"))))
    assert [row["borne_out"] or None for row in rows] == expected
    assert (rows[0]["claimed_level"], rows[0]["claimed_on"]) == ("gold", "2015-09-08")
    assert rows[5]["state_in_words"] == "This register holds no label of that level here."
    page = client.post("/en/verify/", {"lines": text}).content.decode()
    assert "<b>not borne out</b>" in page
    # The lines stay as they were sent.
    assert "bioPmed\tgold\t2018-09-08" in page


def test_near_name_is_accepted_with_a_tick(client: Client, gold: Any) -> None:
    asked = {"lines": "bioPmod\tGold\t2015-09-08\nNobody"}

    page = client.post("/en/verify/", asked).content.decode()
    assert 'value="1:bioPmed"' in page
    again = client.post("/en/verify/", {**asked, "accept": "1:bioPmed", "format": "json"})

    answers = again.json()["answers"]
    assert [(row["asked"], row["borne_out"]) for row in answers] == [
        ("bioPmed", "yes"),
        ("Nobody", None),
    ]


@pytest.mark.parametrize("accepted", ["", "x", "9:bioPmed", ":", "1:"])
def test_tick_that_fits_no_line_changes_nothing(client: Client, gold: Any, accepted: str) -> None:
    sent = {"lines": "Nobody", "accept": accepted, "format": "json"}

    response = client.post("/en/verify/", sent)

    assert response.status_code == 200
    assert [row["verdict"] for row in response.json()["answers"]] == ["unknown"]


def test_languages_are_switched_without_losing_the_lines(client: Client, gold: Any) -> None:
    page = client.post("/en/verify/", {"lines": "bioPmed\tGold"}).content.decode()

    assert 'form="list-form" formaction="/it/verify/"' in page


def test_answer_comes_first_with_its_caveat_and_reference(client: Client, gold: Any) -> None:
    page = client.get("/en/verify/?q=bioPmed&on=2015-09-08").content.decode()

    text = " ".join(page.split())
    assert "Valid on 8 September 2015? <b>Yes.</b>" in text
    assert (
        "Valid until 31 July 2017. By the register’s reckoning: the source prints no end." in text
    )
    assert "Checked on 15 January 2016 at 10:30." in text
    assert text.index("<b>Yes.</b>") < text.index("labels found")
    again = client.get("/en/verify/?q=bioPmed&on=2015-09-08").context["reference"]
    other = client.get("/en/verify/?q=bioPmed&on=2015-09-09").context["reference"]
    assert len(again) == 8
    assert again != other


@pytest.mark.skipif(library() is None, reason="there is no pango on this machine")
def test_answer_on_paper_holds_question_and_day(client: Client, gold: Any) -> None:
    import pypdfium2

    response = client.get("/en/verify/?q=bioPmed&on=2015-09-08&format=pdf")

    assert response["Content-Type"] == "application/pdf"
    pages = pypdfium2.PdfDocument(response.content)
    text = " ".join(page.get_textpage().get_text_range() for page in pages)
    for said in ("bioPmed", "8 September 2015", "YES", "reckoning", response.context["reference"]):
        assert said in " ".join(text.split()), said


def test_cluster_without_a_label_is_unknown_never_not_valid(client: Client) -> None:
    make_cluster(name="Agrifood")

    response = client.post("/api/v1/verify", json.dumps(["Agrifood"]), "application/json")

    (answer,) = response.json()["answers"]
    assert answer["verdict"] == "unknown"
    assert "does not prove" in answer["caveat"]
    assert "Cannot be told" in client.get("/en/verify/?q=Agrifood").content.decode()


def test_file_is_kept_as_lines(client: Client, gold: Any) -> None:
    file = SimpleUploadedFile("claims.csv", b"cluster;level\nbioPmed;Gold\n", "text/csv")

    assert "bioPmed\tgold" in client.post("/en/verify/", {"file": file}).content.decode()
