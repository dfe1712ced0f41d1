"""Pages of programmes: how one works, her own page by a signed link, and what forged and old links get."""

import datetime as dt
import re

import pytest
from django.core.signing import b64_encode
from django.test import Client

from loyalty import operations
from loyalty.links import member_url
from loyalty.models import Claim, Member, Passing
from loyalty.rules import ProgrammeRule
from retention.incentives.models import Code
from tests.loyalty.conftest import (
    BY,
    ONE_FOR_ONE,
    customers,
    give_points,
    member,
    points_of,
    programme,
    reward,
    shop,
    unit,
)

__all__ = ["customers", "member", "programme", "reward", "shop", "unit"]
pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


@pytest.fixture(autouse=True)
def at_noon(monkeypatch, now):
    monkeypatch.setattr("retention.clock.now", lambda: now)


@pytest.fixture
def stranger():
    """A client as strict as the world, without any cookie."""
    return Client(enforce_csrf_checks=True)


@pytest.fixture
def club(programme, shop):
    shop.languages = ["en", "ko"]
    shop.save()
    return programme(names={"en": "Friends & Co", "ko": "친구들"})


def path_of(customer, club, at):
    club.refresh_from_db()
    return re.sub(r"^https?://[^/]+", "", member_url(customer.public_id, club.public_id, now=at))


def test_how_it_works_is_made_of_the_rules_that_hold_now(stranger, club, reward, programme, now):
    reward(club, names={"en": "Tote bag", "ko": "에코백"}, price=250)
    reward(club, names={"en": "Secret"}, is_in_catalogue=False)
    reward(club, names={"en": "Over"}, ends_at=now.isoformat())
    answer = stranger.get("/club/club")
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "Friends &amp; Co" in page
    assert "Tote bag <small>250 Club_points" in page
    assert "Secret" not in page
    assert "Over" not in page
    assert "never expires" in page.lower()
    assert "default-src 'none'" in answer["Content-Security-Policy"]
    assert not answer.cookies

    assert "친구들" in stranger.get("/club/club?language=ko").content.decode()
    assert "에코백" in stranger.get("/club/club", headers={"accept-language": "ko"}).content.decode()

    unnamed = {"en": "1 Club_points for every €1.00 paid", "ko": "결제 금액 €1.00당 1 Club_points"}
    for language, words in unnamed.items():
        assert f"<li>{words}</li>" in stranger.get(f"/club/club?language={language}").content.decode()
    assert "바로 사용할 수 있습니다. " in stranger.get("/club/club?language=ko").content.decode()

    club.refresh_from_db()
    rule = {**club.version.data, "earning": [{**ONE_FOR_ONE, "names": {"en": "A point for every euro"}}]}
    operations.save_programme(
        programme_id=club.pk, rule=ProgrammeRule.model_validate(rule), edited=1, now=now, by=BY
    )  # fmt: skip
    assert "A point for every euro" in stranger.get("/club/club").content.decode()
    programme("draft", is_live=False)
    assert stranger.get("/club/draft").status_code == 404
    assert stranger.get("/club/none").status_code == 404


def test_looking_changes_nothing_and_a_button_takes_once(stranger, club, reward, member, customers, now):
    one = reward(club, names={"en": "Tote bag"}, price=100, stock=9)
    hers = member(club, points=250)
    path = path_of(customers[0], club, now)
    shown = stranger.get(path)
    page = shown.content.decode()
    assert shown.status_code == 200
    assert "250 Club_points" in page
    assert "no-store" in shown["Cache-Control"]
    assert not shown.cookies
    assert not Claim.objects.exists()

    once = re.search(r'name="once" value="(\w+)"', page)[1]
    pressed = {"reward": str(one.public_id), "once": once}
    asked = stranger.post(path, pressed).content.decode()
    assert "Take “Tote bag” for 100 Club_points?" in asked
    assert "You have 250 Club_points; 150 Club_points will be left." in asked
    assert f'<a href="{path}">No, go back</a>' in asked
    assert dict(re.findall(r'name="(\w+)" value="([^"]+)"', asked)) == {**pressed, "sure": "yes"}
    assert not Claim.objects.exists()
    taken = stranger.post(path, {**pressed, "sure": "yes"}).content.decode()
    again = stranger.post(path, {**pressed, "sure": "yes"}).content.decode()

    assert Claim.objects.get().member_id == hers.pk
    assert points_of(hers, now=now) == 150
    assert "It is yours." in taken
    assert Code.objects.get().code in taken
    assert "It is yours." in again
    assert re.search(r"<li><span>Tote bag <small>[^<]*</small></span><strong>-100 Club_points</strong>", taken)


