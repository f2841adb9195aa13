import json
from collections import Counter
from datetime import date
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from clusters.models import (
    Cluster,
    ClusterName,
    Management,
    ManagementRole,
    Organisation,
    OrganisationName,
    Region,
)
from clusters.models.clusters import PAGES
from labels.importing import writer as register_import
from labels.importing.lines import COLUMNS
from labels.models import Label, LabelSource
from tests.factories import (
    change_label,
    make_cluster,
    make_label,
    make_management,
    make_organisation,
    portfolio,
    region,
)

pytestmark = pytest.mark.django_db

HEADER = ",".join(COLUMNS)
GOLD = "bioPmed,IT,Piemonte,Park,Health and medical science,Gold,2015-07,,example.org"
BRONZE = "bioPmed,IT,Piemonte,Park,Health and medical science,Bronze,2013,,example.org"
BAD = "Nowhere,XX,,,,Gold,,,"
ALL_MODELS = (Cluster, Organisation, Label, Management)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "register.csv"


def run(file: Path, *lines: str, **options: Any) -> dict[str, Any]:
    """The JSON report of an import that is not refused."""
    file.write_text("\n".join([HEADER, *lines]) + "\n", encoding="utf-8")
    out = StringIO()
    call_command("import_register", file, format="json", stdout=out, **options)
    report: dict[str, Any] = json.loads(out.getvalue())
    return report


def refused(file: Path, *lines: str, **options: Any) -> tuple[dict[str, Any], str]:
    """The JSON report and the message of an import that is refused."""
    file.write_text("\n".join([HEADER, *lines]) + "\n", encoding="utf-8")
    out = StringIO()
    with pytest.raises(CommandError) as caught:
        call_command("import_register", file, format="json", stdout=out, **options)
    return json.loads(out.getvalue()), str(caught.value)


def created(**numbers: int) -> dict[str, int]:
    names = ("clusters", "organisations", "regions", "labels", "managements", "sources")
    return dict.fromkeys(names, 0) | numbers


def number_of_rows() -> list[int]:
    return [model._default_manager.count() for model in ALL_MODELS]


def test_import_creates_what_the_lines_say(file: Path) -> None:
    report = run(file, BRONZE, GOLD)

    assert report == {
        "created": created(clusters=1, organisations=1, labels=2, managements=1),
        "unchanged": 0,
        "repeated": 0,
        "notices": [],
        "errors": [],
        "written": True,
    }
    cluster = Cluster.objects.get()
    assert (cluster.name, cluster.slug, cluster.country.code) == ("bioPmed", "biopmed", "IT")
    assert (cluster.region, cluster.portfolio) == (region("IT-21"), portfolio())
    manager = cluster.managements.get()
    assert (str(manager.organisation), manager.role, manager.source) == (
        "Park",
        ManagementRole.LEAD,
        "example.org",
    )
    gold = cluster.labels.get(level="gold")
    assert (str(gold.awarded_on), gold.valid_until, gold.source) == ("2015-07", None, "example.org")
    assert gold.managing_organisation == manager.organisation


@pytest.mark.parametrize("name", PAGES)
def test_cluster_named_like_a_page_gets_another_address(file: Path, name: str) -> None:
    run(file, f"{name.capitalize()},SE,,,,Bronze,2018,,")

    assert Cluster.objects.get().slug == f"{name}-se"


MORE = f"{HEADER},kind,certificate,evidence,confidence"
SOURCES = ("label__level", "source", "confidence", "note")


def run_with_sources(file: Path, *lines: str) -> dict[str, Any]:
    """As `run`, of lines with the further columns."""
    file.write_text("\n".join([MORE, *lines]) + "\n", encoding="utf-8")
    out = StringIO()
    call_command("import_register", file, format="json", stdout=out)
    report: dict[str, Any] = json.loads(out.getvalue())
    return report


def test_label_keeps_what_its_source_says(file: Path) -> None:
    report = run_with_sources(
        file, f"{GOLD},renewal,G-1,Own news: second Gold.,high", f"{BRONZE},,,Year inferred.,medium"
    )

    assert report["created"] == created(
        clusters=1, organisations=1, labels=2, managements=1, sources=2
    )
    gold = Label.objects.get(level="gold")
    assert (gold.kind, gold.certificate_number) == ("renewal", "G-1")
    assert set(LabelSource.objects.values_list(*SOURCES)) == {
        ("gold", "example.org", "seen", "Own news: second Gold."),
        ("bronze", "example.org", "reported", "Year inferred."),
    }


