"""The one door: granting by arrays, once a source, within limits, from the pattern or from a pool."""

import datetime as dt

import pytest

from retention.audit.models import AuditEntry
from retention.incentives import operations
from retention.incentives.models import Code, CodeBatch, Counter, Grant
from retention.incentives.operations.grant_life import GrantEnded, GrantUsed, NoSuchGrant
from retention.incentives.operations.life import NoSuchIncentive
from retention.incentives.rules import IncentiveRule
from retention.incentives.versions import rule_of
from tests.incentives.conftest import BY

pytestmark = pytest.mark.django_db


def issued(incentive):
    return Counter.objects.get(incentive_id=incentive.pk, scope="issue").issued


def test_each_customer_gets_a_reserved_code_of_her_own(offer, grant, customers, now):
    incentive = offer()
    granted = grant(incentive, customers)
    assert len(granted.grants) == 5
    assert granted.repeated == frozenset()
    assert granted.refused == {}
    codes = list(Code.objects.filter(incentive=incentive).order_by("grant_id"))
    assert [code.grant_id for code in codes] == sorted(granted.grants.values())
    assert {code.customer_id for code in codes} == {customer.pk for customer in customers}
    assert {code.state for code in codes} == {"reserved"}
    assert {code.version_id for code in codes} == {incentive.version_id}
    pattern = rule_of(incentive.version_id).codes.as_pattern
    assert all(pattern.fits(code.code) for code in codes)
    assert len({code.code for code in codes}) == 5
    assert set(Grant.objects.values_list("origin", "origin_id", "granted_by", "granted_at")) == {
        ("test", n, BY.name, now) for n in range(5)
    }
    assert issued(incentive) == 5


def test_the_same_source_gets_the_same_grant(offer, grant, customers):
    incentive = offer()
    first = grant(incentive, customers[:2])
    again = grant(incentive, customers[:3])
    assert {source: again.grants[source] for source in first.grants} == dict(first.grants)
    assert again.repeated == frozenset(first.grants)
    assert len(again.grants) == 3
    assert Code.objects.count() == 3
    assert issued(incentive) == 3


def test_a_repeat_finds_its_grant_after_the_stop_and_nothing_new_is_given(offer, grant, customers, now):
    incentive = offer()
    first = grant(incentive, customers[:1])
    operations.stop(incentive_id=incentive.pk, now=now, by=BY)
    again = grant(incentive, customers[:2])
    assert dict(again.grants) == dict(first.grants)
    assert {refusal.code for refusal in again.refused.values()} == {"incentives.stopped"}
    operations.resume(incentive_id=incentive.pk, now=now, by=BY)
    assert len(grant(incentive, customers[:2]).grants) == 2


@pytest.mark.parametrize(
    ("rule", "later", "code"),
    [({"is_live": False}, {}, "incentives.not_live"), ({}, {"days": 1}, "incentives.ended")],
)
def test_a_draft_or_an_ended_offer_gives_nothing(offer, grant, customers, now, rule, later, code):
    incentive = offer(validity={"ends_at": now + dt.timedelta(days=1)}, **rule)
    granted = grant(incentive, customers[:2], now=now + dt.timedelta(**later))
    assert granted.grants == {}
    assert [refusal.code for refusal in granted.refused.values()] == [code, code]
    assert not Grant.objects.exists()


def test_an_unknown_incentive_is_an_error(grant, offer, customers):
    incentive = offer()
    incentive.pk = 10**9
    with pytest.raises(NoSuchIncentive):
        grant(incentive, customers)


def test_short_by_some_grants_the_lowest_ids_first(offer, grant, customers):
    incentive = offer(limits={"issued": 3})
    granted = grant(incentive, customers[::-1])
    assert set(Grant.objects.values_list("customer_id", flat=True)) == {c.pk for c in customers[:3]}
    assert {source: refusal.code for source, refusal in granted.refused.items()} == {
        f"test:{incentive.pk}:{customer.pk}": "incentives.all_issued" for customer in customers[3:]
    }
    assert issued(incentive) == 3
    assert grant(incentive, customers[:3]).refused == {}


