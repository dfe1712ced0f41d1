"""Caps on frequency and quiet hours: as written, by her own clock, with a reason that says until when."""

import datetime as dt
import json

import pytest
from pydantic import ValidationError

from retention.audit.models import AuditEntry, Version
from retention.messaging.frequency import current_policy
from retention.messaging.models import Delivery, MessagingPolicy, Way
from retention.messaging.operations import Message, queue, save_messaging_policy
from retention.messaging.policy import Cap, Left, QuietHours, SendingPolicy, room
from tests.console.conftest import as_role, person

__all__ = ["as_role", "person"]
HOUR = dt.timedelta(hours=1)


def at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("cap", "zone", "lefts", "now", "until"),
    [
        # Rolling: exactly a window ago counts no more.
        ({"most": 1, "per": "hours", "span": 24}, "UTC", ["05-11 10:00"], "05-12 10:00", None),
        ({"most": 1, "per": "hours", "span": 24}, "UTC", ["05-11 10:01"], "05-12 10:00", "05-12 10:01"),
        ({"most": 2, "per": "days", "span": 7}, "UTC", ["05-06 09:00", "05-08 09:00"], "05-12 10:00", "05-13 09:00"),
        # Over the cap already (it was lowered): there is room once enough of them are out of the window.
        ({"most": 1, "per": "days", "span": 7}, "UTC", ["05-06 09:00", "05-08 09:00"], "05-12 10:00", "05-15 09:00"),
        # Her calendar day: in Seoul (UTC+9) the day began at 15:00 UTC.
        ({"most": 1, "per": "day"}, "Asia/Seoul", ["05-11 14:59"], "05-12 10:00", None),
        ({"most": 1, "per": "day"}, "Asia/Seoul", ["05-11 15:00"], "05-12 10:00", "05-12 15:00"),
        # Weeks begin on Monday; the clocks go forward on 29 March 2026 in Berlin.
        ({"most": 1, "per": "week"}, "Europe/Berlin", ["03-22 22:59"], "03-28 10:00", None),
        ({"most": 1, "per": "week"}, "Europe/Berlin", ["03-22 23:00"], "03-28 10:00", "03-29 22:00"),
        ({"most": 1, "per": "month"}, "Europe/Berlin", ["01-31 23:00"], "02-28 10:00", "02-28 23:00"),
        ({"most": 1, "per": "month"}, "Pacific/Kiritimati", ["04-30 10:00"], "05-12 10:00", "05-31 10:00"),
        ({"most": 1, "per": "month"}, "Pacific/Kiritimati", ["04-30 09:59"], "05-12 10:00", None),
    ],
)
def test_when_there_is_room(cap, zone, lefts, now, until):
    counted = [Left(at(f"2026-{text}"), "email", "") for text in lefts]
    found = room([Cap(**cap)], counted, channel="email", topic="", now=at(f"2026-{now}"), zone=zone)
    assert (found and found[1]) == (until and at(f"2026-{until}"))


def test_a_cap_counts_its_own_channel_and_topic_and_the_longest_wins():
    now = at("2026-05-12 10:00")
    lefts = [Left(now - HOUR, "sms", ""), Left(now - HOUR, "email", "news")]
    said = {"channel": "email", "topic": "", "now": now, "zone": "UTC"}
    assert room([Cap(channel="email", topic="news", most=1)], lefts, **said) is None
    assert room([Cap(channel="email", most=2)], lefts, **said) is None
    assert room([Cap(channel="sms", most=1)], lefts, **said) is None
    long = Cap(most=2, per="days", span=3)
    assert room([Cap(channel="email", most=1), long], lefts, **said) == (long, now - HOUR + dt.timedelta(days=3))


