import pytest
from django.http import QueryDict
from hypothesis import given
from hypothesis import strategies as st

from clusters.directory.query import Cursor, DirectoryQuery, read_cursor, read_directory_query

KNOWN = {
    "level": {"gold", "silver", "bronze"},
    "state": {"valid", "expired"},
    "region": {"IT-21"},
    "portfolio": {"ict", "biotechnology"},
    "programme": {"ace"},
}


def read(text: str) -> DirectoryQuery:
    return read_directory_query(QueryDict(text), KNOWN)


def test_read_query_takes_repeated_values_in_a_stable_order() -> None:
    query = read("country=NO&country=IT&country=NO&level=silver&level=gold&q=+bio++park+")

    assert query == DirectoryQuery(words="bio park", country=("IT", "NO"), level=("gold", "silver"))


def test_read_query_folds_the_case_of_codes() -> None:
    assert read("country=it&portfolio=ICT&level=Gold") == DirectoryQuery(
        country=("IT",), portfolio=("ict",), level=("gold",)
    )


def test_read_query_ignores_unknown_parameters() -> None:
    assert read("utm_source=x&colour=red").is_plain


def test_read_query_names_values_that_do_not_exist() -> None:
    query = read("country=XX&country=IT&portfolio=spells&level=platinum")

    assert (query.country, query.problems) == (
        ("IT",),
        (
            "There is no level “platinum”; it was left out.",
            "There is no country “XX”; it was left out.",
            "There is no portfolio “spells”; it was left out.",
        ),
    )


def test_read_query_searches_the_first_words_of_many_and_says_so() -> None:
    query = read("q=a+b+c+d+e+f+g+h+i")

    assert (query.words, query.problems) == (
        "a b c d e f g h",
        ("Only the first 8 words were searched for.",),
    )


@pytest.mark.parametrize("text", ["2015-02-30", "8.9.2015", "20150908", "2015-W37-2", "x"])
def test_read_query_names_a_day_that_is_none(text: str) -> None:
    query = read(f"on={text}")

    assert (query.on, query.problems) == (
        None,
        (f"“{text}” is not a day like 2015-09-08; today is shown.",),
    )


values = st.lists(
    st.sampled_from(["IT", "NO", "XX", "gold", "ict", "valid", "ace", ""]), max_size=3
)
numbers = st.sampled_from(["", "0", "7", "2015", "-1", "x", "9" * 30, "²"])


@given(
    st.dictionaries(
        st.sampled_from(
            ["country", "portfolio", "level", "state", "programme", "manager", "other"]
        ),
        values,
    ),
    st.dictionaries(
        st.sampled_from(["founded_from", "founded_to", "members_from", "members_to", "within"]),
        numbers,
    ),
    st.lists(
        st.sampled_from(["", "x", "7.69,45.07,8,46", "-0,0,0.5,1", "180,-90,180,90"]), max_size=3
    ),
    st.dictionaries(
        st.sampled_from(["meets", "confirmed", "provisional", "sort", "near", "on"]),
        st.sampled_from(["", "yes", "no", "name", "members", "Torino", "2015-09-08", "maybe"]),
    ),
    st.text(max_size=20),
)
def test_querystring_reads_back_as_the_same_query(
    chosen: dict[str, list[str]],
    bounds: dict[str, str],
    boxes: list[str],
    others: dict[str, str],
    words: str,
) -> None:
    data = QueryDict(mutable=True)
    data.update({"q": words, **bounds, **others})
    for name, listed in {"box": boxes, **chosen}.items():
        data.setlist(name, listed)

    query = read_directory_query(data, KNOWN)

    assert (read(query.querystring()), read(query.querystring()).problems) == (query, ())


def test_querystring_has_one_order() -> None:
    text = "on=2015-09-08&level=gold&country=NO&q=bio&country=IT"

    assert read(text).querystring() == "q=bio&level=gold&country=IT&country=NO&on=2015-09-08"


def test_plain_query_leads_to_the_bare_address() -> None:
    assert DirectoryQuery().url("/en/clusters/") == "/en/clusters/"


def test_toggled_adds_and_takes_away() -> None:
    query = DirectoryQuery(country=("NO",))

    both = query.toggled("country", "IT")

    assert (both.country, both.toggled("country", "NO").country) == (("IT", "NO"), ("IT",))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "founded_from=soon",
            "“soon” is not a number from 0 to 1000000000; “founded_from” was left out.",
        ),
        (
            "near=Torino&within=40000",
            "“40000” is not a number from 0 to 20000; “within” was left out.",
        ),
        *(
            (
                f"box={text}",
                f"“{text}” is not west,south,east,north in degrees; “box” was left out.",
            )
            for text in (
                "7,45,8",
                "8,45,7,46",
                "7,46,8,45",
                "7,45,8,91",
                "7,45,8,nan",
                "7,45,8,45.12345",
                "x",
            )
        ),
        ("meets=maybe", "“maybe” is none of yes; “meets” was left out."),
        (
            "sort=age",
            "“age” is none of relevance, distance, name, newest, ending, members, confirmed; "
            "“sort” was left out.",
        ),
    ],
)
def test_read_query_names_a_value_that_cannot_be(text: str, problem: str) -> None:
    assert read(text).problems == (problem,)


@pytest.mark.parametrize(
    ("text", "cursor"),
    [
        ("", Cursor()),
        ("after=jknzf9nv", Cursor(after="JKNZF9NV")),
        ("before=JKNZF9NV&page=2", Cursor(before="JKNZF9NV")),
    ],
)
def test_read_place_takes_public_ids(text: str, cursor: Cursor) -> None:
    assert read_cursor(QueryDict(text)) == cursor
