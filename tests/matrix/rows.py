"""One row of every model that the console shows, so that pages of a row have something to open."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.models import Group
from django.db.models import CharField, ForeignKey, Model
from django_celery_beat.models import IntervalSchedule
from model_bakery import baker

from retention.customers.models import Customer
from retention.shop.models import Shop
from retention.support.models import Compensation

#: What cannot be guessed: values that a constraint of the database asks for.
NEEDED: dict[str, dict[str, Any]] = {
    "incentives.code": {"code": "MATRIX1"},
    "customers.activity": {"visitor_key": "someone"},
    "django_celery_beat.periodictask": {"interval": lambda: baker.make(IntervalSchedule, every=1, period="minutes")},
}


def one_of_each() -> dict[str, object]:
    """Label of the model → primary key of its row; and what pages of their own take as parameters."""
    rows: dict[str, Model] = {"shop.shop": Shop.objects.get(), "auth.group": Group.objects.first()}
    for model in admin.site._registry:
        if model._meta.managed and not model._meta.proxy:
            _row(model, rows)
    ids: dict[str, object] = {label: row.pk for label, row in rows.items()}
    ids["public_id"] = _row(Customer, rows).public_id
    ids["compensation_id"] = _row(Compensation, rows).pk
    return ids


def _row(model: type[Model], rows: dict[str, Model]) -> Model:
    label = model._meta.label_lower
    if label not in rows:
        values: dict[str, Any] = {}
        for field in model._meta.fields:
            if isinstance(field, ForeignKey) and not field.null:
                values[field.name] = _row(field.related_model, rows)
            elif field.name.endswith("_minor") and not field.null:
                values[field.name] = 100
            elif field.name == "currency":
                values[field.name] = "EUR"
            elif isinstance(field, CharField) and not (field.blank or field.null or field.choices):
                values[field.name] = "Sample"[: field.max_length]
        rows[label] = baker.make(model, **{**values, **NEEDED.get(label, {})})
        rows[label].refresh_from_db()
    return rows[label]
