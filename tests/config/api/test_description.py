"""The description of the read API is right: asked at random."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
import schemathesis
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django_countries import countries
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from jsonschema_rs import validator_for
from schemathesis import GenerationMode

from clusters.dates import FIRST_YEAR, LAST_YEAR
from clusters.models import Cluster, Organisation, Programme
from config.api.description import openapi_description
from config.wsgi import PortalRequest
from labels.models import Label, Statement
from news.models import Announcement
from tests.config.api.test_requests import make_everything
from tests.factories import make_topic

EXAMPLES = 10

PATHS = openapi_description()["paths"]

# What stands behind the formats of our own, which name the list that a text is taken from:
# schemathesis wants to know it before there is a database.
ID, SLUG = "22222222", "first"
TAKEN_FROM = {
    "clusters-id": [ID],
    "organisations-id": [ID],
    "programmes-id": [ID],
    "labels-id": [ID],
    "announcements-id": [ID],
    "statements-id": ["900001"],
    "levels-id": ["bronze", "silver", "gold"],
    "portfolios-id": ["health-and-medical-science", "biotechnology"],
    "regions-id": ["IT-21", "IT-25", "FR-ARA"],
    "programme-slug": [SLUG],
    "topic-slug": [SLUG],
    "month": ["2015-09"],
    "place": [SLUG],
    "box": ["6.6,35.5,18.5,47.1", "-180,-90,180,90"],
    "country-code": [country.code for country in countries],
}


@pytest.fixture(scope="module")
def described(made: None) -> Any:
    """The API in this process."""
    for name, values in TAKEN_FROM.items():
        schemathesis.openapi.format(name, st.sampled_from(values))
    days = st.dates(date(FIRST_YEAR, 1, 1), date(LAST_YEAR, 12, 31))
    schemathesis.openapi.format("date", days.map(str))
    handler = WSGIHandler()
    handler.request_class = PortalRequest
    return schemathesis.openapi.from_wsgi("/api/v1/openapi.json", handler)


@pytest.fixture(scope="module")
def kept_connection(module_rows: None) -> Iterator[None]:
    """As Django's own test client: the end of a request does not end the test's transaction."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture(scope="module")
def made(kept_connection: None) -> None:
    """A public record of each kind, called as `TAKEN_FROM` says."""
    make_everything()
    for model in (Cluster, Organisation, Programme, Label, Announcement):
        rows: Any = model._default_manager
        called = {"public_id": ID} | ({"slug": SLUG} if hasattr(model, "slug") else {})
        rows.filter(pk=rows.order_by("pk")[0].pk).update(**called)
    make_topic(slug=SLUG)
    Statement.objects.update_or_create(pk=900001, defaults={"as_of_on": "2015", "count": 57})
    Cluster.objects.update(latitude="45.4", longitude="7.8")


@pytest.mark.parametrize("mode", GenerationMode)
@pytest.mark.parametrize("path", PATHS)
def test_answers_are_as_described(described: Any, path: str, mode: GenerationMode) -> None:
    """By all checks of schemathesis, for values that the description allows and others."""
    (method,) = PATHS[path]

    @settings(max_examples=EXAMPLES, phases=[Phase.explicit, Phase.generate])
    @given(case=described[path][method].as_strategy(generation_mode=mode))
    def ask(case: "schemathesis.Case[Any]") -> None:
        # Its client would not unpack what is compressed.
        case.call_and_validate(headers={"Accept-Encoding": "identity"})

    ask()


@pytest.mark.parametrize("path", PATHS)
def test_example_is_as_described(path: str) -> None:
    (operation,) = PATHS[path].values()
    answer = operation["responses"]["200"]
    content = answer["content"]["application/json"]
    schema = content["schema"] | {"components": openapi_description()["components"]}

    assert [str(error) for error in validator_for(schema).iter_errors(content["example"])] == []
