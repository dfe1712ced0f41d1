"""The history page: versions with who, when and why, the difference between any two, and going back to one."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextInputWidget

from retention.audit.differences import difference
from retention.audit.models import Version
from retention.audit.querysets import entries_of, versions_of
from retention.doors.console.sentences import messages_of
from retention.doors.console.telling import told
from retention.refusals import Refused

SHOWN = 200


class RestoreForm(forms.Form):
    """The number that was newest when the person decided, and her reason."""

    edited = forms.IntegerField(widget=forms.HiddenInput)
    why = forms.CharField(label=_("Why"), required=False, max_length=300, widget=UnfoldAdminTextInputWidget)


class RowHistory:
    """The history page of any row: what was done to it, for those who may read the audit."""

    def changeform_view(self, request, object_id=None, form_url="", extra_context=None) -> HttpResponse:
        may_read = {"show_history": request.user.has_perm("audit.view_auditentry")}
        return super().changeform_view(request, object_id, form_url, {**may_read, **(extra_context or {})})

    def history_view(self, request: HttpRequest, object_id: str, extra_context=None) -> HttpResponse:
        obj = self._seen(request, object_id)
        if not request.user.has_perm("audit.view_auditentry"):
            raise PermissionDenied
        context = {**self._context(request, obj, _("History")), "entries": entries_of(obj)[:SHOWN]}
        return TemplateResponse(request, "console/history.html", {**context, **(extra_context or {})})

    def _seen(self, request: HttpRequest, object_id: str) -> Model:
        # The right first: who may not look learns nothing of what is there.
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        obj = self.get_object(request, unquote(object_id))
        if obj is None:
            raise Http404
        if not self.has_view_or_change_permission(request, obj):
            raise PermissionDenied
        return obj

    def _context(self, request: HttpRequest, obj: Model, title: Any) -> dict[str, Any]:
        return {
            **self.admin_site.each_context(request),
            "title": title,
            "subtitle": str(obj),
            "opts": self.opts,
            "original": obj,
            "object": obj,
            "change_url": self._url("change", obj),
            "history_url": self._url("history", obj),
            "is_versioned": False,
        }

    def _url(self, page: str, obj: Model) -> str:
        return reverse(f"{self.admin_site.name}:{self.opts.app_label}_{self.opts.model_name}_{page}", args=[obj.pk])


class VersionHistory(RowHistory):
    """Mixed into an `EditAdmin` before it, for rows whose operations save versions."""

    #: Words for paths that read badly by themselves: {"occasion_args.days": "Days before"}.
    version_labels: Mapping[str, str] = {}
    #: What versions call otherwise than the form: {"incentive_id": "given"}.
    version_fields: Mapping[str, str] = {}

    def in_force(self, obj: Model, newest: Version) -> Version | None:
        """The version that holds now."""
        return newest

    def restore(self, request: HttpRequest, obj: Model, data: Mapping[str, Any], edited: int, why: str) -> None:
        """Save `data`, the content of an older version, as the next one: the one operation call.

        Raises:
            Refused, ValidationError: shown on the page.
        """
        raise NotImplementedError(f"{type(self).__name__} must say which operation restores a version")

    def get_urls(self) -> list:
        name = f"{self.opts.app_label}_{self.opts.model_name}_restore"
        view = self.admin_site.admin_view(self.restore_view)
        return [path("<path:object_id>/history/<int:number>/restore/", view, name=name), *super().get_urls()]

    def changeform_view(self, request, object_id=None, form_url="", extra_context=None) -> HttpResponse:
        return super().changeform_view(request, object_id, form_url, {"show_history": True, **(extra_context or {})})

    def history_view(self, request: HttpRequest, object_id: str, extra_context=None) -> HttpResponse:
        obj = self._seen(request, object_id)
        versions = list(versions_of(obj)[:SHOWN])
        older, newer = self._chosen(request, versions)
        may_restore = self.has_change_permission(request, obj)
        context = {
            **self._context(request, obj, _("History")),
            "is_versioned": True,
            "versions": versions,
            "older": older,
            "newer": newer,
            "in_force": self.in_force(obj, versions[0]) if versions else None,
            "changes": self.changes(obj, older, newer) if older and newer else [],
            "may_restore": may_restore,
            "entries": entries_of(obj)[:50] if request.user.has_perm("audit.view_auditentry") else [],
            **(extra_context or {}),
        }
        return TemplateResponse(request, "console/history.html", context)

    def restore_view(self, request: HttpRequest, object_id: str, number: int) -> HttpResponse:
        if not self.has_change_permission(request):
            raise PermissionDenied
        obj = self._seen(request, object_id)
        versions = versions_of(obj)
        newest, chosen = versions.first(), versions.filter(number=number).first()
        if chosen is None or chosen == newest:
            raise Http404
        form = RestoreForm(
            request.POST if request.method == "POST" else None,
            initial={"edited": newest.number, "why": _("Back to version %d") % number},
        )
        if form.is_valid() and self._restored(request, obj, chosen, form):
            messages.success(request, _("Version %d is in force again, saved as the newest one.") % number)
            return redirect(self._url("change", obj))
        context = {
            **self._context(request, obj, _("Go back to version %d") % number),
            "form": form,
            "newest": newest,
            "chosen": chosen,
            "changes": self.changes(obj, newest, chosen),
        }
        return TemplateResponse(request, "console/restore.html", context)

    def changes(self, obj: Model, older: Version, newer: Version) -> list[dict[str, Any]]:
        """The difference as rows for the page, in the words of its form."""
        form, rows = forms.modelform_factory(self.model, form=self.form, fields="__all__")(instance=obj), []
        for change in difference(older.data, newer.data):
            label, show = told(change, form, self.version_fields, (older.data, newer.data))
            label = self.version_labels.get(".".join(change.path), label)
            rows.append(
                {"label": label, "before": show(change.before), "after": show(change.after), "lines": change.lines}
            )
        return rows

    def _restored(self, request: HttpRequest, obj: Model, chosen: Version, form: RestoreForm) -> bool:
        try:
            with transaction.atomic():
                self.restore(request, obj, chosen.data, form.cleaned_data["edited"], form.cleaned_data["why"])
        except (Refused, ValidationError) as reason:
            for message in messages_of(reason):
                form.add_error(None, message)
            return False
        return True

    def _chosen(self, request: HttpRequest, versions: list[Version]) -> tuple[Version | None, Version | None]:
        """The two versions to compare: those asked for, else the newest and the one before it."""
        by_number = {str(version.number): version for version in versions}
        newer = by_number.get(request.GET.get("newer", ""), versions[0] if versions else None)
        before = next((version for version in versions if newer and version.number < newer.number), None)
        return by_number.get(request.GET.get("older", ""), before), newer
