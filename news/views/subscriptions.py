"""The news by mail: signing up, confirming, one's choice, stopping; no account, no cookie."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.signing import BadSignature
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from clusters.http.links import Link
from clusters.views.contact import cookieless_form, form_page
from news.lists.query import AnnouncementQuery, read_announcement_query
from news.models import Subscription, Topic
from news.subscriptions.choices import (
    choice_in_words,
    initial_of,
    initial_of_choice,
    initial_of_query,
    query_of_choice,
)
from news.subscriptions.forms import ChoiceForm, SignUpForm
from news.subscriptions.links import number_to_confirm, number_to_manage, token_of_subscription
from news.subscriptions.steps import change_choice, confirm, sign_up, stop, subscription_numbered


@cookieless_form
def subscribe(request: HttpRequest) -> HttpResponse:
    query = read_announcement_query(request.GET, list(Topic.objects.all()))
    initial = {"language": get_language(), **initial_of_query(query)}
    now = timezone.now()
    form = SignUpForm(request.POST or None, about="subscription", now=now, initial=initial)

    def deliver() -> None:
        sign_up(
            address=form.cleaned_data["address"],
            chosen=form.chosen,
            query=query_of_choice(form.chosen),
            now=now,
        )

    return form_page(
        request,
        form,
        "news/subscribe",
        {
            "section": "news",
            "crumbs": way_to_here(),
            "problems": [*query.problems, *left_out(query)],
        },
        about=f"subscription {counted_address(form)}",
        deliver=deliver,
    )


def way_to_here() -> list[Link]:
    return [Link(_("News"), reverse("news:list")), Link(_("Follow"), reverse("news:follow"))]


def left_out(query: AnnouncementQuery) -> list[str]:
    if not (query.words or query.year or query.month):
        return []
    return [_("Words, years and months cannot be followed by mail; they were left out.")]


def counted_address(form: SignUpForm) -> str:
    # Whose mail it is; what was typed wrong is refused before anything counts it.
    return str(form.cleaned_data.get("address", "")) if form.is_bound and form.is_valid() else ""


# The signed link is the authority; a GET writes nothing, as scanners of mail open it.
@cookieless_form
def confirm_subscription(request: HttpRequest, token: str) -> HttpResponse:
    with not_found_if_forged():
        number = number_to_confirm(token)
    found = subscription_numbered(number)
    if found is None:
        return ended_page(request)
    if request.method == "POST":
        confirm(found, timezone.now())
        return HttpResponseRedirect(request.path)
    return subscription_page(request, "subscription_confirm", found, choice=choice_in_words(found))


@cookieless_form
def subscription(request: HttpRequest, token: str) -> HttpResponse:
    """One's own choice; where the address holds another one, that is in the form, to be saved."""
    with not_found_if_forged():
        found = subscription_numbered(number_to_manage(token))
    if found is None:
        return ended_page(request)
    if "saved" in request.GET:
        return subscription_page(
            request, "subscription_saved", found, choice=choice_in_words(found)
        )
    proposed = initial_of_choice(request.GET)
    form = ChoiceForm(request.POST or None, initial={**initial_of(found), **proposed})
    if form.is_bound and "switch_language" not in request.POST and form.is_valid():
        change_choice(found, form.chosen)
        return HttpResponseRedirect(f"{request.path}?saved")
    context = {
        "form": form,
        "is_proposed": bool(proposed),
        "posted_form": "choice-form" if form.is_bound else "",
    }
    status = 400 if form.is_bound and form.errors else 200
    return subscription_page(request, "subscription", found, status=status, **context)


@cookieless_form
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """A GET asks; a POST stops, also that of a mail program (RFC 8058), which reads no page."""
    with not_found_if_forged():
        found = subscription_numbered(number_to_manage(token))
    if request.method != "POST":
        return subscription_page(request, "unsubscribe", found) if found else ended_page(request)
    # A second time nothing is left to do: that is no error.
    if found is not None:
        stop(found)
    return TemplateResponse(request, "news/unsubscribed.html", {"section": "news"})


@contextmanager
def not_found_if_forged() -> Iterator[None]:
    try:
        yield
    except BadSignature as error:
        raise Http404 from error


def subscription_page(
    request: HttpRequest, name: str, row: Subscription, *, status: int = 200, **context: Any
) -> HttpResponse:
    known = {
        "section": "news",
        "subscription": row,
        "manage_url": reverse("news:subscription", args=[token_of_subscription(row)]),
        "stop_url": reverse("news:unsubscribe", args=[token_of_subscription(row)]),
    }
    return TemplateResponse(request, f"news/{name}.html", {**known, **context}, status=status)


def ended_page(request: HttpRequest) -> HttpResponse:
    return TemplateResponse(
        request, "news/subscription_ended.html", {"section": "news"}, status=410
    )
