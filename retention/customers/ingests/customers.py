"""Customers in bulk: matched by reference, else by normalised email; a sign-up adopts the guest of its email."""

from django.utils.translation import gettext_lazy as _

from retention.customers.addresses import normal_phone
from retention.customers.models.people import AttributeDefinition, Channel
from retention.customers.operations.visitors import join_visitors
from retention.registries import ingests
from retention.work.ingest.columns import (
    Birthday,
    Choice,
    Column,
    Country,
    Currency,
    Document,
    Email,
    Flag,
    Instant,
    Language,
    Money,
    Phone,
    Whole,
    Words,
    Zone,
)
from retention.work.ingest.kinds import Kind, repeated
from retention.work.ingest.load import Counts, Load

#: Taken by loads of many that may insert customers: these have two unique keys (reference and email), and rows in the
#: order of one of them could deadlock over the other. A single row needs no lock: it holds nothing while it waits.
LOCK = "SELECT pg_advisory_xact_lock(hashtext('retention.customers'))"
NORMAL = "lower(btrim({name}))"

#: An attribute's cell as JSON: {"value": …, "how": …} or the bare value, which was imported.
_VALUE = "CASE WHEN jsonb_typeof(a.value) = 'object' THEN a.value -> 'value' ELSE a.value END"
_HOW = "CASE WHEN jsonb_typeof(a.value) = 'object' THEN a.value ->> 'how' ELSE 'imported' END"
_TEXT = f"(({_VALUE}) #>> '{{}}')"
_ATTRIBUTE_CODE = f"""CASE
    WHEN d.key IS NULL THEN 'undeclared_attribute'
    WHEN jsonb_typeof(a.value) = 'object' AND (NOT a.value ? 'value'
        OR coalesce(a.value ->> 'how', '') NOT IN ('asked', 'imported', 'inferred')) THEN 'not_an_attribute'
    WHEN coalesce(jsonb_typeof({_VALUE}), 'null') = 'null' THEN NULL
    WHEN jsonb_typeof({_VALUE}) IN ('array', 'object') THEN 'not_an_attribute'
    WHEN d.kind = 'number' AND {_TEXT} !~ '^-?[0-9]{{1,15}}(\\.[0-9]{{1,9}})?$' THEN 'not_a_number'
    WHEN d.kind = 'yes/no' AND lower({_TEXT}) NOT IN ('true', 'false', 'yes', 'no', '1', '0') THEN 'not_yes_or_no'
    WHEN d.kind = 'date' AND NOT ({_TEXT} ~ '^\\d{{4}}-\\d{{2}}-\\d{{2}}$' AND pg_input_is_valid({_TEXT}, 'date'))
        THEN 'not_a_date'
    WHEN d.kind = 'choice' AND NOT {_TEXT} = ANY(d.choices) THEN 'not_among_choices'
    WHEN length({_TEXT}) > 1000 THEN 'attribute_too_long'
    END"""
_ATTRIBUTE_VALUE = f"""CASE
    WHEN coalesce(jsonb_typeof({_VALUE}), 'null') = 'null' AND {_HOW} = 'asked' THEN '{{"how": "asked"}}'::jsonb
    WHEN coalesce(jsonb_typeof({_VALUE}), 'null') = 'null' THEN 'null'::jsonb
    ELSE jsonb_build_object('value', CASE d.kind
        WHEN 'number' THEN to_jsonb({_TEXT}::numeric)
        WHEN 'yes/no' THEN to_jsonb(lower({_TEXT}) IN ('true', 'yes', '1'))
        ELSE to_jsonb({_TEXT}) END, 'how', {_HOW})
    END"""


class Attributes(Document):
    """Custom attributes: merged key by key; a null takes one away, unless it was asked: then she said "not so"."""

    def said(self, row: str) -> str:
        return f"{row}.{self.name} <> ''"

    def differs(self, row: str, current: str) -> str:
        return f"({row}.{self.name} <> '')"

    def values(self, row: str) -> dict[str, str]:
        return {"attributes": f"jsonb_strip_nulls({row}.new_attributes)"}

    def updates(self, row: str, current: str) -> dict[str, str]:
        return {"attributes": f"jsonb_strip_nulls(coalesce({current}.attributes, '{{}}') || {row}.new_attributes)"}


class VisitorKey(Column):
    """What her browser was known by until now; it is joined with her after she is written, not stored with her."""

    def differs(self, row: str, current: str) -> str:
        return f"({row}.{self.name} <> '')"

    def values(self, row: str) -> dict[str, str]:
        return {}


