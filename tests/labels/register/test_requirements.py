import csv
import re
from collections.abc import Callable
from datetime import date
from html import unescape
from io import StringIO
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import translation

from clusters.models import Programme
from labels.models import Label, LabelKind, RequiredLevel
from labels.register.requirements import COLUMNS, ParticipantOnDay, announced, requirement_of
from labels.words import Reply
from tests.factories import (
    make_cluster,
    make_label,
    make_participation,
    make_programme,
    make_suspension,
    make_undated_label,
)
from tests.labels.test_certainty import NO_END

pytestmark = pytest.mark.django_db

TODAY = date(2015, 9, 8)
DEADLINE = date(2017, 12, 1)


def require(programme: Programme, level: str = "silver", **fields: Any) -> RequiredLevel:
    return RequiredLevel.objects.create(programme=programme, level_id=level, **fields)


def required(level: str = "silver", **fields: Any) -> Programme:
    """A programme that requires the level."""
    programme = make_programme(name_en="ACE")
    require(programme, level, **fields)
    return programme


def holder(programme: Programme, *labels: dict[str, Any], name: str = "Holder") -> list[Label]:
    cluster = make_cluster(name=name)
    make_participation(programme=programme, cluster=cluster)
    return [make_label(cluster=cluster, **fields) for fields in labels]


def only(programme: Programme, day: date = TODAY, today: date = TODAY) -> ParticipantOnDay:
    found = requirement_of(programme, day, today)
    assert found is not None
    (row,) = found.participants
    return row


def standings(programme: Programme, day: date, today: date = TODAY) -> dict[str, str]:
    found = requirement_of(programme, day, today)
    assert found is not None
    return {row.cluster.name: row.standing.value for row in found.participants}


# What is required on a day


@pytest.mark.parametrize(
    ("fields", "is_required"),
    [
        ({}, True),
        ({"required_from": TODAY}, True),
        ({"required_from": date(2015, 9, 9)}, False),
        ({"required_until": TODAY}, True),
        ({"required_until": date(2015, 9, 7)}, False),
        ({"required_from": date(2013, 1, 1), "required_until": date(2016, 1, 1)}, True),
    ],
)
def test_level_is_required_in_its_days(fields: dict[str, Any], is_required: bool) -> None:
    assert (requirement_of(required(**fields), TODAY, TODAY) is not None) == is_required


def test_of_two_levels_required_the_higher_counts() -> None:
    programme = required("bronze")
    require(programme, "gold", required_until=date(2016, 1, 1))

    found = requirement_of(programme, TODAY, TODAY)

    assert found is not None
    assert found.required.level_id == "gold"


def test_next_requirement_is_announced() -> None:
    programme = required("bronze", required_until=date(2016, 12, 31))
    later = require(programme, "gold", required_from=date(2017, 1, 1))

    assert announced(programme, TODAY) == later
    assert announced(programme, date(2017, 1, 1)) is None


# Who meets it


@pytest.mark.parametrize(
    ("level", "standing"), [("bronze", "cannot_be_told"), ("silver", "meets"), ("gold", "meets")]
)
def test_level_or_a_higher_one_meets_it(level: str, standing: str) -> None:
    programme = required("silver")
    holder(programme, {"level": level, "assessed_on": "2015-07-14"})

    assert only(programme).standing == standing


@pytest.mark.parametrize(
    ("day", "standing"),
    [
        ("2015-07-13", "cannot_be_told"),  # of that day this register holds no label
        ("2015-07-14", "meets"),
        ("2017-07-31", "meets"),
        ("2017-08-01", "lacks"),  # renewable, and not valid
        ("2018-08-01", "lacks"),
    ],
)
def test_only_a_valid_label_meets_it(day: str, standing: str) -> None:
    programme = required()
    holder(programme, {"level": "silver", "assessed_on": "2015-07-14"})
    on = date.fromisoformat(day)

    assert only(programme, on, on).standing == standing


def test_unpublished_label_does_not_meet_it() -> None:
    programme = required()
    holder(programme, {"assessed_on": "2015-07-14", "is_published": False})

    row = only(programme)

    assert (row.standing, row.meets_today, row.label) == (
        "cannot_be_told", Reply.CANNOT_BE_TOLD, None,
    )  # fmt: skip


