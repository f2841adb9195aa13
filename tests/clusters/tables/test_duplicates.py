import pytest

from clusters.tables.duplicates import Entry, Reason, Register

STORED = [
    Entry(1, ("bioPmed Piemonte",), "https://www.biopmed.eu/", "IT10062210014"),
    Entry(2, ("Ötztal Wasser Cluster", "Water Ötztal"), "https://facebook.com/oetztal"),
    Entry(3, ("Cluster Automotive",), "https://example.org/a"),
]


@pytest.mark.parametrize(
    ("entry", "found"),
    [
        pytest.param(
            Entry(9, ("Piemonte, BIOPMED",)), [(1, Reason.NAME)], id="other order and case"
        ),
        pytest.param(
            Entry(9, ("Otztal Waser Cluster",)), [(2, Reason.NAME)], id="accent, mistyped"
        ),
        pytest.param(Entry(9, ("Water Otztal",)), [(2, Reason.NAME)], id="former name"),
        pytest.param(Entry(9, ("New",), "http://biopmed.eu/en"), [(1, Reason.DOMAIN)], id="domain"),
        pytest.param(Entry(9, ("New",), "https://facebook.com/new"), [], id="a site of many"),
        pytest.param(
            Entry(9, ("New",), vat_number="it 100 6221 0014"),
            [(1, Reason.VAT_NUMBER)],
            id="VAT number as it is printed",
        ),
        pytest.param(
            Entry(9, ("biopmed piemonte",), "https://biopmed.eu", "10062210014"),
            [(1, Reason.VAT_NUMBER)],
            id="told once",
        ),
        pytest.param(Entry(1, ("bioPmed Piemonte",), "https://biopmed.eu/"), [], id="itself"),
        pytest.param(Entry(9, ("Cluster Alimentare",)), [], id="one word in common"),
        pytest.param(Entry(9, ("–",), "http://[x", ""), [], id="nothing to compare"),
    ],
)
def test_register_tells_who_is_alike(entry: Entry, found: list[tuple[int, Reason]]) -> None:
    assert [(one.entry.key, one.reason) for one in Register(STORED, [entry]).alike(entry)] == found
