"""Every endpoint × everything that may be wrong with a request, from the OpenAPI document.

An operation that takes a body and has no good body and no bad facts of its own here fails. Every answer is a problem
with a code, a sentence and, where a value is wrong, its JSON pointer; no table has a row more or less than before.
"""

import datetime as dt
import gzip
import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import transaction
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
from retention.messaging.models import Template
from retention.messaging.operations import save_block
from retention.segments.models import Segment
from retention.segments.operations import create_stage
from retention.segments.ready_stages import STAGES
from retention.shop.models import Staff
from tests.matrix import world
from tests.matrix.world import BY, NOW

pytestmark = pytest.mark.django_db
DOCUMENT = api.get_openapi_schema(path_prefix="/api/v1/")
OPERATIONS = {
    operation["operationId"]: (method, path, operation)
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
}
WITH_BODY = sorted(name for name, (_method, _path, operation) in OPERATIONS.items() if "requestBody" in operation)
WRITES = sorted(name for name, (method, _path, _operation) in OPERATIONS.items() if method != "get")
READS = sorted(set(OPERATIONS) - set(WRITES))
UNKNOWN = "00000000-0000-7000-8000-000000000001"

LINE = {"sku": "LP", "quantity": 1, "unit_price_minor": 1_200}
BASKET = {"currency": "EUR", "lines": [LINE]}
AT = "2026-05-01T10:00:00Z"
RULE = {"name": "New", "effects": [{"kind": "percent", "basis_points": 500}]}
CARD = [{"kind": "experience", "name": "Card"}]
WORDS = {"en": {"subject": "Hello", "body": "<mj-text>Hello</mj-text>"}}
PARTNER = {
    "reference": "p", "name": "Partner", "basis_points": 1_000, "currency": "EUR", "payee": "Partner Ltd",
    "iban": "DE89370400440532013000",
}  # fmt: skip
PLAN: dict[str, Any] = {"name": "New", "occasion": "signed_up", "steps": []}
COUNTRY = {"all": [{"key": "country", "args": {"countries": ["DE"]}}]}
PARENT = {
    "key": "new-parent", "label": "New parent", "is_sensitive": True, "about": "", "what": "bought", "kind": "",
    "products": ["LP"], "categories": [], "at_least": 2, "within_days": 60, "lasts_days": 365,
}  # fmt: skip
CLUB = {
    "names": {"en": "Club"},
    "earning": [{"kind": "per_order", "key": "visit", "amount": 1}],
    "tiers": {"steps": [{"key": "gold", "names": {"en": "Gold"}, "threshold": 500}]},
}
ORDER = {"reference": "N1", "email": "guest@example.com", "state": "paid", "currency": "EUR", "placed_at": AT}
TREAT = {"names": {"en": "Treat"}, "kind": "coupon", "price": 0}
TWICE = {"names": {"en": "Twice"}, "task": {"kind": "orders", "count": 2}}
LUCK = {"names": {"en": "Luck"}, "chance": 100, "limits": {"limits": [{"issued": 5}]}}
#: What is welcome, by operation.
GOOD: dict[str, dict[str, Any]] = {
    "put_customer": {"reference": "new", "email": "new@example.com"},
    "change_customer": {"city": "Köln"},
    "add_consent": {"channel": "email", "event": "given", "source": "popup"},
    "create_unit": {"key": "stars", "rule": {"name": "Stars", "kind": "points"}},
    "change_unit": {"edited": 1, "rule": {"name": "Cards", "kind": "money", "currency": "EUR", "digits": 2}},
    "adjust_balance": {"unit": "store_credit_eur", "amount": 500, "reason": "late parcel"},
    "create_gift_card": {"amount_minor": 500, "currency": "EUR"},
    "get_gift_card_balance": {"code": "CARD-AAAA-BBBB"},
    "top_up_gift_card": {"amount_minor": 500},
    "adjust_gift_card": {"amount_minor": 500, "reason": "counted wrong"},
    "block_gift_card": {"reason": "stolen"},
    "unblock_gift_card": {"reason": "found"},
    "put_product": {"sku": "MUG", "name": "Mug", "price_minor": 500, "currency": "EUR"},
    "put_order": {**ORDER, "lines": [LINE]},
    "put_return": {"reference": "N1", "order_reference": "O1", "amount_minor": 500, "occurred_at": AT},
    "add_activity": {"kind": "shared", "customer": "a", "occurred_at": AT},
    "ingest_batch": {"rows": [{"reference": "new"}]},
    "create_segment": {"name": "Germans", "rule": COUNTRY},
    "preview_segment": {"rule": COUNTRY},
    "change_segment": {"edited": 1, "name": "Another"},
    "explain_member": {"customer": "a"},
    "create_stage": {"key": "another", "name": {"en": "Another"}, "rule": COUNTRY},
    "change_stage": {"edited": 1, "name": {"en": "Another"}},
    "order_stages": {"keys": ["sample", *(stage[0] for stage in STAGES)]},
    "correct_life_event": {"on": "2026-01-31"},
    "call_customers": {"name": "table-booked", "customers": ["a"], "source": "1"},
    "add_event": {"name": "Fair", "days": ["2026-06-21"], "countries": ["DE"]},
    "add_link": {"product": "LP", "other": "CD"},
    "qualify": {"basket": BASKET},
    "validate": {"basket": BASKET, "codes": ["WELCOME"]},
    "redeem": {"basket": BASKET, "codes": ["TAKEN1"], "order_reference": "N1"},
    "roll_back": {"reason": "cancelled"},
    "preview_rollback": {},
    "create_programme": {"key": "club", "unit": "store_credit_eur", "rule": CLUB},
    "change_programme": {"edited": 1, "rule": CLUB},
    "join_programme": {"customers": [UNKNOWN]},
    "leave_programme": {"customers": [UNKNOWN]},
    "back_test_programme": {"first": "2026-01-01", "last": "2026-03-31"},
    "adjust_points": {"amount": 50, "reason": "late parcel"},
    "set_tier": {"tier": "gold", "reason": "Loved"},
    "invite": {"customers": [UNKNOWN, UNKNOWN], "tier": "gold", "reason": "Loved"},
    "earn_for_order": {"order": "O1"},
    "try_programme": {"lines": [LINE]},
    "create_incentive": {"rule": RULE},
    "change_incentive": {"edited": 1, "name": "Another"},
    "generate_codes": {"count": 2},
    "stop_incentive": {"why": "enough"},
    "resume_incentive": {"why": "again"},
    "put_policy": {"policy": {"stacking": {"most_offers": 2}}, "edited": None},
    "put_budget": {"name": "B", "origin": "test.agent", "origin_id": 7, "limits": [{"uses": 5}], "edited": None},
    "finish_fulfilment": {"note": "by hand"},
    "cancel_fulfilment": {"note": "gone"},
    "create_template": {"name": "Hello", "words": WORDS},
    "change_template": {"edited": 1, "name": "Another"},
    "preview_template": {"language": "en"},
    "put_messaging_policy": {"policy": {"caps": [{"most": 3}]}, "edited": None},
    "create_block": {"key": "spring", "name": "Spring", "bodies": {"en": WORDS["en"]["body"]}},
    "change_block": {"edited": 1, "name": "Another"},
    "put_brand_kit": {"brand": {"font": "classic"}, "edited": None},
    "subscribe_device": {
        "endpoint": "https://push.example.com/1",
        "p256dh": "p" * 87,
        "auth": "a" * 22,
    },
    "unsubscribe_device": {"endpoint": "https://push.example.com/1"},
    "create_campaign": {},
    "change_campaign": {},
    "approve_campaign": {"version": 1},
    "reject_campaign": {"reason": "Say it in German, too."},
    "widen_campaign": {},
    "create_scheme": {},
    "change_scheme": {},
    "open_advocates": {"customers": ["a", "b"]},
    "get_referral_link": {"customer": "b"},
    "add_visit": {"code": "FR1END", "visitor_key": "v"},
    "refer": {"code": "FR1END", "customer": "silent"},
    "approve_referral": {"why": "fine"},
    "create_partner": PARTNER,
    "change_partner": PARTNER | {"reference": "sample"},
    "enrol_partner": {"scheme": "affiliates", "code": "SAMPLE"},
    "draw_up_payouts": {"currency": "EUR"},
    "settle_payouts": {"reference": "B-1"},
    "reject_referral": {"why": "not fine"},
    "create_reward": {"programme": "sample", "plan": TREAT, "incentive": ""},
    "change_reward": {"edited": 1, "plan": TREAT, "incentive": ""},
    "create_claim": {"reward": "", "customer": ""},
    "return_claim": {"reason": "changed her mind"},
    "choose": {"reward": ""},
    "put_preference": {"kind": "coupon"},
    "create_challenge": {"programme": "sample", "plan": TWICE},
    "change_challenge": {"edited": 1, "plan": TWICE},
    "create_surprise": {"programme": "sample", "plan": LUCK, "reward": ""},
    "change_surprise": {"edited": 1, "plan": LUCK, "reward": ""},
}
#: What fits the schema and still cannot be: (changes, status, pointer or "", code of the error there or the problem).
BAD_FACTS: dict[str, list[tuple[dict[str, Any], int, str, str]]] = {
    "put_customer": [
        ({"reference": "", "email": None}, 422, "/reference", "no_key"),
        ({"reference": "b", "email": "a@example.com"}, 422, "/email", "email_taken"),
        ({"country": "XX"}, 422, "/country", "unknown_country"),
        ({"attributes": {"shoe": 1}}, 422, "/attributes/shoe", "undeclared_attribute"),
        ({"acquisition_cost_minor": 5}, 422, "/acquisition_currency", "no_currency"),
        ({"acquisition_currency": "ZZZ"}, 422, "/acquisition_currency", "unknown_currency"),
        ({"signed_up_at": "2199-01-01T00:00:00Z"}, 422, "/signed_up_at", "in_the_future"),
        ({"reference": "merged", "email": None}, 422, "/reference", "merged"),
    ],
    "change_customer": [
        ({"email": "b@example.com"}, 422, "/email", "email_taken"),
        ({"birthday": "02-30"}, 422, "/birthday", "not_a_birthday"),
        ({"phone": "12"}, 422, "/phone", "not_a_phone"),
    ],
    "add_consent": [
        ({"channel": "sms"}, 422, "/address", "no_address"),
        ({"purpose": "spam"}, 422, "/purpose", "unknown_purpose"),
    ],
    "create_unit": [
        ({"key": "No word"}, 422, "/key", "string_pattern_mismatch"),
        ({"rule": {"name": "Stars", "kind": "points", "digits": 9}}, 422, "/rule/digits", "less_than_equal"),
        ({"key": "gift_card_eur"}, 409, "", "ledger.unit_taken"),
    ],
    "change_unit": [
        ({"edited": 99}, 409, "", "audit.edited_meanwhile"),
        ({"rule": {"name": "Cards", "kind": "points"}}, 409, "", "ledger.unit_is_fixed"),
    ],
    "adjust_balance": [
        ({"amount": 0}, 422, "", "ledger.nothing_to_adjust"),
        ({"amount": -1}, 409, "", "ledger.not_enough"),
        ({"unit": "no_such"}, 404, "", "ledger.no_such_unit"),
        ({"reason": " "}, 422, "/reason", "string_too_short"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, 422, "", "ledger.ends_before_it_begins"),
    ],
    "create_gift_card": [
        ({"amount_minor": 0}, 422, "/amount_minor", "greater_than_equal"),
        ({"currency": "ZZZ"}, 422, "/currency", "value_error"),
        ({"customer": UNKNOWN}, 404, "", "customers.no_such_customer"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, 422, "", "incentives.bad_card"),
    ],
    "get_gift_card_balance": [({"code": "NOSUCH"}, 404, "", "incentives.no_such_code")],
    "top_up_gift_card": [({"amount_minor": -1}, 422, "/amount_minor", "greater_than_equal")],
    "adjust_gift_card": [
        ({"amount_minor": 0}, 422, "", "incentives.bad_card"),
        ({"amount_minor": -501}, 409, "", "ledger.not_enough"),
        ({"reason": " "}, 422, "/reason", "string_too_short"),
    ],
    "block_gift_card": [({"reason": ""}, 422, "/reason", "string_too_short")],
    "unblock_gift_card": [({"reason": ""}, 422, "/reason", "string_too_short")],
    "put_product": [
        ({"minimum_price_minor": 501}, 422, "/minimum_price_minor", "minimum_above_price"),
        ({"currency": "ZZZ"}, 422, "/currency", "unknown_currency"),
        ({"url": "javascript:alert(1)"}, 422, "/url", "not_a_link"),
    ],
    "put_order": [
        ({"currency": "USD"}, 422, "/currency", "no_exchange_rate"),
        ({"reference": "O1", "currency": "USD"}, 422, "/currency", "currency_changed"),
        ({"customer": "nobody"}, 422, "/customer", "unknown_customer"),
        ({"lines": [{**LINE, "sku": "no such"}]}, 422, "/lines/0/sku", "unknown_product"),
        ({"lines": [LINE, {**LINE, "discount_minor": 1_201}]}, 422, "/lines/1/discount_minor", "discount_above_price"),
        ({"total_minor": 1_199}, 422, "/total_minor", "total_does_not_add_up"),
        ({"placed_at": "2199-01-01T00:00:00Z"}, 422, "/placed_at", "in_the_future"),
    ],
    "put_return": [
        ({"order_reference": "no such"}, 422, "/order_reference", "unknown_order"),
        ({"amount_minor": 10**12}, 422, "/amount_minor", "refund_above_total"),
        ({"reference": "R1"}, 422, "/reference", "already_recorded"),
        ({"lines": [{"sku": "LP", "quantity": 2}]}, 422, "/lines/0/quantity", "more_than_bought"),
    ],
    "add_activity": [
        ({"kind": "teleported"}, 422, "/kind", "unknown_kind"),
        ({"customer": "nobody"}, 422, "/customer", "unknown_customer"),
        ({"kind": "reviewed", "properties": {"rating": 11}}, 422, "/properties/rating", "wrong_property"),
    ],
    "ingest_batch": [
        ({"rows": [{"reference": "new"}, {"reference": "new"}]}, 422, "/rows/1/reference", "duplicate"),
        ({"rows": [{"reference": "new"}, {"shoe": 1}]}, 422, "/rows/1/shoe", "unknown_column"),
        ({"rows": [{"reference": "new", "own_id": 1}]}, 422, "/rows/0/own_id", "unknown_column"),
    ],
    "create_segment": [
        ({"rule": {"all": [{"key": "no such", "args": {}}]}}, 422, "/rule/all/0/key", "unknown_key"),
        ({"rule": {"all": [{"key": "country", "args": {}}]}}, 422, "/rule/all/0/args/countries", "required"),
    ],
    "preview_segment": [({"rule": {"both": []}}, 422, "/rule", "shape")],
    "change_segment": [({"edited": 99}, 409, "", "audit.edited_meanwhile")],
    "call_customers": [
        ({"customers": ["a", "nobody"]}, 422, "", "campaigns.unknown_customers"),
        ({"customers": []}, 422, "/customers", "too_short"),
        ({"name": "no word"}, 422, "/name", "string_pattern_mismatch"),
    ],
    "add_event": [
        ({"countries": ["ZZ"]}, 422, "", "campaigns.no_such_country"),
        ({"radius_km": 5}, 422, "", "campaigns.event_is_nowhere"),
        ({"days": []}, 422, "/days", "too_short"),
    ],
    "add_link": [
        ({"other": "LP"}, 422, "", "recommendations.linked_with_itself"),
        ({"kind": "before"}, 422, "/kind", "literal_error"),
    ],
    "create_stage": [
        ({"key": "sample"}, 409, "", "segments.stage_key_taken"),
        ({"key": "No word"}, 422, "/key", "string_pattern_mismatch"),
        ({"name": {"ko": "더"}}, 422, "/name", "no_default"),
        ({"rule": {"key": "moon"}}, 422, "/rule/key", "unknown_key"),
    ],
    "change_stage": [({"edited": 99}, 409, "", "audit.edited_meanwhile")],
    "order_stages": [({"keys": ["sample", "sample"]}, 409, "", "segments.not_the_stages")],
    "correct_life_event": [({"on": "2026-02-30"}, 422, "/on", "date_from_datetime_parsing")],
    "explain_member": [({"customer": "nobody"}, 404, "", "customers.no_such_customer")],
    "qualify": [({"basket": {**BASKET, "currency": "ZZZ"}}, 422, "/basket/currency", "value_error")],
    "validate": [
        ({"codes": [""]}, 422, "/codes/0", "string_too_short"),
        ({"hold_minutes": 0}, 422, "/hold_minutes", "greater_than_equal"),
        ({"hold_minutes": 5, "codes": ["NOSUCH"]}, 404, "", "incentives.no_such_code"),
        ({"drafts": [UNKNOWN]}, 404, "", "incentives.no_such_incentive"),
    ],
    "redeem": [
        ({"codes": ["NOSUCH"]}, 404, "", "incentives.no_such_code"),
        ({"basket": {**BASKET, "lines": []}}, 422, "/basket/lines", "too_short"),
        ({"basket": {**BASKET, "lines": [{**LINE, "quantity": -1}]}}, 422, "/basket/lines/0/quantity",
         "greater_than_equal"),
        ({"customer": {}}, 422, "/customer", "value_error"),
    ],
    "roll_back": [
        ({"reason": " "}, 422, "/reason", "string_too_short"),
        ({"lines": [{"line": 7, "quantity": 1}]}, 422, "", "incentives.nothing_returned"),
    ],
    "preview_rollback": [
        ({"lines": []}, 422, "/lines", "too_short"),
        ({"lines": [{"line": 0, "quantity": 1000}]}, 422, "", "incentives.nothing_returned"),
    ],
    "create_programme": [
        ({"key": "gift_card_eur"}, 409, "", "loyalty.programme_taken"),
        ({"unit": "no_such"}, 404, "", "ledger.no_such_unit"),
        ({"rule": {**CLUB, "names": {"de": "Klub"}}}, 422, "/names", "no_default"),
        ({"rule": {**CLUB, "pending": {"kind": "days", "days": 0}}}, 422, "/rule/pending/days/days", "invalid"),
    ],
    "change_programme": [
        ({"edited": 99}, 409, "", "audit.edited_meanwhile"),
        ({"rule": {**CLUB, "tiers": {"steps": [{"rewards": ["x"]}]}}}, 422, "", "loyalty.unknown_part"),
    ],
    "join_programme": [({"customers": []}, 422, "/customers", "too_short")],
    "leave_programme": [({"customers": ["x"]}, 422, "/customers/0", "uuid_parsing")],
    "back_test_programme": [
        ({"last": "2025-12-31"}, 422, "", "loyalty.bad_days"),
        ({"first": "2026-02-30"}, 422, "/first", "date_from_datetime_parsing"),
    ],
    "adjust_points": [
        ({"amount": 0}, 422, "/amount", "invalid"),
        ({"amount": -1}, 409, "", "ledger.not_enough"),
        ({"reason": " "}, 422, "/reason", "string_too_short"),
    ],
    "set_tier": [
        ({"tier": "bronze"}, 404, "", "loyalty.no_such_tier"),
        ({"reason": ""}, 422, "/reason", "string_too_short"),
        ({"until": "2020-01-01"}, 422, "", "loyalty.ends_before"),
    ],
    "invite": [
        ({"tier": "bronze"}, 404, "", "loyalty.no_such_tier"),
        ({"customers": []}, 422, "/customers", "too_short"),
        ({"reason": " "}, 422, "", "loyalty.why_missing"),
    ],
    "earn_for_order": [({"order": "no such"}, 404, "", "loyalty.no_such_order")],
    "try_programme": [
        ({"lines": []}, 422, "/lines", "invalid"),
        ({"tier": "bronze"}, 422, "/tier", "invalid"),
        ({"currency": "USD"}, 409, "", "loyalty.no_rate"),
        ({"customer": UNKNOWN}, 404, "", "customers.no_such_customer"),
    ],
    "create_incentive": [
        ({"rule": {**RULE, "effects": [{"kind": "percent", "basis_points": 10_001}]}}, 422,
         "/rule/effects/0/percent/basis_points", "less_than_equal"),
        ({"rule": {**RULE, "effects": [{"kind": "magic"}]}}, 422, "/rule/effects/0", "union_tag_invalid"),
    ],
    "change_incentive": [({"edited": 99}, 409, "", "audit.edited_meanwhile")],
    "generate_codes": [({"count": 0}, 422, "/count", "greater_than_equal")],
    "stop_incentive": [({"why": "x" * 301}, 422, "/why", "string_too_long")],
    "resume_incentive": [({"why": "x" * 301}, 422, "/why", "string_too_long")],
    "put_policy": [
        ({"edited": 99}, 409, "", "audit.edited_meanwhile"),
        ({"policy": {"stacking": {"mode": "magic"}}}, 422, "/policy/stacking/mode", "literal_error"),
    ],
    "put_budget": [
        ({"edited": 99}, 409, "", "audit.edited_meanwhile"),
        ({"limits": [{"uses": 0}]}, 422, "/limits/0/uses", "greater_than_equal"),
    ],
    "finish_fulfilment": [({"note": "x" * 301}, 422, "/note", "string_too_long")],
    "cancel_fulfilment": [({"note": "x" * 301}, 422, "/note", "string_too_long")],
    "create_template": [({"words": {}}, 422, "", "messaging.words_missing")],
    "change_template": [({"edited": 99}, 409, "", "audit.edited_meanwhile")],
    "preview_template": [({"customer": UNKNOWN}, 404, "", "customers.no_such_customer")],
    "put_messaging_policy": [
        ({"edited": 99}, 409, "", "audit.edited_meanwhile"),
        ({"policy": {"caps": [{"most": 0}]}}, 422, "/policy/caps/0/most", "greater_than_equal"),
    ],
    "create_block": [
        ({"key": "Spring!"}, 422, "/key", "string_pattern_mismatch"),
        ({"key": "sample"}, 409, "", "messaging.block_taken"),
        ({"bodies": {"ko": WORDS["en"]["body"]}}, 422, "", "messaging.block_missing"),
        ({"bodies": {"en": "<mj-text>{{ nobody }}</mj-text>"}}, 422, "", "messaging.template_faulty"),
    ],
    "change_block": [({"edited": 99}, 409, "", "audit.edited_meanwhile")],
    "put_brand_kit": [
        ({"edited": 99}, 409, "", "audit.edited_meanwhile"),
        ({"brand": {"text_color": "#999999"}}, 422, "/brand", "value_error"),
        ({"brand": {"font": "comic"}}, 422, "/brand/font", "literal_error"),
    ],
    "subscribe_device": [
        ({"auth": "short"}, 422, "/auth", "string_pattern_mismatch"),
        ({"endpoint": "http://push.example.com/1"}, 422, "/endpoint", "string_pattern_mismatch"),
    ],
    "unsubscribe_device": [({"endpoint": "x" * 501}, 422, "/endpoint", "string_too_long")],
    "create_campaign": [
        ({"plan": {**PLAN, "audience": UNKNOWN}}, 422, "", "campaigns.unknown_part"),
        ({"plan": PLAN}, 422, "/plan/steps", "invalid"),
        ({"plan": {**PLAN, "occasion": "never"}}, 422, "/plan/occasion", "invalid"),
    ],
    "change_campaign": [
        ({"plan": {**PLAN, "excluded": "7"}}, 422, "", "campaigns.unknown_part"),
        ({"edited": 99}, 409, "", "audit.edited_meanwhile"),
    ],
    "approve_campaign": [({"version": 99}, 409, "", "campaigns.saved_meanwhile")],
    "reject_campaign": [({"reason": " "}, 422, "/reason", "string_too_short")],
    "widen_campaign": [
        ({"percent": 5, "first": 5}, 422, "/first", "invalid"),
        ({"first": 5}, 409, "", "campaigns.not_wider"),
    ],
    "create_scheme": [
        ({"key": "friends"}, 409, "", "referrals.key_taken"),
        ({"key": "No word"}, 422, "/key", "string_pattern_mismatch"),
        ({"rule": {"names": {"en": "F"}, "friend_incentive": UNKNOWN}}, 422, "", "referrals.unknown_part"),
        ({"rule": {"names": {"en": "F"}}}, 422, "/rule", "invalid"),
        ({"rule": {"names": {"en": "F"}, "hold_days": -1}}, 422, "/rule/hold_days", "invalid"),
    ],
    "change_scheme": [
        ({"edited": 99}, 409, "", "audit.edited_meanwhile"),
        ({"rule": {"names": {"en": "P"}, "kind": "partners"}}, 422, "", "referrals.kind_is_fixed"),
    ],
    "create_partner": [
        ({"reference": "sample"}, 409, "", "referrals.partner_taken"),
        ({"iban": "DE00370400440532013000"}, 422, "", "referrals.bad_iban"),
        ({"currency": "XQQ"}, 422, "", "referrals.bad_currency"),
        ({"basis_points": 10_001}, 422, "/basis_points", "less_than_equal"),
        ({"email": "nobody"}, 422, "/email", "string_pattern_mismatch"),
    ],
    "change_partner": [
        ({"currency": "USD"}, 409, "", "referrals.currency_is_fixed"),
        ({"iban": "DE1"}, 422, "", "referrals.bad_iban"),
    ],
    "enrol_partner": [
        ({"scheme": "nowhere"}, 404, "", "referrals.no_such_scheme"),
        ({"scheme": "friends"}, 409, "", "referrals.not_for_partners"),
        ({"code": "FR1END"}, 409, "", "referrals.code_taken"),
        ({"code": "a b"}, 422, "/code", "string_pattern_mismatch"),
    ],
    "draw_up_payouts": [
        ({"currency": "USD"}, 409, "", "referrals.nothing_to_pay"),
        ({"currency": "euro"}, 422, "/currency", "string_pattern_mismatch"),
    ],
    "settle_payouts": [({"reference": "x" * 61}, 422, "/reference", "string_too_long")],
    "open_advocates": [({"customers": []}, 422, "/customers", "too_short")],
    "get_referral_link": [
        ({"customer": "nobody"}, 404, "", "customers.no_such_customer"),
        ({"scheme": "nowhere"}, 404, "", "referrals.no_such_scheme"),
    ],
    "add_visit": [({"code": "NOSUCH"}, 404, "", "referrals.no_such_advocate")],
    "refer": [
        ({"code": "NOSUCH"}, 404, "", "referrals.no_such_advocate"),
        ({"customer": "nobody"}, 404, "", "customers.no_such_customer"),
        ({"customer": "friend"}, 409, "", "referrals.friend_counted"),
    ],
    "approve_referral": [({"why": "x" * 301}, 422, "/why", "string_too_long")],
    "reject_referral": [({"why": "x" * 301}, 422, "/why", "string_too_long")],
    "create_reward": [
        ({"programme": "nowhere"}, 404, "", "loyalty.no_such_programme"),
        ({"incentive": UNKNOWN}, 404, "", "incentives.no_such_incentive"),
        ({"plan": {**TREAT, "price": -1}}, 422, "/plan/price", "greater_than_equal"),
        ({"plan": {**TREAT, "tiers": ["gold"]}}, 422, "", "loyalty.reward_names_nobody"),
        ({"plan": {**TREAT, "kind": "gift_card"}}, 422, "", "loyalty.reward_needs_offer"),
        ({"plan": {**TREAT, "names": {"de": "Leckerli"}}}, 422, "", "loyalty.name_missing"),
    ],
    "change_reward": [({"edited": 99}, 409, "", "audit.edited_meanwhile")],
    "create_claim": [
        ({"reward": UNKNOWN}, 404, "", "loyalty.no_such_reward"),
        ({"customer": UNKNOWN}, 404, "", "customers.no_such_customer"),
    ],
    "return_claim": [({"reason": " "}, 422, "/reason", "string_too_short")],
    "choose": [({"reward": UNKNOWN}, 404, "", "loyalty.no_such_reward")],
    "put_preference": [({"kind": "a car"}, 422, "/kind", "literal_error")],
    "create_challenge": [
        ({"plan": {**TWICE, "within_days": 0}}, 422, "/plan/within_days", "greater_than_equal"),
        ({"plan": {**TWICE, "badge": False}}, 422, "", "api.invalid"),
        ({"reward": UNKNOWN}, 404, "", "loyalty.no_such_reward"),
    ],
    "change_challenge": [({"edited": 99}, 409, "", "audit.edited_meanwhile")],
    "create_surprise": [
        ({"plan": {**LUCK, "limits": {}}}, 422, "", "loyalty.no_limit"),
        ({"plan": {**LUCK, "chance": 10_001}}, 422, "/plan/chance", "less_than_equal"),
    ],
    "change_surprise": [({"edited": 99}, 409, "", "audit.edited_meanwhile")],
}  # fmt: skip
DEEP = 50_000
#: What is no body of anything: (content type, bytes, more headers, status, code of the problem).
NO_BODIES: dict[str, tuple[str, bytes, dict[str, str], int, str]] = {
    "nothing": ("application/json", b"", {}, 422, "api.invalid"),
    "half": ("application/json", b'{"a": ', {}, 400, "api.bad_json"),
    "a comma too many": ("application/json", b'{"a": 1,}', {}, 400, "api.bad_json"),
    "NaN": ("application/json", b'{"a": NaN}', {}, 400, "api.bad_json"),
    "Infinity": ("application/json", b'{"a": -Infinity}', {}, 400, "api.bad_json"),
    "deep lists": ("application/json", b"[" * DEEP + b"]" * DEEP, {}, 400, "api.bad_json"),
    "deep objects": ("application/json", b'{"a":' * DEEP + b"1" + b"}" * DEEP, {}, 400, "api.bad_json"),
    "a raw NUL": ("application/json", b'{"a": "\0"}', {}, 400, "api.bad_json"),
    "an escaped NUL": ("application/json", b'{"a": "\\u0000"}', {}, 400, "api.control_characters"),
    "an escaped NUL in a name": ("application/json", b'{"\\u0000": 1}', {}, 400, "api.control_characters"),
    "half a character": ("application/json", b'{"a": "\\ud800"}', {}, 400, "api.control_characters"),
    "latin-1": ("application/json", '{"a": "ö"}'.encode("latin-1"), {}, 400, "api.bad_json"),
    "utf-16": ("application/json", '{"a": "ö"}'.encode("utf-16"), {}, 400, "api.bad_json"),
    "utf-16 without a mark": ("application/json", b'{\0"\0a\0"\0:\0001\0}\0', {}, 400, "api.bad_json"),
    "a digit too many": ("application/json", b'{"a": ' + b"9" * 5_000 + b"}", {}, 400, "api.bad_json"),
    "a list": ("application/json", b"[]", {}, 422, "api.invalid"),
    "a text": ("application/json", b'"text"', {}, 422, "api.invalid"),
    "null": ("application/json", b"null", {}, 422, "api.invalid"),
    "10 MB": ("application/json", b'{"a": "' + b"x" * 10 * 2**20 + b'"}', {}, 413, "api.too_large"),
    "plain text": ("text/plain", b"{}", {}, 415, "api.unsupported_media_type"),
    "a form": ("application/x-www-form-urlencoded", b"a=1", {}, 415, "api.unsupported_media_type"),
    "xml": ("application/xml", b"<a/>", {}, 415, "api.unsupported_media_type"),
    "no type": ("", b"{}", {}, 415, "api.unsupported_media_type"),
    "gzip": ("application/json", gzip.compress(b"{}"), {"content-encoding": "gzip"}, 415, "api.unsupported_encoding"),
}  # fmt: skip


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


