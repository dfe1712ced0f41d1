"""Whose facts are new since a mark: which tables a rule reads, and the customers that their new rows lead to."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from django.apps import apps
from django.db import connection
from django.db.models import Model

from retention.customers.models import (
    Customer,
    CustomerStage,
    CustomerStats,
    OrderLine,
    Rfm,
    RfmChange,
    Stage,
    StageChange,
)
from retention.registries import people

#: Followed whatever a rule reads: an order that turns out to be somebody else's changes the statistics of whom it left.
ALWAYS = frozenset({Customer._meta.db_table, CustomerStats._meta.db_table})
#: Table whose rows may go → the one whose rows tell of that.
TOLD_BY = {
    CustomerStage._meta.db_table: StageChange._meta.db_table,
    Rfm._meta.db_table: RfmChange._meta.db_table,
}
#: Rows without a mark whose changes matter only together with one that has it, and is read beside them.
MARKED_BY_ANOTHER = frozenset({OrderLine._meta.db_table, Stage._meta.db_table})
_TABLES = re.compile(r'\b(?:FROM|JOIN) "(\w+)"')


@cache
def followed() -> dict[str, tuple[type[Model], str]]:
    """Table → its model, and the path from a row to the customer: all whose rows are found by their mark."""
    owners = {person.model: person.owner for person in people if person.owner}
    owners[Customer._meta.label] = "pk"
    found = {}
    for model in apps.get_models():
        is_found_by_mark = any(index.fields == ["xid"] and not index.condition for index in model._meta.indexes)
        if is_found_by_mark and model._meta.label in owners:
            found[model._meta.db_table] = (model, owners[model._meta.label])
    return found


def tables_of(sql: str) -> frozenset[str]:
    """Every table that a statement reads."""
    return frozenset(_TABLES.findall(sql))


def is_followed(tables: Iterable[str]) -> bool:
    """Whether each change of these is found by a customer's new fact; the catalogue's changes are not hers."""
    return all(table in followed() or table in MARKED_BY_ANOTHER for table in tables)


def changed_since(mark: int, tables: Iterable[str], *, most: int) -> list[int] | None:
    """Customers with new facts in these tables as of transactions from `mark` on; None where they are more than `most`.

    It has no upper end: what is visible now may be looked at twice, and the mark that is kept says what never again.
    """
    parts, params = [], []
    asked = ALWAYS | set(tables) | {TOLD_BY[table] for table in tables if table in TOLD_BY}
    for table in sorted(asked & set(followed())):
        model, owner = followed()[table]
        facts = model._base_manager.filter(xid__gte=mark, **{f"{owner}__isnull": False}).order_by()
        sql, own = facts.values_list(owner).query.sql_with_params()
        parts.append(sql)
        params.extend(own)
    with connection.cursor() as cursor:
        found = f"SELECT DISTINCT * FROM ({' UNION ALL '.join(parts)}) AS changed (id) LIMIT %s"  # noqa: S608
        cursor.execute(found, [*params, most + 1])
        ids = sorted(pk for (pk,) in cursor.fetchall())
    return ids if len(ids) <= most else None


def newest_mark() -> int:
    """The transaction of the newest fact of any followed table; 0 without facts."""
    newest = ", ".join(f'(SELECT xid FROM "{table}" ORDER BY xid DESC LIMIT 1)' for table in sorted(followed()))  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT max(xid)::text FROM unnest(ARRAY[{newest}]) AS newest (xid)")  # noqa: S608
        return int(cursor.fetchone()[0] or 0)
