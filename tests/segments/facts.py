"""A small shop whose customers are known by name, so that every condition can be asked for exactly whom it means.

The instant is 12 May 2026, 10:00 in UTC; the shop is in Berlin, where it is 12:00.
"""

import datetime as dt
import hashlib

from retention.customers.models import (
    Activity,
    ActivityKind,
    AttributeDefinition,
    Consent,
    ConsentState,
    Customer,
    CustomerStage,
    CustomerStats,
    Order,
    OrderLine,
    Product,
    Return,
    Rfm,
    RfmChange,
    Stage,
    StageChange,
)
from retention.segments.models import CustomerList, ListEntry, Segment
from retention.shop.models import Shop

NOW = dt.datetime(2026, 5, 12, 10, tzinfo=dt.UTC)
KINDS = ("viewed_product", "added_to_cart", "cart_updated", "checkout_started", "reviewed", "complaint", "signed_up")


def ago(days: float = 0, hours: float = 0) -> dt.datetime:
    return NOW - dt.timedelta(days=days, hours=hours)


def stats(customer: Customer, **columns) -> CustomerStats:
    return CustomerStats.objects.create(customer=customer, **columns)


def order(customer: Customer | None, reference: str, placed_at: dt.datetime, lines, **columns) -> Order:
    """An order with lines of (product, quantity); amounts follow from the products' prices."""
    total = sum(product.price_minor * quantity for product, quantity in lines)
    values = {"state": "paid", "currency": "EUR", "total_minor": total, "base_minor": total, **columns}
    made = Order.objects.create(
        customer=customer, reference=reference, placed_at=placed_at, recorded_at=placed_at, **values
    )
    for position, (product, quantity) in enumerate(lines):
        price = product.price_minor
        OrderLine.objects.create(
            order=made, position=position, product=product, quantity=quantity,
            unit_price_minor=price, total_minor=price * quantity,
        )  # fmt: skip
    return made


def did(customer: Customer, kind: str, at: dt.datetime, **columns) -> Activity:
    return Activity.objects.create(customer=customer, kind=kind, occurred_at=at, recorded_at=at, **columns)


def said(customer: Customer, channel: str, purpose: str, event: str, at: dt.datetime, address: str) -> None:
    Consent.objects.create(
        customer=customer, channel=channel, purpose=purpose, event=event, source="popup",
        address_hash=hashlib.sha256(address.encode()).digest(), occurred_at=at, recorded_at=at,
    )  # fmt: skip
    ConsentState.objects.update_or_create(
        customer=customer, channel=channel, purpose=purpose,
        defaults={"is_given": event == "given", "address": address, "occurred_at": at},
    )  # fmt: skip


def small_shop() -> dict[str, Customer]:
    """Everything below, by customer's name. Dora is merged and Emil erased: no condition may ever name them."""
    Shop.objects.create(name="Shop", time_zone="Europe/Berlin", currency="EUR")
    for kind in KINDS:
        ActivityKind.objects.get_or_create(key=kind, defaults={"label": kind.replace("_", " ")})
    declare()
    products = catalogue()
    people = customers()
    shopping(people, products)
    doings(people, products)
    consents(people)
    standings(people)
    evening = CustomerList.objects.create(name="Evening guests", size=2, uploaded_at=NOW)
    for name in ("anna", "gala"):
        ListEntry.objects.create(list=evening, customer=people[name])
    germans = {"key": "country", "args": {"countries": ["DE"]}}
    Segment.objects.create(name="Germans", rule=germans)
    Segment.objects.create(name="Nobody", rule={})
    return people


def declare() -> None:
    Kind = AttributeDefinition.Kind
    AttributeDefinition.objects.create(key="shoe-size", label="Shoe size", kind=Kind.NUMBER)
    AttributeDefinition.objects.create(key="pet", label="Pet", kind=Kind.CHOICE, choices=["cat", "dog"])
    AttributeDefinition.objects.create(key="nickname", label="Nickname", kind=Kind.TEXT)
    AttributeDefinition.objects.create(key="vip", label="VIP", kind=Kind.YES_NO)
    AttributeDefinition.objects.create(key="renewal", label="Renewal", kind=Kind.DATE)


