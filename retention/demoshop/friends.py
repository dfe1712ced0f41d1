"""The demo shop's friends: a scheme that customers brought others by since the first summer, and a partner in cash."""

import datetime as dt
import random
from collections.abc import Iterator, Sequence
from typing import Any

from referrals import operations as referrals
from referrals.models import Advocate, Scheme
from referrals.operations.partners import PartnerData, create_partner, enrol_partner
from referrals.operations.ready import create_from_ready
from referrals.versions import rule_of
from retention.actors import Actor
from retention.customers.models import Customer

DAY = dt.timedelta(days=1)
SEED = 23
ADVOCATES = 60
#: Of those who bought, and of those who have only signed up so far.
FRIENDS, NEWCOMERS = 90, 30
#: So many of the newcomers came by the very device of who recommends the shop to them: somebody has to look at these.
DOUBTFUL = 5
#: So many of those who bought came by the partner.
BY_PARTNER = 18
#: The sweeps are run this often, as if beat had done it all along.
STEP = 14 * DAY
PARTNER = PartnerData(
    reference="run-out-groove", name="Run-out Groove, a newsletter", email="desk@run-out-groove.example.com",
    payee="Run-out Groove", iban="DE89370400440532013000", basis_points=800, currency="USD", least_minor=2_000,
)  # fmt: skip


def bring_friends(*, now: dt.datetime, by: Actor) -> None:
    """Both schemes, who came by them and what that brought; the same customers every time.

    Facts are followed by marks, so this comes after all others are committed.
    """
    draw = random.Random(SEED)  # noqa: S311
    bought = _signed_up(stats__first_order_at__lt=now - 30 * DAY)
    if len(bought) < FRIENDS + ADVOCATES:
        return
    opened_at = bought[ADVOCATES][1]
    brought = sorted(draw.sample(bought[ADVOCATES:], FRIENDS), key=lambda one: one[1])
    newcomers = _signed_up(stats__first_order_at=None, orders=None)[-NEWCOMERS:]
    links = _open("give_and_get", [pk for pk, _at in bought[:ADVOCATES]], at=opened_at, by=by)
    partner = _hire(at=opened_at, by=by)
    came = [(at, pk, partner if place % (FRIENDS // BY_PARTNER) == 0 else draw.choice(links), "")
            for place, (pk, at) in enumerate(brought)]  # fmt: skip
    for place, (pk, at) in enumerate(newcomers):
        advocate = links[place % len(links)] if place < DOUBTFUL else draw.choice(links)
        came.append((at, pk, advocate, _device_of(advocate.customer_id if place < DOUBTFUL else pk)))
    _let_come(sorted(came, key=lambda one: one[0]), now=now, by=by)
    _speak_from_now_on(now=now, by=by)


def _signed_up(**where: Any) -> list[tuple[int, dt.datetime]]:
    """Each with her sign-up, the earliest first."""
    rows = Customer.objects.filter(signed_up_at__isnull=False, erased_at=None, merged_into=None, **where)
    return list(rows.order_by("signed_up_at", "pk").values_list("pk", "signed_up_at"))


def _open(key: str, customers: Sequence[int], *, at: dt.datetime, by: Actor) -> list[Advocate]:
    """A live scheme, as it is written in the gallery, and its advocates. It is silent: all this is long ago."""
    scheme = _launched(key, at=at, by=by)
    for pk in customers:
        referrals.open_advocates(scheme_id=scheme.pk, customer_ids=[pk], device=_device_of(pk), now=at, by=by)
    return list(Advocate.objects.filter(scheme=scheme).order_by("pk"))


def _hire(*, at: dt.datetime, by: Actor) -> Advocate:
    scheme = _launched("affiliates", at=at, by=by)
    partner = create_partner(data=PARTNER, now=at, by=by)
    return enrol_partner(partner_id=partner.pk, scheme_id=scheme.pk, code="RUNOUT", now=at, by=by)


def _launched(key: str, *, at: dt.datetime, by: Actor) -> Scheme:
    scheme = create_from_ready(key=key, now=at, by=by)
    _write(scheme, {"has_messages": False}, now=at, by=by)
    return referrals.launch_scheme(scheme_id=scheme.pk, now=at, by=by)


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
