"""One name, however it is spelt: the normal form, and every place where names meet."""

import ast
import json
import unicodedata
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import connection, models
from django.http import QueryDict
from django.test import RequestFactory
from django.utils import timezone
from hypothesis import example, given
from hypothesis import strategies as st

from clusters.admin.lists import ASCII_FIELDS, ASCII_NAMES
from clusters.fields import NameField, NormalNameField
from clusters.fulltext import clusters_matching, records_matching
from clusters.models import Cluster, ClusterName, Organisation, OrganisationName, Region
from clusters.models.addresses import slug_for
from clusters.models.records import NamedQuerySet
from clusters.names import (
    ALPHABET,
    LENGTH,
    invisible_characters,
    new_public_id,
    normal_name,
    plain_letter,
)
from clusters.tables.duplicates import DuplicateFinder, Identity
from clusters.tables.regions import RegionFinder
from labels.importing.lines import COLUMNS
from labels.models import Label
from labels.register.holdings import directory
from labels.register.query import RegisterQuery
from labels.verify.lookup import verify
from tests.factories import make_account, make_cluster, make_label, make_organisation

ROOT = Path(settings.BASE_DIR)

# A name and other spellings of it.
SPELLINGS = {
    "Distretto dell'Aria": [
        "Distretto dell’Aria",
        "distretto  DELL\u02bcARIA",
        "Distretto\u2011dell\u2032Aria",
        "Distretto\u00a0dell'Aria",
        "\uff24istretto dell\uff07Aria",
    ],
    "bioPmed": ["bio\u00adPmed", "BIO\u200bPMED", "bioP\u2060med\ufeff", "\u200ebioPmed\u202c"],
    "Łódź Klaster": ["lodz klaster", "ŁÓDŹ – KLASTER", "Lo\u0301dz\u0301-Klaster"],
    "Düsseldorf Verbund": [
        "dusseldorf verbund",
        "DÜSSELDORF\u2010VERBUND",
        "Du\u0308sseldorf Verbund",
    ],
    "Ørsted Ærø": ["orsted aero", "ØRSTED ÆRØ"],
    "İZMİR TEKNOLOJİ KÜMESİ": ["izmir teknoloji kümesi", "Izmir Teknoloji Kumesi"],
    "Ёлка Край": ["елка край", "ЁЛКА КРАИ", "Елка Край"],
    "Straße Großer": ["STRASSE GROSSER", "strasse großer", "STRAẞE GROẞER"],
    "œuvre đakovo": ["OEUVRE ĐAKOVO", "Oeuvre Dakovo"],
}
PAIRS = [(name, other) for name, others in SPELLINGS.items() for other in others]


# The normal form


@pytest.mark.parametrize(("name", "other"), PAIRS)
def test_spellings_have_one_normal_form(name: str, other: str) -> None:
    assert normal_name(name) == normal_name(other)


@pytest.mark.parametrize(
    ("name", "other"),
    [("bioPmed", "bio pmed"), ("A_B", "A B"), ("C+", "C"), ("Polo 1", "Polo 2"), ("'", '"')],
)
def test_other_names_have_another_normal_form(name: str, other: str) -> None:
    assert normal_name(name) != normal_name(other)


texts = st.text(max_size=40)


@given(texts)
@example("ŉ \u00b4 ﷺ \u0345 각 \u09c7\u09be")
def test_normal_form_is_its_own(text: str) -> None:
    assert normal_name(normal_name(text)) == normal_name(text)


def test_normal_form_of_each_character_is_its_own() -> None:
    differing = [
        letter
        for letter in map(chr, (*range(0xD800), *range(0xE000, 0x110000)))
        if "".join(map(plain_letter, plain := plain_letter(letter))) != plain
    ]

    assert differing == []


# What leaves a name the name it is.
CHANGES: dict[str, Callable[[str], str]] = {
    "lower case": str.lower,
    "upper case": str.upper,
    "composed": lambda text: unicodedata.normalize("NFC", text),
    "decomposed": lambda text: unicodedata.normalize("NFD", text),
    "compatible": lambda text: unicodedata.normalize("NFKC", text),
    "more spaces": lambda text: text.replace(" ", " \u2009 "),
    "hyphens": lambda text: text.replace(" ", "\u2011"),
    "dash": lambda text: text.replace(" ", " – "),
    "apostrophe": lambda text: text.replace("'", "’"),
    "quotes": lambda text: text.replace('"', "„"),
    "soft hyphens": lambda text: "\u00ad".join(text),
    "zero width": lambda text: f"\u200b{text}\ufeff",
    "direction": lambda text: f"\u202b{text}\u202c",
}
letters = st.sampled_from("aZ9 '\"ąÇéèîłŁñÖőøØŠßÞþæÆœŒđĐðıİёЁйЙαΆς日が한\u2010ﬁ\uff21")


