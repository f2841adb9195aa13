"""Everything that admin's pages lead to, as each role, and what a hand in the address makes of it.

CRAWL=20000 asks at most so many pages as each role, and every form in every way; by default fewer,
as each takes its time on two engines.
"""

import logging
import os
import random
from collections import defaultdict
from collections.abc import Iterator
from http.cookies import SimpleCookie
from itertools import cycle, islice
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, quote, urlencode, urljoin, urlsplit

import pytest
from django.contrib import admin
from django.db import connection, transaction
from django.test import Client, RequestFactory
from django.urls import Resolver404, resolve, reverse
from pytest_django import DjangoDbBlocker

from tests.admin_forms import form_data
from tests.pages import Page
from tests.permissions.world import World, build, watched

pytestmark = [pytest.mark.django_db, pytest.mark.ignore_template_errors]

IS_LONG = "CRAWL" in os.environ
PAGES = int(os.environ.get("CRAWL", "30"))
WAYS = None if IS_LONG else 1  # in which each form is sent
MAX_QUERIES = {"GET": 60, "POST": 200}  # a save checks and writes every part of its screen

ROLES = ("root", "lead", "secretariat", "owner", "expert", "policymaker", "auditor")

# Django's own and those of django-import-export and django-simple-history.
PARAMETERS = (  # noqa: SIM905
    "_facets _saveasnew _popup _to_field _changelist_filters e all p o q page index select_across "
    "action pk id id__in pk__exact from cluster label _selected_action app_label model_name "
    "field_name term format resource _export _continue _versions attention"
).split()
VALUES = ("", "True", "abc", "-1", "9" * 20, "1", "a'b", "2015-13-45")
BUTTONS = ("_saveasnew", "_continue", "_addanother", "_popup", "_to_field", "_save")
# How many rows a form says that it has, and had.
COUNTS = (
    {"TOTAL_FORMS": str(10**9)},
    {"TOTAL_FORMS": "9" * 20, "INITIAL_FORMS": "9" * 20},
    {"TOTAL_FORMS": "-1"},
    {"INITIAL_FORMS": "-1"},
    {"TOTAL_FORMS": "abc"},
    {"TOTAL_FORMS": "1", "INITIAL_FORMS": "5"},
    {"TOTAL_FORMS": "", "INITIAL_FORMS": ""},
    {"TOTAL_FORMS": None},
    {"INITIAL_FORMS": None},
)
# Written wherever a request leads: who is signed in, and the line of the log.
BESIDE = {"django_admin_log"}


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[World]:
    logging.disable()  # every refusal would be a line
    with django_db_blocker.unblock(), transaction.atomic():
        yield build()
        transaction.set_rollback(True)
    logging.disable(logging.NOTSET)


class Answer(NamedTuple):
    response: Any
    text: str
    queries: int
    written: set[str]


def ask(world: World, role: str, path: str, data: dict[str, Any] | None = None) -> Answer:
    """What was written is taken back, and an error of the engine ends with its request."""
    client: Client = world.clients[role]
    client.cookies = SimpleCookie(world.cookies[role])
    written: set[str] = set()
    queries = 0

    def count(execute: Any, *about: Any) -> Any:
        nonlocal queries
        queries += 1
        return execute(*about)

    with world.undone(), watched(written), connection.execute_wrapper(count):
        response: Any = client.get(path) if data is None else client.post(path, data)
        content = b"".join(response) if response.streaming else response.content
    return Answer(response, content.decode(errors="replace"), queries, written - BESIDE)


def fault(answer: Answer) -> str:
    if answer.response.status_code >= 500:
        error = getattr(answer.response, "exc_info", None)
        return f"{answer.response.status_code} {error and repr(error[1])[:200]}"
    most = MAX_QUERIES[answer.response.request["REQUEST_METHOD"]]
    return f"{answer.queries} queries" if answer.queries > most else ""


class Shape(NamedTuple):
    view: str
    parameters: frozenset[str]


