"""From the claim to the reward and back: each state is reached by its own facts, once, and says why."""

import pytest

from referrals import operations
from referrals.models import Advocate, AdvocateCount, Referral, ReferralStep, Visit
from referrals.operations import FriendCounted, NotLive
from referrals.querysets import NoSuchAdvocate
from referrals.versions import rule_of
from retention.actors import Actor
from retention.customers.models import Activity, Customer, KnownVisitor
from retention.incentives import operations as incentives
from retention.incentives.models import Code, Grant
from retention.shop.models import Staff
from tests.referrals.conftest import BY, days, states

pytestmark = pytest.mark.django_db


@pytest.fixture
def anna(customer, now):
    return customer("anna", now - days(400))


def test_a_friend_is_welcomed_at_once_and_her_advocate_rewarded_after_the_hold(
    scheme, advocate, refer, customer, order, follow, anna, now
):
    made = scheme()
    (code,) = advocate(made, anna)
    friend = customer("friend")
    brought = refer(code, friend)
    assert (brought.state, brought.due_at, brought.reasons) == ("pending", brought.since_at + days(60), [])
    assert brought.friend_grant.customer == friend
    assert brought.friend_grant.source == f"referral:{brought.pk}:friend"
    assert Code.objects.get(grant=brought.friend_grant).state == "given"

    order(friend, now + days(2))
    assert follow(now + days(2))["qualified"] == 1
    brought.refresh_from_db()
    assert (brought.state, brought.qualified_at, brought.due_at) == ("hold", now + days(2), now + days(16))

    assert follow(now + days(15))["due"] == 0
    figures = follow(now + days(16))
    assert (figures["decided"], figures["rewarded"]) == (1, 1)
    brought.refresh_from_db()
    assert (brought.state, brought.level, brought.ended_at) == ("rewarded", 1, now + days(16))
    assert brought.advocate_grant.customer == anna
    assert follow(now + days(17))["due"] == 0
    assert list(ReferralStep.objects.order_by("pk").values_list("state", flat=True)) == [
        "claimed", "pending", "hold", "approved", "rewarded",
    ]  # fmt: skip
    assert set(Activity.objects.values_list("kind", "customer__reference")) == {
        ("referrals.claimed", "anna"),
        ("referrals.friend_joined", "friend"),
        ("referrals.qualified", "anna"),
        ("referrals.rewarded", "anna"),
    }
    assert dict(AdvocateCount.objects.values_list("period", "rewarded")) == {"": 1, "2026": 1, "2026-05": 1}


def test_a_friend_counts_once_and_the_same_source_is_the_same_referral(scheme, advocate, refer, customer, anna, now):
    made = scheme()
    code, other = advocate(made, anna, customer("bela", now - days(400)))
    friend = customer("friend")
    brought = refer(code, friend, source="one")
    again = operations.refer(code=code, friend_id=friend.pk, source="one", now=now, by=BY)
    assert (again.referral, again.is_new) == (brought, False)
    with pytest.raises(FriendCounted):
        refer(other, friend)
    with pytest.raises(operations.SourceReused):
        refer(code, customer("third"), source="one")
    assert (Referral.objects.count(), Grant.objects.count()) == (1, 1)


def test_nobody_is_referred_while_the_scheme_is_paused_and_what_was_promised_is_kept(
    scheme, advocate, refer, customer, order, follow, anna, now
):
    made = scheme()
    (code,) = advocate(made, anna)
    friend = customer("friend")
    refer(code, friend)
    operations.pause_scheme(scheme_id=made.pk, now=now, by=BY)
    with pytest.raises(NotLive):
        refer(code, customer("late"))
    with pytest.raises(NotLive):
        operations.record_visit(code=code, visitor_key="v", now=now)
    with pytest.raises(NotLive):
        advocate(made, customer("new"))
    order(friend, now + days(1))
    follow(now + days(1))
    follow(now + days(15))
    assert states() == {"rewarded": 1}


def test_a_code_is_read_as_it_is_typed_and_a_blocked_one_brings_nobody(scheme, advocate, refer, customer, anna, now):
    made = scheme()
    (code,) = advocate(made, anna)
    typed = code.replace("0", "O").replace("1", "l").lower()
    assert refer(f" {typed[:4]}-{typed[4:]} ", customer("friend")).state == "pending"
    her = Advocate.objects.get()
    operations.block_advocate(advocate_id=her.pk, is_blocked=True, now=now, by=BY, why="spam")
    with pytest.raises(NoSuchAdvocate):
        refer(code, customer("second"))
    operations.block_advocate(advocate_id=her.pk, is_blocked=False, now=now, by=BY)
    assert refer(code, customer("second2")).state == "pending"


