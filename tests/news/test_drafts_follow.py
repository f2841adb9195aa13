"""A draft that an award left follows its label, until somebody has touched it."""

from datetime import date

import pytest

from labels.life import steps as life
from labels.models import Decision, Label
from news.drafts.awards import draft_award
from news.models import Announcement, AnnouncementText
from tests.factories import DECIDED_AT, in_effect, make_account, make_announcement, make_label

pytestmark = pytest.mark.django_db


def drafted() -> tuple[Label, Announcement]:
    label = make_label(level="bronze", assessed_on="2015-07")
    announcement = draft_award(label, DECIDED_AT)
    assert announcement is not None
    return label, announcement


def correct(label: Label, **values: str) -> Decision:
    label = Label.objects.get(pk=label.pk)
    for name, value in values.items():
        setattr(label, name, value)
    step = life.correct(label, reason="Misread.", by=make_account(), now=DECIDED_AT)
    return in_effect(step)


def titles(announcement: Announcement) -> list[str]:
    return list(announcement.texts.order_by("language").values_list("title", flat=True))


def comments(announcement: Announcement) -> list[str]:
    return list(announcement.comments.values_list("text", flat=True))


def test_draft_that_nobody_touched_says_what_the_label_says_now() -> None:
    label, announcement = drafted()
    assert all("Bronze" in title for title in titles(announcement))

    correct(label, level_id="silver", areas_of_improvement="One\nTwo", benchmarked_on="2013")
    correct(label, assessed_on="2014-03")

    assert all("Silver" in title for title in titles(announcement))
    assert "March 2014" in announcement.texts.get(language="en").body
    assert "marzo 2014" in announcement.texts.get(language="it").body
    assert comments(announcement) == []


def test_proposal_changes_nothing_yet() -> None:
    label, announcement = drafted()
    label.level_id = "silver"

    life.correct(label, reason="Misread.", by=make_account(), now=DECIDED_AT)

    assert all("Bronze" in title for title in titles(announcement))


def test_what_somebody_wrote_stays_with_a_comment() -> None:
    label, announcement = drafted()
    text: AnnouncementText = announcement.texts.get(language="it")
    text.title = "Il titolo di qualcuno"
    text.save()

    correct(label, assessed_on="2014-03")

    assert "Il titolo di qualcuno" in titles(announcement)
    assert "July 2015" in announcement.texts.get(language="en").body
    (comment,) = comments(announcement)
    assert "A decision has changed the label since: correction." in comment
    assert "correzione" in comment


def test_draft_of_a_label_that_is_revoked_says_so() -> None:
    label, announcement = drafted()
    step = life.revoke(
        label, on=date(2016, 1, 1), reason="Merged.", by=make_account(), now=DECIDED_AT
    )

    in_effect(step)

    assert "revocation" in comments(announcement)[0]


@pytest.mark.parametrize(
    ("state", "told"), [("draft", 1), ("in_review", 1), ("approved", 1), ("published", 0)]
)
def test_who_writes_of_the_label_is_told_until_it_is_published(state: str, told: int) -> None:
    label = make_label(level="bronze", assessed_on="2015-07")
    announcement = make_announcement(labels=[label], title="Own words", state=state)

    correct(label, assessed_on="2014-03")

    assert titles(announcement) == ["Own words"]
    assert len(comments(announcement)) == told
