"""Guests: customers known by nothing but the email of an order; a later sign-up with it adopts them."""

from retention.customers.ingests.customers import LOCK
from retention.work.ingest.load import Load

_BLANKS = (
    "given_name, family_name, address, postcode, city, region, language, time_zone, preferred_channel, source,"
    " acquisition_currency"
)


def make(load: Load) -> int:
    """Give every good work row that has an email and no customer its guest, as `owner_id`; how many are new."""
    homeless = "w.owner_id IS NULL AND NOT w.is_bad AND w.email <> '' AND coalesce(btrim(w.customer), '') = ''"
    if not load.fetch(f"SELECT 1 FROM {load.work} w WHERE {homeless} LIMIT 1"):
        return 0
    if load.rows > 1:
        load.execute(LOCK)
    blanks = ", ".join("''" for _name in _BLANKS.split(","))
    new = load.execute(
        f"INSERT INTO customers_customer (email, country, {_BLANKS}, interests, attributes, recorded_at)"
        f" SELECT DISTINCT ON (lower(btrim(w.email))) btrim(w.email), coalesce(upper(btrim(w.country)), ''), {blanks},"
        f" '{{}}', '{{}}', %(now)s FROM {load.work} w WHERE {homeless} ORDER BY lower(btrim(w.email)), w.line"
        " ON CONFLICT DO NOTHING"
    )
    load.execute(
        f"UPDATE {load.work} w SET owner_id = m.id FROM customers_customer m WHERE {homeless}"
        " AND m.email_normal = lower(btrim(w.email)) AND m.merged_into_id IS NULL"
    )
    return new