@pytest.fixture(scope="module")
def api_of_a_shop(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock(), transaction.atomic():
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
            "customer": programmes(),
            "kind": "customers", "sku": "LP", "reference": "O1", "code": "TAKEN1", "batch_id": UNKNOWN,
            "key": "gift_card_eur",
            "block": save_block(**GOOD["create_block"] | {"key": "sample"}, edited=None, now=NOW, by=BY).key,
        }  # fmt: skip
        yield door
        transaction.set_rollback(True)


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


@pytest.fixture
def untouched(api_of_a_shop):
    """The door; whatever is asked of it, no table may have a row more or less than before."""
    before = world.row_counts()
    with transaction.atomic():
        yield api_of_a_shop
        after = world.row_counts()
        transaction.set_rollback(True)
    assert after == before


def told(response: Any) -> tuple[int, str, set[tuple[str, str]]]:
    """(status, the problem's code, {(pointer, code) of its errors}) of a refusal in its proper shape."""
    assert response["Content-Type"] == "application/problem+json", (response.status_code, response.content[:300])
    body = response.json()
    assert body["status"] == response.status_code
    assert re.fullmatch(r"[a-z_]+\.[a-z_]+", body["code"])
    assert body["detail"]
    assert "%(" not in body["detail"]
    errors = body.get("errors", [])
    for error in errors:
        assert error["code"], body
        assert error["message"], body
    return response.status_code, body["code"], {(error["pointer"], error["code"]) for error in errors}


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
    friend = Customer.objects.create(reference="friend", email="friend@mailinator.com", recorded_at=NOW)
    referred = referring.refer(code="FR1END", friend_id=friend.pk, source="matrix", now=NOW, by=BY).referral
    Referral.objects.filter(pk=referred.pk).update(state="review")
    ids = dict.fromkeys(("approve_referral", "reject_referral", "get_referral"), referred.public_id)
    return {"referrals": scheme.public_id, "get_advocate": advocate.public_id, **ids}


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


