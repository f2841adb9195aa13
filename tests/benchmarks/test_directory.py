"""The directory with 1,000, 10,000 and 100,000 clusters: the table in docs/performance.md.

What counts is the CPU that a request costs the whole tree of the server's processes, as a ratio to
a constant answer of the same server in the same round; printed are medians of the rounds' ratios.
`CLUSTERS="1000 10000"` takes other sizes, `REGISTERS=/some/folder` keeps the databases there.
"""

import os
import re
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from itertools import cycle, product
from pathlib import Path
from random import Random

import brotli
import pytest

from tests.benchmarks.generated import public_id
from tests.benchmarks.serving import GUNICORN, ROOT, Server, in_rounds, ratio, served

SIZES = [int(size) for size in os.environ.get("CLUSTERS", "1000 10000 100000").split()]
CONSTANT = "/robots.txt"
LIST = "/en/clusters/"
# Goes past the kept pages, and nobody reads it.
ASKED_OF_DJANGO = {"Cookie": "measured=yes"}
WORDS = (
    "biopmed", "agrotech", "nanolab", "ecofood", "medivita", "tech", "montara", "nov", "castheim",
    "lindholm",
)  # fmt: skip
# Most clusters have one of these in their texts.
BROAD = ("bio", "food", "digital", "health", "energ", "mari", "wood", "water", "auto", "plant")
COUNTRIES = ("IT", "DE", "FR", "ES", "PL", "AT", "NO", "DK", "CZ", "SE")
LEVELS = ("gold", "silver", "bronze")
Registers = dict[int, dict[str, str]]


def say(text: str) -> None:
    print(text, flush=True)


@pytest.fixture(scope="module")
def registers(tmp_path_factory: pytest.TempPathFactory) -> Registers:
    """The environment of a server, by the number of its clusters."""
    folder = Path(os.environ.get("REGISTERS") or tmp_path_factory.mktemp("registers"))
    return {
        size: filled_environment(
            folder, f"clusters-{size}", ["-m", "tests.benchmarks.generated", str(size)]
        )
        for size in SIZES
    }


def filled_environment(folder: Path, name: str, fill: list[str]) -> dict[str, str]:
    """Of a server whose database the command has filled, unless the folder has it already."""
    path, server = folder / f"{name}.sqlite3", os.environ.get("TEST_DATABASE_URL", "")
    is_there = path.exists() and not server
    address = new_database(server, name.replace("-", "_")) if server else f"sqlite:///{path}"
    found = {"DJANGO_SETTINGS_MODULE": "tests.settings", "TEST_DATABASE_URL": address}
    if not is_there:
        migrate = ["manage.py", "migrate", "--verbosity", "0"]
        for command in (migrate, ["manage.py", "createcachetable"], fill):
            run(found, *command)
    return found


def new_database(server: str, name: str) -> str:
    import psycopg

    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name}")
        connection.execute(f"CREATE DATABASE {name}")
    return f"{server.rpartition('/')[0]}/{name}"


def run(environment: dict[str, str], *command: str) -> str:
    return subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env=os.environ | environment,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout


def cost(server: Server, number: int, *paths: str) -> Callable[[], float]:
    asked = [(paths[turn % len(paths)], ASKED_OF_DJANGO) for turn in range(number)]
    return partial(server.cost, asked)


def cost_of_next(server: Server, number: int, paths: Iterator[str]) -> Callable[[], float]:
    def next_ones() -> float:
        return server.cost([(next(paths), ASKED_OF_DJANGO) for _turn in range(number)])

    return next_ones


def filtered() -> list[str]:
    found = [
        f"{LIST}?country={country}&level={level}&state={state}"
        for country, level, state in product(COUNTRIES, LEVELS, ("valid", "renewable", "expired"))
    ]
    return shuffled(found)


def searched(words: Sequence[str]) -> list[str]:
    asked = product(COUNTRIES, words)
    return shuffled([f"{LIST}?country={country}&q={word}" for country, word in asked])


def shuffled(paths: list[str]) -> list[str]:
    """More than an index remembers, so that each is counted anew when its turn comes again."""
    Random(7).shuffle(paths)  # noqa: S311
    return paths


def clusters(size: int) -> Iterator[str]:
    numbers = range(1, size + 1)
    return (f"{LIST}cluster-{Random(turn).choice(numbers)}/" for turn in range(10**6))  # noqa: S311


def deep(size: int) -> str:
    """A page somewhere in the list, as its reader comes there."""
    return f"{LIST}?after={public_id('C', size // 2)}"


@pytest.mark.benchmark
@pytest.mark.parametrize("size", SIZES)
def test_pages(registers: Registers, size: int) -> None:
    with served("config.wsgi", registers[size]) as server:
        first = server.cost([(LIST, ASKED_OF_DJANGO)])
        server.get(LIST)
        etag = server.get(LIST).headers["etag"]
        # A row is rendered once. Before the rounds each page is asked once, with rows not yet seen.
        unseen = {
            name: cost(server, len(paths), *paths)()
            for name, paths in (("filtered", filtered()), ("searched", searched(WORDS)))
        }
        found = in_rounds(
            {
                "constant": cost(server, 60, CONSTANT),
                "list": cost(server, 12, LIST),
                "filtered": cost_of_next(server, 12, cycle(filtered())),
                "searched": cost_of_next(server, 12, cycle(searched(WORDS))),
                "searched broadly": cost_of_next(server, 12, cycle(searched(BROAD))),
                "deep page": cost(server, 12, deep(size)),
                "cluster page": cost_of_next(server, 12, clusters(size)),
                "kept": lambda: server.cost([(LIST, {})] * 300),
                "kept, 304": lambda: server.cost([(LIST, {"If-None-Match": etag})] * 300, 304),
            }
        )
        say(f"\n{size:,} clusters; the first page {first * 1000:.0f} ms of CPU")
        tell(found)
        for name, seconds in unseen.items():
            times = seconds / statistics.median(found["constant"])
            say(f"  {name}, rows not yet seen: {seconds * 1000:.2f} ms, {times:.1f} ×")
        say(f"  memory of the worker: {server.megabytes:.0f} MiB")


