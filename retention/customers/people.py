"""How customers and their facts are forgotten, merged and exported."""

from typing import ClassVar

from retention.registries import PersonData, people


@people.register
class CustomerData(PersonData):
    key = "customers.customer"
    model = "customers.Customer"
    owner = "self"
    merging = "stay"  # as a tombstone that points to the survivor
    #: The row stays as a blank, so that sums, cohorts and limits stay true; what names or describes her goes.
    columns: ClassVar = {
        "merged_into": "keep",
        "public_id": "keep",
        "reference": "blank",
        "email": "blank",
        "phone": "blank",
        "given_name": "blank",
        "family_name": "blank",
        "birth_year": "blank",
        "birth_month": "blank",
        "birth_day": "blank",
        "address": "blank",
        "postcode": "blank",
        "city": "blank",
        "region": "blank",
        "country": "keep",  # of a blank row, one among millions
        "language": "blank",
        "time_zone": "blank",
        "interests": "blank",
        "source": "keep",
        "acquisition_currency": "keep",
        "attributes": "blank",
        "signed_up_at": "keep",
    }


@people.register
class ConsentData(PersonData):
    key = "customers.consent"
    model = "customers.Consent"
    merging = "stay"  # append-only: the survivor's state takes the stricter of the two
    #: The proof that we were allowed to write outlives her by number and keyed hash; it holds no word of hers.
    columns: ClassVar = {
        "customer": "keep",
        "purpose": "keep",
        "address_hash": "keep",
        "source": "keep",
        "wording": "keep",
        "reference": "keep",
    }


@people.register
class ConsentProofData(PersonData):
    key = "customers.consent_proof"
    model = "customers.ConsentProof"
    owner = "consent__customer"
    merging = "stay"
    columns: ClassVar = {"text": "scrub"}


@people.register
class ConsentStateData(PersonData):
    key = "customers.consent_state"
    model = "customers.ConsentState"
    merging = "combine"  # the stricter one wins
    columns: ClassVar = {"customer": "keep", "purpose": "keep", "address": "blank"}


@people.register
class OrderData(PersonData):
    key = "customers.order"
    model = "customers.Order"
    #: The books keep the order; where it went and to whose address goes.
    columns: ClassVar = {
        "customer": "keep",
        "reference": "keep",
        "email": "blank",
        "currency": "keep",
        "channel": "keep",
        "store": "keep",
        "payment_method": "keep",
        "address": "blank",
        "city": "blank",
        "region": "blank",
        "postcode": "blank",
        "country": "keep",
        "codes": "keep",
    }


@people.register
class ReturnData(PersonData):
    key = "customers.return"
    model = "customers.Return"
    owner = "order__customer"
    merging = "stay"  # it follows its order
    columns: ClassVar = {"reference": "keep", "reason": "keep"}


@people.register
class ActivityData(PersonData):
    key = "customers.activity"
    model = "customers.Activity"
    #: Properties may hold what she wrote: a review, a complaint, a search.
    columns: ClassVar = {
        "customer": "keep",
        "kind": "keep",
        "reference": "blank",
        "visitor_key": "blank",
        "properties": "scrub",
    }


@people.register
class KnownVisitorData(PersonData):
    key = "customers.known_visitor"
    model = "customers.KnownVisitor"
    #: With the key goes the way from her browser to her; her activities lose it too.
    columns: ClassVar = {"customer": "keep", "visitor_key": "blank"}


@people.register
class StatsData(PersonData):
    key = "customers.stats"
    model = "customers.CustomerStats"
    merging = "combine"  # recomputed from the orders that moved
    columns: ClassVar = {"customer": "keep", "favourite_category": "keep"}


@people.register
class CustomerStageData(PersonData):
    key = "customers.customer_stage"
    model = "customers.CustomerStage"
    merging = "combine"  # recomputed: a merged or erased customer is in no stage
    columns: ClassVar = {"customer": "keep"}


@people.register
class StageChangeData(PersonData):
    key = "customers.stage_change"
    model = "customers.StageChange"
    merging = "stay"
    columns: ClassVar = {"customer": "keep"}


@people.register
class RfmData(PersonData):
    key = "customers.rfm"
    model = "customers.Rfm"
    merging = "combine"  # recomputed from the survivor's statistics
    columns: ClassVar = {"customer": "keep", "group": "keep", "previous_group": "keep"}


@people.register
class RfmChangeData(PersonData):
    key = "customers.rfm_change"
    model = "customers.RfmChange"
    merging = "stay"
    columns: ClassVar = {"customer": "keep", "before": "keep", "after": "keep"}


@people.register
class UploadData(PersonData):
    """Files name many people; they go whole, a while after the import ended."""

    key = "work.import"
    model = "work.Import"
    owner = ""
    merging = "stay"
    columns: ClassVar = {"file": "blank", "errors": "blank", "file_name": "keep", "error": "keep"}


@people.register
class AnswerData(PersonData):
    """Kept answers of the API may repeat what was sent; they go by age, within weeks."""

    key = "doors.idempotent_answer"
    model = "doors.IdempotentAnswer"
    owner = ""
    merging = "stay"
    columns: ClassVar = {"body": "scrub"}


@people.register
class AuditData(PersonData):
    key = "audit.entry"
    model = "audit.AuditEntry"
    owner = ""
    merging = "stay"
    #: Append-only; by number alone, and names of fields instead of what they held.
    columns: ClassVar = {"customer_id": "keep", "before": "keep", "after": "keep"}
