import json
import re
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from clusters.formats.schema_org import cluster_data
from clusters.models import (
    Cluster,
    ClusterFact,
    ClusterName,
    ClusterState,
    ClusterText,
    FactSource,
    Lineage,
    LineageKind,
    ManagementRole,
    MemberKind,
    MembershipCount,
    Organisation,
    OrganisationName,
    Shareholding,
)
from tests.factories import (
    make_announcement,
    make_cluster,
    make_label,
    make_management,
    make_organisation,
    make_participation,
    make_programme,
    portfolio,
    region,
)

pytestmark = pytest.mark.django_db

CountQueries = Callable[..., int]

CLUSTERS = "/en/clusters/"
ORGANISATIONS = "/en/organisations/"
PROGRAMMES = "/en/programmes/"
HOSTILE = "<script>alert(1)</script>"


def text_of(client: Client, path: str) -> str:
    """What a reader reads: without tags, with single spaces."""
    html = client.get(path).content.decode()
    main = html[html.index("<main") : html.index("</main>")]
    return words_of(main)


def structured_data(client: Client, path: str) -> dict[str, Any]:
    html = client.get(path).content.decode()
    found = re.findall(r'<script type="application/ld\+json">(.*?)</script>', html)
    return {data["@type"]: data for data in map(json.loads, found)}


