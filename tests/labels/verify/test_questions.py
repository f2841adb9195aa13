from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clusters.tables.reader import TableRefused, without_placeholder
from labels.verify.questions import (
    MAX_LINES,
    QuestionLine,
    question,
    read_csv_lines,
    read_lines,
    read_pasted_lines,
    reasons,
)


def asked_in(data: bytes) -> list[str]:
    return [line.asked for line in read_csv_lines(data)]


@pytest.mark.parametrize(
    ("text", "field", "value"),
    [
        pytest.param(" bcdf2345 ", "number", "BCDF2345", id="number"),
        pytest.param("https://x.example/it/labels/bcdf2345/?on=x", "number", "BCDF2345", id="page"),
        pytest.param("/labels/BCDF2345.json", "number", "BCDF2345", id="JSON twin"),
        pytest.param("/labels/BCDF2345/seal.svg", "number", "BCDF2345", id="seal"),
        pytest.param("x.example/en/clusters/BioPmed", "cluster_slug", "biopmed", id="cluster"),
        pytest.param("/it/organisations/park/#x", "organisation_slug", "park", id="organisation"),
        pytest.param(
            "/en/clusters/biopmed/", "number", "", id="the page of a cluster is no number"
        ),
        pytest.param("bioPmed", "cluster_slug", "biopmed", id="last part of an address"),
        pytest.param("IT 0123 4567 890", "vat_number", "IT01234567890", id="VAT with spaces"),
        pytest.param("it-01234567890", "vat_number", "IT01234567890", id="VAT in lower case"),
        pytest.param("Partita IVA: 01234567890", "vat_number", "01234567890", id="VAT in words"),
        pytest.param("GR 094259216", "vat_number", "EL094259216", id="Greece"),
        pytest.param("Cluster 2030", "vat_number", "", id="too few digits"),
        pytest.param("G\u200b-2015\ufeff/57", "asked", "G-2015/57", id="unseen marks"),
    ],
)
def test_question_is_read(text: str, field: str, value: str) -> None:
    assert getattr(question(text), field) == value


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("GRÖẞE", "größe"),
        ("bioPmed\u00a0 Torino", "BIOPMED torino"),
        ("\u202eabc", "abc"),
        ("\uff21\uff22", "ab"),
    ],
)
def test_texts_that_read_the_same_fold_alike(one: str, other: str) -> None:
    assert question(one).folded == question(other).folded


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param("IT0123456789", "wrong length for its country", id="VAT too short"),
        pytest.param("IT00743110158", "check digit is wrong", id="VAT mistyped"),
        pytest.param("IT00743110157", "correct VAT number, but of no organisation", id="VAT"),
        pytest.param("IT01234567891", "not correct", id="VAT of no office"),
        pytest.param("BCDF234", "has 8 characters; this has 7", id="number too short"),
        pytest.param("BCD0O345", "never holds 0, O", id="letters that are not used"),
        pytest.param("BCDF2345", "compare each character", id="number"),
        pytest.param("https://x.example/", "not that of a label", id="address"),
        pytest.param("x" * 201, "first 200 characters", id="too long"),
    ],
)
def test_reasons_are_told_in_words(text: str, reason: str) -> None:
    assert reason in " ".join(reasons(question(text)))


def test_name_has_no_reason_of_its_own() -> None:
    assert reasons(question("bioPmed")) == []


def test_pasted_lines_keep_their_numbers() -> None:
    assert read_pasted_lines("\r\n a  b \r\n\r\nc\td\n") == [
        QuestionLine(2, "a b"),
        QuestionLine(4, "c"),
    ]


