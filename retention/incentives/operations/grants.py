"""The one door through which value leaves: granting, giving, taking back and undoing."""

import datetime as dt
from collections import Counter as Tally
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _
from pydantic import ValidationError

from retention.actors import Actor
from retention.customers.querysets import NoSuchCustomer
from retention.incentives.decisions import Ended, NotLive, Stopped
from retention.incentives.models import Counter, Incentive
from retention.incentives.operations.benefits import Gift, fulfil, gifts_of, is_gift, is_value, needs_code
from retention.incentives.operations.budgets import count_in_budget, room_in_budget
from retention.incentives.operations.by_hand import yield_by_hand
from retention.incentives.operations.grant_rows import (
    ChangedMeanwhile,
    Offer,
    Wish,
    count_issued,
    free_codes,
    hand_over_pooled,
    insert_codes,
    insert_grants,
)
from retention.incentives.operations.life import NoSuchIncentive
from retention.incentives.operations.value import grant_value
from retention.incentives.rules import IncentiveRule, Terms, her_effects
from retention.incentives.versions import rule_of
from retention.refusals import Refusal, Refused
from retention.statements import fetch_row

#: Grants of one call; more belong into several calls, each in a transaction of its own.
MOST = 5_000
#: Tries before a grant gives up on an incentive that is edited again and again under its feet.
TRIES = 5
#: The offer, and of the shop what giving it needs; a shop has few units.
_OFFER = """
SELECT json_build_array(offer.state, offer.version_id, coalesce(shop.time_zone, 'UTC'), coalesce(shop.currency, ''), (
    SELECT json_object_agg(unit.key, json_build_array(unit.id, unit.version_id, account.id))
    FROM ledger_unit unit JOIN ledger_account account ON account.unit_id = unit.id AND account.purpose = 'issued'))
FROM incentives_incentive offer LEFT JOIN shop_shop shop ON true WHERE offer.id = %s
"""


class AllIssued(Refused):
    code = "incentives.all_issued"
    sentence = _("All %(limit)s of this offer have been given.")


class CustomerHasHers(Refused):
    code = "incentives.customer_has_hers"
    sentence = _("The customer was given this as often as it may be (%(limit)s).")


class PoolEmpty(Refused):
    code = "incentives.pool_empty"
    sentence = _("No free codes are left in the pool of this offer. Make or import more.")


class TermsMissing(Refused):
    code = "incentives.terms_missing"
    sentence = _("This offer needs an amount set for each customer.")


class BadTerms(Refused):
    code = "incentives.bad_terms"
    sentence = _("The terms of this grant are wrong: %(problem)s")
    status = 422


@dataclass(frozen=True)
class Granted:
    """What came of one call: source → grant id, which of them were there before, and source → why not."""

    grants: Mapping[str, int]
    repeated: frozenset[str]
    refused: Mapping[str, Refusal]


@dataclass(frozen=True)
class _Call:
    """What holds for all wishes of one call; `ends` of what is given by it."""

    origin: str
    by: Actor
    ends: dt.datetime | None
    is_given: bool
    budget_id: int | None


def grant(
    *,
    incentive_id: int,
    sources: Sequence[str],
    customer_ids: Sequence[int],
    origin: str,
    origin_ids: Sequence[int | None],
    now: dt.datetime,
    by: Actor,
    terms: Sequence[Mapping[str, Any]] | None = None,
    expires_at: dt.datetime | None = None,
    is_given: bool = False,
    budget_id: int | None = None,
) -> Granted:
    """Give an incentive to customers, one grant for each source; repeating a source returns the grant it made.

    Args:
        sources: idempotency keys, all different, at most 5,000.
        origin: on whose behalf, such as `campaigns.touch`; `origin_ids` are its rows.
        terms: what is frozen on each grant, such as `{"amount_minor": 1200, "currency": "EUR", "products": ["SKU"]}`.
        expires_at: of the codes; otherwise the rule's own end. Never later than the rule's.
        is_given: the code was handed over already; otherwise it is reserved until `give`.
        budget_id: the Budget in whose limits these grants, and what is redeemed of them, count.

    Refusals come back by source and never stop the others. Where an issue limit or a pool is short, the customers
    with the lowest ids are granted first.

    Raises:
        NoSuchIncentive, NoSuchBudget: there is none of this id.
        ValueError: the arrays do not fit each other.
    """
    wishes = _wishes(sources, customer_ids, origin_ids, terms)
    for _try in range(TRIES):
        offer = _read_offer(incentive_id, now)
        call = _Call(origin, by, offer.ends(expires_at, is_given=is_given), is_given, budget_id)
        try:
            if granted := _grant_at_once(offer, wishes, call):
                return granted
            with transaction.atomic():
                return _grant(offer, wishes, call)
        except ChangedMeanwhile:
            continue
    raise NotLive


