"""May this message leave now? The questions that every message is asked; rooms above add their own."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import F

from retention import clock
from retention.customers.addresses import address_hash
from retention.customers.asks import open_asks
from retention.customers.models import ConsentState
from retention.customers.querysets import holding
from retention.incentives.models import Grant, Incentive
from retention.messaging import frequency, reasons
from retention.messaging.models import Pause, Suppression
from retention.messaging.outgoing import CONFIRMATIONS, Outgoing
from retention.messaging.policy import Left, SendingPolicy, room
from retention.messaging.ways import consent_of
from retention.registries import SendGuard, Skip, guards

#: A message held back for so long is not sent any more, whatever held it.
HELD_AT_MOST = dt.timedelta(days=7)
_ASK_AGAIN = dt.timedelta(minutes=10)
#: Whoever goes first has left, or was refused, by then.
_SOON = dt.timedelta(minutes=1)


def refusals(deliveries: list[Outgoing], *, now: dt.datetime) -> dict[int, Skip]:
    """Delivery id → the first guard's no; guards are asked in their order, each about those still in the running."""
    found: dict[int, Skip] = {}
    left = deliveries
    for guard in sorted(guards, key=lambda guard: (guard.order, guard.key)):
        if not left:
            break
        found.update(guard.refusals(left, now=now))
        left = [delivery for delivery in left if delivery.id not in found]
    return found


@guards.register
class Reachable(SendGuard):
    key = "reachable"
    order = 10

    @classmethod
    def refusals(cls, deliveries: list[Outgoing], *, now: dt.datetime) -> dict[int, Skip]:
        found = {}
        for delivery in deliveries:
            if delivery.is_gone:
                found[delivery.id] = Skip(reasons.CUSTOMER_GONE)
            elif not delivery.address_normal:
                found[delivery.id] = Skip(reasons.NO_ADDRESS)
            elif delivery.held_at and now - delivery.held_at > HELD_AT_MOST:
                found[delivery.id] = Skip(reasons.TOO_LATE, {"days": HELD_AT_MOST.days})
        return found


@guards.register
class NotSuppressed(SendGuard):
    key = "not_suppressed"
    order = 20

    @classmethod
    def refusals(cls, deliveries: list[Outgoing], *, now: dt.datetime) -> dict[int, Skip]:
        hashes = {delivery.id: address_hash(delivery.address_normal or "") for delivery in deliveries}
        rows = Suppression.objects.filter(
            channel__in={delivery.channel for delivery in deliveries}, address_hash__in=set(hashes.values())
        )
        suppressed = {(row.channel, bytes(row.address_hash)): row for row in rows}
        found = {}
        for delivery in deliveries:
            row = suppressed.get((delivery.channel, hashes[delivery.id]))
            if row and not (row.marketing_only and delivery.is_transactional):
                found[delivery.id] = Skip(reasons.SUPPRESSED, {"why": row.why})
        return found


@guards.register
class Agreed(SendGuard):
    """Marketing needs the consent of the present address, and its topic's beside it; see `ways` for each channel."""

    key = "agreed"
    order = 30

    @classmethod
    def refusals(cls, deliveries: list[Outgoing], *, now: dt.datetime) -> dict[int, Skip]:
        asked = [delivery for delivery in deliveries if not delivery.is_transactional]
        given = set(
            ConsentState.objects.filter(
                holding(now),
                customer_id__in={delivery.customer_id for delivery in asked},
                purpose__in={purpose for delivery in asked for purpose in purposes(delivery.topic)},
            ).values_list("customer_id", "channel", "purpose", "address")
        )
        found = {}
        for delivery in asked:
            consent = consent_of(delivery.channel, delivery.address_normal)
            for purpose in purposes(delivery.topic) if consent else ():
                channel, address = consent or ("", "")
                if (delivery.customer_id, channel, purpose, address) not in given:
                    found[delivery.id] = Skip(reasons.NO_CONSENT, {"purpose": purpose})
                    break
        return found


@guards.register
class StillAsked(SendGuard):
    """A mail that asks for a confirmation leaves only while its link would do something."""

    key = "still_asked"
    order = 35

    @classmethod
    def refusals(cls, deliveries: list[Outgoing], *, now: dt.datetime) -> dict[int, Skip]:
        asking = [delivery for delivery in deliveries if delivery.origin == CONFIRMATIONS]
        if not asking:
            return {}
        first = {}
        for ask in open_asks([delivery.customer_id for delivery in asking], now=now):
            first.setdefault(ask.customer_id, ask.id)
        return {
            delivery.id: Skip(reasons.NOTHING_TO_CONFIRM)
            for delivery in asking
            if first.get(delivery.customer_id, delivery.origin_id + 1) > delivery.origin_id
        }


