"""A shop with something in every state that an operation of the API wants, and a caller that knows its ids."""

import datetime as dt
import json
import re
from typing import Any

from django.test import Client

from campaigns import operations as planning
from campaigns.calendar.operations import Where, save_calendar
from campaigns.models import Campaign
from campaigns.schemas_manage import plan_out, read_plan
from loyalty import operations as loyalty
from loyalty.models import Passing
from loyalty.operations import challenges, claims, rewards, surprises
from loyalty.rules import ProgrammeRule
from loyalty.rules.challenges import ChallengeRule
from loyalty.rules.rewards import RewardRule
from loyalty.rules.surprises import SurpriseRule
from referrals import operations as referring
from referrals.models import Advocate, Referral
from referrals.operations.commissions import account_of
from referrals.operations.partners import PartnerData, create_partner
from referrals.operations.payouts import approve_payouts, draw_up
from referrals.references import read_rule
from referrals.seeds import seed as seed_referrals
from retention import clock
from retention.actors import Actor
from retention.api.mount import api
from retention.customers.models import Customer
from retention.customers.operations.life_events import save_life_event
from retention.doors.endpoints import scopes
from retention.doors.keys import create_key
from retention.incentives import operations as incentives
from retention.incentives.models import Code, Fulfilment, Incentive, Redemption
from retention.incentives.operations import gift_cards
from retention.ledger import operations as ledger
from retention.ledger.units import UnitRule
from retention.messaging.models import Pause, Template
from retention.messaging.operations import save_block
from retention.messaging.operations.suppressing import suppress
from retention.segments.models import Segment
from retention.segments.operations import create_stage
from retention.shop.models import Staff
from retention.webhooks import operations as hooks
from retention.webhooks.models import Notice
from tests.matrix import world
from tests.matrix.bodies import CARD, CLUB, COUNTRY, FRIEND, GOOD, LUCK, PARENT, PARTNER, TREAT, TWICE, UNKNOWN
from tests.matrix.world import BY, NOW

DOCUMENT = api.get_openapi_schema(path_prefix="/api/v1/")
OPERATIONS = {
    operation["operationId"]: (method, path, operation)
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
}


class Api:
    """The real door with a key for everything."""

    def __init__(self) -> None:
        self.client = Client(raise_request_exception=False)
        self.secret = create_key(name="matrix", scopes=scopes, known=scopes, now=NOW, by=Actor.command("test")).secret
        self.number = 0
        self.ids: dict[str, Any] = {}

    def send(self, name: str, body: Any = None, *, query: str = "", content_type: str = "application/json", **headers):
        method, path, _operation = OPERATIONS[name]
        return self.ask(method, self.address(name, path) + query, body, content_type=content_type, **headers)

    def ask(self, method: str, address: str, body: Any = None, *, content_type: str = "application/json", **headers):
        self.number += 1
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        headers = {"authorization": f"Bearer {self.secret}", "idempotency-key": f"k{self.number}", **headers}
        return self.client.generic(method.upper(), address, data, content_type=content_type, headers=headers)

    def address(self, name: str, path: str) -> str:
        room = path.removeprefix("/api/v1/").split("/")[0]
        own = {**self.ids, "id": self.ids.get(name, self.ids.get(room, UNKNOWN))}
        return re.sub(r"\{(\w+)\}", lambda match: str(own[match[1]]), path)


def furnish() -> Api:
    """The shop, and the door to it."""
    world.furnish()
    door = Api()
    stopped = world.offer("Stopped", is_live=True, codes={"kind": "unique"})
    incentives.stop(incentive_id=stopped.pk, now=NOW, by=BY)
    world.bring("codes", {"code": "USED11", "incentive": "Other"})
    assert door.send("redeem", {**GOOD["redeem"], "codes": ["USED11"]}).status_code == 201
    promised = world.offer("Card", is_live=True, codes={"kind": "unique"}, effects=CARD)
    for source in ("card 1", "card 2"):
        world.give(promised, source)
    first, second = Fulfilment.objects.order_by("pk")
    suppress(address="suppressed@example.com", now=NOW, by=BY)
    Pause.objects.create(channel="sms", reason="messaging.bad_bounces", params={"n": 9, "sent": 99}, since=NOW)
    door.ids = {
        **cards(),
        "fulfilments": first.public_id,
        "cancel_fulfilment": second.public_id,
        "customers": Customer.objects.get(reference="a").public_id,
        "stages": create_stage(key="sample", name={"en": "Sample"}, rule=COUNTRY, now=NOW, by=BY).public_id,
        "life_event": save_life_event(life_event_id=None, values=PARENT, now=NOW, by=BY).attribute.key,
        "calendars": save_calendar(
            calendar_id=None, name="Fairs", where=Where(countries=("DE",)), now=NOW, by=BY
        ).public_id,
        "segments": Segment.objects.filter(version__number=1).first().public_id,
        "templates": Template.objects.filter(version__number=1).first().public_id,
        "incentives": Incentive.objects.get(name="Handout").public_id,
        "resume_incentive": stopped.public_id,
        "redemptions": Redemption.objects.get().public_id,
        **campaigns(),
        **referrals(),
        **partners(),
        **rewards_of_a_programme(),
        **webhooks(),
        "customer": programmes(),
        "kind": "customers", "sku": "LP", "reference": "O1", "code": "TAKEN1", "batch_id": UNKNOWN,
        "key": "gift_card_eur",
        "block": save_block(**GOOD["create_block"] | {"key": "sample"}, edited=None, now=NOW, by=BY).key,
    }  # fmt: skip
    return door


