from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.utils import translation

from clusters.dates import PartialDate
from clusters.models import Organisation
from news.models import Announcement, AnnouncementText
from news.queries import archive_of, labels_then_and_today, latest
from tests.factories import (
    MOMENT,
    make_announcement,
    make_announcement_text,
    make_cluster,
    make_correction,
    make_label,
    make_organisation,
)

pytestmark = pytest.mark.django_db

LATER = MOMENT + timedelta(days=1)
SECOND = timedelta(seconds=1)
ROME = ZoneInfo("Europe/Rome")


@pytest.mark.parametrize(
    ("now", "is_shown"),
    [
        pytest.param(MOMENT - SECOND, False, id="a second before"),
        pytest.param(MOMENT, True, id="at the moment"),
        pytest.param(LATER, True, id="later"),
    ],
)
def test_announcement_is_published_from_its_moment_on(now: datetime, is_shown: bool) -> None:
    make_announcement()

    assert Announcement.objects.published(now).exists() is is_shown


def test_draft_is_not_published() -> None:
    make_announcement(state="draft")

    assert latest(LATER, 5) == []


def test_announcement_without_a_text_is_not_published() -> None:
    announcement = make_announcement()
    announcement.texts.all().delete()

    assert latest(LATER, 5) == []


def test_published_announcement_without_a_moment_is_refused() -> None:
    row = Announcement(state="published")

    with pytest.raises(ValidationError, match="Give the publication moment"):
        row.full_clean()
    with pytest.raises(IntegrityError):
        row.save()


EVENT = {"kind": "event", "begins_at": MOMENT}
CALL = {"kind": "call", "deadline_at": MOMENT}
WITHDRAWN = {"state": "withdrawn", "withdrawn_at": MOMENT, "withdrawal_reason": "Wrong."}
ARCHIVED = {"state": "archived", "archived_at": MOMENT}


@pytest.mark.parametrize("fields", [EVENT | {"ends_at": MOMENT}, CALL, WITHDRAWN, ARCHIVED])
def test_announcement_has_what_its_kind_and_state_ask_for(fields: dict[str, Any]) -> None:
    make_announcement(**fields).full_clean()


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"kind": "event"}, id="event without a begin"),
        pytest.param(EVENT | {"ends_at": MOMENT - SECOND}, id="event that ends before"),
        pytest.param(EVENT | {"deadline_at": MOMENT}, id="event with a deadline"),
        pytest.param({"kind": "call"}, id="call without a deadline"),
        pytest.param(CALL | {"begins_at": MOMENT}, id="call that begins"),
        pytest.param(CALL | {"place": "Torino"}, id="call with a place"),
        pytest.param({"begins_at": MOMENT}, id="news that begins"),
        pytest.param({"deadline_at": MOMENT}, id="news with a deadline"),
        pytest.param(WITHDRAWN | {"withdrawn_at": None}, id="withdrawn without a moment"),
        pytest.param(WITHDRAWN | {"withdrawal_reason": ""}, id="withdrawn without a reason"),
        pytest.param(WITHDRAWN | {"published_at": None}, id="withdrawn and never published"),
        pytest.param(WITHDRAWN | {"state": "published"}, id="published and withdrawn"),
        pytest.param(ARCHIVED | {"archived_at": None}, id="archived without a moment"),
        pytest.param(ARCHIVED | {"state": "published"}, id="published and archived"),
    ],
)
def test_announcement_that_contradicts_itself_is_refused(fields: dict[str, Any]) -> None:
    row = Announcement(**{"state": "published", "published_at": MOMENT} | fields)

    with pytest.raises(ValidationError):
        row.full_clean()
    with pytest.raises(IntegrityError):
        row.save()


@pytest.mark.parametrize(
    ("fields", "lists"),
    [
        ({}, {"published", "readable"}),
        (ARCHIVED, {"readable"}),
        (WITHDRAWN, {"withdrawn"}),
        *(({"state": state}, {"unpublished"}) for state in ("draft", "in_review", "approved")),
        ({"published_at": LATER + SECOND}, {"scheduled"}),
        (ARCHIVED | {"published_at": LATER + SECOND}, set()),
    ],
)
def test_announcement_is_found_by_its_state(fields: dict[str, Any], lists: set[str]) -> None:
    make_announcement(**fields)

    found = {
        name
        for name in ("published", "readable", "withdrawn", "scheduled")
        if getattr(Announcement.objects, name)(LATER).exists()
    }
    found |= {"unpublished"} if Announcement.objects.unpublished().exists() else set()
    assert found == lists


