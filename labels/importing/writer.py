"""Writing a register file: what it says and the register does not know yet is added."""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from hashlib import blake2b
from itertools import islice
from operator import attrgetter
from typing import Any, TextIO, TypeVar

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models, reset_queries, transaction
from django.utils import timezone, translation
from django_countries import countries
from simple_history.utils import bulk_create_with_history, bulk_update_with_history

from clusters.dates import FIRST_YEAR, LAST_YEAR, PartialDate
from clusters.models import (
    Cluster,
    ClusterName,
    Confidence,
    EventKind,
    Management,
    ManagementRole,
    Organisation,
    OrganisationName,
    Portfolio,
    Region,
)
from clusters.models.addresses import TakenSlugs, free_slug, slugs_of
from clusters.models.history import IMPORT
from clusters.names import new_public_id, normal_name
from clusters.people.log import record
from clusters.tables.reader import Finding, TableRefused
from clusters.tables.regions import RegionFinder
from labels.importing.lines import Outcome, RegisterFile, RegisterLine, Report, Vocabulary
from labels.life.days import hold, last_day_in_force, refuse_far_days
from labels.models import Label, LabelSource, Level, LevelRule
from labels.validity import Rule

CHUNK = 1_000
# In the place of a key, where several rows have the name.
AMBIGUOUS = -1
# What the report calls new rows.
CREATED: dict[type[models.Model], str] = {
    Cluster: "clusters",
    Organisation: "organisations",
    Region: "regions",
    Label: "labels",
    Management: "managements",
    LabelSource: "sources",
}

Row = TypeVar("Row", bound=models.Model)
Addressed = TypeVar("Addressed", bound=Cluster | Organisation)
LabelKey = tuple[int, str, PartialDate | None, PartialDate | None]
ClusterKey = int | tuple[str, str]


@transaction.atomic
def import_register(file: TextIO, *, dry_run: bool = False, skip_bad: bool = False) -> Report:
    """Add what a CSV file of labels says and the register does not know yet.

    One transaction: with one bad line nothing is written, unless `skip_bad` leaves those lines
    out. A dry run does the whole work and takes it back. What a row says is never overwritten;
    a portfolio or region that is empty and always was is filled. Reads the file once, in chunks;
    memory grows by some 150 bytes for each name and label that the file or the register holds.
    """
    report = Report()
    try:
        register_file = RegisterFile(file)
    except TableRefused as error:
        report.errors.extend(error.findings)
        return report
    report.notices.extend(register_file.notices)
    # One import at a time: names have no constraint that would stop two from adding the same.
    list(Level.objects.select_for_update(no_key=True))
    write_records(register_file.read(vocabulary()), report, skip_bad=skip_bad)
    if report.errors and not skip_bad:
        report = report.refused()
    else:
        report.outcome = Outcome.DRY_RUN if dry_run else Outcome.WRITTEN
    if report.outcome != Outcome.WRITTEN:
        transaction.set_rollback(True)
    elif sum(report.created.values()):
        told = ", ".join(f"{number} {name}" for name, number in report.created.items() if number)
        record(EventKind.IMPORTED, now=timezone.now(), detail=f"a register file: {told}")
    return report


def write_records(
    records: Iterator[RegisterLine | Finding], report: Report, *, skip_bad: bool
) -> None:
    # After a finding, without `skip_bad`, only look at the rest.
    writer = RegisterWriter(report)
    while chunk := list(islice(records, CHUNK)):
        report.errors += [record for record in chunk if isinstance(record, Finding)]
        if skip_bad or not report.errors:
            writer.write([record for record in chunk if isinstance(record, RegisterLine)])
        reset_queries()  # With DEBUG on, Django keeps the text of every statement.
    report.notices.sort(key=attrgetter("line"))
    report.errors.sort(key=attrgetter("line"))


def vocabulary() -> Vocabulary:
    """The reference tables as a line may quote them (three queries)."""
    return Vocabulary(
        countries=countries_by_name(),
        region_codes=frozenset(region.code for region in Region.objects.all() if region.code),
        portfolios={
            name: portfolio.code
            for portfolio in Portfolio.objects.all()
            for name in (portfolio.code, portfolio.name_it, portfolio.name_en)
        },
        levels=tuple(Level.objects.order_by("rank").values_list("code", flat=True)),
        longest={
            "cluster": longest(Cluster, "name"),
            "region": longest(Region, "name"),
            "managing_organisation": longest(Organisation, "name"),
            "source": longest(Label, "source"),
            "certificate": longest(Label, "certificate_number"),
            "evidence": longest(LabelSource, "note"),
        },
    )


