"""Cells of the matrix: who asks for what, what should come, and what came instead."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from http.cookies import SimpleCookie
from inspect import isfunction
from typing import Any, Protocol
from urllib.parse import urlencode

from django.apps import apps
from django.contrib import admin
from django.contrib.contenttypes.models import ContentType
from django.test import Client
from django.urls import URLResolver, get_resolver, reverse
from django.utils import translation
from simple_history.admin import SimpleHistoryAdmin

from clusters.admin.base import PortalAdmin
from clusters.models import Account, Management, Mandate, TeamMember
from clusters.names import is_public_id
from tests.addresses import version_of
from tests.admin_forms import form_data
from tests.permissions import table
from tests.permissions.rights import every_right
from tests.permissions.world import MARKED, World, differences, dump, mark, watched

OK, LOGIN, FORBIDDEN, ABSENT, METHOD = "ok", "login", "forbidden", "absent", "method"
LINK = re.compile(r'/admin/(clusters|labels|news)/(\w+)/([^/"?<&\s]+)/(?:change|history|delete)/')
NOWHERE = {"clusters.portfolio": "nonesuch", "labels.level": "nonesuch"}
SIDE_TABLES = ("historical", "django_admin_log")

Check = Callable[[World, "Cell", Any, set[str]], Iterable[str]]


@dataclass(frozen=True)
class Cell:
    """One request. `nowhere` is the same address of a row that does not exist."""

    name: str
    method: str
    identity: str
    state: str
    path: str
    expected: str
    nowhere: str = ""
    data: "Callable[[World], dict[str, Any]] | None" = None
    check: "Check | None" = field(default=None, compare=False)
    prepare: "Callable[[World], None] | None" = None

    def __str__(self) -> str:
        return f"{self.name} {self.method} as {self.identity}, {self.state}"

    def problems(self, world: World) -> list[str]:
        data = self.data(world) if self.data else None
        tables: set[str] = set()
        with world.undone():
            if self.prepare:
                ask(world, self.identity, self.method, self.path)
                self.prepare(world)
            with watched(tables):
                response = ask(world, self.identity, self.method, self.path, data)
                if data and "re_dated" in (response.context or {}):
                    # What a level's screen would propose is shown first.
                    data |= {"seen": response.context["seen"]}
                    response = ask(world, self.identity, self.method, self.path, data)
            after = {name: dump(name) for name in tables}
        changed = {
            change
            for name, rows in after.items()
            for change in differences(world.before(name), rows, name)
        }
        body = text_of(response)
        got = kind(response)
        found = [] if got == self.expected else [f"expected {self.expected}, got {got}"]
        is_absent = not found and got == ABSENT and bool(self.nowhere)
        if is_absent and (response.status_code, masked(body, self.path)) != as_nothing(world, self):
            found.append("told apart from what does not exist")
        if changed and (got != OK or self.method != "POST"):
            found.append(f"changed {sorted(changed)}")
        if self.path.startswith("/admin/"):
            found += leaks(
                world, self.identity, body if got == OK else masked(body, self.path, data)
            )
        if self.check and got == OK and not found:
            found += self.check(world, self, response, changed)
        return found


class Asked(Protocol):
    def problems(self, world: World) -> Iterable[str]: ...


def wrong(world: World, asked: Iterable[Asked]) -> list[str]:
    """What is not as the table says, a line for each cell."""
    return [f"{one}: {problem}" for one in asked for problem in one.problems(world)]


def ask(
    world: World, identity: str, method: str, path: str, data: dict[str, Any] | None = None
) -> Any:
    client = signed_in(world, identity)
    if method == "GET":
        return client.get(path)
    if method == "POST":
        return client.post(path, data or {})
    return client.generic(method, path)


def signed_in(world: World, identity: str) -> Client:
    """As when the world was built, whatever the last answer did to the session."""
    client = world.clients[identity]
    client.cookies = SimpleCookie(world.cookies[identity])
    return client


def text_of(response: Any) -> str:
    """What is streamed comes only once, and is kept."""
    if not hasattr(response, "told"):
        streamed = response.streaming
        response.told = b"".join(response.streaming_content) if streamed else response.content
    location: str = response.get("Location", "")
    told: bytes = response.told
    return told.decode(errors="replace") + location


def kind(response: Any) -> str:
    status: int = response.status_code
    target = response.get("Location", "")
    if status == 302 and re.match(r"/admin/login/\?|/(en|it)/account/login/", target):
        return LOGIN
    if 200 <= status < 400:
        return OK
    return {401: LOGIN, 403: FORBIDDEN, 404: ABSENT, 405: METHOD}.get(status, str(status))


def masked(body: str, path: str, data: dict[str, Any] | None = None) -> str:
    # Without what the request itself told: its address, the number of a record in it, its form.
    for word in MARKED.findall(str(data or "")):
        body = re.sub(rf"{word}(?![a-z])", "@", body)
    path = path.partition("?")[0]
    number = path.strip("/").rpartition("/")[2]
    body = body.replace(path, "@")
    return body.replace(number, "@") if is_public_id(number) else body


def as_nothing(world: World, cell: Cell) -> tuple[int, str]:
    key = (cell.identity, cell.method + cell.nowhere)
    if key not in world.nothing:
        with world.undone():
            response = ask(world, cell.identity, cell.method, cell.nowhere)
            world.nothing[key] = (response.status_code, masked(text_of(response), cell.nowhere))
    return world.nothing[key]


# Nothing is told of what the person does not see


def leaks(world: World, identity: str, body: str) -> list[str]:
    words = world.words & set(MARKED.findall(body)) - known_words(identity)
    found = [f"tells of {sorted(words)}"] if words else []
    links = {
        f"{app}.{model}/{state}"
        for app, model, pk in LINK.findall(body)
        if model != "account"  # a colleague’s: the address stands there, and the link is dead
        and (state := world.state_of(f"{app}.{model}", pk)) is not None
        and "V" not in table.letters(f"{app}.{model}", identity, state)
        and mark(f"{app}.{model}", state) not in known_words(identity)
    }
    return [*found, f"leads to {sorted(links)}"] if links else found


@cache
def known_words(identity: str) -> frozenset[str]:
    words = {
        mark(label, state)
        for label, grid in table.GRIDS.items()
        for state, letters in grid.get(identity, {}).items()
        if "V" in letters
    }
    words |= set(table.BESIDE.get(identity, "").split())
    people = (
        (*table.IDENTITIES, "otherlead", "otherexpert")
        if identity in table.READS_EVERY_ADDRESS
        else (table.READS_ADDRESSES.get(identity, "") + " " + identity).split()
    )
    return frozenset(words | {mark("clusters.account", name) for name in people})


# The addresses of admin


def admin_path(label: str, page: str, *arguments: Any) -> str:
    return reverse(f"admin:{label.replace('.', '_')}_{page}", args=arguments)


def outcome(identity: str, *, sees: bool, may: bool) -> str:
    if identity in table.STRANGERS:
        return LOGIN
    if not sees:
        return ABSENT
    return OK if may else FORBIDDEN


def asked_by_pages() -> list[str]:
    """Of the models whose admins run the same code, the one in whose grid most is told apart."""
    alike: dict[frozenset[Any], list[str]] = defaultdict(list)
    for label in table.GRIDS:
        alike[code_of(label)].append(label)
    return [max(labels, key=told_apart) for labels in alike.values()]


def code_of(label: str) -> frozenset[Any]:
    """The functions with which the model’s admin asks, shows and writes, and its form."""
    kind = type(admin.site._registry[apps.get_model(label)])
    names = [name for name in dir(PortalAdmin) if isfunction(getattr(PortalAdmin, name))]
    return frozenset(getattr(kind, name, None) for name in names) | {kind.form}


def told_apart(label: str) -> tuple[int, int]:
    lines = [tuple(line.values()) for line in table.GRIDS[label].values()]
    return len({letters for line in lines for letters in line}), len(lines[0])


def model_cells(
    world: World, label: str, identities: Sequence[str] = table.BY_PAGES
) -> Iterator[Cell]:
    for identity in identities:
        is_meaningless = label in table.MEANINGLESS_METHODS_OF
        if is_meaningless and identity in table.MEANINGLESS_METHODS_AS:
            yield from meaningless_cells(world, label, identity)
        if identity not in (*table.LEADING[label], *WITHOUT_A_LINE):
            continue
        yield from list_cells(label, identity)
        for state in telling_states(world, label, identity):
            yield from row_cells(world, label, identity, state)
        yield from version_cells(world, label, identity)


# They stand for all who do not know of a list.
WITHOUT_A_LINE = ("anonymous", "norole")


def telling_states(world: World, label: str, identity: str) -> Iterable[str]:
    """The first row for each set of letters that the person has."""
    by_letters: dict[str, str] = {}
    for state in world.states(label):
        by_letters.setdefault(table.letters(label, identity, state), state)
    return by_letters.values()


def list_cells(label: str, identity: str) -> Iterator[Cell]:
    sees = identity in table.GRIDS[label]
    listed = outcome(identity, sees=sees, may=True)
    path, nowhere = admin_path(label, "changelist"), "/admin/clusters/nonesuch/"
    name = f"{label} list"
    yield Cell(name, "GET", identity, "all", path, listed, nowhere, check=lists_what_one_sees)
    yield Cell(name, "GET", identity, "found", f"{path}?q=zq", listed, nowhere)
    actions = ("publish", "delete_selected") if "P" in every_letter(label) else ("delete_selected",)
    refused = table.BULK_DELETE_REFUSED.get(label, ())
    for action in actions:
        done = FORBIDDEN if action == "delete_selected" and identity in refused else listed
        yield Cell(
            name, "POST", identity, action, path, done, nowhere, chosen(label, action),
            check=acts_on_what_one_may,
        )  # fmt: skip
    may_add = "A" in table.letters(label, identity, "new")
    added = outcome(identity, sees=sees, may=may_add)
    path = admin_path(label, "add")
    for method in ("GET", "POST"):
        yield Cell(f"{label} add", method, identity, "new", path, added, nowhere)


def every_letter(label: str) -> set[str]:
    return {*"".join("".join(line.values()) for line in table.GRIDS[label].values())}


def row_cells(world: World, label: str, identity: str, state: str) -> Iterator[Cell]:
    letters = table.letters(label, identity, state)
    pk = world.row(label, state).pk

    def cell(page: str, method: str, may: bool = True, **more: Any) -> Cell:
        version: tuple[Any, ...] = ()
        if page in ("simple_history", "restore"):
            version = (world.version(label, state),)
        if page == "restore":
            version = (label.partition(".")[2], *version)
        return Cell(
            f"{label} {page}",
            method,
            identity,
            state,
            admin_path(label, page, pk, *version),
            outcome(identity, sees="V" in letters, may=may),
            admin_path(label, page, NOWHERE.get(label, 999999999), *version),
            **more,
        )

    may_delete = bool({"D", "d"} & {*letters})
    yield cell("change", "GET")
    may_change = bool({"C", "c"} & {*letters})
    yield cell("change", "POST", may_change, data=changed_form(label, state), check=changes)
    if may_delete:
        yield cell("delete", "GET")
    yield cell("delete", "POST", may_delete, data=confirmed, check=deletes)
    yield cell("history", "GET")
    if hasattr(world.row(label, state), "history"):
        if "R" not in letters:
            yield cell("simple_history", "GET", may=False)
        yield cell("simple_history", "POST", "R" in letters, data=old_form(label, state))
        is_restored = "R" in letters and label not in table.RESTORED_BY_FORM
        yield cell("restore", "GET", is_restored)
        # Without the versions that were looked at it asks to look first.
        yield cell("restore", "POST", is_restored, check=stays)


def version_cells(world: World, label: str, identity: str) -> Iterator[Cell]:
    """The old version of another row, under the address of one that may be restored."""
    first, *others = world.states(label)
    if others and "R" in table.letters(label, identity, first):
        version = world.version(label, others[0])
        path = admin_path(label, "simple_history", world.row(label, first).pk, version)
        yield Cell(f"{label} simple_history", "GET", identity, "of another row", path, ABSENT)
        model = label.partition(".")[2]
        path = admin_path(label, "restore", world.row(label, first).pk, model, version)
        yield Cell(f"{label} restore", "GET", identity, "of another row", path, ABSENT)


def step_cells(world: World, identities: Sequence[str] = table.BY_PAGES) -> Iterator[Cell]:
    """An empty form changes nothing; a button without a field has its tests elsewhere."""
    for label, page, state, people in table.steps():
        path = admin_path(label, page, world.row(label, state).pk)
        nowhere = admin_path(label, page, 999999999)
        for identity in identities:
            sees = "V" in table.letters(label, identity, state)
            expected = outcome(identity, sees=sees, may=identity in people)
            name = f"{label} {page}"
            yield Cell(name, "GET", identity, state, path, expected, nowhere)
            has_no_field = page == "approve" and label.startswith("labels.")
            check = None if has_no_field else stays
            yield Cell(name, "POST", identity, state, path, expected, nowhere, check=check)


def table_cells(identities: Sequence[str] = table.BY_PAGES) -> Iterator[Cell]:
    """An empty form changes nothing; a table out tells of what one sees."""
    for label, page, people in table.tables():
        path, nowhere = admin_path(label, page), "/admin/clusters/nonesuch/"
        for identity in identities:
            sees = identity in table.GRIDS[label]
            expected = outcome(identity, sees=sees, may=identity in people)
            name = f"{label} {page}"
            yield Cell(name, "GET", identity, "all", path, expected, nowhere)
            yield Cell(name, "POST", identity, "empty", path, expected, nowhere, check=stays)
            if page == "export":
                yield Cell(
                    name, "POST", identity, "sent", path, expected, nowhere,
                    data=sending({"format": "0"}), check=tells_of_what_one_sees,
                )  # fmt: skip


def tells_of_what_one_sees(world: World, cell: Cell, response: Any, changed: set[str]) -> list[str]:
    label = cell.name.split()[0]
    body = text_of(response)
    told = {s for s in world.states(label) if number_of(world.row(label, s)) in body}
    seen = {s for s in world.states(label) if "V" in table.letters(label, cell.identity, s)}
    return [] if told == seen else [f"tells of {sorted(told)} instead of {sorted(seen)}"]


def number_of(row: Any) -> str:
    # A part has none of its own.
    return str(row.public_id if hasattr(row, "public_id") else row.cluster.public_id)


def meaningless_cells(world: World, label: str, identity: str) -> Iterator[Cell]:
    """Methods that admin does not know, a popup, and a key that is none."""
    state = world.states(label)[0]
    sees = "V" in table.letters(label, identity, state)
    listed = outcome(identity, sees=identity in table.GRIDS[label], may=True)
    shown = outcome(identity, sees=sees, may=True)
    path, nowhere = admin_path(label, "changelist"), admin_path(label, "change", "none")
    row = admin_path(label, "change", world.row(label, state).pk)
    popup = f"?_popup=1&_to_field={apps.get_model(label)._meta.pk.name}"
    for method in ("HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"):
        yield Cell(f"{label} list", method, identity, "all", path, listed)
        yield Cell(f"{label} change", method, identity, state, row, shown)
    yield Cell(f"{label} list", "GET", identity, "popup", path + popup, listed)
    yield Cell(f"{label} change", "GET", identity, "popup", row + popup, shown, nowhere)
    absent = outcome(identity, sees=False, may=True)
    yield Cell(f"{label} change", "GET", identity, "no key", nowhere, absent)


# What is sent


def confirmed(world: World) -> dict[str, Any]:
    return {"post": "yes"}


def chosen(label: str, action: str) -> Callable[[World], dict[str, Any]]:
    def data(world: World) -> dict[str, Any]:
        keys = [world.row(label, state).pk for state in world.states(label)]
        return {"action": action, "_selected_action": keys, "post": "yes"}

    return data


# Other values, by the name of the field, for rows that are there.
OTHER_VALUES = {
    "name": "Changed",
    "name_en": "Changed",
    "name_it": "Changed",
    "other_names": "Changed",
    "short_name": "Changed",
    "slug": "changed",
    "town": "Changed",
    "website": "https://changed.example.org/",
    "eccp_url": "https://changed.example.org/",
    "contact_address": "changed@example.org",
    "role_address": "changed@example.org",
    "tagline": "Changed",
    "description": "Changed",
    "count": "77",
    "source": "Changed",
    "title": "Changed",
    "lead": "Changed",
    "body": "Changed",
    "reason": "Changed",
    "definition_en": "Changed",
    **dict.fromkeys(("alt_en", "alt_it", "credit_en", "credit_it"), "Changed"),
    **dict.fromkeys(("title_en", "title_it"), "Changed"),
    "latitude": "45",
    "longitude": "9",
    "confirmed_on": "2026-01-01",
    "vat_number": "",
    "legal_form": "Changed",
    "text": "Changed",
    "answer": "Changed",
    "languages": "en, it",
}
OF_A_ROW = {
    "clusters.teammember": {"role": "editor"},
    "clusters.teammember/editor": {"role": "owner"},
    "clusters.claim": {"state": "denied"},
    "news.announcement": {"published_at": "2020-01-01T12:00"},
    "clusters.participation": {"started_on": "2001"},
    "labels.issuingbodyrole": {"started_on": "2001"},
}
# They stay public with a label: tests/labels/facts/test_names.py.
NOT_TURNED = {
    ("clusters.cluster", "own", "is_published"),
    ("clusters.organisation", "own", "is_published"),
}
TURNED = ("is_published", "is_contact_shown", "is_address_shown", "is_active", "is_resolved")


def sent_form(world: World, path: str) -> dict[str, Any]:
    """What a superuser's page would send."""
    if path not in world.forms:
        with world.undone():
            world.forms[path] = form_data(signed_in(world, "root"), path)
    return dict(world.forms[path])


