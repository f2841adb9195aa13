"""What a profile may tell, and how complete and how fresh it is.

Which facts a cluster has, its queryset says (`with_completeness`).
"""

from datetime import date
from enum import StrEnum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from clusters.dates import add_months

MONTHS_OF_A_COUNT = 24


class ProfileFact(StrEnum):
    TAGLINE_EN = "tagline_en"
    TAGLINE_IT = "tagline_it"
    DESCRIPTION_EN = "description_en"
    DESCRIPTION_IT = "description_it"
    PORTFOLIO = "portfolio"
    REGION = "region"
    TOWN = "town"
    COORDINATES = "coordinates"
    WEBSITE = "website"
    CONTACT = "contact"
    LOGO = "logo"
    MEMBERS = "members"
    LEAD = "lead"
    CONFIRMED = "confirmed"


FACT_NAMES: dict[ProfileFact, Promise] = {
    ProfileFact.TAGLINE_EN: _("tagline in English"),
    ProfileFact.TAGLINE_IT: _("tagline in Italian"),
    ProfileFact.DESCRIPTION_EN: _("description in English"),
    ProfileFact.DESCRIPTION_IT: _("description in Italian"),
    ProfileFact.PORTFOLIO: _("comparative portfolio"),
    ProfileFact.REGION: _("region"),
    ProfileFact.TOWN: _("town"),
    ProfileFact.COORDINATES: _("coordinates"),
    ProfileFact.WEBSITE: _("web site"),
    ProfileFact.CONTACT: _("contact address"),
    ProfileFact.LOGO: _("logo"),
    ProfileFact.MEMBERS: _("number of members of the last 24 months"),
    ProfileFact.LEAD: _("lead manager today"),
    ProfileFact.CONFIRMED: _("confirmation of the last 12 months"),
}
NUMBER_OF_FACTS = len(ProfileFact)


def percent_of(number: int) -> int:
    # Rounded down: 100 only where nothing is missing.
    return number * 100 // NUMBER_OF_FACTS


def counted_since(day: date) -> date:
    # A count whose period lasted to this day or longer is of the last 24 months.
    return add_months(day, -MONTHS_OF_A_COUNT)


MONTHS_FRESH = 12
MONTHS_BETWEEN_ROUNDS = 6


def stale_before(day: date) -> date:
    # What was confirmed before this day is stale on `day`; 12 months to the day are fresh.
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
