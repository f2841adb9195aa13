"""Holes, each made on purpose: what somebody may one day forget, and the check that finds it."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest
from django.contrib import admin
from django.core import management
from django.db import connection, models
from django.urls import clear_url_caches, path

import config.urls
from clusters.triggers.definitions import dropping
from clusters.triggers.guards import Guard
from labels.admin.labels import LabelAdmin
from labels.importing.resources import LabelResource
from labels.life import days, effects, proposals, steps
from labels.models import Decision, Label
from labels.models import labels as models_of_labels
from labels.models import triggers as guards
from labels.models.labels import CORRECTED_ALONE, NO_FACTS, facts_of_a_label
from tests.factories import made_decision
from tests.labels.facts import paths, ways
from tests.labels.facts.world import World

Patch = pytest.MonkeyPatch
Check = Callable[[World], Iterable[str]]


@dataclass(frozen=True)
class Hole:
    name: str
    make: Callable[[Patch], None]
    found_by: Check


HOLES: list[Hole] = []


def hole(found_by: Check) -> Callable[[Callable[[Patch], None]], None]:
    def add(make: Callable[[Patch], None]) -> None:
        HOLES.append(Hole(make.__name__, make, found_by))

    return add


def of_facts(way: Callable[..., Iterable[str]], *names: str) -> Check:
    return lambda world: way(world, names)


def by_update(world: World) -> Iterator[str]:
    yield from ways.by_statement(world, [ways.update])


def put_up(guard: Guard) -> None:
    # In place of the one of its name.
    is_sqlite = connection.vendor == "sqlite"
    with connection.cursor() as cursor:
        connection.check_constraints()
        for definition in guard.on_sqlite() if is_sqlite else guard.on_postgresql():
            cursor.execute(dropping(definition, connection.vendor))
            cursor.execute(definition.create)


def drop(name: str) -> None:
    [guard] = (guard for guard in guards.GUARDS if guard.name == name)
    put_up(replace(guard, sqlite="FALSE AND OLD.id = 0", postgresql="FALSE"))


# In the database


@hole(by_update)
def score_is_left_out_of_the_trigger(patch: Patch) -> None:
    facts = [fact for fact in facts_of_a_label() if fact.name != "score"]
    patch.setattr(guards, "facts_of_a_label", lambda: facts)
    put_up(guards.decided_guard())


@hole(by_update)
def trigger_is_dropped(patch: Patch) -> None:
    drop("label_changes_by_decision")


@hole(ways.by_derivation)
def trigger_takes_any_decision_that_was_made(patch: Patch) -> None:
    guard = guards.decided_guard()
    any_kind = "NOT IN ('nothing')"
    texts = {
        name: getattr(guard, name).replace("NOT IN ('suspension', 'reinstatement')", any_kind)
        for name in ("sqlite", "postgresql")
    }
    put_up(replace(guard, **texts))


@hole(ways.by_deletion)
def public_labels_may_be_deleted(patch: Patch) -> None:
    drop("label_public_stays")


@hole(ways.suspensions_by_statement)
def suspensions_begin_undecided(patch: Patch) -> None:
    [guard] = (guard for guard in guards.GUARDS if guard.name == "suspension_begins")
    put_up(replace(guard, sqlite="FALSE", postgresql="FALSE"))


@hole(ways.suspensions_by_statement)
def suspensions_end_undecided(patch: Patch) -> None:
    drop("suspension_ends")


@hole(ways.suspensions_by_statement)
def suspensions_may_be_deleted(patch: Patch) -> None:
    drop("suspension_stays")


@hole(ways.decisions_by_statement)
def decisions_change(patch: Patch) -> None:
    drop("decision_stays")


@hole(ways.decisions_by_statement)
def decisions_may_be_deleted(patch: Patch) -> None:
    drop("decision_kept")


@hole(ways.clusters_by_statement)
def clusters_of_public_labels_are_hidden(patch: Patch) -> None:
    drop("cluster_of_public_labels_stays")


# In the steps


@hole(of_facts(ways.by_form, "level"))
def level_is_corrected_alone(patch: Patch) -> None:
    patch.setattr(effects, "CORRECTED_ALONE", CORRECTED_ALONE | {"level"})
    drop("label_changes_by_decision")


@hole(ways.by_steps)
def one_person_is_always_enough(patch: Patch) -> None:
    asked = proposals.save_proposal

    def save(decision: Decision) -> None:
        decision.needs_two = False
        asked(decision)

    patch.setattr(proposals, "save_proposal", save)


@hole(ways.by_adding)
def awards_are_public_at_once(patch: Patch) -> None:
    def saved(label: Label, **given: Any) -> None:
        label.is_published = True
        days.save_label(label)

    patch.setattr(steps, "save", saved)


@hole(ways.by_the_proposer)
def nobody_asks_who_proposed(patch: Patch) -> None:
    undecided = proposals.undecided

    def by_nobody(decision: Decision) -> Decision:
        found = undecided(decision)
        found.proposed_by_id = None
        return found

    patch.setattr(proposals, "undecided", by_nobody)
    patch.setattr(Decision, "full_clean", lambda *_given, **_names: None)
    # The database would refuse it even then.
    drop("decision_stays")


# In the pages


def save_past_the_steps(label: Label) -> None:
    """With a decision that nobody looked at."""
    label.decision = made_decision(label, "correction", label.assessed_on.first_day)  # type: ignore[arg-type]
    days.save_label(label)


@hole(of_facts(ways.by_import, "awarded_on"))
def import_saves_by_itself(patch: Patch) -> None:
    def save(self: Any, instance: Label, is_create: bool) -> None:
        save_past_the_steps(instance)

    patch.setattr(LabelResource, "save_row", save)


@hole(of_facts(ways.by_restoring, "awarded_on"))
def old_version_is_restored_by_itself(patch: Patch) -> None:
    def save(self: Any, request: Any, obj: Label, form: Any, change: bool) -> None:
        save_past_the_steps(obj)

    patch.setattr(LabelAdmin, "save_model", save)


@hole(of_facts(ways.by_form, "is_published"))
def form_does_not_offer_to_withdraw(patch: Patch) -> None:
    patch.setattr(LabelAdmin, "readonly_fields", (*LabelAdmin.readonly_fields, "is_published"))


@hole(lambda world: paths.unknown_paths())
def new_action_on_labels(patch: Patch) -> None:
    def award_all(model_admin: Any, request: Any, queryset: models.QuerySet[Any]) -> None:
        queryset.update(is_published=True)

    patch.setattr(LabelAdmin, "actions", (award_all,))


@hole(lambda world: paths.unknown_paths())
def new_inline_of_labels(patch: Patch) -> None:
    class LabelRows(admin.TabularInline):  # type: ignore[type-arg]
        model = Label

    [cluster_admin] = (
        one for model, one in admin.site._registry.items() if model._meta.model_name == "portfolio"
    )
    patch.setattr(cluster_admin, "inlines", (LabelRows,))


@hole(lambda world: paths.unknown_paths())
def new_command(patch: Patch) -> None:
    known = management.get_commands() | {"fix_labels": "labels"}
    patch.setattr(paths, "get_commands", lambda: known)


@hole(lambda world: paths.unknown_paths())
def new_page_of_admin(patch: Patch) -> None:
    get_urls = LabelAdmin.get_urls

    def more(self: Any) -> list[Any]:
        return [path("fix/", self.changelist_view, name="labels_label_fix"), *get_urls(self)]

    patch.setattr(LabelAdmin, "get_urls", more)
    known = list(config.urls.urlpatterns)
    fresh = [path("fix/", admin.site.urls)]
    patch.setattr(config.urls, "urlpatterns", [*known, *fresh])
    clear_url_caches()


@hole(lambda world: paths.unknown_paths())
def new_page_that_takes_a_post(patch: Patch) -> None:
    patch.setattr(paths, "PUBLIC_POSTS", paths.PUBLIC_POSTS - {"labels:report"})


@hole(ways.untried)
def new_fact_of_a_label(patch: Patch) -> None:
    patch.setattr(models_of_labels, "NO_FACTS", NO_FACTS - {"decided_here"})


@contextmanager
def as_it_was() -> Iterator[Patch]:
    with pytest.MonkeyPatch.context() as patch:
        yield patch
    clear_url_caches()
