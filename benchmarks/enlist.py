"""Enlisting a broadcast: touch, coupon and delivery rows of 400,000 customers, against one hand-written statement.

The floor writes the same rows (touch, grant, code, delivery) by one statement with the same eligibility test and
none of our rules: no version check, no limits, no chunks, no resume, codes from md5.
"""

import datetime as dt

from benchmarks import harness

from campaigns import operations  # isort: skip
from campaigns.models import Campaign, Reach, Touch  # isort: skip
from campaigns.plans import Plan  # isort: skip
from django.db import connection  # isort: skip
from retention.actors import Actor  # isort: skip
from retention.incentives import operations as incentives  # isort: skip
from retention.incentives.models import Code, Counter  # isort: skip
from retention.incentives.rules import IncentiveRule  # isort: skip
from retention.marks import safe_mark  # isort: skip
from retention.messaging import operations as messaging  # isort: skip
from retention.messaging.models import Delivery  # isort: skip
from retention.shop.models import Shop  # isort: skip

BY = Actor.command("bench")
NOW = dt.datetime(2026, 5, 12, 10, tzinfo=dt.UTC)
WRITTEN = ("campaigns_touch", "incentives_grant", "incentives_code", "messaging_delivery")

FLOOR = """
WITH touched AS (
    INSERT INTO campaigns_touch (campaign_id, customer_id, occasion, version_id, state, reason, step, due_at, next_at,
                                 grant_id, about, enlisted_at)
    SELECT %(campaign)s, c.id, 'once', %(plan)s, 'waiting', '', 1, %(now)s, NULL, NULL, '{}', %(now)s
    FROM customers_customer c
    WHERE c.merged_into_id IS NULL AND c.erased_at IS NULL AND c.email_normal IS NOT NULL AND EXISTS (
        SELECT FROM customers_consentstate s WHERE s.customer_id = c.id AND s.channel = 'email'
        AND s.purpose = 'marketing' AND s.is_given AND s.address = c.email_normal)
    RETURNING id, customer_id
), granted AS (
    INSERT INTO incentives_grant (incentive_id, version_id, customer_id, source, origin, origin_id, state, terms,
                                  granted_at, granted_by, expires_at)
    SELECT %(incentive)s, %(rule)s, customer_id, 'campaigns.touch:' || id || ':0', 'campaigns.touch', id, 'active',
           '{}', %(now)s, 'floor', NULL
    FROM touched RETURNING id, customer_id, origin_id
), coded AS (
    INSERT INTO incentives_code (code, incentive_id, version_id, grant_id, customer_id, is_public, state)
    SELECT upper(substr(md5(random()::text || id), 1, 12)), %(incentive)s, %(rule)s, id, customer_id, false, 'reserved'
    FROM granted
)
INSERT INTO messaging_delivery (origin, origin_id, step, channel, customer_id, template_id, version_id, grant_id,
                                context, is_transactional, priority, state, reason, params, language, queued_at,
                                not_before, attempts, claimed_by, provider_id)
SELECT 'campaigns.touch', origin_id, 0, 'email', customer_id, %(template)s, %(words)s, id, '{}', false, 0, 'queued', '',
       '{}', '', %(now)s, %(now)s, 0, '', ''
FROM granted
"""


def furnish(customers: int) -> tuple[Campaign, dict]:
    """So many customers, nearly all of whom agreed, and one live broadcast with a coupon."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO customers_customer (
                reference, email, given_name, family_name, address, postcode, city, region, country, language,
                time_zone, preferred_channel, interests, source, acquisition_currency, attributes, recorded_at)
            SELECT 'c' || n, 'c' || n || '@example.com', '', '', '', '', '', '', 'DE', 'en',
                '', '', '{}', '', '', '{}', %s
            FROM generate_series(1, %s) n
            """,
            [NOW, customers],
        )
        cursor.execute(
            "INSERT INTO customers_consentstate (customer_id, channel, purpose, is_given, address, occurred_at)"
            " SELECT id, 'email', 'marketing', true, email_normal, %s FROM customers_customer",
            [NOW],
        )
    Shop.objects.create(name="Bench", time_zone="UTC", currency="EUR", languages=["en"], postal_address="1 Main Street")
    rule = {"name": "Five", "effects": [{"kind": "amount", "amounts": {"EUR": 500}}], "codes": {"kind": "unique"}}
    five = incentives.create_incentive(rule=IncentiveRule.model_validate(rule), now=NOW, by=BY)
    template = messaging.ensure_ready_template(key="broadcast", now=NOW, by=BY)
    plan = Plan(
        name="Everyone",
        occasion="one_date",
        occasion_args={"on": "2026-05-12", "hour": "09:00", "clock": "shop"},
        steps=[{"incentive": five.pk, "messages": [template.pk]}],
    )
    before = NOW - dt.timedelta(hours=2)
    campaign = operations.create_campaign(plan=plan, now=before, by=BY)
    operations.approve(campaign_id=campaign.pk, version=1, now=before, by=BY)
    campaign = operations.launch(campaign_id=campaign.pk, now=before, by=BY)
    return campaign, {
        "campaign": campaign.pk,
        "plan": campaign.version_id,
        "incentive": five.pk,
        "rule": five.version_id,
        "template": template.pk,
        "words": template.version_id,
        "now": NOW,
    }


def main() -> None:
    customers = harness.size(400_000)
    with harness.database():
        campaign, params = furnish(customers)

        def prepare() -> None:
            harness.empty(*WRITTEN)
            Counter.objects.update(issued=0)
            Reach.objects.update(
                at=NOW - dt.timedelta(hours=2), mark=safe_mark(), phase="rest", position=0, until=None, until_mark=None
            )
            harness.settle()

        def ours() -> int:
            figures = operations.reach(campaign_id=campaign.pk, now=NOW, by=BY)
            return figures.queued

        def floor() -> int:
            with connection.cursor() as cursor:
                cursor.execute(FLOOR, params)
                return cursor.rowcount

        harness.compare("enlist", ours=ours, floor=floor, rounds=2, unit="customers", prepare=prepare)
        counts = {Touch.objects.count(), Code.objects.count(), Delivery.objects.count()}
        if counts != {customers}:
            raise SystemExit(f"not everyone was enlisted: {counts}")


if __name__ == "__main__":
    main()