def changed_form(label: str, state: str) -> Callable[[World], dict[str, Any]]:
    def data(world: World) -> dict[str, Any]:
        path = admin_path(label, "change", world.row(label, state).pk)
        sent = sent_form(world, path)
        for name in list(sent):
            prefix, _dash, last = name.rpartition("-")
            is_stored = not prefix or sent.get(f"{prefix}-id")
            is_key = last == "body" and str(sent[name]).isdigit()  # of the issuing body
            if is_stored and last in OTHER_VALUES and not is_key:
                sent[name] = OTHER_VALUES[last]
        for name in turned_fields(label):
            if (label, state, name) not in NOT_TURNED:
                turn(sent, name)
        return sent | OF_A_ROW.get(f"{label}/{state}", OF_A_ROW.get(label, {}))

    return data


@cache
def turned_fields(label: str) -> tuple[str, ...]:
    names = {one.name for one in apps.get_model(label)._meta.fields}
    return tuple(name for name in TURNED if name in names)


def turn(sent: dict[str, Any], name: str) -> None:
    if name in sent:
        del sent[name]
    else:
        sent[name] = "on"


def old_form(label: str, state: str) -> Callable[[World], dict[str, Any]]:
    def data(world: World) -> dict[str, Any]:
        return sent_form(world, admin_path(label, "change", world.row(label, state).pk))

    return data


