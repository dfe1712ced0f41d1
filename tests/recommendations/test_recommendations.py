"""What belongs together by sales and by hand, news of products, and what is suggested to whom."""

import datetime as dt
import math
import uuid
from types import SimpleNamespace

import pytest

from retention.actors import Actor
from retention.api.mount import api
from retention.customers.models import Activity, Customer, Order, OrderLine, Price, Product, Stock
from retention.customers.operations.stats import refresh_stats
from retention.doors.endpoints import scopes
from retention.doors.keys import create_key
from retention.marks import CurrentTransaction
from retention.recommendations import operations, placeholders, querysets
from retention.recommendations.models import Availability, BoughtTogether, PriceDrop, ProductLink, Restock
from retention.shop.models import Shop
from tests.marks import settle

BY = Actor.job("test")
DAY = dt.timedelta(days=1)


@pytest.fixture
def shop(db):
    return Shop.objects.create(
        name="Vinyl", time_zone="Europe/Berlin", currency="EUR", languages=["en"],
        cart_link="https://shop.example.com/cart?add={items}",
    )  # fmt: skip


@pytest.fixture
def product(shop, now):
    def make(sku, **values):
        values = {"currency": "EUR", "price_minor": 1000, "recorded_at": now, **values}
        return Product.objects.create(sku=sku, name=sku.title(), **values)

    return make


@pytest.fixture
def buys(shop, now):
    count = [0]

    def make(customer, *products, at=None, state="paid"):
        count[0] += 1
        at = at or now - DAY
        order = Order.objects.create(
            reference=f"O{count[0]}", customer=customer, state=state, currency="EUR", total_minor=1000,
            base_minor=1000, placed_at=at, recorded_at=at,
        )  # fmt: skip
        for position, one in enumerate(products, 1):
            OrderLine.objects.create(
                order=order, position=position, product=one, quantity=1, unit_price_minor=1000, total_minor=1000
            )
        if customer:
            refresh_stats([customer.pk])
        return order

    return make


def someone(now, reference="anna"):
    return Customer.objects.create(reference=reference, recorded_at=now)


def rows():
    return {
        (row.product.sku, row.other.sku): (row.orders, round(row.score, 4))
        for row in BoughtTogether.objects.select_related("product", "other")
    }


def link(product, other, kind, now, position=0):
    return operations.save_link(
        link_id=None, product_id=product.pk, other_id=other.pk, kind=kind, position=position, now=now, by=BY
    )


def test_pairs_are_counted_and_scored_by_how_rarely_one_goes_without_the_other(product, buys, now):
    tea, pot, sugar, cup = (product(sku) for sku in ("tea", "pot", "sugar", "cup"))
    for _n in range(2):
        buys(None, tea, pot, sugar)
    buys(None, tea, sugar)
    buys(None, sugar, sugar, cup)
    buys(None, tea, cup, state="cancelled")
    buys(None, tea, pot, at=now - 400 * DAY)
    assert operations.compute_together(now=now) == 6
    # tea 3 orders, pot 2, sugar 4; a pair of one order alone is chance.
    expected = {
        ("tea", "pot"): (2, round(2 / math.sqrt(3 * 2), 4)),
        ("tea", "sugar"): (3, round(3 / math.sqrt(3 * 4), 4)),
        ("pot", "sugar"): (2, round(2 / math.sqrt(2 * 4), 4)),
    }
    assert rows() == expected | {(other, one): value for (one, other), value in expected.items()}
    assert operations.compute_together(now=now) == 0, "again it changes nothing"
    Order.objects.filter(reference="O1").update(state="cancelled")
    operations.compute_together(now=now)
    assert set(rows()) == {("tea", "sugar"), ("sugar", "tea")}


def test_orders_of_very_many_products_say_nothing(product, buys, now):
    many = [product(f"p{number}") for number in range(operations.MOST_PRODUCTS + 1)]
    for _n in range(3):
        buys(None, *many)
        buys(None, many[0], many[1])
    operations.compute_together(now=now)
    assert set(rows()) == {("p0", "p1"), ("p1", "p0")}
    assert rows()["p0", "p1"] == (3, 0.5)


