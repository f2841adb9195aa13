import csv
import re
from collections.abc import Callable
from datetime import date

import pytest
from django.db import IntegrityError
from django.test import Client

from clusters.models import Programme
from labels.models import RequiredLevel
from labels.register.programmes import programmes_on
from labels.words import Reply
from tests.factories import (
    hide,
    make_cluster,
    make_label,
    make_organisation,
    make_participation,
    make_programme,
    make_undated_label,
)

pytestmark = pytest.mark.django_db

DAY = date(2015, 9, 8)
PAGE = "/en/programmes/compare/"
CountQueries = Callable[..., int]


def make_ace(**fields: object) -> Programme:
    """Three clusters: one holds a valid Gold, one held a Silver, of one it cannot be told."""
    programme = make_programme(**({"name_en": "ACE", "slug": "ace"} | fields))
    RequiredLevel.objects.create(
        programme=programme, level_id="silver", required_from=date(2014, 1, 1)
    )
    holder, former, untold = (
        make_participation(programme=programme).cluster for _number in range(3)
    )
    make_label(cluster=holder, assessed_on="2015-07-01")
    make_label(cluster=former, level="silver", assessed_on="2011-01")
    make_label(cluster=untold, level="bronze", assessed_on="2015-01")
    make_undated_label(cluster=untold, level="silver")
    return programme


def text_of(client: Client, path: str) -> str:
    html = client.get(path).content.decode()
    return " ".join(re.sub(r"<[^>]+>", " ", html.partition("<main")[2]).split())


def test_each_programme_has_its_own_answer() -> None:
    ace = make_ace()
    other = make_programme(name_en="Other")
    RequiredLevel.objects.create(programme=other, level_id="gold")
    make_participation(programme=other, cluster=ace.participations.all()[0].cluster)
    make_participation(programme=other, cluster=ace.participations.all()[1].cluster)
    plain = make_participation(programme=make_programme(name_en="Plain")).programme

    first, second, third = programmes_on([ace, other, plain], DAY, DAY)

    assert [first.number(reply) for reply in Reply] == [1, 1, 1]
    # A Silver does not count for a Gold, and proves nothing.
    assert [second.number(reply) for reply in Reply] == [1, 0, 1]
    assert (third.requirement, third.clusters) == (None, 1)


def test_page_shows_owner_level_and_shares(client: Client) -> None:
    make_ace(owner=make_organisation(name="Finpiemonte"))
    make_programme(name_en="Empty", owner=make_organisation(name="Hidden", is_published=False))

    text = text_of(client, f"{PAGE}?on=2015-09-08")

    assert (
        "ACE Finpiemonte 3 S Silver since 1 January 2014 1 of 3 (33 %) 1 of 3 (33 %) 1 of 3 (33 %)"
    ) in text
    assert "Empty not recorded 0 none known Nobody has to meet a level" in text
    assert "Hidden" not in text


def test_page_answers_for_the_day(client: Client) -> None:
    make_ace()

    assert "ACE not recorded 3 none known" in text_of(client, f"{PAGE}?on=2013-12-31")
    assert "is not a day like 2015-09-08" in text_of(client, f"{PAGE}?on=soon")


def test_hidden_cluster_is_not_counted(client: Client) -> None:
    ace = make_ace()
    before = text_of(client, f"{PAGE}?on=2015-09-08")
    hidden = make_participation(programme=ace, cluster=make_cluster()).cluster
    make_label(cluster=hidden, assessed_on="2015-07-01")
    hide(hidden)

    assert text_of(client, f"{PAGE}?on=2015-09-08") == before


def test_empty_page_helps(client: Client) -> None:
    assert "No programme has been entered in this register." in text_of(client, PAGE)


def test_page_takes_as_many_queries_for_many_programmes_as_for_one(
    count_queries: CountQueries,
) -> None:
    make_ace(owner=make_organisation())
    page, file = count_queries(PAGE), count_queries("/programmes/compare.csv")
    for number in range(3):
        make_ace(slug=f"ace-{number}", owner=make_organisation())

    assert count_queries(PAGE) == page
    assert count_queries("/programmes/compare.csv") == file


def test_file_says_what_the_page_says(client: Client) -> None:
    ace = make_ace(owner=make_organisation(name="Finpiemonte"))
    plain = make_programme(name_en="Plain")

    response = client.get("/programmes/compare.csv?on=2015-09-08")

    assert [
        list(row.values()) for row in csv.DictReader(response.content.decode().splitlines())
    ] == [
        [ace.public_id, "ACE", "Finpiemonte", "2015-09-08", "3", "silver", "2014-01-01", *"111"],
        [plain.public_id, "Plain", "", "2015-09-08", "0", "", "", "", "", ""],
    ]


def test_file_refuses_what_it_does_not_understand(client: Client) -> None:
    response = client.get("/programmes/compare.csv?on=soon&for=me")

    assert response.status_code == 400
    assert response.content.decode().startswith("on: “soon” is not a day")


def test_programme_has_not_the_address_of_the_page() -> None:
    programme = Programme(name_en="Compare", name_it="Confronto", country="IT", slug="compare")
    programme.full_clean()

    assert programme.slug == "compare-it"
    with pytest.raises(IntegrityError, match="programme_address_is_not_of_a_page"):
        make_programme(slug="compare")
