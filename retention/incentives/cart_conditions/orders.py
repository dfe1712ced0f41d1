"""Conditions on the order around the goods: where it goes, where it is placed, how it is paid, when, its attributes."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from django.utils.dates import WEEKDAYS_ABBR
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from pydantic import Field, StrictBool, StrictFloat, StrictInt, StrictStr, StringConstraints, model_validator

from retention.incentives.cart_conditions.base import CartCondition
from retention.incentives.carts import Cart
from retention.incentives.parts import Currency, Part, Word, WrongCurrency, some
from retention.refusals import Refusal, Refused

Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
Channel = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40)]


class CountryUnknown(Refused):
    code = "incentives.country_unknown"
    sentence = gettext_lazy("This offer holds in some countries only, and the country of delivery is missing.")


class OtherCountry(Refused):
    code = "incentives.other_country"
    sentence = gettext_lazy("This offer does not hold in %(country)s.")


class OtherRegion(Refused):
    code = "incentives.other_region"
    sentence = gettext_lazy("This offer does not hold in the region %(region)s.")


class OtherChannel(Refused):
    code = "incentives.other_channel"
    sentence = gettext_lazy("This offer does not hold in the channel %(channel)s.")


class OtherStore(Refused):
    code = "incentives.other_store"
    sentence = gettext_lazy("This offer does not hold in the store %(store)s.")


class OtherPaymentMethod(Refused):
    code = "incentives.other_payment_method"
    sentence = gettext_lazy("This offer is for other ways to pay than %(payment_method)s.")


class OtherTime(Refused):
    code = "incentives.other_time"
    sentence = gettext_lazy("This offer holds at other times: %(times)s.")


class OtherAttribute(Refused):
    code = "incentives.other_attribute"
    sentence = gettext_lazy("This offer is not for orders whose %(name)s is %(value)s.")


class InCountries(CartCondition):
    """The delivery address is in one of these countries; an unknown place is outside."""

    kind: Literal["in_countries"] = "in_countries"
    countries: Annotated[tuple[Country, ...], Field(min_length=1, max_length=250)]

    def refusal(self, cart: Cart) -> Refusal | None:
        country = cart.basket.country
        if not country:
            return CountryUnknown(countries=list(self.countries)).as_refusal()
        return None if country in self.countries else OtherCountry(country=country).as_refusal()

    def sentence(self) -> str:
        return _("delivered to %(countries)s") % {"countries": some(self.countries)}


class InRegions(CartCondition):
    """The delivery address is in one of these regions, as the shop writes them; capitals do not matter."""

    kind: Literal["in_regions"] = "in_regions"
    regions: Annotated[tuple[Word, ...], Field(min_length=1, max_length=250)]

    def refusal(self, cart: Cart) -> Refusal | None:
        region = cart.basket.region
        if region and region.casefold() in [one.casefold() for one in self.regions]:
            return None
        return OtherRegion(region=region or "?").as_refusal()

    def sentence(self) -> str:
        return _("delivered to %(regions)s") % {"regions": some(self.regions)}


class InChannels(CartCondition):
    """The order is placed in one of these channels, such as `web` or `app`."""

    kind: Literal["in_channels"] = "in_channels"
    channels: Annotated[tuple[Channel, ...], Field(min_length=1, max_length=20)]

    def refusal(self, cart: Cart) -> Refusal | None:
        channel = cart.basket.channel
        return None if channel in self.channels else OtherChannel(channel=channel or "?").as_refusal()

    def sentence(self) -> str:
        return _("in %(channels)s") % {"channels": some(self.channels)}


class InStores(CartCondition):
    """The order is placed in one of these stores."""

    kind: Literal["in_stores"] = "in_stores"
    stores: Annotated[tuple[Word, ...], Field(min_length=1, max_length=500)]

    def refusal(self, cart: Cart) -> Refusal | None:
        store = cart.basket.store
        return None if store in self.stores else OtherStore(store=store or "?").as_refusal()

    def sentence(self) -> str:
        return _("in the stores %(stores)s") % {"stores": some(self.stores)}


class InCurrencies(CartCondition):
    """The basket is in one of these currencies."""

    kind: Literal["in_currencies"] = "in_currencies"
    names: Annotated[tuple[Currency, ...], Field(min_length=1, max_length=200)]

    def refusal(self, cart: Cart) -> Refusal | None:
        currency = cart.basket.currency
        return None if currency in self.names else WrongCurrency(currency=currency).as_refusal()

    def sentence(self) -> str:
        return _("paid in %(currencies)s") % {"currencies": some(self.names)}


class PaidBy(CartCondition):
    """The order is paid in one of these ways, as the shop names them."""

    kind: Literal["paid_by"] = "paid_by"
    methods: Annotated[tuple[Word, ...], Field(min_length=1, max_length=50)]

    def refusal(self, cart: Cart) -> Refusal | None:
        method = cart.basket.payment_method
        return None if method in self.methods else OtherPaymentMethod(payment_method=method or "?").as_refusal()

    def sentence(self) -> str:
        return _("paid by %(methods)s") % {"methods": some(self.methods)}


class Window(Part):
    """Some hours of some days by the shop's clock, every day where none is named.

    `starts` is in it, `ends` is not; hours that end before they start run past midnight and belong to the day on which
    they began. The same hour twice is the whole day.
    """

    #: 1 is Monday, 7 Sunday.
    weekdays: Annotated[tuple[Annotated[int, Field(ge=1, le=7)], ...], Field(max_length=7)] = ()
    starts: dt.time = dt.time(0)
    ends: dt.time = dt.time(0)

    @model_validator(mode="after")
    def is_by_the_shops_clock(self) -> Window:
        if self.starts.tzinfo or self.ends.tzinfo:
            raise ValueError("hours are by the shop's clock, without a zone")
        return self

    def holds(self, at: dt.datetime) -> bool:
        time, day = at.time(), at.isoweekday()
        if self.starts < self.ends:
            return self.starts <= time < self.ends and self._is_on(day)
        if time >= self.starts:
            return self._is_on(day)
        return time < self.ends and self._is_on((day - 2) % 7 + 1)

    def _is_on(self, day: int) -> bool:
        return not self.weekdays or day in self.weekdays

    def sentence(self) -> str:
        days = ", ".join(str(WEEKDAYS_ABBR[day - 1]) for day in sorted(self.weekdays))
        hours = f"{self.starts:%H:%M}–{self.ends:%H:%M}" if self.starts != self.ends else ""
        return " ".join(filter(None, [days, hours])) or _("every day")


class AtTimes(CartCondition):
    """The order is placed in one of these windows; a moment that nobody told is outside."""

    kind: Literal["at_times"] = "at_times"
    windows: Annotated[tuple[Window, ...], Field(min_length=1, max_length=20)]

    def refusal(self, cart: Cart) -> Refusal | None:
        at = cart.basket.at
        if at is not None and any(window.holds(at) for window in self.windows):
            return None
        return OtherTime(times=self.sentence()).as_refusal()

    def sentence(self) -> str:
        return "; ".join(window.sentence() for window in self.windows)


class HasAttribute(CartCondition):
    """An attribute of the order is one of these values, or a number from `least` to `most`, both included."""

    kind: Literal["has_attribute"] = "has_attribute"
    name: Word
    values: Annotated[tuple[StrictBool | StrictInt | StrictFloat | StrictStr, ...], Field(max_length=100)] = ()
    least: float | None = None
    most: float | None = None

    @model_validator(mode="after")
    def asks_one_thing(self) -> HasAttribute:
        if bool(self.values) == (self.least is not None or self.most is not None):
            raise ValueError("name either values or a lowest and highest number")
        return self

    def refusal(self, cart: Cart) -> Refusal | None:
        value = cart.basket.attributes.get(self.name)
        if value is not None and (self._is_one(value) if self.values else self._is_between(value)):
            return None
        return OtherAttribute(name=self.name, value="?" if value is None else value).as_refusal()

    def _is_one(self, value: Any) -> bool:
        # Python takes True for 1; an order does not.
        return any(value == one and isinstance(value, bool) == isinstance(one, bool) for one in self.values)

    def _is_between(self, value: Any) -> bool:
        if isinstance(value, (bool, str)):
            return False
        return (self.least is None or value >= self.least) and (self.most is None or value <= self.most)

    def sentence(self) -> str:
        if self.values:
            return _("%(name)s is %(values)s") % {"name": self.name, "values": some(self.values)}
        ends = [_("from %(n)s") % {"n": f"{self.least:g}"}] if self.least is not None else []
        ends += [_("up to %(n)s") % {"n": f"{self.most:g}"}] if self.most is not None else []
        return f"{self.name} {' '.join(ends)}"
