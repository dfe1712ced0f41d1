"""What a basket and its shopper must be for an offer to hold: one small class each, all of them must hold."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from retention import money
from retention.incentives.baskets import Basket, amount_text, amounts_text
from retention.refusals import Refusal, Refused

Currency = Annotated[str, AfterValidator(money.check_currency)]
#: By currency, in minor units.
Amounts = dict[Currency, Annotated[int, Field(gt=0, le=10**12)]]
Sku = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
Category = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=r"[^/]$")]
Tag = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60)]
Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
Channel = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40)]


class Part(BaseModel):
    """A part of a rule: it is exact, cannot change, and knows nothing it was not told to know."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False, str_strip_whitespace=True)


class WrongCurrency(Refused):
    code = "incentives.wrong_currency"
    sentence = gettext_lazy("This offer is not for baskets in %(currency)s.")


class BelowMinimum(Refused):
    code = "incentives.below_minimum"
    sentence = gettext_lazy("The basket is %(missing)s short of the %(minimum)s that this offer begins at.")


class CustomerUnknown(Refused):
    code = "incentives.customer_unknown"
    sentence = gettext_lazy("This offer is for known customers: the customer or her email is missing.")


class NotFirstOrder(Refused):
    code = "incentives.not_first_order"
    sentence = gettext_lazy("This offer is for the first order; the customer has bought %(orders)s times before.")


class ProductMissing(Refused):
    code = "incentives.product_missing"
    sentence = gettext_lazy("The basket has %(found)s of the %(quantity)s products that this offer asks for.")


class CategoryMissing(Refused):
    code = "incentives.category_missing"
    sentence = gettext_lazy("The basket has %(found)s of the %(quantity)s products from %(categories)s.")


class CountryUnknown(Refused):
    code = "incentives.country_unknown"
    sentence = gettext_lazy("This offer holds in some countries only, and the country of delivery is missing.")


class OtherCountry(Refused):
    code = "incentives.other_country"
    sentence = gettext_lazy("This offer does not hold in %(country)s.")


class OtherChannel(Refused):
    code = "incentives.other_channel"
    sentence = gettext_lazy("This offer does not hold in the channel %(channel)s.")


class CartCondition(Part):
    """One condition; `refusal` is None where it holds."""

    #: A refusal that a fuller basket could lift: worth telling as "add 12.00 EUR to get …".
    is_near_miss: ClassVar[bool] = False

    def refusal(self, basket: Basket) -> Refusal | None:
        raise NotImplementedError

    def sentence(self) -> str:
        raise NotImplementedError


class MinimumAmount(CartCondition):
    """The goods, before any discount and without shipping, are worth at least so much."""

    kind: Literal["minimum_amount"] = "minimum_amount"
    amounts: Annotated[Amounts, Field(min_length=1)]
    is_near_miss: ClassVar[bool] = True

    def refusal(self, basket: Basket) -> Refusal | None:
        minimum = self.amounts.get(basket.currency)
        if minimum is None:
            return WrongCurrency(currency=basket.currency).as_refusal()
        missing = minimum - basket.goods_minor
        if missing <= 0:
            return None
        return BelowMinimum(
            missing=amount_text(missing, basket.currency),
            missing_minor=missing,
            minimum=amount_text(minimum, basket.currency),
            minimum_minor=minimum,
            currency=basket.currency,
        ).as_refusal()

    def sentence(self) -> str:
        return _("from %(amounts)s") % {"amounts": amounts_text(self.amounts.items())}


class FirstOrder(CartCondition):
    """The shopper has bought nothing yet; a guest is known by her email."""

    kind: Literal["first_order"] = "first_order"

    def refusal(self, basket: Basket) -> Refusal | None:
        if not basket.shopper.is_known:
            return CustomerUnknown().as_refusal()
        if basket.shopper.orders:
            return NotFirstOrder(orders=basket.shopper.orders).as_refusal()
        return None

    def sentence(self) -> str:
        return _("first order only")


class HasProducts(CartCondition):
    """At least `quantity` units of any of these products are in the basket."""

    kind: Literal["has_products"] = "has_products"
    products: Annotated[tuple[Sku, ...], Field(min_length=1, max_length=500)]
    quantity: Annotated[int, Field(ge=1, le=10_000)] = 1
    is_near_miss: ClassVar[bool] = True

    def refusal(self, basket: Basket) -> Refusal | None:
        found = sum(line.quantity for line in basket.lines if line.sku in self.products)
        if found >= self.quantity:
            return None
        return ProductMissing(products=list(self.products), found=found, quantity=self.quantity).as_refusal()

    def sentence(self) -> str:
        return _("with %(quantity)s of %(products)s") % {
            "quantity": self.quantity,
            "products": some(self.products),
        }


class HasCategories(CartCondition):
    """At least `quantity` units from any of these categories, or those below them, are in the basket."""

    kind: Literal["has_categories"] = "has_categories"
    categories: Annotated[tuple[Category, ...], Field(min_length=1, max_length=100)]
    quantity: Annotated[int, Field(ge=1, le=10_000)] = 1
    is_near_miss: ClassVar[bool] = True

    def refusal(self, basket: Basket) -> Refusal | None:
        found = sum(
            line.quantity for line in basket.lines if any(line.is_in_category(path) for path in self.categories)
        )
        if found >= self.quantity:
            return None
        return CategoryMissing(categories=some(self.categories), found=found, quantity=self.quantity).as_refusal()

    def sentence(self) -> str:
        return _("with %(quantity)s from %(categories)s") % {
            "quantity": self.quantity,
            "categories": some(self.categories),
        }


class InCountries(CartCondition):
    """The delivery address is in one of these countries; an unknown place is outside."""

    kind: Literal["in_countries"] = "in_countries"
    countries: Annotated[tuple[Country, ...], Field(min_length=1, max_length=250)]

    def refusal(self, basket: Basket) -> Refusal | None:
        if not basket.country:
            return CountryUnknown(countries=list(self.countries)).as_refusal()
        if basket.country not in self.countries:
            return OtherCountry(country=basket.country).as_refusal()
        return None

    def sentence(self) -> str:
        return _("delivered to %(countries)s") % {"countries": some(self.countries)}


class InChannels(CartCondition):
    """The order is placed in one of these channels, such as `web` or `app`."""

    kind: Literal["in_channels"] = "in_channels"
    channels: Annotated[tuple[Channel, ...], Field(min_length=1, max_length=20)]

    def refusal(self, basket: Basket) -> Refusal | None:
        if basket.channel in self.channels:
            return None
        return OtherChannel(channel=basket.channel or "?").as_refusal()

    def sentence(self) -> str:
        return _("in %(channels)s") % {"channels": some(self.channels)}


Condition = Annotated[
    MinimumAmount | FirstOrder | HasProducts | HasCategories | InCountries | InChannels, Field(discriminator="kind")
]


def some(words: tuple[Any, ...], most: int = 4) -> str:
    """`A, B, C, D and 12 more`."""
    shown = ", ".join(words[:most])
    return shown if len(words) <= most else _("%(some)s and %(n)s more") % {"some": shown, "n": len(words) - most}
