"""Members in the console: where they stand, what lies ahead, and what is done for them by hand."""

import pytest
import time_machine

from loyalty import operations
from loyalty.models import Member, TierChange
from retention.customers.models import Activity
from retention.ledger.models import Account
from tests.console.conftest import as_role, person
from tests.loyalty.conftest import BY
from tests.loyalty.test_expiry import moves
from tests.loyalty.test_tiers import NOON, STEPS, YEAR, earns, look

__all__ = ["as_role", "person"]
MEMBERS = "/admin/loyalty/member/"


@pytest.fixture
def anna(programme, customers):
    """She has silver with 180 points."""
    club = programme(tiers={"steps": STEPS, "validity": YEAR})
    ids = [customer.pk for customer in customers]
    operations.join(programme_id=club.pk, customer_ids=ids, now=NOON, by=BY)
    member = Member.objects.get(customer=customers[0])
    moves(club, customers[0], 180, NOON)
    earns(member.pk, 180, NOON)
    look(NOON)
    with time_machine.travel(NOON, tick=False):
        yield member


def test_the_list_is_filtered_by_programme_tier_and_day(anna, as_role):
    agent = as_role("support agent")
    silver = anna.programme.tiers.get(key="silver").pk
    assert agent.get(MEMBERS).context["cl"].result_list.count() == 5
    asked = f"?programme__id__exact={anna.programme_id}&tier__id__exact={silver}"
    assert [one.pk for one in agent.get(f"{MEMBERS}{asked}").context["cl"].result_list] == [anna.pk]
    before = agent.get(f"{MEMBERS}?joined_at_to=2026-05-11").context["cl"].result_list
    assert not list(before)


def test_her_page_says_where_she_stands_and_what_lies_ahead(anna, as_role):
    page = as_role("support agent").get(f"{MEMBERS}{anna.pk}/change/").content.decode()
    for words in (
        "180 Club_points", "Silver (180 Club_points count)", "320 Club_points to Gold.", "Hers until 31 Dec 2027.",
        "100 Club_points by then to stay Silver until 31 Dec 2028.", "reached what it takes",
    ):  # fmt: skip
        assert words in page, words


def test_the_customers_page_leads_to_her_membership(anna, as_role):
    page = as_role("support agent").get(f"/admin/customers/customer/{anna.customer_id}/change/").content.decode()
    assert f"{MEMBERS}{anna.pk}/change/" in page


def test_her_tier_is_set_with_a_reason_and_she_is_let_go(anna, as_role):
    agent, page = as_role("support agent"), f"{MEMBERS}{anna.pk}"
    said = {"_form_submitted": "1", "tier": "gold", "until": "2026-12-31", "reason": "Damaged parcel"}
    refused = agent.post(f"{page}/set-tier/", {**said, "reason": ""})
    assert "HX-Redirect" not in refused.headers
    assert "HX-Redirect" in agent.post(f"{page}/set-tier/", said).headers
    change = TierChange.objects.latest("pk")
    assert (change.after.key, change.why, change.reason) == ("gold", "staff", "Damaged parcel")
    assert change.by.startswith("staff:")
    assert "HX-Redirect" in agent.post(f"{page}/leave/", {"_form_submitted": "1"}).headers
    assert Member.objects.get(pk=anna.pk).left_at == NOON


def test_her_points_are_corrected_once_and_she_is_told(anna, as_role):
    agent, page = as_role("support agent"), f"{MEMBERS}{anna.pk}"
    said = {"_form_submitted": "1", "amount": "20", "reason": "Late parcel", "source": "console:1"}
    for _again in range(2):
        assert "HX-Redirect" in agent.post(f"{page}/adjust/", said).headers
    assert Account.objects.get(customer=anna.customer_id).balance == 200
    assert Activity.objects.filter(kind="loyalty.points_adjusted").count() == 1
    assert as_role("marketer").post(f"{page}/adjust/", said).status_code == 403


def test_an_analyst_reads_and_changes_nothing(anna, as_role):
    analyst, page = as_role("analyst"), f"{MEMBERS}{anna.pk}"
    assert analyst.get(f"{page}/change/").status_code == 200
    for button in ("adjust", "set-tier", "leave"):
        assert analyst.post(f"{page}/{button}/", {"_form_submitted": "1", "reason": "x"}).status_code == 403