@guards.register
class CouponGood(SendGuard):
    """What the message brings can still be used; while its incentive is stopped the message waits."""

    key = "coupon_good"
    order = 40

    @classmethod
    def refusals(cls, deliveries: list[Outgoing], *, now: dt.datetime) -> dict[int, Skip]:
        grants = {
            row["pk"]: row
            for row in Grant.objects.filter(
                pk__in={delivery.grant_id for delivery in deliveries if delivery.grant_id is not None}
            ).values("pk", "state", "expires_at", code_ends=F("code__expires_at"), of=F("incentive__state"))
        }
        found = {}
        for delivery in deliveries:
            skip = cls._skip(grants.get(delivery.grant_id), now)
            if skip:
                found[delivery.id] = skip
        return found

    @staticmethod
    def _skip(grant: dict[str, Any] | None, now: dt.datetime) -> Skip | None:
        if grant is None:
            return None
        if grant["state"] != Grant.State.ACTIVE:
            return Skip(reasons.COUPON_WITHDRAWN)
        if any(end is not None and end <= now for end in (grant["expires_at"], grant["code_ends"])):
            return Skip(reasons.COUPON_ENDED)
        if grant["of"] == Incentive.State.STOPPED:
            return Skip(reasons.OFFER_STOPPED, until=now + _ASK_AGAIN)
        return None


@guards.register
class NotPaused(SendGuard):
    """Marketing of a campaign or channel that paused by itself waits until somebody lifts that."""

    key = "not_paused"
    order = 12

    @classmethod
    def refusals(cls, deliveries: list[Outgoing], *, now: dt.datetime) -> dict[int, Skip]:
        paused = set(Pause.objects.filter(lifted_at=None).values_list("channel", "origin", "group_id"))
        if not paused:
            return {}
        return {
            delivery.id: Skip(reasons.PAUSED, until=now + _ASK_AGAIN)
            for delivery in deliveries
            if not delivery.is_transactional
            and paused & {(delivery.channel, "", None), ("", delivery.origin, delivery.group_id)}
        }


@guards.register
class QuietHours(SendGuard):
    """By her own clock; what someone waits for is exempt."""

    key = "quiet_hours"
    order = 80

    @classmethod
    def refusals(cls, deliveries: list[Outgoing], *, now: dt.datetime) -> dict[int, Skip]:
        quiet = frequency.current_policy().quiet_hours
        if quiet is None:
            return {}
        found = {}
        for delivery in deliveries:
            if not delivery.is_transactional and delivery.channel in quiet.channels:
                until = quiet.until(now, delivery.zone)
                if until is not None:
                    params = {"until": _shown(until, delivery)}
                    found[delivery.id] = Skip(reasons.QUIET, params, until if quiet.then == "hold" else None)
        return found


@guards.register
class Frequency(SendGuard):
    """No more messages to one customer than the policy's caps allow; the one of higher priority goes first.

    The very last to be asked, since only what else may leave counts. Asked again when a message begins to leave, under
    her lock: see `frequency.within_caps`.
    """

    key = "frequency"
    order = 1000

    @classmethod
    def refusals(cls, deliveries: list[Outgoing], *, now: dt.datetime) -> dict[int, Skip]:
        policy = frequency.current_policy()
        asked = [delivery for delivery in deliveries if frequency.is_capped(delivery, policy)]
        if not asked:
            return {}
        lefts = frequency.left_of({delivery.customer_id for delivery in asked}, now=now)
        ahead = frequency.waiting_ahead(asked, now=now)
        found = {}
        for delivery in asked:
            skip = cls._skip(delivery, policy, lefts[delivery.customer_id], ahead[delivery.id], now)
            if skip:
                found[delivery.id] = skip
        return found

    @staticmethod
    def _skip(
        delivery: Outgoing, policy: SendingPolicy, left: list[Left], ahead: list[Left], now: dt.datetime
    ) -> Skip | None:
        mine = {"channel": delivery.channel, "topic": delivery.topic, "now": now, "zone": delivery.zone}
        full = room(policy.caps, left, **mine)
        if full:
            cap, until = full
            params = {"most": cap.most, "span": cap.span, "until": _shown(until, delivery)}
            is_worth_waiting = until - (delivery.held_at or now) <= HELD_AT_MOST
            waits = policy.over_cap == "hold" and is_worth_waiting
            return Skip(reasons.CAPPED[cap.per], params, until if waits else None)
        if room(policy.caps, [*left, *ahead], **mine):
            return Skip(reasons.YIELDS, until=now + _SOON)
        return None


def _shown(at: dt.datetime, delivery: Outgoing) -> str:
    return f"{at.astimezone(clock.zone(delivery.zone)):%Y-%m-%d %H:%M} ({delivery.zone})"


def purposes(topic: str) -> tuple[str, ...]:
    """What a marketing message needs consent for."""
    return ("marketing", f"topic:{topic}") if topic else ("marketing",)
