"""How advocates, visits, referrals and partners are forgotten, merged and exported."""

from typing import ClassVar

from retention.registries import PersonData, people


@people.register
class AdvocateData(PersonData):
    key = "referrals.advocate"
    model = "referrals.Advocate"
    merging = "combine"  # a survivor with a link of her own in the scheme keeps that one
    #: The code is of letters that say nothing; it stays, so that it never becomes somebody else's.
    columns: ClassVar = {"customer": "keep", "code": "keep", "device": "blank", "network": "blank"}


@people.register
class ReferralData(PersonData):
    key = "referrals.referral"
    model = "referrals.Referral"
    owner = "friend"
    merging = "combine"  # a friend counts once a scheme
    columns: ClassVar = {"friend": "keep", "source": "keep", "reasons": "keep"}


@people.register
class VisitData(PersonData):
    """Of visitors not known yet; who becomes known leads there by her referral."""

    key = "referrals.visit"
    model = "referrals.Visit"
    owner = ""
    columns: ClassVar = {"visitor_key": "blank", "channel": "keep", "device": "blank", "network": "blank"}


@people.register
class PartnerData(PersonData):
    """Partners are no customers: they are forgotten by hand, once nothing is owed to them."""

    key = "referrals.partner"
    model = "referrals.Partner"
    owner = ""
    columns: ClassVar = {
        "name": "blank",
        "email": "blank",
        "payee": "blank",
        "iban": "blank",
        "tax_number": "blank",
        "reference": "keep",
        "currency": "keep",
    }
