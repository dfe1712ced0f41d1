"""Activities in bulk: of customers, or of visitors not known yet; a reference makes re-delivery harmless."""

import json
from collections.abc import Iterator

from django.utils.translation import gettext_lazy as _
from jsonschema import Draft202012Validator

from retention.bulk import copy_rows
from retention.customers.ingests import owners
from retention.customers.models.activities import ActivityKind
from retention.customers.operations.stats import see
from retention.customers.operations.visitors import join_visitors
from retention.registries import ingests
from retention.work.ingest.append import AppendOnly
from retention.work.ingest.columns import Column, Document, Flag, Instant
from retention.work.ingest.load import Counts, Load

#: Over a work row: its visitor lets the key be joined with a customer; it names its owner by nothing but the key.
_AGREED = "coalesce(lower(w.visitor_has_agreed) IN ('true', 'yes', '1'), false)"
_BY_KEY = "coalesce(w.customer_id, '') || coalesce(btrim(w.customer), '') || coalesce(btrim(w.email), '') = ''"


@ingests.register
class Activities(AppendOnly):
    key = "activities"
    label = _("Activities")
    right = "customers.import_customer"
    table = "customers_activity"
    columns = (
        *owners.COLUMNS,
        Column("visitor_key", limit=64),
        Flag("visitor_has_agreed", target="-"),
        Column("reference", is_null=True),
        Column("kind", limit=60, required=True),
        Column("product", target="-"),
        Column("order_reference", target="-"),
        Document("properties"),
        Instant("occurred_at", required=True, is_past=True),
    )
    hidden = owners.HIDDEN
    identity = ("reference",)
    is_there = "EXISTS (SELECT FROM customers_activity c WHERE c.reference = nullif(btrim(s.reference), ''))"
    extras = (("owner_id", "bigint"), ("product_id", "bigint"), ("order_id", "bigint"))
    sentences = {
        **owners.SENTENCES,
        "unknown_product": _("There is no product “%(value)s”."),
        "unknown_order": _("There is no order “%(value)s”."),
        "unknown_kind": _("There is no kind of activity “%(value)s”; declare it first."),
        "nobodys": _("Whose is it? A customer's reference or email, or a visitor's key, is needed."),
        "wrong_property": _("%(value)s"),
    }

    @classmethod
    def fill(cls, load: Load) -> None:
        joins, owner = owners.joins(load)
        product = order = "NULL::bigint"
        if "product" in load.said:
            joins += " LEFT JOIN customers_product g ON g.sku = nullif(btrim(s.product), '')"
            product = "g.id"
        if "order_reference" in load.said:
            joins += " LEFT JOIN customers_order o ON o.reference = nullif(btrim(s.order_reference), '')"
            order = "o.id"
        if "visitor_key" in load.said:
            # Who names nobody but a visitor whom we know by now means that customer.
            known = (
                "SELECT coalesce(k.merged_into_id, k.id) FROM customers_knownvisitor v JOIN customers_customer k"
                " ON k.id = v.customer_id WHERE v.visitor_key = btrim(s.visitor_key) AND k.erased_at IS NULL"
            )
            nobody = "coalesce(btrim(s.customer), '') = '' AND coalesce(btrim(s.email), '') = ''"
            owner = f"coalesce({owner}, CASE WHEN {nobody} AND s.visitor_key <> '' THEN ({known}) END)"
        staged = ", ".join(f"s.{name}" for column in cls.columns for name in column.staged)
        load.execute(
            f"INSERT INTO {load.work} SELECT s.line, s.item, {staged}, true, NULL, {owner}, {product}, {order}"
            f" FROM {load.staging} s{joins} WHERE NOT {cls.known(load)}"
        )

    @classmethod
    def check(cls, load: Load) -> None:
        said = [
            "coalesce(btrim(w.customer), '') = ''",
            "coalesce(btrim(w.email), '') = ''",
            "coalesce(btrim(w.visitor_key), '') = ''",
        ]
        more = [
            *owners.checks(is_needed=False),
            (
                "customer",
                f"CASE WHEN w.owner_id IS NULL AND {' AND '.join(said)} THEN 'nobodys' END",
                "NULL",
            ),
            (
                "kind",
                "CASE WHEN w.kind <> '' AND NOT btrim(w.kind) = ANY(%(activity_kinds)s) THEN 'unknown_kind' END",
                "w.kind",
            ),
            ("product", "CASE WHEN w.product <> '' AND w.product_id IS NULL THEN 'unknown_product' END", "w.product"),
            (
                "order_reference",
                "CASE WHEN w.order_reference <> '' AND w.order_id IS NULL THEN 'unknown_order' END",
                "w.order_reference",
            ),
        ]
        schemas = dict(ActivityKind.objects.values_list("key", "schema"))
        load.params["activity_kinds"] = list(schemas)
        load.check(cls.columns, more)
        validators = {key: Draft202012Validator(schema) for key, schema in schemas.items() if schema}
        if validators:
            copy_rows(
                "ingest_errors",
                ("line", "item", "column_name", "code", "value"),
                cls._wrong_properties(load, validators),
            )

    @classmethod
    def _wrong_properties(cls, load: Load, validators: dict[str, Draft202012Validator]) -> list[tuple]:
        """Every way of filling in a kind's properties is looked at once, however many rows have it."""
        document = next(column for column in cls.columns if column.name == "properties")
        rows = load.fetch(
            f"SELECT btrim(w.kind), coalesce(w.properties, ''), min(w.line) FROM {load.work} w"
            f" WHERE btrim(w.kind) = ANY(%(checked)s) AND (coalesce(w.properties, '') = '' OR {document.is_safe('w')})"
            " GROUP BY 1, 2",
            checked=list(validators),
        )
        found = []
        for kind, text, _line in rows:
            wrong = list(_schema_errors(validators[kind], json.loads(text or "{}")))
            if wrong:
                lines = load.fetch(
                    f"SELECT w.line FROM {load.work} w WHERE btrim(w.kind) = %(kind)s"
                    " AND coalesce(w.properties, '') = %(text)s",
                    kind=kind,
                    text=text,
                )
                found += [(line, None, path, "wrong_property", words) for (line,) in lines for path, words in wrong]
        return found

    @classmethod
    def write(cls, load: Load) -> Counts:
        values = {
            "customer_id": "w.owner_id",
            # A key is kept beside a customer only where that was agreed to.
            "visitor_key": f"CASE WHEN w.owner_id IS NULL OR {_AGREED} OR {_BY_KEY}"
            " THEN coalesce(btrim(w.visitor_key), '') ELSE '' END",
            "reference": "nullif(btrim(w.reference), '')",
            "kind": "btrim(w.kind)",
            "product_id": "w.product_id",
            "order_id": "w.order_id",
            "properties": "coalesce(nullif(w.properties, ''), '{}')::jsonb",
            "occurred_at": "w.occurred_at::timestamptz",
            "recorded_at": "%(now)s",
        }
        new = load.execute(
            f"INSERT INTO {cls.table} ({', '.join(values)}) SELECT {', '.join(values.values())} FROM {load.work} w"
            " ORDER BY nullif(btrim(w.reference), ''), w.line ON CONFLICT (reference) DO NOTHING"
        )
        see(
            "SELECT w.owner_id AS customer_id, btrim(w.kind) AS kind, w.occurred_at::timestamptz AS occurred_at,"
            f" coalesce(nullif(w.properties, ''), '{{}}')::jsonb AS properties FROM {load.work} w"
        )
        if {"visitor_key", "visitor_has_agreed"} <= load.said:
            claims = f"SELECT btrim(w.visitor_key) AS visitor_key, w.owner_id AS customer_id FROM {load.work} w"
            join_visitors(f"{claims} WHERE w.visitor_key <> '' AND w.owner_id IS NOT NULL AND {_AGREED}", now=load.now)
        return Counts(new=new)


def _schema_errors(validator: Draft202012Validator, properties: dict) -> Iterator[tuple[str, str]]:
    for error in validator.iter_errors(properties):
        path = ".".join(["properties", *map(str, error.absolute_path)])
        yield path[:80], error.message[:80]
