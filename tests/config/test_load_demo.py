import csv
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date, datetime
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

from clusters.dates import PartialDate
from clusters.models import (
    Cluster,
    ClusterName,
    ClusterText,
    FactSource,
    Lineage,
    Management,
    MembershipCount,
    Organisation,
    Programme,
)
from clusters.names import normal_name
from config.management.commands.load_demo import DATA
from labels.models import Label, LabelSource, RequiredLevel, Statement
from labels.validity import State
from news.models import Announcement, AnnouncementText
from tests.factories import MOMENT, change_label, hide

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
        ("2013-08", Decimal(100)),
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

    days = ["2012-04-18", "2015", "2018", "2021", "2024"]
    assert sorted(str(label.awarded_on) for label in labels) == days
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

    assert "Meet it (2)" in page
    assert "Do not meet it" not in page


# What the files say, counted without the loader.


def csv_rows(name: str) -> list[dict[str, str]]:
    with (DATA / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def present_names() -> dict[str, str]:
    """From each other name of a cluster to its present one."""
    names = {row["name"]: row["cluster"] for row in csv_rows("other_names")}
    for row in json.loads((DATA / "clusters.json").read_text(encoding="utf-8")):
        names |= {other["name"]: row["name"] for other in row.get("names", [])}
    return names


def lines_of_labels() -> dict[tuple[str, str, str, str], list[dict[str, str]]]:
    """The lines of both files that tell of the same label."""
    names = present_names()
    found = defaultdict(list)
    for row in [*csv_rows("labelled_clusters"), *csv_rows("more_labels")]:
        cluster = names.get(row["cluster"], row["cluster"])
        level = row["label_level"].lower()
        found[cluster, level, row["awarded_on_or_year"], row["valid_until"]].append(row)
    return found


def test_every_line_of_the_files_is_a_label_once() -> None:
    labels = Label.objects.values_list("cluster__name", "level", "awarded_on", "valid_until")
    stored = Counter(
        (name, level, str(on or ""), str(until or "")) for name, level, on, until in labels
    )

    assert stored == dict.fromkeys(lines_of_labels(), 1)
    assert Counter(label[1] for label in stored) == {"bronze": 143, "silver": 49, "gold": 132}
    assert Statement.objects.count() == 15


def test_label_keeps_every_source_with_what_it_says() -> None:
    told = {
        (cluster, level, row["source"], row["evidence"])
        for (cluster, level, _on, _until), rows in lines_of_labels().items()
        for row in rows
        if row["evidence"]
    }

    stored = LabelSource.objects.values_list(
        "label__cluster__name", "label__level", "source", "note"
    )
    assert set(stored) == told
    assert not Label.objects.filter(source="").exists()


def test_label_of_which_a_source_is_not_sure_says_so(client: Client) -> None:
    label = Label.objects.get(cluster__name="EnergyVaasa")

    assert [row.confidence for row in label.sources.all()] == ["reported"]
    assert "unconfirmed" in client.get(label.get_absolute_url()).content.decode()


def test_every_correction_is_in_the_file() -> None:
    rows = {
        (row["cluster"], row["label_level"], row["awarded_on_or_year"])
        for row in csv_rows("labelled_clusters")
    }

    assert ("Silicon Saxony e. V.", "Gold", "2012-03") in rows
    assert ("GCE NODE", "Gold", "2015") in rows
    # Known to a quarter only: the year stays, the quarter stands in the evidence.
    assert ("Hamburg Aviation", "Gold", "2019") in rows
    assert sum(bool(row["evidence"]) for row in csv_rows("labelled_clusters")) == 43


def test_every_fact_of_the_file_is_in_the_register() -> None:
    rows = csv_rows("cluster_facts")
    columns = {
        "town": "town",
        "website": "website",
        "founded": "founded_on",
        "region": "region__code",
        "portfolio": "portfolio__code",
    }
    for column, name in columns.items():
        stored = Cluster.objects.values_list("name", name)
        said = {(row["cluster"], row[column]) for row in rows if row[column]}
        assert said <= {(cluster, str(value)) for cluster, value in stored}, column
    positions = {(row["cluster"], row["latitude"]) for row in rows if row["latitude"]}
    located = Cluster.objects.exclude(latitude=None).values_list("name", "latitude")
    assert {name for name, _degrees in positions} == {name for name, _degrees in located}
    assert {(name, float(text)) for name, text in positions} == {
        (name, float(degrees or 0)) for name, degrees in located
    }


def test_every_manager_and_count_of_the_file_is_in_the_register() -> None:
    rows = csv_rows("cluster_facts")
    leads = {(row["cluster"], row["managing_organisation"]) for row in rows} - {
        (row["cluster"], "") for row in rows
    }
    counts = [
        (row["cluster"], kind, row["members_date"], int(row[f"members_{kind}"]))
        for row in rows
        for kind in ("total", "sme", "large", "research")
        if row[f"members_{kind}"]
    ]

    stored = Management.objects.filter(role="lead").values_list(
        "cluster__name", "organisation__name"
    )
    assert leads <= set(stored)
    members = MembershipCount.objects.values_list("cluster__name", "kind", "counted_on", "count")
    assert sorted((a, b, str(c), d) for a, b, c, d in members) == sorted(counts)


def test_taglines_are_in_both_languages() -> None:
    said = {row["cluster"] for row in csv_rows("cluster_facts") if row["tagline_en"]}

    for language in ("en", "it"):
        texts = ClusterText.objects.filter(language=language).exclude(tagline="")
        assert said <= set(texts.values_list("cluster__name", flat=True))


def test_no_fact_is_without_its_source_or_its_mark(client: Client) -> None:
    """Of each fact that the file tells: seen in a source that is named, or unconfirmed."""
    sources = {
        (row.cluster.name, row.fact): row for row in FactSource.objects.select_related("cluster")
    }
    columns = {
        "town": "town",
        "region": "region",
        "portfolio": "portfolio",
        "website": "website",
        "founded": "founded_on",
        "managing_organisation": "managers",
        "managing_since": "managed_since",
        "members_total": "members",
    }
    for row in csv_rows("cluster_facts"):
        for column, fact in columns.items():
            if row[column]:
                source = sources[row["cluster"], fact]
                is_seen = column in row["seen_fields"].split()
                assert source.is_confirmed is is_seen, (row["cluster"], column)
                assert source.source or not is_seen
    general = [row for row in csv_rows("cluster_facts") if row["confidence"] != "seen"]
    assert not any(
        source.is_confirmed
        for source in sources.values()
        if source.cluster.name in {row["cluster"] for row in general}
        and source.fact != "other_names"
    )


def test_doubtful_fact_carries_its_mark_on_the_page_and_in_data(client: Client) -> None:
    cluster = Cluster.objects.get(name="WAB e. V.")
    FactSource.objects.filter(cluster=cluster, fact="town").update(confidence="doubtful", source="")

    for language, mark in (("en", "(unconfirmed)"), ("it", "(non confermato)")):
        page = client.get(f"/{language}/clusters/{cluster.slug}/").content.decode()
        assert mark in page
        assert 'id="sources"' in page
    response: Any = client.get("/clusters.json?q=wab")
    data = json.loads(b"".join(response))["clusters"]
    assert [row["unconfirmed"] for row in data if row["name"] == "WAB e. V."] == [["town"]]


@pytest.mark.parametrize(
    ("name", "present", "labels"),
    [
        ("ACTM - Catalan Fashion & Textile Cluster", "MODACC", 2),
        ("NCE NODE - Norwegian Offshore Drilling Engineering", "GCE NODE", 5),
        ("ECO WORLD STYRIA", "Green Tech Valley Cluster", 3),
        ("Green Tech Cluster", "Green Tech Valley Cluster", 3),
        ("Arena Eyde", "Eyde Cluster", 3),
        ("Arena Heidner", "NCE Heidner Biocluster", 2),
        ("Oslo Medtech", "Norway Health Tech", 2),
        ("Mov'eo", "NextMove", 2),
        ("Beauty Cluster Barcelona", "Beauty Cluster", 2),
    ],
)
def test_cluster_of_several_names_is_one(name: str, present: str, labels: int) -> None:
    cluster = Cluster.objects.get(name=present)

    assert cluster.names.filter(name=name).exists()
    assert not Cluster.objects.filter(name=name).exists()
    assert cluster.labels.count() == labels


def test_no_name_leads_to_two_clusters() -> None:
    names = Counter(
        (country, normal_name(name))
        for rows in (
            Cluster.objects.values_list("country", "name"),
            ClusterName.objects.values_list("cluster__country", "name"),
        )
        for country, name in rows
    )

    assert [name for name, number in names.items() if number > 1] == []


def test_merged_clusters_lead_on_and_are_not_managed_today() -> None:
    merged = Lineage.objects.filter(kind="merged_into")

    assert {row["cluster"] for row in csv_rows("mergers") if row["kind"] == "merged_into"} == set(
        merged.values_list("cluster__name", flat=True)
    )
    for row in merged:
        assert row.cluster.state == "merged", row.cluster
        assert row.source
        assert not row.cluster.managements.filter(ended_on=None).exists(), row.cluster


def test_manager_of_the_facts_goes_before_that_of_a_label() -> None:
    """South Tyrol's park managed its clusters until 2016; nobody is known to do so since."""
    managements = Management.objects.filter(organisation__name="TIS innovation park")

    assert {str(row.ended_on) for row in managements} == {"2016"}
    assert len(managements) == 5


def test_no_file_of_the_demo_names_an_address_of_a_person() -> None:
    for path in [*DATA.glob("*.csv"), *DATA.glob("*.json")]:
        assert not re.search(r"[\w.]+@(?!example\.org)[\w-]+\.\w+", path.read_text()), path.name


def test_announcement_is_tied_to_what_it_tells() -> None:
    announcement = Announcement.objects.get(published_at=MOMENT)

    assert announcement.state == "published"
    assert [text.language for text in announcement.texts.all()] == ["en", "it"]
    assert [str(cluster) for cluster in announcement.clusters.all()] == ["bioPmed"]
    assert [label.pk for label in announcement.labels.all()] == [biopmed_gold().pk]
    assert [programme.slug for programme in announcement.programmes.all()] == ["ace"]
    assert sorted(statement.count for statement in announcement.statements.all()) == [27, 57, 800]


def announcements_of_the_file() -> list[Any]:
    rows: list[Any] = json.loads((DATA / "announcements.json").read_text(encoding="utf-8"))
    return rows


def test_every_announcement_of_the_file_is_tied_to_all_that_it_names() -> None:
    """The loader leaves out what it does not find: a name that is mistyped would tie to nothing."""
    announcements = Announcement.objects.prefetch_related("clusters", "organisations", "programmes")
    stored = {str(one.text()): one for one in announcements}

    assert len(stored) == len(announcements_of_the_file()) == 26
    for row in announcements_of_the_file():
        one = stored[row["texts"]["en"]["title"]]
        assert one.published_at == datetime.fromisoformat(row["published_at"])
        assert {cluster.name for cluster in one.clusters.all()} == set(row["clusters"])
        assert {str(body) for body in one.organisations.all()} == set(row["organisations"])
        assert {programme.slug for programme in one.programmes.all()} == set(row["programmes"])
        assert {topic.slug for topic in one.topics.all()} == set(row["topics"])
        assert row["topics"]
        labels = one.labels.values_list("cluster__name", "level", "awarded_on", "valid_until")
        assert {(name, level, str(on), str(until)) for name, level, on, until in labels} == {
            (label["cluster"], label["level"], str(label["awarded_on"]), str(label["valid_until"]))
            for label in row["labels"]
        }
        assert one.statements.count() == len(row["statements"])


def test_every_announcement_names_its_source_in_both_languages() -> None:
    source = re.compile(r"(?:Source|Fonte): \[.+\]\((https?://\S+)\), .*\d{4}\.")
    for row in announcements_of_the_file():
        last_lines = [text["body"].splitlines()[-1] for text in row["texts"].values()]
        addresses = [found[1] if (found := source.match(line)) else line for line in last_lines]

        assert list(row["texts"]) == ["en", "it"]
        assert len(set(addresses)) == 1, last_lines


def test_picture_of_the_announcement_is_drawn_anew() -> None:
    picture = Announcement.objects.get(published_at=MOMENT).pictures.get().image

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
    gold = Label.objects.get(cluster__name="GCE Ocean Technology", awarded_on="2013-08")
    text = AnnouncementText.objects.get(language="en", slug="biopmed-gold-label")
    edit(biopmed, name="bioPmed Piemonte", website="", portfolio=None)
    edit(park, name="Bioindustry Park")
    biopmed.membership_counts.get().delete()
    FactSource.objects.get(cluster=biopmed, fact="town").delete()
    edit(FactSource.objects.get(cluster=biopmed, fact="website"), source="", confidence="doubtful")
    change_label(biopmed.labels.get(level="gold"), awarded_on=PartialDate(2015, 7, 14))
    change_label(gold, score=None)
    hide(biopmed)
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
