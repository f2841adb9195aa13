"""Portfolios and regions, which the other records name by their codes."""

from typing import Annotated

from django.http import HttpRequest
from django_countries import countries
from ninja import Query, Router
from pydantic import BaseModel, Field

from clusters.api.parts import (
    CountryCode,
    Listed,
    Paging,
    PortfolioName,
    listed_in,
    names_of,
    refuse,
    stretch,
)
from clusters.models import Portfolio, Region

router = Router(tags=["codes"])


class PortfolioList(Listed[PortfolioName]):
    pass


class RegionRecord(BaseModel):
    id: str = Field(description="Its code of ISO 3166-2.", examples=["IT-21"])
    name: str
    country: str = Field(description="As two letters (ISO 3166).")


class RegionList(Listed[RegionRecord]):
    pass


class RegionParameters(Paging):
    country: Annotated[list[CountryCode], listed_in("Country, as two letters (ISO 3166)")] = []


@router.get("/portfolios", response=PortfolioList, summary="Portfolios")
def portfolios_list(request: HttpRequest, asked: Query[Paging]) -> PortfolioList:
    """Comparative portfolios: ESCA’s classification of sectors."""
    known = Portfolio.objects.all()
    found, following = stretch(request, asked, known, known, name="code")
    return PortfolioList(
        count=found.count,
        next=following,
        results=[PortfolioName(id=row.code, name=names_of(row)) for row in found.rows],
    )


@router.get("/regions", response=RegionList, summary="Regions")
def regions_list(request: HttpRequest, asked: Query[RegionParameters]) -> RegionList:
    """First-level subdivisions of countries that have a code."""
    for code in asked.country:
        if code not in countries:
            refuse("country", f"there is no “{code[:60]}”")
    known = Region.objects.with_code()
    rows = known.of_countries(asked.country) if asked.country else known
    found, following = stretch(request, asked, rows, known, name="code")
    return RegionList(
        count=found.count,
        next=following,
        results=[
            RegionRecord(id=str(row.code), name=row.name, country=row.country.code)
            for row in found.rows
        ],
    )
