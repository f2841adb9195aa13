"""The secretariat at work: what it creates appears, what it unpublishes is gone."""

import re
from collections.abc import Iterator

import pytest
from django.test import Client
from django.utils import timezone
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, expect
from pytest_django.live_server_helper import LiveServer

from clusters.models import Account, Cluster, Organisation
from labels.models import Decision
from news.models import Announcement
from tests.browser.looks import NARROW, is_wide
from tests.factories import approve, make_cluster

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.ignore_template_errors,
]


@pytest.fixture
def desk(context: BrowserContext, live_server: LiveServer) -> Iterator[Page]:
    """A page of the secretariat, signed in; afterwards nothing was blocked or broken."""
    client = Client()
    client.force_login(Account.objects.create_superuser("secretariat@example.org"))
    context.add_cookies(
        [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}]
    )
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "console",
        lambda message: complaints.append(message.text) if is_complaint(message) else None,
    )
    yield page
    assert complaints == []


def is_complaint(message: ConsoleMessage) -> bool:
    is_answer = re.search(r"404 \(Not Found\)|410 \(Gone\)", message.text)
    return message.type == "error" and not is_answer


def choose(page: Page, field: str, text: str) -> None:
    """Pick a row in an autocomplete field."""
    page.click(f"#id_{field} + .select2-container")
    page.locator(".select2-container--open .select2-search__field").last.fill(text)
    page.click(f".select2-results__option:has-text('{text}'):not(.loading-results)")


def save(page: Page) -> None:
    page.locator("input[name=_save]").first.click()
    expect(page.locator(".messagelist .success")).to_be_visible()


def unpublish(page: Page, address: str) -> None:
    """By the action of the list, on its only row."""
    page.goto(address)
    page.check("#result_list tbody .action-select")
    page.select_option("select[name=action]", "unpublish")
    page.click("button[name=index]")
    expect(page.locator(".messagelist .success")).to_have_text("1 row was unpublished.")


def status(page: Page, address: str) -> int:
    response = page.goto(address)
    assert response
    return response.status


def test_cluster_is_created_edited_and_unpublished(desk: Page, live_server: LiveServer) -> None:
    desk.goto(f"{live_server}/admin/clusters/cluster/add/")
    desk.type("#id_name", "Alpine Timber")
    expect(desk.locator("#id_slug")).to_have_value("alpine-timber")
    desk.select_option("#id_country", "IT")
    choose(desk, "region", "Piemonte")
    desk.fill("#id_founded_on", "2009-03")
    desk.fill("#id_texts-0-tagline", "Wood from the mountains")
    desk.check("#id_is_published")
    save(desk)
    public = f"{live_server}/en/clusters/alpine-timber/"
    assert status(desk, public) == 200
    expect(desk.locator("h1")).to_have_text("Alpine Timber")
    expect(desk.locator("main")).to_contain_text("Wood from the mountains")

    cluster = Cluster.objects.get()
    desk.goto(f"{live_server}/admin/clusters/cluster/{cluster.pk}/change/")
    desk.fill("#id_texts-0-tagline", "Timber from the Alps")
    save(desk)
    desk.goto(public)
    expect(desk.locator("main")).to_contain_text("Timber from the Alps")

    unpublish(desk, f"{live_server}/admin/clusters/cluster/")
    assert status(desk, public) == 404


def test_organisation_is_created_edited_and_unpublished(
    desk: Page, live_server: LiveServer
) -> None:
    desk.goto(f"{live_server}/admin/clusters/organisation/add/")
    desk.type("#id_name", "Science Park")
    desk.select_option("#id_kind", "science_park")
    desk.check("#id_is_published")
    save(desk)
    public = f"{live_server}/en/organisations/science-park/"
    assert status(desk, public) == 200
    expect(desk.locator("h1")).to_have_text("Science Park")

    organisation = Organisation.objects.get()
    desk.goto(f"{live_server}/admin/clusters/organisation/{organisation.pk}/change/")
    desk.fill("#id_town", "Colleretto Giacosa")
    save(desk)
    desk.goto(public)
    expect(desk.locator("main")).to_contain_text("Colleretto Giacosa")

    unpublish(desk, f"{live_server}/admin/clusters/organisation/")
    assert status(desk, public) == 404


