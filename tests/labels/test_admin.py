from datetime import date

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from labels.models import Indicator, IndicatorSet, IssuingBody, Label, LevelRule
from tests.admin_forms import errors, form_data
from tests.factories import make_cluster, make_label, make_undated_label

pytestmark = [pytest.mark.django_db, pytest.mark.ignore_template_errors]

ADD = "/admin/labels/label/add/"
LIST = "/admin/labels/label/"
GOLD = "/admin/labels/level/gold/change/"


def change(label: Label) -> str:
    return reverse("admin:labels_label_change", args=[label.pk])


def test_new_label_gets_its_days(admin_client: Client) -> None:
    data = form_data(admin_client, ADD) | {
        "cluster": make_cluster().pk,
        "level": "gold",
        "assessed_on": "2015-07",
    }

    response = admin_client.post(ADD, data)

    assert errors(response) == []
    label = Label.objects.get()
    assert (label.starts_on, label.ends_on) == (date(2015, 7, 1), date(2017, 7, 31))
    assert label.end_is_computed
    assert label.history.get().history_user.get_username() == "admin@example.com"


def test_changed_label_gets_new_days(admin_client: Client) -> None:
    label = make_label(assessed_on="2015-07")
    data = form_data(admin_client, change(label)) | {"valid_until": "2017-06-15"}

    response = admin_client.post(change(label), data)

    assert errors(response) == []
    label.refresh_from_db()
    assert (label.ends_on, label.end_is_computed) == (date(2017, 6, 15), False)


def test_unchanged_label_writes_no_history(admin_client: Client) -> None:
    label = make_label()

    admin_client.post(change(label), form_data(admin_client, change(label)))

    assert label.history.count() == 1


def test_end_before_the_start_is_an_error_at_its_field(admin_client: Client) -> None:
    data = form_data(admin_client, ADD) | {
        "cluster": make_cluster().pk,
        "level": "gold",
        "assessed_on": "2015-07",
        "valid_until": "2014",
    }

    response = admin_client.post(ADD, data)

    assert response.context["adminform"].form.errors == {
        "valid_until": ["the end (2014-12-31) lies before the start (2015-07-01)"]
    }
    assert not Label.objects.exists()


def test_label_that_is_there_already_is_refused(admin_client: Client) -> None:
    label = make_label(assessed_on="2015-07")
    data = form_data(admin_client, ADD) | {
        "cluster": label.cluster.pk,
        "level": "gold",
        "assessed_on": "2015-07",
    }

    response = admin_client.post(ADD, data)

    assert errors(response) == ["This label is in the register already."]


def test_end_that_starves_a_renewal_is_refused(admin_client: Client) -> None:
    first = make_label(assessed_on="2014-01")
    make_label(
        cluster=first.cluster,
        assessed_on="2016-01",
        valid_until="2017",
        kind="renewal",
        renews=first,
    )
    data = form_data(admin_client, change(first)) | {"valid_until": "2019"}

    response = admin_client.post(change(first), data)

    assert errors(response) == ["the end (2017-12-31) lies before the start (2020-01-01)"]


def test_revocation_without_a_reason_is_refused(admin_client: Client) -> None:
    label = make_label()
    data = form_data(admin_client, change(label)) | {"revoked_on": "2016-01-01"}

    response = admin_client.post(change(label), data)

    assert errors(response) == ["A revocation needs its day and its reason."]


def test_suspension_is_entered_with_the_label(admin_client: Client) -> None:
    label = make_label()
    data = form_data(admin_client, change(label)) | {
        "suspensions-TOTAL_FORMS": "1",
        "suspensions-0-starts_on": "2016-01-01",
        "suspensions-0-reason": "The team left.",
    }

    response = admin_client.post(change(label), data)

    assert errors(response) == []
    assert [s.starts_on for s in label.suspensions.all()] == [date(2016, 1, 1)]


def test_two_open_suspensions_are_refused_at_the_form(admin_client: Client) -> None:
    label = make_label()
    data = form_data(admin_client, change(label)) | {"suspensions-TOTAL_FORMS": "2"}
    for number in range(2):
        data |= {
            f"suspensions-{number}-starts_on": f"2016-0{number + 1}-01",
            f"suspensions-{number}-reason": "Audit.",
        }

    response = admin_client.post(change(label), data)

    assert errors(response) == ["This label is suspended already."]


@time_machine.travel("2015-09-08 12:00", tick=False)
def test_list_tells_state_and_days_in_words(admin_client: Client) -> None:
    make_label(assessed_on="2015-07")

    page = admin_client.get(LIST).content.decode()

    assert '<td class="field-state_today">valid</td>' in page
    assert '<td class="field-first_day">1 July 2015</td>' in page
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


def test_rule_edit_moves_the_labels_and_says_so(admin_client: Client) -> None:
    label = make_label(assessed_on="2015-07")
    make_label(assessed_on="2015-07", valid_until="2017-07")
    data = form_data(admin_client, GOLD)
    number = next(n for n in range(9) if data[f"rules-{n}-effective_from"] <= "2015")

    response = admin_client.post(GOLD, data | {f"rules-{number}-first_months": "36"}, follow=True)

    label.refresh_from_db()
    assert label.ends_on == date(2018, 7, 31)
    assert "1 label has other days by the rules as they are now." in [
        str(message) for message in response.context["messages"]
    ]
    assert label.history.latest().history_user.get_username() == "admin@example.com"


def test_level_edit_without_a_rule_leaves_the_labels_alone(admin_client: Client) -> None:
    label = make_label()
    LevelRule.objects.update(first_months=12)

    admin_client.post(GOLD, form_data(admin_client, GOLD) | {"name_it": "Oro puro"})

    assert label.history.count() == 1


def test_rule_that_starves_a_label_is_refused(admin_client: Client) -> None:
    first = make_label(assessed_on="2014-01")
    make_label(
        cluster=first.cluster,
        assessed_on="2016-01",
        valid_until="2017",
        kind="renewal",
        renews=first,
    )
    data = form_data(admin_client, GOLD)
    number = next(n for n in range(9) if data[f"rules-{n}-effective_from"] <= "2014")

    response = admin_client.post(GOLD, data | {f"rules-{number}-first_months": "60"})

    assert errors(response) == ["the end (2017-12-31) lies before the start (2019-02-01)"]


def test_level_keeps_one_rule(admin_client: Client) -> None:
    data = form_data(admin_client, GOLD)
    number = int(data["rules-TOTAL_FORMS"])

    response = admin_client.post(GOLD, data | {f"rules-{n}-DELETE": "on" for n in range(number)})

    assert errors(response) == ["A level needs a rule."]


def test_code_of_a_level_is_fixed(admin_client: Client) -> None:
    form = admin_client.get(GOLD).context["adminform"].form

    assert "code" not in form.fields


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
