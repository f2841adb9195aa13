"""What is said of a label on a day, with what limits it: the only maker of such sentences."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import lru_cache

from babel.dates import format_date
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from clusters.dates import PartialDate
from labels.models import STATE_NAMES, Label
from labels.validity import State

PATTERNS = {"year": "y", "month": "LLLL y", "day": "d MMMM y"}


class Reply(StrEnum):
    """To “is this label valid?”."""

    YES = "yes"
    NO = "no"
    CANNOT_BE_TOLD = "cannot_be_told"


REPLY_NAMES = {
    Reply.YES: gettext_lazy("yes"),
    Reply.NO: gettext_lazy("no"),
    Reply.CANNOT_BE_TOLD: gettext_lazy("cannot be told"),
}


@dataclass(frozen=True)
class Verdict:
    """The reply, the state as a sentence, and what limits both; the caveat may be empty."""

    reply: Reply
    sentence: str
    caveat: str

    def __str__(self) -> str:
        return f"{self.sentence} {self.caveat}".strip()


def verdict(label: Label, day: date) -> Verdict:
    """For a stranger with a certificate in hand, in the active language.

    Without a query on a row loaded by `with_succession()`.
    """
    state = label.state_on(day)
    return Verdict(reply_of(state), sentence_of(label, state, day), caveat_of(label, state))


def level_verdict(label: Label | None, day: date) -> str:
    """Empty where there is no label."""
    return f"{label.level.name}: {verdict(label, day)}" if label else ""


def reply_of(state: State) -> Reply:
    if state == State.VALID:
        return Reply.YES
    if state in (State.UNCERTAIN, State.UNDATED):
        return Reply.CANNOT_BE_TOLD
    return Reply.NO


def sentence_of(label: Label, state: State, day: date) -> str:
    if state == State.REVOKED:
        return _("Revoked on %(day)s: %(reason)s") % {
            "day": in_words(label.revoked_on),
            "reason": label.revocation_reason,
        }
    if state == State.TRANSFERRED:
        return transfer_sentence(label)
    suspension = label.suspension_on(day)
    if state == State.SUSPENDED and suspension:
        return _("Suspended since %(day)s: %(reason)s") % {
            "day": in_words(suspension.starts_on),
            "reason": suspension.reason,
        }
    if state == State.UNCERTAIN:
        return uncertain_sentence(label, day)
    sentences = {
        State.NOT_YET: _("Not valid yet: valid from %(start)s."),
        State.VALID: _("Valid until %(end)s."),
        State.RENEWABLE: _("Expired on %(end)s; may still be renewed until %(renewable)s."),
        State.EXPIRED: _("Expired on %(end)s."),
        State.UNDATED: _(
            "The dates of this label are not known, so it cannot be told whether it is valid."
        ),
    }
    if not label.start_is_exact:
        sentences[State.NOT_YET] = _("Not valid yet: it begins on %(start)s at the earliest.")
    if not label.end_is_exact:
        sentences |= {
            State.VALID: _("Valid until %(certain)s at least, and until %(end)s at most."),
            State.RENEWABLE: _(
                "Expired on %(end)s at the latest; may still be renewed until %(renewable)s."
            ),
            State.EXPIRED: _("Expired on %(end)s at the latest."),
        }
    return sentences[state] % {
        "start": in_words(label.starts_on),
        "certain": in_words(label.certain_until),
        "end": in_words(label.ends_on),
        "renewable": in_words(label.renewable_until),
    }


def uncertain_sentence(label: Label, day: date) -> str:
    begins = {"first": in_words(label.starts_on), "last": in_words(label.certain_from)}
    ends = {"first": in_words(label.certain_until), "last": in_words(label.ends_on)}
    assert label.certain_from is not None
    if day < label.certain_from:
        return _("May be valid: it begins between %(first)s and %(last)s.") % begins
    return _("May be valid: it ends between %(first)s and %(last)s.") % ends


def caveat_of(label: Label, state: State) -> str:
    # Of the days that the sentence rests on: those of a step were decided, and are known.
    if state not in (
        State.NOT_YET, State.VALID, State.UNCERTAIN, State.RENEWABLE, State.EXPIRED
    ):  # fmt: skip
        return ""
    start, caveats = label.start, []
    is_backwards = start is None and label.start_is_computed and not label.transferred_from_id
    if state == State.NOT_YET and is_backwards:
        caveats.append(_("By the register’s reckoning: the source prints no first day."))
    elif label.end_is_computed and state != State.NOT_YET:
        caveats.append(_("By the register’s reckoning: the source prints no end."))
    elif state == State.RENEWABLE:
        caveats.append(_("By the register’s reckoning: the source prints no last day to renew."))
    is_counted_from = label.end_is_computed and not label.end_is_exact
    if start is not None and (is_counted_from or state in (State.NOT_YET, State.UNCERTAIN)):
        caveats.append(known_by(start))
    if label.valid_until is not None and not label.end_is_exact:
        caveats.append(known_by(label.valid_until))
    return " ".join(filter(None, caveats))


def known_by(printed: PartialDate) -> str:
    words = {
        "year": _("Known by the year %(period)s only."),
        "month": _("Known by the month %(period)s only."),
        "day": "",
    }
    return words[printed.precision] % {"period": in_words(printed)}


def transfer_sentence(label: Label) -> str:
    """Wants `with_transfer()`; a label that the public does not see is not named."""
    words = {
        "day": in_words(label.transferred_on),
        "cluster": label.moved_to_holder,
        "label": label.moved_to,
    }
    if words["label"] is None:
        return _("Transferred on %(day)s.") % words
    return _("Transferred on %(day)s to %(cluster)s: label %(label)s.") % words


def absence_caveat() -> str:
    return _("That does not prove that there is no label: this register does not hold every one.")


# In short


def label_lines(labels: Iterable[Label]) -> list[str]:
    """“Gold, July 2015 – about July 2017, expired” for each.

    Wants `with_state()`.
    """
    return [
        ", ".join(
            [
                label.level.name,
                *([f"{start_in_short(label)} – {end_in_short(label)}"] if label.ends_on else []),
                str(STATE_NAMES[State(label.state)]),
            ]
        )
        for label in labels
    ]


def start_in_short(label: Label) -> str:
    """As printed, or about the month or year that it is reckoned to; empty without days."""
    if label.start is not None and not label.start_is_computed:
        return in_words(label.start)
    if label.transferred_from_id is not None:
        return in_words(label.starts_on)
    return approximately(label.starts_on, label.certain_from)


def end_in_short(label: Label) -> str:
    """As printed or extended, or about the month or year that it is reckoned to."""
    if not label.end_is_computed:
        return in_words(label.extended_until or label.valid_until)
    return approximately(label.certain_until, label.ends_on)


def approximately(first: date | None, last: date | None) -> str:
    # No more precise than the days that the first and the last can be.
    if first is None or last is None:
        return ""
    if first.year != last.year:
        return _("about %(first)s to %(last)s") % {"first": first.year, "last": last.year}
    month = first.month if first.month == last.month else None
    return _("about %(period)s") % {"period": in_words(PartialDate(first.year, month))}


def in_words(when: PartialDate | date | None) -> str:
    if when is None:
        return ""
    partial = when if isinstance(when, PartialDate) else PartialDate.from_date(when)
    return words_of(partial, get_language() or "en")


@lru_cache(maxsize=4096)
def words_of(partial: PartialDate, language: str) -> str:
    return format_date(partial.first_day, PATTERNS[partial.precision], locale=language)


def part_in_words(part: int, whole: int) -> str:
    if not whole:
        return ""
    return _("%(part)s of %(whole)s (%(percent)s %%)") % {
        "part": part,
        "whole": whole,
        "percent": round(100 * part / whole),
    }