def test_label_is_proposed_from_its_cluster_and_corrected(
    desk: Page, live_server: LiveServer
) -> None:
    cluster = make_cluster(name="bioPmed", slug="biopmed")
    desk.goto(f"{live_server}/admin/clusters/cluster/{cluster.pk}/change/")
    desk.click("a:has-text('Propose an award')")
    desk.select_option("#id_level", "gold")
    desk.fill("#id_assessed_on", "2015-07")
    desk.fill("#id_valid_until", "2014")
    desk.check("#id_is_recorded")
    desk.fill("#id_source", "A list of 2015.")
    desk.fill("#id_reason", "The list names it.")
    desk.click("input[name=_save]")
    expect(desk.locator(".field-valid_until .errorlist")).to_contain_text("before the start")
    desk.fill("#id_valid_until", "")
    save(desk)
    decision = Decision.objects.get()
    lead = Account.objects.create_user("lead@example.org")
    approve(decision, by=lead, now=timezone.now())
    label = decision.label
    public = f"{live_server}/en/labels/{label.public_id}/"
    assert status(desk, public) == 200
    expect(desk.locator("main")).to_contain_text("31 July 2017")

    desk.goto(f"{live_server}/admin/labels/label/{label.pk}/change/")
    desk.fill("#id_valid_until", "2017-06-15")
    desk.click("input[name=_save]")
    expect(desk.locator(".field-reason .errorlist")).to_have_text("Give the reason.")
    desk.fill("#id_reason", "The certificate says so.")
    save(desk)
    approve(Decision.objects.waiting().get(), by=lead, now=timezone.now())
    desk.goto(public)
    expect(desk.locator("main")).to_contain_text("15 June 2017")

    desk.goto(f"{live_server}/admin/labels/label/{label.pk}/change/")
    desk.uncheck("#id_is_published")
    desk.fill("#id_reason", "Another label was meant.")
    save(desk)
    assert status(desk, public) == 200
    approve(Decision.objects.waiting().get(), by=lead, now=timezone.now())
    assert status(desk, public) == 404


def test_announcement_is_created_published_edited_and_withdrawn(
    desk: Page, live_server: LiveServer
) -> None:
    make_cluster(name="bioPmed", slug="biopmed")
    desk.goto(f"{live_server}/admin/news/announcement/add/")
    choose(desk, "clusters", "bioPmed")
    desk.type("#id_texts-0-title", "A Gold for bioPmed")
    expect(desk.locator("#id_texts-0-slug")).to_have_value("a-gold-for-biopmed")
    desk.fill("#id_texts-0-body", "The label was **awarded**.")
    desk.select_option("#id_texts-0-state", "ready")
    save(desk)
    announcement = Announcement.objects.get()
    screen = f"{live_server}/admin/news/announcement/{announcement.pk}/change/"
    take_step(desk, screen, "Publish", at="2015-09-08T14:38")
    public = f"{live_server}/en/news/2015/a-gold-for-biopmed/"
    assert status(desk, public) == 200
    expect(desk.locator("h1")).to_have_text("A Gold for bioPmed")

    desk.goto(screen)
    desk.get_by_role("button", name="Preview").first.click()
    preview = desk.frame_locator("#texts-0-preview")
    expect(preview.locator(".prose strong")).to_have_text("awarded")
    desk.fill("#id_texts-0-body", "The label was *announced*.")
    save(desk)
    desk.goto(public)
    expect(desk.locator("main em")).to_have_text("announced")

    take_step(desk, screen, "Withdraw", reason="The level was another.")
    assert status(desk, public) == 410
    expect(desk.locator("main")).to_contain_text("The level was another.")
    expect(desk.locator("main")).not_to_contain_text("bioPmed")


def take_step(page: Page, screen: str, title: str, **fields: str) -> None:
    page.goto(screen)
    page.get_by_role("link", name=title, exact=True).click()
    for name, value in fields.items():
        page.fill(f"#id_{name}", value)
    page.locator("input[type=submit].default").click()
    expect(page.locator(".messagelist .success")).to_be_visible()


PAGES = (
    "",
    "clusters/cluster/",
    "clusters/cluster/add/",
    "labels/label/add/",
    "news/announcement/add/",
)


def test_page_fits_a_narrow_screen(desk: Page, live_server: LiveServer) -> None:
    make_cluster()
    desk.set_viewport_size({"width": NARROW, "height": 740})
    wide = []

    for path in PAGES:
        desk.goto(f"{live_server}/admin/{path}")
        if is_wide(desk):
            wide.append(path)

    assert wide == []
