"""Random lives of labels over a few clusters, beside a notebook that reckons for itself.

The notebook knows calendars and rules by heart and uses nothing of the portal's arithmetic.
"""

import calendar
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from clusters.dates import PartialDate
from clusters.models import Account, Cluster
from clusters.models.history import came_from
from labels.life import steps as life
from labels.life.days import apply_rules
from labels.life.proposals import refuse_proposal
from labels.life.refusals import steps_open
from labels.models import Decision, DecisionKind, DecisionState, Label, Level, LevelRule, Suspension
from labels.validity import State
from tests.factories import add_rule, approve, left_to_the_database, make_account, make_cluster

pytestmark = pytest.mark.django_db

LEVELS = ("gold", "bronze")
LIVES = 18
STEPS_IN_A_LIFE = 20
NEW_RULES = "new rules"
# The step "decide" does it; what else is proposed is approved at once.
DECIDED_LATER = (DecisionKind.AWARD, DecisionKind.RENEWAL, DecisionKind.REVOCATION)
FIRST_DAY = date(2017, 1, 1)

# From one day to the next, in the register as it stands.
MAY_BECOME = {
    State.NOT_YET: {State.VALID, State.UNCERTAIN, State.SUSPENDED, State.REVOKED},
    State.UNCERTAIN: {
        State.VALID,
        State.SUSPENDED,
        State.RENEWABLE,
        State.EXPIRED,
        State.REVOKED,
        State.TRANSFERRED,
    },
    State.VALID: {
        State.UNCERTAIN,
        State.SUSPENDED,
        State.RENEWABLE,
        State.EXPIRED,
        State.REVOKED,
        State.TRANSFERRED,
    },
    State.SUSPENDED: {
        State.VALID,
        State.UNCERTAIN,
        State.RENEWABLE,
        State.EXPIRED,
        State.REVOKED,
        State.TRANSFERRED,
    },
    State.RENEWABLE: {State.EXPIRED, State.REVOKED},
    State.EXPIRED: {State.RENEWABLE, State.REVOKED},
    State.REVOKED: set(),
    State.TRANSFERRED: set(),
}


# The notebook


def months_later(day: date, months: int, *, to_the_end: bool) -> date:
    """Month by month, as one counts on the fingers."""
    year, month = day.year, day.month
    for _each in range(months):
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
    last = 29 if month == 2 and calendar.isleap(year) else (28 if month == 2 else 30)
    last = 31 if month in (1, 3, 5, 7, 8, 10, 12) else last
    return date(year, month, last if to_the_end or day.day > last else day.day)


@dataclass(frozen=True)
class NotedRule:
    since: date
    first: int
    renewal: int
    to_the_end: bool
    window: int


@dataclass
class Noted:
    """What one would write on a card for a label."""

    level: str
    assessed: date | None = None
    is_month: bool = False
    renews: "Noted | None" = None
    given: "Noted | None" = None
    transferred: date | None = None
    extended: date | None = None
    revoked: date | None = None
    kept: "NotedDays | None" = None

    def days(self, rules: dict[str, list[NotedRule]]) -> "NotedDays":
        if self.kept:
            return self.kept
        starts, ends = zip(*self.lives(rules), strict=True)
        last = max(ends)
        renewable = months_later(last, rule_of(last, rules[self.level]).window, to_the_end=False)
        return min(starts), max(starts), min(ends), last, renewable

    def lives(self, rules: dict[str, list[NotedRule]]) -> Iterator[tuple[date, date]]:
        """First and last day, for each day on which it may have begun."""
        if self.given:
            assert self.given.transferred
            for end in self.given.days(rules)[2:4]:
                yield self.given.transferred, self.extended or end
        elif self.renews:
            for end_before in each_day(*self.renews.days(rules)[2:4]):
                starts = end_before + timedelta(days=1)
                rule = rule_of(starts, rules[self.level])
                end = months_later(end_before, rule.renewal, to_the_end=rule.to_the_end)
                yield starts, self.extended or end
        else:
            assert self.assessed
            first = last = self.assessed
            if self.is_month:
                first = first.replace(day=1)
                last = months_later(first, 0, to_the_end=True)
            for starts in each_day(first, last):
                rule = rule_of(starts, rules[self.level])
                end = months_later(starts, rule.first, to_the_end=rule.to_the_end)
                yield starts, self.extended or end


