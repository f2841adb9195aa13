"""A database that is away costs one request a short wait, and those after it none.

While a web request runs, its thread is marked (`web_request`): its connections wait for seconds
where a command's wait for minutes, and answer at once while the database is known to be away.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Lock, Thread, local
from time import monotonic
from typing import Any

from django.conf import settings
from django.db import DatabaseError, Error, InterfaceError, OperationalError, connection
from django.db.backends.base.base import BaseDatabaseWrapper

logger = logging.getLogger(__name__)

SECONDS_BETWEEN_LOOKS = 1.0
# Of PostgreSQL, and no `OperationalError` of Django's: a server that only reads (a standby), a
# session or a transaction that it ended, a table that is not there.
OUTAGES = {"25006", "25P03", "25P04", "42P01"}


class Waiting(local):
    """Of one thread."""

    is_web_request = False
    has_given_up = False  # the database failed once: whatever else the request asks is refused
    is_looking = False  # whether the database is back


waiting = Waiting()


@contextmanager
def web_request() -> Iterator[None]:
    waiting.is_web_request, waiting.has_given_up = True, False
    try:
        yield
    finally:
        waiting.is_web_request = waiting.has_given_up = False


class Outage:
    """Begins with a failed look, ends with the first one that succeeds: a thread keeps looking."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.is_over = Event()
        self.is_over.set()

    @property
    def is_on(self) -> bool:
        return not self.is_over.is_set()

    def begin(self) -> None:
        with self.lock:
            if self.is_on:
                return
            self.is_over.clear()
        logger.error("The database is away: kept pages are served, all else answers 503.")
        Thread(target=self.look_until_over, daemon=True, name="database-look").start()

    def look_until_over(self) -> None:
        began = monotonic()
        waiting.is_looking = True
        while not self.is_over.wait(SECONDS_BETWEEN_LOOKS):
            with web_request():
                if answers():
                    self.is_over.set()
        connection.close()
        logger.error("The database is back after %.0f seconds.", monotonic() - began)


outage = Outage()


def answers() -> bool:
    # A table of its own file or server, which each migrated database has.
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM django_migrations LIMIT 1")
            cursor.fetchall()
    except Error:
        connection.close()
        return False
    return True


class WebDatabaseWrapper(BaseDatabaseWrapper):
    """For a backend of Django: a web request waits shortly, and once.

    After one statement that the database failed, the request gets no other: neither does it wait
    for each of them, nor does it go on where a failure was swallowed, as Django's cache does.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.execute_wrappers.append(execute_and_note_failure)

    def get_connection_params(self) -> dict[str, Any]:
        parameters = super().get_connection_params()
        return parameters | (settings.WEB_DATABASE_OPTIONS if waiting.is_web_request else {})

    def connect(self) -> None:
        refuse_in_vain()
        super().connect()

    # Not `ensure_connection`, which ends a transaction, too.
    def _cursor(self, name: str | None = None) -> Any:
        refuse_in_vain()
        return super()._cursor(name)  # type: ignore[misc]  # not in the stubs

    def _commit(self) -> None:
        with noting_failure():
            super()._commit()  # type: ignore[misc]  # not in the stubs


def refuse_in_vain() -> None:
    if waiting.is_web_request and (waiting.has_given_up or is_away()):
        raise OperationalError("The database does not answer.")


def is_away() -> bool:
    return outage.is_on and not waiting.is_looking


@contextmanager
def noting_failure() -> Iterator[None]:
    try:
        yield
    except Error as error:
        waiting.has_given_up = waiting.is_web_request and is_outage(error)
        raise


def execute_and_note_failure(
    execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]
) -> Any:
    with noting_failure():
        try:
            return execute(sql, params, many, context)
        except OperationalError as error:
            # SQLite's readers pass a writer: where one is locked out, all are.
            is_sqlite = context["connection"].vendor == "sqlite"
            if is_sqlite and sql.startswith("SELECT") and "lock" in str(error):
                begin_for_the_web()
            raise


def begin_for_the_web() -> None:
    if waiting.is_web_request:
        outage.begin()


def is_outage(error: BaseException | None) -> bool:
    """Whether the database failed, rather than what it was asked, at the root of an error.

    Of a damaged file SQLite says `DatabaseError` itself.
    """
    while error is not None:
        if isinstance(error, OperationalError | InterfaceError) or type(error) is DatabaseError:
            return True
        if getattr(error, "sqlstate", None) in OUTAGES:
            return True
        error = error.__cause__ or error.__context__
    return False
