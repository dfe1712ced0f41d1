"""The console's pages of what members get: written, started, taken back, and shown to whoever may see them."""

import pytest

from loyalty import operations
from loyalty.models import Challenge, Claim, Passing, Reward, Surprise
from loyalty.operations import claims
from loyalty.rules import ProgrammeRule
from retention.customers.models import Product
from retention.incentives import operations as incentives
from retention.incentives.models import Incentive
from retention.incentives.rules import IncentiveRule
from tests.console.conftest import as_role, person
from tests.loyalty.conftest import BY, points_of

__all__ = ["as_role", "person"]
pytestmark = pytest.mark.django_db
PAGE = "/admin/loyalty"


@pytest.fixture(autouse=True)
def at_noon(monkeypatch, now):
    monkeypatch.setattr("retention.clock.now", lambda: now)


@pytest.fixture
def incentive(shop, now):
    rule = {"name": "Ten off", "effects": [{"kind": "percent", "basis_points": 1000}]}
    return incentives.create_incentive(rule=IncentiveRule.model_validate(rule), now=now, by=BY)


def typed(programme, incentive, **more):
    return {
        "programme": programme.pk, "names_en": "Ten off", "kind": "coupon", "given": incentive.pk, "price": "200",
        "stock": "5", "within": "month", "per_customer": "1", "gives_back": "on", "is_in_catalogue": "on",
        "categories": "Shoes, Hats/Felt", "starts_0": "2026-06-01", "starts_1": "08:00", **more,
    }  # fmt: skip


def press(client, page, button, **said):
    """Sends a dialog as its confirm button does."""
    return client.post(f"{page}{button}/", {"_form_submitted": "True", **said})


def saved(response):
    assert response.status_code == 302, response.content.decode()[-3_000:]


def test_a_reward_is_written_changed_started_and_stopped(as_role, programme, incentive):
    club, marketer = programme(), as_role("marketer")
    saved(marketer.post(f"{PAGE}/reward/add/", typed(club, incentive)))
    reward = Reward.objects.get()
    rule = reward.version.data
    assert (rule["names"], rule["price"], rule["stock"], rule["within"]) == ({"en": "Ten off"}, 200, 5, "month")
    assert (rule["categories"], rule["starts_at"]) == (["Shoes", "Hats/Felt"], "2026-06-01T08:00:00+02:00")

    page = f"{PAGE}/reward/{reward.pk}/change/"
    shown = marketer.get(page).content.decode()
    assert 'value="Shoes, Hats/Felt"' in shown
    assert "0 of 5" not in shown
    assert "of 5 · 5 left" in shown
    saved(marketer.post(page, typed(club, incentive, price="250", starts_0="", starts_1="", edited="1", why="dearer")))
    reward.refresh_from_db()
    assert (reward.price, reward.version.number, reward.version.why) == (250, 2, "dearer")
    again = marketer.post(page, typed(club, incentive, edited="1"))
    assert "Someone saved version 2" in again.content.decode()

    assert press(marketer, f"{PAGE}/reward/{reward.pk}/", "start").status_code == 200
    assert Reward.objects.get().state == "live"
    assert press(marketer, f"{PAGE}/reward/{reward.pk}/", "stop").status_code == 200
    assert Reward.objects.get().state == "stopped"
    assert "Ten off" in marketer.get(f"{PAGE}/reward/").content.decode()


def test_what_does_not_fit_is_said_on_the_form(as_role, programme, incentive):
    club, marketer = programme(), as_role("marketer")
    card = marketer.post(f"{PAGE}/reward/add/", typed(club, incentive, kind="gift_card")).content.decode()
    assert "it is not a gift card" in card
    ends = {"ends_0": "2026-05-01", "ends_1": "08:00"}
    assert "It begins before it ends." in marketer.post(
        f"{PAGE}/reward/add/", typed(club, incentive, **ends)
    ).content.decode()  # fmt: skip
    assert not Reward.objects.exists()


def test_an_agent_takes_a_claim_back_and_an_analyst_only_looks(as_role, programme, reward, member, now):
    club = programme()
    hers = member(club, points=300)
    claim = claims.claim(reward_id=reward(club).pk, member_id=hers.pk, source="a", now=now, by=BY)
    path = f"{PAGE}/claim/{claim.pk}/"
    analyst = as_role("analyst")
    assert "100 Club_points" in analyst.get(f"{path}change/").content.decode()
    assert press(analyst, path, "give-back", reason="x").status_code == 403
    agent = as_role("support agent")
    assert "c1" in agent.get(f"{PAGE}/claim/").content.decode()
    assert press(agent, path, "give-back", reason="changed her mind").status_code == 200
    assert Claim.objects.get().state == "returned"
    assert points_of(hers, now=now) == 300
    refused = press(agent, path, "give-back", reason="again").content.decode()
    assert "returned before" in refused


