"""Addresses that are not to be written to, in bulk: what another mailing program learned before us."""

from django.utils.translation import gettext_lazy as _

from retention.customers.addresses import address_hash_sql, hash_params
from retention.messaging.models import Suppression
from retention.registries import ingests
from retention.work.ingest.append import AppendOnly
from retention.work.ingest.columns import Choice, Email, Flag
from retention.work.ingest.kinds import repeated
from retention.work.ingest.load import Counts, Difference, Load

#: SQL: an email as it is hashed.
_NORMAL = "lower(btrim({name}))"
_HASH = address_hash_sql(_NORMAL.format(name="{row}.email"))


@ingests.register
class Suppressions(AppendOnly):
    """A row is `email` and perhaps `why` and `marketing_only`. Of each address only its keyed hash is kept.

    Whoever unsubscribed still gets mail about her orders, unless the row says otherwise. What is suppressed already
    stays as it is, but for becoming stricter.
    """

    key = "suppressions"
    label = _("Suppressions")
    right = "messaging.add_suppression"
    table = "messaging_suppression"
    columns = (
        Email("email", required=True, target="-"),
        Choice("why", choices=tuple(why for why in Suppression.Why.values if why != Suppression.Why.ERASED)),
        Flag("marketing_only"),
    )
    identity = ("email",)
    named_by = "email"
    is_there = (
        "EXISTS (SELECT FROM messaging_suppression c WHERE c.channel = 'email' AND c.address_hash = "
        + _HASH.format(row="s")
        + ")"
    )
    extras = (("address_hash", "bytea"),)

    @classmethod
    def find_repeated(cls, load: Load) -> None:
        repeated(load, ("email",), _NORMAL)

    @classmethod
    def fill(cls, load: Load) -> None:
        load.params |= hash_params()
        load.execute(
            f"INSERT INTO {load.work} SELECT s.line, s.item, s.email, s.why, s.marketing_only, true, NULL,"
            f" {_HASH.format(row='s')} FROM {load.staging} s"
        )

    @classmethod
    def differences(cls, load: Load, limit: int) -> list[Difference]:
        load.params |= hash_params()
        return super().differences(load, limit)

    @classmethod
    def write(cls, load: Load) -> Counts:
        why = "coalesce(nullif(lower(btrim(w.why)), ''), 'by hand')"
        said = "nullif(btrim(w.marketing_only), '')"
        values = {
            "channel": "'email'",
            "address_hash": "w.address_hash",
            "why": why,
            "marketing_only": f"coalesce(lower({said}) IN ('true', 'yes', '1'), {why} = 'unsubscribed')",
            "since": "%(now)s",
        }
        stricter = "WHERE t.marketing_only AND NOT EXCLUDED.marketing_only"
        rows = load.fetch(
            f"INSERT INTO {cls.table} AS t ({', '.join(values)}) SELECT {', '.join(values.values())} FROM {load.work} w"
            " ORDER BY w.address_hash ON CONFLICT (channel, address_hash)"
            " DO UPDATE SET marketing_only = false, why = EXCLUDED.why, since = EXCLUDED.since"
            f" {stricter} RETURNING old.id IS NULL"
        )
        new = sum(is_new for (is_new,) in rows)
        return Counts(new=new, changed=len(rows) - new)