# What comes of it


def lists_what_one_sees(world: World, cell: Cell, response: Any, changed: set[str]) -> list[str]:
    label = cell.name.split()[0]
    listed = {
        state
        for row in response.context["cl"].queryset
        if (state := world.state_of(label, str(row.pk))) is not None
    }
    seen = {s for s in world.states(label) if "V" in table.letters(label, cell.identity, s)}
    return [] if listed == seen else [f"lists {sorted(listed)} instead of {sorted(seen)}"]


def real(changed: set[str]) -> set[str]:
    """Without what is written about a change."""
    return {
        change.replace("clusters_", "").replace("labels_", "").replace("news_", "")
        for change in changed
        if not any(side in change for side in SIDE_TABLES)
    }


def changes(world: World, cell: Cell, response: Any, changed: set[str]) -> list[str]:
    label = cell.name.split()[0]
    # Refused in words on the form, which comes back.
    if "c" in table.letters(label, cell.identity, cell.state):
        told = response.status_code == 200 and shown_errors(response)
        return [] if told and not real(changed) else [f"changed {changed}, or nothing was told"]
    if response.status_code != 302:
        return [f"not saved: {shown_errors(response)}"]
    expected = expected_changes(label, cell.identity)
    if expected is None:
        return [] if real(changed) else ["changed nothing"]
    return [] if real(changed) == expected else [
        f"changed {sorted(real(changed))} instead of {sorted(expected)}"
    ]  # fmt: skip