def words_of(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def make_full_cluster(**fields: Any) -> Cluster:
    """One with a row of everything that its page shows."""
    cluster = make_cluster(portfolio=portfolio(), region=region(), town="Ivrea", **fields)
    ClusterText.objects.create(cluster=cluster, language="en", tagline="Life", description="Long.")
    ClusterText.objects.create(cluster=cluster, language="it", tagline="Vita", description="Lungo.")
    ClusterName.objects.create(cluster=cluster, name="Old name")
    Lineage.objects.create(cluster=make_cluster(), kind=LineageKind.MERGED_INTO, other=cluster)
    MembershipCount.objects.create(cluster=cluster, counted_on="2022-12", count=87)
    make_management(cluster=cluster)
    make_management(cluster=cluster, role=ManagementRole.JOINT)
    make_participation(cluster=cluster)
    make_label(cluster=cluster)
    make_announcement(clusters=[cluster])
    return cluster


# The list of clusters


def test_cluster_list_takes_as_many_queries_for_three_clusters_as_for_one(
    count_queries: CountQueries,
) -> None:
    make_full_cluster()
    one = count_queries(CLUSTERS)
    make_full_cluster()
    make_full_cluster()

    assert count_queries(CLUSTERS) == one


def test_cluster_list_takes_few_queries_with_every_filter_and_no_result(
    count_queries: CountQueries,
) -> None:
    make_full_cluster()

    assert count_queries(f"{CLUSTERS}?q=x&country=NO&portfolio=ict&level=gold") <= 12


def test_cluster_list_shows_where_who_and_the_label_in_words(client: Client) -> None:
    cluster = make_cluster(
        name="bioPmed", town="Ivrea", region=region("IT-21"), portfolio=portfolio()
    )
    make_management(cluster=cluster, organisation=make_organisation(name="Bioindustry Park"))
    make_label(cluster=cluster, level="gold", assessed_on="2015-07")

    text = text_of(client, f"{CLUSTERS}?on=2015-09-08")

    assert (
        "bioPmed Ivrea, Piemonte, Italy · Health and medical science"
        " Managed by Bioindustry Park G Gold valid" in text
    )


def test_cluster_list_shows_the_label_of_the_day(client: Client) -> None:
    make_label(level="gold", assessed_on="2015-07")

    assert "G Gold expired" in text_of(client, f"{CLUSTERS}?on=2020-01-01")


def test_cluster_list_prefers_the_highest_valid_label(client: Client) -> None:
    cluster = make_cluster()
    make_label(cluster=cluster, level="gold", assessed_on="2011")
    make_label(cluster=cluster, level="bronze", assessed_on="2015-01")

    (row,) = client.get(f"{CLUSTERS}?on=2015-09-08").context["rows"]

    assert "B Bronze valid" in words_of(row)


def test_cluster_list_prefers_a_renewable_label_to_an_expired_one(client: Client) -> None:
    cluster = make_cluster()
    make_label(cluster=cluster, level="gold", assessed_on="2011")
    make_label(cluster=cluster, level="bronze", assessed_on="2013-06")

    (row,) = client.get(f"{CLUSTERS}?on=2015-09-08").context["rows"]

    assert "B Bronze expired, may still be renewed" in words_of(row)


def test_cluster_list_names_only_managers_of_the_day(client: Client) -> None:
    cluster = make_cluster()
    for name, days in (("Before", {"ended_on": "2014"}), ("Now", {"started_on": "2015"})):
        organisation = make_organisation(name=name)
        make_management(cluster=cluster, organisation=organisation, role="joint", **days)

    (row,) = client.get(f"{CLUSTERS}?on=2015-09-08").context["rows"]

    assert re.findall("Managed by (\\w+ \\w+)", words_of(row)) == ["Now no"]


def test_cluster_list_keeps_its_filters_in_the_search_form(client: Client) -> None:
    html = client.get(f"{CLUSTERS}?country=IT&on=2015-09-08").content.decode()

    form = html.partition('role="search"')[2].partition("</form>")[0]
    assert re.findall(r'<input type="hidden" name="(\w+)" value="([^"]+)"', form) == [
        ("country", "IT"),
        ("on", "2015-09-08"),
    ]


def test_cluster_list_names_wrong_values(client: Client) -> None:
    text = text_of(client, f"{CLUSTERS}?country=XX&on=yesterday")

    assert "There is no country “XX”; it was left out." in text
    assert "“yesterday” is not a day like 2015-09-08; today is shown." in text


def test_cluster_list_escapes_what_was_typed(client: Client) -> None:
    make_cluster(name=HOSTILE)

    html = client.get(f"{CLUSTERS}?q={HOSTILE}&country={HOSTILE}&on={HOSTILE}").content.decode()

    assert HOSTILE not in html


def test_cluster_list_without_a_result_says_what_to_drop(client: Client) -> None:
    make_cluster(country="IT")

    text = text_of(client, f"{CLUSTERS}?country=NO")

    assert (
        "No cluster fits There are clusters when you change one of these: without Norway: 1" in text
    )


def test_cluster_list_has_pages_of_24(client: Client) -> None:
    clusters = [make_cluster(name=f"Cluster {number:02}") for number in range(25)]

    (row,) = client.get(f"{CLUSTERS}?after={clusters[23].public_id}").context["rows"]
    assert "Cluster 24" in row


def test_cluster_list_pages_keep_the_filters(client: Client) -> None:
    clusters = [make_cluster(country="IT", name=f"{number:02}") for number in range(25)]

    html = client.get(f"{CLUSTERS}?country=IT").content.decode()

    assert f'href="/en/clusters/?country=IT&amp;after={clusters[23].public_id}"' in html


@pytest.mark.parametrize(
    ("query", "is_kept_out"),
    [("", False), ("?utm_source=x", False), ("?country=IT", True), ("?q=a", True)],
)
def test_cluster_list_keeps_filtered_versions_out_of_search_engines(
    client: Client, query: str, is_kept_out: bool
) -> None:
    html = client.get(CLUSTERS + query).content.decode()

    assert ('<meta name="robots" content="noindex' in html) is is_kept_out


def test_cluster_list_shows_found_clusters_on_the_map(client: Client) -> None:
    make_cluster(name="bioPmed", town="Ivrea", latitude="45.47", longitude="7.88")
    make_cluster(country="NO", town="Oslo", latitude="59.91", longitude="10.75")
    make_cluster()

    html = client.get(f"{CLUSTERS}?country=IT").content.decode()

    assert re.findall(r"<title>(.*?)</title>", html)[1:] == ["bioPmed, Ivrea"]
    assert "On the map: 1 of 2 clusters." in html


def test_cluster_list_refuses_to_be_written_to(client: Client) -> None:
    assert client.post(CLUSTERS).status_code == 405


def test_cluster_list_sets_no_cookie(client: Client) -> None:
    assert dict(client.get(CLUSTERS).cookies) == {}


# A cluster


def test_cluster_detail_takes_few_queries_and_no_more_for_more_rows(
    count_queries: CountQueries,
) -> None:
    cluster = make_full_cluster()
    one = count_queries(cluster.get_absolute_url(), 14)
    for year in ("2011", "2013"):
        make_management(cluster=cluster, role=ManagementRole.JOINT)
        make_participation(cluster=cluster)
        make_label(cluster=cluster, level="bronze", assessed_on=year)
        make_announcement(clusters=[cluster])
        Lineage.objects.create(cluster=cluster, kind=LineageKind.SPLIT_FROM, other=make_cluster())

    assert count_queries(cluster.get_absolute_url(), 14) == one


UNCONFIRMED = {
    "town": "Ivrea (unconfirmed)",
    "region": "Piemonte (unconfirmed)",
    "portfolio": "Health and medical science (unconfirmed)",
    "founded_on": "2009 (unconfirmed)",
    "website": "https://a.example (unconfirmed)",
    "members": "about 87 December 2022 (unconfirmed)",
    "managers": "Park lead, since 2009 (unconfirmed)",
    "managed_since": "Park lead, since 2009 (unconfirmed)",
    "tagline": "For health. (unconfirmed)",
    "other_names": "Old former name (unconfirmed)",
}


def make_cluster_with_every_fact() -> Cluster:
    cluster = make_cluster(
        name="bioPmed",
        town="Ivrea",
        region=region("IT-21"),
        portfolio=portfolio(),
        founded_on="2009",
        website="https://a.example",
    )
    ClusterName.objects.create(cluster=cluster, name="Old")
    ClusterText.objects.create(cluster=cluster, language="en", tagline="For health.")
    MembershipCount.objects.create(
        cluster=cluster, counted_on="2022-12", count=87, qualifier="about"
    )
    park = make_organisation(name="Park")
    make_management(cluster=cluster, organisation=park, started_on="2009")
    return cluster


@pytest.mark.parametrize("fact", ClusterFact.values)
def test_cluster_detail_marks_every_fact_that_no_source_was_seen_to_tell(
    client: Client, fact: str
) -> None:
    cluster = make_cluster_with_every_fact()
    source = FactSource.objects.create(cluster=cluster, fact=fact, source="https://b.example/about")
    address = cluster.get_absolute_url()
    confirmed = text_of(client, address)
    FactSource.objects.filter(pk=source.pk).update(confidence="doubtful", source="")

    marked = text_of(client, address)

    assert "unconfirmed)" not in confirmed
    assert "https://b.example/about" in confirmed
    assert UNCONFIRMED[fact] in marked
    assert marked.count("(unconfirmed)") == 1


@pytest.mark.parametrize("fact", ["tagline", "founded_on", "website", "town", "region"])
def test_data_for_search_engines_leave_out_what_is_unconfirmed(fact: str) -> None:
    cluster = make_cluster_with_every_fact()
    told = {
        "tagline": "For health.",
        "founded_on": '"2009"',
        "website": "https://a.example",
        "town": "Ivrea",
        "region": "Piemonte",
    }[fact]
    everything = json.dumps(cluster_data(cluster, []), ensure_ascii=False)
    FactSource.objects.create(cluster=cluster, fact=fact, confidence="doubtful")

    assert told in everything
    assert told not in json.dumps(cluster_data(cluster, []), ensure_ascii=False)


@pytest.mark.parametrize("fact", ["tagline", "town", "region", "portfolio", "managers"])
def test_list_and_comparison_mark_what_is_unconfirmed(client: Client, fact: str) -> None:
    cluster = make_cluster_with_every_fact()
    FactSource.objects.create(cluster=cluster, fact=fact, confidence="reported", source="x")
    asked = f"c={cluster.slug}&c={make_cluster().slug}"
    table = client.get(f"/clusters/compare.csv?{asked}").content.decode()

    assert text_of(client, CLUSTERS).count("(unconfirmed)") == 1
    assert text_of(client, f"/en/clusters/compare/?{asked}").count("(unconfirmed)") == 1
    assert table.count("(unconfirmed)") == 1


def test_sources_say_what_was_read_where(client: Client) -> None:
    cluster = make_cluster_with_every_fact()
    for fact in ("town", "website"):
        FactSource.objects.create(cluster=cluster, fact=fact, source="example.org/about")
    FactSource.objects.create(
        cluster=cluster, fact="founded_on", confidence="doubtful", note="By hearsay."
    )

    text = text_of(client, f"/it/clusters/{cluster.slug}/")

    assert "Città e posizione, sito web letto nella fonte example.org/about" in text
    assert "Fondazione non confermato: nessuna fonte vista" in text
    assert "By hearsay." in text


def test_cluster_detail_tells_who_it_is_and_how_it_is_managed(client: Client) -> None:
    cluster = make_cluster(
        name="bioPmed",
        town="Ivrea",
        region=region("IT-21"),
        founded_on="2009",
        website="https://a.example",
    )
    ClusterText.objects.create(cluster=cluster, language="en", tagline="Human health.")
    make_management(
        cluster=cluster, organisation=make_organisation(name="The Park"), started_on="2009"
    )
    make_management(
        cluster=cluster,
        organisation=make_organisation(name="The Members"),
        role=ManagementRole.ASSOCIATION,
        started_on="2014",
    )

    text = text_of(client, cluster.get_absolute_url())

    assert "bioPmed Human health." in text
    assert (
        "Managed by The Park lead, since 2009 The Members members’ association, since 2014" in text
    )
    assert "Where Ivrea, Piemonte, Italy Founded 2009" in text
    assert "Last confirmed not yet by the team" in text


def test_cluster_detail_shows_its_managers_and_label_of_another_day(client: Client) -> None:
    cluster = make_cluster()
    make_management(
        cluster=cluster, organisation=make_organisation(name="First"), ended_on="2015-12"
    )
    make_management(
        cluster=cluster, organisation=make_organisation(name="Second"), started_on="2016-01"
    )
    make_label(cluster=cluster, level="gold", assessed_on="2015-07")

    text = text_of(client, f"{cluster.get_absolute_url()}?on=2015-09-08")

    assert (
        "Gold Valid until 31 July 2017. By the register’s reckoning: the source prints no end. "
        "The register as it stood on 8 September 2015"
    ) in text
    assert (
        "Managed by First lead, until December 2015 · since when is not recorded"
        " At other times Second lead, since January 2016" in text
    )


def test_cluster_detail_names_a_day_that_is_none(client: Client) -> None:
    text = text_of(client, f"{make_cluster().get_absolute_url()}?on=2015-02-30")

    assert "“2015-02-30” is not a day like 2015-09-08; today is shown." in text


@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        (ClusterState.PROVISIONAL, "A provisional profile: nobody has confirmed these facts yet."),
        (ClusterState.CLOSED, "This cluster has closed. Its record stays here."),
        (ClusterState.MERGED, "This cluster has merged into another. Its record stays here."),
    ],
)
def test_cluster_detail_says_what_is_not_simply_active(
    client: Client, state: ClusterState, sentence: str
) -> None:
    assert sentence in text_of(client, make_cluster(state=state).get_absolute_url())


