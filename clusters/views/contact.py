"""Writing to those behind a record, and reporting a problem of it: no account, no cookie."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, TypeVar

from django.db import DatabaseError
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
from clusters.http.limits import SITE_BITS, allow, give_back, network_address, network_of
from clusters.models import (
    Cluster,
    EventKind,
    Organisation,
    Programme,
    PublicRecord,
    PublicRecordQuerySet,
)
from clusters.people.log import record as record_event

HOUR = 60 * 60
DAY = 24 * HOUR
MAX_FROM_ONE_SENDER = 10
# From all senders together, so that nobody’s box is flooded; from one sender a small part of it, so
# that few cannot use it up for all others.
MAX_ABOUT_ONE_RECORD = 20
MAX_FROM_ONE_SENDER_ABOUT_ONE_RECORD = 3

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
    # Whoever sends means the recipient whose name the page showed.
    stamped = f"{record.kind} {record.public_id} {recipient.address}"
    form = ContactForm(request.POST or None, about=stamped, now=timezone.now())

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
        "clusters/contact",
        {"record": record, "crumbs": [record], "recipient": recipient.name},
        about=recipient.address,
        deliver=deliver,
    )


def report_page(request: HttpRequest, record: ReportedRecord) -> HttpResponse:
    about = f"report {record.kind} {record.public_id}"
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
        "clusters/report",
        {"record": record, "crumbs": [record]},
        about=about,
        deliver=deliver,
    )


def form_page(
    request: HttpRequest,
    form: OpenForm,
    name: str,
    context: dict[str, Any],
    *,
    about: str,
    deliver: Callable[[], object],
) -> HttpResponse:
    """Show the form of template `name`, deliver what was sent, and say at `?sent` that it was.

    `about` is what the limits count. What a page of another site sends is refused.
    """
    # First: to load the thanks again sends nothing.
    if "sent" in request.GET:
        return TemplateResponse(request, f"{name}_sent.html", context)
    if form.is_bound and is_from_another_site(request):
        return TemplateResponse(
            request, "clusters/form_of_another_site.html", {"form_url": request.path}, status=403
        )
    status = HTTPStatus.OK
    # Who switches the language keeps what is typed, and has sent nothing.
    if form.is_bound and "switch_language" not in request.POST:
        status = deliver_form(request, form, about=about, deliver=deliver)
    if status == HTTPStatus.FOUND:
        return redirect(f"{request.path}?sent")
    return TemplateResponse(
        request,
        f"{name}.html",
        {**context, "form": form, "posted_form": "open-form" if form.is_bound else ""},
        status=status,
        headers={"Retry-After": str(HOUR)} if status == HTTPStatus.TOO_MANY_REQUESTS else None,
    )


def is_from_another_site(request: HttpRequest) -> bool:
    # A browser that is too old to say, and a program, say nothing. Of "same-site" are other hosts
    # under the same domain, which may be anybody's.
    return request.headers.get("Sec-Fetch-Site", "") in ("cross-site", "same-site")


def deliver_form(
    request: HttpRequest, form: OpenForm, *, about: str, deliver: Callable[[], object]
) -> HTTPStatus:
    # Deliver what was sent, once and within the limits; else the form says why not.
    if not form.is_valid():
        return HTTPStatus.BAD_REQUEST
    if form.is_from_a_machine:
        # A machine that fills every field is thanked, and learns nothing.
        return HTTPStatus.FOUND
    if not is_within_limits(request, about):
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
    except DatabaseError:
        # Nothing was stored: the page sent again is no double click.
        give_back("sent twice", form.fingerprint, most=1)
        raise
    return HTTPStatus.FOUND


def is_within_limits(request: HttpRequest, about: str) -> bool:
    # The address that is typed counts for nothing: anybody may type anybody's.
    address = network_address(request)
    # In this order: what one limit refuses takes no place of the next.
    return (
        allow("message from network", network_of(address), most=MAX_FROM_ONE_SENDER, seconds=HOUR)
        and allow(
            "message from network about",
            f"{network_of(address, host_bits=SITE_BITS)} {about}",
            most=MAX_FROM_ONE_SENDER_ABOUT_ONE_RECORD,
            seconds=HOUR,
        )
        and (
            allow("message about", about, most=MAX_ABOUT_ONE_RECORD, seconds=HOUR)
            or log_limit_once(request, about)
        )
    )


def log_limit_once(request: HttpRequest, about: str) -> bool:
    # Nobody else reaches the recipient now: the secretariat reads in the log that it is so.
    if allow("message about: logged", about, most=1, seconds=HOUR):
        record_event(EventKind.LIMIT_REACHED, now=timezone.now(), detail=request.path)
    return False
