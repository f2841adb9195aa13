"""What may be read of an XLSX that somebody uploads, and what is refused before it does harm."""

from datetime import date
from io import BytesIO
from time import process_time
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
import xlsxwriter
from openpyxl import Workbook, load_workbook

from clusters.tables.reader import ParsedLine, TableRefused
from clusters.tables.spreadsheet import (
    MAX_ATTRIBUTES,
    MAX_TAGS,
    MAX_UNPACKED,
    read_spreadsheet_table,
)
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
    return repacked(workbook(["name"]), xl__worksheets__sheet1=sheet(" " * MAX_UNPACKED))


def memory_hog() -> bytes:
    """Small in the archive and unpacked, and an element of the parser for each four bytes."""
    return with_sheet(f"<row>{'<c/>' * MAX_TAGS}</row>")


def many_attributes() -> bytes:
    attributes = " ".join(f'a{number}=""' for number in range(MAX_ATTRIBUTES))
    return with_sheet(f"<row {attributes}/>")


def long_row() -> bytes:
    return with_sheet(f"<row>{'<c/>' * 1_000}</row>")


def line_without_end() -> bytes:
    return with_sheet(f'<row r="999999999999999">{text_cell("A999999999999999", "x")}</row>')


def shared_text() -> bytes:
    """One text that many cells hold and the file once."""
    file = BytesIO()
    with xlsxwriter.Workbook(file) as book:
        book.add_worksheet().write_column("A1", ["x" * 32_000] * 600)
    return file.getvalue()


def in_utf_16() -> bytes:
    rows = f'<row r="1">{text_cell("A1", "&x;")}</row>'
    text = sheet(rows, '<!DOCTYPE x [<!ENTITY x "name">]>').decode().encode("utf-16")
    return repacked(workbook(["name"]), xl__worksheets__sheet1=text)


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
        pytest.param(b"PK\x03\x04nonsense", "cannot be read as a table", id="no archive"),
        pytest.param(workbook(["name"], A3="=1+1"), "Cell A3 holds a formula", id="formula"),
        pytest.param(workbook(["name"], A2="#REF!"), "Cell A2 holds an error", id="error"),
        pytest.param(workbook(["name"], XFD1048576="x"), "The sheet goes down", id="far apart"),
        pytest.param(workbook(["name"], A1048576="x"), "stands far from the table", id="far below"),
        pytest.param(two_sheets(), "has 2 sheets", id="two sheets"),
        pytest.param(many_members(), "Unpacked, the file is larger", id="many members"),
        pytest.param(bomb(), "Unpacked, the file is larger", id="bomb"),
        pytest.param(lying(workbook(["name"])), "cannot be read as a table", id="overlapping"),
        pytest.param(billion_laughs(), "cannot be read as a table", id="entities"),
        pytest.param(outside_entity(), "cannot be read as a table", id="entity from outside"),
        pytest.param(in_utf_16(), "cannot be read as a table", id="entities in UTF-16"),
        pytest.param(memory_hog(), "more cells than a table", id="many cells"),
        pytest.param(many_attributes(), "more cells than a table", id="many attributes"),
        pytest.param(long_row(), "stands far from the table", id="many cells in a row"),
        pytest.param(line_without_end(), "stands far from the table", id="line without end"),
        pytest.param(shared_text(), "Unpacked, the file is larger", id="text that cells share"),
        pytest.param(workbook(["name"], *[["x"]] * 1_001), "more than 1000", id="many lines"),
        pytest.param(workbook(["a"] * 61, ["x"]), "there more than once", id="names"),
        pytest.param(workbook(["a"], ["b", "c"]), "Line 2: the line has a value", id="beyond"),
    ],
)  # fmt: skip
def test_spreadsheet_is_refused_in_words(content: bytes, told: str) -> None:
    with pytest.raises(TableRefused) as refused:
        read_spreadsheet_table(content)

    assert told in str(refused.value)


def test_spreadsheet_is_read_as_its_cells_show() -> None:
    book = workbook(["a", "b", "c", "d", "e"], [True, 45.4326, 2015, None, "=x"])
    filled = load_workbook(BytesIO(book))
    cells = filled.worksheets[0]
    cells["E2"].data_type = "s"
    cells["A4"], cells["A4"].number_format = date(2015, 7, 1), "mmm-yy"
    cells["B4"] = date(2015, 7, 1)
    file = BytesIO()
    filled.save(file)

    table = read_spreadsheet_table(file.getvalue())

    assert table.rows == [
        ParsedLine(2, ["true", "45.4326", "2015", "", "=x"]),
        ParsedLine(4, ["2015-07", "2015-07-01", "", "", ""]),
    ]


HEADER = f'<row r="1">{text_cell("A1", "name")}</row>'


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param(f'<row r="{2**31}">{text_cell(f"A{2**31}", "x")}</row>', id="row at 2^31"),
        pytest.param(f'<row r="{10**30}">{text_cell("A2", "x")}</row>', id="row at 10^30"),
        pytest.param('<row r="NaN"><c r="A2"/></row>', id="row that is no number"),
        pytest.param(f'<row r="2">{text_cell("XFD1048576", "x")}</row>', id="last cell there is"),
        pytest.param(f'<row r="2">{text_cell("A" * 50 + "2", "x")}</row>', id="no column"),
        pytest.param('<row r="2"><c r="ZZZ2"/></row>' * 1000, id="far cells"),
        pytest.param(f'<row r="2"><c r="A2" t="s"><v>{10**12}</v></c></row>', id="no shared text"),
        pytest.param(f'<row r="2"><c r="A2"><v>{"9" * 5000}</v></c></row>', id="long number"),
        pytest.param("<a>" * 200_000 + "</a>" * 200_000, id="deep"),
        pytest.param("<row/>" * 400_000, id="empty rows"),
    ],
)
def test_number_in_a_sheet_takes_no_time(rows: str) -> None:
    content = with_sheet(HEADER + rows)
    begun = process_time()

    with pytest.raises(TableRefused) as refused:
        read_spreadsheet_table(content)

    assert len(str(refused.value)) > 20
    assert process_time() - begun < 5


def test_number_in_a_sheet_that_is_small_is_read() -> None:
    content = with_sheet(HEADER + f'<row r="9">{text_cell("A9", "x")}</row>')

    assert read_spreadsheet_table(content).rows == [ParsedLine(9, ["x"])]