def each_day(first: date, last: date) -> Iterator[date]:
    while first <= last:
        yield first
        first += timedelta(days=1)


# Possible from, certain from, certain until, possible until, renewable until.
NotedDays = tuple[date, date, date, date, date]


def rule_of(day: date, rules: list[NotedRule]) -> NotedRule:
    return max((rule for rule in rules if rule.since <= day), key=lambda rule: rule.since)


# The lives


@dataclass
class Register:
    """The clusters with everything that was done; `taken` counts the steps that were allowed."""

    clusters: list[Cluster]
    people: list[Account]
    rules: dict[str, list[NotedRule]]
    today: date = FIRST_DAY
    cards: dict[int, Noted] = field(default_factory=dict)
    waiting: list[Decision] = field(default_factory=list)
    taken: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    reasons: set[str] = field(default_factory=set)
    number: int = 0

    @property
    def now(self) -> datetime:
        noon = datetime.min.replace(hour=12).time()
        return datetime.combine(self.today, noon, timezone.get_default_timezone())

    def step(self, take: Callable[..., Decision], *about: Any, **details: Any) -> Decision | None:
        """None where the register refuses; a reason of its own for every step."""
        self.number += 1
        reason = f"step {self.number}"
        try:
            decision = take(*about, reason=reason, by=self.people[0], now=self.now, **details)
        except ValidationError:
            self.refused[take.__name__] += 1
            return None
        self.reasons.add(reason)
        if decision.kind in DECIDED_LATER:
            self.waiting.append(decision)
        elif decision.state == DecisionState.PROPOSED:
            decision = approve(decision, by=self.people[1], now=self.now)
            self.taken[decision.kind] += 1
        else:
            self.taken[decision.kind] += 1
        return decision

    def label(self, number: int) -> Label | None:
        public = Label.objects.filter(is_published=True).order_by("-pk")
        return public[number % len(public)] if public else None


def award(register: Register, pick: int, number: int) -> None:
    level, is_month = LEVELS[pick % 5 == 0], pick % 4 == 3
    day = register.today - timedelta(days=number % 90)
    label = Label(
        cluster=register.clusters[pick % 2],
        level_id=level,
        assessed_on=PartialDate(day.year, day.month) if is_month else PartialDate.from_date(day),
        source="example.org" if is_month else "",
    )
    if register.step(life.award, label, is_recorded=is_month):
        register.cards[label.pk] = Noted(level, assessed=day, is_month=is_month)


def annul(register: Register, pick: int, number: int) -> None:
    """What was decided last on a label: an extension, as nothing else lies between."""
    made = Decision.objects.made().filter(kind=DecisionKind.EXTENSION)
    label = register.label(pick)
    decision = made.filter(label=label).order_by("pk").last() if label else None
    if label is None or decision is None:
        return
    before = decision.changes["extended_until"][0]
    if register.step(life.annul, decision):
        register.cards[label.pk].extended = before and date.fromisoformat(before)


def decide(register: Register, pick: int, number: int) -> None:
    if not register.waiting:
        return
    decision = register.waiting.pop(pick % len(register.waiting))
    card = register.cards[decision.label_id]
    if number % 6 == 0:
        refuse_proposal(decision, answer="No.", by=register.people[1], now=register.now)
        register.taken["refusal"] += 1
        return
    try:
        approve(decision, by=register.people[1], now=register.now)
    except ValidationError:
        register.refused["approve"] += 1
        return
    register.taken[decision.kind] += 1
    if decision.kind == DecisionKind.REVOCATION:
        card.kept, card.revoked = card.days(register.rules), decision.takes_effect_on


def renew(register: Register, pick: int, number: int) -> None:
    earlier = register.label(pick)
    if earlier is None:
        return
    assert earlier.ends_on
    near_the_end = max(register.today, earlier.ends_on) + timedelta(days=number % 500 - 100)
    label = Label(assessed_on=PartialDate.from_date(near_the_end))
    if register.step(life.renew, earlier, label):
        card = register.cards[earlier.pk]
        register.cards[label.pk] = Noted(card.level, assessed=near_the_end, renews=card)


