"""The register as a table: a row for each label, as its JSON twin says it.

Every column is explained on the page about data.
"""

from collections.abc import Mapping

from clusters.export import Value, value_at

# Each column and where its value stands in a label's JSON twin.
COLUMNS = {
    "id": ("id",),
    "url": ("url",),
    "on": ("on",),
    "state": ("state",),
    "level": ("level",),
    "official_wording": ("official_wording",),
    "cluster_id": ("cluster", "id"),
    "cluster": ("cluster", "name"),
    "cluster_url": ("cluster", "url"),
    "country": ("cluster", "country"),
    "portfolio": ("cluster", "portfolio"),
    "managing_organisation": ("managing_organisation",),
    "kind": ("kind",),
    "assessed_on": ("assessed_on",),
    "awarded_on": ("awarded_on",),
    "announced_on": ("announced_on",),
    "valid_until": ("valid_until",),
    "starts_on": ("starts_on",),
    "ends_on": ("ends_on",),
    "renewable_until": ("renewable_until",),
    "extended_until": ("extended_until",),
    "transferred_on": ("transferred_on",),
    "transferred_to": ("transferred_to",),
    "transferred_from": ("transferred_from",),
    "start_is_computed": ("start_is_computed",),
    "end_is_computed": ("end_is_computed",),
    "rule_of": ("rule_of",),
    "awarded_by": ("awarded_by",),
    "score": ("score",),
    "certificate_number": ("certificate_number",),
    "source": ("source",),
}


def row_of(twin: Mapping[str, object]) -> list[Value]:
    return [value_at(twin, path) for path in COLUMNS.values()]