def test_a_customer_is_given_as_many_as_she_may_have(offer, grant, customers, now):
    incentive = offer(limits={"issued_per_customer": 2})
    anna = customers[0]
    granted = grant(incentive, [anna, anna, anna, customers[1]], sources=["a", "b", "c", "d"])
    assert set(granted.grants) == {"a", "b", "d"}
    assert granted.refused["c"].code == "incentives.customer_has_hers"
    assert grant(incentive, [anna], sources=["e"]).refused["e"].params == {"limit": 2}
    operations.void_grant(grant_id=granted.grants["a"], now=now, by=BY, reason="x")
    assert "e" in grant(incentive, [anna], sources=["e"]).grants


def test_a_limit_added_later_counts_what_was_given_before(offer, grant, customers, now):
    incentive = offer()
    grant(incentive, customers[:1])
    rule = rule_of(incentive.version_id).model_dump()
    rule["limits"]["issued_per_customer"] = 1
    operations.save_incentive(
        incentive_id=incentive.pk, rule=IncentiveRule.model_validate(rule), edited=1, now=now, by=BY
    )
    granted = grant(incentive, customers[:2], sources=["x", "y"])
    assert set(granted.grants) == {"y"}


def test_erased_and_unknown_customers_get_nothing_merged_ones_get_it_under_their_new_number(
    offer, grant, customers, now
):
    anna, bert, carla, *_ = customers
    type(anna).objects.filter(pk=bert.pk).update(erased_at=now)
    type(anna).objects.filter(pk=carla.pk).update(merged_into=anna)
    nobody = type(anna)(pk=10**9)
    granted = grant(offer(), [bert, carla, nobody], sources=["b", "c", "n"])
    assert set(granted.grants) == {"c"}
    assert Grant.objects.get().customer_id == anna.pk
    assert Code.objects.get().customer_id == anna.pk
    assert {source: refusal.code for source, refusal in granted.refused.items()} == {
        "b": "customers.no_such_customer",
        "n": "customers.no_such_customer",
    }


def test_own_terms_are_frozen_on_the_grant(offer, grant, customers):
    incentive = offer(effects=[{"kind": "amount", "is_from_grant": True}])
    terms = [
        {"amount_minor": 1200, "currency": "EUR", "products": ["SKU"]},
        {},
        {"amount_minor": -5, "currency": "EUR"},
        {"amount_minor": 5, "currency": "EUR", "discount": 3},
    ]
    granted = grant(incentive, customers[:4], sources=list("abcd"), terms=terms)
    assert set(granted.grants) == {"a"}
    assert Grant.objects.get().terms == terms[0]
    assert {source: refusal.code for source, refusal in granted.refused.items()} == {
        "b": "incentives.terms_missing",
        "c": "incentives.bad_terms",
        "d": "incentives.bad_terms",
    }


@pytest.mark.parametrize("is_given", [True, False])
def test_hours_begin_when_the_code_is_given(offer, grant, customers, now, is_given):
    incentive = offer(validity={"hours_after_given": 48, "ends_at": now + dt.timedelta(days=30)})
    granted = grant(incentive, customers[:1], is_given=is_given)
    code = Code.objects.get()
    if not is_given:
        assert (code.state, code.given_at, code.expires_at) == ("reserved", None, now + dt.timedelta(days=30))
        later = now + dt.timedelta(hours=5)
        assert operations.give(grant_ids=granted.grants.values(), now=later) == 1
        assert operations.give(grant_ids=granted.grants.values(), now=later + dt.timedelta(hours=1)) == 0
        code.refresh_from_db()
    else:
        later = now
    assert (code.state, code.given_at, code.expires_at) == ("given", later, later + dt.timedelta(hours=48))
    assert Grant.objects.get().expires_at == later + dt.timedelta(hours=48)


def test_an_end_of_its_own_is_never_later_than_the_rule_s(offer, grant, customers, now):
    incentive = offer(validity={"ends_at": now + dt.timedelta(days=3)})
    grant(incentive, customers[:1], sources=["early"], expires_at=now + dt.timedelta(days=1))
    grant(incentive, customers[:1], sources=["late"], expires_at=now + dt.timedelta(days=9))
    ends = dict(Code.objects.values_list("grant__source", "expires_at"))
    assert ends == {"early": now + dt.timedelta(days=1), "late": now + dt.timedelta(days=3)}


