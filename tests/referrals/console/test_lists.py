"""Lists and pages of referrals: what a marketer reads and where it leads."""

from django.urls import reverse

from referrals.models import Advocate, PayoutBatch, Referral
from retention.shop.models import Staff
from tests.console.conftest import as_role, person

__all__ = ["as_role", "person"]


def test_suspicion_has_its_unit_and_the_advocate_is_a_link(as_role, scheme, advocate, customer, refer):
    codes = advocate(scheme(checks=[]), customer("anna", given_name="<b>Anna</b>"))
    for name, score in (("friend", 40), ("other", 1), ("third", 0)):
        Referral.objects.filter(pk=refer(codes[0], customer(name)).pk).update(score=score)
    page = as_role("marketer").get(reverse("admin:referrals_referral_changelist")).content.decode()
    url = reverse("admin:referrals_advocate_change", args=[Advocate.objects.get().pk])
    assert page.count(f'href="{url}"') == 3
    assert "40 points" in page
    assert "1 point<" in page
    assert "<b>Anna</b>" not in page


def test_who_drew_payouts_up_is_told_who_may_approve_them(as_role, shop, now):
    lead, other = as_role("marketing lead"), as_role("administrator")
    first = Staff.objects.get(pk=lead.user.pk)
    batch = PayoutBatch.objects.create(currency="EUR", drawn_up_at=now, drawn_up_by=first)
    url = reverse("admin:referrals_payoutbatch_change", args=[batch.pk])
    approve = reverse("admin:referrals_payoutbatch_approve", args=[batch.pk])
    hers, others = (client.get(url).content.decode() for client in (lead, other))
    assert (approve in hers, approve in others) == (False, True)
    assert f"These may: {other.user}." in hers
    Staff.objects.filter(pk=other.user.pk).update(is_active=False)
    assert "Nobody else has the right to yet" in lead.get(url).content.decode()
