"""Announcements of any number, of 2,000 generated clusters, with texts, topics, labels and files.

    python -m tests.benchmarks.generated_news 100000

fills the migrated, otherwise empty database of the settings, as tests/benchmarks/generated.py does.
"""

import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from random import Random
from typing import Any

import django
from django.db import models

from tests.benchmarks.generated import AT_ONCE, SEED, WORDS, Register, filled_by, public_id, save

CLUSTERS = 2_000
TOPICS = 8
FIRST, LAST = datetime(2011, 1, 3, 8, tzinfo=UTC), datetime(2026, 11, 20, 8, tzinfo=UTC)
NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)


def slug_of(number: int, language: str) -> str:
    return f"announcement-{number}" if language == "en" else f"annuncio-{number}"


def moment_of(number: int, of: int) -> datetime:
    """The first is the oldest; spread evenly over the years."""
    return FIRST + (LAST - FIRST) * (number / of)


class News:
    """The rows of so many announcements: nine of ten published, seven of ten in two languages."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.random = Random(SEED)  # noqa: S311
        self.paragraphs = [
            " ".join(self.random.choices(WORDS, k=35)).capitalize() + "." for _turn in range(500)
        ]
        # A few clusters announce much.
        self.weights = list(accumulate(1 / (place + 20) for place in range(CLUSTERS)))

    def fill(self) -> None:
        from labels.models import Label

        self.labels: dict[int, list[int]] = {}
        for cluster, key in Label.objects.order_by("pk").values_list("cluster", "pk"):
            self.labels.setdefault(cluster, []).append(key)
        save(self.topics())
        for first in range(1, self.number + 1, AT_ONCE):
            last = min(first + AT_ONCE, self.number + 1)
            save(row for number in range(first, last) for row in self.of_announcement(number))

    def topics(self) -> list[models.Model]:
        from news.models import Topic

        return [
            Topic(pk=number, slug=f"topic-{number}", name_en=f"Topic {number}", rank=number,
                  name_it=f"Tema {number}")
            for number in range(1, TOPICS + 1)
        ]  # fmt: skip

    def of_announcement(self, number: int) -> Iterator[models.Model]:
        from news.models import Announcement

        row = Announcement(
            pk=number, public_id=public_id("A", number), **self.life(number), **self.kind(number)
        )
        yield row
        yield version_of(row)
        for language in ("en", "it") if self.random.random() < 0.7 else ("it",):
            yield from self.text(number, language)
        yield from self.links(number)
        yield from self.files(number)

    def life(self, number: int) -> dict[str, Any]:
        moment = moment_of(number, self.number)
        (state,) = self.random.choices(
            ["published", "draft", "in_review", "archived", "withdrawn", "scheduled"],
            [900, 40, 8, 40, 8, 4],
        )
        if state == "scheduled":
            return {"state": "published", "published_at": NOW + timedelta(days=300 + number % 300)}
        ended: dict[str, dict[str, Any]] = {
            "archived": {"archived_at": moment + timedelta(days=900)},
            "withdrawn": {
                "withdrawn_at": moment + timedelta(days=9),
                "withdrawal_reason": "It was announced too early.",
            },
        }
        return {"state": state, "published_at": moment, **ended.get(state, {})}

    def kind(self, number: int) -> dict[str, Any]:
        later = moment_of(number, self.number) + timedelta(days=30)
        (kind,) = self.random.choices(["news", "event", "call"], [80, 15, 5])
        if kind == "event":
            return {"kind": kind, "begins_at": later, "place": "Colleretto Giacosa"}
        return {"kind": kind, "deadline_at": later} if kind == "call" else {"kind": kind}

    def text(self, number: int, language: str) -> Iterator[models.Model]:
        from news.models import AnnouncementText

        random = self.random
        text = AnnouncementText(
            pk=2 * number + (language == "it"),
            announcement_id=number,
            language=language,
            state="ready" if language == "it" or random.random() < 0.95 else "draft",
            title=f"{' '.join(random.choices(WORDS, k=5)).capitalize()} {number}",
            slug=slug_of(number, language),
            lead=" ".join(random.choices(WORDS, k=15)).capitalize() + ".",
            body="\n\n".join(
                [*random.choices(self.paragraphs, k=2), "- One point\n- Another point"]
            ),
            box=random.choice(self.paragraphs) if random.random() < 0.3 else "",
        )
        yield text
        yield version_of(text)
        if random.random() < 0.2:
            yield version_of(text, "~", timedelta(days=3))

    def links(self, number: int) -> Iterator[models.Model]:
        from news.models import Announcement

        random = self.random
        clusters = random.choices(
            range(1, CLUSTERS + 1), cum_weights=self.weights, k=random.choice([1, 1, 2])
        )
        for cluster in sorted({*clusters}):
            yield Announcement.clusters.through(announcement_id=number, cluster_id=cluster)
        labels = self.labels.get(clusters[0])
        if labels and random.random() < 0.3:
            yield Announcement.labels.through(
                announcement_id=number, label_id=random.choice(labels)
            )
        organisation = (clusters[0] + 1) // 2
        yield Announcement.organisations.through(
            announcement_id=number, organisation_id=organisation
        )
        for topic in sorted({random.randint(1, TOPICS), random.randint(1, TOPICS)}):
            yield Announcement.topics.through(announcement_id=number, topic_id=topic)

    def files(self, number: int) -> Iterator[models.Model]:
        from news.models import Attachment, Picture

        words = {f"{name}_{code}": f"A drawing {number}" for name in ("alt", "credit")
                 for code in ("en", "it")}  # fmt: skip
        if self.random.random() < 0.3:
            yield Picture(
                announcement_id=number, position=1, image=f"announcements/{number}.jpg",
                width=1600, height=900, **words,
            )  # fmt: skip
        if self.random.random() < 0.1:
            yield Attachment(
                announcement_id=number, position=1, file=f"attachments/{number}.pdf", size=120_000,
                title_en="Programme", title_it="Programma",
            )  # fmt: skip


def version_of(row: Any, kind: str = "+", later: timedelta = timedelta()) -> models.Model:
    model = type(row).history.model
    names = {field.attname for field in row._meta.concrete_fields}
    kept = [field.attname for field in model._meta.concrete_fields if field.attname in names]
    found: models.Model = model(
        **{name: getattr(row, name) for name in kept},
        history_type=kind,
        history_date=FIRST + later,
        history_change_reason="import",
    )
    return found


def generate(number: int) -> None:
    filled_by(Register(CLUSTERS).fill, News(number).fill)


if __name__ == "__main__":
    django.setup()
    generate(int(sys.argv[1]))