def shape_of(path: str) -> Shape | None:
    parts = urlsplit(path)
    try:
        view = resolve(parts.path).view_name
    except Resolver404:
        return None
    return Shape(view, frozenset(name for name, _value in parse_qsl(parts.query, True)))


class Crawler:
    """As one role: each shape of an address once, the fair ones first, then mutated ones."""

    def __init__(self, world: World, role: str) -> None:
        self.world, self.role = world, role
        self.draw = random.Random(role)  # noqa: S311
        self.waiting = ["/admin/"]
        self.seen: set[Shape] = set()
        self.by_view: dict[str, list[str]] = defaultdict(list)
        self.parameters: dict[str, set[str]] = defaultdict(set)
        self.faults: list[str] = []

    def crawl(self, limit: int) -> list[str]:
        for _number in range(limit):
            if not self.waiting:
                break
            # By chance, so that a sample comes everywhere.
            place = 0 if IS_LONG else self.draw.randrange(len(self.waiting))
            self.visit(self.waiting.pop(place))
        for path in islice(self.mutations(), limit):
            found = fault(ask(self.world, self.role, path))
            if found:
                self.faults.append(f"{self.role} {path}: {found}")
        return self.faults

    def visit(self, path: str) -> None:
        answer = ask(self.world, self.role, path)
        found = fault(answer)
        if found:
            self.faults.append(f"{self.role} {path}: {found}")
        location = answer.response.get("Location")
        links = [location] if location else []
        is_page = "text/html" in answer.response.get("Content-Type", "")
        if is_page and path.startswith("/admin/"):
            page = Page(answer.text)
            view = resolve(urlsplit(path).path).view_name
            links += page.links
            for form in page.forms:
                if form.method == "get":
                    links.append(f"{form.action or urlsplit(path).path}?{urlencode(form.fields)}")
                elif view.endswith("_add"):
                    # A field takes its first value from the address.
                    self.parameters[view] |= {name for name in form.fields if "-" not in name}
        for link in links:
            self.add(urljoin(path, link))

    def add(self, path: str) -> None:
        parts = urlsplit(path)
        shape = shape_of(path) if parts.netloc in ("", "testserver") else None
        if shape is None or shape.view.endswith("logout"):
            return
        path = parts._replace(scheme="", netloc="", fragment="").geturl()
        if path.startswith("/admin/"):
            self.parameters[shape.view] |= shape.parameters
            if path not in self.by_view[shape.view]:
                self.by_view[shape.view].append(path)
        if shape not in self.seen:
            self.seen.add(shape)
            self.waiting.append(path)

    def mutations(self) -> Iterator[str]:
        pairs = [
            (view, name)
            for view in self.by_view
            for name in (*PARAMETERS, *sorted(self.parameters[view] - {*PARAMETERS}))
        ]
        self.draw.shuffle(pairs)
        values = cycle(VALUES)
        for _round in VALUES if IS_LONG else range(1):
            for view, name in pairs:
                base = self.draw.choice(self.by_view[view])
                value = quote(next(values))
                twice = f"&{name}=1" if self.draw.random() < 0.1 else ""
                others = [
                    (known, text)
                    for known, text in parse_qsl(urlsplit(base).query, True)
                    if known != name
                ]
                yield f"{urlsplit(base).path}?{quote(name)}={value}{twice}&{urlencode(others)}"
            next(values)  # so that each round gives each pair another


@pytest.mark.parametrize("role", ROLES)
def test_what_admin_links_to_answers(world: World, role: str) -> None:
    crawler = Crawler(world, role)

    faults = crawler.crawl(PAGES)

    assert len(crawler.seen) > (30 if role in ("root", "lead", "secretariat") else 5)
    assert faults == [], "\n".join(faults)


def forms_of(world: World, role: str) -> Iterator[str]:
    """The addresses of every form to add and to change a row."""
    request: Any = RequestFactory().get("/admin/")
    request.user = world.people[role]
    for model, model_admin in admin.site._registry.items():
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        if model_admin.has_view_permission(request) and model_admin.has_add_permission(request):
            yield reverse(f"{name}_add")
        for state in world.states(model._meta.label_lower):
            row = world.row(model._meta.label_lower, state)
            if model_admin.has_change_permission(request, row):
                yield reverse(f"{name}_change", args=[row.pk])
                break


