"""The news by mail in a real browser: signing up, the mails, confirming, one's choice, stopping."""

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from io import StringIO

import pytest
import time_machine
from django.core.cache import cache
from django.core.management import call_command
from django.utils import timezone
from playwright.sync_api import Browser, BrowserContext, Page, expect
from pytest_django.live_server_helper import LiveServer

from news.models import Subscription
from news.subscriptions.links import confirm_url
from tests.browser.looks import faults
from tests.factories import make_announcement, make_cluster, make_subscription, make_topic
from tests.mails import sent_mails

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

ADDRESS = "reader@example.org"


@pytest.fixture(autouse=True)
def records(transactional_db: None) -> None:
    cache.clear()
    make_cluster(name="bioPmed", slug="biopmed", country="IT")
    make_topic(name_en="Health", name_it="Salute", slug="health")


@pytest.fixture
def without_script(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(java_script_enabled=False, viewport={"width": 360, "height": 800})
    yield context
    context.close()


def link_of_mail(words: str, server: LiveServer) -> str:
    lines = sent_mails()[-1].body.splitlines()
    found = next(line for line in lines if words in line)
    return found.replace("http://testserver", server.url)


def publish_and_send() -> None:
    """An announcement of now, and a run on the next Monday."""
    now = timezone.now()
    make_announcement(title="bioPmed obtains the Gold Label", published_at=now)
    day = timezone.localdate() + timedelta(days=7 - now.weekday())
    monday = datetime.combine(day, time(7), tzinfo=timezone.get_default_timezone())
    with time_machine.travel(monday):
        call_command("send_digests", stdout=StringIO())


@pytest.mark.usefixtures("unhurried")
def test_subscriber_signs_up_reads_and_stops_without_script(
    live_server: LiveServer, without_script: BrowserContext
) -> None:
    page = without_script.new_page()
    page.goto(f"{live_server.url}/en/follow/?cluster=biopmed")
    page.get_by_role("link", name="Choose and sign up").click()
    expect(page.get_by_label("Clusters")).to_have_value("bioPmed")
    page.get_by_label("Clusters").fill("")
    page.get_by_label("Your e-mail address").fill(ADDRESS)
    page.get_by_label("Changes of labels").uncheck()
    page.get_by_role("button", name="Send me the link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Look into your mail")

    page.goto(link_of_mail("/confirm/", live_server))
    page.get_by_role("button", name="Yes, send me the news").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("You follow the news by mail")
    page.get_by_role("link", name="Change it or stop").click()
    page.get_by_label("Health").check()
    page.get_by_label("Health").uncheck()
    page.get_by_role("button", name="Save the choice").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Your choice is saved")
    assert Subscription.objects.get().kinds == ["news", "event", "call"]

    publish_and_send()
    [*_others, digest] = sent_mails()
    assert "bioPmed obtains the Gold Label" in digest.body
    page.goto(link_of_mail("/stop/", live_server))
    assert Subscription.objects.exists()
    page.get_by_role("button", name="Yes, stop all mails").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("No more mails")
    assert not Subscription.objects.exists()
    assert without_script.cookies() == []


@pytest.mark.parametrize(("language", "width"), [("en", 1280), ("it", 360)])
def test_pages_are_accessible(
    live_server: LiveServer, page: Page, language: str, width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    reports: list[str] = []
    page.on("console", lambda message: reports.append(message.text))
    make_subscription(address=ADDRESS, language=language)
    waiting = make_subscription(confirmed_at=None, told_at=None, language=language)
    publish_and_send()
    manage = link_of_mail("/follow/mail/", live_server).removesuffix("stop/")
    form = f"{live_server.url}/{language}/follow/mail/"

    for address in (form, f"{form}?sent", manage, f"{manage}?saved", f"{manage}stop/"):
        page.goto(address)
        assert faults(page) == [], address
    page.goto(confirm_url(waiting).replace("http://testserver", live_server.url))
    assert faults(page) == []
    page.goto(form)
    page.locator("#id_address").fill(ADDRESS)
    page.locator("#id_clusters").fill("Nonesuch")
    page.locator("#open-form button").click()
    expect(page.get_by_role("alert")).to_be_visible()
    assert faults(page) == []

    assert (page.context.cookies(), [text for text in reports if "400" not in text]) == ([], [])
