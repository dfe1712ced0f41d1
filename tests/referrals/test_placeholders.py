"""Messages bring every customer her own link, and make her an advocate for it; a preview does not."""

from types import SimpleNamespace

import pytest

from referrals import operations
from referrals.models import Advocate
from referrals.placeholders import ReferralWords
from retention.segments.models import Membership, Segment
from tests.referrals.conftest import BY

pytestmark = pytest.mark.django_db


def delivery(pk, customer, language="en"):
    return SimpleNamespace(id=pk, customer_id=customer.pk, channel="email", language=language)


def test_everybody_has_a_link_of_her_own_by_a_fixed_number_of_queries(
    scheme, customer, now, settings, django_assert_num_queries
):
    settings.BASE_URL = "https://retention.example.com"
    scheme()
    people = [customer(f"c{n}") for n in range(8)]
    said = ReferralWords.values([delivery(n, each) for n, each in enumerate(people, start=1)], now=now)
    codes = {each.customer_id: each.code for each in Advocate.objects.all()}
    assert {pk: words["link"] for pk, words in said.items()} == {
        n: f"https://retention.example.com/r/{codes[each.pk]}?via=email" for n, each in enumerate(people, start=1)
    }
    assert {words["friend_gets"] for words in said.values()} == {"10% off"}
    with django_assert_num_queries(3):
        assert ReferralWords.values([delivery(n, each) for n, each in enumerate(people, start=1)], now=now) == said
    assert ReferralWords.values([delivery(1, people[0], "de")], now=now)[1]["friend_gets"] == "10 % Rabatt"


def test_a_preview_makes_nobody_an_advocate(scheme, customer, now):
    scheme()
    assert ReferralWords.values([delivery(0, customer("anna"))], now=now) == {}
    assert Advocate.objects.count() == 0


def test_the_scheme_that_is_for_her_and_none_while_none_is_live(scheme, customer, now):
    segment = Segment.objects.create(name="Fans", rule={"key": "country", "args": {"countries": ["DE"]}})
    anna, bela = customer("anna"), customer("bela")
    fans = scheme("fans", segment_id=segment.pk)
    assert ReferralWords.values([delivery(1, anna)], now=now) == {}
    Membership.objects.create(segment=segment, customer=anna, entered_at=now)
    found = operations.links_of([anna.pk, bela.pk], now=now)
    assert {pk: link.scheme_id for pk, link in found.items()} == {anna.pk: fans.pk}
    everybody = scheme("everybody")
    found = operations.links_of([anna.pk, bela.pk], now=now)
    assert {pk: link.scheme_id for pk, link in found.items()} == {anna.pk: fans.pk, bela.pk: everybody.pk}
    operations.pause_scheme(scheme_id=everybody.pk, now=now, by=BY)
    assert set(operations.links_of([anna.pk, bela.pk], now=now)) == {anna.pk}
    operations.block_advocate(advocate_id=Advocate.objects.get(customer=anna).pk, is_blocked=True, now=now, by=BY)
    assert operations.links_of([anna.pk, bela.pk], now=now) == {}
