"""A simulated year in five time zones, with the system down at nights, on days of changed clocks and on 29 February.

Nobody is missed, nobody is touched twice, nobody early; `FAULT_SEED` repeats a year, `FAULT_SINCE` and `FAULT_DAYS`
choose a part of it.
"""

import datetime as dt
import os
import sys
import time
from collections import Counter, defaultdict

import pytest

from campaigns import operations
from campaigns.models import Touch
from campaigns.plans import Plan
from retention import registries
from retention.actors import Actor
from retention.customers.models import Order
from retention.incentives import operations as incentives
from retention.incentives.models import Code, Grant
from retention.incentives.operations.reconcile import differences
from retention.incentives.rules import IncentiveRule
from retention.messaging import operations as messaging
from retention.messaging.models import Delivery
from retention.shop.models import Shop
from retention.work.ingest import ingest
from retention.work.models import JobRun
from retention.work.operations import run_due
from tests.faults.years import DAY, SHOP_ZONE, Year

pytestmark = [pytest.mark.faults, pytest.mark.timeout(7200), pytest.mark.django_db(transaction=True)]
BY = Actor.job("test")
SINCE = dt.datetime.combine(dt.date.fromisoformat(os.environ.get("FAULT_SINCE", "2027-08-01")), dt.time.min, dt.UTC)
OCCASIONS = {
    "Birthday": ("birthday", {"hour": "02:30", "leap_day": "02-28"}),
    "Holiday": ("holiday", {"hour": "00:00", "holidays": ["christmas-day", "new-years-day"]}),
    "Anniversary": ("anniversary", {"hour": "00:10", "leap_day": "03-01"}),
    "Welcome": ("signed_up", {}),
    "Leap day": ("one_date", {"on": "2028-02-29", "hour": "23:55", "clock": "customer"}),
    "Silent": ("days_since_last_order", {"days": 30, "hour": "10:00"}),
}


@pytest.fixture
def town(db):
    """The year, its people who are there already, and six campaigns; three of them give a coupon."""
    seed = int(os.environ.get("FAULT_SEED", time.time_ns() % 10_000))
    sys.stdout.write(f"FAULT_SEED={seed}\n")
    year = Year.of(
        seed=seed, since=SINCE, days=int(os.environ.get("FAULT_DAYS", "366")),
        people=int(os.environ.get("FAULT_CUSTOMERS", "400")),
    )  # fmt: skip
    Shop.objects.create(
        name="Vinyl", time_zone=SHOP_ZONE, currency="EUR", languages=["en"], country="DE",
        sender_email="shop@example.com", postal_address="1 Main Street",
    )  # fmt: skip
    assert not ingest("products", [{"sku": "LP", "name": "LP", "price": "20.00"}], now=SINCE, by=BY).refused
    bring([person for person in year.people if person.signed_up_at <= SINCE], [], SINCE)
    list(run_due(now=SINCE - dt.timedelta(minutes=1)))
    rule = {"name": "Five", "effects": [{"kind": "amount", "amounts": {"EUR": 500}}]}
    five = incentives.create_incentive(rule=IncentiveRule.model_validate(rule), now=SINCE, by=BY)
    template = messaging.ensure_ready_template(key="broadcast", now=SINCE, by=BY)
    for name, (occasion, args) in OCCASIONS.items():
        gives = five.pk if name in ("Birthday", "Welcome", "Silent") else None
        plan = Plan(
            name=name, occasion=occasion, occasion_args=args, steps=[{"incentive": gives, "messages": [template.pk]}]
        )
        campaign = operations.create_campaign(plan=plan, now=SINCE, by=BY)
        operations.approve(campaign_id=campaign.pk, version=1, now=SINCE, by=BY)
        operations.launch(campaign_id=campaign.pk, now=SINCE, by=BY)
    return year


def bring(people, orders, now):
    """Tell the shop of people with their consents, and of orders."""
    rows = {
        "customers": [
            {
                "reference": person.reference, "email": person.email, "time_zone": person.zone,
                "country": person.country, "signed_up_at": person.signed_up_at.isoformat(),
                "birthday": person.birthday and f"2000-{person.birthday[0]:02}-{person.birthday[1]:02}",
            }
            for person in people
        ],
        "consents": [
            {
                "customer": person.reference, "channel": "email", "purpose": "marketing", "event": "given",
                "source": "checkout", "occurred_at": person.signed_up_at.isoformat(),
            }
            for person in people
            if person.agreed
        ],
        "orders": [
            {
                "reference": f"{person.reference}-{number}", "customer": person.reference, "state": "paid",
                "currency": "EUR", "total": "20.00", "placed_at": person.orders[number].isoformat(),
                "lines": [{"sku": "LP", "quantity": 1, "unit_price": "20.00"}],
            }
            for person, number in orders
        ],
    }  # fmt: skip
    for kind, some in rows.items():
        if some:
            result = ingest(kind, some, now=now, by=BY)
            assert not result.refused, result.refused