def expected_changes(label: str, identity: str) -> set[str] | None:
    for (of, identities), names in table.CHANGED.items():
        if of == label and identity in identities:
            return set(names.split())
    return None


def shown_errors(response: Any) -> list[str]:
    if response.context is None or "errors" not in response.context:
        return [text_of(response)[:200]]
    return [str(error) for error in response.context["errors"]]


def deletes(world: World, cell: Cell, response: Any, changed: set[str]) -> list[str]:
    label = cell.name.split()[0]
    gone = f"-{apps.get_model(label)._meta.db_table}" in changed
    letters = table.letters(label, cell.identity, cell.state)
    return [] if gone == ("D" in letters) else [f"gone: {gone}, letters {letters}"]


def acts_on_what_one_may(world: World, cell: Cell, response: Any, changed: set[str]) -> list[str]:
    """Bulk actions: only what some letter gives, and nothing where none does."""
    label = cell.name.split()[0]
    letter = "D" if cell.state == "delete_selected" else "P"
    may = {s for s in world.states(label) if letter in table.letters(label, cell.identity, s)}
    if real(changed) and not may:
        return [f"changed {sorted(real(changed))}"]
    if letter == "P" and may and not real(changed):
        return ["changed nothing"]
    table_name = apps.get_model(label)._meta.db_table
    gone = {s for s in world.states(label) if f"-{table_name} {world.row(label, s).pk}" in changed}
    kept = {s for s in gone if "D" not in table.letters(label, cell.identity, s)}
    return [f"deleted {sorted(kept)}"] if kept else []


