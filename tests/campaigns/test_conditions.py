"""What campaigns did with her, and what she did with it, asked of customers known by name."""
# ruff: noqa: E501 (a table reads best in lines)

import pytest
from django.db import transaction

from campaigns import conditions as room
from campaigns.models import Touch
from campaigns.operations import create_from_playbook
from retention.actors import Actor
from retention.incentives.models import Code, Grant, Incentive, Redemption, Use
from retention.messaging.models import Delivery, Template
from retention.messaging.models.tracking import Event
from retention.registries import conditions, playbooks
from retention.segments import rules
from retention.segments.querysets import members
from tests.segments import facts
from tests.segments.facts import NOW, ago

pytestmark = pytest.mark.django_db
BY = Actor.command("test")
LIVE = {"anna", "boris", "chloe", "gala"}
EVER, WEEK = {"window": "ever"}, {"window": "last", "days": 7}
WELCOME, BACK = {"playbooks": ["welcome"]}, {"playbooks": ["win_back"]}
MADE = "a campaign made from “{}”"

#: key, arguments, who is meant, the sentence
TABLE = [
    ("campaign_touched", EVER, "anna boris", "was touched by any campaign"),
    ("campaign_touched", {**WELCOME, **EVER}, "anna boris", f"was touched by {MADE.format(playbooks['welcome'].label)}"),
    ("campaign_touched", {**BACK, **EVER}, "", f"was touched by {MADE.format(playbooks['win_back'].label)}"),
    ("campaign_touched", {**WELCOME, **WEEK}, "boris", f"was touched by {MADE.format(playbooks['welcome'].label)} in the last 7 days"),
    ("campaign_sent", {**WELCOME, **EVER}, "anna boris", f"was sent a message of {MADE.format(playbooks['welcome'].label)}"),
    ("campaign_sent", {**BACK, **EVER}, "", f"was sent a message of {MADE.format(playbooks['win_back'].label)}"),
    ("campaign_opened", EVER, "anna", "opened a message of any campaign"),
    ("campaign_opened", {**WELCOME, **WEEK}, "", f"opened a message of {MADE.format(playbooks['welcome'].label)} in the last 7 days"),
    ("campaign_clicked", {**WELCOME, **EVER}, "anna", f"clicked in a message of {MADE.format(playbooks['welcome'].label)}"),
    ("campaign_clicked", {**BACK, **EVER}, "", f"clicked in a message of {MADE.format(playbooks['win_back'].label)}"),
    ("campaign_redeemed", EVER, "anna", "redeemed an offer of any campaign"),
    ("campaign_redeemed", {**WELCOME, **WEEK}, "", f"redeemed an offer of {MADE.format(playbooks['welcome'].label)} in the last 7 days"),
    ("campaign_redeemed", {**BACK, **EVER}, "", f"redeemed an offer of {MADE.format(playbooks['win_back'].label)}"),
    ("campaign_converted", {**WELCOME, **EVER}, "boris", f"did what {MADE.format(playbooks['welcome'].label)} is for"),
    ("campaign_arm", {"arms": ["b"], **EVER}, "boris", "is in the arm “b” of any campaign"),
    ("campaign_arm", {"arms": ["b", "held-out"], **WELCOME, **EVER}, "boris chloe", f"is in the arm “b” or “held-out” of {MADE.format(playbooks['welcome'].label)}"),
]  # fmt: skip


class World:
    """Anna was welcomed long ago, clicked, and used her code; Boris lately, and ordered; Chloe was held out."""

    def __init__(self) -> None:
        self.people = facts.small_shop()
        self.names = {customer.pk: name for name, customer in self.people.items()}
        self.welcome, self.back = (create_from_playbook(key=key, now=NOW, by=BY) for key in ("welcome", "win_back"))
        anna = self.touch("anna", ago(40), variant="a")
        boris = self.touch("boris", ago(3), variant="b", converted_at=ago(1))
        self.touch("chloe", ago(3), is_ghost=True)
        self.touch("gala", ago(3), state="skipped", reason="campaigns.no_consent")
        sent = self.message(anna, ago(40))
        self.event(sent, "clicked", ago(39))
        self.event(self.message(boris, ago(3)), "opened", ago(2), is_machine=True)
        self.uses(anna, ago(38))

    def touch(self, name, at, **more) -> Touch:
        campaign = self.welcome
        return Touch.objects.create(
            campaign=campaign, customer=self.people[name], version=campaign.version, occasion="1", due_at=at,
            enlisted_at=at, **{"state": "done", **more},
        )  # fmt: skip

    def message(self, touch, at) -> Delivery:
        template = Template.objects.exclude(version=None).first()
        return Delivery.objects.create(
            origin="campaigns.touch", origin_id=touch.pk, channel="email", customer=touch.customer, template=template,
            version=template.version, state="sent", queued_at=at, not_before=at, left_at=at, ended_at=at,
        )  # fmt: skip

    def event(self, delivery, kind, at, **more) -> None:
        Event.objects.create(delivery=delivery, kind=kind, at=at, recorded_at=at, source=f"{kind}{delivery.pk}", **more)

    def uses(self, touch, at) -> None:
        incentive = Incentive.objects.exclude(version=None).first()
        shared = {"incentive": incentive, "version": incentive.version}
        grant = Grant.objects.create(
            **shared, customer=touch.customer, source="s1", origin="campaigns.touch", origin_id=touch.pk,
            granted_at=at, granted_by="test",
        )  # fmt: skip
        code = Code.objects.create(**shared, grant=grant, customer=touch.customer, code="WELCOME1", state="redeemed")
        redemption = Redemption.objects.create(
            source="r1", customer=touch.customer, state="redeemed", redeemed_at=at, **self.sums()
        )
        Use.objects.create(
            redemption=redemption, place=0, code=code, incentive_id=incentive.pk, version=incentive.version,
            discount_minor=500, used_at=at, used_on=at.date(),
        )  # fmt: skip

    @staticmethod
    def sums() -> dict:
        return {"currency": "EUR", "discount_minor": 500, "base_minor": 500, "request_hash": b"1" * 32, "effects": {}}

    def named(self, rule) -> set[str]:
        return {self.names[pk] for pk in members(rule, NOW).values_list("pk", flat=True)}


@pytest.fixture(scope="module")
def world(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock(), transaction.atomic():
        yield World()
        transaction.set_rollback(True)


@pytest.mark.parametrize(("key", "args", "meant", "said"), TABLE, ids=lambda value: str(value)[:40])
def test_each_means_exactly_these(world, key, args, meant, said):
    rule = {"key": key, "args": args}
    assert world.named(rule) == set(meant.split())
    assert world.named({"not": rule}) == LIVE - set(meant.split())
    assert rules.sentence(rule) == f"Everyone who {said}."


def test_one_campaign_by_its_id(world):
    rule = {"key": "campaign_touched", "args": {"campaigns": [str(world.welcome.public_id)], "window": "ever"}}
    assert world.named(rule) == {"anna", "boris"}
    assert rules.sentence(rule) == f"Everyone who was touched by “{world.welcome.name}”."
    other = {"key": "campaign_touched", "args": {"campaigns": [str(world.back.public_id)], "window": "ever"}}
    assert world.named(other) == set()


def test_each_is_in_the_table():
    own = {condition.key for condition in conditions if condition.__module__ == room.__name__}
    assert own == {row[0] for row in TABLE} | {"near_place"}, "that one has places of its own: test_near_place"
