"""What those who support clusters download of them: one row for each programme and cluster."""

from datetime import date

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from clusters.completeness import percent_of
from clusters.http.addresses import iso_text
from clusters.models import Cluster, ClusterQuerySet, Participation, Programme
from labels.models import STATE_NAMES, Label
from labels.register.queries import headline, labels_of
from labels.validity import State
from labels.words import end_in_short, start_in_short

HEADER = (
    _("programme"),
    _("cluster"),
    _("public id"),
    _("country"),
    _("region"),
    _("managers today"),
    _("highest label today"),
    _("state"),
    _("valid from"),
    _("valid until"),
    _("completeness (%)"),
    _("missing"),
)


def clusters_in(programmes: QuerySet[Programme], day: date) -> ClusterQuerySet:
    # The published clusters that take part that day.
    participations = Participation.objects.on(day).in_programmes(programmes)
    return Cluster.objects.published().filter(pk__in=participations.values("cluster"))


def overview(
    clusters: ClusterQuerySet, programmes: QuerySet[Programme], day: date
) -> list[list[str]]:
    """Rows for `HEADER`, by programme and cluster; a cluster that is in none has an empty name.

    The queries are the same for any number of rows.
    """
    found = {cluster.pk: cluster for cluster in clusters.with_profile().with_completeness(day)}
    labels = labels_of(found.values(), day)
    participations = Participation.objects.on(day).in_programmes(programmes)
    names: dict[int, list[str]] = {pk: [] for pk in found}
    for participation in participations:
        if participation.cluster_id in names:
            names[participation.cluster_id].append(participation.programme.name)
    rows = [
        [name, *columns(cluster, labels[cluster.pk], day)]
        for cluster in found.values()
        for name in names[cluster.pk] or [""]
    ]
    return sorted(rows, key=lambda row: (row[0].casefold(), row[1].casefold(), row[2]))


def columns(cluster: Cluster, labels: list[Label], day: date) -> list[str]:
    return [
        cluster.name,
        cluster.public_id,
        str(cluster.country.name),
        cluster.region.name if cluster.region else "",
        "; ".join(management.organisation.name for management in cluster.managers_on(day)),
        *label_columns(headline(labels)),
        str(percent_of(cluster.number_of_facts)),
        "; ".join(map(str, cluster.missing_facts())),
    ]


def label_columns(label: Label | None) -> list[str]:
    if label is None:
        return ["", "", "", ""]
    state = STATE_NAMES[State(label.state)]
    return [
        label.level.name,
        str(state),
        # Read by people: no more precise than the days are known.
        iso_text(label.starts_on) or "" if label.start_is_exact else start_in_short(label),
        iso_text(label.ends_on) or "" if label.end_is_exact else end_in_short(label),
    ]
