"""What an editor, and a visitor meanwhile, gets of each fault of the database, on either engine.

A save is refused in words within a deadline, or it is stored: never the half of it. What was
refused is taken when the same form is sent again, as by reloading the page.
"""

import json
import signal
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from secrets import token_hex
from threading import Event, Thread
from typing import Any

import psycopg
import pytest

from tests.faults.processes import Answer, send, wait_until
from tests.faults.sites import DEADLINE, Editor, Note, Site, is_refused

pytestmark = pytest.mark.django_db

PATH = "/en/clusters/biopmed/"
AS_OF = "The database does not answer right now. This page shows the register as of "

# Faults that end


@contextmanager
def killed(site: Site) -> Iterator[None]:
    assert site.postgres
    site.postgres.crash()
    try:
        yield
    finally:
        site.postgres.restart()


@contextmanager
def stopped(site: Site) -> Iterator[None]:
    assert site.postgres
    site.postgres.hang()
    try:
        yield
    finally:
        site.postgres.go_on()


@contextmanager
def locked(site: Site) -> Iterator[None]:
    """Another program writes, and does not come to an end."""
    with writing(site):
        yield


@contextmanager
def writing(site: Site) -> Iterator[None]:
    # What it wrote is taken back when its connection closes.
    if site.postgres:
        with psycopg.connect(site.address) as other:
            other.execute("LOCK TABLE clusters_cluster IN EXCLUSIVE MODE")
            yield
    else:
        with closing(sqlite3.connect(site.file, isolation_level=None)) as own:
            own.execute("BEGIN IMMEDIATE")
            yield


@contextmanager
def read_only(site: Site) -> Iterator[None]:
    """As a standby that took over, or a disk that the system no longer trusts."""
    if not site.postgres:
        with site.disk.read_only():
            yield
        return
    site.postgres.execute("ALTER DATABASE site SET default_transaction_read_only = on")
    site.end_connections()
    try:
        yield
    finally:
        site.postgres.execute("ALTER DATABASE site RESET default_transaction_read_only")
        site.end_connections()


@dataclass(frozen=True)
class Fault:
    begin: Callable[[Site], Any]
    is_away: bool  # visitors get the page that was kept, as of when it was
    engines: tuple[str, ...] = ("postgresql",)


FAULTS = {
    "killed": Fault(killed, True),
    "stopped": Fault(stopped, True),
    "locked": Fault(locked, False, ("sqlite", "postgresql")),
    "read-only": Fault(read_only, False, ("sqlite", "postgresql")),
}


@pytest.mark.parametrize("name", FAULTS)
def test_save_is_refused_as_a_whole_and_taken_when_it_is_sent_again(
    site: Site, name: str, note: Note
) -> None:
    fault = FAULTS[name]
    if site.engine not in fault.engines:
        pytest.skip("SQLite is a file: there is no server to do this to.")
    if name == "read-only" and not site.disk.is_mounted:
        pytest.skip("Nothing may be mounted here.")
    town = f"Ivrea, {name}"
    form = site.opened_form(town=town)
    assert site.portal.get(PATH).status == 200
    before = site.stored()

    with fault.begin(site):
        answer = site.save(form)
        page = site.portal.get(PATH)

    assert is_refused(answer)
    assert "What was saved before is safe." in answer.text
    assert (page.status, page.seconds < DEADLINE) == (200, True)
    assert (AS_OF in page.text) == fault.is_away
    note("editor", answer.seconds)
    note("visitor", page.seconds)
    note("recovery", site.recover())
    assert site.stored() == before
    assert site.save(form).status == 302
    assert site.town() == town
    assert site.versions() == before["clusters.HistoricalCluster"] + 1
    assert town in site.portal.get(PATH).text


def test_slow_database_is_waited_for(site: Site, note: Note) -> None:
    """No answer is lost, no page is that of an outage, and the save is stored once."""
    form = site.opened_form(town="Biella")
    versions = site.versions()

    with slow(site):
        page = site.portal.get("/en/search/?q=biopmed")
        answer = site.save(form)

    note("visitor", page.seconds)
    note("editor", answer.seconds)
    assert (page.status, answer.status) == (200, 302)
    assert (site.town(), site.versions()) == ("Biella", versions + 1)


