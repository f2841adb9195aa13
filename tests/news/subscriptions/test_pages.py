"""Signing up, confirming, changing one's choice and stopping, as people and scanners do it."""

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from clusters.contact.forms import OpenForm
from clusters.models import Event, EventKind, Mail
from config.privacy.retention import purge
from news.models import FollowedKind, Subscription
from news.subscriptions.links import confirm_url, manage_url, stop_url
from tests.factories import hide, make_cluster, make_subscription, make_topic
from tests.mails import sent_mails
from tests.news.subscriptions.times import at, publish_at, run

pytestmark = pytest.mark.django_db

PAGE = "/en/follow/mail/"
NOW = at("09-08", "15:00")
ADDRESS = "reader@example.org"
HOST = "http://testserver"


@pytest.fixture(autouse=True)
def clock() -> Any:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


def fields(client: Client, page: str = PAGE, **given: Any) -> dict[str, Any]:
    """As of a page that was opened some seconds ago."""
    form = client.get(page).context["form"]
    stamp = {}
    if isinstance(form, OpenForm):
        form.now -= timedelta(seconds=10)
        stamp = {"address": ADDRESS, "stamp": form.stamp}
    filled = {name: form[name].value() for name in form.fields if form[name].value() is not None}
    return {**filled, **stamp, **given}


def sign_up(client: Client, page: str = PAGE, **given: Any) -> Any:
    return client.post(PAGE, fields(client, page, **given))


def link(number: int = -1) -> str:
    lines = sent_mails()[number].body.splitlines()
    found = next(line for line in lines if "/follow/mail/" in line)
    assert found.startswith(HOST)
    return found.removeprefix(HOST)


def path(url: str) -> str:
    return url.removeprefix(HOST)


# Signing up


def test_signing_up_takes_a_mail_and_a_click(client: Client) -> None:
    response = sign_up(client)

    assert response["Location"] == f"{PAGE}?sent"
    assert "Look into your mail" in client.get(response["Location"]).content.decode()
    row = Subscription.objects.get()
    assert (row.address, row.confirmed_at) == (ADDRESS, None)
    assert [message.to for message in sent_mails()] == [[ADDRESS]]
    assert not client.cookies

    shown = client.get(link())
    row.refresh_from_db()
    assert "Yes, send me the news" in shown.content.decode()
    assert row.confirmed_at is None

    done = client.post(link())
    row.refresh_from_db()
    assert done["Location"] == link()
    assert row.confirmed_at == row.told_at == NOW
    assert "Confirmed." in client.get(link()).content.decode()


def test_filters_of_the_list_are_carried_over(client: Client) -> None:
    topic, cluster = make_topic(), make_cluster(name="bioPmed", country="IT")
    query = f"?cluster={cluster.slug}&topic={topic.slug}&country=IT&kind=event&year=2015"

    page = client.get(f"/en/follow/{query}").content.decode()
    assert f"/en/follow/mail/{query}".replace("&", "&amp;") in page or "follow/mail/?" in page
    assert "years and months cannot be followed" in client.get(PAGE + query).content.decode()
    sign_up(client, PAGE + query)

    row = Subscription.objects.get()
    assert row.clusters == [cluster.public_id]
    assert (row.topics, row.countries, row.kinds) == ([topic.pk], ["IT"], ["event"])