def test_cluster_detail_leads_from_a_merged_cluster_to_its_successor(client: Client) -> None:
    old, new = make_cluster(name="Innomat", state=ClusterState.MERGED), make_cluster(name="CGREEN")
    Lineage.objects.create(cluster=old, kind=LineageKind.MERGED_INTO, other=new, happened_on="2016")

    assert "Its record stays here. CGREEN" in text_of(client, old.get_absolute_url())
    assert "Innomat merged into it 2016" in text_of(client, new.get_absolute_url())


def test_cluster_detail_hides_relatives_that_are_not_published(client: Client) -> None:
    cluster = make_cluster()
    other = make_cluster(name="Hidden cluster", is_published=False)
    organisation = make_organisation(name="Hidden organisation", is_published=False)
    programme = make_programme(name_en="Hidden programme", is_published=False)
    Lineage.objects.create(cluster=cluster, kind=LineageKind.SPLIT_FROM, other=other)
    make_management(cluster=cluster, organisation=organisation)
    make_participation(cluster=cluster, programme=programme)
    make_label(cluster=cluster, is_published=False, source="Hidden label")

    html = client.get(cluster.get_absolute_url()).content.decode()

    assert ("Hidden" in html, "Gold" in html) == (False, False)


def test_cluster_detail_shows_a_text_of_the_other_language_and_says_so(client: Client) -> None:
    cluster = make_cluster()
    ClusterText.objects.create(
        cluster=cluster, language="it", tagline="Salute.", description="Una descrizione."
    )

    html = client.get(cluster.get_absolute_url()).content.decode()

    assert "This text is not translated yet. It is shown in Italian." in html
    assert re.search(r'<div class="prose" lang="it">\s*<p>Una descrizione.</p>\s*</div>', html)


