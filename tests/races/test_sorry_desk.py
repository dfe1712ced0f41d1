"""Agents who click at the same moment: no day is overspent, a form gives once, an undo gives back once."""

import datetime as dt
import threading
from collections.abc import Callable

import pytest
from django.db import connections, transaction

from retention.actors import Actor
from retention.incentives.models import Code, Grant
from retention.messaging.models import Delivery
from retention.refusals import Refused
from retention.support import operations
from retention.support.models import AgentLimit, Allowance, Case, Compensation
from retention.support.operations import compensate, limits, undo
from tests.support.conftest import make_agent, make_shopfloor

pytestmark = pytest.mark.django_db(transaction=True)

CLICKS = 8


def at_once(act: Callable[[int], object], count: int = CLICKS) -> list[object]:
    """Run `act(n)` in so many threads, let go together; outcomes or refusals by thread."""
    gate = threading.Barrier(count)
    outcomes: list[object] = [None] * count

    def run(number: int) -> None:
        try:
            gate.wait(timeout=20)
            outcomes[number] = act(number)
        except Exception as error:
            outcomes[number] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return outcomes


@pytest.fixture
def floor(now):
    return make_shopfloor(now)


@pytest.fixture
def by(floor, now):
    return Actor.staff(make_agent(now, per_case=1_000, per_day=3_500))


def naive_spend(*, staff_id: int, day: dt.date, amount_minor: int, currency: str, meet=lambda: None) -> None:
    """What `limits.spend` must not be: look, then add."""
    limit = AgentLimit.objects.get(staff_id=staff_id)
    allowance, _created = Allowance.objects.get_or_create(staff_id=staff_id, day=day)
    if allowance.spent_minor + amount_minor > limit.per_day_minor:
        raise limits.AboveDayLimit(left="", limit="", amount="")
    meet()
    allowance.spent_minor += amount_minor
    allowance.save()


def overspending(spend: Callable[..., None], by: Actor, now: dt.datetime) -> tuple[int, int]:
    """(how many of eight tens were let through, what the counter says) under a limit of thirty-five."""

    def act(_number: int) -> None:
        with transaction.atomic():
            spend(staff_id=by.staff_id, day=now.date(), amount_minor=1_000, currency="USD")

    Allowance.objects.create(staff_id=by.staff_id, day=now.date())
    outcomes = at_once(act)
    assert all(outcome is None or isinstance(outcome, Refused) for outcome in outcomes), outcomes
    return outcomes.count(None), Allowance.objects.get().spent_minor


def test_the_allowance_is_never_overspent(by, now):
    assert overspending(limits.spend, by, now) == (3, 3_000)


def test_the_naive_twin_overspends(by, now):
    meeting = threading.Barrier(CLICKS)
    through, _counted = overspending(lambda **asked: naive_spend(**asked, meet=meeting.wait), by, now)
    assert through > 3


def test_many_agents_forms_at_once_give_what_the_day_allows(floor, by, now):
    outcomes = at_once(
        lambda number: compensate(
            source=f"form-{number}", complaint=floor.complaint(), amount_minor=1_000, is_confirmed=True, now=now, by=by
        )
    )
    refused = [outcome for outcome in outcomes if isinstance(outcome, operations.AboveDayLimit)]
    assert len(refused) == CLICKS - 3
    rows = [model.objects.count() for model in (Case, Compensation, Grant, Code, Delivery)]
    assert rows == [3, 3, 3, 3, 3]
    assert Allowance.objects.get().spent_minor == 3_000


def test_a_form_clicked_many_times_at_once_gives_one_coupon(floor, by, now):
    outcomes = at_once(
        lambda number: compensate(source="form-1", complaint=floor.complaint(), amount_minor=1_000, now=now, by=by)
    )
    assert {outcome.code for outcome in outcomes} == {Code.objects.get().code}
    assert [outcome.is_repeated for outcome in outcomes].count(False) == 1
    assert [model.objects.count() for model in (Case, Compensation, Grant, Delivery)] == [1, 1, 1, 1]
    assert Allowance.objects.get().spent_minor == 1_000


def agents(now):
    return [Actor.staff(make_agent(now, name=f"agent{number}")) for number in range(CLICKS)]


def test_agents_at_once_at_one_complaint_give_once_and_the_others_are_asked(floor, now):
    team = agents(now)
    outcomes = at_once(
        lambda number: compensate(
            source=f"form-{number}", complaint=floor.complaint(), amount_minor=1_000, now=now, by=team[number]
        )
    )
    assert sum(isinstance(outcome, operations.MadeWholeBefore) for outcome in outcomes) == CLICKS - 1, outcomes
    assert [model.objects.count() for model in (Case, Compensation, Grant, Delivery)] == [1, 1, 1, 1]


def test_the_naive_twin_gives_for_one_complaint_twice(floor, now):
    """Looking whether she was made whole before, without holding her."""
    team, meeting = agents(now), threading.Barrier(CLICKS)

    def naive(number):
        if Compensation.objects.exists():
            raise operations.MadeWholeBefore(amount="", day="")
        meeting.wait(timeout=20)
        asked = {"complaint": floor.complaint(), "amount_minor": 1_000, "is_confirmed": True}
        return compensate(source=f"form-{number}", now=now, by=team[number], **asked)

    at_once(naive)
    assert Compensation.objects.count() > 1


def test_an_undo_clicked_many_times_at_once_gives_back_once(floor, by, now):
    given = compensate(source="form-1", complaint=floor.complaint(), amount_minor=1_000, now=now, by=by)
    compensate(source="form-2", complaint=floor.complaint(), amount_minor=500, is_confirmed=True, now=now, by=by)

    outcomes = at_once(lambda number: undo(compensation_id=given.compensation.pk, now=now, by=by))

    assert sum(isinstance(outcome, operations.AlreadyUndone) for outcome in outcomes) == CLICKS - 1
    assert Allowance.objects.get().spent_minor == 500
