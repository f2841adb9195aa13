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
from news.models import Announcement, AnnouncementText

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
    picture_alt: str | None = Field(examples=[None])
    picture_credit: str | None = Field(examples=[None])
    contact_role: str | None = Field(examples=["Cluster management"])


class NamedLabel(BaseModel):
    id: Id
    level: LevelName
    cluster: Reference
    url: Page


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
    picture: str | None = Field(description="Address of the picture.", examples=[None])


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
    picture = announcement.picture
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
        "picture": absolute(picture.url) if picture else None,
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
        "picture_alt": text.picture_alt or None,
        "picture_credit": text.picture_credit or None,
        "contact_role": text.contact_role or None,
    }


def named_label(label: Label) -> Data:
    return {
        "id": label.public_id,
        "level": label.level_id,
        "cluster": reference_to(label.cluster),
        "url": absolute(label.get_absolute_url()),
    }
