"""Files go when no row needs them, and no version that somebody may restore."""

import os
from collections.abc import Callable, Iterator
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.utils import timezone

from config.privacy.pictures import MINIMUM_AGE
from config.privacy.retention import purge
from tests.factories import (
    make_account,
    make_announcement,
    make_attachment,
    make_cluster,
    make_picture,
)

pytestmark = pytest.mark.django_db

Stored = Callable[..., str]
NOW = timezone.now()


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def stored() -> Iterator[Stored]:
    """An old file of this name, unless told otherwise; what is left is taken away."""
    names = []

    def store(name: str, age: timedelta = 2 * MINIMUM_AGE) -> str:
        names.append(default_storage.save(name, ContentFile(b"x")))
        moment = (NOW - age).timestamp()
        os.utime(default_storage.path(names[-1]), (moment, moment))
        return names[-1]

    yield store
    for name in names:
        default_storage.delete(name)


@pytest.fixture
def purged(django_capture_on_commit_callbacks: Callable[..., Any]) -> Callable[..., int]:
    def run(**options: Any) -> int:
        with django_capture_on_commit_callbacks(execute=not options.get("dry_run")):
            return purge(now=NOW, **options)["pictures"]

    return run


def test_picture_stays_while_a_row_names_it(stored: Stored, purged: Callable[..., int]) -> None:
    announcement = make_announcement()
    make_picture(announcement, image="announcements/a.png")
    make_attachment(announcement, file="attachments/a.pdf")
    names = [
        stored("logos/a.png"),
        stored("announcements/a.png"),
        stored("announcements/a.png.480.avif"),
        stored("attachments/a.pdf"),
    ]
    make_cluster(logo=names[0], is_published=False)

    assert purged() == 0
    assert all(map(default_storage.exists, names))


def test_deleted_file_of_an_announcement_stays_as_long_as_that(
    stored: Stored, purged: Callable[..., int]
) -> None:
    """It comes back with an earlier version of the announcement; with that go its copies, too."""
    announcement = make_announcement(state="draft")
    make_picture(announcement, image="announcements/a.png").delete()
    make_attachment(announcement, file="attachments/a.pdf").delete()
    names = [f"announcements/{name}" for name in ("a.png", "a.png.480.avif", "a.png.card.webp")]
    names.append("attachments/a.pdf")
    for name in names:
        stored(name)
    assert purged() == 0

    announcement.delete()

    assert purged() == 4
    assert not any(map(default_storage.exists, names))


def test_copy_without_its_picture_goes(stored: Stored, purged: Callable[..., int]) -> None:
    stored("announcements/a.png.960.webp")
    make_picture(make_announcement(), image="announcements/b.png")

    assert purged() == 1


def test_replaced_picture_stays_while_it_can_be_restored(
    stored: Stored, purged: Callable[..., int]
) -> None:
    old, new = stored("logos/old.png"), stored("logos/new.png")
    cluster = make_cluster(logo=old)
    cluster.logo = new
    cluster.save()
    assert purged() == 0

    # Nobody restores a version of what was deleted.
    cluster.delete()

    assert purged() == 2
    assert not default_storage.exists(old)
    assert not default_storage.exists(new)


def test_picture_that_nothing_names_goes_after_an_hour(
    stored: Stored, purged: Callable[..., int]
) -> None:
    old = stored("logos/old.png", MINIMUM_AGE)
    young = stored("logos/young.png", MINIMUM_AGE - timedelta(minutes=1))

    assert purged() == 1
    assert (default_storage.exists(old), default_storage.exists(young)) == (False, True)


def test_dry_run_tells_and_removes_nothing(stored: Stored, purged: Callable[..., int]) -> None:
    name = stored("announcements/a.png")

    assert purged(dry_run=True) == 1
    assert default_storage.exists(name)


def test_erasing_removes_what_nothing_names(
    stored: Stored, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    name = stored("logos/a.png")
    account = make_account()

    with django_capture_on_commit_callbacks(execute=True):
        call_command("gdpr_erase", account.email, stdout=StringIO())
    assert default_storage.exists(name)
    with django_capture_on_commit_callbacks(execute=True):
        call_command("gdpr_erase", account.email, "--yes", stdout=StringIO())
    assert not default_storage.exists(name)
