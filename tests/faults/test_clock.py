"""A clock that is set forward or back under a running portal, and put right again."""

from datetime import timedelta

import pytest
from django.utils import timezone

from tests.factories import make_announcement
from tests.faults.sites import DEADLINE, Editor, Note, Site, form_in, using

pytestmark = pytest.mark.django_db

HOUR, DAY = 3600.0, 86400.0
NEWS = "/en/news/"
PATH = "/en/clusters/biopmed/"


def test_clock_that_was_ahead_leaves_no_page_of_the_future(site: Site, note: Note) -> None:
    title = "Announced for tomorrow"
    with using(site.address):
        made = make_announcement(title=title, published_at=timezone.now() + timedelta(hours=12))
    try:
        for path in (NEWS, "/en/"):
            assert title not in site.portal.get(path).text
        site.set_clock(DAY)
        for path in (NEWS, "/en/"):
            page = site.portal.get(path)
            assert (page.status, title in page.text) == (200, True)
        site.set_clock(0)
        for path in (NEWS, "/en/"):
            page = site.portal.get(path)
            assert (page.status, title in page.text, page.seconds < DEADLINE) == (200, False, True)
        note("visitor", page.seconds)
    finally:
        with using(site.address):
            made.delete()


def test_form_of_a_clock_that_was_ahead_can_be_sent(site: Site) -> None:
    """It comes back once with all that was typed, and is not too quick for a whole day."""
    path = f"{PATH}report/"
    visitor = Editor(site.portal)
    site.set_clock(DAY)
    form = visitor.form(path, "stamp") | {"text": "The town is Ivrea."}
    site.set_clock(0)

    first = visitor.send(path, form)
    again = form_in(first, "stamp")
    site.set_clock(5)
    second = visitor.send(path, again)

    assert (first.status, again["text"].strip()) == (400, "The town is Ivrea.")
    assert second.status == 302


@pytest.mark.parametrize("hours", [1, -1])
def test_clock_that_is_wrong_by_an_hour_keeps_no_editor_from_saving(
    site: Site, hours: int, note: Note
) -> None:
    form = site.opened_form(town=f"Susa {hours}")
    versions = site.versions()

    site.set_clock(hours * HOUR)
    answer = site.save(form)
    site.set_clock(0)
    again = site.save(site.opened_form(town="Susa"))

    note("editor", answer.seconds)
    assert (answer.status, again.status) == (302, 302)
    assert (site.town(), site.versions()) == ("Susa", versions + 2)


@pytest.mark.parametrize("days", [1, -1])
def test_clock_that_is_wrong_by_a_day_asks_the_editor_to_sign_in(
    site: Site, days: int, note: Note
) -> None:
    """Sessions end after hours, and one that began in the future has no age to go by."""
    form = site.opened_form(town="Oulx")
    before = site.stored()

    site.set_clock(days * DAY)
    answer = site.save(form)

    # The form comes back as it was typed.
    assert (answer.status, "Oulx" in answer.text) == (401, True)
    assert site.stored() == before
    assert site.editor.sign_in().status == 302
    assert site.save(site.opened_form(town="Oulx")).status == 302
    # Signed in by the wrong clock, and asked again by the right one.
    site.set_clock(0)
    assert site.editor.get(site.form_path).status == 302
    assert site.editor.sign_in().status == 302
    assert site.save(site.opened_form(town="Bardonecchia")).status == 302
    assert site.town() == "Bardonecchia"