def test_cluster_detail_shows_the_text_of_the_readers_language(client: Client) -> None:
    cluster = make_full_cluster()

    assert "Vita" in text_of(client, f"/it/clusters/{cluster.slug}/")


def test_cluster_detail_tabulates_members_over_time(client: Client) -> None:
    cluster = make_cluster()
    MembershipCount.objects.create(cluster=cluster, counted_on="2022-12", count=87)
    MembershipCount.objects.create(
        cluster=cluster, counted_on="2015", kind=MemberKind.SME, count=40, source="example.org"
    )

    text = text_of(client, cluster.get_absolute_url())

    assert "Members 87 December 2022" in text
    assert "December 2022 87 – 2015 – 40 example.org" in text


def test_cluster_detail_shows_its_address_only_where_it_opted_in(client: Client) -> None:
    shown = make_cluster(contact_address="info@example.org", is_contact_shown=True)
    kept = make_cluster(contact_address="kept@example.org")

    assert "Contact info@example.org" in text_of(client, shown.get_absolute_url())
    html = client.get(kept.get_absolute_url()).content.decode()
    assert "kept@example.org" not in html


def test_cluster_detail_without_a_web_site_leads_to_its_manager(client: Client) -> None:
    management = make_management(organisation=make_organisation(name="The Park"))

    assert "Contact through its managing organisation: The Park" in text_of(
        client, management.cluster.get_absolute_url()
    )


