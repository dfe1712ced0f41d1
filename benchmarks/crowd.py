"""A shop with a million of everything, for benchmarks of pages: its settings by operations, its facts by plain SQL."""

import datetime as dt
from collections.abc import Iterator

from django.core.management import call_command
from django.db import connection
from django.urls import reverse

from campaigns.models import Campaign
from campaigns.operations import create_from_playbook, save_campaign
from campaigns.plans import Plan, plan_of
from retention.actors import Actor
from retention.customers.addresses import address_hash_sql, hash_params
from retention.incentives import operations as incentives
from retention.incentives.models import CodeBatch, Incentive
from retention.incentives.rules import IncentiveRule
from retention.messaging.models import Template
from retention.segments.models import Segment
from retention.shop.models import Staff
from retention.support.models import Reason
from retention.work.models import Job
from retention.work.operations import register_jobs

NOW = dt.datetime(2026, 5, 12, 10, tzinfo=dt.UTC)
BY = Actor.command("bench")
#: The first customer has so many activities and orders.
HER_ACTIVITIES, HER_ORDERS = 5_000, 2_000
POOL, GIVEN = "A million codes", "Every customer's own"

_FACTS = (
    """
    INSERT INTO customers_customer (reference, email, phone, given_name, family_name, address, postcode, city, region,
        country, language, time_zone, preferred_channel, interests, source, acquisition_currency, attributes,
        signed_up_at, recorded_at, birth_month, birth_day)
    SELECT 'c' || n, 'c' || n || '@example.com', '+49151' || lpad(n::text, 8, '0'),
        (ARRAY['Ada','Ben','Cleo','Dina','Emil','Fay','Gus','Hana','Ivo','Jun'])[1 + n %% 10],
        (ARRAY['Stone','River','Field','Wood','Hill','Lake','Moor'])[1 + n %% 7] || CASE WHEN n %% 3 = 0 THEN 's'
        ELSE '' END, '', '', 'City ' || n %% 500, '', (ARRAY['DE','US','KR','FR','GB'])[1 + n %% 5], 'en', '', '',
        '{{}}', 'ads', '', '{{}}', %(now)s - n %% 1500 * interval '1 day', %(now)s, 1 + n %% 12, 1 + n %% 28
    FROM generate_series(1, {n}) n
    """,
    """
    INSERT INTO customers_customerstats (customer_id, orders, items, first_order_at, last_order_at, spend_minor,
        refunds_minor, discounts_minor, average_order_minor, discount_share, favourite_category, last_seen_at)
    SELECT id, 1 + id %% 9, 2 + id %% 20, %(now)s - interval '900 days', %(now)s - id %% 730 * interval '1 day',
        id %% 60000, 0, 0, 2000, 0, 'Music/Jazz', %(now)s - id %% 90 * interval '1 day'
    FROM customers_customer WHERE id %% 10 <> 0
    """,
    """
    INSERT INTO customers_consentstate (customer_id, channel, purpose, is_given, address, occurred_at)
    SELECT id, 'email', 'marketing', id %% 3 <> 0, email_normal, %(now)s FROM customers_customer
    """,
    """
    INSERT INTO customers_consent (customer_id, channel, purpose, event, address_hash, source, wording, reference,
        occurred_at, recorded_at)
    SELECT n, 'email', 'marketing', CASE WHEN n %% 3 = 0 THEN 'withdrawn' ELSE 'given' END, {hers},
        'checkout', '', 's' || n, %(now)s - n %% 900 * interval '1 day', %(now)s
    FROM generate_series(1, {n}) n
    """,
    """
    INSERT INTO customers_product (sku, name, category, currency, price_minor, minimum_price_minor, is_low_margin,
        tags, url, how_to_url, image_url, recorded_at)
    SELECT 'p' || n, 'Record ' || n, 'Music/Jazz', 'EUR', 1000 + n %% 900, 0, n %% 20 = 0, '{{}}', '', '', '', %(now)s
    FROM generate_series(1, {products}) n
    """,
    """
    INSERT INTO customers_order (reference, customer_id, email, state, currency, total_minor, base_minor,
        shipping_minor, discount_minor, tax_minor, channel, store, payment_method, address, city, region, postcode,
        country, codes, placed_at, recorded_at)
    SELECT 'o' || n, CASE WHEN n <= {her_orders} THEN 1 ELSE 1 + n * 7919::bigint %% {n} END, NULL,
        (ARRAY['paid','fulfilled','placed','fulfilled','cancelled','returned','partially_returned'])[1 + n %% 7], 'EUR',
        1000, 1000, 0, 0, 0, 'web', '', 'card', '', '', '', '', 'DE', '{{}}',
        %(now)s - n * 31::bigint %% 1000 * interval '1 day' - n %% 86400 * interval '1 second', %(now)s
    FROM generate_series(1, {n}) n
    """,
    """
    INSERT INTO customers_orderline (order_id, position, product_id, quantity, unit_price_minor, discount_minor,
        total_minor, returned_quantity)
    SELECT n, 1, 1 + n %% {products}, 1, 1000, 0, 1000, 0 FROM generate_series(1, {n}) n
    """,
    """
    INSERT INTO customers_activity (kind, reference, customer_id, visitor_key, product_id, properties, occurred_at,
        recorded_at)
    SELECT (ARRAY['viewed_product','added_to_cart','signed_up'])[1 + n %% 3], 'a' || n,
        CASE WHEN n <= {her_activities} THEN 1 ELSE 1 + n * 7919::bigint %% {n} END, '', 1 + n %% {products}, '{{}}',
        %(now)s - n * 31::bigint %% 1000 * interval '1 day' - n %% 86400 * interval '1 second', %(now)s
    FROM generate_series(1, {n}) n
    """,
    """
    INSERT INTO incentives_grant (incentive_id, version_id, customer_id, source, origin, origin_id, state, terms,
        granted_at, granted_by)
    SELECT %(incentive)s, %(rule)s, n, 'bench:' || n, 'campaigns.touch', n,
        CASE WHEN n %% 50 = 0 THEN 'returned' ELSE 'active' END, '{{}}',
        %(now)s - ({n} - n) * interval '20 seconds', 'job:campaigns'
    FROM generate_series(1, {n}) n
    """,
    """
    INSERT INTO incentives_code (code, incentive_id, version_id, grant_id, customer_id, is_public, state, expires_at,
        given_at)
    SELECT 'G' || lpad(g.customer_id::text, 8, '0'), g.incentive_id, g.version_id, g.id, g.customer_id, false,
        CASE WHEN g.state = 'active' THEN 'redeemed' ELSE 'void' END, %(now)s, g.granted_at
    FROM incentives_grant g
    """,
    """
    INSERT INTO incentives_redemption (source, request_hash, state, customer_id, persons, order_reference, currency,
        discount_minor, base_minor, effects, redeemed_at)
    SELECT 'bench:' || c.customer_id, '', 'redeemed', c.customer_id, '{{}}', 'o' || c.customer_id, 'EUR', 100, 100,
        '{{}}', c.given_at + interval '1 day'
    FROM incentives_code c WHERE c.incentive_id = %(incentive)s
    """,
    """
    INSERT INTO incentives_use (redemption_id, place, code_id, incentive_id, version_id, discount_minor, used_at,
        used_on)
    SELECT r.id, 0, c.id, c.incentive_id, c.version_id, 100, r.redeemed_at, r.redeemed_at::date
    FROM incentives_redemption r JOIN incentives_code c ON r.source = 'bench:' || c.customer_id
    WHERE c.incentive_id = %(incentive)s
    """,
    """
    INSERT INTO campaigns_touch (campaign_id, customer_id, occasion, version_id, state, reason, step, due_at, grant_id,
        about, enlisted_at, begun_at, variant, is_ghost)
    SELECT %(campaign)s, n, 'birthday:2026', %(plan)s, CASE WHEN n %% 4 = 0 THEN 'skipped' ELSE 'done' END,
        CASE WHEN n %% 4 = 0 THEN 'campaigns.no_consent' ELSE '' END, 1,
        %(now)s - ({n} - n) * interval '20 seconds', n, '{{}}', %(now)s,
        CASE WHEN n %% 4 <> 0 THEN %(now)s - ({n} - n) * interval '20 seconds' END,
        CASE WHEN n %% 10 = 1 THEN '' WHEN n %% 2 = 0 THEN 'a' ELSE 'b' END, n %% 10 = 1
    FROM generate_series(1, {n}) n
    """,
    """
    INSERT INTO messaging_delivery (origin, origin_id, step, channel, customer_id, template_id, version_id, grant_id,
        context, is_transactional, priority, state, reason, params, language, queued_at, not_before, attempts,
        claimed_by, ended_at, provider_id)
    SELECT 'campaigns.touch', n, 0, 'email', n, %(template)s, %(words)s, n, '{{}}', n %% 100 = 1, 0,
        CASE WHEN n %% 500 = 0 THEN 'bounced' WHEN n %% 400 = 0 THEN 'failed' WHEN n %% 1000 = 1 THEN 'held'
        ELSE 'sent' END, '', '{{}}', 'en', %(now)s - ({n} - n) * interval '20 seconds', %(now)s, 1, '',
        CASE WHEN n %% 500 <> 0 AND n %% 400 <> 0 AND n %% 1000 = 1 THEN NULL ELSE %(now)s END, ''
    FROM generate_series(1, {n}) n
    """,
    """
    INSERT INTO messaging_suppression (channel, address_hash, why, marketing_only, since)
    SELECT 'email', sha256(n::text::bytea), (ARRAY['bounce','complaint','unsubscribed'])[1 + n %% 3], n %% 2 = 0,
        %(now)s - n %% 900 * interval '1 day'
    FROM generate_series(1, {n}) n
    """,
    """
    INSERT INTO segments_membership (segment_id, customer_id, entered_at)
    SELECT %(segment)s, n, %(now)s FROM generate_series(1, {n}) n
    """,
    """
    INSERT INTO audit_auditentry (at, by_id, actor, verb, subject, subject_id, customer_id, before, after)
    SELECT %(now)s - ({n} - n) * interval '20 seconds', %(staff)s, 'staff:' || %(staff)s::text,
        CASE WHEN n %% 5000 = 0 THEN 'incentives.stop' WHEN n %% 3 = 0 THEN 'customers.save' ELSE 'console.log_in' END,
        'customers.customer', n, n, NULL, '{{"fields": ["city"]}}'
    FROM generate_series(1, {n}) n
    """,
    """
    INSERT INTO support_case (source, customer_id, reason_id, order_id, channel, words, opened_by_id, opened_at)
    SELECT 'bench:' || n, n, %(reason)s, n, 'mail', '', %(staff)s, %(now)s - ({n} - n) * interval '20 seconds'
    FROM generate_series(1, {tenth}) n
    """,
    """
    INSERT INTO support_compensation (case_id, grant_id, amount_minor, currency, base_minor, day, given_by_id, given_at,
        is_sent, undone_why)
    SELECT id, customer_id, 500, 'EUR', 500, %(now)s, %(staff)s, opened_at, true, '' FROM support_case
    """,
    """
    INSERT INTO work_jobrun (job_id, due_at, lane, state, attempts, started_at, ended_at, done, total, figures, error)
    SELECT (%(jobs)s::bigint[])[1 + n %% %(job_count)s], %(now)s - ({n} - n) * interval '1 minute', 0,
        CASE WHEN n %% 5000 = 0 THEN 'failed' ELSE 'done' END, 1, %(now)s - ({n} - n) * interval '1 minute',
        %(now)s - ({n} - n) * interval '1 minute', 0, 0, '{{}}', ''
    FROM generate_series(1, {n}) n
    """,
    "UPDATE incentives_counter SET issued = {n}, redeemed = {n} WHERE incentive_id = %(incentive)s",
)


