"""Tables out of the admin's lists and into them, as those who may do see it."""

import csv
import os
from collections.abc import Callable
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from openpyxl import load_workbook
from pytest_django import Settings

from clusters.models import Cluster, Event, Organisation, Programme, Role
from tests.admin_tables import (
    client_of,
    confirm,
    differences,
    findings,
    messages_of,
    upload,
    workbook,
)
from tests.factories import (
    hide_cluster,
    make_account,
    make_cluster,
    make_organisation,
    make_participation,
    make_policy_maker,
    make_programme,
    portfolio,
    region,
)

pytestmark = pytest.mark.django_db

CLUSTERS = "/admin/clusters/cluster/import/"
ORGANISATIONS = "/admin/clusters/organisation/import/"
PROGRAMMES = "/admin/clusters/programme/import/"


@pytest.fixture(autouse=True)
def imports_root(tmp_path: Path, settings: Settings) -> Path:
    options = {"location": tmp_path, "file_permissions_mode": 0o600}
    storage = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": options}
    settings.STORAGES = {**settings.STORAGES, "import_export": storage}
    return tmp_path


@pytest.fixture
def editor() -> Client:
    return client_of(make_account(Role.EDITOR))


def exported(client: Client, model: str, query: str = "", format: str = "csv") -> Any:
    address = reverse(f"admin:clusters_{model}_export")
    return client.post(
        f"{address}?{query}", {"format": ["csv", "xlsx"].index(format), "resource": "0"}
    )


def table_of(response: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(response.content.decode("utf-8-sig"))))


# What a refusal names is in the table


@pytest.mark.parametrize("table", ["name,country\nRete,IT\n", "name,slug\nRete,\n"])
def test_name_whose_address_is_taken_gets_another(editor: Client, table: str) -> None:
    make_organisation(name="Rete", slug="rete")

    assert findings(upload(editor, ORGANISATIONS, table)) == []


@pytest.mark.parametrize("address", [CLUSTERS, ORGANISATIONS, PROGRAMMES])
def test_refusal_names_only_columns_of_the_table(editor: Client, address: str) -> None:
    model = {CLUSTERS: Cluster, ORGANISATIONS: Organisation, PROGRAMMES: Programme}[address]
    (resource,) = admin.site._registry[model].resource_classes  # type: ignore[attr-defined]
    error = ValidationError(dict.fromkeys(resource.Meta.fields, "Wrong."))
    request = RequestFactory().get(address)
    request.user = make_account(is_superuser=True)
    read = resource(admin.site._registry[model], request)

    found = read.in_columns(error, {"website": "", "(line)": 2})

    assert set(found.error_dict) == {"website", "__all__"}
    assert "Page address: Wrong." in found.messages


def test_coordinates_are_rounded_to_what_is_stored(editor: Client) -> None:
    table = "name,country,latitude,longitude\nbioPmed,IT,45.43261234567,7.810349999999\n"

    page = upload(editor, CLUSTERS, table)
    confirm(editor, CLUSTERS, page)

    cluster = Cluster.objects.get(name="bioPmed")
    assert (str(cluster.latitude), str(cluster.longitude)) == ("45.4326", "7.8103")


def test_trailing_delimiters_are_no_columns(editor: Client) -> None:
    page = upload(editor, CLUSTERS, "name;country;town;;\nbioPmed;IT;Torino;;\n")
    confirm(editor, CLUSTERS, page)

    assert Cluster.objects.get(name="bioPmed").town == "Torino"


# Out


def test_export_holds_the_rows_of_the_list_and_runs_nothing(editor: Client) -> None:
    make_cluster(name="=Italy", slug="italy", portfolio=portfolio(), region=region())
    make_cluster(country="FR")

    response = exported(editor, "cluster", "country=IT&q=italy")

    assert [(row["name"], row["portfolio"], row["region"]) for row in table_of(response)] == [
        ("'=Italy", "health-and-medical-science", "IT-21")
    ]
    assert "no-store" in response["Cache-Control"]
    assert Event.objects.get(kind="exported").detail == "cluster, as a table, 1 rows"


