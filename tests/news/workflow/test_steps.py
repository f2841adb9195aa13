from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from clusters.models import Account, Event, Mail, Role
from news.models import Announcement, AnnouncementState
from news.workflow import steps
from news.workflow.content import content_digest
from news.workflow.refusals import AnnouncementStep, steps_allowed
from news.workflow.steps import TAKE, take_as_read, take_together
from tests.factories import (
    MOMENT,
    make_account,
    make_announcement,
    make_announcement_text,
    make_attachment,
    make_cluster,
    make_picture,
    make_team_member,
    make_topic,
)

pytestmark = pytest.mark.django_db

NOW = MOMENT + timedelta(days=1)
SECOND = timedelta(seconds=1)
GIVEN: dict[AnnouncementStep, dict[str, str]] = {
    AnnouncementStep.COMMENT: {"text": "Name the town."},
    AnnouncementStep.SEND_BACK: {"text": "Name the town."},
    AnnouncementStep.WITHDRAW: {"reason": "The label was not awarded."},
}
FIELDS: dict[str, dict[str, Any]] = {
    "withdrawn": {"withdrawn_at": MOMENT, "withdrawal_reason": "Wrong."},
    "archived": {"archived_at": MOMENT},
    "scheduled": {"state": "published", "published_at": NOW + SECOND},
}


@pytest.fixture
def editor() -> Account:
    return make_account(Role.EDITOR)


def in_state(state: str, **fields: Any) -> Announcement:
    announcement = make_announcement(**({"state": state} | FIELDS.get(state, {}) | fields))
    if state == "approved":
        Announcement.objects.update(approved_digest=content_digest(announcement))
    announcement.refresh_from_db()
    return announcement


def take(step: str, announcement: Announcement, by: Account, now: datetime = NOW) -> Announcement:
    named = AnnouncementStep(step)
    return TAKE[named](announcement, by=by, now=now, **GIVEN.get(named, {}))


@pytest.mark.parametrize(
    ("state", "leading_to"),
    [
        (
            "draft",
            {"submit": "in_review", "comment": "draft", "approve": "approved"}
            | {"publish": "published"},
        ),
        (
            "in_review",
            {"comment": "in_review", "send_back": "draft", "approve": "approved"}
            | {"publish": "published"},
        ),
        ("approved", {"comment": "approved", "send_back": "draft", "publish": "published"}),
        ("scheduled", {"comment": "published", "return": "draft"}),
        ("published", {"comment": "published", "withdraw": "withdrawn", "archive": "archived"}),
        ("withdrawn", {"comment": "withdrawn", "return": "draft"}),
        ("archived", {"comment": "archived", "withdraw": "withdrawn", "return": "draft"}),
    ],
)
def test_each_state_has_its_steps(state: str, leading_to: dict[str, str], editor: Account) -> None:
    assert steps_allowed(in_state(state), editor, NOW) == list(leading_to)

    for step in AnnouncementStep:
        announcement = in_state(state)
        if step in leading_to:
            assert take(step, announcement, editor).state == leading_to[step]
            assert Event.objects.latest("pk").detail.endswith(f"{announcement.public_id}: {step}")
        else:
            with pytest.raises(ValidationError):
                take(step, announcement, editor)
        announcement.refresh_from_db()
        announcement.full_clean()


def test_team_submits_and_comments_and_does_nothing_else() -> None:
    member = make_team_member()
    for state in ("draft", "in_review", "approved", "published"):
        announcement = in_state(state, written_by=member.organisation)
        allowed = ["submit", "comment"] if state == "draft" else ["comment"]
        assert steps_allowed(announcement, member.account, NOW) == allowed
    assert steps_allowed(in_state("draft"), member.account, NOW) == []


@pytest.mark.parametrize("role", [Role.EDITOR, Role.LEAD, None], ids=str)
def test_who_is_in_the_team_never_publishes(role: Role | None) -> None:
    person = make_account(*filter(None, [role]), is_superuser=role is None)
    team = make_team_member(account=person).organisation

    for state in ("draft", "in_review", "approved"):
        announcement = in_state(state, written_by=team)
        with pytest.raises(ValidationError, match="You are in the team that wrote it"):
            take("publish", announcement, person)
        assert not {"approve", "publish"} & {*steps_allowed(announcement, person, NOW)}
        # To say that somebody else wrote it is no way round.
        announcement.written_by = None
        announcement.save()
        with pytest.raises(ValidationError, match="You are in the team that wrote it"):
            take("publish", announcement, person)


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.EXPERT])
def test_who_may_not_publish_takes_no_step(role: Role) -> None:
    assert steps_allowed(in_state("in_review"), make_account(role), NOW) == []
    with pytest.raises(ValidationError, match="This step is not yours to take"):
        take("approve", in_state("in_review"), make_account(role))


