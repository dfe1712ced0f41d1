"""Segments against the SQL that one would write by hand, on the same customers and their ten orders each: five
conditions, a nested rule, eight conditions; and who is in after new facts about one customer, or a thousand.

    python -m benchmarks.segments            # 1,000,000 customers, 10,000,000 orders; BENCH_SCALE=0.1 for a tenth
"""

from benchmarks import harness  # isort: skip, sets Django up

from collections.abc import Callable

from django.db import connection

from benchmarks.shoppers import BY, DAY, NOW, fill
from retention.segments.models import Membership
from retention.segments.operations import create_segment, follow_segment, refresh_segment
from retention.segments.querysets import members

RULE = {
    "all": [
        {"key": "country", "args": {"countries": ["DE", "US", "KR", "FR"]}},
        {"key": "no_order", "args": {"days": 180, "never": "leave_out"}},
        {"key": "spend", "args": {"operator": "at_least", "number": 20_000, "window": "ever"}},
        {"key": "consent", "args": {"channel": "email", "purpose": "marketing", "state": "given"}},
        {
            "key": "did",
            "args": {"kind": "viewed_product", "operator": "at_least", "number": 1, "window": "last", "days": 60},
        },
    ]
}
BY_HAND = """
    FROM customers_customer c JOIN customers_customerstats s ON s.customer_id = c.id
    WHERE c.merged_into_id IS NULL AND c.erased_at IS NULL AND c.country IN ('DE', 'US', 'KR', 'FR')
        AND s.last_order_at < %(silent)s AND s.spend_minor >= 20000
        AND EXISTS (SELECT 1 FROM customers_consentstate k WHERE k.customer_id = c.id AND k.channel = 'email'
            AND k.purpose = 'marketing' AND k.is_given AND k.address = c.email_normal)
        AND EXISTS (SELECT 1 FROM customers_activity a WHERE a.customer_id = c.id AND a.kind = 'viewed_product'
            AND a.occurred_at >= %(recent)s)
"""
#: Nested, negated, counted: what a marketer builds on a rainy day.
NESTED = {
    "any": [
        {
            "all": [
                {"key": "country", "args": {"countries": ["DE", "AT"]}},
                {"not": {"key": "spend", "args": {"operator": "at_least", "number": 30_000, "window": "ever"}}},
            ]
        },
        {
            "key": "did",
            "args": {"kind": "viewed_product", "operator": "at_least", "number": 2, "window": "last", "days": 90},
        },
        {
            "not": {
                "any": [
                    {"key": "consent", "args": {"channel": "email", "purpose": "marketing", "state": "given"}},
                    {"key": "last_order", "args": {"window": "last", "days": 700}},
                ]
            }
        },
    ]
}
NESTED_BY_HAND = """
    FROM customers_customer c LEFT JOIN customers_customerstats s ON s.customer_id = c.id
    WHERE c.merged_into_id IS NULL AND c.erased_at IS NULL AND (
        (c.country IN ('DE', 'AT') AND coalesce(s.spend_minor, 0) < 30000)
        OR c.id IN (SELECT a.customer_id FROM customers_activity a WHERE a.kind = 'viewed_product'
            AND a.occurred_at >= %(recent)s GROUP BY a.customer_id HAVING count(*) >= 2)
        OR (NOT EXISTS (SELECT 1 FROM customers_consentstate k WHERE k.customer_id = c.id AND k.channel = 'email'
                AND k.purpose = 'marketing' AND k.is_given AND k.address = c.email_normal)
            AND (s.last_order_at IS NULL OR s.last_order_at < %(silent)s)))
"""


