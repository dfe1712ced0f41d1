"""What messages may say of balances, and of what of them ends soon; looked up when the message is made."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any, ClassVar

from babel.dates import format_date
from django.db.models import Sum
from django.utils.translation import gettext_lazy as _

from retention import clock
from retention.ledger.models import Account, Lot
from retention.ledger.querysets import balances
from retention.ledger.units import UnitRule
from retention.ledger.versions import rule_of
from retention.registries import Placeholder, placeholders

#: In an occasion's words: the account that it is about.
ACCOUNT = "account"


@placeholders.register
class BalanceWords(Placeholder):
    """Everything she can spend, unit by unit; nil where that is nothing."""

    key = "balance"
    label = _("What she can spend: credit and points")
    sample = "€12.00 · 340 Points"

    @classmethod
    def values(cls, deliveries: list[Any], *, now: dt.datetime) -> dict[int, Any]:
        accounts = Account.objects.filter(
            customer_id__in={delivery.customer_id for delivery in deliveries}, is_frozen=False, balance__gt=0
        )
        whose = dict(accounts.order_by("unit__key", "pk").values_list("pk", "customer_id"))
        held = {found.account_id: found for found in balances(list(whose), now=now)}
        hers: dict[int, list[tuple[UnitRule, int]]] = {}
        for pk, customer_id in whose.items():
            if held[pk].available > 0:
                hers.setdefault(customer_id, []).append((rule_of(held[pk].unit), held[pk].available))
        return {
            delivery.id: " · ".join(_show(rule, amount, delivery) for rule, amount in hers[delivery.customer_id])
            for delivery in deliveries
            if delivery.customer_id in hers
        }


@placeholders.register
class ExpiringWords(Placeholder):
    """What ends next: of the account that the occasion is about, else of all of hers; nil where nothing does."""

    key = "expiring"
    label = _("Value about to expire")
    sample: ClassVar = {
        "amount": "€12.00",
        "unit": "Store credit",
        "expires_on": "30 June 2026",
        "expires_date": "2026-06-30",
    }
    labels: ClassVar = {
        "amount": _("How much of it ends"),
        "unit": _("Of what: the unit's name"),
        "expires_on": _("Its last day, in words"),
        "expires_date": _("The same as 2026-06-30, for the filter `date`"),
    }

    @classmethod
    def values(cls, deliveries: list[Any], *, now: dt.datetime) -> dict[int, Any]:
        asked = {delivery.id: account for delivery in deliveries if (account := _account_of(delivery)) is not None}
        others = {delivery.customer_id for delivery in deliveries if delivery.id not in asked}
        accounts = Account.objects.filter(is_frozen=False).select_related("unit")
        by_pk = {one.pk: one for one in accounts.filter(pk__in=set(asked.values()))}
        hers: dict[int, list[Account]] = {}
        for one in accounts.filter(customer_id__in=others):
            hers.setdefault(one.customer_id, []).append(one)
        ending = _ending([*by_pk, *[one.pk for some in hers.values() for one in some]], now)
        found = {}
        for delivery in deliveries:
            account = by_pk.get(asked.get(delivery.id, 0))
            mine = [account] if account else hers.get(delivery.customer_id, [])
            ends = [(*ending[one.pk], one) for one in mine if one.pk in ending]
            if ends:
                found[delivery.id] = cls._words(*min(ends, key=lambda end: (end[0], end[2].pk)), delivery)
        return found

    @staticmethod
    def _words(ends_at: dt.datetime, amount: int, account: Account, delivery: Any) -> dict[str, Any]:
        # The end is half open: what ends at midnight can be spent on the day before.
        last = (ends_at - dt.timedelta(microseconds=1)).astimezone(clock.zone(delivery.zone)).date()
        rule = rule_of(account.unit)
        return {
            "amount": _show(rule, amount, delivery),
            "unit": rule.noun_of(amount, delivery.language or "en"),
            "expires_on": format_date(last, "long", locale=(delivery.language or "en").replace("-", "_")),
            "expires_date": last.isoformat(),
        }


def _account_of(delivery: Any) -> int | None:
    about = delivery.context.get("occasion")
    return about.get(ACCOUNT) if isinstance(about, dict) else None


def _ending(accounts: Iterable[int], now: dt.datetime) -> dict[int, tuple[dt.datetime, int]]:
    """Account → when something of it ends next, and how much."""
    lots = Lot.objects.filter(account__in=list(accounts), remaining__gt=0, expires_at__gt=now)
    rows = lots.order_by("account", "expires_at").values("account", "expires_at").annotate(amount=Sum("remaining"))
    found: dict[int, tuple[dt.datetime, int]] = {}
    for row in rows:
        found.setdefault(row["account"], (row["expires_at"], row["amount"]))
    return found


def _show(rule: UnitRule, amount: int, delivery: Any) -> str:
    return rule.show(amount, delivery.language or "en")
