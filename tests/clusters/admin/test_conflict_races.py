"""Two saves of one screen at the same moment."""

from functools import partial
from typing import Any

import pytest
from django.test import Client

from clusters.models import Role
from tests.admin_forms import form_data
from tests.factories import make_account, make_cluster
from tests.races import run_at_once


@pytest.mark.django_db(transaction=True)
def test_race_of_two_saves_of_one_cluster() -> None:
    cluster = make_cluster(town="Torino")
    address = f"/admin/clusters/cluster/{cluster.pk}/change/"
    answers: list[Any] = []

    def save(client: Client, data: dict[str, Any]) -> None:
        answers.append(client.post(address, data))

    calls = []
    for number in range(2):
        client = Client()
        client.force_login(make_account(Role.LEAD))
        data = form_data(client, address) | {"town": f"Town {number}"}
        calls.append(partial(save, client, data))

    assert run_at_once(*calls) == [None, None]

    assert sorted(answer.status_code for answer in answers) == [200, 302]
    assert cluster.history.count() == 2
