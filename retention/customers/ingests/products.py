"""Products and their stock in bulk; a price that changes becomes a row of the price history."""

from django.utils.translation import gettext_lazy as _

from retention.registries import ingests
from retention.work.ingest.columns import Column, Currency, Day, Flag, Instant, Money, Whole, Words
from retention.work.ingest.kinds import Kind
from retention.work.ingest.load import Counts, Load

_CURRENCY = "coalesce(nullif(upper(btrim({row}.currency)), ''), {row}.old_currency, %(base_currency)s)"


class _Price(Money):
    """An amount of a product, in the currency that the row or the product has."""

    def differs(self, row: str, current: str) -> str:
        # Staged rows have no `old_currency`: the stored row is at hand instead.
        return super().differs(row, current).replace(f"{row}.old_currency", f"{current}.currency")


class _CurrencyOfAll(Currency):
    """The shop's base currency where a new product says none."""

    def differs(self, row: str, current: str) -> str:
        return super().differs(row, current).replace(f"{row}.old_currency", f"{current}.currency")

    def values(self, row: str) -> dict[str, str]:
        return {"currency": _CURRENCY.format(row=row)}

    def blanks(self) -> dict[str, str]:
        return {"currency": "%(base_currency)s"}


@ingests.register
class Products(Kind):
    key = "products"
    label = _("Products")
    right = "customers.import_product"
    table = "customers_product"
    columns = (
        Column("sku", required=True),
        Column("name", limit=200, required=True),
        Column("category", limit=200),
        _CurrencyOfAll("currency"),
        _Price("price", currency=_CURRENCY, required=True),
        _Price("minimum_price", currency=_CURRENCY, blank="0"),
        _Price("unit_cost", currency=_CURRENCY),
        _Price("compare_at", currency=_CURRENCY),
        Flag("is_low_margin"),
        Words("tags"),
        Day("season_from"),
        Day("season_until"),
        Day("launched_on"),
        Whole("replenish_days", low=1, high=3_650),
        Column("url", limit=500),
        Column("how_to_url", limit=500),
        Column("image_url", limit=500),
        Instant("archived_at"),
    )
    identity = ("sku",)
    match = "c.sku = btrim(s.sku)"
    order_by = naming = "btrim(w.sku)"
    extras = (("old_currency", "text"),)
    sentences = {
        "minimum_above_price": _("The minimum price is above the price."),
        "season_is_empty": _("The season ends before it begins."),
        "not_a_link": _("“%(value)s” is not a link that begins with https:// or http://."),
    }

    @classmethod
    def extra_values(cls, load: Load) -> str:
        return ", c.currency"

    @classmethod
    def check(cls, load: Load) -> None:
        links = [
            (name, rf"CASE WHEN w.{name} <> '' AND w.{name} !~ '^https?://[^\s]+$' THEN 'not_a_link' END", f"w.{name}")
            for name in ("url", "how_to_url", "image_url")
            if name in load.said
        ]
        load.check(cls.columns, links)
        cls._check_pairs(load)

    @classmethod
    def _check_pairs(cls, load: Load) -> None:
        """What two columns say together, of the rows whose cells are good."""
        good = "NOT EXISTS (SELECT FROM ingest_errors e WHERE e.line = w.line)"
        columns = {column.name: column for column in cls.columns}

        def after(name: str, stored: str) -> str:
            column = columns[name]
            value = next(iter(column.values("w").values()))
            kept = f"SELECT c.{stored} FROM {cls.table} c WHERE c.id = w.id"
            return f"CASE WHEN {column.said('w')} THEN {value} ELSE ({kept}) END"

        if load.said & {"minimum_price", "minimum_price_minor", "price", "price_minor"}:
            above = f"({after('minimum_price', 'minimum_price_minor')}) > ({after('price', 'price_minor')})"
            shown = columns["minimum_price"].shown("w")
            load.refuse(shown, "minimum_above_price", f"CASE WHEN {good} THEN {above} END")
        if load.said & {"season_from", "season_until"}:
            empty = f"({after('season_from', 'season_from')}) >= ({after('season_until', 'season_until')})"
            load.refuse("season_until", "season_is_empty", f"CASE WHEN {good} THEN {empty} END")

    @classmethod
    def write(cls, load: Load) -> Counts:
        counts = super().write(load)
        # One row of history for each product whose newest price is not the one it has now.
        load.execute(
            "INSERT INTO customers_price AS h (product_id, price_minor, compare_at_minor, starts_at)"
            " SELECT p.id, p.price_minor, p.compare_at_minor, %(now)s"
            f" FROM customers_product p JOIN {load.work} w ON p.sku = btrim(w.sku)"
            " LEFT JOIN LATERAL (SELECT l.price_minor, l.compare_at_minor FROM customers_price l"
            " WHERE l.product_id = p.id ORDER BY l.starts_at DESC LIMIT 1) AS newest ON true"
            " WHERE (newest.price_minor, newest.compare_at_minor) IS DISTINCT FROM (p.price_minor, p.compare_at_minor)"
            " ORDER BY p.id ON CONFLICT (product_id, starts_at) DO UPDATE"
            " SET price_minor = EXCLUDED.price_minor, compare_at_minor = EXCLUDED.compare_at_minor,"
            " xid = pg_current_xact_id()"
        )
        return counts


@ingests.register
class Stocks(Kind):
    key = "stock"
    label = _("Stock")
    right = "customers.import_product"
    table = "customers_stock"
    columns = (
        Column("sku", required=True, target="-"),
        Column("place", limit=60, required=True),
        Whole("quantity", required=True, low=-1_000_000_000, high=2_000_000_000),
    )
    identity = ("sku", "place")
    match = "c.product_id = p.id AND c.place = btrim(s.place)"
    order_by = "w.product_id, btrim(w.place)"
    naming = "btrim(w.sku)"
    extras = (("product_id", "bigint"),)
    once = {"product_id": "w.product_id"}
    sentences = {"unknown_product": _("There is no product “%(value)s”.")}

    @classmethod
    def fill(cls, load: Load) -> None:
        quantity = next(column for column in cls.columns if column.name == "quantity")
        load.execute(
            f"INSERT INTO {load.work} SELECT s.line, s.item, s.sku, s.place, s.quantity, c.id IS NULL, c.id, p.id"
            f" FROM {load.staging} s LEFT JOIN customers_product p ON p.sku = btrim(s.sku)"
            f" LEFT JOIN {cls.table} c ON {cls.match} WHERE c.id IS NULL OR {quantity.differs('s', 'c')}"
        )

    @classmethod
    def check(cls, load: Load) -> None:
        unknown = "CASE WHEN w.sku <> '' AND w.product_id IS NULL THEN 'unknown_product' END"
        load.check(cls.columns, [("sku", unknown, "w.sku")])

    @classmethod
    def find_again(cls, load: Load) -> None:
        load.execute(
            f"UPDATE {load.work} w SET id = c.id, is_new = false FROM {cls.table} c WHERE w.is_new"
            " AND c.product_id = w.product_id AND c.place = btrim(w.place) AND c.xid <> pg_current_xact_id()"
        )
