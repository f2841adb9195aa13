"""A seeded register of any size, so that a measurement means the same the next time.

    python -m tests.benchmarks.generated 10000

fills the migrated, otherwise empty database of the settings. Triggers rest meanwhile; the documents
of words are made at the end.
"""

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from itertools import accumulate
from random import Random
from typing import Any

import django
from django.core.management.color import no_style
from django.db import connection, models, transaction

SEED = 5
AT_ONCE = 2000
PROGRAMMES = 24
TOWNS = 600
TODAY = date(2026, 11, 22)

BEGINNINGS = (
    "Bio", "Agro", "Aero", "Auto", "Eco", "Euro", "Inno", "Medi", "Nano", "Opto", "Cyber", "Hydro",
    "Termo", "Crea", "Digi", "Smart", "Blue", "Alp", "Balt", "Nord",
)  # fmt: skip
ENDS = (
    "pmed", "tech", "valley", "net", "park", "cluster", "hub", "tronic", "lab", "wood", "tex",
    "food", "mob", "space", "sys", "chem", "vita", "form", "plast", "pôle",
)  # fmt: skip
WORDS = """
    cluster innovation région entreprises ricerca salute énergie Gesundheit Werkstoffe mobilità
    packaging fotonica biotecnologie life sciences mechatronics automotive wood furniture textile
    food agroindustria marittimo maritime aerospace logistica logistics cultural creative
    industries digitale digital health hydrogen idrogeno batteries semiconductors sostenibile
    circular economy water acqua steel plasturgie ceramics glass lighting precision medicine
    photonique pharma diagnostics devices robotics automazione cybersecurity fintech tourism
    sport games audiovisual design fashion moda calzature leather paper printing chemistry
    construction buildings railway shipbuilding defence geothermal solar wind offshore forest
    dairy wine olive seafood equine veterinary animal plant genomics vaccines rare diseases
""".split()  # noqa: SIM905 - nobody reads a list of a hundred quoted words
FIRST_SYLLABLES = (
    "Mont", "Brück", "Sant", "Nov", "Åls", "Kov", "Rív", "Grün", "Vill", "Łód", "Bor", "Cast",
    "Fried", "Hels", "Pont", "Tre", "Zag", "Ost", "Lind", "Mar",
)  # fmt: skip
LAST_SYLLABLES = (
    "ara", "enau", "ello", "stad", "ice", "ová", "burg", "ville", "ino", "eda", "holm", "feld",
    "any", "osa", "heim", "ów", "eni", "ja", "atz", "ón",
)  # fmt: skip
COUNTRIES = {"IT": 22, "DE": 16, "FR": 13, "ES": 11, "PL": 7, "AT": 6, "NO": 5, "DK": 5, "CZ": 5}
COUNTRIES |= {"RO": 4, "SE": 4, "PT": 3, "HU": 3, "BG": 2, "HR": 2, "IE": 1, "LT": 1}
BOXES = {"IT": (37, 46.5, 7, 18), "DE": (47.5, 54.5, 6.5, 14.5), "FR": (43, 50, -1.5, 7.5)}
EUROPE = (41, 62, -8, 26)
DIGITS = "23456789BCDFGHJKMNPQRSTVWXYZ"


def public_id(kind: str, number: int) -> str:
    """No two numbers below 28⁷ share one, and neighbours look as if drawn at random."""
    number = number * 7_654_321 % len(DIGITS) ** 7
    text = ""
    for _place in range(7):
        number, digit = divmod(number, len(DIGITS))
        text = DIGITS[digit] + text
    return kind + text


@dataclass(frozen=True)
class Town:
    name: str
    country: str
    region: int | None
    latitude: float
    longitude: float