def test_label_that_is_there_gets_the_further_source_once(file: Path) -> None:
    run(file, GOLD)
    other = GOLD.replace("example.org", "example.com")

    reports = [run_with_sources(file, f"{other},,,Press of July 2015.,high") for _ in range(2)]

    assert [report["created"]["sources"] for report in reports] == [1, 0]
    assert Label.objects.get().source == "example.org"
    LabelSource.objects.get().delete()
    assert run_with_sources(file, f"{other},,,Press of July 2015.,high")["created"] == created()


def test_import_derives_the_days_as_an_editor_would(file: Path) -> None:
    run(
        file,
        "A,IT,,,,Gold,2015-07,,",
        "B,IT,,,,Bronze,2013,2014-03-07,",
        "C,IT,,,,Silver,,2017-08-31,",
        "D,IT,,,,Silver,,,",
    )

    for label in Label.objects.all():
        imported = label.effective_days
        label.derive_days()
        assert label.effective_days == imported
    assert Label.objects.get(cluster__name="A").ends_on == date(2017, 7, 31)


def test_import_writes_history_with_its_reason(file: Path) -> None:
    run(file, "bioPmed,IT,Terra Nova,Park,,Gold,2015-07,,")

    for model in (Cluster, Organisation, Management, Label):
        assert list(model.history.values_list("history_type", "history_change_reason")) == [
            ("+", "import")
        ]
    assert Region.history.get(name="Terra Nova").history_change_reason == "import"


def test_import_run_twice_adds_nothing(file: Path) -> None:
    run(file, BRONZE, GOLD, "Ö,AT,Terra Nova,,,Silver,,,")
    before = number_of_rows()

    report = run(file, BRONZE, GOLD, "Ö,AT,Terra Nova,,,Silver,,,")

    assert (report["created"], report["unchanged"], report["notices"]) == (created(), 3, [])
    assert number_of_rows() == before


def test_import_takes_another_source_for_the_same_label(file: Path) -> None:
    run(file, GOLD)

    report = run(file, GOLD.replace("example.org", "other.example.org"))

    assert report["unchanged"] == 1
    assert Label.objects.get().source == "example.org"


def test_dry_run_reports_and_writes_nothing(file: Path) -> None:
    report = run(file, GOLD, "B,IT,Terra Nova,,,Gold,,,", dry_run=True)

    assert report["created"] == created(
        clusters=2, organisations=1, regions=1, labels=2, managements=1
    )
    assert report["written"] is False
    assert number_of_rows() == [0, 0, 0, 0]
    assert not Region.objects.filter(name="Terra Nova").exists()


def test_one_bad_line_and_nothing_is_written(file: Path) -> None:
    report, message = refused(file, GOLD, BAD, BRONZE)

    assert report == {
        "created": created(),
        "unchanged": 0,
        "repeated": 0,
        "notices": [],
        "errors": [
            {
                "line": 3,
                "column": "country_code",
                "message": "“XX” is no ISO 3166 country. Write two letters, as IT.",
            }
        ],
        "written": False,
    }
    assert message == (
        "Nothing was written; bad lines: 1. Correct them, or write the others with --skip-bad."
    )
    assert number_of_rows() == [0, 0, 0, 0]


def test_bad_line_takes_back_the_chunks_before_it(file: Path) -> None:
    lines = [f"Cluster {number},IT,,,,Gold,,," for number in range(1100)]

    report, _message = refused(file, *lines, BAD)

    assert [error["line"] for error in report["errors"]] == [1102]
    assert number_of_rows() == [0, 0, 0, 0]


def test_skip_bad_writes_the_other_lines_and_lists_what_it_left_out(file: Path) -> None:
    report = run(file, GOLD, BAD, BRONZE, skip_bad=True)

    assert report["created"]["labels"] == 2
    assert [error["line"] for error in report["errors"]] == [3]
    assert report["written"] is True
    assert [cluster.name for cluster in Cluster.objects.all()] == ["bioPmed"]


