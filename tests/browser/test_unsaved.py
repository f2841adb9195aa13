"""Nothing that somebody typed is lost: closed pages, ended sessions, lines that drop."""

from collections.abc import Callable

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from playwright.sync_api import BrowserContext, Page, expect
from pytest_django.live_server_helper import LiveServer

from clusters.models import Account, Cluster, ClusterText
from tests.browser.looks import NOT_OURS, REQUIRED, faults
from tests.factories import make_cluster

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.ignore_template_errors,
]


@pytest.fixture
def cluster(transactional_db: None) -> Cluster:
    return make_cluster(name="bioPmed", slug="biopmed", contact_address="desk@example.org")


@pytest.fixture
def account(transactional_db: None) -> Account:
    return Account.objects.create_superuser("secretariat@example.org")


@pytest.fixture
def desk(context: BrowserContext, live_server: LiveServer, account: Account) -> Page:
    """A page of the secretariat, signed in."""
    sign_in(context, live_server, account)
    return context.new_page()


def sign_in(context: BrowserContext, live_server: LiveServer, account: Account) -> None:
    client = Client()
    client.force_login(account)
    context.add_cookies(
        [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}]
    )


def change(live_server: LiveServer, cluster: Cluster) -> str:
    return f"{live_server.url}/admin/clusters/cluster/{cluster.pk}/change/"


def asks_on_leaving(page: Page) -> bool:
    page.wait_for_load_state()  # the script has run
    event = "new Event('beforeunload', { cancelable: true })"
    return not page.evaluate(f"window.dispatchEvent({event})")


def test_browser_asks_before_a_changed_page_is_closed(
    desk: Page, live_server: LiveServer, cluster: Cluster
) -> None:
    desk.goto(change(live_server, cluster))
    desk.locator("#id_town").press_sequentially("Ivrea")
    with desk.expect_event("dialog") as asked:
        desk.close(run_before_unload=True)
    assert asked.value.type == "beforeunload"
    asked.value.dismiss()
    expect(desk.locator("#id_town")).to_have_value("Ivrea")


@pytest.mark.parametrize("path", ["admin", "/en/clusters/biopmed/contact/"])
def test_page_that_was_changed_asks_before_it_is_left(
    desk: Page, live_server: LiveServer, cluster: Cluster, path: str
) -> None:
    address = change(live_server, cluster) if path == "admin" else f"{live_server.url}{path}"
    field = "#id_town" if path == "admin" else "#id_message"
    desk.goto(address)
    assert not asks_on_leaving(desk)

    desk.locator(field).press_sequentially("Ivrea")
    assert asks_on_leaving(desk)
    expect(desk.locator(field)).to_have_value("Ivrea")


def test_page_that_came_back_with_an_error_asks_and_a_saved_one_does_not(
    desk: Page, live_server: LiveServer, cluster: Cluster
) -> None:
    desk.goto(change(live_server, cluster))
    desk.fill("#id_name", "")
    desk.locator("#id_town").press_sequentially("Ivrea")
    desk.click("input[name=_continue] >> nth=0")
    expect(desk.locator(".errornote")).to_be_visible()
    assert asks_on_leaving(desk)

    desk.fill("#id_name", "bioPmed")
    desk.click("input[name=_continue] >> nth=0")
    expect(desk.locator(".messagelist .success")).to_be_visible()
    assert not asks_on_leaving(desk)


SAVE = "input[name=_save] >> nth=0"


def kept(page: Page) -> None:
    expect(page.locator("[data-draft]")).to_contain_text("Draft stored at")


def test_closed_page_comes_back_with_what_was_typed(
    desk: Page, context: BrowserContext, live_server: LiveServer, cluster: Cluster
) -> None:
    desk.goto(change(live_server, cluster))
    desk.fill("#id_town", "Ivrea")
    desk.click("text=Add another Number of members")
    desk.fill("#id_membership_counts-0-source", "A report.")
    kept(desk)
    desk.close()

    page = context.new_page()
    page.goto(change(live_server, cluster))
    expect(page.locator("[data-offered-draft]")).to_be_visible()
    expect(page.locator("#id_town")).to_have_value("")
    page.click("text=Restore it")
    expect(page.locator("#id_town")).to_have_value("Ivrea")
    expect(page.locator("#id_membership_counts-0-source")).to_have_value("A report.")
    assert asks_on_leaving(page)
    page.fill("#id_membership_counts-0-source", "")
    page.click(SAVE)
    expect(page.locator(".messagelist .success")).to_be_visible()

    cluster.refresh_from_db()
    assert cluster.town == "Ivrea"
    page.goto(change(live_server, cluster))
    expect(page.locator("[data-offered-draft]")).to_have_count(0)


def test_save_goes_through_at_once_when_the_draft_is_stored(
    desk: Page, live_server: LiveServer, cluster: Cluster
) -> None:
    desk.goto(change(live_server, cluster))
    desk.fill("#id_town", "Ivrea")
    kept(desk)

    desk.click(SAVE)

    expect(desk.locator(".messagelist .success")).to_be_visible()


