"""Two to six clusters side by side: which ones an address asks for, and what each cell says."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Case, Prefetch, When
from django.utils.translation import gettext as _

from clusters.compare.chart import Count, Growth
from clusters.compare.members import MembershipTable
from clusters.fulltext import clusters_matching, nearest
from clusters.http.addresses import absolute
from clusters.http.links import MAX_TEXT_LENGTH
from clusters.models import (
    Cluster,
    ClusterFact,
    ClusterQuerySet,
    ClusterText,
    Management,
    MemberKind,
    Participation,
)

if TYPE_CHECKING:
    from labels.life.timeline import Timeline
    from labels.models import Label
    from news.queries import Heard

MAX_CLUSTERS = 6
# More values than this are not looked up.
MAX_ADDRESSES = 30
MAX_UNKNOWN_LENGTH = 60
MAX_CANDIDATES = 8


@dataclass(frozen=True)
class Choice:
    """The clusters in the order asked for, each once; `unknown` is cut to a readable length."""

    clusters: tuple[Cluster, ...]
    unknown: tuple[str, ...] = ()
    is_cut: bool = False

    @property
    def slugs(self) -> list[str]:
        return [cluster.slug for cluster in self.clusters]

    @property
    def is_full(self) -> bool:
        return len(self.clusters) == MAX_CLUSTERS

    def problems(self) -> list[str]:
        found = []
        if self.unknown:
            names = ", ".join(f"“{text}”" for text in self.unknown)
            found.append(_("No cluster is known as %(names)s.") % {"names": names})
        if self.is_cut:
            found.append(_("At most six clusters stand side by side; these are the first six."))
        return found


@dataclass(frozen=True)
class Suggestion:
    """Clusters that these words may mean; `nearest` are words that would find one, if none does."""

    words: str
    clusters: tuple[Cluster, ...] = ()
    nearest: str = ""

    @property
    def only_one(self) -> Cluster | None:
        return self.clusters[0] if len(self.clusters) == 1 else None


@dataclass(frozen=True)
class ComparedCluster:
    """A cluster among those compared; the drawings share their scales with the other columns.

    `verdict` and `label_lines` say `headline` and `labels` in words.
    """

    cluster: Cluster
    text: ClusterText | None
    managers: Sequence[Management]
    labels: "Sequence[Label]"
    headline: "Label | None"
    verdict: str
    label_lines: Sequence[str]
    timeline: "Timeline | None"
    members: MembershipTable
    counts: Sequence[Count]
    growth: Growth | None
    heard: "Heard | None"
    is_stale: bool
    remove_url: str

    def latest_kinds(self) -> list[tuple[MemberKind, Count]]:
        found: dict[MemberKind, Count] = {}
        for row in self.members.rows:
            for cell in row.cells:
                if cell.number is not None and cell.kind != MemberKind.TOTAL:
                    found.setdefault(cell.kind, Count(row.counted_on, cell.number, cell.qualifier))
        return [(kind, found[kind]) for kind in self.members.kinds if kind in found]


def choose_clusters(addresses: Iterable[str]) -> Choice:
    # By readable address, public id in any case, or former address. The first six of them.
    # As many queries for one as for six; two more where some were not found at once.
    every = list(dict.fromkeys(text.strip() for text in addresses if text.strip()))
    texts = every[:MAX_ADDRESSES]
    keys = Cluster.objects.published().keys_at(texts)
    in_order = list(dict.fromkeys(keys[text] for text in texts if text in keys))
    rows = _clusters_to_compare().in_bulk(in_order[:MAX_CLUSTERS])
    return Choice(
        clusters=tuple(rows[key] for key in in_order if key in rows),
        unknown=tuple(text[:MAX_UNKNOWN_LENGTH] for text in texts if text not in keys),
        is_cut=len(in_order) > MAX_CLUSTERS or len(every) > MAX_ADDRESSES,
    )


def _clusters_to_compare() -> ClusterQuerySet:
    return (
        Cluster.objects.published()
        .with_place()
        .with_managers()
        .prefetch_related(
            "membership_counts",
            "fact_sources",
            Prefetch("participations", Participation.objects.public()),
        )
    )


def suggest(words: str, choice: Choice) -> Suggestion:
    # Suggest the cluster at this address, else those with all these words in their names.
    words = " ".join(words.split())[:MAX_TEXT_LENGTH]
    at_address = Cluster.objects.published().keys_at([words] if words else [])
    keys = list(at_address.values()) or best_tier(clusters_matching(words))
    there = {cluster.pk for cluster in choice.clusters}
    # Those chosen already are not meant, unless there is no other.
    keys = [key for key in keys if key not in there] or keys[:1]
    rows = Cluster.objects.published().select_related("region").in_bulk(keys[:MAX_CANDIDATES])
    return Suggestion(
        words=words,
        clusters=tuple(rows[key] for key in keys[:MAX_CANDIDATES] if key in rows),
        nearest="" if rows or not words else nearest(words),
    )


def best_tier(found: Sequence[tuple[int, int]]) -> list[int]:
    best = min((tier for _key, tier in found), default=0)
    return [key for key, tier in found if tier == best]


def neighbours(cluster: Cluster) -> list[Cluster]:
    if cluster.portfolio_id is None:
        return []
    others = Cluster.objects.published().filter(portfolio=cluster.portfolio_id)
    # Those of the same country first.
    is_abroad = Case(When(country=cluster.country, then=0), default=1)
    others = others.exclude(pk=cluster.pk).order_by(is_abroad, "normal_name", "pk")
    return list(others[: MAX_CLUSTERS - 1])


def total_counts(members: MembershipTable) -> list[Count]:
    return [
        Count(row.counted_on, cell.number, cell.qualifier)
        for row in members.rows
        for cell in row.cells
        if cell.kind == MemberKind.TOTAL and cell.number is not None
    ]


def comparison_rows(columns: Sequence[ComparedCluster]) -> Iterator[list[str]]:
    # What the page says: a row for each fact, a column for each cluster; days as ISO has them.
    yield [_("Cluster"), *_names(columns)]
    for title, cells in _facts(columns):
        yield [title, *cells]
    for counted_on in sorted({c.counted_on for column in columns for c in column.counts}, key=str):
        numbers = ({c.counted_on: str(c.number) for c in column.counts} for column in columns)
        title = _("Members, %(day)s") % {"day": counted_on}
        yield [title, *(number.get(counted_on, "") for number in numbers)]


def _names(columns: Sequence[ComparedCluster]) -> list[str]:
    # No two alike, so that no program loses a column.
    given = [column.cluster.name for column in columns]
    return [
        f"{column.cluster.name} ({column.cluster.public_id})"
        if given.count(column.cluster.name) > 1
        else column.cluster.name
        for column in columns
    ]


def _facts(columns: Sequence[ComparedCluster]) -> list[tuple[str, list[str]]]:
    clusters = [column.cluster for column in columns]
    return [
        (_("Public id"), [cluster.public_id for cluster in clusters]),
        (_("Page"), [absolute(cluster.get_absolute_url()) for cluster in clusters]),
        (_("State"), [cluster.get_state_display() for cluster in clusters]),
        (_("In one line"), [_tagline(column) for column in columns]),
        (_("Label"), [column.verdict for column in columns]),
        (_("Managed by"), [_managers(column) for column in columns]),
        (_("Where"), [_place(cluster) for cluster in clusters]),
        (_("Portfolio"), [_portfolio(cluster) for cluster in clusters]),
        (_("Founded"), [_marked(c, ClusterFact.FOUNDED, _text(c.founded_on)) for c in clusters]),
        (_("Labels over time"), [_joined(column.label_lines) for column in columns]),
        (_("Members by kind"), [_joined(_kinds(column)) for column in columns]),
        (_("Programmes"), [_joined(_programmes(cluster)) for cluster in clusters]),
        (_("Last confirmed"), [_text(cluster.confirmed_on) for cluster in clusters]),
        (_("Announcements"), [str(c.heard.number if c.heard else 0) for c in columns]),
        (_("Latest announcement"), [_text(c.heard and c.heard.latest_on) for c in columns]),
    ]


def _joined(texts: Iterable[str]) -> str:
    return "; ".join(texts)


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _place(cluster: Cluster) -> str:
    region = _marked(cluster, ClusterFact.REGION, cluster.region.name if cluster.region else "")
    town = _marked(cluster, ClusterFact.TOWN, cluster.town)
    return ", ".join(filter(None, (town, region, str(cluster.country.name))))


def _portfolio(cluster: Cluster) -> str:
    name = cluster.portfolio.name if cluster.portfolio else ""
    return _marked(cluster, ClusterFact.PORTFOLIO, name)


def _tagline(column: ComparedCluster) -> str:
    tagline = column.text.tagline if column.text else ""
    return _marked(column.cluster, ClusterFact.TAGLINE, tagline)


def _managers(column: ComparedCluster) -> str:
    managers = _joined(map(_manager, column.managers))
    is_since = ClusterFact.MANAGED_SINCE in column.cluster.unconfirmed
    fact = ClusterFact.MANAGED_SINCE if is_since else ClusterFact.MANAGERS
    return _marked(column.cluster, fact, managers)


def _marked(cluster: Cluster, fact: ClusterFact, text: str) -> str:
    # With the mark of a fact that no source was seen to tell.
    is_marked = text and fact in cluster.unconfirmed
    return f"{text} ({_('unconfirmed')})" if is_marked else text


def _manager(manager: Management) -> str:
    role = f"{manager.organisation.name} ({manager.get_role_display()})"
    return " ".join(filter(None, (role, _period(manager.started_on, manager.ended_on))))


def _kinds(column: ComparedCluster) -> Iterator[str]:
    for kind, count in column.latest_kinds():
        yield f"{kind.label} {count.number} ({count.counted_on})"


def _programmes(cluster: Cluster) -> Iterator[str]:
    for participation in cluster.participations.all():
        days = _period(participation.started_on, participation.ended_on)
        yield " ".join(filter(None, (participation.programme.name, days)))


def _period(start: object, end: object) -> str:
    # “2009–2015”, “2009–”, “–2015”; nothing where neither is known.
    return f"{_text(start)}–{_text(end)}" if start or end else ""
