"""What somebody asks to verify: one text, pasted lines, or the lines of a CSV file.

Pure: no ORM, no clock, no settings.
"""

import csv
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from io import StringIO
from urllib.parse import unquote

from django.utils.translation import gettext as _
from stdnum.eu import vat
from stdnum.exceptions import InvalidChecksum, InvalidLength, ValidationError

from clusters.public_ids import ALPHABET, LENGTH

MOST_LINES = 1000
MOST_BYTES = 1024 * 1024
LONGEST_QUESTION = 200

# Beside control characters and halves of a surrogate pair, which no database takes: marks that are
# not seen, or that turn the direction of writing.
CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
UNSEEN = re.compile("[\x80-\x9f\xad\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
ADDRESS = re.compile(r"(?:^|/)(labels|clusters|organisations)/([\w-]{1,90})(?=[/.?#]|$)")
ADDRESS_LIKE = re.compile(r"^(?:https?:|www\.|/)|://", re.IGNORECASE)
SLUG = re.compile(r"[a-z0-9_-]{1,90}")
NUMBER_LIKE = re.compile(r"(?=.*\d)[A-Z0-9]{6,10}")
VAT_WORDS = re.compile(
    r"^(?:p(?:artita)?\.?\s*iva|vat(?:\s*(?:no|number))?)\b[\s.:]*", re.IGNORECASE
)
VAT_LIKE = re.compile(r"(?:[A-Z]{2})?(?=(?:.*\d){7})[A-Z0-9]{7,12}")
# The tax offices of Greece write EL for their country.
GREECE = {"GR": "EL"}

# Names of the column that holds what is asked, the surest first. The first column that is filled
# counts.
COLUMNS = (
    *("asked", "chiesto", "id", "public id", "label", "label number", "etichetta", "label id"),
    *("certificate", "certificate number", "certificato", "numero certificato", "numero"),
    *("number", "vat", "vat number", "partita iva", "p.iva", "piva"),
    *("cluster", "cluster name", "name", "nome", "organisation", "organization"),
    *("managing organisation", "organizzazione", "address", "url", "indirizzo"),
)
DELIMITERS = (";", "\t", ",")
OTHER_FILES = {
    b"PK\x03\x04": "xlsx",
    b"\xd0\xcf\x11\xe0": "xls",
    b"%PDF": "pdf",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
}


class UnreadableList(Exception):
    """Why a list cannot be read and what to do, in the reader's language; `line` where known."""

    def __init__(self, message: str, *, line: int | None = None, is_too_large: bool = False):
        super().__init__(message)
        self.message, self.line, self.is_too_large = message, line, is_too_large


@dataclass(frozen=True)
class Line:
    """What is asked in a line of a list; lines count from 1, empty ones too."""

    number: int
    asked: str


@dataclass(frozen=True)
class Question:
    """A text and all that it may be; what it cannot be is empty."""

    asked: str
    folded: str
    number: str
    cluster_slug: str
    organisation_slug: str
    vat_number: str
    is_address: bool
    is_cut: bool


def folded(text: str) -> str:
    """Without regard to case, width, unseen marks and the number of spaces."""
    if text.isascii():
        return " ".join(text.lower().split())
    plain = unicodedata.normalize("NFKC", UNSEEN.sub("", text))
    return " ".join(plain.casefold().split())


def question(asked: str) -> Question:
    text = " ".join(UNSEEN.sub("", CONTROL.sub(" ", asked)).split())
    is_cut, text = len(text) > LONGEST_QUESTION, text[:LONGEST_QUESTION].strip()
    kind, name = page_at(text)
    slug = text.lower() if SLUG.fullmatch(text.lower()) else ""
    is_address = bool(kind or ADDRESS_LIKE.search(text))
    return Question(
        asked=text,
        folded=folded(text),
        number={"labels": name.upper(), "": text.upper()}.get(kind, ""),
        cluster_slug={"clusters": name.lower(), "": slug}.get(kind, ""),
        organisation_slug={"organisations": name.lower(), "": slug}.get(kind, ""),
        vat_number="" if is_address else vat_number(text),
        is_address=is_address,
        is_cut=is_cut,
    )


def page_at(text: str) -> tuple[str, str]:
    """The kind and name in the address of a page, in any language, or of its machine twin."""
    found = ADDRESS.search(unquote(text).lower())
    return (found[1], found[2]) if found else ("", "")


def vat_number(text: str) -> str:
    """Letters and digits of what looks like a VAT number, with or without its country."""
    compact = re.sub(r"[\s./-]", "", VAT_WORDS.sub("", text)).upper()
    if not VAT_LIKE.fullmatch(compact):
        return ""
    return GREECE.get(compact[:2], compact[:2]) + compact[2:]


def reasons(asked: Question) -> list[str]:
    """Why nothing may have been found, in words, as far as the text itself tells."""
    found = [
        _("Only the first %(number)s characters were looked at.") % {"number": LONGEST_QUESTION}
        if asked.is_cut
        else "",
        _("The address is not that of a label, a cluster or an organisation of this portal.")
        if asked.is_address
        else "",
        vat_reason(asked.vat_number),
        "" if asked.is_address else number_reason(asked.number),
    ]
    return [reason for reason in found if reason]


def vat_reason(number: str) -> str:
    if not number[:2].isalpha():
        return ""
    try:
        vat.validate(number)
    except InvalidLength:
        return _("As a VAT number it has the wrong length for its country.")
    except InvalidChecksum:
        return _("As a VAT number its check digit is wrong: a digit may be mistyped.")
    except ValidationError:
        return _("As a VAT number it is not correct: compare each character.")
    return _("It is a correct VAT number, but of no organisation in this register.")


def number_reason(number: str) -> str:
    """As a label's number: eight characters that cannot be taken for one another."""
    if not NUMBER_LIKE.fullmatch(number):
        return ""
    if len(number) != LENGTH:
        return _(
            "A label’s number in this register has %(right)s characters; this has %(given)s."
        ) % {"right": LENGTH, "given": len(number)}
    never = sorted(set(number) - set(ALPHABET))
    if never:
        return _("A label’s number in this register never holds %(characters)s.") % {
            "characters": ", ".join(never)
        }
    return _("It is written like a label’s number, but no label has it: compare each character.")


# Lists


def pasted(text: str) -> list[Line]:
    """A question in each line; of cells pasted from a spreadsheet, the first that is filled."""
    if len(text) > MOST_BYTES or len(text.encode(errors="replace")) > MOST_BYTES:
        raise too_large()
    lines = []
    for number, line in enumerate(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"), 1):
        if CONTROL.search(line):
            raise UnreadableList(unreadable_characters(number), line=number)
        lines.append(Line(number, first_filled(line.split("\t"))))
    return checked(lines)


def uploaded(data: bytes) -> list[Line]:
    """The questions of a CSV file: UTF-8, with semicolons, commas or tabs, a header or none."""
    if len(data) > MOST_BYTES:
        raise too_large()
    text = decoded(data)
    delimiter = delimiter_of(text)
    rows = records(text, delimiter)
    if not rows:
        return checked([])
    columns = asked_columns(rows[0][1])
    if columns:
        lines = [Line(number, cell(row, columns)) for number, row in rows[1:]]
    elif delimiter == "," and len({len(row) for _number, row in rows}) > 1:
        # One column whose names hold commas: nothing else gives lines of different lengths.
        lines = [Line(number, ",".join(row)) for number, row in rows]
    else:
        lines = [Line(number, first_filled(row[:1])) for number, row in rows]
    return checked(lines)


def listed(texts: Sequence[str]) -> list[Line]:
    for number, text in enumerate(texts, 1):
        if CONTROL.search(text):
            raise UnreadableList(unreadable_characters(number), line=number)
    return checked([Line(number, first_filled([text])) for number, text in enumerate(texts, 1)])


def checked(lines: Iterable[Line]) -> list[Line]:
    asked = [line for line in lines if line.asked]
    if not asked:
        raise UnreadableList(
            _("There is no line to verify. Write one in each line, or choose a file.")
        )
    if len(asked) > MOST_LINES:
        first = asked[MOST_LINES].number
        message = _(
            "The list has %(number)s lines; %(most)s can be answered at once. Take away line"
            " %(first)s and those after it, and verify them as a list of their own."
        ) % {"number": len(asked), "most": MOST_LINES, "first": first}
        raise UnreadableList(message, line=first, is_too_large=True)
    return asked


def too_large() -> UnreadableList:
    message = _(
        "The list is larger than 1 MB. Send it in parts, or only the column with the numbers."
    )
    return UnreadableList(message, is_too_large=True)


def unreadable_characters(line: int) -> str:
    return _(
        "Line %(line)s holds characters that are no text. Write the line again, or save the file"
        " as CSV (UTF-8)."
    ) % {"line": line}


def decoded(data: bytes) -> str:
    for beginning, kind in OTHER_FILES.items():
        if data.startswith(beginning):
            raise UnreadableList(other_file(kind), line=1)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # Positions count from the byte after a mark of UTF-8, which holds no line break.
        line = data.count(b"\n", 0, error.start) + 1
        message = _(
            "Line %(line)s is not encoded in UTF-8. In your spreadsheet choose “Save as”, then"
            " “CSV UTF-8”, and send the new file."
        ) % {"line": line}
        raise UnreadableList(message, line=line) from error
    found = CONTROL.search(text)
    if found:
        line = text.count("\n", 0, found.start()) + 1
        raise UnreadableList(unreadable_characters(line), line=line)
    return text


def other_file(kind: str) -> str:
    if kind == "utf-16":
        return _(
            "The file is encoded in UTF-16. In your spreadsheet choose “Save as”, then “CSV UTF-8”,"
            " and send the new file."
        )
    return _(
        "This is no CSV file but a document or a spreadsheet. Open it, choose “Save as”, then"
        " “CSV UTF-8”, and send the new file; or paste the lines."
    )


def delimiter_of(text: str) -> str:
    """That of the first line which is not empty: what stands in it, a comma least of all."""
    first = next((line for line in StringIO(text) if line.strip()), "")
    outside = re.sub(r'"[^"]*"', "", first)
    return next((delimiter for delimiter in DELIMITERS if delimiter in outside), ",")


def records(text: str, delimiter: str) -> list[tuple[int, list[str]]]:
    """Each record that is not empty and the line on which it begins."""
    reader = csv.reader(StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[tuple[int, list[str]]] = []
    begins = 1
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return rows
        except csv.Error as error:
            message = _(
                "Line %(line)s cannot be read: a quotation mark is not closed, stands in the middle"
                " of a cell, or the cell is too long. Correct the line, or paste the lines."
            ) % {"line": begins}
            raise UnreadableList(message, line=begins) from error
        if any(value.strip() for value in row):
            rows.append((begins, row))
        begins = reader.line_num + 1


def asked_columns(header: Sequence[str]) -> list[int]:
    """The places of the columns that may hold what is asked, the surest first."""
    names = [folded(name).replace("_", " ") for name in header]
    return [names.index(column) for column in COLUMNS if column in names]


def cell(row: Sequence[str], columns: Iterable[int]) -> str:
    return first_filled(row[column] for column in columns if column < len(row))


def first_filled(cells: Iterable[str]) -> str:
    return next((text for value in cells if (text := " ".join(value.split()))), "")
