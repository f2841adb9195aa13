"""The secretariat at work on the life of a label, by keyboard only where that is said."""

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from playwright.sync_api import BrowserContext, Page, expect
from pytest_django.live_server_helper import LiveServer

from clusters.models import Role
from labels.life import steps as life
from labels.models import Decision, Label, Suspension
from tests.browser.looks import NARROW, REQUIRED, faults
from tests.factories import approve, make_account, make_cluster, make_label

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.ignore_template_errors,
]

# Within the select box that Django brings: it names what is chosen, and not the lack of it.
NOT_OURS = (".select2-selection__rendered",)
SignIn = Callable[[Role], Page]


@pytest.fixture
def sign_in(
    new_context: Callable[..., BrowserContext], live_server: LiveServer
) -> Iterator[SignIn]:
    """A page of one more person, signed in; afterwards nothing was blocked or broken."""
    complaints: list[str] = []

    def enter(role: Role) -> Page:
        client = Client()
        client.force_login(make_account(role))
        context = new_context()
        value = client.cookies["sessionid"].value
        context.add_cookies([{"name": "sessionid", "value": value, "url": live_server.url}])
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        return page

    yield enter
    assert complaints == []


def tab_to(page: Page, selector: str) -> None:
    """By the Tab key alone; the focus is to be seen when it gets there."""
    for _press in range(150):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"Tab does not reach {selector}")


def enter(page: Page) -> None:
    """The key, and the page to which it leads."""
    with page.expect_navigation():
        page.keyboard.press("Enter")


def day(value: date) -> str:
    return value.isoformat()


def recent() -> date:
    return timezone.localdate() - timedelta(days=30)


def valid_label() -> Label:
    cluster = make_cluster(name="bioPmed", slug="biopmed")
    return make_label(cluster=cluster, assessed_on=day(recent()), decided_here=True)


def status(page: Page, address: str) -> int:
    response = page.goto(address)
    assert response
    return response.status


def choose_by_keyboard(page: Page, field: str, text: str) -> None:
    tab_to(page, f"#id_{field} + .select2-container .select2-selection")
    page.keyboard.press("Enter")
    page.keyboard.type(text)
    option = page.locator(f".select2-results__option--highlighted:has-text('{text}')")
    expect(option).to_be_visible()
    page.keyboard.press("Enter")


def test_editor_proposes_a_lead_approves_and_the_page_appears_by_keyboard(
    sign_in: SignIn, live_server: LiveServer
) -> None:
    make_cluster(name="bioPmed", slug="biopmed")
    editor, lead = sign_in(Role.EDITOR), sign_in(Role.LEAD)

    editor.goto(f"{live_server}/admin/labels/label/add/")
    choose_by_keyboard(editor, "cluster", "bioPmed")
    tab_to(editor, "#id_level")
    editor.keyboard.type("Gold")
    tab_to(editor, "#id_assessed_on")
    editor.keyboard.type(day(recent()))
    tab_to(editor, "#id_score")
    editor.keyboard.type("85")
    tab_to(editor, "#id_reason")
    editor.keyboard.type("The jury agreed.")
    tab_to(editor, "input[name=_save]")
    enter(editor)
    expect(editor.locator(".messagelist .success")).to_contain_text("Somebody else has to approve")
    label = Label.objects.get()
    public = f"{live_server}/en/labels/{label.public_id}/"
    assert status(editor, public) == 404

    lead.goto(f"{live_server}/admin/")
    tab_to(lead, "a[href*='/labels/decision/?attention=waiting']")
    enter(lead)
    tab_to(lead, "#result_list tbody th a")
    enter(lead)
    tab_to(lead, "a[href$='/approve/']")
    enter(lead)
    expect(lead.locator("dl.facts")).to_contain_text("The jury agreed.")
    tab_to(lead, ".submit-row input[type=submit]")
    enter(lead)
    expect(lead.locator(".messagelist .success")).to_contain_text("Decided")

    assert status(editor, public) == 200
    expect(editor.locator("h1")).to_contain_text("bioPmed")


def test_lead_proposes_a_revocation_and_a_second_lead_approves(
    sign_in: SignIn, live_server: LiveServer
) -> None:
    label = valid_label()
    first, second = sign_in(Role.LEAD), sign_in(Role.LEAD)
    screen = f"{live_server}/admin/labels/label/{label.pk}/change/"

    first.goto(screen)
    first.click("a[href$='/revoke/']")
    first.click(".submit-row input[type=submit]")
    expect(first.locator(".field-reason .errorlist")).to_be_visible()
    first.fill("#id_reason", "The cluster closed.")
    first.click(".submit-row input[type=submit]")
    expect(first.locator(".differences")).to_contain_text("Revoked from")
    first.click(".submit-row input[type=submit]")
    expect(first.locator(".waiting")).to_contain_text("somebody else has to approve it")
    expect(first.locator(".waiting a[href$='/approve/']")).to_have_count(0)

    second.goto(screen)
    second.click(".waiting a[href$='/approve/']")
    second.click(".submit-row input[type=submit]")
    expect(second.locator(".gone")).to_contain_text("was revoked")

    second.goto(f"{live_server}/en/labels/{label.public_id}/")
    expect(second.locator("main")).to_contain_text("The cluster closed.")


def test_label_is_suspended_by_keyboard(sign_in: SignIn, live_server: LiveServer) -> None:
    label = valid_label()
    lead = sign_in(Role.LEAD)

    lead.goto(f"{live_server}/admin/labels/label/{label.pk}/change/")
    tab_to(lead, "a[href$='/suspend/']")
    enter(lead)
    tab_to(lead, "#id_reason")
    lead.keyboard.type("Audit.")
    tab_to(lead, ".submit-row input[type=submit]")
    enter(lead)
    expect(lead.locator(".differences")).to_contain_text("Suspended")
    tab_to(lead, ".submit-row input[type=submit]")
    enter(lead)

    expect(lead.locator(".messagelist .success")).to_contain_text("Somebody else has to approve")
    approve(Decision.objects.get())
    assert Suspension.objects.get().reason == "Audit."


PAGES = (
    "label/{label}/change/",
    "label/{label}/renew/",
    "label/{label}/extend/",
    "label/{label}/suspend/",
    "label/{label}/reinstate/",
    "label/{label}/transfer/",
    "label/{label}/revoke/",
    "label/add/?cluster={cluster}",
    "decision/{decision}/change/",
    "decision/{decision}/approve/",
    "decision/{decision}/refuse/",
)


def test_step_page_is_accessible_and_fits_a_narrow_screen(
    sign_in: SignIn, live_server: LiveServer
) -> None:
    label = valid_label()
    by: Any = make_account(Role.EDITOR)
    moment = timezone.now()
    decision = life.revoke(label, on=timezone.localdate(), reason="x", by=by, now=moment)
    assert isinstance(decision, Decision)
    page = sign_in(Role.LEAD)
    page.set_viewport_size({"width": NARROW, "height": 740})
    found = {}

    for path in PAGES:
        address = path.format(label=label.pk, cluster=label.cluster.pk, decision=decision.pk)
        page.goto(f"{live_server}/admin/labels/{address}")
        if wrong := faults(page, exclude=NOT_OURS, rules=REQUIRED, widths=[NARROW]):
            found[address] = wrong

    assert found == {}
