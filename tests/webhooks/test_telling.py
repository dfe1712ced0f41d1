"""What happened is told to whoever wants it, signed, once by id, whatever happens on the way."""

import datetime as dt
import socket
import threading

import pytest
from standardwebhooks.webhooks import Webhook

from retention.audit.models import AuditEntry
from retention.customers.models import Customer
from retention.webhooks import operations
from retention.webhooks.models import Attempt, Endpoint, Notice
from retention.webhooks.operations import delivering
from retention.webhooks.signing import secret_of
from retention.work.models import Alert
from tests.marks import settle
from tests.webhooks.conftest import BY

pytestmark = pytest.mark.django_db(transaction=True)
JOINED = "loyalty.joined"
DAY = dt.timedelta(days=1)


@pytest.fixture
def tell_all(now):
    """A function that does what both jobs do, at a time."""

    def tell(at=now):
        settle()
        operations.follow(now=at)
        return operations.deliver(now=at).sent

    return tell


@pytest.fixture
def verified(monkeypatch, now):
    """A function that verifies a call with a secret as a receiver does, by its own clock."""

    def verify(heard, secret, at=now):
        class Clock(dt.datetime):
            @classmethod
            def now(cls, tz=None):
                return at.astimezone(tz)

        monkeypatch.setattr("standardwebhooks.webhooks.datetime", Clock)
        return Webhook(secret).verify(heard.body, heard.headers)

    return verify


def test_a_fact_is_told_once_to_each_who_wants_it(receivers, endpoint, anna, joined, tell_all, verified, now):
    wants, other, nothing = receivers(), receivers(), receivers()
    joined(anna, 1)
    settle()
    first = endpoint(wants, JOINED)
    endpoint(other, "loyalty.left", name="Other")
    endpoint(nothing, name="Nothing")
    joined(anna, 2, 3, at=now + dt.timedelta(seconds=1))
    assert [tell_all(), tell_all()] == [2, 0]
    assert (len(wants.heard), other.heard, nothing.heard) == (2, [], [])
    told = [verified(each, secret_of(first)) for each in wants.heard]
    assert told[0] == {
        "type": JOINED,
        "timestamp": "2026-05-12T10:00:01+00:00",
        "data": {"programme": "club", "customer": {"id": str(anna.public_id), "reference": "anna-1"}},
    }
    assert {each.id for each in wants.heard} == {
        str(each) for each in Notice.objects.values_list("public_id", flat=True)
    }
    assert set(Notice.objects.values_list("state", "endpoint")) == {("delivered", first.pk)}
    stored = str(list(Notice.objects.values())) + str(list(Endpoint.objects.values()))
    assert "anna" not in stored
    assert secret_of(first).removeprefix("whsec_") not in stored
    with pytest.raises(Exception, match="signature"):
        verified(wants.heard[0], secret_of(Endpoint.objects.get(name="Other")))


def test_a_secret_is_changed_over_within_a_day(receiver, endpoint, anna, joined, tell_all, verified, settings, now):
    made = endpoint(receiver, JOINED)
    old = secret_of(made)
    made = operations.rotate_secret(endpoint_id=made.pk, now=now, by=BY)
    new = secret_of(made)
    assert old != new
    joined(anna, 1)
    tell_all()
    # Another key of the installation: whoever holds a secret of the one before is still signed for.
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another", [settings.SECRET_KEY]
    newest = secret_of(made)
    joined(anna, 2, at=now + 2 * DAY)
    tell_all(now + 2 * DAY)
    during, after = receiver.heard
    for secret in (old, new):
        assert verified(during, secret)["type"] == JOINED
    for secret in (new, newest):
        assert verified(after, secret, now + 2 * DAY)["type"] == JOINED
    for secret in (old, "whsec_" + "A" * 43 + "="):
        with pytest.raises(Exception, match="signature"):
            verified(after, secret, now + 2 * DAY)


def test_three_days_of_outage_lose_nothing(receiver, endpoint, anna, joined, tell_all, now):
    made = endpoint(receiver, JOINED)
    receiver.status = 500
    expected = set()
    for hour in range(0, 72, 8):
        at = now + dt.timedelta(hours=hour)
        joined(anna, hour, at=at)
        tell_all(at)
        expected.add(f"loyalty.joined:{hour}")
    assert Notice.objects.filter(state="waiting").count() == len(expected)
    failed = {each.id for each in receiver.heard}
    receiver.heard.clear()
    receiver.status = 204
    for hour in range(72, 72 + 27, 3):
        tell_all(now + dt.timedelta(hours=hour))
    heard = [each.id for each in receiver.heard]
    assert sorted(heard) == sorted(failed)
    assert len(set(heard)) == len(expected)
    assert set(Notice.objects.values_list("state", flat=True)) == {"delivered"}
    made.refresh_from_db()
    assert made.is_on
    assert made.failing_since is None
    first = Notice.objects.get(reference="loyalty.joined:0")
    tries = list(first.attempts.values_list("at", "status"))
    assert {status for _at, status in tries[:-1]} == {500}
    assert tries[-1][1] == 204
    assert tries[-1][0] >= now + 3 * DAY