def test_language_of_the_page_is_that_of_the_mails(client: Client) -> None:
    page = "/it/follow/mail/"

    client.post(page, fields(client, page))

    assert Subscription.objects.get().language == "it"
    assert link().startswith("/it/follow/mail/confirm/")


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        (" Reader@Example.ORG ", "reader@example.org"),
        ("reader@münchen.example", "reader@xn--mnchen-3ya.example"),
        ("reader+news@example.org", "reader+news@example.org"),
        ("reader@exam\u200bple.org", "reader@example.org"),
    ],
)
def test_address_is_stored_in_one_form(client: Client, typed: str, stored: str) -> None:
    sign_up(client, address=typed)

    assert Subscription.objects.get().address == stored
    assert sent_mails()[0].to == [stored]


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "reader",
        "a@b",
        "reader@example.org\r\nBcc: x@example.org",
        "reader@example.org, other@example.org",
        "“reader”@example.org",
        "réader@example.org",
        '"a b"@example.org',
        "<reader@example.org>",
        "reader\uff20example.org",
        "reader@[127.0.0.1]",
        "reader@-example.org",
        "\u202ereader@example.org",
        f"{'a' * 250}@example.org",
        f"a@{'é.' * 120}example.org",
        f"reader@{'a' * 64}.org",
        "reader@example.org\0",
    ],
)
def test_what_is_no_address_is_refused(client: Client, typed: str) -> None:
    response = sign_up(client, address=typed)

    assert response.status_code == 400
    assert response.context["form"].errors.keys() == {"address"}
    assert not Subscription.objects.exists()
    assert not Mail.objects.exists()


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("kinds", [], "Choose one at least."),
        ("kinds", ["drafts"], "drafts"),
        ("rhythm", "hourly", "hourly"),
        ("language", "de", "de"),
        ("countries", ["XX"], "XX"),
        ("topics", ["nonesuch"], "nonesuch"),
        ("clusters", "bioPmed\nNo such", "There is no cluster “No such”"),
        ("clusters", "Hidden", "There is no cluster “Hidden”"),
        ("clusters", "Twin", "Several clusters are called “Twin”"),
        ("clusters", "\n".join(f"Cluster {n}" for n in range(101)), "At most 100 clusters"),
        ("clusters", "<script>alert(1)</script>", "&lt;script&gt;alert(1)"),
    ],
)
def test_choice_that_is_none_is_refused_by_name(
    client: Client, name: str, value: Any, words: str
) -> None:
    make_cluster(name="bioPmed")
    hide(make_cluster(name="Hidden"))
    make_cluster(name="Twin")
    make_cluster(name="Twin")

    response = sign_up(client, **{name: value})

    assert response.status_code == 400
    assert words in response.content.decode()
    assert not Subscription.objects.exists()


def test_cluster_is_found_by_any_spelling_its_address_and_number(client: Client) -> None:
    first, second, third = (make_cluster(name=name) for name in ("bioPmed", "Polo ICT", "NODE"))

    sign_up(client, clusters=f" BIOPMED \n{second.slug}\n{third.public_id.lower()}\nbiopmed\n")

    assert Subscription.objects.get().clusters == [
        first.public_id, second.public_id, third.public_id,
    ]  # fmt: skip


# Known and unknown


def confirmed() -> Subscription:
    return make_subscription(address=ADDRESS)


def waiting() -> Subscription:
    return make_subscription(address=ADDRESS, confirmed_at=None, told_at=None)


@pytest.mark.parametrize("known", [confirmed, waiting])
def test_known_address_is_answered_as_an_unknown_one(client: Client, known: Any) -> None:
    def ask(address: str) -> tuple[Any, ...]:
        data = fields(client, address=address)
        with CaptureQueriesContext(connection) as queries:
            response = client.post(PAGE, data)
        counted = len([query for query in queries if "SAVEPOINT" not in query["sql"]])
        sent = client.get(response["Location"])
        return response.status_code, response["Location"], sent.content, counted

    make = known()
    *unknown, asked = ask("other@example.org")
    *answered, asked_of_known = ask(make.address)

    assert answered == unknown
    assert abs(asked - asked_of_known) <= 1
    assert sorted(message.to[0] for message in sent_mails()) == sorted(
        ["other@example.org", ADDRESS]
    )


def test_subscriber_who_signs_up_is_led_to_the_new_choice_and_nothing_changes(
    client: Client,
) -> None:
    row = make_subscription(address=ADDRESS, language="it", rhythm="monthly")
    cluster, topic = make_cluster(name="bioPmed"), make_topic()

    sign_up(client, clusters="bioPmed", topics=[topic.slug], kinds=["labels"], rhythm="at_once")
    row.refresh_from_db()
    assert (row.clusters, row.rhythm, row.language) == ([], "monthly", "it")

    shown = client.get(link())
    proposed = {name: shown.context["form"][name].value() for name in ("clusters", "rhythm")}
    assert proposed == {"clusters": cluster.public_id, "rhythm": "at_once"}
    row.refresh_from_db()
    assert row.rhythm == "monthly"
    client.post(urlsplit(link()).path, fields(client, link()))
    row.refresh_from_db()
    assert (row.clusters, row.topics) == ([cluster.public_id], [topic.pk])
    assert (row.kinds, row.rhythm) == (["labels"], "at_once")


