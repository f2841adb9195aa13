from dataclasses import replace
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clusters.dates import PartialDate
from clusters.tables.reader import ENCODING, ENCODING_ERRORS, MAX_LINE_LENGTH, Finding, TableRefused
from labels.importing.lines import COLUMNS, OPTIONAL_COLUMNS, RegisterFile, RegisterLine, Vocabulary

HEADER = ",".join(COLUMNS)
QUOTES = (
    "a double quote is not closed, or stands inside a value. Put the value between double quotes, "
    "and write each quote inside it twice."
)
TOO_LONG = "the line is longer than 100000 characters. Shorten or remove it."
GOOD = "bioPmed,IT,Piemonte,Park,Food industry,Gold,2015-07,2017-07-31,example.org"
VOCABULARY = Vocabulary(
    countries={"at": "AT", "gb": "GB", "gr": "GR", "it": "IT", "italy": "IT", "italia": "IT"},
    region_codes=frozenset({"IT-21", "AT-3"}),
    portfolios={"Food industry": "food", "Construction": "construction", "ICT": "ict"},
    levels=("bronze", "silver", "gold"),
    longest={"cluster": 200, "region": 120, "managing_organisation": 200, "source": 500}
    | {"certificate": 60, "evidence": 500},
)
RIGHT = RegisterLine(
    number=2,
    cluster="bioPmed",
    country="IT",
    region="Piemonte",
    organisation="Park",
    portfolio="food",
    level="gold",
    awarded_on=PartialDate(2015, 7),
    valid_until=PartialDate(2017, 7, 31),
    source="example.org",
)


def register_file(content: bytes) -> RegisterFile:
    return RegisterFile(StringIO(content.decode(ENCODING, ENCODING_ERRORS), newline="\n"))


def read(content: str | bytes) -> list[RegisterLine | Finding]:
    raw = content if isinstance(content, bytes) else content.encode()
    return list(register_file(raw).read(VOCABULARY))


def with_value(column: str, value: str) -> str:
    """The good line with another value in a column, quoted."""
    values = GOOD.split(",")
    values[COLUMNS.index(column)] = f'"{value}"'
    return ",".join(values)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(f"{HEADER}\n{GOOD}\n".encode(), id="plain"),
        pytest.param(f"{HEADER},,\n{GOOD},,\n".encode(), id="empty columns"),
        pytest.param(f"{HEADER},,\n{GOOD}\n".encode(), id="names that hold nothing"),
        pytest.param(f"{HEADER}\n{GOOD}".encode(), id="no line end at the end"),
        pytest.param(f"{HEADER}\r\n{GOOD}\r\n".encode(), id="CR LF"),
        pytest.param(f"{HEADER}\n{GOOD}\n".encode("utf-8-sig"), id="with a mark"),
        pytest.param(f"{HEADER}\n{GOOD}\n".replace(",", ";").encode(), id="semicolons"),
        pytest.param(f"{HEADER}\n{GOOD}\n,,,,,,,,\n\n".encode(), id="empty rows at the end"),
        pytest.param(f"{HEADER.upper()}\n{GOOD}\n".encode(), id="header in capitals"),
    ],
)
def test_reader_takes_the_forms_that_spreadsheets_write(content: bytes) -> None:
    assert read(content) == [RIGHT]


def test_reader_goes_by_the_names_of_the_columns() -> None:
    header, line = HEADER.split(","), GOOD.split(",")
    turned = ",".join(reversed(header)) + ",note\n" + ",".join(reversed(line)) + ",x\n"

    assert read(turned) == [RIGHT]


def test_reader_names_a_column_that_it_does_not_know() -> None:
    file = register_file(f"{HEADER},note\n".encode())

    assert file.notices == [Finding(1, "note", "the column is not known and not read.")]


