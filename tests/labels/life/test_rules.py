"""Changes of rules: proposed, looked at, approved; refused in words, and by the database."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction

from clusters.models import Account, Event, EventKind, Role
from clusters.triggers.definitions import dropping
from config.privacy.erasing import erase_address, find_address
from labels.life import rules as life
from labels.life.proposals import refuse_proposal
from labels.life.rules import read_scheme, scheme_of, tried_rules
from labels.models import Decision, DecisionState, Label, Level, LevelRule, RuleChange
from labels.models.rule_changes import written_by_the_portal
from labels.models.triggers import NO_RULE_CHANGE, ROWS
from tests.factories import DECIDED_AT, award_label, make_account, make_label, rules_may_change
from tests.factories import approve as approve_decision
from tests.mails import sent_mails
from tests.races import run_at_once

pytestmark = pytest.mark.django_db

REASON = "The board decided on it."
LATER = DECIDED_AT + timedelta(days=1)


def gold() -> Level:
    return Level.objects.get(pk="gold")


def rules() -> list[LevelRule]:
    return list(gold().rules.order_by("effective_from"))


def shorter(months: int = 12) -> list[LevelRule]:
    found = rules()
    found[0].first_months = months
    return found


def propose(
    wanted: list[LevelRule] | None = None, *, level: Level | None = None, by: Account | None = None
) -> RuleChange:
    return life.propose_rules(
        level or gold(),
        shorter() if wanted is None else wanted,
        reason=REASON,
        by=by or make_account(Role.LEAD),
        now=DECIDED_AT,
    )


def approve(change: RuleChange, by: Account | None = None) -> RuleChange:
    seen = tried_rules(change, now=LATER).digest
    return life.approve_rules(change, seen=seen, by=by or make_account(Role.LEAD), now=LATER)


def end_of(label: Label) -> date | None:
    return Label.objects.get(pk=label.pk).ends_on


def stored() -> Any:
    level = gold()
    return scheme_of(level, level.rules.all())


# Proposing and deciding


def test_change_is_proposed_and_nothing_happens() -> None:
    label = make_label()
    before = stored()

    change = propose()

    assert (change.state, change.needs_two) == (DecisionState.PROPOSED, True)
    assert (stored(), end_of(label)) == (before, date(2017, 7, 31))
    (row,) = change.prospect.preview.changes
    assert (row.label.public_id, row.label.after.ends_on) == (label.public_id, date(2016, 7, 31))


def test_somebody_else_approves_it_and_the_labels_follow() -> None:
    label = make_label()
    change = propose()
    lead = make_account(Role.LEAD)

    done = approve(change, by=lead)

    assert (done.state, done.decided_by, done.is_in_effect) == (DecisionState.MADE, lead, True)
    assert stored() == change.after
    assert end_of(label) == date(2016, 7, 31)
    assert rules()[0].history.latest().history_user == lead


def test_rules_are_added_changed_and_deleted_at_once() -> None:
    kept, *gone = rules()
    new = LevelRule(level=gold(), effective_from=date(2030, 1, 1), first_months=48)
    new.renewal_months, new.renewal_window_months, new.experts = 48, 6, 3
    kept.note_en = "Noted."

    approve(propose([kept, new]))

    assert [(rule.effective_from, rule.note_en, rule.experts) for rule in rules()] == [
        (kept.effective_from, "Noted.", kept.experts),
        (date(2030, 1, 1), "", 3),
    ]
    assert not LevelRule.objects.filter(pk__in=[rule.pk for rule in gone]).exists()


def test_rule_that_stays_as_it_is_gets_no_version() -> None:
    found = shorter()
    versions = [rule.history.count() for rule in found]

    approve(propose(found))

    assert [rule.history.count() for rule in found] == [versions[0] + 1, *versions[1:]]


def test_what_a_level_is_called_is_a_proposal_too() -> None:
    level = gold()
    level.name_en, level.rank, level.official_wording = "Platinum", 40, "PLATINUM LABEL"

    change = propose(rules(), level=level)

    assert gold().name_en == "Gold"
    approve(change)
    assert (gold().name_en, gold().rank, gold().official_wording) == (
        "Platinum",
        40,
        "PLATINUM LABEL",
    )


def test_nobody_approves_their_own() -> None:
    lead = make_account(Role.LEAD)
    change = propose(by=lead)

    with pytest.raises(ValidationError, match="somebody else has to approve it"):
        approve(change, by=lead)

    with pytest.raises(IntegrityError), transaction.atomic():
        RuleChange.objects.filter(pk=change.pk).update(
            state="made", decided_by=lead, decided_at=LATER
        )


def test_one_person_is_enough_where_the_setting_says_so(settings: Any) -> None:
    settings.REQUIRE_TWO_PERSONS = False
    label = make_label()

    change = propose()

    assert (change.state, change.is_in_effect) == (DecisionState.MADE, True)
    assert end_of(label) == date(2016, 7, 31)


def test_first_rules_of_a_new_level_take_one_person() -> None:
    names = {"name_en": "New", "name_it": "Nuovo", "official_wording": "NEW"}
    level = Level.objects.create(code="new", rank=9, **names)
    rule = shorter()[0]
    rule.pk, rule.level = None, level

    change = propose([rule], level=level)

    assert change.state == DecisionState.MADE
    assert level.rules.get().first_months == 12


def test_change_that_dates_nothing_anew_takes_two_as_well() -> None:
    found = rules()
    found[0].is_confirmed = not found[0].is_confirmed

    change = propose(found)

    assert change.needs_two
    assert change.prospect.preview.changes == []


# What is refused


def renamed(name: str) -> Level:
    level = gold()
    level.name_en = name
    return level


def test_proposal_without_a_change_is_refused() -> None:
    with pytest.raises(ValidationError, match="This changes nothing"):
        propose(rules())


def test_second_proposal_for_a_level_is_refused() -> None:
    propose()

    with pytest.raises(ValidationError, match="is waiting"):
        propose()
    assert RuleChange.objects.waiting().count() == 1


def test_rules_that_a_label_contradicts_are_refused_and_nothing_is_left() -> None:
    award_label(score=85)
    found = rules()
    for rule in found:
        rule.minimum_score = 90
    number = RuleChange.objects.count()

    with pytest.raises(ValidationError, match="under a minimum of 90"):
        propose(found)

    assert RuleChange.objects.count() == number
    assert RuleChange.history.filter(state="proposed").count() == 0


def test_rule_by_which_labels_count_stays() -> None:
    make_label()

    with pytest.raises(ValidationError, match="Labels count by the rule from 2010-11-01"):
        propose(rules()[1:])


def test_level_keeps_a_rule() -> None:
    with pytest.raises(ValidationError, match="A level needs a rule"):
        propose([])


def test_mistakes_in_a_field_are_refused() -> None:
    with pytest.raises(ValidationError) as caught:
        propose(shorter(0))

    assert "first_months" in caught.value.message_dict


def test_rank_of_another_level_is_refused() -> None:
    level = gold()
    level.rank = Level.objects.get(pk="bronze").rank

    with pytest.raises(ValidationError) as caught:
        propose(rules(), level=level)

    assert list(caught.value.message_dict) == ["rank"]


def test_proposal_needs_a_reason() -> None:
    with pytest.raises(ValidationError) as caught:
        life.propose_rules(gold(), shorter(), reason=" ", by=make_account(), now=DECIDED_AT)

    assert list(caught.value.message_dict) == ["reason"]


# Approved as it was seen


def new_label_of_the_level(change: RuleChange) -> None:
    make_label()


def other_reason(change: RuleChange) -> None:
    RuleChange.objects.filter(pk=change.pk).update(reason="Another one.")


def other_rules_wanted(change: RuleChange) -> None:
    after = change.after
    after["rules"][0]["first_months"] = "13"
    RuleChange.objects.filter(pk=change.pk).update(after=after)


def other_cluster_name(change: RuleChange) -> None:
    label = Label.objects.get()
    label.cluster.name = "Another name"
    label.cluster.save()


@pytest.mark.parametrize(
    "happens",
    [new_label_of_the_level, other_reason, other_rules_wanted, other_cluster_name],
    ids=lambda call: call.__name__,
)
def test_what_has_changed_since_is_looked_at_again(happens: Callable[[RuleChange], None]) -> None:
    make_label()
    change = propose()
    seen = tried_rules(change, now=LATER).digest
    happens(change)
    before = stored()

    with pytest.raises(ValidationError, match="Look at it again"):
        life.approve_rules(change, seen=seen, by=make_account(), now=LATER)

    assert stored() == before
    assert RuleChange.objects.get(pk=change.pk).state == DecisionState.PROPOSED


def test_unchanged_proposal_is_seen_the_same_twice() -> None:
    make_label()
    change = propose()

    assert tried_rules(change, now=LATER).digest == tried_rules(change, now=LATER).digest


def test_proposal_about_rules_that_changed_meanwhile_is_refused() -> None:
    change = propose()
    with rules_may_change():
        LevelRule.objects.filter(level="gold").update(experts=7)

    with pytest.raises(ValidationError, match="propose it anew"):
        tried_rules(change, now=LATER)


def test_change_is_decided_once() -> None:
    change = propose()
    approve(change)

    with pytest.raises(ValidationError, match="decided this already"):
        life.approve_rules(change, seen="", by=make_account(), now=LATER)


def test_refused_proposal_stays_with_its_word() -> None:
    before = stored()
    change = propose()

    refuse_proposal(change, answer="Not now.", by=make_account(), now=LATER)

    assert (stored(), RuleChange.objects.get(pk=change.pk).answer) == (before, "Not now.")
    propose()


# Who is told, and what is written down


def test_who_may_approve_is_told_and_who_proposed_gets_the_answer() -> None:
    lead, other, root = make_account(Role.LEAD), make_account(Role.LEAD), make_account()
    Account.objects.filter(pk=root.pk).update(is_superuser=True)
    make_account(Role.EDITOR)

    change = propose(by=lead)

    told = sent_mails()
    assert {one.to[0] for one in told} == {other.email, root.email}
    assert "Rules of Gold" in told[0].body
    assert "/admin/labels/rulechange/?whose=for-me" in told[0].body
    told.clear()

    refuse_proposal(change, answer="Not now.", by=other, now=LATER)

    (answer,) = sent_mails()
    assert (answer.to, "Not now." in answer.body) == ([lead.email], True)
    assert f"/admin/labels/rulechange/{change.pk}/change/" in str(answer.body)


def test_log_names_both_moments() -> None:
    lead, other = make_account(Role.LEAD), make_account(Role.LEAD)

    approve(propose(by=lead), by=other)

    kinds = (EventKind.RULES_PROPOSED, EventKind.RULES_DECIDED)
    assert [
        (event.kind, event.account, event.about, event.detail)
        for event in Event.objects.filter(kind__in=kinds).order_by("pk")
    ] == [
        (EventKind.RULES_PROPOSED, lead, None, "rules of gold"),
        (EventKind.RULES_DECIDED, other, lead, "made: rules of gold"),
    ]


# What the database holds, below the forms


def update_rule() -> None:
    LevelRule.objects.filter(level="gold").update(first_months=12)


def note_on_a_rule() -> None:
    LevelRule.objects.filter(level="gold").update(note_en="Other words.")


def confirm_a_rule() -> None:
    rule = rules()[0]
    rule.is_confirmed = not rule.is_confirmed
    rule.save()


def move_a_rule() -> None:
    LevelRule.objects.filter(pk=rules()[0].pk).update(
        level="bronze", effective_from=date(1999, 1, 1)
    )


def add_a_rule() -> None:
    rule = rules()[0]
    rule.pk, rule.effective_from = None, date(2040, 1, 1)
    rule.save()


def delete_a_rule() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM labels_levelrule WHERE id = %s", [rules()[-1].pk])


def rename_a_level() -> None:
    Level.objects.filter(pk="gold").update(name_en="Platinum")


def rerank_a_level() -> None:
    Level.objects.filter(pk="gold").update(rank=77)


def reword_a_level() -> None:
    Level.objects.filter(pk="gold").update(official_wording="Another")


WAYS = {
    update_rule: "rule_by_change_update",
    note_on_a_rule: "rule_by_change_update",
    confirm_a_rule: "rule_by_change_update",
    move_a_rule: "rule_by_change_update",
    add_a_rule: "rule_by_change_insert",
    delete_a_rule: "rule_by_change_delete",
    rename_a_level: "level_by_change",
    rerank_a_level: "level_by_change",
    reword_a_level: "level_by_change",
}
each_way = pytest.mark.parametrize("way", WAYS, ids=lambda call: call.__name__)


@each_way
def test_database_refuses_what_nobody_decided(way: Callable[[], None]) -> None:
    make_label()  # without one its rules may go
    before = stored()

    with pytest.raises(IntegrityError, match=NO_RULE_CHANGE), transaction.atomic():
        way()

    assert stored() == before


@each_way
def test_database_refuses_it_again_after_a_change_was_made(way: Callable[[], None]) -> None:
    """A change serves once; one that waits or was refused serves for nothing."""
    make_label()
    approve(propose())
    refuse_proposal(propose(shorter(13)), answer="No.", by=make_account(), now=LATER)
    propose(shorter(14))

    with pytest.raises(IntegrityError, match=NO_RULE_CHANGE), transaction.atomic():
        way()


@each_way
def test_without_its_trigger_the_database_refuses_nothing(way: Callable[[], None]) -> None:
    """So it is the trigger that the tests above are about."""
    vendor = connection.vendor
    (trigger,) = [
        definition
        for row in ROWS
        for definition in (row.on_sqlite() if vendor == "sqlite" else row.on_postgresql())
        if definition.name == WAYS[way]
    ]
    before = stored()
    with connection.cursor() as cursor:
        cursor.execute(dropping(trigger, vendor))

    way()

    assert stored() != before


def test_change_of_one_level_opens_no_other() -> None:
    other = Level.objects.get(pk="silver")

    with (
        pytest.raises(IntegrityError, match=NO_RULE_CHANGE),
        written_by_the_portal(other, reason=REASON, now=DECIDED_AT),
    ):
        update_rule()


@pytest.mark.parametrize(
    "columns",
    [
        {"reason": "x"},
        {"after": {}},
        {"before": {"a": 1}},
        {"level": "silver"},
        {"state": "refused"},
    ],
    ids=lambda columns: next(iter(columns)),
)
def test_what_was_decided_does_not_change(columns: dict[str, Any]) -> None:
    change = approve(propose())

    with pytest.raises(IntegrityError, match="does not change any more"), transaction.atomic():
        RuleChange.objects.filter(pk=change.pk).update(**columns)


def test_change_in_effect_is_not_used_again() -> None:
    change = approve(propose())

    with pytest.raises(IntegrityError, match="does not change any more"), transaction.atomic():
        RuleChange.objects.filter(pk=change.pk).update(is_in_effect=False)


def test_every_field_of_a_level_and_a_rule_is_of_a_change() -> None:
    """Also one that somebody adds tomorrow."""
    for model, about in ((Level, {"code"}), (LevelRule, {"id", "level"})):
        columns = {column.name for column in model._meta.concrete_fields}
        assert columns == {*life.scheme_fields(model)} | about


def test_scheme_is_read_as_it_was_written() -> None:
    written = stored()

    level, read = read_scheme(gold(), written)

    assert scheme_of(level, read) == written


# Erasing


def test_mention_of_an_address_is_erased_from_rules_and_changes() -> None:
    address = "person@example.org"
    found = rules()
    found[0].note_en = f"Ask {address}."
    level = renamed("Gold")
    level.process_en = f"Ask {address}."
    approve(propose(found, level=level))

    erase_address(address, now=LATER)

    assert find_address(address) == []
    assert rules()[0].note_en == "Ask [erased]."


# At the same moment


@pytest.mark.django_db(transaction=True)
def test_two_approve_at_once_and_one_of_them_does() -> None:
    label = make_label()
    change = propose()
    seen = tried_rules(change, now=LATER).digest
    people = [make_account(Role.LEAD), make_account(Role.LEAD)]

    def by(account: Account) -> Callable[[], Any]:
        return lambda: life.approve_rules(change, seen=seen, by=account, now=LATER)

    raised = run_at_once(*map(by, people))

    assert sorted(error is None for error in raised) == [False, True]
    assert Event.objects.filter(kind=EventKind.RULES_DECIDED).count() == 1
    assert end_of(label) == date(2016, 7, 31)


@pytest.mark.django_db(transaction=True)
def test_label_written_at_the_same_moment_has_the_days_of_the_rules() -> None:
    change = propose()
    seen = tried_rules(change, now=LATER).digest
    lead = make_account(Role.LEAD)

    def award() -> None:
        try:
            award_label(assessed_on="2015-07-01")
        except ValidationError:
            # The rules changed after it was proposed: whoever approves it looks at it again.
            approve_decision(Decision.objects.get())

    raised = run_at_once(lambda: life.approve_rules(change, seen=seen, by=lead, now=LATER), award)

    assert raised == [None, None]
    assert Decision.objects.get().state == DecisionState.MADE
    for label in Label.objects.filter(level="gold"):
        before = label.ends_on
        label.derive_days()
        assert label.ends_on == before
