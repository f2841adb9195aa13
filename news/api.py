"""The read API of announcements."""

from datetime import datetime
from typing import Annotated, Literal

from django.db.models import Prefetch
from django.http import HttpRequest, QueryDict
from django.urls import reverse
from django.utils import timezone
from ninja import Query, Router
from pydantic import BaseModel, Field

from clusters.api.parts import (
    ClusterId,
    CountryCode,
    Id,
    InTwoLanguages,
    LevelName,
    Listed,
    Month,
    OrganisationId,
    Page,
    Paging,
    ProgrammeName,
    Reference,
    TopicSlug,
    Words,
    any_of,
    in_two_languages,
    next_address,
    programme_name,
    published_row,
    reference_to,
    refuse_parameter,
    row_of_parameter,
)
from clusters.dates import FIRST_YEAR, LAST_YEAR
from clusters.http.addresses import Data, absolute
from clusters.models import Organisation
from labels.api import StatementRecord, statement_record
from labels.models import Label
from news.lists.found import FoundAnnouncements
from news.lists.query import FILTERS, AnnouncementList, read_announcement_query
from news.markup import render
from news.models import Announcement, AnnouncementText, Attachment, Picture, Topic

router = Router()

# A label may be hidden while an announcement that names it stays public.
PUBLISHED_LABELS = Prefetch(
    "labels", Label.objects.published().select_related("cluster").order_by("pk")
)


Kind = Literal["news", "event", "call"]
Year = Annotated[int, Field(ge=FIRST_YEAR, le=LAST_YEAR)]


class AnnouncementParameters(Paging):
    """What the list of announcements takes; filters of different names must all be met."""

    q: Words = Field("", description="Words of title, lead and text.", examples=["gold"])
    kind: list[Kind] = any_of("Kind")
    topic: list[TopicSlug] = any_of("Topic, by the last part of its address in the list")
    cluster: list[ClusterId] = any_of("Cluster that it is about, by its id")
    organisation: OrganisationId | None = Field(
        None, description="An organisation that it is about, by its id."
    )
    country: list[CountryCode] = any_of("Country of such a cluster, as two letters (ISO 3166)")
    language: list[Literal["en", "it"]] = any_of("Language in which there is a text")
    year: list[Year] = any_of("Year of the publication")
    month: list[Month] = any_of("Month of the publication, as 2015-09")


class TextIn(BaseModel):
    language: str = Field(description="en or it.", examples=["en"])
    title: str = Field(examples=["bioPmed obtains the Gold Label"])
    lead: str | None = Field(examples=["The innovation cluster for human health of Piemonte."])
    body: str = Field(
        description="HTML.", examples=["<p>The label was announced on 8 September 2015.</p>"]
    )
    box_title: str | None = Field(examples=[None])
    box: str | None = Field(description="Background, as HTML.", examples=[None])
    contact_role: str | None = Field(examples=["Cluster management"])


class NamedLabel(BaseModel):
    id: Id
    level: LevelName
    cluster: Reference
    url: Page


class PictureRecord(BaseModel):
    url: Page
    width: int | None = Field(description="In pixels.", examples=[1600])
    height: int | None = Field(description="In pixels.", examples=[900])
    alt: InTwoLanguages = Field(
        description="What it shows.",
        examples=[{"en": "A golden disc with the letter G.", "it": "Un disco dorato con una G."}],
    )
    credit: InTwoLanguages = Field(
        description="Whose it is.", examples=[{"en": "Drawing of the portal", "it": None}]
    )


class AttachmentRecord(BaseModel):
    url: Page
    media_type: str = Field(examples=["application/pdf"])
    bytes: int = Field(description="Its size.", examples=[120_000])
    title: InTwoLanguages = Field(examples=[{"en": "Programme", "it": "Programma"}])


class TopicName(BaseModel):
    id: str = Field(description="As in the addresses of the list.", examples=["labels"])
    name: InTwoLanguages


class EventIn(BaseModel):
    begins_at: datetime = Field(examples=["2015-10-20T09:30:00+02:00"])
    ends_at: datetime | None = Field(examples=[None])
    place: str | None = Field(examples=["Colleretto Giacosa"])
    address: str | None = Field(examples=[None])


class CorrectionIn(BaseModel):
    corrected_at: datetime = Field(examples=["2015-09-09T10:00:00+02:00"])
    text: InTwoLanguages


class AnnouncementRow(BaseModel):
    id: Id
    url: Page
    kind: Kind
    published_at: datetime = Field(examples=["2015-09-08T14:38:00+02:00"])
    event: EventIn | None = Field(description="Of an event, when and where it is.")
    deadline_at: datetime | None = Field(
        description="Of a call, until when one may answer.", examples=[None]
    )
    topics: list[TopicName]
    corrections: list[CorrectionIn] = Field(description="Since it appeared, the first one first.")
    texts: list[TextIn] = Field(description="One in each language that there is.")
    clusters: list[Reference]
    organisations: list[Reference]
    labels: list[NamedLabel]
    programmes: list[ProgrammeName]
    statements: list[StatementRecord] = Field(description="Published counts that it quotes.")
    pictures: list[PictureRecord] = Field(description="The first is the cover.")
    attachments: list[AttachmentRecord]