def test_every_operation_with_a_body_has_a_good_one_and_bad_facts():
    assert set(WITH_BODY) == set(GOOD) == set(BAD_FACTS)


@pytest.mark.parametrize("name", WITH_BODY)
def test_the_good_body_is_good(api_of_a_shop, name):
    with transaction.atomic():
        response = api_of_a_shop.send(name, GOOD[name])
        transaction.set_rollback(True)
    assert 200 <= response.status_code < 300, response.content


@pytest.mark.parametrize(
    ("name", "changes", "status", "pointer", "code"),
    [(name, *case) for name, cases in BAD_FACTS.items() for case in cases],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_bad_facts_are_told_by_pointer(untouched, name, changes, status, pointer, code):
    answer = told(untouched.send(name, {**GOOD[name], **changes}))
    assert answer[0] == status, answer
    assert (pointer, code) in answer[2] if pointer else code == answer[1], answer


@pytest.mark.parametrize("name", WITH_BODY)
def test_what_is_no_body(untouched, name):
    for what, (content_type, data, headers, status, code) in NO_BODIES.items():
        answer = told(untouched.send(name, data, content_type=content_type, **headers))
        assert answer[:2] == (status, code), (what, answer)


@pytest.mark.parametrize("name", WITH_BODY)
def test_an_unknown_name_is_refused(untouched, name):
    answer = told(untouched.send(name, {**GOOD[name], "no_such_name": 1}))
    assert answer == (422, "api.invalid", {("/no_such_name", "extra_forbidden")})


def resolved(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The alternatives that a schema allows, without references."""
    if "$ref" in schema:
        schema = DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    alternatives = schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf")
    if not alternatives:
        yield schema
    for alternative in alternatives or []:
        yield from resolved(alternative)


def wrong_values(property_schema: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """(what it is, a value) of everything that a property of this schema must refuse."""
    allowed = list(resolved(property_schema))
    kinds = {one.get("type") for one in allowed}
    formats = {one.get("format") for one in allowed}
    numbers = bool(kinds & {"integer", "number"})
    if "object" not in kinds:
        yield "an object", {"a": 1}
    if "array" not in kinds:
        yield "a list", [1]
    if "string" not in kinds:
        yield "a text", "text"
    if numbers:
        yield "a huge number", 10**30
        yield "a hugely negative number", -(10**30)
    if "integer" in kinds and "number" not in kinds:
        yield "a fraction", 1.5
    if "string" in kinds:
        yield "an endless text", "x" * 300_001
    if formats & {"date", "date-time", "uuid"}:
        yield "a day that is none", "9999-99-99"
        yield "a text", "soon"
    if "array" in kinds:
        yield "a hundred thousand", [1] * 100_000


@pytest.mark.parametrize("name", WITH_BODY)
def test_a_wrong_value_is_told_by_its_pointer(untouched, name):
    (body,) = resolved(OPERATIONS[name][2]["requestBody"]["content"]["application/json"]["schema"])
    for field, schema in body["properties"].items():
        for what, value in wrong_values(schema):
            answer = told(untouched.send(name, {**GOOD[name], field: value}))
            if field == "edited" and answer[1] == "audit.edited_meanwhile":
                continue  # a version that there may be one day
            assert answer[0] == 422, (field, what, answer)
            assert any(pointer.startswith(f"/{field}") for pointer, _code in answer[2]), (field, what, answer)
            assert len(answer[2]) <= 100, (field, what)


@pytest.mark.parametrize("name", WITH_BODY)
def test_what_is_needed_and_missing_is_told_by_its_pointer(untouched, name):
    (body,) = resolved(OPERATIONS[name][2]["requestBody"]["content"]["application/json"]["schema"])
    for field in body.get("required", []):
        sent = {key: value for key, value in GOOD[name].items() if key != field}
        answer = told(untouched.send(name, sent))
        assert answer[0] == 422, (field, answer)
        assert (f"/{field}", "missing") in answer[2], (field, answer)


PARAMETERS = {name: operation.get("parameters", []) for name, (_method, _path, operation) in OPERATIONS.items()}
KEYED = [name for name in WRITES if any(parameter["in"] == "header" for parameter in PARAMETERS[name])]


@pytest.mark.parametrize("name", KEYED)
def test_a_write_needs_a_key_of_its_own(untouched, name):
    for key in ("", " ", "x" * 256, "ключ", "a b"):
        status, code, _errors = told(untouched.send(name, GOOD.get(name), **{"idempotency-key": key}))
        assert (status, code) == (400, "api.idempotency_key_missing"), key


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_addresses_that_lead_nowhere(untouched, name):
    method, path, operation = OPERATIONS[name]
    inside = [p for p in operation.get("parameters", []) if p["in"] == "path"]
    # What else is asked for is there, and of nobody.
    needed = [p["name"] for p in operation.get("parameters", []) if p["in"] == "query" and p.get("required")]
    path += f"?{urlencode(dict.fromkeys(needed, UNKNOWN))}" if needed else ""
    for parameter in inside:
        is_id = any(one.get("format") == "uuid" for one in resolved(parameter["schema"]))
        bad = ["not-an-id", "1", UNKNOWN] if is_id else ["no-such", "x" * 3_000, "%F0%9F%A6%86"]
        for value in bad:
            address = untouched.address(name, path.replace(f"{{{parameter['name']}}}", value))
            status, _code, _errors = told(untouched.ask(method, address, GOOD.get(name)))
            assert status == 404, (parameter["name"], value[:40])
        address = untouched.address(name, path.replace(f"{{{parameter['name']}}}", "a%00b"))
        assert told(untouched.ask(method, address, GOOD.get(name)))[0] in (400, 404)


@pytest.mark.parametrize("name", READS)
def test_bad_questions(untouched, name):
    for parameter in OPERATIONS[name][2].get("parameters", []):
        if parameter["in"] != "query":
            continue
        ask = parameter["name"]
        assert told(untouched.send(name, query=f"?{ask}=%00"))[:2] == (400, "api.control_characters")
        kinds = {one.get("type") for one in resolved(parameter["schema"])}
        if ask == "cursor" or kinds & {"integer", "boolean"}:
            assert told(untouched.send(name, query=f"?{ask}=no%20such"))[0] == 422, ask


def test_the_clock_of_these_tests_is_behind_the_doors():
    assert clock.now() > NOW
