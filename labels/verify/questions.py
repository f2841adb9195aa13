"""What somebody asks to verify: one text, pasted lines, or the lines of a CSV file.

Pure: no ORM, no clock, no settings.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from urllib.parse import unquote

from django.utils.translation import gettext as _
from stdnum.eu import vat
from stdnum.exceptions import InvalidChecksum, InvalidLength, ValidationError

from clusters.dates import YearOutOfRange, parse_day
from clusters.fields import out_of_years
from clusters.names import ALPHABET, LENGTH, normal_name, without_invisible
from clusters.tables.reader import (
    UNREADABLE,
    CsvFile,
    Finding,
    TableRefused,
    decode_csv,
    explain_characters,
    without_placeholder,
)

MAX_LINES = 1000
MAX_BYTES = 1024 * 1024
MAX_QUESTION_LENGTH = 200

ADDRESS = re.compile(r"(?:^|/)(labels|clusters|organisations)/([\w-]{1,90})(?=[/.?#]|$)")
ADDRESS_LIKE = re.compile(r"^(?:https?:|www\.|/)|://", re.IGNORECASE)
SITE = re.compile(r"(?:https?://)?(?:www\.)?((?:[\w-]+\.)+[a-z]{2,24})(?:[:/?#]\S*)?")
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

CLAIM_COLUMNS = (
    *("level", "livello", "label level", "livello del label"),
    *("on", "day", "date", "giorno", "data", "valid on", "valida il"),
)
LEVELS = {
    "gold": "gold", "oro": "gold", "silver": "silver", "argento": "silver", "bronze": "bronze",
    "bronzo": "bronze",
}  # fmt: skip
DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
# In another form: which of the numbers is the month, nobody can tell.
DAY_LIKE = re.compile(r"\d{1,4}\s*[./-]\s*\d{1,4}(?:\s*[./-]\s*\d{1,4})?", re.ASCII)


@dataclass(frozen=True)
class QuestionLine:
    """What is asked in a line of a list; lines count from 1, empty ones too.

    A claim says a level, a day or both as well.
    """

    number: int
    asked: str
    level: str = ""
    on: date | None = None

    @property
    def text(self) -> str:
        # As somebody pastes it.
        day = self.on.isoformat() if self.on else ""
        return "\t".join(filter(None, [self.asked, self.level, day]))


@dataclass(frozen=True)
class Question:
    """A text and all that it may be; what it cannot be is empty. `folded` is its normal form."""

    asked: str
    folded: str
    number: str
    cluster_slug: str
    organisation_slug: str
    vat_number: str
    # The host of a web site, without www.
    site: str
    is_address: bool
    is_cut: bool

    @property
    def without_spaces(self) -> str:
        return self.folded.replace(" ", "")


def question(asked: str) -> Question:
    text = " ".join(without_invisible(UNREADABLE.sub(" ", asked)).split())
    is_cut, text = len(text) > MAX_QUESTION_LENGTH, text[:MAX_QUESTION_LENGTH].strip()
    kind, name = page_at(text)
    slug = text.lower() if SLUG.fullmatch(text.lower()) else ""
    is_address = bool(kind or ADDRESS_LIKE.search(text))
    return Question(
        asked=text,
        folded=normal_name(text),
        number={"labels": name.upper(), "": public_id_in(text)}.get(kind, ""),
        cluster_slug={"clusters": name.lower(), "": slug}.get(kind, ""),
        organisation_slug={"organisations": name.lower(), "": slug}.get(kind, ""),
        vat_number="" if is_address else vat_number(text),
        site="" if kind else site_in(text),
        is_address=is_address,
        is_cut=is_cut,
    )


def public_id_in(text: str) -> str:
    # As somebody reads it from paper, with spaces, dashes or dots in it; else the text as it is.
    compact = re.sub(r"[\s.\-\u2010-\u2015·]", "", unicodedata.normalize("NFKC", text)).upper()
    return compact if len(compact) == LENGTH and set(compact) <= set(ALPHABET) else text.upper()


def site_in(text: str) -> str:
    found = SITE.fullmatch(text.strip().lower())
    return found[1] if found else ""


def page_at(text: str) -> tuple[str, str]:
    """The kind and name in the address of a page, in any language, or of its machine twin."""
    found = ADDRESS.search(unquote(text).lower())
    return (found[1], found[2]) if found else ("", "")


def vat_number(text: str) -> str:
    # Letters and digits of what looks like a VAT number, with or without its country.
    compact = re.sub(r"[\s./-]", "", VAT_WORDS.sub("", text)).upper()
    if not VAT_LIKE.fullmatch(compact):
        return ""
    return GREECE.get(compact[:2], compact[:2]) + compact[2:]


def reasons(asked: Question) -> list[str]:
    # Why nothing may have been found, in words, as far as the text itself tells.
    found = [
        _("Only the first %(number)s characters were looked at.") % {"number": MAX_QUESTION_LENGTH}
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
    # As a label's number: eight characters that cannot be taken for one another.
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


def read_pasted_lines(text: str) -> list[QuestionLine]:
    # A question in each line, or the cells of a claim, tabs between them.
    if len(text) > MAX_BYTES or len(text.encode(errors="replace")) > MAX_BYTES:
        raise list_too_large()
    return checked_lines(
        claim_of(number, line.split("\t"))
        for number, line in enumerate(re.split("\r\n|\r|\n", text), 1)
    )


def read_csv_lines(data: bytes) -> list[QuestionLine]:
    # The questions of a CSV file: UTF-8, with semicolons, commas or tabs, a header or none.
    if len(data) > MAX_BYTES:
        raise list_too_large()
    file = CsvFile(decode_csv(data), delimiters=";\t,")
    records = []
    for record in file.records():
        if isinstance(record, Finding):
            raise TableRefused(record)
        records.append(record)
    columns = question_columns(records[0].values) if records else []
    if columns:
        header = folded_header(records[0].values)
        told = [header.index(name) for name in CLAIM_COLUMNS if name in header]
        lines = [
            claim_of(
                record.line,
                [cell(record.values, columns), *cells_at(record.values, told)],
                is_claim=bool(told),
            )
            for record in records[1:]
        ]
    elif file.delimiter == "," and len({len(record.values) for record in records}) > 1:
        # One column whose names hold commas: nothing else gives lines of different lengths.
        lines = [QuestionLine(record.line, ",".join(record.values)) for record in records]
    else:
        lines = [
            claim_of(record.line, [first_filled(record.values[:1]), *record.values[1:]])
            for record in records
        ]
    return checked_lines(lines)


def read_lines(texts: Sequence[str]) -> list[QuestionLine]:
    return checked_lines(
        QuestionLine(number, first_filled([text])) for number, text in enumerate(texts, 1)
    )


def checked_lines(lines: Iterable[QuestionLine]) -> list[QuestionLine]:
    # Those that hold something; raises TableRefused where none does, or too many do.
    filled = [line for line in lines if line.asked]
    for line in filled:
        if UNREADABLE.search(line.asked):
            raise TableRefused(Finding(line.number, "", explain_characters(line.asked)))
    if not filled:
        message = _("There is no line to verify. Write one in each line, or choose a file.")
        raise TableRefused(Finding(0, "", message))
    if len(filled) > MAX_LINES:
        message = _(
            "the list has %(number)s lines; %(max)s can be answered at once. Take away this line"
            " and those after it, and verify them as a list of their own."
        ) % {"number": len(filled), "max": MAX_LINES}
        raise TableRefused(Finding(filled[MAX_LINES].number, "", message), is_too_large=True)
    return filled


def list_too_large() -> TableRefused:
    message = _(
        "The list is larger than 1 MB. Send it in parts, or only the column with the numbers."
    )
    return TableRefused(Finding(0, "", message), is_too_large=True)


def question_columns(header: Sequence[str]) -> list[int]:
    # The places of the columns that may hold what is asked, the surest first.
    names = folded_header(header)
    return [names.index(column) for column in COLUMNS if column in names]


def folded_header(header: Sequence[str]) -> list[str]:
    return [normal_name(name.replace("_", " ")) for name in header]


def cells_at(row: Sequence[str], columns: Iterable[int]) -> list[str]:
    return [row[column] for column in columns if column < len(row)]


def claim_of(number: int, cells: Sequence[str], *, is_claim: bool = False) -> QuestionLine:
    """The first cell that is filled is asked; of the others, a level and a day are claimed.

    Raises TableRefused for a day that is written otherwise than 2015-09-08, and in a claim
    (`is_claim`, or where a level or a day is read) for what is neither.
    """
    asked, *others = [*filled_cells(cells)] or [""]
    level, on, unread = "", None, ""
    for text in others:
        if name := LEVELS.get(normal_name(text).removesuffix(" label")):
            level = name
        elif DAY.fullmatch(text):
            on = read_day(number, text)
        elif DAY_LIKE.fullmatch(text):
            raise TableRefused(Finding(number, "", explain_day(text)))
        else:
            unread = text
    if unread and (level or on or is_claim):
        # Left out, what is claimed would be another thing than what was answered.
        raise TableRefused(Finding(number, "", explain_level(unread)))
    return QuestionLine(number, asked, level, on)


def read_day(number: int, text: str) -> date:
    try:
        return parse_day(text)
    except YearOutOfRange as error:
        raise TableRefused(Finding(number, "", out_of_years(text).messages[0])) from error
    except ValueError as error:
        raise TableRefused(Finding(number, "", explain_day(text))) from error


def explain_level(text: str) -> str:
    return _("“%(value)s” is no level and no day. Write Bronze, Silver or Gold.") % {
        "value": text[:60]
    }


def explain_day(text: str) -> str:
    return _("“%(value)s” is not a day that can be read: write year, month, day as 2015-09-08.") % {
        "value": text
    }


def cell(row: Sequence[str], columns: Iterable[int]) -> str:
    return first_filled(row[column] for column in columns if column < len(row))


def first_filled(cells: Iterable[str]) -> str:
    return next(filled_cells(cells), "")


def filled_cells(cells: Iterable[str]) -> Iterator[str]:
    for value in cells:
        if text := " ".join(without_placeholder(value).split()):
            yield text
