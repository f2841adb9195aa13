"""A full disk or a folder that cannot be written, under a running portal."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from tests.faults.sites import DEADLINE, Note, Site

pytestmark = pytest.mark.django_db

PATH = "/en/clusters/biopmed/"
NOT_STORED = "The portal could not store this file: its disk is full or cannot be written."


def picture() -> tuple[str, bytes]:
    """One that no format makes small."""
    file = BytesIO()
    Image.frombytes("RGB", (100, 100), os.urandom(3 * 100 * 100)).save(file, "PNG")
    return "noise.png", file.getvalue()


@contextmanager
def full(site: Site) -> Iterator[None]:
    site.media.fill()
    try:
        yield
    finally:
        site.media.empty()


@contextmanager
def read_only(site: Site) -> Iterator[None]:
    with site.media.read_only():
        yield


@contextmanager
def gone(site: Site) -> Iterator[None]:
    """A file stands where the folder was."""
    aside = site.media_folder.with_name("aside")
    site.media_folder.rename(aside)
    site.media_folder.touch()
    try:
        yield
    finally:
        site.media_folder.unlink()
        aside.rename(site.media_folder)


@pytest.mark.parametrize("fault", [full, read_only, gone])
def test_picture_is_refused_at_its_field_and_taken_afterwards(
    site: Site, fault: Callable[[Site], Any], note: Note
) -> None:
    if fault is not gone and not site.media.is_mounted:
        pytest.skip("Nothing may be mounted here.")
    assert site.save(site.opened_form(), logo=picture()).status == 302
    logo = site.logo()
    assert site.portal.get(logo).status == 200
    form = site.opened_form(town="Chieri")
    before, files = site.stored(), site.pictures()

    with fault(site):
        answer = site.save(form, logo=picture())
        page = site.portal.get(PATH)
        image = site.portal.get(logo)
        ready = site.portal.get("/readyz")

    note("editor", answer.seconds)
    note("visitor", page.seconds)
    assert answer.status == 200
    assert NOT_STORED in answer.text
    # What was typed stands in the form.
    assert "Chieri" in answer.text
    assert (page.status, page.seconds < DEADLINE) == (200, True)
    assert image.status == (404 if fault is gone else 200)
    assert b'"media_folder": "failed"' in ready.body
    assert site.stored() == before
    assert site.pictures() == files

    assert site.save(form, logo=picture()).status == 302
    assert site.town() == "Chieri"
    assert site.portal.get(site.logo()).status == 200
