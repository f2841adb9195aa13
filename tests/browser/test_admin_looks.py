"""Every screen of admin: accessible in light and dark, and no wider than a narrow screen."""

from collections.abc import Iterator

import pytest
from django.contrib import admin
from playwright.sync_api import BrowserContext
from pytest_django.live_server_helper import LiveServer

from clusters.admin.base import PartAdmin
from clusters.models import Account, ClusterText
from labels.models import LabelSource
from tests.browser.looks import NARROW, NOT_OURS, REQUIRED, faults
from tests.browser.test_unsaved import sign_in
from tests.config.test_admin import MAKERS, MODELS, url

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.ignore_template_errors,
]


def screens() -> Iterator[str]:
    """Of each model its list, the form of a row and its history; parts of records are alike."""
    yield "/admin/"
    yield "/admin/search/?q=Old"
    yield "/admin/clusters/cluster/import/"
    yield "/admin/clusters/cluster/export/"
    yield "/admin/clusters/cluster/add/"
    for model in MODELS:
        is_part = isinstance(admin.site._registry[model], PartAdmin)
        if is_part and model not in (ClusterText, LabelSource):
            continue
        if model in MAKERS:
            MAKERS[model]()
        yield url(model, "changelist")
        row = model._default_manager.order_by("pk").last()
        if row is not None:
            yield url(model, "change", row.pk)
            yield url(model, "history", row.pk)


def test_screen_is_right(context: BrowserContext, live_server: LiveServer) -> None:
    sign_in(context, live_server, Account.objects.create_superuser("secretariat@example.org"))
    page = context.new_page()
    found = {}

    for path in screens():
        answer = page.goto(f"{live_server.url}{path}")
        assert answer is not None
        assert answer.status == 200, path
        if wrong := faults(page, exclude=NOT_OURS, rules=REQUIRED, widths=[NARROW]):
            found[path] = wrong

    assert found == {}