def live_through(year):
    """Look at every instant at which the system is up; facts come in when it is up again, before it looks.

    Once a week every job that is due runs, as a person in the foreground would have it; else campaigns look each
    time, and the sender when something was queued and at full hours.
    """
    joining = sorted((p for p in year.people if p.signed_up_at > SINCE), key=lambda p: p.signed_up_at, reverse=True)
    ordering = sorted(
        ((p.orders[n], p.reference, p, n) for p in year.people for n in range(len(p.orders))), reverse=True
    )
    everything_at = SINCE
    for at in year.looks:
        people, orders = [], []
        while joining and joining[-1].signed_up_at <= at:
            people.append(joining.pop())
        while ordering and ordering[-1][0] <= at:
            orders.append(ordering.pop()[2:])
        bring(people, orders, at)
        if at >= everything_at:
            everything_at = at + 7 * DAY
            reports = list(run_due(now=at))
            assert {report.outcome for report in reports} <= {"done", "not due"}, reports
        elif run("campaigns.reach", at)["queued"] or not at.minute:
            run("messaging.send", at)


def run(key, at):
    """The work of a job at an instant, as a worker does it."""
    figures = registries.jobs[key].run(now=at, progress=lambda done, total: None)
    assert not figures.get("failed"), figures
    return figures


def test_a_year_without_a_miss(town, smtp):
    began = time.monotonic()
    live_through(town)
    owed = town.owed()
    orders = {f"order:{pk}": reference for pk, reference in Order.objects.values_list("pk", "reference")}
    touched = defaultdict(list)
    for name, reference, occasion, at in Touch.objects.values_list(
        "campaign__name", "customer__reference", "occasion", "enlisted_at"
    ):
        touched[name, reference, orders.get(occasion, occasion)].append(at)

    missed = sorted(set(owed) - set(touched))
    unowed = sorted(set(touched) - set(owed))
    doubled = sorted(key for key, looks in touched.items() if len(looks) > 1)
    early = sorted(key for key in owed if key in touched and touched[key][0] < owed[key])
    late = sorted(key for key in owed if key in touched and touched[key][0] > owed[key])
    by_campaign = ", ".join(f"{name} {count}" for name, count in sorted(Counter(key[0] for key in owed).items()))
    sys.stdout.write(
        f"{len(town.people)} customers in 5 zones, {len(town.looks):,} looks, {len(touched):,} touches "
        f"({by_campaign}), down {len(town.outages)} times for {town.hours_down} hours: missed {len(missed)}, "
        f"doubled {len(doubled)}, early {len(early)}, late {len(late)}, not owed {len(unowed)}; "
        f"{time.monotonic() - began:.0f} seconds\n"
    )
    assert {"missed": missed, "unowed": unowed, "doubled": doubled, "early": early, "late": late} == {
        "missed": [], "unowed": [], "doubled": [], "early": [], "late": []
    }  # fmt: skip

    # Each of those who agreed has one mail for each, with a coupon of its own where there is one; the others have none.
    agreed = {person.reference for person in town.people if person.agreed}
    mails = Counter(mail.recipients[0].partition("@")[0] for mail in smtp.messages)
    assert mails == Counter(reference for _name, reference, _occasion in owed if reference in agreed)
    assert set(Delivery.objects.values_list("state", flat=True)) == {"sent"}
    gave = sum(reference in agreed and name in ("Birthday", "Welcome", "Silent") for name, reference, _occasion in owed)
    assert Grant.objects.count() == Grant.objects.values("origin_id").distinct().count() == gave
    assert Code.objects.filter(state="given").count() == Code.objects.count() == gave
    assert differences() == []
    assert not JobRun.objects.filter(state="failed").exists()
    reasons = set(Touch.objects.values_list("state", "reason"))
    assert reasons == {("done", ""), ("skipped", "campaigns.no_consent")}
