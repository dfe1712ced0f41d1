"""Claims of one friend, a pause beside claims and rewards, a cap, decisions, two jobs at once: each happens once."""

import threading
from collections import Counter

import pytest
from django.db import IntegrityError, connections, transaction

from referrals import operations
from referrals.jobs import FollowReferrals
from referrals.models import Advocate, AdvocateCount, Referral, ReferralStep
from referrals.operations.rewarding import reward
from retention.customers.models import Activity
from retention.incentives.models import Grant
from retention.refusals import Refused
from tests.marks import settle
from tests.referrals.conftest import *  # noqa: F403
from tests.referrals.conftest import BY, days, states

pytestmark = pytest.mark.django_db(transaction=True)
CROWD = 6


def at_once(act, count=CROWD):
    """Run `act(n)` in so many threads, let go together; outcomes, refusals by their code and errors by their kind."""
    gate = threading.Barrier(count)
    outcomes = [None] * count

    def run(number):
        try:
            gate.wait(timeout=20)
            outcomes[number] = act(number) or "done"
        except Refused as refused:
            outcomes[number] = refused.code
        except Exception as error:
            outcomes[number] = type(error).__name__
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return Counter(outcomes)


def naive_refer(advocate, friend, now, meet):
    """Look whether she was brought, then write it."""
    if Referral.objects.filter(friend=friend, scheme_id=advocate.scheme_id).exists():
        return "referrals.friend_counted"
    meet()
    Referral.objects.create(
        scheme_id=advocate.scheme_id, advocate=advocate, friend=friend, version_id=advocate.scheme.version_id,
        source=f"naive:{advocate.pk}", claimed_at=now, since_at=now,
    )  # fmt: skip
    return "done"


def test_a_friend_whom_many_bring_at_once_counts_once(scheme, customer, advocate, now):
    codes = advocate(scheme(), *(customer(f"a{n}", now - days(400)) for n in range(CROWD)))
    friend = customer("friend")
    outcomes = at_once(
        lambda n: operations.refer(code=codes[n], friend_id=friend.pk, source=f"s{n}", now=now, by=BY) and "done"
    )
    assert outcomes == {"done": 1, "referrals.friend_counted": CROWD - 1}
    assert (states(), Grant.objects.count()) == ({"pending": 1}, 1)
    assert Activity.objects.filter(kind="referrals.claimed").count() == 1


def test_looking_before_writing_fails_that_race(scheme, customer, advocate, now):
    advocate(scheme(), *(customer(f"a{n}", now - days(400)) for n in range(2)))
    friend, both = customer("friend"), threading.Barrier(2)
    hers = list(Advocate.objects.select_related("scheme").order_by("pk"))
    outcomes = at_once(lambda n: naive_refer(hers[n], friend, now, lambda: both.wait(timeout=20)), 2)
    assert outcomes == {"done": 1, IntegrityError.__name__: 1}  # both had looked; the constraint alone held


def test_a_source_said_twice_at_once_is_one_referral(scheme, customer, advocate, now):
    (code,) = advocate(scheme(), customer("anna", now - days(400)))
    friend = customer("friend")
    outcomes = at_once(
        lambda n: str(operations.refer(code=code, friend_id=friend.pk, source="one", now=now, by=BY).referral.pk)
    )
    assert list(outcomes) == [str(Referral.objects.get().pk)]


def test_after_a_pause_nobody_is_claimed(scheme, customer, advocate, now):
    made = scheme()
    (code,) = advocate(made, customer("anna", now - days(400)))
    friends = [customer(f"f{n}") for n in range(CROWD)]
    paused = threading.Event()

    def act(n):
        if n == 0:
            operations.pause_scheme(scheme_id=made.pk, now=now, by=BY)
            paused.set()
            return "paused"
        before = paused.is_set()
        operations.refer(code=code, friend_id=friends[n].pk, source=f"s{n}", now=now, by=BY)
        return "too late" if before else "done"

    outcomes = at_once(act)
    assert "too late" not in outcomes
    assert set(outcomes) <= {"paused", "done", "referrals.not_live"}
    assert Referral.objects.count() == outcomes["done"]


@pytest.fixture
def approved(scheme, customer, advocate, refer, now):
    """Two friends of one advocate who may be rewarded for one."""
    (code,) = advocate(scheme(caps={"in_all": 1}), customer("anna", now - days(400)))
    brought = [refer(code, customer(f"f{n}")) for n in range(2)]
    Referral.objects.update(state="approved", due_at=now)
    return brought


