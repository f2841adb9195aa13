"""Words find what is there, whoever wrote it, on either engine."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from clusters.fulltext import (
    clusters_matching,
    documents_that_differ,
    highlight,
    nearest,
    records_matching,
)
from clusters.models import (
    Change,
    Cluster,
    ClusterName,
    ClusterText,
    Management,
    Organisation,
    OrganisationName,
    Portfolio,
    Region,
)
from news.models import Announcement, AnnouncementText
from tests.factories import (
    make_announcement,
    make_cluster,
    make_label,
    make_management,
    make_organisation,
    make_participation,
    make_programme,
    make_suspension,
    update_label,
)

pytestmark = pytest.mark.django_db


def found(text: str) -> list[int]:
    return [key for key, _tier in clusters_matching(text)]


@pytest.fixture
def biopmed() -> Cluster:
    """With words in each place where a cluster is found by."""
    piedmont = Region.objects.get(code="IT-21")
    health = Portfolio.objects.create(
        code="care", name_en="Health and care", name_it="Salute e assistenza"
    )
    cluster = make_cluster(
        name="bioPmed", town="Colleretto Giacosa", region=piedmont, portfolio=health
    )
    ClusterName.objects.create(cluster=cluster, name="Canavese Biocluster")
    ClusterText.objects.create(
        cluster=cluster, language="en", tagline="Life sciences", description="Über Geräte"
    )
    park = make_organisation(name="Bioindustry Park")
    OrganisationName.objects.create(organisation=park, name="Parco Scientifico")
    make_management(cluster=cluster, organisation=park)
    return cluster


@pytest.mark.parametrize(
    ("text", "tier"),
    [
        pytest.param("biopmed", 0, id="name"),
        pytest.param("BIOP", 0, id="beginning of a word"),
        pytest.param("canavese", 0, id="other name"),
        pytest.param("giacosa bio", 1, id="town and name"),
        pytest.param("Piemonte salute", 1, id="region and portfolio in Italian"),
        pytest.param("piedmont care", 1, id="region and portfolio in English"),
        pytest.param("italia", 1, id="country in Italian"),
        pytest.param("Italy", 1, id="country in English"),
        pytest.param("parco scientifico", 1, id="former name of the manager"),
        pytest.param("geräte", 2, id="text"),
        pytest.param("uber GERATE", 2, id="without accents"),
        pytest.param("biopmed sciences", 2, id="name and text"),
        pytest.param('"bioindustry park"', 1, id="phrase"),
        pytest.param("“life sciences”", 2, id="phrase in typographic quotes"),
        pytest.param("colleretto-giac", 1, id="compound"),
        pytest.param("bio & park", 1, id="sign between words"),
    ],
)
def test_cluster_is_found_by(biopmed: Cluster, text: str, tier: int) -> None:
    make_cluster(name="Wood", country="FI")
    assert clusters_matching(text) == [(biopmed.pk, tier)]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("& — !", id="no word"),
        pytest.param("pmed", id="end of a word"),
        pytest.param("biopmed wood", id="one word is not there"),
        pytest.param('"park bioindustry"', id="phrase in another order"),
        pytest.param('"bioindustry par"', id="phrase with half a word"),
        pytest.param('"biopmed colleretto"', id="phrase over two places"),
    ],
)
def test_cluster_is_not_found_by(biopmed: Cluster, text: str) -> None:
    make_cluster(name="Wood")
    assert found(text) == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Ötztal", "otztal"),
        ("Otztal", "ötztal"),
        ("Łódź", "lodz"),
        ("Großstraße", "grossstrasse"),
        ("København Ærø", "kobenhavn aero"),
        ("Đakovo", "ĐAKOVO"),
        ("Isparta ığdır", "igdir"),  # noqa: RUF001
        ("Αθήνα Ένωση", "αθηνα ενωση"),
        ("Черноморие", "ЧЕРНОМОРИЕ"),
        ("O\u0308tztal", "Ötztal"),
        ("H2O 4.0", "h2o 4"),
        ("S.p.A. e-mobility", "s.p.a e-mob"),
        ("info@example.org/a", "example org"),
        ("snake_case", "case"),
        ("L’Aquila", "L'Aquila"),
    ],
)
def test_letters_are_folded_and_words_cut_alike(name: str, text: str) -> None:
    cluster = make_cluster(name=name)
    assert (found(text), found(name)) == ([cluster.pk], [cluster.pk])


@pytest.mark.parametrize(
    "text",
    [
        '"',
        '"" ""',
        "'; DROP TABLE clusters_cluster; --",
        "a* OR b",
        "NEAR(a b)",
        "{names} : x",
        "names:x",
        "^x",
        "a AND",
        "NOT",
        "(((",
        "x:*",
        "a & | ! <-> b",
        "\\",
        "\\' \\\"",
        "%s %(x)s %",
        "-" * 200,
        "a-" * 100,
        "ﷺ \U0001d518 ½ ™ \u0301 \u200d 日本 हिन्दी \U0001f600",
        "\ud800",
        '«“"’',
    ],
)
def test_no_text_breaks_the_search(text: str) -> None:
    make_cluster()
    text = text.encode("utf-8", "replace").decode()
    assert isinstance(clusters_matching(text), list)
    assert isinstance(nearest(text), str)
    assert isinstance(highlight(text, text), str)


def execute(statement: str, *values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def settle(cluster: Cluster) -> None:
    cluster.town = "Zebra"
    cluster.save()


def rename_by_bulk_update(cluster: Cluster) -> None:
    cluster.name = "Zebra"
    Cluster.objects.bulk_update([cluster], ["name"])


def rename_manager(cluster: Cluster) -> None:
    Organisation.objects.filter(clusters=cluster).update(name="Zebra")


def give_manager_by_hand(cluster: Cluster) -> None:
    zebra = make_organisation(name="Zebra")
    Management.objects.filter(cluster=cluster).update(organisation=zebra)


def move_other_name(cluster: Cluster) -> None:
    ClusterName.objects.create(cluster=make_cluster(), name="Zebra")
    ClusterName.objects.filter(name="Zebra").update(cluster=cluster)


@pytest.mark.parametrize(
    "write",
    [
        pytest.param(settle, id="save"),
        pytest.param(rename_by_bulk_update, id="bulk_update"),
        pytest.param(
            lambda cluster: ClusterText.objects.bulk_create(
                [ClusterText(cluster=cluster, language="it", tagline="Zebra")]
            ),
            id="bulk_create",
        ),
        pytest.param(
            lambda cluster: execute(
                "UPDATE clusters_cluster SET name = 'Zebra' WHERE id = %s", cluster.pk
            ),
            id="raw SQL",
        ),
        pytest.param(rename_manager, id="manager renamed"),
        pytest.param(give_manager_by_hand, id="manager replaced"),
        pytest.param(move_other_name, id="row moved from another cluster"),
        pytest.param(
            lambda cluster: Region.objects.filter(code="IT-21").update(other_names="Zebra"),
            id="region",
        ),
        pytest.param(
            lambda cluster: Portfolio.objects.filter(code="care").update(name_it="Zebra"),
            id="portfolio",
        ),
    ],
)
def test_write_is_found_at_once(biopmed: Cluster, write: Callable[[Cluster], object]) -> None:
    write(biopmed)
    assert found("zebra") == [biopmed.pk]
    assert documents_that_differ() == []


@pytest.mark.parametrize(
    ("write", "text"),
    [
        pytest.param(
            lambda: Cluster.objects.filter(name="bioPmed").update(is_published=False),
            "biopmed",
            id="hidden cluster",
        ),
        pytest.param(
            lambda: Organisation.objects.update(is_published=False),
            "bioindustry",
            id="hidden manager",
        ),
        pytest.param(lambda: ClusterText.objects.all().delete(), "sciences", id="deleted text"),
        pytest.param(
            lambda: Cluster.objects.filter(name="bioPmed").delete(), "biopmed", id="deleted cluster"
        ),
    ],
)
def test_what_is_gone_is_not_found(
    biopmed: Cluster, write: Callable[[], object], text: str
) -> None:
    assert found(text) == [biopmed.pk]
    write()
    assert found(text) == []
    assert documents_that_differ() == []


def changes_by(write: Callable[[], object]) -> set[tuple[str, int]]:
    last = Change.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    write()
    return set(Change.objects.filter(pk__gt=last).values_list("kind", "key"))


def test_label_and_its_suspension_tell_of_their_cluster() -> None:
    cluster, other = make_cluster(), make_cluster()
    label = make_label(cluster=cluster)
    of_cluster, of_other = ("cluster", cluster.pk), ("cluster", other.pk)
    moved = changes_by(lambda: update_label(label, cluster=other))
    suspended = changes_by(lambda: make_suspension(label, starts_on="2020-01-01", reason="x"))
    assert (moved, suspended) == ({of_cluster, of_other}, {of_other})


def test_programme_tells_of_its_clusters() -> None:
    participation = make_participation()
    assert changes_by(participation.programme.save) == {
        ("other", 0),
        ("programme", participation.programme_id),
        ("cluster", participation.cluster_id),
    }


def test_announcement_tells_of_its_clusters() -> None:
    cluster, announcement = make_cluster(), make_announcement()
    both = {("announcement", announcement.pk), ("cluster", cluster.pk)}
    assert changes_by(lambda: announcement.clusters.add(cluster)) == both
    assert changes_by(lambda: announcement.texts.update(title="Other")) == both
    assert changes_by(lambda: announcement.clusters.clear()) == both


@pytest.mark.parametrize(
    ("text", "mended"),
    [
        pytest.param("biomped", "biopmed", id="two letters exchanged"),
        pytest.param("Colleretta", "colleretto", id="another letter"),
        pytest.param("Bioindusrty park", "bioindustry park", id="only the unknown word"),
        pytest.param("Itlay", "italy", id="country"),
        pytest.param("biopmed", "", id="known"),
        pytest.param("bio", "", id="known beginning"),
        pytest.param("xyzzyx", "", id="nothing near"),
        pytest.param("xyz", "", id="too short"),
        pytest.param('"bioindusrty park" biopmed', '"bioindustry park" biopmed', id="phrase"),
    ],
)
def test_nearest_mends_what_nothing_contains(biopmed: Cluster, text: str, mended: str) -> None:
    assert nearest(text) == mended


def test_nearest_forgets_what_is_gone(biopmed: Cluster) -> None:
    biopmed.names.all().delete()
    assert nearest("canavesse") == ""


def test_other_records_are_found_names_first() -> None:
    second = make_organisation(name="Park", town="Torino")
    first = make_organisation(name="Torino Park", town="Torino")
    make_organisation(name="Torino hidden", is_published=False)
    programme = make_programme(name_en="Poles", name_it="Poli")
    announcement = make_announcement(title="Gold for all")
    AnnouncementText.objects.filter(announcement=announcement).update(body="Torino")
    assert records_matching("organisation", "torino", 9) == [first.pk, second.pk]
    assert records_matching("organisation", "torino", 1) == [first.pk]
    assert records_matching("programme", "poli", 9) == [programme.pk]
    assert records_matching("announcement", "gold torino", 9) == [announcement.pk]
    Announcement.objects.update(state="draft")
    assert records_matching("announcement", "gold", 9) == []


@pytest.mark.parametrize(
    ("text", "words", "shown"),
    [
        ("bioPmed & more", "BIOP", "<mark>bioP</mark>med &amp; more"),
        (
            "<b>Ötztal</b>",
            "otz b",
            "&lt;<mark>b</mark>&gt;<mark>Ötz</mark>tal&lt;/<mark>b</mark>&gt;",
        ),
        ("Straße", "strass", "<mark>Straß</mark>e"),
        ("park parks", '"park"', "<mark>park</mark> parks"),
        ("a bio bioscience", "bio bios", "a <mark>bio</mark> <mark>bios</mark>cience"),
        ("a < b", "", "a &lt; b"),
    ],
)
def test_highlight_marks_what_was_found(text: str, words: str, shown: str) -> None:
    assert highlight(text, words) == shown


def test_rebuild_mends_what_check_tells(
    biopmed: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    table = "cluster_indexed" if connection.vendor == "sqlite" else "cluster_document"
    execute(f"DELETE FROM {table} WHERE key = %s", biopmed.pk)  # noqa: S608
    with pytest.raises(CommandError, match=r"should be: 1\."):
        call_command("rebuild_search", check=True)
    assert capsys.readouterr().out == f"cluster {biopmed.pk}\n"
    call_command("rebuild_search")
    call_command("rebuild_search", check=True)
    assert capsys.readouterr().out.endswith("All documents are right.\n")
    assert found("biopmed") == [biopmed.pk]


@pytest.mark.django_db(transaction=True)
def test_emptied_database_has_no_documents(biopmed: Cluster) -> None:
    if connection.vendor == "postgresql":  # the log refuses to be emptied
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE clusters_event DISABLE TRIGGER USER")
    call_command("flush", interactive=False, verbosity=0)
    assert (found("biopmed"), documents_that_differ()) == ([], [])