def test_what_she_cannot_have_says_why_and_is_refused_kindly(stranger, club, reward, member, customers, now):
    dear = reward(club, price=1_000)
    reward(club, price=10, starts_at=(now + DAY).isoformat())
    member(club, points=400)
    path = path_of(customers[0], club, now)
    page = stranger.get(path).content.decode()
    assert "600 Club_points more needed" in page
    assert "Not yet" in page
    assert 'name="reward"' not in page
    once = "0" * 32
    refused = stranger.post(path, {"reward": str(dear.public_id), "once": once})
    assert refused.status_code == 200
    assert "Nothing was taken from you" in refused.content.decode()
    for nonsense in ({}, {"reward": "x", "once": once}, {"choice": str(dear.public_id), "reward": str(dear.public_id)}):
        assert stranger.post(path, nonsense).status_code == 200
    assert not Claim.objects.exists()


def test_she_joins_chooses_and_leaves(stranger, club, reward, customers, now):
    first, second = reward(club, names={"en": "Tea"}), reward(club, names={"en": "Cake"})
    gives = {"kind": "choice", "reward_ids": [first.pk, second.pk]}
    club.refresh_from_db()
    rule = {
        **club.version.data,
        "milestones": [{"key": "one", "names": {"en": "First"}, "measure": "orders", "at": 1, "gives": gives}],
    }
    saved = operations.save_programme(
        programme_id=club.pk, rule=ProgrammeRule.model_validate(rule), edited=1, now=now, by=BY
    )
    explained = stranger.get(f"/club/{club.key}").content.decode()
    assert "First: one order → Tea / Cake" in explained
    path = path_of(customers[0], club, now)
    assert "You are not in this programme yet." in stranger.get(path).content.decode()
    assert "From now on you earn" in stranger.post(path, {"join": "yes"}).content.decode()
    hers = Member.objects.get()
    assert hers.joined_by == "customer"
    passing = Passing.objects.create(
        member=hers, milestone="one", times=1, version=saved.version, state="open", choose_until=now + 9 * DAY,
        passed_at=now,
    )  # fmt: skip
    passing.refresh_from_db()
    page = stranger.get(path).content.decode()
    assert "First: choose one by May 21, 2026" in page
    said = {"choice": str(passing.public_id), "reward": str(second.public_id)}
    asked = stranger.post(path, said).content.decode()
    assert "Choose “Cake”?" in asked
    assert "the others cannot be had for this any more" in asked
    leaving = stranger.post(path, {"leave": "yes"}).content.decode()
    assert "Leave Friends &amp; Co?" in leaving
    assert "Your 0 Club_points stay yours" in leaving
    assert "choose first, afterwards you cannot" in leaving
    assert not Claim.objects.exists()
    assert Member.objects.get().left_at is None
    assert "It is yours." in stranger.post(path, {**said, "sure": "yes"}).content.decode()
    assert Claim.objects.get().reward_id == second.pk
    assert "what you have stays yours" in stranger.post(path, {"leave": "yes", "sure": "yes"}).content.decode().lower()
    assert Member.objects.get().left_at == now


def test_nobody_chooses_for_another(stranger, club, reward, member, customers, now):
    one = reward(club)
    hers, other = member(club), member(club, customers[1])
    passing = Passing.objects.create(
        member=other, milestone="x", times=1, version=club.version, state="open", choose_until=now + DAY, passed_at=now
    )
    passing.refresh_from_db()
    path = path_of(customers[0], club, now)
    stranger.post(path, {"choice": str(passing.public_id), "reward": str(one.public_id)})
    assert not Claim.objects.exists()
    assert hers.pk != other.pk


def test_forged_old_and_foreign_links_answer_kindly(stranger, club, member, customers, now):
    member(club)
    good = path_of(customers[0], club, now)
    old = path_of(customers[0], club, now - 90 * DAY)
    signed = good.rpartition(".")[2]
    forged = [
        old, good[:-1], f"{good[:-2]}xx", "/m/nonsense", f"/m/{b64_encode(b'x' * 38).decode()}.{signed}",
        f"/m/{'a' * 500}.b",
    ]  # fmt: skip
    for path in forged:
        for method in (stranger.get, stranger.post):
            answer = method(path)
            assert answer.status_code == 404, path
            assert "This link does not work any more" in answer.content.decode()
    assert stranger.get(path_of(customers[0], club, now - 89 * DAY)).status_code == 200
    customers[0].erased_at = now
    customers[0].save()
    assert stranger.get(good).status_code == 404


def test_her_page_speaks_her_language(stranger, club, reward, member, customers, now):
    reward(club, names={"en": "Tote bag", "ko": "에코백"}, price=0)
    customers[0].language = "ko"
    customers[0].save()
    give_points(member(club), 1_200, now=now, expires_at=now + 60 * DAY)
    page = stranger.get(path_of(customers[0], club, now)).content.decode()
    assert 'lang="ko"' in page
    for words in ("친구들", "에코백", "무료", "보유", "2026년 7월"):
        assert words in page