def test_of_an_undated_label_it_cannot_be_told() -> None:
    programme = required()
    label = make_undated_label(cluster=make_participation(programme=programme).cluster)

    row = only(programme)

    assert (row.standing, row.meets_today, row.label, row.last_day) == (
        "cannot_be_told", Reply.CANNOT_BE_TOLD, label, None,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("assessed_on", "standing", "meets_today"),
    [
        pytest.param("2015-09", "cannot_be_told", Reply.CANNOT_BE_TOLD, id="begins this month"),
        pytest.param("2013", "cannot_be_told", Reply.CANNOT_BE_TOLD, id="ends this year"),
        pytest.param("2014", "meets", Reply.YES, id="certain"),
        pytest.param("2012", "lacks", Reply.NO, id="over for certain"),
    ],
)
def test_of_a_day_that_is_not_certain_it_cannot_be_told(
    assessed_on: str, standing: str, meets_today: Reply
) -> None:
    programme = required()
    (label,) = holder(programme, {"assessed_on": assessed_on})

    row = only(programme)

    assert (row.standing, row.meets_today, row.label) == (standing, meets_today, label)


def test_newer_evidence_without_dates_keeps_an_ended_label_from_deciding() -> None:
    programme = required()
    (label,) = holder(programme, {"assessed_on": "2012-07-14"})
    assert only(programme).standing == "lacks"
    make_undated_label(cluster=label.cluster)

    assert only(programme).standing == "cannot_be_told"


def test_one_certain_label_meets_it_beside_others_that_cannot_tell() -> None:
    programme = required()
    (label, _perhaps) = holder(programme, {"assessed_on": "2014"}, {"awarded_on": "2015"})
    make_undated_label(cluster=label.cluster)

    row = only(programme)

    assert (row.standing, row.label, row.last_day) == ("meets", label, date(2016, 1, 31))


def test_last_day_of_an_ended_label_is_its_last_certain_one() -> None:
    programme = required()
    (label,) = holder(programme, {"assessed_on": "2012"})

    row = only(programme)

    assert (row.standing, row.label, row.last_day) == ("lacks", label, date(2014, 1, 31))


def test_suspended_label_does_not_meet_it() -> None:
    programme = required()
    (label,) = holder(programme, {"assessed_on": "2015-07-14"})
    make_suspension(label, starts_on=TODAY)

    assert only(programme).standing == "lacks"


def test_only_published_clusters_that_take_part_on_the_day_are_listed() -> None:
    programme = required()
    make_participation(programme=programme, cluster=make_cluster(name="A"), started_on="2016")
    make_participation(programme=programme, cluster=make_cluster(name="B"), ended_on="2015-09")
    make_participation(programme=programme, cluster=make_cluster(name="C", is_published=False))

    assert list(standings(programme, TODAY)) == ["B"]
    assert list(standings(programme, DEADLINE)) == ["A"]


def test_label_that_lasts_longest_is_named() -> None:
    programme = required("bronze")
    _gold, silver = holder(
        programme,
        {"level": "gold", "assessed_on": "2015-01-20"},
        {"level": "silver", "assessed_on": "2015-07-14"},
    )

    row = only(programme)

    assert (row.label, row.last_day) == (silver, date(2017, 7, 31))
    assert row.renewable_until == date(2018, 7, 31)


# Before a day to come


def test_label_that_ends_before_the_day_lapses() -> None:
    programme = required()
    (label,) = holder(programme, {"assessed_on": "2015-07-14"})

    row = only(programme, DEADLINE)

    assert (row.standing, row.meets_today, row.label) == ("lapses", Reply.YES, label)
    assert (row.last_day, row.renewable_until) == (date(2017, 7, 31), date(2018, 7, 31))


def test_seamless_renewal_keeps_it_from_lapsing() -> None:
    programme = required()
    (first,) = holder(programme, {"assessed_on": "2015-07-14"})
    renewal = make_label(
        cluster=first.cluster, renews=first, kind=LabelKind.RENEWAL, assessed_on="2017-06-01"
    )

    assert only(programme, DEADLINE).label == renewal


def test_lapse_is_that_of_the_last_label_before_the_day() -> None:
    programme = required()
    (first,) = holder(programme, {"assessed_on": "2015-07-14"})
    renewal = make_label(
        cluster=first.cluster, renews=first, kind=LabelKind.RENEWAL, assessed_on="2017-06-01"
    )

    row = only(programme, date(2030, 1, 1))

    assert (row.standing, row.label, row.last_day) == ("lapses", renewal, renewal.ends_on)


