# ruff: noqa: S608 (the statements are put together from constants)
"""The triggers of the tables of labels.

The database itself refuses a change to a revoked label, and two labels in force at once: in force
from the first day to the last, or to the day before a revocation or a transfer. Only labels that
the public sees and whose days are known to the day are compared.
"""

from clusters.triggers.changes import OF_CLUSTER as CLUSTER
from clusters.triggers.changes import OTHER, Changes, Record
from clusters.triggers.definitions import Row
from clusters.triggers.guards import Guard

REVOKED = "this label was revoked; it does not change any more"
TWO_IN_FORCE = "the cluster has a label of this level in force at that time"
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


GUARDS = (
    Guard(
        "label_revoked_stays",
        "BEFORE UPDATE ON labels_label",
        REVOKED,
        sqlite="OLD.revoked_on IS NOT NULL",
        postgresql="OLD.revoked_on IS NOT NULL",
    ),
    suspension_guard("INSERT"),
    suspension_guard("UPDATE"),
    in_force_guard("INSERT"),
    in_force_guard("UPDATE", f" OF {COLUMNS}"),
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