def countries_by_name() -> dict[str, str]:
    # From every code and every name, in each language of the pages, in lower case.
    codes = {code.casefold(): code for code in countries.countries}
    for language, _name in settings.LANGUAGES:
        with translation.override(language):
            codes |= {country.name.casefold(): country.code for country in countries}
    return codes


def longest(model: type[models.Model], name: str) -> int:
    field = model._meta.get_field(name)
    assert isinstance(field, models.CharField)
    assert field.max_length
    return field.max_length


@dataclass(frozen=True, slots=True)
class NamedRows:
    """A line with the keys of the rows that it names."""

    line: RegisterLine
    cluster: int
    organisation: int | None
    region: int | None

    @property
    def label_key(self) -> LabelKey:
        return (self.cluster, self.line.level, self.line.awarded_on, self.line.valid_until)


@dataclass(frozen=True, slots=True)
class InForce:
    """The first and last day of a label that is known to the day, and how to name it."""

    first: date
    last: date
    name: str


class RegisterWriter:
    """Writes checked lines chunk by chunk, with some twenty queries and the inserts each.

    A cluster or organisation is known by country and the normal form of a name: its present name
    goes before another name, and that before one that it bore according to its history.
    """

    def __init__(self, report: Report) -> None:
        self.report = report
        self.regions = RegionFinder()
        self.portfolios = dict(Portfolio.objects.values_list("code", "pk"))
        self.rules = rules_by_level()
        self.clusters = NameIndex(
            Cluster.objects.values_list("country", "name", "pk"),
            ClusterName.objects.values_list("cluster__country", "name", "cluster"),
            past_names(Cluster),
        )
        self.organisations = NameIndex(
            Organisation.objects.values_list("country", "name", "pk"),
            OrganisationName.objects.values_list("organisation__country", "name", "organisation"),
            past_names(Organisation),
        )
        self.first_lines: dict[bytes, int] = {}
        self.told: set[tuple[int, str, str]] = set()
        # The first line that names a region for a cluster, and the region.
        self.told_of: dict[bytes, tuple[int, int | str]] = {}

    def write(self, lines: list[RegisterLine]) -> None:
        lines = [line for line in lines if self.is_unambiguous(line)]
        lines = [line for line in lines if self.is_of_one_cluster(line)]
        lines = self.without_two_in_force(self.without_far_days(lines))
        self.add_regions(lines)
        self.add_organisations(lines)
        self.add_clusters(lines)
        entries = [
            NamedRows(line, self.cluster(line), self.organisation(line) or None, self.region(line))
            for line in lines
        ]
        self.complete_clusters(entries)
        self.add_labels(entries)
        self.add_sources(entries)
        self.add_leads(entries)

    def notice(self, line: RegisterLine, column: str, message: str) -> None:
        self.report.notices.append(Finding(line.number, column, message))

    def cluster(self, line: RegisterLine) -> int:
        return self.clusters.get(line.country, line.cluster)

    def organisation(self, line: RegisterLine) -> int:
        return self.organisations.get(line.country, line.organisation) if line.organisation else 0

    def region(self, line: RegisterLine) -> int | None:
        return self.regions.find(line.country, line.region) if line.region else None

    def is_unambiguous(self, line: RegisterLine) -> bool:
        # Whether each name leads to one row: a label never goes to a guessed cluster.
        found = {"cluster": self.cluster(line), "managing_organisation": self.organisation(line)}
        columns = [column for column, key in found.items() if key == AMBIGUOUS]
        message = f"more than one in {line.country} has this name. Rename one of them first."
        self.report.errors += [Finding(line.number, column, message) for column in columns]
        return not columns

    def is_of_one_cluster(self, line: RegisterLine) -> bool:
        """Whether the line tells the same of its cluster as the first one of the file did.

        Two clusters of one name in two regions would become one, and a label go to the wrong one.
        """
        key = digest(*map(str, (line.country, normal_name(line.cluster))))
        said = self.region(line) or normal_name(line.region)
        first = self.told_of.setdefault(key, (line.number, said)) if said else None
        if first is None or first[1] == said:
            return True
        self.report.errors.append(
            Finding(
                line.number,
                "region",
                f"line {first[0]} names another region for “{line.cluster}”. Where these are two "
                "clusters, give one a name of its own; where it is one, correct a line.",
            )
        )
        return False

    def without_far_days(self, lines: list[RegisterLine]) -> list[RegisterLine]:
        """Report lines of which a rule counts a day that no column takes, and leave them out."""
        bad = set()
        for line in lines:
            printed = {day.year for day in (line.awarded_on, line.valid_until) if day}
            # A rule counts twenty years at most: no other label need be made to see.
            if all(FIRST_YEAR + 20 < year < LAST_YEAR - 20 for year in printed):
                continue
            try:
                refuse_far_days(self.label(line))
            except ValidationError as error:
                bad.add(line.number)
                self.report.errors.append(
                    Finding(line.number, "valid_until", " ".join(error.messages))
                )
        return [line for line in lines if line.number not in bad]

    def without_two_in_force(self, lines: list[RegisterLine]) -> list[RegisterLine]:
        """Report lines of which the database would refuse the label, and leave them out.

        Only labels known to the day are compared (three queries where a line has one).
        """
        exact = [line for line in lines if is_exact(line)]
        keys = {line.number: self.cluster_key(line) for line in exact}
        clusters = sorted({key for key in keys.values() if isinstance(key, int)})
        in_force = self.in_force(clusters)
        present = present_labels(clusters)
        new: set[tuple[ClusterKey, str, PartialDate | None, PartialDate | None]] = set()
        bad = set()
        for line in exact:
            key = (keys[line.number], line.level, line.awarded_on, line.valid_until)
            if key in present or key in new:
                continue
            label = self.label(line)
            assert label.starts_on
            assert label.ends_on
            span = InForce(label.starts_on, label.ends_on, f"line {line.number}")
            # Of one cluster and level, of which two labels are never in force on one day.
            others = in_force.setdefault(key[:2], [])
            other = next((o for o in others if o.first <= span.last and span.first <= o.last), None)
            if other:
                bad.add(line.number)
                self.report.errors.append(Finding(line.number, "valid_until", overlap(line, other)))
            else:
                others.append(span)
                new.add(key)
        return [line for line in lines if line.number not in bad]

    def cluster_key(self, line: RegisterLine) -> ClusterKey:
        return self.cluster(line) or (line.country, normal_name(line.cluster))

    def in_force(self, clusters: list[int]) -> dict[tuple[ClusterKey, str], list[InForce]]:
        """By cluster and level, the stored labels that the database compares with new ones.

        The clusters are locked: what is not there now does not come in between.
        """
        found: dict[tuple[ClusterKey, str], list[InForce]] = {}
        if not clusters:
            return found
        hold(clusters)
        labels = Label.objects.filter(cluster__in=clusters, is_published=True, days_are_exact=True)
        for label in labels.order_by("starts_on", "pk"):
            assert label.starts_on
            key = (label.cluster_id, label.level_id, label.awarded_on, label.valid_until)
            number = self.first_lines.get(digest(*key))
            name = f"line {number}" if number else f"label {label.public_id}"
            span = InForce(label.starts_on, last_day_in_force(label), name)
            if span.first <= span.last:
                found.setdefault(key[:2], []).append(span)
        return found

    def create(self, model: type[Row], rows: Iterable[Row]) -> list[Row]:
        new = list(rows)
        if new:
            bulk_create_with_history(new, model, default_change_reason=IMPORT)
            self.report.created[CREATED[model]] += len(new)
        return new

    def add_regions(self, lines: list[RegisterLine]) -> None:
        new: dict[tuple[str, str], Region] = {}
        for line in lines:
            key = (line.country, normal_name(line.region))
            if line.region and not self.region(line) and key not in new:
                new[key] = Region(country=line.country, name=line.region)
                message = (
                    f"“{line.region}” is not known in {line.country}; "
                    "it becomes a region without a code."
                )
                self.notice(line, "region", message)
        for region in self.create(Region, new.values()):
            self.regions.add(region)

    def add_organisations(self, lines: list[RegisterLine]) -> None:
        named = [line for line in lines if line.organisation]
        rows = (Organisation(country=line.country, name=line.organisation) for line in named)
        self.add_named(Organisation, self.organisations, rows)

    def add_clusters(self, lines: list[RegisterLine]) -> None:
        self.add_named(Cluster, self.clusters, map(self.new_cluster, lines))

    def new_cluster(self, line: RegisterLine) -> Cluster:
        return Cluster(
            country=line.country,
            name=line.cluster,
            portfolio_id=self.portfolios.get(line.portfolio),
            region_id=self.region(line),
        )

    def add_named(
        self, model: type[Addressed], index: "NameIndex", rows: Iterable[Addressed]
    ) -> None:
        new: dict[tuple[str, str], Addressed] = {}
        for row in rows:
            if not index.get(row.country.code, row.name):
                new.setdefault((row.country.code, normal_name(row.name)), row)
        for row in self.create(model, with_addresses(model, new.values())):
            index.add(row.country.code, row.name, row.pk)

    def complete_clusters(self, entries: list[NamedRows]) -> None:
        # Fill what was never filled; where a line says something else, keep and tell.
        said = [
            (entry, entry.line.portfolio, self.portfolios.get(entry.line.portfolio))
            for entry in entries
        ]
        self.complete("portfolio_id", "sector", said)
        self.complete(
            "region_id", "region", [(entry, entry.line.region, entry.region) for entry in entries]
        )

    def complete(
        self, name: str, column: str, said: list[tuple[NamedRows, str, int | None]]
    ) -> None:
        pks = {entry.cluster for entry, _text, _value in said}
        present = dict(Cluster.objects.filter(pk__in=pks).values_list("pk", name))
        empty = [pk for pk, value in present.items() if value is None]
        past = Cluster.history.filter(id__in=empty, **{f"{name}__isnull": False})
        emptied = set(past.values_list("id", flat=True))
        new: dict[int, int] = {}
        for entry, text, value in said:
            if value is None or value == present[entry.cluster]:
                continue
            if present[entry.cluster] is None and entry.cluster not in emptied:
                present[entry.cluster] = new[entry.cluster] = value
            elif (entry.cluster, column, text) not in self.told:
                self.told.add((entry.cluster, column, text))
                message = f"“{text}” is not what the register has; that is kept."
                self.notice(entry.line, column, message)
        rows = list(Cluster.objects.in_bulk(list(new)).values())
        for row in rows:
            setattr(row, name, new[row.pk])
        bulk_update_with_history(rows, Cluster, [name], default_change_reason=IMPORT)

    def add_labels(self, entries: list[NamedRows]) -> None:
        present = present_labels({entry.cluster for entry in entries})
        new = []
        for entry in entries:
            first = self.first_lines.setdefault(digest(*entry.label_key), entry.line.number)
            if first != entry.line.number:
                self.report.repeated += 1
                self.notice(entry.line, "", self.explain_repeated(entry, first))
            elif entry.label_key in present:
                self.report.unchanged += 1
            else:
                new.append(self.label_of(entry))
        redraw_taken(Label, new, "public_id", new_public_id)
        self.create(Label, new)

    def explain_repeated(self, entry: NamedRows, first: int) -> str:
        # What the first line said of the label stays; what this one says otherwise is not lost.
        line = entry.line
        said = [
            f"{column} “{text}”"
            for column, text in (
                ("managing_organisation", line.organisation),
                ("certificate", line.certificate),
                ("source", line.source),
            )
            if text
        ]
        also = f" It says: {', '.join(said)}." if said else ""
        return f"repeats line {first}; its label is written once, as that line has it.{also}"

    def label_of(self, entry: NamedRows) -> Label:
        label = self.label(entry.line)
        label.cluster_id, label.managing_organisation_id = entry.cluster, entry.organisation
        return label

    def label(self, line: RegisterLine) -> Label:
        label = Label(
            level_id=line.level,
            awarded_on=line.awarded_on,
            valid_until=line.valid_until,
            source=line.source,
            kind=line.kind,
            certificate_number=line.certificate,
        )
        label.apply_validity(self.rules[line.level])
        return label

    def add_sources(self, entries: list[NamedRows]) -> None:
        # What a line tells of its source is added to a label that was there, too: once for each.
        entries = [entry for entry in entries if entry.line.evidence or entry.line.confidence]
        labels = present_labels({entry.cluster for entry in entries})
        told = set(
            LabelSource.history.filter(label__in=set(labels.values())).values_list(
                "label", "source"
            )
        )
        new: dict[tuple[int, str], LabelSource] = {}
        for entry in entries:
            key = (labels[entry.label_key], entry.line.source)
            if key not in told:
                new.setdefault(key, source_of(entry.line, key[0]))
        self.create(LabelSource, new.values())

    def add_leads(self, entries: list[NamedRows]) -> None:
        # An organisation leads a cluster that never had a lead and where it has no other role.
        new: dict[int, Management] = {}
        for entry in entries:
            if entry.organisation and entry.cluster not in new:
                new[entry.cluster] = Management(
                    cluster_id=entry.cluster,
                    organisation_id=entry.organisation,
                    role=ManagementRole.LEAD,
                    source=entry.line.source,
                )
        managements = Management.objects.filter(cluster__in=list(new))
        for cluster, organisation, role in managements.values_list(
            "cluster", "organisation", "role"
        ):
            proposed = new.get(cluster)
            if proposed and (
                role == ManagementRole.LEAD or organisation == proposed.organisation_id
            ):
                del new[cluster]
        self.create(Management, new.values())


