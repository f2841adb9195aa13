"""House rules that no linter knows."""

import ast
import re
import tomllib
from collections import defaultdict
from importlib import import_module
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.db import models

from clusters.models import Change, Event, EventAddress, FormDraft, Mail, SavedFilter
from labels.models import IssuedCredential
from news.models import Subscription

ROOT = Path(settings.BASE_DIR)
APPS = ("clusters", "labels", "news")
SOURCES = sorted(
    path
    for app in (*APPS, "config")
    for path in (ROOT / app).rglob("*.py")
    if "migrations" not in path.parts
)
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
SCRIPTS = sorted((ROOT / "static").rglob("*.js"))
MODELS = [model for app in APPS for model in apps.get_app_config(app).get_models()]
# Logs, written once; of a credential only that it is withdrawn, once.
ONLY_GROWING = {Change, Event, EventAddress, IssuedCredential}
# What it holds goes with it, and no version may keep it.
LEAVING = {FormDraft, Mail, SavedFilter, Subscription}
OWN_MODELS = [model for model in MODELS if not model.__name__.startswith("Historical")]


def name_of(thing: object) -> str:
    return thing.__name__ if isinstance(thing, type) else str(Path(str(thing)).relative_to(ROOT))


@pytest.mark.django_db
def test_migrations_match_the_models() -> None:
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_file_name_says_what_it_holds(path: Path) -> None:
    assert path.stem not in {"utils", "helpers", "common", "core", "services", "managers", "misc"}


# The first names a class of the API's description, which clients see; Django looks for the others.
SHARED_NAMES = {"MembershipCount", "Command", "DatabaseWrapper"}


def test_public_name_is_defined_once() -> None:
    defined = defaultdict(set)
    for path in SOURCES:
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
                defined[node.name].add(name_of(path))

    shared = {name: paths for name, paths in defined.items() if len(paths) > 1}
    assert {name: paths for name, paths in shared.items() if name not in SHARED_NAMES} == {}


# Links in mails and cookies of browsers that were signed before a release hold after it.
SALTS = {
    "clusters.models.people": "clusters.invitation",
    "clusters.people.confirmation": "clusters.confirmation",
    "clusters.people.devices": "clusters.devices",
    "labels.notices.addressees": "labels.addressees",
    "labels.notices.mails": "labels.notices",
    "labels.verify.answers": "labels.verification",
    "news.subscriptions.links": "news.subscriptions",
    "news.workflow.previews": "news.previews",
}


def test_salt_stays_when_a_module_moves() -> None:
    modules = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in SOURCES]
    salts = {
        module: value
        for module, path in zip(modules, SOURCES, strict=True)
        if "SALT = " in path.read_text()
        for name, value in vars(import_module(module)).items()
        if name.endswith("SALT")
    }

    assert salts == SALTS


@pytest.mark.parametrize(
    "path", [p for p in SOURCES if "views" in (p.stem, p.parent.name)], ids=name_of
)
def test_view_asks_the_domain(path: Path) -> None:
    assert not re.findall(r"\.(?:filter|exclude|annotate|raw|save|create)\(", path.read_text())


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_mail_goes_by_the_outbox(path: Path) -> None:
    """Nothing else makes a message, and nothing waits for a commit to do so."""
    is_the_outbox = path.parent == ROOT / "clusters" / "mail"
    removes_files = path == ROOT / "config" / "privacy" / "pictures.py"

    assert (
        is_the_outbox
        or removes_files
        or not re.findall(
            r"django\.core\.mail|\bsmtplib\b|\bemail_user\(|\bon_commit\(", path.read_text()
        )
    )


CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"][
    "contracts"
]
RULES = [
    ROOT / f"{module.replace('.', '/')}.py"
    for contract in CONTRACTS
    for module in contract.get("source_modules", ())
]


@pytest.mark.parametrize(
    "path",
    [*RULES, ROOT / "clusters/completeness.py", *sorted(ROOT.glob("*/models/*.py"))],
    ids=name_of,
)
def test_rule_has_no_clock(path: Path) -> None:
    assert not re.findall(r"\b(?:today|now|localdate|localtime)\(\)", path.read_text())