def fill(count: int) -> None:
    """Open a shop and give it `count` of every fact; the codes of `POOL` by the job that makes them for marketers."""
    call_command("create_shop", "Bench", currency="EUR", time_zone="Europe/Berlin", verbosity=0)
    call_command("seed", verbosity=0)
    boss = Staff.objects.create(username="bench", is_staff=True, is_superuser=True, date_joined=NOW)
    campaign = _tested(create_from_playbook(key="birthday", now=NOW, by=BY))
    given = _offer(GIVEN)
    template = Template.objects.filter(version__isnull=False).first()
    register_jobs()
    jobs = list(Job.objects.values_list("pk", flat=True))
    rows = {
        "now": NOW,
        "incentive": given.pk,
        "rule": given.version_id,
        "campaign": campaign.pk,
        "plan": campaign.version_id,
        "template": template.pk,
        "words": template.version_id,
        "segment": Segment.objects.first().pk,
        "staff": boss.pk,
        "reason": Reason.objects.first().pk,
        "jobs": jobs,
        "job_count": len(jobs),
        **hash_params(),
    }
    sizes = {
        "hers": address_hash_sql("'c' || n || '@example.com'"),
        "n": count,
        "tenth": max(1, count // 10),
        "products": max(10, count // 50),
        "her_orders": min(HER_ORDERS, count),
        "her_activities": min(HER_ACTIVITIES, count),
    }
    with connection.cursor() as cursor:
        # The rows are right by making: without a check of each foreign key they come three times as fast.
        cursor.execute("SET session_replication_role = replica")
        for statement in _FACTS:
            cursor.execute(statement.format(**sizes), rows)
        cursor.execute("SET session_replication_role = DEFAULT")
    make_pool(count)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def make_pool(count: int) -> None:
    """Codes as a marketer asks for them: a batch, and the job that makes it."""
    pool = _offer(POOL)
    incentives.generate_codes(
        incentive_id=pool.pk, count=count, purpose=CodeBatch.Purpose.POOL, source="bench", now=NOW, by=BY
    )
    call_command("run_jobs", job=["incentives.make_codes"], json=True)


def heavy_pages() -> Iterator[str]:
    """Pages of the rows on which most hangs: the offer with a million codes, the customer with most facts…"""
    for name in (POOL, GIVEN):
        pk = Incentive.objects.get(name=name).pk
        yield reverse("admin:incentives_incentive_change", args=[pk])
        for listing in ("code", "grant"):
            yield f"{reverse(f'admin:incentives_{listing}_changelist')}?incentive__id__exact={pk}"
    yield reverse("admin:customers_customer_change", args=[1])
    campaign = Campaign.objects.first().pk
    yield reverse("admin:campaigns_campaign_change", args=[campaign])
    yield f"{reverse('admin:campaigns_touch_changelist')}?campaign__id__exact={campaign}"
    yield reverse("admin:segments_segment_change", args=[Segment.objects.first().pk])


def _tested(campaign: Campaign) -> Campaign:
    """With two arms and a tenth held out."""
    variants = [{"key": key, "label": key.upper()} for key in ("a", "b")]
    plan = Plan.model_validate(plan_of(campaign).as_json() | {"variants": variants, "holdout_percent": 10})
    return save_campaign(campaign_id=campaign.pk, plan=plan, edited=campaign.version.number, now=NOW, by=BY)


def _offer(name: str) -> Incentive:
    rule = IncentiveRule.model_validate({"name": name, "effects": [{"kind": "percent", "basis_points": 1000}]})
    offer = incentives.create_incentive(rule=rule, now=NOW, by=BY)
    incentives.go_live(incentive_id=offer.pk, now=NOW, by=BY)
    return offer
