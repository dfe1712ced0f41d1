"""Consent in bulk: events are appended, and the state follows the newest of them, the stricter one on ties.

That she was asked changes no state: only her answer does.

A row without a time says what holds now. It is an event only where that is news, and never undoes a withdrawal: a
program that does not know when she agreed cannot know either that she has changed her mind since.
"""

from django.utils.translation import gettext_lazy as _

from retention.customers.addresses import address_hash_sql, hash_params
from retention.customers.ingests import owners
from retention.customers.models.people import Channel, Consent
from retention.registries import ingests
from retention.shop.models import Shop
from retention.work.ingest.append import AppendOnly
from retention.work.ingest.columns import Choice, Column, Instant
from retention.work.ingest.load import Counts, Load

#: A yes holds from when it was asked, if it was: then whatever she said since stands against it, told early or late.
_STATES = """
INSERT INTO customers_consentstate AS t (customer_id, channel, purpose, is_given, address, occurred_at, expires_at,
    asked_at)
SELECT DISTINCT ON (c.customer_id, c.channel, c.purpose)
    c.customer_id, c.channel, c.purpose, c.event = 'given', w.normal_address, c.occurred_at,
    CASE c.event WHEN 'given' THEN c.expires_at WHEN 'expired' THEN c.occurred_at END,
    nullif(w.asked_at, '')::timestamptz
FROM {work} w JOIN customers_consent c ON c.id = w.id
WHERE c.event <> 'asked'
ORDER BY c.customer_id, c.channel, c.purpose, c.occurred_at DESC, c.event = 'given'
ON CONFLICT (customer_id, channel, purpose) DO UPDATE
SET is_given = EXCLUDED.is_given, address = EXCLUDED.address, occurred_at = EXCLUDED.occurred_at,
    expires_at = EXCLUDED.expires_at, asked_at = EXCLUDED.asked_at, xid = pg_current_xact_id()
WHERE CASE
    WHEN EXCLUDED.is_given = t.is_given THEN EXCLUDED.occurred_at > t.occurred_at
    WHEN EXCLUDED.is_given THEN coalesce(EXCLUDED.asked_at, EXCLUDED.occurred_at) > t.occurred_at
    ELSE EXCLUDED.occurred_at >= coalesce(t.asked_at, t.occurred_at)
END
"""
#: Work rows that a mail could ask her to confirm.
_CAN_BE_ASKED = (
    "(lower(btrim(w.channel)) = 'email' AND coalesce(nullif(btrim(w.purpose), ''), 'marketing') <> 'transactional')"
)
#: SQL: the state `t` that work row `w` is about.
_SAME = (
    "t.customer_id = w.owner_id AND t.channel = lower(btrim(w.channel))"
    " AND t.purpose = coalesce(nullif(btrim(w.purpose), ''), 'marketing')"
)


