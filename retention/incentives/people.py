"""How grants, codes, redemptions and counters are forgotten, merged and exported."""

from typing import ClassVar

from retention.registries import PersonData, people


@people.register
class GrantData(PersonData):
    key = "incentives.grant"
    model = "incentives.Grant"
    #: What was given stays for the limits and the books; it holds no word about her.
    columns: ClassVar = {
        "customer": "keep",
        "source": "keep",
        "origin": "keep",
        "terms": "keep",
        "granted_by": "keep",
    }


@people.register
class CodeData(PersonData):
    key = "incentives.code"
    model = "incentives.Code"
    columns: ClassVar = {"customer": "keep", "code": "keep"}


@people.register
class RedemptionData(PersonData):
    key = "incentives.redemption"
    model = "incentives.Redemption"
    #: The keyed hashes of her email, phone, address and payment name nobody, and keep limits once per person after
    #: she is forgotten.
    columns: ClassVar = {
        "customer": "keep",
        "persons": "keep",
        "source": "keep",
        "hold_source": "keep",
        "request_hash": "keep",
        "order_reference": "keep",
        "currency": "keep",
        "effects": "keep",
    }


@people.register
class UseData(PersonData):
    key = "incentives.use"
    model = "incentives.Use"
    owner = "redemption__customer"
    merging = "stay"  # it follows its redemption
    columns: ClassVar = {"rolling_for": "keep"}


@people.register
class RollbackData(PersonData):
    key = "incentives.rollback"
    model = "incentives.Rollback"
    owner = "redemption__customer"
    merging = "stay"  # it follows its redemption
    columns: ClassVar = {"source": "keep", "reason": "keep", "lines": "keep", "effects": "keep"}


@people.register
class CardData(PersonData):
    key = "incentives.card"
    model = "incentives.GiftCard"
    owner = "code__customer"
    merging = "stay"  # it follows its code
    columns: ClassVar = {"source": "keep", "products": "keep", "categories": "keep"}


@people.register
class TenderData(PersonData):
    key = "incentives.tender"
    model = "incentives.Tender"
    owner = "redemption__customer"
    merging = "stay"
    columns: ClassVar = {"lines": "keep"}


@people.register
class CounterData(PersonData):
    key = "incentives.counter"
    model = "incentives.Counter"
    owner = ""
    merging = "combine"
    #: Of scope "customer" her number, of scope "person" the keyed hash.
    columns: ClassVar = {"subject_id": "keep"}


@people.register
class FulfilmentData(PersonData):
    key = "incentives.fulfilment"
    model = "incentives.Fulfilment"
    owner = "grant__customer"
    #: The note is free words of staff, such as where a parcel went.
    columns: ClassVar = {
        "what": "keep",
        "instructions": "keep",
        "settled_by": "keep",
        "note": "blank",
    }


@people.register
class ShopperTierData(PersonData):
    key = "incentives.shopper_tier"
    model = "incentives.ShopperTier"
    merging = "combine"  # loyalty writes it anew for the survivor's memberships
    columns: ClassVar = {"customer": "keep", "programme": "keep", "tier": "keep"}


@people.register
class TicketData(PersonData):
    key = "incentives.ticket"
    model = "incentives.Ticket"
    owner = "grant__customer"
    columns: ClassVar = {"name": "keep", "checked_in_by": "keep"}
