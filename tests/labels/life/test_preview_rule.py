import csv
from datetime import date
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from labels.life.days import apply_rules
from labels.life.preview import StateChange, preview_rule
from labels.management.commands.preview_rule import HEADER
from labels.models import Label, LabelKind, Level, LevelRule
from tests.factories import add_rule, make_cluster, make_label, make_suspension, make_undated_label
from tests.permissions.world import dump

pytestmark = pytest.mark.django_db

DAY = date(2015, 9, 8)
FROM = "2015-01-01"
WRITING = ("INSERT", "UPDATE", "DELETE", "REPLACE", "CREATE", "ALTER", "DROP")


def run(*options: str) -> str:
    out = StringIO()
    arguments = ["--level", "gold", "--from", FROM, "--on", str(DAY), *options]
    call_command("preview_rule", *arguments, stdout=out, stderr=StringIO())
    return out.getvalue()


def rows(*options: str) -> list[dict[str, str]]:
    return list(csv.DictReader(run("--format", "csv", *options).splitlines()))


def gold_rule(effective_from: str = FROM, **values: Any) -> LevelRule:
    given = {"first_months": 24, "renewal_months": 24, "renewal_window_months": 12, "experts": 2}
    level = Level.objects.get(pk="gold")
    day = date.fromisoformat(effective_from)
    return LevelRule(**given | {"level": level, "effective_from": day} | values)


def states(changes: list[StateChange]) -> dict[str, tuple[str, str]]:
    return {
        change.label.public_id: (str(change.state_before), str(change.state_after))
        for change in changes
    }


def renewal_of(label: Label, **fields: Any) -> Label:
    fields = {"assessed_on": "2015-07", "kind": LabelKind.RENEWAL, "renews": label} | fields
    return make_label(cluster=label.cluster, **fields)


def test_preview_tells_the_days_before_and_after() -> None:
    label = make_label(cluster=make_cluster(name="bioPmed"), assessed_on="2015-07-14")

    assert rows("--first-months", "36") == [
        {
            "label": label.public_id,
            "cluster": "bioPmed",
            "is_published": "true",
            "old_starts_on": "2015-07-14",
            "new_starts_on": "2015-07-14",
            "old_ends_on": "2017-07-31",
            "new_ends_on": "2018-07-31",
            "old_renewable_until": "2018-07-31",
            "new_renewable_until": "2019-07-31",
            "old_state": "valid",
            "new_state": "valid",
        }
    ]


def test_preview_leaves_out_what_stays_as_it_is() -> None:
    make_label(assessed_on="2014-12-31")
    make_label(assessed_on="2015-07-14", valid_until="2017-03-31")
    make_label(level="silver", assessed_on="2015-07-14")
    make_label(
        assessed_on="2015-07-14", revoked_on=date(2015, 8, 1), revocation_reason="Asked for it."
    )
    make_undated_label()

    assert rows("--first-months", "36") == []


def test_preview_takes_what_is_not_given_from_the_rule_in_force_that_day() -> None:
    label = make_label(assessed_on="2015-07-14")

    (row,) = rows("--no-ends-at-month-end")

    assert (row["label"], row["new_ends_on"]) == (label.public_id, "2017-07-14")


def test_preview_of_the_rule_in_force_changes_nothing() -> None:
    make_label(assessed_on="2015-07-14")

    assert run().splitlines()[-1] == "0 of 1 labels would change."


def test_preview_moves_the_renewal_of_what_moves() -> None:
    first = make_label(assessed_on="2015-07-14")
    second = renewal_of(first, assessed_on="2017-07-01")

    found = {row["label"]: row for row in rows("--first-months", "36")}

    assert found[second.public_id]["old_starts_on"] == "2017-08-01"
    assert found[second.public_id]["new_starts_on"] == "2018-08-01"
    assert found[second.public_id]["new_ends_on"] == "2020-07-31"


def test_preview_tells_a_label_whose_days_stay_but_whose_successor_moves() -> None:
    """It was taken over; once the later label begins later, it may still be renewed."""
    first = make_label(assessed_on="2015-07-14")
    renewal_of(first, assessed_on="2017-07-01")
    beside = make_label(cluster=first.cluster, assessed_on="2016-01", valid_until="2017-06-30")

    found = preview_rule(gold_rule(first_months=36, minimum_score=80), date(2017, 9, 1))

    (change,) = [change for change in found.changes if change.label.pk == beside.pk]
    assert change.label.before == change.label.after
    assert (change.state_before, change.state_after) == ("expired", "renewable")


def test_preview_states_follow_suspensions() -> None:
    label = make_label(assessed_on="2015-07-14")
    make_suspension(label, starts_on=date(2016, 1, 1))

    found = preview_rule(gold_rule(first_months=12, minimum_score=80), date(2016, 8, 1))

    assert states(found.changes) == {label.public_id: ("suspended", "expired")}


