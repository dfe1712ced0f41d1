"""Buttons that ask first: a dialog, one operation call, its outcome as a sentence or its refusal in the dialog.

Most are said in a page's class: `pause = button(operations.pause, of="campaign_id", …)`. Where there is more to it than
one call and one sentence, `confirm` decorates a method.
"""

from collections.abc import Callable, Iterable
from contextlib import nullcontext
from functools import wraps
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.html import format_html, format_html_join
from django.utils.http import url_has_allowed_host_and_scheme
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm

from retention.doors.console.acts import acting
from retention.doors.console.sentences import messages_of
from retention.refusals import Refused


class ConfirmForm(BaseDialogForm):
    """The dialog's form. Add fields for what the operation needs to know; `obj` is the row, None on a list.

    Override `preview` to say what would happen, such as how many would be touched.
    """

    obj: Any = None

    def preview(self) -> str:
        return ""

    def render_before_template(self) -> str:
        sentences = format_html_join("", "<p class='mb-3'>{}</p>", ((s,) for s in [self.preview()] if s))
        errors = format_html_join("", "<p>{}</p>", ((error,) for error in self.non_field_errors()))
        if not errors:
            return sentences
        return format_html(
            "{}<div role='alert' class='tone-bad mb-3 px-3 py-2 rounded-default'>{}</div>",
            sentences,
            errors,
        )


class button:  # noqa: N801  read as a word in the body of a page's class
    """A dialog action that calls one operation on its row; it is called as the attribute that it becomes.

    Args:
        operation: called with the row's number as `of`, with what the form holds of `takes`, and with `now` and `by`.
        done: the sentence that tells the outcome; `%(row)s` and `%(outcome)s` in it are filled in.
        goes_to: where to go then, made of the outcome; otherwise the page is shown anew.
        dialog: see `confirm`.
    """

    def __init__(
        self,
        operation: Callable,
        *,
        of: str,
        done: Any,
        takes: Iterable[str] = (),
        goes_to: Callable[[Any], str] | None = None,
        **dialog: Any,
    ) -> None:
        self.operation, self.of, self.done, self.takes = operation, of, done, tuple(takes)
        self.goes_to, self.dialog = goes_to, dialog

    def __set_name__(self, owner: type, name: str) -> None:
        def act(admin, request: HttpRequest, form: ConfirmForm, obj: Any) -> str | HttpResponse:
            return self._act(request, form, obj)

        act.__name__ = name
        setattr(owner, name, confirm(**self.dialog)(act))

    def _act(self, request: HttpRequest, form: ConfirmForm, obj: Any) -> str | HttpResponse:
        given = {name: form.cleaned_data[name] for name in self.takes}
        outcome = self.operation(**{self.of: obj.pk}, **given, **acting(request))
        shown = f"{outcome:,}" if isinstance(outcome, int) else outcome
        sentence = str(self.done) % {"row": obj, "outcome": shown}
        if self.goes_to is None:
            return sentence
        messages.success(request, sentence)
        return HttpResponse(headers={"HX-Redirect": self.goes_to(outcome)})


def confirm(
    *,
    title: Any,
    description: Any = "",
    submit: Any = None,
    permissions: Iterable[str],
    form_class: type[ConfirmForm] = ConfirmForm,
    icon: str = "",
    variant: ActionVariant = ActionVariant.DEFAULT,
    button: Any = None,
    url_path: str | None = None,
    is_atomic: bool = True,
) -> Callable:
    """Make an admin method `(self, request, form, obj) -> str` into a dialog action.

    The method makes one operation call and returns the sentence that tells its outcome. Name it in
    `actions_detail`, `actions_row` or, with `obj` None, `actions_list`. `permissions` are full names such as
    "incentives.stop_incentive" (or "change", "view"). A `Refused` or `ValidationError` stays in the dialog.
    Without `is_atomic` no transaction is open around it: for operations that hand something to another machine.
    """

    def decorate(method: Callable) -> Callable:
        @wraps(method)
        def action(admin, request: HttpRequest, object_id: str | None = None) -> HttpResponse:
            # The right first: who may not act learns nothing of what is there.
            if not all(_may(admin, request, permission, None) for permission in permissions):
                raise PermissionDenied
            obj = _row(admin, request, object_id)
            if not all(_may(admin, request, permission, obj) for permission in permissions):
                raise PermissionDenied
            form = form_class(request=request, object_id=object_id, data=request.POST or None)
            form.obj = obj
            if request.method == "POST" and form.is_valid():
                try:
                    with transaction.atomic() if is_atomic else nullcontext():
                        sentence = method(admin, request, form, obj)
                except (Refused, ValidationError) as reason:
                    for message in messages_of(reason):
                        form.add_error(None, message)
                else:
                    if isinstance(sentence, HttpResponse):
                        return sentence
                    if sentence:
                        messages.success(request, sentence)
                    return HttpResponse(headers={"HX-Redirect": _back(request)})
            dialog = {"title": _titled(request, title, obj), "description": description}
            context = {
                "dialog": dialog,
                "form": form,
                "form_submit_text": submit or button or title,
                "opts": admin.model._meta,
            }
            return render(request, "unfold/helpers/dialog.html", context)

        # What unfold reads off an action.
        action.allowed_permissions = list(permissions)
        action.short_description = button or title
        action.dialog = {"title": title, "description": description, "form_class": form_class}
        action.icon, action.variant, action.attrs = icon, variant, {}
        action.url_path = url_path or method.__name__.replace("_", "-")
        action.original_function_name = method.__name__
        return action

    return decorate


def _titled(request: HttpRequest, title: Any, obj: Any) -> str:
    """Says which row it is about where the dialog lies on another page than the row's own."""
    own = request.path.rstrip("/").rsplit("/", 1)[0]
    current = request.headers.get("HX-Current-URL", "")
    return str(title) if obj is None or not current or f"{own}/" in current else f"{title}: {obj}"


def _row(admin, request: HttpRequest, object_id: str | None):
    if object_id is None:
        return None
    obj = admin.get_object(request, object_id)
    if obj is None:
        raise Http404
    return obj


def _may(admin, request: HttpRequest, permission: str, obj) -> bool:
    if permission == "add":
        return admin.has_add_permission(request)
    if "." in permission:
        return request.user.has_perm(permission) and admin.has_view_permission(request, obj)
    return getattr(admin, f"has_{permission}_permission")(request, obj)


def _back(request: HttpRequest) -> str:
    """The page the dialog lies on, as htmx names it, if it is one of ours; else the row or the list itself."""
    current = request.headers.get("HX-Current-URL", "")
    if url_has_allowed_host_and_scheme(current, {request.get_host()}, require_https=request.is_secure()):
        return current
    return request.path.rstrip("/").rsplit("/", 1)[0] + "/"