def test_cluster_detail_draws_a_timeline_beside_its_table(client: Client) -> None:
    label = make_label(level="gold", assessed_on="2015-07")

    html = client.get(label.cluster.get_absolute_url()).content.decode()

    assert html.count('<svg class="timeline"') == 1
    assert "July 2015" in html


def test_cluster_detail_lists_its_announcements(client: Client) -> None:
    cluster = make_cluster()
    make_announcement(clusters=[cluster], title="The Gold")
    make_announcement(title="Of another cluster")

    text = text_of(client, cluster.get_absolute_url())

    assert ("The Gold" in text, "Of another cluster" in text) == (True, False)


def test_cluster_detail_describes_itself_to_machines(client: Client) -> None:
    cluster = make_cluster(name="bioPmed", region=region("IT-21"), town="Ivrea", founded_on="2009")
    make_label(cluster=cluster, level="gold", assessed_on="2015-07")
    make_label(cluster=cluster, level="bronze", valid_until="2015-06-30")

    data = structured_data(client, cluster.get_absolute_url())

    organization = data["Organization"]
    assert organization["name"] == "bioPmed"
    assert organization["foundingDate"] == "2009"
    assert organization["address"] == {
        "@type": "PostalAddress",
        "addressCountry": "IT",
        "addressRegion": "Piemonte",
        "addressLocality": "Ivrea",
    }
    told = {label["name"]: label.get("expires") for label in organization["hasCertification"]}
    assert told == {
        "Gold – Proven for Cluster Excellence": None,  # no source prints its end
        "Bronze – Striving for Cluster Excellence": "2015-06-30",
    }