def add_topic(announcement: Announcement) -> None:
    announcement.topics.add(make_topic())


def move_event(announcement: Announcement) -> None:
    announcement.kind, announcement.begins_at = "event", MOMENT
    announcement.save()


CHANGES: list[Callable[[Announcement], object]] = [
    lambda one: one.texts.update(title="Other"),
    lambda one: make_picture(one),
    lambda one: make_attachment(one),
    lambda one: make_announcement_text(one, language="it"),
    lambda one: one.clusters.add(make_cluster()),
    add_topic,
    move_event,
]


@pytest.mark.parametrize("change", CHANGES)
def test_approval_is_of_what_was_read(
    change: Callable[[Announcement], object], editor: Account
) -> None:
    announcement = take("approve", in_state("in_review"), editor)
    change(announcement)

    with pytest.raises(ValidationError, match="It was changed since it was approved"):
        take("publish", announcement, editor)
    assert steps.review_again_if_changed(announcement, editor)
    announcement.refresh_from_db()
    assert (announcement.state, announcement.approved_digest) == ("in_review", "")


def test_what_was_approved_is_published(editor: Account) -> None:
    announcement = take("approve", in_state("draft", published_at=None), editor)
    assert not steps.review_again_if_changed(announcement, editor)

    assert take("publish", announcement, editor).published_at == NOW


def test_publication_ahead_is_scheduled(editor: Account) -> None:
    announcement = steps.publish(in_state("draft"), by=editor, now=NOW, at=NOW + timedelta(hours=1))

    assert announcement.is_scheduled(NOW)
    assert list(Announcement.objects.scheduled(NOW)) == [announcement]


def test_step_is_taken_with_what_was_read(editor: Account) -> None:
    announcement = in_state("draft")
    seen = content_digest(announcement)
    announcement.texts.update(body="Something else.")

    with pytest.raises(ValidationError, match="Somebody changed it since"):
        take_as_read(AnnouncementStep.PUBLISH, announcement, seen=seen, by=editor, now=NOW)


def test_text_that_does_not_say_what_the_picture_shows_is_not_published(editor: Account) -> None:
    draft = in_state("draft")
    make_picture(draft, alt_en="")
    with pytest.raises(ValidationError, match="what every picture shows"):
        take("publish", draft, editor)


def test_several_take_a_step_together_or_not_at_all(editor: Account) -> None:
    rows = [in_state("published"), in_state("scheduled")]
    step, reason = AnnouncementStep.WITHDRAW, "Wrong."

    with pytest.raises(ValidationError) as refused:
        take_together(step, rows, by=editor, now=NOW, reason=reason)
    assert refused.value.messages == [f"{rows[1]}: Only what has appeared is withdrawn."]
    assert not Announcement.objects.filter(state="withdrawn").exists()

    take_together(step, rows, by=editor, now=NOW + SECOND, reason=reason)
    assert Announcement.objects.filter(state="withdrawn").count() == 2


@pytest.mark.parametrize("state", sorted({*AnnouncementState} - {"draft"}))
def test_state_is_changed_by_steps_only(state: str) -> None:
    announcement = in_state("draft")
    announcement.state = state
    for name, value in FIELDS.get(state, {}).items():
        setattr(announcement, name, value)

    with pytest.raises(ValidationError, match="changed by its steps only"):
        announcement.save()


def test_reviewers_are_told_in_their_language(editor: Account) -> None:
    member = make_team_member()
    reviewer = make_account(Role.LEAD, language="it")
    draft = in_state("draft", written_by=member.organisation, title="Gold")

    take("submit", draft, member.account)

    assert {(mail.to, mail.language) for mail in Mail.objects.all()} == {
        (editor.email, "en"),
        (reviewer.email, "it"),
    }


def test_named_reviewer_is_told_alone_and_the_team_gets_the_answer(editor: Account) -> None:
    member = make_team_member()
    reviewer = make_account(Role.EDITOR)
    draft = in_state("draft", written_by=member.organisation, title="Gold")

    steps.submit(draft, by=member.account, now=NOW, reviewer=reviewer)
    assert [mail.to for mail in Mail.objects.all()] == [reviewer.email]

    take("send_back", draft, reviewer)
    answer = Mail.objects.get(to=member.account.email)
    assert answer.subject == "Gold: draft"
    assert "Name the town." in answer.text
    assert reviewer.email not in answer.text
