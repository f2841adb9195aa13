"""Everything here is checked by jwcrypto and by what the specifications say, written by hand."""

import base64
import gzip
import json
from datetime import date
from typing import Any

import jwt
import pytest
import time_machine
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.test import Client
from django.utils import timezone, translation
from jwcrypto.common import JWException
from jwcrypto.jwk import JWK, JWKSet
from jwcrypto.jws import JWS
from pytest_django import Settings

from labels.life import steps as life
from labels.models import IssuingBody, Label
from labels.proofs.credentials import credential, credential_facts
from labels.proofs.status import encoded_bits
from tests.factories import (
    change_label,
    in_effect,
    make_account,
    make_cluster,
    make_label,
    make_suspension,
    make_undated_label,
    transfer_label,
    update_rules,
)
from tests.labels.proofs.test_signing import private_pem, public_pem

pytestmark = pytest.mark.django_db

KEYS = "/.well-known/jwks.json"
REVOCATION = "/labels/status/revocation.jwt"
SUSPENSION = "/labels/status/suspension.jwt"


@pytest.fixture(autouse=True)
def _today() -> Any:
    with time_machine.travel("2015-09-08T12:00Z", tick=False):
        yield


def biopmed(**fields: Any) -> Label:
    return make_label(cluster=make_cluster(name="bioPmed", slug="biopmed"), **fields)


def address_of(label: Label) -> str:
    return f"/labels/{label.public_id}/credential.jwt"