@pytest.mark.parametrize(
    ("starts", "ends", "zone", "now", "until"),
    [
        ("21:00", "08:00", "Europe/Berlin", "2026-05-12 19:00", "2026-05-13 06:00"),
        ("21:00", "08:00", "Europe/Berlin", "2026-05-12 18:59", None),
        ("21:00", "08:00", "Europe/Berlin", "2026-05-12 05:59", "2026-05-12 06:00"),
        ("21:00", "08:00", "Europe/Berlin", "2026-05-12 06:00", None),
        ("12:00", "14:00", "Asia/Seoul", "2026-05-12 03:30", "2026-05-12 05:00"),
        # 02:30 does not come on 29 March: it ends as long after the gap.
        ("22:00", "02:30", "Europe/Berlin", "2026-03-28 23:00", "2026-03-29 01:30"),
        # 02:30 comes twice on 25 October: the first.
        ("22:00", "02:30", "Europe/Berlin", "2026-10-24 23:00", "2026-10-25 00:30"),
    ],
)
def test_when_it_is_quiet(starts, ends, zone, now, until):
    quiet = QuietHours(starts=starts, ends=ends, channels=["sms"])
    assert quiet.until(at(now), zone) == (until and at(until))


def test_what_makes_no_sense_is_refused():
    for wrong in ({"most": 0}, {"most": 1, "per": "week", "span": 2}, {"most": 1, "per": "days", "span": 32}):
        with pytest.raises(ValidationError):
            Cap(**wrong)
    with pytest.raises(ValidationError):
        QuietHours(starts="09:00", ends="09:00", channels=["sms"])


@pytest.fixture
def policy(by, now, db):
    def save(**fields):
        row = MessagingPolicy.objects.select_related("version").first()
        edited = row.version.number if row and row.version else None
        return save_messaging_policy(policy=SendingPolicy(**fields), edited=edited, now=now, by=by)

    return save


@pytest.fixture
def tell(template, now):
    """Queues one message of its own to a customer."""

    def one(customer, *, n=1, made=None, **fields):
        made = made or template()
        ghost = fields.pop("is_ghost", False)
        message = Message(origin_id=customer.pk * 100 + n, customer_id=customer.pk, is_ghost=ghost)
        queue(template_id=made.pk, origin="test.row", messages=[message], now=now, **fields)
        return Delivery.objects.get(origin_id=message.origin_id)

    return one


def test_the_higher_priority_goes_and_the_other_is_dropped_with_its_reason(policy, tell, send, customer, template, now):
    policy(caps=[{"most": 1, "per": "day"}])
    anna, made = customer("anna", time_zone="Asia/Seoul"), template()
    low, high = tell(anna, n=1, made=made, priority=1), tell(anna, n=2, made=made, priority=9)
    waiting = tell(anna, n=3, made=template(category="transactional"))
    figures = send()
    # The lower one yields for a minute, since the higher one might yet be refused; then the cap is full.
    assert (figures["sent"], figures["held"]) == (1, 1)
    high.refresh_from_db()
    low.refresh_from_db()
    assert (high.state, low.state, low.reason) == ("sent", "held", "messaging.yields")
    assert send(at=now + HOUR)["skipped"] == {"messaging.capped_day": 1}
    low.refresh_from_db()
    assert (low.state, low.params) == (
        "suppressed", {"most": 1, "span": 1, "until": "2026-05-13 00:00 (Asia/Seoul)"}
    )  # fmt: skip
    assert send(transactional=True)["sent"] == 1
    waiting.refresh_from_db()
    assert waiting.state == "sent"


def test_one_too_many_waits_where_the_policy_says_so(policy, tell, send, customer, template, now, smtp):
    policy(caps=[{"most": 1, "per": "hours", "span": 24}], over_cap="hold")
    anna, made = customer("anna"), template()
    tell(anna, n=1, made=made)
    send()
    later = tell(anna, n=2, made=made)
    assert send(at=now + HOUR)["held"] == 1
    later.refresh_from_db()
    assert (later.state, later.reason) == ("held", "messaging.capped_hours")
    assert now + 24 * HOUR <= later.not_before < now + 24 * HOUR + dt.timedelta(minutes=1)
    assert send(at=now + 23 * HOUR)["due"] == 0
    assert send(at=later.not_before + HOUR)["sent"] == 1
    # A month is longer than anything waits, so it is over at once.
    policy(caps=[{"most": 1, "per": "month"}], over_cap="hold")
    tell(anna, n=3, made=made)
    assert send(at=later.not_before + 2 * HOUR)["skipped"] == {"messaging.capped_month": 1}


