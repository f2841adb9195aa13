"""The pages of a record’s history: what happened to it and its parts, and the way back."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

from django.contrib import messages
from django.contrib.admin.utils import quote, unquote
from django.contrib.admin.views.main import PAGE_VAR
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext, ngettext
from simple_history.admin import SimpleHistoryAdmin

from clusters.admin.conflicts import VERSIONS
from clusters.admin.record_history import RecordHistory, RecordPart, parts_of
from clusters.admin.restoring import Restoration, RowChange, may_be_restored
from clusters.admin.versions import HistoryLine, moment_in_words
from clusters.models import EventKind
from clusters.models.history import ADMIN, Restored, came_from
from clusters.people import policy
from clusters.people.log import record

# The parameter that asks for the whole record.
WHOLE = "whole"


class HistoryAdmin(SimpleHistoryAdmin):  # type: ignore[misc]  # it comes without types
    """The list of versions, and an old one with the button that restores it."""

    object_history_template: Any = "admin/history.html"
    restore_template = "admin/restore.html"
    history_list_per_page = 50
    object_history_form_template = "admin/history_version.html"

    def history_view_title(self, request: HttpRequest, obj: Any) -> str:
        return gettext("History of %(row)s") % {"row": obj}

    def history_form_view_title(self, request: HttpRequest, obj: Any) -> str:
        return gettext("%(row)s, as it was on %(moment)s") % {
            "row": obj,
            "moment": moment_in_words(obj._history.history_date),
        }

    def revert_disabled(self, request: HttpRequest, obj: Any = None) -> bool:
        return not self.may_restore(request, obj)

    def may_restore(self, request: HttpRequest, obj: Any) -> bool:
        # What no form changes, no old version changes either.
        may: bool = self.allows(request, policy.RESTORE, obj)
        return may and bool(self.has_change_permission(request, obj))

    @property
    def is_written_by_actions(self) -> bool:
        raise NotImplementedError

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        obj = self.get_object(request, unquote(object_id))
        history = self.record_history(request, obj)
        paginator = Paginator(history.entries, self.history_list_per_page)
        page = paginator.get_page(request.GET.get(PAGE_VAR))
        lines = history.lines(page.object_list)
        context = {
            **self.page_of_record(request, obj, self.history_view_title(request, obj)),
            "page_obj": page,
            "lines": [*self.with_links(request, obj, history, page.object_list, lines)],
            "page_range": paginator.get_elided_page_range(page.number),
            "page_var": PAGE_VAR,
            "pagination_required": paginator.num_pages > 1,
        }
        return render(request, self.object_history_template, context | (extra_context or {}))

    def record_history(self, request: HttpRequest, obj: Any) -> RecordHistory:
        return RecordHistory(parts_of(self, obj), request.user, timezone.localdate())

    def page_of_record(self, request: HttpRequest, obj: Any, title: str) -> dict[str, Any]:
        return {
            **self.admin_site.each_context(request),
            "title": title,
            "object": obj,
            "opts": self.opts,
            "app_label": self.opts.app_label,
            "module_name": capfirst(str(self.opts.verbose_name_plural)),
        }

    def with_links(
        self,
        request: HttpRequest,
        obj: Any,
        history: RecordHistory,
        entries: Any,
        lines: list[HistoryLine],
    ) -> Iterator[HistoryLine]:
        # Each with the ways back that the person has.
        parts = history.parts
        may = [may_be_restored(request, part) for part in parts]
        is_own = self.may_restore(request, obj)
        for entry, line in zip(entries, lines, strict=True):
            place = entry["place_of_part"]
            links = []
            if may[place] and is_own:
                url = self.restore_url(obj, parts[place], line.pk)
                links.append((url, gettext("Restore this")))
                if may[0]:
                    url = f"{url}?{WHOLE}"
                    links.append((url, gettext("Restore the whole record as of then")))
            elif place == 0 and is_own:
                url = self.address_of("simple_history", obj.pk, line.pk)
                links.append((url, gettext("Restore this")))
            yield replace(line, links=tuple(links))

    def address_of(self, page: str, *arguments: Any) -> str:
        name = f"{self.admin_site.name}:{self.opts.app_label}_{self.opts.model_name}_{page}"
        return reverse(name, args=[quote(one) for one in arguments])

    def restore_url(self, obj: Any, part: RecordPart, version: int) -> str:
        return self.address_of("restore", obj.pk, part.model._meta.model_name, version)

    def get_urls(self) -> list[Any]:
        options = self.opts
        restore = path(
            "<path:object_id>/restore/<slug:model>/<int:version_id>/",
            self.admin_site.admin_view(self.restore_view),
            name=f"{options.app_label}_{options.model_name}_restore",
        )
        return [restore, *super().get_urls()]

    def restore_view(
        self, request: HttpRequest, object_id: str, model: str, version_id: int
    ) -> HttpResponse:
        """What restoring would change, and on POST the restoring."""
        self.hide_from_strangers(request, object_id)
        obj = self.get_object(request, unquote(object_id))
        if not self.may_restore(request, obj):
            raise PermissionDenied
        restoration = self.restoration(request, obj, model, version_id)
        if restoration is None:
            raise Http404
        if not may_be_restored(request, restoration.part):
            raise PermissionDenied
        errors: list[str] = []
        if request.method == "POST":
            try:
                done = restoration.restore(request.POST.get(VERSIONS, ""))
            except ValidationError as error:
                errors = error.messages
                restoration = replace(restoration)
            else:
                return self.response_restored(request, obj, restoration, done)
        context = {
            **self.page_of_record(request, obj, self.restore_title(restoration, obj)),
            "restoration": restoration,
            "errors": errors,
            "history_url": self.address_of("history", obj.pk),
            "form_url": self.form_of_version(restoration),
        }
        return render(request, self.restore_template, context)

    def restoration(
        self, request: HttpRequest, obj: Any, model: str, version_id: int
    ) -> Restoration | None:
        history = self.record_history(request, obj)
        for part in history.parts:
            if part.model._meta.model_name == model:
                version = history.versions_of(part).filter(history_id=version_id).first()
                if version is not None:
                    return Restoration(request, history, part, version, WHOLE in request.GET)
        return None

    def restore_title(self, restoration: Restoration, obj: Any) -> str:
        values = {"row": obj, "moment": moment_in_words(restoration.version.history_date)}
        if restoration.is_whole:
            return gettext("Restore %(row)s with all its parts as of %(moment)s") % values
        if restoration.part.parent is None:
            return gettext("Restore %(row)s as of %(moment)s") % values
        values["part"] = restoration.part.name
        return gettext("Restore a part of %(row)s as of %(moment)s: %(part)s") % values

    def form_of_version(self, restoration: Restoration) -> str:
        # Where the earlier version can be changed before it is restored.
        part, version = restoration.part, restoration.version
        key = getattr(version, part.key)
        if restoration.is_whole or not part.model._base_manager.filter(pk=key).exists():
            return ""
        address: str = part.admin.address_of("simple_history", key, version.pk)
        return address

    def response_restored(
        self, request: HttpRequest, obj: Any, restoration: Restoration, done: list[RowChange]
    ) -> HttpResponse:
        moment = moment_in_words(restoration.version.history_date)
        number = len(done)
        if number:
            fields = [f"{change.part.name} {change.name}".strip() for change in done]
            self.log_change(request, obj, [{"changed": {"fields": fields}}])
            by: Any = request.user
            detail = f"{self.opts.verbose_name_raw} {obj.pk}, {number} rows"
            record(EventKind.RESTORED, now=timezone.now(), account=by, detail=detail)
        text = ngettext(
            "%(number)d row was restored as of %(moment)s.",
            "%(number)d rows were restored as of %(moment)s.",
            number,
        )
        self.message_user(request, text % {"number": number, "moment": moment}, messages.SUCCESS)
        return redirect(self.address_of("history", obj.pk))

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        if hasattr(obj, "_history"):
            obj._state.db = obj._history._state.db  # else its relations cannot be set
            if request.method == "GET":
                restore_relations(obj._history, obj)
        return super().get_form(request, obj, change=change, **kwargs)

    def history_form_view(
        self, request: HttpRequest, object_id: str, version_id: str, extra_context: Any = None
    ) -> HttpResponse:
        # An old version holds fields that a team may not write, so only who may restore it reads
        # it.
        self.hide_from_strangers(request, object_id)
        obj = self.get_object(request, unquote(object_id))
        if not self.may_restore(request, obj):
            raise PermissionDenied
        version = self.model.history.filter(pk=version_id).first()
        origin = str(Restored(version.pk, version.history_date)) if version else ADMIN
        respond = partial(super().history_form_view, request, object_id, version_id, extra_context)
        with came_from(origin):
            response: HttpResponse = self.on_locked_screen(request, object_id, respond)
        return response


def restore_relations(version: Any, obj: Any) -> None:
    # The version's row itself has the relations of today.
    for field in version._history_m2m_fields:
        keys = getattr(version, field.name).values_list(field.m2m_reverse_field_name(), flat=True)
        related = field.related_model._base_manager.filter(pk__in=list(keys))
        obj.__dict__.setdefault("_prefetched_objects_cache", {})[field.name] = related
