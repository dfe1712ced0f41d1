"""JSON that is kept to be given back as it was: nobody searches in it."""

from typing import Any

from django.db import models
from psycopg.types.json import Json


class DocumentField(models.JSONField):
    """PostgreSQL's `json`: it keeps the order of keys, and takes less to write than `jsonb`, which is made to search.

    The same document read again makes the same bytes. For filters and comparisons take a JSONField.
    """

    def db_type(self, connection: Any) -> str:
        return "json"

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        return None if value is None else Json(value)

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        # The driver reads it already.
        return value
