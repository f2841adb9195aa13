"""A choice as forms show it, as an address carries it, and in words."""

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

from django.http import QueryDict
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from clusters.http.links import country_names
from clusters.models import Cluster
from news.lists.query import AnnouncementQuery
from news.models import FollowedKind, Subscription, Topic
from news.subscriptions.forms import CHOSEN, clusters_called

SEVERAL = ("kinds", "topics", "countries")
# Longer links break in some mail programs.
LONGEST_QUERY = 1_500


def initial_of_query(query: AnnouncementQuery) -> dict[str, Any]:
    """The filters of a list that one may follow by mail."""
    found: dict[str, Any] = {"topics": list(query.topic), "countries": list(query.country)}
    if query.kind:
        found["kinds"] = list(query.kind)
    if query.cluster:
        clusters = Cluster.objects.published().filter(slug__in=query.cluster)
        found["clusters"] = cluster_lines(clusters.order_by("name", "pk"))
    if len(query.language) == 1:
        found["language"] = query.language[0]
    return found


def initial_of(subscription: Subscription) -> dict[str, Any]:
    """What the fields show of a choice; a cluster that is hidden now is not named."""
    topics = Topic.objects.filter(pk__in=subscription.topics)
    return {
        "language": subscription.language,
        "rhythm": subscription.rhythm,
        "kinds": subscription.kinds,
        "clusters": cluster_lines(chosen_clusters(subscription)),
        "topics": list(topics.values_list("slug", flat=True)),
        "countries": subscription.countries,
    }


def cluster_lines(clusters: Iterable[Cluster]) -> str:
    """What the field takes back: the names, of those that share one their numbers."""
    named = list(clusters)
    called = clusters_called([cluster.name for cluster in named])
    return "\n".join(
        cluster.name if called[cluster.name] == [cluster] else cluster.public_id
        for cluster in named
    )


def chosen_clusters(subscription: Subscription) -> list[Cluster]:
    found = Cluster.objects.published().filter(public_id__in=subscription.clusters)
    return list(found.order_by("name", "pk"))


def query_of_choice(chosen: Mapping[str, Any]) -> str:
    """As `initial_of_choice` reads it; empty where it would be too long for a link."""
    topics = Topic.objects.filter(pk__in=chosen["topics"]).values_list("slug", flat=True)
    values = {**chosen, "topics": list(topics), "clusters": "\n".join(chosen["clusters"])}
    query = urlencode(values, doseq=True)
    return query if len(query) <= LONGEST_QUERY else ""


def initial_of_choice(data: QueryDict) -> dict[str, Any]:
    """What an address proposes; empty where it proposes nothing. The form checks it when saved."""
    if "kinds" not in data:
        return {}
    several = {name: data.getlist(name) for name in SEVERAL}
    return {**{name: data.get(name, "") for name in CHOSEN}, **several}


def choice_in_words(subscription: Subscription) -> list[tuple[str, str]]:
    """What was chosen, for the person to read before they confirm it."""
    kinds = [FollowedKind(kind).label for kind in subscription.kinds if kind in FollowedKind]
    names = country_names()
    clusters = [cluster.name for cluster in chosen_clusters(subscription)]
    topics = [topic.name for topic in Topic.objects.filter(pk__in=subscription.topics)]
    countries = [names[code] for code in subscription.countries if code in names]
    return [
        (_("What"), capfirst(", ".join(map(str, kinds)))),
        (_("Clusters"), names_or_all(clusters, subscription.clusters)),
        (_("Topics"), names_or_all(topics, subscription.topics)),
        (_("Countries"), names_or_all(countries, subscription.countries)),
        (_("How often"), capfirst(subscription.get_rhythm_display())),
    ]


def names_or_all(names: list[str], chosen: list[Any]) -> str:
    # What is no longer there is no choice of all.
    return ", ".join(names) or (_("none that is there today") if chosen else _("all"))