def test_reader_takes_what_a_source_says_and_how_surely() -> None:
    more = ("renewal", "G-2015/57", "Own news of July 2015: second Gold.", "medium")
    [line] = read(f"{HEADER},{','.join(OPTIONAL_COLUMNS)}\n{GOOD},{','.join(more)}\n")

    assert line == replace(
        RIGHT, kind="renewal", certificate=more[1], evidence=more[2], confidence="reported"
    )


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("country_code", "Italy"),
        ("country_code", "ITALIA"),
        ("country_code", "it"),
        ("label_level", "Oro"),
        ("label_level", "GOLD"),
    ],
)
def test_reader_takes_countries_and_levels_in_both_languages(column: str, value: str) -> None:
    assert read(f"{HEADER}\n{with_value(column, value)}\n") == [RIGHT]


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("kind", "third", "“third” is none of first, renewal. Write one of them."),
        (
            "confidence",
            "sure",
            "“sure” is none of high, medium, low, seen, reported, doubtful. Write one of them.",
        ),
        ("evidence", "x" * 501, "the value has 501 characters; at most 500 fit."),
        ("certificate", "x" * 61, "the value has 61 characters; at most 60 fit."),
    ],
)
def test_mistake_in_a_further_column_is_explained(column: str, value: str, message: str) -> None:
    assert read(f"{HEADER},{column}\n{GOOD},{value}\n") == [Finding(2, column, message)]


def test_source_that_was_seen_is_named() -> None:
    line = GOOD.replace("example.org", "")

    assert read(f"{HEADER},confidence\n{line},high\n") == [
        Finding(2, "confidence", "no source is named that was seen. Name it under “source”.")
    ]


def test_reader_counts_the_lines_of_the_file() -> None:
    found = read(f"{HEADER}\n\n{GOOD}\n\n\n{GOOD}\n")

    assert [line.number for line in found if isinstance(line, RegisterLine)] == [3, 6]


@pytest.mark.parametrize(
    ("content", "finding"),
    [
        pytest.param(
            b"",
            Finding(0, "", "The file is empty. Begin it with the names of the columns."),
            id="empty",
        ),
        pytest.param(
            b"\xef\xbb\xbf \r\n\r\n",
            Finding(0, "", "The file is empty. Begin it with the names of the columns."),
            id="only blanks",
        ),
        pytest.param(
            HEADER.replace("region,", "").encode(),
            Finding(1, "", "columns are missing: region. Add them; values may be empty."),
            id="missing column",
        ),
        pytest.param(
            f"{HEADER},source".encode(),
            Finding(1, "source", "the column is there more than once. Keep one."),
            id="repeated column",
        ),
        pytest.param(
            HEADER.encode("utf-16"),
            Finding(
                1,
                "",
                "the file is encoded in UTF-16. In your spreadsheet choose “Save as”, then "
                "“CSV UTF-8”, and take the new file.",
            ),
            id="UTF-16",
        ),
        pytest.param(b"x" * (MAX_LINE_LENGTH + 1), Finding(1, "", TOO_LONG), id="endless"),
        pytest.param(f'"{HEADER}'.encode(), Finding(1, "", QUOTES), id="quote"),
    ],
)
def test_header_that_cannot_be_used_is_explained(content: bytes, finding: Finding) -> None:
    with pytest.raises(TableRefused) as caught:
        register_file(content)

    assert caught.value.findings == (finding,)


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("cluster", "", "the value is missing. Fill it in."),
        ("cluster", "x" * 201, "the value has 201 characters; at most 200 fit."),
        (
            "cluster",
            "bio\0Pmed",
            "this holds the character U+0000, which is no text. Write it again, or save the file "
            "as “CSV UTF-8”.",
        ),
        (
            "cluster",
            "bio\u202ePmed",
            "character 4 is the invisible RIGHT-TO-LEFT OVERRIDE (U+202E). Remove it.",
        ),
        ("cluster", "=1+1", "“=1+1” looks like a formula. Remove the leading sign."),
        ("region", "+39", "“+39” looks like a formula. Remove the leading sign."),
        ("managing_organisation", "@x", "“@x” looks like a formula. Remove the leading sign."),
        ("source", "\tx", "character 1 is the invisible CONTROL CHARACTER (U+0009). Remove it."),
        (
            "source",
            "caf\ufffd",
            "a character was lost (U+FFFD) in an earlier conversion. Restore it.",
        ),
        ("country_code", "", "the value is missing. Fill it in."),
        ("country_code", "Itaca", "“Itaca” is no ISO 3166 country. Write two letters, as IT."),
        ("country_code", "UK", "“UK” is no ISO 3166 country. Write GB."),
        ("region", "AT-3", "AT-3 lies in another country than IT."),
        ("region", "IT-99", "no region has the code IT-99. Write its name instead."),
        (
            "sector",
            "Fod industry",
            "“Fod industry” is no portfolio. "
            "The nearest are “Food industry”, “Construction”, “ICT”.",
        ),
        ("label_level", "", "the value is missing. Fill it in."),
        ("label_level", "Platinum", "“Platinum” is no level. Write one of Bronze, Silver, Gold."),
        (
            "awarded_on_or_year",
            "2015-02-30",
            "2015-02 has no day 30. Correct it, or leave it empty if it is not known.",
        ),
        (
            "valid_until",
            "31/07/2017",
            "“31/07/2017” is not a date like 2013, 2015-07 or 2015-07-14. "
            "Correct it, or leave it empty if it is not known.",
        ),
        (
            "valid_until",
            "2015-06-30",
            "the end 2015-06-30 lies before the start 2015-07. Correct one of them.",
        ),
    ],
)
def test_bad_value_is_reported_with_line_and_column(column: str, value: str, message: str) -> None:
    assert read(f"{HEADER}\n{with_value(column, value)}\n") == [Finding(2, column, message)]