def test_save_without_a_connection_keeps_the_page_and_goes_through_later(
    desk: Page, live_server: LiveServer, cluster: Cluster
) -> None:
    desk.goto(change(live_server, cluster))
    desk.fill("#id_town", "Ivrea")
    desk.route("**/admin/**", lambda route: route.abort())
    desk.click(SAVE)
    expect(desk.locator("[data-draft]")).to_contain_text("No connection.")
    expect(desk.locator("#id_town")).to_have_value("Ivrea")
    desk.unroute("**/admin/**")

    desk.click(SAVE)

    expect(desk.locator(".messagelist .success")).to_be_visible()
    cluster.refresh_from_db()
    assert cluster.town == "Ivrea"


def test_connection_that_drops_during_the_save_leaves_a_draft(
    desk: Page, live_server: LiveServer, cluster: Cluster
) -> None:
    desk.goto(change(live_server, cluster))
    desk.fill("#id_town", "Ivrea")
    desk.route("**/change/", lambda route: route.abort())
    with desk.expect_event("requestfailed"):
        desk.click(SAVE, no_wait_after=True)
    desk.unroute("**/change/")

    desk.goto(change(live_server, cluster))

    desk.click("text=Restore it")
    expect(desk.locator("#id_town")).to_have_value("Ivrea")


def test_form_of_an_ended_session_is_saved_after_signing_in_elsewhere(
    desk: Page, context: BrowserContext, live_server: LiveServer, cluster: Cluster, account: Account
) -> None:
    desk.goto(change(live_server, cluster))
    desk.fill("#id_town", "Ivrea")
    Session.objects.all().delete()
    desk.click(SAVE)
    expect(desk.locator("h1")).to_have_text("Not saved yet")
    assert faults(desk) == []

    sign_in(context, live_server, account)
    # As when somebody signs in there: the token of this page is none any more.
    context.clear_cookies(name="csrftoken")
    desk.click("text=Save again")

    expect(desk.locator(".messagelist .success")).to_be_visible()
    cluster.refresh_from_db()
    assert cluster.town == "Ivrea"


def test_page_closed_in_the_middle_of_a_word_offers_it_on_return(
    desk: Page, context: BrowserContext, live_server: LiveServer, cluster: Cluster
) -> None:
    """As a laptop is closed: nothing waits for the next few seconds to be over."""
    desk.goto(change(live_server, cluster))
    desk.locator("#id_town").press_sequentially("Ivr")
    desk.on("dialog", lambda dialog: dialog.accept())
    desk.close(run_before_unload=True)

    page = context.new_page()
    for _attempt in range(100):  # its last request is sent when the page is gone
        page.goto(change(live_server, cluster))
        if page.locator("[data-offered-draft]").count():
            break
    page.click("text=Restore it")
    expect(page.locator("#id_town")).to_have_value("Ivr")


# Two editors at once


def test_second_save_is_refused_with_both_texts_and_goes_through_when_seen(
    desk: Page,
    new_context: Callable[..., BrowserContext],
    live_server: LiveServer,
    cluster: Cluster,
) -> None:
    text = ClusterText.objects.create(cluster=cluster, language="en", tagline="Health")
    colleague = Account.objects.create_superuser("colleague@example.org")
    other = new_context()
    sign_in(other, live_server, colleague)
    theirs = other.new_page()
    desk.goto(change(live_server, cluster))
    theirs.goto(change(live_server, cluster))
    for page, town, tagline in ((theirs, "Torino", "Health first"), (desk, "Ivrea", "All of it")):
        page.fill("#id_town", town)
        page.fill("#id_texts-0-tagline", tagline)
    theirs.click(SAVE)
    expect(theirs.locator(".messagelist .success")).to_be_visible()

    desk.click(SAVE)

    told = desk.locator(".errorlist.nonfield")
    expect(told).to_contain_text("Somebody else changed this after you opened it (colleague@")
    expect(told).to_contain_text("Town: now “Torino”, yours “Ivrea”.")
    expect(told).to_contain_text("now “Health first”, yours “All of it”.")
    expect(desk.locator("#id_town")).to_have_value("Ivrea")
    expect(desk.locator("#id_texts-0-tagline")).to_have_value("All of it")
    assert faults(desk, exclude=NOT_OURS, rules=REQUIRED) == []
    cluster.refresh_from_db()
    text.refresh_from_db()
    assert (cluster.town, text.tagline) == ("Torino", "Health first")

    desk.fill("#id_town", "Torino")
    desk.click(SAVE)
    expect(desk.locator(".messagelist .success")).to_be_visible()
    cluster.refresh_from_db()
    text.refresh_from_db()
    assert (cluster.town, text.tagline) == ("Torino", "All of it")
