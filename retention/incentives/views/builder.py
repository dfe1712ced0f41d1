"""What the builder asks while somebody works in it: what it says as one sentence, what is wrong with it, an example."""

from __future__ import annotations

import json
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST
from pydantic import ValidationError as PartError

from retention import clock
from retention.incentives.examples import example_of
from retention.incentives.forms import RULE, Editor, problems_of
from retention.incentives.forms.suggestions import suggestions
from retention.incentives.views.pages import effects_table

MAX_BODY = 200_000


@require_POST
def say_view(request: HttpRequest) -> JsonResponse:
    """What is being written, `?of=` which editor: its sentence, a rule on an example, or every error by its pointer."""
    _may_view(request)
    try:
        asked = json.loads(request.body) if len(request.body) <= MAX_BODY else None
    except (ValueError, RecursionError):
        asked = None
    if not isinstance(asked, dict) or not isinstance(asked.get("rule"), dict):
        return JsonResponse({"problem": _("This request cannot be read.")}, status=400)
    editor = Editor.by_key.get(request.GET.get("of", RULE.key), RULE)
    try:
        part = editor.read(asked["rule"])
    except PartError as error:
        return JsonResponse({"errors": problems_of(error, asked["rule"])})
    row = asked["row"] if isinstance(asked.get("row"), int) else None
    if errors := editor.misfits(part, row):
        return JsonResponse({"errors": errors})
    return JsonResponse({"sentence": editor.say(part, row), "example": _example(editor, part, row)})


def _example(editor: Editor, part: Any, row: int | None) -> str:
    if editor is not RULE:
        return editor.show(part, row, clock.now())
    found = example_of(part)
    return str(effects_table(found)) if found else ""


@require_GET
def suggest_view(request: HttpRequest) -> JsonResponse:
    """Known values of a source that begin with what was typed."""
    _may_view(request)
    typed = request.GET.get("q", "")[:100].replace("\0", "")
    return JsonResponse({"pairs": suggestions(request.GET.get("source", ""), typed)})


def _may_view(request: HttpRequest) -> None:
    if not request.user.has_perm("incentives.view_incentive"):
        raise PermissionDenied
