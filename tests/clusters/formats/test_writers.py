import csv
from io import BytesIO, StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clusters.formats.writers import (
    FOR_PROGRAMS,
    FOR_SPREADSHEETS,
    Value,
    csv_download,
    csv_text,
    without_formula,
    write_table,
)


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1+1", "@SUM", " =1", "\t=1", "\r=1", "\n1", "\uff1d1"]
)
def test_inert_puts_an_apostrophe_before_a_formula(text: str) -> None:
    assert without_formula(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "bioPmed", "a=b", "2015-07", "'quoted"])
def test_inert_leaves_other_texts(text: str) -> None:
    assert without_formula(text) == text


@given(st.lists(st.text(st.characters(exclude_characters="\r\0")), min_size=2, max_size=2))
def test_csv_text_is_read_back(row: list[str]) -> None:
    header, read = csv.reader(StringIO(csv_text(["a", "b"], [row]), newline=""), strict=True)

    assert header == ["a", "b"]
    assert read == [without_formula(value) for value in row]


def test_csv_of_each_style_says_the_same() -> None:
    values: list[Value] = ["Città", 45.5, 7, True, None, "2015-07-14"]
    files = {style: BytesIO() for style in (FOR_PROGRAMS, *FOR_SPREADSHEETS.values())}
    for style, file in files.items():
        write_table(file, list("abcdef"), [values], style)

    programs, english, italian = (file.getvalue().decode() for file in files.values())

    assert programs == "a,b,c,d,e,f\r\nCittà,45.5,7,true,,2015-07-14\r\n"
    assert english == f"\ufeff{programs}"
    assert italian == "\ufeffa;b;c;d;e;f\r\nCittà;45,5;7;true;;2015-07-14\r\n"


def test_csv_download_is_a_file_that_nobody_stores() -> None:
    response = csv_download("clusters", ["name"], [["Città"]])

    assert response.content == "\ufeffname\r\nCittà\r\n".encode()
    assert response["Content-Disposition"] == 'attachment; filename="clusters.csv"'
    assert response["Cache-Control"] == "no-store"
