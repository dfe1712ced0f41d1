"""Ready segments: each is valid, says what it means, and means what it says in the small shop."""

import pytest

from retention.segments import rules, seeds
from retention.segments.models import Segment
from retention.segments.querysets import members
from retention.segments.ready_stages import STAGES
from tests.segments.facts import NOW

pytestmark = pytest.mark.django_db
MEANT = {
    "new-customers": "boris",
    "first-time-buyers": "boris",
    "repeat-buyers": "anna",
    "vip": "",
    "at-risk": "",
    "lapsed-6-months": "boris",
    "birthdays-this-month": "anna boris",
    "cart-abandoners": "boris",
    "discount-hunters": "anna",
    "full-price-loyal": "",
    "one-category-buyers": "",
    "sleeping-subscribers": "",
    "complainers": "boris",
    "email-consent": "anna",
}


def test_each_means_exactly_these(shop):
    assert seeds.seed(now=NOW) == seeds.Seeded(new=len(MEANT) + len(STAGES))
    ready = {segment.key: segment for segment in Segment.objects.exclude(key=None)}
    assert {key: shop.named(members(segment.rule, NOW)) for key, segment in ready.items()} == {
        key: set(names.split()) for key, names in MEANT.items()
    }
    assert all(rules.sentence(segment.rule).startswith("Everyone who ") for segment in ready.values())
    assert {segment.version.number for segment in ready.values()} == {1}


def test_again_it_adds_nothing_and_keeps_what_was_edited(shop):
    seeds.seed(now=NOW)
    Segment.objects.filter(key="vip").update(name="Darlings", archived_at=NOW)
    assert seeds.seed(now=NOW) == seeds.Seeded(new=0)
    assert Segment.objects.get(key="vip").name == "Darlings"
