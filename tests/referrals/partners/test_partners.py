"""Partners: made and changed, with what is refused, and what the audit keeps."""

import pytest
from django.core.exceptions import ValidationError

from referrals.ibans import check_iban
from referrals.operations.commissions import earn_commission
from referrals.operations.partners import (
    BadIban,
    BadShare,
    CurrencyIsFixed,
    PartnerArchived,
    PartnerData,
    PartnerTaken,
    StillComing,
    archive_partner,
    create_partner,
    forget_partner,
    pause_partner,
    resume_partner,
    save_partner,
)
from referrals.statements.links import partner_of, statement_token
from retention.audit.models import AuditEntry
from tests.referrals.partners.conftest import BY

DATA = {"reference": "p", "name": "Ada", "basis_points": 500, "currency": "EUR", "iban": "de89 3704 0044 0532 0130 00"}


def test_an_iban_has_its_length_and_its_check_digits():
    for good in ("DE89 3704 0044 0532 0130 00", "gb82-west-1234-5698-7654-32", "NO9386011117947"):
        check_iban(good)
    # Check digits, length, country, the check digits that Spain keeps within, nothing at all.
    bad = ("DE88370400440532013000", "DE8937040044053201300", "ZZ89370400440532013000", "ES6421000418450200051333", "")
    for wrong in bad:
        with pytest.raises(ValidationError, match="not an IBAN"):
            check_iban(wrong)


def test_made_and_changed_and_the_audit_names_no_person(shop, now):
    made = create_partner(data=PartnerData(**DATA), now=now, by=BY)
    assert (made.iban, made.email) == ("DE89370400440532013000", None)
    changed = PartnerData(**{**DATA, "basis_points": 700, "email": "ada@example.com"})
    saved = save_partner(partner_id=made.pk, data=changed, now=now, by=BY)
    assert (saved.basis_points, saved.email) == (700, "ada@example.com")
    audit = AuditEntry.objects.get(verb="referrals.save_partner")
    assert audit.before == {"basis_points": 500, "currency": "EUR", "least_minor": 0}
    assert audit.after == {"basis_points": 700, "currency": "EUR", "least_minor": 0,
                           "changed": ["basis_points", "email"]}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "refusal"), [({"iban": "DE00"}, BadIban), ({"basis_points": 10_001}, BadShare)]
)  # fmt: skip
def test_what_cannot_be_is_refused(shop, now, changes, refusal):
    with pytest.raises(refusal):
        create_partner(data=PartnerData(**{**DATA, **changes}), now=now, by=BY)


def test_a_reference_is_one_partners(shop, now):
    create_partner(data=PartnerData(**DATA), now=now, by=BY)
    with pytest.raises(PartnerTaken):
        create_partner(data=PartnerData(**DATA), now=now, by=BY)


def test_the_currency_stays_once_something_was_earned(partner, referral, now):
    somebody = partner()
    dollars = PartnerData(**{**DATA, "currency": "USD"})
    save_partner(partner_id=somebody.pk, data=dollars, now=now, by=BY)
    save_partner(partner_id=somebody.pk, data=PartnerData(**DATA), now=now, by=BY)
    somebody.refresh_from_db()
    earn_commission(referral=referral(somebody), now=now, by=BY)
    with pytest.raises(CurrencyIsFixed):
        save_partner(partner_id=somebody.pk, data=dollars, now=now, by=BY)


def test_paused_her_links_bring_nobody(partner, referral, now):
    somebody = partner()
    advocate = referral(somebody).advocate
    pause_partner(partner_id=somebody.pk, now=now, by=BY)
    advocate.refresh_from_db()
    assert advocate.blocked_at == now
    resume_partner(partner_id=somebody.pk, now=now, by=BY)
    advocate.refresh_from_db()
    assert advocate.blocked_at is None


def test_archived_she_cannot_be_changed(partner, now):
    somebody = archive_partner(partner_id=partner().pk, now=now, by=BY)
    assert (somebody.is_active, somebody.archived_at) == (False, now)
    with pytest.raises(PartnerArchived):
        save_partner(partner_id=somebody.pk, data=PartnerData(**DATA), now=now, by=BY)


def test_not_forgotten_while_something_is_coming(partner, referral, now):
    somebody = partner()
    referral(somebody, state="pending")
    with pytest.raises(StillComing):
        forget_partner(partner_id=somebody.pk, now=now, by=BY)


def test_a_link_is_one_partners_until_she_is_forgotten(partner, now):
    somebody = partner()
    token = statement_token(somebody)
    assert partner_of(token) == somebody
    assert partner_of(token[:-1] + ("A" if token[-1] != "A" else "B")) is None
    assert partner_of("nonsense") is None
    forget_partner(partner_id=somebody.pk, now=now, by=BY)
    assert partner_of(token) is None
