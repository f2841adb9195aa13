"""A credential counts as revoked, for ever, once the register says something else.

The lists are fetched and read as a stranger does, with jwcrypto (see test_credentials).
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any
from unittest.mock import patch

import pytest
import time_machine
from django.db import IntegrityError, connections, transaction
from django.test import Client
from django.utils import timezone

from clusters.dates import PartialDate
from clusters.models import Cluster
from labels.life import steps as life
from labels.life.days import apply_rules
from labels.models import STATUS_PLACES, IssuedCredential, IssuingBody, Label, Level, LevelRule
from labels.proofs import status
from labels.proofs.credentials import CredentialFacts, Purpose, credential_facts
from labels.proofs.status import claims_about, places
from tests.factories import (
    change_label,
    delete_label,
    hide,
    in_effect,
    make_account,
    make_cluster,
    make_label,
    make_suspension,
    rules_may_change,
    update_label,
    update_labels,
    update_rules,
)
from tests.labels.proofs.test_credentials import (
    REVOCATION,
    SUSPENSION,
    address_of,
    biopmed,
    bit_at,
    claims_of,
    status_of,
    token_at,
    verified,
)
from tests.races import run_at_once

pytestmark = pytest.mark.django_db

TODAY = date(2015, 9, 8)
GOOD = {"revocation": 0, "suspension": 0}
WITHDRAWN = {"revocation": 1, "suspension": 0}


@pytest.fixture(autouse=True)
def _today() -> Iterator[None]:
    with time_machine.travel("2015-09-08T12:00Z", tick=False):
        yield


# What a credential says, and a way to change each part: past every step, form and signal


FULL = {
    "certificate_number": "G-1",
    "source": "https://example.org/list; Printed list, 2015",
    "assessed_on": "2015-07",
    "awarded_on": "2015-07-20",
}
# Its first day is computed: only then do its bounds stand in the text.
PRINTED_END = {**FULL, "assessed_on": None, "awarded_on": None, "valid_until": "2017-07-31"}


def updated(**values: Any) -> Callable[[Label], object]:
    return lambda label: update_label(label, **values)


def of_cluster(**values: Any) -> Callable[[Label], object]:
    return lambda label: Cluster.objects.filter(pk=label.cluster_id).update(**values)


def by_a_change(call: Callable[[Label], object]) -> Callable[[Label], object]:
    def change(label: Label) -> object:
        with rules_may_change():
            return call(label)

    return change


def of_level(**values: Any) -> Callable[[Label], object]:
    return by_a_change(lambda label: Level.objects.filter(pk=label.level_id).update(**values))


def of_body(**values: Any) -> Callable[[Label], object]:
    return lambda label: IssuingBody.objects.filter(labels=label).update(**values)


def of_rule(**values: Any) -> Callable[[Label], object]:
    return by_a_change(lambda label: LevelRule.objects.filter(labels=label).update(**values))


def saved(**values: Any) -> Callable[[Label], object]:
    def change(label: Label) -> object:
        for name, value in values.items():
            setattr(label, name, value)
        return change_label(label)

    return change


def extend(label: Label) -> object:
    now, by = timezone.now(), make_account()
    return in_effect(life.extend(label, until=date(2018, 1, 31), reason="Flooded.", by=by, now=now))


def take_over(label: Label) -> None:
    earlier = make_label(cluster=label.cluster, level="bronze")
    update_label(label, transferred_from=earlier)


WAYS: dict[str, tuple[dict[str, Any], Callable[[Label], object]]] = {
    "public_id": (FULL, updated(public_id="BCDFGHJK")),
    "certificate_number": (FULL, updated(certificate_number="G-2")),
    "cluster__public_id": (FULL, of_cluster(public_id="BCDFGHJK")),
    "cluster__name": (FULL, of_cluster(name="bioPmed Piemonte")),
    "level__code": (FULL, saved(level_id="bronze")),
    "level__name_en": (FULL, of_level(name_en="Golden")),
    "level__official_wording": (FULL, of_level(official_wording="Proven")),
    "level__process_en": (FULL, of_level(process_en="By two experts.")),
    "awarded_by__name": (FULL, of_body(name="Another Secretariat")),
    "awarded_by__short_name": (FULL, of_body(short_name="AS")),
    "source": (FULL, updated(source="https://example.org/other; Printed list, 2016")),
    "assessed_on": (FULL, saved(assessed_on=PartialDate.parse("2015-06"))),
    "awarded_on": (FULL, updated(awarded_on=PartialDate.parse("2015-07-21"))),
    "valid_until": (FULL, saved(valid_until=PartialDate.parse("2017-06-30"))),
    "extended_until": (FULL, extend),
    "transferred_on": (FULL, updated(transferred_on=date(2015, 10, 1))),
    "transferred_from_id": (FULL, take_over),
    "starts_on": (PRINTED_END, updated(starts_on=date(2015, 1, 1))),
    "certain_from": (FULL, updated(certain_from=date(2015, 8, 1))),
    "certain_until": (FULL, updated(certain_until=date(2017, 7, 30))),
    "ends_on": (FULL, updated(ends_on=date(2017, 8, 1))),
    "start_is_computed": (FULL, updated(start_is_computed=True)),
    "end_is_computed": (PRINTED_END, updated(end_is_computed=True, valid_until=None)),
    "rule__effective_from": (FULL, of_rule(effective_from=date(2010, 10, 1))),
    "rule__first_months": (FULL, of_rule(first_months=30)),
    "rule__renewal_months": (FULL, of_rule(renewal_months=30)),
    "rule__is_confirmed": (FULL, of_rule(is_confirmed=True)),
}

# What every credential of this portal says.
THE_SAME_OF_ALL = (
    "@context",
    "type",
    "issuer",
    "iss",
    "image.type",
    "credentialSubject.type",
    "credentialSubject.achievement.type",
    "credentialSubject.achievement.achievementType",
    "credentialSubject.achievement.criteria.id",
    "credentialSubject.identifier.0.type",
    "credentialSubject.identifier.0.hashed",
    "credentialSubject.identifier.0.identityType",
    "credentialSubject.identifier.1.type",
    "credentialSubject.identifier.1.hashed",
    "credentialSubject.identifier.1.identityType",
    "evidence.0.type",
    "evidence.0.name",
    "evidence.1.type",
    "evidence.1.name",
    "evidence.2.type",
    "evidence.2.name",
    "credentialStatus.0.type",
    "credentialStatus.0.statusPurpose",
    "credentialStatus.0.statusListCredential",
    "credentialStatus.1.type",
    "credentialStatus.1.statusPurpose",
    "credentialStatus.1.statusListCredential",
)


def full_label(fields: dict[str, Any]) -> Label:
    return biopmed(awarded_by=IssuingBody.objects.get(code="esca"), **fields)


def stored(label: Label) -> Label:
    return Label.objects.with_holder().with_certificate().get(pk=label.pk)


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Each text, number and flag of the claims, by its path."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for name, part in items:
        here = f"{path}.{name}" if path else str(name)
        if isinstance(part, dict | list):
            yield from leaves(part, here)
        else:
            yield here, part


def is_the_same_of_all(path: str) -> bool:
    return any(path == one or path.startswith(f"{one}.") for one in THE_SAME_OF_ALL)


def changed_leaves(before: dict[str, Any], after: dict[str, Any]) -> set[str]:
    said, says = dict(leaves(before)), dict(leaves(after))
    return {path for path in said if said[path] != says.get(path)}


def test_each_fact_of_a_credential_has_a_way_to_change() -> None:
    assert WAYS.keys() == set(CredentialFacts._fields)


@pytest.mark.parametrize("fact", WAYS)
def test_credential_that_says_something_else_is_withdrawn_for_ever(
    client: Client, fact: str
) -> None:
    fields, change = WAYS[fact]
    label = full_label(fields)
    facts, old = credential_facts(stored(label)), claims_of(client, label)
    assert status_of(client, old) == GOOD

    change(label)

    label = stored(label)
    assert getattr(credential_facts(label), fact) != getattr(facts, fact)
    assert status_of(client, old) == WITHDRAWN
    new = claims_of(client, label)
    assert status_of(client, old) == WITHDRAWN
    assert status_of(client, new) == GOOD
    places_told = {path for path in changed_leaves(old, new) if path.startswith("credentialStatus")}
    assert {path.split(".")[-1] for path in places_told} == {"id", "statusListIndex"}
    assert changed_leaves(old, new) > places_told


def test_each_part_of_the_claims_changes_in_one_of_these_ways(client: Client) -> None:
    """So nothing stands in them that could change while the place stays."""
    every: set[str] = set()
    moved: set[str] = set()
    for fields, change in WAYS.values():
        with transaction.atomic():
            label = full_label(fields)
            before = claims_of(client, label)
            change(label)
            moved |= changed_leaves(before, claims_of(client, stored(label)))
            every |= {path for path, _value in leaves(before)}
            transaction.set_rollback(True)

    assert every - moved == {path for path in every if is_the_same_of_all(path)}


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(updated(score="86.5"), id="score"),
        pytest.param(updated(announced_on=PartialDate.parse("2015-09")), id="announced"),
        pytest.param(updated(decided_here=False, days_are_exact=True), id="exact days"),
        pytest.param(
            of_cluster(slug="biopmed-piemonte", town="Colleretto"), id="address of a page"
        ),
        pytest.param(of_level(name_it="Oro!", process_it="Da due esperti."), id="Italian"),
        pytest.param(of_rule(renewal_window_months=6, note_en="Read again."), id="window"),
    ],
)
def test_what_a_credential_does_not_say_leaves_it_as_it_is(
    client: Client, change: Callable[[Label], object]
) -> None:
    """The control: not every write withdraws."""
    label = full_label(FULL)
    old = token_at(client, address_of(label))

    change(label)

    assert status_of(client, verified(client, old)) == GOOD
    assert token_at(client, address_of(label)) == old


def test_facts_are_the_same_from_a_row_and_from_a_query() -> None:
    label = full_label(FULL)
    [row] = Label.objects.filter(pk=label.pk).values_list(*CredentialFacts._fields)

    assert CredentialFacts._make(row) == credential_facts(stored(label))
    assert CredentialFacts._make(row).digest == credential_facts(stored(label)).digest


def test_gold_that_was_corrected_to_bronze_is_withdrawn(client: Client) -> None:
    label = biopmed()
    gold = claims_of(client, label)
    label.level_id = "bronze"

    in_effect(life.correct(label, reason="Mistyped.", by=make_account(), now=timezone.now()))
    label.refresh_from_db()

    assert gold["exp"] > timezone.now().timestamp()
    assert status_of(client, gold) == WITHDRAWN
    bronze = claims_of(client, label)
    assert bronze["credentialSubject"]["achievement"]["id"].endswith("#bronze")
    assert status_of(client, bronze) == GOOD


def test_rule_that_gives_other_days_withdraws_what_rests_on_it(client: Client) -> None:
    label, other = biopmed(), make_label(level="bronze")
    old, others = claims_of(client, label), claims_of(client, other)
    update_rules("gold", first_months=30)
    apply_rules(Level.objects.get(code="gold"))

    assert status_of(client, old) == WITHDRAWN
    assert status_of(client, others) == GOOD


def test_what_is_corrected_back_does_not_bring_the_first_credential_back(client: Client) -> None:
    label = biopmed(certificate_number="G-1")
    first = claims_of(client, label)
    updated(certificate_number="G-2")(label)
    second = claims_of(client, label)
    updated(certificate_number="G-1")(label)
    third = claims_of(client, label)

    assert [status_of(client, one) for one in (first, second, third)] == [
        WITHDRAWN,
        WITHDRAWN,
        GOOD,
    ]
    taken = {one["credentialStatus"][0]["statusListIndex"] for one in (first, second, third)}
    assert len(taken) == 3


@pytest.mark.parametrize("hidden", ["label", "cluster"])
def test_label_that_is_public_again_has_another_credential(client: Client, hidden: str) -> None:
    label = biopmed()
    first = claims_of(client, label)
    hide(label if hidden == "label" else label.cluster)
    assert status_of(client, first) == WITHDRAWN

    show = updated if hidden == "label" else of_cluster
    show(is_published=True)(label)

    assert status_of(client, first) == WITHDRAWN
    assert status_of(client, claims_of(client, label)) == GOOD


# The lists


def test_list_is_of_one_day_in_rome(client: Client) -> None:
    claims = verified(client, token_at(client, REVOCATION))

    assert (claims["validFrom"], claims["validUntil"]) == (
        "2015-09-08T00:00:00+02:00",
        "2015-09-09T00:00:00+02:00",
    )


def test_valid_label_is_on_no_list(client: Client) -> None:
    make_label(revoked_on=date(2015, 9, 1), revocation_reason="Withdrawn.")

    assert status_of(client, claims_of(client, biopmed())) == {"revocation": 0, "suspension": 0}


@pytest.mark.parametrize(
    ("now", "bit"),
    [
        pytest.param("2015-09-09T21:59:59Z", 0, id="evening before"),
        pytest.param("2015-09-09T22:00:00Z", 1, id="midnight in Rome"),
        pytest.param("2020-01-01T12:00:00Z", 1, id="for ever"),
    ],
)
def test_revoked_label_is_listed_from_its_day(client: Client, now: str, bit: int) -> None:
    label = biopmed(revoked_on=date(2015, 9, 10), revocation_reason="Withdrawn.")

    with time_machine.travel(now, tick=False):
        status = status_of(client, claims_of(client, label))

    assert status == {"revocation": bit, "suspension": 0}


@pytest.mark.parametrize(
    ("now", "bit"),
    [
        pytest.param("2015-09-09T21:59:59Z", 0, id="evening before"),
        pytest.param("2015-09-09T22:00:00Z", 1, id="first day"),
        pytest.param("2015-09-19T21:59:59Z", 1, id="last day"),
        pytest.param("2015-09-19T22:00:00Z", 0, id="reinstated"),
    ],
)
def test_suspended_label_is_listed_until_it_is_reinstated(
    client: Client, now: str, bit: int
) -> None:
    label = biopmed()
    make_suspension(label, starts_on=date(2015, 9, 10), ends_on=date(2015, 9, 20))

    with time_machine.travel(now, tick=False):
        status = status_of(client, claims_of(client, label))

    assert status == {"revocation": 0, "suspension": bit}


@pytest.mark.parametrize("hidden", ["label", "cluster", "deleted"])
def test_copies_of_a_withdrawn_label_count_as_revoked(client: Client, hidden: str) -> None:
    label = biopmed()
    copy = claims_of(client, label)
    if hidden == "deleted":
        delete_label(label)
    else:
        hide(label if hidden == "label" else label.cluster)

    assert status_of(client, copy) == {"revocation": 1, "suspension": 0}


def test_copies_of_a_label_whose_days_were_taken_back_count_as_revoked(client: Client) -> None:
    label = biopmed()
    copy = claims_of(client, label)
    label.assessed_on = None
    change_label(label)

    assert status_of(client, copy) == {"revocation": 1, "suspension": 0}


@pytest.mark.parametrize("hidden", ["label", "cluster"])
def test_what_was_never_public_leaves_no_trace(client: Client, hidden: str) -> None:
    claims_of(client, biopmed())
    before = [token_at(client, path) for path in (REVOCATION, SUSPENSION)]
    cluster = make_cluster(is_published=hidden != "cluster")
    label = make_label(cluster=cluster, is_published=hidden != "label")
    make_suspension(label, starts_on=date(2015, 8, 1), reason="Under review.")
    change_label(label, revoked_on=date(2015, 9, 1), revocation_reason="Withdrawn.")

    assert client.get(address_of(label)).status_code == 404
    assert IssuedCredential.objects.count() == 1
    assert [token_at(client, path) for path in (REVOCATION, SUSPENSION)] == before


@pytest.mark.parametrize("place", [0, STATUS_PLACES - 1])
def test_every_place_of_the_list_counts(client: Client, place: int) -> None:
    with drawn(place):
        claims = claims_of(client, biopmed())
    update_labels(is_published=False)

    assert claims["credentialStatus"][0]["statusListIndex"] == str(place)
    assert places(Purpose.REVOCATION, TODAY) == {place}
    assert status_of(client, claims) == WITHDRAWN


@contextmanager
def drawn(*numbers: int) -> Iterator[None]:
    """These are the next places that are drawn."""
    field = IssuedCredential._meta.get_field("status_index")
    with patch.object(field, "_get_default", iter(numbers).__next__):
        yield


def test_taken_place_is_drawn_again(client: Client) -> None:
    with drawn(7, 7, 7, 8):
        first, second = claims_of(client, biopmed()), claims_of(client, make_label())

    assert [one["credentialStatus"][0]["statusListIndex"] for one in (first, second)] == ["7", "8"]


def test_place_of_a_deleted_label_is_never_given_again(client: Client) -> None:
    label = biopmed()
    copy = claims_of(client, label)
    place = int(copy["credentialStatus"][0]["statusListIndex"])
    delete_label(label)

    with drawn(place, place + 1):
        claims_of(client, make_label())

    assert status_of(client, copy) == WITHDRAWN
    assert IssuedCredential.objects.count() == 2


@pytest.mark.parametrize(
    "write",
    [
        lambda rows: rows.update(is_withdrawn=False),
        lambda rows: rows.update(status_index=7),
        lambda rows: rows.update(digest="0" * 64),
        lambda rows: rows.delete(),
    ],
    ids=["brought back", "moved", "of something else", "deleted"],
)
def test_database_refuses_to_give_a_withdrawn_credential_back(
    client: Client, write: Callable[[Any], object]
) -> None:
    claims_of(client, biopmed())
    rows = IssuedCredential.objects.all()
    rows.update(is_withdrawn=True)

    with pytest.raises(IntegrityError, match="withdrawn for ever"), transaction.atomic():
        write(rows)


def test_list_costs_the_same_with_many_credentials(
    client: Client, django_assert_num_queries: Any
) -> None:
    for _ in range(3):
        label = make_label()
        claims_of(client, label)
        updated(source="Another.")(label)
        claims_of(client, make_label(revoked_on=date(2015, 9, 1), revocation_reason="Withdrawn."))

    with django_assert_num_queries(4):
        token_at(client, REVOCATION)
    with django_assert_num_queries(1):
        token_at(client, SUSPENSION)
    assert len(places(Purpose.REVOCATION, TODAY)) == 6


def test_unknown_list_is_not_found_in_words(client: Client) -> None:
    response = client.get("/labels/status/message.jwt")

    assert response.status_code == 404
    assert response.content.decode() == "there are lists of: revocation, suspension\n"


# At the same moment


Listed = tuple[int, dict[str, Any]]  # the number of the last change before it, and the list


def wording(number: int) -> str:
    return f"Wording {number}"


def change_wording(number: int) -> None:
    with rules_may_change():
        Level.objects.filter(code="gold").update(official_wording=wording(number))


def number_said(claims: dict[str, Any]) -> int:
    name: str = claims["credentialSubject"]["achievement"]["name"]
    return int(name.rpartition(" ")[2])


def wrongly_good(issued: list[dict[str, Any]], listed: list[Listed]) -> list[tuple[int, int]]:
    """What says something older than a list that does not withdraw it: of which change, and when.

    However long before or after the list it was issued.
    """
    return [
        (number_said(claims), last)
        for claims in issued
        for last, list_claims in listed
        if number_said(claims) < last
        and not bit_at(list_claims, int(claims["credentialStatus"][0]["statusListIndex"]))
    ]


def revocations() -> dict[str, Any]:
    client = Client()
    return verified(client, token_at(client, REVOCATION))


def in_another_thread(call: Callable[[], None]) -> None:
    def run() -> None:
        try:
            call()
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()


@contextmanager
def changed_meanwhile(listed: list[Listed]) -> Iterator[None]:
    """The label was read and has no place yet: somebody changes it, and a list is made."""
    take_place = status.take_place

    def change() -> None:
        change_wording(2)
        listed.append((2, revocations()))

    def take(label: Label, digest: str) -> None:
        if not listed:
            in_another_thread(change)
        take_place(label, digest)

    with patch.object(status, "take_place", take):
        yield


@pytest.mark.django_db(transaction=True)
def test_change_while_a_credential_is_issued_is_in_what_is_issued(client: Client) -> None:
    label = biopmed()
    change_wording(1)
    listed: list[Listed] = []

    with changed_meanwhile(listed):
        claims = claims_of(client, label)

    assert number_said(claims) == 2
    assert wrongly_good([claims], [*listed, (2, revocations())]) == []
    assert status_of(client, claims) == GOOD
    assert IssuedCredential.objects.filter(is_withdrawn=False).count() == 1


@pytest.mark.django_db(transaction=True)
def test_claims_read_before_the_place_was_taken_would_be_found_out(client: Client) -> None:
    """The control: the order that `label_with_place` keeps is needed."""
    label = biopmed()
    change_wording(1)
    listed: list[Listed] = []

    with changed_meanwhile(listed):
        read = stored(label)
        read.place = None
        status.take_place(read, credential_facts(read).digest)
        read.place = IssuedCredential.objects.get().status_index
        naive = claims_about(read)

    assert wrongly_good([naive], listed) == [(1, 2)]


@pytest.mark.django_db(transaction=True)
def test_no_list_leaves_out_what_was_issued_in_a_storm_of_changes(client: Client) -> None:
    label = biopmed()
    change_wording(0)
    issued: dict[str, dict[str, Any]] = {}
    listed: list[Listed] = []
    is_over = threading.Event()

    def change() -> None:
        try:
            for number in range(1, 13):
                known, end = len(issued), time.monotonic() + 3
                change_wording(number)
                listed.append((number, revocations()))
                # On a slow machine all changes would be over before anything is issued.
                while number < 5 and len(issued) == known and time.monotonic() < end:
                    time.sleep(0.01)
        finally:
            is_over.set()

    def issue() -> None:
        browser = Client()
        while not is_over.is_set():
            token = token_at(browser, address_of(label))
            issued[token] = verified(browser, token)

    assert run_at_once(change, issue, issue) == [None, None, None]

    last = claims_of(client, label)
    assert len(listed) == 12
    assert len(issued) > 3
    assert wrongly_good([*issued.values(), last], [*listed, (12, revocations())]) == []
    assert number_said(last) == 12
    assert status_of(client, last) == GOOD


@pytest.mark.django_db(transaction=True)
def test_first_credential_asked_for_by_many_at_once_is_one(client: Client) -> None:
    label = biopmed()
    found: list[str] = []

    run_at_once(*[lambda: found.append(token_at(Client(), address_of(label)))] * 4)

    assert len(found) == 4
    assert len(set(found)) == 1
    assert IssuedCredential.objects.count() == 1