def test_a_friend_who_does_nothing_lapses_and_an_order_of_the_last_day_still_counts(
    scheme, advocate, refer, customer, order, follow, anna, now
):
    made = scheme(within_days=10)
    (code,) = advocate(made, anna)
    idle, late, last = customer("idle"), customer("late"), customer("last")
    brought = [refer(code, each) for each in (idle, late, last)]
    ends = brought[0].due_at
    order(late, ends)
    order(last, ends - days(0.01))
    follow(ends)
    assert [Referral.objects.get(pk=each.pk).state for each in brought] == ["lapsed", "lapsed", "hold"]
    assert Referral.objects.get(pk=brought[0].pk).reasons == ["referrals.not_in_time"]


@pytest.mark.parametrize(
    ("scenario", "totals", "expected"),
    [
        ({"kind": "first_order", "least_minor": 5_000}, [4_999], "pending"),
        ({"kind": "first_order", "least_minor": 5_000}, [4_999, 5_000], "hold"),
        ({"kind": "first_order"}, [0], "pending"),
        ({"kind": "nth_order", "count": 2}, [100], "pending"),
        ({"kind": "nth_order", "count": 2}, [100, 100], "hold"),
        ({"kind": "nth_order", "count": 2, "least_minor": 200}, [100, 200, 300], "hold"),
        ({"kind": "joined"}, [], "hold"),
        ({"kind": "activity", "activity": "trial_converted"}, [9_999], "pending"),
    ],
)
def test_scenarios(scenario, totals, expected, scheme, advocate, refer, customer, order, follow, anna, now):
    made = scheme(scenario=scenario)
    (code,) = advocate(made, anna)
    friend = customer("friend")
    brought = refer(code, friend)
    bought = [order(friend, now + days(n + 1), total) for n, total in enumerate(totals)]
    follow(now + days(9))
    brought.refresh_from_db()
    assert brought.state == expected
    if expected == "hold" and bought:
        assert brought.order == bought[-1]


def test_an_activity_qualifies(scheme, advocate, refer, customer, follow, anna, now):
    made = scheme(scenario={"kind": "activity", "activity": "trial_converted"}, hold_days=0)
    (code,) = advocate(made, anna)
    friend = customer("friend")
    refer(code, friend)
    Activity.objects.create(kind="trial_converted", customer=friend, occurred_at=now + days(1), recorded_at=now)
    follow(now + days(1))
    assert states() == {"rewarded": 1}


@pytest.mark.parametrize("attribution", ["first", "last"])
def test_the_first_or_the_last_link_counts_once_the_visitor_is_known(
    attribution, scheme, advocate, customer, follow, anna, now
):
    made = scheme(attribution=attribution, link_days=10)
    bela, cara = customer("bela", now - days(400)), customer("cara", now - days(400))
    codes = advocate(made, anna, bela, cara)
    for code, at in zip([codes[2], *codes[:2]], (now - days(11), now - days(3), now - days(1)), strict=True):
        operations.record_visit(code=code, visitor_key="browser", channel="email", now=at)
    friend = customer("friend")
    assert follow(now)["claimed"] == 0
    KnownVisitor.objects.create(visitor_key="browser", customer=friend, joined_at=now)
    assert follow(now)["claimed"] == 1
    brought = Referral.objects.get()
    assert brought.advocate.customer == (anna if attribution == "first" else bela)
    assert (brought.state, brought.since_at, brought.visit.channel) == ("pending", brought.visit.visited_at, "email")
    assert follow(now)["due"] == 0


@pytest.mark.parametrize("attribution", ["first", "last"])
def test_links_followed_at_the_same_instant_count_in_their_order(
    attribution, scheme, advocate, customer, refer, follow, anna, now
):
    made = scheme(attribution=attribution)
    codes = advocate(made, anna, customer("bela", now - days(400)))
    for code in codes:
        operations.record_visit(code=code, visitor_key="browser", now=now)
    swept, typed = customer("swept"), customer("typed")
    refer(codes[0 if attribution == "first" else 1], typed, visitor_key="browser")
    KnownVisitor.objects.create(visitor_key="browser", customer=swept, joined_at=now)
    follow(now)
    whose = codes[0] if attribution == "first" else codes[1]
    assert [each.advocate.code for each in Referral.objects.all()] == [whose, whose]


