"""Where a scheme's JSON names other rows: to say them by the ids that the API knows."""

from __future__ import annotations

import copy
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from pydantic import ValidationError as RuleError

from referrals.rules import SchemeRule
from retention.incentives.models import Incentive
from retention.messaging.models import Template
from retention.refusals import Refused
from retention.segments.models import Segment

#: Field of a rule → the model whose row it names, wherever in the rule it stands.
FIELDS: Mapping[str, Any] = {
    "friend_incentive": Incentive,
    "incentive_id": Incentive,
    "friend_message": Template,
    "advocate_message": Template,
    "segment_id": Segment,
}


class UnknownPart(Refused):
    code = "referrals.unknown_part"
    sentence = _("The scheme names %(what)s %(id)s, and there is no such row.")
    status = 422


def read_rule(data: Mapping[str, Any]) -> SchemeRule:
    """The rule that was sent, with rows by their public ids.

    Raises:
        UnknownPart: it names a row that is not there.
        ValidationError: it is no rule, by field.
    """
    told = copy.deepcopy(dict(data))
    for holder, key in list(_places(told)):
        model = FIELDS[key]
        row = model.objects.filter(public_id=_uuid(holder[key])).values_list("pk", flat=True).first()
        if row is None:
            raise UnknownPart(what=model._meta.verbose_name, id=str(holder[key])[:40])
        holder[key] = row
    try:
        return SchemeRule.model_validate(told)
    except RuleError as error:
        found: dict[str, list[str]] = {}
        for one in error.errors():
            place = "/".join(str(part) for part in ("rule", *one["loc"]))
            found.setdefault(place, []).append(one["msg"].removeprefix("Value error, "))
        raise ValidationError(found) from None


def rule_out(data: Mapping[str, Any]) -> dict[str, Any]:
    """A rule as kept, but with the ids by which the API knows what it names."""
    told = copy.deepcopy(dict(data))
    for holder, key in list(_places(told)):
        public_id = FIELDS[key].objects.filter(pk=holder[key]).values_list("public_id", flat=True).first()
        holder[key] = str(public_id) if public_id else None
    return told


def _places(value: Any) -> Iterator[tuple[Any, str]]:
    if isinstance(value, Mapping):
        for key, part in value.items():
            if key in FIELDS and part is not None:
                yield value, key
            else:
                yield from _places(part)
    elif isinstance(value, list):
        for part in value:
            yield from _places(part)


def _uuid(said: Any) -> uuid.UUID | None:
    try:
        return uuid.UUID(str(said))
    except ValueError:
        return None
