"""A credential that somebody brings to the page on which labels are verified."""

from typing import Any

import pytest
import time_machine
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django import Settings

from labels.models import IssuedCredential
from labels.proofs.credentials import CredentialFacts
from tests.factories import delete_label, hide, make_label, update_labels
from tests.labels.proofs.test_credentials import (
    REVOCATION,
    address_of,
    biopmed,
    forged,
    token_at,
    verified,
)
from tests.labels.proofs.test_signing import private_pem, public_pem
from tests.labels.proofs.test_status import WAYS, full_label

pytestmark = pytest.mark.django_db

GOOD = "Signed by this register, which says the same today"
WITHDRAWN = "Withdrawn: the register says something else now"
FOREIGN = "Not signed by this register"
GONE = "The register shows this label no longer."


@pytest.fixture(autouse=True)
def _today() -> Any:
    cache.clear()
    with time_machine.travel("2015-09-08T12:00Z", tick=False):
        yield


def answer_to(client: Client, text: str | bytes, *, as_file: bool = True) -> str:
    data = text.encode() if isinstance(text, str) else text
    sent: Any = SimpleUploadedFile("credential.jwt", data) if as_file else text
    response = client.post("/en/verify/", {"credential": sent})
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def said(page: str) -> list[str]:
    return [words for words in (GOOD, WITHDRAWN, FOREIGN, GONE) if words in page]


@pytest.mark.parametrize("as_file", [True, False])
def test_credential_that_the_register_stands_by_is_confirmed(client: Client, as_file: bool) -> None:
    label = biopmed()

    page = answer_to(client, token_at(client, address_of(label)) + "\n", as_file=as_file)

    assert said(page) == [GOOD]
    assert "Gold label of bioPmed, as held by the Cluster Register" in page
    assert f'href="{label.get_absolute_url()}"' in page


@pytest.mark.parametrize("fact", [name for name in CredentialFacts._fields if name != "public_id"])
def test_withdrawn_credential_leads_to_what_the_register_says_now(
    client: Client, fact: str
) -> None:
    """Also before any list was made, and after the label has another one."""
    fields, change = WAYS[fact]
    label = full_label(fields)
    token = token_at(client, address_of(label))

    change(label)

    for _ in range(2):
        page = answer_to(client, token)
        assert said(page) == [WITHDRAWN]
        assert f'href="{label.get_absolute_url()}"' in page
        assert said(answer_to(client, token_at(client, address_of(label)))) == [GOOD]


@pytest.mark.parametrize("hidden", ["label", "cluster", "deleted"])
def test_credential_of_what_is_not_public_any_more_leads_nowhere(
    client: Client, hidden: str
) -> None:
    label = biopmed()
    token = token_at(client, address_of(label))
    if hidden == "deleted":
        delete_label(label)
    else:
        hide(label.cluster if hidden == "cluster" else label)

    page = answer_to(client, token)

    assert said(page) == [WITHDRAWN, GONE]
    assert label.get_absolute_url() not in page


def test_credential_whose_place_is_another_labels_is_not_confirmed(client: Client) -> None:
    """As after a register was loaded anew."""
    token = token_at(client, address_of(biopmed()))
    IssuedCredential.objects.update(label=make_label())

    assert said(answer_to(client, token)) == [WITHDRAWN]


def test_revoked_and_expired_labels_are_told_by_their_state(client: Client) -> None:
    label = biopmed()
    token = token_at(client, address_of(label))
    with time_machine.travel("2018-09-08T12:00Z", tick=False):
        assert "Expired on" in answer_to(client, token)
    update_labels(revoked_on="2015-09-01", revocation_reason="Withdrawn.")

    page = answer_to(client, token)

    assert said(page) == [GOOD]
    assert "Revoked on 1 September 2015" in page


def test_what_we_did_not_sign_is_not_ours(client: Client, settings: Settings) -> None:
    token = token_at(client, address_of(biopmed()))
    header, claims, signature = token.split(".")
    not_ours = [
        "",
        "x",
        "a.b.c",
        "\x00",
        ".".join([header, claims[:-8] + "AAAAAAAA", signature]),
        forged(token, {"typ": "vc+jwt"}, None),
        forged(token, {"typ": "vc+jwt"}, b"secret" * 8),
        token_at(client, REVOCATION),
        "A" * 300_000,
    ]
    assert [said(answer_to(client, text)) for text in not_ours] == [[FOREIGN]] * len(not_ours)
    assert said(answer_to(client, b"\xff\xfe\x00")) == [FOREIGN]

    settings.SIGNING_KEYS = private_pem(Ed25519PrivateKey.generate())

    assert said(answer_to(client, token)) == [FOREIGN]


def test_credential_of_an_earlier_key_is_ours(client: Client, settings: Settings) -> None:
    old, new = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    settings.SIGNING_KEYS = private_pem(old)
    token = token_at(client, address_of(biopmed()))

    settings.SIGNING_KEYS = private_pem(new) + public_pem(old)

    assert verified(client, token)
    assert said(answer_to(client, token)) == [GOOD]
