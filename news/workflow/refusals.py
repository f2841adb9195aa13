"""What stands against each step in the life of an announcement, in words."""

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clusters.models import Account
from clusters.people import policy
from labels.life.refusals import Refusals, first_words
from news.models import UNPUBLISHED, Announcement, AnnouncementState
from news.models.announcements import WITHOUT_WORDS
from news.workflow.content import content_digest

HIDDEN = _("What has appeared is withdrawn or archived, not hidden.")


class AnnouncementStep(StrEnum):
    """The last part of the address of its page."""

    SUBMIT = "submit"
    COMMENT = "comment"
    SEND_BACK = "send_back"
    APPROVE = "approve"
    PUBLISH = "publish"
    WITHDRAW = "withdraw"
    ARCHIVE = "archive"
    RETURN = "return"


def may_take(by: policy.Person, step: AnnouncementStep, announcement: Announcement) -> bool:
    # Whether it is theirs to take, whatever state the announcement is in.
    day = timezone.localdate()
    if step == AnnouncementStep.COMMENT:
        # Who writes or reviews; an auditor only reads.
        writes = policy.may(by, policy.ADD, Announcement)
        return writes and policy.may_on_row(by, policy.VIEW, announcement, day)
    if step == AnnouncementStep.SUBMIT:
        return policy.may_on_row(by, policy.CHANGE, announcement, day)
    return policy.may_on_row(by, policy.PUBLISH, announcement, day)


def submission_refusals(announcement: Announcement, by: Account, now: datetime) -> Refusals:
    if announcement.state != AnnouncementState.DRAFT:
        yield ValidationError(_("Only a draft is submitted."))
    yield from unreadable_refusals(announcement)


def comment_refusals(announcement: Announcement, by: Account, now: datetime) -> Refusals:
    yield from ()


def sending_back_refusals(announcement: Announcement, by: Account, now: datetime) -> Refusals:
    if announcement.state not in (AnnouncementState.IN_REVIEW, AnnouncementState.APPROVED):
        yield ValidationError(_("It is not in review."))


def approval_refusals(announcement: Announcement, by: Account, now: datetime) -> Refusals:
    if announcement.state not in (AnnouncementState.DRAFT, AnnouncementState.IN_REVIEW):
        yield ValidationError(_("It waits for no approval."))
    yield from own_team_refusals(announcement, by)
    yield from unreadable_refusals(announcement)


def publication_refusals(announcement: Announcement, by: Account, now: datetime) -> Refusals:
    if announcement.state not in UNPUBLISHED:
        yield ValidationError(_("It is not a draft: it was published before."))
    yield from own_team_refusals(announcement, by)
    yield from unreadable_refusals(announcement)
    is_approved = announcement.state == AnnouncementState.APPROVED
    if is_approved and announcement.approved_digest != content_digest(announcement):
        yield ValidationError(_("It was changed since it was approved: approve it once more."))


def withdrawal_refusals(announcement: Announcement, by: Account, now: datetime) -> Refusals:
    if not has_appeared(announcement, now):
        yield ValidationError(_("Only what has appeared is withdrawn."))


def archiving_refusals(announcement: Announcement, by: Account, now: datetime) -> Refusals:
    if announcement.state == AnnouncementState.ARCHIVED or not has_appeared(announcement, now):
        yield ValidationError(_("Only what is published is archived."))


def return_refusals(announcement: Announcement, by: Account, now: datetime) -> Refusals:
    if announcement.state in UNPUBLISHED:
        yield ValidationError(_("It is not published."))
    elif announcement.is_public(now):
        yield ValidationError(HIDDEN)


def has_appeared(announcement: Announcement, now: datetime) -> bool:
    return announcement.is_public(now) or announcement.state == AnnouncementState.ARCHIVED


def own_team_refusals(announcement: Announcement, by: Account) -> Refusals:
    # Whatever else the person may do: what a team writes somebody else publishes, also when it is
    # said afterwards that another one wrote it.
    teams = policy.teams_of(by)
    if announcement.history.filter(written_by__in=teams).exists():
        yield ValidationError(_("You are in the team that wrote it: somebody else publishes it."))


def unreadable_refusals(announcement: Announcement) -> Refusals:
    ready = list(announcement.texts.ready().values_list("language", flat=True))
    if not ready:
        yield ValidationError(_("No text is ready: mark one as ready first."))
    elif announcement.lacks_words(ready):
        yield ValidationError(WITHOUT_WORDS)


REFUSALS: dict[AnnouncementStep, Callable[[Announcement, Account, datetime], Refusals]] = {
    AnnouncementStep.SUBMIT: submission_refusals,
    AnnouncementStep.COMMENT: comment_refusals,
    AnnouncementStep.SEND_BACK: sending_back_refusals,
    AnnouncementStep.APPROVE: approval_refusals,
    AnnouncementStep.PUBLISH: publication_refusals,
    AnnouncementStep.WITHDRAW: withdrawal_refusals,
    AnnouncementStep.ARCHIVE: archiving_refusals,
    AnnouncementStep.RETURN: return_refusals,
}


def step_refusals(
    step: AnnouncementStep, announcement: Announcement, by: Account, now: datetime
) -> Refusals:
    if not may_take(by, step, announcement):
        yield ValidationError(_("This step is not yours to take."))
    yield from REFUSALS[step](announcement, by, now)


def why_not_taken(
    step: AnnouncementStep, announcement: Announcement, by: Account, now: datetime
) -> str:
    """Why the step is refused, in words; empty where it is not."""
    return first_words(step_refusals(step, announcement, by, now))


def steps_allowed(announcement: Announcement, by: Account, now: datetime) -> list[AnnouncementStep]:
    return [step for step in REFUSALS if not why_not_taken(step, announcement, by, now)]