@pytest.mark.parametrize(
    ("content", "finding"),
    [
        pytest.param(
            b"",
            {
                "line": 0,
                "column": "",
                "message": "The file is empty. Begin it with the names of the columns.",
            },
            id="empty file",
        ),
        pytest.param(
            HEADER.replace("label_level,", "").encode(),
            {
                "line": 1,
                "column": "",
                "message": "columns are missing: label_level. Add them; values may be empty.",
            },
            id="missing column",
        ),
    ],
)
def test_file_without_a_usable_header_is_refused_even_with_skip_bad(
    file: Path, content: bytes, finding: dict[str, object]
) -> None:
    file.write_bytes(content)
    out = StringIO()

    with pytest.raises(CommandError, match="Nothing was written: the file has no usable header"):
        call_command("import_register", file, format="json", skip_bad=True, stdout=out)

    assert json.loads(out.getvalue())["errors"] == [finding]


def test_file_with_a_header_alone_adds_nothing(file: Path) -> None:
    assert run(file)["created"] == created()


def test_file_that_is_not_there_is_named(file: Path) -> None:
    with pytest.raises(CommandError, match=r"register\.csv cannot be read: No such file"):
        call_command("import_register", file)


def test_text_report_names_numbers_notices_and_bad_lines(file: Path) -> None:
    file.write_text(f"{HEADER}\nbioPmed,IT,Terra Nova,,,Gold,,,\n{BAD}\n", encoding="utf-8")
    out = StringIO()

    call_command("import_register", file, skip_bad=True, stdout=out)

    assert out.getvalue().splitlines() == [
        "Created: 1 clusters, 0 organisations, 1 regions, 1 labels, 0 managements, 0 sources.",
        "Labels there before: 0. Repeated lines: 0.",
        "Notices:",
        "  Line 2, region: “Terra Nova” is not known in IT; it becomes a region without a code.",
        "Bad lines, left out: 1",
        "  Line 3, country_code: “XX” is no ISO 3166 country. Write two letters, as IT.",
    ]


def test_text_report_of_a_refused_file_names_the_bad_lines_alone(file: Path) -> None:
    file.write_text(f"{HEADER}\n{GOLD}\n{BAD}\n", encoding="utf-8")
    out = StringIO()

    with pytest.raises(CommandError):
        call_command("import_register", file, stdout=out)

    assert out.getvalue().splitlines() == [
        "Bad lines: 1",
        "  Line 3, country_code: “XX” is no ISO 3166 country. Write two letters, as IT.",
    ]


def test_unknown_column_is_a_notice(file: Path) -> None:
    file.write_text(f"{HEADER},note\n{GOLD},x\n", encoding="utf-8")
    out = StringIO()

    call_command("import_register", file, format="json", stdout=out)

    assert json.loads(out.getvalue())["notices"] == [
        {"line": 1, "column": "note", "message": "the column is not known and not read."}
    ]


@pytest.mark.parametrize("name", ["IT-21", "it-21", "PIEMONTE", "Piedmont"])
def test_region_is_found_by_code_name_or_other_name(file: Path, name: str) -> None:
    run(file, f"bioPmed,IT,{name},,,Gold,,,")

    assert Cluster.objects.get().region == region("IT-21")


def test_unknown_region_is_created_and_noticed_once(file: Path) -> None:
    report = run(file, "A,DE,Bodensee,,,Gold,,,", "B,DE,BODENSEE,,,Gold,,,")

    assert report["notices"] == [
        {
            "line": 2,
            "column": "region",
            "message": "“Bodensee” is not known in DE; it becomes a region without a code.",
        }
    ]
    bodensee = Region.objects.get(country="DE", name="Bodensee")
    assert bodensee.code is None
    assert bodensee.clusters.count() == 2


@pytest.mark.parametrize("name", ["bioPmed", "BIOPMED", "Bío Élan", "bío élan"])
def test_cluster_is_found_by_its_names_in_any_case(file: Path, name: str) -> None:
    cluster = make_cluster(name="bioPmed")
    ClusterName.objects.create(cluster=cluster, name="Bío Élan")

    report = run(file, f"{name},IT,,,,Gold,,,")

    assert report["created"] == created(labels=1)
    assert cluster.labels.count() == 1


