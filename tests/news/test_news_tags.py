from collections.abc import Callable

import pytest
from django.utils import translation

from clusters.dates import PartialDate
from news.templatetags.news_tags import of_day, on_its_own, since, until, when

Words = Callable[[PartialDate], str]


@pytest.mark.parametrize(
    ("words", "language", "value", "text"),
    [
        pytest.param(when, "en", "2015-09-08", "on 8 September 2015", id="en day"),
        pytest.param(when, "en", "2015-07", "in July 2015", id="en month"),
        pytest.param(when, "en", "2015", "in 2015", id="en year"),
        pytest.param(when, "it", "2015-09-08", "l’8 settembre 2015", id="it the 8th"),
        pytest.param(when, "it", "2015-09-11", "l’11 settembre 2015", id="it the 11th"),
        pytest.param(when, "it", "2015-09-18", "il 18 settembre 2015", id="it the 18th"),
        pytest.param(when, "it", "2015-09-01", "il 1º settembre 2015", id="it the first"),
        pytest.param(when, "it", "2015-07", "a luglio 2015", id="it month"),
        pytest.param(when, "it", "2015-08", "ad agosto 2015", id="it month with a"),
        pytest.param(when, "it", "2015-10", "a ottobre 2015", id="it month with o"),
        pytest.param(when, "it", "2015", "nel 2015", id="it year"),
        pytest.param(on_its_own, "en", "2015-09-08", "8 September 2015", id="en alone"),
        pytest.param(on_its_own, "it", "2015-07", "luglio 2015", id="it alone"),
        pytest.param(until, "en", "2017-07-31", "until 31 July 2017", id="en until"),
        pytest.param(until, "it", "2017-07-31", "fino al 31 luglio 2017", id="it until"),
        pytest.param(until, "it", "2017-07-08", "fino all’8 luglio 2017", id="it until the 8th"),
        pytest.param(until, "it", "2017-08", "fino ad agosto 2017", id="it until a month"),
        pytest.param(until, "it", "2017", "fino al 2017", id="it until a year"),
        pytest.param(since, "en", "2013", "since 2013", id="en since"),
        pytest.param(since, "it", "2013-04-11", "dall’11 aprile 2013", id="it since the 11th"),
        pytest.param(since, "it", "2013-04", "da aprile 2013", id="it since a month"),
        pytest.param(since, "it", "2013", "dal 2013", id="it since a year"),
        pytest.param(of_day, "en", "2010-11-01", "of 1 November 2010", id="en of"),
        pytest.param(of_day, "it", "2010-11-01", "del 1º novembre 2010", id="it of the first"),
        pytest.param(of_day, "it", "2010-11-08", "dell’8 novembre 2010", id="it of the 8th"),
    ],
)
def test_date_stands_in_a_sentence(words: Words, language: str, value: str, text: str) -> None:
    with translation.override(language):
        assert words(PartialDate.parse(value)) == text


def test_date_of_the_calendar_stands_in_a_sentence() -> None:
    assert when(PartialDate.parse("2015-09-08").first_day) == "on 8 September 2015"
