"""A shop with a club: what its own system asks of programmes over the API, and what a member has at an instant."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from retention import clock
from tests.journeys.telling import MINUTE, SECOND, an_order, consents
from tests.journeys.town import GOODS, Town, moment

#: Facts are read, and what follows from them is done, by these; the nights are of everything.
FOLLOW = ("loyalty.earn", "loyalty.follow", "loyalty.tiers", "loyalty.milestones")


class Club:
    """One programme of a town's shop, and its members by name."""

    def __init__(
        self, town: Town, key: str, rule: Mapping[str, Any], unit_rule: Mapping[str, Any], *, unit: str = "club_points"
    ) -> None:
        self.town, self.key, self.unit = town, key, unit
        for sku in GOODS:
            town.stocks(sku)
        town.post("units/", {"key": unit, "rule": unit_rule})
        made = town.post("loyalty/programmes/", {"key": key, "unit": self.unit, "rule": rule})
        assert made["state"] == "draft"
        town.post(f"loyalty/programmes/{key}/launch/", {})

    def change(self, **parts: Any) -> None:
        """The marketer saves the programme with these parts as they are now."""
        shown = self.town.get(f"loyalty/programmes/{self.key}/")
        body = {"edited": shown["version"], "rule": {**shown["rule"], **parts}}
        status, answer = self.town.call("put", f"loyalty/programmes/{self.key}/", body)
        assert status == 200, answer

    def offers(self, name: str, price: int, effects: list[Mapping[str, Any]], kind: str, **plan: Any) -> dict[str, Any]:
        """A reward in its catalogue."""
        incentive = self.town.post("incentives/", {"rule": {"name": name, "effects": effects}})
        told = {"names": {"en": name}, "kind": kind, "price": price, **plan}
        made = self.town.post("loyalty/rewards/", {"programme": self.key, "plan": told, "incentive": incentive["id"]})
        return self.town.post(f"loyalty/rewards/{made['id']}/start/", {})

    # Members

    def knows(self, who: str, **profile: Any) -> None:
        """She is a customer of the shop, who agreed to mail."""
        told = {"reference": who, "email": f"{who}@example.com", "signed_up_at": clock.now().isoformat(), **profile}
        self.town.ids[who] = self.town.post("customers/", told)["id"]
        consents(self.town, who, "given")

    def hears(self, who: str, kind: str) -> None:
        """Of something that she did."""
        self.town.post("activities/", {"kind": kind, "customer": who, "occurred_at": clock.now().isoformat()})

    def joins(self, who: str) -> None:
        answer = self.town.post(f"loyalty/programmes/{self.key}/members/", {"customers": [self.town.ids[who]]})
        assert answer == {"joined": 1}

    def member(self, who: str) -> dict[str, Any]:
        return self.town.get(f"loyalty/programmes/{self.key}/members/{self.town.ids[who]}/")

    def takes(self, who: str, reward: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
        return self.town.call("post", "loyalty/claims/", {"reward": reward["id"], "customer": self.town.ids[who]})

    def buys(self, who: str, reference: str, *skus: str) -> None:
        self.town.post("orders/", an_order(who, reference, skus, shipping=0))

    def sends_back(self, reference: str, sku: str) -> None:
        told = {
            "reference": f"R-{reference}-{sku}", "order_reference": reference, "reason": "changed_mind",
            "amount_minor": GOODS[sku]["price_minor"], "lines": [{"sku": sku, "quantity": 1}],
            "occurred_at": clock.now().isoformat(),
        }  # fmt: skip
        self.town.post("returns/", told)

    def asks(self, who: str, reference: str, amount: int, *skus: str) -> tuple[int, dict[str, Any]]:
        """She wants to pay so much of an order with what she has."""
        lines = [{"sku": sku, "quantity": 1, "unit_price_minor": GOODS[sku]["price_minor"]} for sku in skus]
        asked = {
            "basket": {"currency": "EUR", "lines": lines}, "tenders": [{"unit": self.unit, "amount": amount}],
            "customer": {"reference": who}, "order_reference": reference,
        }  # fmt: skip
        return self.town.call("post", "redemptions/", asked)

    def pays(self, who: str, reference: str, amount: int, *skus: str) -> int:
        """She does, and the rest with money: how much that was."""
        status, answer = self.asks(who, reference, amount, *skus)
        assert status == 201, answer
        self.buys(who, reference, *skus)
        return answer["to_pay_minor"]

    # Time

    def at(self, text: str) -> None:
        """It is this time in Berlin; nothing has run yet."""
        self.town.go(moment(text))

    def runs(self, *jobs: str) -> None:
        """A second later the jobs run, and once more, which changes nothing."""
        self.town.settle()
        self.town.go(clock.now() + SECOND)
        self.town.run_jobs(*(jobs or FOLLOW))
        before = self._all()
        self.town.go(clock.now() + MINUTE)
        self.town.run_jobs(*(jobs or FOLLOW))
        assert self._all() == before, "what ran twice did something twice"

    def night(self, text: str) -> None:
        """It is a minute after the shop's midnight, and everything that is due runs."""
        self.at(f"{text} 00:01")
        self.runs("ledger.night", *FOLLOW)

    def has(self, who: str, balance: int, available: int, tier: str | None = None) -> None:
        found = self.member(who)
        assert (found["balance"], found["available"], found["tier"]) == (balance, available, tier), found
        assert found["balance"] - found["available"] == found["pending"]

    def _all(self) -> list[dict[str, Any]]:
        members = f"loyalty/programmes/{self.key}/members/"
        return [self.town.call("get", f"{members}{pk}/")[1] for pk in self.town.ids.values()]
