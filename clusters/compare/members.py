"""Members over time: dated counts by kind as one table."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from clusters.dates import PartialDate
from clusters.models import CountQualifier, MemberKind, MembershipCount


@dataclass(frozen=True)
class MembershipCell:
    """`number` is None where that kind was not counted at the row's date."""

    kind: MemberKind
    number: int | None
    qualifier: str = CountQualifier.EXACT


@dataclass(frozen=True)
class MembershipRow:
    counted_on: PartialDate
    cells: tuple[MembershipCell, ...]
    sources: tuple[str, ...]


class LatestCount(NamedTuple):
    number: int
    counted_on: PartialDate
    qualifier: str


@dataclass(frozen=True)
class MembershipTable:
    """The latest date first; only kinds that were ever counted, all members before the rest."""

    kinds: tuple[MemberKind, ...]
    rows: tuple[MembershipRow, ...]

    @property
    def latest_total(self) -> LatestCount | None:
        for row in self.rows:
            for cell in row.cells:
                if cell.kind == MemberKind.TOTAL and cell.number is not None:
                    return LatestCount(cell.number, row.counted_on, cell.qualifier)
        return None


def membership_table(counts: Iterable[MembershipCount]) -> MembershipTable:
    by_date: dict[PartialDate, dict[str, MembershipCount]] = {}
    for count in counts:
        by_date.setdefault(count.counted_on, {})[count.kind] = count
    kinds = tuple(kind for kind in MemberKind if any(kind in row for row in by_date.values()))
    return MembershipTable(
        kinds=kinds,
        rows=tuple(
            MembershipRow(
                counted_on=counted_on,
                cells=tuple(_cell(kind, row.get(kind)) for kind in kinds),
                sources=tuple(sorted({count.source for count in row.values() if count.source})),
            )
            # ISO texts sort as their days; reversed, the latest comes first.
            for counted_on, row in sorted(by_date.items(), key=lambda pair: str(pair[0]))[::-1]
        ),
    )


def _cell(kind: MemberKind, count: MembershipCount | None) -> MembershipCell:
    if count is None:
        return MembershipCell(kind, None)
    return MembershipCell(kind, count.count, count.qualifier)