@pytest.mark.parametrize("path", TEMPLATES, ids=name_of)
def test_template_has_no_inline_style_or_script(path: Path) -> None:
    text = path.read_text()

    assert not re.findall(r"\|\s*safe\b|\sstyle=|\son[a-z]+=\"|<style\b|<script>", text)


# Markup and code made of strings, what stays in the browser, what comes from other windows, and
# objects into whose prototype a name of a stranger could write.
UNSAFE_IN_A_SCRIPT = re.compile(
    r"\b(innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval|Function|localStorage"
    r"|sessionStorage|indexedDB|document\.cookie|postMessage|prototype|__proto__)\b"
    r'|"message"'
)


@pytest.mark.parametrize("path", SCRIPTS, ids=name_of)
def test_script_makes_no_markup_and_keeps_nothing(path: Path) -> None:
    assert UNSAFE_IN_A_SCRIPT.findall(path.read_text()) == []


@pytest.mark.parametrize("path", TEMPLATES, ids=name_of)
def test_template_asks_no_other_host(path: Path) -> None:
    fetched = re.findall(
        r"<(?:img|script|iframe|source)\b[^>]*\bsrc=\"(?:https?:)?//", path.read_text()
    )

    assert fetched == []


@pytest.mark.parametrize("path", TEMPLATES, ids=name_of)
def test_template_has_no_long_line(path: Path) -> None:
    lines = path.read_text().splitlines()

    assert [number for number, line in enumerate(lines, 1) if len(line) > 120] == []


@pytest.mark.parametrize("model", OWN_MODELS, ids=name_of)
def test_model_keeps_its_history(model: type[models.Model]) -> None:
    joining = {
        through
        for other in OWN_MODELS
        for relation in other._meta.many_to_many
        if (through := relation.remote_field.through) and through._meta.auto_created
    }

    assert model in joining | ONLY_GROWING | LEAVING or hasattr(model, "history")


@pytest.mark.parametrize("model", OWN_MODELS, ids=name_of)
def test_model_has_an_order(model: type[models.Model]) -> None:
    assert model._meta.ordering


@pytest.mark.parametrize("model", OWN_MODELS, ids=name_of)
def test_relation_has_a_name_back(model: type[models.Model]) -> None:
    unnamed = [
        field.name
        for field in model._meta.get_fields()
        if isinstance(field, models.ForeignKey | models.ManyToManyField)
        and not field.remote_field.related_name
    ]

    assert unnamed == []


@pytest.mark.parametrize("model", OWN_MODELS, ids=name_of)
def test_date_is_named_as_one(model: type[models.Model]) -> None:
    dates = [
        field.name
        for field in model._meta.get_fields()
        if isinstance(field, models.DateField) and not isinstance(field, models.DateTimeField)
    ]

    assert [name for name in dates if not name.endswith(("_on", "_until", "_from"))] == []


@pytest.mark.parametrize("model", OWN_MODELS, ids=name_of)
def test_moment_is_named_as_one(model: type[models.Model]) -> None:
    moments = [f.name for f in model._meta.get_fields() if isinstance(f, models.DateTimeField)]

    assert [name for name in moments if not name.endswith("_at")] == []


def test_every_text_is_translated() -> None:
    with (ROOT / "locale/it/LC_MESSAGES/django.po").open("rb") as file:
        catalogue = read_po(file, locale="it")

    missing = [
        message.id
        for message in catalogue
        if message.id
        and (
            message.fuzzy
            or not all(
                message.string if isinstance(message.string, (tuple, list)) else [message.string]
            )
        )
    ]

    assert missing == []


def test_every_translation_keeps_its_placeholders() -> None:
    with (ROOT / "locale/it/LC_MESSAGES/django.po").open("rb") as file:
        catalogue = read_po(file, locale="it")
    placeholder = re.compile(r"%\(\w+\)[sd]|%[sd%]")

    different = [
        message.id
        for message in catalogue
        if isinstance(message.id, str)
        and message.id
        and sorted(placeholder.findall(message.id))
        != sorted(placeholder.findall(str(message.string)))
    ]

    assert different == []
