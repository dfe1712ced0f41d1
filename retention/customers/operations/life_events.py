"""Events in customers' lives: saying what gives one away, dating it in her attributes, and letting her correct it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from retention import clock
from retention.actors import Actor
from retention.audit.operations import record, save_version
from retention.customers.models import ActivityKind, AttributeDefinition, LifeEvent, Order, Product
from retention.customers.operations.customers import save_customer
from retention.refusals import Refused
from retention.shop.models import Shop

CHUNK = 5_000
_BOUGHT = """
    SELECT DISTINCT o.customer_id, o.id, o.placed_at AS at FROM customers_order o
    JOIN customers_orderline l ON l.order_id = o.id JOIN customers_product p ON p.id = l.product_id
    WHERE o.state = ANY(%(bought)s) AND o.customer_id IS NOT NULL AND o.placed_at <= %(now)s
        AND o.placed_at > %(now)s - %(looked)s AND {about}
"""
_DID = """
    SELECT a.customer_id, a.id, a.occurred_at AS at FROM customers_activity a
    {product} WHERE a.kind = %(kind)s AND a.customer_id IS NOT NULL AND a.occurred_at <= %(now)s
        AND a.occurred_at > %(now)s - %(looked)s {about}
"""
_ABOUT = """(p.sku = ANY(%(products)s) OR EXISTS (
    SELECT FROM unnest(%(categories)s::text[]) AS c (path) 
    WHERE p.category = c.path OR starts_with(p.category, c.path || '/')
))"""
#: The earliest fact with which so many lay within so many days, of those that still hold.
_COMPLETED = """
    WITH facts AS ({facts}),
    spaced AS (
        SELECT customer_id, at, lag(at, %(more)s) OVER (PARTITION BY customer_id ORDER BY at, id) AS since FROM facts
    )
    SELECT s.customer_id, min(s.at) FROM spaced s JOIN customers_customer c ON c.id = s.customer_id
    WHERE s.since >= s.at - %(within)s AND s.at > %(now)s - %(lasts)s
        AND c.merged_into_id IS NULL AND c.erased_at IS NULL AND NOT c.attributes ? %(key)s
    GROUP BY 1 ORDER BY 1
"""
_DATE = """
    UPDATE customers_customer c SET xid = pg_current_xact_id(), attributes = c.attributes || jsonb_build_object(
        %s::text, jsonb_build_object('value', found.day, 'how', 'inferred', 'until', found.until))
    FROM unnest(%s::bigint[], %s::text[], %s::text[]) AS found (id, day, until)
    WHERE c.id = found.id AND NOT c.attributes ? %s
"""
_FORGET = """
    UPDATE customers_customer SET attributes = attributes - %(key)s, xid = pg_current_xact_id()
    WHERE attributes ? %(key)s AND attributes -> %(key)s ->> 'how' = 'inferred'
        AND (%(day)s::text IS NULL OR attributes -> %(key)s ->> 'until' <= %(day)s)
"""


class NoSuchLifeEvent(Refused):
    code = "customers.no_such_life_event"
    sentence = _("There is no life event with the key “%(key)s”.")
    status = 404


@dataclass(frozen=True)
class Inferred:
    """How many customers' events were dated, and how many had held long enough."""

    dated: int
    expired: int


def save_life_event(
    *,
    life_event_id: int | None,
    values: Mapping[str, Any],
    now: dt.datetime,
    by: Actor,
    edited: int | None = None,
    why: str = "",
) -> LifeEvent:
    """Make a life event with the attribute that it fills, or save the next version of one.

    What was inferred by the rule before is taken back and inferred anew with the next run.

    Args:
        values: `key` (of a new one), `label`, `is_sensitive`, and the columns of `LifeEvent`.

    Raises:
        ValidationError: by field. EditedMeanwhile: somebody saved a version since.
    """
    rule = {name: values[name] for name in _RULE}
    with transaction.atomic():
        if life_event_id is None:
            attribute = AttributeDefinition(key=values["key"], kind=AttributeDefinition.Kind.DATE)
            event = LifeEvent(attribute=attribute)
        else:
            event = LifeEvent.objects.select_for_update(of=("self",)).select_related("attribute").get(pk=life_event_id)
            attribute = event.attribute
        attribute.label, attribute.is_sensitive = values["label"], values["is_sensitive"]
        attribute.full_clean()
        _check(rule)
        attribute.save()
        event.attribute = attribute
        for name, value in rule.items():
            setattr(event, name, value)
        event.full_clean()
        event.save()
        data = {"label": attribute.label, "is_sensitive": attribute.is_sensitive, **rule}
        version = save_version(of=event, data=data, edited=edited, by=by, now=now, why=why)
        LifeEvent.objects.filter(pk=event.pk).update(version=version)
        event.version = version
        _forget(attribute.key, None)
        record(verb="customers.save_life_event", by=by, now=now, subject=event, after={"key": attribute.key})
    return event


_RULE = ("about", "what", "kind", "products", "categories", "at_least", "within_days", "lasts_days")