def test_cluster_detail_gives_machines_the_way_to_it(client: Client) -> None:
    data = structured_data(client, make_cluster(country="IT").get_absolute_url())

    assert [(item["name"], item["item"]) for item in data["BreadcrumbList"]["itemListElement"]] == [
        ("Clusters", "http://testserver/en/clusters/"),
        ("Italy", "http://testserver/en/clusters/?country=IT"),
    ]


def test_cluster_detail_escapes_every_text(client: Client) -> None:
    cluster = make_cluster(name=HOSTILE, town=HOSTILE)
    ClusterText.objects.create(cluster=cluster, language="en", tagline=HOSTILE, description=HOSTILE)
    ClusterName.objects.create(cluster=cluster, name=HOSTILE)
    make_management(cluster=cluster, organisation=make_organisation(name=HOSTILE))
    MembershipCount.objects.create(cluster=cluster, counted_on="2015", count=1, source=HOSTILE)

    assert HOSTILE not in client.get(cluster.get_absolute_url()).content.decode()


def test_cluster_detail_does_not_tell_hidden_from_missing(client: Client) -> None:
    hidden = make_cluster(is_published=False)

    hidden_page, missing_page = (
        client.get(f"/en/clusters/{slug}/") for slug in (hidden.slug, "missing")
    )

    assert (hidden_page.status_code, missing_page.status_code) == (404, 404)
    assert hidden_page.content.replace(hidden.slug.encode(), b"missing") == missing_page.content


def test_cluster_detail_leads_from_an_old_address_to_todays(client: Client) -> None:
    cluster = make_cluster(slug="nce-node")
    cluster.slug = "gce-node"
    cluster.save()

    response = client.get("/it/clusters/nce-node/?on=2015-09-08")

    assert (response.status_code, response["Location"]) == (
        301,
        "/it/clusters/gce-node/?on=2015-09-08",
    )


def test_cluster_detail_does_not_lead_to_a_hidden_cluster(client: Client) -> None:
    cluster = make_cluster(slug="old")
    cluster.slug, cluster.is_published = "new", False
    cluster.save()

    assert client.get("/en/clusters/old/").status_code == 404


def test_cluster_detail_gives_an_address_to_who_has_it_now(client: Client) -> None:
    first = make_cluster(slug="node")
    first.slug = "other"
    first.save()
    now = make_cluster(slug="node")

    assert client.get("/en/clusters/node/").context["cluster"] == now


def test_cluster_detail_leads_an_old_address_to_who_left_it_last(client: Client) -> None:
    for number in (1, 2):
        with time_machine.travel(date(2020 + number, 1, 1)):
            cluster = make_cluster(slug="node")
            cluster.slug = f"node-{number}"
            cluster.save()

    assert client.get("/en/clusters/node/")["Location"] == "/en/clusters/node-2/"


# Organisations


def test_organisation_list_takes_as_many_queries_for_three_as_for_one(
    count_queries: CountQueries,
) -> None:
    make_management()
    one = count_queries(ORGANISATIONS)
    make_management()
    make_management()

    assert count_queries(ORGANISATIONS) == one


def test_organisation_list_shows_kind_seat_and_clusters_managed_today(client: Client) -> None:
    park = make_organisation(name="The Park", kind="science_park", town="Ivrea")
    make_management(organisation=park, cluster=make_cluster(name="bioPmed"))
    make_management(organisation=park, cluster=make_cluster(name="Before"), ended_on="2012")
    make_management(organisation=park, cluster=make_cluster(name="Hidden", is_published=False))

    assert "The Park science park Ivrea, Italy bioPmed" in text_of(client, ORGANISATIONS)


def test_organisation_list_finds_by_a_former_name(client: Client) -> None:
    wanted, _other = make_organisation(), make_organisation()
    OrganisationName.objects.create(organisation=wanted, name="Torino Wireless")

    rows = client.get(f"{ORGANISATIONS}?q=wireless").context["rows"]

    assert [organisation for organisation, _clusters in rows] == [wanted]


