# ruff: noqa: S608 (the statements are put together from constants)
"""The triggers of the tables of labels.

The database itself refuses a change to a revoked label, but of its words by a decision, as when an
address is erased; a credential that is brought back after it was withdrawn, and two labels in force
at once: in force
from the first day to the last, or to the day before a revocation or a transfer. Only labels that
the public sees and whose days are known to the day are compared.

It lets a fact of a public label change only with a decision on it that was made and is newer than
the last one, whoever writes, and a suspension only as a decision has it that was not annulled. What
was proposed stays as it was proposed, and what was decided as it was decided. A level and its rules
change only while a change of them is made and not yet in effect.
"""

from collections.abc import Iterable

from clusters.triggers.changes import OF_CLUSTER as CLUSTER
from clusters.triggers.changes import OTHER, Changes, Record
from clusters.triggers.definitions import Row
from clusters.triggers.guards import Guard
from labels.models.decisions import Decision
from labels.models.labels import CORRECTED_ALONE, Label, facts_of_a_label
from labels.models.proposals import Proposal
from labels.models.rule_changes import RuleChange
from labels.models.scheme import Level, LevelRule

REVOKED = "this label was revoked; it does not change any more"
PLACE_STAYS = "a place in the lists of states is given once, and withdrawn for ever"
TWO_IN_FORCE = "the cluster has a label of this level in force at that time"
UNDECIDED = "a public label changes by a decision that two persons made"
DECIDED = "what was decided does not change any more"
NO_RULE_CHANGE = "a level and its rules change by a change of rules that was decided"
HOLDS_LABELS = "this cluster holds public labels: withdraw them first"
MANAGES_HOLDERS = "this organisation manages or managed a cluster that holds public labels"
NAME_OF_ANOTHER = "another record bears this name or bore it, and public labels are known by it"
COLUMNS = (
    "cluster_id, level_id, is_published, days_are_exact, starts_on, ends_on, revoked_on, "
    "transferred_on"
)


def in_force_together(later_of: str) -> str:
    # Whether another row shares a day with NEW: the later of both starts lies within both.
    first = f"{later_of}(other.starts_on, NEW.starts_on)"
    bounds = " ".join(
        f"AND {first} <= {row}.ends_on "
        f"AND ({row}.revoked_on IS NULL OR {first} < {row}.revoked_on) "
        f"AND ({row}.transferred_on IS NULL OR {first} < {row}.transferred_on)"
        for row in ("other", "NEW")
    )
    return (
        "NEW.is_published AND NEW.days_are_exact AND EXISTS ("
        "SELECT 1 FROM labels_label AS other WHERE other.cluster_id = NEW.cluster_id "
        "AND other.level_id = NEW.level_id AND other.id <> NEW.id "
        f"AND other.is_published AND other.days_are_exact {bounds})"
    )


def suspension_guard(verb: str) -> Guard:
    is_revoked = "(SELECT revoked_on FROM labels_label WHERE id = NEW.label_id) IS NOT NULL"
    return Guard(
        f"suspension_of_revoked_{verb.lower()}",
        f"BEFORE {verb} ON labels_suspension",
        REVOKED,
        sqlite=is_revoked,
        postgresql=is_revoked,
        lock="PERFORM 1 FROM labels_label WHERE id = NEW.label_id FOR KEY SHARE;",
    )


def in_force_guard(verb: str, columns: str = "") -> Guard:
    return Guard(
        f"label_in_force_once_{verb.lower()}",
        f"AFTER {verb}{columns} ON labels_label",
        TWO_IN_FORCE,
        sqlite=in_force_together("MAX"),
        postgresql=in_force_together("GREATEST"),
        lock=(
            "PERFORM 1 FROM clusters_cluster WHERE id = NEW.cluster_id "
            "AND NEW.is_published AND NEW.days_are_exact FOR NO KEY UPDATE;"
        ),
    )


def any_differs(columns: Iterable[str]) -> tuple[str, str]:
    # Whether one of the columns has another value: on SQLite, and on PostgreSQL.
    names = list(columns)
    return (
        " OR ".join(f"NEW.{name} IS NOT OLD.{name}" for name in names),
        " OR ".join(f"NEW.{name} IS DISTINCT FROM OLD.{name}" for name in names),
    )


