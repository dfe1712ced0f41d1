"""Why she did or didn't get it: what the page says decides is what the jobs do, before and after they did it."""

import datetime as dt
from dataclasses import replace

import pytest
import time_machine
from django.db import connection
from model_bakery import baker

from campaigns import operations
from campaigns.arms import Arms
from campaigns.models import Campaign, Touch
from campaigns.operations.stepping import ORIGIN
from campaigns.plans import running_plan
from campaigns.whys import Verdict, why, why_all
from retention.customers.models import ActivityKind, Customer, Product
from retention.customers.operations.consents import give_consent, withdraw_consent
from retention.doors.keys import create_key
from retention.incentives import operations as incentives
from retention.incentives.models import Incentive
from retention.messaging import operations as messaging
from retention.messaging.models import Delivery
from retention.messaging.operations.suppressing import suppress
from retention.registries import Window, occasions
from retention.segments.operations import create_segment
from tests.campaigns.conftest import BY

DAY, HOUR = dt.timedelta(days=1), dt.timedelta(hours=1)
NINE = {"hour": "09:00"}
TODAY = {"birth_month": 5, "birth_day": 12}

#: Who she is → what decides before the jobs ran, and after.
SITUATIONS = {
    "gets it": ("campaigns.due_now", "messaging.sent"),
    "no consent": ("campaigns.no_consent", "campaigns.no_consent"),
    "no address": ("campaigns.no_address", "campaigns.no_address"),
    "other country": ("campaigns.other_country", "campaigns.other_country"),
    "unknown country": ("campaigns.country_unknown", "campaigns.country_unknown"),
    "not in the audience": ("campaigns.not_in_audience", "campaigns.not_in_audience"),
    "excluded": ("campaigns.excluded", "campaigns.excluded"),
    "later birthday": ("campaigns.not_yet", "campaigns.not_yet"),
    "no birthday": ("campaigns.no_occasion", "campaigns.no_occasion"),
    "suppressed": ("messaging.suppressed", "messaging.suppressed"),
    "withdraws": ("campaigns.due_now", "messaging.no_consent"),
    "has hers": ("incentives.customer_has_hers", "incentives.customer_has_hers"),
    "merged": ("customers.merged", "customers.merged"),
}


def decides(campaign, customer, at):
    return why(campaign=Campaign.objects.get(pk=campaign.pk), customer=customer, now=at).deciding


@pytest.fixture
def people(shop, person, now):
    """One of each situation; those who agree said so in an event, a year ago."""
    special = {
        "no consent": {"consent": False},
        "no address": {"email": None, "consent": False},
        "other country": {"country": "FR"},
        "unknown country": {"country": ""},
        "later birthday": {"birth_day": 20},
        "no birthday": {"birth_month": None, "birth_day": None},
        "not in the audience": {"language": "ko"},
        "excluded": {"city": "Bonn"},
        "merged": {},
    }
    made = {}
    for name in SITUATIONS:
        values = {"country": "DE", "language": "en", **TODAY, **special.get(name, {})}
        consents = values.pop("consent", True)
        made[name] = person(reference=name, consent=False, **values)
        if consents:
            said = {"customer_id": made[name].pk, "channel": "email", "purpose": "marketing", "source": "test"}
            give_consent(now=now - 365 * DAY, by=BY, **said)
    suppress(address=made["suppressed"].email, now=now, by=BY)
    Customer.objects.filter(pk=made["merged"].pk).update(merged_into=made["gets it"])
    made["merged"].refresh_from_db()
    return made


@pytest.fixture
def campaign(people, live, incentive, now):
    audience = create_segment(name="English", rule=rule("language", languages=["en"]), now=now, by=BY)
    excluded = create_segment(name="Bonn", rule=rule("city", cities=["Bonn"]), now=now, by=BY)
    offer = incentive(issued_per_customer=1)
    made = live("birthday", NINE, incentive=offer, audience=audience.pk, excluded=excluded.pk, countries=["DE", "AT"])
    hers = people["has hers"].pk
    who = {"sources": ["before"], "customer_ids": [hers], "origin": "test", "origin_ids": [1]}
    incentives.grant(incentive_id=offer.pk, now=now, by=BY, **who)
    return made


def rule(key, **args):
    return {"all": [{"key": key, "args": args}]}


