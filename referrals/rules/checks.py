"""What makes a referral suspicious, as a marketer sets it: each check with its points, or as a hard no.

What strikes is worked out by `referrals.checking`, which asks each of these `struck` of the facts of one referral.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from django.utils.translation import gettext_lazy as _
from pydantic import Field, StringConstraints

from referrals.facts import Facts
from referrals.likeness import is_disposable, is_same_box, likeness
from retention.incentives.parts import Part
from retention.refusals import Refused


class Strike(Refused):
    """Why a referral was found suspicious; its parameters are numbers and words, nothing of a person."""

    status = 422


class SelfReferral(Strike):
    code = "referrals.self_referral"
    sentence = _("The friend is the advocate herself.")


class SamePerson(Strike):
    code = "referrals.same_person"
    sentence = _("The friend and the advocate share %(what)s.")


class ExistingCustomer(Strike):
    code = "referrals.existing_customer"
    sentence = _("The shop knew the friend before she followed the link (orders: %(orders)s, days: %(days)s).")


class SameDevice(Strike):
    code = "referrals.same_device"
    sentence = _("The friend came by a device of the advocate or of another of her friends.")


class SameNetwork(Strike):
    code = "referrals.same_network"
    sentence = _("%(others)s others around this advocate came by the same network.")


class SameAddress(Strike):
    code = "referrals.same_address"
    sentence = _("The friend has the address of the advocate or of another of her friends.")


class SamePayment(Strike):
    code = "referrals.same_payment"
    sentence = _(
        "At a checkout the friend shared a phone, an address or a means of payment with the advocate or another of her"
        " friends."
    )


class SimilarEmail(Strike):
    code = "referrals.similar_email"
    sentence = _("The friend's email is %(percent)s %% like one of the advocate or of another of her friends.")


class DisposableEmail(Strike):
    code = "referrals.disposable_email"
    sentence = _("The friend's email is of a provider of throw-away addresses.")


class TooSoon(Strike):
    code = "referrals.too_soon"
    sentence = _("The friend signed up %(seconds)s seconds after she followed the link.")


class TooMany(Strike):
    code = "referrals.too_many"
    sentence = _("The advocate brought %(count)s friends within %(hours)s hours.")


class ClosedLoop(Strike):
    code = "referrals.closed_loop"
    sentence = _("The friend is among those who brought the advocate, %(steps)s steps back.")


Struck = Strike | None
Domain = Annotated[str, StringConstraints(to_lower=True, pattern=r"^[a-z0-9.-]+\.[a-z]{2,}$", max_length=253)]


class Check(Part):
    """Of a struck check either its points count, or it ends the referral at once."""

    points: Annotated[int, Field(ge=1, le=100)] = 50
    is_hard: bool = False
    label: ClassVar[Any] = ""

    def struck(self, facts: Facts) -> Struck:
        raise NotImplementedError


class SelfCheck(Check):
    """The friend is the advocate, by her row, by the box that her mail reaches, or by her phone."""

    kind: Literal["self"] = "self"
    is_hard: bool = True
    label: ClassVar = _("Refers herself")

    def struck(self, facts: Facts) -> Struck:
        if facts.is_self:
            return SelfReferral()
        if facts.friend.phone and facts.friend.phone == facts.advocate.phone:
            return SamePerson(what="phone")
        if is_same_box(facts.friend.email, facts.advocate.email):
            return SamePerson(what="email")
        return None


class ExistingCheck(Check):
    """The friend had ordered, or had been known for longer than a sign-up takes, before she followed the link."""

    kind: Literal["existing"] = "existing"
    is_hard: bool = True
    #: Who signed up without an order so long before is still new.
    known_days: Annotated[int, Field(ge=0, le=3650)] = 1
    label: ClassVar = _("Is a customer already")

    def struck(self, facts: Facts) -> Struck:
        days = facts.friend_known_days
        if facts.orders_before or days > self.known_days:
            return ExistingCustomer(orders=facts.orders_before, days=days)
        return None


class DeviceCheck(Check):
    kind: Literal["device"] = "device"
    points: Annotated[int, Field(ge=1, le=100)] = 60
    label: ClassVar = _("Same device")

    def struck(self, facts: Facts) -> Struck:
        return SameDevice() if facts.devices & facts.other_devices else None


class NetworkCheck(Check):
    """A network is shared by a household, an office or a mobile provider: a few are no sign of anything."""

    kind: Literal["network"] = "network"
    points: Annotated[int, Field(ge=1, le=100)] = 20
    most: Annotated[int, Field(ge=0, le=1000)] = 2
    label: ClassVar = _("Same network")

    def struck(self, facts: Facts) -> Struck:
        others = sum(facts.other_networks.get(network, 0) for network in facts.networks)
        return SameNetwork(others=others) if others > self.most else None


class AddressCheck(Check):
    kind: Literal["address"] = "address"
    points: Annotated[int, Field(ge=1, le=100)] = 40
    label: ClassVar = _("Same address")

    def struck(self, facts: Facts) -> Struck:
        return SameAddress() if facts.friend.addresses & facts.other_addresses else None


class PaymentCheck(Check):
    """By what checkouts told of who buys (phone, address, payment token), of which keyed hashes are kept."""

    kind: Literal["payment"] = "payment"
    points: Annotated[int, Field(ge=1, le=100)] = 80
    label: ClassVar = _("Same person at the checkout")

    def struck(self, facts: Facts) -> Struck:
        return SamePayment() if facts.friend.persons & facts.other_persons else None


class EmailCheck(Check):
    """`anna+1@` and `a.n.n.a@` are `anna@`; `anna1@` and `anna2@` of one provider are nearly so."""

    kind: Literal["email"] = "email"
    percent: Annotated[int, Field(ge=50, le=100)] = 85
    label: ClassVar = _("Similar email")

    def struck(self, facts: Facts) -> Struck:
        closest = max((likeness(facts.friend.email, other) for other in facts.other_emails), default=0)
        return SimilarEmail(percent=closest) if closest >= self.percent else None


class DisposableCheck(Check):
    """By the list that comes with the program, and by the domains that the shop adds to it."""

    kind: Literal["disposable"] = "disposable"
    domains: Annotated[tuple[Domain, ...], Field(max_length=1000)] = ()
    label: ClassVar = _("Throw-away email")

    def struck(self, facts: Facts) -> Struck:
        return DisposableEmail() if is_disposable(facts.friend.email, frozenset(self.domains)) else None


class SpeedCheck(Check):
    """Too soon after the link for a person, or too many friends of one advocate in a short while."""

    kind: Literal["speed"] = "speed"
    points: Annotated[int, Field(ge=1, le=100)] = 30
    least_seconds: Annotated[int, Field(ge=0, le=86_400)] = 5
    most: Annotated[int, Field(ge=1, le=100_000)] = 10
    hours: Annotated[int, Field(ge=1, le=720)] = 24
    label: ClassVar = _("Too fast")

    def struck(self, facts: Facts) -> Struck:
        if facts.seconds_since_visit is not None and facts.seconds_since_visit < self.least_seconds:
            return TooSoon(seconds=facts.seconds_since_visit)
        count = facts.friends_within(self.hours)
        return TooMany(count=count, hours=self.hours) if count > self.most else None


class LoopCheck(Check):
    """A brought B, B brought C, and now C brings A: each is the other's friend, and none is new."""

    kind: Literal["loop"] = "loop"
    points: Annotated[int, Field(ge=1, le=100)] = 100
    length: Annotated[int, Field(ge=2, le=10)] = 6
    label: ClassVar = _("Closed loop")

    def struck(self, facts: Facts) -> Struck:
        steps = facts.steps_back
        return ClosedLoop(steps=steps) if steps is not None and steps < self.length else None


AnyCheck = Annotated[
    SelfCheck
    | ExistingCheck
    | DeviceCheck
    | NetworkCheck
    | AddressCheck
    | PaymentCheck
    | EmailCheck
    | DisposableCheck
    | SpeedCheck
    | LoopCheck,
    Field(discriminator="kind"),
]

#: What a new scheme begins with: all of them, as they are.
USUAL: tuple[AnyCheck, ...] = (
    SelfCheck(),
    ExistingCheck(),
    DeviceCheck(),
    NetworkCheck(),
    AddressCheck(),
    PaymentCheck(),
    EmailCheck(),
    DisposableCheck(),
    SpeedCheck(),
    LoopCheck(),
)
