"""The rows of an item, checked as a form would check them, and how they are inserted."""

import re
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.core.exceptions import ValidationError
from django.core.files.base import File
from django.core.validators import validate_slug
from django.utils import timezone
from simple_history.utils import bulk_create_with_history

from clusters.models.history import IMPORT
from clusters.models.images import reencode
from clusters.names import new_public_id, normal_name
from news.files.documents import accept_document
from news.inout.found import MODELS, Lookup
from news.inout.items import OF_STATEMENTS, OF_TEXTS, FileItem, Item, NotTaken
from news.models import (
    ONCE_PUBLIC,
    Announcement,
    AnnouncementKind,
    AnnouncementState,
    AnnouncementText,
    Attachment,
    Correction,
    Picture,
    TextState,
)
from news.models.announcements import changing_the_state

LONGEST_SIDE = 2_000
# No form sends them, and no feed takes them.
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
# Asked of the database row by row: `texts_of` and `Lookup` have seen to them.
UNCHECKED = ("announcement", "contact_organisation", "written_by", "reviewer", "approved_digest")


@dataclass
class Rows:
    """An announcement with all that belongs to it; nothing is stored yet."""

    announcement: Announcement
    texts: list[AnnouncementText]
    old_slugs: dict[str, list[str]]  # by language
    links: dict[str, list[int]]
    corrections: list[Correction]
    pictures: list[Picture] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)

    def anew(self) -> "Rows":
        # After an insert that was taken back: its keys are of nothing.
        for row in (self.announcement, *self.texts, *self.corrections):
            row.pk, row._state.adding = None, True
        return self


Files = tuple[list[Picture], list[Attachment]]


def checked_files(item: Item) -> Files:
    """Pictures and attachments as a form takes them, of local files."""
    pictures = [Picture(image=content(one, is_picture=True), **given_columns(one))
                for one in item.pictures]  # fmt: skip
    attachments = [Attachment(file=content(one, is_picture=False), **given_columns(one))
                   for one in item.attachments]  # fmt: skip
    for place, row in enumerate((*pictures, *attachments), start=1):
        row.position = place
        row.clean_fields(exclude=("announcement", "image", "file"))
    return pictures, attachments


def given_columns(item: FileItem) -> dict[str, Any]:
    return {name: value for name, value in item.columns.items() if value}


def content(item: FileItem, *, is_picture: bool) -> Any:
    try:
        with item.path.open("rb") as file:
            upload: Any = File(file, name=item.path.name)
            return (
                reencode(upload, longest_side=LONGEST_SIDE)
                if is_picture
                else accept_document(upload)
            )
    except ValidationError as error:
        raise NotTaken(f"{item.path.name}: {' '.join(error.messages)}") from error


def row_of_item(
    item: Item, lookup: Lookup, files: Files, stored: Announcement | None = None
) -> Rows:
    """Raises NotTaken or ValidationError; notes in the item what is left out."""
    columns = dict(item.columns)
    columns |= {f"{name}_id": organisation(item, name, lookup) for name in item.organisations}
    number = (stored.public_id if stored else item.public_id) or new_public_id()
    announcement = Announcement(public_id=number, source_key=item.key, **columns)
    languages = [text.language for text in item.texts if text.state == TextState.READY]
    if announcement.state == AnnouncementState.APPROVED:
        # An approval is of somebody, here.
        announcement.state = AnnouncementState.IN_REVIEW
        item.notices.append("it was approved elsewhere; here it is in review.")
    make_draft_of_unreadable(announcement, languages, files, item)
    announcement.clean_fields(exclude=UNCHECKED)
    if announcement.kind != AnnouncementKind.NEWS or announcement.state not in (
        AnnouncementState.DRAFT,
        AnnouncementState.PUBLISHED,
    ):
        announcement.validate_constraints(exclude=("public_id", "source_key"))
    if announcement.state == AnnouncementState.PUBLISHED and not announcement.published_at:
        raise NotTaken("it is published and has no published_at.")
    corrections = checked_corrections(item)
    links = {name: known(item, name, lookup) for name in MODELS}
    links |= {"topics": topics(item, lookup), "statements": statements(item, lookup)}
    old_slugs = {} if stored else {
        text.language: [slug for slug in text.old_slugs if is_old_slug(slug, lookup, item)]
        for text in item.texts
    }  # fmt: skip
    texts = text_rows(item, number, lookup, stored)
    return Rows(announcement, texts, old_slugs, links, corrections, *files)


def checked_corrections(item: Item) -> list[Correction]:
    corrections = [Correction(**row) for row in item.corrections]
    for correction in corrections:
        correction.clean_fields(exclude=("announcement",))
    return corrections


def make_draft_of_unreadable(
    announcement: Announcement, languages: list[str], files: Files, item: Item
) -> None:
    """As the step to publish: a text is ready, and every file says in each language what it is."""
    if announcement.state not in ONCE_PUBLIC:
        return
    rows = [*files[0], *files[1]]
    if not languages:
        item.notices.append("no text is ready: it is taken as a draft.")
    elif not all(getattr(row, f"{name}_{code}", "") for row in rows for name in row.words
                 for code in languages):  # fmt: skip
        item.notices.append(
            "it is taken as a draft: a picture lacks what it shows or whose it is (--credit says "
            "the latter), or an attachment its title."
        )
    else:
        return
    announcement.state = AnnouncementState.DRAFT
    announcement.withdrawn_at = announcement.archived_at = None
    announcement.withdrawal_reason = ""


