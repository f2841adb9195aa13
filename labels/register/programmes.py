"""Programmes side by side on a day: what each requires, and how its clusters stand."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from clusters.http.addresses import iso_text
from clusters.models import Organisation, Participation, Programme
from labels.register.requirements import RequirementOnDay, requirements_of
from labels.words import Reply, part_in_words

HEADER = (
    "programme_id",
    "programme",
    "owner",
    "on",
    "clusters",
    "required_level",
    "required_from",
    "meet_it",
    "do_not_meet_it",
    "cannot_be_told",
)


@dataclass(frozen=True)
class ProgrammeOnDay:
    """`clusters` are those that take part on the day."""

    programme: Programme
    day: date
    clusters: int
    requirement: RequirementOnDay | None

    @property
    def owner(self) -> Organisation | None:
        owner = self.programme.owner
        return owner if owner is not None and owner.is_published else None

    def number(self, reply: Reply) -> int:
        if self.requirement is None:
            return 0
        return sum(row.meets_on_day == reply for row in self.requirement.participants)

    @property
    def meet_it(self) -> str:
        return part_in_words(self.number(Reply.YES), self.clusters)

    @property
    def do_not_meet_it(self) -> str:
        return part_in_words(self.number(Reply.NO), self.clusters)

    @property
    def cannot_be_told(self) -> str:
        return part_in_words(self.number(Reply.CANNOT_BE_TOLD), self.clusters)


def programmes_on(programmes: Iterable[Programme], day: date, today: date) -> list[ProgrammeOnDay]:
    """In their order; wants `with_place()`. At most six queries, however many programmes."""
    shown = list(programmes)
    requirements = requirements_of(shown, day, today)
    taking_part = Participation.objects.public().on(day)
    numbers = taking_part.of_programmes(one.pk for one in shown).count_by_programme()
    return [
        ProgrammeOnDay(one, day, numbers.get(one.pk, 0), requirements.get(one.pk)) for one in shown
    ]


def row_of_programme(row: ProgrammeOnDay) -> list[str]:
    # Without a requirement nothing is said of who meets it.
    requirement = row.requirement
    replies = (Reply.YES, Reply.NO, Reply.CANNOT_BE_TOLD)
    return [
        row.programme.public_id,
        row.programme.name,
        row.owner.name_on(row.day) if row.owner else "",
        row.day.isoformat(),
        str(row.clusters),
        requirement.required.level_id if requirement else "",
        (iso_text(requirement.required.required_from) or "") if requirement else "",
        *(str(row.number(reply)) if requirement else "" for reply in replies),
    ]
