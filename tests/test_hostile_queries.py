"""Requests that nobody means well, at every address outside admin and to every form there.

The addresses come from the URLconf, the forms from the pages. HOSTILE=250000 asks so many and tells
on the way how it goes (`pytest -s`); by default fewer, as each takes its time on two engines.
"""

import logging
import os
import random
import re
import time
import traceback
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any
from urllib.parse import quote

import pytest
from allauth.account.utils import user_pk_to_url_str
from django.contrib.admindocs.views import extract_views_from_urlpatterns, simplify_regex
from django.contrib.auth.tokens import default_token_generator
from django.core.management import call_command
from django.db import connection, transaction
from django.test import Client
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart
from django.urls import get_resolver
from django.utils import timezone

from clusters.mail.outbox import outbox_state
from clusters.models import (
    Cluster,
    ConfirmationRequest,
    Invitation,
    Organisation,
    Programme,
    Role,
    TeamRole,
)
from clusters.people.confirmation import make_token
from labels.models import Label, Notice
from labels.notices.addressees import addressees_of
from labels.notices.mails import token_of
from news.models import Announcement
from tests.factories import make_account, make_team_member
from tests.pages import Form, Page
from tests.permissions.world import build

IS_LONG = "HOSTILE" in os.environ
NUMBER = int(os.environ.get("HOSTILE", "400"))
TOLD_EVERY = 1000
RECORDS = 6  # of each kind: whoever means no good finds few as well as many

NAMES = (  # noqa: SIM905
    "q country region portfolio level state on programme meets manager founded_from founded_to "
    "members_from members_to near within confirmed provisional sort after before page c view lang "
    "limit for box since year format lines next kind country[] level[0][x] __proto__ q[$ne]"
).split()
TEXTS = (
    "",
    " ",
    "0",
    "-1",
    "1e309",
    "NaN",
    "9" * 400,
    "²",
    "٣",
    "2015-02-30",
    "0000-00-00",
    "9999-12-31",
    "2100-12-31",
    "1900-01-01",
    "IT",
    "gold",
    "yes",
    "Torino",
    "' OR 1=1 --",
    '"unclosed',
    '""""',
    "NEAR(a b)",
    "names:*",
    "a AND",
    "(((",
    "*",
    "%",
    "_",
    "\\",
    "a:b & !c | <->",
    "<script>alert(1)</script>",
    "../../etc/passwd",
    "{{7*7}}",
    "${7*7}",
    "A" * 5000,
    "é" * 300,
    "\u202e",
    "\U0001f600",
    "ﷺ" * 50,
    "\u0130\u0131ß",
    "a\tb\r\nc",
)
# Refused before any view is asked, so not in every request.
UNREADABLE = ("\x00", "\x1b", "a\x7fb")
RAW = ("%", "%zz", "%ff", "%c3%28", "%ed%a0%80", "%00", "+", "=", "&&&", ";", "#", "%25%32%35")
DOCUMENTS = (
    "",
    "null",
    "[]",
    "{",
    '{"lines": null}',
    '{"lines": 1}',
    '{"lines": ["x", 1, null, {"a": []}]}',
    '{"lines": "\\ud800"}',
    '{"lines": ["\\u0000"]}',
    '{"lines": NaN}',
    '{"lines": 1e999}',
    '{"lines": ' + "9" * 5000 + "}",
    "[" * 5000,
    '"' + "A" * 5000,
)
TYPES = (
    "application/x-www-form-urlencoded",
    "application/json",
    "text/plain",
    "text/csv",
    "multipart/form-data",
    "multipart/form-data; boundary=",
    "multipart/form-data; boundary=" + "x" * 300,
    "application/json; charset=utf-7",
    "text/html; charset=nonesuch",
    "",
    "x",
)
HEADERS = {
    "Accept": ("*/*", "text/html;q=x", "application/json", ",,,", "a/b" * 500),
    "Accept-Language": ("it", "it;q=0", "*", "x" * 300, "en-;q=,", "٣"),
    "If-None-Match": ("*", '"x"', 'W/"x"', '"', "x" * 900),
    "If-Modified-Since": ("Thu, 01 Jan 1970 00:00:00 GMT", "Thu, 99 Jan 9999 99:99:99 GMT", "x"),
    "Range": ("bytes=0-1", "bytes=-1", "bytes=9-1", "bytes=0-0,1-1", "x=1"),
    "Cookie": ("sessionid=x; csrftoken=", "sessionid=" + "x" * 900, "a=b=c;;=", "x"),
    "Host": ("testserver", "evil.example", "testserver:99999", "[::1", "a b"),
    "Origin": ("null", "https://evil.example", "x"),
    "X-Forwarded-For": ("1.2.3.4", "x", "::1%eth0", ",,"),
    "X-HTTP-Method-Override": ("DELETE",),
}
METHODS = ("HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND", "POST")
SIGNS_OUT = re.compile("/account/logout/")

