"""The register with 100,000 labels behind a real server: each answer against a constant one."""

import csv
import os
import re
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

import pytest

from labels.importing.lines import COLUMNS
from tests.benchmarks.test_import import ROOT, lines, run

NUMBER = 100_000
TIMES = 15
MOST_MEGABYTES = 300
CONSTANT = "/robots.txt"
DAY = "on=2015-09-08"


@dataclass(frozen=True)
class Server:
    pid: int
    port: int

    def get(self, path: str) -> tuple[float, bytes]:
        """Seconds from the first to the last byte, with a connection of its own, and the body."""
        start = time.perf_counter()
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=300)) as connection:
            connection.request("GET", path)
            response = connection.getresponse()
            body = response.read()
        assert response.status == 200, path
        return time.perf_counter() - start, body

    def median(self, path: str, times: int = TIMES) -> float:
        self.get(path)
        return statistics.median(self.get(path)[0] for _ in range(times))

    @property
    def megabytes(self) -> float:
        """The most that any of its processes has held."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        peaks = [Path(f"/proc/{pid}/status").read_text() for pid in children]
        return max(int(re.findall(r"VmHWM:\s+(\d+)", peak)[0]) for peak in peaks) / 1024


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("register")
    path = folder / "register.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([COLUMNS, *lines(NUMBER)])
    run(folder, "migrate", "--verbosity", "0")
    run(folder, "import_register", str(path))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "TEST_DATABASE_URL": f"sqlite:///{folder}/register.sqlite3",
    }
    gunicorn = [sys.executable, "-m", "gunicorn", "config.wsgi", "--workers", "1", "--threads", "2"]
    process = subprocess.Popen(
        [*gunicorn, "--timeout", "300", "--bind", f"127.0.0.1:{port}", "--log-level", "error"],
        cwd=ROOT,
        env=environment,
    )
    try:
        wait_for(port)
        yield Server(process.pid, port)
    finally:
        process.terminate()
        process.wait(30)


def wait_for(port: int) -> None:
    for _ in range(300):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            time.sleep(0.1)
        else:
            return
    raise TimeoutError("the server does not start")


@pytest.mark.benchmark
def test_register_of_100_000_labels(server: Server) -> None:
    _elapsed, table = server.get(f"/labels.csv?{DAY}&level=gold&state=valid&country=NO")
    first = next(csv.DictReader(table.decode().splitlines()))
    label, cluster = first["id"], first["cluster_id"]
    constant = server.median(CONSTANT, times=100)
    print(f"\nconstant response ({CONSTANT}): {constant * 1000:.2f} ms")
    for name, path in {
        "register today": "/en/labels/",
        "register as of a day": f"/en/labels/?{DAY}",
        "register as of a day, filtered": f"/en/labels/?{DAY}&level=gold&state=valid&country=NO",
        "page of a label": f"/en/labels/{label}/",
        "JSON twin": f"/labels/{label}.json?{DAY}",
        "seal of a label": f"/labels/{label}/seal.svg",
        "seal of a cluster": f"/clusters/{cluster}/seal.svg",
        "Atom feed": f"/labels.atom?{DAY}",
    }.items():
        seconds = server.median(path)
        print(f"{name}: {seconds * 1000:.1f} ms, {seconds / constant:.0f} × constant")
    for suffix in ("csv", "json", "xlsx", "ics"):
        seconds, body = server.get(f"/labels.{suffix}?{DAY}")
        print(
            f"all labels as {suffix}: {seconds:.1f} s, {seconds / constant:,.0f} × constant, "
            f"{len(body) / 1e6:.1f} MB; at most {server.megabytes:.0f} MB of memory"
        )
    assert server.megabytes < MOST_MEGABYTES
