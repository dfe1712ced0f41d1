"""What the amounts of an order must add up to: its lines, its total, the day's rate, and what came back of it."""

from retention.customers.ingests.lines import WithLines
from retention.work.ingest.columns import Column, major, scale
from retention.work.ingest.load import Load

#: SQL: the currency of the order in a row of the work.
CURRENCY = "coalesce(nullif(upper(btrim({row}.currency)), ''), {row}.old_currency)"


class OrderSums(WithLines):
    """Fills `number`, `price` and `off` of the lines and `line_sum`, `now_total` and `rate` of the orders."""

    @classmethod
    def count_lines(cls, load: Load) -> None:
        """Amounts of the lines whose cells are good, and their sum."""
        lines, columns = cls.lines(), {column.name: column for column in cls.line_columns()}
        load.execute(
            f"UPDATE {lines} l SET number = {columns['quantity'].value('l')},"
            f" price = {columns['unit_price'].value('l')},"
            f" off = coalesce({columns['line_discount'].value('l')}, 0)"
            f" FROM {load.work} w WHERE w.line = l.whole AND NOT w.is_bad"
        )
        off = columns["line_discount"].shown("w")
        load.refuse(off, "discount_above_price", "w.off > w.number * w.price", source=lines)
        load.execute(
            f"UPDATE {load.work} w SET line_sum = t.sum FROM"
            f" (SELECT whole, sum(number * price - off)::bigint AS sum FROM {lines} GROUP BY 1) AS t"
            " WHERE t.whole = w.line AND NOT w.is_bad"
        )
        load.execute(
            f"UPDATE {load.work} w SET line_sum = t.sum FROM (SELECT order_id, sum(total_minor)::bigint AS sum"
            f" FROM customers_orderline WHERE order_id IN (SELECT id FROM {load.work} WHERE NOT has_lines)"
            " GROUP BY 1) AS t WHERE t.order_id = w.id AND NOT w.has_lines AND NOT w.is_bad"
        )

    @classmethod
    def check_returned(cls, load: Load) -> None:
        """No line may become less than what came back of it."""
        load.refuse(
            "quantity",
            "fewer_than_returned",
            f"EXISTS (SELECT FROM {load.work} o JOIN customers_orderline t ON t.order_id = o.id"
            " WHERE o.line = w.whole AND NOT o.is_new AND t.position = w.position AND t.returned_quantity > 0"
            " AND (t.product_id <> w.product_id OR t.returned_quantity > w.number))",
            value="w.quantity",
            source=cls.lines(),
        )
        load.refuse(
            "lines",
            "fewer_than_returned",
            "NOT w.is_new AND w.has_lines AND EXISTS (SELECT FROM customers_orderline t WHERE t.order_id = w.id"
            " AND t.returned_quantity > 0 AND t.position >"
            f" (SELECT max(l.position) FROM {cls.lines()} l WHERE l.whole = w.line))",
        )

    @classmethod
    def check_sums(cls, load: Load) -> None:
        """lines − discount + shipping = total, and the day has a rate."""
        columns = {column.name: column for column in cls.own_columns()}
        currency, total = CURRENCY.format(row="w"), columns["total"].value("w")
        discount, shipping = (_kept(columns[name]) for name in ("discount", "shipping"))
        load.execute(
            f"UPDATE {load.work} t SET now_total = n.total, rate = n.rate FROM (SELECT w.line,"
            f" w.line_sum - {discount} + {shipping} AS total,"
            f" CASE WHEN {currency} = %(base_currency)s THEN 1 ELSE (SELECT x.rate"
            f" * ({scale('%(base_currency)s')}) / ({scale(currency)}) FROM shop_exchangerate x"
            f" WHERE x.currency = {currency} AND x.\"on\" <= coalesce(nullif(w.placed_at, '')::timestamptz,"
            ' c.placed_at)::date ORDER BY x."on" DESC LIMIT 1) END AS rate'
            f" FROM {load.work} w LEFT JOIN {cls.table} c ON c.id = w.id WHERE NOT w.is_bad) AS n WHERE n.line = t.line"
        )
        load.refuse("currency", "no_exchange_rate", "NOT w.is_bad AND w.rate IS NULL", value=currency)
        load.refuse(columns["discount"].shown("w"), "discount_above_lines", "NOT w.is_bad AND w.now_total < 0")
        load.refuse(
            columns["total"].shown("w"),
            "total_does_not_add_up",
            f"NOT w.is_bad AND w.now_total >= 0 AND coalesce(w.total, '') || coalesce(w.total_minor, '') <> ''"
            f" AND {total} <> w.now_total",
            value="'Lines, less discount, plus shipping come to ' ||"
            f" {major('w.now_total', currency)} || ', but the total says ' || {major(f'({total})', currency)} || '.'",
        )


def _kept(column: Column) -> str:
    """SQL: the amount that an order will have, said now or before."""
    return (
        f"CASE WHEN {column.said('w')} THEN coalesce({column.value('w')}, 0)"
        f" ELSE coalesce(c.{column.name}_minor, 0) END"
    )