def extend(register: Register, pick: int, number: int) -> None:
    label = register.label(pick)
    if label is None:
        return
    assert label.ends_on
    until = label.ends_on + timedelta(days=number % 200 - 10)
    if register.step(life.extend, label, until=until):
        register.cards[label.pk].extended = until


def suspend(register: Register, pick: int, number: int) -> None:
    label = register.label(pick)
    if label is not None:
        offered = DecisionKind.SUSPENSION in steps_open(label, register.today)
        assert offered == bool(register.step(life.suspend, label, on=register.today))


def reinstate(register: Register, pick: int, number: int) -> None:
    suspension = Suspension.objects.filter(ends_on=None).order_by("pk").last()
    label = suspension.label if suspension and pick % 4 else register.label(pick)
    if label is not None:
        offered = DecisionKind.REINSTATEMENT in steps_open(label, register.today)
        day = register.today + timedelta(days=1)
        assert offered == bool(register.step(life.reinstate, label, on=day))


def revoke(register: Register, pick: int, number: int) -> None:
    label = register.label(pick)
    if label is not None:
        on = register.today + timedelta(days=number % 200 - 100)
        offered = DecisionKind.REVOCATION in steps_open(label, register.today)
        is_in_time = label.starts_on is not None and on >= label.starts_on
        assert (offered and is_in_time) == bool(register.step(life.revoke, label, on=on))


def transfer(register: Register, pick: int, number: int) -> None:
    label = register.label(pick)
    if label is None:
        return
    target = register.clusters[number % 3]
    if register.step(life.transfer_label, label, on=register.today, cluster=target):
        card = register.cards[label.pk]
        card.transferred = register.today
        successor = Label.objects.get(transferred_from=label)
        register.cards[successor.pk] = Noted(card.level, given=card, extended=card.extended)


def correct(register: Register, pick: int, number: int) -> None:
    label = register.label(pick)
    if label is None:
        return
    card = register.cards[label.pk]
    day = (card.assessed or FIRST_DAY) + timedelta(days=number % 300 - 150)
    is_month = card.is_month
    label.assessed_on = PartialDate(day.year, day.month) if is_month else PartialDate.from_date(day)
    if register.step(life.correct, label):
        card.assessed = day


def new_rules(register: Register, pick: int, number: int) -> None:
    level = LEVELS[pick % 2]
    since = register.today - timedelta(days=number - 250)
    if any(rule.since == since for rule in register.rules[level]):
        return
    noted = NotedRule(since, 18 + pick, 12 + number % 30, number % 3 > 0, 6 + pick)
    try:
        with transaction.atomic(), came_from(NEW_RULES):
            add_rule(
                LevelRule(
                    level_id=level,
                    effective_from=since,
                    first_months=noted.first,
                    renewal_months=noted.renewal,
                    ends_at_month_end=noted.to_the_end,
                    renewal_window_months=noted.window,
                    experts=1,
                )
            )
            apply_rules(Level.objects.get(pk=level))
    except ValidationError:
        register.refused[NEW_RULES] += 1
        return
    register.taken[NEW_RULES] += 1
    register.rules[level].append(noted)


STEPS = {
    step.__name__: step
    for step in (
        award,
        decide,
        renew,
        extend,
        suspend,
        reinstate,
        revoke,
        transfer,
        correct,
        annul,
        new_rules,
    )
}
OFTEN = [*STEPS, *["award", "renew", "suspend", "reinstate"] * 2, *["decide"] * 6, "extend"]
DAYS_BETWEEN = (0, 1, 10, 40, 200)


def steps_of(seed: int) -> Iterator[tuple[str, int, int, int]]:
    """A step, two numbers for it to choose by, and the days since the one before."""
    chance = Random(seed)  # noqa: S311 (no secret)
    yield "award", 0, 0, 1
    yield "decide", 0, 1, 200
    for _each in range(STEPS_IN_A_LIFE):
        name = chance.choice(OFTEN)
        yield name, chance.randrange(7), chance.randrange(500), chance.choice(DAYS_BETWEEN)


def noted_rules() -> dict[str, list[NotedRule]]:
    found: dict[str, list[NotedRule]] = {level: [] for level in LEVELS}
    for rule in LevelRule.objects.filter(level__in=LEVELS):
        found[rule.level_id].append(
            NotedRule(
                rule.effective_from,
                rule.first_months,
                rule.renewal_months,
                rule.ends_at_month_end,
                rule.renewal_window_months,
            )
        )
    return found


