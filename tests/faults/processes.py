"""Real servers that a test stops, continues and kills: PostgreSQL, granian with its workers."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from tests import databases
from tests.postgres import free_port, running_server, server_programs, stop, unprivileged

ROOT = databases.ROOT
SECONDS_TO_START = 60
SECONDS_TO_SETTLE = 6
APPLICATION = "config.wsgi:application"
# As `make demo` and docs/operations.md have it.
GRANIAN = (
    "granian config.wsgi:application --interface wsgi --http 1 --no-ws"
    " --workers {workers} --blocking-threads {threads}"
    " --respawn-failed-workers --workers-kill-timeout 10"
    " --http1-header-read-timeout 10000"
)


def tree(pid: int) -> list[int]:
    """The process and its children's children, of those that live."""
    found = [pid]
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            for child in children.read_text().split():
                found += tree(int(child))
        except FileNotFoundError:
            continue
    return found


def send(pids: Sequence[int], number: signal.Signals) -> None:
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue


def wait_until(condition: Callable[[], bool], seconds: float = 20, what: str = "it") -> float:
    """The seconds that it took; the test fails where they were not enough."""
    start = time.monotonic()
    while not condition():
        assert time.monotonic() - start < seconds, f"{what} did not happen in {seconds} s"
        time.sleep(0.05)
    return time.monotonic() - start


# PostgreSQL


