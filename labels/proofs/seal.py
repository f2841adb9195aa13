"""The picture that holders show on their own pages: one label's, or a cluster's highest valid one.

It is always of today: asked for another day it could show for ever what no longer holds.
"""

import base64
import hashlib
import unicodedata
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from html import escape

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from clusters.http.addresses import absolute
from clusters.models import Cluster
from labels.models import Label
from labels.validity import State
from labels.words import end_in_short, in_words, start_in_short

WIDTH, HEIGHT = 360, 128
# User units that a line of text may take, and the sizes of its letters.
LINE = 212.0
HEADING_SIZE, NAME_SIZE, STATUS_SIZE = 24.0, 15.0, 13.0
MOST_NAME_LINES = 2


class Scheme(StrEnum):
    """The colours: as the page around it has them, or always the same."""

    AUTO = "auto"
    LIGHT = "light"
    DARK = "dark"


@dataclass(frozen=True)
class Colours:
    card: str
    edge: str
    ink: str
    soft: str
    valid: str
    grey: str


@dataclass(frozen=True)
class Metal:
    """A coin: its two tones and the letter, the same in both schemes."""

    face: str
    shine: str
    dark: str


LIGHT = Colours("#ffffff", "#7d8796", "#14233c", "#4c5a70", "#176239", "#596373")
DARK = Colours("#131c2b", "#74839a", "#e9edf4", "#a8b4c7", "#7bd5a6", "#a3aec0")
METALS = {
    "gold": Metal("#e2b94f", "#fbeab4", "#4a3300"),
    "silver": Metal("#bcc6d0", "#f3f6f9", "#2b3641"),
    "bronze": Metal("#cf9166", "#f2d0b4", "#3f1c06"),
}

# What turns the light colours of the attributes dark; nothing in it needs escaping.
STYLE = "@media (prefers-color-scheme: dark) {{ {rules} }}".format(
    rules=" ".join(
        f".{name}-{kind} {{ {kind}: {getattr(DARK, name)} }}"
        for name, kind in (
            ("card", "fill"),
            ("edge", "stroke"),
            ("ink", "fill"),
            ("soft", "fill"),
            ("valid", "fill"),
            ("grey", "fill"),
            ("grey", "stroke"),
        )
    )
)
# Opened as a page of its own, it may do nothing but apply this one style sheet.
STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
CONTENT_SECURITY_POLICY = f"default-src 'none'; style-src 'sha256-{STYLE_HASH}'; sandbox"


@dataclass(frozen=True)
class Seal:
    """What the picture says. Without `metal` it is grey."""

    letter: str
    metal: Metal | None
    heading: str
    name: str
    status: str
    number: str

    @property
    def title(self) -> str:
        return f"{self.heading}: {self.name}, {self.status}"

    @property
    def name_lines(self) -> list[str]:
        return name_lines_of(self.name)

    @property
    def heading_size(self) -> float:
        return fitting_size(self.heading, HEADING_SIZE)

    @property
    def status_size(self) -> float:
        return fitting_size(self.status, STATUS_SIZE)


def seal_of_label(label: Label, day: date) -> Seal:
    """Without a query on a row of `for_pages(day)`."""
    is_valid = label.state_on(day) == State.VALID
    return Seal(
        letter=label.level_id[:1].upper(),
        metal=METALS.get(label.level_id) if is_valid else None,
        heading=_("%(level)s label") % {"level": label.level.name},
        name=visible(label.cluster.name),
        status=status_of(label, day),
        number=label.public_id,
    )


def seal_of_cluster(cluster: Cluster, label: Label | None, day: date) -> Seal:
    # `label` is the one to name first on the day, today: shown where it is or may be valid.
    if label is not None and label.state_on(day) in (State.VALID, State.UNCERTAIN):
        return seal_of_label(label, day)
    return Seal(
        letter="–",
        metal=None,
        heading=_("No label"),
        name=visible(cluster.name),
        status=_("no label valid today") if label else _("no label in this register"),
        number=cluster.public_id,
    )


