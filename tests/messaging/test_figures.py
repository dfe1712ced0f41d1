"""Figures of what became of messages, and providers that fail: over the API, on their pages, and for every role."""

import csv
import datetime as dt
import html
import re

import pytest

from retention.messaging.models import Delivery, Outage, Tally, Template
from retention.messaging.operations import outages
from retention.messaging.operations.tracking import Told, record_told
from retention.work.models import Alert
from tests.console.conftest import as_role, person
from tests.messaging.test_endpoints import api

__all__ = ["api", "as_role", "person"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]
DAYS = "since=2026-05-01&until=2026-05-31"


@pytest.fixture
def hear(now):
    def told(delivery, kind, *, number=1, is_machine=False):
        source = f"test:{kind}:{is_machine}:{number}:{delivery.pk}"
        one = Told(kind=kind, source=source, at=now, reference=delivery.public_id, is_machine=is_machine)
        assert record_told(told=one, now=now)

    return told


@pytest.fixture
def sent(say, send, customer, template, hear):
    """Ten messages of one template and one of another: opened by four, by two machines, clicked by one, one bounced."""
    people = [customer(f"c{n}") for n in range(10)]
    say(*people, template_=template(name="Spring"), group_id=7)
    send()
    say(customer("zoe"), customer("no", consent=False), template_=template(name="Other"), group_id=8)
    send()
    mine = list(Delivery.objects.filter(group_id=7).order_by("pk"))
    for delivery in mine[:4]:
        hear(delivery, "opened")
        hear(delivery, "opened", number=2)
    for delivery in mine[3:5]:
        hear(delivery, "opened", is_machine=True)
    hear(mine[0], "clicked")
    hear(mine[9], "bounced")
    return mine


def test_each_line_says_what_became_of_its_messages(sent, api):
    spring = Template.objects.get(name="Spring")
    status, told = api.get(f"message-figures/?by=template&{DAYS}")
    assert status == 200
    first, second = told["items"]
    assert (first["id"], first["name"], second["name"]) == (str(spring.public_id), "Spring", "Other")
    counts = {key: value for key, value in first.items() if value and key not in ("id", "name")}
    assert counts == {"sent": 10, "opened": 4, "opened_by_machine": 2, "clicked": 1, "bounced": 1}
    assert (second["sent"], second["unsent"]) == (1, 1)
    assert (told["total"]["sent"], told["total"]["opened"], told["total"]["unsent"]) == (11, 4, 1)
    for by, names in (("day", ["2026-05-12"]), ("channel", ["email"])):
        items = api.get(f"message-figures/?by={by}&{DAYS}")[1]["items"]
        assert [(item["name"], item["sent"]) for item in items] == [(name, 11) for name in names]
    assert api.get("message-figures/?by=day&since=2026-05-13&until=2026-05-31")[1]["items"] == []
    assert api.get(f"message-figures/?by=day&channel=sms&{DAYS}")[1]["items"] == []
    status, refused = api.get("message-figures/?since=2026-05-31&until=2026-05-01")
    assert (status, refused["code"]) == (422, "messaging.bad_days")


def test_the_page_shows_rates_and_takes_one_statement_however_much_was_sent(
    sent, as_role, django_assert_max_num_queries, now
):
    analyst = as_role("analyst")
    page = analyst.get(f"/admin/messaging/event/figures/?by=template&{DAYS}&channel=")
    text = " ".join(page.content.decode().split())
    assert '4 <span class="text-subtle text-xs">40.0 %</span>' in text
    assert '1 <span class="text-subtle text-xs">10.0 %</span>' in text
    assert "Complained" not in text
    version = Tally.objects.first().version_id
    Tally.objects.bulk_create(
        Tally(origin="test.row", group_id=n, version_id=version, channel="email", day=now.date(), kind="sent", count=n)
        for n in range(1, 300)
    )
    with django_assert_max_num_queries(25):
        assert (
            "test.row 299"
            in analyst.get(f"/admin/messaging/event/figures/?by=campaign&{DAYS}&channel=").content.decode()
        )
    assert (
        "before it begins"
        in analyst.get(
            "/admin/messaging/event/figures/?by=day&since=2026-05-31&until=2026-05-01&channel="
        ).content.decode()
    )


def test_the_same_as_a_file(sent, as_role):
    Template.objects.filter(name="Other").update(name="=1+1")
    analyst, address = as_role("analyst"), "/admin/messaging/event/figures/"
    answer = analyst.get(f"{address}?by=template&{DAYS}&channel=&format=csv")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="figures.csv"'
    head, *lines = csv.reader(answer.content.decode().splitlines())
    told = [dict(zip(head, line, strict=True)) for line in lines]
    assert [(one["template"], one["sent"], one["opened"], one["unsent"]) for one in told] == [
        ("Spring", "10", "4", "0"),
        ("'=1+1", "1", "0", "1"),
    ]
    # By the link of the page, which asks for what is shown.
    page = analyst.get(f"{address}?by=day&{DAYS}&channel=").content.decode()
    link = html.unescape(re.search(r'href="(\?[^"]*format=csv)"', page)[1])
    assert analyst.get(address + link).content.decode().splitlines()[1].startswith("2026-05-12,11,")


def test_an_outage_is_told_with_what_waits_until_it_is_over(say, customer, api, as_role, now):
    say(customer("anna"), customer("ben"))
    minute = dt.timedelta(minutes=1)
    for n in range(3):
        outages.note_failure("email", reason="messaging.no_connection", at=now + n * minute)
    assert "The provider of email has failed 3 times" in Alert.objects.get().text
    status, (told,) = api.get("outages/")
    assert status == 200
    assert {key: told[key] for key in ("channel", "failures", "reason", "waiting", "since", "until")} == {
        "channel": "email",
        "failures": 3,
        "reason": "messaging.no_connection",
        "waiting": 2,
        "since": "2026-05-12T10:00:00Z",
        "until": "2026-05-12T10:04:00Z",
    }
    agent = as_role("support agent")
    page = agent.get("/admin/messaging/outage/").content.decode()
    assert "could not be reached" in page
    assert ">2</a>" in page
    outages.note_success("email", at=now + 5 * minute)
    assert api.get("outages/") == (200, [])
    assert "Every provider takes messages" in agent.get("/admin/messaging/outage/").content.decode()
    assert Outage.objects.get().since is None
