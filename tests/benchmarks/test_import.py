"""Time and peak memory of a large import, in a process and a database of its own."""

import csv
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from labels.importing.lines import COLUMNS

ROOT = Path(__file__).parents[2]
COUNTRIES = ("AT", "BG", "CZ", "DE", "DK", "ES", "FR", "IT", "NO", "PL")
LEVELS = ("Bronze", "Silver", "Gold")
MOST_MEGABYTES = 250


def lines(number: int) -> Iterator[tuple[str, ...]]:
    """Two labels for each cluster, far apart in the file, and an organisation for each ten."""
    clusters = number // 2
    for index in range(number):
        cluster = index % clusters
        year = 2011 + index % 13
        yield (
            f"Cluster für Größe № {cluster}",
            COUNTRIES[cluster % 10],
            f"Région {cluster % 50}",
            f"Organisation {cluster % (clusters // 10)}",
            "Food industry" if cluster % 3 else "",
            LEVELS[index % 3],
            (f"{year}", f"{year}-07", f"{year}-07-14", "")[index % 4],
            f"{year + 2}-12-31" if index % 2 else "",
            f"https://example.org/labels/{index}",
        )


@pytest.mark.benchmark
@pytest.mark.parametrize("number", [10_000, 100_000])
def test_import_stays_small(number: int, tmp_path: Path) -> None:
    path = tmp_path / "register.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([COLUMNS, *lines(number)])
    run(tmp_path, "migrate", "--verbosity", "0")

    for label in ("first", "second"):
        start = time.perf_counter()
        seconds, megabytes = run(tmp_path, "import_register", str(path))
        elapsed = time.perf_counter() - start
        print(
            f"{number:,} lines, {label} run: {elapsed:.1f} s, "
            f"of which {seconds:.1f} s of CPU; {megabytes:.0f} MB"
        )
        assert megabytes < MOST_MEGABYTES


def run(folder: Path, *command: str) -> tuple[float, float]:
    """The seconds of CPU that a management command took, the most megabytes that it held."""
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DATABASE_URL": f"sqlite:///{folder}/register.sqlite3",
        "DEBUG": "False",
    }
    process = subprocess.Popen(
        [sys.executable, "manage.py", *command],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
    )
    _pid, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024
