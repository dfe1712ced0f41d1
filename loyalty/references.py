"""The rows that a programme's rule names by their numbers, and the ids by which the API knows them."""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal

from django.utils.translation import gettext_lazy as _

from loyalty.models import Reward
from retention.incentives.models import Incentive
from retention.refusals import Refused

Kind = Literal["incentive", "reward"]
_MODELS: dict[Kind, Any] = {"incentive": Incentive, "reward": Reward}
#: Names of the parts that name rows.
IDS = ("rewards", "incentive", "reward_id", "default_id", "reward_ids")
#: (what holds it, its place in there, what it names)
Place = tuple[Any, Any, Kind]


class UnknownPart(Refused):
    code = "loyalty.unknown_part"
    sentence = _("The rule names %(what)s %(id)s, and there is no such row.")
    status = 422


def inwards(rule: Mapping[str, Any]) -> dict[str, Any]:
    """A rule as the API says it, by the numbers that it keeps.

    Raises:
        UnknownPart
    """
    told = copy.deepcopy(dict(rule))
    known = _known(told, "public_id", "pk")

    def number(kind: Kind, said: Any) -> Any:
        if str(said) not in known[kind]:
            raise UnknownPart(what=_MODELS[kind]._meta.verbose_name, id=str(said)[:40])
        return known[kind][str(said)]

    return _told(told, number)


def outwards(rule: Mapping[str, Any]) -> dict[str, Any]:
    """A rule as it is kept, by the ids that the API knows."""
    told = copy.deepcopy(dict(rule))
    known = _known(told, "pk", "public_id")
    return _told(told, lambda kind, pk: str(known[kind][str(pk)]))


def _known(rule: Mapping[str, Any], name: str, other: str) -> dict[Kind, dict[str, Any]]:
    wanted: dict[Kind, set[Any]] = defaultdict(set)
    for holder, at, kind in _places(rule):
        wanted[kind].add(holder[at])
    return {kind: _rows(model, name, other, wanted[kind]) for kind, model in _MODELS.items()}


def _rows(model: Any, name: str, other: str, values: set[Any]) -> dict[str, Any]:
    field = model._meta.get_field("id" if name == "pk" else name)
    good = {value for value in values if _fits(field, value)}
    if not good:
        return {}
    return {str(key): value for key, value in model.objects.filter(**{f"{name}__in": good}).values_list(name, other)}


def _fits(field: Any, value: Any) -> bool:
    try:
        field.to_python(value)
    except Exception:  # whatever a caller wrote there is no id
        return False
    return not isinstance(value, bool)


def _told(rule: dict[str, Any], other: Callable[[Kind, Any], Any]) -> dict[str, Any]:
    for holder, at, kind in list(_places(rule)):
        holder[at] = other(kind, holder[at])
    return rule


def _places(rule: Mapping[str, Any]) -> Iterator[Place]:
    """Every place of a rule, good or not yet looked at, that names a row."""
    for step in _many(_part(rule, "tiers"), "steps"):
        rewards = step.get("rewards")
        if isinstance(rewards, list):
            yield from ((rewards, at, "incentive") for at in range(len(rewards)))
        for perk in _many(step, "perks"):
            if perk.get("incentive") is not None:
                yield perk, "incentive", "incentive"
    for milestone in _many(rule, "milestones"):
        gives = _part(milestone, "gives")
        for name in ("reward_id", "default_id"):
            if gives.get(name) is not None:
                yield gives, name, "reward"
        if isinstance(gives.get("reward_ids"), list):
            yield from ((gives["reward_ids"], at, "reward") for at in range(len(gives["reward_ids"])))


def _part(holder: Mapping[str, Any], name: str) -> dict[str, Any]:
    part = holder.get(name)
    return part if isinstance(part, dict) else {}


def _many(holder: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    parts = holder.get(name)
    return [part for part in parts if isinstance(part, dict)] if isinstance(parts, list) else []