def organisation(item: Item, name: str, lookup: Lookup) -> int:
    key = lookup.about["organisations"].get(item.organisations[name])
    if key is None:
        raise NotTaken(f"{name}: there is no organisation {item.organisations[name][:20]} here.")
    return key


def known(item: Item, name: str, lookup: Lookup) -> list[int]:
    numbers = item.about.get(name, [])
    found = lookup.about[name]
    unknown = [number[:20] for number in numbers if number not in found]
    if unknown:
        item.notices.append(f"{name} that are not here are left out: {', '.join(unknown)}.")
    return sorted({found[number] for number in numbers if number in found})


def topics(item: Item, lookup: Lookup) -> list[int]:
    found = {name: lookup.topics.get(normal_name(name)) for name in item.topics}
    unknown = [name[:60] for name, key in found.items() if key is None]
    if unknown:
        told = ", ".join(unknown[:20])
        item.notices.append(f"topics that are not here are left out: {told}.")
    return sorted({key for key in found.values() if key is not None})


def statements(item: Item, lookup: Lookup) -> list[int]:
    keys = [tuple(row.get(name, "") for name in OF_STATEMENTS) for row in item.statements]
    if any(key not in lookup.statements for key in keys):
        item.notices.append("a quoted count that is not here is left out.")
    return sorted({lookup.statements[key] for key in keys if key in lookup.statements})


def text_rows(
    item: Item, number: str, lookup: Lookup, stored: Announcement | None
) -> list[AnnouncementText]:
    before = {one.language: one.slug for one in stored.texts.all()} if stored else {}
    rows: list[AnnouncementText] = []
    for text in item.texts:
        # The texts of an announcement may share one.
        own = {*before.values(), *(row.slug for row in rows)}
        slug = text.slug or before.get(text.language, "")
        if not slug or (slug not in own and slug in lookup.taken):
            slug = before.get(text.language) or lookup.free_slug(text.title, number)
        if text.slug and slug != text.slug and not stored:
            item.notices.append(
                f"its address “{text.slug[:90]}” is that of another; it gets “{slug}”."
            )
        row = AnnouncementText(
            language=text.language, state=text.state, slug=slug, body=text.body,
            **{name: getattr(text, name) for name in OF_TEXTS if name != "slug"},
        )  # fmt: skip
        if CONTROL.search("".join((row.lead, row.body, row.box))):
            raise NotTaken("there are control characters in its text: remove them.")
        row.clean_fields(exclude=UNCHECKED)
        rows.append(row)
    for row in rows:
        lookup.taken.add(row.slug)
    return rows


def is_old_slug(slug: str, lookup: Lookup, item: Item) -> bool:
    try:
        validate_slug(slug)
        is_right = len(slug) <= 90 and slug not in lookup.taken
    except ValidationError:
        is_right = False
    if not is_right:
        item.notices.append(f"the old address “{slug[:90]}” is none, or of another: left out.")
    return is_right


def insert(many: list[Rows]) -> None:
    """Some ten queries, however many; each row with its first version."""
    if not many:
        return
    with changing_the_state():
        bulk_create_with_history(
            [rows.announcement for rows in many], Announcement, default_change_reason=IMPORT
        )
    texts = []
    for rows in many:
        for text in rows.texts:
            text.announcement = rows.announcement
            texts.append(text)
        for correction in rows.corrections:
            correction.announcement = rows.announcement
    bulk_create_with_history(texts, AnnouncementText, default_change_reason=IMPORT)
    insert_old_addresses(many)
    corrections = [correction for rows in many for correction in rows.corrections]
    if corrections:
        bulk_create_with_history(corrections, Correction, default_change_reason=IMPORT)
    insert_links(many)


def insert_old_addresses(many: list[Rows]) -> None:
    # As versions from before the first: what a page asks for an address that is gone.
    model: Any = AnnouncementText.history.model
    versions = []
    for rows in many:
        for text in rows.texts:
            columns = {each.attname: getattr(text, each.attname) for each in model.tracked_fields}
            versions += [
                model(history_date=timezone.now(), history_type="+", history_change_reason=IMPORT,
                      **{**columns, "slug": slug})
                for slug in rows.old_slugs.get(text.language, [])
            ]  # fmt: skip
    model.objects.bulk_create(versions)


def insert_links(many: list[Rows]) -> None:
    # The first version names them, too.
    linked = [rows.announcement.pk for rows in many if any(rows.links.values())]
    versions = dict(Announcement.history.filter(id__in=linked).values_list("id", "history_id"))
    for relation in Announcement.history.model._history_m2m_fields:
        links: Any = relation.remote_field.through
        past: Any = apps.get_model("news", f"Historical{links.__name__}")
        column = f"{relation.m2m_reverse_field_name()}_id"
        made = links.objects.bulk_create(
            links(announcement_id=rows.announcement.pk, **{column: key})
            for rows in many
            for key in rows.links[relation.name]
        )
        past.objects.bulk_create(
            past(id=link.pk, announcement_id=link.announcement_id,
                 history_id=versions[link.announcement_id], **{column: getattr(link, column)})
            for link in made
        )  # fmt: skip


def add_files(rows: Rows) -> None:
    for file in (*rows.pictures, *rows.attachments):
        file.announcement = rows.announcement
        file.save()