def test_what_decides_is_what_the_jobs_do(people, campaign, reach, smtp, now):
    before = {name: decides(campaign, who, now).code for name, who in people.items()}
    assert before == {name: codes[0] for name, codes in SITUATIONS.items()}
    reach(campaign)
    said = {"customer_id": people["withdraws"].pk, "channel": "email", "purpose": "marketing", "source": "test"}
    withdraw_consent(now=now, by=BY, **said)
    messaging.send_due(now=now + HOUR, worker="test")
    after = {name: decides(campaign, who, now + HOUR) for name, who in people.items()}
    assert {name: told.code for name, told in after.items()} == {name: codes[1] for name, codes in SITUATIONS.items()}
    # The same as the rows say that the jobs wrote, whoever has one; and nobody else has one.
    touched = {touch.customer.reference: touch for touch in Touch.objects.select_related("customer")}
    assert set(touched) == {"gets it", "no consent", "no address", "suppressed", "withdraws", "has hers"}
    for name, touch in touched.items():
        delivery = Delivery.objects.filter(origin=ORIGIN, origin_id=touch.pk).first()
        assert after[name].code == (touch.reason or f"messaging.{delivery.state}"), name
        assert (after[name].verdict == Verdict.YES) == (touch.state == Touch.State.DONE), name
        assert delivery is None or after[name].code == (delivery.reason or "messaging.sent"), name
    assert [mail.recipients for mail in smtp.messages] == [(people["gets it"].email,)]
    assert (after["gets it"].verdict, len([told for told in after.values() if told.verdict == Verdict.YES])) == (
        "yes",
        1,
    )


def test_what_waits_waits_for_what_it_says(people, campaign, reach, smtp, now):
    """Paused, held, not yet: the page names the instant, and at that instant it happens."""
    her, later = people["gets it"], people["later birthday"]
    foreseen = decides(campaign, later, now)
    assert foreseen.at == dt.datetime(2026, 5, 20, 7, tzinfo=dt.UTC)
    reach(campaign)
    offer = Incentive.objects.get()
    incentives.stop(incentive_id=offer.pk, now=now, by=BY)
    assert decides(campaign, her, now).code == "messaging.offer_stopped", "asked now, before any sender was there"
    messaging.send_due(now=now, worker="test")
    held = Delivery.objects.get(customer=her)
    assert (held.state, held.reason) == ("held", decides(campaign, her, now).code)
    incentives.resume(incentive_id=offer.pk, now=now, by=BY)
    operations.pause(campaign_id=campaign.pk, now=now, by=BY)
    assert decides(campaign, her, now).code == "campaigns.paused"
    assert decides(campaign, later, now).code == "campaigns.paused"
    operations.resume(campaign_id=campaign.pk, now=now, by=BY)
    messaging.send_due(now=held.not_before, worker="test")
    assert decides(campaign, her, held.not_before).code == "messaging.sent"
    assert reach(campaign, foreseen.at - HOUR).touched == 0
    assert reach(campaign, foreseen.at + dt.timedelta(minutes=1)).touched == 1
    assert decides(campaign, later, foreseen.at + HOUR).code == "messaging.queued"


def test_what_is_over_or_was_never_begun(people, planned, live, reach, now):
    her = people["gets it"]
    draft = operations.create_campaign(plan=planned("birthday", NINE), now=now, by=BY)
    assert decides(draft, her, now).code == "campaigns.not_launched"
    late = live("birthday", NINE, at=now - 10 * DAY, lateness_hours=2)
    assert reach(late, now + 9 * HOUR).skipped == {"campaigns.too_late": 10}
    assert decides(late, her, now + 9 * HOUR).code == Touch.objects.get(customer=her).reason == "campaigns.too_late"
    after_it = live("birthday", NINE, at=now + HOUR)
    assert decides(after_it, her, now + 2 * HOUR).code == "campaigns.not_yet", "not today, but next year"
    operations.end(campaign_id=after_it.pk, now=now + 2 * HOUR, by=BY)
    assert decides(after_it, her, now + 3 * HOUR).code == "campaigns.before_launch"
    once = live("one_date", {"on": "2026-05-11", "hour": "12:00", "clock": "shop"}, at=now - 2 * DAY)
    assert decides(once, her, now).code == "campaigns.due_now"
    operations.end(campaign_id=once.pk, now=now, by=BY)
    assert decides(once, her, now + HOUR).code == "campaigns.ended"


def test_whoever_was_not_meant_when_it_looked(people, live, person, reach, now):
    """The audience is asked as of the look; who becomes meant by no fact of hers is told so, and the job agrees."""
    segment = create_segment(name="Elsewhere", rule=rule("city", cities=["Ulm"]), now=now, by=BY)
    campaign = live("birthday", NINE, audience=segment.pk)
    her = people["gets it"]
    reach(campaign)
    assert decides(campaign, her, now).code == "campaigns.not_in_audience"
    # Not by a fact: the mark of her row does not move.
    segment.rule = rule("language", languages=["en"])
    segment.save(update_fields=["rule"])
    told = decides(campaign, her, now + HOUR).code
    assert told in ("campaigns.not_meant_then", "campaigns.due_now")
    touched = reach(campaign, now + HOUR).touched
    assert (told == "campaigns.due_now") == (touched > 0), "as the job does; inside one transaction nothing is settled"


