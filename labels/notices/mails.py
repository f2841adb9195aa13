"""Telling teams of the days of their labels, and what they answer by the link in the mail."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.db import transaction
from django.db.models import Exists
from django.urls import reverse
from django.utils import translation

from clusters import mail
from clusters.dates import add_months
from clusters.models.keys import in_chunks
from labels.models import Delivery, Label, LabelQuerySet, LevelRule, Notice, NoticeAnswer
from labels.models.labels import later_labels
from labels.notices.addressees import Addressee, addressees_of
from labels.notices.deadlines import Deadline, Stage, current, ends_to_look_at
from labels.validity import Interval, State

# Of the links in mails: it stays, whatever the module is called.
SALT = "labels.notices"
MONTHS_OF_A_LINK = 12
AT_ONCE = 200


@dataclass(frozen=True)
class Due:
    """A notice that is due, and whom of its addressees nobody has told yet."""

    label: Label
    deadline: Deadline
    addressees: tuple[Addressee, ...]
    has_nobody: bool


# What is due


def due(day: date) -> Iterator[Due]:
    """Two queries for the whole register, seven for each 200 labels with a notice that day.

    A notice that nobody can be told comes once; one that is told does not come again.
    """
    waiting = [
        key
        for key, ends_on, renewable_until in labels_with_notices(day).values_list(
            "pk", "ends_on", "renewable_until"
        )
        if current(day, ends_on=ends_on, renewable_until=renewable_until)
    ]
    for keys in in_chunks(waiting, AT_ONCE):
        yield from due_of(with_addressees(keys), day)


def labels_with_notices(day: date) -> LabelQuerySet:
    # Public labels in whose life a notice may be due; found by level and end.
    rules = LevelRule.objects.order_by().values_list("level", "renewal_window_months")
    levels, windows = zip(*rules, strict=True) if rules else ((), ())
    return (
        Label.objects.published()
        .of_levels(sorted(set(levels)))
        .filter(
            ~Exists(later_labels()),
            starts_on__lte=day,
            ends_on__range=ends_to_look_at(day, windows),
            revoked_on=None,
            transferred_on=None,
        )
        .order_by("ends_on", "pk")
    )


def with_addressees(keys: Iterable[int]) -> list[Label]:
    labels = Label.objects.filter(pk__in=list(keys)).with_holder().with_succession()
    return list(labels.order_by("ends_on", "pk"))


def due_of(labels: list[Label], day: date) -> Iterator[Due]:
    people = addressees_of(labels, day)
    notices = Notice.objects.filter(label__in=labels).prefetch_related("deliveries")
    known = {(notice.label_id, notice.kind, notice.due_on): notice for notice in notices}
    for label in labels:
        deadline = current(day, ends_on=label.ends_on, renewable_until=label.renewable_until)
        if deadline is None:
            continue
        notice = known.get((label.pk, deadline.stage.value, deadline.due_on))
        told = {delivery.account_id for delivery in (notice.deliveries.all() if notice else ())}
        untold = tuple(one for one in people[label.pk] if one.account_id not in told)
        has_nobody = not people[label.pk]
        if untold or (has_nobody and notice is None):
            yield Due(label, deadline, untold, has_nobody)


# Telling it: the ledger and the mails are written together, or not at all


@transaction.atomic
def notify_addressees(due: Due, *, day: date, now: datetime) -> int:
    """Write the notice, and a mail to each addressee who has none; the number of mails.

    The notice stands in the ledger also where there is nobody to tell.
    """
    notice, _is_new = Notice.objects.get_or_create(
        label=due.label, kind=due.deadline.stage.value, due_on=due.deadline.due_on
    )
    mails = 0
    for addressee in due.addressees:
        # Of two runs at the same moment a constraint lets one write.
        _delivery, is_new = Delivery.objects.get_or_create(
            notice=notice, account=addressee.account, defaults={"written_at": now}
        )
        if is_new:
            mail_notice(notice, due, addressee, day=day)
            mails += 1
    return mails


def mail_notice(notice: Notice, due: Due, addressee: Addressee, *, day: date) -> None:
    label = due.label
    assert label.renewable_until is not None
    until = link_until(label.renewable_until)
    answered = Notice.objects.of_label(label).exclude(answer="")
    with translation.override(addressee.language):
        link = reverse("labels:notice", args=[token_of(notice, addressee, until)])
        page = label.get_absolute_url()
    mail.send(
        "label_notice",
        to=addressee.address,
        language=addressee.language,
        context={
            **notice_facts(label, day),
            "is_closing": due.deadline.stage == Stage.WINDOW,
            "said": answered.order_by("-answered_at").first(),
            "organisation": addressee.organisation,
            "is_owner": addressee.account is not None,
            "link": f"{settings.SITE_URL}{link}",
            "page": f"{settings.SITE_URL}{page}",
            "until": until,
        },
    )


def notice_facts(label: Label, day: date) -> dict[str, Any]:
    # What the mail and the page behind it say; wants a label with dates, of `with_succession()`.
    assert label.ends_on is not None
    assert label.renewable_until is not None
    before_or_after = "before" if day < label.ends_on else "after"
    return {
        "label": label,
        "when": "today" if day == label.ends_on else before_or_after,
        "is_renewable": day <= label.renewable_until,
        "has_window": label.ends_on < label.renewable_until,
        "is_suspended": any(
            day in Interval(suspension.starts_on, suspension.ends_on)
            for suspension in label.suspensions.all()
        ),
        "is_taken_over": label.taken_over_on is not None,
    }


# The link: bound to a row of the ledger and to whom it was sent


def link_until(renewable_until: date) -> date:
    """Until when a link works, that day included: long after the end, so that nobody is late."""
    return add_months(renewable_until, MONTHS_OF_A_LINK)


def token_of(notice: Notice, addressee: Addressee, until: date) -> str:
    return Signer(salt=SALT).sign_object([notice.pk, addressee.bond, until.isoformat()])


@dataclass(frozen=True)
class NoticeLink:
    """What a link may still do: `label` None where it has ended, `answers` empty where none is
    wanted any more."""

    notice: Notice
    label: Label | None
    answers: tuple[NoticeAnswer, ...] = ()


def read_link(token: str, *, day: date) -> NoticeLink | None:
    """What a link is worth that day; None where the portal never made it."""
    try:
        key, bond, until = Signer(salt=SALT).unsign_object(token)
    except BadSignature:
        return None
    notice = Notice.objects.filter(pk=key).first()
    if notice is None:
        return None
    labels = Label.objects.published().with_holder().with_succession()
    label = labels.filter(pk=notice.label_id).first()
    if (
        label is None
        or day > date.fromisoformat(until)
        or label.state_on(day) in (State.REVOKED, State.TRANSFERRED, State.UNDATED)
        or bond not in {one.bond for one in addressees_of([label], day)[label.pk]}
    ):
        return NoticeLink(notice, None)
    return NoticeLink(notice, label, answers_open(notice, label, day))


def answers_open(notice: Notice, label: Label, day: date) -> tuple[NoticeAnswer, ...]:
    # “We know” becomes “we will renew”, never the other way; a renewed label needs neither.
    assert label.renewable_until is not None
    if label.taken_over_on is not None or notice.answer == NoticeAnswer.RENEWING:
        return ()
    known = () if notice.answer else (NoticeAnswer.RECEIVED,)
    return (*known, NoticeAnswer.RENEWING) if day <= label.renewable_until else known


@transaction.atomic
def save_answer(link: NoticeLink, given: NoticeAnswer, *, now: datetime) -> None:
    # Write an answer down; one that is not open any more changes nothing.
    locked = Notice.objects.select_for_update().get(pk=link.notice.pk)
    if given in link.answers and given != locked.answer and locked.answer != NoticeAnswer.RENEWING:
        locked.answer, locked.answered_at = given, now
        locked.save()
