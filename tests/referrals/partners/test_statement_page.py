"""A partner's own page: by her link alone, month by month, in her language, and nothing for anybody else."""

import datetime as dt

import time_machine

from referrals.models import Referral
from referrals.operations.commissions import earn_commission, take_back_commission
from referrals.operations.partners import forget_partner, renew_link, revoke_link
from referrals.statements.links import statement_token, statement_url
from referrals.statements.reading import statement
from tests.referrals.partners.conftest import BY


def test_by_her_link_month_by_month(client, partner, referral, now):
    somebody = partner(name="Ada")
    brought = referral(somebody)
    earn_commission(referral=brought, now=now, by=BY)
    token = statement_token(somebody)
    with time_machine.travel(now + dt.timedelta(days=30), tick=False):
        june = client.get(f"/a/{token}")
        assert (june.status_code, june["X-Robots-Tag"]) == (200, "noindex")
        assert "Nothing in this month." in june.content.decode()
        assert june.content.decode().count("€8.00") == 2  # opening and closing
        may = client.get(f"/a/{token}?month=2026-05").content.decode()
        assert "Ada" in may
        assert "Commission <small>2026-05-12</small>" in may
        rows = client.get(f"/a/{token}?month=2026-05&format=csv").content.decode().splitlines()
        assert rows[2] == "2026-05-12,commission,8.00,EUR,10,80.00,8.00"
        korean = client.get(f"/a/{token}?month=2026-05", headers={"accept-language": "ko"}).content.decode()
        assert "정산 내역" in korean
        assert client.get(f"/a/{token}?month=nonsense").status_code == 200


def test_its_days_are_the_shops(client, partner, referral, now):
    somebody = partner()
    late = now.replace(month=5, day=31, hour=22, minute=30)  # half past midnight in Berlin
    earn_commission(referral=referral(somebody), now=late, by=BY)
    with time_machine.travel(late, tick=False):
        june = client.get(f"/a/{statement_token(somebody)}").content.decode()
    assert "Commission <small>2026-06-01</small>" in june
    assert "As of 2026-06-01 00:30" in june


def test_a_link_that_was_renewed_or_revoked_is_dead(client, partner, now):
    somebody = partner()

    def opens():
        """Whether each link that there ever was still does."""
        return [client.get(f"/a/{token}").status_code == 200 for token in tokens]

    tokens = [statement_token(somebody)]
    tokens.append(statement_token(renew_link(partner_id=somebody.pk, now=now, by=BY)))
    assert opens() == [False, True]
    assert statement_url(revoke_link(partner_id=somebody.pk, now=now, by=BY)) == ""
    assert opens() == [False, False]
    tokens.append(statement_token(renew_link(partner_id=somebody.pk, now=now, by=BY)))
    assert opens() == [False, False, True]
    assert client.get(f"/a/{tokens[0]}").content == client.get("/a/nobodys.link").content


def test_nobody_elses_and_none_once_she_is_forgotten(client, partner, referral, now):
    somebody = partner()
    token = statement_token(somebody)
    assert client.get(f"/a/{token[:-2]}xx").status_code == 404
    brought = referral(somebody, state="rejected")
    take_back_commission(referral=brought, now=now, by=BY)
    forget_partner(partner_id=somebody.pk, now=now, by=BY)
    assert client.get(f"/a/{token}").status_code == 404


def test_what_is_coming_is_what_it_will_earn(client, partner, referral, order, came_back, rate, now):
    somebody, abroad, other = partner(), partner(currency="USD"), partner(currency="CHF")
    held = referral(somebody, order(10_487), state="hold")
    partly, gone = order(8_000), order(8_000)
    kept = [held, referral(somebody, partly, state="review"), referral(somebody, state="approved")]
    kept.append(referral(somebody, gone, state="hold"))
    came_back(partly, 1_000)
    came_back(gone, 8_000)
    referral(somebody, state="reversed")
    referral(somebody, state="rejected")
    referral(abroad, state="hold")
    referral(other, state="hold")  # nobody said her rate
    rate("USD", "0.5")

    def told(who):
        found = statement(who, first=now.date(), last=now.date(), now=now)
        return found.coming_minor, found.pending_minor, found.closing_minor

    assert told(somebody) == (1_049 + 700 + 800, 0, 0)
    assert (told(abroad), told(other)) == ((1_600, 0, 0), (0, 0, 0))
    with time_machine.travel(now, tick=False):
        page = client.get(f"/a/{statement_token(somebody)}").content.decode()
    assert "Coming, once orders can no longer be returned: €25.49" in page
    for each in kept:
        Referral.objects.filter(pk=each.pk).update(state="rewarded")
        each = Referral.objects.get(pk=each.pk)
        earn_commission(referral=each, now=now, by=BY)
    assert told(somebody) == (0, 0, 2_549)