@pytest.mark.parametrize(
    ("data", "asked"),
    [
        pytest.param(b"A\nB\n", ["A", "B"], id="one column"),
        pytest.param(b"\xef\xbb\xbfcertificate\nA\n", ["A"], id="mark and header"),
        pytest.param(b"country;Cluster;town\nIT;A;x\nFR;B;y\n", ["A", "B"], id="semicolons"),
        pytest.param(b"country\tvat_number\nIT\t1\n", ["1"], id="tabs"),
        pytest.param(b"A,x\nB,y\n", ["A", "B"], id="commas without a header"),
        pytest.param(b"A, of the sea\nB\n", ["A, of the sea", "B"], id="commas in a name"),
        pytest.param(b'"A, of the sea"\n"B"\n', ["A, of the sea", "B"], id="quoted"),
        pytest.param(b'name\n"A\nof the sea"\nB\n', ["A of the sea", "B"], id="line in a cell"),
        pytest.param(b"name,certificate\nA,1\nB,\n", ["1", "B"], id="the surest that is filled"),
        pytest.param(b"\n\nname\n\nA\n", ["A"], id="empty lines"),
    ],
)
def test_uploaded_file_is_read(data: bytes, asked: list[str]) -> None:
    assert asked_in(data) == asked


def test_uploaded_lines_have_the_number_of_their_first_line() -> None:
    assert [line.number for line in read_csv_lines(b'name\n"A\nb"\nC\n')] == [2, 4]


@pytest.mark.parametrize(
    ("data", "line", "word"),
    [
        pytest.param(b"A\nB\xe8\n", 2, "CSV UTF-8", id="Latin 1"),
        pytest.param(b"A\nB\nC\x00\n", 3, "no text", id="binary"),
        pytest.param("A\n".encode("utf-16"), 1, "UTF-16", id="UTF-16"),
        pytest.param(b"PK\x03\x04" + bytes(100), 1, "spreadsheet", id="spreadsheet"),
        pytest.param(b"%PDF-1.7", 1, "spreadsheet", id="PDF"),
        pytest.param(b'A\n"B\nC\n', 2, "double quote", id="open quotation mark"),
        pytest.param(b"A\n" + b"x" * 140_000, 2, "is longer", id="long cell"),
        pytest.param(b"A\n" * (MAX_LINES + 1), 1001, "1001 lines; 1000", id="too many lines"),
        pytest.param(b"x" * (1024 * 1024 + 1), 0, "1 MB", id="too large"),
        pytest.param(b"\n \n", 0, "no line to verify", id="empty"),
        pytest.param(b"", 0, "no line to verify", id="nothing"),
        pytest.param(b"name\n", 0, "no line to verify", id="only a header"),
    ],
)
def test_unreadable_file_names_the_line_and_what_to_do(data: bytes, line: int, word: str) -> None:
    with pytest.raises(TableRefused) as error:
        read_csv_lines(data)

    assert error.value.line == line
    assert word in str(error.value)
    assert line == 0 or str(line) in str(error.value) or "spreadsheet" in str(error.value)


@pytest.mark.parametrize(
    ("read", "given"),
    [
        pytest.param(read_pasted_lines, "A\nB\x07", id="pasted"),
        pytest.param(read_lines, ["A", "B\ud800"], id="half of a surrogate pair"),
    ],
)
def test_characters_that_are_no_text_are_named_by_their_line(read: Any, given: Any) -> None:
    with pytest.raises(TableRefused) as error:
        read(given)

    assert error.value.line == 2


@given(
    st.binary(max_size=300) | st.text(max_size=200).map(lambda text: text.encode(errors="replace"))
)
def test_any_bytes_are_read_or_refused_in_words(data: bytes) -> None:
    with suppress(TableRefused):
        lines = read_csv_lines(data)
        assert lines
        assert all(line.asked == " ".join(line.asked.split()) != "" for line in lines)


@given(st.lists(st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1)))
def test_pasted_lines_come_back_in_their_order(texts: list[str]) -> None:
    filled = [without_placeholder(" ".join(text.split())) for text in texts]
    wanted = [text for text in filled if text]
    if wanted:
        assert [line.asked for line in read_pasted_lines("\n".join(texts))] == wanted
