"""The small shop of `facts.py`, made once for a module that only reads it."""

import pytest
from django.db import transaction

from retention.segments.models import CustomerList, Segment
from tests.segments import facts


class SmallShop:
    def __init__(self) -> None:
        self.people = facts.small_shop()
        self.names = {customer.pk: name for name, customer in self.people.items()}
        self.germans = Segment.objects.get(name="Germans")
        self.nobody = Segment.objects.get(name="Nobody")
        self.evening = CustomerList.objects.get()

    def named(self, customers) -> set[str]:
        return {self.names[pk] for pk in customers.values_list("pk", flat=True)}


@pytest.fixture(scope="module")
def shop(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock(), transaction.atomic():
        yield SmallShop()
        transaction.set_rollback(True)
