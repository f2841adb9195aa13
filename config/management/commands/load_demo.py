import json
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.db.models import Model
from django.utils import timezone
from simple_history.utils import bulk_create_with_history

import clusters
from clusters.fields import parse_partial_date
from clusters.models import (
    Cluster,
    ClusterFact,
    ClusterName,
    ClusterState,
    ClusterText,
    FactSource,
    Lineage,
    LineageKind,
    Management,
    ManagementRole,
    MemberKind,
    MembershipCount,
    Organisation,
    OrganisationKind,
    OrganisationName,
    Participation,
    Portfolio,
    Programme,
    Region,
    Shareholding,
)
from clusters.models.history import DEMO, came_from
from clusters.models.images import reencode
from config.management.cluster_facts import Facts, ManagerOfCluster, csv_rows
from labels.importing.lines import Outcome, open_register
from labels.importing.writer import import_register, with_addresses
from labels.life.days import save_label
from labels.models import IssuingBody, Label, LabelSource, Level, RequiredLevel, Statement
from labels.models.decisions import corrected_by_the_portal
from news.models import Announcement, AnnouncementState, AnnouncementText, Picture, TextState, Topic

DATA = Path(clusters.__file__).parent / "data" / "demo"
PICTURE_SIDE = 1600

Saved = TypeVar("Saved", bound=Model)
Json = dict[str, Any]
FIELDS = {
    ClusterFact.TOWN: "town",
    ClusterFact.REGION: "region",
    ClusterFact.PORTFOLIO: "portfolio",
    ClusterFact.FOUNDED: "founded_on",
    ClusterFact.WEBSITE: "website",
}


class Command(BaseCommand):
    help = (
        "Loads the demo data: real clusters, organisations, programmes, labels, published counts "
        "and announcements. A row that is there, or was there before it was edited, stays as it is."
    )

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        demo = Demo()
        with came_from(DEMO):
            demo.load()
        numbers = ", ".join(f"{number} {name}" for name, number in demo.created.items() if number)
        self.stdout.write(
            f"Demo data: created {numbers}." if numbers else "Demo data: all there, nothing added."
        )


