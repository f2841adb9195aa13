"""The days to keep in mind as a calendar (RFC 5545): the end of each label, its last chance."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db.models import Count, IntegerField, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from clusters.http.addresses import page_address
from clusters.http.asof import midnight
from labels.models import Label, LabelQuerySet
from labels.validity import IN_FORCE, Days, State
from labels.words import verdict

MOST_OCTETS = 75
# What a label's words rest on.
COLUMNS = (
    *Days._fields, "public_id", "assessed_on", "awarded_on", "valid_until", "extended_until",
    "start_is_computed", "end_is_computed", "revoked_on", "revocation_reason", "transferred_on",
    "transferred_from", "level__name_en", "level__name_it", "cluster__name",
)  # fmt: skip


@dataclass(frozen=True)
class CalendarEntry:
    """A whole day, or from a moment to another. `uid` stays the same whatever is corrected.

    `changed_at` is the last change, `changes` how many there were.
    """

    uid: str
    day: date | datetime
    summary: str
    description: str
    url: str
    changed_at: datetime
    changes: int
    ends_at: datetime | None = None
    place: str = ""


def with_changes(labels: LabelQuerySet) -> LabelQuerySet:
    """What `entries` needs, and no more: succession, names, `changed_at` and `versions`.

    `changed_at` is the moment of the last version in the history, None without any.
    """
    versions = Label.history.filter(id=OuterRef("pk"))
    number = versions.order_by().values("id").annotate(number=Count("pk")).values("number")
    return (
        labels.with_succession()
        .annotate(
            changed_at=Subquery(versions.order_by("-history_date").values("history_date")[:1]),
            versions=Coalesce(Subquery(number, output_field=IntegerField()), 1),
        )
        .select_related(None)
        .select_related("level", "cluster")
        .only(*COLUMNS)
    )


def entries(labels: Iterable[Label]) -> Iterator[CalendarEntry]:
    """In the active language; wants `with_changes()`.

    Left out is the end of a label that was gone by then, and the last day to renew one that
    cannot be renewed on it or that a later label has taken over.
    """
    for label in labels:
        names = {"level": label.level.name, "cluster": label.cluster.name}
        if label.ends_on and label.state_on(label.ends_on) in IN_FORCE:
            yield entry(label, "end", label.ends_on, words_of_end(label) % names)
        last = label.renewable_until
        if last and label.state_on(last) == State.RENEWABLE and label.taken_over_on is None:
            yield entry(label, "deadline", last, words_of_deadline(label) % names)


def words_of_end(label: Label) -> str:
    # No more certain than the page of the label.
    if label.end_is_computed and not label.end_is_exact:
        return _("%(level)s label of %(cluster)s ends at the latest, by the register’s reckoning")
    if label.end_is_computed:
        return _("%(level)s label of %(cluster)s ends by the register’s reckoning")
    if not label.end_is_exact:
        return _("%(level)s label of %(cluster)s ends at the latest")
    return _("%(level)s label of %(cluster)s ends")


def words_of_deadline(label: Label) -> str:
    if not label.end_is_exact:
        return _("Last day, at the latest, to renew the %(level)s label of %(cluster)s")
    return _("Last day to renew the %(level)s label of %(cluster)s")


def entry(label: Label, kind: str, day: date, summary: str) -> CalendarEntry:
    assert label.starts_on is not None
    annotated: Any = label
    return CalendarEntry(
        uid=f"{label.public_id}-{kind}@{urlsplit(settings.SITE_URL).hostname}",
        day=day,
        summary=summary,
        description=str(verdict(label, day)),
        url=page_address("labels:detail", label.public_id),
        changed_at=annotated.changed_at or midnight(label.starts_on),
        changes=annotated.versions - 1,
    )


def calendar(name: str, entries: Iterable[CalendarEntry]) -> Iterator[bytes]:
    # The file in pieces: the head, each entry, the end.
    language = (get_language() or "en").upper()
    yield encoded_lines(
        [
            "BEGIN:VCALENDAR",
            "VERSION:2.0",
            f"PRODID:-//Cluster Register//Calendar//{language}",
            "CALSCALE:GREGORIAN",
            f"NAME:{escaped_text(name)}",
            f"X-WR-CALNAME:{escaped_text(name)}",
            "REFRESH-INTERVAL;VALUE=DURATION:P1D",
        ]
    )
    for one in entries:
        yield encoded_lines(event_lines(one))
    yield encoded_lines(["END:VCALENDAR"])


def event_lines(entry: CalendarEntry) -> list[str]:
    # In what is published, the stamp is the moment of the last revision (section 3.8.7.2): the
    # same file until something changes.
    changed_at = in_utc(entry.changed_at)
    return [
        "BEGIN:VEVENT",
        f"UID:{escaped_text(entry.uid)}",
        f"DTSTAMP:{changed_at}",
        f"LAST-MODIFIED:{changed_at}",
        f"SEQUENCE:{entry.changes}",
        *time_lines(entry),
        f"SUMMARY:{escaped_text(entry.summary)}",
        f"DESCRIPTION:{escaped_text(entry.description)}",
        *([f"LOCATION:{escaped_text(entry.place)}"] if entry.place else []),
        f"URL:{entry.url}",
        # Nobody is busy because of it.
        "TRANSP:TRANSPARENT",
        "END:VEVENT",
    ]


def time_lines(entry: CalendarEntry) -> list[str]:
    if isinstance(entry.day, datetime):
        start = f"DTSTART:{in_utc(entry.day)}"
        return [start, f"DTEND:{in_utc(entry.ends_at)}"] if entry.ends_at else [start]
    return [
        f"DTSTART;VALUE=DATE:{compact(entry.day)}",
        # The first day that is not part of it.
        f"DTEND;VALUE=DATE:{compact(entry.day + timedelta(days=1))}",
    ]


def in_utc(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def compact(day: date) -> str:
    return day.isoformat().replace("-", "")


def escaped_text(text: str) -> str:
    # A TEXT value (section 3.3.11).
    for character, written in (("\\", "\\\\"), (";", "\\;"), (",", "\\,")):
        text = text.replace(character, written)
    return "\\n".join(text.splitlines())


def encoded_lines(lines: Iterable[str]) -> bytes:
    return b"".join(folded_line(line) for line in lines)


def folded_line(line: str) -> bytes:
    """A content line of at most 75 octets a piece, no character cut in two (section 3.1)."""
    octets = line.encode()
    pieces: list[bytes] = []
    begin = 0
    while len(octets) - begin > (room := MOST_OCTETS - bool(pieces)):
        # Each piece but the first begins with a space; octets like 10xxxxxx go on a character.
        end = begin + room
        while octets[end] & 0b1100_0000 == 0b1000_0000:
            end -= 1
        pieces.append(octets[begin:end])
        begin = end
    return b"\r\n ".join([*pieces, octets[begin:]]) + b"\r\n"
