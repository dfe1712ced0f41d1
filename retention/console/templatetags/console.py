"""What the console's own templates ask."""

from typing import Any

from django import template
from django.db.models import Model
from django.utils.translation import gettext as _

from retention.console import navigation
from retention.doors.console import words

register = template.Library()

register.filter("actor_words", words.actor_words)
register.filter("verb_words", words.verb_words)


@register.simple_tag(takes_context=True)
def trail(context: template.Context) -> list[tuple[str, str | None]]:
    """The steps from the sidebar to this page; see `navigation.trail`."""
    request, row = context["request"], context.get("original") or context.get("object")
    page = request.resolver_match
    name = page.url_name or "" if page else ""
    title: Any = context.get("title", "")
    if "sentence" in context:  # a "no" in the place of the page
        return [(str(title), None)]
    if name.endswith("_add"):
        title = _("New %s") % context["opts"].verbose_name
    elif name.endswith("_import"):
        title = _("Import")
    elif name.endswith("_export"):
        title = _("Export")
    elif (
        name.endswith(("_changelist", "_change", "_playbooks", "_composition", "_health", "_abuse", "_check_in"))
        or name == "desk"
    ):
        title = _("Composition") if name.endswith("_composition") else ""
    return navigation.trail(request.path, row if isinstance(row, Model) else None, title)
