"""Tiers over rows: reached at once, kept or lost in time, lowered by returns, changed by rules and by hand."""

import datetime as dt
import itertools
from zoneinfo import ZoneInfo

import pytest
from django.db import connection

from loyalty import operations
from loyalty.counted import with_news
from loyalty.models import Earning, Member, Tier, TierChange
from loyalty.operations import standing, tiers
from loyalty.rules import ProgrammeRule
from loyalty.versions import rule_of
from retention.actors import Actor
from retention.bulk import batches
from retention.customers.models import Activity, Order, Return
from retention.incentives import operations as incentives
from retention.incentives.baskets import Line
from retention.incentives.checkouts import Buyer, Checkout
from retention.incentives.models import Grant, ShopperTier
from retention.incentives.operations import gift_cards
from retention.incentives.operations.paying import TenderAsk
from retention.incentives.rules import IncentiveRule
from retention.marks import safe_mark
from retention.segments.following import newest_mark
from retention.work.models import Watermark
from tests.loyalty.conftest import BY, ONE_FOR_ONE, give_points
from tests.processes import wait_until

YEAR = {"kind": "after", "count": 1, "per": "year", "rounded_to": "year"}
STEPS = [
    {"key": "silver", "names": {"en": "Silver"}, "threshold": 100},
    {"key": "gold", "names": {"en": "Gold"}, "threshold": 500, "percent": 150},
    {"key": "circle", "names": {"en": "Circle"}},
]
BERLIN = ZoneInfo("Europe/Berlin")
JOB = Actor.job("loyalty.tiers")


def at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=BERLIN)


def quiet(_done, _total):
    pass


@pytest.fixture
def club(programme, customers):
    """A function that makes a programme with three tiers and makes the five customers its members."""

    def make(**more):
        made = programme(tiers={"steps": STEPS, "validity": YEAR, **more})
        joined = operations.join(programme_id=made.pk, customer_ids=[c.pk for c in customers], now=NOON, by=BY)
        return made, [joined.members[c.pk] for c in customers]

    return make


NOON = dt.datetime(2026, 5, 12, 10, tzinfo=dt.UTC)


def earns(member_id: int, amount: int, when: dt.datetime, about: str = "") -> Earning:
    member = Member.objects.select_related("programme").get(pk=member_id)
    return Earning.objects.create(
        member=member, rule="base", version_id=member.programme.version_id, about=about or f"test:{when.timestamp()}",
        given=amount, amount=amount, earned_at=when, recorded_at=when,
    )  # fmt: skip


def orders(customer, minor: int, when: dt.datetime, state="paid") -> Order:
    return Order.objects.create(
        reference=f"{customer.pk}-{when.timestamp()}", customer=customer, state=state, currency="EUR",
        total_minor=minor, base_minor=minor, placed_at=when, recorded_at=when,
    )  # fmt: skip


def look(now: dt.datetime):
    return operations.retier(now=now, by=JOB, progress=quiet)


def keep(now: dt.datetime):
    return operations.keep_tiers(now=now, by=JOB, progress=quiet)


def where(member_id: int) -> tuple[str, str]:
    """Her tier, and when it is looked at again, by the shop's clock."""
    member = Member.objects.select_related("tier").get(pk=member_id)
    until = f"{member.tier_until.astimezone(BERLIN):%Y-%m-%d %H:%M}" if member.tier_until else ""
    return (member.tier.key if member.tier else "", until)


def history(member_id: int) -> list[tuple[str, str, str]]:
    found = TierChange.objects.filter(member=member_id).order_by("pk").values_list("before__key", "after__key", "why")
    return [(before or "", after or "", why) for before, after, why in found]