def test_organisation_list_without_a_result_helps(client: Client) -> None:
    make_organisation()

    assert "No organisation fits" in text_of(client, f"{ORGANISATIONS}?q=zzz")


def test_organisation_list_escapes_what_was_typed(client: Client) -> None:
    make_organisation(name=HOSTILE, town=HOSTILE)

    assert HOSTILE not in client.get(f"{ORGANISATIONS}?q={HOSTILE}").content.decode()


def test_organisation_list_does_not_find_a_page_out_of_range(client: Client) -> None:
    assert client.get(f"{ORGANISATIONS}?page=2").status_code == 404


def make_full_organisation() -> Organisation:
    organisation = make_organisation(region=region("IT-21"))
    for _ in range(2):
        add_to(organisation)
    return organisation


def add_to(organisation: Organisation) -> None:
    number = Organisation.objects.count()
    OrganisationName.objects.create(organisation=organisation, name=f"Old {number}")
    Shareholding.objects.create(organisation=organisation, shareholder=make_organisation())
    Shareholding.objects.create(organisation=make_organisation(), shareholder=organisation)
    management = make_management(organisation=organisation)
    make_programme(owner=organisation)
    make_label(cluster=management.cluster, managing_organisation=organisation)
    make_announcement(organisations=[organisation], clusters=[management.cluster])


def test_organisation_detail_takes_few_queries_and_no_more_for_more_rows(
    count_queries: CountQueries,
) -> None:
    organisation = make_full_organisation()
    before = count_queries(organisation.get_absolute_url())
    add_to(organisation)

    assert count_queries(organisation.get_absolute_url()) == before


def test_organisation_detail_tells_the_legal_entity(client: Client) -> None:
    park = make_organisation(
        name="The Park",
        kind="science_park",
        legal_form="SpA",
        town="Ivrea",
        region=region("IT-21"),
        vat_number="IT00743110157",
    )
    OrganisationName.objects.create(organisation=park, name="Old Park", ended_on="2010")
    Shareholding.objects.create(
        organisation=park, shareholder=make_organisation(name="Finpiemonte"), started_on="2004"
    )
    Shareholding.objects.create(organisation=make_organisation(name="Spin-off"), shareholder=park)

    text = text_of(client, park.get_absolute_url())

    assert (
        "Kind science park Legal form SpA Seat Ivrea, Piemonte, Italy"
        " Former names Old Park until 2010 Shareholders Finpiemonte since 2004"
        " Holds shares of Spin-off VAT number IT00743110157" in text
    )


def test_organisation_detail_lists_clusters_with_role_and_dates(client: Client) -> None:
    park = make_organisation()
    make_management(organisation=park, cluster=make_cluster(name="Now"), started_on="2009")
    make_management(
        organisation=park,
        cluster=make_cluster(name="Then"),
        role=ManagementRole.JOINT,
        started_on="2007",
        ended_on="2012-06",
    )

    text = text_of(client, park.get_absolute_url())

    assert "Now lead 2009 today" in text
    assert "Then joint 2007 June 2012" in text


def test_organisation_detail_lists_labels_obtained_under_it(client: Client) -> None:
    park = make_organisation()
    make_label(
        cluster=make_cluster(name="bioPmed"),
        level="gold",
        assessed_on="2015-07",
        managing_organisation=park,
    )
    make_label(cluster=make_cluster(name="Of another"))

    text = text_of(client, park.get_absolute_url())

    assert "bioPmed G Gold expired July 2015 31 July 2017 computed" in text
    assert "Of another" not in text


def test_organisation_detail_shows_its_address_only_where_it_opted_in(client: Client) -> None:
    shown = make_organisation(role_address="info@example.org", is_address_shown=True)
    kept = make_organisation(role_address="kept@example.org")

    assert "Contact info@example.org" in text_of(client, shown.get_absolute_url())
    assert "kept@example.org" not in client.get(kept.get_absolute_url()).content.decode()