# A suspension and its end write no label, so no later change may take them for its own.
HAS_DECISION = (
    "coalesce(NEW.decision_id > coalesce(OLD.decision_id, 0) AND EXISTS ("
    "SELECT 1 FROM labels_decision AS made "
    "LEFT JOIN labels_decision AS undone ON undone.id = made.undoes_id "
    "WHERE made.id = NEW.decision_id AND made.state = 'made' AND (made.label_id = NEW.id "
    "AND coalesce(undone.kind, made.kind) NOT IN ('suspension', 'reinstatement') "
    "OR made.label_id = OLD.transferred_from_id AND made.kind = 'annulment')), FALSE)"
)
# From which an address goes that is erased.
WORDS = {
    "source",
    "certificate_number",
    "normal_certificate_number",
    "areas_of_improvement",
    "revocation_reason",
}


def revoked_guard() -> Guard:
    fixed = [
        str(one.column)
        for one in Label._meta.concrete_fields
        if one.name not in WORDS | {"decision"}
    ]
    sqlite, postgresql = (
        f"OLD.revoked_on IS NOT NULL AND ({changed} OR NOT {HAS_DECISION})"
        for changed in any_differs(fixed)
    )
    event = "BEFORE UPDATE ON labels_label"
    return Guard("label_revoked_stays", event, REVOKED, sqlite, postgresql)


def decided_guard() -> Guard:
    guarded = [fact for fact in facts_of_a_label() if fact.name not in CORRECTED_ALONE]
    sqlite, postgresql = (
        f"(OLD.is_published OR NEW.is_published) AND ({changed}) AND NOT {HAS_DECISION}"
        for changed in any_differs(str(fact.column) for fact in guarded)
    )
    event = "BEFORE UPDATE ON labels_label"
    return Guard("label_changes_by_decision", event, UNDECIDED, sqlite, postgresql)


def suspension_guards() -> Iterable[Guard]:
    # A suspension begins, ends and goes as decided, once.
    begun = (
        "SELECT 1 FROM labels_decision AS made WHERE made.label_id = {row}.label_id "
        "AND made.kind = 'suspension' AND made.state = 'made' "
        "AND made.takes_effect_on = {row}.starts_on AND NOT EXISTS ("
        "SELECT 1 FROM labels_decision AS undoing "
        "WHERE undoing.undoes_id = made.id AND undoing.state = 'made')"
    )
    ended = (
        "SELECT 1 FROM labels_decision AS made WHERE made.label_id = NEW.label_id "
        "AND made.kind = 'reinstatement' AND made.state = 'made' "
        "AND made.takes_effect_on = NEW.ends_on"
    )
    undecided = f"NEW.ends_on IS NOT NULL OR NOT EXISTS ({begun.format(row='NEW')})"
    stands = f"EXISTS ({begun.format(row='OLD')})"
    # The reason is free: an address goes from it that is erased.
    ends = zip(any_differs(("label_id", "starts_on")), any_differs(("ends_on",)), strict=True)
    sqlite, postgresql = (
        f"{moved} OR ({ended_otherwise}) AND (OLD.ends_on IS NOT NULL OR NOT EXISTS ({ended}))"
        for moved, ended_otherwise in ends
    )
    table = "ON labels_suspension"
    yield Guard("suspension_begins", f"BEFORE INSERT {table}", UNDECIDED, undecided, undecided)
    yield Guard("suspension_ends", f"BEFORE UPDATE {table}", UNDECIDED, sqlite, postgresql)
    yield Guard("suspension_stays", f"BEFORE DELETE {table}", UNDECIDED, stands, stands)


def fixed_columns(model: type[Proposal], free: Iterable[str] = ()) -> list[str]:
    # The accounts go when they are erased.
    names = {"id", "proposed_by", "decided_by", *free}
    return [str(one.column) for one in model._meta.concrete_fields if one.name not in names]


