"""A broadcast to furnish faults with, the haste that lets minutes pass, and what must be true after any fault."""

import datetime as dt
import re
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from celery import current_app
from django.db import transaction
from django.db.models import Count
from django.db.models.functions import Now

from campaigns import operations
from campaigns.models import Campaign, Touch
from campaigns.plans import Plan
from retention import clock
from retention.actors import Actor
from retention.customers.models import ConsentState, Customer
from retention.embedded.processes import is_alive
from retention.incentives import operations as incentives
from retention.incentives.models import Code, Grant
from retention.incentives.operations.reconcile import differences
from retention.incentives.rules import IncentiveRule
from retention.messaging import operations as messaging
from retention.messaging.models import Delivery
from retention.shop.models import Shop
from retention.work.models import Alert, JobRun
from retention.work.operations import facts_came, nudge
from tests.mailbox import Mail

BY = Actor.job("test")
UNFINISHED = ("queued", "held", "claimed", "sending")
#: For so many who agreed to mail there is one more who never did.
STRANGERS = 10
#: How long something that was lost may be waited for in a hurry.
SOON = dt.timedelta(seconds=3)


def strangers(customers: int) -> int:
    return customers // STRANGERS


@transaction.atomic
def join(numbers: range) -> None:
    """So many customers come who agree to mail, and some who never do; campaigns are told, as by any import."""
    now = clock.now()
    names = [f"c{n}" for n in numbers] + [f"s{n // STRANGERS}" for n in numbers if n % STRANGERS == STRANGERS - 1]
    people = Customer.objects.bulk_create(
        [Customer(reference=name, email=f"{name}@example.com", recorded_at=now) for name in names], batch_size=5000
    )
    ConsentState.objects.bulk_create(
        [
            ConsentState(
                customer=person, channel="email", purpose="marketing", is_given=True, address=person.email,
                occurred_at=now,
            )
            for person in people[: len(numbers)]
        ],
        batch_size=5000,
    )  # fmt: skip
    facts_came("customers")


def launch(customers: int) -> Campaign:
    """A live broadcast with a coupon to so many customers; later ones are reached as well."""
    now = clock.now()
    Shop.objects.create(
        name="Vinyl", time_zone="UTC", currency="EUR", languages=["en"], sender_email="shop@example.com",
        postal_address="1 Main Street",
    )  # fmt: skip
    join(range(customers))
    rule = {"name": "Five", "effects": [{"kind": "amount", "amounts": {"EUR": 500}}]}
    five = incentives.create_incentive(rule=IncentiveRule.model_validate(rule), now=now, by=BY)
    template = messaging.ensure_ready_template(key="broadcast", now=now, by=BY)
    at = now - dt.timedelta(hours=2)
    plan = Plan(
        name="Everyone",
        occasion="one_date",
        occasion_args={"on": f"{at:%Y-%m-%d}", "hour": f"{at:%H:%M}", "clock": "shop"},
        steps=[{"incentive": five.pk, "messages": [template.pk]}],
    )
    launched = at - dt.timedelta(hours=1)
    campaign = operations.create_campaign(plan=plan, now=launched, by=BY)
    operations.approve(campaign_id=campaign.pk, version=1, now=launched, by=BY)
    return operations.launch(campaign_id=campaign.pk, now=launched, by=BY)


@dataclass
class Haste:
    """Rings as beat and facts that come do, only oftener, and lets pass at once what the dead are given minutes for.

    Attributes:
        also: what else is done as often, such as starting again what fell.
        cut_off: senders that live, but lost what they had in hand, as by a crash of the database.
        in_hand: mails of which nobody knows, because their senders died.
    """

    also: Callable[[], None] = lambda: None
    cut_off: set[str] = field(default_factory=set)
    in_hand: int = 0
    _next: float = 0.0

    def __call__(self) -> None:
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + 0.5
        current_app.send_task("work.tick", queue="sweeps", expires=5, ignore_result=True)
        nudge("messaging.send")
        self.also()
        ago = Now() - dt.timedelta(seconds=1)
        # A ring that was lost is repeated after a minute.
        JobRun.objects.filter(state="waiting", lease_until__lt=Now() + dt.timedelta(seconds=55) - SOON).update(
            lease_until=ago
        )
        held = Delivery.objects.filter(state__in=["claimed", "sending"], lease_until__gt=Now())
        for sender in set(held.values_list("claimed_by", flat=True)):
            if sender in self.cut_off or not is_alive(int(sender.split(":")[-2])):
                its = held.filter(claimed_by=sender)
                sending = its.filter(state="sending").update(lease_until=ago)
                assert sending <= 20, "a sender that dies leaves at most twenty mails of which nobody knows"
                self.in_hand += sending
                its.update(lease_until=ago)

    def until(self, is_so: Callable[[], object], seconds: float, *, every: float = 0.004) -> bool:
        """Hurry on until it is so, looking `every` so many seconds; False where it was not after that time."""
        deadline = time.monotonic() + seconds
        while not is_so():
            if time.monotonic() > deadline:
                return False
            self()
            time.sleep(every)
        return True


