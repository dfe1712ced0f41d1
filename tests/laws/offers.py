"""Baskets and offers of every kind for laws, drawn so that they meet: few products, prices that make odd cents."""

from hypothesis import strategies as st
from pydantic import TypeAdapter

from retention.incentives.baskets import Basket, Line
from retention.incentives.discounts import Offer, evaluate
from retention.incentives.rules import Effect, IncentiveRule, Stacking

EFFECT = TypeAdapter(Effect)
BEST_DEAL = Stacking()
SKUS = ["a", "b", "c", "d"]
lines = st.builds(
    Line,
    sku=st.sampled_from(SKUS),
    quantity=st.integers(1, 7),
    unit_price_minor=st.integers(0, 5_000),
    category=st.sampled_from(["Shoes", "Shoes/Running", "Hats", ""]),
    tags=st.frozensets(st.sampled_from(["wool", "new"])),
    is_discounted=st.booleans(),
    is_low_margin=st.booleans(),
    minimum_price_minor=st.sampled_from([0, 0, 0, 333, 1_000, 6_000]),
    is_unpriced=st.sampled_from([False, False, False, False, True]),
)
baskets = st.builds(
    Basket,
    currency=st.just("EUR"),
    lines=st.lists(lines, min_size=1, max_size=6).map(tuple),
    shipping_minor=st.integers(0, 900),
)
#: Lines that cost the same tie for the odd cent, which only an order of their own can settle.
tied_baskets = st.builds(
    lambda skus, price, shipping: Basket("EUR", tuple(Line(sku, 1, price, "Shoes") for sku in skus), shipping),
    st.lists(st.sampled_from(SKUS), min_size=2, max_size=5),
    st.sampled_from([99, 333, 1_001]),
    st.integers(0, 900),
)


def parts(**fields):
    """A JSON part out of what is drawn for each field; None leaves the field out."""
    return st.fixed_dictionaries(fields).map(lambda part: {name: at for name, at in part.items() if at is not None})


def euros(least=1, most=9_000):
    return st.integers(least, most).map(lambda minor: {"EUR": minor})


points = st.sampled_from([1, 333, 1_000, 1_250, 2_000, 3_333, 5_000, 9_999, 10_000])
counts = st.integers(1, 4)
maybe = st.none()
exclusions = {
    "without_low_margin": maybe | st.booleans(),
    "without_discounted": maybe | st.booleans(),
    "without_tags": maybe | st.just(["new"]),
}
units = {"units": maybe | counts, "units_each": maybe | counts, "pick": st.sampled_from(["dearest", "cheapest"])}
choices = st.one_of(
    st.fixed_dictionaries({"categories": st.just(["Shoes"])}),
    st.fixed_dictionaries({"products": st.lists(st.sampled_from(SKUS), min_size=1, max_size=3)}),
    st.fixed_dictionaries({"tags": st.just(["wool"]), "price_from": euros(1, 2_000)}),
    st.fixed_dictionaries({"price_to": euros(500, 5_000)}),
)


def goods_scopes(**more):
    order = parts(on=st.just("order"), **exclusions, **more)
    chosen = st.builds(
        lambda rest, choice: {**rest, **choice}, parts(on=st.just("lines"), **exclusions, **more), choices
    )
    return order | chosen