def test_ghosts_count_as_the_real_ones_would(policy, tell, send, customer, template, now):
    policy(caps=[{"most": 1, "per": "day"}])
    anna, made = customer("anna"), template()
    tell(anna, n=1, made=made, is_ghost=True)
    assert send()["withheld"] == 1
    tell(anna, n=2, made=made, is_ghost=True)
    assert send()["skipped"] == {"messaging.capped_day": 1}


def test_what_failed_or_was_refused_does_not_count(policy, tell, send, customer, template, smtp):
    policy(caps=[{"most": 1, "per": "day"}])
    made = template(topic="news")
    anna = customer("anna")
    tell(anna, n=1, made=made)
    assert send()["skipped"] == {"messaging.no_consent": 1}
    tell(anna, n=2)
    assert send()["sent"] == 1


def test_quiet_hours_hold_or_drop_by_her_clock(policy, tell, send, customer, template, now):
    quiet = {"starts": "18:00", "ends": "20:00", "channels": ["email"]}
    policy(quiet_hours=quiet)
    # 10:00 UTC is 19:00 in Seoul and noon in Berlin, the shop's zone.
    anna, ben = customer("anna", time_zone="Asia/Seoul"), customer("ben")
    mine, his = tell(anna), tell(ben)
    assert (send()["sent"], send()["due"]) == (1, 0)
    mine.refresh_from_db()
    his.refresh_from_db()
    assert (mine.state, mine.reason, mine.not_before) == ("held", "messaging.quiet_hours", now + HOUR)
    assert his.state == "sent"
    assert send(at=now + HOUR)["sent"] == 1
    policy(quiet_hours={**quiet, "then": "drop"})
    tell(anna, n=2)
    assert send()["skipped"] == {"messaging.quiet_hours": 1}
    assert tell(anna, n=3, made=template(category="transactional"))
    assert send(transactional=True)["sent"] == 1


def test_a_policy_is_saved_whole_in_versions(policy, now):
    policy(caps=[{"channel": "sms", "most": 2, "per": "week"}])
    row = policy(caps=[{"topic": "news", "most": 3, "per": "days", "span": 7}], over_cap="hold", brake=None)
    assert row.version.number == 2
    assert Version.objects.filter(subject="messaging.messagingpolicy").count() == 2
    assert AuditEntry.objects.filter(verb="messaging.save_policy").count() == 2
    assert SendingPolicy.model_validate(row.version.data).sentence() == (
        "At most 3 messages about news within 7 days (all channels together); one too many waits; no quiet hours;"
        " no brake on bad rates."
    )


def test_a_lead_edits_it_in_the_console_and_others_read(as_role, shop):
    lead, url = as_role("marketing lead"), "/admin/messaging/messagingpolicy/"
    page = lead.get(url, follow=True)
    assert page.context["adminform"].form["policy"].initial["over_cap"] == "drop"
    quiet = {"starts": "21:00", "ends": "08:00", "channels": ["sms"]}
    sent = {"policy": json.dumps({"caps": [{"most": 3}], "quiet_hours": quiet}), "edited": "", "why": "calm"}
    assert lead.post(f"{url}1/change/", sent).status_code == 302
    assert current_policy() == SendingPolicy.model_validate({"caps": [{"most": 3}], "quiet_hours": quiet})
    bad = {**sent, "policy": json.dumps({"caps": [{"most": 0}]}), "edited": "1"}
    answer = lead.post(f"{url}1/change/", bad)
    assert "/caps/0/most: At least 1." in str(answer.context["adminform"].form.errors)
    analyst = as_role("analyst")
    assert "from 21:00 to 08:00 in her zone" in analyst.get(f"{url}1/change/").content.decode()
    assert analyst.post(f"{url}1/change/", sent).status_code == 403


def test_caps_know_every_channel():
    assert Cap.model_json_schema()["properties"]["channel"]["enum"] == ["", *Way.values]