def test_second_sign_up_before_the_click_takes_the_place_of_the_first(client: Client) -> None:
    sign_up(client, rhythm="monthly")
    first = link()
    sign_up(client, rhythm="at_once")

    client.post(first)

    row = Subscription.objects.get()
    assert (row.rhythm, row.confirmed_at) == ("at_once", NOW)


# Limits


def test_address_gets_three_mails_a_day_and_the_fourth_answer_is_the_same(client: Client) -> None:
    answers = []
    for number, kind in enumerate([*FollowedKind.values, ["news", "call"]]):
        network = f"192.0.2.{number}"
        answers.append(client.post(PAGE, fields(client, kinds=kind), REMOTE_ADDR=network))

    assert {(answer.status_code, answer["Location"]) for answer in answers} == {
        (302, f"{PAGE}?sent")
    }
    assert len(sent_mails()) == 3


def test_network_signs_up_few_addresses(client: Client) -> None:
    statuses = [
        sign_up(client, address=f"reader-{number}@example.org").status_code for number in range(12)
    ]

    assert statuses == [302] * 10 + [429] * 2
    assert Subscription.objects.count() == 10


def test_limit_of_an_address_is_in_the_log_without_it(client: Client) -> None:
    for number in range(25):
        data = fields(client, address=ADDRESS)
        client.post(PAGE, data, REMOTE_ADDR=f"198.51.{number}.1")

    events = Event.objects.filter(kind=EventKind.LIMIT_REACHED)
    assert [event.detail for event in events] == [PAGE]


def test_machine_that_fills_every_field_is_thanked(client: Client) -> None:
    response = sign_up(client, homepage="https://spam.example")

    assert response["Location"] == f"{PAGE}?sent"
    assert not Subscription.objects.exists()


# Links


def test_link_to_confirm_ends_after_three_days_and_purge_removes_the_row(
    client: Client, clock: Any
) -> None:
    sign_up(client)
    clock.move_to(NOW + timedelta(days=3) - timedelta(seconds=1))
    assert client.get(link()).status_code == 200
    purge(now=NOW + timedelta(days=3) - timedelta(seconds=1))
    kept = Subscription.objects.count()
    clock.move_to(NOW + timedelta(days=3, seconds=1))

    assert client.post(link()).status_code == 410
    assert not Subscription.objects.filter(confirmed_at__isnull=False).exists()
    assert kept == 1
    assert purge(now=NOW + timedelta(days=3))["news.subscription"] == 1
    assert not Subscription.objects.exists()


def test_purge_keeps_who_is_confirmed() -> None:
    make_subscription()

    purge(now=datetime(2030, 1, 1, tzinfo=NOW.tzinfo))

    assert Subscription.objects.count() == 1


def test_confirming_twice_keeps_the_first_moment(client: Client, clock: Any) -> None:
    sign_up(client)
    client.post(link())
    clock.move_to(NOW + timedelta(hours=1))

    client.post(link())

    assert Subscription.objects.get().confirmed_at == NOW


PAGES = [confirm_url, manage_url, stop_url]


@pytest.mark.parametrize("url_of", PAGES)
def test_scanner_that_opens_a_link_changes_nothing(client: Client, url_of: Any) -> None:
    row = make_subscription(address=ADDRESS)
    before = Subscription.objects.values().get()

    for _number in range(2):
        assert client.get(path(url_of(row))).status_code == 200
        assert client.head(path(url_of(row))).status_code == 200

    assert Subscription.objects.values().get() == before
    assert not client.cookies


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("url_of", PAGES)
def test_tampered_link_does_not_exist(client: Client, url_of: Any, method: str) -> None:
    row, other = make_subscription(), make_subscription()
    name, _at, rest = path(url_of(row)).partition(row.number.hex)
    forged = [
        f"{name}{other.number.hex}{rest}",
        f"{name}{row.number.hex}x{rest}",
        path(url_of(row)).swapcase().replace("/EN/FOLLOW/MAIL/", "/en/follow/mail/"),
        f"{name}{row.number.hex}/",
        f"{name}/{rest}",
        f"{name}%00{rest}",
        f"{name}{'a' * 1000}{rest}",
    ]

    assert {getattr(client, method)(address).status_code for address in forged} <= {400, 404}
    assert Subscription.objects.count() == 2