def token_at(client: Client, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 200, response.content
    assert response["Content-Type"] == "application/vc+jwt"
    return response.content.decode()


def published_keys(client: Client) -> JWKSet:
    return JWKSet.from_json(client.get(KEYS).content.decode())


def confirmed(token: str, keys: JWKSet) -> dict[str, Any]:
    """The claims, when the key that the token names confirms them; else JWException."""
    signed = JWS()
    signed.allowed_algs = ["EdDSA"]
    signed.deserialize(token)
    key = keys.get_key(signed.jose_header.get("kid"))
    if key is None:
        raise JWException("no such key")
    signed.verify(key)
    return dict(json.loads(signed.payload))


def verified(client: Client, token: str) -> dict[str, Any]:
    return confirmed(token, published_keys(client))


def claims_of(client: Client, label: Label) -> dict[str, Any]:
    return verified(client, token_at(client, address_of(label)))


def bit_at(list_claims: dict[str, Any], index: int) -> int:
    """Read as Bitstring Status List 1.0 tells it: index 0 is the leftmost bit."""
    text = list_claims["credentialSubject"]["encodedList"]
    assert text[0] == "u"
    assert "=" not in text
    data = gzip.decompress(base64.urlsafe_b64decode(text[1:] + "=" * (-len(text[1:]) % 4)))
    assert len(data) >= 16 * 1024
    return int(f"{data[index // 8]:08b}"[index % 8])


def status_of(client: Client, claims: dict[str, Any]) -> dict[str, int]:
    """The bits of a credential by purpose, fetched from where it says."""
    found = {}
    for entry in claims["credentialStatus"]:
        path = entry["statusListCredential"].removeprefix("http://testserver")
        listed = verified(client, token_at(client, path))
        assert listed["id"] == entry["statusListCredential"]
        assert listed["credentialSubject"]["statusPurpose"] == entry["statusPurpose"]
        found[entry["statusPurpose"]] = bit_at(listed, int(entry["statusListIndex"]))
    return found


# What it says


def test_credential_tells_what_the_register_holds(client: Client) -> None:
    label = biopmed(
        awarded_by=IssuingBody.objects.get(code="esca"),
        certificate_number="G-1",
        source="https://example.org/list; Printed list, 2015",
    )

    claims = claims_of(client, label)

    assert claims["name"] == "Gold label of bioPmed, as held by the Cluster Register"
    assert claims["description"] == (
        "The Cluster Register records the Gold label (“Proven for Cluster Excellence”) of bioPmed, "
        "valid from 2015-07 to 2017-07-31 (computed) unless suspended or revoked. Awarded by: "
        "European Secretariat for Cluster Analysis (ESCA). Source: https://example.org/list; "
        "Printed list, 2015. This is not the official certificate: only the awarding body issues "
        "that."
    )
    assert claims["credentialSubject"]["licenseNumber"] == "G-1"
    achievement = claims["credentialSubject"]["achievement"]
    assert achievement["name"] == "Gold – Proven for Cluster Excellence"
    assert achievement["achievementType"] == "Certification"
    assert achievement["version"] == "2010-11-01"


def test_credential_does_not_pretend_to_come_from_the_awarding_body(client: Client) -> None:
    claims = claims_of(client, biopmed(awarded_by=IssuingBody.objects.get(code="esca")))

    assert claims["issuer"]["id"] == claims["iss"] == "http://testserver"
    assert claims["issuer"]["name"] == "Cluster Register"
    assert "does not act for the body" in claims["issuer"]["description"]
    assert "creator" not in claims["credentialSubject"]["achievement"]


def test_credential_says_where_body_and_source_are_unknown(client: Client) -> None:
    claims = claims_of(client, biopmed())

    assert "does not know which body awarded it" in claims["description"]
    assert "names no source" in claims["description"]
    assert "licenseNumber" not in claims["credentialSubject"]


def test_credential_cites_each_part_of_the_source_as_text(client: Client) -> None:
    claims = claims_of(client, biopmed(source="https://example.org/list; *2015* [x](javascript:1)"))

    _entry, first, second = claims["evidence"]
    assert first["id"] == first["description"] == "https://example.org/list"
    assert second == {
        "type": ["Evidence"],
        "name": "Source",
        "description": "*2015* [x](javascript:1)",
    }


def test_credential_says_what_is_printed_and_what_is_computed(client: Client) -> None:
    printed = claims_of(client, biopmed(valid_until="2017-07-15"))
    computed = claims_of(client, make_label(awarded_on="2015-07-14", assessed_on=None))

    assert printed["evidence"][0]["description"].startswith(
        "Printed end: 2017-07-15. The first day is computed. A month or a year counts"
    )
    assert computed["evidence"][0]["description"].startswith(
        "Awarded: 2015-07-14. The last day is computed."
    )


@pytest.mark.parametrize(("is_confirmed", "said"), [(True, False), (False, True)])
def test_credential_says_that_a_rule_is_inferred(
    client: Client, is_confirmed: bool, said: bool
) -> None:
    label = biopmed()
    assert label.rule is not None
    update_rules(is_confirmed=is_confirmed)

    achievement = claims_of(client, label)["credentialSubject"]["achievement"]

    assert ("No source confirms this rule" in achievement["criteria"]["narrative"]) is said


@pytest.mark.parametrize(
    ("assessed_on", "valid_until", "starts", "ends"),
    [
        pytest.param(
            "2015-07-14", "2017-07-31",
            "2015-07-14T00:00:00+02:00", "2017-07-31T23:59:59+02:00",
            id="summer",
        ),
        pytest.param(
            "2015-12-01", "2017-12-31",
            "2015-12-01T00:00:00+01:00", "2017-12-31T23:59:59+01:00",
            id="winter",
        ),
        pytest.param(
            "2016-03-27", "2017-03-26",
            "2016-03-27T00:00:00+01:00", "2017-03-26T23:59:59+02:00",
            id="days on which the clock changes",
        ),
    ],
)  # fmt: skip
def test_credential_holds_from_the_first_to_the_last_second_in_rome(
    client: Client, assessed_on: str, valid_until: str, starts: str, ends: str
) -> None:
    claims = claims_of(client, biopmed(assessed_on=assessed_on, valid_until=valid_until))

    assert (claims["validFrom"], claims["validUntil"]) == (starts, ends)


def test_token_repeats_the_credential_in_its_registered_claims(client: Client) -> None:
    """Open Badges 3.0, 8.2.4: each of these equals a property of the credential."""
    claims = claims_of(client, biopmed())

    assert claims["iss"] == claims["issuer"]["id"]
    assert claims["jti"] == claims["id"]
    assert claims["sub"] == claims["credentialSubject"]["id"]
    assert claims["nbf"] == 1438293600  # 2015-07-31T00:00:00+02:00
    assert claims["exp"] == 1501538399  # 2017-07-31T23:59:59+02:00
    assert not {"vc", "vp", "iat"} & claims.keys()


def test_ids_lead_to_pages_of_the_portal(client: Client) -> None:
    label = biopmed()
    claims = claims_of(client, label)
    subject = claims["credentialSubject"]

    achievement, anchor = subject["achievement"]["id"].split("#")
    page = client.get(achievement.removeprefix("http://testserver"))
    assert f'id="{anchor}"' in page.content.decode()
    assert subject["id"] == f"http://testserver/en/clusters/{label.cluster.public_id}/"
    for address in (subject["id"], claims["evidence"][0]["id"], claims["image"]["id"]):
        answer = client.get(address.removeprefix("http://testserver"), follow=True)
        assert answer.status_code == 200


# What the specifications require


def required(thing: Any, name: str, kind: type) -> Any:
    assert isinstance(thing.get(name), kind), name
    assert thing[name], name
    return thing[name]


def test_credential_has_what_the_specifications_require(client: Client) -> None:
    """Verifiable Credentials Data Model 2.0 (section 4) and Open Badges 3.0 (appendix B.1)."""
    claims = claims_of(client, biopmed(source="https://example.org/list"))

    assert required(claims, "@context", list)[:2] == [
        "https://www.w3.org/ns/credentials/v2",
        "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",
    ]
    assert {"VerifiableCredential", "OpenBadgeCredential"} <= set(required(claims, "type", list))
    for name in ("id", "name", "validFrom"):
        required(claims, name, str)
    issuer = required(claims, "issuer", dict)
    assert required(issuer, "type", list) == ["Profile"]
    required(issuer, "id", str)
    subject = required(claims, "credentialSubject", dict)
    assert required(subject, "type", list) == ["AchievementSubject"]
    for identity in required(subject, "identifier", list):
        assert identity["type"] == "IdentityObject"
        assert identity["hashed"] is False
        required(identity, "identityHash", str)
        assert identity["identityType"] in {"name", "systemId"}
    achievement = required(subject, "achievement", dict)
    assert required(achievement, "type", list) == ["Achievement"]
    for name in ("id", "name", "description"):
        required(achievement, name, str)
    required(required(achievement, "criteria", dict), "narrative", str)
    image = required(claims, "image", dict)
    assert image["type"] == "Image"
    required(image, "id", str)
    for evidence in required(claims, "evidence", list):
        assert evidence["type"] == ["Evidence"]
    for entry in required(claims, "credentialStatus", list):
        assert entry["type"] == "BitstringStatusListEntry"
        assert entry["statusListIndex"].isdecimal()
        assert entry["id"] != required(entry, "statusListCredential", str)


@pytest.mark.parametrize("path", [REVOCATION, SUSPENSION])
def test_list_has_what_the_specification_requires(client: Client, path: str) -> None:
    """Bitstring Status List 1.0, section 2.2."""
    claims = verified(client, token_at(client, path))

    assert claims["@context"] == ["https://www.w3.org/ns/credentials/v2"]
    assert claims["type"] == ["VerifiableCredential", "BitstringStatusListCredential"]
    assert claims["id"] == f"http://testserver{path}"
    assert claims["issuer"] == "http://testserver"
    assert claims["credentialSubject"]["type"] == "BitstringStatusList"
    assert claims["credentialSubject"]["statusPurpose"] in path


def test_example_of_the_specification_is_written_alike() -> None:
    """Its list of 131,072 zeros, whatever the compressor makes of it."""
    example = "uH4sIAAAAAAAAA-3BMQEAAADCoPVPbQwfoAAAAAAAAAAAAAAAAAAAAIC3AYbSVKsAQAAA"

    def opened(text: str) -> bytes:
        return gzip.decompress(base64.urlsafe_b64decode(text[1:] + "=" * (-len(text[1:]) % 4)))

    assert opened(encoded_bits([], 131_072)) == opened(example)


# Which labels have one


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"assessed_on": "2030"}, id="not yet valid"),
        pytest.param({"assessed_on": "2011"}, id="expired"),
        pytest.param(
            {"revoked_on": date(2015, 9, 1), "revocation_reason": "Withdrawn."}, id="revoked"
        ),
    ],
)
def test_label_with_days_has_a_credential_whatever_its_state(
    client: Client, fields: dict[str, Any]
) -> None:
    assert claims_of(client, biopmed(**fields))["type"][1] == "OpenBadgeCredential"