@ingests.register
class Customers(Kind):
    key = "customers"
    label = _("Customers")
    right = "customers.import_customer"
    companion = ("consents", {"customer": "reference", "email": "email"})
    table = "customers_customer"
    columns = (
        Whole("own_id", target="-", high=2**62),
        Column("reference", is_null=True),
        Email("email"),
        Phone("phone"),
        Column("given_name"),
        Column("family_name"),
        Birthday("birthday"),
        Column("address", limit=300, is_multiline=True),
        Column("postcode", limit=20),
        Column("city"),
        Column("region"),
        Country("country"),
        Language("language"),
        Zone("time_zone"),
        Choice("preferred_channel", choices=tuple(Channel.values)),
        Words("interests"),
        Column("source", limit=60),
        Money(
            "acquisition_cost",
            currency="coalesce(nullif(upper(btrim({row}.acquisition_currency)), ''), %(base_currency)s)",
        ),
        Currency("acquisition_currency"),
        Attributes("attributes"),
        Instant("signed_up_at", is_past=True),
        VisitorKey("visitor_key", limit=64),
        Flag("visitor_has_agreed", target="-"),
    )
    hidden = frozenset({"own_id"})
    extras = (
        ("other_id", "bigint"),
        ("other_reference", "text"),
        ("merged_into_id", "bigint"),
        ("new_attributes", "jsonb"),
    )
    #: As they come: their loads take turns (see LOCK), and files are mostly in an order that suits the indexes.
    order_by = "w.line"
    always = "c.merged_into_id IS NOT NULL"
    naming = "coalesce(nullif(btrim(w.reference), ''), btrim(w.email))"
    sentences = {
        "no_key": _("A customer needs a reference or an email."),
        "email_taken": _("Another customer has the email “%(value)s”."),
        "merged": _("The customer “%(value)s” was merged into another one."),
        "no_currency": _("An acquisition cost needs a currency."),
        "undeclared_attribute": _("There is no attribute of this name; declare it first."),
        "not_an_attribute": _("An attribute is one value, or a value with how it is known: asked, imported, inferred."),
        "not_a_number": _("“%(value)s” is not a number."),
        "not_among_choices": _("“%(value)s” is none of this attribute's choices."),
        "attribute_too_long": _("Longer than 1,000 characters."),
    }

    @classmethod
    def more_columns(cls) -> list[str]:
        return [f"attributes.{key}" for key in AttributeDefinition.objects.values_list("key", flat=True)]

    @classmethod
    def find_repeated(cls, load: Load) -> None:
        if "reference" in load.said:
            repeated(load, ("reference",), "btrim({name})")
        if "email" in load.said:
            repeated(load, ("email",), NORMAL)

    @classmethod
    def fill(cls, load: Load) -> None:
        if load.rows > 1:
            load.execute(LOCK)
        super().fill(load)

    @classmethod
    def matching(cls, load: Load) -> str:
        if "own_id" in load.said:
            return "c.id = s.own_id::bigint"
        if "reference" in load.said:
            return "c.reference = nullif(btrim(s.reference), '')"
        return f"c.email_normal = {NORMAL.format(name='s.email')} AND c.merged_into_id IS NULL"

    @classmethod
    def extra_values(cls, load: Load) -> str:
        return ", NULL, NULL, c.merged_into_id, NULL"

    @classmethod
    def prepare(cls, load: Load) -> None:
        if "email" in load.said:
            cls._match_emails(load)
        if "phone" in load.said:
            cls._normalise_phones(load)

    @classmethod
    def _match_emails(cls, load: Load) -> None:
        """Whose is the email? A row without a reference is hers; a row with one may only adopt a guest."""
        load.execute(
            f"UPDATE {load.work} w SET other_id = e.id, other_reference = coalesce(e.reference, '')"
            f" FROM customers_customer e WHERE w.email <> '' AND e.email_normal = {NORMAL.format(name='w.email')}"
            " AND e.merged_into_id IS NULL AND e.id IS DISTINCT FROM w.id"
        )
        load.execute(
            f"UPDATE {load.work} w SET id = e.id, is_new = false, other_id = NULL"
            " FROM customers_customer e WHERE e.id = w.other_id AND w.is_new"
            # Hers by reference too: she was made a moment ago, after this load had looked for the reference.
            " AND (e.reference IS NULL OR coalesce(btrim(w.reference), '') = '' OR e.reference = btrim(w.reference))"
        )

    @classmethod
    def _normalise_phones(cls, load: Load) -> None:
        """Numbers that are not E.164 already are read in Python, each way of writing one once."""
        odd = load.fetch(
            "SELECT DISTINCT w.phone, coalesce(nullif(upper(btrim(w.country)), ''), nullif(c.country, ''),"
            f" %(shop_country)s) FROM {load.work} w LEFT JOIN customers_customer c ON c.id = w.id"
            f" WHERE w.phone <> '' AND NOT {Phone.is_normal('w.phone')}"
        )
        read = [(text, country, normal) for text, country in odd if (normal := normal_phone(text, country))]
        if read:
            load.execute(
                f"UPDATE {load.work} w SET phone = p.normal"
                " FROM unnest(%(texts)s::text[], %(of)s::text[], %(normals)s::text[]) AS p(text, country, normal)"
                " WHERE w.phone = p.text AND p.country = coalesce(nullif(upper(btrim(w.country)), ''),"
                " (SELECT nullif(c.country, '') FROM customers_customer c WHERE c.id = w.id), %(shop_country)s)",
                texts=[text for text, _country, _normal in read],
                of=[country for _text, country, _normal in read],
                normals=[normal for _text, _country, normal in read],
            )

    @classmethod
    def check(cls, load: Load) -> None:
        more = [
            (
                "reference",
                "CASE WHEN w.is_new AND coalesce(btrim(w.reference), '') = '' AND coalesce(btrim(w.email), '') = ''"
                " THEN 'no_key' WHEN w.merged_into_id IS NOT NULL THEN 'merged' END",
                "w.reference",
            ),
        ]
        if "email" in load.said:
            more.append(("email", "CASE WHEN w.other_id IS NOT NULL THEN 'email_taken' END", "w.email"))
        if load.said & {"acquisition_cost", "acquisition_cost_minor"}:
            costs = "coalesce(w.acquisition_cost, '') || coalesce(w.acquisition_cost_minor, '') <> ''"
            has_one = "SELECT FROM customers_customer c WHERE c.id = w.id AND c.acquisition_currency <> ''"
            lacks = f"coalesce(w.acquisition_currency, '') = '' AND NOT EXISTS ({has_one})"
            more.append(("acquisition_currency", f"CASE WHEN {costs} AND {lacks} THEN 'no_currency' END", "NULL"))
        load.check(cls.columns, more)
        if "attributes" in load.said:
            cls._check_attributes(load)

    @classmethod
    def _check_attributes(cls, load: Load) -> None:
        each = (
            f"FROM {load.work} w CROSS JOIN LATERAL jsonb_each(CASE WHEN {cls._attributes().is_safe('w')}"
            " THEN w.attributes::jsonb ELSE '{}' END) AS a"
            " LEFT JOIN customers_attributedefinition d ON d.key = a.key WHERE w.attributes <> ''"
        )
        load.execute(
            f"INSERT INTO ingest_errors SELECT * FROM (SELECT w.line, w.item, 'attributes.' || left(a.key, 80),"
            f" {_ATTRIBUTE_CODE} AS code, left({_TEXT}, 80) {each}) AS found WHERE code IS NOT NULL"
        )
        load.execute(
            f"UPDATE {load.work} t SET new_attributes = n.attributes FROM (SELECT w.line,"
            f" jsonb_object_agg(a.key, {_ATTRIBUTE_VALUE}) AS attributes {each} AND d.key IS NOT NULL"
            f" AND ({_ATTRIBUTE_CODE}) IS NULL GROUP BY w.line) AS n WHERE n.line = t.line"
        )
        load.execute(f"UPDATE {load.work} SET new_attributes = '{{}}' WHERE new_attributes IS NULL")

    @classmethod
    def _attributes(cls) -> Document:
        return next(column for column in cls.columns if isinstance(column, Attributes))

    @classmethod
    def write(cls, load: Load) -> Counts:
        counts = super().write(load)
        if {"visitor_key", "visitor_has_agreed"} <= load.said:
            same = f"c.email_normal = {NORMAL.format(name='w.email')} AND c.merged_into_id IS NULL"
            join_visitors(
                "SELECT btrim(w.visitor_key) AS visitor_key, coalesce(w.id,"
                " (SELECT c.id FROM customers_customer c WHERE c.reference = nullif(btrim(w.reference), '')),"
                f" (SELECT c.id FROM customers_customer c WHERE {same})) AS customer_id"
                f" FROM {load.work} w WHERE w.visitor_key <> ''"
                " AND lower(w.visitor_has_agreed) IN ('true', 'yes', '1')",
                now=load.now,
            )
        return counts

    @classmethod
    def find_again(cls, load: Load) -> None:
        """Another load was quicker: her row is hers by reference, or by email where one of the two has no reference."""
        own = (
            "c.merged_into_id IS NULL AND (c.reference = nullif(btrim(w.reference), '') OR"
            f" c.email_normal = {NORMAL.format(name='w.email')} AND"
            " (c.reference IS NULL OR coalesce(btrim(w.reference), '') = ''))"
        )
        ours = "c.xid = pg_current_xact_id()"
        load.execute(
            f"UPDATE {load.work} w SET id = c.id, is_new = false"
            f" FROM customers_customer c WHERE w.is_new AND {own} AND NOT {ours}"
        )
        email = f"c.email_normal = {NORMAL.format(name='w.email')}"
        taken = (
            f"w.is_new AND EXISTS (SELECT FROM customers_customer c WHERE {email} AND c.merged_into_id IS NULL"
            " AND c.reference IS DISTINCT FROM nullif(btrim(w.reference), ''))"
        )
        if load.refuse("email", "email_taken", taken, value="w.email"):
            cls.drop(load)
