"""What an estimate begins with: the shop's own figures where there are enough, cautious ones where not."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.utils.translation import gettext_lazy as _

from referrals.models import Scheme
from referrals.reports.counting import BeingCounted, counted
from referrals.reports.formulas import Inputs, average_by_place
from referrals.reports.reading import Asked, funnel, worths
from referrals.rules import SchemeRule
from referrals.versions import rule_of
from retention.customers.models import CustomerStats, Order
from retention.incentives.models import Incentive
from retention.incentives.versions import rule_of as incentive_rule_of
from retention.ledger.days import book_day
from retention.ledger.models import Unit
from retention.ledger.versions import rule_of as unit_rule_of
from retention.shop.models import Shop

YEAR = dt.timedelta(days=365)
#: Fewer than so many of a kind are no figure of one's own.
ENOUGH = 20
#: The latest so many orders, or codes, say what is usual.
LATEST = 2_000
#: A code that was given so long ago has mostly been used, if it ever is.
RIPE = dt.timedelta(days=30)
#: Effects whose amounts are what they are worth.
MONEY = frozenset({"amount", "cash", "gift_card", "store_credit"})
#: What is taken for granted where the shop has no figures yet.
ASSUMED = {"joins": 0.05, "invitations": 3.0, "conversion": 0.08}

_USED = """
SELECT count(*), count(*) FILTER (WHERE EXISTS (
           SELECT FROM incentives_use used JOIN incentives_redemption redemption ON redemption.id = used.redemption_id
           WHERE used.code_id = given.id AND redemption.state = 'redeemed'))
FROM (
    SELECT code.id FROM incentives_code code JOIN incentives_grant granted ON granted.id = code.grant_id
    WHERE code.incentive_id = %s AND granted.granted_at < %s ORDER BY code.id DESC LIMIT %s
) given
"""


@dataclass(frozen=True)
class Cost:
    """What an incentive costs each time it is given: its face value, times the share of its codes that are used.

    `share` is None where that is not known, or nothing has to be used: it counts at its face value.
    """

    face_minor: int
    share: float | None = None

    @property
    def minor(self) -> float:
        return self.face_minor * (1.0 if self.share is None else self.share)


@dataclass(frozen=True)
class Defaults:
    """What an estimate begins with, which of it is no figure of the shop's own, and how rewards are counted."""

    inputs: Inputs
    assumed: tuple[Any, ...]
    notes: tuple[Any, ...]


def estimate_defaults(scheme: Scheme | None, *, now: dt.datetime) -> Defaults:
    """The last year's own figures where there are enough; else cautious ones, which are named."""
    today = book_day(now)
    try:
        counted(now=now)
    except BeingCounted:
        came, ltv = None, None
    else:
        came = funnel(Asked(None, today - YEAR, today, 90))
        _referred, others = worths(Asked(None, today - 2 * YEAR, today - YEAR, 365))
        ltv = others.mean_minor
    customers = CustomerStats.objects.filter(last_order_at__gte=now - YEAR).count()
    assumed = [] if came else [_("your own figures, which are being counted: look again in a minute")]
    joins, invitations, conversion = ASSUMED["joins"], ASSUMED["invitations"], ASSUMED["conversion"]
    if came and came.advocates >= ENOUGH and came.invitations >= ENOUGH:
        advocates, invited = came.advocates, came.invitations
        joins = min(1.0, advocates / customers) if customers else joins
        invitations, conversion = invited / advocates, min(1.0, came.won / invited)
    else:
        assumed += [_("how many share their link"), _("how many they invite"), _("how many of these come")]
    if ltv is None:
        assumed.append(_("what a friend spends"))
    assumed.append(_("your margin"))
    friend, advocate, notes = _rewards(scheme, invitations * conversion, now)
    if friend is None or advocate is None:
        assumed.append(_("what the rewards cost"))
    return Defaults(
        Inputs(customers, joins, invitations, conversion, int(ltv or 0), friend or 0, advocate or 0, margin=0.5),
        tuple(assumed),
        tuple(notes),
    )