def test_undated_label_has_none_and_says_why(client: Client) -> None:
    response = client.get(address_of(make_undated_label()))

    assert response.status_code == 404
    assert "days of this label are not known" in response.content.decode()


@pytest.mark.parametrize("hidden", ["label", "cluster", "absent"])
def test_unpublished_label_has_none(client: Client, hidden: str) -> None:
    if hidden == "absent":
        path = "/labels/BCDFGHJK/credential.jwt"
    else:
        cluster = make_cluster(is_published=hidden != "cluster")
        path = address_of(make_label(cluster=cluster, is_published=hidden != "label"))

    response = client.get(path)

    assert (response.status_code, response.content) == (
        404,
        b"there is no label with this number\n",
    )


def test_small_letters_lead_on(client: Client) -> None:
    label = biopmed()

    response = client.get(address_of(label).replace(label.public_id, label.public_id.lower()))

    assert (response.status_code, response["Location"]) == (301, address_of(label))


def test_without_a_key_the_addresses_say_so(client: Client, settings: Settings) -> None:
    settings.SIGNING_KEYS = ""

    answers = [client.get(path) for path in (address_of(biopmed()), REVOCATION)]

    assert [answer.status_code for answer in answers] == [503, 503]
    assert "no key to sign with" in answers[0].content.decode()
    assert client.get(KEYS).json() == {"keys": []}


