"""Makes `docs/asvs.md` from its table `docs/asvs.csv`: `python -m tests.asvs`."""

import csv
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

DOCS = Path(__file__).parents[1] / "docs"
TABLE, DOCUMENT = DOCS / "asvs.csv", DOCS / "asvs.md"
MET, NOT_MET, DOES_NOT_APPLY = VERDICTS = ("met", "not met", "does not apply")
CHAPTERS = (
    "Encoding and cleaning",
    "Checks and rules of the trade",
    "In the browser",
    "API",
    "Files",
    "Signing in",
    "Sessions",
    "Rights",
    "Signed texts",
    "OAuth and OpenID",
    "Cryptography",
    "Connections",
    "Configuration",
    "Data",
    "Code and libraries",
    "Logs and errors",
    "Audio and video",
)
INTRODUCTION = """# ASVS 5.0, level 1 and 2

How the portal stands to the requirements of OWASP's Application Security Verification Standard
5.0.0: a verdict for each, where it is decided and what proves it. The subjects are in words of our
own; what each requirement says, stands in the
[standard](https://github.com/OWASP/ASVS/tree/master/5.0). What the portal promises beside it stands
in the [threat model](threat-model.md).

Made from `docs/asvs.csv` by `python -m tests.asvs`. `tests/test_asvs.py` fails where a named test
or place is gone, or where this page is not what the table makes.
"""


@dataclass(frozen=True)
class Requirement:
    number: str
    level: int
    subject: str
    verdict: str
    places: tuple[str, ...]
    tests: tuple[str, ...]
    remark: str

    @property
    def chapter(self) -> int:
        return int(self.number.partition(".")[0])


def read_table() -> list[Requirement]:
    with TABLE.open(encoding="utf-8", newline="") as file:
        return [
            Requirement(
                number=row["number"],
                level=int(row["level"]),
                subject=row["subject"],
                verdict=row["verdict"],
                places=tuple(row["places"].split()),
                tests=tuple(row["tests"].split()),
                remark=row["remark"],
            )
            for row in csv.DictReader(file)
        ]


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def link(place: str) -> str:
    return (
        f"[{place}]({place.removeprefix('docs/') if place.startswith('docs/') else f'../{place}'})"
    )


def document(requirements: Sequence[Requirement]) -> str:
    counts = Counter((one.level, one.verdict) for one in requirements)
    gaps = [one for one in requirements if one.verdict == NOT_MET]
    parts = [
        INTRODUCTION,
        table(
            ["level", *VERDICTS],
            [
                [str(level), *(str(counts[level, verdict]) for verdict in VERDICTS)]
                for level in (1, 2)
            ],
        ),
        "## What is not met\n",
        table(
            ["number", "level", "what", "gap"],
            [[one.number, str(one.level), one.subject, one.remark] for one in gaps],
        ),
    ]
    for chapter, name in enumerate(CHAPTERS, start=1):
        parts += [
            f"## V{chapter} {name}\n",
            table(
                ["number", "level", "what", "verdict", "where", "proved by", "remark"],
                [
                    [
                        one.number,
                        str(one.level),
                        one.subject,
                        one.verdict,
                        ", ".join(map(link, one.places)),
                        ", ".join(f"`{test}`" for test in one.tests),
                        one.remark,
                    ]
                    for one in requirements
                    if one.chapter == chapter
                ],
            ),
        ]
    return "\n".join(parts)


if __name__ == "__main__":
    DOCUMENT.write_text(document(read_table()), encoding="utf-8")
