"""How much of what a profile may tell is there, and what is missing, in words.

Pure: no ORM, no clock, no settings. The SQL twin of `Profile.present` is
`ClusterQuerySet.with_completeness`; a test proves them equal.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from clusters.dates import PartialDate, add_months

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


@dataclass(frozen=True)
class Text:
    language: str
    tagline: str
    description: str


@dataclass(frozen=True)
class Profile:
    """What completeness looks at; `facts` are those that are simply given or not."""

    facts: frozenset[ProfileFact]
    texts: Sequence[Text]
    counted_on: Sequence[PartialDate]
    confirmed_on: date | None


@dataclass(frozen=True)
class Completeness:
    present: frozenset[ProfileFact]

    @property
    def number(self) -> int:
        return len(self.present)

    @property
    def percent(self) -> int:
        # Rounded down: 100 only where nothing is missing.
        return percent_of(self.number)

    @property
    def missing(self) -> list[Promise]:
        return [FACT_NAMES[fact] for fact in ProfileFact if fact not in self.present]


def percent_of(number: int) -> int:
    return number * 100 // NUMBER_OF_FACTS


def counted_since(day: date) -> date:
    # A count whose period lasted to this day or longer is of the last 24 months.
    return add_months(day, -MONTHS_OF_A_COUNT)


def completeness(profile: Profile, day: date) -> Completeness:
    present = set(profile.facts)
    for text in profile.texts:
        if text.tagline:
            present.add(ProfileFact(f"tagline_{text.language}"))
        if text.description:
            present.add(ProfileFact(f"description_{text.language}"))
    if any(counted.last_day >= counted_since(day) for counted in profile.counted_on):
        present.add(ProfileFact.MEMBERS)
    if not is_stale(profile.confirmed_on, day):
        present.add(ProfileFact.CONFIRMED)
    return Completeness(frozenset(present))


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
