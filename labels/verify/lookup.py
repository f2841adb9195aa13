"""Answers to "is this label valid?" for whatever somebody has in hand: a number, a name, an
address; one at a time or a thousand.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from functools import cached_property
from itertools import chain
from typing import Any, NamedTuple

from django.db.models import Q, Value
from django.db.models.functions import Substr
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clusters.models import Cluster, ClusterName, Management, Organisation, OrganisationName
from clusters.tables.similar_names import similar_names
from labels.models import Label, LabelQuerySet
from labels.register.queries import headline
from labels.validity import State
from labels.verify.questions import Question, question, reasons, site_in
from labels.words import Reply, Verdict, absence_caveat, reply_of, verdict

MOST_CLUSTERS = 10
MOST_LABELS = 20
ROWS_AT_ONCE = 5000
MAX_NEAREST = 5
MIN_LIKENESS = 60
MIN_PART_LENGTH = 3


class Likeness(StrEnum):
    """Why a name is near: it holds the text, it is a part of the text, or it is spelt alike."""

    HOLDS = "holds"
    PART = "part"
    SPELT = "spelt"


class Found(StrEnum):
    """What the text turned out to be."""

    NUMBER = "number"
    CERTIFICATE = "certificate_number"
    CLUSTER = "cluster"
    FORMER_CLUSTER = "other_name_of_cluster"
    ORGANISATION = "organisation"
    FORMER_ORGANISATION = "former_name_of_organisation"
    VAT = "vat_number"
    WEBSITE = "website"
    ADDRESS = "address"
    OLD_ADDRESS = "old_address"


FOUND_WORDS = {
    Found.NUMBER: gettext_lazy("number in this register"),
    Found.CERTIFICATE: gettext_lazy("certificate number"),
    Found.CLUSTER: gettext_lazy("name of a cluster"),
    Found.FORMER_CLUSTER: gettext_lazy("former or other name of a cluster"),
    Found.ORGANISATION: gettext_lazy("name of a managing organisation"),
    Found.FORMER_ORGANISATION: gettext_lazy("former name of a managing organisation"),
    Found.VAT: gettext_lazy("VAT number of a managing organisation"),
    Found.WEBSITE: gettext_lazy("web site of a cluster"),
    Found.ADDRESS: gettext_lazy("address of a page"),
    Found.OLD_ADDRESS: gettext_lazy("former address of a page"),
}


class LineVerdict(StrEnum):
    """What is answered to a line: one word for a label that is found, and for none."""

    VALID = "valid"
    UNCERTAIN = "uncertain"
    NOT_VALID = "not_valid"
    TRANSFERRED = "transferred"
    UNKNOWN = "unknown"


LINE_VERDICTS = {
    LineVerdict.VALID: gettext_lazy("valid"),
    LineVerdict.UNCERTAIN: gettext_lazy("cannot be told"),
    LineVerdict.NOT_VALID: gettext_lazy("not valid"),
    LineVerdict.TRANSFERRED: gettext_lazy("transferred"),
    LineVerdict.UNKNOWN: gettext_lazy("unknown"),
}

LIKENESS_WORDS = {
    Likeness.HOLDS: gettext_lazy("holds what you asked for"),
    Likeness.PART: gettext_lazy("is part of what you asked for"),
    Likeness.SPELT: gettext_lazy("is spelt alike"),
}


@dataclass(frozen=True)
class Near:
    """A name that does stand in the register, and why it is named."""

    name: str
    likeness: Likeness

    @property
    def why(self) -> str:
        return str(LIKENESS_WORDS[self.likeness])


@dataclass(frozen=True)
class Managed:
    """An organisation that was asked for, and a cluster that it manages, on the day or not."""

    organisation: Organisation
    cluster: Cluster
    is_current: bool


@dataclass(frozen=True)
class Answer:
    """Labels found, clusters found that hold none, or else the nearest names and why.

    `more_clusters` and `more_labels` were found too and are left out.
    """

    asked: str
    day: date
    level: str = ""
    found_as: Found | None = None
    labels: list[Label] = field(default_factory=list)
    clusters_without_labels: list[Cluster] = field(default_factory=list)
    organisations: list[Organisation] = field(default_factory=list)
    management: list[Managed] = field(default_factory=list)
    more_clusters: int = 0
    more_labels: int = 0
    nearest: list[Near] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)

    @property
    def is_unknown(self) -> bool:
        return self.found_as is None

    @cached_property
    def label(self) -> Label | None:
        # The one that decides: the highest valid label, else one that may become valid again; of
        # a claim one of its level.
        return headline(one for one in self.labels if self.level in ("", one.level_id))

    @property
    def verdict(self) -> LineVerdict:
        # A cluster without a label here may hold one that the register does not know.
        if self.label is None:
            return LineVerdict.UNKNOWN
        state = State(self.label.state)
        if state == State.TRANSFERRED:
            return LineVerdict.TRANSFERRED
        return {
            Reply.YES: LineVerdict.VALID,
            Reply.CANNOT_BE_TOLD: LineVerdict.UNCERTAIN,
            Reply.NO: LineVerdict.NOT_VALID,
        }[reply_of(state)]

    @property
    def found_in_words(self) -> str:
        return str(FOUND_WORDS[self.found_as]) if self.found_as else ""

    @cached_property
    def words(self) -> Verdict:
        # The verdict on the label that decides, or why there is none.
        if self.label is not None:
            return verdict(self.label, self.day)
        if self.is_unknown:
            sentence = _("Nothing in this register has this number, name or address.")
        elif self.labels:
            sentence = _("This register holds no label of that level here.")
        elif self.clusters_without_labels:
            sentence = _("This register holds no label of this cluster.")
        else:
            sentence = _(
                "This register holds no cluster that this organisation manages or managed."
            )
        return Verdict(Reply.CANNOT_BE_TOLD, sentence, absence_caveat())


@dataclass
class Target:
    """What a question leads to, by keys: labels, or else clusters and organisations."""

    found_as: Found | None = None
    labels: list[int] = field(default_factory=list)
    clusters: set[int] = field(default_factory=set)
    organisations: set[int] = field(default_factory=set)

    def add(self, match: "Match") -> None:
        self.found_as = self.found_as or match.found_as
        (self.organisations if match.is_organisation else self.clusters).add(match.pk)


class Match(NamedTuple):
    """A cluster or an organisation by its key, and as what it was found."""

    found_as: Found
    pk: int
    is_organisation: bool = False


class LabelClaim(NamedTuple):
    """What somebody has in hand, and what is said of it: the day, and the level where one is."""

    asked: str
    day: date
    level: str = ""


Asked = dict[str, tuple[Question, Target]]
# What somebody may write of a cluster or an organisation: the kind of key, and the key.
Key = tuple[str, str]


def verify(asked: str, day: date) -> Answer:
    return verify_all([LabelClaim(asked, day)])[0]


def verify_all(claims: Sequence[LabelClaim]) -> list[Answer]:
    """An answer for each claim in its order, the same as for the claim alone.

    A label's public id, certificate number or page; else a cluster or an organisation by its
    name, a former or other name too, by its page, by a former address of it, by its public id, or
    by its VAT number. Without case. The number of queries has a bound, however many claims and
    days there are.
    """
    every: Asked = {claim.asked: (question(claim.asked), Target()) for claim in claims}
    labels_found(every)
    find_by_key(unresolved(every))
    find_by_former_address(unresolved(every))
    find_by_site(unresolved(every))
    nearest = find_by_likeness(unresolved(every))
    shelf = Shelf([target for _question, target in every.values()])
    answers = {
        claim: shelf.answer(claim, *every[claim.asked], nearest.get(claim.asked, []))
        for claim in dict.fromkeys(claims)
    }
    return [answers[claim] for claim in claims]


def unresolved(asked: Asked) -> Asked:
    return {text: pair for text, pair in asked.items() if pair[1].found_as is None}


def labels_found(asked: Asked) -> None:
    """By numbers, which have an index; one query."""
    numbers = {q.number for q, _target in asked.values()}
    certificates = {q.folded for q, _target in asked.values()} - {""}
    is_asked = Q(public_id__in=numbers) | Q(normal_certificate_number__in=certificates)
    by_number: dict[str, int] = {}
    by_certificate: dict[str, list[tuple[int, str]]] = defaultdict(list)
    columns = ("pk", "public_id", "certificate_number", "normal_certificate_number")
    for pk, number, certificate, normal in numbers_of(Label.objects.filter(is_asked), *columns):
        by_number[number] = pk
        by_certificate[normal].append((pk, certificate))
    for q, target in asked.values():
        target.labels = certified(q, by_certificate.get(q.folded, []) if q.folded else [])
        target.found_as = Found.CERTIFICATE if target.labels else None
        if numbered := by_number.get(q.number):
            target.labels = [numbered, *(pk for pk in target.labels if pk != numbered)]
            target.found_as = Found.ADDRESS if q.is_address else Found.NUMBER


def certified(q: Question, found: list[tuple[int, str]]) -> list[int]:
    # Of certificates that are the same but for their spelling, those spelt as asked, if any.
    usual = (q.asked, q.asked.upper(), q.asked.lower())
    return [pk for pk, number in found if number in usual] or [pk for pk, _number in found]


def numbers_of(labels: LabelQuerySet, *columns: str) -> Iterable[Any]:
    return labels.published().highest_first().values_list(*columns)


def cluster_keys_of(q: Question) -> list[Key]:
    # What the question may be a key of, the surest kind first.
    keys = [
        ("vat", q.vat_number),
        ("name", q.folded),
        ("cluster", q.cluster_slug),
        ("organisation", q.organisation_slug),
    ]
    return [key for key in keys if key[1]]


def find_by_key(asked: Asked) -> None:
    """By names, addresses, public ids and VAT numbers as they stand today; two queries."""
    if not asked:
        return
    by_key: dict[Key, list[Match]] = defaultdict(list)
    for key, match in chain(
        cluster_keys([q for q, _target in asked.values()]),
        organisation_keys([q for q, _target in asked.values()]),
    ):
        by_key[key].append(match)
    for q, target in asked.values():
        for key in cluster_keys_of(q):
            for match in by_key.get(key, []):
                target.add(match)
        if target.found_as is None:
            # “bio pmed” is bioPmed, where nothing is called so as it stands.
            for match in by_key.get(("name", q.without_spaces), []):
                target.add(match)


def names_of(questions: Iterable[Question]) -> set[str]:
    return {name for q in questions for name in (q.folded, q.without_spaces)} - {""}


def cluster_keys(questions: Iterable[Question]) -> Iterator[tuple[Key, Match]]:
    names = names_of(questions)
    slugs = {q.cluster_slug for q in questions} - {""}
    own = (
        Cluster.objects.published()
        .filter(
            Q(normal_name__in=names)
            | Q(slug__in=slugs)
            | Q(public_id__in={slug.upper() for slug in slugs})
        )
        .values_list("pk", "normal_name", "slug", "public_id")
    )
    others = ClusterName.objects.filter(
        normal_name__in=names, cluster__is_published=True
    ).values_list("cluster_id", "normal_name", Value(""), Value(""))
    for pk, normal, slug, public_id in own.order_by().union(others.order_by(), all=True):
        if not slug:
            yield ("name", normal), Match(Found.FORMER_CLUSTER, pk)
            continue
        yield ("name", normal), Match(Found.CLUSTER, pk)
        yield ("cluster", slug), Match(Found.ADDRESS, pk)
        yield ("cluster", public_id.lower()), Match(Found.NUMBER, pk)


def organisation_keys(questions: Iterable[Question]) -> Iterator[tuple[Key, Match]]:
    names = names_of(questions)
    slugs = {q.organisation_slug for q in questions} - {""}
    vat_numbers = {q.vat_number for q in questions}
    own = (
        Organisation.objects.published()
        .alias(national=Substr("vat_number", 3))
        .filter(
            Q(normal_name__in=names)
            | Q(slug__in=slugs)
            | Q(public_id__in={slug.upper() for slug in slugs})
            | (~Q(vat_number="") & (Q(vat_number__in=vat_numbers) | Q(national__in=vat_numbers)))
        )
        .values_list("pk", "normal_name", "slug", "public_id", "vat_number")
    )
    others = OrganisationName.objects.filter(
        normal_name__in=names, organisation__is_published=True
    ).values_list("organisation_id", "normal_name", Value(""), Value(""), Value(""))
    for pk, normal, slug, public_id, vat in own.order_by().union(others.order_by(), all=True):
        if not slug:
            yield ("name", normal), Match(Found.FORMER_ORGANISATION, pk, True)
            continue
        yield ("name", normal), Match(Found.ORGANISATION, pk, True)
        yield ("organisation", slug), Match(Found.ADDRESS, pk, True)
        yield ("organisation", public_id.lower()), Match(Found.NUMBER, pk, True)
        yield ("vat", vat), Match(Found.VAT, pk, True)
        yield ("vat", vat[2:]), Match(Found.VAT, pk, True)


def find_by_former_address(asked: Asked) -> None:
    """Two queries."""
    clusters = {q.cluster_slug for q, _target in asked.values() if q.cluster_slug}
    organisations = {q.organisation_slug for q, _target in asked.values() if q.organisation_slug}
    cluster_at = Cluster.objects.published().keys_formerly_at(clusters)
    organisation_at = Organisation.objects.published().keys_formerly_at(organisations)
    for q, target in asked.values():
        if q.cluster_slug in cluster_at:
            target.add(Match(Found.OLD_ADDRESS, cluster_at[q.cluster_slug]))
        if q.organisation_slug in organisation_at:
            pk = organisation_at[q.organisation_slug]
            target.add(Match(Found.OLD_ADDRESS, pk, is_organisation=True))


def find_by_site(asked: Asked) -> None:
    """By the host of a cluster's web site; one query, where a question is like one."""
    if not any(q.site for q, _target in asked.values()):
        return
    by_site: dict[str, list[int]] = defaultdict(list)
    rows = Cluster.objects.published().exclude(website="").order_by("pk")
    for pk, website in rows.values_list("pk", "website"):
        by_site[site_in(website)].append(pk)
    for q, target in asked.values():
        for pk in by_site.get(q.site, []) if q.site else []:
            target.add(Match(Found.WEBSITE, pk))


