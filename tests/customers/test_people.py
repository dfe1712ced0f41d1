"""Everything about a person knows how to forget: the tables are walked, and what nobody stated fails."""

import pytest
from django.apps import apps
from django.contrib.postgres.fields import ArrayField
from django.db import models

from retention.customers.models import Customer
from retention.registries import PersonData, people

OURS = ("retention", "campaigns", "loyalty", "referrals")
CONTENT = (models.CharField, models.TextField, models.JSONField, models.BinaryField, models.FileField, ArrayField)
#: Columns that are somebody's wherever they stand, even in a table that leads to nobody.
TELLING = {"email", "phone", "given_name", "family_name", "birth_year", "postcode", "address_hash", "customer_id"}
#: Not customers: staff and the shop itself.
NOT_CUSTOMERS = {"shop.Staff", "shop.Shop"}


def _models():
    return [m for m in apps.get_models() if m.__module__.startswith(OURS) and m._meta.label not in NOT_CUSTOMERS]


def _relations(model):
    return {f.name for f in model._meta.concrete_fields if f.is_relation and f.related_model is Customer}


def _content(model):
    """Columns in which anything may stand; not choices, and nothing that the database computes."""
    return {
        f.name
        for f in model._meta.concrete_fields
        if isinstance(f, CONTENT) and not f.choices and not isinstance(f, models.GeneratedField)
    }


def owed(model):
    """The columns of a model that need a stated treatment."""
    columns = set(_relations(model))
    if columns or model is Customer:
        columns |= _content(model)
    columns |= {f.name for f in model._meta.concrete_fields if f.name in TELLING}
    return columns


def unstated(every=None):
    stated: dict[str, set[str]] = {}
    for person in every if every is not None else people:
        stated.setdefault(person.model, set()).update(person.columns)
    return {
        model._meta.label: missing
        for model in _models()
        if (missing := owed(model) - stated.get(model._meta.label, set()))
    }


def test_every_relation_and_personal_column_has_a_stated_treatment():
    assert unstated() == {}


def test_a_forgotten_column_would_be_found():
    without = [person for person in people if person.key != "customers.order"]
    assert "email" in unstated(without)["customers.Order"]


@pytest.mark.parametrize("person", list(people), ids=lambda person: person.key)
def test_a_treatment_can_be_run(person):
    model = apps.get_model(person.model)
    assert set(person.columns.values()) <= set(PersonData.TREATMENTS)
    assert person.merging in PersonData.MERGINGS
    for name, treatment in person.columns.items():
        field = model._meta.get_field(name)
        if treatment == "blank":
            assert field.null or isinstance(field, CONTENT), f"{name} can neither be NULL nor empty"
        if treatment == "scrub":
            assert isinstance(field, models.TextField | models.JSONField | models.CharField)
    if person.owner == "self":
        assert model is Customer
    elif person.owner:
        for step in person.owner.split("__"):
            model = model._meta.get_field(step).related_model
        assert model is Customer