def test_export_as_a_spreadsheet_holds_texts_only(editor: Client) -> None:
    make_cluster(name="=1+1", founded_on="2015-07", latitude="45.4", longitude="7")

    content = exported(editor, "cluster", format="xlsx").content
    cells = next(load_workbook(BytesIO(content)).worksheets[0].iter_rows(min_row=2))

    assert {cell.data_type for cell in cells if cell.value is not None} == {"s"}
    assert {"=1+1", "2015-07", "45.4000"} < {cell.value for cell in cells}


def test_export_tells_a_policy_maker_of_what_they_follow_only() -> None:
    owner = make_organisation(is_published=False)
    followed, other = make_programme(owner=owner), make_programme()
    inside = make_participation(programme=followed).cluster
    make_participation(programme=other)
    client = client_of(make_policy_maker(followed))

    programmes, clusters = exported(client, "programme"), exported(client, "cluster")

    assert [(row["public_id"], row["owner"]) for row in table_of(programmes)] == [
        (followed.public_id, "")
    ]
    assert [row["public_id"] for row in table_of(clusters)] == [inside.public_id]


@pytest.mark.parametrize("format", ["csv", "xlsx"])
def test_export_comes_back_unchanged(editor: Client, format: str) -> None:
    make_cluster(
        name="=Ötztal, “Wasser”", portfolio=portfolio(), region=region(), founded_on="2015-07",
        latitude="-45.4326", longitude="7", contact_address="info@example.org",
        is_contact_shown=True,
    )  # fmt: skip
    make_organisation(vat_number="IT10062210014", country="")
    make_programme(
        description_en="- one\n- two", owner=make_organisation(), region=region(), country="IT"
    )

    previews = {}
    for model in ("cluster", "organisation", "programme"):
        content = exported(editor, model, format=format).content
        previews[model] = upload(editor, f"/admin/clusters/{model}/import/", content)

    assert {model: findings(preview) for model, preview in previews.items()} == {
        "cluster": [], "organisation": [], "programme": []
    }  # fmt: skip
    assert {model: differences(preview) for model, preview in previews.items()} == {
        "cluster": [], "organisation": [], "programme": []
    }  # fmt: skip
    assert [preview.context["result"].totals["skip"] for preview in previews.values()] == [1, 2, 1]


# In


def test_import_previews_and_then_writes_what_it_showed(editor: Client) -> None:
    cluster = make_cluster(name="Old", town="Torino", website="https://example.org/")
    by_slug = make_cluster(slug="by-slug", founded_on="2010")
    table = (
        "public_id,slug,name,town,country,region,portfolio,founded_on,is_published\n"
        f"{cluster.public_id},{cluster.slug},New,,IT,IT-21,health-and-medical-science,,false\n"
        f",by-slug,{by_slug.name},,IT,,,2011-05,true\n"
        ",,Ötztal Wasser,,AT,,,,TRUE\n"
    )

    preview = upload(editor, CLUSTERS, table)
    before = list(Cluster.objects.order_by("pk").values_list("name", flat=True))
    answer = confirm(editor, CLUSTERS, preview)

    assert before == ["Old", by_slug.name]
    assert differences(preview) == [
        (2, "name", "Old", "New"),
        (2, "portfolio", "", "health-and-medical-science"),
        (2, "region", "", "IT-21"),
        (2, "town", "Torino", ""),
        (2, "is_published", "true", "false"),
        (3, "founded_on", "2010", "2011-05"),
        (4, "slug", "", "otztal-wasser"),
        (4, "name", "", "Ötztal Wasser"),
        (4, "state", "", "active"),
        (4, "country", "", "AT"),
        (4, "is_contact_shown", "", "false"),
        (4, "is_published", "", "true"),
    ]
    assert messages_of(answer) == ["1 row was added, 2 were changed."]
    cluster.refresh_from_db()
    assert (cluster.name, cluster.town, cluster.website) == ("New", "", "https://example.org/")
    assert Cluster.objects.get(slug="otztal-wasser").state == "active"
    version = cluster.history.latest("history_id")
    assert version.history_change_reason == "import"
    assert version.history_user.groups.get().name == Role.EDITOR
    assert by_slug.history.count() == 2


