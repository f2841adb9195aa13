import pytest

from clusters.tables.duplicates import DuplicateFinder, Identity
from clusters.tables.duplicates import DuplicateReason as Reason

STORED = [
    Identity(1, ("bioPmed Piemonte",), "https://www.biopmed.eu/", "IT10062210014"),
    Identity(2, ("Ötztal Wasser Cluster", "Water Ötztal"), "https://facebook.com/oetztal"),
    Identity(3, ("Cluster Automotive",), "https://example.org/a"),
]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        pytest.param(
            Identity(9, ("Piemonte, BIOPMED",)), [(1, Reason.NAME)], id="other order and case"
        ),
        pytest.param(
            Identity(9, ("Otztal Waser Cluster",)), [(2, Reason.NAME)], id="accent, mistyped"
        ),
        pytest.param(Identity(9, ("Water Otztal",)), [(2, Reason.NAME)], id="former name"),
        pytest.param(
            Identity(9, ("New",), "http://biopmed.eu/en"), [(1, Reason.DOMAIN)], id="domain"
        ),
        pytest.param(Identity(9, ("New",), "https://facebook.com/new"), [], id="a site of many"),
        pytest.param(
            Identity(9, ("New",), vat_number="it 100 6221 0014"),
            [(1, Reason.VAT_NUMBER)],
            id="VAT number as it is printed",
        ),
        pytest.param(
            Identity(9, ("biopmed piemonte",), "https://biopmed.eu", "10062210014"),
            [(1, Reason.VAT_NUMBER)],
            id="told once",
        ),
        pytest.param(Identity(1, ("bioPmed Piemonte",), "https://biopmed.eu/"), [], id="itself"),
        pytest.param(Identity(9, ("Cluster Alimentare",)), [], id="one word in common"),
        pytest.param(Identity(9, ("–",), "http://[x", ""), [], id="nothing to compare"),
    ],
)
def test_duplicates_are_found(line: Identity, found: list[tuple[int, Reason]]) -> None:
    duplicates = DuplicateFinder(STORED, [line]).find_duplicates(line)

    assert [(one.other.key, one.reason) for one in duplicates] == found