def test_who_takes_nothing_for_five_days_is_switched_off_and_who_is_gone_at_once(
    receivers, endpoint, anna, joined, tell_all, now
):
    failing, gone = receivers(), receivers()
    failing.status, gone.status = 500, 410
    endpoint(failing, JOINED, name="Failing")
    endpoint(gone, JOINED, name="Gone")
    joined(anna, 1)
    tell_all()
    off = Endpoint.objects.get(name="Gone")
    assert (off.is_on, off.off_why) == (False, "gone")
    for day in range(1, 6):
        joined(anna, 1 + day, at=now + day * DAY)
        assert Endpoint.objects.get(name="Failing").is_on
        tell_all(now + day * DAY)
    assert Endpoint.objects.get(name="Failing").off_why == "failing"
    assert len(gone.heard) == 1
    assert Notice.objects.filter(endpoint=off).count() == 1
    assert AuditEntry.objects.filter(verb="webhooks.switch_off", actor="job:webhooks.deliver").count() == 2
    assert Alert.objects.filter(kind="webhooks.endpoint_off", resolved_at=None).count() == 2


def test_switched_on_again_it_hears_what_happened_meanwhile_or_not(receivers, endpoint, anna, joined, tell_all, now):
    """Whoever decides so; what was followed before it went off comes too, or is given up."""
    catching_up, starting_anew = receivers(), receivers()
    made = [endpoint(catching_up, JOINED, name="A"), endpoint(starting_anew, JOINED, name="B")]
    joined(anna, 1)
    settle()
    operations.follow(now=now)
    for each in made:
        operations.switch_off(endpoint_id=each.pk, now=now, by=BY)
    joined(anna, 2, at=now + 9 * DAY)
    tell_all(now + 9 * DAY)
    assert catching_up.heard == starting_anew.heard == []
    later = now + 10 * DAY
    settle()
    for each, with_meanwhile in zip(made, (True, False), strict=True):
        operations.switch_on(endpoint_id=each.pk, with_meanwhile=with_meanwhile, now=later, by=BY)
    joined(anna, 3, at=later)
    tell_all(later)

    def told(endpoint):
        delivered = endpoint.notices.filter(state="delivered")
        return sorted(int(each.split(":")[1]) for each in delivered.values_list("reference", flat=True))

    assert [told(each) for each in made] == [[1, 2, 3], [3]]
    assert (len(catching_up.heard), len(starting_anew.heard)) == (3, 1)


def test_an_endpoint_that_hangs_holds_up_no_other(receivers, endpoint, anna, joined, now):
    hanging, quick = receivers(), receivers()
    release = threading.Event()
    hanging.answers = [release] * 8
    endpoint(hanging, JOINED, name="A hanging one")
    endpoint(quick, JOINED, name="Quick")
    joined(anna, *range(12))
    settle()
    operations.follow(now=now)
    seen = []

    def look(done, due):
        # The quick one has everything while the other still holds its first calls.
        seen.append((len(quick.heard), len(hanging.heard)))
        if len(quick.heard) == 12:
            release.set()

    operations.deliver(now=now, progress=look)
    assert (12, delivering.AT_ONE) in seen
    assert Notice.objects.filter(state="delivered").count() == 24


def test_nobody_leads_us_inward(receiver, endpoint, anna, joined, tell_all, settings, now):
    """A trap listens in our own network; what leads there directly or by a redirect never reaches it."""
    with socket.create_server(("127.0.0.1", 0)) as trap:
        trap.settimeout(0.2)
        port = trap.getsockname()[1]
        receiver.answers = [(302, {"Location": f"http://127.0.0.1:{port}/"})]
        redirecting = endpoint(receiver, JOINED, name="Redirecting")
        inward = [f"https://127.0.0.1:{port}/", f"https://localhost:{port}/", f"https://2130706433:{port}/"]
        for url in inward:
            made = endpoint(receiver, JOINED, name=url)
            Endpoint.objects.filter(pk=made.pk).update(url=url)
        joined(anna, 1)
        settle()
        operations.follow(now=now)
        Notice.objects.exclude(endpoint=redirecting).update(next_at=now + DAY)
        operations.deliver(now=now)
        settings.PRIVATE_ADDRESSES_ALLOWED = False
        Notice.objects.update(next_at=now)
        operations.deliver(now=now)
        with pytest.raises(TimeoutError):
            trap.accept()
        assert list(Attempt.objects.filter(notice__endpoint=redirecting).values_list("status", "why")) == [
            (302, ""), (None, "webhooks.not_outside"),
        ]  # fmt: skip
        others = Attempt.objects.exclude(notice__endpoint=redirecting).values_list("status", "why")
        assert list(others) == [(None, "webhooks.not_outside")] * 3
        for url in [*inward[:2], "http://example.com/", "https://user@example.com/", "https://169.254.169.254/", "x"]:
            with pytest.raises(operations.UnsafeAddress):
                operations.create_endpoint(name="x", url=url, of=[], now=now, by=BY)


