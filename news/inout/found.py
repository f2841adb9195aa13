"""What the register knows of what items name: a few queries for many items."""

from collections.abc import Iterable
from typing import Any

from django.db.models import Q

from clusters.models import Cluster, Organisation, Programme
from clusters.models.addresses import TakenSlugs, free_slug, slug_for
from clusters.names import normal_name
from labels.models import Label, Statement
from news.inout.items import OF_STATEMENTS, Item
from news.models import Announcement, AnnouncementText, Topic

MODELS: dict[str, Any] = {
    "clusters": Cluster, "organisations": Organisation, "labels": Label, "programmes": Programme,
}  # fmt: skip
ALL_OF_IT = ("texts", "topics", "statements", *MODELS, "corrections", "pictures", "attachments")


class Lookup:
    def __init__(self, items: Iterable[Item]) -> None:
        items = list(items)
        keys = [item.key for item in items if item.key]
        numbers = [item.public_id for item in items if item.public_id]
        found = Announcement.objects.filter(Q(source_key__in=keys) | Q(public_id__in=numbers))
        stored = list(found.prefetch_related(*ALL_OF_IT))
        self.by_key = {one.source_key: one for one in stored if one.source_key}
        self.by_number = {one.public_id: one for one in stored}
        self.topics = topics_by_name()
        self.about = {name: self.keys_of(name, items) for name in MODELS}
        self.statements: dict[tuple[str, ...], int] = {
            tuple(str(value) for value in row[1:]): row[0]
            for row in Statement.objects.values_list("pk", *OF_STATEMENTS)
        } if any(item.statements for item in items) else {}  # fmt: skip
        self.taken = TakenSlugs(AnnouncementText, likely_slugs(items))

    def keys_of(self, name: str, items: list[Item]) -> dict[str, int]:
        wanted = {number for item in items for number in item.about.get(name, [])}
        if name == "organisations":
            wanted |= {number for item in items for number in item.organisations.values()}
        if not wanted:
            return {}
        return dict(
            MODELS[name].objects.filter(public_id__in=wanted).values_list("public_id", "pk")
        )

    def stored(self, item: Item) -> Announcement | None:
        by_number = self.by_number.get(item.public_id)
        return by_number or self.by_key.get(item.key)

    def free_slug(self, title: str, public_id: str) -> str:
        return free_slug(AnnouncementText, title, self.taken, [public_id])


def topics_by_name() -> dict[str, int]:
    rows = Topic.objects.values_list("pk", "slug", "name_en", "name_it")
    return {normal_name(name): key for key, *names in rows for name in names}


def likely_slugs(items: list[Item]) -> set[str]:
    texts = [text for item in items for text in item.texts]
    return {
        slug
        for text in texts
        for slug in (text.slug, slug_for(text.title, fallback=""), *text.old_slugs)
        if slug
    }
