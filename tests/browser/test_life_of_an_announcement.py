"""An announcement from its first word to its withdrawal, by three people and a reader."""

from collections.abc import Callable
from datetime import datetime, time, timedelta
from io import StringIO
from urllib.parse import urlsplit

import pypdfium2
import pytest
import time_machine
from django.core.cache import cache
from django.core.management import call_command
from django.utils import timezone
from playwright.sync_api import BrowserContext, Locator, Page, expect
from pytest_django.live_server_helper import LiveServer

from clusters.formats.documents import library
from clusters.models import Account, Role, TeamRole
from news.models import Announcement, AnnouncementState
from tests.browser.test_unsaved import sign_in
from tests.factories import (
    make_account,
    make_cluster,
    make_label,
    make_management,
    make_organisation,
    make_team_member,
)
from tests.mails import sent_mails

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.ignore_template_errors,
    pytest.mark.skipif(library() is None, reason="there is no pango on this machine"),
]

ITALIAN = {
    "title": "bioPmed ottiene il Gold Label",
    "lead": "Il cluster piemontese della salute.",
    "body": "- 31 indicatori\n- una commissione internazionale",
}
ENGLISH = {
    "title": "bioPmed obtains the Gold Label",
    "lead": "The cluster for health of Piemonte.",
    "body": "- 31 indicators\n- an international commission",
}
Enter = Callable[[Account], Page]


@pytest.fixture
def enter(new_context: Callable[..., BrowserContext], live_server: LiveServer) -> Enter:
    """A page of one more person."""

    def enter(account: Account) -> Page:
        context = new_context(viewport={"width": 1400, "height": 900})
        sign_in(context, live_server, account)
        return context.new_page()

    return enter


@pytest.fixture
def writer(transactional_db: None) -> Account:
    """Of the team that manages bioPmed, which holds a Gold."""
    cache.clear()
    park, cluster = make_organisation(name="Park"), make_cluster(name="bioPmed", slug="biopmed")
    make_management(cluster=cluster, organisation=park, started_on="2010")
    make_label(cluster=cluster, level="gold", assessed_on="2015-07")
    return make_team_member(organisation=park, role=TeamRole.EDITOR).account


def follow(control: Locator) -> None:
    """Press what leads on, and wait for the page to which it leads."""
    with control.page.expect_navigation():
        control.click()


def write(page: Page, language: str, words: dict[str, str]) -> None:
    field = page.locator(f"input[name$='-language'][value='{language}']").get_attribute("name")
    prefix = str(field).removesuffix("language")
    for name, text in words.items():
        page.locator(f"#id_{prefix}{name}").fill(text)
    page.locator(f"#id_{prefix}state").select_option("ready")


def choose(page: Page, field: str, words: str) -> None:
    page.locator(f".field-{field} .select2-selection").click()
    page.locator(f".field-{field} .select2-search__field").fill(words)
    page.locator(".select2-results__option", has_text=words).first.click()


def save(page: Page) -> None:
    follow(page.locator("input[name=_continue]").first)
    expect(page.locator(".messagelist .success")).to_be_visible()


def take(page: Page, step: str, told: str, **fields: str) -> None:
    follow(page.get_by_role("link", name=step, exact=True))
    for name, text in fields.items():
        page.locator(f"#id_{name}").fill(text)
    follow(page.locator(".submit-row input[type=submit]"))
    expect(page.locator(".messagelist .success")).to_contain_text(told)


def open_in_review(page: Page, server: LiveServer) -> None:
    page.goto(f"{server.url}/admin/news/announcement/?attention=review")
    follow(page.locator("#result_list tbody a").first)


def status(page: Page, address: str) -> int:
    response = page.goto(address)
    assert response
    return response.status


def saved_as_pdf(page: Page, server: LiveServer) -> str:
    """What the document behind the button says, its lines and spaces as one space each."""
    address = page.get_by_role("link", name="PDF", exact=True).get_attribute("href")
    response = page.request.get(f"{server.url}{address}")
    assert response.headers["content-type"] == "application/pdf"
    sheets = pypdfium2.PdfDocument(response.body())
    return " ".join(" ".join(one.get_textpage().get_text_range() for one in sheets).split())


