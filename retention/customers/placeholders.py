"""The words about a customer's declared attributes; sensitive ones are no words, so that no message can say them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _

from retention.customers.models import AttributeDefinition, Customer
from retention.registries import Placeholder, placeholders

_SAMPLES: dict[str, Any] = {"text": "blue", "number": 38, "yes/no": True, "date": "2026-05-17"}


class _Declared(Mapping[str, Any]):
    """Attribute key → a sample, or its label, as declared when it is asked; sensitive ones are not there."""

    def __init__(self, is_label: bool) -> None:
        self.is_label = is_label

    def __getitem__(self, key: str) -> Any:
        return self._all()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())

    def _all(self) -> dict[str, Any]:
        declared = AttributeDefinition.objects.filter(is_sensitive=False)
        if self.is_label:
            return dict(declared.values_list("key", "label"))
        return {each.key: each.choices[0] if each.choices else _SAMPLES[each.kind] for each in declared}


@placeholders.register
class Attributes(Placeholder):
    key = "attributes"
    label = _("What the shop knows of her")
    sample: ClassVar = _Declared(is_label=False)
    labels: ClassVar = _Declared(is_label=True)

    @classmethod
    def values(cls, deliveries: list[Any], *, now: dt.datetime) -> dict[int, Any]:
        allowed = set(AttributeDefinition.objects.filter(is_sensitive=False).values_list("key", flat=True))
        held = Customer.objects.in_bulk({delivery.customer_id for delivery in deliveries})
        return {
            delivery.id: {
                key: said.get("value")
                for key, said in held[delivery.customer_id].attributes.items()
                if key in allowed and said.get("value") is not None
            }
            for delivery in deliveries
            if delivery.customer_id in held
        }