def rewards_of_a_programme() -> dict[str, Any]:
    """A programme with a member who took a reward, has one to choose, and a challenge and a surprise to do and win."""
    ledger.create_unit(key="sample_points", rule=UnitRule(name="Points", kind="points"), now=NOW, by=BY)
    rule: dict[str, Any] = {
        "names": {"en": "Sample"}, "earning": [{"kind": "per_amount", "key": "base", "amount": 1, "per_minor": 100}],
    }  # fmt: skip
    said = {"key": "sample", "unit_key": "sample_points", "now": NOW, "by": BY}
    club = loyalty.create_programme(rule=ProgrammeRule.model_validate(rule), **said)
    loyalty.launch_programme(programme_id=club.pk, now=NOW, by=BY)
    customer = Customer.objects.get(reference="a")
    (member,) = loyalty.join(programme_id=club.pk, customer_ids=[customer.pk], now=NOW, by=BY).members.values()
    given = world.offer("Treat", is_live=True, codes={"kind": "unique"})
    treat = RewardRule.model_validate({**TREAT, "incentive_id": given.pk})
    made = [rewards.create_reward(programme_id=club.pk, rule=treat, now=NOW, by=BY) for _ in range(2)]
    for reward in made:
        rewards.start_reward(reward_id=reward.pk, now=NOW, by=BY)
    gives = {"kind": "choice", "reward_ids": [reward.pk for reward in made]}
    rule["milestones"] = [{"key": "one", "names": {"en": "One"}, "measure": "orders", "at": 1, "gives": gives}]
    saved = loyalty.save_programme(
        programme_id=club.pk, rule=ProgrammeRule.model_validate(rule), edited=1, now=NOW, by=BY
    )
    choice = Passing.objects.create(
        member_id=member, milestone="one", times=1, version=saved.version, state="open", passed_at=NOW,
        choose_until=clock.now() + dt.timedelta(days=9),
    )  # fmt: skip
    choice.refresh_from_db()
    claim = claims.claim(reward_id=made[0].pk, member_id=member, source="matrix", now=NOW, by=BY)
    claim.refresh_from_db()
    challenge = challenges.create_challenge(
        programme_id=club.pk, rule=ChallengeRule.model_validate(TWICE), now=NOW, by=BY
    )  # fmt: skip
    luck = SurpriseRule.model_validate({**LUCK, "reward_id": made[0].pk})
    surprise = surprises.create_surprise(programme_id=club.pk, rule=luck, now=NOW, by=BY)
    for row in (*made, challenge, surprise):
        row.refresh_from_db()
    reward, incentive = str(made[0].public_id), str(given.public_id)
    for name in ("create_reward", "change_reward"):
        GOOD[name]["incentive"] = incentive
    for name in ("create_claim", "choose", "create_surprise", "change_surprise"):
        GOOD[name]["reward"] = reward
    GOOD["create_claim"]["customer"] = str(customer.public_id)
    return {
        "change_reward": reward, "return_claim": claim.public_id, "choose": choice.public_id,
        "change_challenge": challenge.public_id, "change_surprise": surprise.public_id, "programme": "sample",
        "customer": customer.public_id,
    }  # fmt: skip


def campaigns() -> dict[str, Any]:
    """A campaign in each state that an operation wants; what it plans is a good body too."""
    drafted = Campaign.objects.select_related("version").get()
    plan = {**plan_out(drafted.version.data), "ramp": {"first": 5}}
    GOOD["create_campaign"] = {"plan": plan}
    GOOD["change_campaign"] = {"edited": 1, "plan": plan}
    reviewed = planning.clone(campaign_id=drafted.pk, now=NOW, by=BY)
    planning.submit(campaign_id=reviewed.pk, now=NOW, by=BY)
    ramped = planning.create_campaign(plan=read_plan(plan), now=NOW, by=BY)
    planning.approve(campaign_id=ramped.pk, version=1, now=NOW, by=BY)
    planning.launch(campaign_id=ramped.pk, now=NOW, by=BY)
    return {
        "campaigns": drafted.public_id,
        "reject_campaign": reviewed.public_id,
        "widen_campaign": ramped.public_id,
    }


