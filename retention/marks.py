"""The mark facts carry, so that a consumer can read "what came since" and never skip a late commit."""

from django.db import connection, models
from django.db.models import Func


class Xid8Field(models.Field):
    """PostgreSQL's 64-bit transaction id. An id or a time would lose rows that commit late; this cannot."""

    description = "64-bit transaction id"

    def db_type(self, connection):
        return "xid8"

    def from_db_value(self, value, expression, connection):
        return None if value is None else int(value)

    def get_prep_value(self, value):
        return None if value is None else str(value)


class CurrentTransaction(Func):
    """`pg_current_xact_id()`: the id of the transaction that writes this row."""

    function = "pg_current_xact_id"
    output_field = Xid8Field()


class MarkField(Xid8Field):
    """The transaction that last wrote this fact; upserts set it again."""

    def __init__(self, **kwargs):
        kwargs.setdefault("db_default", CurrentTransaction())
        kwargs.setdefault("editable", False)
        super().__init__(**kwargs)


def safe_mark() -> int:
    """The id below which every transaction has ended.

    A consumer reads `xid >= its stored mark AND xid < safe_mark()`, then stores this value: facts of a
    transaction that is still open now are at or above it and will be read next time.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text")
        return int(cursor.fetchone()[0])
