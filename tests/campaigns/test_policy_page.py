"""The page of whose approval campaigns need: a lead writes it in money, whoever may only look reads a sentence."""

import pytest

from campaigns.models import CampaignPolicy
from retention.audit.models import AuditEntry
from tests.console.conftest import as_role, person, shop

__all__ = ["as_role", "person", "shop"]
pytestmark = pytest.mark.django_db
LIST, PAGE = "/admin/campaigns/campaignpolicy/", "/admin/campaigns/campaignpolicy/1/change/"


def test_who_may_only_look_reads_what_holds(as_role, shop):
    analyst = as_role("analyst")
    page = analyst.get(LIST, follow=True)
    assert page.redirect_chain == [(PAGE, 302)]
    assert "Whoever may approve campaigns may approve her own as well." in page.content.decode()
    # Nobody decided anything by looking: what holds is what held without the row.
    assert not AuditEntry.objects.filter(verb="campaigns.save_policy").exists()
    lead = as_role("marketing lead")
    assert lead.post(PAGE, {"above": "50.00", "currency": "EUR"}).status_code == 302
    assert CampaignPolicy.objects.get().approval_above_minor == 5_000
    assert "may cost more than €50.00" in analyst.get(PAGE).content.decode()
    assert lead.post(PAGE, {"above": "0", "currency": "EUR"}).status_code == 302
    assert "Every campaign needs the approval" in analyst.get(PAGE).content.decode()
    assert analyst.post(PAGE, {"above": "1", "currency": "EUR"}).status_code == 403


@pytest.mark.parametrize("typed", [{"above": "1.234"}, {"currency": "XX"}, {"above": "-1"}, {"above": "much"}])
def test_what_is_no_amount_is_refused_at_its_field(as_role, shop, typed):
    lead = as_role("marketing lead")
    lead.get(LIST)
    answer = lead.post(PAGE, {"above": "50.00", "currency": "EUR", **typed})
    assert answer.status_code == 200
    assert "above" in answer.context["adminform"].form.errors
    assert CampaignPolicy.objects.get().approval_above_minor == 0