# The dashboard, and what suggests rows


def autocomplete_sources() -> dict[str, tuple[str, str]]:
    """Label and field of a select that asks the server, by the label that it suggests from."""
    sources = {}
    for model, model_admin in admin.site._registry.items():
        for one in (model_admin, *model_admin.inlines):
            for name in one.autocomplete_fields:
                source = one.model if hasattr(one, "model") else model
                target: Any = source._meta.get_field(name).related_model
                sources[target._meta.label_lower] = (source._meta.label_lower, name)
    return sources


def autocomplete_cells(identities: Sequence[str] = table.BY_PAGES) -> Iterator[Cell]:
    for target, (source, name) in autocomplete_sources().items():
        app, _dot, model = source.partition(".")
        query = urlencode({"app_label": app, "model_name": model, "field_name": name, "term": "zq"})
        path = f"{reverse('admin:autocomplete')}?{query}"
        for identity in identities:
            expected = outcome(identity, sees=identity in table.GRIDS[target], may=True)
            yield Cell(
                f"{source} autocomplete of {name}", "GET", identity, target, path, expected,
                check=suggests_what_one_sees,
            )  # fmt: skip


def suggests_what_one_sees(world: World, cell: Cell, response: Any, changed: set[str]) -> list[str]:
    label = cell.state
    keys = {str(result["id"]) for result in response.json()["results"]}
    suggested = {s for s in world.states(label) if str(world.row(label, s).pk) in keys}
    seen = {s for s in world.states(label) if "V" in table.letters(label, cell.identity, s)}
    return [] if suggested <= seen else [f"suggests {sorted(suggested - seen)}"]