def test_link_to_confirm_manages_nothing_and_the_other_way_round(client: Client) -> None:
    row = make_subscription()
    token = path(confirm_url(row)).split("/")[-2]
    other = path(manage_url(row)).split("/")[-2]

    assert client.get(f"{PAGE}{token}/").status_code == 404
    assert client.post(f"{PAGE}{token}/stop/").status_code == 404
    assert client.post(f"{PAGE}confirm/{other}/").status_code == 404


def test_links_of_a_row_that_is_gone_have_ended(client: Client) -> None:
    row = make_subscription(address=ADDRESS)
    links = [path(url_of(row)) for url_of in PAGES]
    row.delete()
    make_subscription(address=ADDRESS)

    assert {client.get(address).status_code for address in links} == {410}
    assert Subscription.objects.count() == 1


# Choice, stopping


def test_own_choice_is_shown_and_changed(client: Client) -> None:
    topic, cluster = make_topic(), make_cluster(name="bioPmed", country="IT")
    row = make_subscription(
        clusters=[cluster.public_id], topics=[topic.pk], countries=["IT"], kinds=["labels"]
    )
    page = path(manage_url(row))
    shown = client.get(page)
    form = shown.context["form"]
    assert {name: form[name].value() for name in form.fields} == {
        "kinds": ["labels"],
        "rhythm": "weekly",
        "clusters": "bioPmed",
        "topics": [topic.slug],
        "countries": ["IT"],
        "language": "en",
    }
    assert row.address not in shown.content.decode()

    refused = client.post(page, {"rhythm": "monthly", "language": "it"})
    saved = client.post(page, {"rhythm": "monthly", "language": "it", "kinds": ["news", "event"]})

    assert refused.status_code == 400
    assert saved["Location"] == f"{page}?saved"
    assert "News, events" in client.get(saved["Location"]).content.decode()
    row.refresh_from_db()
    assert (row.rhythm, row.language, row.kinds) == ("monthly", "it", ["news", "event"])
    assert (row.clusters, row.topics, row.countries) == ([], [], [])


def test_cluster_that_is_hidden_now_is_not_named(client: Client) -> None:
    cluster = make_cluster(name="Hidden")
    row = make_subscription(clusters=[cluster.public_id])
    hide(cluster)

    pages = [client.get(path(url_of(row))).content.decode() for url_of in PAGES]

    assert not any("Hidden" in page or cluster.public_id in page for page in pages)


def test_clusters_of_one_name_stand_by_their_numbers(client: Client) -> None:
    twins = [make_cluster(name="Twin") for _number in range(2)]
    row = make_subscription(clusters=[twin.public_id for twin in twins])
    page = path(manage_url(row))

    client.post(page, fields(client, page))

    row.refresh_from_db()
    assert sorted(row.clusters) == sorted(twin.public_id for twin in twins)


def test_stopping_asks_first_and_is_no_error_twice(client: Client) -> None:
    row = make_subscription(rhythm="at_once", confirmed_at=at("09-08"), told_at=at("09-08"))
    publish_at(at("09-08", "13:00"))
    run(NOW)
    waits = Mail.objects.waiting().count()
    page = path(stop_url(row))

    assert "Yes, stop all mails" in client.get(page).content.decode()
    first, second = client.post(page), client.post(page)

    assert (waits, first.status_code, second.status_code) == (1, 200, 200)
    assert "No more mails" in second.content.decode()
    assert not Subscription.objects.exists()
    # Written before, and not sent any more.
    assert not Mail.objects.waiting().exists()


@pytest.mark.parametrize("name", ["confirm_subscription", "subscription", "unsubscribe"])
def test_pages_behind_a_link_are_kept_by_nobody(client: Client, name: str) -> None:
    row = make_subscription()
    url = {"confirm_subscription": confirm_url, "subscription": manage_url}.get(name, stop_url)(row)

    response = client.get(path(url))

    assert reverse(f"news:{name}", args=["x"]).removesuffix("x/") in url or "stop" in url
    assert "no-store" in response["Cache-Control"]
    assert 'content="noindex, nofollow"' in response.content.decode()


def test_link_of_a_known_address_holds_what_the_form_took_only(client: Client) -> None:
    """Nothing that a stranger types gets into a mail to a subscriber."""
    make_subscription(address=ADDRESS)
    make_cluster(name="bioPmed")

    sign_up(client, clusters="bio\u200bpmed", extra="typed")

    query = parse_qs(urlsplit(link()).query)
    assert "extra" not in query
    assert all("\u200b" not in value for values in query.values() for value in values)
