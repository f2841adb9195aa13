"""What records are called: the one form in which names are compared, what a name may not hold,
and permanent numbers.

Pure: no ORM, no clock, no settings. Each letter becomes its plain one by itself, whatever stands
beside it, so that a text may also be folded with the place of each letter kept (`plain_letter`).
"""

import secrets
import unicodedata
from collections.abc import Iterator

# Letters that are plain ones with a sign to a reader, and not to Unicode.
LETTERS = {
    **{"æ": "ae", "œ": "oe", "þ": "th"},
    **dict(zip("øłđðıħŧ", "olddiht", strict=True)),
    # A fraction is decomposed with a slash of its own.
    **{"`": "'", "⁄": "/"},  # noqa: RUF001
}
APOSTROPHES = "‘’‚‛‹›´ʹʻʼʽˈˊˋ′‵ꞌ՚׳᾽᾿῾΄"  # noqa: RUF001
QUOTES = "“”„‟«»″‶〝〞״˝"
# Of the category of dashes, and those that have another.
DASHES = "−⁃˗➖"  # noqa: RUF001
SIGNS = {
    **dict.fromkeys(APOSTROPHES, "'"),
    **dict.fromkeys(QUOTES, '"'),
    **dict.fromkeys(DASHES, " "),
}
# What is not seen and no format character to Unicode: joiners, fillers, selectors of a variant.
UNSEEN = frozenset(
    chr(number)
    for first, last in (
        *((0x034F, 0x034F), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F)),
        *((0x2028, 0x202F - 1), (0x2065, 0x2065), (0x3164, 0x3164), (0xFE00, 0xFE0F)),
        *((0xFFA0, 0xFFA0), (0xE0000, 0xE0FFF)),
    )
    for number in range(first, last + 1)
)
# Joiners belong to the spelling of words in the scripts from Arabic to Burmese.
JOINERS = "\u200c\u200d"
JOINED = ("\u0600", "\u10ff")
# What turns the order of letters: a reader sees another text than the one that is stored.
OVERRIDES = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
# These turn no letter, and belong into paragraphs that mix scripts.
MARKS = frozenset("\u061c\u200e\u200f")


def normal_name(text: str) -> str:
    """Two names are the same where this is: without regard to case, accents, kinds of signs.

    Spaces and hyphens, however many, are one space; what is not seen is nothing.
    """
    return unicodedata.normalize("NFC", " ".join(text.translate(PLAIN).split()))


def plain_letter(letter: str) -> str:
    # Of one character; "" for accents and for what is not seen, a space for hyphens.
    if letter in SIGNS:
        return SIGNS[letter]
    if letter.isspace() or unicodedata.category(letter) == "Pd":
        return " "
    if is_invisible(letter) or unicodedata.combining(letter):
        return ""
    parts = unicodedata.normalize("NFKD", letter)
    if parts != letter:
        return "".join(map(plain_letter, parts))
    folded = letter.casefold()
    return "".join(map(plain_letter, folded)) if folded != letter else LETTERS.get(letter, letter)


def is_invisible(letter: str) -> bool:
    return unicodedata.category(letter) in ("Cc", "Cf") or letter in UNSEEN


def without_invisible(text: str) -> str:
    return "".join(letter for letter in text if letter.isspace() or not is_invisible(letter))


class PlainLetters(dict[int, str]):
    """By code point, for `str.translate`; each is worked out when it first occurs."""

    def __missing__(self, number: int) -> str:
        self[number] = plain_letter(chr(number))
        return self[number]


PLAIN = PlainLetters()


def is_noncharacter(letter: str) -> bool:
    # Unicode has 66 code points that no text holds; XML, and so a feed, takes not all of them.
    number = ord(letter)
    return number & 0xFFFE == 0xFFFE or 0xFDD0 <= number <= 0xFDEF


def is_private(letter: str) -> bool:
    # What it looks like is known to one font only.
    return unicodedata.category(letter) == "Co"


def invisible_characters(text: str) -> Iterator[tuple[int, str]]:
    """Place (from 1) and name of each character that nobody sees, or that is none; no spaces."""
    for place, letter in enumerate(text):
        is_joiner = letter in JOINERS and JOINED[0] <= text[place - 1 : place] <= JOINED[1]
        is_no_letter = is_noncharacter(letter) or is_private(letter)
        if is_no_letter or (is_invisible(letter) and not is_joiner):
            yield place + 1, character_name(letter)


def misleading_characters(text: str, *, is_line: bool) -> Iterator[tuple[int, str]]:
    """Place and name of each character by which a text is not what it seems.

    A line takes less than paragraphs do: pasted bullets of a font, and marks of direction.
    """
    for place, letter in enumerate(text):
        is_wrong = letter in OVERRIDES or is_noncharacter(letter)
        if is_wrong or (is_line and (letter in MARKS or is_private(letter))):
            yield place + 1, character_name(letter)


def character_name(letter: str) -> str:
    unnamed = "CONTROL CHARACTER"
    if is_noncharacter(letter):
        unnamed = "NONCHARACTER"
    elif is_private(letter):
        unnamed = "PRIVATE USE CHARACTER"
    return f"{unicodedata.name(letter, unnamed)} (U+{ord(letter):04X})"


# Addresses and numbers

# No vowels (no words), no 0/O, 1/I: a person can read one out from a printed page.
ALPHABET = "23456789BCDFGHJKMNPQRSTVWXYZ"
LENGTH = 8


def new_public_id() -> str:
    # Eight characters of 28: about 38 bits, unique by constraint.
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def is_public_id(text: str) -> bool:
    # Whether it can be one; no word with a vowel is.
    return len(text) == LENGTH and set(text) <= set(ALPHABET)
