"""A client made from the description of the read API reads the register."""

import importlib
import subprocess
import sys
from datetime import date
from types import ModuleType
from typing import Any

import pytest
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from config.api.description import description_bytes
from tests.factories import make_cluster, make_label


@pytest.fixture(scope="module")
def portal_client(tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    """A package that openapi-python-client makes from the description alone."""
    folder = tmp_path_factory.mktemp("client")
    (folder / "openapi.json").write_bytes(description_bytes())
    (folder / "config.yml").write_text("post_hooks: []")
    arguments = ["--path", folder / "openapi.json", "--output-path", folder / "portal_client"]
    arguments += ["--meta", "none", "--config", folder / "config.yml", "--fail-on-warning"]
    command = [sys.executable, "-m", "openapi_python_client", "generate", *map(str, arguments)]
    subprocess.run(command, check=True, capture_output=True)
    sys.path.insert(0, str(folder))
    try:
        return importlib.import_module("portal_client")
    finally:
        sys.path.remove(str(folder))


def operation(name: str) -> ModuleType:
    return importlib.import_module(f"portal_client.api.{name}")


@pytest.mark.django_db(transaction=True)
def test_client_made_from_the_description_reads_the_register(
    portal_client: Any, live_server: LiveServer, settings: Settings
) -> None:
    settings.SITE_URL = live_server.url
    for name in ("Alpha", "Beta", "Gamma"):
        cluster = make_cluster(name=name, country="FR", founded_on="2009")
    make_cluster(country="IT")
    label = make_label(cluster=cluster)
    levels = importlib.import_module("portal_client.models.labels_list_level_item")
    with portal_client.Client(base_url=live_server.url, raise_on_unexpected_status=True) as client:
        listed = operation("clusters.clusters_list").sync
        first = listed(client=client, country=["FR"], limit=2)
        rest = listed(client=client, country=["FR"], limit=2, after=first.results[-1].id)
        record = operation("clusters.clusters_detail").sync(cluster.public_id, client=client)
        held = operation("labels.labels_list").sync(
            client=client, level=[levels.LabelsListLevelItem.GOLD], on=date(2015, 9, 8)
        )
        missing = operation("labels.labels_detail").sync("nothing", client=client)
        wrong = listed(client=client, country=["QQ"])

    assert [row.name for row in [*first.results, *rest.results]] == ["Alpha", "Beta", "Gamma"]
    assert (first.count, rest.next_) == (3, None)
    assert first.next_.startswith(f"{live_server.url}/api/v1/clusters?")
    assert (record.name, record.founded_on, record.labels[0].id) == (
        "Gamma",
        "2009",
        label.public_id,
    )
    assert [(row.id, row.state.value, row.starts_on) for row in held.results] == [
        (label.public_id, "valid", date(2015, 7, 1))
    ]
    assert (missing.status, wrong.status, wrong.errors[0].parameter) == (404, 422, "country")
