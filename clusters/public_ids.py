"""Permanent public identifiers and readable addresses."""

import secrets

from anyascii import anyascii
from django.utils.text import slugify

from clusters.names import normal_name

# No vowels (no words), no 0/O, 1/I: a person can read one out from a printed page.
ALPHABET = "23456789BCDFGHJKMNPQRSTVWXYZ"
LENGTH = 8


def new_public_id() -> str:
    # Eight characters of 28: about 38 bits, unique by constraint.
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def is_public_id(text: str) -> bool:
    # Whether it can be one; no word with a vowel is.
    return len(text) == LENGTH and set(text) <= set(ALPHABET)


def slug_for(text: str, *, fallback: str) -> str:
    """ASCII words joined by hyphens, at most 80 characters; `fallback` where no letter is left."""
    return slugify(anyascii(normal_name(text)))[:80].strip("-") or fallback.lower()