#: What a plan asks of who may begin → what decides before the job looked, and after.
BOUNDS = {
    "hours": ({"windows": [{"weekdays": [5, 6], "from": "09:00", "until": "18:00"}]},
              ("campaigns.outside_hours", "campaigns.step_waits")),
    "not for her": ({"only_for": True}, ("campaigns.not_meant", "campaigns.not_meant")),
    "opened by and by": ({"ramp": {"percent": 1}}, ("campaigns.waits_for_ramp", "campaigns.waits_for_ramp")),
    "cooling down": ({"cool_down_days": 10}, ("messaging.queued", "campaigns.cooling_down")),
    "limit of all": ({"limits": {"touches": 1}}, ("campaigns.limit_reached", "campaigns.limit_reached")),
    "coming again": ({"re_entry": {"days": 10}}, ("messaging.queued", "campaigns.too_soon")),
    "once a customer": ({"limits": {"per_customer": 1}}, ("messaging.queued", "campaigns.customers_limit")),
    "held out": ({"holdout_percent": 50}, ("campaigns.held_out", "campaigns.held_out")),
}  # fmt: skip


@pytest.mark.parametrize("bound", BOUNDS)
def test_who_may_begin_is_told_as_the_jobs_decide(bound, shop, person, live, incentive, template, reach, now):
    """Every Tuesday; she is asked about on the second one, after another customer's or her own first time."""
    plan, (before, after) = BOUNDS[bound]
    weekly = ("recurring", {"start": "2026-05-12", "every": 1, "unit": "weeks", "clock": "shop", "hour": "12:00"})
    first = person(reference="first", country="DE")
    steps = [{"messages": [template.pk], "incentive": incentive().pk}]
    if plan.get("only_for"):
        elsewhere = create_segment(name="Ulm", rule=rule("city", cities=["Ulm"]), now=now, by=BY)
        plan, steps = {}, [{**steps[0], "only_for": elsewhere.pk, "otherwise": "end"}]
    campaign = live(*weekly, steps=steps, countries=["DE"], **plan)
    is_again = bound in ("coming again", "once a customer", "cooling down")
    if is_again or bound == "limit of all":
        assert reach(campaign, now + HOUR).touched == 1
    at = now + 7 * DAY + HOUR
    her = first if is_again else person(reference="her", country="DE")
    if bound == "held out":
        arms = Arms.of(campaign, running_plan(campaign))
        while not arms.holdouts[0].holds(her.pk):
            her = person(country="DE")
    asked = why(campaign=Campaign.objects.get(), customer=her, now=at).answers
    # Where she had one before, that one is told until the jobs have looked again.
    assert asked[0].code == before
    reach(campaign, at)
    told, touch = decides(campaign, her, at), Touch.objects.filter(customer=her).latest("due_at")
    assert told.code == after == (touch.reason or after)
    states = {"hours": "due", "opened by and by": "held", "held out": "waiting"}
    assert touch.state == states.get(bound, "skipped")
    if bound == "hours":
        saturday = dt.datetime(2026, 5, 23, 7, tzinfo=dt.UTC)
        assert (touch.next_at, asked[0].at, "2026-05-23 09:00" in told.sentence) == (saturday, saturday, True)
    if bound == "held out":
        messaging.send_due(now=at, worker="test")
        assert Delivery.objects.get(customer=her).state == "withheld"
        assert decides(campaign, her, at).code == after


def test_who_did_what_it_is_for_is_told_so(people, live, template, reach, now):
    steps = [{"messages": [template.pk]}, {"messages": [template.pk], "wait": {"hours": 24}}]
    campaign = live("birthday", NINE, steps=steps, exits={"on_goal": True})
    reach(campaign)
    her = people["gets it"]
    assert decides(campaign, her, now).code == "campaigns.step_waits"
    baker.make(
        "customers.Order", customer=her, state="paid", currency="EUR", total_minor=1, base_minor=1, shipping_minor=0,
        discount_minor=0, tax_minor=0, placed_at=now, recorded_at=now, reference="o",
    )  # fmt: skip
    reach(campaign, now + DAY)
    touch = Touch.objects.get(customer=her)
    assert (touch.state, touch.reason) == ("done", decides(campaign, her, now + DAY).code)


