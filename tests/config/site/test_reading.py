"""What the words of a search are understood to ask."""

from datetime import date

import pytest

from clusters.models import Portfolio
from config.site.search.reading import filter_names, read_words
from labels.register.holdings import INDEX

pytestmark = pytest.mark.django_db

TODAY = date(2026, 11, 22)


def asked(text: str) -> dict[str, str]:
    return dict(read_words(text, INDEX.current(), TODAY))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("gold italy", {"level": "gold", "held": "ever", "country": "IT"}),
        ("cluster italiani con il label Oro", {"level": "gold", "held": "ever", "country": "IT"}),
        ("valid silver in Germany", {"level": "silver", "state": "valid", "country": "DE"}),
        ("Norwegian medtech", {"country": "NO", "portfolio": "health-and-medical-science"}),
        ("aerospaziale torino", {"portfolio": "aviation-and-space", "q": "torino"}),
        ("gold on 8 September 2015", {"level": "gold", "on": "2015-09-08"}),
        ("gold 8 settembre 2015", {"level": "gold", "on": "2015-09-08"}),
        ("gold 2015-09-08", {"level": "gold", "on": "2015-09-08"}),
        ("gold 2015", {"level": "gold", "on": "2015-12-31"}),
        ("gold 2026", {"level": "gold", "on": "2026-11-22"}),
        ("artificial intelligence, Repubblica Ceca", {"portfolio": "ict", "country": "CZ"}),
    ],
)
def test_words_are_read(text: str, expected: dict[str, str]) -> None:
    assert asked(text) == expected


@pytest.mark.parametrize(
    "text", ["bioPmed", "", "in the", '"gold italy"', "«oro»", "2099", "1066", "label 57", "🥇"]
)
def test_what_names_no_filter_is_left_as_words(text: str) -> None:
    assert asked(text) == {}


def test_words_that_the_secretariat_adds_are_read_at_once() -> None:
    assert asked("gadgets") == {}
    portfolio = Portfolio.objects.get(code="ict")
    portfolio.other_names += "|gadgets"
    portfolio.save()

    assert asked("gadgets") == {"portfolio": "ict"}


def test_every_name_of_a_filter_is_read() -> None:
    names = dict(filter_names(INDEX.current().reference))

    assert {
        name: parameter for name, parameter in names.items() if parameter not in asked(name).items()
    } == {}


def test_no_word_names_two_filters() -> None:
    found: dict[str, set[tuple[str, str]]] = {}
    for name, parameter in filter_names(INDEX.current().reference):
        found.setdefault(name, set()).add(parameter)

    assert {name: two for name, two in found.items() if len(two) > 1} == {}