def test_a_refused_milestone_is_given_again(as_role, programme, member, now):
    club = programme()
    one = Passing.objects.create(
        member=member(club), milestone="ten", times=1, version=club.version, state="refused",
        refusal="loyalty.reward_gone", passed_at=now,
    )  # fmt: skip
    agent = as_role("support agent")
    assert "This reward is gone." in agent.get(f"{PAGE}/passing/{one.pk}/change/").content.decode()
    assert press(agent, f"{PAGE}/passing/{one.pk}/", "again").status_code == 200
    assert Passing.objects.get().state == "due"
    assert "ten" in agent.get(f"{PAGE}/passing/").content.decode()


def test_challenges_and_surprises_are_written_started_and_stopped(as_role, programme, reward, member):
    club, marketer = programme(), as_role("marketer")
    member(club)
    given = reward(club)
    said = {"programme": club.pk, "names_en": "Explorer", "task": "orders", "count": "3", "least": "20", "badge": "on"}
    saved(marketer.post(f"{PAGE}/challenge/add/", {**said, "within_days": "30", "points": "50", "reward": given.pk}))
    challenge = Challenge.objects.get()
    rule = challenge.version.data
    assert rule["task"] == {"kind": "orders", "count": 3, "least_minor": 2_000}
    assert (rule["within_days"], rule["points"], rule["reward_id"]) == (30, 50, given.pk)
    page = f"{PAGE}/challenge/{challenge.pk}/"
    assert 'value="20"' in marketer.get(f"{page}change/").content.decode()
    spend = {**said, "task": "spend", "count": "100", "edited": "1"}
    saved(marketer.post(f"{page}change/", spend))
    challenge.refresh_from_db()
    assert challenge.version.data["task"] == {"kind": "spend", "amount_minor": 10_000}
    for name, state in (("start", "live"), ("stop", "stopped")):
        assert press(marketer, page, name).status_code == 200
        assert Challenge.objects.get().state == state

    treat = {
        "programme": club.pk,
        "names_en": "Treat",
        "reward": given.pk,
        "drawn": "order",
        "percent": "12.5",
        "rest_days": "30",
    }
    without = marketer.post(f"{PAGE}/surprise/add/", treat).content.decode()
    assert "chance alone is no limit" in without
    saved(marketer.post(f"{PAGE}/surprise/add/", {**treat, "weekdays": ["0", "4"], "most_a_month": "20"}))
    surprise = Surprise.objects.get()
    rule = surprise.version.data
    assert (rule["chance"], rule["weekdays"], rule["limits"]["limits"][0]["issued"]) == (1250, [0, 4], 20)
    page = f"{PAGE}/surprise/{surprise.pk}/"
    assert "members would win" in marketer.get(f"{page}start/").content.decode()
    assert press(marketer, page, "start").status_code == 200
    assert 'value="12.5"' in marketer.get(f"{page}change/").content.decode()
    assert "12.5 % of orders" in as_role("analyst").get(f"{page}change/").content.decode()
    assert "20 grants a month" in marketer.get(f"{PAGE}/surprise/").content.decode()


