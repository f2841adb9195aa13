"""The draft is written when a label is awarded, in both languages, and follows it until somebody
touches it.
"""

from collections.abc import Iterable
from datetime import date, datetime

from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from clusters.models.addresses import TakenSlugs, free_slug
from clusters.models.history import REGISTER, came_from
from labels.models import Decision, DecisionKind, Label
from news.drafts.story import Story, managements, story_now
from news.drafts.words import LANGUAGES, text_fields
from news.models import Announcement, AnnouncementState, AnnouncementText


@transaction.atomic
def draft_award(label: Label, now: datetime) -> Announcement | None:
    """Write what can truly be said of the award, for an editor to complete and to publish.

    None where the label is not public, or where an announcement is tied to it already. Every
    figure is of a day and of this register, and stays as it is written, whatever the register
    learns later. Two at once write one draft: the label is locked.
    """
    Label.objects.select_for_update(of=("self",)).get(pk=label.pk)
    story = story_now(label, now)
    if story is None or Announcement.objects.filter(labels=label).exists():
        return None
    managers_today = [one.organisation for one in managements(story.label, story.written_on)]
    announcement = Announcement.objects.create(
        written_by=next((one for one in story.managers if one in managers_today), None),
        contact_organisation=next(iter(story.managers), None),
    )
    announcement.labels.set([label])
    address = address_of(story.label, story.day)
    texts = [
        AnnouncementText(announcement=announcement, language=language, slug=address)
        for language in LANGUAGES
    ]
    write(announcement, story, texts)
    return announcement


def write(announcement: Announcement, story: Story, texts: Iterable[AnnouncementText]) -> None:
    announcement.clusters.set([story.label.cluster])
    announcement.organisations.set(story.managers)
    announcement.programmes.set([one.programme for one in story.participations])
    announcement.statements.set(story.statements)
    with came_from(REGISTER):
        for text in texts:
            for name, value in text_fields(story, text.language).items():
                setattr(text, name, value)
            text.full_clean()
            text.save()


@transaction.atomic
def follow_label(decision: Decision, now: datetime) -> None:
    """Of a label that has changed, write drafts anew that nobody has touched.

    Of what was written otherwise, and of all but corrections, a comment tells whoever works on it.
    """
    story = story_now(decision.label, now)
    for announcement in Announcement.objects.unpublished().filter(labels=decision.label):
        follows = story if is_untouched(announcement) else None
        if follows:
            write(announcement, follows, list(announcement.texts.all()))
        if not follows or decision.kind != DecisionKind.CORRECTION:
            announcement.comments.create(written_at=now, text=comment_on(decision))


def is_untouched(announcement: Announcement) -> bool:
    versions = AnnouncementText.history.filter(announcement=announcement.pk)
    return (
        announcement.state == AnnouncementState.DRAFT
        and versions.exists()
        and not versions.exclude(history_change_reason=REGISTER).exists()
    )


def comment_on(decision: Decision) -> str:
    # In every language, as one does not know who reads it.
    lines = []
    for language in LANGUAGES:
        with translation.override(language):
            text = _("A decision has changed the label since: %(decision)s. Read the text again.")
            lines.append(text % {"decision": decision.get_kind_display()})
    return "\n".join(lines)


def address_of(label: Label, day: date) -> str:
    name = f"{label.cluster.slug[:60]} {label.level_id} label {day.year}"
    taken = TakenSlugs(AnnouncementText)
    return free_slug(AnnouncementText, name, taken, [label.public_id])
