import json
import stat
from io import StringIO
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.core.management import CommandError, call_command
from jwcrypto.common import JWException
from jwcrypto.jwk import JWKSet
from jwcrypto.jws import JWS
from pytest_django import Settings

from labels.proofs.signing import (
    NoSigningKey,
    check_signing_keys,
    keyring,
    published_keys,
    read_keys,
    sign,
)

CLAIMS = {"iss": "http://testserver", "name": "Pôle Santé"}


@pytest.fixture
def key_file(settings: Settings, tmp_path: Path) -> Path:
    """Where the keys are, and nothing yet."""
    settings.SIGNING_KEYS = ""
    settings.SIGNING_KEYS_FILE = path = tmp_path / "keys" / "signing-keys.pem"
    return path


def create(*arguments: str) -> str:
    out = StringIO()
    call_command("create_signing_key", *arguments, stdout=out)
    return out.getvalue()


def private_pem(key: Any) -> str:
    return str(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
        "ascii",
    )


def public_pem(key: Ed25519PrivateKey) -> str:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.PEM, form).decode()


def kid_of(token: str) -> str:
    return str(jwt.get_unverified_header(token)["kid"])


def check(token: str) -> dict[str, Any]:
    """What another program would do with the published keys; it raises JWException."""
    keys = JWKSet.from_json(json.dumps(published_keys()))
    signed = JWS()
    signed.allowed_algs = ["EdDSA"]
    signed.deserialize(token)
    signed.verify(keys.get_key(signed.jose_header["kid"]))
    return dict(json.loads(signed.payload))


# Signing


def test_another_library_finds_the_key_and_confirms_the_signature() -> None:
    assert check(sign(CLAIMS)) == CLAIMS


def test_header_names_algorithm_type_and_key_and_nothing_else() -> None:
    header = jwt.get_unverified_header(sign(CLAIMS))

    [key] = published_keys()["keys"]
    assert header == {"alg": "EdDSA", "typ": "vc+jwt", "kid": key["kid"]}


def test_same_claims_give_the_same_text() -> None:
    assert sign(CLAIMS) == sign(CLAIMS)


def test_key_is_named_by_its_thumbprint() -> None:
    [key] = json.loads(JWKSet.from_json(json.dumps(published_keys())).export())["keys"]
    [known] = JWKSet.from_json(json.dumps(published_keys()))

    assert key["kid"] == f"http://testserver/.well-known/jwks.json#{known.thumbprint()}"


def test_published_keys_hold_no_private_part() -> None:
    [key] = published_keys()["keys"]

    assert set(key) == {"kty", "crv", "x", "use", "alg", "kid"}


def test_private_key_does_not_show_in_the_keyring() -> None:
    assert "private" not in repr(keyring())


# Where the keys come from


def test_keys_may_stand_in_one_line(settings: Settings) -> None:
    key = Ed25519PrivateKey.generate()
    settings.SIGNING_KEYS = private_pem(key).replace("\n", r"\n")

    assert keyring().public == (key.public_key(),)


def test_without_keys_nothing_is_signed(key_file: Path) -> None:
    with pytest.raises(NoSigningKey):
        sign(CLAIMS)


def test_public_key_alone_signs_nothing_and_is_published(settings: Settings) -> None:
    settings.SIGNING_KEYS = public_pem(Ed25519PrivateKey.generate())

    assert len(published_keys()["keys"]) == 1
    with pytest.raises(NoSigningKey):
        sign(CLAIMS)


def test_first_private_key_signs_and_the_others_are_published(settings: Settings) -> None:
    keys = [Ed25519PrivateKey.generate() for _ in range(3)]
    settings.SIGNING_KEYS = public_pem(keys[0]) + private_pem(keys[1]) + private_pem(keys[2])

    kids = [key["kid"] for key in published_keys()["keys"]]

    assert kid_of(sign(CLAIMS)) == kids[1]
    assert len(set(kids)) == 3