def test_label_to_be_revoked_ends_the_day_before_and_is_not_renewed() -> None:
    programme = required()
    holder(
        programme,
        {
            "assessed_on": "2015-07-14",
            "revoked_on": date(2016, 3, 1),
            "revocation_reason": "Asked for it.",
        },
    )

    row = only(programme, date(2016, 6, 1))

    assert (row.standing, row.last_day, row.renewable_until) == ("lapses", date(2016, 2, 29), None)


def test_label_to_be_suspended_ends_the_day_before() -> None:
    programme = required()
    (label,) = holder(programme, {"assessed_on": "2015-07-14"})
    make_suspension(label, starts_on=date(2016, 3, 1))

    row = only(programme, date(2016, 6, 1))

    assert (row.standing, row.last_day) == ("lapses", date(2016, 2, 29))


def test_nothing_lapses_before_a_day_that_is_over() -> None:
    programme = required()
    holder(programme, {"assessed_on": "2015-07-14"})

    row = only(programme, date(2013, 1, 1))

    assert (row.standing, row.meets_today, row.label) == ("cannot_be_told", Reply.YES, None)


def test_cluster_that_joins_later_does_not_meet_it_today() -> None:
    programme = required()
    cluster = make_cluster()
    make_participation(programme=programme, cluster=cluster, started_on="2016")
    make_label(cluster=cluster, assessed_on="2015-07-14")

    row = only(programme, date(2016, 6, 1))

    assert (row.standing, row.takes_part_today, row.meets_today) == ("meets", False, Reply.NO)


# The page


def table_of(page: bytes) -> dict[str, list[list[str]]]:
    """The cells of the page's lists, by the id of their heading."""
    tables = re.findall(
        r'<table [^>]*aria-labelledby="?(\w+)"?[^>]*>.*?<tbody>(.*?)</tbody>', page.decode(), re.S
    )
    return {
        heading: [
            [words(cell) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.S)]
            for row in re.findall(r"<tr>(.*?)</tr>", body, re.S)
        ]
        for heading, body in tables
    }