def test_cluster_of_another_country_is_another_cluster(file: Path) -> None:
    make_cluster(name="Mechatronics", slug="mechatronics", country="AT")

    run(file, "Mechatronics,IT,,,,Gold,,,")

    assert Cluster.objects.get(country="IT").slug == "mechatronics-it"


def test_cluster_renamed_by_an_editor_is_still_found(file: Path) -> None:
    run(file, GOLD)
    cluster = Cluster.objects.get()
    cluster.name = "bioPmed Piemonte"
    cluster.save()

    report = run(file, GOLD)

    assert (report["created"], report["unchanged"]) == (created(), 1)


def test_label_corrected_by_an_editor_is_not_added_again(file: Path) -> None:
    run(file, GOLD)
    label = Label.objects.get()
    change_label(label, awarded_on="2015-07-14")

    report = run(file, GOLD)

    assert (report["created"], report["unchanged"]) == (created(), 1)


def test_name_that_two_clusters_share_is_an_error(file: Path) -> None:
    make_cluster(name="Twin")
    make_cluster(name="TWIN")

    report, _message = refused(file, "twin,IT,,,,Gold,,,")

    assert report["errors"] == [
        {
            "line": 2,
            "column": "cluster",
            "message": "more than one in IT has this name. Rename one of them first.",
        }
    ]


def test_present_name_goes_before_a_former_one(file: Path) -> None:
    present = make_cluster(name="NODE")
    ClusterName.objects.create(cluster=make_cluster(), name="NODE")

    run(file, "NODE,IT,,,,Gold,,,")

    assert present.labels.count() == 1


def test_organisation_is_found_by_its_former_name(file: Path) -> None:
    organisation = make_organisation(name="Piemonte Innova")
    OrganisationName.objects.create(organisation=organisation, name="Torino Wireless")

    run(file, "Polo ICT,IT,,torino wireless,,Silver,2015,,")

    assert Label.objects.get().managing_organisation == organisation


def test_organisation_without_a_country_is_found_from_any(file: Path) -> None:
    organisation = make_organisation(name="ecoplus", country="")

    run(file, "Mechatronik-Cluster,AT,,ecoplus,,Gold,,,")

    assert Label.objects.get().managing_organisation == organisation


def test_cluster_that_had_a_lead_gets_no_other(file: Path) -> None:
    cluster = make_cluster(name="bioPmed")
    make_management(cluster=cluster, ended_on="2010")

    report = run(file, GOLD)

    assert report["created"]["managements"] == 0
    assert cluster.managements.count() == 1


def test_joint_manager_does_not_become_the_lead(file: Path) -> None:
    cluster, park = make_cluster(name="bioPmed"), make_organisation(name="Park")
    make_management(cluster=cluster, organisation=park, role=ManagementRole.JOINT)

    report = run(file, GOLD)

    assert report["created"]["managements"] == 0


def test_first_organisation_of_the_file_becomes_the_lead(file: Path) -> None:
    run(file, GOLD, BRONZE.replace("Park", "Other"))

    assert [str(manager.organisation) for manager in Management.objects.all()] == ["Park"]


def test_repeated_line_is_noticed_with_both_numbers(file: Path) -> None:
    cluster = make_cluster(name="bioPmed")
    ClusterName.objects.create(cluster=cluster, name="bioPmed Piemonte")

    report = run(file, "bioPmed,IT,,,,Gold,2015,,a", "bioPmed Piemonte,IT,,,,gold,2015,,b")

    assert report["repeated"] == 1
    assert report["notices"] == [
        {
            "line": 3,
            "column": "",
            "message": "repeats line 2; its label is written once, as that line has it. It says: "
            "source “b”.",
        }
    ]
    assert cluster.labels.count() == 1


def test_repeated_line_is_noticed_across_chunks(file: Path) -> None:
    lines = [f"Cluster {number},IT,,,,Gold,,," for number in range(1000)]

    report = run(file, *lines, lines[0])

    assert [notice["message"] for notice in report["notices"]] == [
        "repeats line 2; its label is written once, as that line has it."
    ]
    assert Label.objects.count() == 1000