def test_her_own_link_makes_no_referral_of_a_known_advocate(scheme, advocate, follow, anna, now):
    made = scheme()
    (code,) = advocate(made, anna)
    operations.record_visit(code=code, visitor_key="browser", now=now)
    KnownVisitor.objects.create(visitor_key="browser", customer=anna, joined_at=now + days(1))
    assert follow(now + days(1))["claimed"] == 0
    assert Referral.objects.count() == 0


def test_a_visit_again_at_once_is_the_same(scheme, advocate, anna, now):
    (code,) = advocate(scheme(), anna)
    first = operations.record_visit(code=code, visitor_key="v", now=now)
    assert operations.record_visit(code=code, visitor_key="v", now=now + days(0.01)) == first
    operations.record_visit(code=code, visitor_key="v", now=now + days(1))
    assert Visit.objects.count() == 2


@pytest.mark.parametrize("after_reward", [False, True])
def test_what_the_friend_sends_back_takes_the_reward_back(
    after_reward, scheme, advocate, refer, customer, order, comes_back, follow, anna, now
):
    made = scheme()
    (code,) = advocate(made, anna)
    friend = customer("friend")
    brought = refer(code, friend)
    bought = order(friend, now + days(1))
    follow(now + days(1))
    if after_reward:
        follow(now + days(15))
    comes_back(bought, now + days(16), 1_000)
    follow(now + days(16))
    brought.refresh_from_db()
    assert brought.state == "rewarded"  # part of it is no matter
    if after_reward:
        comes_back(bought, now + days(17))
        assert follow(now + days(17))["reversed"] == 1
        brought.refresh_from_db()
        assert (brought.state, brought.reasons) == ("reversed", ["referrals.order_came_back"])
        assert brought.advocate_grant.state == "void"
        assert set(AdvocateCount.objects.values_list("rewarded", flat=True)) == {0}
        assert follow(now + days(18))["due"] == 0


def test_an_order_that_comes_back_within_the_hold_is_as_none_and_another_may_follow_in_time(
    scheme, advocate, refer, customer, order, comes_back, follow, anna, now
):
    (code,) = advocate(scheme(scenario={"kind": "first_order", "least_minor": 4_000}), anna)
    idle, other = customer("idle"), customer("other")
    brought = {each: refer(code, each) for each in (idle, other)}
    first = {each: order(each, now + days(1), 4_000) for each in brought}
    assert follow(now + days(1))["qualified"] == 2
    comes_back(first[idle], now + days(3))
    comes_back(first[other], now + days(3), 1)  # a cent: 39.99 are left of it
    assert follow(now + days(3))["reversed"] == 2
    for each in brought.values():
        each.refresh_from_db()
        assert (each.state, each.reasons) == ("pending", ["referrals.order_came_back"])
        assert (each.order, each.qualified_at, each.due_at) == (None, None, each.since_at + days(60))
    second = order(other, now + days(5), 4_000)
    assert follow(now + days(5))["qualified"] == 1
    brought[other].refresh_from_db()
    assert (brought[other].state, brought[other].order, brought[other].due_at) == ("hold", second, now + days(19))
    follow(now + days(19))
    follow(now + days(61))
    assert states() == {"rewarded": 1, "lapsed": 1}
    assert Activity.objects.filter(kind="referrals.claimed").count() == 2  # told once each, not again
    assert AdvocateCount.objects.get(period="").rewarded == 1


def test_an_order_that_comes_back_when_her_time_is_over_ends_the_referral(
    scheme, advocate, refer, customer, order, comes_back, follow, anna, now
):
    (code,) = advocate(scheme(within_days=10), anna)
    friend = customer("friend")
    brought = refer(code, friend)
    bought = order(friend, now + days(8))
    follow(now + days(8))
    comes_back(bought, now + days(11))
    order(friend, now + days(11))
    assert follow(now + days(11))["reversed"] == 1
    follow(now + days(30))
    brought.refresh_from_db()
    assert (brought.state, brought.reasons) == ("reversed", ["referrals.order_came_back"])
    assert brought.advocate_grant is None


