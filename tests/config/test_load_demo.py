from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import transaction
from django.test import Client
from PIL import Image
from pytest_django import DjangoDbBlocker

from clusters.models import Cluster, ClusterText, Lineage, Management, Organisation, Programme
from labels.models import Label, RequiredLevel, Statement
from labels.validity import State
from news.models import Announcement, AnnouncementText
from tests.factories import MOMENT

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module", autouse=True)
def demo(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """The demo data, loaded once for this module; each test takes back what it changes."""
    with django_db_blocker.unblock(), transaction.atomic():
        load_demo()
        yield
        transaction.set_rollback(True)


def load_demo() -> str:
    out = StringIO()
    call_command("load_demo", stdout=out)
    return out.getvalue().strip()


def biopmed_gold() -> Label:
    return Label.objects.with_succession().get(cluster__name="bioPmed", level="gold")


def number_of_rows() -> dict[str, int]:
    """Rows of every model of the portal, its history included."""
    return {
        model.__name__: model._default_manager.count()
        for app in ("clusters", "labels", "news")
        for model in apps.get_app_config(app).get_models()
    }


def test_second_run_adds_nothing() -> None:
    before = number_of_rows()

    assert load_demo() == "Demo data: all there, nothing added."
    assert number_of_rows() == before


def test_history_names_the_demo_and_its_import() -> None:
    assert origins(Cluster) <= {"load_demo", "import"}
    assert "load_demo" in origins(Cluster)
    assert origins(Announcement) == {"load_demo"}


def origins(model: Any) -> set[str]:
    return set(model.history.values_list("history_change_reason", flat=True))


@pytest.mark.parametrize(
    ("day", "state"),
    [
        pytest.param("2015-06-30", "not_yet", id="the day before"),
        pytest.param("2015-07-01", "uncertain", id="first day that can be"),
        pytest.param("2015-07-30", "uncertain", id="the day before it is certain"),
        pytest.param("2015-07-31", "valid", id="certain"),
        pytest.param("2015-09-08", "valid", id="announcement"),
        pytest.param("2017-07-31", "valid", id="last day"),
        pytest.param("2017-08-01", "renewable", id="the day after"),
        pytest.param("2018-07-31", "renewable", id="last day of renewal"),
        pytest.param("2018-08-01", "expired", id="too late"),
    ],
)
def test_gold_of_biopmed_has_its_state(day: str, state: str) -> None:
    on = date.fromisoformat(day)

    assert biopmed_gold().state_on(on) == state
    assert biopmed_gold() in Label.objects.in_state(State(state), on)


def test_gold_of_biopmed_is_told_as_it_was() -> None:
    gold = biopmed_gold()

    assert str(gold.managing_organisation) == "Bioindustry Park Silvano Fumero SpA"
    assert (str(gold.assessed_on), str(gold.announced_on)) == ("2015-07", "2015-09-08")
    assert (gold.awarded_by.code if gold.awarded_by else None, gold.end_is_computed) == (
        "esca",
        True,
    )


def test_biopmed_is_one_cluster_with_three_labels() -> None:
    cluster = Cluster.objects.get(name="bioPmed")

    assert [str(name) for name in cluster.names.all()] == ["bioPmed Piemonte innovation cluster"]
    assert sorted((label.level_id, str(label.start)) for label in cluster.labels.all()) == [
        ("bronze", "2013"),
        ("bronze", "None"),
        ("gold", "2015-07"),
    ]


def test_gce_ocean_has_four_golds_with_their_scores() -> None:
    golds = Label.objects.filter(cluster__name="GCE Ocean Technology").order_by("awarded_on")

    assert [(str(gold.awarded_on), gold.score) for gold in golds] == [
        ("2013", Decimal(100)),
        ("2015", Decimal(96)),
        ("2019", Decimal(98)),
        ("2021-12", Decimal(99)),
    ]


def test_labels_of_polo_ict_belong_to_the_manager_renamed_since() -> None:
    labels = Label.objects.filter(cluster__name="Polo ICT").order_by("awarded_on")

    assert [(str(label.level), str(label.managing_organisation)) for label in labels] == [
        ("Bronze", "Fondazione Piemonte Innova"),
        ("Silver", "Fondazione Piemonte Innova"),
    ]
    assert not Organisation.objects.filter(name="Fondazione Torino Wireless").exists()


def test_gold_of_nce_node_is_of_gce_node() -> None:
    labels = Label.objects.filter(cluster__name="GCE NODE", level="gold")

    assert sorted(str(label.awarded_on) for label in labels) == ["2012-04-18", "None"]
    assert not Cluster.objects.filter(name__startswith="NCE NODE").exists()


def test_poles_of_2016_have_their_managers_and_predecessors() -> None:
    managers = Management.objects.filter(cluster__name="CGREEN")

    assert {(str(manager.organisation), manager.role) for manager in managers} == {
        ("Proplast", "lead"),
        ("IBIS", "joint"),
        ("PST", "joint"),
    }
    assert Lineage.objects.filter(kind="merged_into", other__name="CGREEN").count() == 3


def test_finpiemonte_holds_shares_and_coordinates_ace() -> None:
    finpiemonte = Organisation.objects.get(name="Finpiemonte SpA")

    assert [str(holding.organisation) for holding in finpiemonte.holdings.all()] == [
        "Bioindustry Park Silvano Fumero SpA"
    ]
    assert Programme.objects.get(slug="ace").owner == finpiemonte


def test_required_levels_have_a_source_and_no_invented_day() -> None:
    required = RequiredLevel.objects.filter(required_from=None, required_until=None)

    assert {row.programme.slug: row.level_id for row in required.exclude(source="")} == {
        "go-cluster": "silver",
        "nce-gce": "gold",
        "catalonia-clusters": "bronze",
    }


def test_page_of_a_programme_shows_who_met_its_requirement(client: Client) -> None:
    page = client.get("/en/programmes/nce-gce/?on=2016-01-01").content.decode()

    assert "Meet it (1)" in page
    # Of GCE NODE's Gold the days are not known.
    assert "Cannot be told from this register (1)" in page
    assert "Do not meet it" not in page


def test_every_line_of_the_register_file_is_a_label() -> None:
    assert (Label.objects.count(), Statement.objects.count()) == (128, 15)


def test_announcement_is_tied_to_what_it_tells() -> None:
    announcement = Announcement.objects.get(published_at=MOMENT)

    assert announcement.is_published
    assert [text.language for text in announcement.texts.all()] == ["en", "it"]
    assert [str(cluster) for cluster in announcement.clusters.all()] == ["bioPmed"]
    assert [label.pk for label in announcement.labels.all()] == [biopmed_gold().pk]
    assert [programme.slug for programme in announcement.programmes.all()] == ["ace"]
    assert sorted(statement.count for statement in announcement.statements.all()) == [27, 57, 800]


def test_picture_of_the_announcement_is_drawn_anew() -> None:
    picture = Announcement.objects.get(published_at=MOMENT).picture

    assert Path(picture.path).name != "gold-label.png"
    with Image.open(picture.path) as image:
        assert (image.format, image.info) == ("PNG", {})


def edit(row: Any, **values: Any) -> None:
    for name, value in values.items():
        setattr(row, name, value)
    row.save()


def test_edits_survive_the_next_run() -> None:
    biopmed = Cluster.objects.get(name="bioPmed")
    park = Organisation.objects.get(name="Bioindustry Park Silvano Fumero SpA")
    gold = Label.objects.get(cluster__name="GCE Ocean Technology", awarded_on="2013")
    text = AnnouncementText.objects.get(language="en")
    edit(biopmed, name="bioPmed Piemonte", website="", portfolio=None, is_published=False)
    edit(park, name="Bioindustry Park")
    edit(biopmed.labels.get(level="gold"), awarded_on="2015-07-14")
    edit(gold, score=None)
    edit(text, title="Another title", slug="another-title")
    edit(Statement.objects.get(count=57), count=58)
    edit(Programme.objects.get(slug="ace"), slug="ace-piemonte")
    edit(Management.objects.get(cluster=biopmed, role="lead"), started_on="2010")
    biopmed.texts.get(language="it").delete()
    before = number_of_rows()

    assert load_demo() == "Demo data: all there, nothing added."

    assert number_of_rows() == before
    biopmed.refresh_from_db()
    assert (biopmed.name, biopmed.website, biopmed.portfolio) == ("bioPmed Piemonte", "", None)
    gold.refresh_from_db()
    assert gold.score is None
    assert not ClusterText.objects.filter(cluster=biopmed, language="it").exists()