def test_unreadable_key_is_not_shown(client: Client, settings: Settings) -> None:
    settings.SIGNING_KEYS = "-----BEGIN PRIVATE KEY-----SECRETSECRET-----END PRIVATE KEY-----"

    answers = [client.get(path) for path in (address_of(biopmed()), REVOCATION, KEYS)]

    assert [answer.status_code for answer in answers] == [503, 503, 503]
    assert not any(b"SECRET" in answer.content for answer in answers)


# The signature


def test_any_changed_character_breaks_the_signature(client: Client) -> None:
    token, keys = token_at(client, address_of(biopmed())), published_keys(client)
    confirmed(token, keys)

    # Of the last character not every bit belongs to the signature.
    for place, character in enumerate(token[:-1]):
        changed = token[:place] + ("A" if character != "A" else "B") + token[place + 1 :]
        with pytest.raises((JWException, ValueError)):
            confirmed(changed, keys)


def forged(token: str, header: dict[str, str], secret: bytes | None) -> str:
    """The same claims under another algorithm, as an attacker would write it."""
    claims = jwt.decode(token, options={"verify_signature": False})
    kid = jwt.get_unverified_header(token)["kid"]
    if secret is None:
        return jwt.encode(claims, "", algorithm="none", headers={**header, "kid": kid})
    key = JWK(kty="oct", k=base64.urlsafe_b64encode(secret).decode().rstrip("="))
    signed = JWS(json.dumps(claims))
    signed.add_signature(key, None, json.dumps({**header, "alg": "HS256", "kid": kid}))
    return str(signed.serialize(compact=True))


def test_unsigned_token_is_refused(client: Client) -> None:
    token = forged(token_at(client, address_of(biopmed())), {"typ": "vc+jwt"}, None)

    with pytest.raises(JWException):
        verified(client, token)


def test_public_key_is_no_shared_secret(client: Client) -> None:
    [known] = client.get(KEYS).json()["keys"]
    secret = base64.urlsafe_b64decode(known["x"] + "=")
    token = forged(token_at(client, address_of(biopmed())), {"typ": "vc+jwt"}, secret)
    loose = JWS()
    loose.allowed_algs = ["EdDSA", "HS256"]
    loose.deserialize(token)

    with pytest.raises(JWException):
        verified(client, token)
    with pytest.raises(JWException):
        loose.verify(JWK(**known))


def test_new_key_keeps_old_credentials_good(client: Client, settings: Settings) -> None:
    label = biopmed()
    old_key, new_key = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    settings.SIGNING_KEYS = private_pem(old_key)
    old = token_at(client, address_of(label))

    settings.SIGNING_KEYS = private_pem(new_key) + public_pem(old_key)
    new = token_at(client, address_of(label))

    assert new != old
    assert verified(client, new) == verified(client, old)


def test_removed_key_makes_its_credentials_worthless(client: Client, settings: Settings) -> None:
    old = token_at(client, address_of(biopmed()))

    settings.SIGNING_KEYS = private_pem(Ed25519PrivateKey.generate())

    with pytest.raises(JWException):
        verified(client, old)


# The same label, the same bytes


