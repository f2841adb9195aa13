"""A record of the archive as a page in both languages that a browser opens from the disk.

A page says what the record says: what it has no title for is an error, not left out.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Self

from django.conf import settings
from django.utils import translation
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django_countries.fields import Country

from clusters.formats.records import Twin
from clusters.models import ClusterState, ManagementRole, MemberKind, OrganisationKind
from clusters.models.clusters import ClusterNameKind
from labels.models import STATE_NAMES, LabelKind
from news.markup import render

LANGUAGES = tuple(code for code, _name in settings.LANGUAGES)


@dataclass(frozen=True)
class Both:
    """A text in each language."""

    en: str
    it: str

    @classmethod
    def told(cls, tell: Callable[[], str]) -> Self:
        found = []
        for language in ("en", "it"):
            with translation.override(language):
                found.append(tell())
        return cls(*found)

    @classmethod
    def of(cls, text: Promise | str) -> Self:
        return cls.told(lambda: str(text))

    def __str__(self) -> str:
        return self.en if self.en == self.it else f"{self.en} · {self.it}"


@dataclass(frozen=True)
class Item:
    """A value: the text, where it leads, and what else is known of it."""

    text: str
    url: str = ""
    more: str = ""


@dataclass(frozen=True)
class Fact:
    title: Both
    items: list[Item]


@dataclass(frozen=True)
class Text:
    """What a record says in one language; `body` was Markdown."""

    language: str
    title: str
    lead: str
    paragraphs: str
    body: SafeString
    box_title: str
    box: SafeString
    contact: str


# The folder to which a value leads, by its name.
FOLDERS = {
    "cluster": "clusters",
    "clusters": "clusters",
    "lineage": "clusters",
    "managers": "organisations",
    "managers_over_time": "organisations",
    "organisations": "organisations",
    "owner": "organisations",
    "shareholders": "organisations",
    "shares": "organisations",
    "contact_organisation": "organisations",
    "programmes": "programmes",
    "participations": "programmes",
    "label": "labels",
    "labels": "labels",
    "level": "levels",
    "required_levels": "levels",
    "portfolio": "portfolios",
    "region": "regions",
}
TITLES: Mapping[str, Promise] = {
    "id": _("Number"),
    "url": _("Page in the register"),
    "on": _("As of"),
    "name": _("Name"),
    "other_names": _("Other names"),
    "former_names": _("Former names"),
    "state": _("State"),
    "country": _("Country"),
    "region": _("Region"),
    "town": _("Town"),
    "latitude": _("Latitude"),
    "longitude": _("Longitude"),
    "portfolio": _("Portfolio"),
    "managers": _("Managing organisations"),
    "managers_over_time": _("Managing organisations over time"),
    "founded_on": _("Founded"),
    "members": _("Members"),
    "membership_counts": _("Members over time"),
    "counted_on": _("Counted"),
    "number": _("How many"),
    "label": _("Label"),
    "programmes": _("Programmes"),
    "participations": _("Programmes over time"),
    "lineage": _("Mergers and splits"),
    "website": _("Web site"),
    "eccp_url": _("ECCP profile"),
    "contact_address": _("Contact address"),
    "confirmed_on": _("Last confirmed"),
    "kind": _("Kind"),
    "legal_form": _("Legal form"),
    "vat_number": _("VAT number"),
    "lei": _("Legal Entity Identifier"),
    "clusters": _("Clusters"),
    "shareholders": _("Shareholders"),
    "happened_on": _("When"),
    "shares": _("Holds shares of"),
    "owner": _("Programme owner"),
    "started_on": _("From"),
    "ended_on": _("Until"),
    "required_levels": _("Required levels"),
    "required_from": _("Required from"),
    "required_until": _("Required until"),
    "source": _("Source"),
    "level": _("Level"),
    "official_wording": _("Official wording"),
    "cluster": _("Cluster"),
    "managing_organisation": _("Managing organisation"),
    "assessed_on": _("Assessed"),
    "awarded_on": _("Awarded"),
    "announced_on": _("Announced"),
    "valid_until": _("Printed end"),
    "starts_on": _("Valid from"),
    "ends_on": _("Valid until"),
    "renewable_until": _("Renewable until"),
    "extended_until": _("Extended until"),
    "transferred_on": _("Transferred on"),
    "transferred_to": _("Transferred to"),
    "transferred_from": _("Transferred from"),
    "start_is_computed": _("First day is computed"),
    "end_is_computed": _("Last day is computed"),
    "rule_of": _("Rule of"),
    "awarded_by": _("Awarded by"),
    "score": _("Score"),
    "certificate_number": _("Certificate number"),
    "published_at": _("Published"),
    "organisations": _("Organisations"),
    "labels": _("Labels"),
    "contact_organisation": _("Organisation to contact"),
    "rank": _("Rank"),
    "rules": _("Rules"),
    "effective_from": _("In force from"),
    "first_months": _("Months of first validity"),
    "renewal_months": _("Months of a renewal"),
    "renewal_window_months": _("Months for a late renewal"),
    "ends_at_month_end": _("Ends with the month"),
    "minimum_score": _("Minimum score"),
    "is_confirmed": _("Confirmed by a source"),
}
RELATIONS: Mapping[str, Promise] = {
    "merged_into": _("this one merged into it"),
    "merged_from": _("merged into this one"),
    "split_from": _("this one split from it"),
    "split_into": _("split from this one"),
}
ROLES = dict(ManagementRole.choices)
# Values in words, by where they stand: in a record of this kind, or in a list of that name.
WORDS: Mapping[tuple[str, str], Mapping[Any, Any]] = {
    ("clusters", "state"): dict(ClusterState.choices),
    ("label", "state"): STATE_NAMES,
    ("labels", "state"): STATE_NAMES,
    ("labels", "kind"): dict(LabelKind.choices),
    ("organisations", "kind"): dict(OrganisationKind.choices),
    ("other_names", "kind"): dict(ClusterNameKind.choices),
    ("managers", "role"): ROLES,
    ("managers_over_time", "role"): ROLES,
    ("clusters", "role"): ROLES,
    ("membership_counts", "kind"): dict(MemberKind.choices),
    ("lineage", "relation"): RELATIONS,
}
# What a page tells in its own place.
ELSEWHERE = {"texts", "name", "name_en", "name_it"}
TEXTS_IN = ("description", "process")
NAMED_BY = ("name", "name_en", "level")
HIDDEN_IN_ITEMS = {"id", "code", "url", "language", "name", "name_en", "name_it"}


def title_of(kind: str, record: Twin) -> str:
    if kind == "labels":
        return f"{record['level'].capitalize()} – {record['cluster']['name']}"
    if kind == "announcements":
        texts = {text["language"]: text["title"] for text in record["texts"]}
        return str(texts.get("en") or next(iter(texts.values())))
    return str(record.get("name") or Both(record["name_en"], record["name_it"]))


def facts_of(kind: str, record: Twin) -> Iterator[Fact]:
    for name, value in record.items():
        is_text = name.endswith(("_en", "_it")) and name[:-3] in TEXTS_IN
        if name in ELSEWHERE or is_text or value in (None, "", []):
            continue
        values = value if isinstance(value, list) else [value]
        items = [item_of(kind, name, one) for one in values]
        yield Fact(both(TITLES[name]), items)


def item_of(kind: str, name: str, value: Any) -> Item:
    if not isinstance(value, dict):
        return scalar_item(kind, name, value)
    identity = value.get("id") or value.get("code")
    if name == "required_levels":
        identity = value["level"]
    folder = FOLDERS.get(name)
    title = next((value[key] for key in NAMED_BY if value.get(key)), "")
    if value.get("name_it"):
        title = str(Both(value["name_en"], value["name_it"]))
    more = ", ".join(
        described(name, key, inner)
        for key, inner in value.items()
        if key not in HIDDEN_IN_ITEMS and inner not in (None, title)
    )
    url = f"../{folder}/{identity}.html" if folder and identity else ""
    return Item(str(title), url, more)


def scalar_item(kind: str, name: str, value: Any) -> Item:
    text = in_words(kind, name, value)
    if name in FOLDERS:
        return Item(text, f"../{FOLDERS[name]}/{value}.html")
    return Item(text, text if text.startswith(("https://", "http://")) else "")


def described(kind: str, name: str, value: Any) -> str:
    """“from 2015”; a role or a relation speaks for itself."""
    words = in_words(kind, name, value)
    return words if (kind, name) in WORDS else f"{both(TITLES[name])}: {words}"


def in_words(kind: str, name: str, value: Any) -> str:
    if isinstance(value, bool):
        return str(both(YES if value else NO))
    if name == "country":
        return str(country_named(value))
    words = WORDS.get((kind, name), {})
    return str(both(words[value])) if value in words else str(value)


def texts_of(record: Twin) -> list[Text]:
    """Those that say more than a name."""
    texts = record.get("texts") or [
        {"language": language, "description": record.get(f"{name}_{language}") or ""}
        for language in LANGUAGES
        for name in TEXTS_IN
    ]
    found = [text_of(text) for text in texts]
    return [text for text in found if any((text.lead, text.paragraphs, text.body))]


def text_of(text: Twin) -> Text:
    return Text(
        language=text["language"],
        title=text.get("title", ""),
        lead=text.get("lead") or text.get("tagline") or "",
        paragraphs=text.get("description", ""),
        body=render(text.get("body", ""), first_heading=3),
        box_title=text.get("box_title", ""),
        box=render(text.get("box", ""), first_heading=4),
        contact=text.get("contact", ""),
    )


YES, NO = _("yes"), _("no")


@cache
def country_named(code: str) -> Both:
    return Both.told(lambda: str(Country(code).name))


@cache
def both(text: Any) -> Both:
    return Both.of(text)
