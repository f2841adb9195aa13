"""The read API of announcements."""

from datetime import datetime

from django.db.models import Prefetch
from django.http import HttpRequest
from django.utils import timezone
from ninja import Query, Router
from pydantic import BaseModel, Field

from clusters.api.parts import (
    ClusterId,
    Id,
    LevelName,
    Listed,
    OrganisationId,
    Page,
    Paging,
    ProgrammeName,
    Reference,
    answer_list,
    programme_name,
    published_row,
    reference_to,
    row_of_parameter,
)
from clusters.dates import FIRST_YEAR, LAST_YEAR
from clusters.http.addresses import Data, absolute
from clusters.models import Cluster, Organisation
from labels.api import StatementRecord, statement_record
from labels.models import Label
from news.markup import render
from news.models import Announcement, AnnouncementText, Attachment, Picture

router = Router()

# A label may be hidden while an announcement that names it stays public.
PUBLISHED_LABELS = Prefetch(
    "labels", Label.objects.published().select_related("cluster").order_by("pk")
)


class AnnouncementParameters(Paging):
    cluster: ClusterId | None = Field(None, description="A cluster that it is about, by its id.")
    organisation: OrganisationId | None = Field(
        None, description="An organisation that it is about, by its id."
    )
    year: int | None = Field(
        None, ge=FIRST_YEAR, le=LAST_YEAR, description="Of the publication.", examples=[2015]
    )


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
    alt_en: str | None = Field(
        description="What it shows, in English.", examples=["A golden disc with the letter G."]
    )
    alt_it: str | None = Field(
        description="What it shows, in Italian.", examples=["Un disco dorato con la lettera G."]
    )
    credit_en: str | None = Field(
        description="Whose it is, in English.", examples=["Drawing made for this portal"]
    )
    credit_it: str | None = Field(
        description="Whose it is, in Italian.", examples=["Disegno realizzato per questo portale"]
    )


class AttachmentRecord(BaseModel):
    url: Page
    media_type: str = Field(examples=["application/pdf"])
    bytes: int = Field(description="Its size.", examples=[120_000])
    title_en: str | None = Field(examples=["Programme of the day"])
    title_it: str | None = Field(examples=["Programma della giornata"])


class AnnouncementRow(BaseModel):
    id: Id
    url: Page
    published_at: datetime = Field(examples=["2015-09-08T14:38:00+02:00"])
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
    known = Announcement.objects.published(timezone.now())
    rows = known.for_page(timezone.now()).prefetch_related(PUBLISHED_LABELS)
    if asked.cluster is not None:
        cluster = row_of_parameter("cluster", Cluster.objects.published(), asked.cluster)
        rows = rows.of_cluster(cluster)
    if asked.organisation is not None:
        known_organisations = Organisation.objects.published()
        rows = rows.filter(
            organisations=row_of_parameter("organisation", known_organisations, asked.organisation)
        )
    if asked.year is not None:
        rows = rows.of_year(asked.year)
    # The key behind it: of two at one moment, paging would lose one.
    order = ("-published_at", "-pk")
    return answer_list(request, asked, rows, known, announcement_row, order=order)


@router.get(
    "/announcements/{id}",
    response=AnnouncementRow,
    tags=["announcements"],
    summary="An announcement",
)
def announcements_detail(request: HttpRequest, id: str) -> Data:
    rows = Announcement.objects.for_page(timezone.now()).prefetch_related(PUBLISHED_LABELS)
    return announcement_row(published_row(rows, "public_id", id))


def announcement_row(announcement: Announcement) -> Data:
    assert announcement.published_at is not None
    # Always the portal’s zone, so that one moment has one text.
    zone = timezone.get_default_timezone()
    return {
        "id": announcement.public_id,
        "url": absolute(announcement.get_absolute_url()),
        "published_at": timezone.localtime(announcement.published_at, zone),
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
    words = ("alt_en", "alt_it", "credit_en", "credit_it")
    return {
        "url": absolute(picture.image.url),
        "width": picture.width or None,
        "height": picture.height or None,
        **{name: getattr(picture, name) or None for name in words},
    }


def attachment_record(attachment: Attachment) -> Data:
    return {
        "url": absolute(attachment.file.url),
        "media_type": attachment.kind.media_type,
        "bytes": attachment.size,
        "title_en": attachment.title_en or None,
        "title_it": attachment.title_it or None,
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