def _check(rule: dict[str, Any]) -> None:
    if rule["what"] == LifeEvent.What.BOUGHT:
        rule["kind"] = ""
        if not (rule["products"] or rule["categories"]):
            raise ValidationError({"products": _("Name a product or a category.")})
    elif not ActivityKind.objects.filter(key=rule["kind"]).exists():
        raise ValidationError({"kind": _("Choose what she does.")})
    unknown = set(rule["products"]) - set(
        Product.objects.filter(sku__in=rule["products"]).values_list("sku", flat=True)
    )
    if unknown:
        raise ValidationError({"products": _("There is no product “%(sku)s”.") % {"sku": sorted(unknown)[0]}})


def archive_life_event(*, life_event_id: int, now: dt.datetime, by: Actor) -> None:
    """Infer it no more and take back what was inferred; what customers said themselves stays."""
    with transaction.atomic():
        event = LifeEvent.objects.select_for_update(of=("self",)).select_related("attribute").get(pk=life_event_id)
        LifeEvent.objects.filter(pk=event.pk).update(archived_at=now)
        _forget(event.attribute.key, None)
        record(verb="customers.archive_life_event", by=by, now=now, subject=event)


def bring_back_life_event(*, life_event_id: int, now: dt.datetime, by: Actor) -> None:
    """Infer it again from the next run on."""
    with transaction.atomic():
        event = LifeEvent.objects.select_for_update(of=("self",)).get(pk=life_event_id)
        LifeEvent.objects.filter(pk=event.pk).update(archived_at=None)
        record(verb="customers.bring_back_life_event", by=by, now=now, subject=event)


def correct_life_event(*, customer_id: int, key: str, on: dt.date | None, now: dt.datetime, by: Actor) -> None:
    """She says when it was, or (None) that it is not so; no inference ever says otherwise.

    Raises:
        NoSuchLifeEvent, CustomerGone, BadFacts
    """
    if not LifeEvent.objects.filter(attribute__key=key).exists():
        raise NoSuchLifeEvent(key=key)
    said = {"value": on.isoformat() if on else None, "how": "asked"}
    save_customer(customer_id=customer_id, values={"attributes": {key: said}}, now=now, by=by)


def infer_life_events(*, now: dt.datetime, progress: Callable[[int, int], None] = lambda *_: None) -> Inferred:
    """Take away what has expired, then date what the facts give away; chunk by chunk, so a run may die anywhere."""
    dated = expired = 0
    today = _day(now)
    events = list(LifeEvent.objects.filter(archived_at=None).select_related("attribute"))
    for done, event in enumerate(events, start=1):
        with transaction.atomic():
            expired += _forget(event.attribute.key, today)
        found = completed(event, now)
        for at in range(0, len(found), CHUNK):
            dated += _date(event, found[at : at + CHUNK])
        progress(done, len(events))
    return Inferred(dated, expired)


def count_life_events(*, now: dt.datetime) -> int:
    """How many events a run would date."""
    return sum(len(completed(event, now)) for event in LifeEvent.objects.filter(archived_at=None))


def completed(event: LifeEvent, now: dt.datetime) -> list[tuple[int, dt.datetime]]:
    """(customer, when) of whoever's facts give the event away and of whom nothing is known about it yet."""
    days = {name: dt.timedelta(days=getattr(event, f"{name}_days")) for name in ("within", "lasts")}
    params: dict[str, Any] = {
        **days, "looked": days["within"] + days["lasts"], "now": now, "more": event.at_least - 1,
        "key": event.attribute.key, "kind": event.kind, "products": event.products, "categories": event.categories,
        "bought": list(Order.BOUGHT),
    }  # fmt: skip
    if event.what == LifeEvent.What.BOUGHT:
        facts = _BOUGHT.format(about=_ABOUT)
    elif event.products or event.categories:
        facts = _DID.format(product="JOIN customers_product p ON p.id = a.product_id", about=f"AND {_ABOUT}")
    else:
        facts = _DID.format(product="", about="")
    with connection.cursor() as cursor:
        cursor.execute(_COMPLETED.format(facts=facts), params)
        return cursor.fetchall()


def _date(event: LifeEvent, found: list[tuple[int, dt.datetime]]) -> int:
    zone = clock.zone(Shop.objects.get().time_zone)
    days = [at.astimezone(zone).date() for _pk, at in found]
    until = [(day + dt.timedelta(days=event.lasts_days)).isoformat() for day in days]
    ids, key = [pk for pk, _at in found], event.attribute.key
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_DATE, [key, ids, [day.isoformat() for day in days], until, key])
        return cursor.rowcount


def _forget(key: str, day: str | None) -> int:
    with connection.cursor() as cursor:
        cursor.execute(_FORGET, {"key": key, "day": day})
        return cursor.rowcount


def _day(now: dt.datetime) -> str:
    return now.astimezone(clock.zone(Shop.objects.get().time_zone)).date().isoformat()