def skus(found):
    return [(one.sku, one.why) for one in found]


def test_what_people_said_comes_before_sales_and_what_she_has_is_not_suggested(product, buys, now):
    shoes, socks, polish, laces, bag, gone = (
        product(sku) for sku in ("shoes", "socks", "polish", "laces", "bag", "gone")
    )
    anna, bea = someone(now), someone(now, "bea")
    for _n in range(2):
        buys(None, shoes, laces, gone)
        buys(None, shoes, laces, bag)
    buys(anna, shoes)
    operations.compute_together(now=now)
    link(shoes, socks, "goes_with", now, position=1)
    link(shoes, bag, "goes_with", now)
    link(shoes, polish, "after", now)
    Product.objects.filter(pk=gone.pk).update(archived_at=now)
    assert skus(querysets.beside("shoes", now=now)) == [
        ("bag", "goes_with"), ("socks", "goes_with"), ("laces", "together")]  # fmt: skip
    assert skus(querysets.beside("shoes", now=now, is_bought=True))[0] == ("polish", "after")
    hers = querysets.for_customers([anna.pk, bea.pk], now=now)
    assert {owner: skus(found) for owner, found in hers.items()} == {
        anna.pk: [("polish", "after"), ("bag", "goes_with"), ("socks", "goes_with"), ("laces", "together")]
    }
    buys(anna, polish, bag)
    Availability.objects.create(product=socks, is_in_stock=False, since=now)
    assert skus(querysets.for_customers([anna.pk], now=now)[anna.pk]) == [("laces", "together")]
    assert [one.sku for one in querysets.look_of("shoes", now=now)] == ["shoes", "bag"]
    assert querysets.cart_url(["shoes", "a b"]) == "https://shop.example.com/cart?add=shoes:1,a%20b:1"
    Shop.objects.update(cart_link="")
    assert querysets.cart_url(["shoes"]) == ""


def test_favourites_on_offer_are_those_that_cost_less_than_they_did(product, buys, now):
    anna = someone(now)
    lp = product("lp", category="Music", price_minor=800, compare_at_minor=1000)
    product("cd", category="Music", price_minor=100, compare_at_minor=1000)
    product("dear", category="Music")
    product("mug", category="Home", price_minor=100, compare_at_minor=1000)
    buys(anna, lp)
    assert skus(querysets.favourites_on_offer([anna.pk], now=now)[anna.pk]) == [("lp", "on_offer"), ("cd", "on_offer")]


def test_links_are_refused_where_they_make_no_sense(product, now):
    one, two = product("one"), product("two")
    there = link(one, two, "goes_with", now)
    with pytest.raises(operations.LinkThere):
        link(one, two, "goes_with", now)
    link(one, two, "after", now)
    with pytest.raises(operations.LinkedWithItself):
        link(one, one, "after", now)
    operations.remove_link(link_id=there.pk, now=now, by=BY)
    assert [row.kind for row in ProductLink.objects.all()] == ["after"]