@given(st.text(letters, min_size=1), st.lists(st.sampled_from(sorted(CHANGES)), max_size=4))
def test_changes_leave_the_normal_form(name: str, changes: list[str]) -> None:
    other = name
    for change in changes:
        other = CHANGES[change](other)

    assert normal_name(other) == normal_name(name)


@pytest.mark.django_db
def test_database_folds_like_the_rule() -> None:
    letters = [chr(n) for n in (*range(0x20, 0x7F), *range(0xA0, 0xD800), *range(0xE000, 0x10000))]
    statement = (
        "SELECT value, normal_name('a' || value || 'b') FROM json_each(%s)"
        if connection.vendor == "sqlite"
        else "SELECT value, normal_name('a' || value || 'b') "
        "FROM json_array_elements_text(%s::json) AS value"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [json.dumps(letters)])
        rows = cursor.fetchall()

    assert [(a, plain) for a, plain in rows if plain != normal_name(f"a{a}b")] == []
    assert len(rows) == len(letters)


# Every place where names meet


def found_in_admin(model: type[models.Model], text: str) -> list[Any]:
    request = RequestFactory().get("/admin/")
    request.user = make_account(is_superuser=True)
    model_admin = admin.site._registry[model]
    rows, _may_repeat = model_admin.get_search_results(request, model._default_manager.all(), text)
    return list(rows)


def found_by_import(cluster: Cluster, text: str, tmp_path: Path) -> list[Cluster]:
    # Characters that are not seen are refused in a file, as in a form.
    file = tmp_path / "register.csv"
    values = dict.fromkeys(COLUMNS, "")
    values |= {"cluster": text, "country_code": "IT", "label_level": "Bronze"}
    line = ",".join(values.values())
    file.write_text(f"{','.join(COLUMNS)}\n{line}\n", encoding="utf-8")
    try:
        call_command("import_register", file, stdout=StringIO())
    except CommandError:
        assert any(invisible_characters(text))
        return [cluster]
    return list(Cluster.objects.filter(labels__level="bronze"))


def found_as_duplicate(cluster: Cluster, text: str) -> list[Cluster]:
    line = Identity(-1, (text,))
    found = DuplicateFinder([Identity(cluster.pk, (cluster.name,))], [line])
    return [cluster for _duplicate in found.find_duplicates(line)]


def found_in_directory(text: str) -> list[Cluster]:
    query = QueryDict(mutable=True)
    query["q"] = text
    answer = directory(query, "/en/clusters/", timezone.localdate())
    assert answer.words == " ".join(text.split())
    return list(Cluster.objects.filter(pk__in=[*answer.keys()]))


def found_near(text: str) -> list[Cluster]:
    query = QueryDict(mutable=True)
    query["near"] = text
    answer = directory(query, "/en/clusters/", timezone.localdate())
    assert answer.problems == []
    return list(Cluster.objects.filter(pk__in=[*answer.keys()]))


PLACES: dict[str, Callable[[Cluster, str, Path], list[Any]]] = {
    "verification": lambda cluster, text, path: [
        *{label.cluster for label in verify(text, timezone.localdate()).labels}
    ],
    "register": lambda cluster, text, path: [
        label.cluster for label in RegisterQuery(words=text).searched()
    ],
    "certificate": lambda cluster, text, path: [
        label.cluster for label in Label.objects.numbered(text)
    ],
    "directory": lambda cluster, text, path: found_in_directory(text),
    "towns": lambda cluster, text, path: found_near(text),
    "duplicates": lambda cluster, text, path: found_as_duplicate(cluster, text),
    "admin": lambda cluster, text, path: found_in_admin(Cluster, text),
    "admin of labels": lambda cluster, text, path: [
        label.cluster for label in found_in_admin(Label, text)
    ],
    "address": lambda cluster, text, path: [
        row for row in [cluster] if slug_for(text, fallback="") == slug_for(row.name, fallback="")
    ],
    "import": found_by_import,  # the last: it adds a label
}


