"""What holds for every public address, whichever is added to the URLconf."""

from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils.http import http_date

from clusters.models import Cluster, Organisation, Programme
from labels.models import Label
from news.models import Announcement
from tests.addresses import ADDRESSES, NAMING_A_RECORD, Address, make_rows

pytestmark = pytest.mark.django_db

SINCE = {"if-modified-since": http_date(2_000_000_000)}


@pytest.fixture(autouse=True)
def _today() -> Any:
    with time_machine.travel("2015-09-09T12:00Z", tick=False):
        yield


def name_of(address: Address) -> str:
    return address.name


def ask(client: Client, method: str, path: str, **headers: str) -> Any:
    response = getattr(client, method)(path, headers=headers)
    if response.streaming:
        b"".join(response)  # a file is read to its end, or it stays open
    return response


def headers_of(response: Any) -> dict[str, str]:
    # The directives of a policy come in an order of the day, which is not of this test.
    others = ("Set-Cookie", "Content-Security-Policy")
    return {name: value for name, value in response.headers.items() if name not in others}


@pytest.mark.parametrize("address", ADDRESSES, ids=name_of)
def test_head_has_the_headers_of_get(client: Client, address: Address) -> None:
    path = make_rows().path(address)

    get, head = ask(client, "get", path), ask(client, "head", path)

    assert head.status_code == get.status_code
    assert headers_of(head) == headers_of(get)
    if "ETag" in head:
        assert ask(client, "head", path, **{"if-none-match": head["ETag"]}).status_code == 304


@pytest.mark.parametrize("address", NAMING_A_RECORD, ids=name_of)
def test_record_that_is_gone_is_not_unchanged(client: Client, address: Address) -> None:
    path = make_rows().path(address)
    etag = client.get(path).headers.get("ETag", '"none"')
    for model in (Cluster, Organisation, Programme, Label, Announcement):
        model._default_manager.update(is_published=False)

    for headers in (SINCE, {"if-none-match": etag}, {"if-none-match": "*"}):
        assert client.get(path, headers=headers).status_code in (404, 410)