def status_of(label: Label, day: date) -> str:
    # The state and its day in a few words.
    words = {
        State.NOT_YET: _("valid from %(start)s"),
        State.VALID: _("valid until %(end)s"),
        State.UNCERTAIN: _("may be valid: cannot be told"),
        State.RENEWABLE: _("expired: %(end)s"),
        State.EXPIRED: _("expired: %(end)s"),
        State.SUSPENDED: _("suspended since %(suspension)s"),
        State.REVOKED: _("revoked on %(revocation)s"),
        State.TRANSFERRED: _("transferred on %(transfer)s"),
        State.UNDATED: _("dates not known"),
    }
    suspension = label.suspension_on(day)
    return words[label.state_on(day)] % {
        "start": start_in_short(label),
        "end": end_in_short(label),
        "suspension": in_words(suspension.starts_on if suspension else None),
        "revocation": in_words(label.revoked_on),
        "transfer": in_words(label.transferred_on),
    }


def draw_seal(seal: Seal, scheme: Scheme) -> str:
    # The picture in the active language; the same bytes for the same seal.
    return render_to_string(
        "labels/seal.svg",
        {
            "seal": seal,
            "width": WIDTH,
            "height": HEIGHT,
            "first_line": 77 if len(seal.name_lines) > 1 else 84,
            "language": translation.get_language(),
            "colours": DARK if scheme == Scheme.DARK else LIGHT,
            "style": STYLE if scheme == Scheme.AUTO else "",
        },
    )


def visible(text: str) -> str:
    # Without what XML forbids and what turns the direction of the text around it.
    return "".join(
        character
        for character in " ".join(text.split())
        if unicodedata.category(character) not in {"Cc", "Cn", "Cs"}
        and unicodedata.bidirectional(character)
        not in {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
    )


def name_lines_of(text: str) -> list[str]:
    """At most two lines that fit, broken between words; what is too long ends in “…”."""
    lines: list[str] = []
    rest = text
    while rest and len(lines) < MOST_NAME_LINES:
        line, rest = first_line(rest, is_last=len(lines) == MOST_NAME_LINES - 1)
        lines.append(line)
    return lines


def first_line(text: str, *, is_last: bool) -> tuple[str, str]:
    # The line, and what is left for the next one.
    if width_of(text, NAME_SIZE) <= LINE:
        return text, ""
    ellipsis = "…" if is_last else ""
    end = len(text)
    while end and width_of(text[:end] + ellipsis, NAME_SIZE) > LINE:
        end -= 1
    space = text.rfind(" ", 0, end + 1)
    # A word longer than half a line is cut rather than moved.
    cut = space if space > end // 2 else end
    return text[:cut].rstrip(" ,;–-") + ellipsis, text[cut:].lstrip()


def fitting_size(text: str, size: float) -> float:
    """The size of letters at which the text takes one line: at most `size`."""
    width = width_of(text, size)
    return size if width <= LINE else round(size * LINE / width, 1)


def width_of(text: str, size: float) -> float:
    # A generous guess in user units: the reader's font is not known.
    return size * sum(width_of_letter(letter) for letter in text)


def width_of_letter(letter: str) -> float:
    if unicodedata.combining(letter):
        return 0.0
    if unicodedata.east_asian_width(letter) in {"W", "F"}:
        return 1.05
    if letter in "mwMW@%&…—":
        return 0.95
    if letter in "iljtfrI.,;:'’!|()[] -":
        return 0.36
    return 0.72 if letter.isupper() else 0.59


def embeddings(row: Label | Cluster) -> dict[str, str]:
    """HTML to copy into a page, by language: the seal as a link to the page of what it shows.

    The words in place of the picture leave out the state, which changes.
    """
    found = {}
    for language, _name in settings.LANGUAGES:
        with translation.override(language):
            found[language] = embedding(row, "" if language == "en" else f"?lang={language}")
    return found


def embedding(row: Label | Cluster, query: str) -> str:
    name = "label_seal" if isinstance(row, Label) else "cluster_seal"
    source = absolute(reverse(name, args=[row.public_id]) + query)
    page = absolute(row.get_absolute_url())
    return (
        f'<a href="{escape(page)}"><img src="{escape(source)}" alt="{escape(words_for(row))}" '
        f'width="{WIDTH}" height="{HEIGHT}"></a>'
    )


def words_for(row: Label | Cluster) -> str:
    if isinstance(row, Cluster):
        return _("%(cluster)s: its highest valid label in the Cluster Register") % {
            "cluster": row.name
        }
    return _("%(cluster)s: %(level)s label, its state in the Cluster Register") % {
        "cluster": row.cluster.name,
        "level": row.level.name,
    }
