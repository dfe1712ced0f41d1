"""One row of every model that the console shows, so that pages of a row have something to open."""

import datetime as dt
from typing import Any

from django.contrib import admin
from django.contrib.auth.models import Group
from django.core.files.base import ContentFile
from django.db.models import CharField, ForeignKey, Model
from django_celery_beat.models import IntervalSchedule
from model_bakery import baker

from campaigns.operations import create_from_playbook
from campaigns.plans import plan_of
from loyalty import operations as loyalty
from loyalty.models import Member, Passing
from loyalty.operations import challenges, rewards, surprises
from loyalty.rules import ProgrammeRule
from loyalty.rules.challenges import ChallengeRule
from loyalty.rules.rewards import RewardRule
from loyalty.rules.surprises import SurpriseRule
from referrals.models import Scheme
from referrals.operations.ready import create_from_ready
from retention import registries
from retention.actors import Actor
from retention.customers.models import Customer, Product
from retention.incentives.models import Incentive
from retention.incentives.operations import create_incentive
from retention.incentives.operations.gift_cards import create_card
from retention.incentives.rules import IncentiveRule
from retention.ledger import operations as ledger
from retention.ledger.models import Account, Entry
from retention.ledger.units import UnitRule
from retention.messaging.models import Template
from retention.shop.models import Shop
from retention.support.models import Compensation

NOW = dt.datetime(2026, 5, 12, 10, tzinfo=dt.UTC)
#: What cannot be guessed: values that a constraint of the database asks for.
NEEDED: dict[str, dict[str, Any]] = {
    "incentives.code": {"code": "MATRIX1", "is_card": True},
    "incentives.redemption": {"state": "redeemed", "redeemed_at": NOW, "given_back_minor": 0, "effects": {}},
    "incentives.fulfilment": {"state": "open", "settled_at": None},
    "loyalty.claim": {"price": 0},
    "messaging.outage": {"failures": 3, "since": NOW, "until": NOW},
    "work.job": {"key": lambda: sorted(registries.jobs.keys())[0]},
    "customers.attributedefinition": {"kind": "text"},
    "work.columnmap": {"kind": "customers", "headers": [], "layout": {"columns": {"Mail": "email"}}},
    "work.import": {"kind": "customers", "state": "prepared", "file": ContentFile(b"email\n", "sample.csv")},
    "referrals.advocate": {"code": "MATRIX1", "customer": lambda: baker.make(Customer, recorded_at=NOW)},
    "referrals.partner": {"basis_points": 1_000, "iban": "DE89370400440532013000", "payee": "Sample"},
    "referrals.referral": {
        "state": "review",
        "source": "matrix",
        "version": lambda: Scheme.objects.get(key="give_and_get").version,
    },
    "campaigns.calendar": {"countries": ["DE"]},
    "campaigns.localevent": {"countries": ["DE"]},
    "campaigns.place": {"country": "DE", "latitude": 52.5, "longitude": 13.4},
    "recommendations.boughttogether": {"other": lambda: baker.make(Product, sku="OTHER", price_minor=100)},
    "recommendations.productlink": {"other": lambda: baker.make(Product, sku="ANOTHER", price_minor=100)},
    "customers.activity": {"visitor_key": "someone"},
    "customers.lifeevent": {"what": "bought", "products": ["LP"]},
    "customers.rfm": {"recency": 5, "frequency": 5, "monetary": 5, "group": "champions"},
    "customers.stage": {"position": 900, "name": {"en": "Sample"}},
    "webhooks.endpoint": {"url": "https://shop.example.com/hooks", "kinds": [], "mark": 1},
    "webhooks.notice": {"kind": "webhooks.test", "next_at": NOW, "data": {}},
    "django_celery_beat.periodictask": {"interval": lambda: baker.make(IntervalSchedule, every=1, period="minutes")},
}