def find_by_likeness(asked: Asked) -> dict[str, list[Near]]:
    """The nearest of all names there are; four queries."""
    if not asked:
        return {}
    spelt: dict[str, str] = {}
    for normal, name in all_names():
        spelt.setdefault(normal, name)
    sought = {}
    for text, (q, _target) in asked.items():
        slug = (q.cluster_slug or q.organisation_slug).replace("-", " ")
        sought[text] = slug if q.is_address else q.folded
    names = list(spelt)
    similar = similar_names((text for text in sought.values() if text), names)
    near = {words: nearest_names(words, names, places) for words, places in similar.items()}
    return {
        text: [Near(spelt[name], likeness) for name, likeness in near.get(words, [])]
        for text, words in sought.items()
    }


def nearest_names(
    text: str, names: Sequence[str], similar: Iterable[tuple[int, float]]
) -> list[tuple[str, Likeness]]:
    # The best first: what holds the text, then what is a part of it, then what is spelt alike.
    found = []
    for place, likeness in similar:
        name = names[place]
        if len(text) >= MIN_PART_LENGTH and text in name:
            found.append((2.0, name, Likeness.HOLDS))
        elif len(name) >= MIN_PART_LENGTH and name in text:
            found.append((1 + len(name) / len(text), name, Likeness.PART))
        elif likeness >= MIN_LIKENESS:
            found.append((likeness / 100, name, Likeness.SPELT))
    found.sort(key=lambda row: (-row[0], row[1]))
    return [(name, likeness) for _score, name, likeness in found[:MAX_NEAREST]]