def test_what_a_cluster_says_is_kept_and_noticed(file: Path) -> None:
    cluster = make_cluster(
        name="bioPmed", portfolio=portfolio("biotechnology"), region=region("IT-25")
    )

    report = run(file, GOLD, BRONZE)

    assert [(notice["line"], notice["column"]) for notice in report["notices"]] == [
        (2, "sector"),
        (2, "region"),
    ]
    cluster.refresh_from_db()
    assert (cluster.portfolio, cluster.region) == (portfolio("biotechnology"), region("IT-25"))


def test_empty_portfolio_and_region_are_filled_with_history(file: Path) -> None:
    cluster = make_cluster(name="bioPmed")

    report = run(file, GOLD)

    assert report["notices"] == []
    cluster.refresh_from_db()
    assert (cluster.portfolio, cluster.region) == (portfolio(), region("IT-21"))
    assert cluster.history.latest().history_change_reason == "import"


def test_portfolio_that_an_editor_emptied_stays_empty(file: Path) -> None:
    cluster = make_cluster(name="bioPmed", portfolio=portfolio())
    cluster.portfolio = None
    cluster.save()

    run(file, GOLD)

    cluster.refresh_from_db()
    assert cluster.portfolio is None


def test_addresses_are_unique_within_a_file_and_against_former_ones(file: Path) -> None:
    moved = make_cluster(name="Moved", slug="net")
    moved.slug = "moved"
    moved.save()

    run(file, "Net,IT,,,,Gold,,,", "Net!,IT,,,,Gold,,,", "Net?,IT,,,,Gold,,,")

    slugs = dict(Cluster.objects.exclude(pk=moved.pk).values_list("name", "slug"))
    last = Cluster.objects.get(name="Net?")
    assert slugs == {
        "Net": "net-it",
        "Net!": f"net-{Cluster.objects.get(name='Net!').public_id.lower()}",
        "Net?": f"net-{last.public_id.lower()}",
    }


def test_label_of_an_editor_with_an_assessment_is_the_same_label(file: Path) -> None:
    make_label(cluster=make_cluster(name="bioPmed"), assessed_on="2015-06", awarded_on="2015-07")

    assert run(file, GOLD)["unchanged"] == 1


def test_import_needs_as_many_queries_for_20_lines_as_for_10(file: Path) -> None:
    queries: Counter[int] = Counter()

    for number in (10, 20):

        def count(execute: Any, *statement: Any, number: int = number) -> Any:
            queries[number] += 1
            return execute(*statement)

        names = [f"{number}-{index}" for index in range(number)]
        with connection.execute_wrapper(count):
            run(file, *(f"C {name},IT,,O {name},ICT,Gold,2015,," for name in names))

    assert queries[10] == queries[20]


# Two labels of one level in force at once, where both are known to the day


EXACT = "bioPmed,IT,,,,Gold,2020-03-10,,"  # to 31 March 2022
OVERLAP = (
    "the cluster has a label of level “gold” in force from 2020-03-10 to 2022-03-31 already "
    "({name}), and two of one level are not in force on one day. "
    "Correct the dates or remove the line."
)


def overlaps(line: int, name: str) -> dict[str, Any]:
    return {"line": line, "column": "valid_until", "message": OVERLAP.format(name=name)}


def test_label_in_force_beside_a_stored_one_is_an_error(file: Path) -> None:
    cluster = make_cluster(name="bioPmed")
    stored = make_label(cluster=cluster, assessed_on="2020-03-10")
    before = number_of_rows()

    report, message = refused(file, "Other,IT,,,,Gold,2015,,", "BIOPMED,IT,,,,Gold,2022-03-31,,")

    assert report["errors"] == [overlaps(3, f"label {stored.public_id}")]
    assert "Nothing was written; bad lines: 1." in message
    assert number_of_rows() == before


def test_label_in_force_beside_another_line_is_an_error(file: Path) -> None:
    report, _message = refused(file, EXACT, "bioPmed,IT,,,,Gold,2019-01-01,2020-03-10,")

    assert report["errors"] == [overlaps(3, "line 2")]


