import json
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from clusters.models import ClusterName
from labels.life import steps as life
from labels.models import IssuingBody, Label, LabelSource, Statement
from labels.register.query import RegisterQuery
from tests.factories import (
    hide,
    in_effect,
    make_account,
    make_announcement,
    make_cluster,
    make_label,
    make_organisation,
    make_suspension,
    make_undated_label,
    portfolio,
    region,
    transfer_label,
    update_rules,
)
from tests.labels.test_certainty import NO_END

pytestmark = pytest.mark.django_db

LIST = "/en/labels/"
SCHEME = "/en/labels/how-it-works/"


@pytest.fixture(autouse=True)
def _today() -> Any:
    with time_machine.travel("2015-09-08T12:00Z", tick=False):
        yield


def text_of(response: Any) -> str:
    return " ".join(str(response.content, "utf-8").split())


def listed(response: Any) -> list[Label]:
    return list(response.context["page_obj"].object_list)


def biopmed() -> Label:
    """A Gold with all that its page may show."""
    cluster = make_cluster(name="bioPmed", slug="biopmed", portfolio=portfolio(), region=region())
    return make_label(
        cluster=cluster,
        managing_organisation=make_organisation(name="Bioindustry Park", slug="bioindustry-park"),
        assessed_on="2015-07",
        announced_on="2015-09-08",
        awarded_by=IssuingBody.objects.get(code="esca"),
        score=91,
        certificate_number="G-2015/57",
        source="example.org/labels; a printed list",
    )


# The register


def test_label_list_shows_expired_labels_beside_valid_ones_and_says_so(client: Client) -> None:
    valid, expired = make_label(), make_label(assessed_on="2012-09")

    response = client.get(LIST)

    assert listed(response) == [valid, expired]
    assert '<span class="state is-valid">valid</span>' in text_of(response)
    assert '<span class="state is-renewable">expired, may still be renewed</span>' in text_of(
        response
    )


def test_label_list_as_of_another_day(client: Client) -> None:
    make_label()

    response = client.get(LIST, {"on": "2018-08-01"})

    assert [label.state for label in listed(response)] == ["expired"]
    assert "The register as it stood on" in text_of(response)
    assert response.context["as_of"].reset_url == LIST


def test_label_list_of_today_has_no_banner(client: Client) -> None:
    assert "The register as it stood on" not in text_of(client.get(LIST))


@pytest.mark.parametrize(
    ("query", "names"),
    [
        pytest.param("level=gold", ["Alpha", "Gamma"], id="level"),
        pytest.param("level=gold&level=silver", ["Alpha", "Beta", "Gamma"], id="two levels"),
        pytest.param("state=valid", ["Alpha", "Beta"], id="state"),
        pytest.param("level=gold&state=valid", ["Alpha"], id="level and state"),
        pytest.param("country=no", ["Gamma"], id="country in lower case"),
        pytest.param("portfolio=health-and-medical-science", ["Beta"], id="portfolio"),
        pytest.param("q=alph", ["Alpha"], id="part of a name"),
        pytest.param("q=former", ["Gamma"], id="former name"),
        pytest.param("q=alpha+beta", [], id="both words"),
        pytest.param("colour=red", ["Alpha", "Beta", "Gamma"], id="unknown parameter"),
    ],
)
def test_label_list_is_filtered(client: Client, query: str, names: list[str]) -> None:
    make_label(cluster=make_cluster(name="Alpha"))
    make_label(cluster=make_cluster(name="Beta", portfolio=portfolio()), level="silver")
    gamma = make_cluster(name="Gamma", country="NO")
    ClusterName.objects.create(cluster=gamma, name="Former name")
    make_label(cluster=gamma, assessed_on="2011-03")

    response = client.get(f"{LIST}?{query}")

    assert sorted(label.cluster.name for label in listed(response)) == names
    assert f"<b>{len(names)} label" in text_of(response)


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        pytest.param(
            "level=platinum", "There is no level “platinum”; it was left out.", id="level"
        ),
        pytest.param("state=dead", "There is no state “dead”; it was left out.", id="state"),
        pytest.param("country=ZZ", "There is no country “ZZ”; it was left out.", id="country"),
        pytest.param("portfolio=x", "There is no portfolio “x”; it was left out.", id="portfolio"),
        pytest.param(
            "q=c+c+c+c+c+c+c+c+c", "Only the first 8 words were searched for.", id="words"
        ),
        pytest.param("on=soon", "“soon” is not a day like 2015-09-08; today is shown.", id="day"),
        pytest.param(
            "on=2015-02-30",
            "“2015-02-30” is not a day like 2015-09-08; today is shown.",
            id="no day",
        ),
    ],
)
def test_label_list_names_a_wrong_value(client: Client, query: str, problem: str) -> None:
    label = make_label()

    response = client.get(f"{LIST}?{query}")

    assert problem in text_of(response)
    assert listed(response) == [label]


