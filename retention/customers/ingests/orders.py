"""Orders in bulk: nested with `lines`, or flat with one row a line and the order's cells on its first row or on all.

An order delivered again is updated where it differs. Its state only moves forward, so that deliveries may arrive in
any order; its lines, when said, replace the old ones by position; its total must add up.
"""

from collections.abc import Mapping

from django.utils.translation import gettext_lazy as _

from retention.customers.ingests import guests, owners
from retention.customers.ingests.order_sums import CURRENCY, OrderSums
from retention.customers.models.orders import Order
from retention.customers.operations.stats import refresh_stats
from retention.registries import ingests
from retention.work.ingest.columns import Choice, Column, Country, Currency, Email, Instant, Money, Whole, Words, major
from retention.work.ingest.load import Counts, Load

_STATES = ", ".join(f"'{state}'" for state in Order.State.values)
#: SQL: one line as a preview shows it, such as `2 × LP 12.00 − 1.00`.
_LINE = "{number} || ' × ' || {sku} || ' ' || {price} || CASE WHEN {off} > 0 THEN ' − ' || {less} ELSE '' END"


def _rank(state: str) -> str:
    return f"array_position(ARRAY[{_STATES}], {state}::text)"


def _listed(number: str, sku: str, price: str, off: str, currency: str) -> str:
    """SQL: the lines of one order as one text."""
    line = _LINE.format(number=number, sku=sku, price=major(price, currency), off=off, less=major(off, currency))
    return f"string_agg({line}, ', ' ORDER BY l.position)"


