"""The triggers of the tables of clusters."""

from clusters.triggers.changes import OF_CLUSTER, OTHER, Changes, Record
from clusters.triggers.definitions import Row
from clusters.triggers.documents import Documents, FoldingFunctions, each
from clusters.triggers.guards import Guard

# As docs/privacy-data.md says; config/privacy/retention.py deletes what is older by a day.
YEARS_KEPT = 2

EVENT_LOG = (
    Guard(
        "event_is_not_changed",
        "BEFORE UPDATE ON clusters_event",
        "a line of the event log is never changed",
        sqlite="TRUE",
        postgresql="TRUE",
    ),
    Guard(
        "event_is_not_deleted",
        "BEFORE DELETE ON clusters_event",
        "a line of the event log is kept for two years",
        sqlite=f"OLD.happened_at > datetime('now', '-{YEARS_KEPT} years')",
        postgresql=f"OLD.happened_at > now() - interval '{YEARS_KEPT} years'",
    ),
    Guard(
        "event_is_not_truncated",
        # SQLite has no TRUNCATE, and row triggers do not see one.
        "BEFORE TRUNCATE ON clusters_event",
        "the event log is never emptied",
        postgresql="TRUE",
        level="STATEMENT",
    ),
)

CHANGES = (
    Changes("clusters_cluster", Record("cluster", "id")),
    Changes("clusters_clustername", OF_CLUSTER),
    Changes("clusters_clustertext", OF_CLUSTER),
    Changes("clusters_management", OF_CLUSTER),
    # Numbers are no words by which a cluster is found: its document stays.
    Changes("clusters_membershipcount", OF_CLUSTER.without_words()),
    Changes("clusters_factsource", OF_CLUSTER.without_words()),
    Changes(
        "clusters_lineage",
        OF_CLUSTER.without_words(),
        Record("cluster", "other_id").without_words(),
    ),
    Changes(
        "clusters_organisation",
        Record("organisation", "id"),
        # A cluster is found by the names of its managers, too.
        Record("cluster", "id", "clusters_management", "cluster_id", "organisation_id"),
    ),
    Changes(
        "clusters_organisationname",
        Record("organisation", "organisation_id"),
        Record(
            "cluster", "organisation_id", "clusters_management", "cluster_id", "organisation_id"
        ),
    ),
    Changes(
        "clusters_shareholding",
        Record("organisation", "organisation_id").without_words(),
        Record("organisation", "shareholder_id").without_words(),
    ),
    Changes(
        "clusters_region",
        OTHER,
        Record("cluster", "id", "clusters_cluster", "id", "region_id"),
        Record("organisation", "id", "clusters_organisation", "id", "region_id"),
        Record("programme", "id", "clusters_programme", "id", "region_id"),
    ),
    Changes(
        "clusters_portfolio",
        OTHER,
        Record("cluster", "id", "clusters_cluster", "id", "portfolio_id"),
    ),
    Changes(
        "clusters_programme",
        OTHER,
        Record("programme", "id"),
        Record(
            # Filters by programme change; no cluster is found by its programme’s name.
            "cluster",
            "id",
            "clusters_participation",
            "cluster_id",
            "programme_id",
        ).without_words(),
    ),
    Changes("clusters_participation", OF_CLUSTER.without_words()),
)

# As spelt, in its normal form, and that as one word. The letter between them is in no name, so that
# no phrase reaches from one into the other.
NAME = "name || ' ǁ ' || {0}normal_name || ' ǁ ' || replace({0}normal_name, ' ', '')"


def spelling_of(row: str) -> str:
    return f"{row}.{NAME.format(row + '.')}"


PLACE = (
    "record.town",
    "(SELECT name || ' ' || normal_name || ' ' || other_names "
    "FROM clusters_region WHERE id = record.region_id)",
    "(SELECT words FROM country_word WHERE code = record.country)",
)
MANAGERS = (
    "clusters_management AS management JOIN clusters_organisation AS manager "
    "ON manager.id = management.organisation_id AND manager.is_published"
)
DOCUMENTS = (
    # First, as the views use them.
    FoldingFunctions(),
    Documents(
        kind="cluster",
        table="clusters_cluster",
        names=(
            spelling_of("record"),
            each(NAME.format(""), "clusters_clustername WHERE cluster_id = record.id ORDER BY id"),
        ),
        about=(
            *PLACE,
            "(SELECT name_en || ' ' || name_it || ' ' || other_names "
            "FROM clusters_portfolio WHERE id = record.portfolio_id)",
            each(
                spelling_of("manager"),
                f"{MANAGERS} WHERE management.cluster_id = record.id ORDER BY management.id",
            ),
            each(
                spelling_of("former"),
                f"{MANAGERS} JOIN clusters_organisationname AS former "
                "ON former.organisation_id = manager.id "
                "WHERE management.cluster_id = record.id ORDER BY management.id, former.id",
            ),
        ),
        texts=(
            each(
                "tagline || ' ' || description",
                "clusters_clustertext WHERE cluster_id = record.id ORDER BY id",
            ),
        ),
    ),
    Documents(
        kind="organisation",
        table="clusters_organisation",
        names=(
            spelling_of("record"),
            each(
                NAME.format(""),
                "clusters_organisationname WHERE organisation_id = record.id ORDER BY id",
            ),
        ),
        about=PLACE,
        texts=(),
    ),
    Documents(
        kind="programme",
        table="clusters_programme",
        names=("record.name_en", "record.name_it"),
        # A programme has no town.
        about=PLACE[1:],
        texts=("record.description_en", "record.description_it"),
    ),
)

ROWS: tuple[Row, ...] = (*EVENT_LOG, *CHANGES, *DOCUMENTS)
