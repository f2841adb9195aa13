"""What holds for every public address, whichever is added to the URLconf."""

import re
from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client
from django.utils.http import http_date
from pytest_django import Settings

from clusters.models import Cluster, Organisation, Programme
from labels.models import Label
from news.models import Announcement
from tests.addresses import ADDRESSES, API, MACHINES, NAMING_A_RECORD, Address, make_rows
from tests.factories import hide

pytestmark = pytest.mark.django_db

SINCE = {"if-modified-since": http_date(2_000_000_000)}


@pytest.fixture(autouse=True)
def _today() -> Any:
    with time_machine.travel("2015-09-09T12:00Z", tick=False):
        yield


def name_of(address: Address) -> str:
    return address.name


def read(response: Any) -> Any:
    if response.streaming:
        b"".join(response)  # a file is read to its end, or it stays open
    return response


def ask(client: Client, method: str, path: str, **headers: str) -> Any:
    return read(getattr(client, method)(path, headers=headers))


def headers_of(response: Any) -> dict[str, str]:
    # The directives of a policy come in an order of the day, which is not of this test.
    others = ("Set-Cookie", "Content-Security-Policy")
    return {name: value for name, value in response.headers.items() if name not in others}


@pytest.mark.parametrize("address", [*ADDRESSES, *API], ids=name_of)
def test_head_has_the_headers_of_get(client: Client, address: Address) -> None:
    rows = make_rows()
    path = rows.api_path(address) if address in API else rows.path(address)

    get, head = ask(client, "get", path), ask(client, "head", path)

    assert head.status_code == get.status_code
    assert headers_of(head) == headers_of(get)
    if "ETag" in head:
        assert ask(client, "head", path, **{"if-none-match": head["ETag"]}).status_code == 304


@pytest.mark.parametrize("address", NAMING_A_RECORD, ids=name_of)
def test_record_that_is_gone_is_not_unchanged(client: Client, address: Address) -> None:
    path = make_rows().path(address)
    etag = ask(client, "get", path).headers.get("ETag", '"none"')
    hide(*Label.objects.all())
    for model in (Cluster, Organisation, Programme):
        model._default_manager.update(is_published=False)
    Announcement.objects.update(state="draft")

    for headers in (SINCE, {"if-none-match": etag}, {"if-none-match": "*"}):
        assert client.get(path, headers=headers).status_code in (404, 410)


def follow(client: Client, path: str) -> Any:
    response = read(client.get(path, follow=True))
    assert {status for _path, status in response.redirect_chain} <= {301}
    return response


@pytest.mark.parametrize("address", NAMING_A_RECORD, ids=name_of)
@pytest.mark.parametrize("spelt", [str.upper, str.lower, str.swapcase], ids=lambda f: f.__name__)
def test_address_in_another_case_leads_on(
    client: Client, address: Address, spelt: Callable[[str], str]
) -> None:
    path = make_rows().path(address)
    expected = ask(client, "get", path).status_code

    found = follow(client, f"{spelt(path)}?on=2015-09-08")

    assert found.status_code == expected
    assert found.request["PATH_INFO"] == path
    if found.redirect_chain:
        assert found.redirect_chain[-1][0] == f"{path}?on=2015-09-08"


@pytest.mark.parametrize("address", [a for a in ADDRESSES if a not in NAMING_A_RECORD], ids=name_of)
def test_address_in_capitals_leads_on(client: Client, address: Address) -> None:
    path = make_rows().path(address)

    assert follow(client, path.upper()).request["PATH_INFO"] == path


@pytest.mark.parametrize("address", MACHINES, ids=name_of)
def test_slash_behind_a_file_leads_on(client: Client, address: Address) -> None:
    path = make_rows().path(address)

    assert follow(client, f"{path}/?lang=it").request["PATH_INFO"] == path


@pytest.mark.parametrize("address", API, ids=name_of)
def test_address_of_the_api_leads_on(client: Client, address: Address) -> None:
    path = make_rows().api_path(address)
    for spelt in (f"{path}/", path.lower(), path.upper()):
        first = client.get(spelt)
        if spelt != path:
            assert (first.status_code, first["Location"]) == (301, path), spelt
            assert first["Access-Control-Allow-Origin"] == "*"
    assert client.get(path).status_code == 200


def test_cluster_in_capitals_has_its_seal(client: Client) -> None:
    rows = make_rows()

    for text in ("BIOPMED", rows.cluster.public_id.lower()):
        found = follow(client, f"/clusters/{text}/seal.svg")
        assert found.request["PATH_INFO"] == f"/clusters/{rows.cluster.public_id}/seal.svg"


@pytest.mark.parametrize("path", ["/en/clusters/NOTHING/", "/EN/nothing/", "/API/v1/nothing"])
def test_what_is_not_there_is_not_found(client: Client, path: str) -> None:
    assert follow(client, path).status_code == 404


@pytest.mark.parametrize("path", ["/en/invitations/AbC/", "/en/confirm/AbC/", "/media/A.PNG"])
def test_name_that_is_not_of_a_record_keeps_its_case(client: Client, path: str) -> None:
    assert client.get(path).status_code != 301


def test_mistyped_number_of_a_label_leads_to_verification(client: Client) -> None:
    for language, words in (("en", "No label has the number"), ("it", "Nessuna certificazione")):
        page = client.get(f"/{language}/labels/XXXXXXXX/")

        assert page.status_code == 404
        text = page.content.decode()
        assert words in text
        assert f'href="/{language}/verify/?q=XXXXXXXX"' in text


# What a browser reads as text or XML, by the name of its type.
IN_LETTERS = re.compile(r"text/|\S+[/+]xml\b")


@pytest.mark.parametrize("address", [*ADDRESSES, *API], ids=name_of)
def test_answer_in_letters_says_how_they_are_written(client: Client, address: Address) -> None:
    rows = make_rows()
    path = rows.api_path(address) if address in API else rows.path(address)

    for found in (path, f"{path}-"):
        content_type = ask(client, "get", found)["Content-Type"]
        assert not IN_LETTERS.match(content_type) or content_type.endswith("; charset=utf-8"), found


def test_picture_of_the_site_says_how_its_letters_are_written(
    client: Client, settings: Settings
) -> None:
    settings.WHITENOISE_AUTOREFRESH = settings.WHITENOISE_USE_FINDERS = True

    answer = ask(client, "get", "/static/europe.svg")

    assert answer["Content-Type"] == "image/svg+xml; charset=utf-8"


@pytest.mark.parametrize("address", [*ADDRESSES, *API], ids=name_of)
def test_address_answers_no_trace(client: Client, address: Address) -> None:
    """Of admin and the pages of accounts nginx refuses it: docs/operations.md."""
    rows = make_rows()
    path = rows.api_path(address) if address in API else rows.path(address)

    assert client.trace(path).status_code == 405


@pytest.mark.parametrize("folder", ["/static/", "/media/", "/media/logos/", "/.git/", "/.env"])
def test_no_folder_is_listed(client: Client, settings: Settings, folder: str) -> None:
    settings.WHITENOISE_AUTOREFRESH = settings.WHITENOISE_USE_FINDERS = True
    name = default_storage.save("logos/shown.png", ContentFile(b"x"))

    assert client.get(folder).status_code == 404

    default_storage.delete(name)
