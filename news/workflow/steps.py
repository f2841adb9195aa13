"""The steps in the life of an announcement: each atomic, attributed and in the log.

A step locks the announcement, reads it again, and refuses in words what may not be
(ValidationError). Nothing else changes the state of one: `Announcement.save` sees to it.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from clusters.models import Account, EventKind
from clusters.people.log import record
from labels.life.refusals import refuse_first
from news.models import Announcement, AnnouncementState, ReviewComment
from news.models.announcements import changing_the_state
from news.workflow.content import content_digest
from news.workflow.mails import tell_reviewers, tell_writers
from news.workflow.refusals import AnnouncementStep, step_refusals

CHANGED_MEANWHILE = _("Somebody changed it since you opened this page: read it again.")


@transaction.atomic
def submit(
    announcement: Announcement, *, by: Account, now: datetime, reviewer: Account | None = None
) -> Announcement:
    """Hand a draft to the secretariat; `reviewer` is told, else everybody who may publish it."""
    stored = begin(AnnouncementStep.SUBMIT, announcement, by, now)
    stored.reviewer = reviewer or stored.reviewer
    enter(stored, AnnouncementState.IN_REVIEW, by)
    tell_reviewers(stored, by)
    return stored


@transaction.atomic
def comment(announcement: Announcement, *, by: Account, now: datetime, text: str) -> Announcement:
    stored = begin(AnnouncementStep.COMMENT, announcement, by, now)
    add_comment(stored, by, now, text)
    return stored


@transaction.atomic
def send_back(announcement: Announcement, *, by: Account, now: datetime, text: str) -> Announcement:
    """Make it a draft again, with a comment that the team reads in a mail, too."""
    stored = begin(AnnouncementStep.SEND_BACK, announcement, by, now)
    add_comment(stored, by, now, text)
    enter(stored, AnnouncementState.DRAFT, by)
    tell_writers(stored, by, text)
    return stored


@transaction.atomic
def approve_announcement(announcement: Announcement, *, by: Account, now: datetime) -> Announcement:
    """Approve what it says at this moment, and nothing that is written later."""
    stored = begin(AnnouncementStep.APPROVE, announcement, by, now)
    stored.approved_digest = content_digest(stored)
    enter(stored, AnnouncementState.APPROVED, by)
    tell_writers(stored, by)
    return stored


@transaction.atomic
def publish(
    announcement: Announcement, *, by: Account, now: datetime, at: datetime | None = None
) -> Announcement:
    """Publish it at a moment, else at the stored one, else now; one that lies ahead schedules it.

    Who publishes approves.
    """
    stored = begin(AnnouncementStep.PUBLISH, announcement, by, now)
    stored.published_at = at or stored.published_at or now
    enter(stored, AnnouncementState.PUBLISHED, by)
    tell_writers(stored, by)
    return stored


@transaction.atomic
def withdraw_announcement(
    announcement: Announcement, *, by: Account, now: datetime, reason: str
) -> Announcement:
    """From now on its address tells since when and why it is gone, and nothing of its text."""
    stored = begin(AnnouncementStep.WITHDRAW, announcement, by, now)
    stored.withdrawn_at, stored.withdrawal_reason = now, reason
    enter(stored, AnnouncementState.WITHDRAWN, by)
    tell_writers(stored, by, reason)
    return stored


@transaction.atomic
def archive(announcement: Announcement, *, by: Account, now: datetime) -> Announcement:
    """Keep its page readable, and take it out of every list."""
    stored = begin(AnnouncementStep.ARCHIVE, announcement, by, now)
    stored.archived_at = now
    return enter(stored, AnnouncementState.ARCHIVED, by)


@transaction.atomic
def return_to_draft(announcement: Announcement, *, by: Account, now: datetime) -> Announcement:
    """Make a draft of what waits for its moment, is withdrawn or archived."""
    stored = begin(AnnouncementStep.RETURN, announcement, by, now)
    return enter(stored, AnnouncementState.DRAFT, by)


TAKE: dict[AnnouncementStep, Callable[..., Announcement]] = {
    AnnouncementStep.SUBMIT: submit,
    AnnouncementStep.COMMENT: comment,
    AnnouncementStep.SEND_BACK: send_back,
    AnnouncementStep.APPROVE: approve_announcement,
    AnnouncementStep.PUBLISH: publish,
    AnnouncementStep.WITHDRAW: withdraw_announcement,
    AnnouncementStep.ARCHIVE: archive,
    AnnouncementStep.RETURN: return_to_draft,
}


def begin(
    step: AnnouncementStep, announcement: Announcement, by: Account, now: datetime
) -> Announcement:
    # The announcement as it is stored, locked, with nothing against the step; it is in the log.
    stored = Announcement.objects.select_for_update(of=("self",)).get(pk=announcement.pk)
    refuse_first(step_refusals(step, stored, by, now))
    kind = EventKind.PUBLISHED if step == AnnouncementStep.PUBLISH else EventKind.ANNOUNCEMENT_STEP
    record(kind, now=now, account=by, detail=f"announcement {stored.public_id}: {step}")
    return stored


def enter(announcement: Announcement, state: AnnouncementState, by: Account) -> Announcement:
    announcement.state = state
    if state != AnnouncementState.WITHDRAWN:
        announcement.withdrawn_at, announcement.withdrawal_reason = None, ""
    if state != AnnouncementState.ARCHIVED:
        announcement.archived_at = None
    if state != AnnouncementState.APPROVED:
        announcement.approved_digest = ""
    announcement.full_clean()
    announcement._history_user = by  # type: ignore[attr-defined]
    with changing_the_state():
        announcement.save()
    return announcement


def add_comment(announcement: Announcement, by: Account, now: datetime, text: str) -> None:
    row = ReviewComment(announcement=announcement, author=by, written_at=now, text=text)
    row.full_clean()
    row.save()


@transaction.atomic
def take_as_read(
    step: AnnouncementStep,
    announcement: Announcement,
    *,
    seen: str,
    by: Account,
    now: datetime,
    **given: Any,
) -> Announcement:
    """Take the step with what the person read: `seen` is its digest on the page of the step."""
    stored = Announcement.objects.select_for_update(of=("self",)).get(pk=announcement.pk)
    if content_digest(stored) != seen:
        raise ValidationError(CHANGED_MEANWHILE)
    return TAKE[step](stored, by=by, now=now, **given)


@transaction.atomic
def take_together(
    step: AnnouncementStep,
    announcements: Iterable[Announcement],
    *,
    by: Account,
    now: datetime,
    **given: Any,
) -> list[Announcement]:
    """Take the step with all or with none; every refusal is told with the name of its row."""
    taken, refused = [], []
    for announcement in announcements:
        try:
            with transaction.atomic():
                taken.append(TAKE[step](announcement, by=by, now=now, **given))
        except ValidationError as error:
            refused.append(f"{announcement}: {' '.join(error.messages)}")
    if refused:
        raise ValidationError(refused)
    return taken


@transaction.atomic
def review_again_if_changed(announcement: Announcement, by: Account) -> bool:
    """Take the approval back from what no longer says what was approved; whether it did."""
    stored = Announcement.objects.select_for_update(of=("self",)).get(pk=announcement.pk)
    if stored.state != AnnouncementState.APPROVED or stored.approved_digest == content_digest(
        stored
    ):
        return False
    enter(stored, AnnouncementState.IN_REVIEW, by)
    return True