def _wishes(
    sources: Sequence[str],
    customer_ids: Sequence[int],
    origin_ids: Sequence[int | None],
    terms: Sequence[Mapping[str, Any]] | None,
) -> list[Wish]:
    count = len(sources)
    if count > MOST or len(set(sources)) != count:
        raise ValueError(f"at most {MOST} sources, all different")
    terms = terms if terms is not None else [{}] * count
    if not len(customer_ids) == len(origin_ids) == len(terms) == count:
        raise ValueError("one customer, one origin and one terms for each source")
    return [Wish(*wish) for wish in zip(sources, customer_ids, origin_ids, terms, strict=True)]


def _read_offer(incentive_id: int, now: dt.datetime) -> Offer:
    row = fetch_row(_OFFER, [incentive_id])
    if row is None:
        raise NoSuchIncentive
    state, version_id, zone, currency, units = row[0]
    return Offer(incentive_id, state, version_id, rule_of(version_id), now, zone, currency, units or {})


def _grant_at_once(offer: Offer, wishes: list[Wish], call: _Call) -> Granted | None:
    """Value of which nobody counts how much is left, without looking first; None where it must be looked at."""
    limits = offer.rule.limits
    if call.budget_id is not None or limits.issued or limits.issued_per_customer or not is_value(offer.rule):
        return None
    refused: dict[str, Refusal] = {}
    fresh = _with_good_terms(offer.rule, wishes, refused)
    if not fresh or refused or _refusal(offer) is not None:
        return None
    made = grant_value(offer, fresh, origin=call.origin, by=call.by, expires_at=call.ends)
    return Granted(made, frozenset(), {}) if made else None


def _grant(offer: Offer, wishes: list[Wish], call: _Call) -> Granted:
    issued = _issued(offer)
    repeated, fresh, refused = _sift(wishes)
    if (refusal := _refusal(offer)) is not None:
        refused.update((wish.source, refusal) for wish in fresh)
        return Granted(repeated, frozenset(repeated), refused)
    fresh = _with_good_terms(offer.rule, fresh, refused)
    fresh = _within_issue_limit(offer, issued, fresh, refused)
    fresh = _within_customer_limit(offer, fresh, refused)
    granted_on = None
    if call.budget_id is not None:
        room = room_in_budget(budget_id=call.budget_id, count=len(fresh), now=offer.now)
        granted_on = room.today
        if room.reason is not None:
            fresh = _first(fresh, room.count, room.reason, refused)
    pooled: list[int] = []
    has_code = offer.rule.codes.kind == "unique" and needs_code(offer.rule)
    if has_code and offer.rule.codes.is_from_pool:
        pooled = free_codes(offer.incentive_id, len(fresh))
        fresh = _first(fresh, len(pooled), PoolEmpty().as_refusal(), refused)
    if not fresh:
        return Granted(repeated, frozenset(repeated), refused)
    made = _write(offer, fresh, pooled, call, granted_on, has_code=has_code)
    if call.budget_id is not None and granted_on is not None:
        count_in_budget(budget_id=call.budget_id, today=granted_on, count=len(made))
    return Granted({**repeated, **made}, frozenset(repeated), refused)


def _write(
    offer: Offer, fresh: list[Wish], pooled: list[int], call: _Call, granted_on: dt.date | None, *, has_code: bool
) -> dict[str, int]:
    told: dict[str, Any] = {"origin": call.origin, "by": call.by, "expires_at": call.ends}
    told |= {"budget_id": call.budget_id, "granted_on": granted_on}
    if is_value(offer.rule):
        made = grant_value(offer, fresh, **told)
        if made is None:
            raise ChangedMeanwhile
        return made
    made = insert_grants(offer, fresh, **told)
    if has_code:
        given_at = offer.now if call.is_given else None
        ids = [made[wish.source] for wish in fresh]
        customers = [wish.customer_id for wish in fresh]
        if pooled:
            hand_over_pooled(offer, pooled, ids, customers, call.ends, given_at)
        else:
            insert_codes(offer, ids, customers, call.ends, given_at)
    yield_by_hand(
        rule=offer.rule, grant_ids=[made[wish.source] for wish in fresh], now=offer.now, with_tickets=has_code
    )
    if is_gift(offer.rule):
        _give_value(offer, fresh, made, call.ends, call.by)
    count_issued(offer, len(fresh))
    return made


def _give_value(
    offer: Offer, fresh: list[Wish], made: Mapping[str, int], expires_at: dt.datetime | None, by: Actor
) -> None:
    # Many are given the same: it is worked out once.
    known: dict[tuple[Any, ...], list[tuple[int, Mapping[str, Any]]]] = {}
    gifts = []
    for wish in fresh:
        if (much := wish.own.much) not in known:
            known[much] = gifts_of(her_effects(offer.rule, wish.own), offer.currency)
        waits: dict[str, Any] = {"expires_at": expires_at, **wish.own.waits}
        gifts += [Gift(made[wish.source], wish.customer_id, n, told, **waits) for n, told in known[much]]
    fulfil(gifts, now=offer.now, by=by)


def _refusal(offer: Offer) -> Refusal | None:
    if offer.state == Incentive.State.STOPPED:
        return Stopped().as_refusal()
    if offer.state != Incentive.State.LIVE:
        return NotLive().as_refusal()
    if offer.rule.validity.ends_at and offer.rule.validity.ends_at <= offer.now:
        return Ended().as_refusal()
    return None