def source_of(line: RegisterLine, label: int) -> LabelSource:
    surely = Confidence.SEEN if line.source else Confidence.DOUBTFUL
    return LabelSource(
        label_id=label, source=line.source, confidence=line.confidence or surely, note=line.evidence
    )


def is_exact(line: RegisterLine) -> bool:
    until = line.valid_until
    is_start_exact = line.awarded_on is not None and line.awarded_on.precision == "day"
    return is_start_exact and (until is None or until.precision == "day")


def overlap(line: RegisterLine, other: InForce) -> str:
    return (
        f"the cluster has a label of level “{line.level}” in force from {other.first} to "
        f"{other.last} already ({other.name}), and two of one level are not in force on one day. "
        "Correct the dates or remove the line."
    )


class NameIndex:
    """Finds a row by country and the normal form of its name; holds 16 bytes for a name.

    The sources are querysets of country, name and key, the strongest first. A row without a
    country answers for every country.
    """

    def __init__(self, *sources: Any) -> None:
        self.keys: dict[bytes, int] = {}
        # The strongest last: it overwrites what the weaker ones say.
        for source in reversed(sources):
            keys: dict[bytes, int] = {}
            for country, name, pk in source.order_by().iterator():
                key = digest(country, normal_name(name))
                keys[key] = pk if keys.get(key, pk) == pk else AMBIGUOUS
            self.keys |= keys

    def add(self, country: str, name: str, pk: int) -> None:
        self.keys[digest(country, normal_name(name))] = pk

    def get(self, country: str, name: str) -> int:
        # The row's key, 0 where there is none, `AMBIGUOUS` where several share the name.
        name = normal_name(name)
        return self.keys.get(digest(country, name)) or self.keys.get(digest("", name), 0)


