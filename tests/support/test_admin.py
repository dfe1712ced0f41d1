"""What leads set up in the console: limits, reasons and the desk, each by one operation with its audit row."""

import pytest
import time_machine
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group

from retention.audit.models import AuditEntry
from retention.incentives import operations as incentives
from retention.incentives.rules import IncentiveRule
from retention.messaging.models import Template
from retention.support.models import AgentLimit, Desk, Reason
from retention.support.operations import compensate
from tests.support.conftest import LEAD

ADMIN = "/admin/support"


@pytest.fixture(autouse=True)
def the_present(now):
    with time_machine.travel(now, tick=False):
        yield


@pytest.fixture
def lead(client, floor):
    member = get_user_model().objects.create_user("lead", is_staff=True)
    member.groups.add(Group.objects.get(name="marketing lead"))
    client.force_login(member, backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_a_lead_sets_an_agents_limits_in_major_units(lead, oleg):
    limit = AgentLimit.objects.get(staff=oleg)
    page = lead.get(f"{ADMIN}/agentlimit/{limit.pk}/change/").content.decode()
    assert 'value="180.00"' in page

    lead.post(f"{ADMIN}/agentlimit/{limit.pk}/change/", {"per_case": "20", "per_day": "99,50"})
    limit.refresh_from_db()
    assert (limit.staff, limit.per_case_minor, limit.per_day_minor) == (oleg, 2_000, 9_950)
    entry = AuditEntry.objects.filter(verb="support.set_limit").latest("id")
    assert (entry.before["per_day_minor"], entry.after["per_day_minor"]) == (18_000, 9_950)


def test_a_new_limit_and_a_bad_one(lead, floor):
    vera = get_user_model().objects.create_user("vera", is_staff=True)
    refused = lead.post(f"{ADMIN}/agentlimit/add/", {"staff": vera.pk, "per_case": "lots", "per_day": "-5"})
    text = refused.content.decode()
    assert "Write an amount such as 12.50." in text
    assert "A limit is zero or more" in text
    huge = lead.post(f"{ADMIN}/agentlimit/add/", {"staff": vera.pk, "per_case": "5", "per_day": "9" * 19})
    assert "no astronomical number" in huge.content.decode()
    assert not AgentLimit.objects.filter(staff=vera).exists()

    lead.post(f"{ADMIN}/agentlimit/add/", {"staff": vera.pk, "per_case": "5", "per_day": "50"})
    assert AgentLimit.objects.get(staff=vera).per_day_minor == 5_000


def test_a_reason_is_changed_and_added_but_keeps_its_key(lead):
    reason = Reason.objects.get(key="late")
    typed = {"label": "Much too late", "percent": 25, "is_active": "on", "position": 1, "key": "other-key"}
    lead.post(f"{ADMIN}/reason/{reason.pk}/change/", typed)
    reason.refresh_from_db()
    assert (reason.key, reason.label, reason.percent) == ("late", "Much too late", 25)
    lead.post(f"{ADMIN}/reason/add/", typed | {"key": "sticky", "label": "Sticky"})
    assert Reason.objects.get(key="sticky").label == "Sticky"
    assert AuditEntry.objects.filter(verb="support.save_reason").count() == 2


def test_the_desk_takes_only_what_it_can_give_and_send(lead, now):
    desk = Desk.objects.get()
    typed = {"incentive": desk.incentive_id, "template": desk.template_id, "valid_days": 30, "repeat_days": 14}
    lead.post(f"{ADMIN}/desk/1/change/", typed)
    desk.refresh_from_db()
    assert (desk.valid_days, desk.repeat_days) == (30, 14)

    rule = IncentiveRule.model_validate({"name": "Ten", "effects": [{"kind": "percent", "basis_points": 1_000}]})
    percent = incentives.create_incentive(rule=rule, now=now, by=LEAD)
    incentives.go_live(incentive_id=percent.pk, now=now, by=LEAD)
    answer = lead.post(f"{ADMIN}/desk/1/change/", typed | {"incentive": percent.pk})
    assert "The desk needs a live incentive whose amount is set for each customer" in answer.content.decode()

    Template.objects.filter(pk=desk.template_id).update(category="marketing")
    answer = lead.post(f"{ADMIN}/desk/1/change/", typed)
    assert "The desk needs a transactional mail" in answer.content.decode()
    assert Desk.objects.get().incentive_id == desk.incentive_id


def test_cases_and_compensations_are_read_only_lists(lead, floor, by, now):
    given = compensate(source="1", complaint=floor.complaint(words="Hm"), amount_minor=1_250, now=now, by=by)
    assert "$12.50" in lead.get(f"{ADMIN}/compensation/").content.decode()
    assert "NW-1001" in lead.get(f"{ADMIN}/case/", {"q": "NW-1001"}).content.decode()
    for address in (
        f"{ADMIN}/compensation/{given.compensation.pk}/change/",
        f"{ADMIN}/case/{given.compensation.case_id}/change/",
    ):
        assert lead.get(address).status_code == 200
        assert lead.post(address, {"words": "changed"}).status_code == 403
    for address in (f"{ADMIN}/compensation/add/", f"{ADMIN}/case/add/"):
        assert lead.get(address).status_code == 403