@pytest.mark.parametrize(
    "query",
    ["q=", "level=&state=", "on=2100-12-31", "on=1900-01-01", "on=9999-12-31", "on=0001-01-01"],
)
def test_label_list_takes_empty_values_and_far_days(client: Client, query: str) -> None:
    label = make_label()

    assert listed(client.get(f"{LIST}?{query}")) == [label]


def test_label_list_facet_counts_equal_the_lists_they_lead_to(client: Client) -> None:
    make_label(cluster=make_cluster(portfolio=portfolio()))
    make_label(level="silver")
    make_label(cluster=make_cluster(country="NO"), assessed_on="2011-03")

    facets = client.get(f"{LIST}?on=2015-09-08").context["facets"]

    options = [option for facet in facets for option in facet.options]
    assert {option.value for option in options} == {
        "gold", "silver", "valid", "expired", "IT", "NO", "health-and-medical-science",
        "not_recorded",
    }  # fmt: skip
    for option in options:
        assert client.get(option.url).context["page_obj"].paginator.count == option.count


def test_label_list_facet_is_counted_under_the_other_filters(client: Client) -> None:
    make_label()
    make_label(level="silver")
    make_label(level="silver", assessed_on="2011")

    facets = client.get(f"{LIST}?state=valid&level=gold").context["facets"]

    assert [(o.value, o.count, o.is_selected) for o in facets[0].options] == [
        ("gold", 1, True),
        ("silver", 1, False),
    ]


def test_label_list_chip_takes_its_filter_away(client: Client) -> None:
    chips = client.get(f"{LIST}?level=gold&country=IT&on=2015-01-01").context["chips"]

    assert [(chip.name, chip.url) for chip in chips] == [
        ("Gold", f"{LIST}?country=IT&on=2015-01-01"),
        ("Italy", f"{LIST}?level=gold&on=2015-01-01"),
    ]


def test_label_list_without_results_suggests_which_filter_to_drop(client: Client) -> None:
    make_label()

    response = client.get(f"{LIST}?level=silver&country=IT")

    assert "No label fits" in text_of(response)
    assert [(link.name, link.url) for link in response.context["ways_out"]] == [
        ("without Silver: 1", f"{LIST}?country=IT")
    ]


def test_label_list_without_results_suggests_to_drop_the_words(client: Client) -> None:
    make_label()
    make_label(level="silver")

    response = client.get(f"{LIST}?level=silver&q=nobody")

    assert [(link.name, link.url) for link in response.context["ways_out"]] == [
        ("without “nobody”: 1", f"{LIST}?level=silver")
    ]


def test_label_list_form_keeps_the_filters(client: Client) -> None:
    response = client.get(f"{LIST}?q=bio&level=gold&country=IT&on=2015-01-01")

    assert [tuple(pair) for pair in response.context["kept"]] == [
        ("level", "gold"),
        ("country", "IT"),
    ]


def test_label_list_counts_the_whole_register_whatever_is_filtered(client: Client) -> None:
    make_label()
    make_label(assessed_on="2011")

    response = client.get(f"{LIST}?level=silver")

    assert (
        f'<a href="{LIST}?level=gold&amp;state=valid">1 valid</a>, held by 1 cluster</span> '
        '<span class="meta">of 2 labels in this register</span>'
    ) in text_of(response)


