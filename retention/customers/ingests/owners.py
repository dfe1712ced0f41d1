"""Whose fact it is: the customer of a staged row, by the shop's reference or by email."""

from django.utils.translation import gettext_lazy as _

from retention.work.ingest.columns import Column, Email, Whole
from retention.work.ingest.load import Load

#: Columns that say whose a fact is; the first is filled by our own operations only.
COLUMNS = (Whole("customer_id", target="-", high=2**62), Column("customer", target="-"), Email("email", target="-"))
HIDDEN = frozenset({"customer_id"})
SENTENCES = {
    "unknown_customer": _("There is no customer “%(value)s”."),
}


def joins(load: Load) -> tuple[str, str]:
    """(SQL joins over staging `s`, SQL of the customer's id or NULL); a merged customer's facts are the survivor's."""
    tables, ids = "", []
    if "customer_id" in load.said:
        ids.append("nullif(s.customer_id, '')::bigint")
    if "customer" in load.said:
        tables += " LEFT JOIN customers_customer p ON p.reference = nullif(btrim(s.customer), '')"
        ids.append("p.merged_into_id, p.id")
    if "email" in load.said:
        tables += (
            " LEFT JOIN customers_customer m ON coalesce(btrim(s.customer), '') = ''"
            " AND m.email_normal = nullif(lower(btrim(s.email)), '') AND m.merged_into_id IS NULL"
        )
        ids.append("m.id")
    return tables, f"coalesce({', '.join(ids)})" if ids else "NULL::bigint"


def checks(*, is_needed: bool, may_be_new: bool = False) -> list[tuple[str, str, str]]:
    """Checks over work rows `w` that have the found `owner_id`."""
    given = "coalesce(btrim(w.customer), '') <> ''"
    by_email = "coalesce(btrim(w.email), '') <> ''"
    found = [
        ("customer", f"CASE WHEN w.owner_id IS NULL AND {given} THEN 'unknown_customer' END", "w.customer"),
    ]
    if not may_be_new:
        found.append(
            (
                "email",
                f"CASE WHEN w.owner_id IS NULL AND {by_email} AND NOT {given} THEN 'unknown_customer' END",
                "w.email",
            )
        )
    if is_needed:
        found.append(
            (
                "customer",
                f"CASE WHEN w.owner_id IS NULL AND NOT {given} AND NOT {by_email} THEN 'no_customer' END",
                "NULL",
            )
        )
    return found
