"""Words for what a message brings: the code of its grant, or what she has without one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from retention import clock
from retention.incentives.models import Code, Grant
from retention.incentives.rules import IncentiveRule
from retention.incentives.versions import rules_of
from retention.messaging import tokens, words
from retention.messaging.offers import offer, small_print
from retention.messaging.outgoing import Outgoing
from retention.registries import Placeholder, placeholders


@placeholders.register
class Coupon(Placeholder):
    """The grant's code; nil where the message brings none, so `{% if coupon %}` asks."""

    key = "coupon"
    label = _("Coupon")
    sample: ClassVar = {
        "code": "SAMPLE7K2M9P",
        "name": "Ten per cent off",
        "sentence": "10% off your next order",
        "terms": "Not for items on sale.",
        "expires_on": "30 June 2026",
        "expires_date": "2026-06-30",
        "qr_url": f"{settings.BASE_URL}/q/sample.png",
        "barcode_url": f"{settings.BASE_URL}/b/sample.png",
    }
    labels: ClassVar = {
        "code": _("The code to type"),
        "name": _("Name of the incentive"),
        "sentence": _("What it gives, in a sentence"),
        "terms": _("What it leaves out; nothing where it holds for everything"),
        "expires_on": _("Last day it is good, in words; nothing where it never ends"),
        "expires_date": _("The same as 2026-06-30, for the filter `date`"),
        "qr_url": _("Address of the code's QR picture"),
        "barcode_url": _("Address of the code's barcode (Code 128), for tills"),
    }

    @classmethod
    def values(cls, deliveries: list[Outgoing], *, now: dt.datetime) -> dict[int, Any]:
        grants = _grants(deliveries)
        codes = _codes(grants)
        rules = rules_of(grants[pk].version_id for pk in codes)
        return {
            delivery.id: cls._words(grants[pk], codes[pk], rules[grants[pk].version_id], delivery, now)
            for delivery in deliveries
            if (pk := delivery.grant_id) in codes
        }

    @staticmethod
    def _words(grant: Grant, code: Code, rule: IncentiveRule, delivery: Outgoing, now: dt.datetime) -> dict[str, Any]:
        ends = [grant.expires_at, code.expires_at, None if code.given_at else rule.validity.end_of(now)]
        end = min((moment for moment in ends if moment), default=None)
        # The end is half open: a coupon good until midnight is last good on the day before.
        last = (end - dt.timedelta(microseconds=1)).astimezone(clock.zone(delivery.zone)).date() if end else None
        return {
            "code": code.code,
            "name": grant.incentive.name,
            "sentence": offer(rule, grant.terms, delivery.language),
            "terms": small_print(rule, grant.terms, delivery.language) or None,
            "expires_on": words.show_date(last, delivery.language) if last else None,
            "expires_date": last.isoformat() if last else None,
            "qr_url": tokens.qr_url(code.pk),
            "barcode_url": tokens.barcode_url(code.pk),
        }


@placeholders.register
class Gift(Placeholder):
    """What the grant gave without a code: credit, points, a price that applies by itself; nil where there is a code."""

    key = "gift"
    label = _("Gift without a code")
    sample: ClassVar = {"name": "Thank you", "sentence": "€5.00 of credit"}
    labels: ClassVar = {"name": _("Name of the incentive"), "sentence": _("What it gives, in a sentence")}

    @classmethod
    def values(cls, deliveries: list[Outgoing], *, now: dt.datetime) -> dict[int, Any]:
        grants = _grants(deliveries)
        without = {pk: grants[pk] for pk in grants.keys() - _codes(grants).keys()}
        rules = rules_of(grant.version_id for grant in without.values())
        return {
            delivery.id: {
                "name": grant.incentive.name,
                "sentence": offer(rules[grant.version_id], grant.terms, delivery.language),
            }
            for delivery in deliveries
            if (grant := without.get(delivery.grant_id)) is not None
        }


def _grants(deliveries: Iterable[Outgoing]) -> dict[int | None, Grant]:
    named = {delivery.grant_id for delivery in deliveries if delivery.grant_id is not None}
    return {grant.pk: grant for grant in Grant.objects.filter(pk__in=named).select_related("incentive")}


def _codes(grants: Mapping[int | None, Grant]) -> dict[int | None, Code]:
    """Grant → its code, or the one that everybody types."""
    codes: dict[int | None, Code] = {code.grant_id: code for code in Code.objects.filter(grant_id__in=grants)}
    others = {pk: grant.incentive_id for pk, grant in grants.items() if pk not in codes}
    shared = Code.objects.filter(is_public=True, incentive_id__in=set(others.values())).exclude(state=Code.State.VOID)
    public = {code.incentive_id: code for code in shared}
    return codes | {pk: public[incentive] for pk, incentive in others.items() if incentive in public}
