"""The demo shop's friends: buyers of the first summer, readers since, and those of a partner who is paid in cash."""

import datetime as dt
import random
from collections.abc import Iterator, Sequence
from typing import Any

from referrals import operations as referrals
from referrals.models import Advocate, Scheme
from referrals.operations.partners import PartnerData, create_partner, enrol_partner
from referrals.operations.ready import create_from_ready
from referrals.rules import SchemeRule
from referrals.versions import rule_of
from retention.actors import Actor
from retention.customers.models import Customer
from retention.incentives.operations import create_incentive
from retention.incentives.rules import IncentiveRule

DAY = dt.timedelta(days=1)
YEAR = 365 * DAY
SEED = 23
ADVOCATES = 60
#: Of those who bought, and of those who have only signed up so far.
FRIENDS, READERS = 90, 80
#: So many more readers came by the very device of who brought them: somebody has to look at these.
DOUBTFUL = 5
#: So many of those who bought came by the partner.
BY_PARTNER = 18
#: Beside those of the gallery: a sign-up alone is worth a little.
BRING_A_READER: dict[str, Any] = {
    "names": {"en": "Bring a reader", "ko": "구독자 소개", "ru": "Приведи читателя"},
    "scenario": {"kind": "joined"},
    "caps": {"per_month": 10},
}
READER_POINTS = 25
#: The sweeps are run this often, as if beat had done it all along.
STEP = 14 * DAY
PARTNER = PartnerData(
    reference="run-out-groove", name="Run-out Groove, a newsletter", email="desk@run-out-groove.example.com",
    payee="Run-out Groove", iban="DE89370400440532013000", basis_points=800, currency="USD", least_minor=2_000,
)  # fmt: skip


def bring_friends(*, now: dt.datetime, by: Actor) -> None:
    """Three schemes, who came by them and what that brought; the same customers every time.

    Facts are followed by marks, so this comes after all others are committed.
    """
    draw = random.Random(SEED)  # noqa: S311
    bought = _signed_up(stats__first_order_at__lt=now - 30 * DAY)
    if len(bought) < FRIENDS + ADVOCATES:
        return
    opened_at = bought[ADVOCATES][1]
    read = _signed_up(stats__first_order_at=None, orders=None, signed_up_at__gte=now - YEAR)
    advocates = [pk for pk, _at in bought[:ADVOCATES]]
    links = _open(create_from_ready(key="give_and_get", now=opened_at, by=by), advocates, at=opened_at, by=by)
    partner = _hire(at=opened_at, by=by)
    readers = _open(_bring_a_reader(at=now - YEAR, by=by), advocates, at=now - YEAR, by=by)
    came = [(at, pk, partner if place % (FRIENDS // BY_PARTNER) == 0 else draw.choice(links), "")
            for place, (pk, at) in enumerate(draw.sample(bought[ADVOCATES:], FRIENDS))]  # fmt: skip
    harmless, doubtful = read[:-DOUBTFUL], read[-DOUBTFUL:]
    for pk, at in draw.sample(harmless, min(READERS, len(harmless))):
        came.append((at, pk, draw.choice(readers), _device_of(pk)))
    for (pk, at), advocate in zip(doubtful, readers, strict=False):
        came.append((at, pk, advocate, _device_of(advocate.customer_id)))
    _let_come(sorted(came, key=lambda one: one[0]), now=now, by=by)
    _speak_from_now_on(now=now, by=by)


def _signed_up(**where: Any) -> list[tuple[int, dt.datetime]]:
    """Each with her sign-up, the earliest first."""
    rows = Customer.objects.filter(signed_up_at__isnull=False, erased_at=None, merged_into=None, **where)
    return list(rows.order_by("signed_up_at", "pk").values_list("pk", "signed_up_at"))


def _open(scheme: Scheme, customers: Sequence[int], *, at: dt.datetime, by: Actor) -> list[Advocate]:
    """A live scheme and its advocates. It is silent: all this is long ago."""
    _launch(scheme, at=at, by=by)
    for pk in customers:
        referrals.open_advocates(scheme_id=scheme.pk, customer_ids=[pk], device=_device_of(pk), now=at, by=by)
    return list(Advocate.objects.filter(scheme=scheme).order_by("pk"))


def _hire(*, at: dt.datetime, by: Actor) -> Advocate:
    scheme = create_from_ready(key="affiliates", now=at, by=by)
    _launch(scheme, at=at, by=by)
    partner = create_partner(data=PARTNER, now=at, by=by)
    return enrol_partner(partner_id=partner.pk, scheme_id=scheme.pk, code="RUNOUT", now=at, by=by)


def _bring_a_reader(*, at: dt.datetime, by: Actor) -> Scheme:
    points = {"name": "Points for a reader", "effects": [{"kind": "points", "points": READER_POINTS}]}
    incentive = create_incentive(rule=IncentiveRule.model_validate(points), now=at, by=by, why="Demo.")
    rule = {**BRING_A_READER, "levels": [{"from_count": 1, "incentive_id": incentive.pk}]}
    return referrals.create_scheme(key="readers", rule=SchemeRule.model_validate(rule), now=at, by=by, why="Demo.")


def _launch(scheme: Scheme, *, at: dt.datetime, by: Actor) -> None:
    _write(scheme, {"has_messages": False}, now=at, by=by)
    referrals.launch_scheme(scheme_id=scheme.pk, now=at, by=by)


def _let_come(came: Sequence[tuple[dt.datetime, int, Advocate, str]], *, now: dt.datetime, by: Actor) -> None:
    """Each friend on her day, and the sweeps between them, up to today."""
    waiting = list(came)
    for until in _fortnights(waiting[0][0], now):
        while waiting and waiting[0][0] < until:
            at, friend, advocate, device = waiting.pop(0)
            referrals.refer(
                code=advocate.code, friend_id=friend, source=f"demoshop:{friend}", visitor_key=f"demoshop-{friend}",
                device=device, now=at, by=by,
            )  # fmt: skip
        for sweep in (referrals.qualify_due, referrals.decide_due, referrals.reward_due, referrals.claw_back_due):
            sweep(now=until, progress=_quietly)


def _fortnights(since: dt.datetime, now: dt.datetime) -> Iterator[dt.datetime]:
    until = since + STEP
    while until < now:
        yield until
        until += STEP
    yield now


def _speak_from_now_on(*, now: dt.datetime, by: Actor) -> None:
    for scheme in Scheme.objects.filter(kind=Scheme.Kind.CUSTOMERS).order_by("pk"):
        _write(scheme, {"has_messages": True}, now=now, by=by)


def _write(scheme: Scheme, changes: dict[str, Any], *, now: dt.datetime, by: Actor) -> None:
    rule = rule_of(scheme.version_id).model_copy(update=changes)
    edited = scheme.version.number
    referrals.save_scheme(scheme_id=scheme.pk, rule=rule, edited=edited, now=now, by=by, why="Demo.")


def _device_of(customer_id: int) -> str:
    return f"of {customer_id}"


def _quietly(done: int, total: int) -> None:
    """Nobody watches."""