def test_label_list_hides_unpublished_labels(client: Client) -> None:
    make_label(is_published=False)
    make_label(cluster=make_cluster(is_published=False))

    response = client.get(LIST)

    assert listed(response) == []
    assert [count.total for count in response.context["counts"]] == [0, 0, 0]


def test_label_list_shows_dates_with_their_precision(client: Client) -> None:
    make_label(assessed_on="2015-07")
    make_label(valid_until="2017-01-10")

    text = text_of(client.get(LIST))

    assert '<time datetime="2015-07">July 2015</time>' in text
    assert (
        '<time datetime="2017-07-31">31 July 2017</time> <span class="meta">computed</span>' in text
    )
    assert '<time datetime="2017-01-10">10 January 2017</time> </span>' in text


def test_label_list_is_paged(client: Client) -> None:
    cluster = make_cluster()
    for number in range(51):
        make_label(cluster=cluster, certificate_number=f"{number}")

    assert len(listed(client.get(LIST))) == 50
    assert len(listed(client.get(f"{LIST}?page=2"))) == 1


@pytest.mark.parametrize("page", ["0", "2", "-1", "x"])
def test_label_list_without_that_page_is_not_found(client: Client, page: str) -> None:
    make_label()

    assert client.get(f"{LIST}?page={page}").status_code == 404


def test_label_list_keeps_filtered_permutations_out_of_search_engines(client: Client) -> None:
    noindex = '<meta name="robots" content="noindex">'

    assert noindex not in text_of(client.get(LIST))
    assert noindex in text_of(client.get(f"{LIST}?level=gold"))
    assert noindex in text_of(client.get(f"{LIST}?on=2015-01-01"))


def test_label_list_takes_as_many_queries_for_three_rows(
    count_queries: Callable[[str], int],
) -> None:
    make_label(cluster=make_cluster(portfolio=portfolio()))
    for_one = count_queries(LIST)
    make_label(cluster=make_cluster(portfolio=portfolio()))
    make_label(level="silver")

    assert count_queries(LIST) == for_one


def test_register_query_has_one_address() -> None:
    query = RegisterQuery(
        words="bio med", level=("gold", "silver"), state=("valid",), on=date(2015, 1, 1)
    )

    assert query.querystring() == "q=bio+med&level=gold&level=silver&state=valid&on=2015-01-01"


# A label


def test_label_detail_says_the_state_in_a_sentence(client: Client) -> None:
    response = client.get(biopmed().get_absolute_url())

    assert f'<span class="state is-valid">Valid until 31 July 2017. {NO_END}</span>' in text_of(
        response
    )
    assert 'State as of <time datetime="2015-09-08">8 September 2015</time>' in text_of(response)


def test_label_detail_as_of_another_day(client: Client) -> None:
    response = client.get(biopmed().get_absolute_url(), {"on": "2018-07-31"})

    assert (
        '<span class="state is-renewable">Expired on 31 July 2017; '
        f"may still be renewed until 31 July 2018. {NO_END}</span>"
    ) in text_of(response)


def test_label_detail_names_a_wrong_day(client: Client) -> None:
    response = client.get(biopmed().get_absolute_url(), {"on": "2015"})

    assert "“2015” is not a day like 2015-09-08; today is shown." in text_of(response)


def add_sources(label: Label) -> None:
    LabelSource.objects.create(label=label, source="example.org/labels", note="Gold in July 2015.")
    LabelSource.objects.create(label=label, confidence="reported", note="Year inferred.")


@pytest.mark.parametrize(
    ("language", "mark"),
    [
        ("en", "unconfirmed: inferred from the source"),
        ("it", "non confermato: dedotto dalla fonte"),
    ],
)
def test_label_detail_tells_what_each_source_says(client: Client, language: str, mark: str) -> None:
    label = biopmed()
    add_sources(label)

    text = text_of(client.get(f"/{language}/labels/{label.public_id}/"))

    assert "Gold in July 2015." in text
    assert "Year inferred." in text
    assert text.count(mark) == 1