def words(markup: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", markup)).split())


def words_of(page: bytes) -> str:
    (section,) = re.findall(
        r'<section [^>]*aria-labelledby="requirement">(.*?)</section>', page.decode(), re.S
    )
    return words(section)


def crowd() -> Programme:
    """A programme with clusters of every standing on the deadline."""
    programme = required("silver", source="https://example.org/rules")
    holder(programme, {"assessed_on": "2017-09-01"}, name="=Will meet it")
    first = {"assessed_on": "2015-07-14", "level": "silver", "valid_until": "2018-03-31"}
    holder(programme, first, name="Meets it")
    holder(programme, {"assessed_on": "2015-07-14"}, name="Lapses")
    holder(programme, {"level": "bronze", "assessed_on": "2017-07-14"}, name="Bronze only")
    holder(programme, name="None")
    holder(programme, {"assessed_on": "2012-07-14"}, name="Ended")
    return programme


@time_machine.travel("2015-09-08 12:00")
def test_page_shows_who_meets_it_today(client: Client) -> None:
    programme = crowd()

    page = client.get(programme.get_absolute_url()).content

    assert table_of(page) == {
        "meeting": [
            [
                "Lapses",
                f"G Gold Valid until 31 July 2017. {NO_END}",
                "31 July 2017",
                "31 July 2018",
            ],
            ["Meets it", "S Silver Valid until 31 March 2018.", "31 March 2018", "31 March 2019"],
        ],
        "lacking": [
            ["Ended", f"G Gold Expired on 31 July 2014. {NO_END}", "31 July 2014", "31 July 2015"]
        ],
        "untold": [
            ["=Will meet it", "none in this register", "–", "–"],
            ["Bronze only", "none in this register", "–", "–"],
            ["None", "none in this register", "–", "–"],
        ],
    }


@time_machine.travel("2015-09-08 12:00")
def test_page_shows_who_will_lapse_before_a_deadline(client: Client) -> None:
    programme = crowd()

    page = client.get(f"{programme.get_absolute_url()}?on={DEADLINE}").content

    yes, no, untold = "meets it", "does not meet it", "cannot be told"
    lapsed = f"Expired on 31 July 2017; may still be renewed until 31 July 2018. {NO_END}"
    assert table_of(page) == {
        "meeting": [
            ["=Will meet it", untold, yes, f"G Gold Valid until 30 September 2019. {NO_END}",
             "30 September 2019", "30 September 2020"],
            ["Meets it", yes, yes, "S Silver Valid until 31 March 2018.", "31 March 2018",
             "31 March 2019"],
        ],
        "lapsing": [["Lapses", yes, no, f"G Gold {lapsed}", "31 July 2017", "31 July 2018"]],
        "lacking": [
            ["Ended", no, no, f"G Gold Expired on 31 July 2014. {NO_END}", "31 July 2014",
             "31 July 2015"],
        ],
        "untold": [
            ["Bronze only", untold, untold, "none in this register", "–", "–"],
            ["None", untold, untold, "none in this register", "–", "–"],
        ],
    }  # fmt: skip


def test_page_says_what_is_required_and_by_which_source(client: Client) -> None:
    programme = required("gold", required_from=date(2013, 1, 1), source="https://example.org/rules")

    text = words_of(client.get(programme.get_absolute_url()).content)

    assert "for a valid Gold Label or a higher one. It has done so since 1 January 2013." in text
    assert "Source: https://example.org/rules" in text


def test_page_says_that_it_is_not_known_since_when(client: Client) -> None:
    text = words_of(client.get(required().get_absolute_url()).content)

    assert "It is not known since when." in text
    assert "No source is recorded for this." in text


def test_page_says_what_will_be_required(client: Client) -> None:
    programme = required("bronze", required_until=date(2098, 12, 31))
    require(programme, "gold", required_from=date(2099, 1, 1))

    text = words_of(client.get(programme.get_absolute_url()).content)

    assert "The last day of this requirement: 31 December 2098." in text
    assert "From 1 January 2099 it will ask for a Gold Label or a higher one." in text


def test_page_of_a_programme_without_requirement_says_so(client: Client) -> None:
    text = words_of(client.get(make_programme().get_absolute_url()).content)

    assert text == (
        "Required level This register knows of no level that the programme asks for today."
    )


def test_page_of_a_programme_without_clusters_says_so(client: Client) -> None:
    text = words_of(client.get(required().get_absolute_url()).content)

    assert "This register knows no cluster that takes part on this day" in text


def test_page_in_italian_is_there(client: Client) -> None:
    programme = crowd()
    with translation.override("it"):
        address = programme.get_absolute_url()

    assert client.get(f"{address}?on={DEADLINE}").status_code == 200


def test_page_takes_as_many_queries_for_six_clusters_as_for_two(
    client: Client, count_queries: Callable[[str], int]
) -> None:
    programme = required("bronze")
    address = f"{programme.get_absolute_url()}?on=2099-01-01"
    for _ in range(2):
        holder(programme, {"assessed_on": "2015-07-14"})
    two = count_queries(address)
    for _ in range(4):
        (label,) = holder(programme, {"assessed_on": "2015-07-14"})
        make_suspension(label, starts_on=date(2016, 1, 1))

    assert count_queries(address) == two


# The table


def csv_of(client: Client, programme: Programme, on: str = "") -> list[dict[str, str]]:
    address = f"/programmes/{programme.public_id}/requirement.csv"
    response = client.get(address, {"on": on} if on else {})
    assert response.status_code == 200
    return list(csv.DictReader(StringIO(response.content.decode())))


@pytest.mark.parametrize("on", ["", "2012-03-01", "2015-09-08", "2016-01-01", "2017-12-01"])
def test_table_and_page_have_the_same_rows(client: Client, on: str) -> None:
    programme = crowd()
    suspended = Label.objects.get(cluster__name="Meets it")
    make_suspension(suspended, starts_on=date(2016, 1, 1))
    with time_machine.travel("2015-09-08 12:00"):
        query = f"?on={on}" if on else ""
        page = client.get(programme.get_absolute_url() + query)
        rows = csv_of(client, programme, on)

    heading = {
        "meets": "meeting", "lapses": "lapsing", "lacks": "lacking", "cannot_be_told": "untold",
    }  # fmt: skip
    shown = [
        [standing, *(re.sub(r"^([BSG] \w+) .*", r"\1", cell) for cell in cells)]
        for standing in heading
        for cells in table_of(page.content).get(heading[standing], [])
    ]
    is_ahead = on > "2015-09-08"
    assert [shown_row(row, is_ahead=is_ahead) for row in rows] == shown
    assert len(rows) == 6


def shown_row(row: dict[str, str], *, is_ahead: bool) -> list[str]:
    """The row of the table in the words of the page."""

    def in_words(day: str) -> str:
        return f"{date.fromisoformat(day):%-d %B %Y}" if day else "–"

    level = row["label_level"].title()
    answer = {"true": "meets it", "false": "does not meet it", "": "cannot be told"}
    between = [answer[row["meets_today"]], answer[row["meets_on_day"]]] if is_ahead else []
    return [
        row["standing"],
        row["cluster"].lstrip("'"),
        *between,
        f"{level[0]} {level}" if level else "none in this register",
        in_words(row["valid_until"]),
        in_words(row["renewable_until"]),
    ]


@time_machine.travel("2015-09-08 12:00")
def test_table_tells_everything_of_a_row(client: Client) -> None:
    programme = required("silver")
    (label,) = holder(programme, {"assessed_on": "2015-07-14"}, name="=1+1")

    assert csv_of(client, programme, "2017-12-01") == [
        {
            "programme_id": programme.public_id,
            "programme": "ACE",
            "on": "2017-12-01",
            "required_level": "silver",
            "cluster_id": label.cluster.public_id,
            "cluster": "'=1+1",
            "standing": "lapses",
            "meets_on_day": "false",
            "takes_part_today": "true",
            "meets_today": "true",
            "label_id": label.public_id,
            "label_level": "gold",
            "valid_until": "2017-07-31",
            "renewable_until": "2018-07-31",
        }
    ]


def test_table_without_requirement_has_its_header_only(client: Client) -> None:
    programme = make_programme()

    response = client.get(f"/programmes/{programme.public_id}/requirement.csv")

    assert response.content.decode().splitlines() == [",".join(COLUMNS)]


def test_table_is_in_english_whoever_asks(client: Client) -> None:
    programme = required()
    address = f"/programmes/{programme.public_id}/requirement.csv"
    holder(programme, {"assessed_on": "2015-07-14"})

    italian = client.get(address, headers={"accept-language": "it"})

    assert italian.content == client.get(address).content


def test_table_is_open_to_every_origin_and_fresh_for_a_short_while(client: Client) -> None:
    address = f"/programmes/{required().public_id}/requirement.csv"

    with time_machine.travel("2015-09-08 12:00"):
        response = client.get(address)
        again = client.get(address, headers={"if-none-match": response["ETag"]})

    assert response["Access-Control-Allow-Origin"] == "*"
    assert response["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert response["Cache-Control"] == "public, max-age=300"
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"].startswith('attachment; filename="requirement-')
    assert again.status_code == 304


@pytest.mark.parametrize("on", ["soon", "2015-02-30", "9" * 5000])
def test_table_refuses_what_is_not_a_day(client: Client, on: str) -> None:
    programme = required()

    response = client.get(f"/programmes/{programme.public_id}/requirement.csv", {"on": on})

    assert response.status_code == 400
    assert response.content.decode().startswith("on: “")
    assert len(response.content) < 200


def test_old_addresses_of_the_table_lead_on(client: Client) -> None:
    programme = make_programme(slug="ace-1")
    programme.slug = "ace"
    programme.save()
    address = f"/programmes/{programme.public_id}/requirement.csv?on=2015-09-08"

    for key in ("ace-1", "ace", programme.public_id.lower()):
        response = client.get(f"/programmes/{key}/requirement.csv?on=2015-09-08")
        assert (response.status_code, response["Location"]) == (301, address)


def test_table_of_a_hidden_programme_is_not_there(client: Client) -> None:
    hidden = make_programme(is_published=False)
    require(hidden)

    answers = [
        client.get(f"/programmes/{key}/requirement.csv")
        for key in (hidden.public_id, hidden.slug, "BCDFGHJK")
    ]

    assert {(answer.status_code, answer.content) for answer in answers} == {
        (404, b"there is no programme with this number\n")
    }