def decision_guards() -> Iterable[Guard]:
    # What deciding fills in, and once; an account may go when it is erased, but not before that.
    filled = ("state", "takes_effect_on", "decided_at", "answer")
    # And the words, from which an address goes that is erased; of what it changed, marked as such.
    fixed = fixed_columns(Decision, (*filled, "reason", "changes"))
    sqlite, postgresql = (
        f"{proposed_otherwise} OR ({with_other_changes}) AND (NEW.state = 'proposed' "
        f"OR CAST(NEW.changes AS text) NOT LIKE '%[erased]%') "
        f"OR OLD.state <> 'proposed' AND ({decided_otherwise}) "
        f"OR ({by_another}) AND (NEW.proposed_by_id IS NOT NULL OR OLD.state = 'proposed') "
        f"OR OLD.state <> 'proposed' AND ({decided_by_another}) AND NEW.decided_by_id IS NOT NULL"
        for (
            proposed_otherwise,
            with_other_changes,
            decided_otherwise,
            by_another,
            decided_by_another,
        ) in zip(
            any_differs(fixed),
            any_differs(("changes",)),
            any_differs([name for name in filled if name != "answer"]),
            any_differs(("proposed_by_id",)),
            any_differs(("decided_by_id",)),
            strict=True,
        )
    )
    was_decided = "OLD.state <> 'proposed'"
    table = "ON labels_decision"
    yield Guard("decision_stays", f"BEFORE UPDATE {table}", DECIDED, sqlite, postgresql)
    yield Guard("decision_kept", f"BEFORE DELETE {table}", DECIDED, was_decided, was_decided)


def rules_change(level: str) -> str:
    # Whether a change of the level is just being put into effect.
    return (
        f"EXISTS (SELECT 1 FROM labels_rulechange AS made WHERE made.level_id = {level} "
        "AND made.state = 'made' AND NOT made.is_in_effect)"
    )


def rule_change_guard() -> Guard:
    sqlite, postgresql = (
        f"OLD.state <> 'proposed' AND ({changed}) AND NOT {rules_change('OLD.level_id')} "
        "OR OLD.is_in_effect AND NOT NEW.is_in_effect"
        for changed in any_differs(fixed_columns(RuleChange, {"is_in_effect"}))
    )
    event = "BEFORE UPDATE ON labels_rulechange"
    return Guard("rule_change_stays", event, DECIDED, sqlite, postgresql)


# An emptied installation may be emptied of its rules.
HAS_LABELS = "EXISTS (SELECT 1 FROM labels_label WHERE level_id = OLD.level_id)"


def rule_guard(verb: str, sqlite: str, postgresql: str = "") -> Guard:
    event = f"BEFORE {verb} ON labels_levelrule"
    name = f"rule_by_change_{verb.lower()}"
    return Guard(name, event, NO_RULE_CHANGE, sqlite, postgresql or sqlite)


def changed_rule_guard() -> Guard:
    columns = [str(one.column) for one in LevelRule._meta.concrete_fields]
    sqlite, postgresql = (
        f"({changed}) AND (NEW.level_id <> OLD.level_id OR NOT {rules_change('OLD.level_id')})"
        for changed in any_differs(columns)
    )
    return rule_guard("UPDATE", sqlite, postgresql)


def level_guard() -> Guard:
    sqlite, postgresql = (
        f"({changed}) AND NOT {rules_change('OLD.code')}"
        for changed in any_differs(str(one.column) for one in Level._meta.concrete_fields)
    )
    event = "BEFORE UPDATE ON labels_level"
    return Guard("level_by_change", event, NO_RULE_CHANGE, sqlite, postgresql)


def holder_guard() -> Guard:
    hides = (
        "OLD.is_published AND NOT NEW.is_published AND EXISTS ("
        "SELECT 1 FROM labels_label WHERE cluster_id = OLD.id AND is_published)"
    )
    event = "BEFORE UPDATE ON clusters_cluster"
    return Guard("cluster_of_public_labels_stays", event, HOLDS_LABELS, hides, hides)