@pytest.mark.parametrize(
    ("column", "value", "attribute", "expected"),
    [
        ("label_level", "gOLD", "level", "gold"),
        ("country_code", "it", "country", "IT"),
        ("region", "it-21", "region", "IT-21"),
        ("sector", "food INDUSTRY", "portfolio", "food"),
        ("sector", "", "portfolio", ""),
        ("cluster", "  bio  Pmed ", "cluster", "bio Pmed"),
        ("cluster", "Cafe\u0301", "cluster", "Caf\u00e9"),
        ("cluster", "-1+1", "cluster", "-1+1"),
        ("cluster", "The “”best”” one", "cluster", "The “”best”” one"),
        ("cluster", 'The ""best"" one', "cluster", 'The "best" one'),
        ("awarded_on_or_year", "", "awarded_on", None),
        ("valid_until", "2015", "valid_until", PartialDate(2015)),
    ],
)
def test_value_is_read_as_it_is_meant(
    column: str, value: str, attribute: str, expected: object
) -> None:
    (line,) = read(f"{HEADER}\n{with_value(column, value)}\n")

    assert getattr(line, attribute) == expected


def test_every_mistake_of_a_line_is_reported() -> None:
    found = read(f"{HEADER}\n,XX,,,,Platinum,2015-13,,\n")

    assert [finding.column for finding in found if isinstance(finding, Finding)] == [
        "cluster",
        "country_code",
        "label_level",
        "awarded_on_or_year",
    ]


def test_other_encoding_is_named_with_its_line_and_column() -> None:
    content = f"{HEADER}\n{GOOD}\nCafé,IT,,,,Gold,,,\n".encode("latin-1")

    assert read(content) == [
        RIGHT,
        Finding(
            3,
            "cluster",
            "“Caf\ufffd” is not encoded in UTF-8. In your spreadsheet choose “Save as”, then "
            "“CSV UTF-8”, and take the new file.",
        ),
    ]


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        pytest.param('"bioPmed,IT,,,,Gold,,,', QUOTES, id="unclosed quote"),
        pytest.param('"bio"Pmed,IT,,,,Gold,,,', QUOTES, id="quote in the middle"),
        pytest.param(
            "bio\rPmed,IT,,,,Gold,,,",
            "a carriage return stands inside the line. End each line with LF or CR LF.",
            id="carriage return",
        ),
        pytest.param(
            "Queretaro, A.C.,MX,,,,Gold,,,",
            "the line has 10 values, the header 9. "
            "Put a value that contains “,” between double quotes.",
            id="unquoted comma",
        ),
        pytest.param(
            "bioPmed,IT",
            "the line has 2 values, the header 9. "
            "Put a value that contains “,” between double quotes.",
            id="short",
        ),
        pytest.param("x" * (2 * MAX_LINE_LENGTH), TOO_LONG, id="endless"),
    ],
)
def test_line_in_disorder_spoils_no_other_line(bad: str, message: str) -> None:
    found = read(f"{HEADER}\n{bad}\n{GOOD}\n")

    assert found[0] == Finding(2, "", message)
    assert [line.number for line in found if isinstance(line, RegisterLine)] == [3]


@given(st.lists(st.one_of(st.binary(max_size=60), st.sampled_from([GOOD.encode(), b'"', b"\n"]))))
def test_reader_reports_on_whatever_it_is_given(pieces: list[bytes]) -> None:
    content = HEADER.encode() + b"\n" + b"\n".join(pieces)

    numbers = [
        found.number if isinstance(found, RegisterLine) else found.line
        for found in register_file(content).read(VOCABULARY)
    ]

    assert numbers == sorted(numbers)
    assert all(2 <= number <= content.count(b"\n") + 1 for number in numbers)
