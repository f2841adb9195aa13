from collections.abc import Callable
from datetime import date
from typing import Any

from django.conf import settings
from django.urls import reverse

from clusters.dates import PartialDate

Data = dict[str, Any]


def absolute(path: str) -> str:
    return f"{settings.SITE_URL}{path}"


def page_addresses(name: str) -> Callable[[str], str]:
    """Absolute addresses of pages with one argument, in the active language, looked up once."""
    before, _mark, after = absolute(reverse(name, args=["MARK"])).rpartition("MARK")
    return lambda argument: f"{before}{argument}{after}"


def iso(day: date | PartialDate | None) -> str | None:
    return str(day) if day is not None else None


def filled(data: Data) -> Data:
    return {key: value for key, value in data.items() if value}
