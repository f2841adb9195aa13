"""What may be read of a file that somebody uploads, and what is refused before it does harm."""

from datetime import date
from io import BytesIO
from secrets import token_bytes
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from openpyxl import Workbook, load_workbook

from clusters.tables import reader as tables
from clusters.tables.reader import Line, Table, TableRefused, read_table
from tests.admin_tables import workbook

XML = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def repacked(content: bytes, **parts: bytes) -> bytes:
    """The workbook with other parts; names are written with dots for slashes."""
    file = BytesIO()
    given = {name.replace("__", "/") + ".xml": data for name, data in parts.items()}
    with ZipFile(BytesIO(content)) as old, ZipFile(file, "w", ZIP_DEFLATED) as new:
        for name in old.namelist():
            if name not in given:
                new.writestr(name, old.read(name))
        for name, data in given.items():
            new.writestr(name, data)
    return file.getvalue()


def sheet(rows: str, before: str = "") -> bytes:
    return f'{before}<worksheet xmlns="{XML}"><sheetData>{rows}</sheetData></worksheet>'.encode()


def with_sheet(rows: str, before: str = "") -> bytes:
    return repacked(workbook(["name"]), xl__worksheets__sheet1=sheet(rows, before))


def text_cell(coordinate: str, text: str) -> str:
    return f'<c r="{coordinate}" t="inlineStr"><is><t>{text}</t></is></c>'


def billion_laughs() -> bytes:
    entities = '<!ENTITY a0 "ha">' + "".join(
        f'<!ENTITY a{level} "{f"&a{level - 1};" * 10}">' for level in range(1, 12)
    )
    rows = f'<row r="1">{text_cell("A1", "&a11;")}</row>'
    return with_sheet(rows, f"<!DOCTYPE x [{entities}]>")


def outside_entity() -> bytes:
    rows = f'<row r="1">{text_cell("A1", "name")}</row><row r="2">{text_cell("A2", "&x;")}</row>'
    return with_sheet(rows, '<!DOCTYPE x [<!ENTITY x SYSTEM "file:///etc/hostname">]>')


def two_sheets() -> bytes:
    book = Workbook()
    book.create_sheet("Another")
    file = BytesIO()
    book.save(file)
    return file.getvalue()


def bomb() -> bytes:
    return repacked(workbook(["name"]), xl__worksheets__sheet1=sheet(" " * 9_000_000))


def memory_hog() -> bytes:
    """Small in the archive and unpacked, and a cell of the parser for each four bytes."""
    cells = "<c/>" * 120_000
    noise = token_bytes(200_000)  # so that the ratio does not tell
    parts = {"xl__worksheets__sheet1": sheet(f"<row>{cells}</row>"), "noise": noise}
    return repacked(workbook(["name"]), **parts)


def many_members() -> bytes:
    return repacked(workbook(["name"]), **{f"part{number}": b"" for number in range(101)})


