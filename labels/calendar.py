"""The days to keep in mind as a calendar (RFC 5545): the end of each label, its last chance."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.db.models import OuterRef, Subquery
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from clusters.structured import absolute
from labels.models import Label, LabelQuerySet
from labels.register import state_sentence

MOST_OCTETS = 75


@dataclass(frozen=True)
class Entry:
    """A whole day. `uid` stays the same whatever is corrected; `changed_at` is the last change."""

    uid: str
    day: date
    summary: str
    description: str
    url: str
    changed_at: datetime


def with_changes(labels: LabelQuerySet) -> LabelQuerySet:
    """Annotate `changed_at`, the moment of the last version in the history, None without any."""
    versions = Label.history.filter(id=OuterRef("pk")).order_by("-history_date")
    return labels.annotate(changed_at=Subquery(versions.values("history_date")[:1]))


def entries(labels: Iterable[Label]) -> Iterator[Entry]:
    """In the active language; wants `with_succession()` and `with_changes()`.

    What a revocation comes before is left out, and a label that a later one has taken over needs
    no renewal.
    """
    for label in labels:
        if label.ends_on is None or label.renewable_until is None:
            continue
        names = {"level": label.level.name, "cluster": label.cluster.name}
        if not is_revoked_by(label, label.ends_on):
            words = _("%(level)s label of %(cluster)s ends") % names
            yield entry(label, "end", label.ends_on, words)
        is_renewable = label.ends_on < label.renewable_until and label.taken_over_on is None  # type: ignore[attr-defined]
        if is_renewable and not is_revoked_by(label, label.renewable_until):
            words = _("Last day to renew the %(level)s label of %(cluster)s") % names
            yield entry(label, "deadline", label.renewable_until, words)


def is_revoked_by(label: Label, day: date) -> bool:
    return label.revoked_on is not None and label.revoked_on <= day


def entry(label: Label, kind: str, day: date, summary: str) -> Entry:
    assert label.starts_on is not None
    changed_at: datetime | None = label.changed_at  # type: ignore[attr-defined]
    started_at = datetime.combine(
        label.starts_on, datetime.min.time(), timezone.get_default_timezone()
    )
    return Entry(
        uid=f"{label.public_id}-{kind}@{urlsplit(settings.SITE_URL).hostname}",
        day=day,
        summary=summary,
        description=state_sentence(label, day),
        url=absolute(label.get_absolute_url()),
        changed_at=changed_at or started_at,
    )


def calendar(name: str, entries: Iterable[Entry]) -> Iterator[bytes]:
    """The file in pieces: the head, each entry, the end."""
    language = (get_language() or "en").upper()
    yield encoded(
        [
            "BEGIN:VCALENDAR",
            "VERSION:2.0",
            f"PRODID:-//Cluster Register//Labels//{language}",
            "CALSCALE:GREGORIAN",
            f"NAME:{escaped(name)}",
            f"X-WR-CALNAME:{escaped(name)}",
            "REFRESH-INTERVAL;VALUE=DURATION:P1D",
        ]
    )
    for one in entries:
        yield encoded(event_lines(one))
    yield encoded(["END:VCALENDAR"])


def event_lines(entry: Entry) -> list[str]:
    return [
        "BEGIN:VEVENT",
        f"UID:{escaped(entry.uid)}",
        f"DTSTAMP:{entry.changed_at.astimezone(UTC):%Y%m%dT%H%M%SZ}",
        f"DTSTART;VALUE=DATE:{compact(entry.day)}",
        f"DTEND;VALUE=DATE:{compact(entry.day + timedelta(days=1))}",
        f"SUMMARY:{escaped(entry.summary)}",
        f"DESCRIPTION:{escaped(entry.description)}",
        f"URL:{entry.url}",
        "TRANSP:TRANSPARENT",
        "END:VEVENT",
    ]


def compact(day: date) -> str:
    return day.isoformat().replace("-", "")


def escaped(text: str) -> str:
    """A TEXT value (section 3.3.11)."""
    for character, written in (("\\", "\\\\"), (";", "\\;"), (",", "\\,")):
        text = text.replace(character, written)
    return "\\n".join(text.splitlines())


def encoded(lines: Iterable[str]) -> bytes:
    return b"".join(folded(line) for line in lines)


def folded(line: str) -> bytes:
    """A content line of at most 75 octets a piece, no character cut in two (section 3.1)."""
    pieces: list[bytes] = []
    piece = b""
    for character in line:
        octets = character.encode()
        # Each piece but the first begins with a space.
        if len(piece) + len(octets) > MOST_OCTETS - bool(pieces):
            pieces.append(piece)
            piece = b""
        piece += octets
    return b"\r\n ".join([*pieces, piece]) + b"\r\n"
