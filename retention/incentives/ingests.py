"""Codes made elsewhere, in bulk: each becomes a code of the incentive that its row names."""

from django.utils.translation import gettext_lazy as _

from retention.registries import ingests
from retention.work.ingest.append import AppendOnly
from retention.work.ingest.columns import Column, Instant
from retention.work.ingest.kinds import repeated
from retention.work.ingest.load import Counts, Load

#: SQL: a code in normal form, as `codes.normal` has it.
_NORMAL = r"upper(regexp_replace({name}, '[\s\u2010-\u2015-]+', '', 'g'))"


@ingests.register
class Codes(AppendOnly):
    """A row is `code, incentive` (its name or id) and perhaps `starts_at, expires_at`.

    Codes of an incentive that gives from a pool wait there; others work at once. A code that is there already is left
    as it is, and refused where it is another incentive's.
    """

    key = "codes"
    label = _("Codes")
    right = "incentives.import_code"
    table = "incentives_code"
    columns = (
        Column("code", limit=60, required=True),
        Column("incentive", limit=120, required=True, target="-"),
        Instant("starts_at"),
        Instant("expires_at"),
    )
    identity = ("code",)
    match = f"c.code = {_NORMAL.format(name='s.code')}"
    is_there = f"EXISTS (SELECT FROM incentives_code c WHERE {match})"
    named_by = "code"
    extras = (
        ("incentive_id", "bigint"),
        ("version_id", "bigint"),
        ("incentives", "bigint"),
        ("state", "text"),
        ("code_kind", "text"),
        ("is_from_pool", "boolean"),
        ("owner_id", "bigint"),
    )
    sentences = {
        "unknown_incentive": _("There is no incentive “%(value)s”."),
        "ambiguous_incentive": _("More than one incentive is called “%(value)s”; give its id."),
        "incentive_is_draft": _("“%(value)s” is a draft; it must be live to have codes."),
        "incentive_is_public": _("“%(value)s” has one public code and takes no others."),
        "not_a_code": _("“%(value)s” is not a code of 3 to 60 letters A–Z, digits and underscores."),
        "code_taken": _("“%(value)s” is a code of another incentive."),
        "ends_before_it_starts": _("The code ends before it begins."),
    }

    @classmethod
    def find_repeated(cls, load: Load) -> None:
        repeated(load, ("code",), _NORMAL)

    @classmethod
    def fill(cls, load: Load) -> None:
        load.execute(
            f"INSERT INTO {load.work} SELECT s.line, s.item, {_NORMAL.format(name='s.code')}, s.incentive,"
            " s.starts_at, s.expires_at, c.id IS NULL, c.id, i.id, i.version_id, named.count, i.state, i.code_kind,"
            " (version.data #>> '{codes,is_from_pool}')::boolean, c.incentive_id"
            f" FROM {load.staging} s"
            " CROSS JOIN LATERAL (SELECT min(id) AS id, count(*) AS count FROM incentives_incentive"
            " WHERE archived_at IS NULL"
            " AND (name = btrim(s.incentive) OR public_id::text = lower(btrim(s.incentive)))) AS named"
            " LEFT JOIN incentives_incentive i ON i.id = named.id"
            " LEFT JOIN audit_version version ON version.id = i.version_id"
            f" LEFT JOIN {cls.table} c ON {cls.match}"
        )

    @classmethod
    def check(cls, load: Load) -> None:
        named = (
            "CASE WHEN coalesce(btrim(w.incentive), '') = '' THEN NULL"
            " WHEN w.incentives = 0 THEN 'unknown_incentive' WHEN w.incentives > 1 THEN 'ambiguous_incentive'"
            " WHEN w.code_kind = 'public' THEN 'incentive_is_public'"
            " WHEN w.state = 'draft' THEN 'incentive_is_draft' END"
        )
        normal = (
            "CASE WHEN w.code = '' THEN NULL WHEN w.code !~ '^[A-Z0-9_]{3,60}$' THEN 'not_a_code'"
            " WHEN w.owner_id <> w.incentive_id THEN 'code_taken' END"
        )
        load.check(cls.columns, [("incentive", named, "w.incentive"), ("code", normal, "w.code")])
        starts, ends = (cls._instant(load, name) for name in ("starts_at", "expires_at"))
        good = "NOT EXISTS (SELECT FROM ingest_errors e WHERE e.line = w.line)"
        load.refuse("expires_at", "ends_before_it_starts", f"CASE WHEN {good} THEN {starts} >= {ends} END")

    @classmethod
    def write(cls, load: Load) -> Counts:
        load.execute(
            "INSERT INTO incentives_codebatch"
            " (incentive_id, version_id, source, purpose, wanted, made, state, by_id, created_at, ended_at)"
            " SELECT w.incentive_id, w.version_id, 'import:' || uuidv7(),"
            " CASE WHEN w.is_from_pool THEN 'pool' ELSE 'handout' END,"
            " count(*), count(*), 'done', %(by_id)s, %(now)s, %(now)s"
            f" FROM {load.work} w WHERE w.is_new GROUP BY w.incentive_id, w.version_id, w.is_from_pool",
            by_id=load.by.staff_id,
        )
        return Counts(new=cls._insert(load))

    @classmethod
    def _insert(cls, load: Load) -> int:
        starts, ends = (cls._instant(load, name) for name in ("starts_at", "expires_at"))
        given = "CASE WHEN w.is_from_pool THEN NULL ELSE %(now)s::timestamptz END"
        return load.execute(
            f"INSERT INTO {cls.table}"
            " (code, incentive_id, version_id, batch_id, is_public, state, starts_at, expires_at, given_at)"
            " SELECT w.code, w.incentive_id, w.version_id, batch.id, false,"
            " CASE WHEN w.is_from_pool THEN 'free' ELSE 'given' END,"
            f" coalesce({starts}, (version.data #>> '{{validity,starts_at}}')::timestamptz),"
            f" least({ends}, (version.data #>> '{{validity,ends_at}}')::timestamptz, {given}"
            " + (version.data #>> '{validity,hours_after_given}')::bigint * interval '1 hour'),"
            f" {given} FROM {load.work} w"
            " JOIN audit_version version ON version.id = w.version_id"
            " JOIN LATERAL (SELECT max(b.id) AS id FROM incentives_codebatch b"
            " WHERE b.incentive_id = w.incentive_id) AS batch ON true"
            " WHERE w.is_new ORDER BY w.code ON CONFLICT (code) DO NOTHING"
        )

    @classmethod
    def _instant(cls, load: Load, name: str) -> str:
        column = next(column for column in cls.columns if column.name == name)
        return f"({column.value('w')})" if name in load.said else "NULL::timestamptz"