def test_a_later_end_reaches_the_codes_that_are_out_an_earlier_one_does_not(offer, grant, customers, now):
    incentive = offer(validity={"ends_at": now + dt.timedelta(days=3)})
    grant(incentive, customers[:1], sources=["rule"])
    grant(incentive, customers[:1], sources=["own"], expires_at=now + dt.timedelta(days=1))

    def save(days, edited):
        rule = rule_of(incentive.version_id).model_copy(
            update={"validity": {"ends_at": (now + dt.timedelta(days=days)).isoformat()}}
        )
        rule = IncentiveRule.model_validate({**rule.model_dump(mode="json", warnings=False)})
        operations.save_incentive(incentive_id=incentive.pk, rule=rule, edited=edited, now=now, by=BY)
        return dict(Code.objects.values_list("grant__source", "expires_at"))

    own = now + dt.timedelta(days=1)
    assert save(10, 1) == {"rule": now + dt.timedelta(days=10), "own": own}
    assert save(5, 2) == {"rule": now + dt.timedelta(days=10), "own": own}


def test_codes_of_a_pool_are_handed_over_and_run_out(offer, grant, customers, now):
    incentive = offer(codes={"kind": "unique", "is_from_pool": True})
    batch = CodeBatch.objects.create(
        incentive=incentive, version=incentive.version, source="p", purpose="pool", wanted=2, created_at=now
    )
    Code.objects.bulk_create(
        Code(code=f"POOL{n}", incentive=incentive, version=incentive.version, batch=batch) for n in range(2)
    )
    granted = grant(incentive, customers[:3])
    assert [refusal.code for refusal in granted.refused.values()] == ["incentives.pool_empty"]
    assert set(Code.objects.values_list("customer_id", "state")) == {(c.pk, "reserved") for c in customers[:2]}
    assert operations.take_back(grant_ids=granted.grants.values(), now=now, by=BY, reason="not sent") == 2
    assert set(Code.objects.values_list("customer_id", "grant_id", "state")) == {(None, None, "free")}
    assert len(grant(incentive, customers[2:4]).grants) == 2


def test_what_was_not_sent_is_taken_back_what_was_given_is_not(offer, grant, customers, now):
    incentive = offer()
    granted = grant(incentive, customers[:3])
    ids = sorted(granted.grants.values())
    operations.give(grant_ids=ids[:1], now=now)
    assert operations.take_back(grant_ids=ids, now=now, by=BY, reason="no consent") == 2
    assert operations.take_back(grant_ids=ids, now=now, by=BY, reason="no consent") == 0
    assert list(Grant.objects.order_by("pk").values_list("state", "code__state")) == [
        ("active", "given"),
        ("returned", "void"),
        ("returned", "void"),
    ]
    assert issued(incentive) == 1
    entry = AuditEntry.objects.get(verb="incentives.take_back")
    assert entry.after == {"grants": 2, "reason": "no consent"}


def test_a_grant_is_undone_once_and_only_before_its_use(offer, grant, customers, now):
    incentive = offer()
    granted = grant(incentive, customers[:2], is_given=True)
    one, two = sorted(granted.grants.values())
    operations.void_grant(grant_id=one, now=now, by=BY, reason="wrong customer")
    assert (Grant.objects.get(pk=one).state, Code.objects.get(grant_id=one).state) == ("void", "void")
    assert issued(incentive) == 1
    with pytest.raises(GrantEnded):
        operations.void_grant(grant_id=one, now=now, by=BY, reason="again")
    Code.objects.filter(grant_id=two).update(state="redeemed")
    with pytest.raises(GrantUsed):
        operations.void_grant(grant_id=two, now=now, by=BY, reason="late")
    with pytest.raises(NoSuchGrant):
        operations.void_grant(grant_id=10**9, now=now, by=BY, reason="nobody")
    assert issued(incentive) == 1


def test_a_chunk_takes_the_same_few_statements_however_long_it_is(offer, grant, customers, django_assert_num_queries):
    incentive = offer()
    grant(incentive, customers[:1])
    with django_assert_num_queries(7):  # a savepoint among them, opened and released
        grant(incentive, customers)