def is_over(customers: int) -> bool:
    """Whether everyone was looked at and nothing is on its way any more."""
    return (
        not Delivery.objects.filter(state__in=UNFINISHED).exists()
        and not Touch.objects.filter(state="due").exists()
        and Touch.objects.count() == customers + strangers(customers)
    )


def where() -> dict[str, int]:
    """How far everything has come, for whoever waits in vain."""
    runs = JobRun.objects.filter(state__in=JobRun.OPEN).values_list("job__key", "state", "attempts")
    return {
        "touches": Touch.objects.count(),
        **Counter(Delivery.objects.values_list("state", flat=True)),
        **Counter(runs),
    }


@dataclass(frozen=True)
class Truth:
    """What came of a broadcast to `customers` who may be written to."""

    customers: int
    touches: int
    grants: int
    codes: int
    at_sink: int
    unknown: int
    twice: int
    missed: int

    def __str__(self) -> str:
        return (
            f"touches {self.touches:,}, grants {self.grants:,}, codes {self.codes:,}, at sink {self.at_sink:,}, "
            f"unknown {self.unknown}, twice {self.twice}, missed {self.missed}"
        )


_MESSAGE_ID = re.compile(rb"^Message-ID: <([0-9a-f-]{36})@", re.MULTILINE)


def truth_of(customers: int, mails: list[Mail]) -> Truth:
    """Read what is so, from the rows and from the mail server."""
    arrived = Counter(mail.recipients[0] for mail in mails)
    ids = Counter(_MESSAGE_ID.search(mail.raw).group(1).decode() for mail in mails)
    unknown = Delivery.objects.filter(state="unknown")
    known = arrived.keys() | set(unknown.values_list("customer__email", flat=True))
    return Truth(
        customers=customers,
        touches=Touch.objects.filter(reason="").values("customer").distinct().count(),
        grants=Grant.objects.values("customer").distinct().count(),
        codes=Code.objects.values("customer").distinct().count(),
        at_sink=len(mails),
        unknown=unknown.count(),
        twice=max(arrived.total() - len(arrived), ids.total() - len(ids)),
        missed=customers - len(known),
    )


def check(truth: Truth, mails: list[Mail], *, unknown_at_most: int) -> None:
    """Everybody who may be written to has one coupon, nobody two mails, and what nobody knows is little and told."""
    wanted = truth.customers
    assert (truth.touches, truth.grants, truth.codes) == (wanted, wanted, wanted)
    assert (truth.twice, truth.missed) == (0, 0)
    # Not one row more than customers.
    reasons = Counter(Touch.objects.values_list("reason", flat=True))
    assert reasons == Counter({"": wanted, "campaigns.no_consent": strangers(wanted)}) - Counter()
    assert Grant.objects.count() == Code.objects.count() == Delivery.objects.count() == wanted
    assert Code.objects.aggregate(n=Count("grant", distinct=True))["n"] == wanted
    assert set(Code.objects.values_list("state", flat=True)) == {"given"}
    assert differences() == [], "the counters say what the rows say"
    states = Counter(Delivery.objects.values_list("state", flat=True))
    assert set(states) <= {"sent", "unknown"}
    sent = set(Delivery.objects.filter(state="sent").values_list("customer__email", flat=True))
    assert sent <= {mail.recipients[0] for mail in mails}, "what is called sent has arrived"
    assert truth.unknown <= unknown_at_most, "what dead senders had in hand, and nothing else"
    unknown = Delivery.objects.filter(state="unknown")
    assert set(unknown.values_list("reason", flat=True)) <= {"messaging.sender_lost"}
    told = Alert.objects.filter(kind="messaging.unknown", resolved_at=None).values_list("text", flat=True)
    assert [text.split()[0] for text in told] == ([str(truth.unknown)] if truth.unknown else [])
