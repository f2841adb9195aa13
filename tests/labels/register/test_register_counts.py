import json
from datetime import date
from io import StringIO
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command

from tests.factories import make_cluster, make_label, make_suspension, make_undated_label

pytestmark = pytest.mark.django_db

NONE = {
    "not_yet": 0, "valid": 0, "uncertain": 0, "renewable": 0, "expired": 0, "suspended": 0,
    "revoked": 0, "transferred": 0, "undated": 0,
}  # fmt: skip


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("register_counts", *arguments, stdout=out)
    return out.getvalue()


def counts(on: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run("--on", on, "--format", "json"))
    return found


def test_counts_of_an_empty_register() -> None:
    assert counts("2015-09-08") == {
        "on": "2015-09-08",
        "labels": {"bronze": NONE, "silver": NONE, "gold": NONE},
        "holders": {"bronze": 0, "silver": 0, "gold": 0},
        "possible_holders": {"bronze": 0, "silver": 0, "gold": 0},
    }


def test_counts_put_each_label_in_its_state() -> None:
    make_label(assessed_on="2016-01")
    make_label(assessed_on="2015-07")
    make_label(assessed_on="2013")
    make_label(assessed_on="2013-07")
    make_label(assessed_on="2012-01")
    suspended = make_label(assessed_on="2015-07")
    make_suspension(suspended, starts_on=date(2015, 8, 1))
    make_label(
        assessed_on="2015-07", revoked_on=date(2015, 9, 1), revocation_reason="Asked for it."
    )
    make_undated_label()
    make_label(assessed_on="2015-07", transferred_on=date(2015, 9, 1))
    make_label(level="silver", assessed_on="2014")

    found = counts("2015-09-08")

    assert found["labels"] == {
        "bronze": NONE,
        "silver": NONE | {"valid": 1},
        "gold": dict.fromkeys(NONE, 1),
    }
    assert found["holders"] == {"bronze": 0, "silver": 1, "gold": 1}
    assert found["possible_holders"] == {"bronze": 0, "silver": 0, "gold": 1}


def test_holder_of_two_valid_labels_counts_once() -> None:
    cluster = make_cluster()
    make_label(cluster=cluster, assessed_on="2014")
    make_label(cluster=cluster, assessed_on="2015-07")
    make_label(cluster=cluster, assessed_on="2015")

    found = counts("2015-09-08")

    assert (found["labels"]["gold"]["valid"], found["labels"]["gold"]["uncertain"]) == (2, 1)
    assert (found["holders"]["gold"], found["possible_holders"]["gold"]) == (1, 0)


def test_counts_leave_out_what_is_not_published() -> None:
    make_label(is_published=False)
    make_label(cluster=make_cluster(is_published=False))

    assert counts("2015-09-08")["labels"]["gold"] == NONE


def test_counts_are_of_today_without_a_day() -> None:
    with time_machine.travel("2015-09-08T22:30:00Z"):
        assert json.loads(run("--format", "json"))["on"] == "2015-09-09"


def test_counts_as_text() -> None:
    make_label(level="gold", assessed_on="2015-07")
    make_label(level="silver", assessed_on="2013")

    lines = run("--on", "2015-09-08").splitlines()

    assert lines[0] == ("Labels by state on 2015-09-08, and clusters that hold or may hold one")
    assert [line.split() for line in lines[1:]] == [
        ["level", *NONE, "holders", "possible"],
        ["bronze", *"00000000000"],
        ["silver", *"00100000001"],
        ["gold", *"01000000010"],
    ]
    assert len({len(line) for line in lines[1:]}) == 1


def test_day_that_does_not_exist_is_refused() -> None:
    with pytest.raises(CommandError, match="write a day as 2015-09-08"):
        run("--on", "2015-02-30")
