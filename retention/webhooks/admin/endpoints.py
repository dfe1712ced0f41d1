"""Endpoints: where other programs listen, and how they are doing; and the catalogue of what can be told."""

from __future__ import annotations

import datetime as dt
from functools import partial
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest
from django.urls import path
from django.utils.html import format_html
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminSelectWidget

from retention import clock
from retention.doors.console import ConfirmForm, EditAdmin, acting, button, confirm
from retention.webhooks import operations
from retention.webhooks.catalogue import kinds
from retention.webhooks.forms import EndpointForm
from retention.webhooks.models import Endpoint
from retention.webhooks.querysets import with_counts
from retention.webhooks.signing import secret_of
from retention.webhooks.views import catalogue_view

_WINDOWS = (1, 7, 30)


class OnForm(ConfirmForm):
    """From when on: that decides what its receiver hears at once."""

    start = forms.ChoiceField(
        label=_("What it is told"),
        widget=UnfoldAdminSelectWidget,
        choices=[
            ("meanwhile", _("also what happened while it was off")),
            ("now", _("what happens from now on")),
        ],
    )


class AgainForm(ConfirmForm):
    """How far back, with how much that is."""

    days = forms.TypedChoiceField(
        label=_("What happened within"), coerce=int, widget=UnfoldAdminSelectWidget,
        choices=[(days, _("%d days") % days if days > 1 else _("one day")) for days in _WINDOWS],
    )  # fmt: skip

    def preview(self) -> str:
        counts = ", ".join(f"{days}: {_window(self.obj, days).count():,}" for days in _WINDOWS)
        return _t("Given up, by the number of days: %(counts)s.") % {"counts": counts}


def _since(days: int) -> dict[str, dt.datetime]:
    now = clock.now()
    return {"since": now - dt.timedelta(days=days), "until": now}


def _window(endpoint: Endpoint, days: int) -> Any:
    return operations.given_up(endpoint.pk, **_since(days))