def dashboard_cells(
    identities: Sequence[str] = (*table.BY_PAGES, "disabled", "removed"),
) -> Iterator[Cell]:
    nothing = "/admin/nonesuch/"
    for identity in identities:
        enters = outcome(identity, sees=True, may=True)
        others = ("HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
        for method in ("GET", *(others if identity in table.MEANINGLESS_METHODS_AS else ())):
            is_counted = method == "GET" and identity in table.COUNTS_AS
            check = counts_what_one_sees if is_counted else None
            yield Cell("index", method, identity, "", reverse("admin:index"), enters, check=check)
        switch = reverse("admin:set_language")
        yield Cell(
            "language", "POST", identity, "", switch, enters, data=sending({"language": "it"})
        )
        yield Cell("jsi18n", "GET", identity, "", reverse("admin:jsi18n"), enters)
        for state, query in (("everything", "q=zq"), ("one kind", "q=zq&in=clusters.cluster")):
            path = f"{reverse('admin:search')}?{query}"
            yield Cell("search", "GET", identity, state, path, enters)
        for label, name in (("clusters.cluster", "town"), ("labels.label", "cluster")):
            given = table.GRIDS[label].get(identity, {}).values()
            writes = any({*"AC"} & {*letters} for letters in given)
            expected = outcome(identity, sees=writes, may=True)
            path = f"{reverse('admin:suggest')}?model={label}&field={name}"
            yield Cell("suggest", "GET", identity, label, path, expected)
        for label in ("clusters.cluster", "labels.decision", "clusters.event"):
            expected = outcome(identity, sees=identity in table.GRIDS[label], may=True)
            data = sending({"model": label, "query": "q=a", "name": "Mine"})
            path = reverse("admin:keep_filter")
            yield Cell("keep_filter", "POST", identity, label, path, expected, data=data)
        unknown = outcome(identity, sees=False, may=True)
        yield Cell("unknown", "GET", identity, "", nothing, unknown, "/admin/nowhere/")
        for app in ("clusters", "labels", "news"):
            sees = any(
                label.startswith(app) and identity in grid for label, grid in table.GRIDS.items()
            )
            path = reverse("admin:app_list", args=[app])
            expected = outcome(identity, sees=sees, may=True)
            yield Cell("app_list", "GET", identity, app, path, expected, nothing)


def counts_what_one_sees(world: World, cell: Cell, response: Any, changed: set[str]) -> list[str]:
    """Each number is that of the list to which it leads."""
    found = []
    for item in response.context["items"]:
        listed = ask(world, cell.identity, "GET", item.url).context["cl"].result_count
        if listed != item.number:
            found.append(f"{item.title}: {item.number}, the list has {listed}")
    return found


def draft_cells(world: World, identities: Sequence[str] = table.BY_PAGES) -> Iterator[Cell]:
    """A draft is stored of the forms that the person may open and save, and of no other page."""
    path = reverse("admin:form_draft")

    def cell(identity: str, state: str, form: str, expected: str) -> Cell:
        data = {"address": form, "opening": "a" * 12, "data": "[]"}
        return Cell("draft", "POST", identity, state, path, expected, data=sending(data))

    for identity in identities:
        nothing = outcome(identity, sees=False, may=False)
        yield cell(identity, "no form", reverse("admin:index"), nothing)
        yield cell(identity, "a list", admin_path("clusters.cluster", "changelist"), nothing)
        method = LOGIN if identity in table.STRANGERS else METHOD
        yield Cell("draft", "GET", identity, "", path, method)
        for label in ("clusters.cluster", "news.announcement", "labels.decision"):
            sees = identity in table.GRIDS[label]
            may = "A" in table.letters(label, identity, "new")
            allowed = outcome(identity, sees=sees, may=may)
            yield cell(identity, f"new {label}", admin_path(label, "add"), allowed)
            for state in world.states(label):
                letters = table.letters(label, identity, state)
                allowed = outcome(identity, sees="V" in letters, may="C" in letters)
                row = world.row(label, state)
                yield cell(
                    identity, f"{label} {state}", admin_path(label, "change", row.pk), allowed
                )


def writing_cells(world: World, identities: Sequence[str] = table.BY_PAGES) -> Iterator[Cell]:
    """A text is previewed by who may save it; what is pasted is nobody's row."""
    label = "news.announcement"
    fields = {"preview": "texts-0", "texts-0-language": "en", "texts-0-title": "Typed"}
    for identity in identities:
        sees = identity in table.GRIDS[label]
        letters = {state: table.letters(label, identity, state) for state in world.states(label)}
        new = table.letters(label, identity, "new")
        pages = {
            "preview_new": ((), sees, "A" in new),
            "paste": ((), sees, "A" in new or any("C" in one for one in letters.values())),
        }
        for page, (args, shown, may) in pages.items():
            path = admin_path(label, page, *args)
            expected = outcome(identity, sees=shown, may=may)
            yield Cell(page, "POST", identity, "", path, expected, data=sending(fields))
            method = LOGIN if identity in table.STRANGERS else METHOD
            yield Cell(page, "GET", identity, "", path, method)
        nowhere = admin_path(label, "preview", 999999999)
        for state, one in letters.items():
            path = admin_path(label, "preview", world.row(label, state).pk)
            expected = outcome(identity, sees="V" in one, may="C" in one)
            yield Cell(
                "preview", "POST", identity, state, path, expected, nowhere, data=sending(fields)
            )


# The addresses outside admin


def walk(patterns: Iterable[Any], namespace: str = "") -> Iterator[str]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from walk(pattern.url_patterns, inner)
        else:
            yield f"{namespace}{pattern.name or pattern.pattern}"


def every_address() -> set[str]:
    return set(walk(get_resolver().url_patterns))


def declared_addresses() -> set[str]:
    named = set(table.addresses()) | {f"admin:{name}" for name in table.OF_ADMIN.split()}
    for label in table.GRIDS:
        pages = ["changelist", "add", "change", "delete", "history"]
        if issubclass(type(admin.site._registry.get(apps.get_model(label))), SimpleHistoryAdmin):
            pages += ["simple_history", "restore"]
        named |= {f"admin:{label.replace('.', '_')}_{page}" for page in pages}
    for label, page, _state, _people in table.steps():
        named.add(f"admin:{label.replace('.', '_')}_{page}")
    named |= {f"admin:{label.replace('.', '_')}_{page}" for label, page, _people in table.tables()}
    # Django's own: an old form of the address of a row, and everything that is not there.
    return named | {"admin:<path:object_id>/", "admin:(?P<url>.*)$"}


def address(world: World, name: str, state: str, language: str = "en") -> str:
    with translation.override(language):
        return reverse(name, args=address_arguments(world, state))


def address_arguments(world: World, state: str) -> tuple[Any, ...]:
    if state in ("", "none"):
        return ()
    if state[0].isdigit() or state in ("x/y.png", "forged"):
        return tuple(state.split("-", 1))
    model, _slash, which = state.partition("/")
    if model == "list":
        return (which,)
    if model == "api":
        return (f"v1/{api_path(world, which)}",)
    if model == "announcement":
        return (2015, mark("news.announcement", which))
    if model == "event":
        return (world.row("news.announcement", which).public_id,)
    if model == "picture":
        announcement = world.row("news.announcement", which)
        version = version_of(announcement) if announcement.published_at else "none"
        return (announcement.public_id, "en", version)
    if model == "label":
        return (world.row("labels.label", which).public_id,)
    if model == "certificate":
        return (world.row("labels.label", which).public_id, "en")
    if model == "register":
        return (world.row("clusters.cluster", which).public_id,)
    return (world.row(f"clusters.{model}", which).slug,)


def api_path(world: World, state: str) -> str:
    """Of a list, or of one record such as “label-own”."""
    name, _dash, which = state.partition("-")
    if not which:
        return name
    app = {"label": "labels", "announcement": "news"}.get(name, "clusters")
    return f"{name}s/{world.row(f'{app}.{name}', which).public_id}"


NOBODY = {
    "api": ("v1/clusters/ZZZZZZZZ",),
    "announcement": (2015, "nonesuch"),
    "event": ("ZZZZZZZZ",),
    "picture": ("ZZZZZZZZ", "en", "none"),
    "label": ("ZZZZZZZZ",),
    "certificate": ("ZZZZZZZZ", "en"),
    "register": ("ZZZZZZZZ",),
}


def page_cells(
    world: World, names: Iterable[str], identities: Sequence[str] = table.IDENTITIES
) -> Iterator[Cell]:
    for name in names:
        kind, there, absent = table.addresses()[name]
        is_public = kind in ("page", "open", "form")
        people = [
            one for one in identities if one in (table.PUBLIC_AS if is_public else table.OWN_AS)
        ]
        for state in there or (() if absent else ("",)):
            for identity in people:
                yield from visits(world, name, kind, state, identity)
        for state in absent:
            model = state.partition("/")[0]
            nowhere = (
                reverse(name, args=NOBODY.get(model, ("nonesuch",))) if "/" in state else ""
            ) if model != "x" else ""  # fmt: skip
            for identity in people:
                path = address(world, name, state)
                expected = ABSENT
                if kind in ("own", "sent") and identity in table.VISITORS:
                    expected = LOGIN
                method = "POST" if kind == "sent" else "GET"
                yield Cell(name, method, identity, state, path, expected, nowhere)
                if kind == "sent":
                    unread = LOGIN if expected == LOGIN else METHOD
                    yield Cell(name, "GET", identity, state, path, unread)


WRITING_METHODS = ("POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def visits(world: World, name: str, kind: str, state: str, identity: str) -> Iterator[Cell]:
    path = address(world, name, state)
    asks = kind in ("own", "mine", "again", "begun", "sent") and identity in table.VISITORS
    expected = LOGIN if asks else FORBIDDEN if kind == "again" else OK
    if kind == "sent":
        yield Cell(name, "GET", identity, state, path, LOGIN if asks else METHOD)
        yield Cell(name, "POST", identity, state, path, expected)
        return
    check = same_for_everybody if kind in ("page", "open") else stays
    if state == "api/verify":  # Only sent: of an empty form the type is wrong.
        for method, answer in (("GET", METHOD), ("POST", "415"), ("OPTIONS", OK)):
            yield Cell(name, method, identity, state, path, answer, check=check)
        return
    yield Cell(name, "GET", identity, state, path, expected, check=check)
    methods = WRITING_METHODS if identity in table.MEANINGLESS_METHODS_AS else ()
    if kind == "page":
        for method in methods:
            yield Cell(name, method, identity, state, path, METHOD)
        if methods and path.startswith("/en/"):
            path = address(world, name, state, "it")
            yield Cell(name, "HEAD", identity, f"{state} it", path, OK)
            yield Cell(name, "GET", identity, f"{state} it", path, OK, check=check)
    elif kind == "open":
        for method in methods:
            yield Cell(name, method, identity, state, path, OK if method == "OPTIONS" else METHOD)
    elif kind == "form":
        for method in methods:
            is_sent = method == "POST"
            yield Cell(name, method, identity, state, path, OK if is_sent else METHOD, check=stays)
    elif kind in ("shown", "mine"):
        yield Cell(name, "POST", identity, state, path, LOGIN if asks else METHOD)
    elif name not in CHANGED_BY_A_CLICK:
        yield Cell(name, "POST", identity, state, path, expected, check=stays)


# A button without a field: what it changes, stands in the tests of its page.
CHANGED_BY_A_CLICK = ("mfa_generate_recovery_codes",)


def stays(world: World, cell: Cell, response: Any, changed: set[str]) -> list[str]:
    """An empty form changes nothing."""
    return [f"changed {sorted(changed)}"] if changed else []


def same_for_everybody(world: World, cell: Cell, response: Any, changed: set[str]) -> list[str]:
    key = ("", cell.path)
    body = text_of(response)
    first = world.nothing.setdefault(key, (response.status_code, body))
    if first != (response.status_code, body):
        return ["not the same bytes as for somebody else"]
    found = [f"changed {sorted(changed)}"] if changed else []
    told = set(MARKED.findall(body)) & world.secrets
    return [*found, f"tells of {sorted(told)}"] if told else found


# The second factor


def enrolment_cells(world: World) -> Iterator[Cell]:
    """Nobody does or reads anything in admin without one."""
    paths = {
        "index": reverse("admin:index"),
        "list": admin_path("clusters.organisation", "changelist"),
        "row": admin_path(
            "clusters.organisation", "change", world.row("clusters.organisation", "own").pk
        ),
        "autocomplete": reverse("admin:autocomplete"),
        "history": admin_path(
            "clusters.organisation", "history", world.row("clusters.organisation", "own").pk
        ),
    }
    for identity in table.ENTERING:
        for name, path in paths.items():
            for method in ("GET", "POST"):
                yield Cell(name, method, identity, "no second factor", path, LOGIN)
        path = reverse("admin:login")
        yield Cell("login", "GET", identity, "no second factor", path, OK, check=enrols)


def enrols(world: World, cell: Cell, response: Any, changed: set[str]) -> list[str]:
    target = response.get("Location", "")
    return [] if target.endswith("/second-factor/") else [f"leads to {target}"]


# Single stories


def forged_cells(world: World) -> Iterator[Cell]:
    """What a form does not offer is not taken from who sends it all the same."""
    add = admin_path("news.announcement", "add")

    def sent(**forged: Any) -> Callable[[World], dict[str, Any]]:
        text = {"language": "en", "state": "draft", "title": "New", "slug": "new", "body": "Text."}
        counted = {"TOTAL_FORMS": 1, "INITIAL_FORMS": 0, "MIN_NUM_FORMS": 0, "MAX_NUM_FORMS": 2}
        form: dict[str, Any] = {f"texts-{name}": value for name, value in counted.items()}
        for part in ("pictures", "attachments"):
            form |= {f"{part}-{name}": value for name, value in counted.items()}
            form[f"{part}-TOTAL_FORMS"] = 0
        form |= {f"texts-0-{name}": value for name, value in text.items()}
        own = world.row("clusters.organisation", "own").pk
        return lambda world: {"kind": "news", "written_by": own, **form, **forged}

    def pk(label: str, state: str) -> Any:
        return world.row(label, state).pk

    elsewhere = pk("clusters.organisation", "other")

    for state, forged in (
        ("for another team", {"written_by": elsewhere}),
        ("for nobody", {"written_by": ""}),
        ("of a hidden cluster", {"clusters": [pk("clusters.cluster", "hidden")]}),
        ("of another cluster", {"clusters": [pk("clusters.cluster", "other")]}),
        ("of a hidden label", {"labels": [pk("labels.label", "unpublished")]}),
        ("of another organisation", {"organisations": [elsewhere]}),
        ("with a contact elsewhere", {"contact_organisation": elsewhere}),
    ):  # fmt: skip
        yield Cell("forged", "POST", "owner", state, add, OK, data=sent(**forged), check=stays)
    yield Cell("honest", "POST", "owner", "own", add, OK, data=sent(), check=saves)
    invite = admin_path("clusters.invitation", "add")
    for state, invitation in (
        ("to another team", {"organisation": elsewhere, "team_role": "owner"}),
        ("to a role", {"role": "auditor"}),
    ):  # fmt: skip
        data = {"email": "new@example.org", "language": "en", **invitation}
        yield Cell("forged", "POST", "owner", state, invite, OK, data=sending(data), check=stays)


def sending(data: dict[str, Any]) -> Callable[[World], dict[str, Any]]:
    return lambda world: data


def saves(world: World, cell: Cell, response: Any, changed: set[str]) -> list[str]:
    return [] if "+news_announcement" in changed else ["not saved"]


def ended_cells(world: World) -> Iterator[Cell]:
    """The next request of a session after a right ended, and after the one before it."""
    cluster = admin_path("clusters.cluster", "change", world.row("clusters.cluster", "own").pk)
    index = reverse("admin:index")

    yield Cell("ended", "GET", "editor", "removed from the team", index, LOGIN, prepare=leave_team)
    yield Cell("ended", "GET", "owner", "management ended", cluster, ABSENT, prepare=end_management)
    yield Cell(
        "ended", "GET", "policymaker", "mandate taken", cluster, ABSENT, prepare=take_mandate
    )
    yield Cell("ended", "GET", "secretariat", "role taken", index, LOGIN, prepare=take_role)
    yield Cell("ended", "GET", "lead", "disabled", index, LOGIN, prepare=switch_off)


def leave_team(world: World) -> None:
    TeamMember.objects.filter(account__in=[world.people["editor"].pk]).delete()


def end_management(world: World) -> None:
    row = world.row("clusters.management", "own")
    Management.objects.filter(pk=row.pk).update(started_on="2001", ended_on="2002")


def take_mandate(world: World) -> None:
    Mandate.objects.filter(account__in=[world.people["policymaker"].pk]).delete()


def take_role(world: World) -> None:
    Account.objects.get(pk=world.people["secretariat"].pk).groups.clear()


def switch_off(world: World) -> None:
    Account.objects.filter(pk=world.people["lead"].pk).update(is_active=False)


def site_cells(world: World) -> Iterator[Cell]:
    """Django's way from admin to the page of any row is closed: it would ask nobody."""
    for label, state in (
        ("clusters.cluster", "hidden"),
        ("clusters.cluster", "own"),
        ("clusters.invitation", "own"),
        ("clusters.invitation", "role"),
    ):
        content_type = ContentType.objects.get_for_model(apps.get_model(label))
        address = f"/admin/r/{content_type.pk}/{world.row(label, state).pk}/"
        for identity in table.BY_PAGES:
            expected = outcome(identity, sees=False, may=True)
            yield Cell("view on site", "GET", identity, f"{label}/{state}", address, expected)


def every_cell(world: World) -> Iterator[Asked]:
    """All that the matrix asks."""
    for label in table.GRIDS:
        yield from every_right(label)
    for label in asked_by_pages():
        yield from model_cells(world, label)
    yield from step_cells(world)
    yield from table_cells()
    yield from autocomplete_cells()
    yield from dashboard_cells()
    yield from page_cells(world, table.addresses())
    for cells in (
        draft_cells,
        writing_cells,
        forged_cells,
        ended_cells,
        site_cells,
        enrolment_cells,
    ):
        yield from cells(world)
