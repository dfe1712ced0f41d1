"""The ids by which strangers name our rows; the numbers inside say nothing outside."""

from typing import Any

from django.db import models
from django.db.models import Func


class UUID7(Func):
    """PostgreSQL's time-ordered UUID."""

    function = "uuidv7"
    output_field = models.UUIDField()


class PublicIdField(models.UUIDField):
    """Made by the database, unique, never edited."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{**kwargs, "db_default": UUID7(), "unique": True, "editable": False})

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        for fixed in ("db_default", "unique", "editable"):
            kwargs.pop(fixed, None)
        return name, path, args, kwargs