def _sift(wishes: list[Wish]) -> tuple[dict[str, int], list[Wish], dict[str, Refusal]]:
    """Which wishes were granted before, which are fresh (a merged customer's for her survivor), which are nobody's.

    The database answers for the exceptions only; a chunk of five thousand has few.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT wish.source, g.id, customer.merged_into_id, customer.id IS NULL OR customer.erased_at IS NOT NULL
            FROM unnest(%s::text[], %s::bigint[]) AS wish (source, customer_id)
            LEFT JOIN incentives_grant g ON g.source = wish.source
            LEFT JOIN customers_customer customer ON customer.id = wish.customer_id
            WHERE g.id IS NOT NULL OR customer.id IS NULL OR customer.erased_at IS NOT NULL
               OR customer.merged_into_id IS NOT NULL
            """,
            [[wish.source for wish in wishes], [wish.customer_id for wish in wishes]],
        )
        rows = cursor.fetchall()
    if not rows:
        return {}, wishes, {}
    repeated = {source: pk for source, pk, _merged, _gone in rows if pk is not None}
    refused = {source: NoSuchCustomer().as_refusal() for source, pk, _m, gone in rows if pk is None and gone}
    became = {source: merged for source, pk, merged, gone in rows if pk is None and merged and not gone}
    fresh = [
        Wish(wish.source, became.get(wish.source, wish.customer_id), wish.origin_id, wish.terms)
        for wish in wishes
        if wish.source not in repeated and wish.source not in refused
    ]
    return repeated, fresh, refused


def _with_good_terms(rule: IncentiveRule, fresh: list[Wish], refused: dict[str, Refusal]) -> list[Wish]:
    if not rule.is_from_grant and not any(wish.terms for wish in fresh):
        return fresh
    good = []
    for wish in fresh:
        try:
            terms = Terms.model_validate(wish.terms)
        except ValidationError as error:
            refused[wish.source] = BadTerms(problem=error.errors()[0]["msg"]).as_refusal()
            continue
        if _is_short_of(rule, terms):
            refused[wish.source] = TermsMissing().as_refusal()
        else:
            wish.own = terms
            good.append(wish)
    return good


def _is_short_of(rule: IncentiveRule, terms: Terms) -> bool:
    """Whether an effect waits for an amount that these terms do not say."""
    return any(
        (terms.points if effect.kind == "points" else terms.amount_minor) is None
        for effect in rule.effects
        if getattr(effect, "is_from_grant", False)
    )


def _first(fresh: list[Wish], count: int, refusal: Refusal, refused: dict[str, Refusal]) -> list[Wish]:
    """The `count` wishes of the customers with the lowest ids; the others are refused."""
    if len(fresh) <= count:
        return fresh
    in_order = sorted(fresh, key=lambda wish: (wish.customer_id, wish.source))
    refused.update((wish.source, refusal) for wish in in_order[count:])
    return in_order[:count]


def _issued(offer: Offer) -> int:
    """A limit is shared out in turn; without one, grants run beside each other."""
    if not offer.rule.limits.issued:
        return 0
    found = Counter.objects.select_for_update(no_key=True).get(
        incentive_id=offer.incentive_id, scope=Counter.Scope.ISSUE, subject_id=0, currency=""
    )
    return found.issued


def _within_issue_limit(offer: Offer, issued: int, fresh: list[Wish], refused: dict[str, Refusal]) -> list[Wish]:
    limit = offer.rule.limits.issued
    if not limit:
        return fresh
    return _first(fresh, max(0, limit - issued), AllIssued(limit=limit).as_refusal(), refused)


def _within_customer_limit(offer: Offer, fresh: list[Wish], refused: dict[str, Refusal]) -> list[Wish]:
    limit = offer.rule.limits.issued_per_customer
    if not limit or not fresh:
        return fresh
    wanted = Tally(wish.customer_id for wish in fresh)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO incentives_counter AS counter
                   (incentive_id, scope, subject_id, period, currency, issued, redeemed, spent_minor, is_stopped)
            SELECT %(incentive)s, 'customer', wish.customer_id, '', '', least(wish.count, %(limit)s), 0, 0, false
            FROM unnest(%(customers)s::bigint[], %(counts)s::bigint[]) AS wish (customer_id, count)
            ORDER BY wish.customer_id
            ON CONFLICT (incentive_id, scope, subject_id, period, currency)
            DO UPDATE SET issued = greatest(counter.issued, least(counter.issued + excluded.issued, %(limit)s))
            RETURNING subject_id, new.issued - coalesce(old.issued, 0)
            """,
            {
                "incentive": offer.incentive_id,
                "limit": limit,
                "customers": list(wanted),
                "counts": list(wanted.values()),
            },
        )
        allowed = dict(cursor.fetchall())
    good = []
    for wish in sorted(fresh, key=lambda wish: (wish.customer_id, wish.source)):
        if allowed[wish.customer_id] > 0:
            allowed[wish.customer_id] -= 1
            good.append(wish)
        else:
            refused[wish.source] = CustomerHasHers(limit=limit).as_refusal()
    return good