Known = dict[tuple[str, str], list[str]]


def every_address() -> list[str]:
    """Outside admin, with the parts that vary in angle brackets."""
    patterns: list[Any] = [
        pattern
        for urlconf in ("config.urls", "config.api.urls")
        for pattern in extract_views_from_urlpatterns(get_resolver(urlconf).url_patterns)
    ]
    addresses = {simplify_regex(route) for _view, route, _namespace, _name in patterns}
    return sorted(address for address in addresses if not address.startswith("/admin/"))


def known_parts() -> Known:
    """What each address takes, by the first word of its path."""
    now, today = timezone.now(), timezone.localdate()
    rows: Any
    known: Known = {
        ("media", "path"): [name for name in Cluster.objects.values_list("logo", flat=True) if name]
    }
    for name, rows in (
        ("clusters", Cluster.objects.published()),
        ("organisations", Organisation.objects.published()),
        ("programmes", Programme.objects.published()),
        ("labels", Label.objects.published()),
        ("announcements", Announcement.objects.published(now)),
    ):
        for row in rows.order_by("pk")[:RECORDS]:
            known.setdefault((name, "public_id"), []).append(row.public_id)
            known.setdefault((name, "id"), []).append(row.public_id)
            if hasattr(row, "slug"):
                known.setdefault((name, "slug"), []).append(row.slug)
    announcement = Announcement.objects.published(now)[0]
    member = make_team_member(account=make_account(Role.LEAD))
    invitation = Invitation.objects.create(
        email="new@example.org",
        organisation=member.organisation,
        team_role=TeamRole.EDITOR,
        expires_at=now + timedelta(days=1),
    )
    asked = ConfirmationRequest.objects.create(
        organisation=member.organisation, due_on=today, asked_at=now
    )
    addressees = addressees_of(Label.objects.published().select_related("cluster"), today)
    label, (addressee, *_others) = next(pair for pair in addressees.items() if pair[1])
    notice = Notice.objects.create(label_id=label, kind="end", due_on=today)
    return known | {
        ("news", "year"): [str(announcement.year)],
        ("news", "slug"): [announcement.texts.all()[0].slug],
        ("invitations", "token"): [invitation.get_absolute_url().split("/")[-2]],
        ("confirm", "token"): [make_token(asked, day=today)],
        ("notices", "token"): [token_of(notice, addressee, today + timedelta(days=9))],
        ("account", "uidb36"): [user_pk_to_url_str(member.account)],
        ("account", "key"): [default_token_generator.make_token(member.account)],
        ("account", "pk"): ["1"],
        ("account", "slug"): [member.organisation.slug],
        ("labels", "language"): ["en", "it"],
        ("labels", "purpose"): ["revocation", "suspension"],
    }


@dataclass
class Request:
    method: str
    path: str
    body: Any = b""
    content_type: str = "application/octet-stream"
    headers: dict[str, str] = field(default_factory=dict)
    is_signed_in: bool = False


