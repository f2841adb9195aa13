"""The rows and other parts of the list of clusters, rendered once as long as nothing changes."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from clusters.directory.index import MAX_CARDS
from clusters.directory.results import Directory
from clusters.models import Cluster, Management

TEMPLATE = "clusters/_cluster_row.html"


@dataclass(frozen=True)
class Card:
    """What a row shows. `level` and `state` are those of the label to name first, if any.

    `distance` is in words, where a distance is asked for.
    """

    cluster: Cluster
    managers: Sequence[Management]
    level: Any
    state: str
    distance: str


def render_part(
    directory: Directory, template: str, context: Callable[[], dict[str, Any]]
) -> SafeString:
    # What the query alone decides on, whatever the page: in the active language.
    place = (template, get_language(), directory.path, directory.query, directory.today)

    def made() -> SafeString:
        return SafeString(render_to_string(template, context()))

    return directory.index.remember(place, made)


def render_rows(directory: Directory, keys: Sequence[int]) -> list[SafeString]:
    # The rows of these clusters in the active language; two statements for those not yet made.
    language, words = get_language(), directory.words if directory.query.words else ""
    kept = directory.index.cards

    def place(key: int) -> tuple[int, str | None, date, str, str]:
        return key, language, directory.day, words, directory.query.near

    missing = [key for key in keys if place(key) not in kept]
    made = {
        card.cluster.pk: SafeString(render_to_string(TEMPLATE, {"row": card, "words": words}))
        for card in cards(directory, missing)
    }
    rows = [made.get(key) or kept.get(place(key)) for key in keys]
    kept.update((place(key), row) for key, row in made.items())
    while len(kept) > MAX_CARDS:
        kept.popitem(last=False)
    return [row for row in rows if row]


def cards(directory: Directory, keys: Sequence[int]) -> Iterable[Card]:
    if not keys:
        return
    for cluster in Cluster.objects.for_cards(directory.day).filter(pk__in=keys):
        level, state = directory.headline_of(cluster.pk) or (None, "")
        distance = directory.distance_of(cluster.pk)
        yield Card(cluster, list(cluster.managements.all()), level, state, distance)