def test_only_a_text_that_is_ready_is_public() -> None:
    announcement = make_announcement(title="Gold")
    make_announcement_text(announcement, language="it", title="Oro", slug="oro", state="draft")

    with translation.override("it"):
        (found,) = latest(LATER, 5)
        assert [text.title for text in found.texts.all()] == ["Gold"]
        assert str(Announcement.objects.get()) == "Gold"
    assert not Announcement.objects.at_address("oro", 2015).exists()
    assert not Announcement.objects.formerly_at("oro", 2015).exists()
    assert Announcement.objects.missing_a_language().exists()

    announcement.texts.update(state="draft")
    assert latest(LATER, 5) == []


def test_second_text_in_a_language_is_refused() -> None:
    row = AnnouncementText(
        announcement=make_announcement(), language="en", title="x", slug="x", body="x"
    )

    with pytest.raises(ValidationError, match="There is a text in this language already"):
        row.full_clean()
    with pytest.raises(IntegrityError):
        row.save()


def test_address_of_another_announcement_is_refused() -> None:
    make_announcement(slug="gold")
    row = AnnouncementText(
        announcement=make_announcement(language="it"),
        language="en",
        title="x",
        slug="gold",
        body="x",
    )

    with pytest.raises(ValidationError, match="Another announcement has this address"):
        row.full_clean()
    with pytest.raises(IntegrityError):
        row.save()


def test_same_address_in_another_language_is_allowed() -> None:
    announcement = make_announcement(slug="gold")

    make_announcement_text(announcement, language="it", slug="gold")

    assert announcement.texts.count() == 2


@pytest.mark.parametrize(
    ("moment", "year"),
    [
        pytest.param(datetime(2015, 12, 31, 23, 59, tzinfo=ROME), 2015, id="last minute"),
        pytest.param(datetime(2016, 1, 1, 0, 0, tzinfo=ROME), 2016, id="still 2015 in Greenwich"),
    ],
)
def test_announcement_belongs_to_the_year_in_the_portals_zone(moment: datetime, year: int) -> None:
    announcement = make_announcement(published_at=moment, slug="gold")

    assert announcement.get_absolute_url() == f"/en/news/{year}/gold/"
    archive = archive_of(PartialDate(year), moment)
    assert archive is not None
    assert list(archive.announcements) == [announcement.pk]
    assert list(Announcement.objects.of_year(year)) == [announcement]


def test_announcement_text_is_in_the_active_language_else_in_the_other() -> None:
    announcement = make_announcement(title="Gold")
    with translation.override("it"):
        assert str(announcement) == "Gold"

    make_announcement_text(announcement, language="it", title="Oro")

    with translation.override("it"):
        assert str(announcement) == "Oro"


def test_latest_come_first() -> None:
    early, late = make_announcement(), make_announcement(published_at=LATER)
    make_announcement(published_at=LATER + SECOND)

    assert latest(LATER, 5) == [late, early]
    assert latest(LATER, 1) == [late]


def test_announcements_of_a_cluster_an_organisation_a_label() -> None:
    cluster, organisation, label = make_cluster(), make_organisation(), make_label()
    announcement = make_announcement(
        clusters=[cluster], organisations=[organisation], labels=[label]
    )
    make_announcement()

    assert latest(LATER, 5, clusters=cluster) == [announcement]
    assert latest(LATER, 5, organisations=organisation) == [announcement]
    assert latest(LATER, 5, labels=label) == [announcement]


def test_labels_then_and_today_leave_out_unpublished_ones() -> None:
    label = make_label()
    announcement = make_announcement(labels=[label, make_label(is_published=False)])

    (row,) = labels_then_and_today(announcement, MOMENT.date() + timedelta(days=3 * 365))

    assert (row.label, row.then, row.today) == (label, "valid", "expired")


def test_with_changes_knows_the_last_edit_of_a_text() -> None:
    announcement = make_announcement()
    text = announcement.texts.get()
    assert Announcement.objects.with_changes().get().changed_at is None

    text.title = "Better"
    text.save()

    assert Announcement.objects.with_changes().get().changed_at == (
        AnnouncementText.history.filter(history_type="~").get().history_date
    )


def test_with_changes_knows_the_last_correction() -> None:
    announcement = make_announcement()
    make_correction(announcement)
    last = make_correction(announcement, corrected_at=MOMENT + timedelta(days=2))

    assert Announcement.objects.with_changes().get().corrected_at == last.corrected_at


def test_organisation_of_the_contact_cannot_be_deleted() -> None:
    organisation = make_organisation()
    make_announcement(contact_organisation=organisation)

    with pytest.raises(IntegrityError):
        Organisation.objects.filter(pk=organisation.pk).delete()
