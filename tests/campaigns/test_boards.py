"""The board of the days ahead: what it counts is what the jobs then do; what ends, and where campaigns meet."""

import datetime as dt

import pytest
import time_machine

from campaigns import operations
from campaigns.boards.models import Board, BoardLine
from campaigns.boards.operations import ask_board
from campaigns.jobs import Campaigns
from campaigns.models import Touch
from retention import registries
from retention.customers.models import Customer
from retention.incentives import operations as incentives
from retention.ledger import operations as ledger
from retention.segments.operations import create_segment
from tests.campaigns.conftest import BY

DAY = dt.timedelta(days=1)
NINE = {"hour": "09:00"}


def quiet(_done, _total):
    pass


def count(now):
    registries.jobs["campaigns.board"].run(now=now, progress=quiet)
    return {
        (str(line.on), line.kind, line.campaign.name if line.campaign else line.label): line
        for line in BoardLine.objects.select_related("campaign")
    }


@pytest.fixture
def people(shop, person):
    for name, day in (("one", 13), ("two", 13), ("three", 20), ("far", 30)):
        person(reference=name, birth_month=5, birth_day=day, country="DE")
    person(reference="silent", birth_month=5, birth_day=13, consent=False)


@pytest.fixture
def campaigns(people, live, incentive, template, now):
    """Birthdays with an offer and a later step; everyone on the 13th, where the two meet; one paused, one that ends."""
    offer = incentive()
    steps = [
        {"messages": [template.pk], "incentive": offer.pk},
        {"messages": [template.pk], "wait": {"hours": 48}},
    ]
    birthday = live("birthday", NINE, steps=steps, name="Birthday", priority=5)
    once = {"on": "2026-05-13", "hour": "12:00", "clock": "shop"}
    broadcast = live("one_date", once, name="Broadcast", countries=["DE"])
    paused = live("birthday", NINE, name="Paused", ends_at="2026-05-15T00:00:00Z")
    operations.pause(campaign_id=paused.pk, now=now, by=BY)
    return {"birthday": birthday, "broadcast": broadcast, "paused": paused, "offer": offer}


def test_the_days_ahead_are_what_the_jobs_then_do(campaigns, now):
    found = count(now)
    told = {key: (line.heads, line.shared) for key, line in found.items() if line.kind in ("sends", "steps")}
    assert told == {
        ("2026-05-13", "sends", "Birthday"): (2, 2),
        ("2026-05-13", "sends", "Broadcast"): (4, 2),
        ("2026-05-13", "sends", "Paused"): (2, 2),
        ("2026-05-15", "steps", "Birthday"): (2, 0),
        ("2026-05-20", "sends", "Birthday"): (1, 0),
        ("2026-05-22", "steps", "Birthday"): (1, 0),
        ("2026-05-30", "sends", "Birthday"): (1, 0),
        ("2026-06-01", "steps", "Birthday"): (1, 0),
    }
    assert ("2026-05-15", "ends", "Paused") in found
    board = Board.objects.get()
    names = {name: made.pk for name, made in campaigns.items()}
    thirteenth = board.days["2026-05-13"]
    assert (thirteenth["customers"], thirteenth["shared"]) == (4, 2)
    assert sorted(tuple(pair) for pair in thirteenth["pairs"]) == sorted(
        (*sorted(pair), 2)
        for pair in (
            (names["birthday"], names["broadcast"]),
            (names["birthday"], names["paused"]),
            (names["broadcast"], names["paused"]),
        )
    )
    # Nobody ordered yet: what ten percent cost cannot be said, and is not nought.
    assert found["2026-05-13", "sends", "Birthday"].cost_minor is None
    assert found["2026-05-13", "sends", "Broadcast"].cost_minor is None
    for day in range(31):
        Campaigns.run(now=now + day * DAY, progress=quiet)
    done = {}
    for touch in Touch.objects.exclude(state="skipped", step=0).select_related("campaign"):
        key = (str(touch.due_at.date()), "sends", touch.campaign.name)
        done[key] = done.get(key, 0) + 1
    assert done == {key: heads for key, (heads, _) in told.items() if key[1] == "sends" and key[2] != "Paused"}


