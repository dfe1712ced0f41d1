"""What rows keep as keys, in words: who acted, what was done, on whose behalf, and what was noted down."""

from collections.abc import Mapping
from typing import Any

from django.apps import apps
from django.db.models import Model
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from retention import registries
from retention.audit.differences import readable
from retention.shop.models import Staff

#: The rooms that people know by another name.
ROOMS = {"doors": "settings", "console": "log-ins", "work": "jobs", "messaging": "messages"}


def actor_words(name: str) -> str:
    """`staff:5` → her name, `job:campaigns.reach` → the job as it is listed, `key:shop` → the API key shop."""
    kind, _colon, rest = name.partition(":")
    match kind:
        case "staff":
            staff = Staff.objects.filter(pk=int(rest)).first() if rest.isdecimal() else None
            return (staff.get_full_name() or staff.username) if staff else name
        case "job":
            return str(registries.jobs[rest].label or rest) if rest in registries.jobs else rest
        case "key":
            return _("API key %s") % rest
        case "command":
            return _("command %s") % rest
    return name


def verb_words(verb: str) -> str:
    """`incentives.generate_codes` → “Incentives: generate codes”."""
    room, _dot, act = verb.partition(".")
    return f"{capfirst(ROOMS.get(room, room))}: {act.replace('_', ' ')}"


def verb_of(words: str) -> str:
    """The beginning of a verb as people type it: “Settings: save staff” → `doors.save_staff`."""
    room, colon, act = words.strip().lower().partition(":")
    room = next((key for key, name in ROOMS.items() if name == room), room)
    return f"{room}.{act.strip().replace(' ', '_')}" if colon else room.replace(" ", "_")


def behalf(origin: str, origin_id: int | None) -> Any:
    """The row on whose behalf another one exists, with a way to it: `("campaigns.touch", 7)` → a link to touch 7."""
    try:
        model = apps.get_model(origin)
    except (LookupError, ValueError):
        return f"{origin} {origin_id or ''}".strip() or "—"
    words = f"{capfirst(model._meta.verbose_name)} {origin_id or ''}".strip()
    url = page_of(model, origin_id)
    return (
        format_html('<a class="text-primary-600 dark:text-primary-500" href="{}">{}</a>', url, words) if url else words
    )


def page_of(model: type[Model], pk: Any) -> str | None:
    """The console's page of a row, where there is one."""
    try:
        return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_change", args=[pk]) if pk else None
    except NoReverseMatch:
        return None


def noted(facts: Mapping[str, Any] | None) -> str:
    """A mapping as words, a dash where it holds nothing."""
    return readable(facts or {})
