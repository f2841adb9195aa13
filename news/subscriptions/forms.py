"""What a subscriber chooses, and signing up."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.text import capfirst
from django.utils.translation import get_language_info
from django.utils.translation import gettext_lazy as _

from clusters.contact.forms import NO_ADDRESS, AddressField, OpenForm, ProseField
from clusters.http.links import country_names
from clusters.models import Cluster
from clusters.names import normal_name
from news.models import FollowedKind, Rhythm, Topic
from news.models.subscriptions import MOST_CHOSEN, every_kind, normal_address

MAX_ADDRESS = 254
CHOSEN = ("language", "rhythm", "kinds", "clusters", "topics", "countries")


def offered_languages() -> list[tuple[str, str]]:
    # Each by its own name, as in the switch of languages.
    return [
        (code, capfirst(str(get_language_info(code)["name_local"])))
        for code, _name in settings.LANGUAGES
    ]


def kinds() -> list[tuple[str, str]]:
    return [(kind.value, capfirst(str(kind.label))) for kind in FollowedKind]


def rhythms() -> list[tuple[str, str]]:
    return [(rhythm.value, capfirst(str(rhythm.label))) for rhythm in Rhythm]


def countries_of_clusters() -> list[tuple[str, str]]:
    names = country_names()
    codes = set(Cluster.objects.published().order_by().values_list("country", flat=True))
    return sorted(
        ((str(code), names[str(code)]) for code in codes if code), key=lambda pair: pair[1]
    )


def clusters_called(names: Sequence[str]) -> dict[str, list[Cluster]]:
    """By name as typed the published clusters that it means: by name, else by address or number.

    Five queries at most.
    """
    published = Cluster.objects.published()
    by_name: dict[str, list[Cluster]] = {}
    for cluster in published.filter(normal_name__in={*map(normal_name, names)}).order_by("pk"):
        by_name.setdefault(cluster.normal_name, []).append(cluster)
    found = {name: by_name.get(normal_name(name), []) for name in names}
    keys = published.keys_at({name.lower() for name in names if not found[name]})
    by_key = published.in_bulk(set(keys.values()))
    return {name: found[name] or list_of(by_key, keys.get(name.lower())) for name in names}


def list_of(by_key: dict[int, Cluster], key: int | None) -> list[Cluster]:
    return [by_key[key]] if key in by_key else []


class ClustersField(ProseField):
    """A cluster on each line; cleaned to their public ids."""

    def clean(self, value: Any) -> list[str]:
        lines = [line.strip() for line in super().clean(value).split("\n")]
        names = [*dict.fromkeys(filter(None, lines))]
        if len(names) > MOST_CHOSEN:
            raise ValidationError(
                _("At most %(number)s clusters, please."), params={"number": MOST_CHOSEN}
            )
        found = clusters_called(names)
        problems = [problem for name in names for problem in self.problems_of(name, found[name])]
        if problems:
            raise ValidationError(problems)
        return [*dict.fromkeys(found[name][0].public_id for name in names)]

    def problems_of(self, name: str, clusters: list[Cluster]) -> list[ValidationError]:
        if len(clusters) == 1:
            return []
        message = (
            _("Several clusters are called “%(name)s”: write the number of one, %(numbers)s.")
            if clusters
            else _("There is no cluster “%(name)s”: write it as its page does.")
        )
        numbers = ", ".join(cluster.public_id for cluster in clusters)
        return [ValidationError(message, params={"name": name[:60], "numbers": numbers})]


class TopicsField(forms.ModelMultipleChoiceField):
    def clean(self, value: Any) -> list[int]:  # type: ignore[override]
        return sorted(topic.pk for topic in super().clean(value))


class ChoiceForm(forms.Form):
    kinds = forms.MultipleChoiceField(
        label=_("What you want to hear of"),
        choices=kinds,
        widget=forms.CheckboxSelectMultiple,
        initial=every_kind,
        error_messages={"required": _("Choose one at least.")},
    )
    rhythm = forms.ChoiceField(
        label=_("How often"),
        choices=rhythms,
        widget=forms.RadioSelect,
        initial=Rhythm.WEEKLY,
        help_text=_("No mail comes where there is nothing to tell."),
    )
    clusters = ClustersField(
        label=_("Clusters"),
        required=False,
        max_length=10_000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("The name of one on each line. Empty: all clusters."),
    )
    topics = TopicsField(
        label=_("Topics"),
        queryset=Topic.objects.all(),
        to_field_name="slug",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("None: all topics. Changes of labels have no topic and come in any case."),
    )
    countries = forms.MultipleChoiceField(
        label=_("Countries"),
        choices=countries_of_clusters,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("None: all countries."),
    )
    language = forms.ChoiceField(
        label=_("Language of the mails"),
        choices=offered_languages,
        widget=forms.RadioSelect,
        help_text=_(
            "Where an announcement is written in the other language only, the mail says so."
        ),
    )

    @property
    def chosen(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in CHOSEN}


class NormalAddressField(AddressField):
    def clean(self, value: Any) -> str:
        try:
            address = normal_address(super().clean(value))
        except UnicodeError as error:
            raise ValidationError(NO_ADDRESS) from error
        # The domain is longer in the letters of a mail server.
        if len(address) > MAX_ADDRESS:
            raise ValidationError(NO_ADDRESS)
        return address


class SignUpForm(OpenForm, ChoiceForm):
    address = NormalAddressField(
        label=_("Your e-mail address"),
        max_length=MAX_ADDRESS,
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
        help_text=_("It gets a link first: nothing else is sent before you have confirmed."),
    )
    field_order = ("address",)
