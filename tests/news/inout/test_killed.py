"""An import that is killed at any point leaves whole announcements, and a second run the rest."""

from pathlib import Path

import pytest

from news.inout import writer
from news.models import Announcement, AnnouncementText
from tests.labels.killed import run_and_be_killed
from tests.news.inout.run import take

pytestmark = pytest.mark.django_db(transaction=True)

POINTS = [
    pytest.param("after-insert news_announcement", 1, 0, id="announcements without their texts"),
    pytest.param("after-insert news_announcementtext", 1, 0, id="texts without their versions"),
    pytest.param("before-commit", 1, 0, id="before the first chunk is stored"),
    pytest.param("after-commit", 1, 2, id="between two chunks"),
    pytest.param("after-insert news_announcementtext", 2, 2, id="texts of the second chunk"),
    pytest.param("after-commit", 3, 5, id="after the last chunk is stored"),
]


@pytest.mark.parametrize(("event", "number", "there"), POINTS)
def test_killed_import_leaves_whole_announcements(
    event: str, number: int, there: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "CHUNK", 2)
    for place in range(5):
        front = f"title: T{place}\npublished_at: 2015-09-08T14:38:00Z\nlanguage: en"
        (tmp_path / f"{place}.md").write_text(f"---\n{front}\n---\n\nText.\n")

    run_and_be_killed(lambda: take(tmp_path), event, number)

    rows = (Announcement.objects, Announcement.history, AnnouncementText.objects,
            AnnouncementText.history)  # fmt: skip
    assert [table.count() for table in rows] == [there] * 4
    assert f"{5 - there} created, 0 updated, {there} unchanged" in take(tmp_path)
    assert [table.count() for table in rows] == [5] * 4
