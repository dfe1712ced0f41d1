"""What is known of one customer beyond her profile, in words: her stage, her RFM group, her attributes."""

import datetime as dt
from typing import Any

from django.utils.formats import date_format
from django.utils.html import format_html_join
from django.utils.timezone import get_current_timezone
from django.utils.translation import get_language, gettext

from retention.customers.models import AttributeDefinition, Customer, CustomerStage, Rfm, Stage, StageChange
from retention.customers.rfm import GROUPS
from retention.shop.models import Shop
from retention.texts import choose

NONE = "—"


def day_of(at: dt.datetime) -> str:
    return date_format(at.astimezone(get_current_timezone()), "DATE_FORMAT")


def stage_words(customer: Customer) -> str:
    """“Loyal, since 12 May 2026; before that Active”."""
    held = CustomerStage.objects.filter(customer=customer).select_related("stage").first()
    if held is None:
        return NONE
    words = gettext("%(stage)s, since %(day)s") % {"stage": stage_name(held.stage), "day": day_of(held.since)}
    moved = StageChange.objects.filter(customer=customer, after=held.stage_id).select_related("before").first()
    return _with_before(words, stage_name(moved.before) if moved and moved.before else "")


def stage_name(stage: Stage) -> str:
    language = next(iter(Shop.objects.values_list("languages", flat=True)), ["en"])[0]
    return choose(stage.name, get_language() or language, language)


def group_words(customer: Customer) -> str:
    """“Champions (5-4-5), since 12 May 2026; before that Loyal”."""
    scored = Rfm.objects.filter(customer=customer).first()
    if scored is None:
        return NONE
    words = gettext("%(group)s (%(scores)s), since %(day)s") % {
        "group": GROUPS[scored.group].label,
        "scores": f"{scored.recency}-{scored.frequency}-{scored.monetary}",
        "day": day_of(scored.computed_at),
    }
    return _with_before(words, str(GROUPS[scored.previous_group].label) if scored.previous_group else "")


def _with_before(words: str, before: str) -> str:
    return gettext("%(now)s; before that %(before)s") % {"now": words, "before": before} if before else words


def attribute_lines(customer: Customer) -> str:
    """Each attribute that is known, with how; as HTML."""
    held = customer.attributes or {}
    labels = dict(AttributeDefinition.objects.filter(key__in=held).order_by("label").values_list("key", "label"))
    lines = ((label, _value(held[key]), how_words(held[key])) for key, label in labels.items())
    return format_html_join("", "<p>{}: <strong>{}</strong> <small>{}</small></p>", lines) or NONE


def _value(held: dict[str, Any]) -> str:
    value = held.get("value")
    return {True: gettext("Yes"), False: gettext("No"), None: NONE}.get(value, str(value))


def how_words(held: dict[str, Any]) -> str:
    """How a value came, where she did not say it herself; an inferred one holds for a while."""
    if held.get("how") != "inferred":
        return ""
    if "until" not in held:
        return gettext("Inferred.")
    return gettext("Inferred from what she buys or does; holds until %(day)s.") % {"day": held["until"]}