def test_what_expires_and_what_can_only_be_estimated(shop, person, live, incentive, reach, now):
    person(reference="anna")
    her = Customer.objects.get()
    offer = incentives.go_live(incentive_id=incentive().pk, now=now, by=BY)
    who = {"customer_ids": [her.pk], "origin": "test", "origin_ids": [1]}
    midnight = dt.datetime(2026, 5, 19, 22, tzinfo=dt.UTC)
    for source, ends in (("a", midnight), ("b", midnight + DAY), ("c", now + 90 * DAY)):
        incentives.grant(incentive_id=offer.pk, sources=[source], expires_at=ends, is_given=True, now=now, by=BY, **who)
    unit = ledger.money_unit(purpose="store_credit", currency="EUR", now=now, by=BY)
    account = ledger.open_customer_accounts(unit=unit, customer_ids=[her.pk], now=now)[her.pk]
    ledger.adjust(account_id=account, amount=500, source="s", reason="r", expires_at=midnight, now=now, by=BY)
    welcome = live("signed_up", name="Welcome", at=now - 20 * DAY)
    for number in range(60):
        person(reference=f"new-{number}", signed_up_at=now - DAY)
    reach(welcome, now)
    found = count(now)
    assert {key: line.heads for key, line in found.items() if line.kind == "coupons"} == {
        ("2026-05-19", "coupons", "Ten percent"): 1,
        ("2026-05-20", "coupons", "Ten percent"): 1,
    }, "the midnight after a day belongs to that day"
    value = found["2026-05-19", "value", unit.key]
    assert (value.heads, value.amount) == (1, 500)
    tomorrow = found["2026-05-13", "sends", "Welcome"]
    assert (tomorrow.heads, tomorrow.is_estimate) == (2, True), "sixty in thirty days"
    (waiting,) = BoardLine.objects.filter(kind="sends", is_estimate=False)
    assert (waiting.campaign, waiting.on, waiting.heads) == (welcome, now.date(), 60), "they are in the outbox"


def test_once_an_hour_and_when_asked_and_whatever_one_campaign_does(campaigns, live, now):
    segment = create_segment(name="Gone", rule={"all": [{"key": "city", "args": {"cities": ["Ulm"]}}]}, now=now, by=BY)
    broken = live("birthday", NINE, name="Broken", audience=segment.pk)
    type(segment).objects.update(rule={"all": [{"key": "no_such_condition", "args": {}}]})
    job = registries.jobs["campaigns.board"]
    assert job.preview(now=now) == {"due": 1}
    count(now)
    assert job.run(now=now + dt.timedelta(minutes=59), progress=quiet) == {"due": 0}
    later = now + dt.timedelta(minutes=59)
    ask_board(now=later, by=BY)
    ask_board(now=later, by=BY)
    assert job.run(now=later, progress=quiet)["due"] == BoardLine.objects.count()
    board = Board.objects.get()
    assert (board.asked_at, board.computed_at, board.failed) == (None, later, [broken.pk])
    assert job.run(now=later, progress=quiet) == {"due": 0}
    assert job.run(now=later + dt.timedelta(hours=1), progress=quiet)["due"] > 0


@pytest.mark.usefixtures("campaigns")
def test_the_pages_show_what_was_counted(admin_client, campaigns, now):
    with time_machine.travel(now, tick=False):
        count(now)
        board = admin_client.get("/admin/campaigns/board/").content.decode()
        assert board.index("Birthday") < board.index("Broadcast")
        assert f"/admin/campaigns/campaign/{campaigns['birthday'].pk}/pause/" in board
        assert f"/admin/campaigns/campaign/{campaigns['paused'].pk}/resume/" in board
        month = admin_client.get("/admin/campaigns/month/?month=2026-05").content.decode()
        assert month.count(">Broadcast<") == 1
        assert admin_client.get("/admin/campaigns/month/?month=later").status_code == 200
        assert admin_client.post("/admin/campaigns/board/").status_code == 302
        assert Board.objects.get().asked_at == now