class Demo:
    """Loads the files of the demo in the order in which they refer to each other."""

    def __init__(self) -> None:
        self.created: Counter[str] = Counter()
        self.organisations: dict[str, Organisation | None] = {}
        self.clusters: dict[str, Cluster | None] = {}
        self.statements: dict[tuple[str, str], Statement | None] = {}
        self.new_sources: list[FactSource] = []
        self.portfolios = {row.code: row for row in Portfolio.objects.all()}
        self.regions = {row.code: row for row in Region.objects.all() if row.code}

    def load(self) -> None:
        for row in demo_rows("organisations"):
            self.add_organisation(row)
        for row in demo_rows("organisations"):
            self.add_shareholders(row)
        for row in csv_rows(DATA / "mergers.csv"):
            self.add_merger(row)
        for row in demo_rows("clusters"):
            self.add_named_cluster(row)
        for row in csv_rows(DATA / "cluster_facts.csv"):
            self.add_facts(Facts(row))
        self.add_other_names()
        self.add_sources()
        for row in demo_rows("programmes"):
            self.add_programme(row)
        for name in ("labelled_clusters", "more_labels"):
            self.import_labels(name)
        for row in demo_rows("labels")["enriched"]:
            self.complete_label(row)
        for row in demo_rows("statements"):
            self.add_statement(row)
        for row in demo_rows("topics"):
            values = {name: row[name] for name in ("name_en", "name_it", "rank")}
            self.add(Topic, {"slug": row["slug"]}, **values)
        for row in demo_rows("announcements"):
            self.add_announcement(row)

    def add(self, model: type[Saved], identity: Json, **values: Any) -> Saved | None:
        """The row that has this identity or once had it; otherwise a new one.

        None where it was deleted since: then it is not added again.
        """
        found, was_there = find(model, identity)
        if was_there:
            return found
        return self.save(model(**identity, **values))

    def save(self, row: Saved) -> Saved:
        if isinstance(row, Cluster):
            with_addresses(Cluster, [row])
        elif isinstance(row, Organisation):
            with_addresses(Organisation, [row])
        row.full_clean()
        row.save()
        self.created[str(row._meta.verbose_name_plural)] += 1
        return row

    def complete(self, row: Model, values: Json) -> bool:
        # Set what is empty and, by the row's history, always was; whether there was any.
        missing = {
            name: value
            for name, value in values.items()
            if value not in (None, "") and was_never_set(row, name)
        }
        for name, value in missing.items():
            setattr(row, name, value)
        return bool(missing)

    def add_organisation(self, row: Json) -> None:
        names = [former["name"] for former in row.get("former_names", [])]
        values = {
            "legal_form": row.get("legal_form", ""),
            "region": region(row),
            "town": row.get("town", ""),
            "website": row.get("website", ""),
            "role_address": row.get("role_address", ""),
        }
        organisation = self.find_organisation(row["name"], *names)
        if organisation is None:
            organisation = self.add(
                Organisation,
                {"name": row["name"], "country": row["country"]},
                kind=row["kind"],
                is_address_shown=row["show_address"],
                **values,
            )
        elif self.complete(organisation, values):
            organisation.save()
        self.organisations[row["name"]] = organisation
        for former in row.get("former_names", []) if organisation else []:
            self.add(
                OrganisationName,
                {"organisation": organisation, "name": former["name"]},
                started_on=former.get("used_from"),
                ended_on=former.get("used_until"),
            )

    def find_organisation(self, *names: str) -> Organisation | None:
        if names[0] in self.organisations:
            return self.organisations[names[0]]
        by_name = (find(Organisation, {"name": name})[0] for name in names)
        return next((found for found in by_name if found), None)

    def add_shareholders(self, row: Json) -> None:
        organisation = self.organisations[row["name"]]
        for holding in row.get("shareholders", []):
            shareholder = self.find_organisation(holding["organisation"])
            if organisation and shareholder:
                self.add(
                    Shareholding,
                    {"organisation": organisation, "shareholder": shareholder},
                    started_on=holding["from"],
                    ended_on=holding["until"],
                )

    def add_named_cluster(self, row: Json) -> None:
        cluster = self.cluster(row["name"], row["country"])
        if cluster is None:
            return
        for other in row.get("names", []):
            self.add_other_name(cluster, **other)
        for language, text in row.get("texts", {}).items():
            self.add(ClusterText, {"cluster": cluster, "language": language}, **text)

    def cluster(self, name: str, country: str, **values: Any) -> Cluster | None:
        # Added with the values where there is none and never was.
        if name not in self.clusters:
            self.clusters[name] = self.find_cluster(name) or self.add(
                Cluster, {"name": name, "country": country}, **values
            )
        return self.clusters[name]

    def find_cluster(self, name: str) -> Cluster | None:
        # By its name or another name, present or, by its history, past.
        if name in self.clusters:
            return self.clusters[name]
        found, _was_there = find(Cluster, {"name": name})
        other = ClusterName.objects.filter(name=name).select_related("cluster").first()
        return found or (other.cluster if other else None)

    def add_other_name(
        self, cluster: Cluster, name: str, kind: str, used_from: str | None, used_until: str | None
    ) -> None:
        if name != cluster.name:
            self.add(
                ClusterName,
                {"cluster": cluster, "name": name},
                kind=kind,
                started_on=used_from or None,
                ended_on=used_until or None,
            )

    def add_merger(self, row: Mapping[str, str]) -> None:
        kind = LineageKind(row["kind"])
        is_merged = kind == LineageKind.MERGED_INTO
        state = ClusterState.MERGED if is_merged else ClusterState.ACTIVE
        cluster = self.cluster(row["cluster"], row["country_code"], state=state)
        other = self.cluster(row["other"], row["other_country_code"])
        if cluster and other:
            self.add(
                Lineage,
                {"cluster": cluster, "kind": kind, "other": other},
                happened_on=row["happened_on"],
                source=row["source"],
            )

    def add_facts(self, row: Facts) -> None:
        values = {
            "portfolio": self.portfolios.get(row["portfolio"]),
            "region": self.regions.get(row["region"]),
            "town": row["town"],
            "latitude": decimal(row["latitude"]),
            "longitude": decimal(row["longitude"]),
            "founded_on": parse_partial_date(row["founded"] or None),
            "website": row["website"],
        }
        cluster = self.cluster(row["cluster"], row["country_code"], **values)
        if cluster is None:
            return
        if self.complete(cluster, values):
            cluster.full_clean()
            cluster.save()
        self.add_taglines(cluster, row)
        self.add_managers(cluster, row)
        self.add_members(cluster, row)
        is_managed = cluster.managements.filter(source=row["source_url"]).exists()
        kept = {fact for fact, name in FIELDS.items() if getattr(cluster, name) == values[name]}
        kept |= {ClusterFact.TAGLINE, ClusterFact.MEMBERS}
        kept |= {ClusterFact.MANAGERS, ClusterFact.MANAGED_SINCE} if is_managed else set()
        self.new_sources += [source for source in row.sources(cluster) if source.fact in kept]

    def add_taglines(self, cluster: Cluster, row: Facts) -> None:
        for language in ("en", "it"):
            if tagline := row[f"tagline_{language}"]:
                identity = {"cluster": cluster, "language": language}
                self.add(ClusterText, identity, tagline=tagline)

    def add_managers(self, cluster: Cluster, row: Facts) -> None:
        # A cluster that ever had a lead keeps its own.
        had_lead = Management.history.filter(cluster=cluster, role=ManagementRole.LEAD).exists()
        for manager in row.managers():
            if had_lead and manager.role == ManagementRole.LEAD:
                continue
            organisation = self.manager(manager, row["country_code"])
            if organisation:
                self.add(
                    Management,
                    {"cluster": cluster, "organisation": organisation, "role": manager.role},
                    started_on=manager.since or None,
                    ended_on=manager.until or None,
                    source=row["source_url"],
                )

    def manager(self, manager: ManagerOfCluster, country: str) -> Organisation | None:
        name = manager.name
        if name not in self.organisations:
            self.organisations[name] = self.find_organisation(name) or self.add(
                Organisation,
                {"name": name, "country": country},
                kind=manager.kind or OrganisationKind.OTHER,
            )
        return self.organisations[name]

    def add_members(self, cluster: Cluster, row: Facts) -> None:
        for kind in (MemberKind.TOTAL, MemberKind.SME, MemberKind.LARGE, MemberKind.RESEARCH):
            if number := row[f"members_{kind}"]:
                self.add(
                    MembershipCount,
                    {"cluster": cluster, "counted_on": row["members_date"], "kind": kind},
                    count=int(number),
                    qualifier=row["members_qualifier"] if kind == MemberKind.TOTAL else "",
                    source=row["source_url"],
                )

    def add_other_names(self) -> None:
        sources: dict[str, list[str]] = {}
        for row in csv_rows(DATA / "other_names.csv"):
            cluster = self.cluster(row["cluster"], row["country_code"])
            if cluster:
                names = ("name", "kind", "used_from", "used_until")
                self.add_other_name(cluster, **{name: row[name] for name in names})
                sources.setdefault(row["cluster"], []).extend(row["source"].split("; "))
        self.new_sources += [
            FactSource(
                cluster=self.clusters[name],
                fact=ClusterFact.OTHER_NAMES,
                source="; ".join(dict.fromkeys(addresses)),
            )
            for name, addresses in sources.items()
            if self.clusters[name]
        ]

    def add_sources(self) -> None:
        # All at once: there are as many as facts. What was there once is not added again.
        told = set(FactSource.history.values_list("cluster", "fact"))
        new = [row for row in self.new_sources if (row.cluster_id, row.fact) not in told]
        for row in new:
            row.clean_fields()
        bulk_create_with_history(new, FactSource, default_change_reason=DEMO)
        self.created[str(FactSource._meta.verbose_name_plural)] += len(new)

    def add_programme(self, row: Json) -> None:
        programme = self.add(
            Programme,
            {"slug": row["slug"]},
            owner=self.find_organisation(row["owner"]) if row["owner"] else None,
            country=row["country"],
            region=region(row),
            **{
                name: row[name]
                for name in ("name_en", "name_it", "description_en", "description_it")
            },
        )
        for name in row["clusters"]:
            cluster = self.find_cluster(name)
            if programme and cluster:
                self.add(Participation, {"programme": programme, "cluster": cluster})
        if programme and "required_level" in row:
            self.add_required_level(programme, **row["required_level"])

    def add_required_level(self, programme: Programme, level: str, source: str) -> None:
        # A programme that ever had a required level keeps its own.
        identity = {"programme": programme}
        self.add(RequiredLevel, identity, level=Level.objects.get(pk=level), source=source)

    def import_labels(self, name: str) -> None:
        with open_register(DATA / f"{name}.csv") as file:
            report = import_register(file)
        if report.outcome != Outcome.WRITTEN:
            raise CommandError(f"{file.name}: {report.errors[0]}")
        for kind, number in report.created.items():
            model = {"managements": Management, "sources": LabelSource}.get(kind)
            self.created[str(model._meta.verbose_name_plural) if model else kind] += number

    def find_label(self, row: Json) -> Label | None:
        cluster = self.find_cluster(row["cluster"])
        if cluster is None:
            return None
        dates = {name: row[name] for name in ("awarded_on", "valid_until")}
        return find(Label, {"cluster": cluster, "level_id": row["level"], **dates})[0]

    def complete_label(self, row: Json) -> None:
        label = self.find_label(row)
        if label and self.complete(label, label_values(row["set"])):
            label.decision = corrected_by_the_portal(
                label, reason="Completed with the demo data.", now=timezone.now()
            )
            save_label(label)

    def add_statement(self, row: Json) -> None:
        key = (row["as_of_on"], row.pop("what"))
        identity = {name: row.pop(name) for name in ("as_of_on", "definition_en", "source")}
        self.statements[key] = self.add(Statement, identity, **row)

    def add_announcement(self, row: Json) -> None:
        # With everything that it relates to; one that is there keeps its texts and relations.
        if any(
            find(AnnouncementText, {"language": language, "slug": text["slug"]})[1]
            for language, text in row["texts"].items()
        ):
            return
        organisation = row["contact_organisation"]
        announcement = self.save(
            Announcement(
                published_at=datetime.fromisoformat(row["published_at"]),
                state=AnnouncementState.PUBLISHED,
                contact_organisation=self.find_organisation(organisation) if organisation else None,
            )
        )
        for language, text in row["texts"].items():
            self.save(
                AnnouncementText(
                    announcement=announcement, language=language, state=TextState.READY, **text
                )
            )
        for values in row["pictures"]:
            image = picture(values.pop("file"))
            self.save(Picture(announcement=announcement, image=image, **values))
        announcement.clusters.set(present(map(self.find_cluster, row["clusters"])))
        announcement.organisations.set(present(map(self.find_organisation, row["organisations"])))
        announcement.labels.set(present(map(self.find_label, row["labels"])))
        announcement.programmes.set(Programme.objects.filter(slug__in=row["programmes"]))
        announcement.topics.set(Topic.objects.filter(slug__in=row["topics"]))
        announcement.statements.set(
            present(self.statements.get((s["as_of_on"], s["what"])) for s in row["statements"])
        )


