"""The builder's catalogue follows the classes; what it sends is said as a sentence, or refused at its place."""

import datetime as dt
import json

import pytest
from django.utils import timezone

from retention.customers.models import Product
from retention.incentives.examples import example_of
from retention.incentives.forms import RULE, words
from retention.incentives.forms.catalogue import fields_of
from retention.incentives.rules import IncentiveRule
from retention.shop.models import Staff

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]
SAY, SUGGEST = "/admin/incentives/incentive/builder/say/", "/admin/incentives/incentive/builder/suggest/"
KINDS = {
    "text", "number", "percent", "switch", "choice", "words", "instant", "time", "money", "amounts", "part", "one_of",
    "many",
}  # fmt: skip


def walk(fields):
    for field in fields:
        yield field
        inside = [field, field.get("item", {}), *field.get("variants", ()), *field.get("item", {}).get("variants", ())]
        for part in inside:
            yield from walk(part.get("fields", ()))


def test_every_field_of_every_part_can_be_drawn():
    fields = list(walk(fields_of(IncentiveRule)))
    assert {field["kind"] for field in fields} <= KINDS
    assert all(field["label"] for field in fields)
    # Whatever is of a type that nobody thought of would be asked as a text.
    texts = {"banner", "name", "pattern", "text", "unit", "instructions"}
    assert {field["name"] for field in fields if field["kind"] == "text"} == texts
    # What shows a field is a field beside it, with values that it can have.
    for part in parts(fields_of(IncentiveRule)):
        beside = {field["name"]: field for field in part}
        for field in part:
            if "shown_if" in field:
                other, values = field["shown_if"]
                choices = {key for key, _label in beside[other].get("choices", ())} or {True, False, None}
                assert set(values) <= choices, field["name"]


def parts(fields):
    yield fields
    for field in fields:
        inside = [field, field.get("item", {}), *field.get("variants", ()), *field.get("item", {}).get("variants", ())]
        for part in inside:
            if part.get("fields"):
                yield from parts(part["fields"])


def test_every_kind_has_words_of_its_own():
    fields = {field["name"]: field for field in fields_of(IncentiveRule)}
    kinds = [one["kind"] for name in ("effects", "conditions") for one in fields[name]["item"]["variants"]]
    kinds += [one["kind"] for one in fields["codes"]["variants"]]
    assert [kind for kind in kinds if kind not in words.KINDS] == []


def test_times_are_the_shops_on_the_way_in_and_out():
    with timezone.override("Europe/Berlin"):
        said = {"name": "x", "effects": [{"kind": "free_shipping"}], "validity": {"starts_at": "2026-07-01T00:00"}}
        rule = RULE.read(said)
        assert rule.validity.starts_at == dt.datetime(2026, 6, 30, 22, tzinfo=dt.UTC)
        assert RULE.typed(rule)["validity"]["starts_at"] == "2026-07-01T00:00"
    assert said["validity"]["starts_at"] == "2026-07-01T00:00", "what was sent stays as it was"


@pytest.fixture
def ask(client):
    client.force_login(Staff.objects.create_superuser("root", "root@example.com", "x"))

    def post(rule):
        return client.post(SAY, json.dumps({"rule": rule}), content_type="application/json")

    return post


def rule(**changes):
    return {
        "name": "x",
        "effects": [{"kind": "percent", "basis_points": 2000}],
        "codes": {"kind": "public", "text": "SALE"},
        **changes,
    }


