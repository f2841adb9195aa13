"""Writing to those behind a record, and reporting a problem of it: no account, no cookie."""

import logging
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, TypeVar

from django.db.models import Model, QuerySet
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
from clusters.contact.messages import Recipient, relay, to_cluster, to_organisation
from clusters.contact.reports import Record, receive, record_of
from clusters.http.limits import allow, give_back, network_address, network_of
from clusters.models import Cluster, Organisation, Programme, RecordKind
from clusters.public_ids import formerly_at

HOUR = 60 * 60
DAY = 24 * HOUR
MOST_FROM_ONE_SENDER = 10
MOST_ABOUT_ONE_RECORD = 20

logger = logging.getLogger(__name__)

AnyModel = TypeVar("AnyModel", bound=Model)
View = Callable[..., HttpResponse]


def open_form(view: View) -> View:
    """A page whose form uses no authority of a session: it needs no token, and sets no cookie."""
    return csrf_exempt(never_cache(require_http_methods(["GET", "HEAD", "POST"])(view)))


@open_form
def cluster_contact(request: HttpRequest, slug: str) -> HttpResponse:
    cluster = found_at(Cluster.objects.published().with_managers(), slug)
    recipient = to_cluster(cluster, timezone.localdate())
    return contact(request, record_of(RecordKind.CLUSTER, cluster), recipient)


@open_form
def cluster_report(request: HttpRequest, slug: str) -> HttpResponse:
    cluster = found_at(Cluster.objects.published(), slug)
    return report(request, record_of(RecordKind.CLUSTER, cluster))


@open_form
def organisation_contact(request: HttpRequest, slug: str) -> HttpResponse:
    organisation = found_at(Organisation.objects.published(), slug)
    record = record_of(RecordKind.ORGANISATION, organisation)
    return contact(request, record, to_organisation(organisation))


@open_form
def organisation_report(request: HttpRequest, slug: str) -> HttpResponse:
    organisation = found_at(Organisation.objects.published(), slug)
    return report(request, record_of(RecordKind.ORGANISATION, organisation))


@open_form
def programme_report(request: HttpRequest, slug: str) -> HttpResponse:
    programme = found_at(Programme.objects.published(), slug)
    return report(request, record_of(RecordKind.PROGRAMME, programme))


def found_at(rows: QuerySet[AnyModel], slug: str) -> AnyModel:
    """The row at the address, or once there; else 404."""
    try:
        return rows.get(slug=slug)
    except rows.model.DoesNotExist:  # type: ignore[attr-defined]
        row = formerly_at(rows, slug)
    if row is None:
        raise Http404
    return row


def contact(request: HttpRequest, record: Record, recipient: Recipient | None) -> HttpResponse:
    """The form that writes to the recipient; 404 where there is nobody to write to."""
    if recipient is None:
        raise Http404
    context = {"record": record, "crumbs": [record], "recipient": recipient.name}
    if "sent" in request.GET:
        return TemplateResponse(request, "clusters/contact_sent.html", context)
    form = ContactForm(
        request.POST or None, about=f"contact {record.public_id}", now=timezone.now()
    )
    status = HTTPStatus.OK
    if form.is_bound:
        status = outcome(
            request,
            form,
            typed_address="address",
            about=recipient.address,
            deliver=lambda: relay(
                record,
                recipient,
                sender=form.cleaned_data["address"],
                subject=form.cleaned_data["subject"],
                message=form.cleaned_data["message"],
                language=get_language() or "en",
            ),
        )
    return answer(request, "clusters/contact.html", form, status, context)


def report(request: HttpRequest, record: Record) -> HttpResponse:
    """The form that tells the secretariat of a problem."""
    context = {"record": record, "crumbs": [record]}
    if "sent" in request.GET:
        return TemplateResponse(request, "clusters/report_sent.html", context)
    form = ReportForm(request.POST or None, about=f"report {record.public_id}", now=timezone.now())
    status = HTTPStatus.OK
    if form.is_bound:
        status = outcome(
            request,
            form,
            typed_address="reply_address",
            about=f"report {record.public_id}",
            deliver=lambda: receive(
                record,
                text=form.cleaned_data["text"],
                reply_address=form.cleaned_data["reply_address"],
                language=get_language() or "en",
            ),
        )
    return answer(request, "clusters/report.html", form, status, context)


def outcome(
    request: HttpRequest,
    form: OpenForm,
    *,
    typed_address: str,
    about: str,
    deliver: Callable[[], object],
) -> HTTPStatus:
    """Deliver what was sent, once and within the limits; else the form tells why not."""
    if not form.is_valid():
        return HTTPStatus.BAD_REQUEST
    if form.is_from_a_machine:
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
    return (
        allow("message from network", network, most=MOST_FROM_ONE_SENDER, seconds=HOUR)
        and (
            not typed_address
            or allow(
                "message from address",
                typed_address.lower(),
                most=MOST_FROM_ONE_SENDER,
                seconds=HOUR,
            )
        )
        and allow("message about", about, most=MOST_ABOUT_ONE_RECORD, seconds=HOUR)
    )


def answer(
    request: HttpRequest, template: str, form: OpenForm, status: HTTPStatus, context: dict[str, Any]
) -> HttpResponse:
    if status == HTTPStatus.FOUND:
        return redirect(f"{request.path}?sent")
    waits = {HTTPStatus.TOO_MANY_REQUESTS: HOUR, HTTPStatus.SERVICE_UNAVAILABLE: 300}
    headers = {"Retry-After": str(waits[status])} if status in waits else None
    return TemplateResponse(
        request, template, {**context, "form": form}, status=status, headers=headers
    )