def catalogue() -> dict[str, Product]:
    def product(sku, category, price):
        return Product.objects.create(
            sku=sku, name=sku.title(), category=category, currency="EUR", price_minor=price, recorded_at=NOW
        )

    return {
        "vinyl": product("vinyl", "Music/Jazz/Vinyl", 2000),
        "cd": product("cd", "Music/Rock", 1000),
        "mug": product("mug", "Kitchen", 500),
        "odd": product("odd", "Music/Jazzy", 100),
    }


def customers() -> dict[str, Customer]:
    def attribute(value):
        return {"value": value, "how": "asked"}

    def customer(name, **columns):
        values = {"given_name": name.title(), "reference": name, "recorded_at": NOW, **columns}
        return Customer.objects.create(**values)

    anna = customer(
        "anna", email="Anna@example.com", phone="+4915112345678", country="DE", region="Berlin", city="Berlin",
        address="Weg 1", postcode="10115", language="de", time_zone="Europe/Berlin", preferred_channel="email",
        interests=["jazz", "vinyl"], source="Instagram", signed_up_at=ago(400),
        birth_year=1990, birth_month=5, birth_day=12,
        attributes={"shoe-size": attribute(38), "pet": attribute("cat"), "vip": attribute(True),
                    "renewal": attribute("2026-05-20"), "nickname": attribute("42")},
    )  # fmt: skip
    boris = customer(
        "boris", email="boris@example.com", country="AT", city="vienna", language="de-AT", postcode="1010",
        interests=["jazz"], source="friend", signed_up_at=ago(10), preferred_channel="sms",
        birth_month=5, birth_day=20, attributes={"shoe-size": attribute(45), "pet": attribute("dog")},
    )  # fmt: skip
    chloe = customer(
        "chloe", email="chloe@example.com", country="KR", language="ko", time_zone="Asia/Seoul", signed_up_at=ago(40),
        birth_year=2004, birth_month=2, birth_day=29, attributes={"vip": attribute(False)},
    )  # fmt: skip
    gala = customer("gala", phone="+15550001111")
    dora = customer("dora", email="anna@example.com", country="DE", merged_into=anna, interests=["jazz"])
    emil = customer("emil", country="DE", erased_at=ago(1))
    return {"anna": anna, "boris": boris, "chloe": chloe, "gala": gala, "dora": dora, "emil": emil}


def shopping(people, products) -> None:
    """Anna bought four times, Boris once, Chloe only cancelled; Gala has not even a row of statistics."""
    vinyl, cd, mug = products["vinyl"], products["cd"], products["mug"]
    anna = people["anna"]
    order(anna, "a1", ago(300), [(vinyl, 1), (mug, 1)], country="DE", store="Mitte", channel="shop", codes=["INSTA500"])
    order(anna, "a2", ago(100), [(vinyl, 2)], country="AT", channel="web", payment_method="card")
    returned = order(anna, "a3", ago(20), [(cd, 1)], country="DE", channel="web", state="partially_returned")
    order(anna, "a4", ago(5), [(cd, 3)], country="DE", channel="Web", codes=["SORRY", "INSTA500"])
    order(anna, "a5", ago(1), [(mug, 9)], state="cancelled", country="FR")
    Return.objects.create(
        order=returned, reference="r1", reason="defective", amount_minor=400, base_minor=400,
        occurred_at=ago(15), recorded_at=ago(15),
    )  # fmt: skip
    stats(
        anna, orders=4, items=8, first_order_at=ago(300), last_order_at=ago(5), spend_minor=10_100, refunds_minor=400,
        average_order_minor=2625, days_between_orders=98.3, discount_share=0.3, favourite_product=vinyl,
        favourite_category="Music/Jazz/Vinyl", last_seen_at=ago(5), last_opened_at=ago(3),
    )  # fmt: skip
    order(people["boris"], "b1", ago(200), [(products["odd"], 1)], country="AT", store="Graben")
    stats(
        people["boris"], orders=1, items=1, first_order_at=ago(200), last_order_at=ago(200), spend_minor=100,
        average_order_minor=100, discount_share=0, favourite_product=products["odd"], favourite_category="Music/Jazzy",
        last_seen_at=ago(2), last_opened_at=ago(90),
    )  # fmt: skip
    order(people["chloe"], "c1", ago(3), [(vinyl, 1)], state="cancelled")
    stats(people["chloe"], last_seen_at=ago(40))
    order(people["emil"], "e1", ago(3), [(vinyl, 1)])
    stats(people["emil"], orders=1, items=1, first_order_at=ago(3), last_order_at=ago(3), spend_minor=2000)
    order(None, "guest", ago(3), [(vinyl, 1)], email="someone@example.com")


