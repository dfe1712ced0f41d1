"""What a coupon leaves out is said under it, before a till refuses it."""

import pytest

from retention.incentives import operations
from retention.incentives.rules import IncentiveRule
from retention.messaging.offers import small_print
from retention.messaging.operations import ensure_ready_template

#: What the offer leaves out → what the reader is told, in English.
TABLE = [
    ({}, {}, ""),
    ({"without_discounted": True}, {}, "Not for items on sale."),
    ({"without_low_margin": True}, {}, "Not for some products."),
    ({"without_products": ["MUG-1"], "without_low_margin": True}, {}, "Not for some products."),
    (
        {"without_categories": ["Books"], "without_tags": ["gift"], "without_discounted": True},
        {"stacking": {"kind": "exclusive"}},
        "Not for Books, gift, items on sale. Not together with other offers.",
    ),
    ({"on": "lines", "categories": ["Music"], "without_tags": ["new"]}, {}, "Not for new."),
]


def rule(scope, **more) -> IncentiveRule:
    effects = [{"kind": "percent", "basis_points": 1000, "scope": scope}]
    return IncentiveRule.model_validate({"name": "Ten", "effects": effects, **more})


@pytest.mark.parametrize(("scope", "more", "said"), TABLE)
def test_what_is_left_out_is_said(scope, more, said):
    assert small_print(rule(scope, **more), {}, "en") == said


def test_it_is_said_once_and_in_her_language():
    twice = rule({"without_categories": ["Books"]})
    effects = [*twice.model_dump()["effects"], {"kind": "free_shipping"}, {
        "kind": "amount", "amounts": {"EUR": 500},
        "scope": {"without_categories": ["Books"], "without_discounted": True},
    }]  # fmt: skip
    many = IncentiveRule.model_validate({"name": "Ten", "effects": effects, "stacking": {"kind": "exclusive"}})
    assert small_print(many, {}, "en-GB") == "Not for Books, items on sale. Not together with other offers."
    assert small_print(many, {}, "ko") == "Books, 할인 상품 제외. 다른 혜택과 함께 사용할 수 없습니다."
    russian = "Не действует на: Books, товары со скидкой. Не суммируется с другими предложениями."
    assert small_print(many, {}, "ru") == russian


@pytest.mark.django_db
def test_the_ready_mail_says_it_under_the_code(say, send, customer, smtp, now, by):
    anna = customer("anna")
    made = operations.create_incentive(rule=rule({"without_discounted": True}), now=now, by=by)
    operations.go_live(incentive_id=made.pk, now=now, by=by)
    whom = {"sources": ["s"], "customer_ids": [anna.pk], "origin": "test.row", "origin_ids": [anna.pk]}
    granted = operations.grant(incentive_id=made.pk, now=now, by=by, **whom)
    ready = ensure_ready_template(key="broadcast", now=now, by=by)
    say(anna, template_=ready, grants={anna.pk: granted.grants["s"]})
    send()
    read = smtp.messages[0].text("plain")
    assert read.index("10% off") < read.index("Not for items on sale.")