@pytest.mark.django_db
@pytest.mark.parametrize(("name", "other"), PAIRS)
def test_every_place_finds_the_name_in_another_spelling(
    name: str, other: str, tmp_path: Path
) -> None:
    make_label(cluster=make_cluster(name="Unrelated", town="Elsewhere"))
    cluster = make_cluster(name=name, town=name, latitude="45.1", longitude="7.7")
    label = make_label(cluster=cluster, certificate_number=name)

    found = {place: find(cluster, other, tmp_path) for place, find in PLACES.items()}

    assert found == {place: [label.cluster] for place in PLACES}


@pytest.mark.django_db
@pytest.mark.parametrize(("name", "other"), PAIRS)
def test_former_names_and_organisations_are_found_too(name: str, other: str) -> None:
    cluster, organisation = make_cluster(), make_organisation()
    ClusterName.objects.create(cluster=cluster, name=name)
    OrganisationName.objects.create(organisation=organisation, name=name)
    day = timezone.localdate()

    answer = verify(other, day)

    assert (answer.clusters_without_labels, answer.organisations) == ([cluster], [organisation])
    assert [key for key, _tier in clusters_matching(other)] == [cluster.pk]
    assert records_matching("organisation", other, 9) == [organisation.pk]
    assert found_in_admin(Organisation, other) == [organisation]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("bioPmed", "bio pmed"),
        ("bioPmed", "BIO-PMED"),
        ("bio pmed", "biopmed"),
        ("Agri Food Tech", "agrifood tech"),
        ("Agri Food Tech", "agrifoodtech"),
        ("AgriFood Tech", "agri food tech"),
    ],
)
def test_words_written_together_or_apart_are_found(name: str, words: str) -> None:
    cluster = make_cluster(name=name)

    assert [key for key, _tier in clusters_matching(words)] == [cluster.pk]


@pytest.mark.django_db
def test_empty_certificate_number_is_found_by_nothing() -> None:
    make_label()

    assert (list(Label.objects.numbered("–")), verify("–", timezone.localdate()).labels) == ([], [])


# Regions


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("country", "text", "code"),
    [
        ("IT", "Valle d'Aosta/Vallée d'Aoste", "IT-23"),
        ("IT", "VALLE D’AOSTA", "IT-23"),
        ("IT", "Emilia  romagna", "IT-45"),
        ("IT", "ITC1", "IT-21"),
        ("IT", "Sicilia (Sicily)", "IT-82"),
        ("ES", "Andalucia", "ES-AN"),
        ("FR", "ILE DE FRANCE", "FR-IDF"),
        ("PL", "lodzkie", "PL-10"),
        ("DK", "Sjaelland", "DK-85"),
    ],
)
def test_region_is_found_in_another_spelling(country: str, text: str, code: str) -> None:
    assert RegionFinder().find(country, text) == Region.objects.get(code=code).pk


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("country", "text"), [("FR", "ITC1"), ("IT", "–"), ("IT", ""), ("IT", "Piemonte/Lombardia")]
)
def test_no_region_is_guessed(country: str, text: str) -> None:
    assert RegionFinder().find(country, text) is None


@pytest.mark.django_db
def test_region_in_another_spelling_is_no_second_one() -> None:
    with pytest.raises(ValidationError, match="already"):
        Region(country="IT", name="PIÉMONTE").full_clean()


# What is stored

MODELS = [
    model
    for model in apps.get_models()
    if model._meta.app_label in ("clusters", "labels", "news")
    and not model.__name__.startswith("Historical")
]
NORMAL = [
    (model, field)
    for model in MODELS
    for field in model._meta.concrete_fields
    if isinstance(field, NormalNameField)
]
# No names: they are made by the portal, or of what is a name already.
NOT_TYPED = {"record_name"}


def test_name_is_a_field_of_its_own_kind() -> None:
    words = {"name", "title", "town"}
    plain = [
        f"{model.__name__}.{field.name}"
        for model in MODELS
        for field in model._meta.concrete_fields
        if words & {*field.name.split("_")} and field.name not in NOT_TYPED
        if isinstance(field, models.CharField | models.TextField)
        if not isinstance(field, NameField | NormalNameField)
    ]

    assert plain == []