def filled_form(world: World, role: str, path: str) -> dict[str, Any]:
    # Signed in as at first, whatever the last answer said.
    world.clients[role].cookies = SimpleCookie(world.cookies[role])
    return form_data(world.clients[role], path)


SENDERS = ("root", "owner")


@pytest.mark.parametrize("role", SENDERS)
def test_wrong_numbers_of_rows_are_told_and_nothing_is_written(world: World, role: str) -> None:
    ways: Iterator[dict[str, Any]] = cycle(COUNTS)
    faults = []
    for path in forms_of(world, role):
        data = filled_form(world, role, path)
        prefixes = [name.removesuffix("-TOTAL_FORMS") for name in data if "-TOTAL_FORMS" in name]
        for way in islice(ways, len(COUNTS) if IS_LONG else WAYS) if prefixes else ():
            sent = dict(data)
            for prefix in prefixes:
                sent |= {f"{prefix}-{name}": value for name, value in way.items()}
            sent = {name: value for name, value in sent.items() if value is not None}
            answer = ask(world, role, path, sent)
            if answer.response.status_code != 200 or fault(answer) or answer.written:
                faults.append(
                    f"{role} {path} {way}: {fault(answer)} {answer.response.status_code} "
                    f"{answer.written}"
                )

    assert faults == [], "\n".join(faults)


@pytest.mark.parametrize("role", SENDERS)
def test_every_button_of_a_form_answers(world: World, role: str) -> None:
    ways = cycle([(button, value) for value in VALUES for button in BUTTONS])
    faults = []
    for path in forms_of(world, role):
        data = filled_form(world, role, path)
        every = len(BUTTONS) * len(VALUES)
        for button, value in [("_saveasnew", "1"), *islice(ways, every if IS_LONG else WAYS)]:
            answer = ask(world, role, path, data | {button: value})
            # No more is written of a row that nobody changed than by its plain button.
            is_wrong = bool(answer.written) and path.endswith("/change/")
            if fault(answer) or (
                is_wrong and answer.written - ask(world, role, path, data).written
            ):
                faults.append(f"{role} {path} {button}={value}: {fault(answer)} {answer.written}")

    assert faults == [], "\n".join(faults)


CHOSEN: tuple[dict[str, Any], ...] = (
    {"_selected_action": "abc"},
    {"_selected_action": "9" * 20},
    {"_selected_action": ["-1", "a'b", ""]},
    {"_selected_action": "abc", "select_across": "abc"},
    {"_selected_action": "9" * 20, "select_across": "1", "index": "1"},
    {"index": "abc"},
    {"index": "-1", "_selected_action": "abc"},
    {"index": "9" * 20, "_selected_action": "abc"},
    {"action": "nonesuch", "_selected_action": "abc"},
    {"action": ["a", "b"], "index": "1", "_selected_action": "abc"},
    {"_save": "1"},
    {"_save": "1", "form-TOTAL_FORMS": str(10**9), "form-INITIAL_FORMS": "-1"},
)


@pytest.mark.parametrize("role", SENDERS)
def test_actions_on_rows_that_are_none_write_nothing(world: World, role: str) -> None:
    request: Any = RequestFactory().get("/admin/")
    request.user = world.people[role]
    ways = cycle(CHOSEN)
    faults = []
    for model, model_admin in admin.site._registry.items():
        path = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        for action in model_admin.get_actions(request) or ["nonesuch"]:
            for way in islice(ways, len(CHOSEN) if IS_LONG else WAYS):
                sent = {"action": action} | way
                is_of_all = way.get("select_across") == "1"
                answer = ask(world, role, path, sent)
                if fault(answer) or (answer.written and not is_of_all):
                    faults.append(f"{role} {path} {sent}: {fault(answer)} {answer.written}")

    assert faults == [], "\n".join(faults)