def test_preview_lists_a_moved_renewal_deadline() -> None:
    label = make_label(assessed_on="2013-07-14")

    (row,) = rows("--renewal-window-months", "1")

    assert row["label"] == label.public_id
    assert (row["old_ends_on"], row["new_ends_on"]) == ("2015-07-31", "2015-07-31")
    assert (row["old_renewable_until"], row["new_renewable_until"]) == ("2016-07-31", "2015-08-31")
    assert (row["old_state"], row["new_state"]) == ("renewable", "expired")


def test_preview_as_text() -> None:
    label = make_label(cluster=make_cluster(name="bioPmed"), assessed_on="2015-07-14")
    draft = make_label(
        cluster=make_cluster(name="Draft"), assessed_on="2015-08-01", is_published=False
    )

    assert run("--first-months", "36").splitlines() == [
        "Gold from 2015-01-01: 36 months, renewed 24 months, ending at the end of the month, "
        "renewable 12 months longer, at least 80 percent",
        "States on 2015-09-08",
        "",
        "label     cluster                from        until                    "
        "renewable until          state",
        f"{label.public_id}  bioPmed                2015-07-14  2017-07-31 → 2018-07-31  "
        "2018-07-31 → 2019-07-31  valid",
        f"{draft.public_id}  Draft (not published)  2015-08-01  2017-08-31 → 2018-08-31  "
        "2018-08-31 → 2019-08-31  valid",
        "",
        "2 of 2 labels would change.",
    ]


def test_preview_as_csv_tells_the_total_beside_the_table() -> None:
    make_label(cluster=make_cluster(name="=1+1"), assessed_on="2015-07-14")
    out, err = StringIO(), StringIO()

    call_command(
        "preview_rule", "--level", "gold", "--from", FROM, "--first-months", "36",
        "--on", str(DAY), "--format", "csv", stdout=out, stderr=err,
    )  # fmt: skip

    table = list(csv.reader(StringIO(out.getvalue())))
    assert table[0] == list(HEADER)
    assert [row[1] for row in table[1:]] == ["'=1+1"]
    assert err.getvalue() == "1 of 1 labels would change.\n"


def test_preview_as_csv_for_an_italian_spreadsheet() -> None:
    make_label(cluster=make_cluster(name="Città"), assessed_on="2015-07-14")

    table = run("--first-months", "36", "--format", "csv", "--for", "spreadsheet", "--lang", "it")

    assert table.startswith("\ufefflabel;cluster;")
    assert ";Città;" in table


def test_preview_is_of_today_without_a_day() -> None:
    make_label(assessed_on="2015-07-14")
    out = StringIO()

    with time_machine.travel("2017-08-14T22:30:00Z"):
        call_command(
            "preview_rule", "--level", "gold", "--from", FROM, "--first-months", "36", stdout=out
        )

    assert "States on 2017-08-15" in out.getvalue()
    assert out.getvalue().splitlines()[4].endswith("renewable → valid")


# Nothing is written


@pytest.mark.parametrize("format", ["text", "csv"])
def test_preview_writes_nothing(format: str) -> None:
    renewal_of(make_label(assessed_on="2013-07"))
    make_label(assessed_on="2015-07", score=Decimal(90))
    tables = connection.introspection.table_names()
    before = {table: dump(table) for table in tables}

    with CaptureQueriesContext(connection) as queries:
        run("--first-months", "36", "--renewal-months", "48", "--format", format)

    assert {table: dump(table) for table in tables} == before
    assert [q["sql"] for q in queries if q["sql"].lstrip().upper().startswith(WRITING)] == []


def test_preview_takes_as_many_queries_for_ten_labels_as_for_two() -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            run("--first-months", "36")
        return len(queries)

    renewal_of(make_label(assessed_on="2013-07"))
    two = count()
    for _ in range(4):
        renewal_of(make_label(assessed_on="2013-07"))

    assert count() == two


# What the preview says comes true


def stored_states(day: date) -> dict[str, str]:
    labels: Any = Label.objects.with_state(day)
    return dict(labels.values_list("public_id", "state"))