class Hostile:
    """Requests drawn by chance; `addresses`, `known` and `forms` say what a fair one would be."""

    def __init__(self, addresses: list[str], known: Known, forms: list[tuple[str, Form]]) -> None:
        self.addresses, self.known, self.forms = addresses, known, forms
        self.draw = random.Random(5)  # noqa: S311

    def request(self) -> Request:
        is_sent = self.draw.random() < 0.3
        if is_sent:
            path, form = self.draw.choice(self.forms)
            made = Request("POST", path, *self.body(form))
        else:
            made = Request("GET", self.path(self.draw.choice(self.addresses)))
            if self.draw.random() < 0.1:
                made.method = self.draw.choice(METHODS)
                made.body, made.content_type = self.draw.choice(DOCUMENTS), "application/json"
        if self.draw.random() < (0.2 if is_sent else 0.7):
            made.path += f"?{self.query()}"
        for name, values in HEADERS.items():
            if self.draw.random() < 0.03:
                made.headers[name] = self.draw.choice(values)
        made.is_signed_in = "/account/" in path_of(made) and self.draw.random() < 0.6
        return made

    def path(self, address: str) -> str:
        if address.startswith("/en/") and self.draw.random() < 0.5:
            address = f"/it/{address.removeprefix('/en/')}"
        section = re.sub("^/(en|it|api/v1)/", "/", address).split("/")[1]
        return re.sub(r"<(?:\w+:)?(\w+)>", lambda found: self.part(section, found[1]), address)

    def part(self, section: str, name: str) -> str:
        fair = self.known.get((section, name)) or ["x"]
        chance = self.draw.random()
        if chance < 0.6:
            return quote(self.draw.choice(fair))
        if chance < 0.75:
            text = self.draw.choice(fair)
            place = self.draw.randrange(len(text) + 1)
            return quote(f"{text[:place]}{self.text()}{text[place:]}")
        if chance < 0.85:
            return self.draw.choice(RAW)
        return quote(self.text(), safe="")

    def query(self) -> str:
        """One to twelve parameters, some repeated, some encoded wrongly, some many times over."""
        pairs = []
        for _number in range(self.draw.randrange(1, 13)):
            name = self.draw.choice(NAMES) if self.draw.random() < 0.9 else self.text()
            value = self.draw.choice(RAW) if self.draw.random() < 0.03 else quote(self.text())
            pairs += [f"{quote(name)}={value}"] * self.draw.choice((1, 1, 1, 2, 150))
        return "&".join(pairs)

    def text(self) -> str:
        return self.draw.choice(UNREADABLE if self.draw.random() < 0.01 else TEXTS)

    def body(self, form: Form) -> tuple[Any, str]:
        chance = self.draw.random()
        if chance < 0.05:
            return self.draw.choice(DOCUMENTS), self.draw.choice(TYPES)
        fields: list[tuple[str, str]] = []
        for name, value in form.fields.items():
            kind = self.draw.random()
            if kind < 0.1:
                continue
            sent = value if kind < (0.7 if value else 0.2) else self.text()
            fields += [(name, sent)] * (2 if kind > 0.95 else 1)
        if self.draw.random() < 0.3:
            fields.append((self.draw.choice(NAMES), self.text()))
        if chance < 0.2:
            given: dict[str, Any] = defaultdict(list)
            for name, value in fields:
                given[re.sub(r'["\r\n]', "", name)].append(value)
            return encode_multipart(BOUNDARY, given), MULTIPART_CONTENT
        pairs = (
            f"{quote(name)}={self.draw.choice(RAW) if self.draw.random() < 0.05 else quote(value)}"
            for name, value in fields
        )
        return "&".join(pairs), TYPES[0]


def path_of(request: Request) -> str:
    return request.path.partition("?")[0]


def fair_part(known: Known, section: str, found: re.Match[str]) -> str:
    return (known.get((section, found[1])) or ["x"])[0]


