"""Which clusters of a programme hold the level that it requires, on a day."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from clusters.models import Cluster, Participation, Programme
from labels.models import Label, RequiredLevel
from labels.validity import State, naming_order, spell_on
from labels.words import Reply, reply_of


class Standing(StrEnum):
    """How a cluster stands on the day.

    It holds the level; it only holds it now; its label has ended, as this register shows; or this
    register cannot tell, for want of a label or of its days.
    """

    MEETS = "meets"
    LAPSES = "lapses"
    LACKS = "lacks"
    CANNOT_BE_TOLD = "cannot_be_told"


@dataclass(frozen=True)
class ParticipantOnDay:
    """A cluster that takes part on the day.

    `label` is the one by which it meets the requirement on the day, or until it lapses, and else
    the one that says most about the day. `last_day` is the last on which it is valid for certain.
    """

    cluster: Cluster
    standing: Standing
    takes_part_today: bool
    meets_today: Reply
    label: Label | None = None
    last_day: date | None = None
    day: date | None = None

    @property
    def meets_on_day(self) -> Reply:
        if self.standing == Standing.MEETS:
            return Reply.YES
        is_told = self.standing != Standing.CANNOT_BE_TOLD
        return Reply.NO if is_told else Reply.CANNOT_BE_TOLD

    @property
    def state_on_day(self) -> State | None:
        return self.label.state_on(self.day) if self.label and self.day else None

    @property
    def renewable_until(self) -> date | None:
        # The last day to renew the label; none for what is gone for good by then.
        label = self.label
        if label is None or label.revoked_on is not None or label.transferred_on is not None:
            return None
        return label.renewable_until


@dataclass(frozen=True)
class RequirementOnDay:
    """The level required on a day and everybody who takes part that day, by name."""

    required: RequiredLevel
    day: date
    today: date
    participants: Sequence[ParticipantOnDay]

    @property
    def is_ahead(self) -> bool:
        # Whether the day is still to come, so that today is worth telling beside it.
        return self.day > self.today

    @property
    def meeting(self) -> list[ParticipantOnDay]:
        return self.of(Standing.MEETS)

    @property
    def lapsing(self) -> list[ParticipantOnDay]:
        return self.of(Standing.LAPSES)

    @property
    def lacking(self) -> list[ParticipantOnDay]:
        return self.of(Standing.LACKS)

    @property
    def untold(self) -> list[ParticipantOnDay]:
        return self.of(Standing.CANNOT_BE_TOLD)

    def of(self, standing: Standing) -> list[ParticipantOnDay]:
        return [row for row in self.participants if row.standing == standing]


def requirement_of(programme: Programme, day: date, today: date) -> RequirementOnDay | None:
    """None where the programme requires no level on the day. At most five queries."""
    return requirements_of([programme], day, today).get(programme.pk)


def requirements_of(
    programmes: Iterable[Programme], day: date, today: date
) -> dict[int, RequirementOnDay]:
    """By the key of each programme that requires a level on the day.

    At most five queries, however many programmes. Of several levels that are in force a cluster
    has to meet each, so the highest counts.
    """
    in_force = RequiredLevel.objects.of_programmes(programmes).in_force(day).highest_by_programme()
    participations = Participation.objects.public().of_programmes(in_force)
    if not in_force:
        return {}
    on_day: dict[int, list[Cluster]] = {key: [] for key in in_force}
    for participation in participations.on(day):
        on_day[participation.programme_id].append(participation.cluster)
    here = set(participations.on(today).values_list("programme", "cluster"))
    least = min(required.level.rank for required in in_force.values())
    labels = labels_that_count({one.pk for many in on_day.values() for one in many}, least)
    return {
        key: RequirementOnDay(
            required,
            day,
            today,
            [
                participant(
                    cluster,
                    [one for one in labels[cluster.pk] if one.level.rank >= required.level.rank],
                    day,
                    today,
                    takes_part_today=(key, cluster.pk) in here,
                )
                for cluster in on_day[key]
            ],
        )
        for key, required in in_force.items()
    }


def announced(programme: Programme, day: date) -> RequiredLevel | None:
    """What the programme will require next, after the day. One query."""
    return RequiredLevel.objects.of_programme(programme).after(day).first()


def labels_that_count(clusters: Iterable[int], least_rank: int) -> dict[int, list[Label]]:
    """Published labels of the level of this rank or a higher one, by cluster key. Two queries."""
    found: dict[int, list[Label]] = {cluster: [] for cluster in clusters}
    labels = Label.objects.published().held_by(found).of_rank(least_rank)
    for label in labels.select_related("level").with_succession():
        found[label.cluster_id].append(label)
    return found


def participant(
    cluster: Cluster, labels: Sequence[Label], day: date, today: date, *, takes_part_today: bool
) -> ParticipantOnDay:
    meets_today = meets_on(labels, today) if takes_part_today else Reply.NO
    telling = labels_telling(labels, day)
    label: Label | None = telling[0] if telling else None
    last_day = None
    if lasting := longest_lasting(labels, day, day):
        standing, (label, last_day) = Standing.MEETS, lasting
    elif label is None or meets_on(labels, day) == Reply.CANNOT_BE_TOLD:
        standing = Standing.CANNOT_BE_TOLD
    elif (
        meets_today == Reply.YES
        and day > today
        and (lasting := longest_lasting(labels, today, day))
    ):
        standing, (label, last_day) = Standing.LAPSES, lasting
    else:
        standing, last_day = Standing.LACKS, last_valid_day(label, day)
    return ParticipantOnDay(cluster, standing, takes_part_today, meets_today, label, last_day, day)


def meets_on(labels: Iterable[Label], day: date) -> Reply:
    replies = {reply_of(label.state_on(day)) for label in labels_telling(labels, day)}
    if Reply.YES in replies:
        return Reply.YES
    # No label here does not prove that there is none.
    return Reply.NO if replies == {Reply.NO} else Reply.CANNOT_BE_TOLD


def labels_telling(labels: Iterable[Label], day: date) -> list[Label]:
    # What says something about the day, the most first: one that begins later does not.
    begun = [label for label in labels if label.state_on(day) != State.NOT_YET]
    return sorted(
        begun,
        key=lambda label: naming_order(label.level.rank, label.state_on(day), label.starts_on),
    )


def last_valid_day(label: Label, day: date) -> date | None:
    spells = [one.last for one in label.spells() if one.state == State.VALID and one.last < day]
    return max(spells, default=None)


def longest_lasting(labels: Iterable[Label], first: date, last: date) -> tuple[Label, date] | None:
    """Of the labels that are valid on a day from the first to the last, the one that lasts longest.

    With its last day; of two that end together the higher one.
    """
    found = []
    for label in labels:
        if label.starts_on is not None and label.starts_on <= last:
            from_day = max(first, label.starts_on)
            if is_valid(label, from_day):
                last_day = spell_on(label.spells(), from_day).last
                found.append((last_day, label.level.rank, label.pk, label))
    if not found:
        return None
    last_day, _rank, _pk, label = max(found)
    return label, last_day


def is_valid(label: Label, day: date) -> bool:
    return label.state_on(day) == State.VALID


# As a table

COLUMNS = (
    "programme_id",
    "programme",
    "on",
    "required_level",
    "cluster_id",
    "cluster",
    "standing",
    "meets_on_day",
    "takes_part_today",
    "meets_today",
    "label_id",
    "label_level",
    "valid_until",
    "renewable_until",
)

# Empty where it cannot be told.
TRUTH = {Reply.YES: "true", Reply.NO: "false", Reply.CANNOT_BE_TOLD: ""}


def table_rows(programme: Programme, requirement: RequirementOnDay | None) -> list[list[str]]:
    # What the page shows, in its order; no row where nothing is required.
    if requirement is None:
        return []
    in_order = [row for standing in Standing for row in requirement.of(standing)]
    return [
        [
            programme.public_id,
            programme.name,
            requirement.day.isoformat(),
            requirement.required.level_id,
            row.cluster.public_id,
            row.cluster.name,
            row.standing.value,
            TRUTH[row.meets_on_day],
            TRUTH[Reply.YES if row.takes_part_today else Reply.NO],
            TRUTH[row.meets_today],
            row.label.public_id if row.label else "",
            row.label.level_id if row.label else "",
            row.last_day.isoformat() if row.last_day else "",
            row.renewable_until.isoformat() if row.renewable_until else "",
        ]
        for row in in_order
    ]