def test_who_reaches_a_tier_has_it_at_once_and_again_nothing_happens(club):
    made, (anna, boris, clara, *_others) = club()
    earns(anna, 120, NOON)
    earns(boris, 40, NOON)
    earns(clara, 700, NOON)

    done = look(NOON)

    assert (done.up, done.down) == (2, 0)
    assert [where(one) for one in (anna, boris, clara)] == [
        ("silver", "2028-01-01 00:00"), ("", ""), ("gold", "2028-01-01 00:00")]  # fmt: skip
    assert history(clara) == [("", "gold", "reached")]
    assert Member.objects.get(pk=boris).qualifying == 40
    told = Activity.objects.filter(kind="loyalty.tier_reached").order_by("pk")
    assert [one.properties for one in told] == [
        {"programme": "club", "tier": "silver", "before": "", "after": "silver"},
        {"programme": "club", "tier": "gold", "before": "", "after": "gold"},
    ]
    held = ShopperTier.objects.order_by("customer").values_list("customer__reference", "programme", "tier")
    assert list(held) == [("c1", "club", "silver"), ("c3", "club", "gold")]
    # What moved is looked at once more, as a changed row; then there is nothing.
    assert (look(NOON).up, look(NOON).down) == (0, 0)
    assert TierChange.objects.count() == 2


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("measure", ["points", "spend_money", "orders"])
def test_only_members_with_news_are_looked_at(club, customers, measure):
    made, (_anna, boris, clara, *_others) = club()
    before = orders(customers[2], 100, NOON)
    # Everything until now is below this mark, and whatever comes is not.
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id()::text")
        mark = int(cursor.fetchone()[0]) + 1
    assert with_news(measure, programme_id=made.pk, mark=mark) == []
    earns(boris, 100, NOON) if measure == "points" else orders(customers[1], 100, NOON)
    assert with_news(measure, programme_id=made.pk, mark=mark) == [boris]
    Return.objects.create(order=before, reference="R", amount_minor=1, base_minor=1, occurred_at=NOON, recorded_at=NOON)
    assert with_news(measure, programme_id=made.pk, mark=mark) == ([boris] if measure == "points" else [boris, clara])


def test_a_fact_of_long_ago_that_comes_late_is_looked_at(club):
    made, (anna, *_others) = club()
    look(NOON + dt.timedelta(days=100))
    earns(anna, 100, NOON)
    look(NOON + dt.timedelta(days=100))
    assert where(anna)[0] == "silver"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("measure", ["points", "spend"])
def test_what_is_told_in_january_of_december_counts_for_the_year_it_was_of(club, customers, measure):
    made, (anna, boris, clara, *_others) = club(measure=measure)
    december, january = at("2026-12-31 23:59"), at("2027-01-01 00:05")

    def did(who: int, amount: int, when: dt.datetime) -> None:
        member = Member.objects.get(pk=who)
        if measure == "points":
            earns(who, amount, when)
        else:
            orders(member.customer, amount, when)

    for who in (anna, boris):
        did(who, 60, NOON)
    wait_until(lambda: safe_mark() > newest_mark(), what="older transactions")
    look(december)
    did(anna, 40, december)  # the hundredth of 2026, told in 2027
    did(boris, 40, january)
    did(clara, 100, NOON - dt.timedelta(days=365))  # of a year that is over for tiers, too
    look(january)
    assert [where(one) for one in (anna, boris, clara)] == [("silver", "2028-01-01 00:00"), ("", ""), ("", "")]
    assert Member.objects.get(pk=anna).qualifying == 0
    assert history(anna) == [("", "silver", "reached")]
    look(january)
    assert history(anna) == [("", "silver", "reached")]
    # What she had of 2026 is over with 2027, unless that year keeps it.
    keep(at("2028-01-01 00:05"))
    assert where(anna)[0] == ""


@pytest.mark.parametrize(
    ("measure", "reached"),
    [("spend", ["silver", "", "gold"]), ("orders", ["", "", ""])],
)
def test_by_what_orders_came_to(club, customers, measure, reached):
    steps = [{**STEPS[0], "threshold": 10_000}, {**STEPS[1], "threshold": 50_000}] if measure == "spend" else STEPS
    _made, members = club(measure=measure, steps=steps)
    orders(customers[0], 12_000, NOON)
    orders(customers[1], 12_000, NOON, state="cancelled")
    orders(customers[1], 12_000, NOON - dt.timedelta(days=365))
    orders(customers[2], 30_000, NOON)
    orders(customers[2], 20_000, NOON - dt.timedelta(days=1), state="partially_returned")
    look(NOON)
    assert [where(one)[0] for one in members[:3]] == reached
    counts = {"spend": [12_000, 0, 50_000], "orders": [1, 0, 2]}[measure]
    assert [Member.objects.get(pk=one).qualifying for one in members[:3]] == counts