def all_names() -> Iterator[tuple[str, str]]:
    # Normal form and name of published clusters and organisations, in a stable order.
    for rows in (
        Cluster.objects.published(),
        ClusterName.objects.filter(cluster__is_published=True),
        Organisation.objects.published(),
        OrganisationName.objects.filter(organisation__is_published=True),
    ):
        yield from rows.order_by("pk").values_list("normal_name", "name")


class Shelf:
    """The rows that any of the targets leads to, loaded at once for whatever day."""

    def __init__(self, targets: Sequence[Target]) -> None:
        wanted = {pk for target in targets for pk in target.organisations}
        self.organisations = Organisation.objects.in_bulk(wanted) if wanted else {}
        self.managed = self.managed_by(wanted) if wanted else {}
        chosen = {pk for target in targets for pk in self.clusters_of(target)}
        self.clusters: dict[int, Cluster] = {}
        if chosen:
            clusters = Cluster.objects.published().filter(pk__in=chosen).order_by("name", "pk")
            self.clusters = {cluster.pk: cluster for cluster in clusters}
        self.cluster_rank = {pk: number for number, pk in enumerate(self.clusters)}
        numbered = {pk for target in targets for pk in target.labels[:MOST_LABELS]}
        self.labels: dict[int, Label] = {}
        self.labels_of: dict[int, list[Label]] = defaultdict(list)
        if chosen or numbered:
            self.load_labels(numbered, chosen)
        self.label_rank = {pk: number for number, pk in enumerate(self.labels)}

    def managed_by(self, organisations: Collection[int]) -> dict[int, dict[int, list[Management]]]:
        """The clusters that each organisation manages or managed, with what the directory says.

        Two queries: of the directory, and of the manager at the time of a label.
        """
        found: dict[int, dict[int, list[Management]]] = {pk: {} for pk in organisations}
        managements = Management.objects.of_published_clusters().filter(
            organisation__in=organisations
        )
        for management in managements:
            of_one = found[management.organisation_id]
            of_one.setdefault(management.cluster_id, []).append(management)
        labels = Label.objects.published().filter(managing_organisation__in=organisations)
        pairs = labels.order_by().values_list("managing_organisation", "cluster").distinct()
        for organisation, cluster in pairs:
            found[organisation].setdefault(cluster, [])
        return found

    def manages_on(self, organisation: int, cluster: int, day: date) -> bool | None:
        # None where it never did.
        managements = self.managed[organisation].get(cluster)
        return None if managements is None else any(one.is_on(day) for one in managements)

    def load_labels(self, numbered: set[int], clusters: set[int]) -> None:
        labels = (
            Label.objects.published()
            .with_holder()
            .with_succession()
            .select_related("rule")
            .filter(Q(pk__in=numbered) | Q(cluster__in=clusters))
            .highest_first()
        )
        for label in labels.iterator(chunk_size=ROWS_AT_ONCE):
            self.labels[label.pk] = label
            self.labels_of[label.cluster_id].append(label)

    def clusters_of(self, target: Target, day: date | None = None) -> list[int]:
        # Those asked for themselves, then those that an organisation manages on the day.
        order = {pk: (0, pk) for pk in target.clusters}
        for organisation in target.organisations:
            for pk in self.managed[organisation]:
                is_current = day is not None and self.manages_on(organisation, pk, day)
                order[pk] = min(order.get(pk, (3, pk)), (1 if is_current else 2, pk))
        return sorted(order, key=order.__getitem__)

    def on_day(self, keys: Iterable[int], day: date) -> list[Label]:
        # A copy for each day, each with its state.
        found = []
        for key in keys:
            label = copy(self.labels[key])
            label.state = label.state_on(day).value
            found.append(label)
        return found

    def answer(self, claim: LabelClaim, q: Question, target: Target, nearest: list[Near]) -> Answer:
        day, level = claim.day, claim.level
        if target.found_as is None:
            return Answer(q.asked, day, level, nearest=nearest, reasons=reasons(q))
        if target.labels:
            labels = self.on_day(target.labels[:MOST_LABELS], day)
            more = len(target.labels) - len(labels)
            return Answer(q.asked, day, level, target.found_as, labels, more_labels=more)
        every = self.clusters_of(target, day)
        clusters = sorted(every[:MOST_CLUSTERS], key=self.cluster_rank.__getitem__)
        found = (label.pk for pk in clusters for label in self.labels_of.get(pk, []))
        labels = self.on_day(sorted(found, key=self.label_rank.__getitem__), day)
        return Answer(
            q.asked,
            day,
            level,
            target.found_as,
            labels[:MOST_LABELS],
            [self.clusters[pk] for pk in clusters if pk not in self.labels_of],
            [self.organisations[pk] for pk in sorted(target.organisations)],
            self.management_in(target, clusters, day),
            more_clusters=len(every) - len(clusters),
            more_labels=max(len(labels) - MOST_LABELS, 0),
        )

    def management_in(self, target: Target, clusters: list[int], day: date) -> list[Managed]:
        return [
            Managed(self.organisations[organisation], self.clusters[pk], is_current)
            for organisation in sorted(target.organisations)
            for pk in clusters
            if (is_current := self.manages_on(organisation, pk, day)) is not None
        ]