def every_form(clients: dict[bool, Client], hostile: Hostile) -> list[tuple[str, Form]]:
    """With the address that it is sent to, of a fair visit to every address."""
    found: dict[tuple[str, ...], tuple[str, Form]] = {}
    for address in hostile.addresses:
        section = re.sub("^/(en|api/v1)/", "/", address).split("/")[1]
        path = re.sub(r"<(?:\w+:)?(\w+)>", partial(fair_part, hostile.known, section), address)
        for client in clients.values():
            response = client.get(path, follow=True)
            if "html" not in response.get("Content-Type", ""):
                content_of(response)  # to its end, which closes it
                continue
            path = response.request["PATH_INFO"]
            for form in Page(response.content.decode()).forms:
                target = form.action or path
                if form.method == "post" and not SIGNS_OUT.search(target):
                    found.setdefault((target, *form.fields), (target, form))
    document = Form("/api/v1/verify", "post", {"lines": "bioPmed", "on": "2020-01-01"})
    return [*found.values(), (document.action, document)]


@dataclass
class Tally:
    statuses: Counter[int] = field(default_factory=Counter)
    times: list[float] = field(default_factory=list)
    slowest: list[tuple[float, str]] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def add(self, request: Request, status: int, seconds: float) -> None:
        self.statuses[status] += 1
        self.times.append(seconds)
        about = f"{request.method} {request.path[:200]}"
        self.slowest = sorted([*self.slowest, (seconds, about)], reverse=True)[:5]

    def tell(self) -> None:
        failed = sum(number for status, number in self.statuses.items() if status >= 500)
        average = sum(self.times) / len(self.times)
        print(
            f"{connection.vendor}: {len(self.times)} requests, {failed} answered 5xx, "
            f"average {average * 1000:.1f} ms, slowest {self.slowest[0][0]:.2f} s, "
            f"{dict(sorted(self.statuses.items()))}",
            flush=True,
        )


def content_of(response: Any) -> bytes:
    return b"".join(response) if response.streaming else response.content


def answer(clients: dict[bool, Client], request: Request) -> tuple[int, str]:
    """The status, and what is wrong; whatever was written is taken back."""
    client = clients[request.is_signed_in]
    try:
        with transaction.atomic():
            response: Any = client.generic(
                request.method,
                request.path,
                request.body,
                content_type=request.content_type,
                headers=request.headers,
            )
            content = content_of(response)
            transaction.set_rollback(True)
    except Exception:
        return 599, traceback.format_exc(limit=-6)
    if response.status_code >= 500:
        trace = traceback.format_exception(*(response.exc_info or (None, None, None)))
        return response.status_code, "".join(trace[-6:])
    is_page = "html" in response.headers.get("Content-Type", "")
    return response.status_code, "markup" if is_page and b"<script>alert(1)" in content else ""


@pytest.fixture
def quiet() -> Iterator[None]:
    logging.disable()  # every refusal would be a line
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.django_db
@pytest.mark.usefixtures("quiet")
def test_no_request_breaks() -> None:
    build()
    known = known_parts()
    clients = {False: Client(), True: Client()}
    for client in clients.values():
        client.raise_request_exception = False
    clients[True].force_login(make_account(Role.LEAD))
    hostile = Hostile(every_address(), known, [])
    hostile.forms = every_form(clients, hostile)
    # Ten minutes later the portal would say that it is not ready: nobody sends its mails.
    call_command("send_mail", once=True)
    assert outbox_state(timezone.now()).oldest_due is None
    tally = Tally()

    for number in range(1, NUMBER + 1):
        request = hostile.request()
        begun = time.perf_counter()
        status, fault = answer(clients, request)
        tally.add(request, status, time.perf_counter() - begun)
        if fault:
            tally.wrong.append(f"{status} {request}\n{fault}")
            print(tally.wrong[-1], flush=True)
        if IS_LONG and number % TOLD_EVERY == 0:
            tally.tell()
            call_command("send_mail", once=True)
    if IS_LONG:
        tally.tell()
        print(*tally.slowest, *hostile.forms, sep="\n", flush=True)

    assert tally.wrong == []
