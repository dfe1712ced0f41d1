"""What occasions ask for by name: products, categories, segments and other rows, chosen from what there is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from retention.customers import rfm
from retention.customers.models import ActivityKind, AttributeDefinition, Product
from retention.customers.models.lifecycle import Stage
from retention.ledger.models import Unit
from retention.segments.models import CustomerList, Segment


class ProductField(forms.CharField):
    """A product by its SKU."""

    default_error_messages = {"no_product": _("There is no product “%(sku)s”.")}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"label": _("product"), "max_length": 100, "required": False, **kwargs})

    def validate(self, value: str) -> None:
        super().validate(value)
        if value and not Product.objects.filter(sku=value).exists():
            raise forms.ValidationError(self.error_messages["no_product"], "no_product", {"sku": value})


class RowField(forms.ChoiceField):
    """One of some rows, by a value that does not change; one that was archived since stays good."""

    default_error_messages = {"invalid_choice": _("There is none of this name.")}

    def __init__(self, rows: Callable[[], QuerySet], *, value: str = "key", offered: Any = None, **kwargs: Any) -> None:
        self.rows, self.value, self.offered = rows, value, offered or {}
        super().__init__(choices=self._pairs, **kwargs)

    def _pairs(self) -> list[tuple[str, str]]:
        empty = [] if self.required else [("", _("any"))]
        return empty + [(str(getattr(row, self.value)), str(row)) for row in self.rows().filter(**self.offered)]

    def __deepcopy__(self, memo: dict) -> RowField:
        # Choices would be asked for here already; every use of the field asks anew instead.
        copied = super(forms.ChoiceField, self).__deepcopy__(memo)
        copied.choices = copied._pairs
        return copied

    def valid_value(self, value: str) -> bool:
        try:
            return self.rows().filter(**{self.value: value}).exists()
        except forms.ValidationError:  # not even of the shape of one
            return False


def kind_field(**kwargs: Any) -> RowField:
    return RowField(ActivityKind.objects.all, **{"label": _("activity"), **kwargs})


def segment_field(**kwargs: Any) -> RowField:
    rows = Segment.objects.all
    return RowField(rows, value="public_id", offered={"archived_at": None}, **{"label": _("segment"), **kwargs})


def stage_field(**kwargs: Any) -> RowField:
    return RowField(Stage.objects.all, offered={"archived_at": None}, **{"label": _("stage"), **kwargs})


def list_field(**kwargs: Any) -> RowField:
    rows = CustomerList.objects.all
    return RowField(rows, value="public_id", offered={"archived_at": None}, **{"label": _("list"), **kwargs})


def unit_field(**kwargs: Any) -> RowField:
    return RowField(Unit.objects.all, **{"label": _("unit"), **kwargs})


def date_attribute_field(**kwargs: Any) -> RowField:
    def rows() -> QuerySet:
        return AttributeDefinition.objects.filter(kind=AttributeDefinition.Kind.DATE)

    return RowField(rows, **{"label": _("attribute"), **kwargs})


class CategoryField(forms.ChoiceField):
    """A category or what lies above it, by its path."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(choices=self._pairs, **{"label": _("category"), "required": False, **kwargs})

    @staticmethod
    def _pairs() -> list[tuple[str, str]]:
        paths = Product.objects.exclude(category="").order_by().values_list("category", flat=True).distinct()
        levels = {"/".join(path.split("/")[:end]) for path in paths for end in range(1, path.count("/") + 2)}
        return [("", _("any")), *((path, path.replace("/", " › ")) for path in sorted(levels))]

    def __deepcopy__(self, memo: dict) -> CategoryField:
        copied = super(forms.ChoiceField, self).__deepcopy__(memo)
        copied.choices = copied._pairs
        return copied

    def valid_value(self, value: str) -> bool:
        inside = Product.objects.filter(category=value) | Product.objects.filter(category__startswith=f"{value}/")
        return inside.exists()


def group_field(**kwargs: Any) -> forms.ChoiceField:
    pairs = [("", _("any")), *((group.key, group.label) for group in rfm.GROUPS.values())]
    return forms.ChoiceField(choices=pairs, required=False, **kwargs)
