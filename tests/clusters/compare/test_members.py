import pytest

from clusters.compare.members import membership_table
from clusters.dates import PartialDate
from clusters.models import MemberKind, MembershipCount


def counted(
    counted_on: str, kind: MemberKind, count: int, source: str = "", qualifier: str = ""
) -> MembershipCount:
    return MembershipCount(
        counted_on=PartialDate.parse(counted_on),
        kind=kind,
        count=count,
        source=source,
        qualifier=qualifier,
    )


def test_membership_table_has_a_row_per_date_and_a_column_per_kind() -> None:
    table = membership_table(
        [
            counted("2015", MemberKind.SME, 40),
            counted("2022-12", MemberKind.TOTAL, 87),
            counted("2022-12", MemberKind.SME, 60),
        ]
    )

    assert table.kinds == (MemberKind.TOTAL, MemberKind.SME)
    assert [(str(row.counted_on), [cell.number for cell in row.cells]) for row in table.rows] == [
        ("2022-12", [87, 60]),
        ("2015", [None, 40]),
    ]


def test_membership_row_names_each_source_once() -> None:
    table = membership_table(
        [
            counted("2015", MemberKind.SME, 1, "example.org/b"),
            counted("2015", MemberKind.LARGE, 2, "example.org/a"),
            counted("2015", MemberKind.OTHER, 3, "example.org/b"),
        ]
    )

    assert table.rows[0].sources == ("example.org/a", "example.org/b")


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        pytest.param([], None, id="nothing counted"),
        pytest.param([counted("2022", MemberKind.SME, 5)], None, id="no count of all"),
        pytest.param(
            [
                counted("2022", MemberKind.SME, 5),
                counted("2015", MemberKind.TOTAL, 9, qualifier="about"),
                counted("2014", MemberKind.TOTAL, 8),
            ],
            (9, PartialDate(2015), "about"),
            id="the last count of all",
        ),
    ],
)
def test_latest_total_is_the_last_count_of_all_members(
    counts: list[MembershipCount], expected: tuple[int, PartialDate, str] | None
) -> None:
    assert membership_table(counts).latest_total == expected