@pytest.mark.parametrize("day", ["2015-09-08", "2016-09-08", "2017-08-15", "2018-08-15"])
@pytest.mark.parametrize(
    "values",
    [
        {"first_months": 36, "renewal_months": 36},
        {"first_months": 12, "renewal_months": 6, "ends_at_month_end": False},
        {"renewal_window_months": 0},
        {"renewal_window_months": 30},
    ],
)
def test_preview_equals_what_the_rule_does(values: dict[str, Any], day: str) -> None:
    on = date.fromisoformat(day)
    for start in ("2013-07", "2014-12-31", "2015-01-01", "2015-07-14"):
        first = make_label(assessed_on=start)
        second = renewal_of(first, assessed_on="2016")
        renewal_of(second, assessed_on="2018")
        make_suspension(second, starts_on=date(2017, 8, 1))
    make_label(assessed_on="2015-07", transferred_on=date(2015, 8, 1))
    make_label(assessed_on="2015-07", is_published=False)
    rule = gold_rule(**values)
    found = preview_rule(rule, on).changes
    before = {label.public_id: label.effective_days for label in Label.objects.all()}
    states_before = stored_states(on)

    add_rule(rule)
    apply_rules(rule.level)

    after = {label.public_id: label.effective_days for label in Label.objects.all()}
    states_after = stored_states(on)
    assert {
        c.label.public_id: c.label.after
        for c in found
    } == {
        key: after[key]
        for key in after
        if before[key] != after[key] or states_before[key] != states_after[key]
    }  # fmt: skip
    assert states(found) == {
        c.label.public_id: (states_before[c.label.public_id], states_after[c.label.public_id])
        for c in found
    }


# What is refused


def refused(*options: str) -> str:
    with pytest.raises(CommandError) as error:
        run(*options)
    return str(error.value)


def test_preview_refuses_an_unknown_level() -> None:
    assert refused("--level", "platinum") == (
        "There is no level “platinum”; there are: bronze, silver, gold."
    )


def test_preview_refuses_a_second_rule_from_the_same_day() -> None:
    assert refused("--from", "2010-11-01") == "This level has a rule from that day already."


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--first-months", "0", "Ensure this value is greater than or equal to 1."),
        ("--renewal-months", "121", "Ensure this value is less than or equal to 120."),
        ("--renewal-window-months", "-1", "Ensure this value is greater than or equal to 0."),
        ("--minimum-score", "80.123", "Ensure that there are no more than 2 decimal places."),
    ],
)
def test_preview_refuses_values_out_of_range(option: str, value: str, message: str) -> None:
    assert refused(option, value).splitlines()[0] == f"{option}: {message}"


def test_preview_refuses_a_score_that_is_no_percentage() -> None:
    assert refused("--minimum-score", "101") == "A score lies between 0 and 100 percent."


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--minimum-score", "much", "'much' is not a number such as 82.5"),
        ("--on", "2015-13-01", "there is no month 13; write a day as 2015-09-08"),
        ("--from", "soon", "“soon” is not a day like 2015-07-14; write a day as 2015-09-08"),
    ],
)
def test_preview_refuses_what_it_cannot_read(option: str, value: str, message: str) -> None:
    assert refused(option, value) == f"Error: argument {option}: {message}"


def test_preview_refuses_a_rule_under_which_a_label_ends_before_it_starts() -> None:
    first = make_label(assessed_on="2015-07-14")
    second = renewal_of(first, assessed_on="2017-07-01", valid_until="2018-06-30")

    assert refused("--first-months", "36").splitlines() == [
        "The register would refuse this rule:",
        f"  Label {second.public_id} would end (2018-06-30) before it starts (2018-08-01).",
    ]


def test_preview_refuses_a_minimum_above_a_published_score() -> None:
    label = make_label(assessed_on="2015-07-14", score=Decimal(85))

    assert refused("--minimum-score", "90").splitlines() == [
        "The register would refuse this rule:",
        f"  Label {label.public_id} has a score of 85.00, under a minimum of 90.",
    ]


def test_preview_lets_the_past_keep_its_minimum() -> None:
    make_label(assessed_on="2014-07-14", score=Decimal(85))

    assert rows("--minimum-score", "90") == []


def test_preview_refuses_two_labels_in_force_at_once() -> None:
    cluster = make_cluster(name="bioPmed")
    first = make_label(cluster=cluster, assessed_on="2015-07-14")
    second = make_label(cluster=cluster, assessed_on="2017-09-01")

    assert refused("--first-months", "36").splitlines() == [
        "The register would refuse this rule:",
        "  bioPmed would have two labels of this level in force on 2017-09-01: "
        f"{first.public_id} and {second.public_id}.",
    ]


@pytest.mark.parametrize(
    "fields",
    [
        {"is_published": False},
        {"assessed_on": "2017-09"},
        {"revoked_on": date(2017, 9, 1), "revocation_reason": "Asked for it."},
    ],
)
def test_preview_compares_only_what_the_register_compares(fields: dict[str, Any]) -> None:
    cluster = make_cluster()
    label = make_label(cluster=cluster, assessed_on="2015-07-14")
    make_label(cluster=cluster, **{"assessed_on": "2017-09-01"} | fields)

    assert label.public_id in {row["label"] for row in rows("--first-months", "36")}
