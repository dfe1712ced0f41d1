"""Whatever facts come in: stages placed by new facts and scores kept by differences are those of a first look."""

import datetime as dt

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from retention.customers.models import Customer, CustomerStage, Rfm, RfmChange, StageChange
from retention.customers.operations import compute_rfm
from retention.segments import seeds
from retention.segments.operations import place_customers
from retention.work.models import Watermark
from tests.laws.test_following import FACTS, bring, segments  # noqa: F401  the same shop and facts
from tests.segments.facts import NOW

pytestmark = pytest.mark.django_db(transaction=True)
SIX = st.integers(0, 5).map("c{}".format)
#: As facts of `test_following`, and customers who are erased: they leave their stage and their group.
STORY = st.lists(st.one_of(FACTS, st.tuples(st.just("erased"), SIX)), min_size=1, max_size=8)


def happens(fact) -> None:
    if fact[0] != "erased":
        bring(fact)
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE customers_customer SET erased_at = %s, xid = pg_current_xact_id() WHERE reference = %s",
            [NOW, fact[1]],
        )


def stages() -> dict[int, int]:
    return dict(CustomerStage.objects.values_list("customer_id", "stage_id"))


def scores() -> dict[int, tuple]:
    rows = Rfm.objects.values_list("customer_id", "recency", "frequency", "monetary", "group")
    return {pk: tuple(rest) for pk, *rest in rows}


def retold(changes, before, after, start: dict) -> dict:
    """Where everybody is by what was told since; each move begins where the one before ended."""
    standing = dict(start)
    for customer, came_from, went_to in changes.order_by("id").values_list("customer_id", before, after):
        assert standing.get(customer) == (came_from or None)
        standing[customer] = went_to or None
    return {customer: place for customer, place in standing.items() if place}


def first_look(now: dt.datetime) -> tuple[dict, dict]:
    """What is stored where nothing was before."""
    CustomerStage.objects.all().delete()
    Rfm.objects.all().delete()
    Watermark.objects.all().delete()
    place_customers(now=now, everybody=True)
    compute_rfm(now=now)
    return stages(), scores()


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(story=STORY)
def test_differences_lead_where_a_first_look_leads(segments, story):  # noqa: F811
    seeds.seed(now=NOW)
    Customer.objects.update(erased_at=None)
    first_look(NOW)
    StageChange.objects.all().delete()
    RfmChange.objects.all().delete()
    stages_before, groups_before = stages(), {pk: row[-1] for pk, row in scores().items()}
    for fact in story:
        happens(fact)
    # By new facts alone: nobody is looked at because a quarter of an hour is over.
    assert place_customers(now=NOW).looked_at is not None
    compute_rfm(now=NOW)
    kept = stages(), scores()
    assert retold(StageChange.objects, "before_id", "after_id", stages_before) == kept[0]
    groups = {pk: row[-1] for pk, row in kept[1].items()}
    # Until somebody has a score, nobody came from anywhere.
    assert not groups_before or retold(RfmChange.objects, "before", "after", groups_before) == groups
    assert first_look(NOW) == kept


def test_the_law_can_fail(segments):  # noqa: F811
    """A fact that came without its mark is what a first look finds and the placing by facts does not."""
    seeds.seed(now=NOW)
    first_look(NOW)
    Watermark.objects.update(mark=2**62)
    bring(("orders", {"reference": "o1", "state": "paid", "customer": "c1", "placed_at": NOW.isoformat(), "sku": "LP"}))
    place_customers(now=NOW)
    kept = stages()
    assert first_look(NOW)[0] != kept