@pytest.mark.parametrize(("earns_on", "counts"), [("money", 5_000), ("cards", 6_250), ("everything", 10_000)])
def test_what_points_and_cards_paid_counts_where_it_earns(programme, customers, earns_on, counts):
    """Of 200.00, points paid 75.00 and a gift card 25.00; half of the order came back, and told is the card at last."""
    steps = [{**STEPS[0], "threshold": counts}]
    tiers = {"measure": "spend", "steps": steps, "returned": "lower"}
    club = programme(unit_rule={"worth": {"EUR": 100}}, earns_on=earns_on, tiers=tiers)
    anna = customers[0]
    pk = operations.join(programme_id=club.pk, customer_ids=[anna.pk], now=NOON, by=BY).members[anna.pk]
    hers = Member.objects.get(pk=pk)
    give_points(hers, 7_500, now=NOON)
    card = gift_cards.create_card(amount_minor=2_500, currency="EUR", source="t:card", now=NOON, by=BY)
    bought = orders(anna, 20_000, NOON, state="partially_returned")
    Return.objects.create(
        order=bought, reference="back", amount_minor=10_000, base_minor=10_000, occurred_at=NOON, recorded_at=NOON
    )
    look(NOON)
    assert Member.objects.get(pk=pk).qualifying == 10_000
    asks = [TenderAsk(unit=club.unit.key, amount=7_500), TenderAsk(code=card.code.code, amount=2_500)]
    checkout = Checkout(
        "EUR", (Line("A", 1, 20_000),), buyer=Buyer(reference=anna.reference), order_reference=bought.reference
    )
    incentives.redeem(source="k", request_hash=b"x" * 32, codes=[], checkout=checkout, tenders=asks, now=NOON)
    look(NOON)
    assert Member.objects.get(pk=pk).qualifying == counts
    assert where(pk)[0] == "silver"


def test_what_leaves_the_window_counts_no_longer_and_the_tier_stays(club):
    made, (anna, *_others) = club(window={"kind": "rolling", "months": 1})
    earns(anna, 120, NOON)
    look(NOON)
    look(at("2026-06-11 23:00"))
    assert (Member.objects.get(pk=anna).qualifying, where(anna)[0]) == (120, "silver")
    look(at("2026-06-12 00:00"))
    assert (Member.objects.get(pk=anna).qualifying, where(anna)[0]) == (0, "silver")
    assert history(anna) == [("", "silver", "reached")]


def test_who_kept_it_up_keeps_it_and_who_did_not_falls_after_the_grace(club):
    made, (anna, boris, clara, *_others) = club(grace_days=31)
    for one in (anna, boris, clara):
        earns(one, 600, NOON)
    look(NOON)
    earns(anna, 500, at("2027-12-31 23:59"))
    earns(boris, 300, at("2027-03-01 12:00"))
    earns(clara, 480, at("2027-03-01 12:00"), "a")
    earns(clara, 20, at("2028-01-31 12:00"), "b")  # within the days of grace
    look(at("2028-01-31 23:00"))
    assert keep(at("2028-01-31 23:59")).looked_at == 0

    done = keep(at("2028-02-01 00:00"))

    assert (done.looked_at, done.up, done.down) == (3, 0, 1)
    assert [where(one) for one in (anna, boris, clara)] == [
        ("gold", "2029-02-01 00:00"), ("silver", "2030-02-01 00:00"), ("gold", "2029-02-01 00:00")]  # fmt: skip
    assert history(boris) == [("", "gold", "reached"), ("gold", "silver", "expired")]
    lost = Activity.objects.get(kind="loyalty.tier_lost")
    assert lost.properties == {"programme": "club", "tier": "gold", "before": "gold", "after": "silver"}
    assert keep(at("2028-02-01 00:01")).looked_at == 0


@pytest.mark.parametrize(
    ("downgrade", "after"),
    [("one_step", ("silver", "2030-01-01 00:00")), ("reassess", ("", "")), ("none", ("gold", ""))],
)
def test_ways_to_fall(club, downgrade, after):
    made, (anna, *_others) = club(downgrade=downgrade)
    earns(anna, 600, NOON)
    look(NOON)
    keep(at("2028-01-01 00:00"))
    assert where(anna) == after