def test_a_reward_and_what_it_gives_are_written_at_once(as_role, programme, now):
    club, marketer = programme(), as_role("marketer")
    product = Product.objects.create(sku="MUG", name="Mug", price_minor=900, currency="EUR", recorded_at=now)
    new = {"programme": club.pk, "given": "", "price": "200", "within": "life", "gives_back": "on", "off": "percent"}
    page = f"{PAGE}/reward/add/"
    told = [
        ("coupon", {"percent": "12.5", "days": "30"}, {"kind": "percent", "basis_points": 1250}, 720),
        ("coupon", {"off": "amount", "amount": "5"}, {"kind": "amount", "amounts": {"EUR": 500}}, None),
        ("coupon", {"off": "shipping"}, {"kind": "free_shipping"}, None),
        ("gift_card", {"amount": "9", "days": "90"}, {"kind": "gift_card", "amounts": {"EUR": 900}, "days": 90}, None),
        ("credit", {"amount": "7.50"}, {"kind": "store_credit", "amounts": {"EUR": 750}, "days": None}, None),
        ("product", {"product": product.pk}, {"kind": "free_product", "products": ["MUG"]}, None),
        ("donation", {"work": "Plant it."}, {"kind": "experience", "instructions": "Plant it."}, None),
    ]  # fmt: skip
    for kind, more, effect, hours in told:
        saved(marketer.post(page, {**new, "names_en": kind, "kind": kind, **more}))
        reward = Reward.objects.select_related("incentive__version").latest("pk")
        rule = reward.incentive.version.data
        assert (reward.kind, rule["name"], reward.version.data["incentive_id"]) == (kind, kind, reward.incentive_id)
        assert {name: rule["effects"][0][name] for name in effect} == effect
        assert (rule["codes"]["kind"], rule["validity"]["hours_after_given"]) == ("unique", hours)
        assert press(marketer, f"{PAGE}/reward/{reward.pk}/", "start").status_code == 200
        reward.incentive.refresh_from_db()
        assert (reward.incentive.state, Reward.objects.get(pk=reward.pk).state) == ("live", "live")
    made = (Reward.objects.count(), Incentive.objects.count())
    for kind, more in [
        ("coupon", {}),
        ("gift_card", {}),
        ("product", {}),
        ("coupon", {"off": "amount", "amount": "0"}),
    ]:
        answer = marketer.post(page, {**new, "names_en": "Nothing", "kind": kind, **more})
        assert "Fill this in." in answer.content.decode()
    assert "more digits" in marketer.post(
        page, {**new, "names_en": "Odd", "kind": "credit", "amount": "1.234"}
    ).content.decode()  # fmt: skip
    assert (Reward.objects.count(), Incentive.objects.count()) == made
    refused = marketer.post(page, {**new, "kind": "coupon", "percent": "10"})
    assert refused.status_code == 200
    assert (Reward.objects.count(), Incentive.objects.count()) == made


def test_what_gives_drafts_takes_them_live_with_it(as_role, programme, reward, now):
    club = programme(is_live=False)
    drafts = [reward(club, is_live=False, names={"en": name}) for name in ("First", "Second", "Third", "Fourth")]
    entry = incentives.create_incentive(
        rule=IncentiveRule.model_validate({"name": "Hello", "effects": [{"kind": "percent", "basis_points": 500}]}),
        now=now, by=BY,
    )  # fmt: skip
    step = {"key": "gold", "names": {"en": "Gold"}, "threshold": 100, "rewards": [entry.pk]}
    milestone = {"key": "ten", "names": {"en": "Ten"}, "measure": "orders", "at": 10}
    milestone["gives"] = {"kind": "automatic", "reward_id": drafts[0].pk}
    rule = {**club.version.data, "tiers": {"measure": "points", "steps": [step]}, "milestones": [milestone]}
    rule = ProgrammeRule.model_validate(rule)
    operations.save_programme(programme_id=club.pk, rule=rule, edited=1, now=now, by=BY)
    states = Reward.objects.order_by("pk").values_list("state", flat=True)
    assert list(states) == ["draft"] * 4
    operations.launch_programme(programme_id=club.pk, now=now, by=BY)
    entry.refresh_from_db()
    assert (list(states.all()), entry.state) == (["live", "draft", "draft", "draft"], "live")

    marketer = as_role("marketer")
    said = {"programme": club.pk, "names_en": "Explorer", "task": "orders", "count": "3", "reward": drafts[1].pk}
    saved(marketer.post(f"{PAGE}/challenge/add/", said))
    assert press(marketer, f"{PAGE}/challenge/{Challenge.objects.get().pk}/", "start").status_code == 200
    assert list(states.all()) == ["live", "live", "draft", "draft"]
    saved(
        marketer.post(
            f"{PAGE}/challenge/{Challenge.objects.get().pk}/change/", {**said, "reward": drafts[2].pk, "edited": "1"}
        )
    )
    assert list(states.all()) == ["live", "live", "live", "draft"]


def test_a_window_of_its_own_hands_what_was_written_to_the_form(as_role, programme):
    club, marketer = programme(), as_role("marketer")
    form = marketer.get(f"{PAGE}/challenge/add/").content.decode()
    assert 'data-popup="yes" id="add_id_reward" href="/admin/loyalty/reward/add/?_to_field=id&amp;_popup=1"' in form
    gift = "/admin/incentives/incentive/add/?gift=&_popup=1"
    assert "Takes off" in marketer.get(gift).content.decode()
    said = {"name": "Hello", "kind": "coupon", "off": "percent", "percent": "5", "_popup": "1"}
    made = marketer.post(gift, said).content.decode()
    assert "Hello" in made
    assert "popup_response" in made
    assert f"&quot;{Incentive.objects.get(name='Hello').pk}&quot;" in made
    editor = marketer.get(f"{PAGE}/programme/{club.pk}/change/").content.decode()
    assert f"/admin/loyalty/reward/add/?programme={club.pk}" in editor
    assert "/admin/incentives/incentive/add/?gift=" in editor