def test_label_detail_shows_what_is_known(client: Client) -> None:
    text = text_of(client.get(biopmed().get_absolute_url()))

    assert "<h1>Gold label of bioPmed</h1>" in text
    assert '<a href="/en/organisations/bioindustry-park/">Bioindustry Park</a>' in text
    assert '<span lang="en">Proven for Cluster Excellence</span>' in text
    assert "<dd>91 %</dd>" in text
    assert "<dd>G-2015/57</dd>" in text
    assert "European Secretariat for Cluster Analysis (ESCA)" in text
    assert (
        '<a href="https://example.org/labels" rel="nofollow noopener external">'
        "example.org/labels</a>; a printed list"
    ) in text


def test_label_detail_says_by_which_rule_days_are_computed(client: Client) -> None:
    text = text_of(client.get(biopmed().get_absolute_url()))

    assert "Days marked “computed” follow from the rule of 1 November 2010." in text
    assert "This is an unofficial inference" in text


def test_label_detail_of_a_confirmed_rule_is_no_inference(client: Client) -> None:
    update_rules(is_confirmed=True)

    assert "unofficial inference" not in text_of(client.get(biopmed().get_absolute_url()))


def test_label_detail_hides_an_unpublished_managing_organisation(client: Client) -> None:
    organisation = make_organisation(name="Hidden Park", is_published=False)
    label = make_label(managing_organisation=organisation)

    assert "Hidden Park" not in text_of(client.get(label.get_absolute_url()))


def test_label_detail_of_an_undated_label_says_so(client: Client) -> None:
    text = text_of(client.get(make_undated_label().get_absolute_url()))

    assert "The dates of this label are not known, so it cannot be told whether it is valid" in text
    assert 'class="timeline"' not in text


def test_label_detail_of_a_suspended_label_gives_the_reason(client: Client) -> None:
    label = biopmed()
    make_suspension(label, starts_on=date(2015, 9, 1), reason="Under review.")

    text = text_of(client.get(label.get_absolute_url()))

    assert "Suspended since 1 September 2015: Under review." in text
    assert "(suspended for a time)" in text


def test_label_detail_draws_all_labels_of_the_cluster(client: Client) -> None:
    label = biopmed()
    make_label(cluster=label.cluster, level="bronze", assessed_on="2013")
    make_label(cluster=label.cluster, is_published=False, assessed_on="2011")

    text = text_of(client.get(label.get_absolute_url()))

    assert (
        'aria-label="Labels over time: Gold from July 2015 to about July 2017, '
        'Bronze from 2013 to about 2015."'
    ) in text


def test_label_detail_links_a_renewal_and_what_it_renews(client: Client) -> None:
    old = biopmed()
    new = make_label(cluster=old.cluster, kind="renewal", renews=old, assessed_on="2017-06")

    assert f'<a href="{new.get_absolute_url()}">renewed by the next label</a>' in text_of(
        client.get(old.get_absolute_url())
    )
    assert f'<a href="{old.get_absolute_url()}">of the label before</a>' in text_of(
        client.get(new.get_absolute_url())
    )


def test_label_detail_shows_published_announcements_only(client: Client) -> None:
    label = biopmed()
    make_announcement(title="Gold for bioPmed", labels=[label], published_at="2015-09-01T10:00Z")
    make_announcement(title="Not yet", labels=[label], published_at="2016-01-01T10:00Z")
    make_announcement(title="A draft", labels=[label], state="draft")

    text = text_of(client.get(label.get_absolute_url()))

    assert "Gold for bioPmed" in text
    assert "Not yet" not in text
    assert "A draft" not in text


def test_label_detail_describes_itself_to_machines(client: Client) -> None:
    response = client.get(biopmed().get_absolute_url())

    assert response.context["certification"] == {
        "@type": "Certification",
        "@id": f"http://testserver{response.request['PATH_INFO']}",
        "name": "Gold – Proven for Cluster Excellence",
        "certificationIdentification": "G-2015/57",
        "url": f"http://testserver{response.request['PATH_INFO']}",
        "about": {
            "@type": "Organization",
            "@id": "http://testserver/en/clusters/biopmed/",
            "name": "bioPmed",
        },
        "issuedBy": {"@type": "Organization", "name": "European Secretariat for Cluster Analysis"},
        "auditDate": "2015-07",
        "datePublished": "2015-09-08",
    }


