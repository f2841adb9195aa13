from datetime import date

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from labels.models import Indicator, IndicatorSet, IssuingBody, Label
from tests.admin_forms import errors, form_data
from tests.factories import make_label, make_suspension, make_undated_label

pytestmark = [pytest.mark.django_db, pytest.mark.ignore_template_errors]

ADD = "/admin/labels/label/add/"
LIST = "/admin/labels/label/"


def change(label: Label) -> str:
    return reverse("admin:labels_label_change", args=[label.pk])


def test_cluster_tells_its_labels_and_leads_to_a_proposal(admin_client: Client) -> None:
    label = make_label()
    address = reverse("admin:clusters_cluster_change", args=[label.cluster.pk])

    page = admin_client.get(address).content.decode()

    assert change(label) in page
    assert f"{ADD}?cluster={label.cluster.pk}" in page


def test_cluster_with_two_labels_is_saved(admin_client: Client) -> None:
    label = make_label()
    make_label(cluster=label.cluster, assessed_on="2017-08")
    address = reverse("admin:clusters_cluster_change", args=[label.cluster.pk])

    response = admin_client.post(address, form_data(admin_client, address) | {"town": "Ivrea"})

    assert errors(response) == []


def test_cluster_does_not_write_its_labels(admin_client: Client) -> None:
    label = make_label()
    address = reverse("admin:clusters_cluster_change", args=[label.cluster.pk])
    sent = {"labels-TOTAL_FORMS": "2", "labels-0-level": "bronze", "labels-1-level": "gold"}

    response = admin_client.post(address, form_data(admin_client, address) | sent)

    assert errors(response) == []
    assert [(row.pk, row.level_id) for row in Label.objects.all()] == [(label.pk, "gold")]


def test_labels_are_not_published_in_bulk(admin_client: Client) -> None:
    make_label()

    assert admin_client.get(LIST).context["action_form"] is None


def test_label_that_is_not_public_has_no_state(admin_client: Client) -> None:
    make_label(is_published=False)

    page = admin_client.get(LIST).content.decode()

    assert '<td class="field-state_today">not public</td>' in page


def test_suspension_is_read_only(admin_client: Client) -> None:
    label = make_label()
    row = make_suspension(label, starts_on=date(2016, 1, 1), reason="Audit.")
    address = reverse("admin:labels_suspension_change", args=[row.pk])

    assert admin_client.get(address).status_code == 200
    assert admin_client.post(address, {"starts_on": "2016-02-01"}).status_code == 403


@time_machine.travel("2015-09-08 12:00", tick=False)
def test_list_tells_state_and_days_in_words(admin_client: Client) -> None:
    make_label(assessed_on="2015-07")

    page = admin_client.get(LIST).content.decode()

    assert '<td class="field-state_today">valid</td>' in page
    assert '<td class="field-first_day">July 2015</td>' in page
    assert '<td class="field-last_day">31 July 2017 (computed)</td>' in page


@time_machine.travel("2015-09-08 12:00", tick=False)
@pytest.mark.parametrize(
    ("state", "assessed_on"),
    [("valid", "2015-07"), ("renewable", "2013-01"), ("expired", "2011"), ("undated", None)],
)
def test_list_filters_by_the_state_today(
    admin_client: Client, state: str, assessed_on: str | None
) -> None:
    for start in ("2015-07", "2013-01", "2011"):
        make_label(assessed_on=start)
    make_undated_label()

    response = admin_client.get(LIST, {"state": state})

    starts = [label.assessed_on for label in response.context["cl"].result_list]
    assert [str(start) if start else None for start in starts] == [assessed_on]


def test_unknown_state_filters_nothing(admin_client: Client) -> None:
    make_label()

    assert admin_client.get(LIST, {"state": "splendid"}).context["cl"].result_count == 1


def test_issuing_body_is_edited_with_its_roles(admin_client: Client) -> None:
    body = IssuingBody.objects.create(code="new", short_name="NEW", name="New body")
    address = reverse("admin:labels_issuingbody_change", args=[body.pk])
    data = form_data(admin_client, address) | {
        "roles-TOTAL_FORMS": "1",
        "roles-0-role": "assessor",
        "roles-0-started_on": "2020-12",
    }

    response = admin_client.post(address, data)

    assert errors(response) == []
    assert [str(role.started_on) for role in body.roles.all()] == ["2020-12"]


def test_indicator_set_is_edited_with_its_indicators(admin_client: Client) -> None:
    indicator_set = IndicatorSet.objects.get(level="gold")
    address = reverse("admin:labels_indicatorset_change", args=[indicator_set.pk])
    data = form_data(admin_client, address) | {"indicators-0-name_en": "Members"}

    response = admin_client.post(address, data)

    assert errors(response) == []
    assert Indicator.objects.get(name_en="Members").number == 1
