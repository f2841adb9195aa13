"""The text of announcements, dates in its sentences, and how to pass them on."""

from datetime import date
from typing import Any
from urllib.parse import quote

from django import template
from django.conf import settings
from django.contrib.admin.utils import flatten
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from clusters.dates import PartialDate
from clusters.templatetags.clusters_tags import date_in_words
from news.markup import render

register = template.Library()


@register.filter
def markdown(text: str, first_heading: int = 2) -> SafeString:
    """`{{ text.body|markdown }}`; in a box with its own title `{{ text.box|markdown:3 }}`."""
    return render(text, first_heading=first_heading)


@register.filter
def is_filled(fieldset: Any) -> bool:
    # Of a form of admin: whether a field of the group holds something, or is wrong.
    names = [name for name in flatten(fieldset.fields) if name in fieldset.form.fields]
    return any(fieldset.form[name].value() or fieldset.form[name].errors for name in names)


@register.filter
def language_of(form: Any) -> str:
    # Of the form of a text; also where nobody may change it, or one that is none was sent.
    given = form["language"].value() if "language" in form.fields else form.instance.language
    return given if given in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE


@register.simple_tag
def mailto(subject: str, body: str) -> str:
    # An address that opens a new message, to nobody yet.
    return f"mailto:?subject={quote(subject)}&body={quote(body)}"


@register.filter
def on_its_own(value: PartialDate | date) -> str:
    # “8 September 2015”, “July 2015”, “2015”, as plain text.
    return date_in_words(as_partial(value))


@register.filter
def when(value: PartialDate | date) -> str:
    # “on 8 September 2015”, “in July 2015”, “in 2015”; “l’8 settembre 2015”, “a luglio 2015”.
    english = "on" if as_partial(value).precision == "day" else "in"
    return in_a_sentence(value, english, "il", "l’", month="a", year="nel")


@register.filter
def until(value: PartialDate | date) -> str:
    # “until 31 July 2017”; “fino all’8 luglio 2017”, “fino a luglio 2017”, “fino al 2017”.
    return in_a_sentence(value, "until", "fino al", "fino all’", month="fino a", year="fino al")


@register.filter
def since(value: PartialDate | date) -> str:
    # “since 1 November 2010”; “dal 1º novembre 2010”, “da luglio 2010”, “dal 2010”.
    return in_a_sentence(value, "since", "dal", "dall’", month="da", year="dal")


@register.filter
def of_day(value: PartialDate | date) -> str:
    # “of 1 November 2010”; “del 1º novembre 2010”, “dell’8 luglio 2010”.
    return in_a_sentence(value, "of", "del", "dell’", month="di", year="del")


def as_partial(value: PartialDate | date) -> PartialDate:
    return value if isinstance(value, PartialDate) else PartialDate.from_date(value)


def in_a_sentence(
    value: PartialDate | date, english: str, article: str, elided: str, *, month: str, year: str
) -> str:
    # In Italian before a day the article (elided before 8 and 11), else what is given.
    partial = as_partial(value)
    words = date_in_words(partial)
    if get_language() != "it":
        return f"{english} {words}"
    if partial.precision == "year":
        return f"{year} {words}"
    if partial.precision == "month":
        # “ad agosto”: the same vowel does not follow itself.
        is_doubled = month in ("a", "fino a") and words.startswith("a")
        return f"{month}d {words}" if is_doubled else f"{month} {words}"
    if partial.day == 1:
        words = words.replace("1", "1º", 1)
    return elided + words if partial.day in (8, 11) else f"{article} {words}"
