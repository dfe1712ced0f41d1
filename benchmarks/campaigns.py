"""What marketers ask of campaigns at a million customers: results, the board, back-tests, and why somebody got it.

    python -m benchmarks.campaigns            # 1,000,000 of every fact; BENCH_SCALE=0.1 for a tenth

Pages are timed one by one, in milliseconds, beside the log-in page of the same server; it fails where one takes longer
than `LIMIT`. What the pages show is counted beforehand by jobs, which are timed beside the bare statement that finds
whom a day concerns.
"""

from benchmarks import harness  # isort: skip, sets Django up

import datetime as dt
import os
import statistics
import sys
import time
from collections.abc import Callable

from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.urls import reverse

from benchmarks import crowd
from campaigns import operations
from campaigns.backtests.models import BackTest
from campaigns.backtests.operations import ask_back_test, do_back_tests
from campaigns.boards.models import BoardLine
from campaigns.boards.operations import count_board
from campaigns.models import Campaign, Touch
from campaigns.playbooks.base import CampaignPlaybook
from campaigns.results.counting import arms_of
from campaigns.results.counting import count as count_results
from campaigns.results.experiments import experiments
from retention import registries
from retention.customers.models import Customer
from retention.shop.models import Shop, Staff

#: Seconds that a page may take, and how often each is asked.
LIMIT, TURNS = 1.0, 7
NOW = crowd.NOW
#: Launched beside the birthdays that everybody was touched by: occasions of a date, and of a silence.
RUNNING = ("anniversary", "win_back")
#: Days that are replayed.
REPLAYED = 91
#: What a board by hand asks at least: who has an anniversary or half a year of silence on each of the days ahead.
_BOARD_BY_HAND = """
    SELECT d::date, count(*) FROM generate_series(%(now)s::date, %(now)s::date + 29, interval '1 day') d
    JOIN customers_customer c ON (extract(month FROM c.signed_up_at), extract(day FROM c.signed_up_at))
        = (extract(month FROM d), extract(day FROM d)) AND c.signed_up_at < d - interval '300 days'
    JOIN customers_consentstate k ON k.customer_id = c.id AND k.channel = 'email' AND k.purpose = 'marketing'
        AND k.is_given AND k.address = c.email_normal GROUP BY 1
    UNION ALL
    SELECT s.last_order_at::date, count(*) FROM customers_customerstats s
    JOIN customers_consentstate k ON k.customer_id = s.customer_id AND k.channel = 'email'
        AND k.purpose = 'marketing' AND k.is_given
    WHERE s.last_order_at >= %(now)s - interval '180 days' AND s.last_order_at < %(now)s - interval '150 days'
    GROUP BY 1
"""
#: And a back-test: who had an anniversary on one of these days, had agreed by then, and ordered within two weeks.
_REPLAY_BY_HAND = """
    SELECT count(*), count(*) FILTER (WHERE EXISTS (
        SELECT FROM customers_order o WHERE o.customer_id = c.id AND o.placed_at >= d AND o.state <> 'cancelled'
            AND o.placed_at < d + interval '14 days'))
    FROM generate_series(%(now)s::date - 91, %(now)s::date - 1, interval '1 day') d
    JOIN customers_customer c ON (extract(month FROM c.signed_up_at), extract(day FROM c.signed_up_at))
        = (extract(month FROM d), extract(day FROM d)) AND c.signed_up_at < d - interval '300 days'
    WHERE (SELECT e.event FROM customers_consent e WHERE e.customer_id = c.id AND e.channel = 'email'
        AND e.purpose = 'marketing' AND e.occurred_at <= d ORDER BY e.occurred_at DESC LIMIT 1) = 'given'
"""
#: Of the results: heads, buyers and money of each arm.
_RESULTS_BY_HAND = """
    SELECT arm, count(*), count(money), sum(money) FROM (
        SELECT t.customer_id, CASE WHEN t.is_ghost THEN '-' ELSE t.variant END AS arm, sum(o.base_minor) AS money
        FROM campaigns_touch t LEFT JOIN customers_order o ON o.customer_id = t.customer_id
            AND o.placed_at > t.due_at AND o.placed_at < t.due_at + interval '14 days' AND o.state <> 'cancelled'
        WHERE t.campaign_id = %(campaign)s AND t.begun_at IS NOT NULL GROUP BY 1, 2) AS of_each GROUP BY 1
"""


def main() -> int:
    behind = dt.datetime.now(dt.UTC) - NOW
    os.environ["CLOCK_OFFSET"] = f"-{round(behind.total_seconds())}s"
    call_command("collectstatic", verbosity=0, interactive=False)
    with harness.database("bench_campaigns"):
        crowd.fill(harness.size(1_000_000))
        launch()
        count()
        return pages()


def launch() -> None:
    """All three run; the birthdays have touched everybody."""
    Shop.objects.update(sender_email="shop@example.com", postal_address="1 Main Street")
    for key in RUNNING:
        operations.create_from_playbook(key=key, now=NOW, by=crowd.BY)
    for campaign in Campaign.objects.select_related("version").order_by("pk"):
        operations.approve(campaign_id=campaign.pk, version=campaign.version.number, now=NOW, by=crowd.BY)
        operations.launch(campaign_id=campaign.pk, now=NOW, by=crowd.BY)