def demo_rows(name: str) -> Any:
    return json.loads((DATA / f"{name}.json").read_text(encoding="utf-8"))


def find(model: type[Saved], identity: Json) -> tuple[Saved | None, bool]:
    # The row with these values, or that had them by its history; and whether it ever was there.
    if found := model._default_manager.filter(**identity).first():
        return found, True
    past = model.history.filter(**identity).values_list("id", flat=True)  # type: ignore[attr-defined]
    return model._default_manager.filter(pk__in=past).first(), past.exists()


def was_never_set(row: Model, name: str) -> bool:
    if getattr(row, name) not in (None, ""):
        return False
    past = row.history.values_list(name, flat=True)  # type: ignore[attr-defined]
    return not any(past)


def label_values(row: Json) -> Json:
    # What the demo knows of a label beside what tells it from the others.
    awarder = row.get("awarded_by")
    return {
        "assessed_on": parse_partial_date(row.get("assessed_on")),
        "announced_on": parse_partial_date(row.get("announced_on")),
        "score": decimal(row.get("score")),
        "awarded_by": IssuingBody.objects.get(code=awarder) if awarder else None,
    }


def region(row: Json) -> Region | None:
    return Region.objects.filter(code=row["region"]).first() if row.get("region") else None


def decimal(number: float | str | None) -> Decimal | None:
    return None if number in (None, "") else Decimal(str(number))


def picture(name: str) -> Any:
    # The file drawn anew, as one that an editor uploads.
    upload = SimpleUploadedFile(name, (DATA / name).read_bytes())
    return reencode(upload, longest_side=PICTURE_SIDE)


def present(found: Iterable[Saved | None]) -> list[Saved]:
    return [row for row in found if row is not None]
