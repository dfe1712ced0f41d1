"""Declaring what a shop may know: custom attributes and kinds of activity."""

import datetime as dt

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext_lazy as _
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

from retention.actors import Actor
from retention.audit.operations import record
from retention.customers.models import ActivityKind, AttributeDefinition


@transaction.atomic
def save_attribute(*, definition: AttributeDefinition, now: dt.datetime, by: Actor) -> AttributeDefinition:
    """Declare an attribute, or change its label and choices.

    Raises:
        ValidationError: a choice without choices, or a key that is taken.
    """
    if definition.kind == AttributeDefinition.Kind.CHOICE and not definition.choices:
        raise ValidationError({"choices": _("Say between what she may choose.")}, code="no_choices")
    definition.full_clean()
    definition.save()
    after = {"key": definition.key, "kind": definition.kind, "choices": definition.choices}
    record(verb="customers.save_attribute", by=by, now=now, subject=definition, after=after)
    return definition


@transaction.atomic
def save_activity_kind(*, kind: ActivityKind, now: dt.datetime, by: Actor) -> ActivityKind:
    """Declare a kind of activity, or change what it may carry.

    Raises:
        ValidationError: its schema is not JSON Schema, or its key is taken.
    """
    try:
        Draft202012Validator.check_schema(kind.schema)
    except SchemaError as error:
        raise ValidationError({"schema": error.message}, code="not_a_schema") from None
    kind.full_clean()
    kind.save()
    record(verb="customers.save_activity_kind", by=by, now=now, subject=kind, after={"key": kind.key})
    return kind