@pytest.mark.django_db(transaction=True)
def test_what_comes_back_or_costs_less_is_written_down_once(product, now):
    lamp, rug = product("lamp"), product("rug")
    anna = someone(now)
    Activity.objects.create(
        kind="added_to_wishlist", customer=anna, product=lamp, occurred_at=now - DAY, recorded_at=now
    )

    def stock(one, place, quantity):
        Stock.objects.update_or_create(product=one, place=place, defaults={"quantity": quantity})
        Stock.objects.filter(product=one, place=place).update(xid=CurrentTransaction())

    def look(days=0):
        settle()
        return operations.watch_products(now=now + days * DAY)

    stock(lamp, "Mitte", 0)
    stock(rug, "Mitte", 3)
    Price.objects.create(product=lamp, price_minor=1000, starts_at=now - 9 * DAY)
    assert look() == 0, "what is seen for the first time is no news"
    stock(lamp, "Nord", 2)
    stock(rug, "Mitte", 5)
    Price.objects.create(product=lamp, price_minor=700, starts_at=now)
    Price.objects.create(product=rug, price_minor=700, starts_at=now)
    settle()
    assert operations.count_news(now=now) == 2
    assert look(1) == 2
    assert look(1) == 0
    assert [(row.product, row.at) for row in Restock.objects.all()] == [(lamp, now + DAY)]
    assert [(row.product, row.before_minor, row.after_minor, row.at) for row in PriceDrop.objects.all()] == [
        (lamp, 1000, 700, now)
    ]
    assert skus(querysets.back_in_stock([anna.pk], now=now + 2 * DAY)[anna.pk]) == [("lamp", "back_in_stock")]
    assert querysets.back_in_stock([anna.pk], now=now + 20 * DAY) == {}
    for place in ("Nord", "Mitte"):
        stock(lamp, place, 0)
    assert look(3) == 0
    assert querysets.back_in_stock([anna.pk], now=now + 3 * DAY) == {}, "sold out again"
    stock(lamp, "Mitte", 1)
    Price.objects.create(product=lamp, price_minor=900, starts_at=now + 3 * DAY)
    assert look(4) == 1
    assert Restock.objects.count() == 2


def test_messages_loop_over_products_with_price_link_and_image(product, buys, now):
    anna, bea = someone(now), someone(now, "bea")
    shoes = product("shoes", url="https://shop.example.com/shoes")
    socks = product("socks", price_minor=1234, compare_at_minor=2000, image_url="https://shop.example.com/s.jpg")
    buys(anna, shoes)
    link(shoes, socks, "goes_with", now)
    deliveries = [
        SimpleNamespace(id=1, customer_id=anna.pk, language="de", context={"occasion": {"sku": "shoes"}}),
        SimpleNamespace(id=2, customer_id=bea.pk, language="en", context={}),
    ]
    found = placeholders.Recommendations.values(deliveries, now=now)
    assert found == {
        1: [{"sku": "socks", "name": "Socks", "price": "12,34\xa0€", "was": "20,00\xa0€", "url": None,
             "image_url": "https://shop.example.com/s.jpg"}],
        2: [],
    }  # fmt: skip
    assert set(found[1][0]) == set(placeholders.SAMPLE)
    looks = placeholders.Look.values(deliveries, now=now)
    assert list(looks) == [1]
    assert looks[1]["cart_url"] == "https://shop.example.com/cart?add=shoes:1,socks:1"
    assert [one["name"] for one in looks[1]["products"]] == ["Shoes", "Socks"]


def test_the_api_suggests_beside_a_product_and_for_a_customer(client, product, buys, now):
    anna = someone(now)
    shoes, polish = product("shoes"), product("polish")
    product("socks")
    buys(anna, shoes)
    wanted = {"recommendations:read", "recommendations:write"}
    secret = create_key(name="shop", scopes=wanted, known=api and scopes, now=now, by=BY).secret
    headers = {"authorization": f"Bearer {secret}"}

    def ask(**query):
        return client.get("/api/v1/recommendations/", query, headers=headers)

    body = {"product": "shoes", "other": "socks", "position": 3}
    told = client.post(
        "/api/v1/product-links/", body, content_type="application/json",
        headers={**headers, "idempotency-key": str(uuid.uuid4())},
    )  # fmt: skip
    assert told.status_code == 200, told.content
    link(shoes, polish, "after", now)
    beside = ask(product="shoes").json()
    assert [(one["sku"], one["why"]) for one in beside["items"]] == [("socks", "goes_with")]
    assert beside["look_cart_url"] == "https://shop.example.com/cart?add=shoes:1,socks:1"
    hers = ask(customer=str(anna.public_id)).json()
    assert [one["sku"] for one in hers["items"]] == ["polish", "socks"]
    assert hers["look_cart_url"] == ""
    both = ask(customer=str(anna.public_id), product="shoes", limit=1).json()
    assert [one["sku"] for one in both["items"]] == ["socks"]
    assert ask(product="none").status_code == 404
    assert ask(product="shoes", limit=0).status_code == 422
    assert ask().json()["items"] == []