class Register:
    """The rows of so many clusters, each cluster the same in a register of any size."""

    def __init__(self, number: int) -> None:
        from clusters.models import Portfolio, Region
        from labels.models import LevelRule

        self.number = number
        self.random = Random(SEED)  # noqa: S311
        self.portfolios = list(Portfolio.objects.values_list("pk", flat=True))
        self.regions: dict[str, list[int]] = {}
        for country, key in Region.objects.order_by("code", "pk").values_list("country", "pk"):
            self.regions.setdefault(country, []).append(key)
        self.rules: dict[str, dict[Any, LevelRule]] = {}
        for rule in LevelRule.objects.all():
            self.rules.setdefault(rule.level_id, {})[rule.as_rule()] = rule
        self.label_number = 0

    @cached_property
    def towns(self) -> list[Town]:
        random = Random(SEED)  # noqa: S311
        names = list(COUNTRIES)
        found = []
        for _number in range(TOWNS):
            country = random.choices(names, list(COUNTRIES.values()))[0]
            south, north, west, east = BOXES.get(country, EUROPE)
            regions = self.regions.get(country)
            found.append(
                Town(
                    name=random.choice(FIRST_SYLLABLES) + random.choice(LAST_SYLLABLES),
                    country=country,
                    region=random.choice(regions) if regions else None,
                    latitude=round(random.uniform(south, north), 4),
                    longitude=round(random.uniform(west, east), 4),
                )
            )
        return found

    @cached_property
    def weights(self) -> list[float]:
        """A few towns have many clusters."""
        return list(accumulate(1 / (place + 3) for place in range(TOWNS)))

    def town(self) -> Town:
        return self.random.choices(self.towns, cum_weights=self.weights)[0]

    def text(self, number: int) -> str:
        return " ".join(self.random.choices(WORDS, k=number))

    def programmes(self) -> list[models.Model]:
        from clusters.models import Programme

        return [
            Programme(
                pk=number,
                public_id=public_id("P", number),
                slug=f"programme-{number}",
                name_en=f"Programme for {self.text(2)} {number}",
                name_it=f"Programma per {self.text(2)} {number}",
                description_en=self.text(20),
                description_it=self.text(20),
            )
            for number in range(1, PROGRAMMES + 1)
        ]

    def requirements(self) -> list[models.Model]:
        from labels.models import RequiredLevel

        return [
            RequiredLevel(programme_id=number, level_id="bronze", required_from=date(2020, 1, 1))
            for number in range(1, PROGRAMMES + 1, 2)
        ]

    def organisations(self, first: int, last: int) -> Iterator[models.Model]:
        from clusters.models import Organisation, OrganisationKind

        kinds = [kind.value for kind in OrganisationKind]
        for number in range(first, last):
            town = self.town()
            name = f"{self.random.choice(BEGINNINGS)}{self.random.choice(ENDS)} {town.name}"
            yield Organisation(
                pk=number,
                public_id=public_id("R", number),
                slug=f"organisation-{number}",
                name=f"{name} {number}",
                kind=self.random.choices(kinds, [5, 9, 6, 8, 16, 3, 1, 4])[0],
                country=town.country,
                region_id=town.region,
                town=town.name,
            )

    def of_cluster(self, number: int) -> Iterator[models.Model]:
        """The cluster, then all that belongs to it."""
        from clusters.models import Cluster, ClusterName, ClusterText, MembershipCount

        random, town = self.random, self.town()
        is_located = random.random() < 0.8
        first_year = random.randint(1990, 2024)
        name = f"{random.choice(BEGINNINGS)}{random.choice(ENDS)} {random.choice(WORDS)}"
        yield Cluster(
            pk=number,
            public_id=public_id("C", number),
            slug=f"cluster-{number}",
            name=f"{name} {town.name} {number}",
            state=random.choices(["active", "provisional", "merged", "closed"], [84, 8, 4, 4])[0],
            portfolio_id=random.choice(self.portfolios) if random.random() < 0.9 else None,
            country=town.country,
            region_id=town.region,
            town=town.name,
            latitude=town.latitude if is_located else None,
            longitude=town.longitude if is_located else None,
            founded_on=str(first_year) if random.random() < 0.8 else None,
            website=f"https://cluster-{number}.example.org/",
            confirmed_on=TODAY - timedelta(random.randint(0, 900))
            if random.random() < 0.6
            else None,
        )
        for language in ("en", "it"):
            yield ClusterText(
                cluster_id=number,
                language=language,
                tagline=self.text(6).capitalize(),
                description=f"{self.text(30).capitalize()}.\n\n{self.text(25).capitalize()}.",
            )
        if random.random() < 0.1:
            yield ClusterName(cluster_id=number, name=f"{self.text(2)} {town.name} {number}")
        for year in (2024, 2026)[: random.choices([0, 1, 2], [20, 30, 50])[0]]:
            yield MembershipCount(
                cluster_id=number, counted_on=str(year), count=int(random.lognormvariate(4, 1))
            )
        yield from self.managers(number)
        yield from self.participations(number)
        yield from self.labels(number, max(first_year + 2, 2011))

    def managers(self, number: int) -> Iterator[models.Model]:
        from clusters.models import Management

        own = (number + 1) // 2
        yield Management(cluster_id=number, organisation_id=own, role="lead", started_on="2012")
        if own > 1 and self.random.random() < 0.15:
            yield Management(cluster_id=number, organisation_id=own - 1, role="joint")

    def participations(self, number: int) -> Iterator[models.Model]:
        from clusters.models import Participation

        if self.random.random() < 0.3:
            programme = self.random.randint(1, PROGRAMMES)
            yield Participation(cluster_id=number, programme_id=programme, started_on="2019")

    def labels(self, number: int, year: int) -> Iterator[models.Model]:
        """One after the other, up to today; some withdrawn, some with no day known."""
        from clusters.dates import PartialDate
        from labels.models import Label

        random = self.random
        start = date(min(year, 2025), random.randint(1, 12), random.randint(1, 28))
        levels = ["bronze", "silver", "gold"]
        for _turn in range(random.choices([0, 1, 2, 3, 4], [30, 30, 20, 12, 8])[0]):
            if start >= TODAY:
                return
            self.label_number += 1
            level = random.choice(levels)
            label = Label(
                pk=self.label_number,
                public_id=public_id("L", self.label_number),
                certificate_number=f"G-{self.label_number}",
                cluster_id=number,
                managing_organisation_id=(number + 1) // 2,
                level_id=level,
            )
            if random.random() < 0.97:
                label.assessed_on = PartialDate(start.year, start.month, start.day)
            label.apply_validity(self.rules[level])
            if label.starts_on and random.random() < 0.02:
                label.revoked_on = label.starts_on + timedelta(200)
                label.revocation_reason = "The jury took it back."
            yield label
            start = (label.ends_on or start) + timedelta(random.randint(30, 700))

    def fill(self) -> None:
        save(self.programmes())
        save(self.requirements())
        for first in range(1, self.number + 1, AT_ONCE):
            last = min(first + AT_ONCE, self.number + 1)
            save(self.organisations(first // 2 + 1, last // 2 + 1))
            save(row for number in range(first, last) for row in self.of_cluster(number))


def save(rows: Iterable[models.Model]) -> None:
    """In bulk, in the order in which the first of each model came."""
    by_model: dict[type[models.Model], list[models.Model]] = {}
    for row in rows:
        by_model.setdefault(type(row), []).append(row)
    for model, found in by_model.items():
        model._default_manager.bulk_create(found)


@contextmanager
def resting_triggers() -> Iterator[None]:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL session_replication_role = replica")
            yield
            cursor.execute("SET LOCAL session_replication_role = DEFAULT")
            return
        cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
        triggers = dict(cursor.fetchall())
        for name in triggers:
            cursor.execute(f"DROP TRIGGER {name}")
        yield
        for statement in triggers.values():
            cursor.execute(statement)


def generate(number: int) -> None:
    filled_by(Register(number).fill)


def filled_by(*fills: Callable[[], None]) -> None:
    from clusters.fulltext import rebuild_documents

    with transaction.atomic(), resting_triggers():
        for fill in fills:
            fill()
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), own_models()):
            cursor.execute(statement)
    with transaction.atomic():
        rebuild_documents()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def own_models() -> list[type[models.Model]]:
    from django.apps import apps

    return [
        model
        for app in ("clusters", "labels", "news")
        for model in apps.get_app_config(app).get_models()
    ]


if __name__ == "__main__":
    django.setup()
    generate(int(sys.argv[1]))