@ingests.register
class Consents(AppendOnly):
    key = "consents"
    label = _("Consents")
    right = "customers.import_customer"
    table = "customers_consent"
    columns = (
        *owners.COLUMNS,
        Column("reference", is_null=True),
        Choice("channel", choices=tuple(Channel.values), required=True),
        Column("purpose", limit=60),
        Choice("event", choices=tuple(Consent.Event.values), required=True),
        Column("source", limit=60, required=True),
        Column("wording", limit=60),
        Column("proof", limit=5_000, is_multiline=True),
        Column("address", limit=254),
        Instant("occurred_at", is_past=True),
        Instant("expires_at"),
        Instant("asked_at"),
    )
    hidden = owners.HIDDEN | {"asked_at"}
    identity = ("reference",)
    is_there = "EXISTS (SELECT FROM customers_consent c WHERE c.reference = nullif(btrim(s.reference), ''))"
    extras = (("owner_id", "bigint"), ("normal_address", "text"))
    sentences = {
        **owners.SENTENCES,
        "no_customer": _("Whose is it? A customer's reference or email is needed."),
        "unknown_purpose": _("“%(value)s” is neither marketing, transactional nor a topic like topic:news."),
        "no_address": _("The customer has no address on this channel that consent could be given for."),
        "cannot_be_asked": _("She can be asked to confirm marketing and topics by email, and nothing else."),
        "ends_too_early": _("The consent would end before it begins."),
    }

    @classmethod
    def fill(cls, load: Load) -> None:
        joins, owner = owners.joins(load)
        staged = ", ".join(f"s.{name}" for column in cls.columns for name in column.staged)
        load.execute(
            f"INSERT INTO {load.work} SELECT s.line, s.item, {staged}, true, NULL, {owner}, NULL"
            f" FROM {load.staging} s{joins} WHERE NOT {cls.known(load)}"
        )

    @classmethod
    def prepare(cls, load: Load) -> None:
        load.params |= hash_params()
        load.execute(
            f"UPDATE {load.work} w SET normal_address = CASE lower(btrim(w.channel))"
            " WHEN 'email' THEN coalesce(nullif(lower(btrim(w.address)), ''), c.email_normal, '')"
            " WHEN 'sms' THEN coalesce(nullif(btrim(w.address), ''), c.phone, '')"
            " ELSE coalesce(btrim(w.address), '') END"
            " FROM customers_customer c WHERE c.id = w.owner_id"
        )
        if Shop.objects.get().has_double_opt_in:
            load.execute(
                f"UPDATE {load.work} w SET event = 'asked'"
                f" WHERE lower(btrim(w.event)) = 'given' AND coalesce(btrim(w.proof), '') = '' AND {_CAN_BE_ASKED}"
            )

    @classmethod
    def check(cls, load: Load) -> None:
        purpose = (
            "CASE WHEN coalesce(btrim(w.purpose), '') !~ '^(marketing|transactional|topic:[a-z0-9_-]{1,50}|)$'"
            " THEN 'unknown_purpose' END"
        )
        address = (
            "CASE WHEN lower(btrim(w.event)) IN ('asked', 'given') AND lower(btrim(w.channel)) IN ('email', 'sms')"
            " AND w.normal_address = '' THEN 'no_address' END"
        )
        event = f"CASE WHEN lower(btrim(w.event)) = 'asked' AND NOT {_CAN_BE_ASKED} THEN 'cannot_be_asked' END"
        more = [("purpose", purpose, "w.purpose"), ("address", address, "NULL"), ("event", event, "w.event")]
        load.check(cls.columns, [*more, *owners.checks(is_needed=True)])
        if "expires_at" in load.said:
            # Only of rows whose cells can be read.
            good = "NOT EXISTS (SELECT FROM ingest_errors e WHERE e.line = w.line) AND w.expires_at <> ''"
            early = "w.expires_at::timestamptz <= coalesce(nullif(btrim(w.occurred_at), '')::timestamptz, %(now)s)"
            load.refuse("expires_at", "ends_too_early", f"CASE WHEN {good} THEN {early} END", value="w.expires_at")

    @classmethod
    def write(cls, load: Load) -> Counts:
        cls._settle_timeless(load)
        load.execute(f"UPDATE {load.work} SET id = nextval(pg_get_serial_sequence('{cls.table}', 'id'))")
        hashed = address_hash_sql("w.normal_address")
        values = {
            "id": "w.id",
            "customer_id": "w.owner_id",
            "channel": "lower(btrim(w.channel))",
            "purpose": "coalesce(nullif(btrim(w.purpose), ''), 'marketing')",
            "event": "lower(btrim(w.event))",
            "address_hash": hashed,
            "source": "btrim(w.source)",
            "wording": "coalesce(btrim(w.wording), '')",
            "reference": "nullif(btrim(w.reference), '')",
            "occurred_at": "w.occurred_at::timestamptz",
            "expires_at": "CASE WHEN lower(btrim(w.event)) IN ('asked', 'given')"
            " THEN nullif(w.expires_at, '')::timestamptz END",
            "recorded_at": "%(now)s",
        }
        new = load.execute(
            f"INSERT INTO {cls.table} ({', '.join(values)}) SELECT {', '.join(values.values())} FROM {load.work} w"
            " ORDER BY nullif(btrim(w.reference), ''), w.line ON CONFLICT (reference) DO NOTHING"
        )
        load.execute(
            "INSERT INTO customers_consentproof (consent_id, text) SELECT w.id, w.proof"
            f" FROM {load.work} w JOIN {cls.table} c ON c.id = w.id WHERE w.proof <> ''"
        )
        load.execute(_STATES.format(work=load.work))
        return Counts(new=new)

    @classmethod
    def _settle_timeless(cls, load: Load) -> None:
        """Drop what is no news, and date the rest."""
        timeless = "coalesce(btrim(w.occurred_at), '') = ''"
        load.execute(
            f"DELETE FROM {load.work} w WHERE {timeless} AND CASE lower(btrim(w.event))"
            f" WHEN 'given' THEN EXISTS (SELECT FROM customers_consentstate t WHERE {_SAME}"
            " AND (NOT t.is_given OR t.address = w.normal_address))"
            # Whoever was asked once is not asked again by every file.
            f" WHEN 'asked' THEN EXISTS (SELECT FROM customers_consent t WHERE {_SAME})"
            f" ELSE NOT EXISTS (SELECT FROM customers_consentstate t WHERE {_SAME} AND t.is_given) END"
        )
        load.execute(f"UPDATE {load.work} w SET occurred_at = %(now)s::timestamptz::text WHERE {timeless}")