def test_line_of_an_earlier_chunk_is_named_as_a_line(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(register_import, "CHUNK", 1)

    report, _message = refused(file, EXACT, BRONZE, "bioPmed,IT,,,,Gold,2021-01-01,,")

    assert report["errors"] == [overlaps(4, "line 2")]


def test_label_in_force_beside_another_is_skipped_with_what_only_it_names(file: Path) -> None:
    bad = "bioPmed,IT,Terra Nova,Newcomer,,Gold,2021-01-01,,"

    report = run(file, EXACT, bad, "bioPmed,IT,,,,Gold,2022-04-01,,", skip_bad=True)

    assert report["errors"] == [overlaps(3, "line 2")]
    assert report["created"] == created(clusters=1, labels=2)
    starts = Label.objects.order_by("starts_on").values_list("starts_on", flat=True)
    assert list(starts) == [date(2020, 3, 10), date(2022, 4, 1)]


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("bioPmed,IT,,,,Gold,2022-04-01,,", id="day after the end"),
        pytest.param("bioPmed,IT,,,,Gold,2018-01-01,2020-03-09,", id="until the day before"),
        pytest.param("bioPmed,IT,,,,Gold,2021-05,,", id="known to the month"),
        pytest.param("bioPmed,IT,,,,Gold,2021-05-01,2023-05,", id="end known to the month"),
        pytest.param("bioPmed,IT,,,,Gold,,2021-05-01,", id="start unknown"),
        pytest.param("bioPmed,IT,,,,Bronze,2021-05-01,,", id="other level"),
        pytest.param("bioPmed,FR,,,,Gold,2021-05-01,,", id="other cluster"),
        pytest.param(EXACT, id="the same label"),
    ],
)
def test_labels_that_are_not_in_force_at_once_are_written(file: Path, line: str) -> None:
    assert run(file, EXACT, line)["errors"] == []
    assert run(file, EXACT, line)["created"]["labels"] == 0


def test_label_from_the_day_of_a_revocation_on_is_written(file: Path) -> None:
    stored = make_label(
        cluster=make_cluster(name="bioPmed"),
        assessed_on="2020-03-10",
        revoked_on=date(2021, 1, 1),
        revocation_reason="Wrong facts.",
    )

    report, _message = refused(file, "bioPmed,IT,,,,Gold,2020-12-31,,")
    assert f"to 2020-12-31 already (label {stored.public_id})" in report["errors"][0]["message"]
    assert run(file, "bioPmed,IT,,,,Gold,2021-01-01,,")["created"]["labels"] == 1


def test_label_that_is_not_public_does_not_count(file: Path) -> None:
    cluster = make_cluster(name="bioPmed")
    make_label(cluster=cluster, assessed_on="2020-03-10", is_published=False)

    assert run(file, "bioPmed,IT,,,,Gold,2021-01-01,,")["created"]["labels"] == 1


def test_import_leaves_a_revoked_label_as_it_is(file: Path) -> None:
    run(file, EXACT)
    label = Label.objects.get()
    label.revoked_on, label.revocation_reason = date(2021, 1, 1), "Wrong facts."
    change_label(label)
    versions = label.history.count()

    assert run(file, EXACT)["unchanged"] == 1

    label.refresh_from_db()
    assert (label.revoked_on, label.history.count()) == (date(2021, 1, 1), versions)


def test_import_needs_as_many_queries_for_20_exact_lines_as_for_10(file: Path) -> None:
    queries: Counter[int] = Counter()

    for number in (10, 20):

        def count(execute: Any, *statement: Any, number: int = number) -> Any:
            queries[number] += 1
            return execute(*statement)

        names = [f"{number}-{index}" for index in range(number)]
        for name in names:
            make_cluster(name=f"C {name}")
        with connection.execute_wrapper(count):
            run(file, *(f"C {name},IT,,O {name},ICT,Gold,2015-01-01,," for name in names))

    assert queries[10] == queries[20]


@pytest.mark.parametrize("day", ["2100", "2100-06-30"])
def test_day_that_a_rule_counts_beyond_is_refused(file: Path, day: str) -> None:
    row = {
        "cluster": "bioPmed",
        "country_code": "IT",
        "label_level": "Gold",
        "awarded_on_or_year": day,
    }
    line = ",".join(row.get(column, "") for column in HEADER.split(","))

    report, _message = refused(file, line)

    assert "outside the years 1900 to 2100" in str(report["errors"])
    assert not Label.objects.exists()
