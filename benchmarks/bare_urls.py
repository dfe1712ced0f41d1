"""The floors of `redeem` and `earning`: endpoints on the product's own server, with one SQL function call and no rule.

The call goes the same way as the product's own, prepared: what is measured is the rules, not how one calls PostgreSQL.
"""

import json

from django.http import HttpRequest, HttpResponse
from django.urls import path

from retention import clock
from retention.doors.keys import recognise
from retention.statements import fetch_row
from retention.urls import urlpatterns as of_the_product

FUNCTION = """
CREATE FUNCTION bare_redeem(p_code text, p_source text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v record;
    v_id bigint;
BEGIN
    UPDATE incentives_code SET state = 'redeemed' WHERE code = p_code AND state = 'given'
    RETURNING id, incentive_id, version_id INTO v;
    INSERT INTO incentives_redemption
           (source, request_hash, state, persons, order_reference, currency, discount_minor, base_minor, effects,
            redeemed_at)
    VALUES (p_source, '', 'redeemed', '{}', p_source, 'EUR', 1, 1, '{}', now())
    RETURNING id INTO v_id;
    INSERT INTO incentives_use
           (redemption_id, place, code_id, incentive_id, version_id, discount_minor, used_at, used_on)
    VALUES (v_id, 0, v.id, v.incentive_id, v.version_id, 1, now(), current_date);
    UPDATE incentives_counter SET redeemed = redeemed + 1
    WHERE incentive_id = v.incentive_id AND scope = 'incentive' AND subject_id = 0 AND period = '' AND currency = '';
    RETURN v_id;
END $$
"""


def redeem(request: HttpRequest) -> HttpResponse:
    body = json.loads(request.body)
    (redemption_id,) = fetch_row("SELECT bare_redeem(%s, %s)", [body["codes"][0], request.headers["Idempotency-Key"]])
    answer = json.dumps({"id": redemption_id})
    return HttpResponse(answer, status=201, content_type="application/json")


def earn(request: HttpRequest) -> HttpResponse:
    if recognise(request.headers["Authorization"], clock.now()) is None:
        return HttpResponse(status=401)
    (earned,) = fetch_row("SELECT bare_earn(%s)", [json.loads(request.body)["order"]])
    return HttpResponse(json.dumps({"amount": earned}), content_type="application/json")


redeem.csrf_exempt = earn.csrf_exempt = True
urlpatterns = [path("bare/", redeem), path("bare/earn/", earn), *of_the_product]