def test_a_reward_that_was_used_stays_and_is_said(
    scheme, advocate, refer, customer, order, comes_back, follow, anna, now
):
    (code,) = advocate(scheme(hold_days=0), anna)
    friend = customer("friend")
    brought = refer(code, friend)
    bought = order(friend, now + days(1))
    follow(now + days(1))
    brought.refresh_from_db()
    Code.objects.filter(grant=brought.advocate_grant).update(state="redeemed")
    comes_back(bought, now + days(2))
    follow(now + days(2))
    brought.refresh_from_db()
    assert (brought.state, brought.reasons) == (
        "reversed", ["referrals.order_came_back", "referrals.reward_used"],
    )  # fmt: skip
    assert brought.advocate_grant.state == "active"
    assert AdvocateCount.objects.get(period="").rewarded == 1


def test_a_scheme_that_takes_nothing_back_keeps_the_reward(
    scheme, advocate, refer, customer, order, comes_back, follow, anna, now
):
    (code,) = advocate(scheme(claws_back=False, hold_days=0), anna)
    friend = customer("friend")
    brought = refer(code, friend)
    bought = order(friend, now + days(1))
    follow(now + days(1))
    comes_back(bought, now + days(2))
    follow(now + days(2))
    brought.refresh_from_db()
    assert brought.reasons == ["referrals.order_came_back", "referrals.reward_kept"]
    assert brought.advocate_grant.state == "active"


def test_levels_and_caps(scheme, offer, advocate, refer, customer, order, follow, anna, now):
    base, third = offer("Base"), offer("Third")
    made = scheme(
        levels=[
            {"from_count": 1, "incentive_id": base.pk},
            {"from_count": 3, "incentive_id": third.pk, "is_once": True},
        ],
        hold_days=0,
        caps={"per_month": 4},
    )
    (code,) = advocate(made, anna)
    for n in range(6):
        friend = customer(f"friend{n}")
        refer(code, friend)
        order(friend, now + days(1))
    follow(now + days(1))
    rows = Referral.objects.order_by("pk").values_list("state", "level", "advocate_grant__incentive__name")
    assert list(rows) == [
        ("rewarded", 1, "Base"),
        ("rewarded", 2, "Base"),
        ("rewarded", 3, "Third"),
        ("rewarded", 4, "Base"),
        ("rejected", None, None),
        ("rejected", None, None),
    ]
    last = ReferralStep.objects.filter(state="rejected").first()
    assert (last.reasons, last.params) == (
        ["referrals.cap_reached"], {"referrals.cap_reached": {"most": 4, "period": "2026-05"}},
    )  # fmt: skip
    friend = customer("in_june", now + days(30))
    refer(code, friend, now=now + days(30))
    order(friend, now + days(31))
    follow(now + days(31))
    assert Referral.objects.get(friend=friend).level == 5


def test_a_reward_that_cannot_be_given_now_waits_and_follows(
    scheme, offer, advocate, refer, customer, order, follow, anna, now
):
    thanks = offer("Thanks")
    (code,) = advocate(scheme(levels=[{"incentive_id": thanks.pk}], hold_days=0), anna)
    friend = customer("friend")
    brought = refer(code, friend)
    incentives.stop(incentive_id=thanks.pk, now=now, by=BY)
    order(friend, now + days(1))
    follow(now + days(1))
    brought.refresh_from_db()
    assert (brought.state, brought.reasons) == ("approved", ["incentives.stopped"])
    assert set(AdvocateCount.objects.values_list("rewarded", flat=True)) == {0}
    # Tried again and again it stays one step in its story.
    steps = brought.steps.count()
    assert [follow(now + days(1) + hours / 24 * days(1))["rewarded"] for hours in (1, 2, 3)] == [0, 0, 0]
    assert brought.steps.count() == steps
    incentives.resume(incentive_id=thanks.pk, now=now, by=BY)
    follow(now + days(2))
    brought.refresh_from_db()
    assert (brought.state, brought.level) == ("rewarded", 1)


def test_an_advocate_who_was_forgotten_meanwhile_ends_it(scheme, advocate, refer, customer, order, follow, anna, now):
    (code,) = advocate(scheme(hold_days=0), anna)
    friend = customer("friend")
    brought = refer(code, friend)
    Customer.objects.filter(pk=anna.pk).update(erased_at=now)
    order(friend, now + days(1))
    follow(now + days(1))
    brought.refresh_from_db()
    assert (brought.state, brought.reasons) == ("rejected", ["referrals.advocate_gone"])
    assert (brought.friend_grant_id is not None, brought.advocate_grant) == (True, None)
    assert follow(now + days(9))["due"] == 0


