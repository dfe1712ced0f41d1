"""A rule's classes as the fields that the builder in the console draws: read from their JSON schema, nothing by hand.

A new kind of effect or condition is there as soon as it is in the union that the rule names. What people read beside
its fields is in `words`; where nothing is said there, the class's own names serve.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from retention.incentives.forms import words

Field = dict[str, Any]
Schema = Mapping[str, Any]


def fields_of(model: type[BaseModel]) -> list[Field]:
    """The fields of a part, each with its name, words, kind, and what it begins with.

    Kinds: `text`, `number`, `percent`, `switch`, `choice`, `words`, `instant`, `day`, `time`, `money`, `amounts`,
    `minor` (of the shop's own currency), `texts` (by language), `pick` (one of a list by its key); `part` has
    `fields`, `one_of` has `variants`, `many` has an `item` that is a part or one of several.
    """
    schema = model.model_json_schema()
    return _Reader(schema.get("$defs", {})).fields(schema, model.__name__)


class _Reader:
    def __init__(self, parts: Mapping[str, Schema]) -> None:
        self.parts = parts

    def fields(self, schema: Schema, owner: str) -> list[Field]:
        wanted = set(schema.get("required", ()))
        found = [
            {**self.field(name, inside, owner), "required": name in wanted}
            for name, inside in schema["properties"].items()
            if "const" not in inside and f"{owner}.{name}" not in words.UNASKED
        ]
        # What is a part of its own comes after the plain fields.
        return sorted(found, key=lambda field: (words.place(owner, field["name"]), field["kind"] == "part"))

    def field(self, name: str, schema: Schema, owner: str) -> Field:
        told: Field = {
            "name": name,
            "label": words.label(name, owner),
            "help": words.help_of(name, owner),
            "initial": schema.get("default"),
            "is_first": words.is_first(owner, name),
        }
        if shown := words.shown_if(owner, name):
            told["shown_if"] = shown
        if {"type": "null"} in schema.get("anyOf", ()):
            told["is_optional"] = True
        return {**told, **self.kind(name, self.resolved(schema), owner)}

    def kind(self, name: str, schema: Schema, owner: str) -> Field:
        """How it is asked for: its widget, and what bounds, choices or parts it has."""
        if "oneOf" in schema:
            return {"kind": "one_of", "variants": [self.variant(one) for one in schema["oneOf"]]}
        if "enum" in schema:
            return {"kind": "choice", "choices": [[key, words.choice(owner, name, key)] for key in schema["enum"]]}
        if f"{owner}.{name}" in words.PICKED and schema.get("type") != "array":
            source = words.source(name, owner)
            return {"kind": "pick", "source": source, "is_number": schema.get("type") == "integer"}
        match schema.get("type"):
            case "object" if "properties" in schema:
                return self.part(schema)
            case "object" if schema.get("additionalProperties", {}).get("type") == "string":
                return {"kind": "texts"}
            case "object":
                return {"kind": "amounts"}
            case "array":
                return self.list_of(name, schema, owner)
            case "boolean":
                return {"kind": "switch"}
            case "integer" if "basis_points" in name:
                return {"kind": "percent"}
            case "integer" if name.endswith("_minor"):
                return {"kind": "minor"}
            case "integer":
                return {"kind": "number", "min": schema.get("minimum"), "max": schema.get("maximum")}
            case "number":
                return {"kind": "number", "step": "any"}
            case "string" if schema.get("format") == "date-time":
                return {"kind": "instant"}
            case "string" if schema.get("format") == "date":
                return {"kind": "day"}
            case "string" if schema.get("format") == "time":
                return {"kind": "time"}
        most = schema.get("maxLength")
        return {"kind": "text", "most": most, "is_long": bool(most and most > 200)}

    def part(self, schema: Schema) -> Field:
        if set(schema["properties"]) == {"amount_minor", "currency"}:
            return {"kind": "money"}
        more = words.more(schema["title"])
        return {"kind": "part", "fields": self.fields(schema, schema["title"]), "more": more}

    def list_of(self, name: str, schema: Schema, owner: str) -> Field:
        item = self.resolved(schema.get("items", {}))
        if "oneOf" not in item and "properties" not in item:
            return {"kind": "words", "source": words.source(name, owner), **self.closed(name, item, owner)}
        adds, called = words.item(name, owner)
        inside = self.kind(name, item, owner)
        return {"kind": "many", "most": schema.get("maxItems"), "item": inside, "adds": adds, "called": called}

    def closed(self, name: str, item: Schema, owner: str) -> Field:
        """The choices of a list that is closed; whole numbers say so."""
        if "enum" in item:
            return {"choices": [[key, words.choice(owner, name, key)] for key in item["enum"]]}
        return {"is_number": True} if item.get("type") == "integer" else {}

    def variant(self, schema: Schema) -> Field:
        schema = self.resolved(schema)
        kind = schema["properties"]["kind"]["const"]
        label, about = words.kind(kind, schema["title"])
        fields, more = self.fields(schema, schema["title"]), words.more(schema["title"])
        return {"kind": kind, "label": label, "about": about, "fields": fields, "more": more}

    def resolved(self, schema: Schema) -> Schema:
        """Without references and without "or nothing"."""
        while True:
            some = [one for one in schema.get("anyOf", ()) if one.get("type") != "null"]
            if len(some) == 1:
                schema = some[0]
            elif "$ref" in schema:
                schema = self.parts[schema["$ref"].rpartition("/")[2]]
            elif len(schema.get("allOf", ())) == 1:
                schema = schema["allOf"][0]
            else:
                return schema


def instants(fields: list[Field], data: Any) -> Iterator[tuple[dict[str, Any], str]]:
    """(mapping, key) of each instant that is said in a rule's data."""
    if not isinstance(data, dict):
        return
    for field in fields:
        value = data.get(field["name"])
        if value is None:
            continue
        if field["kind"] == "instant":
            yield data, field["name"]
        else:
            yield from _inside(field, value)


def _inside(field: Field, value: Any) -> Iterator[tuple[dict[str, Any], str]]:
    match field["kind"]:
        case "part":
            yield from instants(field["fields"], value)
        case "one_of":
            kind = value.get("kind") if isinstance(value, dict) else None
            for variant in field["variants"]:
                if variant["kind"] == kind:
                    yield from instants(variant["fields"], value)
        case "many":
            for item in value if isinstance(value, list) else ():
                yield from _inside(field["item"], item)
