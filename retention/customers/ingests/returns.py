"""Returns in bulk: which lines of an order came back, how many of each, and what was refunded."""

from django.utils.translation import gettext_lazy as _

from retention.customers.ingests.items import named, nameless
from retention.customers.operations.stats import refresh_stats
from retention.registries import ingests
from retention.work.ingest.columns import Column, Instant, Money, Whole
from retention.work.ingest.kinds import Counts, Kind, Load

_LINES = "work_return_lines"
_ORDER = "o.reference = btrim({row}.order_reference)"


@ingests.register
class Returns(Kind):
    """A return is never changed: the same one again is harmless, another one under its reference is refused."""

    key = "returns"
    label = _("Returns")
    table = "customers_return"
    items = "lines"
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
    def rows(cls, load: Load) -> tuple[int, int]:
        return named(load)

    @classmethod
    def find_repeated(cls, load: Load) -> None:
        has_line = "false"
        if load.said & {"sku", "position"}:
            has_line = "s.item IS NULL AND (s.sku <> '' OR s.position <> '')"
        load.execute(
            "WITH r AS MATERIALIZED (SELECT btrim(s.reference) AS reference"
            f" FROM {load.staging} s WHERE s.reference <> '' GROUP BY 1"
            f" HAVING count(DISTINCT s.line) > 1 AND NOT bool_and({has_line}))"
            " INSERT INTO ingest_errors SELECT DISTINCT w.line, NULL::integer, 'reference', 'duplicate',"
            f" left(w.reference, 80) FROM {load.staging} w JOIN r ON r.reference = btrim(w.reference)"
        )
        nameless(load)

    @classmethod
    def fill(cls, load: Load) -> None:
        load.execute(
            "SELECT count(*) FROM (SELECT FROM customers_order WHERE reference IN"
            f" (SELECT btrim(order_reference) FROM {load.staging}) ORDER BY id FOR UPDATE) AS locked"
        )
        own = [name for column in cls.columns if column.item is None for name in column.staged]
        lines = [name for column in cls.columns if column.item is not None for name in column.staged]
        whole = ", ".join(f"max(s.{name}) AS {name}" for name in own)
        load.execute(
            f"WITH s AS MATERIALIZED (SELECT min(s.line) AS line, {whole} FROM {load.staging} s"
            " WHERE s.reference <> '' GROUP BY btrim(s.reference))"
            f" INSERT INTO {load.work} (line, {', '.join(own)}, is_new, id, order_id, currency, is_bad, is_known)"
            f" SELECT s.line, {', '.join(f's.{name}' for name in own)}, true, c.id, o.id, o.currency, false,"
            f" c.id IS NOT NULL FROM s LEFT JOIN customers_order o ON {_ORDER.format(row='s')}"
            f" LEFT JOIN {cls.table} c ON c.reference = btrim(s.reference)"
        )
        if load.fetch(f"SELECT to_regclass('pg_temp.{_LINES}') IS NULL")[0][0]:
            load.execute(
                f"CREATE TEMP TABLE {_LINES} (line bigint, item integer, {', '.join(f'{name} text' for name in lines)},"
                " is_new boolean, return_line bigint, order_id bigint, line_id bigint, matches integer)"
                " ON COMMIT DELETE ROWS"
            )
        else:
            load.execute(f"DELETE FROM {_LINES}")
        load.execute(
            f"INSERT INTO {_LINES} (line, item, {', '.join(lines)}, is_new, return_line, order_id)"
            f" SELECT s.line, s.item, {', '.join(f's.{name}' for name in lines)}, true, w.line, w.order_id"
            f" FROM {load.staging} s JOIN {load.work} w ON btrim(w.reference) = btrim(s.reference)"
            f" WHERE s.item IS NOT NULL OR {' OR '.join(f's.{name} <> {chr(39) * 2}' for name in lines)}"
        )

    @classmethod
    def check(cls, load: Load) -> None:
        more = [
            (
                "order_reference",
                "CASE WHEN w.order_reference <> '' AND w.order_id IS NULL THEN 'unknown_order'"
                " WHEN EXISTS (SELECT FROM customers_order o WHERE o.id = w.order_id AND o.state = 'cancelled')"
                " THEN 'order_is_cancelled' END",
                "w.order_reference",
            )
        ]
        load.check((column for column in cls.columns if column.item is None), more)
        load.check((column for column in cls.columns if column.item is not None), source=_LINES)
        cls._check_contradictions(load)
        cls._mark_bad(load)
        cls._match_lines(load)
        cls._check_sums(load)
        cls._mark_bad(load)

    @classmethod
    def _check_contradictions(cls, load: Load) -> None:
        names = [n for c in cls.columns if c.item is None for n in c.staged if n in load.said and n != "reference"]
        if not names:
            return
        cells = ", ".join(f"('{name}', s.{name}, w.{name})" for name in names)
        load.execute(
            "INSERT INTO ingest_errors SELECT s.line, NULL, e.column_name, 'contradicts', left(e.cell, 80)"
            f" FROM {load.staging} s JOIN {load.work} w ON btrim(w.reference) = btrim(s.reference)"
            f" CROSS JOIN LATERAL (VALUES {cells}) AS e(column_name, cell, whole)"
            " WHERE e.cell <> '' AND e.cell <> e.whole"
        )

    @classmethod
    def _mark_bad(cls, load: Load) -> None:
        load.execute(
            f"UPDATE {load.work} w SET is_bad = true FROM ingest_errors e JOIN {load.staging} s ON s.line = e.line"
            " WHERE btrim(s.reference) = btrim(w.reference) AND NOT w.is_bad"
        )
        # What is recorded already was checked then; only that it is the same is asked.
        load.execute(f"DELETE FROM {_LINES} l USING {load.work} w WHERE w.line = l.return_line AND w.is_known")

    @classmethod
    def _match_lines(cls, load: Load) -> None:
        load.execute(
            f"UPDATE {_LINES} l SET line_id = n.line_id, matches = n.matches FROM (SELECT l.line, l.item,"
            f" min(t.id) AS line_id, count(t.id) AS matches FROM {_LINES} l"
            f" JOIN {load.work} w ON w.line = l.return_line"
            " LEFT JOIN (customers_orderline t JOIN customers_product p ON p.id = t.product_id) ON"
            " t.order_id = l.order_id AND (coalesce(l.position, '') = '' OR t.position = l.position::integer)"
            " AND (coalesce(btrim(l.sku), '') = '' OR p.sku = btrim(l.sku)) WHERE NOT w.is_bad"
            " GROUP BY l.line, l.item) AS n WHERE n.line = l.line AND n.item IS NOT DISTINCT FROM l.item"
        )
        load.refuse("sku", "unknown_line", "w.matches = 0", value="coalesce(w.sku, w.position)", source=_LINES)
        load.refuse("sku", "ambiguous_line", "w.matches > 1", value="w.sku", source=_LINES)
        load.refuse(
            "quantity",
            "more_than_bought",
            "w.matches = 1 AND w.line_id IN (SELECT l.line_id FROM customers_orderline t JOIN"
            f" {_LINES} l ON l.line_id = t.id WHERE l.matches = 1 GROUP BY l.line_id, t.quantity, t.returned_quantity"
            " HAVING sum(l.quantity::bigint) > t.quantity - t.returned_quantity)",
            value="w.quantity",
            source=_LINES,
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
    def drop(cls, load: Load) -> None:
        load.execute(f"DELETE FROM {_LINES} l USING {load.work} w WHERE w.line = l.return_line AND w.is_bad")
        load.execute(f"DELETE FROM {load.work} WHERE is_bad")

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
            f" SELECT w.id, l.line_id, sum(l.quantity::bigint) FROM {_LINES} l"
            f" JOIN {load.work} w ON w.line = l.return_line GROUP BY 1, 2 ORDER BY 1, 2"
        )
        load.execute(
            "UPDATE customers_orderline t SET returned_quantity = t.returned_quantity + n.quantity FROM"
            f" (SELECT line_id, sum(quantity::bigint) AS quantity FROM {_LINES} GROUP BY 1) AS n WHERE n.line_id = t.id"
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

    @classmethod
    def differences(cls, load: Load, limit: int) -> list:
        return []