@pytest.mark.parametrize(
    ("at_deadline", "expected"), [("approve", "pending"), ("reject", "rejected"), ("wait", "review")]
)
def test_the_deadline_of_a_review(at_deadline, expected, scheme, advocate, refer, customer, follow, anna, now):
    made = scheme(at_deadline=at_deadline, review_days=3, review_from=50)
    (code,) = advocate(made, anna)
    brought = refer(code, customer("friend", email="x@mailinator.com"))
    assert (brought.state, brought.score, brought.reasons, brought.friend_grant) == (
        "review", 50, ["referrals.disposable_email"], None,
    )  # fmt: skip
    follow(now + days(2.9))
    brought.refresh_from_db()
    assert brought.state == "review"
    follow(now + days(3))
    brought.refresh_from_db()
    assert brought.state == expected
    assert (brought.friend_grant is not None) == (expected == "pending")


def test_a_person_approves_and_the_same_suspicion_is_not_asked_again(
    scheme, advocate, refer, customer, order, follow, anna, now
):
    made = scheme(review_from=50)
    (code,) = advocate(made, anna)
    friend = customer("friend", email="x@mailinator.com")
    brought = refer(code, friend)
    order(friend, now + days(1))
    follow(now + days(1))
    assert states() == {"review": 1}
    person = Staff.objects.create_user("lead")
    approved = operations.approve(referral_id=brought.pk, now=now + days(2), by=Actor.staff(person), why="I know her")
    assert (approved.state, approved.decided_by, approved.cleared_score) == ("pending", person, 50)
    assert approved.friend_grant is not None
    with pytest.raises(operations.NotInReview):
        operations.approve(referral_id=brought.pk, now=now, by=BY)
    follow(now + days(2))
    assert states() == {"hold": 1}
    follow(now + days(15))
    assert states() == {"rewarded": 1}


def test_a_person_rejects_and_the_unused_welcome_goes(scheme, advocate, refer, customer, anna, now):
    (code,) = advocate(scheme(), anna)
    brought = refer(code, customer("friend"))
    rejected = operations.reject(referral_id=brought.pk, now=now, by=BY)
    assert (rejected.state, rejected.reasons) == ("rejected", ["referrals.by_hand"])
    assert Grant.objects.get().state == "void"
    with pytest.raises(operations.OverAlready):
        operations.reject(referral_id=brought.pk, now=now, by=BY)
    with pytest.raises(operations.NoSuchReferral):
        operations.reject(referral_id=10**9, now=now, by=BY)


def test_a_saved_scheme_leaves_the_promises_of_the_old_version(
    scheme, advocate, refer, customer, order, follow, anna, now
):
    made = scheme(hold_days=0)
    (code,) = advocate(made, anna)
    friend = customer("friend")
    refer(code, friend)
    rule = rule_of(made.version_id).model_copy(update={"hold_days": 300})
    operations.save_scheme(scheme_id=made.pk, rule=rule, edited=1, now=now, by=BY)
    order(friend, now + days(1))
    follow(now + days(1))
    assert states() == {"rewarded": 1}


def test_advocates_are_opened_in_bulk_once_each_with_codes_of_their_own(scheme, customer, now):
    made = scheme()
    people = [customer(f"c{n}") for n in range(30)]
    tombstone = customer("old", email=None)
    tombstone.merged_into = people[0]
    tombstone.save()
    gone = customer("gone", erased_at=now)
    wanted = [each.pk for each in (*people, tombstone, gone)]
    opened = operations.open_advocates(scheme_id=made.pk, customer_ids=wanted, now=now, by=BY)
    assert (opened.new, len(opened.advocates)) == (30, 31)
    assert opened.advocates[tombstone.pk] == opened.advocates[people[0].pk]
    codes = {code for _pk, code in opened.advocates.values()}
    assert len(codes) == 30
    assert not set("ILOU") & set("".join(codes))
    again = operations.open_advocates(scheme_id=made.pk, customer_ids=wanted, now=now, by=BY)
    assert (again.new, again.advocates) == (0, opened.advocates)
