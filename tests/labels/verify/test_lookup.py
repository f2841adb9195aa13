"""What is found for what somebody has in hand, one at a time and a thousand at once."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given, settings
from hypothesis import strategies as st

from clusters.models import Cluster, ClusterName, Organisation, OrganisationName
from labels.models import Label
from labels.verify.lookup import (
    MOST_CLUSTERS,
    MOST_LABELS,
    Found,
    LabelClaim,
    LineVerdict,
    verify,
    verify_all,
)
from labels.words import Reply
from tests.factories import (
    hide,
    make_cluster,
    make_label,
    make_management,
    make_organisation,
    make_undated_label,
    transfer_label,
)

pytestmark = pytest.mark.django_db

DAY = date(2015, 9, 8)


def claims(asked: Iterable[str], day: date) -> list[LabelClaim]:
    return [LabelClaim(text, day) for text in asked]


@pytest.fixture(scope="module")
def made(module_rows: None) -> Label:
    """A Gold of bioPmed, and beside it clusters that must not be found with it."""
    park = make_organisation(name="Bio Park SpA", slug="bio-park", vat_number="IT00743110157")
    OrganisationName.objects.create(organisation=park, name="Bio Park Canavese")
    cluster = make_cluster(name="bioPmed", slug="old-biopmed")
    cluster.slug = "biopmed"
    cluster.save()
    ClusterName.objects.create(cluster=cluster, name="Größe Médicale")
    make_management(cluster=cluster, organisation=park)
    make_label(certificate_number="G-2015/58")
    make_cluster(name="Agrifood")
    make_organisation(name="Idle", vat_number="EL094259216")
    return make_label(cluster=cluster, managing_organisation=park, certificate_number="G-2015/57")


@pytest.fixture
def register(made: Label) -> Label:
    return Label.objects.get(pk=made.pk)


@pytest.mark.parametrize(
    ("asked", "found_as"),
    [
        pytest.param("{id}", Found.NUMBER, id="number"),
        pytest.param("{lower}", Found.NUMBER, id="number in lower case"),
        pytest.param("g-2015/57", Found.CERTIFICATE, id="certificate number"),
        pytest.param("https://x.example/it/labels/{id}/?on=2015-01-01", Found.ADDRESS, id="page"),
        pytest.param("/labels/{lower}/certificate.it.pdf", Found.ADDRESS, id="certificate"),
        pytest.param("{cluster}", Found.NUMBER, id="number of the cluster"),
        pytest.param("BIOPMED", Found.CLUSTER, id="cluster"),
        pytest.param("GRÖSSE  MÉDICALE", Found.FORMER_CLUSTER, id="other name"),
        pytest.param("https://x.example/en/clusters/biopmed/", Found.ADDRESS, id="cluster’s page"),
        pytest.param("/it/clusters/old-biopmed", Found.OLD_ADDRESS, id="former address"),
        pytest.param("old-biopmed", Found.OLD_ADDRESS, id="last part of a former address"),
        pytest.param("/clusters/{cluster}/seal.svg", Found.NUMBER, id="cluster’s seal"),
        pytest.param("IT00743110157", Found.VAT, id="VAT number"),
        pytest.param("it 0074 3110 157", Found.VAT, id="VAT number with spaces"),
        pytest.param("00743110157", Found.VAT, id="VAT number without country"),
        pytest.param("P.IVA 00743110157", Found.VAT, id="VAT number in words"),
        pytest.param("bio park spa", Found.ORGANISATION, id="organisation"),
        pytest.param("Bio Park Canavese", Found.FORMER_ORGANISATION, id="former name"),
        pytest.param("/it/organisations/bio-park/", Found.ADDRESS, id="organisation’s page"),
        pytest.param("\u202ebio\u200bPmed", Found.CLUSTER, id="unseen marks"),
    ],
)
def test_verify_finds_the_label(register: Label, asked: str, found_as: Found) -> None:
    values = {
        "id": register.public_id,
        "lower": register.public_id.lower(),
        "cluster": register.cluster.public_id,
    }

    answer = verify(asked.format(**values), DAY)

    assert (answer.labels, answer.found_as, answer.verdict) == (
        [register],
        found_as,
        LineVerdict.VALID,
    )


@pytest.mark.parametrize(
    "asked",
    [
        "",
        " ",
        "x",
        "G-2015/5",
        "IT00743110158",
        "/en/labels/how-it-works/",
        "/",
        "%",
        "' OR 1=1 --",
    ],
)
def test_verify_does_not_find_something_else(register: Label, asked: str) -> None:
    answer = verify(asked, DAY)

    assert (answer.is_unknown, answer.labels, answer.verdict) == (True, [], LineVerdict.UNKNOWN)


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        pytest.param("Agrifood", "This register holds no label of this cluster.", id="cluster"),
        pytest.param(
            "EL 094259216",
            "This register holds no cluster that this organisation manages or managed.",
            id="organisation",
        ),
    ],
)
def test_absence_of_a_label_is_not_a_no(register: Label, asked: str, sentence: str) -> None:
    answer = verify(asked, DAY)

    assert (answer.verdict, answer.words.reply) == (LineVerdict.UNKNOWN, Reply.CANNOT_BE_TOLD)
    assert answer.words.sentence == sentence
    assert answer.words.caveat == (
        "That does not prove that there is no label: this register does not hold every one."
    )
    assert not answer.is_unknown


def test_verdict_is_of_the_day(register: Label) -> None:
    answer = verify("bioPmed", date(2017, 8, 1))

    assert answer.verdict == LineVerdict.NOT_VALID
    assert answer.words.reply == Reply.NO
    assert answer.words.sentence == (
        "Expired on 31 July 2017; may still be renewed until 31 July 2018."
    )


@pytest.mark.parametrize("day", [date(2015, 7, 1), date(2015, 7, 30)])
def test_verdict_of_some_day_of_the_first_month_cannot_be_told(register: Label, day: date) -> None:
    answer = verify("bioPmed", day)

    assert (answer.verdict, answer.words.reply) == (LineVerdict.UNCERTAIN, Reply.CANNOT_BE_TOLD)


def test_undated_label_cannot_be_told() -> None:
    label = make_undated_label()

    assert verify(label.public_id, DAY).verdict == LineVerdict.UNCERTAIN


def test_organisation_that_managed_leads_to_the_labels_and_says_so() -> None:
    organisation = make_organisation(name="Before")
    management = make_management(organisation=organisation, ended_on="2014")
    label = make_label(cluster=management.cluster)

    answer = verify("before", DAY)

    assert answer.labels == [label]
    assert [(m.organisation, m.cluster, m.is_current) for m in answer.management] == [
        (organisation, management.cluster, False)
    ]


def test_organisation_on_a_certificate_leads_to_the_label() -> None:
    organisation = make_organisation(name="On paper")
    label = make_label(managing_organisation=organisation)

    assert verify("on paper", DAY).labels == [label]


def test_highest_valid_label_decides() -> None:
    cluster = make_cluster(name="Alpha")
    make_label(cluster=cluster, assessed_on="2011")
    bronze = make_label(cluster=cluster, level="bronze")

    answer = verify("alpha", DAY)

    assert (answer.label, answer.verdict, len(answer.labels)) == (bronze, LineVerdict.VALID, 2)


@pytest.mark.parametrize("kind", ["label", "cluster", "organisation", "former organisation"])
def test_verify_does_not_know_what_is_unpublished(register: Label, kind: str) -> None:
    model: Any = {"label": Label, "cluster": Cluster}.get(kind, Organisation)
    hide(*model.objects.all())
    asked = {
        "label": register.public_id,
        "cluster": "old-biopmed",
        "organisation": "IT00743110157",
        "former organisation": "Bio Park Canavese",
    }[kind]

    answer = verify(asked, DAY)

    assert (answer.is_unknown, answer.nearest) == (True, [])


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("bioPmod", "is spelt alike"),
        ("Pmed", "holds what you asked for"),
        ("bioPmed of Italy", "is part of what you asked for"),
    ],
)
def test_nearest_names_say_why(register: Label, text: str, why: str) -> None:
    nearest = verify(text, DAY).nearest

    assert [(near.name, near.why) for near in nearest] == [("bioPmed", why)]


def test_organisation_with_many_clusters_is_cut_and_says_so() -> None:
    organisation = make_organisation(name="Everywhere")
    for _number in range(MOST_CLUSTERS + 2):
        make_management(organisation=organisation)

    answer = verify("everywhere", DAY)

    assert (len(answer.clusters_without_labels), answer.more_clusters) == (MOST_CLUSTERS, 2)


def test_cluster_with_many_labels_is_cut_and_says_so() -> None:
    cluster = make_cluster(name="Alpha")
    for number in range(MOST_LABELS + 3):
        make_label(cluster=cluster, certificate_number=f"{number}")

    answer = verify("alpha", DAY)

    assert (len(answer.labels), answer.more_labels) == (MOST_LABELS, 3)


def test_answers_stand_in_the_order_of_the_questions(register: Label) -> None:
    asked = ["Agrifood", "x", "bioPmed", "x"]

    assert [answer.asked for answer in verify_all(claims(asked, DAY))] == asked


def test_certificates_that_differ_in_case_are_told_apart_in_a_list() -> None:
    mixed = make_label(certificate_number="Gold-1")
    capital = make_label(certificate_number="GOLD-1")
    asked = ["GOLD-1", "Gold-1", "gOlD-1"]

    answers = verify_all(claims(asked, DAY))

    assert answers == [verify(text, DAY) for text in asked]
    assert [set(answer.labels) for answer in answers[:2]] == [{capital}, {mixed, capital}]


def test_certificate_in_a_mixture_of_letters_is_found() -> None:
    label = make_label(certificate_number="Gold-É1")

    assert verify("gOLD-é1", DAY).labels == [label]


def test_a_thousand_lines_take_as_many_queries_as_one_of_each_kind(register: Label) -> None:
    kinds = [
        register.public_id, "g-2015/57", "bioPmed", "Agrifood", "IT00743110157", "Bio Park SpA",
        "old-biopmed", "nobody",
    ]  # fmt: skip
    names = []
    for number in range(30):
        cluster = make_cluster(name=f"Other {number}")
        make_label(cluster=cluster)
        make_management(cluster=cluster, organisation=make_organisation(name=f"Org {number}"))
        names += [cluster.name, f"Org {number}", f"cluster {number}", f"unknown {number}"]

    with CaptureQueriesContext(connection) as for_few:
        verify_all(claims(kinds, DAY))
    with CaptureQueriesContext(connection) as for_many:
        verify_all(claims((kinds + names * 9)[:1000], DAY))

    assert len(for_many) == len(for_few) <= 20


@pytest.fixture
def written(register: Label) -> list[str]:
    """What one may have in hand of the register, and what is nearly it."""
    exact: list[str] = [
        text
        for model, column in (
            (Cluster, "name"),
            (Cluster, "slug"),
            (ClusterName, "name"),
            (Organisation, "name"),
            (Organisation, "vat_number"),
            (OrganisationName, "name"),
            (Label, "public_id"),
            (Label, "certificate_number"),
        )
        for text in model.objects.values_list(column, flat=True)
    ]
    return [*exact, *(text[1:].upper() for text in exact), *(f"/en/clusters/{t}/" for t in exact)]


def test_a_list_is_answered_as_line_by_line(written: list[str]) -> None:
    texts = st.sampled_from(written) | st.text(max_size=20)

    @settings(max_examples=25)
    @given(st.lists(texts, min_size=1, max_size=12), st.dates(date(2009, 1, 1), date(2020, 1, 1)))
    def same(asked: list[str], day: date) -> None:
        assert verify_all(claims(asked, day)) == [verify(text, day) for text in asked]

    same()


def test_verify_says_that_a_label_moved_and_where_to(register: Label) -> None:
    successor = transfer_label(register, on=DAY, cluster=make_cluster(name="New Valley"))

    answer = verify(register.public_id, DAY)

    assert (answer.labels, answer.verdict) == ([register], LineVerdict.TRANSFERRED)
    assert answer.words.sentence.endswith(f"to New Valley: label {successor.public_id}.")
    assert verify(successor.public_id, DAY).verdict == LineVerdict.VALID


def test_verify_of_the_day_before_a_transfer_says_valid(register: Label) -> None:
    successor = transfer_label(register, on=DAY)
    before = DAY - timedelta(days=1)

    assert verify(register.public_id, before).verdict == LineVerdict.VALID
    assert verify(successor.public_id, before).verdict == LineVerdict.NOT_VALID
