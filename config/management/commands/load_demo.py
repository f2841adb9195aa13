import json
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.db.models import Model

import clusters
from clusters.fields import parse_partial_date
from clusters.models import (
    Cluster,
    ClusterName,
    ClusterState,
    ClusterText,
    Lineage,
    LineageKind,
    Management,
    ManagementRole,
    MembershipCount,
    Organisation,
    OrganisationName,
    Participation,
    Portfolio,
    Programme,
    Region,
    Shareholding,
)
from clusters.models.history import DEMO, came_from
from clusters.models.images import reencode
from labels.importing.lines import Outcome, open_register
from labels.importing.writer import import_register, with_addresses
from labels.life.days import save_label
from labels.models import IssuingBody, Label, Level, RequiredLevel, Statement
from news.models import Announcement, AnnouncementText

DATA = Path(clusters.__file__).parent / "data" / "demo"
PICTURE_SIDE = 1600

Row = TypeVar("Row", bound=Model)
Json = dict[str, Any]


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

    def load(self) -> None:
        for row in demo_rows("organisations"):
            self.add_organisation(row)
        for row in demo_rows("organisations"):
            self.add_shareholders(row)
        for row in [*demo_rows("clusters"), *demo_rows("predecessors")]:
            self.add_cluster(row)
        for row in demo_rows("programmes"):
            self.add_programme(row)
        self.import_labels()
        for row in demo_rows("labels")["enriched"]:
            self.complete_label(row)
        for row in demo_rows("statements"):
            self.add_statement(row)
        for row in demo_rows("announcements"):
            self.add_announcement(row)

    def add(self, model: type[Row], identity: Json, **values: Any) -> Row | None:
        """The row that has this identity or once had it; otherwise a new one.

        None where it was deleted since: then it is not added again.
        """
        found, was_there = find(model, identity)
        if was_there:
            return found
        return self.save(model(**identity, **values))

    def save(self, row: Row) -> Row:
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

    def add_cluster(self, row: Json) -> None:
        values = {
            "portfolio": Portfolio.objects.filter(code=row.get("portfolio")).first(),
            "region": region(row),
            "founded_on": row.get("founded"),
            "website": row.get("website", ""),
            "town": row.get("town", ""),
            "latitude": decimal(row.get("latitude")),
            "longitude": decimal(row.get("longitude")),
        }
        names = [other["name"] for other in row.get("names", [])]
        cluster = self.find_cluster(row["name"], *names)
        if cluster is None:
            identity = {"name": row["name"], "country": row["country"]}
            state = row.get("state", ClusterState.ACTIVE)
            cluster = self.add(Cluster, identity, state=state, **values)
        elif self.complete(cluster, values):
            cluster.save()
        self.clusters[row["name"]] = cluster
        if cluster:
            self.add_names_and_texts(cluster, row)
            self.add_managers(cluster, row)
            self.add_members_and_lineage(cluster, row)

    def find_cluster(self, *names: str) -> Cluster | None:
        # By its name or another name, present or, by its history, past.
        if names[0] in self.clusters:
            return self.clusters[names[0]]
        for name in names:
            found, _was_there = find(Cluster, {"name": name})
            other = ClusterName.objects.filter(name=name).select_related("cluster").first()
            if found or other:
                return found or (other.cluster if other else None)
        return None

    def add_names_and_texts(self, cluster: Cluster, row: Json) -> None:
        for other in row.get("names", []):
            if other["name"] != cluster.name:
                self.add(
                    ClusterName,
                    {"cluster": cluster, "name": other["name"]},
                    kind=other["kind"],
                    started_on=other["used_from"],
                    ended_on=other["used_until"],
                )
        for language, text in row.get("texts", {}).items():
            self.add(ClusterText, {"cluster": cluster, "language": language}, **text)

    def add_managers(self, cluster: Cluster, row: Json) -> None:
        # A cluster that ever had a lead keeps its own.
        had_lead = Management.history.filter(cluster=cluster, role=ManagementRole.LEAD).exists()
        for manager in row.get("managers", []):
            organisation = self.find_organisation(manager["organisation"])
            role = ManagementRole(manager["role"])
            if organisation and not (had_lead and role == ManagementRole.LEAD):
                self.add(
                    Management,
                    {"cluster": cluster, "organisation": organisation, "role": role},
                    started_on=manager["from"],
                    ended_on=manager["until"],
                )

    def add_members_and_lineage(self, cluster: Cluster, row: Json) -> None:
        for members in row.get("members", []):
            self.add(
                MembershipCount,
                {"cluster": cluster, "counted_on": members["on"], "kind": members["kind"]},
                count=members["count"],
                source=members["source"],
            )
        other = self.find_cluster(row["merged_into"]) if "merged_into" in row else None
        if other:
            self.add(
                Lineage,
                {"cluster": cluster, "kind": LineageKind.MERGED_INTO, "other": other},
                happened_on=row["merged_on"],
            )

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

    def import_labels(self) -> None:
        with open_register(DATA / "labelled_clusters.csv") as file:
            report = import_register(file)
        if report.outcome != Outcome.WRITTEN:
            raise CommandError(f"{file.name}: {report.errors[0]}")
        for name, number in report.created.items():
            model = {"managements": Management}.get(name)
            self.created[str(model._meta.verbose_name_plural) if model else name] += number

    def find_label(self, row: Json) -> Label | None:
        cluster = self.find_cluster(row["cluster"])
        if cluster is None:
            return None
        dates = {name: row[name] for name in ("awarded_on", "valid_until")}
        return find(Label, {"cluster": cluster, "level_id": row["level"], **dates})[0]

    def complete_label(self, row: Json) -> None:
        label = self.find_label(row)
        if label and self.complete(label, label_values(row["set"])):
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
                is_published=True,
                picture=picture(row["picture"]),
                contact_organisation=self.find_organisation(organisation) if organisation else None,
            )
        )
        for language, text in row["texts"].items():
            self.save(AnnouncementText(announcement=announcement, language=language, **text))
        announcement.clusters.set(present(map(self.find_cluster, row["clusters"])))
        announcement.organisations.set(present(map(self.find_organisation, row["organisations"])))
        announcement.labels.set(present(map(self.find_label, row["labels"])))
        announcement.programmes.set(Programme.objects.filter(slug__in=row["programmes"]))
        announcement.statements.set(
            present(self.statements.get((s["as_of_on"], s["what"])) for s in row["statements"])
        )


def demo_rows(name: str) -> Any:
    return json.loads((DATA / f"{name}.json").read_text(encoding="utf-8"))


def find(model: type[Row], identity: Json) -> tuple[Row | None, bool]:
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


def decimal(number: float | None) -> Decimal | None:
    return None if number is None else Decimal(str(number))


def picture(name: str | None) -> Any:
    # The file drawn anew, as one that an editor uploads.
    if name is None:
        return ""
    upload = SimpleUploadedFile(name, (DATA / name).read_bytes())
    return reencode(upload, longest_side=PICTURE_SIDE)


def present(found: Iterable[Row | None]) -> list[Row]:
    return [row for row in found if row is not None]
