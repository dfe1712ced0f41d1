"""A shop runs "first 50 shoppers": two hundred of them press the button at once, and exactly fifty get it."""

import http.client
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections import Counter as Tally
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.db import connection

from retention.actors import Actor
from retention.doors.keys import create_key
from retention.incentives import operations
from retention.incentives.models import Counter, Redemption
from retention.incentives.operations.reconcile import differences
from retention.incentives.rules import IncentiveRule
from retention.shop.models import Shop

pytestmark = pytest.mark.django_db(transaction=True)
BY = Actor.command("test")
SHOPPERS = 200


@pytest.fixture
def server(free_port):
    """The product's own web server on the test's database: two processes of four threads."""
    port = free_port()
    url = urlsplit(os.environ["DATABASE_URL"])
    environment = {
        **os.environ,
        "DATABASE_URL": urlunsplit(url._replace(path=f"/{connection.settings_dict['NAME']}")),
        "DEBUG": "0",
        "API_REQUESTS_A_MINUTE": "1000000",
    }
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--workers", "2", "--blocking-threads", "4"]
    command += ["--host", "127.0.0.1", "--port", str(port), "--no-access-log", "--log-level", "error"]
    process = subprocess.Popen([*command, "retention.wsgi:application"], env=environment)
    for _try in range(300):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            break
        except OSError:
            time.sleep(0.1)
    yield port
    process.terminate()
    process.wait(timeout=20)


def test_two_hundred_press_at_once_and_fifty_get_it(server, now):
    Shop.objects.create(name="Shop", time_zone="UTC", currency="EUR")
    rule = IncentiveRule.model_validate(
        {
            "name": "First 50 shoppers",
            "effects": [{"kind": "percent", "basis_points": 2000}],
            "limits": {"total": 50, "per_customer": 1},
            "codes": {"kind": "public", "text": "FIRST50"},
        }
    )
    incentive = operations.create_incentive(rule=rule, now=now, by=BY)
    operations.go_live(incentive_id=incentive.pk, now=now, by=BY)
    scopes = ["incentives:redeem"]
    secret = create_key(name="shop", scopes=scopes, known=scopes, now=now, by=BY).secret
    gate, answers = threading.Barrier(SHOPPERS), []

    def press(number: int) -> None:
        body = {
            "code": "first-50",
            "order_reference": f"o{number}",
            "customer": {"email": f"shopper{number}@example.com"},
            "basket": {"currency": "EUR", "lines": [{"sku": "a", "quantity": 1, "unit_price_minor": 9999}]},
        }
        headers = {
            "Authorization": f"Bearer {secret}",
            "Content-Type": "application/json",
            "Idempotency-Key": f"order-{number}",
        }
        kept = http.client.HTTPConnection("127.0.0.1", server, timeout=60)
        kept.connect()
        gate.wait(timeout=60)
        kept.request("POST", "/api/v1/redemptions/", json.dumps(body), headers)
        answer = kept.getresponse()
        answers.append((answer.status, json.loads(answer.read()).get("code")))
        kept.close()

    shoppers = [threading.Thread(target=press, args=(number,)) for number in range(SHOPPERS)]
    for shopper in shoppers:
        shopper.start()
    for shopper in shoppers:
        shopper.join(timeout=120)
    assert Tally(answers) == {(201, "FIRST50"): 50, (409, "incentives.total_limit_reached"): 150}
    assert Redemption.objects.count() == 50
    own = Counter.objects.get(incentive_id=incentive.pk, scope="incentive", currency="")
    assert own.redeemed == 50
    assert Counter.objects.get(incentive_id=incentive.pk, scope="incentive", currency="EUR").spent_minor == 50 * 2000
    assert differences() == []