def tell(found: dict[str, list[float]]) -> None:
    for name, costs in found.items():
        middle = statistics.median(costs) * 1000
        say(f"  {name}: {middle:.2f} ms, {ratio(costs, found['constant']):.2f} × the constant view")


@pytest.mark.benchmark
def test_kept_page_against_a_bare_callable(registers: Registers, tmp_path: Path) -> None:
    with ExitStack() as stack:
        server = stack.enter_context(served("config.wsgi", registers[SIZES[0]]))
        server.get(LIST)
        page = server.get(LIST)
        headers = [pair for pair in page.headers.items() if pair[0] not in ("server", "date")]
        Path(tmp_path, "bare.py").write_text(
            f"BODY = {page.body!r}\nHEADERS = {headers!r}\n"
            "def application(environ, start_response):\n"
            "    start_response('200 OK', list(HEADERS))\n"
            "    return [BODY]\n"
        )
        bare = stack.enter_context(served("bare", {}, cwd=tmp_path))
        gunicorn = stack.enter_context(served("bare", {}, GUNICORN, cwd=tmp_path))
        found = in_rounds(
            {
                "bare": lambda: bare.cost([("/", {})] * 500),
                "bare, gunicorn": lambda: gunicorn.cost([("/", {})] * 500),
                "kept": lambda: server.cost([(LIST, {})] * 500),
                "constant": cost(server, 60, CONSTANT),
            }
        )
    tell(found)
    say(f"  throughput of a kept page: {ratio(found['bare'], found['kept']):.2f} of the bare one")
    say(f"  the bare one by gunicorn: {ratio(found['bare, gunicorn'], found['bare']):.1f} ×")


@pytest.mark.benchmark
def test_growth(registers: Registers) -> None:
    """The smallest and the largest register, page by page in turn."""
    small, large = min(SIZES), max(SIZES)
    with (
        served("config.wsgi", registers[small]) as few,
        served("config.wsgi", registers[large]) as many,
    ):
        costs: dict[str, Callable[[], float]] = {}
        for name, server, size in (("few", few, small), ("many", many, large)):
            server.get(LIST, **ASKED_OF_DJANGO)
            costs[f"first page, {name}"] = cost(server, 15, LIST)
            costs[f"deep page, {name}"] = cost(server, 15, deep(size))
            costs[f"cluster page, {name}"] = cost_of_next(server, 15, clusters(size))
        found = in_rounds(costs)
    say(f"\ngrowth from {small:,} to {large:,}")
    for name in ("first page", "deep page", "cluster page"):
        growth = ratio(found[f"{name}, many"], found[f"{name}, few"])
        say(f"  {name}: {growth:.2f} ×")


@pytest.mark.benchmark
@pytest.mark.parametrize("size", SIZES)
def test_counts(registers: Registers, size: int) -> None:
    say(run(registers[size], "-m", "tests.benchmarks.counting"))


@pytest.mark.benchmark
def test_start(registers: Registers) -> None:
    """CPU from the start of the processes to the end of the first page."""

    def starting(size: int) -> float:
        with served("config.wsgi", registers[size]) as server:
            server.get(LIST)
            return server.cpu

    def importing(statement: str) -> float:
        script = f"{statement}; import time; print(time.process_time())"
        return float(run(registers[SIZES[0]], "-c", script))

    found = in_rounds(
        {
            "constant": lambda: importing("import django"),
            "django.setup()": lambda: importing("import django; django.setup()"),
            **{f"first page of {size:,}": partial(starting, size) for size in SIZES},
        },
        rounds=3,
    )
    for name, costs in found.items():
        middle = statistics.median(costs)
        say(f"  {name}: {middle:.2f} s, {ratio(costs, found['constant']):.1f} × import django")


@pytest.mark.benchmark
def test_bytes(registers: Registers) -> None:
    """A list page as sent, with its style sheets as the manifest storage compresses them."""
    with served("config.wsgi", registers[SIZES[0]]) as server:
        page = server.get(LIST)
        text = server.get(LIST, **{"Accept-Encoding": "identity"}).body.decode()
    sheets = re.findall(r'<link rel="stylesheet" href="/static/([^"]+)"', text)
    packed = [len(brotli.compress((ROOT / "static" / name).read_bytes())) for name in sheets]
    say(f"\nlist page: {len(page.body):,} bytes of {len(text.encode()):,}")
    say(f"style sheets {', '.join(sheets)}: {sum(packed):,} bytes compressed")
    say(f"together: {(len(page.body) + sum(packed)) / 1000:.1f} kB")
