"""The keys that sign the labels' credentials (Ed25519), and signing with the first of them.

They are PEM blocks, in `SIGNING_KEYS` or in the file of `SIGNING_KEYS_FILE`. The first private one
signs; of all others only the public half is used, so that what they signed can still be checked.
"""

import base64
import hashlib
import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning
from django.urls import reverse
from django.views.decorators.debug import sensitive_variables

from clusters.http.addresses import absolute

BLOCK = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----(.*?)-----END \1-----", re.DOTALL)
OTHERS_MAY_READ = 0o077


class NoSigningKey(Exception):
    """There is no key to sign with, or the keys cannot be read; the text names no key."""


@dataclass(frozen=True)
class Keyring:
    """The key that signs, where there is one, and every key to check with, the newest first."""

    public: tuple[Ed25519PublicKey, ...]
    private: Ed25519PrivateKey | None = field(default=None, repr=False)


def sign(claims: Mapping[str, Any]) -> str:
    """A compact JWS over the claims; the same claims and key give the same text.

    Raises NoSigningKey.
    """
    key = keyring().private
    if key is None:
        raise NoSigningKey("There is no key to sign with.")
    headers = {"typ": "vc+jwt", "kid": key_address(key.public_key())}
    return jwt.encode(dict(claims), key, algorithm="EdDSA", headers=headers)


def read_signed(token: str) -> dict[str, Any] | None:
    """The claims, whenever they hold, where one of our keys signed them as they are; else None.

    Raises NoSigningKey where the keys are unreadable.
    """
    for key in keyring().public:
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=["EdDSA"],
                options={"verify_exp": False, "verify_nbf": False},
                issuer=settings.SITE_URL,
            )
        except jwt.InvalidTokenError:
            continue
        return claims
    return None


def published_keys() -> dict[str, Any]:
    """Every public key as a JSON Web Key Set (RFC 7517). Raises NoSigningKey where unreadable."""
    return {
        "keys": [
            {**bare_jwk(key), "use": "sig", "alg": "EdDSA", "kid": key_address(key)}
            for key in keyring().public
        ]
    }


def key_address(key: Ed25519PublicKey) -> str:
    """Where the key is published; the part after the hash is its thumbprint (RFC 7638)."""
    # As RFC 7638 has it: sorted, without spaces.
    canonical = json.dumps(bare_jwk(key), separators=(",", ":"), sort_keys=True)
    thumbprint = base64url(hashlib.sha256(canonical.encode()).digest())
    return f"{absolute(reverse('signing_keys'))}#{thumbprint}"


def bare_jwk(key: Ed25519PublicKey) -> dict[str, str]:
    return {"kty": "OKP", "crv": "Ed25519", "x": base64url(key.public_bytes_raw())}


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


# Else the report of an error would show the keys.
@sensitive_variables()
def keyring() -> Keyring:
    # Read anew each time, so that a new key signs at once in every process.
    return read_keys(settings.SIGNING_KEYS or text_of_file())


def text_of_file() -> str:
    try:
        return Path(settings.SIGNING_KEYS_FILE).read_text()
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise NoSigningKey("The file of the signing keys cannot be read.") from error


@sensitive_variables()
def read_keys(text: str) -> Keyring:
    """The keys of PEM blocks, whose lines may be joined. Raises NoSigningKey."""
    keys = [read_key(kind, body) for kind, body in BLOCK.findall(text)]
    if text.strip() and not keys:
        raise NoSigningKey("The signing keys hold no PEM block.")
    private = [key for key in keys if isinstance(key, Ed25519PrivateKey)]
    public = {bare_jwk(key)["x"]: key for key in (public_half(key) for key in keys)}
    return Keyring(tuple(public.values()), private[0] if private else None)


@sensitive_variables()
def read_key(kind: str, body: str) -> Ed25519PrivateKey | Ed25519PublicKey:
    key: object = None
    try:
        # A line break may be written as \n, so that a block fits into one line of `.env`.
        data = base64.b64decode(re.sub(r"\\n|\s", "", body), validate=True)
        if kind == "PRIVATE KEY":
            key = serialization.load_der_private_key(data, password=None)
        elif kind == "PUBLIC KEY":
            key = serialization.load_der_public_key(data)
    except (ValueError, TypeError):
        # The error behind it might quote the key.
        raise NoSigningKey(f"A signing key ({kind}) cannot be read.") from None
    if not isinstance(key, Ed25519PrivateKey | Ed25519PublicKey):
        raise NoSigningKey(f"A signing key ({kind}) is not an Ed25519 key in PEM.")
    return key


def public_half(key: Ed25519PrivateKey | Ed25519PublicKey) -> Ed25519PublicKey:
    return key.public_key() if isinstance(key, Ed25519PrivateKey) else key


def write_new_key(path: Path) -> None:
    """Put a new private key before the public halves of what the file holds.

    The file is replaced as a whole and only its owner may read it. Raises FileExistsError where
    another process is at it, NoSigningKey where the file cannot be read.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.new")
    # O_EXCL: of two runs at the same moment one fails.
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        try:
            earlier = read_keys(path.read_text()).public if path.exists() else ()
            file.write(pem_blocks(Ed25519PrivateKey.generate(), earlier))
            file.flush()
            os.fsync(file.fileno())
            draft.replace(path)
        except BaseException:
            draft.unlink()
            raise


def pem_blocks(private: Ed25519PrivateKey, public: Sequence[Ed25519PublicKey]) -> bytes:
    first = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return first + b"".join(
        key.public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        for key in public
    )


def check_signing_keys(**_arguments: Any) -> list[CheckMessage]:
    # For `manage.py check --deploy`.
    try:
        private = keyring().private
    except NoSigningKey as error:
        return [Error(str(error), id="labels.E001")]
    if private is None:
        return [
            Warning(
                "No key signs the labels’ credentials: their addresses answer 503.",
                hint="manage.py create_signing_key, or SIGNING_KEYS.",
                id="labels.W001",
            )
        ]
    if settings.SIGNING_KEYS:
        return []
    if Path(settings.SIGNING_KEYS_FILE).stat().st_mode & OTHERS_MAY_READ:
        return [
            Warning(
                "Others than its owner may read the file of the signing keys.",
                hint="chmod 600, and `create_signing_key --new` if somebody may have read it.",
                id="labels.W002",
            )
        ]
    return []
