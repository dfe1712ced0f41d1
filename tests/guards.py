"""What every update of the suite must keep to, so that a guard means what it says while others write."""

import re

from django.db.models.sql.compiler import SQLUpdateCompiler

_AS_SQL = SQLUpdateCompiler.as_sql
_OF_ITSELF = re.compile(r'^UPDATE ("\w+") .* WHERE .*\bIN \(SELECT \w+\."\w+" (?:AS "\w+" )?FROM \1', re.DOTALL)


def refuse_guards_in_sub_queries() -> None:
    """Let an ORM update fail whose condition is asked in a sub-query over its own table, as Django makes of a join.

    When such an update waited for a row, PostgreSQL asks the conditions on the row again, and not the sub-query: so
    what somebody else finished meanwhile would be overwritten.
    """

    def as_sql(compiler, *args, **kwargs):
        sql, parameters = _AS_SQL(compiler, *args, **kwargs)
        if _OF_ITSELF.match(sql):
            raise AssertionError(f"this update asks its guard in a sub-query: {sql}")
        return sql, parameters

    SQLUpdateCompiler.as_sql = as_sql
