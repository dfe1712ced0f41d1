"""Ready schemes: each makes a draft that can be launched, in the shop's own money."""

import pytest

from referrals.operations import launch_scheme
from referrals.operations.ready import NoSuchReadyScheme, create_from_ready
from referrals.ready import BY_KEY
from referrals.versions import rule_of
from retention.actors import Actor
from retention.incentives.models import Incentive
from retention.incentives.versions import rule_of as incentive_rule_of
from retention.shop.models import Shop

BY = Actor.command("test")


@pytest.mark.parametrize("key", BY_KEY)
@pytest.mark.parametrize(("currency", "amount"), [("EUR", 1_000), ("KRW", 10_000)])
def test_each_makes_a_draft_that_can_be_launched(db, now, key, currency, amount):
    Shop.objects.create(name="Shop", time_zone="Europe/Berlin", currency=currency)
    scheme = create_from_ready(key=key, now=now, by=BY)
    rule = rule_of(scheme.version_id)
    assert (scheme.state, scheme.key, scheme.kind) == ("draft", key, BY_KEY[key].kind)
    assert set(Incentive.objects.values_list("pk", flat=True)) == rule.incentive_ids
    if rule.friend_incentive:
        friend = incentive_rule_of(Incentive.objects.get(pk=rule.friend_incentive).version_id)
        assert friend.effects[0].amounts == {currency: amount}
    assert launch_scheme(scheme_id=scheme.pk, now=now, by=BY).state == "live"


def test_a_second_one_has_a_key_of_its_own(db, now):
    Shop.objects.create(name="Shop", time_zone="Europe/Berlin", currency="EUR")
    assert [create_from_ready(key="ladder", now=now, by=BY).key for _n in range(3)] == [
        "ladder",
        "ladder_2",
        "ladder_3",
    ]


def test_an_unknown_one_is_refused(db, now):
    with pytest.raises(NoSuchReadyScheme):
        create_from_ready(key="nothing", now=now, by=BY)
