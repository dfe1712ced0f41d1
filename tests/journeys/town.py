"""A shop with all its doors and nobody inside: its API, its console, its jobs, its clock, and its customers' mail."""

from __future__ import annotations

import datetime as dt
import json
import re
import uuid
from collections.abc import Mapping
from io import StringIO
from typing import Any
from zoneinfo import ZoneInfo

from django.core.management import call_command
from django.test import Client

from referrals import seeds as referring
from retention import clock
from retention.actors import Actor
from retention.customers import seeds as kinds
from retention.doors import seeds as roles
from retention.doors.keys import create_key
from retention.doors.operations.shop import save_shop
from retention.doors.operations.staff import Person, create_staff
from retention.ledger import seeds as units
from retention.marks import safe_mark
from retention.segments.following import newest_mark
from retention.work.operations import register_jobs
from tests.mailbox import Mail, Mailbox
from tests.processes import wait_until

BY = Actor.command("test")
BERLIN = ZoneInfo("Europe/Berlin")
CAMPAIGNS = "/admin/campaigns/campaign/"
SHOP = {
    "name": "Vinyl", "time_zone": "Europe/Berlin", "currency": "EUR", "languages": ["en", "ko", "ru"], "country": "DE",
    "sender_email": "shop@example.com", "postal_address": "1 Main Street, Berlin",
    "website_url": "https://shop.example.com",
}  # fmt: skip
SCOPES = (
    "activities:write", "calendars:read", "calendars:write", "campaigns:read", "consents:write", "customers:read",
    "customers:write", "incentives:read", "incentives:redeem", "incentives:write", "ingest:write", "ledger:read",
    "ledger:write", "loyalty:claim", "loyalty:launch", "loyalty:read", "loyalty:write", "orders:write",
    "partners:pay", "partners:read", "partners:write", "products:write", "recommendations:write", "referrals:launch",
    "referrals:read", "referrals:refer", "referrals:review", "referrals:write",
)  # fmt: skip
#: What the shop sells: SKU → what is told of it.
GOODS: Mapping[str, Mapping[str, Any]] = {
    "LP": {
        "name": "Blue Train", "category": "Records", "price_minor": 4_000, "url": "https://shop.example.com/blue-train",
        "image_url": "https://shop.example.com/blue-train.jpg",
    },
    "PLAYER": {
        "name": "Turntable T1", "category": "Players", "price_minor": 20_000,
        "url": "https://shop.example.com/t1", "how_to_url": "https://shop.example.com/t1/guide",
    },
    "FLUID": {
        "name": "Record cleaner", "category": "Care", "price_minor": 1_500, "replenish_days": 30,
        "url": "https://shop.example.com/cleaner",
    },
    "BOX": {"name": "The Big Box", "category": "Records", "price_minor": 10_000, "is_low_margin": True},
}  # fmt: skip


def moment(text: str) -> dt.datetime:
    """An instant by the shop's clock in Berlin: `moment("2026-05-12 12:00")`."""
    return dt.datetime.fromisoformat(text).replace(tzinfo=BERLIN).astimezone(dt.UTC)


def words_of(mail: Mail, kind: str = "plain") -> str:
    """A body with the line ends of this machine."""
    return mail.text(kind).replace("\r\n", "\n")


