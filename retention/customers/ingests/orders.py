"""Orders in bulk: nested with `lines`, or flat with one row a line and the order's cells on its first row or on all.

An order delivered again is updated where it differs. Its state only moves forward, so that deliveries may arrive in
any order; its lines, when said, replace the old ones by position; its total must add up.
"""

from django.utils.translation import gettext_lazy as _

from retention.customers.ingests import guests, owners
from retention.customers.ingests.items import named, nameless
from retention.customers.models.orders import Order
from retention.customers.operations.stats import refresh_stats
from retention.registries import ingests
from retention.work.ingest.columns import Choice, Column, Country, Currency, Email, Instant, Money, Whole, Words, scale
from retention.work.ingest.kinds import Counts, Kind, Load

_CURRENCY = "coalesce(nullif(upper(btrim({row}.currency)), ''), {row}.old_currency)"
_LINES = "work_order_lines"
_STATES = ", ".join(f"'{state}'" for state in Order.State.values)


def _rank(state: str) -> str:
    return f"array_position(ARRAY[{_STATES}], {state}::text)"


@ingests.register
class Orders(Kind):
    key = "orders"
    label = _("Orders with their lines")
    table = "customers_order"
    items = "lines"
    columns = (
        Whole("customer_id", target="-", high=2**62),
        Column("customer", target="-"),
        Email("email"),
        Column("reference", required=True),
        Choice("state", choices=tuple(Order.State.values), required=True, target="-"),
        Currency("currency", required=True, target="-"),
        Money("total", currency=_CURRENCY, target="-"),
        Money("shipping", currency=_CURRENCY, blank="0"),
        Money("discount", currency=_CURRENCY, blank="0"),
        Money("tax", currency=_CURRENCY, blank="0"),
        Column("channel", limit=40),
        Column("store", limit=60),
        Column("payment_method", limit=40),
        Column("address", limit=300, is_multiline=True),
        Column("city"),
        Column("region"),
        Column("postcode", limit=20),
        Country("country"),
        Words("codes"),
        Instant("placed_at", required=True, is_past=True),
        Instant("paid_at", target="-", is_past=True),
        Instant("fulfilled_at", target="-", is_past=True),
        Instant("cancelled_at", target="-", is_past=True),
        Column("sku", item="sku", required=True),
        Whole("quantity", item="quantity", required=True, low=1, high=1_000_000),
        Money("unit_price", item="unit_price", required=True, currency="{row}.currency"),
        Money("line_discount", item="discount", currency="{row}.currency"),
    )
    hidden = owners.HIDDEN
    extras = (
        ("owner_id", "bigint"),
        ("old_customer_id", "bigint"),
        ("old_currency", "text"),
        ("is_bad", "boolean"),
        ("is_touched", "boolean"),
        ("has_lines", "boolean"),
        ("line_sum", "bigint"),
        ("now_total", "bigint"),
        ("rate", "numeric"),
    )
    order_by = "btrim(w.reference)"
    match = "c.reference = btrim(s.reference)"
    sentences = {
        **owners.SENTENCES,
        "unknown_product": _("There is no product “%(value)s”."),
        "contradicts": _("“%(value)s” is not what another row says of the same order."),
        "no_lines": _("A new order needs at least one line."),
        "discount_above_price": _("The discount is more than the line costs."),
        "currency_changed": _("The order is in another currency; that cannot change to %(value)s."),
        "no_exchange_rate": _("There is no exchange rate for %(value)s on that day."),
        "total_does_not_add_up": _("%(value)s"),
        "discount_above_lines": _("The discount is more than the lines cost."),
        "fewer_than_returned": _("More of this line came back than the order would now have."),
    }

    @classmethod
    def own_columns(cls) -> tuple[Column, ...]:
        return tuple(column for column in cls.columns if column.item is None)

    @classmethod
    def line_columns(cls) -> tuple[Column, ...]:
        return tuple(column for column in cls.columns if column.item is not None)

    @classmethod
    def rows(cls, load: Load) -> tuple[int, int]:
        return named(load)

    @classmethod
    def find_repeated(cls, load: Load) -> None:
        """An order may be there once; flat rows of one order are its lines, and each of them must have one."""
        has_line = "false"
        if "sku" in load.said:
            has_line = "s.item IS NULL AND s.sku <> ''"
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
        own = [name for column in cls.own_columns() for name in column.staged]
        lines = [name for column in cls.line_columns() for name in column.staged]
        whole = ", ".join(f"max(s.{n}) AS {n}" if n in load.said else f"NULL::text AS {n}" for n in own)
        joins, owner = owners.joins(load)
        load.execute(
            f"WITH s AS MATERIALIZED (SELECT min(s.line) AS line, {whole} FROM {load.staging} s"
            " WHERE s.reference <> '' GROUP BY btrim(s.reference))"
            f" INSERT INTO {load.work} (line, {', '.join(own)}, is_new, id, owner_id, old_customer_id, old_currency,"
            f" is_bad, is_touched) SELECT s.line, {', '.join(f's.{n}' for n in own)}, c.id IS NULL, c.id, {owner},"
            " c.customer_id, c.currency, false, false"
            f" FROM s LEFT JOIN {cls.table} c ON {cls.match}{joins}"
        )
        load.execute(
            f"SELECT count(*) FROM (SELECT FROM {cls.table} WHERE id IN (SELECT id FROM {load.work} WHERE NOT is_new)"
            " ORDER BY id FOR UPDATE) AS locked"
        )
        cls._make_lines_table(load, lines)
        something = " OR ".join(f"s.{name} <> ''" for name in lines if name in load.said) or "false"
        load.execute(
            f"INSERT INTO {_LINES} (line, item, {', '.join(lines)}, is_new, order_line, position, product_id, currency)"
            f" SELECT s.line, s.item, {', '.join(f's.{n}' for n in lines)}, true, w.line,"
            " row_number() OVER (PARTITION BY w.line ORDER BY s.line, s.item), p.id,"
            f" {_CURRENCY.format(row='w')} FROM {load.staging} s JOIN {load.work} w"
            " ON btrim(w.reference) = btrim(s.reference)"
            " LEFT JOIN customers_product p ON p.sku = nullif(btrim(s.sku), '')"
            f" WHERE s.item IS NOT NULL OR {something}"
        )
        load.execute(
            f"UPDATE {load.work} w SET has_lines = EXISTS (SELECT FROM {_LINES} l WHERE l.order_line = w.line)"
            if load.rows == 1
            else f"UPDATE {load.work} w SET has_lines = w.line IN (SELECT order_line FROM {_LINES})"
        )

    @classmethod
    def _make_lines_table(cls, load: Load, lines: list[str]) -> None:
        if load.fetch(f"SELECT to_regclass('pg_temp.{_LINES}') IS NULL")[0][0]:
            load.execute(
                f"CREATE TEMP TABLE {_LINES} (line bigint, item integer, {', '.join(f'{name} text' for name in lines)},"
                " is_new boolean, order_line bigint, position integer, product_id bigint, currency text,"
                " price bigint, number bigint, off bigint) ON COMMIT DELETE ROWS"
            )
        else:
            load.execute(f"DELETE FROM {_LINES}")

    @classmethod
    def check(cls, load: Load) -> None:
        more = [
            *owners.checks(is_needed=False, may_be_new=True),
            (
                "currency",
                "CASE WHEN NOT w.is_new AND w.currency <> '' AND upper(btrim(w.currency)) <> w.old_currency"
                " THEN 'currency_changed' END",
                "w.currency",
            ),
            ("lines", "CASE WHEN w.is_new AND NOT w.has_lines THEN 'no_lines' END", "NULL"),
        ]
        load.check(cls.own_columns(), more)
        unknown = "CASE WHEN w.sku <> '' AND w.product_id IS NULL THEN 'unknown_product' END"
        load.check(cls.line_columns(), [("sku", unknown, "w.sku")], source=_LINES)
        cls._check_contradictions(load)
        cls._mark_bad(load)
        cls._count_lines(load)
        cls._mark_bad(load)
        cls._check_sums(load)
        cls._mark_bad(load)

    @classmethod
    def _check_contradictions(cls, load: Load) -> None:
        """Flat rows of one order must agree on it, or leave it to one of them."""
        if not load.fetch(f"SELECT 1 FROM {_LINES} WHERE item IS NULL AND position > 1 LIMIT 1"):
            return
        names = [n for c in cls.own_columns() for n in c.staged if n in load.said and n != "reference"]
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

    @classmethod
    def _count_lines(cls, load: Load) -> None:
        """Amounts of the lines whose cells are good, and their sum."""
        columns = {column.name: column for column in cls.line_columns()}
        load.execute(
            f"UPDATE {_LINES} l SET number = {columns['quantity'].value('l')},"
            f" price = {columns['unit_price'].value('l')},"
            f" off = coalesce({columns['line_discount'].value('l')}, 0)"
            f" FROM {load.work} w WHERE w.line = l.order_line AND NOT w.is_bad"
        )
        load.refuse("line_discount", "discount_above_price", "w.off > w.number * w.price", source=_LINES)
        load.refuse(
            "quantity",
            "fewer_than_returned",
            f"EXISTS (SELECT FROM {load.work} o JOIN customers_orderline t ON t.order_id = o.id"
            " WHERE o.line = w.order_line AND NOT o.is_new AND t.position = w.position AND t.returned_quantity > 0"
            " AND (t.product_id <> w.product_id OR t.returned_quantity > w.number))",
            value="w.quantity",
            source=_LINES,
        )
        load.refuse(
            "lines",
            "fewer_than_returned",
            "NOT w.is_new AND w.has_lines AND EXISTS (SELECT FROM customers_orderline t WHERE t.order_id = w.id"
            " AND t.returned_quantity > 0 AND t.position >"
            f" (SELECT max(l.position) FROM {_LINES} l WHERE l.order_line = w.line))",
        )
        load.execute(
            f"UPDATE {load.work} w SET line_sum = t.sum FROM"
            f" (SELECT order_line, sum(number * price - off)::bigint AS sum FROM {_LINES} GROUP BY 1) AS t"
            " WHERE t.order_line = w.line AND NOT w.is_bad"
        )
        load.execute(
            f"UPDATE {load.work} w SET line_sum = t.sum FROM (SELECT order_id, sum(total_minor)::bigint AS sum"
            f" FROM customers_orderline WHERE order_id IN (SELECT id FROM {load.work} WHERE NOT has_lines)"
            " GROUP BY 1) AS t WHERE t.order_id = w.id AND NOT w.has_lines AND NOT w.is_bad"
        )

    @classmethod
    def _check_sums(cls, load: Load) -> None:
        """lines − discount + shipping = total, and the day has a rate."""
        columns = {column.name: column for column in cls.own_columns()}

        def after(name: str) -> str:
            column = columns[name]
            said, value = column.said("w"), column.value("w")
            return f"CASE WHEN {said} THEN coalesce({value}, 0) ELSE coalesce(c.{name}_minor, 0) END"

        currency, total = _CURRENCY.format(row="w"), columns["total"].value("w")
        load.execute(
            f"UPDATE {load.work} t SET now_total = n.total, rate = n.rate FROM (SELECT w.line,"
            f" w.line_sum - {after('discount')} + {after('shipping')} AS total,"
            f" CASE WHEN {currency} = %(base_currency)s THEN 1 ELSE (SELECT x.rate"
            f" * ({scale('%(base_currency)s')}) / ({scale(currency)}) FROM shop_exchangerate x"
            f" WHERE x.currency = {currency} AND x.\"on\" <= coalesce(nullif(w.placed_at, '')::timestamptz,"
            ' c.placed_at)::date ORDER BY x."on" DESC LIMIT 1) END AS rate'
            f" FROM {load.work} w LEFT JOIN {cls.table} c ON c.id = w.id WHERE NOT w.is_bad) AS n WHERE n.line = t.line"
        )
        load.refuse("currency", "no_exchange_rate", "NOT w.is_bad AND w.rate IS NULL", value=currency)
        load.refuse("discount", "discount_above_lines", "NOT w.is_bad AND w.now_total < 0")

        def shown(minor: str) -> str:
            units = scale(currency)
            return f"round({minor}::numeric / {units}, CASE {units} WHEN 1 THEN 0 WHEN 1000 THEN 3 ELSE 2 END)"

        load.refuse(
            columns["total"].shown("w"),
            "total_does_not_add_up",
            f"NOT w.is_bad AND w.now_total >= 0 AND coalesce(w.total, '') || coalesce(w.total_minor, '') <> ''"
            f" AND {total} <> w.now_total",
            value=f"'Lines, less discount, plus shipping come to ' || {shown('w.now_total')} || ', but the total says '"
            f" || {shown(f'({total})')} || '.'",
        )

    @classmethod
    def drop(cls, load: Load) -> None:
        load.execute(f"DELETE FROM {_LINES} l USING {load.work} w WHERE w.line = l.order_line AND w.is_bad")
        load.execute(f"DELETE FROM {load.work} WHERE is_bad")

    @classmethod
    def write(cls, load: Load) -> Counts:
        guests.make(load)
        load.execute(f"UPDATE {load.work} SET id = nextval(pg_get_serial_sequence('{cls.table}', 'id')) WHERE is_new")
        new = cls.insert(load)
        cls.update(load)
        cls._write_lines(load)
        changed = load.fetch(f"SELECT count(*) FROM {load.work} WHERE is_touched")[0][0]
        load.execute(
            f"UPDATE {cls.table} c SET xid = pg_current_xact_id() FROM {load.work} w"
            " WHERE c.id = w.id AND w.is_touched AND c.xid <> pg_current_xact_id()"
        )
        refresh_stats(
            f"SELECT c.customer_id FROM {cls.table} c JOIN {load.work} w ON w.id = c.id WHERE w.is_new OR w.is_touched"
            f" UNION SELECT old_customer_id FROM {load.work} WHERE is_touched"
        )
        return Counts(new, changed)

    @classmethod
    def _computed(cls, current: str | None) -> dict[str, str]:
        """Columns that more than one cell decides, for new rows or over the stored row."""
        columns = {column.name: column for column in cls.own_columns()}
        state = columns["state"].value("w")
        if current is None:
            owner, since = "w.owner_id", columns["placed_at"].value("w")
        else:
            owner, since = f"coalesce(w.owner_id, {current}.customer_id)", "%(now)s"
            state = f"CASE WHEN {_rank(state)} > {_rank(current + '.state')} THEN {state} ELSE {current}.state END"

        def reached(name: str, states: str) -> str:
            kept = f", {current}.{name}" if current else ""
            return (
                f"coalesce({columns[name].value('w')}{kept},"
                f" CASE WHEN {columns['state'].value('w')} IN ({states}) THEN {since} END)"
            )

        return {
            "customer_id": owner,
            "state": state,
            "total_minor": "w.now_total",
            "base_minor": "round(w.now_total * w.rate)::bigint",
            "paid_at": reached("paid_at", "'paid', 'fulfilled', 'partially_returned', 'returned'"),
            "fulfilled_at": reached("fulfilled_at", "'fulfilled', 'partially_returned', 'returned'"),
            "cancelled_at": reached("cancelled_at", "'cancelled'"),
        }

    @classmethod
    def insert(cls, load: Load) -> int:
        values: dict[str, str] = {"id": "w.id"}
        for column in cls.own_columns():
            if column.target != "-":
                values |= column.values("w") if load.said & set(column.staged) else column.blanks()
        values |= {**cls._computed(None), "currency": _CURRENCY.format(row="w"), "recorded_at": "%(now)s"}
        awaited = load.fetch(f"SELECT count(*) FROM {load.work} WHERE is_new")[0][0]
        inserted = load.execute(
            f"INSERT INTO {cls.table} ({', '.join(values)}) SELECT {', '.join(values.values())}"
            f" FROM {load.work} w WHERE w.is_new ORDER BY {cls.order_by} ON CONFLICT DO NOTHING"
        )
        if inserted < awaited:
            cls.find_again(load)
        return inserted

    @classmethod
    def update(cls, load: Load) -> int:
        says = {
            target: f"CASE WHEN {column.said('w')} THEN {value} ELSE c.{target} END"
            for column in cls.own_columns()
            if column.target != "-" and load.said & set(column.staged)
            for target, value in column.updates("w", "c").items()
        } | cls._computed("c")
        return load.execute(
            f"WITH touched AS (UPDATE {cls.table} c SET {', '.join(f'{t} = {v}' for t, v in says.items())},"
            f" xid = pg_current_xact_id() FROM {load.work} w WHERE c.id = w.id AND NOT w.is_new"
            f" AND ({', '.join(f'c.{target}' for target in says)}) IS DISTINCT FROM ({', '.join(says.values())})"
            f" RETURNING c.id) UPDATE {load.work} w SET is_touched = true FROM touched WHERE touched.id = w.id"
        )

    @classmethod
    def _write_lines(cls, load: Load) -> None:
        touched = f"UPDATE {load.work} w SET is_touched = true FROM touched WHERE touched.id = w.id AND NOT w.is_new"
        load.execute(
            "WITH touched AS (INSERT INTO customers_orderline AS t (order_id, position, product_id, quantity,"
            " unit_price_minor, discount_minor, total_minor, returned_quantity)"
            " SELECT w.id, l.position, l.product_id, l.number, l.price, l.off, l.number * l.price - l.off, 0"
            f" FROM {_LINES} l JOIN {load.work} w ON w.line = l.order_line ORDER BY w.id, l.position"
            " ON CONFLICT (order_id, position) DO UPDATE SET product_id = EXCLUDED.product_id,"
            " quantity = EXCLUDED.quantity, unit_price_minor = EXCLUDED.unit_price_minor,"
            " discount_minor = EXCLUDED.discount_minor, total_minor = EXCLUDED.total_minor"
            " WHERE (t.product_id, t.quantity, t.unit_price_minor, t.discount_minor) IS DISTINCT FROM"
            " (EXCLUDED.product_id, EXCLUDED.quantity, EXCLUDED.unit_price_minor, EXCLUDED.discount_minor)"
            f" RETURNING t.order_id AS id) {touched}"
        )
        load.execute(
            "WITH touched AS (DELETE FROM customers_orderline t USING"
            f" (SELECT o.id, max(l.position) AS last FROM {_LINES} l JOIN {load.work} o ON o.line = l.order_line"
            " WHERE NOT o.is_new GROUP BY o.id) AS kept WHERE t.order_id = kept.id AND t.position > kept.last"
            f" RETURNING t.order_id AS id) {touched}"
        )

    @classmethod
    def differences(cls, load: Load, limit: int) -> list:
        return []