def test_several_ends_missed_are_looked_at_one_by_one(club):
    made, (anna, *_others) = club(downgrade="one_step")
    earns(anna, 600, NOON)
    earns(anna, 600, at("2027-06-01 12:00"))
    look(NOON)
    keep(at("2030-06-01 12:00"))
    # Kept for 2028 by what she did in 2027, then a step down; by the day of the look.
    assert history(anna) == [("", "gold", "reached"), ("gold", "silver", "expired")]
    assert where(anna) == ("silver", "2032-01-01 00:00")


@pytest.mark.parametrize(("returned", "after"), [("keep", "gold"), ("lower", "silver")])
def test_a_return_lowers_what_counts(club, customers, returned, after):
    steps = [{**STEPS[0], "threshold": 10_000}, {**STEPS[1], "threshold": 50_000}]
    made, (anna, *_others) = club(measure="spend", steps=steps, returned=returned)
    order = orders(customers[0], 52_000, NOON)
    look(NOON)
    Return.objects.create(
        order=order, reference="R", amount_minor=3_000, base_minor=3_000, occurred_at=NOON, recorded_at=NOON
    )
    look(at("2027-01-05 12:00"))
    assert where(anna)[0] == after
    # In the new year nothing counts yet: that takes no tier from anybody.
    assert history(anna)[1:] == ([("gold", "silver", "returned")] if returned == "lower" else [])
    orders(customers[0], 100, at("2027-01-06 12:00"))
    look(at("2027-01-06 12:00"))
    assert where(anna) == (after, "2028-01-01 00:00")


def test_a_tier_by_hand_is_lowered_by_no_return(club, customers):
    made, (anna, *_others) = club(returned="lower")
    operations.invite(
        programme_id=made.pk, customer_ids=[customers[0].pk], tier="gold", reason="Loved", now=NOON, by=BY
    )
    earns(anna, 5, NOON)
    look(NOON)
    assert where(anna)[0] == "gold"


def test_rising_brings_its_rewards_once_a_tier_and_window(club, now):
    rule = IncentiveRule.model_validate(
        {
            "name": "Welcome to gold",
            "effects": [{"kind": "percent", "basis_points": 1_000}],
            "codes": {"kind": "unique", "is_bound": True},
        }  # fmt: skip
    )
    gift = incentives.create_incentive(rule=rule, now=now, by=BY)
    incentives.go_live(incentive_id=gift.pk, now=now, by=BY)
    steps = [STEPS[0], {**STEPS[1], "rewards": [gift.pk]}]
    made, (anna, boris, *_others) = club(steps=steps, validity={"kind": "after", "count": 1, "per": "month"})
    earns(anna, 600, NOON)
    assert look(NOON).granted == 1
    change = TierChange.objects.get()
    granted = Grant.objects.get()
    assert (granted.source, granted.origin, granted.origin_id) == (
        f"tier:{change.pk}:0", "loyalty.tier_change", change.pk)  # fmt: skip
    assert granted.customer_id == Member.objects.get(pk=anna).customer_id

    def set_to(tier, when):
        operations.set_tier(member_id=anna, tier=tier, reason="Test", now=when, by=BY)

    set_to("silver", NOON)
    set_to("gold", NOON)
    assert Grant.objects.count() == 1, "she had it this year"
    set_to("silver", at("2027-01-01 00:00"))
    set_to("gold", at("2027-01-01 00:00"))
    assert Grant.objects.count() == 2

    incentives.stop(incentive_id=gift.pk, now=now, by=BY)
    earns(boris, 600, NOON)
    done = look(NOON)
    assert (done.granted, dict(done.refused), where(boris)[0]) == (0, {"incentives.stopped": 1}, "gold")


def saved(made, **tiers_rule):
    made.refresh_from_db()
    rule = rule_of(made.version_id).model_dump(mode="json")
    rule["tiers"] = {**rule["tiers"], **tiers_rule}
    return operations.save_programme(
        programme_id=made.pk, rule=ProgrammeRule.model_validate(rule), edited=made.version.number, now=NOON, by=BY
    )


