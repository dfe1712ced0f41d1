"""Every condition, asked of customers known by name: exactly these, and `not` exactly the others."""
# ruff: noqa: E501 (a table reads best in lines)

import pytest
from django.db import transaction

from retention.customers.models import CustomerStats
from retention.registries import conditions
from retention.segments import rules
from retention.segments.querysets import explain, members
from tests.segments import facts
from tests.segments.facts import NOW

pytestmark = pytest.mark.django_db
LIVE = {"anna", "boris", "chloe", "gala"}


def at_least(number, **more):
    return {"operator": "at_least", "number": number, **more}


def at_most(number, **more):
    return {"operator": "at_most", "number": number, **more}


def between(number, to, **more):
    return {"operator": "between", "number": number, "number_to": to, **more}


def exactly(number, **more):
    return {"operator": "exactly", "number": number, **more}


def last(days):
    return {"window": "last", "days": days}


def before(days):
    return {"window": "before", "days": days}


EVER = {"window": "ever"}
#: key, arguments, who is meant, the sentence
TABLE = [
    ("country", {"countries": ["de", "AT"]}, "anna boris", "lives in Germany or Austria"),
    ("country", {"countries": "KR"}, "chloe", "lives in South Korea"),
    ("language", {"languages": ["DE"]}, "anna", "reads German"),
    ("region", {"regions": ["berlin"]}, "anna", "lives in the region berlin"),
    ("city", {"cities": ["Vienna", "Berlin"]}, "anna boris", "lives in the city Vienna or Berlin"),
    ("postcode", {"begins": ["101", "9"]}, "anna boris", "has a postcode that begins with 101 or 9"),
    ("time_zone", {"zones": ["Asia/Seoul"]}, "chloe", "lives in the time zone Asia/Seoul"),
    ("has_birthday", {}, "anna boris chloe", "has told her birthday"),
    ("birthday_soon", {"days": 0}, "anna", "has her birthday today"),
    ("birthday_soon", {"days": 1}, "anna", "has her birthday today or tomorrow"),
    ("birthday_soon", {"days": 8}, "anna boris", "has her birthday in the next 8 days"),
    ("birthday_soon", {"days": 291}, "anna boris", "has her birthday in the next 291 days"),
    # 29 February is kept on 28 February 2027, 292 days ahead.
    ("birthday_soon", {"days": 292}, "anna boris chloe", "has her birthday in the next 292 days"),
    ("birthday_month", {"month": "this"}, "anna boris", "has her birthday this month"),
    ("birthday_month", {"month": "next"}, "", "has her birthday next month"),
    ("birthday_month", {"month": "2"}, "chloe", "has her birthday in February"),
    ("age", at_least(36), "anna", "is at least 36 years old"),
    ("age", exactly(22), "chloe", "is exactly 22 years old"),
    ("age", at_most(35), "chloe", "is at most 35 years old"),
    ("age", between(22, 36), "anna chloe", "is between 22 and 36 years old"),
    ("signed_up", last(40), "boris chloe", "signed up in the last 40 days"),
    ("signed_up", before(100), "anna", "signed up more than 100 days ago"),
    (
        "signed_up", {"window": "dates", "since": "2026-05-02", "until": "2026-05-02"}, "boris",
        "signed up from May 2, 2026 to May 2, 2026",
    ),
    ("source", {"sources": ["instagram"]}, "anna", "came from instagram"),
    ("interest", {"match": "any", "interests": ["jazz", "tea"]}, "anna boris", "is interested in jazz or tea"),
    ("interest", {"match": "all", "interests": ["jazz", "vinyl"]}, "anna", "is interested in jazz and vinyl"),
    ("has_address", {"address": "email"}, "anna boris chloe", "has an email address"),
    ("has_address", {"address": "phone"}, "anna gala", "has a phone number"),
    ("has_address", {"address": "post"}, "anna", "has a postal address"),
    ("preferred_channel", {"channels": ["sms", "push"]}, "boris", "prefers SMS or Push"),
    ("attribute_known", {"attribute": "pet"}, "anna boris", "has a known “Pet”"),
    ("attribute_is", {"attribute": "pet", "values": ["dog"]}, "boris", "has “Pet” “dog”"),
    ("attribute_is", {"attribute": "nickname", "values": ["42"]}, "anna", "has “Nickname” “42”"),
    ("attribute_yes_no", {"attribute": "vip", "answer": "yes"}, "anna", "has “VIP”: yes"),
    ("attribute_yes_no", {"attribute": "vip", "answer": "no"}, "chloe", "has “VIP”: no"),
    ("attribute_number", at_least(38.5, attribute="shoe-size"), "boris", "has “Shoe size” of at least 38.5"),
    ("attribute_number", at_most(38, attribute="shoe-size"), "anna", "has “Shoe size” of at most 38"),
    ("attribute_date", {"attribute": "renewal", "window": "next", "days": 8}, "anna", "has “Renewal” in the next 8 days"),
    ("attribute_date", {"attribute": "renewal", "window": "next", "days": 7}, "", "has “Renewal” in the next 7 days"),
    (
        "attribute_date",
        {"attribute": "renewal", "window": "dates", "since": "2026-05-20", "until": "2026-05-20"},
        "anna",
        "has “Renewal” from May 20, 2026 to May 20, 2026",
    ),
    (
        "consent", {"channel": "email", "purpose": "marketing", "state": "given"}, "anna",
        "has given consent to marketing by Email",
    ),
    (
        "consent", {"channel": "email", "purpose": "marketing", "state": "withdrawn"}, "boris",
        "has withdrawn consent to marketing by Email",
    ),
    (
        "consent", {"channel": "email", "purpose": "marketing", "state": "not_asked"}, "chloe gala",
        "was never asked for consent to marketing by Email",
    ),
    # Given for a number she has no more: nobody asked for the present one.
    (
        "consent", {"channel": "sms", "purpose": "marketing", "state": "not_asked"}, "anna boris chloe gala",
        "was never asked for consent to marketing by SMS",
    ),
    (
        "consent", {"channel": "email", "purpose": "topic:jazz", "state": "given"}, "chloe",
        "has given consent to topic:jazz by Email",
    ),
    (
        "consent_event", {"channel": "email", "purpose": "marketing", "event": "given", **last(55)}, "boris",
        "gave consent to marketing by Email in the last 55 days",
    ),
    ("order_count", at_least(1, **EVER), "anna boris", "has placed at least 1 order"),
    ("order_count", at_least(0, **EVER), "anna boris chloe gala", "has placed at least 0 orders"),
    ("order_count", at_most(1, **EVER), "boris chloe gala", "has placed at most 1 order"),
    ("order_count", exactly(0, **EVER), "chloe gala", "has placed exactly 0 orders"),
    ("order_count", between(0, 1, **EVER), "boris chloe gala", "has placed between 0 and 1 order"),
    ("order_count", between(2, 4, **EVER), "anna", "has placed between 2 and 4 orders"),
    ("order_count", at_least(2, **last(30)), "anna", "has placed at least 2 orders in the last 30 days"),
    ("order_count", at_least(3, **last(30)), "", "has placed at least 3 orders in the last 30 days"),
    ("order_count", at_most(1, **last(30)), "boris chloe gala", "has placed at most 1 order in the last 30 days"),
    ("order_count", exactly(0, **last(250)), "chloe gala", "has placed exactly 0 orders in the last 250 days"),
    ("order_count", exactly(1, **before(150)), "anna boris", "has placed exactly 1 order more than 150 days ago"),
    ("spend", at_least(10_100, **EVER), "anna", "has spent at least €101.00"),
    ("spend", at_most(100, **EVER), "boris chloe gala", "has spent at most €1.00"),
    ("spend", between(100, 200, **EVER), "boris", "has spent between €1.00 and €2.00"),
    # 10.00 less 4.00 refunded, and 30.00.
    ("spend", between(3600, 3600, **last(30)), "anna", "has spent between €36.00 and €36.00 in the last 30 days"),
    ("spend", at_least(3601, **last(30)), "", "has spent at least €36.01 in the last 30 days"),
    ("spend", at_most(3599, **last(30)), "boris chloe gala", "has spent at most €35.99 in the last 30 days"),
    ("average_order", at_least(2000), "anna", "spends at least €20.00 on average an order"),
    ("average_order", at_most(2000), "boris", "spends at most €20.00 on average an order"),
    ("order_worth", at_least(4000, **EVER), "anna", "has placed an order worth at least €40.00"),
    ("order_worth", at_least(4000, **last(30)), "", "has placed an order worth at least €40.00 in the last 30 days"),
    ("order_worth", at_most(100, **EVER), "boris", "has placed an order worth at most €1.00"),
    ("last_order", last(5), "anna", "placed her last order in the last 5 days"),
    ("last_order", before(5), "boris", "placed her last order more than 5 days ago"),
    ("first_order", before(250), "anna", "placed her first order more than 250 days ago"),
    ("no_order", {"days": 180, "never": "leave_out"}, "boris", "has not ordered for 180 days"),
    ("no_order", {"days": 180, "never": "include"}, "boris chloe gala", "has not ordered for 180 days, or never"),
    ("nth_order", {"nth": 1, **before(150)}, "anna boris", "placed order number 1 more than 150 days ago"),
    ("nth_order", {"nth": 2, **last(150)}, "anna", "placed order number 2 in the last 150 days"),
    ("nth_order", {"nth": 2, **last(90)}, "", "placed order number 2 in the last 90 days"),
    ("nth_order", {"nth": 5, **last(400)}, "", "placed order number 5 in the last 400 days"),
    ("bought_product", at_least(1, products=["vinyl"], **EVER), "anna", "has bought “Vinyl” at least 1 time"),
    ("bought_product", at_least(3, products=["vinyl", "cd"], **EVER), "anna", "has bought “Vinyl” or “Cd” at least 3 times"),
    ("bought_product", at_least(3, products=["vinyl"], **EVER), "", "has bought “Vinyl” at least 3 times"),
    ("bought_product", exactly(0, products=["vinyl"], **EVER), "boris chloe gala", "has bought “Vinyl” exactly 0 times"),
    ("bought_category", at_least(1, categories=["Music"], **EVER), "anna boris", "has bought from “Music” at least 1 time"),
    ("bought_category", at_least(1, categories=["Music/Jazz"], **EVER), "anna", "has bought from “Music/Jazz” at least 1 time"),
    ("bought_category", at_least(2, categories=["Music/Rock"], **last(19)), "", "has bought from “Music/Rock” at least 2 times in the last 19 days"),
    ("category_breadth", exactly(2, depth=1, **EVER), "anna", "has bought from exactly 2 categories"),
    ("category_breadth", exactly(3, depth=2, **EVER), "anna", "has bought from exactly 3 categories"),
    ("category_breadth", at_most(1, depth=1, **EVER), "boris chloe gala", "has bought from at most 1 category"),
    ("ordered_to_country", at_least(1, countries=["AT"], **EVER), "anna boris", "has ordered to Austria at least 1 time"),
    ("ordered_to_country", at_least(1, countries=["FR"], **EVER), "", "has ordered to France at least 1 time"),
    ("ordered_in_store", at_least(1, values=["mitte"], **EVER), "anna", "has ordered in the store “mitte” at least 1 time"),
    ("ordered_by_channel", at_least(3, values=["web"], **EVER), "anna", "has ordered through “web” at least 3 times"),
    ("paid_by", at_least(1, values=["card"], **EVER), "anna", "has paid by “card” at least 1 time"),
    ("used_coupon", at_least(1, codes=["sorry"], **EVER), "anna", "has used SORRY at least 1 time"),
    ("used_coupon", at_least(2, **EVER), "anna", "has used a coupon at least 2 times"),
    ("used_coupon", exactly(0, **EVER), "boris chloe gala", "has used a coupon exactly 0 times"),
    ("returned", at_least(1, **EVER), "anna", "has returned something at least 1 time"),
    (
        "returned", at_least(1, reasons=["too late"], **EVER), "",
        "has returned something at least 1 time because of “too late”",
    ),
    ("did", at_least(2, kind="reviewed", **EVER), "anna", "did “reviewed” at least 2 times"),
    ("did", at_least(1, kind="reviewed", **last(30)), "boris", "did “reviewed” at least 1 time in the last 30 days"),
    ("did", at_most(0, kind="reviewed", **EVER), "chloe gala", "did “reviewed” at most 0 times"),
    (
        "did", at_least(1, kind="reviewed", property="rating", test="is", value="5", **EVER), "anna boris",
        "did “reviewed” at least 1 time where “rating” is 5",
    ),
    (
        "did", at_least(1, kind="reviewed", property="rating", test="at_least", value="3", **EVER), "anna",
        "did “reviewed” at least 1 time where “rating” is at least 3",
    ),
    (
        "did", at_least(1, kind="reviewed", property="rating", test="is_not", value="5", **EVER), "anna",
        "did “reviewed” at least 1 time where “rating” is not 5",
    ),
    (
        "did", at_least(1, kind="reviewed", property="text", test="contains", value="box", **EVER), "anna",
        "did “reviewed” at least 1 time where “text” contains box",
    ),
    (
        "did", at_least(1, kind="reviewed", property="verified", test="is", value="yes", **EVER), "anna",
        "did “reviewed” at least 1 time where “verified” is yes",
    ),
    (
        "did", at_least(1, kind="complaint", property="about", test="any", **EVER), "boris",
        "did “complaint” at least 1 time where “about” anything",
    ),
    (
        "did_with_product", at_least(1, kind="viewed_product", products=["vinyl"], **EVER), "boris",
        "did “viewed product” with “Vinyl” at least 1 time",
    ),
    (
        "did_with_product", at_least(1, kind="viewed_product", categories=["Music"], products=["mug"], **last(30)),
        "anna boris",
        "did “viewed product” with “Mug” or something from “Music” at least 1 time in the last 30 days",
    ),
    (
        "did_not_buy", {"kind": "viewed_product", **last(30)}, "anna boris",
        "did “viewed product” with a product in the last 30 days and has not bought it since",
    ),
    (
        "did_not_buy", {"kind": "viewed_product", "products": ["cd"], **EVER}, "",
        "did “viewed product” with “Cd” and has not bought it since",
    ),
    (
        "cart_abandoned", {"hours": 4, "days": 7}, "boris",
        "left a cart in the last 7 days, untouched for 4 hours, and has not ordered since",
    ),
    (
        "cart_abandoned", {"hours": 0, "days": 7}, "boris chloe",
        "left a cart in the last 7 days, untouched for 0 hours, and has not ordered since",
    ),
    ("items", at_least(8), "anna", "has bought at least 8 items"),
    ("items", at_most(1), "boris chloe gala", "has bought at most 1 item"),
    ("discount_share", at_least(30), "anna", "saved at least 30 % of the price by discounts"),
    ("discount_share", at_most(5), "boris", "saved at most 5 % of the price by discounts"),
    ("refunds", at_least(400), "anna", "was refunded at least €4.00"),
    ("days_between_orders", between(90, 100), "anna", "orders every between 90 and 100 days on average"),
    ("overdue", {"factor": 1.5}, "", "has been silent for 1.5 times her usual gap between orders"),
    ("favourite_category", {"categories": ["Music/Jazz"]}, "anna", "buys most from “Music/Jazz”"),
    ("favourite_product", {"products": ["odd"]}, "boris", "buys “Odd” most"),
    ("last_seen", last(5), "anna boris", "was last seen in the last 5 days"),
    ("last_opened", before(30), "boris", "last opened a message more than 30 days ago"),
    ("stage", {"stages": ["fans", "nobody"], **EVER}, "anna", "is in the stage “Fans” or “Nobody”"),
    ("stage", {"stages": ["fans", "guests"], **last(20)}, "anna", "is in the stage “Fans” or “Guests”, where she came in the last 20 days"),
    ("stage", {"stages": ["fans", "guests"], **before(20)}, "boris", "is in the stage “Fans” or “Guests”, where she came more than 20 days ago"),
    ("left_stage", {"stages": ["guests"], **last(20)}, "anna", "left the stage “Guests” in the last 20 days"),
    ("left_stage", {"stages": ["fans"], **last(20)}, "", "left the stage “Fans” in the last 20 days"),
    ("rfm_group", {"groups": ["champions", "loyal"], "which": "now"}, "anna", "is in the RFM group “Champions” or “Loyal”"),
    ("rfm_group", {"groups": ["loyal"], "which": "previous"}, "anna", "was in the RFM group “Loyal” before the one she is in"),
    ("rfm_moved", {"groups": ["champions"], **last(7)}, "anna", "moved into the RFM group “Champions” in the last 7 days"),
    ("rfm_moved", {"groups": ["champions"], **last(2)}, "", "moved into the RFM group “Champions” in the last 2 days"),
    ("rfm_score", {"score": "recency", **at_least(4)}, "anna", "has an RFM score for recency of at least 4"),
    ("rfm_score", {"score": "monetary", **at_most(4)}, "anna boris", "has an RFM score for money of at most 4"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("key", "args", "meant", "said"), TABLE, ids=lambda value: value if isinstance(value, str) else ""
)
def test_a_condition_means_exactly_these(shop, key, args, meant, said):
    rule = {"key": key, "args": args}
    assert shop.named(members(rule, NOW)) == set(meant.split())
    assert shop.named(members({"not": rule}, NOW)) == LIVE - set(meant.split())
    assert rules.sentence(rule) == f"Everyone who {said}."
    for name in LIVE:
        assert explain(rule, shop.people[name].pk, NOW).is_met == (name in meant.split())
    for name in ("dora", "emil"):
        assert explain(rule, shop.people[name].pk, NOW).is_met is False


def _variants():
    """Every row of the table, and beside it every other operator about 0 and 1 and every other window of time."""
    for key, args, _meant, _said in TABLE:
        own = [args]
        if "operator" in args:
            rest = {name: value for name, value in args.items() if name not in ("operator", "number", "number_to")}
            own += [make(number, **rest) for make in (at_least, at_most, exactly) for number in (0, 1)]
            own += [between(0, 0, **rest), between(0, 1, **rest)]
        if args.get("window") in ("last", "before"):
            own += [{**args, **window(days)} for window in (last, before) for days in (1, 1_000)]
        yield from ({"key": key, "args": each} for each in own if not conditions[key].form_class(each).errors)


def test_no_row_of_statistics_means_the_same_as_a_row_of_noughts(shop):
    reading = [rule for rule in _variants() if "customers_customerstats" in str(members(rule, NOW).query)]
    assert len({rule["key"] for rule in reading}) >= 14
    gala = shop.people["gala"].pk

    def answers():
        return {
            str(rule): (shop.named(members(rule, NOW)), explain(rule, gala, NOW))
            for each in reading
            for rule in (each, {"not": each})
        }

    without = answers()
    with transaction.atomic():
        facts.stats(shop.people["gala"])
        assert answers() == without
        transaction.set_rollback(True)
    assert not CustomerStats.objects.filter(customer=gala).exists()


def test_overdue_by_her_own_rhythm(shop):
    rule = {"key": "overdue", "args": {"factor": 1}}
    later = NOW.replace(month=8, day=25)
    assert shop.named(members(rule, NOW)) == set()
    assert shop.named(members(rule, later)) == {"anna"}


def test_in_another_segment(shop):
    rule = {"key": "in_segment", "args": {"segment": str(shop.germans.public_id)}}
    assert shop.named(members(rule, NOW)) == {"anna"}
    assert shop.named(members({"not": rule}, NOW)) == LIVE - {"anna"}
    assert rules.sentence(rule) == "Everyone who is in the segment “Germans”."
    nobody = {"key": "in_segment", "args": {"segment": str(shop.nobody.public_id)}}
    assert shop.named(members(nobody, NOW)) == set()
    assert shop.named(members({"not": nobody}, NOW)) == LIVE


def test_on_an_uploaded_list(shop):
    rule = {"key": "on_list", "args": {"list": str(shop.evening.public_id)}}
    assert shop.named(members(rule, NOW)) == {"anna", "gala"}
    assert rules.sentence(rule) == "Everyone who is on the list “Evening guests”."


def test_a_random_share_is_stable_and_the_shares_partition(shop):
    def drawn(since, until, salt="summer"):
        args = {"since": since, "until": until, "salt": salt}
        return shop.named(members({"key": "random_bucket", "args": args}, NOW))

    parts = [drawn(low, low + 25) for low in (0, 25, 50, 75)]
    assert set().union(*parts) == LIVE
    assert sum(map(len, parts)) == len(LIVE)
    assert parts == [drawn(low, low + 25) for low in (0, 25, 50, 75)]
    assert drawn(0, 100, "winter") == LIVE


def test_there_are_enough_conditions_and_each_is_in_a_table():
    own = {condition.key for condition in conditions if condition.__module__.startswith("retention.segments.")}
    elsewhere = {"in_segment", "on_list", "random_bucket"}
    assert own == {row[0] for row in TABLE} | elsewhere
    assert len(own) >= 30