@ingests.register
class Orders(OrderSums):
    key = "orders"
    label = _("Orders with their lines")
    right = "customers.import_order"
    table = "customers_order"
    columns = (
        Whole("customer_id", target="-", high=2**62),
        Column("customer", target="-"),
        Email("email"),
        Column("reference", required=True),
        Choice("state", choices=tuple(Order.State.values), required=True, target="-"),
        Currency("currency", required=True, target="-"),
        Money("total", currency=CURRENCY, target="-"),
        Money("shipping", currency=CURRENCY, blank="0"),
        Money("discount", currency=CURRENCY, blank="0"),
        Money("tax", currency=CURRENCY, blank="0"),
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
    line_extras = (
        ("position", "integer"),
        ("product_id", "bigint"),
        ("currency", "text"),
        ("price", "bigint"),
        ("number", "bigint"),
        ("off", "bigint"),
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
    def fill(cls, load: Load) -> None:
        joins, owner = owners.joins(load)
        values = {"is_new": "c.id IS NULL", "id": "c.id", "owner_id": owner, "is_touched": "false"}
        values |= {"old_customer_id": "c.customer_id", "old_currency": "c.currency"}
        cls.fill_wholes(load, values, f" LEFT JOIN {cls.table} c ON {cls.match}{joins}")
        load.execute(
            f"SELECT count(*) FROM (SELECT FROM {cls.table} WHERE id IN (SELECT id FROM {load.work} WHERE NOT is_new)"
            " ORDER BY id FOR UPDATE) AS locked"
        )
        position = "row_number() OVER (PARTITION BY w.line ORDER BY s.line, s.item)"
        cls.fill_lines(
            load,
            {"position": position, "product_id": "p.id", "currency": CURRENCY.format(row="w")},
            " LEFT JOIN customers_product p ON p.sku = nullif(btrim(s.sku), '')",
        )
        load.execute(
            f"UPDATE {load.work} w SET has_lines = EXISTS (SELECT FROM {cls.lines()} l WHERE l.whole = w.line)"
            if load.rows == 1
            else f"UPDATE {load.work} w SET has_lines = w.line IN (SELECT whole FROM {cls.lines()})"
        )

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
        load.check(cls.line_columns(), [("sku", unknown, "w.sku")], source=cls.lines())
        cls.check_contradictions(load)
        for check in (cls.count_lines, cls.check_returned, cls.check_sums):
            cls.mark_bad(load)
            check(load)
        cls.mark_bad(load)

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
    def fresh(cls, load: Load) -> dict[str, str]:
        return {**super().fresh(load), **cls._computed(None), "id": "w.id", "currency": CURRENCY.format(row="w")}

    @classmethod
    def after(cls, load: Load) -> dict[str, str]:
        return {**super().after(load), **cls._computed("c")}

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
    def update_statement(cls, load: Load, after: Mapping[str, str]) -> str:
        return (
            f"WITH touched AS ({super().update_statement(load, after)} RETURNING c.id)"
            f" UPDATE {load.work} w SET is_touched = true FROM touched WHERE touched.id = w.id"
        )

    @classmethod
    def _write_lines(cls, load: Load) -> None:
        touched = f"UPDATE {load.work} w SET is_touched = true FROM touched WHERE touched.id = w.id AND NOT w.is_new"
        load.execute(
            "WITH touched AS (INSERT INTO customers_orderline AS t (order_id, position, product_id, quantity,"
            " unit_price_minor, discount_minor, total_minor, returned_quantity)"
            " SELECT w.id, l.position, l.product_id, l.number, l.price, l.off, l.number * l.price - l.off, 0"
            f" FROM {cls.lines()} l JOIN {load.work} w ON w.line = l.whole ORDER BY w.id, l.position"
            " ON CONFLICT (order_id, position) DO UPDATE SET product_id = EXCLUDED.product_id,"
            " quantity = EXCLUDED.quantity, unit_price_minor = EXCLUDED.unit_price_minor,"
            " discount_minor = EXCLUDED.discount_minor, total_minor = EXCLUDED.total_minor"
            " WHERE (t.product_id, t.quantity, t.unit_price_minor, t.discount_minor) IS DISTINCT FROM"
            " (EXCLUDED.product_id, EXCLUDED.quantity, EXCLUDED.unit_price_minor, EXCLUDED.discount_minor)"
            f" RETURNING t.order_id AS id) {touched}"
        )
        load.execute(
            "WITH touched AS (DELETE FROM customers_orderline t USING"
            f" (SELECT o.id, max(l.position) AS last FROM {cls.lines()} l JOIN {load.work} o ON o.line = l.whole"
            " WHERE NOT o.is_new GROUP BY o.id) AS kept WHERE t.order_id = kept.id AND t.position > kept.last"
            f" RETURNING t.order_id AS id) {touched}"
        )

    @classmethod
    def compared(cls, load: Load) -> dict[str, tuple[str, str]]:
        """The order's columns as people read them: whose it is by name of the shop, its lines as one text."""
        fresh, after = cls.fresh(load), cls.after(load)
        pairs = {name: (f"c.{name}", f"CASE WHEN w.is_new THEN {fresh[name]} ELSE {after[name]} END") for name in after}
        known = "(SELECT coalesce(p.reference, p.email, p.id::text) FROM customers_customer p WHERE p.id = {id})"
        now = f"coalesce({known.format(id='coalesce(w.owner_id, c.customer_id)')}, nullif(btrim(w.email), ''))"
        stored = (
            f"(SELECT {_listed('l.quantity', 'p.sku', 'l.unit_price_minor', 'l.discount_minor', 'c.currency')}"
            " FROM customers_orderline l JOIN customers_product p ON p.id = l.product_id WHERE l.order_id = c.id)"
        )
        said = (
            f"(SELECT {_listed('l.number', 'btrim(l.sku)', 'l.price', 'l.off', 'l.currency')}"
            f" FROM {cls.lines()} l WHERE l.whole = w.line)"
        )
        pairs["customer_id"] = (known.format(id="c.customer_id"), now)
        del pairs["base_minor"]
        pairs = {name.removesuffix("_id"): pair for name, pair in pairs.items()}
        return {**pairs, "lines": (stored, f"CASE WHEN w.has_lines THEN {said} ELSE {stored} END")}