def test_organisation_detail_hides_shareholders_that_are_not_published(client: Client) -> None:
    park = make_organisation()
    Shareholding.objects.create(
        organisation=park, shareholder=make_organisation(name="Hidden", is_published=False)
    )

    assert "Hidden" not in client.get(park.get_absolute_url()).content.decode()


def test_organisation_detail_is_not_found_when_hidden(client: Client) -> None:
    hidden = make_organisation(is_published=False)

    assert client.get(hidden.get_absolute_url()).status_code == 404


def test_organisation_detail_leads_from_an_old_address(client: Client) -> None:
    organisation = make_organisation(slug="torino-wireless")
    organisation.slug = "piemonte-innova"
    organisation.save()

    response = client.get("/en/organisations/torino-wireless/")

    assert (response.status_code, response["Location"]) == (
        301,
        "/en/organisations/piemonte-innova/",
    )


# Programmes


def test_programme_list_takes_as_many_queries_for_three_as_for_one(
    count_queries: CountQueries,
) -> None:
    make_participation()
    one = count_queries(PROGRAMMES)
    make_participation()
    make_participation()

    assert count_queries(PROGRAMMES) == one


def test_programme_list_counts_published_clusters(client: Client) -> None:
    programme = make_programme(name_en="ACE", country="IT", region=region("IT-21"))
    make_participation(programme=programme)
    make_participation(programme=programme, cluster=make_cluster(is_published=False))

    assert "ACE Piemonte, Italy 1 cluster" in text_of(client, PROGRAMMES)


def test_programme_list_does_not_name_a_hidden_owner(client: Client) -> None:
    make_programme(owner=make_organisation(name="Hidden", is_published=False))

    assert "Hidden" not in text_of(client, PROGRAMMES)


def test_programme_detail_takes_as_many_queries_for_three_clusters_as_for_one(
    count_queries: CountQueries,
) -> None:
    programme = make_programme(owner=make_organisation())
    make_label(cluster=make_participation(programme=programme).cluster)
    one = count_queries(programme.get_absolute_url())
    for _ in range(2):
        make_label(cluster=make_participation(programme=programme).cluster)

    assert count_queries(programme.get_absolute_url()) == one


def test_programme_detail_shows_the_level_held_on_the_day(client: Client) -> None:
    programme = make_programme(
        name_en="ACE", description_en="Helps clusters.", owner=make_organisation(name="Finpiemonte")
    )
    holder = make_cluster(name="A holder")
    make_participation(programme=programme, cluster=holder, started_on="2013")
    make_participation(programme=programme, cluster=make_cluster(name="B without"))
    perhaps = make_participation(programme=programme, cluster=make_cluster(name="C perhaps"))
    make_label(cluster=holder, level="gold", assessed_on="2015-07")
    make_label(cluster=perhaps.cluster, level="silver", awarded_on="2015")

    text = text_of(client, f"{programme.get_absolute_url()}?on=2015-09-08")

    assert (
        "A holder since 2013 G Gold valid B without unknown no label in this register "
        "C perhaps unknown S Silver cannot be told"
    ) in text
    assert "The programme Helps clusters. Programme owner Finpiemonte" in text


def test_programme_detail_is_not_found_when_hidden(client: Client) -> None:
    hidden = make_programme(is_published=False)

    assert client.get(hidden.get_absolute_url()).status_code == 404


def test_programme_detail_leads_from_an_old_address(client: Client) -> None:
    programme = make_programme(slug="ace-1")
    programme.slug = "ace"
    programme.save()

    assert client.get("/en/programmes/ace-1/")["Location"] == "/en/programmes/ace/"


@pytest.mark.parametrize("name", ["list", "organisation_list", "programme_list"])
def test_list_is_there_without_a_row(client: Client, name: str) -> None:
    assert client.get(reverse(f"clusters:{name}")).status_code == 200


def test_language_switch_keeps_page_and_filters(client: Client) -> None:
    html = client.get(f"{CLUSTERS}?country=IT&level=gold").content.decode()

    assert '<a href="/it/clusters/?country=IT&amp;level=gold" lang="it" hreflang="it">' in html
