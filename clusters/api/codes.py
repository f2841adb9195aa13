"""Portfolios and regions, which the other records name by their codes."""

from django.http import HttpRequest
from django_countries import countries
from ninja import Query, Router
from pydantic import BaseModel, Field

from clusters.api.parts import (
    Country,
    CountryCode,
    Listed,
    Paging,
    PortfolioName,
    answer_list,
    any_of,
    in_two_languages,
    refuse_parameter,
)
from clusters.http.addresses import Data
from clusters.models import Portfolio, Region

router = Router(tags=["codes"])


class RegionRecord(BaseModel):
    id: str = Field(description="Its code of ISO 3166-2.", examples=["IT-21"])
    name: str = Field(examples=["Piemonte"])
    country: Country


class RegionParameters(Paging):
    country: list[CountryCode] = any_of("Country, as two letters (ISO 3166)")


@router.get("/portfolios", response=Listed[PortfolioName], summary="Portfolios")
def portfolios_list(request: HttpRequest, asked: Query[Paging]) -> Data:
    """Comparative portfolios: ESCA’s classification of sectors."""
    known = Portfolio.objects.all()
    return answer_list(request, asked, known, known, portfolio_name, name="code")


@router.get("/regions", response=Listed[RegionRecord], summary="Regions")
def regions_list(request: HttpRequest, asked: Query[RegionParameters]) -> Data:
    """First-level subdivisions of countries that have a code."""
    for code in asked.country:
        if code not in countries:
            refuse_parameter("country", f"there is no “{code[:60]}”")
    known = Region.objects.exclude(code=None)
    rows = known.filter(country__in=asked.country) if asked.country else known
    return answer_list(request, asked, rows, known, region_record, name="code")


def portfolio_name(row: Portfolio) -> Data:
    return {"id": row.code, "name": in_two_languages(row)}


def region_record(row: Region) -> Data:
    return {"id": row.code, "name": row.name, "country": row.country.code}