def test_a_worker_that_died_after_its_call_tells_it_again_under_the_same_id(
    receiver, endpoint, anna, joined, tell_all, past_lease, monkeypatch, now
):
    endpoint(receiver, JOINED)
    joined(anna, 1)

    class Died(BaseException):
        pass

    def die(**_):
        raise Died

    monkeypatch.setattr(delivering, "record_outcome", die)
    with pytest.raises(Died):
        tell_all()
    monkeypatch.undo()
    # Its lease holds: nobody else takes it.
    assert tell_all() == 0
    past_lease()
    assert tell_all() == 1
    assert len(receiver.heard) == 2
    assert receiver.heard[0].id == receiver.heard[1].id
    assert list(Notice.objects.values_list("state", "tries")) == [("delivered", 1)]


def test_who_asks_for_time_gets_it(receiver, endpoint, anna, joined, tell_all, now):
    endpoint(receiver, JOINED)
    receiver.answers = [
        (429, {"Retry-After": "3600"}),
        (503, {"Retry-After": "999999999"}),
        (500, {"Retry-After": "9"}),
    ]
    joined(anna, 1)
    tell_all()
    notice = Notice.objects.get()
    assert dt.timedelta(hours=1) <= notice.next_at - now <= dt.timedelta(hours=1, seconds=30)
    for status_is_heard in (True, False):
        at = notice.next_at
        tell_all(at)
        notice.refresh_from_db()
        waited = notice.next_at - at
        if status_is_heard:
            assert DAY <= waited <= DAY + dt.timedelta(seconds=30)
        else:
            assert dt.timedelta(minutes=30) <= waited <= dt.timedelta(minutes=34)


def test_a_customer_who_was_erased_is_told_of_by_number_alone(receiver, endpoint, anna, joined, tell_all, now):
    endpoint(receiver, JOINED)
    receiver.answers = [(500, {})]
    joined(anna, 1)
    tell_all()
    assert Attempt.objects.get().answer == "so it is"
    Customer.objects.filter(pk=anna.pk).update(reference=None, email=None, given_name="", erased_at=now)
    tell_all(now + DAY)
    told = receiver.heard[-1].json["data"]["customer"]
    assert told == {"id": str(Customer.objects.get(pk=anna.pk).public_id), "reference": None}
    assert "anna" not in str(list(Notice.objects.values())) + receiver.heard[-1].body


def test_given_up_after_ten_tries_and_sent_again_by_hand(receiver, endpoint, anna, joined, tell_all, now):
    made = endpoint(receiver, JOINED)
    receiver.status = 500
    joined(anna, 1)
    at = now
    for _try in range(10):
        tell_all(at)
        notice = Notice.objects.get()
        at = notice.next_at or at
    assert (notice.state, notice.tries, len(receiver.heard)) == ("given_up", 10, 10)
    assert dt.timedelta(hours=75) < at - now < dt.timedelta(hours=84)
    tell_all(at + DAY)
    assert len(receiver.heard) == 10
    receiver.status = 204
    window = {"since": now, "until": now + DAY}
    assert operations.given_up(made.pk, **window).count() == 1
    assert operations.replay_given_up(endpoint_id=made.pk, **window, now=at + DAY, by=BY) == 1
    with pytest.raises(operations.NoticeWaits):
        operations.replay(notice_id=notice.pk, now=at + DAY, by=BY)
    tell_all(at + DAY)
    operations.replay(notice_id=notice.pk, now=at + DAY, by=BY)
    tell_all(at + DAY)
    assert {each.id for each in receiver.heard} == {str(notice.public_id)}
    assert len(receiver.heard) == 12
    assert list(notice.attempts.values_list("by", flat=True)) == [""] * 10 + [BY.name] * 2
    assert operations.forget_notices(until=at + 2 * DAY, progress=lambda *_: None) == 1
    assert not Attempt.objects.exists()
    # What was forgotten is not told anew.
    assert tell_all(at + 3 * DAY) == 0


def test_a_test_arrives_and_names_nobody(receiver, endpoint, verified, now, db):
    made = endpoint(receiver)
    operations.send_test(endpoint_id=made.pk, now=now, by=BY)
    operations.deliver(now=now)
    told = verified(receiver.heard[0], secret_of(made))
    assert told["type"] == "webhooks.test"
    assert told["data"] == {"endpoint": str(made.public_id), "customer": None}
    operations.archive_endpoint(endpoint_id=made.pk, now=now, by=BY)
    with pytest.raises(operations.NoSuchEndpoint):
        operations.send_test(endpoint_id=made.pk, now=now, by=BY)