def one_of_each() -> dict[str, object]:
    """Label of the model → primary key of its row; and what pages of their own take as parameters."""
    rows: dict[str, Model] = {"shop.shop": Shop.objects.get(), "auth.group": Group.objects.first()}
    # What has versions is made by its operations, as it is in life: a whole campaign brings its parts.
    campaign = create_from_playbook(key="win_back", now=NOW, by=Actor.command("test"))
    plan = plan_of(campaign)
    given, said = Incentive.objects.filter(pk__in=plan.incentives), Template.objects.filter(pk__in=plan.templates)
    parts = [campaign, campaign.version, campaign.audience, given.first(), said.first()]
    rows |= {part._meta.label_lower: part for part in parts if part is not None}
    scheme = create_from_ready(key="give_and_get", now=NOW, by=Actor.command("test"))
    rows["referrals.scheme"] = scheme
    rows |= _books(_row(Customer, rows))
    rows |= _club(_row(Customer, rows))
    for model in admin.site._registry:
        if model._meta.managed and not model._meta.proxy:
            _row(model, rows)
    ids: dict[str, object] = {label: row.pk for label, row in rows.items()}
    ids["campaign_id"] = campaign.pk
    ids["public_id"] = _row(Customer, rows).public_id
    ids["compensation_id"] = _row(Compensation, rows).pk
    return ids


def _books(customer: Model) -> dict[str, Model]:
    """Some credit of a customer: entries are made by the ledger alone."""
    by = Actor.command("test")
    unit = ledger.money_unit(purpose="store_credit", currency="EUR", now=NOW, by=by)
    opened = ledger.open_customer_accounts(unit=unit, customer_ids=[customer.pk], now=NOW)
    account = Account.objects.get(pk=opened[customer.pk])
    entry = ledger.adjust(account_id=account.pk, amount=500, source="matrix", reason="sample", now=NOW, by=by)
    card = create_card(amount_minor=900, currency="EUR", source="matrix", now=NOW, by=by)
    return {
        "incentives.giftcard": card,
        "ledger.unit": unit,
        "ledger.account": account,
        "ledger.entry": Entry.objects.get(pk=entry),
    }


def _club(customer: Model) -> dict[str, Model]:
    """A programme with a member who passed a milestone, and with a reward, a challenge and a surprise as drafts."""
    said: dict[str, Any] = {"now": NOW, "by": Actor.command("test")}
    ledger.create_unit(key="sample_points", rule=UnitRule(name="Points", kind="points"), **said)
    rule = ProgrammeRule.model_validate({"names": {"en": "Sample"}})
    club = loyalty.create_programme(key="sample", unit_key="sample_points", rule=rule, **said)
    names, of = {"en": "Sample"}, {"programme_id": club.pk, **said}
    offer = {"name": "Sample", "effects": [{"kind": "percent", "basis_points": 500}]}
    given = create_incentive(rule=IncentiveRule.model_validate(offer), **said)
    treat = RewardRule(names=names, kind="coupon", price=0, incentive_id=given.pk)
    reward = rewards.create_reward(rule=treat, **of)
    twice = ChallengeRule.model_validate({"names": names, "task": {"kind": "orders", "count": 2}})
    luck = {"names": names, "reward_id": reward.pk, "chance": 100, "limits": {"limits": [{"issued": 5}]}}
    member = baker.make(Member, programme=club, customer=customer)
    missed = {"state": "refused", "claim": None, "refusal": "loyalty.reward_gone"}
    return {
        "loyalty.programme": club,
        "loyalty.member": member,
        "loyalty.passing": baker.make(Passing, member=member, version=club.version, **missed),
        "loyalty.reward": reward,
        "loyalty.challenge": challenges.create_challenge(rule=twice, **of),
        "loyalty.surprise": surprises.create_surprise(rule=SurpriseRule.model_validate(luck), **of),
    }


def _row(model: type[Model], rows: dict[str, Model]) -> Model:
    label = model._meta.label_lower
    if label not in rows:
        values: dict[str, Any] = {}
        for field in model._meta.fields:
            if isinstance(field, ForeignKey) and not field.null:
                values[field.name] = _row(field.related_model, rows)
            elif field.name.endswith("_minor") and not field.null:
                values[field.name] = 100
            elif field.name == "currency":
                values[field.name] = "EUR"
            elif isinstance(field, CharField) and not (field.blank or field.null or field.choices):
                values[field.name] = "Sample"[: field.max_length]
        rows[label] = baker.make(model, **{**values, **NEEDED.get(label, {})})
        rows[label].refresh_from_db()
    return rows[label]