def test_credential_stays_the_same_over_time_and_states(client: Client) -> None:
    label = biopmed()
    first = token_at(client, address_of(label))
    make_suspension(label, starts_on=date(2016, 1, 1), reason="Under review.")
    label.revoked_on, label.revocation_reason = date(2016, 2, 1), "Withdrawn."
    change_label(label)

    with time_machine.travel("2016-03-01T12:00Z", tick=False):
        later = token_at(client, address_of(label))

    assert later == first


def test_credential_is_in_english_for_everyone(client: Client) -> None:
    path = address_of(biopmed())

    italian = client.get(path, headers={"accept-language": "it"})

    assert italian.content.decode() == token_at(client, path)
    assert "Accept-Language" not in italian.get("Vary", "")


def test_corrected_label_gives_another_credential(client: Client) -> None:
    label = biopmed()
    first = token_at(client, address_of(label))
    label.valid_until = "2017-06-30"
    change_label(label)

    assert token_at(client, address_of(label)) != first


def test_credential_costs_one_query(client: Client, django_assert_num_queries: Any) -> None:
    path = address_of(biopmed())
    token_at(client, path)  # the first one takes its place in the lists

    with django_assert_num_queries(1):
        token_at(client, path)


# Headers


@pytest.mark.parametrize("path", ["label", REVOCATION, SUSPENSION, KEYS])
def test_answer_is_open_to_every_origin_and_short_lived(client: Client, path: str) -> None:
    response = client.get(address_of(biopmed()) if path == "label" else path)

    assert response["Access-Control-Allow-Origin"] == "*"
    assert response["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert response["Cache-Control"] == "public, max-age=300"
    assert not response.cookies
    again = client.get(response.request["PATH_INFO"], headers={"if-none-match": response["ETag"]})
    assert again.status_code == 304
    assert again["Cross-Origin-Resource-Policy"] == "cross-origin"


def test_list_is_not_kept_past_midnight_in_rome(client: Client) -> None:
    with time_machine.travel("2015-09-08T21:59:30Z", tick=False):
        response = client.get(REVOCATION)

    assert response["Cache-Control"] == "public, max-age=30"


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_addresses_are_only_read(client: Client, method: str) -> None:
    for path in (address_of(biopmed()), REVOCATION, KEYS):
        assert getattr(client, method)(path).status_code == 405


def test_keys_are_a_key_set(client: Client) -> None:
    response = client.get(KEYS)

    assert response["Content-Type"] == "application/jwk-set+json"
    assert [key["alg"] for key in response.json()["keys"]] == ["EdDSA"]


# The page


def test_label_page_links_the_credential_and_says_what_it_proves(client: Client) -> None:
    label = biopmed()

    page = client.get(label.get_absolute_url()).content.decode()

    assert f'href="{address_of(label)}"' in page
    assert "nobody changed it since" in page


def test_label_page_of_an_undated_label_links_none(client: Client) -> None:
    page = client.get(make_undated_label().get_absolute_url()).content.decode()

    assert "credential" not in page


def test_credential_is_of_the_label_whatever_language_is_active() -> None:
    label = biopmed()
    with translation.override("it"):
        italian = credential(credential_facts(label), 7)

    assert italian == credential(credential_facts(label), 7)


# The life of a label


def test_credential_of_an_extended_label_says_by_decision(client: Client) -> None:
    label = biopmed(valid_until="2017-07-31")
    in_effect(
        life.extend(
            label, until=date(2018, 1, 31), reason="Flooded.", by=make_account(), now=timezone.now()
        )
    )

    claims = claims_of(client, label)

    assert "to 2018-01-31 (extended by decision) unless" in claims["description"]
    assert "Extended until: 2018-01-31." in claims["evidence"][0]["description"]
    assert claims["validUntil"].startswith("2018-01-31")


def test_credentials_of_a_transferred_label_and_of_the_one_in_its_place(client: Client) -> None:
    label = biopmed(assessed_on="2015-07-14")
    successor = transfer_label(label, on=date(2015, 9, 8))

    old, new = claims_of(client, label), claims_of(client, successor)

    assert "It was transferred on 2015-09-08." in old["description"]
    assert "valid from 2015-09-08 (by transfer) to 2017-07-31 (computed)" in new["description"]
    assert "The first day is computed." not in new["evidence"][0]["description"]
    assert status_of(client, old) == {"revocation": 1, "suspension": 0}
    assert status_of(client, new) == {"revocation": 0, "suspension": 0}