def test_import_with_one_error_writes_nothing_and_names_each(editor: Client) -> None:
    organisation = make_organisation(vat_number="IT10062210014")
    other = make_organisation()
    table = (
        "public_id,slug,name,kind,vat_number,lei,country,is_address_shown\n"
        f"{other.public_id},{other.slug},Right,company,,,IT,false\n"
        ",,,nonesuch,IT1,x,XX,maybe\n"
        ",,Twin,company,IT10062210014,,IT,false\n"
        f"{other.public_id},{other.slug},Again,company,,,IT,false\n"
        "NONESUCH,a,A,company,,,IT,false\n"
        f",{organisation.slug},A,company,,,IT,true\n"
    )

    preview = upload(editor, ORGANISATIONS, table)

    found = {(line, column) for line, column, _message in findings(preview)}
    assert found == {
        (3, "name"), (3, "kind"), (3, "vat_number"), (3, "lei"), (3, "country"),
        (3, "is_address_shown"), (4, "vat_number"), (5, ""), (6, "public_id"), (7, ""),
    }  # fmt: skip
    assert "confirm_form" not in preview.context
    assert not Organisation.objects.filter(name="Right").exists()


@pytest.mark.parametrize(
    ("label", "refused"),
    [
        ("clusters.cluster", {"id", "logo", "normal_name"}),
        ("clusters.organisation", {"id", "normal_name"}),
        ("clusters.programme", {"id"}),
        (
            "labels.label",
            {
                "id", "decided_here", "is_published", "revoked_on", "revocation_reason",
                "extended_until", "transferred_on", "transferred_from", "rule",
                "starts_on", "certain_from", "certain_until", "ends_on", "renewable_until",
                "start_is_computed", "end_is_computed", "days_are_exact", "minimum_score",
                "normal_certificate_number", "decision",
            },
        ),
    ],
)  # fmt: skip
def test_import_refuses_columns_by_name(editor: Client, label: str, refused: set[str]) -> None:
    every = [column.name for column in apps.get_model(label)._meta.concrete_fields]
    address = reverse(f"admin:{label.replace('.', '_')}_import")

    answer = upload(editor, address, f"{','.join(every)}\n{','.join('x' for _name in every)}\n")

    (told,) = messages_of(answer)
    assert set(told.partition("to write: ")[2].partition(". Remove")[0].split(", ")) == refused


def test_import_of_a_spreadsheet(editor: Client) -> None:
    cluster = make_cluster()
    table = workbook(
        ["public_id", "latitude", "longitude", "is_published"],
        [cluster.public_id, 45.4326, 7, True],
    )

    confirm(editor, CLUSTERS, upload(editor, CLUSTERS, table))

    cluster.refresh_from_db()
    assert (str(cluster.latitude), str(cluster.longitude)) == ("45.4326", "7.0000")


def test_import_warns_of_rows_that_are_there_already(editor: Client) -> None:
    there = make_organisation(
        name="Bioindustry Park", website="https://bipark.example.org/", vat_number="IT10062210014"
    )
    table = (
        "name,website,vat_number,country\n"
        "Bioindustry-Parc,,,IT\n"
        "Other,http://www.bipark.example.org/en,,IT\n"
        "Bioindustry Parcs,,,IT\n"
    )

    preview = upload(editor, ORGANISATIONS, table)

    link = f'<a href="/admin/clusters/organisation/{there.pk}/change/">Bioindustry Park</a>'
    assert [(row.line, row.diff[2]) for row in preview.context["result"].rows] == [
        (2, f"<p>The name is like that of {link}</p>"),
        (3, f"<p>The web site is the same as that of {link}</p>"),
        (4, f"<p>The name is like that of line 2</p><p>The name is like that of {link}</p>"),
    ]


def rename(cluster: Cluster) -> None:
    Cluster.objects.filter(pk=cluster.pk).update(name="Meanwhile")


def take_the_address(cluster: Cluster) -> None:
    make_cluster(slug="second")


def hide(cluster: Cluster) -> None:
    hide_cluster(cluster)