def test_a_cap_holds_when_two_are_rewarded_at_once(approved, now):
    at_once(lambda n: str(reward([approved[n].pk], now=now, by=BY)), 2)
    assert states() == {"rewarded": 1, "rejected": 1}
    assert Grant.objects.filter(source__endswith=":advocate").count() == 1
    assert AdvocateCount.objects.get(period="").rewarded == 1


def test_looking_at_the_cap_before_counting_fails_that_race(approved, now):
    both = threading.Barrier(2)
    AdvocateCount.objects.create(advocate=approved[0].advocate, period="", most=1)

    def naive(n):
        count = AdvocateCount.objects.get(period="")
        if count.rewarded >= count.most:
            return "capped"
        both.wait(timeout=20)
        with transaction.atomic():
            Referral.objects.filter(pk=approved[n].pk).update(state="rewarded")
            count.rewarded += 1
            count.save()
        return "done"

    assert at_once(naive, 2) == {"done": 2}
    assert states() == {"rewarded": 2}  # one more than may be


def test_a_pause_beside_rewards_takes_nothing_back(scheme, customer, advocate, refer, now):
    made = scheme()
    codes = advocate(made, *(customer(f"a{n}", now - days(400)) for n in range(CROWD - 1)))
    brought = [refer(code, customer(f"f{n}")).pk for n, code in enumerate(codes)]
    Referral.objects.update(state="approved", due_at=now)

    def act(n):
        if n == CROWD - 1:
            operations.pause_scheme(scheme_id=made.pk, now=now, by=BY)
            return "paused"
        return str(reward([brought[n]], now=now, by=BY))

    assert at_once(act) == {"paused": 1, "1": CROWD - 1}
    assert states() == {"rewarded": CROWD - 1}


@pytest.fixture
def suspicious(scheme, customer, advocate, refer, now):
    """One friend before a person."""
    (code,) = advocate(scheme(review_from=50), customer("anna", now - days(400)))
    return refer(code, customer("friend", email="friend@mailinator.com"))


def test_many_approvals_at_once_are_one(suspicious, now):
    outcomes = at_once(lambda n: operations.approve(referral_id=suspicious.pk, now=now, by=BY).state)
    assert outcomes == {"pending": 1, "referrals.not_in_review": CROWD - 1}
    assert list(ReferralStep.objects.order_by("pk").values_list("state", flat=True)) == ["claimed", "review", "pending"]
    assert Grant.objects.count() == 1


def test_approved_and_rejected_at_once_it_ends_rejected_and_nothing_can_be_used(suspicious, now):
    decide = (operations.approve, operations.reject)
    outcomes = at_once(lambda n: decide[n % 2](referral_id=suspicious.pk, now=now, by=BY).state)
    half = CROWD // 2
    # Who rejects last takes the welcome back; who approves after her is told.
    assert outcomes.pop("rejected") == 1
    assert outcomes.pop("pending", 0) + outcomes.pop("referrals.not_in_review", 0) == half
    assert outcomes == {"referrals.over_already": half - 1}
    assert states() == {"rejected": 1}
    assert not Grant.objects.exclude(state="void").exists()


def test_looking_before_deciding_fails_that_race(suspicious, now):
    both = threading.Barrier(2)

    def naive(n):
        referral = Referral.objects.get(pk=suspicious.pk)
        if referral.state != "review":
            return "too late"
        both.wait(timeout=20)
        with transaction.atomic():
            Referral.objects.filter(pk=referral.pk).update(state=("pending", "rejected")[n])
            ReferralStep.objects.create(referral=referral, state=("pending", "rejected")[n], at=now, by="naive")
        return "done"

    assert at_once(naive, 2) == {"done": 2}  # both are told that theirs counts


def test_the_job_twice_at_once_does_everything_once(scheme, customer, advocate, refer, order, now):
    (code,) = advocate(scheme(hold_days=0), customer("anna", now - days(400)))
    for n in range(8):
        friend = customer(f"f{n}")
        refer(code, friend)
        order(friend, now + days(1))
    settle()
    at_once(lambda n: str(FollowReferrals.run(now=now + days(1), progress=lambda done, total: None)), 3)
    FollowReferrals.run(now=now + days(1), progress=lambda done, total: None)
    assert states() == {"rewarded": 8}
    assert sorted(Referral.objects.values_list("level", flat=True)) == list(range(1, 9))
    assert AdvocateCount.objects.get(period="").rewarded == 8
    assert Grant.objects.filter(source__endswith=":advocate").count() == 8
    assert set(Counter(ReferralStep.objects.values_list("referral", "state")).values()) == {1}