def test_conditions_with_her_values_consent_then_and_the_arrows_between(people, campaign, reach, now):
    her = people["gets it"]
    reach(campaign)
    answers = why(campaign=Campaign.objects.get(), customer=her, now=now).answers
    assert [answer.is_deciding for answer in answers] == [True] + [False] * (len(answers) - 1)
    by_topic = {answer.topic: answer for answer in answers}
    (leaf,) = by_topic["audience"].parts
    assert (leaf.is_met, leaf.value) == (True, "en")
    (then,) = by_topic["consent"].parts
    assert (by_topic["consent"].code, then.is_met) == ("campaigns.agreed", True)
    assert by_topic["coupon"].code == "incentives.code_reserved"
    lines = why_all(customer=her, now=now)
    assert [(line.campaign.pk, line.deciding.code) for line in lines] == [(campaign.pk, "messaging.queued")]


def test_one_customers_anniversaries_are_found_among_her_own_days(shop, person, now):
    """Asked for her alone: the same rows as of everybody, from a hundredth of the stretches of time."""
    ActivityKind.objects.create(key="reviewed", label="Reviewed")
    mug = Product.objects.create(sku="mug", name="Mug", currency="EUR", price_minor=100, recorded_at=now)
    # On her clock the first is of the 29th and the second of July; in UTC of the 28th and of June.
    told = ["2020-02-28T11:00Z", "2021-06-30T23:59Z", "2024-03-01T12:00Z", "2026-04-20T12:00Z"]
    days = [dt.datetime.fromisoformat(at) for at in told]
    her = person(time_zone="Pacific/Kiritimati", signed_up_at=days[0])
    for at in days:
        order = baker.make("customers.Order", customer=her, state="paid", placed_at=at, recorded_at=at, currency="EUR",
                           total_minor=1, base_minor=1, shipping_minor=0, discount_minor=0, tax_minor=0)  # fmt: skip
        line = {"quantity": 1, "unit_price_minor": 1, "total_minor": 1, "discount_minor": 0, "returned_quantity": 0}
        baker.make("customers.OrderLine", order=order, position=1, product=mug, **line)
        baker.make("customers.Activity", customer=her, kind="reviewed", occurred_at=at, recorded_at=at, properties={})
    yearly = {"hour": "09:00", "number": 1, "unit": "days", "repeats": "yearly"}
    everybodys = Window(now - 30 * DAY, now + 350 * DAY, "Europe/Berlin", frozenset({her.time_zone}))
    for key, args, falls, less in (
        ("anniversary", NINE, 1, 50),
        ("after_purchase", yearly, 4, 50),
        ("activity", {**yearly, "kind": "reviewed"}, 4, 50),
        ("nth_order", {"number": 2, "again": True}, 1, 0),
    ):
        occasion = occasions[key]
        (sql, params), (hers, her_params) = (
            occasion.due_sql(occasion.clean(args), window)
            for window in (everybodys, replace(everybodys, customer_id=her.pk))
        )
        rows = []
        with connection.cursor() as cursor:
            for statement, values in ((sql, params), (hers, her_params)):
                cursor.execute(f"SELECT occasion, due_at FROM ({statement}) o WHERE customer_id = %s ORDER BY 2",
                               [*values, her.pk])  # fmt: skip
                rows.append(cursor.fetchall())
        assert (rows[0], len(rows[0])) == (rows[1], falls), key
        assert not less or len(her_params[0]) * less < len(params[0]), key


def test_over_http(people, campaign, client, now, caplog):
    key = create_key(name="shop", scopes=("campaigns:read",), known=("campaigns:read",), now=now, by=BY).secret
    her = people["no consent"]
    path = f"/api/v1/campaigns/{campaign.public_id}/why/?customer="
    with time_machine.travel(now, tick=False):
        answer = client.get(f"{path}{her.public_id}", headers={"authorization": f"Bearer {key}"})
        body = answer.json()
        assert answer.status_code == 200, body
        assert (body["answers"][0]["code"], body["answers"][0]["is_deciding"]) == ("campaigns.no_consent", True)
        assert her.email not in answer.content.decode()
        assert her.email not in caplog.text
        wrong = client.get(f"{path}{her.email}", headers={"authorization": f"Bearer {key}"})
        assert (wrong.status_code, her.email in wrong.content.decode()) == (422, False)
        nobody = client.get(f"{path}00000000-0000-7000-8000-000000000001", headers={"authorization": f"Bearer {key}"})
        assert (nobody.status_code, nobody.json()["code"]) == (404, "customers.no_such_customer")