@pytest.mark.parametrize("meanwhile", [rename, take_the_address, hide])
def test_import_of_what_changed_since_the_preview_is_refused(
    editor: Client, meanwhile: Callable[[Cluster], None]
) -> None:
    cluster = make_cluster(slug="first", name="First")
    preview = upload(
        editor, CLUSTERS, "slug,name,country,town\nfirst,First,IT,Ivrea\nsecond,Second,IT,Ivrea\n"
    )
    meanwhile(cluster)

    answer = confirm(editor, CLUSTERS, preview)

    (message,) = messages_of(answer)
    assert message in {
        "Line 2: This row, or what it refers to, was changed since the preview.",
        "Line 3: This row, or what it refers to, was changed since the preview.",
    }
    assert not Cluster.objects.filter(town="Ivrea").exists()


def test_import_is_done_once_and_by_who_previewed_it(editor: Client) -> None:
    other = client_of(make_account(Role.EDITOR))
    preview = upload(editor, CLUSTERS, "name,country\nNew,IT\n")

    by_another = confirm(other, CLUSTERS, preview)
    elsewhere = confirm(editor, PROGRAMMES, preview)
    confirm(editor, CLUSTERS, preview)
    again = confirm(editor, CLUSTERS, preview)

    told = "This preview is not there any more."
    assert [told in messages_of(answer)[0] for answer in (by_another, elsewhere, again)] == [
        True, True, True
    ]  # fmt: skip
    assert Cluster.objects.filter(name="New").count() == 1


def test_import_writes_what_was_previewed(editor: Client, imports_root: Path) -> None:
    preview = upload(editor, CLUSTERS, "name,country\nNew,IT\n")
    (stored,) = imports_root.iterdir()
    stored.write_bytes(stored.read_bytes().replace(b"New", b"Old"))

    answer = confirm(editor, CLUSTERS, preview)

    assert "was changed since the preview" in messages_of(answer)[0]
    assert not Cluster.objects.exists()


def test_preview_that_nobody_confirms_is_forgotten(editor: Client, imports_root: Path) -> None:
    upload(editor, CLUSTERS, "name,country\nNew,IT\n")
    (stored,) = imports_root.iterdir()
    os.utime(stored, (0, 0))

    call_command("purge")

    assert not stored.exists()


def test_import_refers_to_rows_by_what_names_them(editor: Client) -> None:
    owner = make_organisation()
    table = (
        "name_en,name_it,owner,region,country,started_on\n"
        f"One,Uno,{owner.public_id},IT-21,IT,2015\n"
        f"Two,Due,NONESUCH,IT-21,IT,2015-13\n"
    )

    preview = upload(editor, PROGRAMMES, table)
    answer = upload(editor, PROGRAMMES, table[: table.index("Two")])
    confirm(editor, PROGRAMMES, answer)

    assert [(line, column) for line, column, _message in findings(preview)] == [
        (3, "owner"), (3, "started_on")
    ]  # fmt: skip
    programme = Programme.objects.get()
    assert (programme.owner, programme.region, programme.slug) == (owner, region(), "one")


def test_import_refuses_a_file_by_its_size_or_where_it_is_wrong(editor: Client) -> None:
    large = upload(editor, CLUSTERS, b"x" * (4 * 2**20 + 1))
    wrong = upload(editor, CLUSTERS, 'name,country\n"Open,IT\n')

    assert large.context["form"].errors == {
        "import_file": ["The file is larger than 4 MiB. Split it."]
    }
    assert messages_of(wrong)[0].startswith("Line 2: a double quote is not closed")


def number_of_queries(client: Client, table: str) -> int:
    with CaptureQueriesContext(connection) as queries:
        upload(client, CLUSTERS, table)
    return sum(1 for query in queries if "SAVEPOINT" not in query["sql"])


def test_import_asks_of_each_row_that_stays_only_whether_it_may_change(editor: Client) -> None:
    header = "public_id,slug,name,portfolio,region,country\n"
    rows = [
        f"{one.public_id},{one.slug},{one.name},health-and-medical-science,IT-21,IT\n"
        for one in (make_cluster(portfolio=portfolio(), region=region()) for _ in range(3))
    ]
    number_of_queries(editor, header + rows[0])

    one, three = (number_of_queries(editor, header + "".join(rows[:n])) for n in (1, 3))

    assert three == one + 2


# Parts of clusters, and empty tables

TEXTS = "/admin/clusters/clustertext/import/"
MANAGERS = "/admin/clusters/management/import/"
COUNTS = "/admin/clusters/membershipcount/import/"


