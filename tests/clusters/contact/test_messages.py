"""Writing to those behind a record, as a visitor without an account."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import Mock

import pytest
import time_machine
from django.core.cache import cache
from django.db import OperationalError, connection
from django.test import Client

from clusters import mail
from clusters.models import Cluster, Event, EventKind, ManagementRole
from tests.factories import make_announcement, make_cluster, make_management, make_organisation
from tests.mails import sent_mails

pytestmark = pytest.mark.django_db

CountQueries = Callable[..., int]

MOMENT = datetime(2026, 3, 1, 12, tzinfo=UTC)
LETTER = {
    "address": "reader@example.org",
    "subject": "A question",
    "message": "Good day.\r\nMay we visit?",
}
DESK = "desk@example.org"


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(MOMENT, tick=False) as traveller:
        cache.clear()
        yield traveller


def make_reachable_cluster(**fields: Any) -> Cluster:
    return make_cluster(name="bioPmed", slug="biopmed", contact_address=DESK, **fields)


CONTACT = "/en/clusters/biopmed/contact/"


def stamp_on(client: Client, path: str) -> str:
    found = re.search(r'name="stamp" value="([^"]+)"', client.get(path).content.decode())
    assert found
    return found[1]


def send(client: Client, clock: time_machine.Traveller, path: str = CONTACT, **changes: str) -> Any:
    """Open the page, read for five seconds, send."""
    stamp = stamp_on(client, path)
    clock.shift(5)
    return client.post(path, LETTER | {"stamp": stamp} | changes)


def text_of(response: Any) -> str:
    html = response.content.decode()
    main = html[html.index("<main") : html.index("</main>")]
    return " ".join(re.sub(r"<[^>]+>", " ", main).split())


# Passing on


def test_contact_is_passed_on_with_the_sender_as_its_answer_address(
    client: Client, clock: time_machine.Traveller
) -> None:
    make_reachable_cluster()

    response = send(client, clock)

    assert (response.status_code, response["Location"]) == (302, f"{CONTACT}?sent")
    [message] = sent_mails()
    assert message.to == [DESK]
    assert message.from_email == "secretariat@example.org"
    assert message.reply_to == ["reader@example.org"]
    assert message.subject == "Message through the Cluster Register: A question"
    assert "Good day.\nMay we visit?" in message.body
    assert "http://testserver/en/clusters/biopmed/" in message.body


def test_contact_is_in_the_language_of_the_page(
    client: Client, clock: time_machine.Traveller
) -> None:
    make_reachable_cluster()

    response = send(client, clock, "/it/clusters/biopmed/contact/")

    assert response["Location"] == "/it/clusters/biopmed/contact/?sent"
    assert "http://testserver/it/clusters/biopmed/" in sent_mails()[0].body


def test_contact_tells_that_it_was_sent(client: Client) -> None:
    make_reachable_cluster()

    assert "passes it on to bioPmed" in text_of(client.get(f"{CONTACT}?sent"))


@pytest.mark.parametrize("language", ["en", "it"])
def test_contact_sets_no_cookie_and_is_not_kept_by_caches(
    client: Client, clock: time_machine.Traveller, language: str
) -> None:
    make_reachable_cluster()
    path = f"/{language}/clusters/biopmed/contact/"

    shown, sent, refused = client.get(path), send(client, clock, path), client.post(path, LETTER)

    assert [response.status_code for response in (shown, sent, refused)] == [200, 302, 400]
    assert not client.cookies
    assert "no-store" in shown["Cache-Control"]


def test_contact_works_where_tokens_are_checked(clock: time_machine.Traveller) -> None:
    make_reachable_cluster()

    assert send(Client(enforce_csrf_checks=True), clock).status_code == 302


def test_contact_never_shows_the_address_of_the_recipient(
    client: Client, clock: time_machine.Traveller
) -> None:
    make_reachable_cluster()
    answers = [
        client.get("/en/clusters/biopmed/"),
        client.get(CONTACT),
        client.get(f"{CONTACT}?sent"),
        client.post(CONTACT, LETTER),
        send(client, clock),
    ]

    shown = [f"{dict(answer.headers)} {answer.content.decode()}" for answer in answers]

    assert [DESK in text for text in shown] == [False] * 5


def test_contact_keeps_nothing_readable(client: Client, clock: time_machine.Traveller) -> None:
    make_reachable_cluster()
    send(client, clock)

    with connection.cursor() as cursor:
        cursor.execute("SELECT cache_key, value FROM cache")
        stored = str(cursor.fetchall())

    assert stored != "[]"
    assert "example.org" not in stored
    assert "visit" not in stored


# What is refused


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("address", ""),
        ("address", "no address"),
        ("address", "reader@example.org\r\nBcc: all@example.org"),
        ("address", '"a b"@example.org'),
        ("address", "a@example.org, b@example.org"),
        ("subject", ""),
        ("message", "   "),
        ("message", "x" * 4001),
    ],
)
def test_contact_names_a_wrong_field_and_keeps_the_others(
    client: Client, clock: time_machine.Traveller, field: str, value: str
) -> None:
    make_reachable_cluster()

    response = send(client, clock, **{field: value})

    assert response.status_code == 400
    assert [len(found) for found in response.context["form"].errors.values()] == [1]
    assert list(response.context["form"].errors) == [field]
    assert f'href="#id_{field}"' in response.content.decode()
    kept = "A question" if field == "address" else "reader@example.org"
    assert kept in response.content.decode()
    assert sent_mails() == []


def test_contact_counts_a_line_break_as_one_character(
    client: Client, clock: time_machine.Traveller
) -> None:
    make_reachable_cluster()

    assert send(client, clock, message="x\r\n" * 1999 + "xx").status_code == 302


def test_line_break_in_the_subject_adds_no_header(
    client: Client, clock: time_machine.Traveller
) -> None:
    make_reachable_cluster()

    send(client, clock, subject="Hello\r\nBcc: all@example.org")

    [message] = sent_mails()
    assert message.subject == "Message through the Cluster Register: Hello Bcc: all@example.org"
    assert message.recipients() == [DESK]
    assert message.message()["Bcc"] is None


def test_markup_in_a_message_is_shown_as_typed(
    client: Client, clock: time_machine.Traveller
) -> None:
    make_reachable_cluster()

    send(client, clock, message="<script>alert(1)</script>")

    message: Any = sent_mails()[0]
    assert "&lt;script&gt;alert(1)" in message.alternatives[0][0]


def test_contact_of_a_machine_seems_sent_and_is_not(
    client: Client, clock: time_machine.Traveller
) -> None:
    make_reachable_cluster()

    response = send(client, clock, homepage="http://example.org")

    assert (response.status_code, response["Location"]) == (302, f"{CONTACT}?sent")
    assert sent_mails() == []


@pytest.mark.parametrize(
    ("wait", "status"),
    [
        pytest.param(timedelta(seconds=2.9), 400, id="before three seconds"),
        pytest.param(timedelta(seconds=3), 302, id="three seconds"),
        pytest.param(timedelta(hours=1), 302, id="an hour"),
        pytest.param(timedelta(hours=1, seconds=1), 400, id="after an hour"),
    ],
)
def test_contact_is_taken_between_three_seconds_and_an_hour(
    client: Client, clock: time_machine.Traveller, wait: timedelta, status: int
) -> None:
    make_reachable_cluster()
    stamp = stamp_on(client, CONTACT)
    clock.shift(wait)

    assert client.post(CONTACT, LETTER | {"stamp": stamp}).status_code == status


def test_contact_that_stood_open_too_long_is_sent_by_a_second_try(
    client: Client, clock: time_machine.Traveller
) -> None:
    make_reachable_cluster()
    stamp = stamp_on(client, CONTACT)
    clock.shift(timedelta(days=2))
    late = client.post(CONTACT, LETTER | {"stamp": stamp})
    clock.shift(5)

    again = client.post(CONTACT, LETTER | {"stamp": late.context["form"].stamp})

    assert "May we visit?" in late.content.decode()
    assert "open for more than an hour" in text_of(late)
    assert again.status_code == 302


@pytest.mark.parametrize("stamp", ["", "nonsense", "1.0:forged"])
def test_contact_with_a_stamp_of_its_own_making_is_refused(client: Client, stamp: str) -> None:
    make_reachable_cluster()

    assert client.post(CONTACT, LETTER | {"stamp": stamp}).status_code == 400


def test_contact_with_the_stamp_of_another_record_is_refused(
    client: Client, clock: time_machine.Traveller
) -> None:
    make_reachable_cluster()
    make_cluster(slug="other", contact_address="other@example.org")
    stamp = stamp_on(client, "/en/clusters/other/contact/")
    clock.shift(5)

    assert client.post(CONTACT, LETTER | {"stamp": stamp}).status_code == 400


def test_contact_with_the_stamp_for_another_recipient_is_refused(
    client: Client, clock: time_machine.Traveller
) -> None:
    cluster = make_reachable_cluster()
    stamp = stamp_on(client, CONTACT)
    clock.shift(5)
    Cluster.objects.filter(pk=cluster.pk).update(contact_address="other@example.org")

    response = client.post(CONTACT, LETTER | {"stamp": stamp})

    assert response.status_code == 400
    assert "May we visit?" in response.content.decode()
    assert response.context["form"].stamp != stamp


def test_contact_sent_twice_from_one_page_arrives_once(
    client: Client, clock: time_machine.Traveller
) -> None:
    make_reachable_cluster()
    stamp = stamp_on(client, CONTACT)
    clock.shift(5)

    answers = [client.post(CONTACT, LETTER | {"stamp": stamp}) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [302, 302]
    assert len(sent_mails()) == 1


def test_another_message_from_the_same_page_arrives_too(
    client: Client, clock: time_machine.Traveller
) -> None:
    make_reachable_cluster()
    stamp = stamp_on(client, CONTACT)
    clock.shift(5)

    for text in ("One.", "Two."):
        client.post(CONTACT, LETTER | {"stamp": stamp, "message": text})

    assert len(sent_mails()) == 2


# Limits


def statuses(
    client: Client,
    clock: time_machine.Traveller,
    number: int,
    *,
    address: str = "reader-{}@example.org",
    network: str = "192.0.2.{}",
    path: str = CONTACT,
) -> list[int]:
    stamp = stamp_on(client, path)
    clock.shift(5)
    return [
        client.post(
            path,
            LETTER | {"stamp": stamp, "message": f"{n}", "address": address.format(n)},
            REMOTE_ADDR=network.format(n),
        ).status_code
        for n in range(number)
    ]


def test_contact_from_one_network_has_a_limit(
    client: Client, clock: time_machine.Traveller
) -> None:
    answers = []
    for number in range(4):
        make_cluster(slug=f"c{number}", contact_address=f"desk{number}@example.org")
        path = f"/en/clusters/c{number}/contact/"
        answers += statuses(client, clock, 3, network="192.0.2.7", path=path)

    assert answers == [302] * 10 + [429] * 2


@pytest.mark.parametrize("network", ["192.0.2.7", "2001:db8:1:2::{}", "2001:db8:1:{}::1"])
def test_contact_from_one_network_to_one_recipient_has_a_smaller_limit(
    client: Client, clock: time_machine.Traveller, network: str
) -> None:
    make_reachable_cluster()

    assert statuses(client, clock, 4, network=network) == [302] * 3 + [429]


def test_few_networks_leave_a_recipient_to_all_others(
    client: Client, clock: time_machine.Traveller
) -> None:
    make_reachable_cluster()
    for number in range(5):
        statuses(client, clock, 20, network=f"198.51.100.{number}")

    assert statuses(client, clock, 5) == [302] * 5


def test_address_that_others_typed_is_refused_nothing(
    client: Client, clock: time_machine.Traveller
) -> None:
    make_reachable_cluster()

    assert statuses(client, clock, 20, address="Reader@example.org") == [302] * 20


def test_contact_to_one_recipient_has_a_limit(
    client: Client, clock: time_machine.Traveller
) -> None:
    make_reachable_cluster()

    assert statuses(client, clock, 22) == [302] * 20 + [429] * 2
    # Once, however many are refused.
    event = Event.objects.get()
    assert (event.kind, event.detail) == (EventKind.LIMIT_REACHED, CONTACT)


def test_recipient_of_two_records_has_one_limit(
    client: Client, clock: time_machine.Traveller
) -> None:
    make_reachable_cluster()
    make_cluster(slug="other", contact_address=DESK)
    statuses(client, clock, 20)

    other = "/en/clusters/other/contact/"

    assert statuses(client, clock, 1, path=other, network="198.51.100.1") == [429]


def test_contact_over_the_limit_says_when_to_try_again_and_keeps_the_text(
    client: Client, clock: time_machine.Traveller
) -> None:
    make_reachable_cluster()
    statuses(client, clock, 3, network="127.0.0.1")

    response = send(client, clock)

    assert (response.status_code, response["Retry-After"]) == (429, "3600")
    assert "wait an hour" in text_of(response)
    assert "May we visit?" in response.content.decode()
    clock.shift(timedelta(hours=1))
    assert send(client, clock).status_code == 302


# The database


def test_contact_sent_again_after_the_database_refused_it_is_no_double_click(
    client: Client, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_reachable_cluster()
    stamp = stamp_on(client, CONTACT)
    clock.shift(5)
    client.raise_request_exception = False
    with monkeypatch.context() as patch:
        patch.setattr(mail, "enqueue", Mock(side_effect=OperationalError))
        failed = client.post(CONTACT, LETTER | {"stamp": stamp})
    before = len(sent_mails())

    again = client.post(CONTACT, LETTER | {"stamp": stamp})

    assert (failed.status_code, before) == (503, 0)
    assert again.status_code == 302
    assert len(sent_mails()) == 1


# Who receives


def to(client: Client, clock: time_machine.Traveller, path: str) -> list[str]:
    send(client, clock, path)
    return [address for message in sent_mails() for address in message.to]


def test_contact_of_a_cluster_without_address_goes_to_who_leads_it_today(
    client: Client, clock: time_machine.Traveller
) -> None:
    cluster = make_cluster(slug="biopmed")
    for role, address, ended_on in (
        (ManagementRole.LEAD, "former@example.org", "2020"),
        (ManagementRole.LEAD, "lead@example.org", None),
        (ManagementRole.JOINT, "joint@example.org", None),
    ):
        organisation = make_organisation(role_address=address)
        make_management(
            cluster=cluster,
            organisation=organisation,
            role=role,
            started_on="2015" if ended_on else "2021",
            ended_on=ended_on,
        )

    assert to(client, clock, CONTACT) == ["lead@example.org"]


def test_contact_of_an_organisation_goes_to_its_role_address(
    client: Client, clock: time_machine.Traveller
) -> None:
    make_organisation(slug="park", role_address=DESK)

    assert to(client, clock, "/en/organisations/park/contact/") == [DESK]


@pytest.mark.parametrize(
    ("contact", "writer", "cluster", "expected"),
    [
        ("contact@example.org", "writer@example.org", DESK, "contact@example.org"),
        ("", "writer@example.org", DESK, "writer@example.org"),
        ("", "", DESK, DESK),
    ],
)
def test_contact_of_an_announcement_goes_to_the_nearest(
    client: Client,
    clock: time_machine.Traveller,
    contact: str,
    writer: str,
    cluster: str,
    expected: str,
) -> None:
    make_announcement(
        slug="gold",
        contact_organisation=make_organisation(role_address=contact),
        written_by=make_organisation(role_address=writer),
        clusters=[make_cluster(contact_address=cluster)],
    )

    assert to(client, clock, "/en/news/2015/gold/contact/") == [expected]


def test_contact_follows_an_old_address(client: Client, clock: time_machine.Traveller) -> None:
    cluster = make_reachable_cluster()
    cluster.slug = "new"
    cluster.save()

    assert to(client, clock, CONTACT) == [DESK]


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: make_cluster(slug="biopmed"), id="no address"),
        pytest.param(lambda: make_reachable_cluster(is_published=False), id="not published"),
        pytest.param(
            lambda: make_management(
                cluster=make_cluster(slug="biopmed"),
                organisation=make_organisation(role_address=DESK, is_published=False),
            ),
            id="manager not published",
        ),
    ],
)
def test_contact_is_not_found_where_nobody_would_receive_it(
    client: Client, make: Callable[[], object]
) -> None:
    make()

    assert client.get(CONTACT).status_code == 404
    assert client.post(CONTACT, LETTER).status_code == 404
    assert client.get(f"{CONTACT}?sent").status_code == 404


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"role_address": ""}, id="no address"),
        pytest.param({"role_address": DESK, "is_published": False}, id="not published"),
    ],
)
def test_contact_of_an_unreachable_organisation_is_not_found(
    client: Client, fields: dict[str, Any]
) -> None:
    make_organisation(slug="park", **fields)

    assert client.get("/en/organisations/park/contact/").status_code == 404


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({}, id="nobody"),
        pytest.param({"state": "draft", "reachable": True}, id="draft"),
        pytest.param(
            {"published_at": MOMENT + timedelta(days=1), "reachable": True}, id="not yet published"
        ),
    ],
)
def test_contact_of_an_unreachable_announcement_is_not_found(
    client: Client, fields: dict[str, Any]
) -> None:
    if fields.pop("reachable", False):
        fields = fields | {"contact_organisation": make_organisation(role_address=DESK)}
    announcement = make_announcement(slug="gold", **fields)

    path = f"/en/news/{announcement.year}/gold/contact/"

    assert client.get(path).status_code == 404


# Links on the records' pages


def links(client: Client, path: str) -> list[str]:
    html = client.get(path).content.decode()
    return sorted(set(re.findall(r'href="([^"]+/(?:contact|report)/)"', html)))


@pytest.mark.parametrize("language", ["en", "it"])
def test_page_leads_to_its_contact_where_somebody_receives_it(
    client: Client, language: str
) -> None:
    make_reachable_cluster()
    make_organisation(slug="park", role_address=DESK)
    make_announcement(slug="gold", contact_organisation=make_organisation(role_address=DESK))

    assert {
        path: links(client, f"/{language}/{path}/")
        for path in ("clusters/biopmed", "organisations/park")
    } == {
        path: [f"/{language}/{path}/contact/", f"/{language}/{path}/report/"]
        for path in ("clusters/biopmed", "organisations/park")
    }
    assert links(client, "/en/news/2015/gold/") == [
        "/en/news/2015/gold/contact/",
        "/en/news/2015/gold/report/",
    ]


def test_page_has_no_contact_where_nobody_receives_it(client: Client) -> None:
    make_cluster(slug="biopmed")
    make_organisation(slug="park")
    make_announcement(slug="gold")
    paths = ("/en/clusters/biopmed/", "/en/organisations/park/", "/en/news/2015/gold/")

    assert [links(client, path) for path in paths] == [[f"{path}report/"] for path in paths]


def test_address_that_was_opted_in_stands_beside_the_form(client: Client) -> None:
    make_reachable_cluster(is_contact_shown=True)

    html = client.get("/en/clusters/biopmed/").content.decode()

    assert f'href="mailto:{DESK}"' in html
    assert f'href="{CONTACT}"' in html


def test_contact_of_a_page_of_another_day_is_that_of_today(client: Client) -> None:
    cluster = make_cluster(slug="biopmed")
    organisation = make_organisation(role_address=DESK)
    make_management(cluster=cluster, organisation=organisation, started_on="2021")

    assert CONTACT in links(client, "/en/clusters/biopmed/?on=2015-09-08")


def test_announcement_takes_few_queries_to_find_whom_to_write_to(
    count_queries: CountQueries,
) -> None:
    def add(slug: str, number: int) -> None:
        make_announcement(
            slug=slug,
            contact_organisation=make_organisation(),
            written_by=make_organisation(),
            clusters=[make_management().cluster for _ in range(number)],
        )

    add("one", 1)
    add("three", 3)

    one, three = (count_queries(f"/en/news/2015/{slug}/", 15) for slug in ("one", "three"))
    assert one == three


def test_cluster_without_a_recipient_is_reached_through_its_web_site(client: Client) -> None:
    make_cluster(slug="biopmed", website="https://a.example")

    assert "through its web site" in client.get("/en/clusters/biopmed/").content.decode()