def past_names(model: type[Cluster] | type[Organisation]) -> Any:
    rows = model.history.filter(id__in=model.objects.values("pk"))
    return rows.values_list("country", "name", "id").distinct()


def present_labels(clusters: Collection[int]) -> dict[LabelKey, int]:
    # The labels of these clusters as they are, and as they were before a correction.
    columns = ("cluster", "level", "awarded_on", "valid_until")
    labels = Label.objects.filter(cluster__in=clusters)
    past = Label.history.filter(cluster__in=clusters, id__in=labels.values("pk"))
    return {
        (cluster, level, awarded_on, valid_until): pk
        for rows in (past.values_list("id", *columns), labels.values_list("pk", *columns))
        for pk, cluster, level, awarded_on, valid_until in rows
    }


def rules_by_level() -> dict[str, dict[Rule, LevelRule]]:
    rules: dict[str, dict[Rule, LevelRule]] = {}
    for rule in LevelRule.objects.all():
        rules.setdefault(rule.level_id, {})[rule.as_rule()] = rule
    return rules


def redraw_taken(
    model: type[models.Model], rows: Iterable[models.Model], name: str, draw: Callable[[], object]
) -> None:
    # Draw again what another row has: in a large import many numbers meet.
    stored = model._default_manager
    wanted = [getattr(row, name) for row in rows]
    taken = set(stored.filter(**{f"{name}__in": wanted}).values_list(name, flat=True))
    for row in rows:
        while (value := getattr(row, name)) in taken:
            value = draw()
            setattr(row, name, value)
            if stored.filter(**{name: value}).exists():
                taken.add(value)
        taken.add(value)


def with_addresses(model: type[Addressed], rows: Iterable[Addressed]) -> list[Addressed]:
    """Give each row an address that no row has or had (three queries)."""
    rows = list(rows)
    redraw_taken(model, rows, "public_id", new_public_id)
    likely = (
        slug
        for row in rows
        for slug in islice(slugs_of(model, row.address_name(), row.address_others()), 3)
    )
    taken = TakenSlugs(model, likely)
    for row in rows:
        row.slug = free_slug(model, row.address_name(), taken, row.address_others())
        taken.add(row.slug)
    return rows


def digest(*parts: object) -> bytes:
    return blake2b("\0".join(map(str, parts)).encode(), digest_size=16).digest()
