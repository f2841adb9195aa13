"""The day that a page about labels is asked for: `?on=2015-09-08`, else today."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _

from clusters.dates import FIRST_YEAR, LAST_YEAR, YearOutOfRange, parse_day


@dataclass(frozen=True)
class AsOf:
    """`problems` says in words what is wrong with the day asked for; then `day` is today."""

    day: date
    is_today: bool
    problems: tuple[str, ...]
    reset_url: str


def as_of(data: QueryDict, path: str, today: date) -> AsOf:
    # `reset_url` is the same page today: other parameters kept, the page number not.
    kept = data.copy()
    for name in ("on", "page"):
        kept.pop(name, None)
    asked, problem = read_on(data)
    day = asked or today
    return AsOf(
        day=day,
        is_today=day == today,
        problems=(problem,) if problem else (),
        reset_url=f"{path}?{kept.urlencode()}" if kept else path,
    )


def read_on(data: QueryDict) -> tuple[date | None, str]:
    # The day of `?on=`, or None and, where something else was given, what is wrong with it.
    text = data.get("on", "").strip()
    if not text:
        return None, ""
    try:
        return parse_day(text), ""
    except YearOutOfRange:
        message = _(
            "“%(value)s” lies outside the years %(first)d to %(last)d of the parameter “on”; today "
            "is shown."
        )
        return None, message % {"value": text[:60], "first": FIRST_YEAR, "last": LAST_YEAR}
    except ValueError:
        message = _("“%(value)s” is not a day like 2015-09-08; today is shown.")
        return None, message % {"value": text[:60]}


def midnight(day: date) -> datetime:
    # The first moment of a day of the register, which is a day in the portal's legal zone.
    return datetime.combine(day, time.min, timezone.get_default_timezone())


def next_midnight(now: datetime) -> datetime:
    return midnight(timezone.localdate(now, timezone.get_default_timezone()) + timedelta(days=1))
