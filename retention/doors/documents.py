"""How the API's document describes a rule that is read by its own class after its ids were turned into numbers."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from pydantic import BaseModel, WithJsonSchema

_ID = {"type": "string", "format": "uuid"}


def rule_of(model: type[BaseModel], *, ids: Collection[str]) -> WithJsonSchema:
    """The whole of a rule in its place, so that parts of two rules may share a name; `ids` name rows, by their ids."""
    schema = model.model_json_schema()
    return WithJsonSchema(_in_place(schema, schema.get("$defs", {}), frozenset(ids)))


def _in_place(part: Any, known: Mapping[str, Any], ids: frozenset[str]) -> Any:
    if isinstance(part, list):
        return [_in_place(each, known, ids) for each in part]
    if not isinstance(part, dict):
        return part
    if "$ref" in part:
        told = known[part["$ref"].rpartition("/")[2]]
        return _in_place({**told, **{name: value for name, value in part.items() if name != "$ref"}}, known, ids)
    # Which class reads a part of several is said by the constant of each.
    rest = {name: value for name, value in part.items() if name not in ("$defs", "discriminator", "title")}
    told = {name: _in_place(value, known, ids) for name, value in rest.items() if name != "properties"}
    if "properties" in rest:
        told["properties"] = {
            name: _row(value) if name in ids else _in_place(value, known, ids)
            for name, value in rest["properties"].items()
        }
    return told


def _row(part: Mapping[str, Any]) -> dict[str, Any]:
    """One row or several, as the part has it."""
    if part.get("type") == "array":
        return {**{name: value for name, value in part.items() if name not in ("items", "title")}, "items": _ID}
    if "anyOf" in part:
        return {"anyOf": [_ID, {"type": "null"}], "default": None}
    return dict(_ID)