@pytest.mark.parametrize(
    ("fields", "days"),
    [
        ({"assessed_on": "2014-03-03"}, ("2014-03-03", None)),
        ({"assessed_on": "2014-03", "valid_until": "2016-03-31"}, (None, "2016-03-31")),
        ({"assessed_on": "2014", "valid_until": "2016-03"}, (None, None)),
    ],
)
def test_label_detail_gives_machines_only_days_that_a_source_prints(
    client: Client, fields: dict[str, str], days: tuple[str | None, str | None]
) -> None:
    data = client.get(make_label(**fields).get_absolute_url()).context["certification"]

    assert (data.get("validFrom"), data.get("expires")) == days


@pytest.mark.parametrize("hidden", ["label", "cluster"])
def test_label_detail_of_an_unpublished_label_is_not_found(client: Client, hidden: str) -> None:
    label = biopmed()
    hide(label if hidden == "label" else label.cluster)

    assert client.get(label.get_absolute_url()).status_code == 404
    assert client.get(reverse("label_json", args=[label.public_id])).status_code == 404


def test_label_detail_takes_as_many_queries_for_three_rows(
    count_queries: Callable[[str], int],
) -> None:
    label = biopmed()
    make_announcement(labels=[label], published_at="2015-09-01T10:00Z")
    for_one = count_queries(label.get_absolute_url())
    for year in (2011, 2013):
        other = make_label(cluster=label.cluster, assessed_on=str(year))
        make_suspension(other, starts_on=date(year, 5, 1), reason="Under review.")
        make_announcement(labels=[label], published_at="2015-09-01T10:00Z")
        ClusterName.objects.create(cluster=label.cluster, name=f"Name of {year}")

    assert count_queries(label.get_absolute_url()) == for_one


def test_label_detail_of_a_transferred_label_leads_to_the_one_in_its_place(client: Client) -> None:
    label = biopmed()
    successor = transfer_label(label, on=date(2016, 3, 1), cluster=make_cluster(name="New Valley"))
    link = f'<a href="/en/labels/{successor.public_id}/?on=2016-03-01">Gold label of New Valley'

    text = text_of(client.get(label.get_absolute_url(), {"on": "2016-03-01"}))

    assert (
        '<span class="state is-transferred">Transferred on 1 March 2016 to New Valley: '
        f"label {successor.public_id}.</span>"
    ) in text
    assert text.count(link) == 2  # beside the state, and in the table
    assert '<span class="meta">no longer</span>' in text
    assert link not in text_of(client.get(label.get_absolute_url(), {"on": "2016-02-29"}))


def test_label_detail_of_a_successor_leads_back(client: Client) -> None:
    label = biopmed()
    successor = transfer_label(label, on=date(2015, 9, 8))

    text = text_of(client.get(successor.get_absolute_url()))

    assert f'<a href="{label.get_absolute_url()}">bioPmed</a>' in text
    assert '8 September 2015</time> <span class="meta">by transfer</span>' in text


def test_cluster_that_gave_its_label_away_shows_where_to(client: Client) -> None:
    label = biopmed()
    successor = transfer_label(label, on=date(2015, 9, 8), cluster=make_cluster(name="New Valley"))

    text = text_of(client.get(label.cluster.get_absolute_url()))

    assert '<span class="state is-transferred">Transferred on 8 September 2015' in text
    assert f'<a href="{successor.get_absolute_url()}">Gold label of New Valley, in its' in text


