"""How many customers are in exactly these of the chosen segments, and what a condition looks at with one customer."""

import pytest
from django.urls import reverse

from retention.actors import Actor
from retention.segments import operations
from retention.segments.overlaps import shared
from retention.segments.querysets import explain
from tests.console.conftest import person
from tests.segments.facts import NOW

__all__ = ["person"]
pytestmark = pytest.mark.django_db
BY = Actor.command("test")


def made(name, key, **args):
    segment = operations.create_segment(name=name, rule={"key": key, "args": args}, now=NOW, by=BY)
    operations.refresh_segment(segment_id=segment.pk, now=NOW)
    return segment


@pytest.fixture
def three(shop):
    """Anna, Boris and Chloe have an email; Anna and Boris like jazz; Anna and Chloe told a year of birth."""
    return [
        made("Mail", "has_address", address="email"),
        made("Jazz", "interest", match="any", interests=["jazz"]),
        made("Aged", "age", operator="at_least", number=1),
    ]


def test_every_combination_is_counted_once(three):
    found = shared(three)
    assert (found.in_any, found.in_all, len(found.regions)) == (3, 1, 7)
    sizes = {region.inside: region.size for region in found.regions if region.size}
    assert sizes == {(True, True, True): 1, (True, True, False): 1, (True, False, True): 1}
    assert [sum(region.inside) for region in found.regions] == [3, 2, 2, 2, 1, 1, 1]
    assert round(found.regions[0].share) == 33
    pair = shared(three[1:])
    assert {region.inside: region.size for region in pair.regions} == {
        (True, True): 1, (True, False): 1, (False, True): 1
    }  # fmt: skip


@pytest.mark.parametrize("count", [1, 5])
def test_no_fewer_than_two_and_no_more_than_four(three, count):
    with pytest.raises(ValueError, match="two to four"):
        shared((three * 2)[:count])


def test_the_page_asks_for_two_to_four_and_shows_them(three, client, person):
    client.force_login(person("mia", "marketer"))
    url = reverse("admin:segments_segment_overlap")
    assert "Choose two, three or four" not in client.get(url).content.decode()
    assert "Choose two, three or four" in client.get(url, {"s": three[0].pk}).content.decode()
    page = client.get(url, {"s": [each.pk for each in three]})
    assert page.context["shared"].in_all == 1
    assert client.get(url, {"s": "x"}).status_code == 200


#: key, arguments, whom, what it looks at with her
HERS = [
    ("country", {"countries": ["DE"]}, "boris", "AT"),
    ("order_count", {"operator": "at_least", "number": 9, "window": "ever"}, "anna", "4"),
    ("order_count", {"operator": "at_least", "number": 9, "window": "last", "days": 150}, "anna", "3"),
    ("order_count", {"operator": "at_least", "number": 9, "window": "last", "days": 150}, "boris", "0"),
    ("spend", {"operator": "at_least", "number": 1, "window": "ever"}, "anna", "€101.00"),
    ("spend", {"operator": "at_least", "number": 1, "window": "last", "days": 50}, "anna", "€36.00"),
    ("discount_share", {"operator": "at_least", "number": 10}, "anna", "30 %"),
    ("last_order", {"window": "last", "days": 30}, "anna", "May 7, 2026"),
    ("interest", {"match": "any", "interests": ["tea"]}, "anna", "jazz and vinyl"),
    ("attribute_number", {"attribute": "shoe-size", "operator": "at_least", "number": 1}, "boris", "45"),
    ("did", {"kind": "reviewed", "operator": "at_least", "number": 1, "window": "ever"}, "anna", "2"),
    ("bought_product", {"products": ["cd"], "operator": "at_least", "number": 1, "window": "ever"}, "anna", "2"),
    ("stage", {"stages": ["fans"], "window": "ever"}, "boris", "guests"),
    ("rfm_group", {"groups": ["lost"], "which": "now"}, "anna", "champions"),
    ("consent", {"channel": "email", "purpose": "marketing", "state": "given"}, "anna", ""),
    ("cart_abandoned", {"hours": 4, "days": 7}, "boris", ""),
    ("random_bucket", {"since": 0, "until": 10, "salt": "draw 1"}, "anna", ""),
]


@pytest.mark.parametrize(("key", "args", "who", "hers"), HERS, ids=lambda value: str(value)[:30])
def test_what_a_condition_looks_at_with_her(shop, key, args, who, hers):
    told = explain({"key": key, "args": args}, shop.people[who].pk, NOW)
    assert told.parts[1].hers == hers
