"""The guards of the suite catch what they are for."""

import pytest
from django.db import transaction

from retention.incentives.models import Fulfilment

pytestmark = pytest.mark.django_db


def test_an_update_that_asks_its_guard_in_a_sub_query_is_refused():
    with pytest.raises(AssertionError, match="sub-query"), transaction.atomic():
        Fulfilment.objects.filter(grant__state="active", state="open").update(note="late")
    assert Fulfilment.objects.filter(state="open").update(note="late") == 0