@contextmanager
def slow(site: Site) -> Iterator[None]:
    """PostgreSQL works every third moment; another program writes to SQLite's file until the
    editor has waited for a second.
    """
    if site.postgres:
        is_over = Event()
        with in_a_thread(stop_and_go, site, is_over):
            try:
                yield
            finally:
                is_over.set()
    else:
        has_begun = Event()
        with in_a_thread(write_for_a_second, site, has_begun):
            has_begun.wait()
            yield


@contextmanager
def in_a_thread(call: Callable[..., None], *arguments: Any) -> Iterator[None]:
    thread = Thread(target=call, args=arguments)
    thread.start()
    try:
        yield
    finally:
        thread.join()


def stop_and_go(site: Site, is_over: Event) -> None:
    assert site.postgres
    while not is_over.is_set():
        site.postgres.hang()
        is_over.wait(0.1)
        site.postgres.go_on()
        is_over.wait(0.05)


def write_for_a_second(site: Site, has_begun: Event) -> None:
    with writing(site):
        has_begun.set()
        Event().wait(1)


def test_full_database_saves_all_or_nothing(site: Site, note: Note) -> None:
    if not site.disk.is_mounted:
        pytest.skip("Nothing may be mounted here.")
    form = site.opened_form(town="Asti")
    assert site.portal.get(PATH).status == 200

    site.disk.fill()
    refused = save_until_refused(site)

    note("editor", refused.seconds)
    assert is_refused(refused)
    page = site.portal.get("/en/search/?q=biopmed")
    assert (page.status, page.seconds < DEADLINE) == (200, True)
    note("visitor", page.seconds)

    site.disk.empty()
    note("recovery", site.recover())
    form = site.opened_form(town="Asti")
    assert site.save(form).status == 302
    assert site.town() == "Asti"


def save_until_refused(site: Site) -> Answer:
    """What room there is within the files that are there is used up first, by long texts."""
    for number in range(50):
        town, versions = site.town(), site.versions()
        typed = f"Alba {number}"
        form = site.opened_form(town=typed)
        text = next(name for name in form if name.endswith("-description"))
        answer = site.save(form | {text: token_hex(5_000)})
        if answer.status == 302:
            continue
        # A save whose message was not stored any more is told to look whether it was saved.
        stored = (site.town(), site.versions())
        assert stored in ((town, versions), (typed, versions + 1))
        return answer
    raise AssertionError("It is not full.")


# The process


def test_save_of_a_worker_that_is_killed_is_not_there_at_all(site: Site, note: Note) -> None:
    """In the midst of it: it waits for another program that writes."""
    form = site.opened_form(town="Cuneo")
    before = site.stored()
    [worker] = site.portal.workers()
    # granian gives up where a worker dies as soon as it was started.
    site.portal.wait_until_settled()

    with writing(site), ThreadPoolExecutor() as pool:
        answer = pool.submit(site.save, form)
        wait_for_the_save(site)
        send([worker], signal.SIGKILL)

    assert isinstance(answer.exception(), ConnectionError)
    note("recovery", site.recover())
    assert site.stored() == before
    assert site.save(form).status == 302
    assert (site.town(), site.versions()) == ("Cuneo", before["clusters.HistoricalCluster"] + 1)


def wait_for_the_save(site: Site) -> None:
    if site.postgres:
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        with psycopg.connect(site.address, autocommit=True) as other:
            wait_until(lambda: other.execute(waiting).fetchone() == (1,), what="the save")
    else:
        # Nothing tells of who waits for a file. Too early, the save has only not begun.
        Event().wait(1)


# The table of counters


def test_lost_table_of_counters_keeps_out_who_would_sign_in_and_nobody_else(
    site: Site, note: Note
) -> None:
    form = site.opened_form(town="Novara")
    site.execute("ALTER TABLE cache RENAME TO cache_gone")
    try:
        page = site.portal.get(PATH)
        stranger = Editor(site.portal).sign_in()
        answer = site.save(form)
        ready = site.portal.get("/readyz")
    finally:
        site.execute("ALTER TABLE cache_gone RENAME TO cache")

    note("visitor", page.seconds)
    note("editor", answer.seconds)
    assert (page.status, page.seconds < DEADLINE) == (200, True)
    assert is_refused(stranger)
    assert (answer.status, site.town()) == (302, "Novara")
    assert json.loads(ready.body)["shared_cache"] == "failed"
    assert Editor(site.portal).sign_in().status == 302
