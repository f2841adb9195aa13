"""What may be read of a CSV file that somebody gives, and what is refused in words."""

import pytest

from clusters.tables.reader import ParsedLine, Table, TableRefused, read_csv_table

MANY_COLUMNS = ",".join(map(str, range(61))).encode()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        pytest.param(b"", "The file is empty. Begin it with", id="empty"),
        pytest.param(b"name\n", "no line under its header", id="only a header"),
        pytest.param(b"name,a,name\na,b,c\n", "Line 1, name: the column", id="header twice"),
        pytest.param(b"name,\na,b\n", "Column 2 has no name", id="nameless column"),
        pytest.param(b"name\n\xff\n", "Line 2, name: “\ufffd” is not", id="not UTF-8"),
        pytest.param("name\nx\n".encode("utf-16"), "is encoded in UTF-16", id="UTF-16"),
        pytest.param(b"name\na\nb\0\n", "Line 3, name: this holds the character U+0000", id="NUL"),
        pytest.param(b'name,town\na,"b\nc,d\n', "Line 2: a double quote is", id="open quote"),
        pytest.param(b'name\n"a"b\n', "Line 2: a double quote is", id="text after a quote"),
        pytest.param(b"name,town\na\n", "Line 2: the line has 1 values", id="too few"),
        pytest.param(b"name,town\na,b,c\n", "Line 2: the line has 3 values", id="too many"),
        pytest.param(b"name\n=1+1\n", "“=1+1” looks like a formula", id="typed formula"),
        pytest.param(b"name\n" + b"x\n" * 1_001, "more than 1000 lines", id="many lines"),
        pytest.param(MANY_COLUMNS, "more than 60 columns", id="many columns"),
        pytest.param(b"name\n" + b"x" * 20_001, "Line 2, name: the value is", id="long value"),
        pytest.param(b"name\n" + b"x" * 140_000, "Line 2: the line is longer", id="long line"),
    ],
)  # fmt: skip
def test_table_is_refused_in_words(content: bytes, told: str) -> None:
    with pytest.raises(TableRefused) as refused:
        read_csv_table(content)

    assert told in str(refused.value)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"name;town;;\na;b;;\nc;;;\n", id="in every line"),
        pytest.param(b"name;town;;\na;b\nc;\n", id="in the header"),
        pytest.param(b"name;;town\na;;b\nc; ;\n", id="between"),
    ],
)
def test_empty_columns_without_a_name_are_left_out(content: bytes) -> None:
    assert read_csv_table(content) == Table(
        ("name", "town"), [ParsedLine(2, ["a", "b"]), ParsedLine(3, ["c", ""])]
    )


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b'\xef\xbb\xbfName;Town\n\n"a;\nb";\'=x\n', id="CSV of a spreadsheet"),
        pytest.param(b'name\ttown\r\n\r\n"a;\nb"\t\'=x\r\n', id="tabs"),
    ],
)
def test_csv_is_read_with_the_line_that_a_record_begins_on(content: bytes) -> None:
    assert read_csv_table(content) == Table(("name", "town"), [ParsedLine(3, ["a;\nb", "=x"])])
