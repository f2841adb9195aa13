"""What organisations and programmes say to machines."""

from collections.abc import Callable
from datetime import date
from typing import Any

from django.utils.translation import gettext_lazy as _

from clusters.formats.facts import (
    EXAMPLE_ID,
    EXAMPLE_PAGE,
    Fact,
    Record,
    period,
    region_of,
    url_of,
    value_if_shown,
)
from clusters.http.addresses import iso_text
from clusters.models import Cluster, Organisation, OrganisationKind, Programme

REGION = Fact("region", type=dict, source="region__code region__name", read=region_of, columns=(
    ("region_code", _("The code of its region (ISO 3166-2), where there is one."), "code"),
    ("region", _("The name of its region."), "name"),
))  # fmt: skip


def id_and_name(row: Cluster | Organisation) -> Record:
    return {"id": row.public_id, "name": row.name}


def id_and_name_if_public(row: Organisation | None) -> Record | None:
    return id_and_name(row) if row and row.is_published else None


def id_and_names(row: Programme) -> Record:
    return {"id": row.public_id, "name_en": row.name_en, "name_it": row.name_it}


def records_of_related(record: Callable[[Any], Record]) -> Callable[[Any], list[Record]]:
    # Of related rows, which are prefetched.
    return lambda rows: [record(row) for row in rows.all()]


ORGANISATION = (
    Fact("id", _("Its number in this register: eight letters and digits that never change."), str,
         EXAMPLE_ID, "public_id"),
    Fact("url", _("Its page."), str, EXAMPLE_PAGE, "slug", url_of("clusters:organisation_detail")),
    Fact("name", _("Its present name."), str, "bioPmed"),
    Fact("former_names", read=records_of_related(lambda row: {"name": row.name, **period(row)}),
         columns=(("former_names", _("Its former names."), "name"),)),
    Fact("kind", _("What kind of organisation it is."), OrganisationKind),
    Fact("legal_form", _("Its legal form."), str | None, "SpA"),
    Fact("country", _("Its country as two letters (ISO 3166)."), str | None, "IT"),
    REGION,
    Fact("town", _("The town of its seat."), str | None, "Colleretto Giacosa"),
    Fact("website", _("Its web site."), str | None, "https://www.example.org/"),
    Fact("contact_address", _("An address of a function, where its team shows one."), str | None,
         "info@example.org", "role_address is_address_shown", value_if_shown),
    Fact("vat_number", _("Its VAT number."), str | None),
    Fact("lei", _("Its Legal Entity Identifier (ISO 17442)."), str | None),
    Fact("clusters", source="managements",
         read=records_of_related(
             lambda row: {**id_and_name(row.cluster), "role": row.role, **period(row)}
         ),
         columns=(
             ("clusters", _("The clusters that it manages or managed."), "name"),
             ("cluster_ids", _("The number of each in this register."), "id"),
             ("cluster_roles", _("Its role in each: lead, joint or association."), "role"),
         )),
    Fact("shareholders", source="shareholdings",
         read=records_of_related(lambda row: {**id_and_name(row.shareholder), **period(row)}),
         columns=(
             ("shareholders", _("Organisations that hold or held shares of it."), "name"),
             ("shareholder_ids", _("The number of each in this register."), "id"),
         )),
    Fact("shares", source="holdings",
         read=records_of_related(lambda row: {**id_and_name(row.organisation), **period(row)}),
         columns=()),
    Fact("programmes", read=records_of_related(id_and_names), columns=()),
    Fact("confirmed_on", _("The day on which its team last confirmed these facts."), date | None,
         "2026-03-10"),
)  # fmt: skip
PROGRAMME = (
    Fact("id", _("Its number in this register: eight letters and digits that never change."), str,
         EXAMPLE_ID, "public_id"),
    Fact("url", _("Its page."), str, EXAMPLE_PAGE, "slug", url_of("clusters:programme_detail")),
    Fact("name_en", _("Its name in English.")),
    Fact("name_it", _("Its name in Italian.")),
    Fact("owner", read=id_and_name_if_public, columns=(
        ("owner", _("The region, ministry or agency that owns or coordinates it."), "name"),
        ("owner_id", _("The number of its owner in this register."), "id"),
    )),
    Fact("country", _("Its country as two letters (ISO 3166)."), str | None, "IT"),
    REGION,
    Fact("description_en", _("What it is, in English.")),
    Fact("description_it", _("What it is, in Italian.")),
    Fact("website", _("Its web site."), str | None, "https://www.example.org/"),
    Fact("started_on", _("Its beginning, as precise as it is known."), str | None, "2013"),
    Fact("ended_on", _("Its end, as precise as it is known."), str | None),
    Fact("clusters", source="participations",
         read=records_of_related(lambda row: {**id_and_name(row.cluster), **period(row)}),
         columns=(
             ("clusters", _("The clusters that take part or took part."), "name"),
             ("cluster_ids", _("The number of each in this register."), "id"),
         )),
    Fact("required_levels",
         read=records_of_related(lambda row: {
             "level": row.level_id,
             "required_from": iso_text(row.required_from),
             "required_until": iso_text(row.required_until),
             "source": row.source or None,
         }),
         columns=(
             ("required_levels", _("The levels of labels that it requires."), "level"),
             ("required_from", _("The first day on which each is required."), "required_from"),
             ("required_until", _("The last day on which each is required."), "required_until"),
         )),
)  # fmt: skip