def doings(people, products) -> None:
    anna, boris, chloe = people["anna"], people["boris"], people["chloe"]
    did(anna, "viewed_product", ago(6), product=products["cd"])
    did(anna, "viewed_product", ago(2), product=products["mug"])
    did(boris, "viewed_product", ago(3), product=products["vinyl"])
    did(boris, "viewed_product", ago(200), product=products["odd"])
    did(anna, "reviewed", ago(50), properties={"rating": 5, "text": "Lovely Box"})
    did(anna, "reviewed", ago(40), properties={"rating": 2, "verified": True})
    did(boris, "reviewed", ago(10), properties={"rating": "5"})
    did(boris, "complaint", ago(9), properties={"about": "delivery"})
    did(boris, "added_to_cart", ago(hours=6), product=products["vinyl"])
    did(chloe, "cart_updated", ago(hours=1))
    did(chloe, "added_to_cart", ago(hours=30))
    did(anna, "added_to_cart", ago(5, hours=1), product=products["cd"])
    Activity.objects.create(kind="viewed_product", visitor_key="v1", occurred_at=ago(1), recorded_at=ago(1))


def consents(people) -> None:
    said(people["anna"], "email", "marketing", "given", ago(60), "anna@example.com")
    said(people["anna"], "sms", "marketing", "given", ago(60), "+4915100000000")
    said(people["boris"], "email", "marketing", "given", ago(50), "boris@example.com")
    said(people["boris"], "email", "marketing", "withdrawn", ago(20), "boris@example.com")
    said(people["chloe"], "email", "topic:jazz", "given", ago(5), "chloe@example.com")
    said(people["dora"], "email", "marketing", "given", ago(5), "anna@example.com")


def standings(people) -> None:
    """Where they stand: two stages beside those that nobody is in, and RFM groups of two."""
    for position, (key, rule) in enumerate((("fans", {}), ("guests", {}), ("nobody", {})), start=1):
        Stage.objects.create(key=key, name={"en": key.title()}, position=position, rule=rule)
    fans, guests = Stage.objects.get(key="fans"), Stage.objects.get(key="guests")
    CustomerStage.objects.create(customer=people["anna"], stage=fans, since=ago(10))
    CustomerStage.objects.create(customer=people["boris"], stage=guests, since=ago(40))
    StageChange.objects.create(customer=people["anna"], before=guests, after=fans, at=ago(10))
    scores = {"recency": 5, "frequency": 5, "monetary": 4}
    Rfm.objects.create(
        customer=people["anna"], **scores, group="champions", previous_group="loyal", computed_at=ago(3)
    )  # fmt: skip
    RfmChange.objects.create(customer=people["anna"], before="loyal", after="champions", at=ago(3))
    worst = {"recency": 1, "frequency": 1, "monetary": 1}
    Rfm.objects.create(customer=people["boris"], **worst, group="lost", computed_at=ago(3))