# What holds at the end of every life


def assert_days_follow_the_rules(register: Register) -> None:
    for label in Label.objects.all():
        assert label.effective_days == register.cards[label.pk].days(register.rules), label


def assert_states_are_in_order(register: Register) -> None:
    labels = list(Label.objects.with_succession().order_by("pk"))
    before: dict[int, State] = {}
    for day in boundary_days(labels):
        in_sql = {label.pk: label.state for label in Label.objects.with_state(day)}
        states = {label.pk: label.state_on(day) for label in labels}
        assert in_sql == {pk: state.value for pk, state in states.items()}, day
        assert_one_in_force([label for label in labels if states[label.pk] in IN_FORCE])
        for label in labels:
            was, now = before.get(label.pk, State.NOT_YET), states[label.pk]
            assert was == now or now in MAY_BECOME[was], (label, day, was, now)
            if (was, now) == (State.EXPIRED, State.RENEWABLE):
                assert day in {suspension.ends_on for suspension in label.suspensions.all()}
            if was in (State.VALID, State.UNCERTAIN) and now == State.EXPIRED:
                assert label.taken_over_on is not None
                assert label.taken_over_on <= day
        before = states


IN_FORCE = (State.VALID, State.UNCERTAIN, State.SUSPENDED)


def boundary_days(labels: list[Label]) -> list[date]:
    days: set[date | None] = set()
    for label in labels:
        days |= {*label.effective_days, label.revoked_on, label.transferred_on}
        for suspension in label.suspensions.all():
            days |= {suspension.starts_on, suspension.ends_on}
    return sorted({near + timedelta(days=by) for near in days if near for by in (-1, 0, 1)})


def assert_one_in_force(labels: list[Label]) -> None:
    exact = [label for label in labels if label.is_published and label.days_are_exact]
    pairs = Counter((label.cluster_id, label.level_id) for label in exact)
    assert all(number == 1 for number in pairs.values()), exact


def assert_history_explains_each_change(register: Register) -> None:
    decisions = Decision.objects.made()
    made = sum(register.taken[kind] for kind in DecisionKind.values)
    assert decisions.count() == made
    reasons = set(decisions.values_list("reason", flat=True))
    assert len(reasons) == made
    public = Label.history.filter(is_published=True)
    told = set(public.values_list("history_change_reason", flat=True))
    assert told <= reasons | {NEW_RULES}
    about_dates = (DecisionKind.SUSPENSION, DecisionKind.REINSTATEMENT)
    for decision in decisions:
        versions: Any = Label.history.filter(id=decision.label_id)
        if decision.kind in about_dates:
            versions = Suspension.history.filter(label=decision.label_id)
        found = versions.filter(history_change_reason=decision.reason)
        assert found.exists(), decision
        assert all(version.history_user_id for version in found)
    published = set(Label.objects.filter(is_published=True).values_list("pk", flat=True))
    awards = decisions.filter(kind__in=(DecisionKind.AWARD, DecisionKind.RENEWAL))
    awarded = set(awards.values_list("label", flat=True))
    taken_over = Label.objects.filter(transferred_from__isnull=False)
    assert published == awarded | set(taken_over.values_list("pk", flat=True))


def test_any_life_of_labels() -> None:
    people = [make_account(), make_account()]
    clusters = [make_cluster() for _each in range(3)]
    taken: Counter[str] = Counter()

    # A smaller seed is no simpler life, so there is nothing to shrink.
    @settings(max_examples=LIVES, phases=[Phase.generate])
    @given(seed=st.integers(0, 10**9))
    def live(seed: int) -> None:
        with transaction.atomic(), left_to_the_database():
            register = Register(clusters, people, noted_rules())
            for name, pick, number, days in steps_of(seed):
                register.today += timedelta(days=days)
                STEPS[name](register, pick, number)
            assert_days_follow_the_rules(register)
            assert_states_are_in_order(register)
            assert_history_explains_each_change(register)
            taken.update(register.taken)
            taken.update({f"refused {name}": n for name, n in register.refused.items()})
            transaction.set_rollback(True)

    live()

    expected = {*DecisionKind.values, NEW_RULES, "refusal", "refused approve", "refused renew"}
    assert expected <= taken.keys(), taken