@pytest.mark.parametrize("hidden", ["label", "cluster"])
def test_nothing_leads_to_a_hidden_successor(client: Client, hidden: str) -> None:
    label = biopmed()
    successor = transfer_label(label, on=date(2015, 9, 8), cluster=make_cluster(name="New Valley"))
    row = successor if hidden == "label" else successor.cluster
    hide(row)

    for address in (
        label.get_absolute_url(), label.cluster.get_absolute_url(), "/labels.json", "/labels.csv",
        f"/labels/{label.public_id}.json", f"/en/verify/?q={label.public_id}",
        "/labels.atom",
    ):  # fmt: skip
        response = client.get(address)
        content = b"".join(response) if response.streaming else response.content
        assert response.status_code == 200
        assert successor.public_id not in content.decode()
        assert "New Valley" not in content.decode()


def test_label_detail_says_that_the_end_was_extended_by_decision(client: Client) -> None:
    label = biopmed()
    now = timezone.now()
    in_effect(
        life.extend(label, until=date(2018, 1, 31), reason="Flooded.", by=make_account(), now=now)
    )

    text = text_of(client.get(label.get_absolute_url()))

    assert '31 January 2018</time> <span class="meta">extended by decision</span>' in text
    assert twin(client, label).json()["extended_until"] == "2018-01-31"


def test_label_detail_of_a_renewal_counts_from_the_previous_end(client: Client) -> None:
    label = biopmed()
    renewal = make_label(cluster=label.cluster, kind="renewal", renews=label, assessed_on="2017-06")
    sentence = "As this is a renewal, they are counted from the previous end, 31 July 2017."

    assert sentence in text_of(client.get(renewal.get_absolute_url()))
    assert sentence not in text_of(client.get(label.get_absolute_url()))


def test_label_detail_in_small_letters_leads_on(client: Client) -> None:
    label = biopmed()

    response = client.get(f"/it/labels/{label.public_id.lower()}/?on=2016-01-01")

    assert (response.status_code, response["Location"]) == (
        301,
        f"/it/labels/{label.public_id}/?on=2016-01-01",
    )


# Its JSON twin


def twin(client: Client, label: Label, **query: str) -> Any:
    return client.get(reverse("label_json", args=[label.public_id]), query)


def test_label_json_says_what_the_page_says(client: Client) -> None:
    label = biopmed()
    add_sources(label)

    response = twin(client, label)

    assert json.loads(response.content) == {
        "id": label.public_id,
        "url": f"http://testserver/en/labels/{label.public_id}/",
        "on": "2015-09-08",
        "state": "valid",
        "valid": "yes",
        "state_in_words": "Valid until 31 July 2017.",
        "caveat": NO_END,
        "level": "gold",
        "official_wording": "Proven for Cluster Excellence",
        "cluster": {
            "id": label.cluster.public_id,
            "name": "bioPmed",
            "url": "http://testserver/en/clusters/biopmed/",
            "country": "IT",
            "portfolio": "health-and-medical-science",
        },
        "managing_organisation": "Bioindustry Park",
        "kind": None,
        "assessed_on": "2015-07",
        "awarded_on": None,
        "announced_on": "2015-09-08",
        "valid_until": None,
        "starts_on": "2015-07-01",
        "certain_from": "2015-07-31",
        "certain_until": "2017-07-31",
        "ends_on": "2017-07-31",
        "renewable_until": "2018-07-31",
        "extended_until": None,
        "transferred_on": None,
        "transferred_to": None,
        "transferred_from": None,
        "valid_from_is_computed": False,
        "valid_until_is_computed": True,
        "rule_of": "2010-11-01",
        "awarded_by": "ESCA",
        "score": 91.0,
        "certificate_number": "G-2015/57",
        "source": "example.org/labels; a printed list",
        "sources": [
            {"source": "example.org/labels", "confidence": "seen", "note": "Gold in July 2015."},
            {"source": None, "confidence": "reported", "note": "Year inferred."},
        ],
    }


def test_label_json_of_an_undated_label_has_no_days(client: Client) -> None:
    data = json.loads(twin(client, make_undated_label()).content)

    assert (data["state"], data["starts_on"], data["rule_of"]) == ("undated", None, None)


