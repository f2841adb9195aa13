"""Writing to those behind a record, and reporting a problem of it: no account, no cookie."""

import logging
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, TypeVar

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from clusters.contact.forms import ContactForm, OpenForm, ReportForm
from clusters.contact.messages import (
    MessageRecipient,
    recipient_of_cluster,
    recipient_of_organisation,
    relay_message,
)
from clusters.contact.reports import ReportedRecord, describe_record, receive_report
from clusters.http.limits import allow, give_back, network_address, network_of
from clusters.models import Cluster, Organisation, Programme, PublicRecord, PublicRecordQuerySet

HOUR = 60 * 60
DAY = 24 * HOUR
MAX_FROM_ONE_SENDER = 10
# From all senders together, so that nobody’s box is flooded.
MAX_ABOUT_ONE_RECORD = 20

logger = logging.getLogger(__name__)

Record = TypeVar("Record", bound=PublicRecord)
View = Callable[..., HttpResponse]


def cookieless_form(view: View) -> View:
    # The form uses no authority of a session, so it needs no token, and sets no cookie.
    return csrf_exempt(never_cache(require_http_methods(["GET", "HEAD", "POST"])(view)))


@cookieless_form
def cluster_contact(request: HttpRequest, slug: str) -> HttpResponse:
    cluster = record_at(Cluster.objects.published().with_managers(), slug)
    recipient = recipient_of_cluster(cluster, timezone.localdate())
    return contact_page(request, describe_record(cluster), recipient)


@cookieless_form
def cluster_report(request: HttpRequest, slug: str) -> HttpResponse:
    cluster = record_at(Cluster.objects.published(), slug)
    return report_page(request, describe_record(cluster))


@cookieless_form
def organisation_contact(request: HttpRequest, slug: str) -> HttpResponse:
    organisation = record_at(Organisation.objects.published(), slug)
    recipient = recipient_of_organisation(organisation)
    return contact_page(request, describe_record(organisation), recipient)


@cookieless_form
def organisation_report(request: HttpRequest, slug: str) -> HttpResponse:
    organisation = record_at(Organisation.objects.published(), slug)
    return report_page(request, describe_record(organisation))


@cookieless_form
def programme_report(request: HttpRequest, slug: str) -> HttpResponse:
    programme = record_at(Programme.objects.published(), slug)
    return report_page(request, describe_record(programme))


def record_at(rows: PublicRecordQuerySet[Record], text: str) -> Record:
    record = rows.at(text)
    if record is None:
        raise Http404
    return record


def contact_page(
    request: HttpRequest, record: ReportedRecord, recipient: MessageRecipient | None
) -> HttpResponse:
    if recipient is None:
        raise Http404
    form = ContactForm(
        request.POST or None, about=f"contact {record.public_id}", now=timezone.now()
    )

    def deliver() -> None:
        relay_message(
            record,
            recipient,
            sender=form.cleaned_data["address"],
            subject=form.cleaned_data["subject"],
            message=form.cleaned_data["message"],
            language=get_language() or "en",
        )

    return form_page(
        request,
        form,
        "contact",
        {"record": record, "crumbs": [record], "recipient": recipient.name},
        typed_address="address",
        about=recipient.address,
        deliver=deliver,
    )


def report_page(request: HttpRequest, record: ReportedRecord) -> HttpResponse:
    about = f"report {record.public_id}"
    form = ReportForm(request.POST or None, about=about, now=timezone.now())

    def deliver() -> None:
        receive_report(
            record,
            text=form.cleaned_data["text"],
            reply_address=form.cleaned_data["reply_address"],
            language=get_language() or "en",
        )

    return form_page(
        request,
        form,
        "report",
        {"record": record, "crumbs": [record]},
        typed_address="reply_address",
        about=about,
        deliver=deliver,
    )


def form_page(
    request: HttpRequest,
    form: OpenForm,
    name: str,
    context: dict[str, Any],
    *,
    typed_address: str,
    about: str,
    deliver: Callable[[], object],
) -> HttpResponse:
    """Show the form, deliver what was sent, and say at `?sent` that it was.

    `typed_address` is the form's field with the sender's address, `about` what the limits count.
    """
    # First: to load the thanks again sends nothing.
    if "sent" in request.GET:
        return TemplateResponse(request, f"clusters/{name}_sent.html", context)
    status = HTTPStatus.OK
    # Who switches the language keeps what is typed, and has sent nothing.
    if form.is_bound and "switch_language" not in request.POST:
        status = deliver_form(
            request, form, typed_address=typed_address, about=about, deliver=deliver
        )
    if status == HTTPStatus.FOUND:
        return redirect(f"{request.path}?sent")
    seconds = {HTTPStatus.TOO_MANY_REQUESTS: HOUR, HTTPStatus.SERVICE_UNAVAILABLE: 300}.get(status)
    return TemplateResponse(
        request,
        f"clusters/{name}.html",
        {**context, "form": form, "posted_form": "open-form" if form.is_bound else ""},
        status=status,
        headers={"Retry-After": str(seconds)} if seconds else None,
    )


def deliver_form(
    request: HttpRequest,
    form: OpenForm,
    *,
    typed_address: str,
    about: str,
    deliver: Callable[[], object],
) -> HTTPStatus:
    # Deliver what was sent, once and within the limits; else the form says why not.
    if not form.is_valid():
        return HTTPStatus.BAD_REQUEST
    if form.is_from_a_machine:
        # A machine that fills every field is thanked, and learns nothing.
        return HTTPStatus.FOUND
    if not is_within_limits(request, form.cleaned_data[typed_address], about):
        form.add_error(
            None,
            _(
                "Too much was sent in the last hour. Nothing you typed is lost:"
                " wait an hour and send it again."
            ),
        )
        return HTTPStatus.TOO_MANY_REQUESTS
    # A double click, or a page sent again, is delivered once.
    if not allow("sent twice", form.fingerprint, most=1, seconds=DAY):
        return HTTPStatus.FOUND
    try:
        deliver()
    except OSError as error:
        # The text of the error may hold an address.
        logger.error("A message could not be passed on: %s", type(error).__name__)
        give_back("sent twice", form.fingerprint, most=1)
        form.add_error(
            None,
            _(
                "The message could not be sent just now, through no fault of yours."
                " Nothing you typed is lost: send it again in a few minutes."
            ),
        )
        return HTTPStatus.SERVICE_UNAVAILABLE
    return HTTPStatus.FOUND


def is_within_limits(request: HttpRequest, typed_address: str, about: str) -> bool:
    network = network_of(network_address(request))
    # In this order: what one limit refuses takes no place of the next.
    return (
        allow("message from network", network, most=MAX_FROM_ONE_SENDER, seconds=HOUR)
        and (
            not typed_address
            or allow(
                "message from address",
                typed_address.lower(),
                most=MAX_FROM_ONE_SENDER,
                seconds=HOUR,
            )
        )
        and allow("message about", about, most=MAX_ABOUT_ONE_RECORD, seconds=HOUR)
    )