plain_scopes, picking_scopes = goods_scopes(), goods_scopes(**units)
scopes = st.one_of(picking_scopes, picking_scopes, st.just({"on": "shipping"}))
caps = maybe | euros(1, 3_000)
steps = st.builds(
    lambda starts, offs: [
        {"from_amounts": {"EUR": start}, **off} for start, off in zip(sorted(starts), offs, strict=False)
    ],
    st.lists(st.integers(1, 15_000), min_size=1, max_size=3, unique=True),
    st.lists(st.builds(lambda n: {"basis_points": n}, points) | st.builds(lambda n: {"off": n}, euros()), min_size=3),
)
discounts = st.one_of(
    parts(kind=st.just("percent"), basis_points=points, scope=scopes, cap=caps),
    parts(
        kind=st.just("amount"), amounts=euros(), scope=scopes, split=st.sampled_from(["amount", "quantity"]), cap=caps
    ),
    parts(kind=st.just("amount"), amounts=euros(1, 900), scope=picking_scopes, is_per_unit=st.just(True), cap=caps),
    parts(kind=st.just("fixed_price"), amounts=euros(0, 3_000), scope=scopes, is_together=st.booleans(), cap=caps),
    parts(kind=st.just("free_shipping"), cap=caps),
    parts(
        kind=st.just("free_product"),
        products=st.lists(st.sampled_from(SKUS), min_size=1, max_size=2),
        quantity=counts,
        adds=st.sampled_from(["nothing", "missing", "all"]),
    ),
    parts(
        kind=st.just("buy_get"),
        buy_quantity=counts,
        scope=plain_scopes,
        get=maybe | plain_scopes,
        get_quantity=counts,
        basis_points=points,
        most_times=maybe | counts,
        cap=caps,
    ),
    parts(
        kind=st.just("bundle_price"),
        parts=st.lists(parts(scope=plain_scopes, quantity=counts), min_size=1, max_size=3),
        amounts=euros(1, 6_000),
        most_times=maybe | counts,
    ),
    parts(kind=st.just("tiers"), steps=steps, scope=picking_scopes, cap=caps),
)
benefits = st.one_of(
    parts(kind=st.just("cash_back"), basis_points=points, scope=picking_scopes, cap=caps),
    parts(kind=st.just("gift_card"), amounts=euros()),
    parts(kind=st.just("points"), points=counts),
)
conditions = st.one_of(
    parts(
        kind=st.sampled_from(["minimum_amount", "maximum_amount"]),
        amounts=euros(1, 12_000),
        when=st.sampled_from(["initial", "before", "after"]),
        scope=st.just({}) | plain_scopes,
    ),
    parts(kind=st.sampled_from(["minimum_quantity", "maximum_quantity"]), quantity=st.integers(1, 12)),
)
stackings = st.one_of(
    st.just({}),
    parts(kind=st.just("stackable"), priority=st.integers(-2, 2), base=st.sampled_from(["left", "initial"])),
    parts(kind=st.just("groups"), groups=st.lists(st.sampled_from(["x", "y"]), min_size=1, max_size=2)),
    parts(kind=st.just("exclusive"), priority=st.integers(-2, 2)),
)


def unlike(parts):
    return [part for at, part in enumerate(parts) if part not in parts[:at]]


def rule_of(effects, asked=(), stacking=None):
    return IncentiveRule.model_validate(
        {
            "name": "x",
            "effects": unlike([EFFECT.validate_python(effect) for effect in effects]),
            "conditions": asked,
            "stacking": stacking or {},
        }
    )


@st.composite
def _rules(draw):
    effects = draw(st.lists(discounts | discounts | benefits, min_size=1, max_size=3))
    return rule_of(effects, draw(st.lists(conditions, max_size=1)), draw(stackings))


rules = _rules()
policies = st.builds(
    Stacking,
    mode=st.sampled_from(["best_deal", "priority"]),
    most_offers=maybe | st.integers(1, 3),
    ceiling_basis_points=maybe | st.integers(1, 10_000),
    ceiling=st.just({}) | euros(),
)


def offers_of(rules):
    return [Offer(key, rule) for key, rule in enumerate(rules)]


def worth(evaluation):
    """What the shopper has of it in money: what comes off, and what is given in the basket's currency."""
    given = [one.get("amount_minor", 0) for applied in evaluation.applied for one in applied.benefits]
    return evaluation.discount_minor + sum(given)


def worked(rules, basket, policy=BEST_DEAL):
    return evaluate(offers_of(rules), basket, policy)
