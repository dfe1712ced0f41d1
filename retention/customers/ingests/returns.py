"""Returns in bulk: which lines of an order came back, how many of each, and what was refunded."""

from django.utils.translation import gettext_lazy as _

from retention.customers.ingests.lines import WithLines
from retention.customers.operations.stats import refresh_stats
from retention.registries import ingests
from retention.work.ingest.append import AppendOnly
from retention.work.ingest.columns import Column, Instant, Money, Whole
from retention.work.ingest.load import Counts, Load


@ingests.register
class Returns(AppendOnly, WithLines):
    """A return is never changed: the same one again is harmless, another one under its reference is refused."""

    key = "returns"
    label = _("Returns")
    right = "customers.import_order"
    table = "customers_return"
    line_keys = ("sku", "position")
    columns = (
        Column("reference", required=True),
        Column("order_reference", required=True),
        Column("reason", limit=60),
        Money("amount", required=True, currency="{row}.currency"),
        Instant("occurred_at", required=True, is_past=True),
        Column("sku", item="sku"),
        Whole("position", item="position", low=1, high=32_767),
        Whole("quantity", item="quantity", low=1, high=1_000_000, required=True),
    )
    extras = (("order_id", "bigint"), ("currency", "text"), ("is_bad", "boolean"), ("is_known", "boolean"))
    line_extras = (("order_id", "bigint"), ("line_id", "bigint"), ("matches", "integer"))
    is_there = "EXISTS (SELECT FROM customers_return c WHERE c.reference = btrim(s.reference))"
    sentences = {
        "unknown_order": _("There is no order “%(value)s”."),
        "already_recorded": _("This return is recorded already, for another order or amount."),
        "refund_above_total": _("With this, more than the order's total would be refunded."),
        "unknown_line": _("The order has no such line."),
        "ambiguous_line": _("Several lines of the order have this product; name the line's position."),
        "more_than_bought": _("With this, more would have come back than was bought."),
        "contradicts": _("“%(value)s” is not what another row says of the same return."),
        "order_is_cancelled": _("The order “%(value)s” was cancelled."),
    }

    @classmethod
    def fill(cls, load: Load) -> None:
        load.execute(
            "SELECT count(*) FROM (SELECT FROM customers_order WHERE reference IN"
            f" (SELECT btrim(order_reference) FROM {load.staging}) ORDER BY id FOR UPDATE) AS locked"
        )
        values = {"is_new": "true", "id": "c.id", "order_id": "o.id", "currency": "o.currency"}
        cls.fill_wholes(
            load,
            {**values, "is_known": "c.id IS NOT NULL"},
            " LEFT JOIN customers_order o ON o.reference = btrim(s.order_reference)"
            f" LEFT JOIN {cls.table} c ON c.reference = btrim(s.reference)",
        )
        cls.fill_lines(load, {"order_id": "w.order_id"})

    @classmethod
    def check(cls, load: Load) -> None:
        order = (
            "CASE WHEN w.order_reference <> '' AND w.order_id IS NULL THEN 'unknown_order'"
            " WHEN EXISTS (SELECT FROM customers_order o WHERE o.id = w.order_id AND o.state = 'cancelled')"
            " THEN 'order_is_cancelled' END"
        )
        load.check(cls.own_columns(), [("order_reference", order, "w.order_reference")])
        load.check(cls.line_columns(), source=cls.lines())
        cls.check_contradictions(load)
        cls.mark_bad(load)
        # What is recorded already was checked then; only that it is the same is asked.
        load.execute(f"DELETE FROM {cls.lines()} l USING {load.work} w WHERE w.line = l.whole AND w.is_known")
        cls._match_lines(load)
        cls._check_sums(load)
        cls.mark_bad(load)

    @classmethod
    def _match_lines(cls, load: Load) -> None:
        lines = cls.lines()
        load.execute(
            f"UPDATE {lines} l SET line_id = n.line_id, matches = n.matches FROM (SELECT l.line, l.item,"
            f" min(t.id) AS line_id, count(t.id) AS matches FROM {lines} l JOIN {load.work} w ON w.line = l.whole"
            " LEFT JOIN (customers_orderline t JOIN customers_product p ON p.id = t.product_id) ON"
            " t.order_id = l.order_id AND (coalesce(l.position, '') = '' OR t.position = l.position::integer)"
            " AND (coalesce(btrim(l.sku), '') = '' OR p.sku = btrim(l.sku)) WHERE NOT w.is_bad"
            " GROUP BY l.line, l.item) AS n WHERE n.line = l.line AND n.item IS NOT DISTINCT FROM l.item"
        )
        load.refuse("sku", "unknown_line", "w.matches = 0", value="coalesce(w.sku, w.position)", source=lines)
        load.refuse("sku", "ambiguous_line", "w.matches > 1", value="w.sku", source=lines)
        load.refuse(
            "quantity",
            "more_than_bought",
            "w.matches = 1 AND w.line_id IN (SELECT l.line_id FROM customers_orderline t JOIN"
            f" {lines} l ON l.line_id = t.id WHERE l.matches = 1 GROUP BY l.line_id, t.quantity, t.returned_quantity"
            " HAVING sum(l.quantity::bigint) > t.quantity - t.returned_quantity)",
            value="w.quantity",
            source=lines,
        )

    @classmethod
    def _check_sums(cls, load: Load) -> None:
        amount = next(column for column in cls.columns if column.name == "amount")
        shown, value = amount.shown("w"), amount.value("w")
        load.refuse(
            "reference",
            "already_recorded",
            f"w.is_known AND NOT w.is_bad AND EXISTS (SELECT FROM {cls.table} c WHERE c.id = w.id"
            f" AND (c.order_id, c.amount_minor) IS DISTINCT FROM (w.order_id, {value}))",
            value="w.reference",
        )
        load.refuse(
            shown,
            "refund_above_total",
            "NOT w.is_bad AND NOT w.is_known AND w.order_id IN (SELECT o.id FROM customers_order o JOIN"
            f" (SELECT w.order_id, sum({value}) AS amount FROM {load.work} w WHERE NOT w.is_bad AND NOT w.is_known"
            " GROUP BY 1) AS n ON n.order_id = o.id WHERE o.total_minor < n.amount + coalesce("
            f"(SELECT sum(r.amount_minor) FROM {cls.table} r WHERE r.order_id = o.id), 0))",
            value=amount.shown_value("w"),
        )

    @classmethod
    def write(cls, load: Load) -> Counts:
        amount = next(column for column in cls.columns if column.name == "amount").value("w")
        load.execute(f"DELETE FROM {load.work} WHERE is_known")
        load.execute(f"UPDATE {load.work} SET id = nextval(pg_get_serial_sequence('{cls.table}', 'id'))")
        new = load.execute(
            f"INSERT INTO {cls.table} (id, order_id, reference, reason, amount_minor, base_minor, occurred_at,"
            f" recorded_at) SELECT w.id, w.order_id, btrim(w.reference), coalesce(btrim(w.reason), ''), {amount},"
            f" CASE WHEN o.currency = %(base_currency)s THEN {amount} WHEN o.total_minor = 0 THEN 0"
            f" ELSE round({amount}::numeric * o.base_minor / o.total_minor)::bigint END,"
            f" w.occurred_at::timestamptz, %(now)s FROM {load.work} w JOIN customers_order o ON o.id = w.order_id"
            " ORDER BY btrim(w.reference)"
        )
        load.execute(
            "INSERT INTO customers_returnline (of_id, line_id, quantity)"
            f" SELECT w.id, l.line_id, sum(l.quantity::bigint) FROM {cls.lines()} l"
            f" JOIN {load.work} w ON w.line = l.whole GROUP BY 1, 2 ORDER BY 1, 2"
        )
        load.execute(
            "UPDATE customers_orderline t SET returned_quantity = t.returned_quantity + n.quantity FROM"
            f" (SELECT line_id, sum(quantity::bigint) AS quantity FROM {cls.lines()} GROUP BY 1) AS n"
            " WHERE n.line_id = t.id"
        )
        load.execute(
            "UPDATE customers_order o SET state = CASE WHEN NOT EXISTS"
            " (SELECT FROM customers_orderline t WHERE t.order_id = o.id AND t.returned_quantity < t.quantity)"
            f" OR o.total_minor > 0 AND o.total_minor = (SELECT sum(r.amount_minor) FROM {cls.table} r"
            " WHERE r.order_id = o.id) THEN 'returned' ELSE 'partially_returned' END, xid = pg_current_xact_id()"
            f" WHERE o.id IN (SELECT order_id FROM {load.work}) AND o.state NOT IN ('returned', 'cancelled')"
        )
        refresh_stats(f"SELECT o.customer_id FROM customers_order o WHERE o.id IN (SELECT order_id FROM {load.work})")
        return Counts(new=new)
