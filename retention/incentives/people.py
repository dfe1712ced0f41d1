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
    #: The keyed hash of her email names nobody and keeps limits once per person after she is forgotten.
    columns: ClassVar = {
        "customer": "keep",
        "email_key": "keep",
        "source": "keep",
        "request_hash": "keep",
        "order_reference": "keep",
        "currency": "keep",
        "effects": "keep",
        "rollback_source": "keep",
        "rollback_reason": "keep",
    }


@people.register
class CounterData(PersonData):
    key = "incentives.counter"
    model = "incentives.Counter"
    owner = ""
    merging = "combine"
    #: Of scope "customer" her number, of scope "email" the keyed hash.
    columns: ClassVar = {"subject_id": "keep"}