def test_new_rules_take_nothing_and_let_rise_at_once(club):
    made, (anna, boris, clara, *_others) = club()
    for one, amount in ((anna, 150), (boris, 600), (clara, 90)):
        earns(one, amount, NOON)
    look(NOON)
    saved(made, steps=[{**STEPS[0], "threshold": 80}, {**STEPS[1], "threshold": 900}])
    look(NOON)
    assert [where(one)[0] for one in (anna, boris, clara)] == ["silver", "gold", "silver"]
    # Gold is gone, and what was above is in its place.
    saved(made, steps=[{**STEPS[0], "threshold": 80}, {"key": "platinum", "names": {"en": "P"}, "threshold": 300}])
    look(NOON)
    assert [where(one)[0] for one in (anna, boris, clara)] == ["silver", "platinum", "silver"]
    assert history(boris) == [("", "gold", "reached"), ("gold", "platinum", "rules")]
    saved(made, steps=[{**STEPS[0], "threshold": 80}])
    look(NOON)
    assert history(boris)[2:] == [("platinum", "silver", "rules")]
    assert [(tier.key, tier.rank) for tier in Tier.objects.filter(archived_at=None)] == [("silver", 1)]
    saved(made, steps=[])
    look(NOON)
    assert where(anna) == ("", "")
    assert not ShopperTier.objects.exists()


def test_ends_follow_rules_that_had_none(club):
    made, (anna, *_others) = club(validity={"kind": "never"})
    earns(anna, 150, NOON)
    look(NOON)
    assert where(anna) == ("silver", "")
    saved(made, validity=YEAR)
    look(NOON)
    assert where(anna) == ("silver", "2028-01-01 00:00")
    saved(made, downgrade="none")
    look(NOON)
    assert where(anna) == ("silver", "")


def test_invitations_lead_up_and_say_why(club, customers):
    made, (anna, boris, clara, *_others) = club()
    earns(anna, 150, NOON)
    look(NOON)
    ids = [customer.pk for customer in customers]
    more = {"programme_id": made.pk, "reason": "Regulars", "now": NOON, "by": BY}
    assert operations.invite(customer_ids=ids[:2], tier="circle", until=dt.date(2026, 12, 31), **more).up == 2
    assert where(anna) == ("circle", "2027-01-01 00:00")
    assert operations.invite(customer_ids=ids[:2], tier="circle", **more).up == 0
    change = TierChange.objects.filter(member=anna).latest("pk")
    assert (change.why, change.reason, change.by, change.is_up) == ("invited", "Regulars", "command:test", True)
    keep(at("2027-01-01 00:00"))
    assert [where(one)[0] for one in (anna, boris)] == ["silver", ""]
    for refused, asked in (
        (standing.NotHigher, {"customer_ids": ids[:1], "tier": "silver"}),
        (standing.NoSuchTier, {"customer_ids": ids[:1], "tier": "bronze"}),
        (standing.NotAMember, {"customer_ids": [10**12], "tier": "gold"}),
        (standing.WhyMissing, {"customer_ids": ids[:1], "tier": "gold", "reason": " "}),
        (standing.EndsBefore, {"customer_ids": ids[:1], "tier": "gold", "until": dt.date(2026, 5, 11)}),
    ):
        with pytest.raises(refused):
            operations.invite(**{**more, **asked})


def test_who_leaves_has_no_tier_and_who_comes_back_rises_again(club, customers):
    made, (anna, *_others) = club()
    earns(anna, 150, NOON)
    look(NOON)
    operations.leave(programme_id=made.pk, customer_ids=[customers[0].pk], now=NOON, by=BY)
    look(NOON)
    assert (where(anna), history(anna)[-1], ShopperTier.objects.count()) == (("", ""), ("silver", "", "left"), 0)
    operations.join(programme_id=made.pk, customer_ids=[customers[0].pk], now=NOON, by=BY)
    look(NOON)
    assert where(anna)[0] == "silver"


def test_a_programme_that_ended_has_no_perks(club):
    made, (anna, *_others) = club()
    earns(anna, 150, NOON)
    look(NOON)
    operations.end_programme(programme_id=made.pk, now=NOON, by=BY)
    look(NOON)
    assert (where(anna)[0], ShopperTier.objects.count()) == ("silver", 0)


