"""Servers to measure: what a request costs the whole tree of a server's processes, in CPU."""

import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

ROOT = Path(__file__).parents[2]
ROUNDS = 7
SECONDS_TO_START = 60

GRANIAN = ["granian", "{app}:application", "--interface", "wsgi", "--http", "1", "--no-ws"]
GRANIAN += ["--workers", "1", "--blocking-threads", "2", "--log-level", "error", "--port", "{port}"]
GUNICORN = ["gunicorn", "{app}", "--workers", "1", "--threads", "4", "--log-level", "error"]
GUNICORN += ["--no-control-socket", "--bind", "127.0.0.1:{port}"]


def of_the_tree(pid: int) -> list[int]:
    found = [pid]
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in children.read_text().split():
            found += of_the_tree(int(child))
    return found


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes


class Server:
    """A running server, asked by one connection that stays open."""

    def __init__(self, pid: int, port: int) -> None:
        self.pid, self.port = pid, port
        self.stream: BinaryIO | None = None
        self.socket: socket.socket | None = None

    def get(self, path: str, **headers: str) -> Answer:
        if self.socket is None or self.stream is None:
            self.socket = socket.create_connection(("127.0.0.1", self.port), timeout=120)
            self.stream = self.socket.makefile("rb")
        given = {"Host": "127.0.0.1", "Accept-Encoding": "gzip", **headers}
        lines = [f"GET {path} HTTP/1.1", *(f"{name}: {given[name]}" for name in given), "", ""]
        self.socket.sendall("\r\n".join(lines).encode())
        line = self.stream.readline()
        if not line:  # it was idle for too long
            self.leave()
            return self.get(path, **headers)
        status = int(line.split()[1])
        told: dict[str, str] = {}
        while line := self.stream.readline().strip():
            name, _colon, value = line.decode("latin-1").partition(":")
            told[name.lower()] = value.strip()
        body = self.stream.read(int(told.get("content-length", 0)))
        if told.get("connection") == "close":
            self.leave()
        return Answer(status, told, body)

    def leave(self) -> None:
        if self.socket and self.stream:
            self.stream.close()
            self.socket.close()
        self.socket = self.stream = None

    @property
    def cpu(self) -> float:
        """Seconds that the tree has worked, to the nanosecond."""
        spent = 0
        for pid in of_the_tree(self.pid):
            for task in Path(f"/proc/{pid}/task").glob("*/schedstat"):
                spent += int(task.read_text().split()[0])
        return spent / 1e9

    @property
    def megabytes(self) -> float:
        """What its largest process holds of its own (PSS)."""
        rolled_up = [Path(f"/proc/{pid}/smaps_rollup") for pid in of_the_tree(self.pid)]
        return max(int(path.read_text().split("Pss:")[1].split()[0]) for path in rolled_up) / 1024

    def cost(self, asked: Sequence[tuple[str, Mapping[str, str]]], status: int = 200) -> float:
        """Seconds of CPU for a request, as the mean of these."""
        before = self.cpu
        for path, headers in asked:
            answer = self.get(path, **headers)
            assert answer.status == status, (path, answer.status)
        return (self.cpu - before) / len(asked)


@contextmanager
def served(
    app: str, environment: Mapping[str, str], server: Sequence[str] = GRANIAN, cwd: Path = ROOT
) -> Iterator[Server]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    program, *options = (part.format(app=app, port=port) for part in server)
    command = [sys.executable, "-m", program, *options]
    process = subprocess.Popen(command, cwd=cwd, env=os.environ | environment)
    running = Server(process.pid, port)
    try:
        wait_for(port)
        yield running
    finally:
        running.leave()
        process.terminate()
        process.wait(30)


def wait_for(port: int) -> None:
    deadline = time.monotonic() + SECONDS_TO_START
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return


def in_rounds(
    costs: Mapping[str, Callable[[], float]], rounds: int = ROUNDS
) -> dict[str, list[float]]:
    """What each costs in each round; within a round they follow one another."""
    found: dict[str, list[float]] = {name: [] for name in costs}
    for _turn in range(rounds):
        for name, cost in costs.items():
            found[name].append(cost())
    return found


def ratio(measured: Sequence[float], baseline: Sequence[float]) -> float:
    """The median of the rounds' ratios."""
    return statistics.median(one / other for one, other in zip(measured, baseline, strict=True))