def coming_monday() -> datetime:
    """On which digests are sent, of what was published before that day; a week ahead or more."""
    today = timezone.localdate()
    monday = today + timedelta(days=14 - today.weekday())
    return datetime.combine(monday, time(7), tzinfo=timezone.get_default_timezone())


@pytest.mark.usefixtures("unhurried")
def test_announcement_goes_from_draft_to_withdrawal(
    enter: Enter, writer: Account, live_server: LiveServer, page: Page
) -> None:
    reader, lead = make_account(Role.EDITOR), make_account(Role.LEAD)
    desk = enter(writer)

    # Written in Italian, then translated, by the team.
    desk.goto(f"{live_server.url}/admin/news/announcement/add/")
    write(desk, "it", ITALIAN)
    choose(desk, "clusters", "bioPmed")
    save(desk)
    write(desk, "en", ENGLISH)
    save(desk)
    take(desk, "Submit for review", "Submitted for review.")
    announcement = Announcement.objects.get()
    assert announcement.state == AnnouncementState.IN_REVIEW

    # Read by the secretariat, which comments and sends it back.
    office = enter(reader)
    open_in_review(office, live_server)
    take(office, "Comment", "Your comment", text="Which commission?")
    take(office, "Send back", "Sent back.", text="Name the day.")

    # Corrected by the team, approved by the secretariat, scheduled by a lead.
    screen = f"{live_server.url}/admin/news/announcement/{announcement.pk}/change/"
    desk.goto(screen)
    expect(desk.locator("#comments-group")).to_contain_text("Name the day.")
    write(desk, "en", {"lead": "On 8 September 2015, for health in Piemonte."})
    save(desk)
    take(desk, "Submit for review", "Submitted for review.")
    open_in_review(office, live_server)
    take(office, "Approve", "Approved.")
    monday = coming_monday()
    the_evening_before = monday - timedelta(hours=13)
    boss = enter(lead)
    boss.goto(screen)
    take(boss, "Publish", "Scheduled.", at=the_evening_before.strftime("%Y-%m-%dT%H:%M"))
    expect(boss.locator(".mark.is-scheduled")).to_be_visible()

    # A reader follows the news, before there is any.
    page.goto(f"{live_server.url}/it/follow/mail/")
    page.locator("#id_address").fill("reader@example.org")
    follow(page.locator("#open-form button"))
    link = next(one for one in sent_mails()[-1].body.splitlines() if "/confirm/" in one)
    page.goto(link.replace("http://testserver", live_server.url))
    follow(page.locator("main form button"))

    year = the_evening_before.year
    public = f"{live_server.url}/it/news/{year}/biopmed-ottiene-il-gold-label/"
    assert status(page, public) == 404
    with time_machine.travel(monday):
        assert status(page, public) == 200
        expect(page.locator("h1")).to_have_text(ITALIAN["title"])
        expect(page.locator("main")).to_contain_text("Gold")
        page.emulate_media(media="print")
        expect(page.locator("article")).to_contain_text("una commissione internazionale")
        expect(page.get_by_role("button", name="Stampa")).to_be_hidden()
        page.emulate_media(media="screen")
        words = saved_as_pdf(page, live_server)
        assert ITALIAN["title"] in words
        assert "una commissione internazionale" in words

        call_command("send_digests", stdout=StringIO())
        digest = sent_mails()[-1]
        assert digest.to == ["reader@example.org"]
        assert ITALIAN["title"] in digest.body
        link = next(one for one in digest.body.splitlines() if one.endswith(urlsplit(public).path))
        assert status(page, link.replace("http://testserver", live_server.url)) == 200

        boss = enter(lead)
        boss.goto(screen)
        take(boss, "Withdraw", "Withdrawn.", reason="The day was wrong.")
        assert status(page, public) == 410
        expect(page.locator("main")).to_contain_text("The day was wrong.")
        expect(page.locator("main")).not_to_contain_text(ITALIAN["lead"])
        assert status(page, f"{live_server.url}/it/news/") == 200
        expect(page.locator("main")).not_to_contain_text(ITALIAN["title"])
