"""Exported, imported into an empty table and exported again: the same, byte by byte."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.management import CommandError
from django.test import Client
from django.utils import timezone

from clusters.dates import PartialDate
from clusters.models.images import reencode
from labels.models import Statement
from news.models import Announcement, AnnouncementText, Attachment, Picture
from tests.factories import (
    MOMENT,
    make_announcement,
    make_announcement_text,
    make_attachment,
    make_cluster,
    make_correction,
    make_label,
    make_organisation,
    make_picture,
    make_programme,
    make_topic,
)
from tests.news.inout.run import contents, give, take
from tests.uploads import pdf_bytes, picture_upload

pytestmark = pytest.mark.django_db


def make_world() -> None:
    cluster, organisation = make_cluster(), make_organisation()
    statement = Statement.objects.create(
        as_of_on=PartialDate(2015), definition_en="Labels", definition_it="Etichette", count=3,
        source="A report",
    )  # fmt: skip
    announcement = make_announcement(
        kind="event", begins_at=MOMENT, ends_at=MOMENT + timedelta(hours=2), place="Turin",
        address="Via Roma 1", contact_organisation=organisation, written_by=organisation,
        title="A title: “with” #signs", lead="Two lines\r\nof a lead.\n\n- no list",
        body="---\nA *body*.\r\n\r\n---\n\n- one\n- two  \nthree\n\n    code", box_title="Yes",
        box="> null", contact_role="Press", slug="a-title", clusters=[cluster],
        organisations=[organisation], labels=[make_label()], programmes=[make_programme()],
        topics=[make_topic(), make_topic()], statements=[statement],
    )  # fmt: skip
    make_announcement_text(announcement, language="it", slug="un-titolo", title="2015-09-08")
    text = announcement.texts.get(language="it")
    text.slug = "un-altro-titolo"
    text.save()
    make_correction(announcement)
    image: Any = reencode(picture_upload(), longest_side=100)
    file: Any = ContentFile(pdf_bytes(), name="a.pdf")
    make_picture(announcement, image=image, focus_x=0, focus_y=100)
    make_attachment(announcement, file=file)
    make_announcement(state="archived", archived_at=MOMENT + timedelta(days=9), kind="call",
                      deadline_at=MOMENT)  # fmt: skip
    make_announcement(state="withdrawn", withdrawn_at=MOMENT, withdrawal_reason="It was wrong.")
    draft = make_announcement(state="draft", published_at=None)
    draft.texts.update(state="draft")


def said() -> list[Any]:
    rows = Announcement.objects.order_by("published_at", "public_id")
    names = [
        field.attname
        for field in Announcement._meta.concrete_fields
        if field.attname not in ("id", "reviewer_id")
    ]
    texts = AnnouncementText.objects.order_by("announcement__public_id", "language")
    return [*rows.values(*names), *texts.values_list("announcement__public_id", "title", "lead",
                                                    "body", "box", "slug", "state")]  # fmt: skip


def empty() -> None:
    for model in (Picture, Attachment, Announcement):
        model.objects.all().delete()
        model.history.all().delete()
    AnnouncementText.history.all().delete()


def test_round_trip(tmp_path: Path, client: Client) -> None:
    make_world()
    before = said()
    give(tmp_path / "first", everything=True)
    empty()

    told = take(tmp_path / "first")

    [line] = told.splitlines()
    assert line.startswith("4 created, 0 updated")
    give(tmp_path / "second", everything=True)
    first, second = contents(tmp_path / "first"), contents(tmp_path / "second")
    assert len(first) == 7
    assert second == first
    assert said() == before
    moved = client.get("/it/news/2015/un-titolo/")
    assert moved.headers["Location"] == "/it/news/2015/un-altro-titolo/"


def test_import_of_what_is_there_changes_nothing(tmp_path: Path) -> None:
    make_world()
    give(tmp_path, everything=True)
    before = Announcement.history.count(), AnnouncementText.history.count()

    told = take(tmp_path)

    assert told.startswith("0 created, 0 updated, 4 unchanged, 0 edited")
    assert (Announcement.history.count(), AnnouncementText.history.count()) == before


def test_only_what_is_public_is_written(tmp_path: Path) -> None:
    make_announcement(state="draft", title="Secret")
    make_announcement(state="withdrawn", withdrawn_at=MOMENT, withdrawal_reason="Wrong.")
    make_announcement(published_at=timezone.now() + timedelta(days=1), title="Secret")
    hidden, team = make_cluster(is_published=False), make_organisation(is_published=False)
    public = make_announcement(clusters=[hidden], written_by=team, contact_organisation=team)
    make_announcement_text(public, language="it", state="draft", title="Secret")

    give(tmp_path)

    [(name, content)] = contents(tmp_path).items()
    assert name == f"2015-09-08-{public.public_id}/en.md"
    for secret in ("Secret", hidden.public_id, team.public_id):
        assert secret not in content.decode()


def test_folder_that_is_not_empty_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("kept")

    with pytest.raises(CommandError, match="is not empty"):
        give(tmp_path)

    assert contents(tmp_path) == {"a": b"kept"}


def test_file_that_is_gone_is_told(tmp_path: Path) -> None:
    make_picture(make_announcement())

    assert "the file of picture-1.png is not there." in give(tmp_path)
    assert "0 not taken" in take(tmp_path)