# Of each table the rows by whose name the public knows a label.
HOLDERS = {
    "cluster": "SELECT cluster_id FROM labels_label WHERE is_published",
    "organisation": (
        "SELECT management.organisation_id FROM clusters_management AS management "
        "JOIN labels_label AS label ON label.cluster_id = management.cluster_id "
        "WHERE label.is_published"
    ),
}


def manager_guard() -> Guard:
    hides = f"OLD.is_published AND NOT NEW.is_published AND OLD.id IN ({HOLDERS['organisation']})"
    event = "BEFORE UPDATE ON clusters_organisation"
    return Guard("manager_of_public_labels_stays", event, MANAGES_HOLDERS, hides, hides)


def name_guard(table: str) -> Guard:
    """Two names that are exchanged would move the labels that are known by them."""
    takes = (
        "NEW.normal_name <> OLD.normal_name AND EXISTS ("
        f"SELECT 1 FROM clusters_{table} AS other WHERE other.id <> NEW.id AND ("
        "other.normal_name = NEW.normal_name "
        f"OR other.id IN (SELECT {table}_id FROM clusters_{table}name "
        "WHERE normal_name = NEW.normal_name) "
        f"OR other.id IN (SELECT id FROM clusters_historical{table} WHERE name = NEW.name)) "
        f"AND (NEW.id IN ({HOLDERS[table]}) OR other.id IN ({HOLDERS[table]})))"
    )
    event = f"BEFORE UPDATE ON clusters_{table}"
    return Guard(f"{table}_takes_no_name_of_another", event, NAME_OF_ANOTHER, takes, takes)


# Where its credential was another one before.
HAS_MOVED = (
    "OLD.is_withdrawn AND NOT NEW.is_withdrawn "
    "OR NEW.status_index <> OLD.status_index OR NEW.digest <> OLD.digest"
)
GUARDS = (
    revoked_guard(),
    Guard(
        "label_public_stays",
        "BEFORE DELETE ON labels_label",
        UNDECIDED,
        sqlite="OLD.is_published",
        postgresql="OLD.is_published",
    ),
    suspension_guard("INSERT"),
    suspension_guard("UPDATE"),
    Guard(
        "credential_keeps_its_place",
        "BEFORE UPDATE ON labels_issuedcredential",
        PLACE_STAYS,
        sqlite=HAS_MOVED,
        postgresql=HAS_MOVED,
    ),
    Guard(
        "credential_is_not_deleted",
        "BEFORE DELETE ON labels_issuedcredential",
        PLACE_STAYS,
        sqlite="TRUE",
        postgresql="TRUE",
    ),
    in_force_guard("INSERT"),
    in_force_guard("UPDATE", f" OF {COLUMNS}"),
    decided_guard(),
    *decision_guards(),
    *suspension_guards(),
    rule_change_guard(),
    rule_guard("INSERT", f"NOT {rules_change('NEW.level_id')}"),
    changed_rule_guard(),
    rule_guard("DELETE", f"NOT {rules_change('OLD.level_id')} AND {HAS_LABELS}"),
    level_guard(),
    holder_guard(),
    manager_guard(),
    *map(name_guard, HOLDERS),
)

OF_CLUSTER = CLUSTER.without_words()
OF_LABEL = Record("cluster", "label_id", "labels_label", "cluster_id", "id").without_words()

CHANGES = (
    Changes("labels_label", OF_CLUSTER),
    Changes("labels_suspension", OF_LABEL),
    Changes("labels_labelsource", OF_LABEL),
    # Also while it is only proposed.
    Changes("labels_decision", OF_LABEL),
    Changes(
        "labels_requiredlevel",
        OTHER,
        Record("programme", "programme_id").without_words(),
        Record(
            "cluster", "programme_id", "clusters_participation", "cluster_id", "programme_id"
        ).without_words(),
    ),
    Changes("labels_level", OTHER),
    Changes("labels_levelrule", OTHER),
    Changes("labels_issuingbody", OTHER),
    Changes("labels_issuingbodyrole", OTHER),
    Changes("labels_indicatorset", OTHER),
    Changes("labels_indicator", OTHER),
    Changes("labels_statement", OTHER),
)

ROWS: tuple[Row, ...] = (*GUARDS, *CHANGES)
