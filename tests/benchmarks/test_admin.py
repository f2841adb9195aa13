"""Lists of the admin over 10,000 labels, against an answer that asks the database nothing."""

import statistics
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.db.models import Count
from django.test import Client
from django.urls import reverse

from clusters.models import Cluster, Role
from labels.models import Label
from tests.benchmarks.generated import generate
from tests.factories import make_account

CLUSTERS, LABELS = 8_000, 10_000
TIMES = 5


@pytest.fixture
def secretariat(db: None, client: Client) -> Client:
    generate(CLUSTERS)
    client.force_login(make_account(Role.LEAD))
    assert Label.objects.count() > LABELS
    return client


def seconds(ask: Callable[[], Any]) -> float:
    started = time.process_time()
    ask()
    return time.process_time() - started


def median(ask: Callable[[], Any]) -> float:
    ask()
    return statistics.median(seconds(ask) for _ in range(TIMES))


@pytest.mark.benchmark
@pytest.mark.django_db(transaction=True)
def test_lists_of_10_000_labels(secretariat: Client) -> None:
    label = {"app_label": "labels", "model_name": "label", "field_name": "cluster"}
    labels = reverse("admin:labels_label_changelist")
    paths = {
        "labels": labels,
        "labels with facets": f"{labels}?_facets=True",
        "labels with facets, searched": f"{labels}?_facets=True&q=cluster",
        "clusters with facets": f"{reverse('admin:clusters_cluster_changelist')}?_facets=True",
        "autocomplete": f"{reverse('admin:autocomplete')}?{urlencode(label | {'term': 'clu'})}",
        "search over all": f"{reverse('admin:search')}?q=cluster",
    }
    constant = median(lambda: secretariat.get(reverse("admin:jsi18n")))
    most = Cluster.objects.annotate(number=Count("labels")).order_by("-number")[0]
    paths["history of a cluster"] = reverse("admin:clusters_cluster_history", args=[most.pk])

    print(f"\n{connection.vendor}, {Label.objects.count():,} labels; {constant * 1000:.1f} ms")
    for name, path in paths.items():
        found = median(lambda: secretariat.get(path))  # noqa: B023
        print(f"{name}: {found * 1000:.0f} ms, {found / constant:.1f} × the constant view")
