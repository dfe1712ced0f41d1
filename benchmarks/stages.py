"""Stages and RFM scores of everybody, the first time and after a day, beside statements by hand that write the same.

    python -m benchmarks.stages            # 1,000,000 customers; BENCH_SCALE=0.1 for a tenth

By hand means written for the seven ready stages alone: no rule is read, nobody is taken out, no change is looked for
where there can be none. Both write into the same tables with the same keys, and what they write is compared.
"""

from benchmarks import harness  # isort: skip, sets Django up

import datetime as dt
from collections.abc import Callable
from itertools import count

from django.db import connection, transaction

from benchmarks.shoppers import DAY, NOW, fill
from retention.customers.models import Stage
from retention.customers.operations import compute_rfm
from retention.customers.rfm import GRID
from retention.segments.operations import place_customers

#: The day after so many.
_DAYS = count(1)
_STAGES = """
    SELECT c.id, CASE WHEN coalesce(s.orders, 0) = 0 AND NOT k.is_given THEN %(visitor)s
        WHEN coalesce(s.orders, 0) = 0 THEN %(subscriber)s
        WHEN s.orders = 1 AND s.first_order_at >= %(lately)s THEN %(new)s
        WHEN s.orders >= 4 AND s.last_order_at >= %(half)s AND (s.last_order_at >= %(lately)s OR NOT coalesce(
            s.last_order_at < %(now)s - s.days_between_orders * interval '2 days', false)) THEN %(loyal)s
        WHEN s.last_order_at >= %(half)s AND (s.last_order_at >= %(lately)s OR NOT coalesce(
            s.last_order_at < %(now)s - s.days_between_orders * interval '2 days', false)) THEN %(active)s
        WHEN s.last_order_at >= %(year)s THEN %(at-risk)s ELSE %(lapsed)s END
    FROM customers_customer c LEFT JOIN customers_customerstats s ON s.customer_id = c.id
    CROSS JOIN LATERAL (SELECT EXISTS (SELECT FROM customers_consentstate k WHERE k.customer_id = c.id
        AND k.channel = 'email' AND k.purpose = 'marketing' AND k.is_given AND k.address = c.email_normal
    ) AS is_given) k
    WHERE c.merged_into_id IS NULL AND c.erased_at IS NULL
"""
FIRST_STAGES = f"""
    INSERT INTO customers_customerstage (customer_id, stage_id, since)
    SELECT id, stage, %(now)s FROM ({_STAGES}) AS meant (id, stage)
"""
NEXT_STAGES = f"""
    WITH moved AS (
        UPDATE customers_customerstage s SET stage_id = stage, since = %(now)s, xid = pg_current_xact_id()
        FROM ({_STAGES}) AS meant (id, stage) WHERE s.customer_id = id AND s.stage_id <> stage
        RETURNING s.customer_id, old.stage_id, new.stage_id
    )
    INSERT INTO customers_stagechange (customer_id, before_id, after_id, at) SELECT *, %(now)s FROM moved
"""
_GRID = "ARRAY[" + ", ".join(f"ARRAY{list(row)}" for row in GRID) + "]"
_SCORES = f"""
    SELECT *, ({_GRID})[6 - r][(f + m + 1) / 2] FROM (
        SELECT s.customer_id,
            5 - 5 * (rank() OVER (ORDER BY last_order_at DESC) - 1) / count(*) OVER () AS r,
            1 + 5 * (rank() OVER (ORDER BY orders) - 1) / count(*) OVER () AS f,
            1 + 5 * (rank() OVER (ORDER BY spend_minor) - 1) / count(*) OVER () AS m
        FROM customers_customerstats s JOIN customers_customer c ON c.id = s.customer_id
        WHERE s.orders > 0 AND c.merged_into_id IS NULL AND c.erased_at IS NULL) AS scored
"""
FIRST_SCORES = f"""
    INSERT INTO customers_rfm (customer_id, recency, frequency, monetary, "group", previous_group, computed_at)
    SELECT *, '', %(now)s FROM ({_SCORES}) AS named
"""
NEXT_SCORES = f"""
    WITH turned AS (
        UPDATE customers_rfm s SET recency = r, frequency = f, monetary = m, "group" = named.g,
            previous_group = CASE WHEN s."group" = named.g THEN previous_group ELSE s."group" END,
            computed_at = %(now)s, xid = pg_current_xact_id()
        FROM ({_SCORES}) AS named (id, r, f, m, g)
        WHERE s.customer_id = id AND (recency, frequency, monetary) <> (r, f, m)
        RETURNING s.customer_id, old."group" AS before, new."group" AS after
    )
    INSERT INTO customers_rfmchange (customer_id, before, after, at)
    SELECT *, %(now)s FROM turned WHERE before <> after
"""
#: What the next day brings: one customer in a hundred buys.
_BUY = """
    UPDATE customers_customerstats SET last_order_at = %s, spend_minor = spend_minor + 3000, orders = orders + 1,
        xid = pg_current_xact_id()
    WHERE customer_id %% 97 = %s
"""


def by_hand(statement: str, now: dt.datetime) -> None:
    ends = {"now": now, "lately": now - 60 * DAY, "half": now - 182 * DAY, "year": now - 365 * DAY}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, {**ends, **dict(Stage.objects.values_list("key", "pk"))})


def forget() -> None:
    """As if nobody had ever been looked at."""
    harness.empty("customers_customerstage", "customers_stagechange", "customers_rfm", "customers_rfmchange")
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM work_watermark")
        cursor.execute("CHECKPOINT")


def kept(table: str, column: str) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT "{column}", count(*), sum(customer_id) FROM {table} GROUP BY 1 ORDER BY 1')
        return cursor.fetchall()


def main() -> None:
    people = harness.size(1_000_000, least=20_000)
    with harness.database("bench_stages"):
        fill(people, orders=0)
        for name, table, column, ours, first, after in (
            (
                "stages", "customers_customerstage", "stage_id",
                lambda now: place_customers(now=now, everybody=True), FIRST_STAGES, NEXT_STAGES,
            ),
            ("RFM scores", "customers_rfm", "group", lambda now: compute_rfm(now=now), FIRST_SCORES, NEXT_SCORES),
        ):  # fmt: skip
            measure(name, people, (table, column), ours, first, after)


def measure(
    name: str, people: int, row: tuple[str, str], ours: Callable[[dt.datetime], object], first: str, after: str
) -> None:
    """The first time, and a pass over everybody a day later, over and over."""

    def everybody(work: Callable[[], object]) -> int:
        work()
        return people

    day = NOW

    def next_day() -> None:
        nonlocal day
        number = next(_DAYS)
        day = NOW + number * DAY
        with connection.cursor() as cursor:
            cursor.execute(_BUY, [day, number % 97])

    written: list[list[tuple]] = []

    def anew() -> None:
        written.append(kept(*row))
        forget()

    harness.compare(
        f"{name}, the first time",
        lambda: everybody(lambda: ours(NOW)),
        lambda: everybody(lambda: by_hand(first, NOW)),
        prepare=anew, warm_up=False, rounds=2, unit="customers",
    )  # fmt: skip
    # The table was empty before the first of them.
    assert all(each == kept(*row) != [] for each in written[1:])
    harness.compare(
        f"{name}, a day later",
        lambda: everybody(lambda: ours(day)),
        lambda: everybody(lambda: by_hand(after, day)),
        prepare=next_day, rounds=3, unit="customers",
    )  # fmt: skip
    by_both = kept(*row)
    forget()
    ours(day)
    assert kept(*row) == by_both


if __name__ == "__main__":
    main()