@pytest.mark.parametrize(
    ("model", "field"),
    [(m, f) for m in MODELS for f in m._meta.concrete_fields if isinstance(f, NameField)],
    ids=lambda value: getattr(value, "__name__", getattr(value, "name", "")),
)
@pytest.mark.parametrize("letter", ["\u00ad", "\u200b", "\u2060", "\u202e", "\ufeff"])
def test_invisible_character_is_refused_by_its_name(
    model: type[models.Model], field: NameField, letter: str
) -> None:
    with pytest.raises(ValidationError, match=unicodedata.name(letter)):
        field.clean(f"bio{letter}Pmed", None)


@pytest.mark.parametrize("name", ["Łódź – Klaster", "می‌خواهم", "क्‍ष", "日本 クラスター"])
def test_letters_of_any_script_are_a_name(name: str) -> None:
    assert list(invisible_characters(name)) == []


@pytest.mark.parametrize(("model", "field"), NORMAL)
def test_normal_name_is_no_fact_of_its_own(model: Any, field: NormalNameField) -> None:
    assert not field.editable
    assert field.name not in {f.name for f in model.history.model._meta.get_fields()}


@pytest.mark.django_db
def test_normal_name_follows_every_write() -> None:
    cluster, other = make_cluster(name="Łódź"), make_cluster()
    cluster.name = "Ørsted"
    cluster.save()
    Cluster.objects.filter(pk=other.pk).update(name="Düsseldorf")
    assert Cluster.objects.get(normal_name="ORSTED") == cluster
    assert Cluster.objects.get(normal_name="DÜSSELDORF") == other
    cluster.name = "Ærø"
    Cluster.objects.bulk_update([cluster], ["name"])
    assert Cluster.objects.get(normal_name="aero") == cluster
    [made] = Cluster.objects.bulk_create([Cluster(name="Đakovo", slug="x", country="HR")])
    assert Cluster.objects.get(normal_name="dakovo") == made
    with pytest.raises(TypeError, match="as text"):
        Cluster.objects.update(name=models.F("town"))


def test_no_write_goes_around_the_normal_name() -> None:
    # Neither `update_fields` nor the base manager, nor SQL, writes the source alone.
    sources = {field.source for _model, field in NORMAL}
    found = []
    for app in ("clusters", "labels", "news", "config"):
        for path in (ROOT / app).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.keyword) and node.arg == "update_fields":
                    named = {n.value for n in ast.walk(node) if isinstance(n, ast.Constant)}
                    found += [path] if named & sources else []
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                    is_base = "_base_manager" in ast.unparse(node.func)
                    text = ast.unparse(node)
                    if node.func.attr == "update" and is_base and "with_normal_names" not in text:
                        found.append(path)

    assert found == []


@pytest.mark.parametrize(("model", "field"), NORMAL)
def test_update_knows_of_the_normal_name(model: Any, field: NormalNameField) -> None:
    # A certificate's number is written by the steps of a label's life only, which save it.
    assert model is Label or isinstance(model._default_manager.all(), NamedQuerySet)


# Admin

SEARCHED = [
    (model, model_admin)
    for model, model_admin in admin.site._registry.items()
    if model_admin.search_fields and model._meta.app_label in ("clusters", "labels", "news")
]


@pytest.mark.django_db
@pytest.mark.parametrize(("model", "model_admin"), SEARCHED, ids=lambda value: str(value)[:40])
def test_admin_searches_every_text_in_its_normal_form(model: Any, model_admin: Any) -> None:
    request = RequestFactory().get("/")
    request.user = make_account(is_superuser=True)
    for path in model_admin.get_search_fields(request):
        *parents, last = path.split("__")
        if last == "holds":
            continue
        owner = model
        for parent in parents:
            owner = owner._meta.get_field(parent).related_model
        field = owner._meta.get_field(last)
        assert isinstance(field, ASCII_FIELDS) or field.name in ASCII_NAMES, path


# Addresses and numbers


def test_public_id_has_letters_that_can_be_read_out() -> None:
    public_id = new_public_id()

    assert len(public_id) == LENGTH
    assert set(public_id) <= set(ALPHABET)


def test_public_ids_differ() -> None:
    assert len({new_public_id() for _ in range(1000)}) == 1000


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("bioPmed", "biopmed"),
        ("Pôle Énergie & Eau", "pole-energie-eau"),
        ("Łódź", "lodz"),
        ("Кластер", "klaster"),
        ("!!!", "8b2c9d3f"),
        ("a" * 200, "a" * 80),
    ],
)
def test_slug_is_readable_ascii(text: str, expected: str) -> None:
    assert slug_for(text, fallback="8B2C9D3F") == expected