WRONG = [
    (rule(name=" "), "/name", "Fill this in."),
    (rule(effects=[]), "/effects", "Fill this in."),
    (rule(effects=[{"kind": "percent"}]), "/effects/0/basis_points", "Fill this in."),
    (rule(effects=[{"kind": "percent", "basis_points": 10001}]), "/effects/0/basis_points", "At most 10000."),
    (rule(effects=[{"kind": "percent", "basis_points": "x"}]), "/effects/0/basis_points", "Enter a number."),
    (rule(effects=[{"kind": "magic"}]), "/effects/0", "Choose one of these."),
    (rule(effects=[{"kind": "amount", "amounts": {"EUR": "12,3x"}}]), "/effects/0/amounts/EUR", "Enter a number."),
    (rule(effects=[{"kind": "percent", "basis_points": 5, "scope": {"on": "lines"}}]), "/effects/0/scope", None),
    (rule(conditions=[{"kind": "minimum_amount", "amounts": {}}]), "/conditions/0/amounts", "Fill this in."),
    (rule(codes={"kind": "public", "text": "x"}), "/codes/text", None),
    (rule(limits={"total": 0}), "/limits/total", "At least 1."),
    (rule(validity={"starts_at": "2026-05-02T00:00", "ends_at": "2026-05-01T00:00"}), "/validity", None),
]


@pytest.mark.parametrize(("said", "place", "message"), WRONG, ids=[place + (said or "") for _r, place, said in WRONG])
def test_what_is_wrong_is_said_at_its_place(ask, said, place, message):
    answer = ask(said).json()
    assert list(answer) == ["errors"]
    assert list(answer["errors"]) == [place]
    if message:
        assert answer["errors"][place] == [message]


def test_a_good_rule_is_said_with_an_example(ask, now):
    for sku, price, least in (("SH", 9990, 9500), ("TS", 2490, 0)):
        Product.objects.create(
            sku=sku, name=sku, category=f"All/{sku}", price_minor=price, minimum_price_minor=least, currency="EUR",
            recorded_at=now,
        )  # fmt: skip
    chosen = {"kind": "percent", "basis_points": 2000, "scope": {"on": "lines", "categories": ["All/TS"]}}
    answer = ask(rule(effects=[chosen])).json()
    assert answer["sentence"] == "20 % off All/TS"
    shown = " ".join(answer["example"].split())
    # 2 of TS at 24.90, 20 % of 49.80 is 9.96; SH is not meant.
    assert "−9.96" in shown
    assert "39.84" in shown
    example = example_of(IncentiveRule.model_validate(rule(effects=[{**chosen, "scope": {}}])))
    taken = {line["sku"]: line["discount_minor"] for line in example["lines"]}
    # The shoe may not cost less than 95.00.
    assert taken == {"SH": 980, "TS": 498}


def test_the_example_buys_until_something_is_given(ask, now):
    assert ask(rule()).json()["example"] == "", "an empty catalogue shows none"
    Product.objects.create(sku="A", name="A", price_minor=1000, currency="EUR", recorded_at=now)
    answer = ask(rule(conditions=[{"kind": "minimum_amount", "amounts": {"EUR": 90000}}])).json()
    assert "−4.00" in answer["example"], "conditions say for whom, the example says how much"


@pytest.mark.parametrize("body", ["", "[]", "{", '{"rule": []}', "[" * 100_000, '"' + "x" * 300_000 + '"'])
def test_what_the_builder_never_sends_is_refused(ask, client, body):
    ask(rule())
    assert client.post(SAY, body, content_type="application/json").status_code == 400
    assert client.get(SAY).status_code == 405


def test_known_values_are_offered(ask, client, now):
    ask(rule())
    Product.objects.create(
        sku="A%",
        name="A",
        category="Shoes/Trail",
        tags=["summer", "sun%"],
        price_minor=1,
        currency="EUR",
        recorded_at=now,
    )

    def offered(source, typed):
        return [key for key, _label in client.get(SUGGEST, {"source": source, "q": typed}).json()["pairs"]]

    assert offered("tags", "su") == ["summer", "sun%"]
    assert offered("tags", "%") == []
    assert offered("categories", "trail") == ["Shoes/Trail"]
    assert offered("products", "a") == ["A%"]
    assert offered("nonsense", "a") == []


def test_who_may_not_see_incentives_asks_nothing(client):
    client.force_login(Staff.objects.create(username="nobody", is_staff=True))
    assert client.post(SAY, "{}", content_type="application/json").status_code == 403
    assert client.get(SUGGEST).status_code == 403