class Town:
    """`traveller` moves the clock of this process; mails that were read once are not new again."""

    def __init__(self, smtp: Mailbox, traveller: Any) -> None:
        self.smtp, self.traveller = smtp, traveller
        self.ids: dict[str, str] = {}
        self.campaigns: dict[str, str] = {}
        self.last_mail: dict[str, Mail] = {}
        self._read = 0
        opening = {"now": clock.now(), "by": BY}
        save_shop(values=SHOP, edited=None, **opening)
        # What an installation is seeded with, but for words and segments that no story tells of: that takes seconds.
        roles.seed(now=clock.now())
        kinds.seed(now=clock.now())
        referring.seed(now=clock.now())
        units.seed(**opening)
        register_jobs()
        self._secret = create_key(name="shop", scopes=SCOPES, known=SCOPES, **opening).secret
        self._api = Client()
        self._staff = {
            name: create_staff(person=Person(name, roles=(role,)), password="open sesame 42", **opening)
            for name, role in (("mina", "marketer"), ("lea", "marketing lead"))
        }

    # The shop's own system

    def call(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        headers = {"authorization": f"Bearer {self._secret}", "idempotency-key": uuid.uuid4().hex}
        data = {} if body is None else {"data": json.dumps(body), "content_type": "application/json"}
        answer = getattr(self._api, method)(f"/api/v1/{path}", headers=headers, **data)
        return answer.status_code, answer.json()

    def post(self, path: str, body: Any) -> Any:
        status, answer = self.call("post", path, body)
        assert status in (200, 201), answer
        return answer

    def get(self, path: str) -> Any:
        status, answer = self.call("get", path)
        assert status == 200, answer
        return answer

    def stocks(self, sku: str, **more: Any) -> None:
        """See that the catalogue has it."""
        self.post("products/", {"sku": sku, "currency": "EUR", **GOODS[sku], **more})

    def touches(self, who: str) -> list[dict[str, Any]]:
        """What the campaign that was launched last did for her, the latest first."""
        found = self.get(f"customers/{self.ids[who]}/touches/")["items"]
        return [touch for touch in found if touch["campaign"] == self.campaign]

    def why(self, who: str) -> dict[str, Any]:
        """The first answer to why she did or did not get it."""
        return self.get(f"campaigns/{self.campaign}/why/?customer={self.ids[who]}")["answers"][0]

    # The console

    def desk(self, name: str) -> Client:
        """Somebody of the staff at her desk, freshly logged in."""
        browser = Client()
        browser.force_login(self._staff[name], backend="django.contrib.auth.backends.ModelBackend")
        return browser

    def launch(self, playbook: str) -> None:
        """The marketer takes it from the gallery and submits it; the lead approves what she saw, and launches it."""
        mina, lea = self.desk("mina"), self.desk("lea")
        drafted = mina.post(f"{CAMPAIGNS}playbooks/", {"key": playbook})
        page = drafted.headers["Location"].removesuffix("change/")
        self._press(mina, f"{page}submit/")
        dialog = lea.get(f"{page}approve/").content.decode()
        self._press(lea, f"{page}approve/", version=re.search(r'name="version" value="(\d+)"', dialog)[1])
        self._press(lea, f"{page}launch/")
        newest = self.get("campaigns/?limit=200")["items"][-1]
        assert (newest["playbook"], newest["state"]) == (playbook, "live")
        self.campaigns[playbook] = self.campaign = newest["id"]

    @staticmethod
    def _press(browser: Client, button: str, **fields: str) -> None:
        answer = browser.post(button, {"_form_submitted": "1", **fields})
        assert "HX-Redirect" in answer.headers, answer.content.decode()

    # Time, and who works in it

    def go(self, at: dt.datetime) -> None:
        assert at >= clock.now(), "time goes forward"
        self.traveller.move_to(at, tick=False)

    def run_jobs(self, *jobs: str) -> None:
        """`manage.py run_jobs`: everything that is due, or these jobs."""
        out = StringIO()
        call_command("run_jobs", *(f"--job={job}" for job in jobs), "--json", verbosity=0, stdout=out)

    @staticmethod
    def settle() -> None:
        """Facts are read by their marks once every older transaction of the server has ended, other databases' too."""
        wait_until(lambda: safe_mark() > newest_mark(), what="older transactions of this server")

    # Customers

    def name_of(self, mail: Mail) -> str:
        (address,) = mail.recipients
        return address.partition("@")[0]

    def code_of(self, who: str) -> str:
        """The code that stands in her last mail."""
        return re.search(r"^([0-9A-Z]{8,})$", words_of(self.last_mail[who]), re.MULTILINE)[1]

    def new_mails(self) -> list[Mail]:
        """Those that came since the last look, in their order."""
        found = self.smtp.messages[self._read :]
        self._read += len(found)
        return found

    def looks_at(self, who: str) -> None:
        """Her mail program shows her last mail, with its pictures."""
        pixel = re.search(r'src="[^"]+(/o/[^"]+\.gif)"', words_of(self.last_mail[who], "html"))[1]
        assert Client(headers={"user-agent": "Thunderbird"}).get(pixel).status_code == 200
