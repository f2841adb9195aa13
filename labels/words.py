from collections.abc import Iterable
from datetime import date
from functools import lru_cache

from babel.dates import format_date
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from labels.models import STATE_NAMES, Label
from labels.validity import State


def verdict(label: Label | None, day: date) -> str:
    """The level and the state in words; empty where there is no label."""
    return f"{label.level.name}: {state_in_words(label, day)}" if label else ""


def label_lines(labels: Iterable[Label]) -> list[str]:
    """“Gold, 2015-07-31–2017-07-31, expired” for each, with the days from which and until it holds.

    Wants `with_state()`.
    """
    return [
        ", ".join(
            [
                label.level.name,
                *([f"{label.starts_on}–{label.ends_on}"] if label.ends_on else []),
                str(STATE_NAMES[State(label.state)]),
            ]
        )
        for label in labels
    ]


def state_in_words(label: Label, day: date) -> str:
    """The state on a day in plain words, as a stranger with a certificate in hand needs it.

    Without a query on a row loaded by `with_succession()`.
    """
    state = label.state_on(day)
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
    sentences = {
        State.NOT_YET: _("Not valid yet: valid from %(start)s."),
        State.VALID: _("Valid until %(end)s."),
        State.RENEWABLE: _("Expired on %(end)s; may still be renewed until %(renewable)s."),
        State.EXPIRED: _("Expired on %(end)s."),
        State.UNDATED: _("The dates of this label are not known, so it is not counted as valid."),
    }
    return sentences[state] % {
        "start": in_words(label.starts_on),
        "end": in_words(label.ends_on),
        "renewable": in_words(label.renewable_until),
    }


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


def in_words(day: date | None) -> str:
    return words_of(day, get_language() or "en") if day else ""


@lru_cache(maxsize=4096)
def words_of(day: date, language: str) -> str:
    return format_date(day, "d MMMM y", locale=language)