def _rewards(scheme: Scheme | None, friends_each: float, now: dt.datetime) -> tuple[int | None, int | None, list[Any]]:
    """(what the friend's costs, what the advocate's does on average, how they are counted) in the base currency."""
    rule = rule_of(scheme.version_id) if scheme and scheme.version_id else None
    if rule is None or rule.kind == "partners":
        return None, None, []
    costs = {pk: cost_of(pk, now=now) for pk in rule.incentive_ids}
    friend = costs[rule.friend_incentive] if rule.friend_incentive else Cost(0)
    notes = list(_told(_("The friend's reward"), [rule.friend_incentive] if rule.friend_incentive else [], costs))
    notes += _told(_("The advocate's reward"), [level.incentive_id for level in rule.levels], costs)
    if len(rule.levels) > 1:
        notes.append(
            _("The advocate's is the average over her levels, if %(n)s friends of each come as chance has it.")
            % {"n": f"{friends_each:.2f}"}
        )  # fmt: skip
    unknown = any(costs[level.incentive_id] is None for level in rule.levels)
    advocate = None if unknown else round(average_by_place(friends_each, lambda n: _at(rule, n, costs)))
    return round(friend.minor) if friend else None, advocate, notes


def _at(rule: SchemeRule, count: int, costs: dict[int, Cost | None]) -> float:
    """What an advocate's `count`-th friend costs; nothing beyond the cap."""
    level = rule.level_at(count)
    if level is None or (rule.caps.in_all is not None and count > rule.caps.in_all):
        return 0.0
    cost = costs[level.incentive_id]
    return cost.minor if cost else 0.0


def _told(what: Any, ids: Iterable[int], costs: dict[int, Cost | None]) -> Iterable[Any]:
    found = [cost for pk in dict.fromkeys(ids) if (cost := costs[pk]) is not None]
    shares = sorted({round(100 * cost.share) for cost in found if cost.share is not None})
    if shares:
        share = f"{shares[0]}" if len(shares) == 1 else f"{shares[0]}–{shares[-1]}"
        yield _("%(what)s counts at %(share)s %% of its face value: so many of its codes are used.") % {
            "what": what, "share": share,
        }  # fmt: skip
    if any(cost.share is None for cost in found):
        yield _("%(what)s counts at its face value.") % {"what": what}


def cost_of(incentive_id: int, *, now: dt.datetime) -> Cost | None:
    """None: what it is worth cannot be said in the base currency."""
    currency = Shop.objects.get().currency
    incentive = Incentive.objects.filter(pk=incentive_id).first()
    if incentive is None or incentive.version_id is None:
        return None
    face, is_discount = 0, False
    for effect in incentive_rule_of(incentive.version_id).effects:
        if effect.kind == "percent":
            face, is_discount = face + _usual_order() * effect.basis_points // 10_000, True
        elif effect.kind in MONEY and currency in effect.amounts:
            face, is_discount = face + effect.amounts[currency], is_discount or effect.kind == "amount"
        elif effect.kind == "points" and (worth := _points_worth(effect.unit, effect.points or 0, currency)):
            face += worth
        else:
            return None
    return Cost(face, _used_share(incentive_id, now) if is_discount else None)


def _used_share(incentive_id: int, now: dt.datetime) -> float | None:
    with connection.cursor() as cursor:
        cursor.execute(_USED, [incentive_id, now - RIPE, LATEST])
        given, used = cursor.fetchone()
    return used / given if given >= ENOUGH else None


def _usual_order() -> int:
    bought = Order.objects.filter(state__in=Order.BOUGHT).order_by("-placed_at")
    totals = list(bought.values_list("base_minor", flat=True)[:LATEST])
    return sum(totals) // len(totals) if totals else 0


def _points_worth(key: str, points: int, currency: str) -> int | None:
    unit = Unit.objects.filter(key=key).select_related("version").first()
    rule = unit_rule_of(unit) if unit else None
    return rule.in_minor(points, currency) if rule and rule.is_payable_in(currency) else None