@router.get(
    "/announcements",
    response=Listed[AnnouncementRow],
    tags=["announcements"],
    summary="Announcements",
)
def announcements_list(request: HttpRequest, asked: Query[AnnouncementParameters]) -> Data:
    """What clusters and their organisations made known, the latest first."""
    now = timezone.now()
    found = find_announcements(asked, now)
    if asked.organisation is not None:
        organisations = Organisation.objects.published()
        organisation = row_of_parameter("organisation", organisations, asked.organisation)
        found = found.among(Announcement.objects.keys_of_organisation(organisation))
    page = found
    if asked.after is not None:
        known = Announcement.objects.published(now)
        page = found.behind(row_of_parameter("after", known, asked.after))
    rows = page.latest(asked.limit).with_texts().with_relations()
    shown = [*rows.prefetch_related(PUBLISHED_LABELS)]
    has_more = len(page) > asked.limit
    return {
        "count": len(found),
        "next": next_address(request, asked, shown[-1].public_id) if has_more and shown else None,
        "results": [announcement_row(row) for row in shown],
    }


@router.get(
    "/announcements/{id}",
    response=AnnouncementRow,
    tags=["announcements"],
    summary="An announcement",
)
def announcements_detail(request: HttpRequest, id: str) -> Data:
    rows = Announcement.objects.for_page(timezone.now()).prefetch_related(PUBLISHED_LABELS)
    return announcement_row(published_row(rows, "public_id", id))


def find_announcements(asked: AnnouncementParameters, now: datetime) -> FoundAnnouncements:
    # As an address of the list, so that API and pages never filter differently.
    data = QueryDict(mutable=True)
    data["q"] = asked.q
    for name in FILTERS:
        data.setlist(name, [str(value) for value in getattr(asked, name)])
    topics = list(Topic.objects.all())
    query = read_announcement_query(data, topics)
    for name, value in query.unknown:
        refuse_parameter(name, f"there is no “{value[:60]}”")
    return AnnouncementList(query, reverse("news:list"), now, topics).announcements


def announcement_row(announcement: Announcement) -> Data:
    return {
        "id": announcement.public_id,
        "url": absolute(announcement.get_absolute_url()),
        "kind": announcement.kind,
        "published_at": in_portal_zone(announcement.published_at),
        "event": event_in(announcement) if announcement.begins_at else None,
        "deadline_at": in_portal_zone(announcement.deadline_at),
        "topics": [
            {"id": topic.slug, "name": in_two_languages(topic)}
            for topic in announcement.topics.all()
        ],
        "corrections": [
            {
                "corrected_at": in_portal_zone(correction.corrected_at),
                "text": in_two_languages(correction, "text"),
            }
            for correction in announcement.corrections.all()
        ],
        "texts": [text_in(text) for text in announcement.texts.all()],
        "clusters": [reference_to(row) for row in announcement.clusters.all()],
        "organisations": [reference_to(row) for row in announcement.organisations.all()],
        "labels": [named_label(row) for row in announcement.labels.all()],
        "programmes": [programme_name(row) for row in announcement.programmes.all()],
        "statements": [statement_record(row) for row in announcement.statements.all()],
        "pictures": [picture_record(row) for row in announcement.pictures.all()],
        "attachments": [attachment_record(row) for row in announcement.attachments.all()],
    }


def picture_record(picture: Picture) -> Data:
    return {
        "url": absolute(picture.image.url),
        "width": picture.width or None,
        "height": picture.height or None,
        "alt": in_two_languages(picture, "alt"),
        "credit": in_two_languages(picture, "credit"),
    }


def attachment_record(attachment: Attachment) -> Data:
    return {
        "url": absolute(attachment.file.url),
        "media_type": attachment.kind.media_type,
        "bytes": attachment.size,
        "title": in_two_languages(attachment, "title"),
    }


def in_portal_zone(moment: datetime | None) -> datetime | None:
    # Always the same zone, so that one moment has one text.
    return moment and timezone.localtime(moment, timezone.get_default_timezone())


def event_in(announcement: Announcement) -> Data:
    return {
        "begins_at": in_portal_zone(announcement.begins_at),
        "ends_at": in_portal_zone(announcement.ends_at),
        "place": announcement.place or None,
        "address": announcement.address or None,
    }


def text_in(text: AnnouncementText) -> Data:
    return {
        "language": text.language,
        "title": text.title,
        "lead": text.lead or None,
        "body": render(text.body),
        "box_title": text.box_title or None,
        # Its own title is the heading above.
        "box": render(text.box, first_heading=3) if text.box else None,
        "contact_role": text.contact_role or None,
    }


def named_label(label: Label) -> Data:
    return {
        "id": label.public_id,
        "level": label.level_id,
        "cluster": reference_to(label.cluster),
        "url": absolute(label.get_absolute_url()),
    }