def test_a_chunk_that_fails_is_done_again_and_the_others_stay(club, monkeypatch):
    made, members = club()
    for one in members:
        earns(one, 150, NOON)
    monkeypatch.setattr(tiers, "CHUNK", 2)
    seen = []

    def breaks(done, _total):
        seen.append(done)
        if len(seen) == 2:
            raise RuntimeError("pulled")

    with pytest.raises(RuntimeError):
        operations.retier(now=NOON, by=JOB, progress=breaks)
    assert TierChange.objects.count() == 4
    assert look(NOON).up == 1
    assert TierChange.objects.count() == 5
    assert TierChange.objects.values("member").distinct().count() == 5


def told_by(job, now):
    seen = []
    job(now=now, by=JOB, progress=lambda done, total: seen.append((done, total)))
    return seen


def test_a_look_tells_how_much_there_is_to_look_at(club, monkeypatch):
    made, members = club()
    for one in members:
        earns(one, 150, NOON)
    monkeypatch.setattr(tiers, "CHUNK", 2)
    monkeypatch.setattr(tiers, "RANGE", 4)

    # Everybody is passed, by ranges of numbers; then those with news alone, and at their ends those who are due.
    seen = told_by(operations.retier, NOON)
    assert {total for _done, total in seen} == {5}
    assert [done for done, _total in seen] == sorted(done for done, _total in seen)
    assert seen[-1] == (5, 5)
    for one in members[:3]:
        earns(one, 1, NOON, about="more")
    Watermark.objects.filter(key=tiers.watermark_of(made.pk)).update(mark=0)
    assert told_by(operations.retier, NOON) == [(2, 5), (4, 5), (5, 5), (5, 5)]
    Member.objects.update(tier_until=NOON)
    assert told_by(operations.keep_tiers, NOON) == [(2, 5), (4, 5), (5, 5), (5, 5)]


def test_looking_through_everybody_passes_over_nobody_who_moves(club):
    """What SQL passes over unlocked is what a look at each of them would leave as it is."""
    made, members = club()
    old = Tier.objects.create(programme=made, key="old", name="Old", rank=9, threshold=200, archived_at=NOON)
    held = {tier.key: tier.pk for tier in made.tiers.all()} | {"": None, "old": old.pk}
    for more in ({}, {"returned": "lower"}, {"downgrade": "none"}, {"validity": {"kind": "never"}}):
        rule = {**rule_of(made.version_id).model_dump(mode="json"), "tiers": {"steps": STEPS, "validity": YEAR, **more}}
        made = operations.save_programme(
            programme_id=made.pk, rule=ProgrammeRule.model_validate(rule), edited=made.version.number, now=NOON, by=BY
        )
        every = list(itertools.product(held, (None, NOON), (0, 150, 900), (0, 150), (None, NOON)))
        for some in batches(every, len(members)):
            Earning.objects.all().delete()
            for one, (tier, until, counted, qualifying, left) in zip(members, some, strict=True):
                if counted:
                    earns(one, counted, NOON)
                Member.objects.filter(pk=one).update(
                    tier=held[tier], tier_since=NOON if tier else None, tier_until=until if tier else None,
                    qualifying=qualifying, left_at=left,
                )  # fmt: skip
            look(NOON)
            settled = _members()
            Watermark.objects.filter(key=tiers.watermark_of(made.pk)).update(mark=0)
            assert look(NOON).looked_at == len(members), "as changed rows, everybody is looked at one by one"
            assert _members() == settled, (more, some)
            Watermark.objects.filter(key=tiers.watermark_of(made.pk)).delete()


def _members() -> list[dict]:
    return [row for row in Member.objects.order_by("pk").values() if row.pop("xid")]


def test_a_chunk_takes_the_same_statements_however_many_move(club, django_assert_max_num_queries):
    made, members = club()
    for one in members:
        earns(one, 150, NOON)
    with django_assert_max_num_queries(25):
        look(NOON)


def test_earning_by_its_own_factor(club):
    made, _members = club()
    assert rule_of(made.version_id).tiers.percent("gold") == 150
    assert rule_of(made.version_id).earning[0].key == ONE_FOR_ONE["key"]
