"""How long confirmed facts count as fresh, and when a team is asked again.

Pure: no ORM, no clock, no settings. The SQL twin of `is_stale` is
`ClusterQuerySet.unconfirmed_since(stale_before(day))`; a test proves them equal.
"""

from datetime import date

from clusters.dates import add_months

MONTHS_FRESH = 12
MONTHS_BETWEEN_ROUNDS = 6


def stale_before(day: date) -> date:
    """What was confirmed before this day is stale on `day`; 12 months to the day are fresh."""
    return add_months(day, -MONTHS_FRESH)


def is_stale(confirmed_on: date | None, day: date) -> bool:
    return confirmed_on is None or confirmed_on < stale_before(day)


def next_round(
    *, confirmed_on: date | None, team_since: date | None, asked_on: date | None
) -> date | None:
    """The day from which a team is asked again; None: nothing to count from, so at once.

    Half a year from the last confirmation (without one, from the team's beginning), and from the
    last time that it was asked: a round that went out late moves the next one.
    """
    known = [day for day in (confirmed_on or team_since, asked_on) if day]
    return add_months(max(known), MONTHS_BETWEEN_ROUNDS) if known else None
