"""The legal entities that manage clusters, own programmes, hold shares."""

from datetime import date
from typing import Annotated, Any

from django.http import HttpRequest
from django.utils import timezone
from ninja import Query, Router
from pydantic import BaseModel, Field

from clusters.api.parts import (
    Listed,
    OnDay,
    Paging,
    PartialDay,
    ProgrammeName,
    Reference,
    RegionName,
    Words,
    iso,
    programme_name,
    reference_to,
    region_name,
    row_called,
    stretch,
)
from clusters.http.addresses import absolute
from clusters.http.links import LONGEST_TEXT
from clusters.models import ManagementRole, Organisation, OrganisationKind, Shareholding

router = Router(tags=["organisations"])


class OrganisationParameters(Paging):
    q: Annotated[
        Words,
        Field(description="Words in its name, a former name or its town.", max_length=LONGEST_TEXT),
    ] = ""


class OrganisationRow(BaseModel):
    id: str = Field(description="Eight letters and digits that never change.")
    url: str = Field(description="Its page.")
    name: str
    kind: OrganisationKind
    legal_form: str | None
    country: str | None = Field(description="As two letters (ISO 3166).")
    region: RegionName | None
    town: str | None = Field(description="Of its seat.")
    website: str | None
    vat_number: str | None
    lei: str | None = Field(description="Legal Entity Identifier (ISO 17442).")
    contact_address: str | None = Field(description="Of a function, where the team shows it.")
    confirmed_on: date | None = Field(description="When its team last confirmed these facts.")


class FormerName(BaseModel):
    name: str
    started_on: PartialDay
    ended_on: PartialDay


class ManagedCluster(BaseModel):
    cluster: Reference
    role: ManagementRole
    started_on: PartialDay
    ended_on: PartialDay
    is_in_force: bool = Field(description="On the day asked for.")


class Share(BaseModel):
    organisation: Reference = Field(description="Whose shares they are.")
    shareholder: Reference
    started_on: PartialDay
    ended_on: PartialDay


class OrganisationRecord(OrganisationRow):
    former_names: list[FormerName]
    clusters: list[ManagedCluster] = Field(description="That it manages or managed.")
    shares: list[Share] = Field(description="Of the organisation, and those that it holds.")
    programmes: list[ProgrammeName] = Field(description="That it owns.")


class OrganisationList(Listed[OrganisationRow]):
    pass


@router.get("/organisations", response=OrganisationList, summary="Organisations")
def organisations_list(
    request: HttpRequest, asked: Query[OrganisationParameters]
) -> OrganisationList:
    """Managing organisations, associations, programme owners and shareholders, in the order in
    which they entered the register."""
    known = Organisation.objects.published().select_related("region")
    found, following = stretch(request, asked, known.matching(asked.q), known)
    return OrganisationList(
        count=found.count,
        next=following,
        results=[OrganisationRow(**entity_facts(row)) for row in found.rows],
    )


@router.get(
    "/organisations/{id}",
    response=OrganisationRecord,
    summary="An organisation",
)
def organisations_detail(request: HttpRequest, id: str, asked: Query[OnDay]) -> OrganisationRecord:
    """All that its page tells of it."""
    known = Organisation.objects.published().select_related("region")
    organisation = row_called(known, "public_id", id)
    day = asked.on or timezone.localdate()
    shares = [*organisation.shareholdings.public(), *organisation.holdings.public()]
    return OrganisationRecord(
        **entity_facts(organisation),
        former_names=[
            FormerName(name=row.name, started_on=iso(row.started_on), ended_on=iso(row.ended_on))
            for row in organisation.former_names.all()
        ],
        clusters=[
            ManagedCluster(
                cluster=reference_to(row.cluster),
                role=ManagementRole(row.role),
                started_on=iso(row.started_on),
                ended_on=iso(row.ended_on),
                is_in_force=row.is_on(day),
            )
            for row in organisation.managements.of_published_clusters()
        ],
        shares=[share_of(row) for row in shares],
        programmes=[programme_name(row) for row in organisation.programmes.published()],
    )


def entity_facts(organisation: Organisation) -> dict[str, Any]:
    is_shown = organisation.is_address_shown
    return {
        "id": organisation.public_id,
        "url": absolute(organisation.get_absolute_url()),
        "name": organisation.name,
        "kind": organisation.kind,
        "legal_form": organisation.legal_form or None,
        "country": organisation.country.code or None,
        "region": region_name(organisation.region),
        "town": organisation.town or None,
        "website": organisation.website or None,
        "vat_number": organisation.vat_number or None,
        "lei": organisation.lei or None,
        "contact_address": organisation.role_address if is_shown else None,
        "confirmed_on": organisation.confirmed_on,
    }


def share_of(row: Shareholding) -> Share:
    return Share(
        organisation=reference_to(row.organisation),
        shareholder=reference_to(row.shareholder),
        started_on=iso(row.started_on),
        ended_on=iso(row.ended_on),
    )