def lying(content: bytes) -> bytes:
    """The directory says that each part begins where the first one does."""
    file = BytesIO(content)
    first = ZipFile(file).infolist()[0]
    offset = content.index(b"PK\x01\x02")
    data = bytearray(content)
    while offset < len(data) and data[offset : offset + 4] == b"PK\x01\x02":
        data[offset + 20 : offset + 24] = len(content).to_bytes(4, "little")
        data[offset + 42 : offset + 46] = first.header_offset.to_bytes(4, "little")
        lengths = [
            int.from_bytes(data[offset + at : offset + at + 2], "little") for at in (28, 30, 32)
        ]
        offset += 46 + sum(lengths)
    return bytes(data)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        pytest.param(b"", "The file is empty. Begin it with", id="empty"),
        pytest.param(b"name\n", "no line under its header", id="only a header"),
        pytest.param(b"name,town,name\na,b,c\n", "more than once: name.", id="header twice"),
        pytest.param(b"name,\na,b\n", "Column 2 has no name", id="nameless column"),
        pytest.param(b"name\n\xff\n", "Line 2 is not UTF-8", id="not UTF-8"),
        pytest.param("name\nx\n".encode("utf-16"), "is not UTF-8", id="UTF-16"),
        pytest.param(b"name\na\nb\0\n", "Line 3 holds a NUL", id="NUL"),
        pytest.param(b'name,town\na,"b\nc,d\n', "from line 2 on are wrong", id="open quote"),
        pytest.param(b'name\n"a"b\n', "from line 2 on are wrong", id="text after a quote"),
        pytest.param(b"name,town\na\n", "Line 2 has 1 values, the header 2", id="too few"),
        pytest.param(b"name,town\na,b,c\n", "Line 2 has 3 values, the header 2", id="too many"),
        pytest.param(b"name\n=1+1\n", "“=1+1” looks like a formula", id="typed formula"),
        pytest.param(b"name\n" + b"x\n" * 1_001, "more than 1000 lines", id="many lines"),
        pytest.param(b"a," * 61 + b"\n1\n", "more than 60 columns", id="many columns"),
        pytest.param(b"name\n" + b"x" * 20_001, "Line 2 holds a value with more", id="long value"),
        pytest.param(b"name\n" + b"x" * 140_000, "from line 2 on", id="longer than csv takes"),
        pytest.param(b"x" * (4 * 2**20 + 1), "larger than 4 MiB", id="large"),
        pytest.param(b"PK\x03\x04nonsense", "cannot be read as a table", id="no archive"),
        pytest.param(workbook(["name"], A3="=1+1"), "Cell A3 holds a formula", id="formula"),
        pytest.param(workbook(["name"], A2="#REF!"), "Cell A2 holds an error", id="error"),
        pytest.param(workbook(["name"], XFD1048576="x"), "Line 1048576 holds", id="far apart"),
        pytest.param(workbook(["name"], A1048576="x"), "more than 1000 lines", id="far below"),
        pytest.param(two_sheets(), "has 2 sheets", id="two sheets"),
        pytest.param(many_members(), "too many parts", id="many members"),
        pytest.param(bomb(), "Unpacked, the file would be larger", id="bomb"),
        pytest.param(lying(workbook(["name"])), "Unpacked, the file would", id="overlapping"),
        pytest.param(billion_laughs(), "", id="entities"),
    ],
)  # fmt: skip
def test_table_is_refused_in_words(content: bytes, told: str) -> None:
    with pytest.raises(TableRefused) as refused:
        read_table(content)

    assert told in str(refused.value)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b'\xef\xbb\xbfName;Town\n\n"a;\nb";\'=x\n', id="CSV of a spreadsheet"),
        pytest.param(b'name\ttown\r\n\r\n"a;\nb"\t\'=x\r\n', id="tabs"),
    ],
)
def test_csv_is_read_with_the_line_that_a_record_begins_on(content: bytes) -> None:
    assert read_table(content) == Table(
        ("name", "town"), [Line(3, {"name": "a;\nb", "town": "=x"})]
    )


def test_spreadsheet_is_read_as_its_cells_show() -> None:
    book = workbook(["a", "b", "c", "d", "e"], [True, 45.4326, 2015, None, "=x"])
    filled = load_workbook(BytesIO(book))
    cells = filled.worksheets[0]
    cells["E2"].data_type = "s"
    cells["A4"], cells["A4"].number_format = date(2015, 7, 1), "mmm-yy"
    cells["B4"] = date(2015, 7, 1)
    file = BytesIO()
    filled.save(file)

    lines = read_table(file.getvalue()).lines

    assert [(line.number, [*line.values.values()]) for line in lines] == [
        (2, ["true", "45.4326", "2015", "", "=x"]),
        (4, ["2015-07", "2015-07-01", "", "", ""]),
    ]  # fmt: skip


def test_spreadsheet_reads_nothing_from_the_machine() -> None:
    try:
        lines = read_table(outside_entity()).lines
    except TableRefused:
        return
    assert [line.values["name"] for line in lines if line.values["name"]] == []


def test_spreadsheet_that_takes_too_much_memory_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    content = memory_hog()
    with pytest.raises(TableRefused, match="is empty"):
        read_table(content)
    monkeypatch.setattr(tables, "MOST_MEMORY", 72)

    with pytest.raises(TableRefused, match="too much of the machine"):
        read_table(content)


def test_spreadsheet_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "MOST_SECONDS", 0)

    with pytest.raises(TableRefused, match="too much of the machine"):
        read_table(workbook(["name"], ["x"]))