def test_key_given_twice_is_published_once() -> None:
    key = Ed25519PrivateKey.generate()

    assert len(read_keys(private_pem(key) + public_pem(key)).public) == 1


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("MC4CAQAwBQYDK2VwBCIEIA", id="no block"),
        pytest.param(
            "-----BEGIN PRIVATE KEY-----SECRETSECRET-----END PRIVATE KEY-----", id="not a key"
        ),
        pytest.param("-----BEGIN PRIVATE KEY-----é-----END PRIVATE KEY-----", id="not base64"),
        pytest.param("-----BEGIN RSA KEY-----SECRETSE-----END RSA KEY-----", id="another kind"),
        pytest.param(private_pem(generate_private_key(SECP256R1())), id="another curve"),
    ],
)
def test_unreadable_key_is_refused_without_quoting_it(text: str) -> None:
    with pytest.raises(NoSigningKey) as caught:
        read_keys(text)

    assert "SECRET" not in str(caught.value)
    assert caught.value.__cause__ is None


# The command


def test_command_makes_a_key_that_only_its_owner_may_read(key_file: Path) -> None:
    said = create()

    assert str(key_file) in said
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
    assert check(sign(CLAIMS)) == CLAIMS
    assert list(key_file.parent.iterdir()) == [key_file]


def test_command_does_not_show_the_key(key_file: Path) -> None:
    said = create()

    secret = key_file.read_text().splitlines()[1]
    assert secret not in said


def test_command_leaves_a_key_alone(key_file: Path) -> None:
    create()
    before = key_file.read_bytes()

    assert create() == "There is a key already.\n"
    assert key_file.read_bytes() == before


def test_new_key_signs_at_once_and_the_old_signatures_stay_good(key_file: Path) -> None:
    create()
    old = sign(CLAIMS)

    create("--new")

    new = sign(CLAIMS)
    assert kid_of(new) != kid_of(old)
    assert check(new) == check(old) == CLAIMS


def test_new_key_leaves_only_the_public_half_of_the_old_one(key_file: Path) -> None:
    create()
    create("--new")
    create("--new")

    kinds = [line for line in key_file.read_text().splitlines() if line.startswith("-----BEGIN")]
    assert kinds == ["-----BEGIN PRIVATE KEY-----", *["-----BEGIN PUBLIC KEY-----"] * 2]


def test_forgotten_key_confirms_nothing_any_more(key_file: Path) -> None:
    create()
    token = sign(CLAIMS)
    key_file.unlink()
    create()

    with pytest.raises((JWException, TypeError, AttributeError, ValueError)):
        check(token)


def test_command_does_not_touch_keys_of_the_environment() -> None:
    with pytest.raises(CommandError, match="SIGNING_KEYS"):
        create("--new")


def test_command_gives_way_to_another_run(key_file: Path) -> None:
    create()
    before = key_file.read_bytes()
    key_file.with_name("signing-keys.pem.new").touch()

    with pytest.raises(CommandError, match="another run"):
        create("--new")
    assert key_file.read_bytes() == before


def test_command_does_not_overwrite_what_it_cannot_read(key_file: Path) -> None:
    key_file.parent.mkdir()
    key_file.write_text("something else")

    with pytest.raises(CommandError):
        create("--new")
    assert [path.read_text() for path in key_file.parent.iterdir()] == ["something else"]


# The check before production


def test_check_is_silent_with_a_key(key_file: Path) -> None:
    create()

    assert check_signing_keys() == []


def test_check_warns_without_a_key(key_file: Path) -> None:
    [problem] = check_signing_keys()

    assert problem.id == "labels.W001"


def test_check_warns_where_others_may_read_the_file(key_file: Path) -> None:
    create()
    key_file.chmod(0o640)

    [problem] = check_signing_keys()

    assert problem.id == "labels.W002"


def test_check_names_an_unreadable_key(settings: Settings) -> None:
    settings.SIGNING_KEYS = "nonsense"

    [problem] = check_signing_keys()

    assert (problem.id, problem.is_serious()) == ("labels.E001", True)


def test_check_is_part_of_the_checks_before_production(key_file: Path) -> None:
    out = StringIO()
    call_command("check", "--deploy", "--tag", "security", stderr=out, stdout=out)

    assert "labels.W001" in out.getvalue()
