"""Django's PostgreSQL, of which a web request tells a silent server from a long statement."""

import socket
from struct import pack
from time import monotonic
from typing import Any, TypeVar

import psycopg
from django.db.backends.postgresql import base
from psycopg.abc import PQGen

from config.serving.outage import WebDatabaseWrapper, begin_for_the_web, is_away, waiting

Result = TypeVar("Result")

# The server is asked by a connection of its own whether it lives when it has said nothing for so
# long, and is away when it does not answer that for so long: four seconds in all.
SILENCE = 2.0
LIFE = 2.0
# Longer than any statement lasts (`statement_timeout`), so that a live server had to say so: then
# only the process behind this connection hangs.
LONGEST = 35.0
# What libpq asks first of any server, and is answered with one octet before anybody signs in.
SSL_REQUEST = pack("!ii", 8, 80877103)


class Connection(psycopg.Connection[Any]):
    def wait(self, gen: PQGen[Result], *args: Any, **kwargs: Any) -> Result:
        if waiting.is_web_request:
            if is_away():
                raise psycopg.OperationalError("The server does not answer.")
            gen = self.watched(gen)
        return super().wait(gen, *args, **kwargs)

    def watched(self, gen: PQGen[Result]) -> PQGen[Result]:
        """The same, asked again every tenth of a second, until the server is silent for too long.

        Each octet that it sends begins the silence anew.
        """
        try:
            wanted = next(gen)
            heard = asked = monotonic()
            while True:
                ready = yield wanted
                now = monotonic()
                if ready:
                    heard = asked = now
                elif now - asked >= SILENCE:
                    if now - heard >= LONGEST or not self.server_lives():
                        self.give_up()
                    asked = monotonic()
                wanted = gen.send(ready)
        except StopIteration as done:
            result: Result = done.value
            return result

    def server_lives(self) -> bool:
        try:
            with self.another_socket() as other:
                other.sendall(SSL_REQUEST)
                return bool(other.recv(1))
        except OSError:
            return False

    def another_socket(self) -> socket.socket:
        host, port = self.info.hostaddr or self.info.host, self.info.port
        if not host.startswith("/"):
            return socket.create_connection((host, port), LIFE)
        local = socket.socket(socket.AF_UNIX)
        local.settimeout(LIFE)
        local.connect(f"{host}/.s.PGSQL.{port}")
        return local

    def give_up(self) -> None:
        # Nothing that is read from it later could be told from an answer to something else.
        self.pgconn.finish()
        begin_for_the_web()
        raise psycopg.OperationalError("The server is silent.")


class DatabaseWrapper(WebDatabaseWrapper, base.DatabaseWrapper):
    def get_new_connection(self, conn_params: dict[str, Any]) -> Connection:
        self.isolation_level = psycopg.IsolationLevel.READ_COMMITTED
        try:
            return Connection.connect(**conn_params)
        except psycopg.errors.ConnectionTimeout:
            begin_for_the_web()
            raise