EVER = {"window": "ever"}
EIGHT = {
    "all": [
        *RULE["all"],
        {"key": "order_count", "args": {"operator": "at_least", "number": 2, "window": "last", "days": 700}},
        {
            "key": "ordered_by_channel",
            "args": {"values": ["app"], "operator": "at_least", "number": 1, "window": "ever"},
        },
        {"not": {"key": "order_worth", "args": {"operator": "at_least", "number": 10_500, "window": "ever"}}},
    ]
}
EIGHT_BY_HAND = (
    BY_HAND
    + """
        AND (SELECT count(*) FROM customers_order o WHERE o.customer_id = c.id AND o.placed_at >= %(since)s
            AND o.state IN ('paid', 'fulfilled', 'partially_returned', 'returned')) >= 2
        AND EXISTS (SELECT 1 FROM customers_order o WHERE o.customer_id = c.id AND lower(o.channel) = 'app'
            AND o.state IN ('paid', 'fulfilled', 'partially_returned', 'returned'))
        AND NOT EXISTS (SELECT 1 FROM customers_order o WHERE o.customer_id = c.id AND o.base_minor >= 10500
            AND o.state IN ('paid', 'fulfilled', 'partially_returned', 'returned'))
"""
)
#: The eight conditions, as of now; what a look at everybody and one at some customers share.
EIGHT_NOW = {"silent": NOW - 180 * DAY, "recent": NOW - 60 * DAY, "since": NOW - 700 * DAY}
#: Keeps the membership of the customers named, and tells who came and left, as the segment itself does.
KEPT_BY_HAND = f"""
    WITH changed AS (SELECT unnest(%(ids)s::bigint[]) AS id),
    meant AS MATERIALIZED (SELECT c.id {EIGHT_BY_HAND} AND c.id = ANY(%(ids)s)),
    leaving AS (
        DELETE FROM segments_membership m USING changed WHERE m.segment_id = %(segment)s AND m.customer_id = changed.id
            AND NOT EXISTS (SELECT FROM meant WHERE meant.id = m.customer_id) RETURNING m.customer_id
    ),
    entering AS (
        INSERT INTO segments_membership (segment_id, customer_id, entered_at)
        SELECT %(segment)s, id, %(now)s FROM meant ON CONFLICT DO NOTHING RETURNING customer_id
    )
    INSERT INTO segments_membershipchange (segment_id, customer_id, has_entered, at)
    SELECT %(segment)s, customer_id, true, %(now)s FROM entering
    UNION ALL SELECT %(segment)s, customer_id, false, %(now)s FROM leaving
"""
#: Customers with a new fact between two looks.
FEW, MANY = 1, 1_000


def by_hand(select: str, source: str, **days: int) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(f"{select} {source}", {name: NOW - number * DAY for name, number in days.items()})
        return cursor.fetchall()


def compare(name: str, people: int, ours: Callable[[], object], floor: Callable[[], object]) -> None:
    """One question about everybody."""

    def counted(work: Callable[[], object]) -> int:
        work()
        return people

    harness.compare(name, lambda: counted(ours), lambda: counted(floor), unit="customers", rounds=3)


def questions(people: int) -> None:
    """Each way of asking counts the same customers, and somebody at all."""
    five = {"silent": 180, "recent": 60}
    for name, rule, source, days in (
        ("segment of five conditions: count", RULE, BY_HAND, five),
        ("nested segment with not and counts: count", NESTED, NESTED_BY_HAND, {"silent": 700, "recent": 90}),
        ("segment of eight conditions: count", EIGHT, EIGHT_BY_HAND, five | {"since": 700}),
    ):
        ((count,),) = by_hand("SELECT count(*)", source, **days)
        assert members(rule, NOW).count() == count > 0
        print(f"{count:,} of {people:,} customers")
        compare(
            name,
            people,
            lambda rule=rule: members(rule, NOW).count(),
            lambda source=source, days=days: by_hand("SELECT count(*)", source, **days),
        )
    compare(
        "segment of five conditions: members",
        people,
        lambda: list(members(RULE, NOW).order_by().values_list("pk")),
        lambda: by_hand("SELECT c.id", BY_HAND, **five),
    )


def following(people: int) -> None:
    """Who is in after facts that let some of these customers in and others out."""
    segment = create_segment(name="Eight", rule=EIGHT, now=NOW, by=BY)
    refresh_segment(segment_id=segment.pk, now=NOW)
    for changed in (FEW, MANY):
        # The first is one of those whom the fact moves.
        first = Membership.objects.filter(segment=segment).earliest("customer_id").customer_id
        ids = list(range(first, people, (people - first) // changed))[:changed]

        def touch(ids: list[int] = ids) -> None:
            with connection.cursor() as cursor:
                cursor.execute(
                    "UPDATE customers_customerstats SET spend_minor = abs(40000 - spend_minor),"
                    " xid = pg_current_xact_id() WHERE customer_id = ANY(%s)",
                    [ids],
                )

        def ours(count: int = changed) -> int:
            assert follow_segment(segment_id=segment.pk, now=NOW).error == ""
            return count

        def floor(ids: list[int] = ids) -> int:
            with connection.cursor() as cursor:
                cursor.execute(KEPT_BY_HAND, {**EIGHT_NOW, "ids": ids, "segment": segment.pk, "now": NOW})
            return len(ids)

        touch()
        ours()
        name = f"membership after facts of {changed:,}"
        result = harness.compare(name, ours, floor, prepare=touch, unit="changed customers", rounds=11)
        mine, theirs = (1_000 / rate for rate in (result.ours.median, result.floor.median))
        print(f"  {mine:.3f} ms a changed customer, by hand {theirs:.3f} ms")
    meant = set(members(EIGHT, NOW).values_list("pk", flat=True))
    assert set(Membership.objects.filter(segment=segment).values_list("customer_id", flat=True)) == meant


def main() -> None:
    people = harness.size(1_000_000, least=20_000)
    with harness.database("bench_segments"):
        fill(people, orders=10)
        questions(people)
        following(people)


if __name__ == "__main__":
    main()
