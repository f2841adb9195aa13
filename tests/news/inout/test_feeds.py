"""Files as WordPress 6, Joomla 4 and Atom write them: what is taken, what is told."""

import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from news.models import Announcement, AnnouncementText
from tests.factories import make_topic
from tests.news.inout.run import SAMPLES, take
from tests.uploads import picture_bytes

pytestmark = pytest.mark.django_db


def stored() -> list[object]:
    texts = AnnouncementText.objects.order_by("pk").values()
    return [*Announcement.objects.order_by("pk").values(), *texts, AnnouncementText.history.count()]


def wordpress(folder: Path) -> Path:
    pictures = folder / "wp-content/uploads/2015/09"
    pictures.mkdir(parents=True)
    (pictures / "disc.png").write_bytes(picture_bytes())
    return Path(shutil.copy(SAMPLES / "wordpress.xml", folder))


def test_wordpress(tmp_path: Path) -> None:
    topic = make_topic(name_it="Premi")

    told = take(wordpress(tmp_path), credit="The cluster’s")

    first = Announcement.objects.get(source_key="https://old.example.org/?p=101")
    text = first.texts.get()
    assert first.state == "published"
    assert first.published_at == datetime(2015, 9, 8, 12, 38, tzinfo=UTC)
    assert (text.language, text.title, text.slug) == (
        "it",
        "Etichetta d’oro & festa",
        "etichetta-doro",
    )
    assert text.lead == "Il primo oro della regione."
    assert text.body == (
        "Il cluster ha **ricevuto** l’etichetta. [Chi siamo](https://old.example.org/chi-siamo/)\n\n"
        "- primo punto\n- secondo punto"
    )
    assert [*first.topics.all()] == [topic]
    picture = first.pictures.get()
    assert (picture.alt_it, picture.credit_it, picture.width) == ("Un disco", "The cluster’s", 60)
    assert "topics that are not here are left out: Festa." in told
    second = AnnouncementText.objects.get(title="Vecchio editor")
    assert second.body == "Prima riga  \nseconda riga.\n\nUn altro paragrafo."
    assert second.slug == "vecchio-editor"
    assert "“etichetta-doro” is that of another; it gets “vecchio-editor”" in told
    assert "wordpress.xml, line 78 (https://old.example.org/?page_id=2): not taken: only " in told
    assert "(https://old.example.org/?p=77): not taken: only what is published" in told
    assert "2 created, 0 updated, 0 unchanged" in told
    assert told.endswith("error: Not taken: 2; each is told above.\n")


def test_every_version_says_that_it_was_imported(tmp_path: Path) -> None:
    make_topic(name_it="Premi")
    take(wordpress(tmp_path), credit="Ours")

    version = Announcement.history.get(source_key="https://old.example.org/?p=101")
    models = (Announcement.history, AnnouncementText.history)
    assert {row.history_change_reason for rows in models for row in rows.all()} == {"import"}
    assert version.topics.count() == 1


def test_picture_without_credit_makes_a_draft(tmp_path: Path) -> None:
    told = take(wordpress(tmp_path))

    assert Announcement.objects.get(source_key="https://old.example.org/?p=101").state == "draft"
    assert "taken as a draft: a picture lacks" in told


def test_second_run_changes_nothing(tmp_path: Path) -> None:
    path = wordpress(tmp_path)
    make_topic(name_it="Premi")
    take(path, credit="Ours")
    before = stored()

    told = take(path, credit="Ours")

    assert stored() == before
    assert "0 created, 0 updated, 2 unchanged" in told


def test_change_at_the_source_is_taken_until_it_was_edited_here(tmp_path: Path) -> None:
    path = wordpress(tmp_path)
    take(path)
    path.write_text(path.read_text().replace("Un altro paragrafo", "Un paragrafo nuovo"))

    assert "0 created, 1 updated, 1 unchanged" in take(path)
    text = AnnouncementText.objects.get(title="Vecchio editor")
    assert text.body.endswith("Un paragrafo nuovo.")

    text.lead = "Scritto qui."
    text.save()
    told = take(path)
    assert "0 updated, 1 unchanged, 1 edited here since" in told
    text.refresh_from_db()
    assert text.lead == "Scritto qui."


def test_dry_run_tells_the_same_and_writes_nothing(tmp_path: Path) -> None:
    path = wordpress(tmp_path)

    dry = take(path, dry_run=True)

    assert not Announcement.objects.exists()
    assert not Announcement.history.exists()
    assert take(path).splitlines()[:-2] == dry.splitlines()[:-2]
    assert "Nothing was written." in dry


def written_down(queries: list[str]) -> Callable[..., Any]:
    # The command forgets Django’s own list of them.
    def write_down(execute: Any, sql: str, *args: Any) -> Any:
        queries.append(sql)
        return execute(sql, *args)

    return write_down


@pytest.mark.parametrize("is_first", [True, False])
def test_many_cost_no_more_queries_than_few(is_first: bool, tmp_path: Path) -> None:
    make_topic(name_it="Premi")
    counts = []
    for number in (2, 20):
        Announcement.objects.all().delete()
        path = tmp_path / "feed.xml"
        items = "".join(
            f"<item><title>T{number} {n}</title><guid>urn:{number}:{n}</guid>"
            "<category>Premi</category>"
            "<pubDate>Mon, 07 Mar 2016 09:30:00 +0100</pubDate><description>a</description></item>"
            for n in range(number)
        )
        path.write_text(f"<rss><channel><language>it</language>{items}</channel></rss>")
        if not is_first:
            take(path)
        queries: list[str] = []
        with connection.execute_wrapper(written_down(queries)):
            told = take(path)
        assert f"{number} {'created' if is_first else 'unchanged'}" in told
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_joomla() -> None:
    told = take(SAMPLES / "joomla.xml")

    text = AnnouncementText.objects.get()
    assert (text.language, text.slug) == ("en", "12-a-silver-label")
    assert text.body == (
        "The cluster got a *label*; [about us](https://joomla.example.org/en/news/en/about)."
    )
    assert text.announcement.published_at == datetime(2016, 3, 7, 8, 30, tzinfo=UTC)
    assert "joomla.xml, line 21 (https://joomla.example.org/en/news/13-without-a-day): " in told
    assert "not taken: it has no date" in told


def test_atom() -> None:
    take(SAMPLES / "atom.xml")

    first, second = AnnouncementText.objects.order_by("announcement__published_at")
    assert (first.language, first.title, first.slug) == ("it", "Un bando", "un-bando")
    assert first.lead == "In breve."
    assert first.body == "Testo *vero*, [altro](https://atom.example.org/altro)."
    assert (second.language, second.body) == ("en", "Fish & chips \\<here>")


def test_page_stands_at_the_address_of_the_source(client: Client) -> None:
    take(SAMPLES / "joomla.xml")

    assert client.get("/en/news/2016/12-a-silver-label/").status_code == 200


def test_old_addresses_for_the_server_in_front(tmp_path: Path) -> None:
    path, redirects = wordpress(tmp_path), tmp_path / "redirects"
    path.write_text(path.read_text().replace("/2012/03/01/vecchio-editor/", "/a;b{}/"))

    take(path, redirects=redirects, credit="Ours")

    line = "/2015/09/08/etichetta-doro/ /it/news/2015/etichetta-doro/;\n"
    assert redirects.read_text() == line
    assert "cannot be made: File exists." in take(path, redirects=redirects)
    again = tmp_path / "again"
    take(path, redirects=again)
    assert again.read_text() == line
