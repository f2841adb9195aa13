"""Dates known to the day, the month or the year, and arithmetic with months.

Pure: no ORM, no clock, no settings.
"""

import calendar
import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import MAXYEAR, MINYEAR, UTC, date, datetime
from typing import Literal, Self

Precision = Literal["year", "month", "day"]

# What people may write and columns may hold. Far from the ends of Python's calendar: a month more
# is a day, too, and so is midnight in another time zone.
FIRST_YEAR, LAST_YEAR = 1900, 2100
FIRST_DAY, LAST_DAY = date(FIRST_YEAR, 1, 1), date(LAST_YEAR, 12, 31)
FIRST_MOMENT = datetime(FIRST_YEAR, 1, 1, tzinfo=UTC)
LAST_MOMENT = datetime(LAST_YEAR, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
# ASCII: \d would also take the digits of other scripts.
ISO_PREFIX = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?", re.ASCII)


class YearOutOfRange(ValueError):
    def __init__(self, text: str) -> None:
        super().__init__(f"“{text}” lies outside the years {FIRST_YEAR} to {LAST_YEAR}")


# Without an order: whether 2015 lies before 2015-07 depends on what is asked of them.
@dataclass(frozen=True, order=False)
class PartialDate:
    """A date with the precision at which it is known.

    Raises ValueError, in words, for a day that does not exist. What is read lies in the years
    above; what is counted from it may lie beyond.
    """

    year: int
    month: int | None = None
    day: int | None = None

    def __post_init__(self) -> None:
        if not MINYEAR <= self.year <= MAXYEAR:
            raise YearOutOfRange(f"{self.year}")
        if self.day is not None and self.month is None:
            raise ValueError("a day needs its month")
        if self.month is not None and not 1 <= self.month <= 12:
            raise ValueError(f"there is no month {self.month}")
        if self.month is not None and self.day is not None:
            last = calendar.monthrange(self.year, self.month)[1]
            if not 1 <= self.day <= last:
                raise ValueError(f"{self.year}-{self.month:02} has no day {self.day}")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `2013`, `2015-07` or `2015-07-14`; anything else raises ValueError."""
        match = ISO_PREFIX.fullmatch(text.strip())
        if match is None:
            raise ValueError(f"“{text}” is not a date like 2013, 2015-07 or 2015-07-14")
        year, month, day = (int(part) if part else None for part in match.groups())
        assert year is not None
        if not FIRST_YEAR <= year <= LAST_YEAR:
            raise YearOutOfRange(text)
        return cls(year, month, day)

    @classmethod
    def stored(cls, text: str) -> Self:
        """What a column holds, so that a page can show it: as much of it as exists, and the nearest
        year that may stand there.
        """
        for length in (10, 7, 4):
            with suppress(ValueError):
                return cls.parse(text[:length])
        return cls(LAST_YEAR if text > str(LAST_YEAR) else FIRST_YEAR)

    @classmethod
    def from_date(cls, day: date) -> Self:
        return cls(day.year, day.month, day.day)

    def __str__(self) -> str:
        parts = [f"{self.year:04}"]
        parts += [f"{part:02}" for part in (self.month, self.day) if part is not None]
        return "-".join(parts)

    @property
    def precision(self) -> Precision:
        if self.month is None:
            return "year"
        return "month" if self.day is None else "day"

    @property
    def first_day(self) -> date:
        return date(self.year, self.month or 1, self.day or 1)

    @property
    def last_day(self) -> date:
        if self.month is None:
            return date(self.year, 12, 31)
        return date(
            self.year, self.month, self.day or calendar.monthrange(self.year, self.month)[1]
        )


def parse_day(text: str) -> date:
    """Read `2015-07-14`; anything else raises ValueError, in words."""
    # `date.fromisoformat` takes weeks and bare digits, too.
    match = ISO_PREFIX.fullmatch(text)
    if match is None or match[3] is None:
        raise ValueError(f"“{text}” is not a day like 2015-07-14")
    return PartialDate.parse(text).first_day


def add_months(day: date, months: int) -> date:
    """The same day `months` later (or earlier), clamped to the month's last day.

    29 February plus 24 months is 28 February; 31 January plus one month is the last of February.
    """
    # Months counted from the year 0, so that any number may be added or taken away.
    years, month_index = divmod(day.year * 12 + day.month - 1 + months, 12)
    last = calendar.monthrange(years, month_index + 1)[1]
    return date(years, month_index + 1, min(day.day, last))


def last_day_of_month(day: date) -> date:
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])
