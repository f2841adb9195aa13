from datetime import date
from functools import cache
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.translation import get_language

from clusters.dates import PartialDate

Data = dict[str, Any]


def absolute(path: str) -> str:
    return f"{settings.SITE_URL}{path}"


def webcal(path: str) -> str:
    # By this scheme a calendar program subscribes, where by the web's it takes a copy.
    return f"webcal:{absolute(path).partition(':')[2]}"


def page_address(name: str, argument: str) -> str:
    # The absolute address of a page with one argument, in the active language.
    before, after = _around_the_argument(name, get_language(), settings.SITE_URL)
    return f"{before}{argument}{after}"


@cache
def _around_the_argument(name: str, language: str | None, site: str) -> tuple[str, str]:
    # `reverse` depends on the language, and takes too long for each row of a file.
    before, _mark, after = reverse(name, args=["MARK"]).rpartition("MARK")
    return f"{site}{before}", after


def iso_text(day: date | PartialDate | None) -> str | None:
    return str(day) if day is not None else None


def without_empty(data: Data) -> Data:
    return {key: value for key, value in data.items() if value}