def test_label_json_as_of_another_day(client: Client) -> None:
    data = json.loads(twin(client, biopmed(), on="2017-08-01").content)

    assert (data["on"], data["state"]) == ("2017-08-01", "renewable")


def test_label_json_with_a_wrong_day_names_it(client: Client) -> None:
    response = twin(client, biopmed(), on="tomorrow")

    assert response.status_code == 400
    message = "on: “tomorrow” is not a day like 2015-09-08"
    assert json.loads(response.content) == {"error": message}


def test_label_json_of_an_unknown_label_is_not_found(client: Client) -> None:
    response = client.get("/labels/22222222.json")

    assert response.status_code == 404
    assert json.loads(response.content) == {"error": "there is no label with this id"}


def test_label_json_is_open_to_other_origins(client: Client) -> None:
    response = twin(client, biopmed())

    assert response["Access-Control-Allow-Origin"] == "*"
    assert response["Cross-Origin-Resource-Policy"] == "cross-origin"


def test_label_json_is_not_sent_twice(client: Client) -> None:
    label = biopmed()
    etag = twin(client, label)["ETag"]

    again = client.get(
        reverse("label_json", args=[label.public_id]), headers={"if-none-match": etag}
    )

    assert again.status_code == 304


def test_label_json_is_the_same_in_every_language(client: Client) -> None:
    label = biopmed()
    path = reverse("label_json", args=[label.public_id])

    italian = client.get(path, headers={"accept-language": "it"})

    assert italian.content == client.get(path).content


def test_label_json_takes_few_queries(count_queries: Callable[[str], int]) -> None:
    assert count_queries(reverse("label_json", args=[biopmed().public_id])) == 3


# How it works


def test_label_scheme_shows_the_rules_in_force_on_the_day(client: Client) -> None:
    old = client.get(SCHEME).context["rules_in_force"]
    new = client.get(f"{SCHEME}?on=2019-11-15").context["rules_in_force"]

    assert [(rule.level_id, rule.renewal_months) for rule in old] == [
        ("gold", 24), ("silver", 24), ("bronze", 24),
    ]  # fmt: skip
    assert [(rule.level_id, rule.renewal_months) for rule in new] == [
        ("gold", 36), ("silver", 36), ("bronze", 36),
    ]  # fmt: skip


def test_label_scheme_before_every_rule_says_so(client: Client) -> None:
    text = text_of(client.get(f"{SCHEME}?on=2010-10-31"))

    assert "No rule was in force yet on this day." in text


def test_label_scheme_marks_what_is_unofficial(client: Client) -> None:
    text = text_of(client.get(SCHEME))

    assert "<strong>Unofficial wording</strong>" in text
    assert "31 indicators" in text
    assert "unofficial inference" in text


def test_label_scheme_quotes_published_counts_beside_its_own(client: Client) -> None:
    make_label()
    Statement.objects.create(
        as_of_on="2015-09-08",
        definition_en="Gold labels",
        definition_it="Label Gold",
        count=58,
        is_more_than=True,
        source="example.org",
    )

    text = text_of(client.get(SCHEME))

    assert "<span>more than 58</span>" in text
    assert "1 valid</a>, held by 1 cluster" in text


def test_label_scheme_takes_as_many_queries_for_three_rows(
    count_queries: Callable[[str], int],
) -> None:
    for_one = count_queries(SCHEME)
    make_label()
    for number in range(3):
        Statement.objects.create(
            as_of_on="2015", definition_en="x", definition_it="x", count=1, source=f"{number}"
        )
        IssuingBody.objects.create(code=f"b{number}", short_name="B", name="B")

    assert count_queries(SCHEME) == for_one


def test_label_json_of_a_transferred_label_names_the_pages_of_both(client: Client) -> None:
    label = biopmed()
    successor = transfer_label(label, on=date(2015, 9, 8))

    old, new = twin(client, label).json(), twin(client, successor).json()

    assert (old["state"], old["transferred_on"]) == ("transferred", "2015-09-08")
    assert (old["transferred_to"], old["transferred_from"]) == (new["url"], None)
    assert (new["transferred_to"], new["transferred_from"]) == (None, old["url"])
