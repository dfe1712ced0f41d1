"""Whatever facts come in: looking at those alone whom they are about finds whom looking at everybody finds."""

import datetime as dt

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from retention.actors import Actor
from retention.customers import seeds
from retention.segments.models import Membership, MembershipChange, Segment
from retention.segments.operations import create_segment, follow_segment, prove_segment, refresh_segment
from retention.segments.querysets import members
from retention.shop.models import Shop
from retention.work.ingest import ingest
from tests.marks import settle
from tests.segments.facts import NOW

pytestmark = pytest.mark.django_db(transaction=True)
BY = Actor.command("test")
SIX = st.integers(0, 5).map("c{}".format)
DAYS = st.integers(0, 60).map(lambda days: (NOW - dt.timedelta(days=days)).isoformat())


def said(key, **args):
    return {"key": key, "args": args}


CONSENT = said("consent", channel="email", purpose="marketing", state="given")
RULES = {
    "place": said("country", countries=["DE"]),
    "orders": said("order_count", operator="at_least", number=2, window="ever"),
    "lately": said("order_count", operator="between", number=1, number_to=2, window="last", days=30),
    "product": said("bought_product", products=["LP"], operator="at_least", number=1, window="last", days=40),
    "returned": {"not": said("returned", operator="at_least", number=1, window="ever")},
    "seen": {"any": [said("did", kind="reviewed", operator="at_least", number=2, window="ever"), CONSENT]},
    "silent": {"all": [{"not": CONSENT}, said("no_order", days=20, never="include")]},
}
ORDERS = st.fixed_dictionaries(
    {"reference": st.integers(0, 9).map("o{}".format), "state": st.sampled_from(["placed", "paid", "cancelled"]),
     "customer": SIX, "placed_at": DAYS, "sku": st.sampled_from(["LP", "CD"])}
)  # fmt: skip
FACTS = st.one_of(
    st.tuples(st.just("customers"), SIX, st.sampled_from(["DE", "FR"])),
    st.tuples(st.just("orders"), ORDERS),
    st.tuples(st.just("returns"), st.integers(0, 9).map("o{}".format)),
    st.tuples(st.just("activities"), SIX, DAYS),
    st.tuples(st.just("consents"), SIX, st.sampled_from(["given", "withdrawn"]), DAYS),
)


def bring(fact):
    match fact:
        case "customers", who, country:
            row = {"reference": who, "email": f"{who}@example.com", "country": country}
        case "orders", said_of:
            sku = said_of["sku"]
            line = {"sku": sku, "quantity": 1, "unit_price": "10.00"}
            row = {key: said_of[key] for key in ("reference", "state", "customer", "placed_at")}
            row |= {"currency": "EUR", "total": "10.00", "lines": [line]}
        case "returns", order:
            row = {
                "reference": f"r-{order}",
                "order_reference": order,
                "amount": "10.00",
                "occurred_at": NOW.isoformat(),
            }
        case "activities", who, at:
            row = {"kind": "reviewed", "customer": who, "occurred_at": at}
        case "consents", who, event, at:
            row = {"customer": who, "channel": "email", "purpose": "marketing", "event": event, "source": "shop",
                   "occurred_at": at}  # fmt: skip
    # Some make no sense, such as the return of an order that is not there; those are refused.
    ingest(fact[0], [row], now=NOW, by=BY)


def stored(segment: Segment) -> set[int]:
    return set(Membership.objects.filter(segment=segment).values_list("customer_id", flat=True))


def told(segment: Segment) -> set[int]:
    """Who is in by what was told of coming and leaving."""
    inside = set()
    for customer, has_entered in segment.changes.order_by("id").values_list("customer_id", "has_entered"):
        assert (customer in inside) is not has_entered
        (inside.add if has_entered else inside.discard)(customer)
    return inside


@pytest.fixture
def segments():
    Shop.objects.create(name="Shop", time_zone="Europe/Berlin", currency="EUR", country="DE")
    seeds.seed(now=NOW)
    products = [{"sku": sku, "name": sku, "price": "10.00", "currency": "EUR"} for sku in ("LP", "CD")]
    assert not ingest("products", products, now=NOW, by=BY).refused
    made = [create_segment(name=name, rule=rule, now=NOW, by=BY) for name, rule in RULES.items()]
    inner = {"key": "in_segment", "args": {"segment": str(made[-1].public_id)}}
    made.append(create_segment(name="named", rule={"any": [inner, RULES["place"]]}, now=NOW, by=BY))
    for segment in made:
        assert refresh_segment(segment_id=segment.pk, now=NOW).size == 0
    for number in range(6):
        bring(("customers", f"c{number}", "FR"))
    return made


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(facts=st.lists(FACTS, min_size=1, max_size=8))
def test_following_finds_whom_a_look_at_everybody_finds(segments, facts):
    for fact in facts:
        bring(fact)
    settle()
    for segment in segments:
        followed = follow_segment(segment_id=segment.pk, now=NOW)
        assert followed.error == ""
        meant = set(members(segment.rule, NOW).values_list("pk", flat=True))
        assert stored(segment) == told(segment) == meant
        assert followed.size == len(meant)
    proved = prove_segment(segment_id=segments[0].pk, now=NOW)
    assert (proved.error, proved.entered, proved.left) == ("", 0, 0)


def test_the_law_can_fail(segments):
    """A mark moved past facts that nobody looked at is what the proof finds and puts right."""
    bring(("customers", "c1", "DE"))
    (place, *_others) = segments
    beyond = {"xid": 3, "mark": Segment.objects.get(pk=place.pk).mark + 1_000_000}
    Segment.objects.filter(pk=place.pk).update(**beyond)
    assert follow_segment(segment_id=place.pk, now=NOW).size == 0
    Segment.objects.filter(pk=place.pk).update(**beyond)
    proved = prove_segment(segment_id=place.pk, now=NOW)
    assert (proved.size, proved.entered, MembershipChange.objects.filter(segment=place).count()) == (1, 1, 1)
