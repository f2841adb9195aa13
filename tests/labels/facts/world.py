"""What the ways to change a public label are tried on."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import models
from django.test import Client

from clusters.dates import PartialDate
from clusters.models import Account, Cluster, Organisation, Role
from labels.life import steps as life
from labels.models import Decision, IssuingBody, Label, Level, Suspension
from labels.models.labels import facts_of_a_label
from tests.admin_tables import client_of
from tests.factories import (
    DECIDED_AT,
    in_effect,
    make_account,
    make_cluster,
    make_label,
    make_organisation,
)

# Every fact of a label is one that one person alone may correct, or takes two.
ALONE = frozenset({"source", "certificate_number"})


@dataclass(frozen=True)
class World:
    gold: Label
    silver: Label
    suspended: Label  # since 1 October 2026
    reinstated: Label  # on 1 November 2026
    annulled: Label  # a suspension from Christmas on, which was taken back
    earlier: Label  # of the cluster of the Gold
    cluster: Cluster
    organisation: Organisation
    editor: Account
    lead: Account
    clients: dict[int, Client]
    to_annul: Decision  # a suspension of the Silver from Christmas on

    def client(self, account: Account) -> Client:
        return self.clients[account.pk]

    @property
    def labels(self) -> list[Label]:
        return [self.gold, self.silver, self.suspended, self.reinstated, self.annulled]


def make_world() -> World:
    editor, lead = make_account(Role.EDITOR), make_account(Role.LEAD)
    holder = make_cluster()
    earlier = make_label(cluster=holder, assessed_on="2020-01-10", valid_until="2022-01-31")
    gold = make_label(
        cluster=holder,
        managing_organisation=make_organisation(),
        assessed_on="2026-03-10",
        kind="renewal",
        source="A list.",
        certificate_number="A-1",
    )
    silver = make_label(
        level="silver",
        assessed_on="2026-03-10",
        benchmarked_on="2023-05",
        areas_of_improvement="Strategy",
    )
    suspended, reinstated, annulled = (make_label(assessed_on="2026-03-10") for _ in range(3))
    since = date(2026, 10, 1)
    for label in (suspended, reinstated):
        step(life.suspend, label, on=since)
    step(life.reinstate, reinstated, on=date(2026, 11, 1))
    step(life.annul, step(life.suspend, annulled, on=date(2026, 12, 24)))
    return World(
        gold=gold,
        silver=silver,
        suspended=suspended,
        reinstated=reinstated,
        annulled=annulled,
        earlier=earlier,
        cluster=make_cluster(),
        organisation=make_organisation(),
        editor=editor,
        lead=lead,
        clients={account.pk: client_of(account) for account in (editor, lead)},
        to_annul=step(life.suspend, silver, on=date(2026, 12, 24)),
    )


def step(take: Any, about: Any, **details: Any) -> Decision:
    """Taken by one and approved by another."""
    given = {"reason": "For the test.", "by": make_account(), "now": DECIDED_AT}
    return in_effect(take(about, **given | details))


def others(world: World) -> dict[str, tuple[Label, Any]]:
    """By fact, a label and another value that it may have; a new fact wants one here."""
    gold, silver = world.gold, world.silver
    return {
        "certificate_number": (gold, "B-2"),
        "cluster": (gold, world.cluster),
        "managing_organisation": (gold, world.organisation),
        "level": (gold, Level.objects.get(code="bronze")),
        "kind": (gold, "first"),
        "renews": (gold, world.earlier),
        "assessed_on": (gold, PartialDate(2026, 4, 10)),
        "awarded_on": (gold, PartialDate(2026, 3, 20)),
        "announced_on": (gold, PartialDate(2026, 4)),
        "valid_until": (gold, PartialDate(2027, 12, 31)),
        "extended_until": (gold, date(2029, 12, 31)),
        "awarded_by": (gold, IssuingBody.objects.latest("pk")),
        "score": (gold, Decimal("88.00")),
        "benchmarked_on": (silver, PartialDate(2024, 5)),
        "areas_of_improvement": (silver, "Financing"),
        "source": (gold, "Another list."),
        "revoked_on": (gold, date(2026, 11, 1)),
        "revocation_reason": (gold, "Wrong facts."),
        "transferred_on": (gold, date(2026, 11, 1)),
        "transferred_from": (gold, world.earlier),
        "is_published": (gold, False),
    }


def other_suspensions(world: World) -> dict[str, tuple[Suspension, Any]]:
    return {
        "label": (world.suspended.suspensions.get(), world.gold),
        "starts_on": (world.suspended.suspensions.get(), date(2026, 9, 1)),
        "ends_on": (world.suspended.suspensions.get(), date(2026, 11, 1)),
        "reason": (world.suspended.suspensions.get(), "Another reason."),
    }


def other_ended_suspensions(world: World) -> dict[str, tuple[Suspension, Any]]:
    ended = world.reinstated.suspensions.get
    return {
        "label": (ended(), world.gold),
        "starts_on": (ended(), date(2026, 9, 1)),
        "ends_on": (ended(), None),
        "reason": (ended(), "Another reason."),
    }


def columns_of(model: type[models.Model]) -> set[str]:
    """What somebody may say of a row: all but its key."""
    return {column.name for column in model._meta.concrete_fields if not column.primary_key}


def facts_stored() -> dict[Any, Any]:
    """All that the register says of its public labels, the derived days as well."""
    passing = {"decision", "normal_certificate_number"}
    columns = [c.attname for c in Label._meta.concrete_fields if c.name not in passing]
    labels = {row["id"]: row for row in Label.objects.filter(is_published=True).values(*columns)}
    suspensions = list(Suspension.objects.order_by("pk").values_list())
    clusters = list(Cluster.objects.order_by("pk").values_list("pk", "is_published"))
    return labels | {"suspensions": suspensions, "clusters": clusters}


def changed(before: dict[Any, Any]) -> set[str]:
    """The names of what is stored otherwise by now; `deleted` where a label is gone."""
    after, found = facts_stored(), set()
    for key, was in before.items():
        now = after.get(key)
        if was != now and isinstance(was, dict):
            found |= {name for name in was if now and was[name] != now[name]} or {"deleted"}
        elif was != now:
            found.add(str(key))
    if after.keys() - before.keys():
        found.add("added")
    return {name.removesuffix("_id") for name in found}


def facts() -> list[str]:
    return [fact.name for fact in facts_of_a_label()]
