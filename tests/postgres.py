"""Run a command with a throw-away PostgreSQL server.

    python -m tests.postgres -- COMMAND…

The command finds the server's address in `TEST_DATABASE_URL`; its exit code is returned. The
server and its data are gone afterwards, also after SIGINT or SIGTERM. Where `TEST_DATABASE_URL`
is set already, that server is used and none is started. Without a command: say which server
would be used, exit code 1 where there is none.
"""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

SECONDS_TO_START = 30
SECONDS_TO_STOP = 20

# Nothing of it has to outlive a power cut.
OPTIONS = {
    "listen_addresses": "127.0.0.1",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "60",
}


def server_programs() -> Path | None:
    """The folder of the newest PostgreSQL server's programs."""
    versions = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    newest = max(versions, key=lambda path: float(path.parts[-3]), default=None)
    if newest:
        return newest.parent
    on_path = shutil.which("initdb")
    return Path(on_path).resolve().parent if on_path else None


def unprivileged() -> dict[str, Any]:
    """What `Popen` needs to leave root's rights: PostgreSQL refuses to run with them."""
    if os.geteuid() != 0:
        return {}
    names = {entry.pw_name for entry in pwd.getpwall()}
    user = pwd.getpwnam("postgres" if "postgres" in names else "nobody")
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def running_server(programs: Path) -> Iterator[str]:
    """The address of a server that lives as long as the context."""
    rights = unprivileged()
    with tempfile.TemporaryDirectory(prefix="portal-postgres-") as folder:
        if rights:
            os.chown(folder, rights["user"], rights["group"])
        data, log = Path(folder, "data"), Path(folder, "log")
        initialise = [str(programs / "initdb"), "--pgdata", str(data), "--username", "portal"]
        initialise += ["--auth", "trust", "--encoding", "UTF8", "--locale", "C.UTF-8", "--no-sync"]
        subprocess.run(initialise, check=True, cwd=folder, stdout=subprocess.DEVNULL, **rights)

        port = free_port()
        command = [str(programs / "postgres"), "-D", str(data), "-p", str(port), "-k", folder]
        for name, value in OPTIONS.items():
            command += ["-c", f"{name}={value}"]
        with log.open("wb") as output:
            server = subprocess.Popen(
                command, cwd=folder, stdout=output, stderr=output, process_group=0, **rights
            )
        try:
            wait_until_ready(server, programs, port, log)
            yield f"postgres://portal@127.0.0.1:{port}/postgres"
        finally:
            stop(server, signal.SIGINT)


def wait_until_ready(server: subprocess.Popen[bytes], programs: Path, port: int, log: Path) -> None:
    ready = [str(programs / "pg_isready"), "--quiet", "--host", "127.0.0.1", "--port", str(port)]
    deadline = time.monotonic() + SECONDS_TO_START
    while subprocess.run(ready, check=False).returncode != 0:
        if server.poll() is not None or time.monotonic() > deadline:
            sys.exit(f"PostgreSQL did not start:\n{log.read_text(errors='replace')}")
        time.sleep(0.1)


def stop(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """End the process and its children: politely by the signal, then by force."""
    if process.poll() is not None:
        return
    os.killpg(process.pid, number)
    try:
        process.wait(SECONDS_TO_STOP)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def run(command: Sequence[str], address: str) -> int:
    """Run the command to its end; when this process is told to stop, the command is too."""
    environment = os.environ | {"TEST_DATABASE_URL": address}
    child = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, process_group=0)
    try:
        code = child.wait()
    finally:
        stop(child, signal.SIGINT)
    return code if code >= 0 else 128 - code


def leave(number: int, _frame: FrameType | None) -> None:
    """Unwind to the clean-up, which a second signal does not interrupt."""
    for deaf in (signal.SIGINT, signal.SIGTERM):
        signal.signal(deaf, signal.SIG_IGN)
    sys.exit(128 + number)


def main(arguments: Sequence[str]) -> int:
    command = list(arguments[1:] if arguments[:1] == ["--"] else arguments)
    given = os.environ.get("TEST_DATABASE_URL")
    programs = server_programs()
    if not command:
        print(f"PostgreSQL from {'TEST_DATABASE_URL' if given else programs or 'nowhere'}")
        return 0 if given or programs else 1
    if given:
        return run(command, given)
    if programs is None:
        print("No PostgreSQL: install its server programs or set TEST_DATABASE_URL.")
        return 1
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, leave)
    with running_server(programs) as address:
        return run(command, address)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