def partners() -> dict[str, Any]:
    """A partner with payouts that were approved, and some cash more."""
    told = PartnerData(**{**PARTNER, "reference": "sample"})
    partner = create_partner(data=told, now=NOW, by=BY)
    account = account_of(partner, now=NOW, by=BY)
    ledger.adjust(account_id=account, amount=500, source="cash", reason="sample", now=NOW, by=BY)
    batch = draw_up(currency="EUR", now=NOW, by=BY)
    approve_payouts(batch_id=batch.pk, now=NOW, by=Actor.staff(Staff.objects.create_user("approver")))
    ledger.adjust(account_id=account, amount=300, source="more", reason="sample", now=NOW, by=BY)
    rule = {"names": {"en": "Affiliates"}, "kind": "partners"}
    referring.create_scheme(key="affiliates", rule=read_rule(rule), now=NOW, by=BY)
    of_her = dict.fromkeys(("change_partner", "enrol_partner"), partner.public_id)
    return {**of_her, "settle_payouts": batch.public_id}


def referrals() -> dict[str, Any]:
    """A live scheme whose advocate has the code FR1END, and a referral that waits for a person."""
    seed_referrals(now=NOW)
    rule = {"names": {"en": "Friends"}, "friend_incentive": str(Incentive.objects.get(name="Handout").public_id)}
    GOOD["create_scheme"] = {"key": "another", "rule": rule}
    GOOD["change_scheme"] = {"edited": 1, "rule": rule}
    scheme = referring.create_scheme(key="friends", rule=read_rule(rule), now=NOW, by=BY)
    referring.launch_scheme(scheme_id=scheme.pk, now=NOW, by=BY)
    who = Customer.objects.get(reference="a").pk
    advocate = Advocate.objects.get(
        pk=referring.open_advocates(scheme_id=scheme.pk, customer_ids=[who], now=NOW, by=BY).advocates[who][0]
    )
    Advocate.objects.filter(pk=advocate.pk).update(code="FR1END")
    friend = Customer.objects.create(public_id=FRIEND, email="friend@mailinator.com", recorded_at=NOW)
    a, b, silent = (str(Customer.objects.get(reference=name).public_id) for name in ("a", "b", "silent"))
    GOOD["open_advocates"] = {"customers": [a, b]}
    GOOD["call_customers"]["customers"] = [a]
    GOOD["get_referral_link"] = {"customer": b}
    GOOD["refer"] = {"code": "FR1END", "customer": silent}
    referred = referring.refer(code="FR1END", friend_id=friend.pk, source="matrix", now=NOW, by=BY).referral
    Referral.objects.filter(pk=referred.pk).update(state="review")
    ids = dict.fromkeys(("approve_referral", "reject_referral", "get_referral"), referred.public_id)
    return {"referrals": scheme.public_id, "get_advocate": advocate.public_id, **ids}


def webhooks() -> dict[str, Any]:
    """An endpoint with a notice that has ended, and one that is off."""
    made = [
        hooks.create_endpoint(name=name, url="https://shop.example.com/", of=[], now=NOW, by=BY)
        for name in ("On", "Off")
    ]
    hooks.switch_off(endpoint_id=made[1].pk, now=NOW, by=BY)
    notice = hooks.send_test(endpoint_id=made[0].pk, now=NOW, by=BY)
    Notice.objects.filter(pk=notice.pk).update(state="delivered", next_at=None, ended_at=NOW)
    return {
        "webhooks": made[0].public_id, "switch_endpoint_on": made[1].public_id,
        **dict.fromkeys(("get_notice", "replay_notice"), notice.public_id),
    }  # fmt: skip


def programmes() -> Any:
    """A programme of the key that addresses name, with customer a in it: her id."""
    rule = ProgrammeRule.model_validate(CLUB)
    made = loyalty.create_programme(key="gift_card_eur", unit_key="gift_card_eur", rule=rule, now=NOW, by=BY)
    loyalty.launch_programme(programme_id=made.pk, now=NOW, by=BY)
    customer = Customer.objects.get(reference="a")
    loyalty.join(programme_id=made.pk, customer_ids=[customer.pk], now=NOW, by=BY)
    return customer.public_id


def cards() -> dict[str, Any]:
    """A gift card in each state, by the operation that wants it so."""
    made = [
        gift_cards.create_card(amount_minor=500, currency="EUR", source=f"m{n}", is_active=n != 1, now=NOW, by=BY)
        for n in range(3)
    ]
    Code.objects.filter(pk=made[0].code_id).update(code="CARDAAAABBBB")
    gift_cards.block_card(card_id=made[2].pk, reason="stolen", now=NOW, by=BY)
    names = ("gift-cards", "activate_gift_card", "unblock_gift_card")
    return dict(zip(names, [card.public_id for card in made], strict=True))
