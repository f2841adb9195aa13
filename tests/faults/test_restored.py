"""Another database under the running portal: an older backup, put in the place of today's."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.faults.processes import wait_until
from tests.faults.sites import DEADLINE, Note, Site, form_in

pytestmark = pytest.mark.django_db

PATH = "/en/clusters/biopmed/"
LIST = "/en/clusters/"


def restore_into_the_file(site: Site) -> None:
    """As `sqlite3 db.sqlite3 ".restore copy.sqlite3"` does, and it is the documented way."""
    with closing(sqlite3.connect(site.backup)) as copy, closing(sqlite3.connect(site.file)) as own:
        copy.backup(own)
    site.backup.unlink()


def replace_the_file(site: Site) -> None:
    for name in (f"{site.file}-wal", f"{site.file}-shm"):
        Path(name).unlink(missing_ok=True)
    site.backup.replace(site.file)


def replace_the_database(site: Site) -> None:
    assert site.postgres
    site.postgres.execute("DROP DATABASE site WITH (FORCE)")
    site.postgres.execute("ALTER DATABASE backup RENAME TO site")


@pytest.mark.parametrize("restore", [restore_into_the_file, replace_the_file, replace_the_database])
def test_restored_database_is_shown_and_written_at_once(
    site: Site, restore: Callable[[Site], None], note: Note
) -> None:
    if (restore is replace_the_database) != (site.engine == "postgresql"):
        pytest.skip("This is done to the other engine.")
    assert site.save(site.opened_form(town="Alessandria")).status == 302
    site.back_up()
    assert site.save(site.opened_form(town="Vercelli")).status == 302
    newest = site.opened_form(town="Verbania")
    for path in (PATH, LIST):
        assert "Vercelli" in site.portal.get(path).text

    restore(site)

    note("recovery", wait_until(lambda: "Alessandria" in site.portal.get(PATH).text, DEADLINE))
    assert "Alessandria" in site.portal.get(LIST).text
    for path in (PATH, LIST):
        assert "Vercelli" not in site.portal.get(path).text
    # The session began before the backup, so the editor stays signed in; the form shows a state
    # that is no more, is told so once, and keeps what was typed.
    late = site.save(newest)
    assert (late.status, site.town()) == (200, "Alessandria")
    assert "put back to an earlier state" in late.text
    assert site.save(form_in(late, "_versions")).status == 302
    assert site.town() == "Verbania"
    assert "Verbania" in site.portal.get(PATH).text