@admin.register(Endpoint)
class EndpointAdmin(EditAdmin):
    form = EndpointForm
    is_versioned = False
    list_display = ("name", "url", "shown_state", "succeeded_at", "waiting", "not_taken")
    list_filter = ("is_on",)
    actions_detail = ("test", "reveal", "rotate", "again", "off", "on", "archive")
    help_texts = {"url": _("It begins with https:// and lies in the open internet.")}
    empty_hint = _("An endpoint is an address of another program that hears what happens here.")

    def get_urls(self) -> list:
        catalogue = self.admin_site.admin_view(partial(catalogue_view, self.admin_site))
        return [path("events/", catalogue, name="webhooks_catalogue"), *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> Any:
        return with_counts(super().get_queryset(request).filter(archived_at=None), now=clock.now())

    def get_fieldsets(self, request: HttpRequest, obj: Endpoint | None = None) -> Any:
        may_change = self.has_change_permission(request, obj) if obj else self.has_add_permission(request)
        standing = [("shown_state", "shown_why"), ("succeeded_at", "failing_since"), ("waiting", "not_taken")]
        told = "kinds" if may_change else "shown_kinds"
        head = (None, {"fields": ["name", "url"]})
        how = [(_("How it is doing"), {"fields": standing})] if obj else []
        return [head, *how, (_("Events"), {"fields": [told]})]

    def get_readonly_fields(self, request: HttpRequest, obj: Endpoint | None = None) -> tuple[str, ...]:
        return ("shown_state", "shown_why", "succeeded_at", "failing_since", "waiting", "not_taken", "shown_kinds")

    def operate(self, request, form, formsets, change):
        typed = form.cleaned_data
        said = {"name": typed["name"], "url": typed["url"], "of": typed["kinds"]}
        if change:
            return operations.save_endpoint(endpoint_id=form.instance.pk, **said, **acting(request))
        made = operations.create_endpoint(**said, **acting(request))
        self._show(request, made)
        return made

    @display(description=_("state"), label={_("on"): "success", _("failing"): "warning", _("off"): "danger"})
    def shown_state(self, obj: Endpoint) -> Any:
        if not obj.is_on:
            return _("off")
        return _("failing") if obj.failing_since else _("on")

    @admin.display(description=_("why it is off"))
    def shown_why(self, obj: Endpoint) -> str:
        return obj.get_off_why_display() or "—"

    @admin.display(description=_("waiting"))
    def waiting(self, obj: Endpoint) -> str:
        return f"{obj.waiting:,}"

    @admin.display(description=_("not taken in 24 hours"))
    def not_taken(self, obj: Endpoint) -> str:
        return f"{obj.not_taken:,}"

    @admin.display(description=_("What it is told"))
    def shown_kinds(self, obj: Endpoint) -> str:
        known = kinds()
        return ", ".join(str(known[key].label) if key in known else key for key in obj.kinds) or "—"

    @confirm(
        title=_("Show the secret"),
        description=_("Its receiver verifies with it. That you looked is recorded."),
        submit=_("Show it"),
        permissions=["webhooks.reveal_endpoint"],
        icon="key",
    )
    def reveal(self, request, form, obj):
        self._show(request, operations.record_reveal(endpoint_id=obj.pk, **acting(request)))

    @confirm(
        title=_("Replace the secret"),
        description=_("For a day both secrets sign, so that the receiver can be changed over."),
        submit=_("Replace it"),
        permissions=["webhooks.reveal_endpoint"],
        icon="autorenew",
    )
    def rotate(self, request, form, obj):
        self._show(request, operations.rotate_secret(endpoint_id=obj.pk, **acting(request)))

    test = button(
        operations.send_test,
        of="endpoint_id",
        done=_("A test is on its way; the notices show what came of it."),
        title=_("Send a test"),
        description=_("An event of the kind webhooks.test, which says nothing of anybody."),
        submit=_("Send it"),
        permissions=["webhooks.change_endpoint"],
        icon="send",
        variant=ActionVariant.PRIMARY,
    )
    off = button(
        operations.switch_off,
        of="endpoint_id",
        done=_("%(row)s is switched off."),
        title=_("Switch off"),
        description=_("Nothing is sent until it is switched on. What happens meanwhile can be told then."),
        permissions=["webhooks.change_endpoint"],
        icon="pause",
    )

    @confirm(
        title=_("Switch on"),
        description=_("Told from now on alone, what was waiting is given up; it can be sent again by hand."),
        permissions=["webhooks.change_endpoint"],
        form_class=OnForm,
        icon="play_arrow",
        variant=ActionVariant.PRIMARY,
    )
    def on(self, request, form, obj):
        with_meanwhile = form.cleaned_data["start"] == "meanwhile"
        operations.switch_on(endpoint_id=obj.pk, with_meanwhile=with_meanwhile, **acting(request))
        return _t("%(row)s is switched on.") % {"row": obj}

    @confirm(
        title=_("Send again what was given up"),
        description=_("Under the same ids, so that its receiver knows what it has already."),
        submit=_("Send again"),
        permissions=["webhooks.replay_notice"],
        form_class=AgainForm,
        icon="replay",
    )
    def again(self, request, form, obj):
        window = _since(form.cleaned_data["days"])
        count = operations.replay_given_up(endpoint_id=obj.pk, **window, **acting(request))
        return _t("%(count)s notices are on their way again.") % {"count": f"{count:,}"}

    archive = button(
        operations.archive_endpoint,
        of="endpoint_id",
        done=_("%(row)s is put away."),
        title=_("Put away"),
        description=_("It is told nothing any more. This cannot be undone; make a new one instead."),
        permissions=["webhooks.change_endpoint"],
        icon="archive",
        variant=ActionVariant.DANGER,
        goes_to=lambda _endpoint: "../../",
    )

    def buttons_of(self, obj: Endpoint) -> list[str]:
        common = ["reveal", "rotate"]
        return ["test", *common, "again", "off", "archive"] if obj.is_on else ["on", *common, "archive"]

    def _show(self, request: HttpRequest, endpoint: Endpoint) -> None:
        sentence = format_html(
            "{} <code id='secret' class='font-mono font-semibold select-all break-all'>{}</code>",
            _("The secret, for the program that listens:"),
            secret_of(endpoint),
        )
        messages.warning(request, sentence)
