"""Every state is named, marked and told wherever one is shown; only what is valid shines."""

import re
from datetime import date
from pathlib import Path
from typing import get_args

import pytest
from django.conf import settings
from django.template.loader import render_to_string

from clusters.api.parts import StateOnDay
from labels.models import STATE_NAMES, Label
from labels.proofs.seal import status_of
from labels.validity import State
from tests.factories import make_label, make_suspension, make_undated_label, transfer_label

ROOT = Path(settings.BASE_DIR)
STYLES = (ROOT / "static/portal.css").read_text()
DAY = date(2015, 9, 8)


def label_in(state: State) -> Label:
    """A label in the state on 8 September 2015."""
    if state == State.UNDATED:
        label = make_undated_label()
    elif state == State.REVOKED:
        label = make_label(revoked_on=DAY, revocation_reason="A reason.")
    elif state == State.TRANSFERRED:
        label = make_label()
        transfer_label(label, on=DAY)
    elif state == State.SUSPENDED:
        label = make_label()
        make_suspension(label, starts_on=DAY, reason="Under review.")
    else:
        assessed = {
            State.NOT_YET: "2015-10", State.VALID: "2015-07", State.UNCERTAIN: "2015-09",
            State.RENEWABLE: "2013-07", State.EXPIRED: "2012-07",
        }  # fmt: skip
        label = make_label(assessed_on=assessed[state])
    return Label.objects.with_succession().get(pk=label.pk)


@pytest.mark.parametrize("state", State)
def test_state_has_a_name_of_its_own(state: State) -> None:
    assert str(STATE_NAMES[state])
    assert [one for one in State if STATE_NAMES[one] == STATE_NAMES[state]] == [state]


def mark(state: State) -> str:
    """The form of the mark before its name; empty for the full disc."""
    return "".join(re.findall(rf"\.state\.is-{state}::before {{(.+?)}}", STYLES))


@pytest.mark.parametrize("state", State)
def test_state_has_a_mark_of_its_own(state: State) -> None:
    colours = re.findall(r"^ *((?:\.is-\w+(?:, )?)+) { --tone: var\(--\w+\); }", STYLES, re.M)

    assert f".is-{state}" in ", ".join(colours).split(", ")
    assert [one for one in State if mark(one) == mark(state)] == [state]


@pytest.mark.django_db
@pytest.mark.parametrize("state", State)
def test_seal_has_words_for_the_state(state: State) -> None:
    label = label_in(state)

    assert label.state_on(DAY) == state
    words = status_of(label, DAY)
    assert words
    assert "%(" not in words
    assert ("until" in words) == (state == State.VALID)


def test_api_names_every_state() -> None:
    assert get_args(StateOnDay) == tuple(State)


# These show a level, not a label of it.
WITHOUT_STATE = {
    "clusters/programme_compare.html",
    "labels/_counts.html",
    "labels/_rules.html",
    "labels/label_scheme.html",
}
INCLUDED = re.compile(r'{%\s*include\s+"components/level\.html"(.*?)%}', re.S)
EMBLEMS = {
    path.relative_to(ROOT / "templates").as_posix(): found
    for path in sorted((ROOT / "templates").rglob("*.html"))
    if (found := INCLUDED.findall(path.read_text()))
}


@pytest.mark.parametrize("template", EMBLEMS)
def test_emblem_of_a_label_is_told_its_state(template: str) -> None:
    told = ["state=" in variables for variables in EMBLEMS[template]]

    assert told == [template not in WITHOUT_STATE] * len(told)


def test_emblem_is_drawn_by_one_component() -> None:
    drawn = {
        path.relative_to(ROOT / "templates").as_posix()
        for path in (ROOT / "templates").rglob("*.html")
        if re.search(r'class="disc\b', path.read_text())
    }

    # The page about the portal explains the three levels in words of its own.
    assert drawn == {"components/level.html", "about.html"}
    assert EMBLEMS.keys() >= WITHOUT_STATE


@pytest.mark.django_db
@pytest.mark.parametrize("state", State)
def test_emblem_shines_only_for_what_is_valid(state: State) -> None:
    label = label_in(state)
    for look in ({}, {"big": True}, {"url": "/"}):
        context = {"level": label.level, "state": label.state_on(DAY).value, **look}
        emblem = render_to_string("components/level.html", context)

        assert ("is-hollow" not in emblem) == (state == State.VALID)