def count() -> None:
    """The jobs behind the pages."""
    people = Customer.objects.count()
    anniversary = Campaign.objects.order_by("pk")[1]
    first, last = (NOW.date() - dt.timedelta(days=days) for days in (REPLAYED, 1))

    def replay() -> int:
        ask_back_test(campaign_id=anniversary.pk, first=first, last=last, now=NOW, by=crowd.BY)
        assert do_back_tests(now=NOW, progress=_quiet) == 1
        return people

    def board() -> int:
        count_board(now=NOW, progress=_quiet)
        return people

    birthday = Campaign.objects.select_related("approved_version").earliest("pk")

    def results() -> int:
        (kept,) = [count_results(birthday, experiment, now=NOW) for experiment in experiments(birthday)]
        assert sum(arm.heads for arm in arms_of(kept)) > 0
        return people

    for name, ours, statement in (
        ("board of 30 days, counted", board, by_hand(_BOARD_BY_HAND, people)),
        (f"back-test of {REPLAYED} days", replay, by_hand(_REPLAY_BY_HAND, people)),
        ("results of all touches", results, by_hand(_RESULTS_BY_HAND, people, campaign=birthday.pk)),
    ):
        result = harness.compare(name, ours, statement, rounds=2, warm_up=False, unit="customers")
        print(f"  {people / result.ours.median:.1f} s, by hand {people / result.floor.median:.1f} s")
    replayed = BackTest.objects.filter(state=BackTest.State.DONE).first().figures
    heads = sum(line.heads or 0 for line in BoardLine.objects.all())
    print(f"  board: {heads:,} heads; replay: {replayed['heads']:,} heads, {replayed['bought']:,} ordered anyway")
    assert heads > 0 < replayed["heads"], replayed


def by_hand(statement: str, units: int, **params: object) -> Callable[[], int]:
    def work() -> int:
        with connection.cursor() as cursor:
            cursor.execute(statement, {"now": NOW, **params})
            assert cursor.fetchall()
        return units

    return work


def pages() -> int:
    """Each page in milliseconds; 1 where one is over the limit."""
    client, stranger = Client(SERVER_NAME="localhost"), Client(SERVER_NAME="localhost")
    client.force_login(Staff.objects.filter(is_superuser=True).first(), "django.contrib.auth.backends.ModelBackend")
    birthday, anniversary, _win_back = Campaign.objects.order_by("pk")
    touched = Touch.objects.filter(campaign=birthday, state=Touch.State.DONE).earliest("pk").customer
    never = Customer.objects.latest("pk")
    results = reverse("admin:campaigns_campaign_results", args=[birthday.pk])
    asked = {
        "log-in, for comparison": (stranger, reverse("admin:login")),
        "results": (client, results),
        "board": (client, reverse("campaigns:board")),
        "calendar": (client, reverse("campaigns:month")),
        "back-test": (client, reverse("campaigns:back_tests", args=[anniversary.pk])),
        "why, touched": (client, reverse("campaigns:why", args=[touched.public_id, birthday.pk])),
        "why, not touched": (client, reverse("campaigns:why", args=[never.public_id, anniversary.pk])),
        "why, all campaigns": (client, reverse("campaigns:why_lines", args=[touched.public_id])),
        **{
            f"why, {made.playbook}": (client, reverse("campaigns:why", args=[touched.public_id, made.pk]))
            for made in drafts()
        },
    }
    slow = [name for name, (who, page) in asked.items() if _timed(name, who, page) > LIMIT]
    if slow:
        print(f"over {LIMIT:.0f} s: {', '.join(slow)}")
    return 1 if slow else 0


def drafts() -> list[Campaign]:
    """One of every playbook that makes a campaign: nearly every occasion, asked about before it is launched."""
    made = [book for book in registries.playbooks if issubclass(book, CampaignPlaybook) and book.key not in RUNNING]
    return [operations.create_from_playbook(key=book.key, now=NOW, by=crowd.BY) for book in made]


def _timed(name: str, client: Client, page: str) -> float:
    """Seconds of the middle one, after one that fills caches."""
    turns = [_seconds(client, page) for _turn in range(TURNS + 1)][1:]
    low, middle, high = (1_000 * figure for figure in (min(turns), statistics.median(turns), max(turns)))
    print(f"  {middle:8,.0f} ms ({low:,.0f}–{high:,.0f})  {name}", flush=True)
    return middle / 1_000


def _seconds(client: Client, page: str) -> float:
    start = time.perf_counter()
    response = client.get(page)
    took = time.perf_counter() - start
    if response.status_code != 200:
        raise RuntimeError(f"{page} answers {response.status_code}")
    return took


def _quiet(_done: int, _total: int) -> None:
    """Nobody watches."""


if __name__ == "__main__":
    sys.exit(main())