def test_texts_of_clusters_come_in_as_a_table(editor: Client) -> None:
    first, second = make_cluster(), make_cluster()
    first.texts.create(language="en", tagline="Old", description="Kept")
    table = (
        "cluster,language,tagline\n"
        f"{first.public_id},en,New\n"
        f"{first.public_id},it,Nuovo\n"
        f"{second.public_id},en,Second\n"
    )

    preview = upload(editor, TEXTS, table)
    answer = confirm(editor, TEXTS, preview)

    assert (2, "tagline", "Old", "New") in differences(preview)
    assert messages_of(answer) == ["2 rows were added, 1 was changed."]
    assert [*first.texts.order_by("language").values_list("tagline", "description")] == [
        ("New", "Kept"), ("Nuovo", "")
    ]  # fmt: skip
    assert second.texts.get().history.get().history_change_reason == "import"


def test_managers_and_counts_come_in_as_tables(editor: Client) -> None:
    cluster, organisation = make_cluster(), make_organisation()
    managers = (
        "cluster,organisation,role,started_on,source\n"
        f"{cluster.public_id},{organisation.public_id},lead,2015-07,A list\n"
    )
    counts = f"cluster,counted_on,kind,count\n{cluster.public_id},2020,total,87\n"

    for _again in range(2):
        for address, table in ((MANAGERS, managers), (COUNTS, counts)):
            preview = upload(editor, address, table)
            assert findings(preview) == []
            if preview.context["result"].rows:
                confirm(editor, address, preview)

    management, count = cluster.managements.get(), cluster.membership_counts.get()
    assert (management.organisation, str(management.started_on)) == (organisation, "2015-07")
    assert (count.count, str(count.counted_on)) == (87, "2020")


@pytest.mark.parametrize("format", ["csv", "xlsx"])
@pytest.mark.parametrize("model", ["clustertext", "management", "membershipcount"])
def test_table_of_parts_comes_back_unchanged(editor: Client, model: str, format: str) -> None:
    cluster = make_cluster()
    cluster.texts.create(language="en", tagline="=1+1", description="- one\n- two")
    cluster.managements.create(organisation=make_organisation(), started_on="2015")
    cluster.membership_counts.create(counted_on="2015-07", count=7)

    content = exported(editor, model, format=format).content
    preview = upload(editor, f"/admin/clusters/{model}/import/", content)

    assert (findings(preview), differences(preview)) == ([], [])
    assert preview.context["result"].totals["skip"] == 1


def test_part_that_is_wrong_is_told_by_line_and_column(editor: Client) -> None:
    cluster = make_cluster()
    table = (
        "cluster,counted_on,kind,count\n"
        "NONESUCH,2020,total,1\n"
        f"{cluster.public_id},2020-13,total,1\n"
        f"{cluster.public_id},2020,total,many\n"
        f"{cluster.public_id},2021,nobody,1\n"
    )

    found = findings(upload(editor, COUNTS, table))

    assert {(line, column) for line, column, _message in found} == {
        (2, "cluster"), (3, "counted_on"), (4, "count"), (5, "kind")
    }  # fmt: skip


def test_table_without_what_finds_a_row_is_refused(editor: Client) -> None:
    (told,) = messages_of(upload(editor, COUNTS, "cluster,count\nx,1\n"))

    assert "These columns are missing: counted_on, kind." in told


@pytest.mark.parametrize("format", ["csv", "xlsx"])
@pytest.mark.parametrize(
    "address", [CLUSTERS, TEXTS, MANAGERS, COUNTS, "/admin/labels/label/import/"]
)
def test_empty_table_is_read_and_has_nothing_but_its_header(
    editor: Client, address: str, format: str
) -> None:
    content = editor.get(f"{address}template/", {"format": format})

    assert f'.{format}"' in content["Content-Disposition"]
    told = messages_of(upload(editor, address, content.content))
    assert told == ["The table has no line under its header."]


def test_import_of_clusters_leads_to_the_tables_of_their_parts(editor: Client) -> None:
    page = editor.get(CLUSTERS).text

    for address in (TEXTS, MANAGERS, COUNTS, f"{CLUSTERS}template/"):
        assert f'href="{address}' in page