@dataclass
class PostgresServer:
    address: str  # of its database `postgres`
    pid: int
    log: Path
    command: list[bytes] = field(default_factory=list)
    restarted: "list[subprocess.Popen[bytes]]" = field(default_factory=list)

    def hang(self) -> None:
        """Stop it and whoever it serves: connections stay open, nobody answers."""
        # The postmaster first, or it would begin new ones meanwhile.
        send([self.pid], signal.SIGSTOP)
        send(tree(self.pid), signal.SIGSTOP)

    def go_on(self) -> None:
        send(tree(self.pid), signal.SIGCONT)

    def crash(self) -> None:
        """Nobody listens any more until `restart`."""
        self.command = command_of(self.pid).split(b"\0")[:-1]
        send(tree(self.pid), signal.SIGKILL)
        wait_until(lambda: not self.is_listening(), what="the crash")
        # The dead process is there until whoever started it has noticed.
        data = Path(self.command[self.command.index(b"-D") + 1].decode())
        for lock in (data / "postmaster.pid", *data.parent.glob(".s.PGSQL.*.lock")):
            lock.unlink()

    def restart(self) -> None:
        self.start()
        wait_until(self.is_up_again, SECONDS_TO_START, "the restart")

    def is_up_again(self) -> bool:
        # On a busy machine what the dead processes shared is there for a moment: it refuses.
        if self.restarted[-1].poll() is not None:
            self.start()
        return self.is_listening()

    def start(self) -> None:
        # Beside its data lies the folder of its socket, where it was started.
        with self.log.open("wb") as output:
            process = subprocess.Popen(
                self.command,
                cwd="/",
                stdout=output,
                stderr=output,
                process_group=0,
                **unprivileged(),
            )
        self.restarted.append(process)
        self.pid = process.pid

    def is_listening(self) -> bool:
        try:
            psycopg.connect(self.address, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def execute(self, statement: str) -> None:
        with psycopg.connect(self.address, autocommit=True) as connection:
            connection.execute(statement.encode())

    def new_database(self, name: str, template: str = "migrated") -> str:
        """The address of a copy."""
        self.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.address_of(name)

    def address_of(self, name: str) -> str:
        return self.address.rpartition("/")[0] + f"/{name}"


@contextmanager
def postgres(folder: Path) -> Iterator[PostgresServer]:
    """A server of its own, with a migrated database to copy."""
    programs = server_programs()
    assert programs
    with running_server(programs) as address:
        with psycopg.connect(address) as connection:
            backend = connection.info.backend_pid
        parent = int(Path(f"/proc/{backend}/stat").read_text().rpartition(")")[2].split()[1])
        server = PostgresServer(address, parent, folder / "postgres.log")
        server.execute("CREATE DATABASE migrated")
        fill(server.address_of("migrated"), programs)
        try:
            yield server
        finally:
            server.go_on()
            for process in server.restarted:
                stop(process, signal.SIGINT)


def fill(address: str, programs: Path) -> None:
    """Migrate it, which takes half a minute; later runs read what the first one wrote down."""
    written = databases.CACHE / f"{databases.key()}.sql"
    with databases.locked(databases.CACHE / "lock-faults"):
        if not written.exists():
            for old in databases.CACHE.glob("*.sql"):
                old.unlink()
            for command in ("migrate", "createcachetable"):
                manage([command, "--verbosity", "0"], address)
            dump = [str(programs / "pg_dump"), "--no-owner", "--file", str(written), address]
            subprocess.run(dump, check=True)
            return
    read = [str(programs / "psql"), "--quiet", "--no-psqlrc", "--single-transaction"]
    read += ["--set", "ON_ERROR_STOP=1", "--file", str(written), address]
    subprocess.run(read, check=True, stdout=subprocess.DEVNULL)


def sqlite(folder: Path) -> str:
    """The address of a migrated file."""
    path = folder / "portal.sqlite3"
    shutil.copyfile(databases.original_file(), path)
    return f"sqlite:///{path}"


def environment(address: str, **given: str) -> dict[str, str]:
    return os.environ | {
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "TEST_DATABASE_URL": address,
        "TEST_RUN": f"{os.environ['TEST_RUN']}-faults",
        **given,
    }


def manage(arguments: Sequence[str], address: str) -> None:
    command = [sys.executable, "manage.py", *arguments]
    subprocess.run(command, env=environment(address), cwd=ROOT, check=True)


# granian


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes
    seconds: float
    cookies: dict[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        return self.body.decode()


@dataclass
class Granian:
    process: "subprocess.Popen[bytes]"
    port: int
    log: Path
    begun: float = field(default_factory=time.monotonic)

    def wait_until_settled(self) -> None:
        """It ends as a whole where a worker dies in the first seconds of its life."""
        wait_until(lambda: time.monotonic() - self.begun > SECONDS_TO_SETTLE)

    def workers(self) -> list[int]:
        # Python's tracker of resources is a child, too.
        children = tree(self.process.pid)[1:]
        return [pid for pid in children if b"resource_tracker" not in command_of(pid)]

    def started(self) -> int:
        """How many workers have ever listened."""
        return self.log.read_bytes().count(b"Started worker-")

    def get(self, path: str, **headers: str) -> Answer:
        given = {"Host": "localhost", "Connection": "close"} | headers
        lines = [f"GET {path} HTTP/1.1", *(f"{name}: {given[name]}" for name in given), "", ""]
        return self.ask("\r\n".join(lines).encode())

    def post(self, path: str, body: bytes, **headers: str) -> Answer:
        given = {
            "Host": "localhost",
            "Connection": "close",
            "Content-Type": "application/x-www-form-urlencoded",
            "Content-Length": str(len(body)),
        } | headers
        lines = [f"POST {path} HTTP/1.1", *(f"{name}: {given[name]}" for name in given), "", ""]
        return self.ask("\r\n".join(lines).encode() + body)

    def connect(self, timeout: float = 60) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout)

    def ask(self, request: bytes, timeout: float = 60) -> Answer:
        """Its answer to these octets. A reset says that it is there no more: ConnectionError."""
        start = time.monotonic()
        with closing(self.connect(timeout)) as connection:
            # It may answer before all was sent.
            with suppress(BrokenPipeError, ConnectionResetError):
                connection.sendall(request)
            return read_answer(connection, start)


def read_answer(connection: socket.socket, start: float) -> Answer:
    with connection.makefile("rb") as stream:
        line = stream.readline()
        if not line:
            raise ConnectionError
        headers: dict[str, str] = {}
        cookies: dict[str, str] = {}
        while head := stream.readline().strip():
            name, _colon, value = head.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
            if name.lower() == "set-cookie":
                cookie, _equals, content = value.partition(";")[0].strip().partition("=")
                cookies[cookie] = content
        if headers.get("transfer-encoding") == "chunked":
            pieces = []
            while size := int(stream.readline() or b"0", 16):
                pieces.append(stream.read(size))
                stream.readline()
            body = b"".join(pieces)
        else:
            body = stream.read(int(headers.get("content-length", 0)))
    return Answer(int(line.split()[1]), headers, body, time.monotonic() - start, cookies)


def command_of(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except FileNotFoundError:
        return b""


@contextmanager
def granian(
    address: str,
    folder: Path,
    workers: int = 1,
    threads: int = 8,
    application: str = APPLICATION,
    **given: str,
) -> Iterator[Granian]:
    """The portal on this database; `given` are further variables of its environment."""
    port, log = free_port(), folder / "granian.log"
    line = GRANIAN.format(workers=workers, threads=threads).replace(APPLICATION, application)
    command = [sys.executable, "-m", *line.split()]
    command += ["--port", str(port), "--log-level", "info"]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            env=environment(address, **given),
            cwd=ROOT,
            stdout=output,
            stderr=output,
            process_group=0,
        )
    server = Granian(process, port, log)
    try:
        wait_until(lambda: answers(server), SECONDS_TO_START, log.read_text() or "the start")
        wait_until(lambda: server.started() == workers, SECONDS_TO_START)
        yield server
    finally:
        pids = tree(process.pid)
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(15)
        send(pids, signal.SIGKILL)
        process.wait()


def answers(server: Granian) -> bool:
    assert server.process.poll() is None, server.log.read_text()
    try:
        return server.get("/healthz").status == 200
    except OSError:
        return False
