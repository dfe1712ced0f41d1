"""Redemptions over HTTP, every rule included, beside a bare endpoint with one SQL function call on the same server.

1, 16 and 64 kept connections, granian with two workers of four threads, unique codes, baskets of three lines: of a
hundred incentives, of a single hot one, and of one that expects a rush and counts on stripes. What counts is rows in
the database, so that an error could not pass for speed.
"""

import datetime as dt
import http.client
import json
import os
import re
import shutil
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from benchmarks import harness

from django.db import connection  # isort: skip

from benchmarks.bare_urls import FUNCTION  # isort: skip
from benchmarks.serving import server  # isort: skip
from retention import clock  # isort: skip
from retention.actors import Actor  # isort: skip
from retention.doors.keys import create_key  # isort: skip
from retention.incentives import operations  # isort: skip
from retention.incentives.models import Code, Redemption  # isort: skip
from retention.incentives.rules import IncentiveRule  # isort: skip
from retention.shop.models import Shop  # isort: skip

CONNECTIONS = (1, 16, 64)
SECONDS = 2
ROUNDS = 3
INCENTIVES = 100
#: What is measured, by the name of the figure: at 16 connections it is the name alone.
CROWDS = {"redeem": "Offer", "redeem_hot": "Hot", "redeem_rush": "Rush"}
BY = Actor.command("bench")
RULE = {
    "effects": [{"kind": "percent", "basis_points": 2000, "scope": {"without_low_margin": True}}],
    "conditions": [{"kind": "minimum_amount", "amounts": {"EUR": 2000}}, {"kind": "in_countries", "countries": ["DE"]}],
    "limits": {"total": 10**6, "per_customer": 10**6, "money": {"amount_minor": 10**12, "currency": "EUR"}},
}
BASKET = {
    "currency": "EUR",
    "country": "DE",
    "shipping_minor": 490,
    "lines": [{"sku": f"SKU{n}", "quantity": 2, "unit_price_minor": 1999} for n in range(3)],
}
LUA = """
local at, codes = tonumber(os.getenv("AT")), {}
for code in io.lines(os.getenv("CODES")) do codes[#codes + 1] = code end
local start, middle, finish = [[%(start)s]], [[%(middle)s]], [[%(finish)s]]
function request()
    at = at + 1
    local headers = {["Content-Type"] = "application/json", ["Authorization"] = [[Bearer %(secret)s]],
                     ["Idempotency-Key"] = "%(crowd)s-" .. at}
    return wrk.format("POST", [[%(path)s]], headers, start .. codes[at] .. middle .. at .. finish)
end
"""


def main() -> None:
    with harness.database() as url:
        codes, secret = _shop(harness.size(80_000, least=40_000))
        with tempfile.TemporaryDirectory() as folder, server(url) as port:
            for name, offer in CROWDS.items():
                driver = Driver(Path(folder), port, codes[offer], secret)
                # Plans made while tables are empty are no good; as in a shop they are made anew when rows are there.
                driver.run("/api/v1/redemptions/")
                driver.run("/bare/")
                for connections in CONNECTIONS:
                    driver.connections = connections
                    harness.settle()
                    harness.compare(
                        name if connections == 16 else f"{name}_{connections}",
                        ours=lambda driver=driver: driver.run("/api/v1/redemptions/"),
                        floor=lambda driver=driver: driver.run("/bare/"),
                        rounds=ROUNDS,
                        warm_up=False,
                        unit="redemptions",
                    )


class Driver:
    """Sends requests, each with a code of its own, for some seconds; wrk where it is installed, else threads."""

    def __init__(self, folder: Path, port: int, codes: list[str], secret: str) -> None:
        self.folder, self.port, self.codes, self.secret, self.at = folder, port, codes, secret, 0
        self.connections = 16
        #: Keys of one crowd are not those of another.
        self.crowd = codes[0]
        (folder / "codes.txt").write_text("\n".join(codes))
        body = json.dumps(
            {"codes": ["|"], "order_reference": "o", "customer": {"email": "|@example.com"}, "basket": BASKET}
        )
        self.start, self.middle, self.finish = body.split("|")

    def run(self, path: str) -> int:
        before = Redemption.objects.count()
        sent = self._wrk(path) if shutil.which("wrk") else self._threads(path)
        done = Redemption.objects.count() - before
        if done < sent * 0.99:
            raise SystemExit(f"{path}: {sent} requests made only {done} redemptions")
        # Requests that were cut off at the end may have used a code each.
        self.at += sent + 4 * self.connections
        return done

    def _wrk(self, path: str) -> int:
        script = self.folder / "redeem.lua"
        script.write_text(LUA % {**vars(self), "path": path})
        environment = {**os.environ, "AT": str(self.at), "CODES": str(self.folder / "codes.txt")}
        command = [
            "wrk",
            "-t1",
            f"-c{self.connections}",
            f"-d{SECONDS}s",
            "-s",
            str(script),
            f"http://127.0.0.1:{self.port}",
        ]
        report = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
        if "Non-2xx" in report:
            raise SystemExit(report)
        return int(re.search(r"(\d+) requests in", report)[1])

    def _threads(self, path: str) -> int:
        sent, lock, until = [0], threading.Lock(), time.perf_counter() + SECONDS

        def shop() -> None:
            kept = http.client.HTTPConnection("127.0.0.1", self.port)
            while time.perf_counter() < until:
                with lock:
                    sent[0] += 1
                    at = self.at + sent[0]
                headers = {
                    "Content-Type": "application/json",
                    "Authorization": f"Bearer {self.secret}",
                    "Idempotency-Key": f"{self.crowd}-{at}",
                }
                kept.request("POST", path, f"{self.start}{self.codes[at]}{self.middle}{at}{self.finish}", headers)
                kept.getresponse().read()

        threads = [threading.Thread(target=shop) for _ in range(self.connections)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return sent[0]


def _shop(count: int) -> tuple[dict[str, list[str]], str]:
    """Codes to hand out: of a hundred live incentives, a hot one, one that expects a rush; and a caller's key."""
    now = clock.now()
    Shop.objects.create(name="Bench", time_zone="UTC", currency="EUR")
    for number in range(INCENTIVES):
        _offer(f"Offer {number}", RULE, count // INCENTIVES, now)
    _offer("Hot", RULE, count, now)
    _offer("Rush", {**RULE, "limits": {**RULE["limits"], "expects_rush": True}}, count, now)
    with connection.cursor() as cursor:
        cursor.execute(FUNCTION)
    harness.settle()
    scopes = ["incentives:redeem"]
    secret = create_key(name="bench", scopes=scopes, known=scopes, now=now, by=BY).secret
    # Neighbours in the list are of different incentives, as at a checkout.
    codes = Code.objects.order_by("code").values_list("code", flat=True)
    return {offer: list(codes.filter(incentive__name__startswith=offer)) for offer in CROWDS.values()}, secret


def _offer(name: str, rule: dict, count: int, now: dt.datetime) -> None:
    incentive = operations.create_incentive(rule=IncentiveRule.model_validate({"name": name, **rule}), now=now, by=BY)
    operations.go_live(incentive_id=incentive.pk, now=now, by=BY)
    batch = operations.generate_codes(
        incentive_id=incentive.pk, count=count, purpose="handout", source=name, now=now, by=BY
    )
    operations.fill_batch(batch_id=batch.pk, now=now)


if __name__ == "__main__":
    main()
