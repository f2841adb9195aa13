"""What every column and every field of every form bounds: numbers, texts, days.

A field that bounds nothing takes a page down, or the machine.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from django import forms
from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from django.test import Client

from clusters.fields import BoundedIntegerField, LongTextField
from clusters.models import Cluster, MembershipCount, ProblemReport
from tests.factories import make_cluster
from tests.test_forms import every_field

pytestmark = [pytest.mark.django_db, pytest.mark.ignore_template_errors]

APPS = ("clusters", "labels", "news")
FAR = "1" + "0" * 30
NUMBERS = (FAR, f"-{FAR}", str(2**31), str(2**63), "9" * 5000, "1e400", "NaN", "-inf", "²")
DAYS = ("0001-01-01", "0999-12-31", "1899-12-31", "2101-01-01", "9999-12-31")


def editable_columns() -> Iterator[Any]:
    for model in apps.get_models():
        if model._meta.app_label in APPS:
            yield from (field for field in model._meta.concrete_fields if field.editable)


def unbounded_columns() -> list[str]:
    """Texts and whole numbers that people write, and that only their type bounds."""
    return [
        str(field)
        for field in editable_columns()
        if (isinstance(field, models.TextField) and not isinstance(field, LongTextField))
        or (isinstance(field, models.IntegerField) and not isinstance(field, BoundedIntegerField))
        if not field.primary_key and not field.is_relation and field.name != "id"
        # Of versions: the name of a file.
        if field.name not in ("logo", "image", "file")
        and field.model._meta.label != "clusters.Change"
    ]


def test_every_column_that_people_write_is_bounded() -> None:
    assert unbounded_columns() == []


@pytest.mark.parametrize("plain", [models.TextField(), models.PositiveSmallIntegerField()])
def test_column_without_a_bound_is_found(plain: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    plain.set_attributes_from_name("plain")
    plain.model = Cluster
    monkeypatch.setattr(Cluster._meta, "concrete_fields", (*Cluster._meta.concrete_fields, plain))

    assert unbounded_columns() == ["clusters.Cluster.plain"]


@pytest.mark.parametrize("number", [-1, 10_000_001, 2**40])
def test_database_refuses_a_number(number: int) -> None:
    with pytest.raises(Exception, match=r"CHECK|check|out of range"), transaction.atomic():
        MembershipCount.objects.create(cluster=make_cluster(), counted_on="2020", count=number)


def test_database_refuses_a_long_text() -> None:
    report: dict[str, Any] = {"kind": "cluster", "record_id": "ABCDEFGH", "path": "/"}
    ProblemReport.objects.create(**report, text="é" * 4000)

    with pytest.raises(IntegrityError), transaction.atomic():
        ProblemReport.objects.create(**report, text="é" * 4001)


def taken(field: forms.Field, texts: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Values that the field takes, and what it says of the others."""
    for text in texts:
        try:
            field.clean(text)
        except ValidationError as error:
            yield "", " ".join(error.messages)
        else:
            yield text, ""


def test_every_number_of_a_form_is_bounded() -> None:
    found = 0
    for name, field in every_field():
        if isinstance(field, (forms.IntegerField, forms.DecimalField)) and not field.disabled:
            found += 1
            for text, said in taken(field, NUMBERS):
                assert said, (name, text)
    assert found > 20


def test_number_without_a_bound_would_be_taken() -> None:
    assert [text for text, _said in taken(forms.IntegerField(), NUMBERS) if text]


def test_every_text_of_a_form_is_bounded() -> None:
    found, unbounded = [], []
    for name, field in every_field():
        # What django-import-export hands from one page to the next.
        if name.startswith("ConfirmForm."):
            continue
        if isinstance(field, forms.CharField) and not field.disabled:
            found.append(name)
            if next(taken(field, ("a" * 30_000,)))[0]:
                unbounded.append(name)
    assert len(found) > 50
    assert "\n".join(sorted(set(unbounded))) == ""


def test_every_day_of_a_form_is_bounded() -> None:
    found = 0
    for name, field in every_field():
        texts: tuple[str, ...] = DAYS
        if isinstance(field, forms.DateTimeField):
            texts = tuple(f"{day}T12:00" for day in DAYS)
        elif not isinstance(field, forms.DateField) and "Partial" not in type(field).__name__:
            continue
        found += 1
        for text, said in taken(field, texts):
            assert "lies outside the years 1900 to 2100" in said, (name, text)
    assert found > 20


PARAMETERS = ("page", "on", "near", "within", "members_from", "founded_from", "year", "limit")
PATHS = (
    "/en/clusters/",
    "/en/clusters/map/",
    "/en/organisations/",
    "/en/labels/",
    "/en/news/",
    "/en/search/",
    "/clusters.csv",
    "/labels.json",
    "/api/v1/clusters",
    "/api/v1/labels",
    "/api/v1/announcements",
)


@pytest.mark.parametrize("path", PATHS)
def test_no_number_of_an_address_takes_a_page_down(client: Client, path: str) -> None:
    make_cluster()
    values = (FAR, "9" * 5000, "1000000000", "-1", "NaN,NaN", "1e309,-inf", DAYS[0], DAYS[-1])
    for name in PARAMETERS:
        for value in values:
            response = client.get(path, {name: value})
            if response.streaming:
                b"".join(response)
            assert response.status_code < 500, (name, value)


@pytest.mark.parametrize("path", ["/en/labels/", "/en/clusters/"])
def test_year_of_an_address_is_refused_in_words(client: Client, path: str) -> None:
    address = make_cluster().get_absolute_url() if "clusters" in path else path

    page = client.get(address, {"on": "3027-01-01"})

    assert "3027-01-01” lies outside the years 1900 to 2100 of the parameter “on”" in page.text


@pytest.mark.parametrize("year", ["1000", "1" + "0" * 30, "-1", "9999", "0", "x", "²"])
def test_list_of_the_admin_is_asked_for_any_year(admin_client: Client, year: str) -> None:
    page = admin_client.get("/admin/news/announcement/", {"published_at__year": year})

    assert (page.status_code, page["Location"]) == (302, "/admin/news/announcement/?e=1")
