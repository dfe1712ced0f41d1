"""What orders and returns share: one reference, named by one row with a list or by several rows."""

from retention.work.ingest.kinds import Load


def named(load: Load) -> tuple[int, int]:
    """(How many references the rows name, how many of them are refused); a row without one counts by itself."""
    return load.fetch(
        "WITH bad AS (SELECT DISTINCT line FROM ingest_errors), rows AS (SELECT"
        " coalesce(nullif(btrim(s.reference), ''), 'line ' || line) AS name, b.line IS NOT NULL AS is_bad"
        f" FROM {load.staging} s FULL JOIN bad b USING (line))"
        " SELECT count(DISTINCT name), count(DISTINCT name) FILTER (WHERE is_bad) FROM rows"
    )[0]


def nameless(load: Load) -> None:
    """Refuse rows without a reference, once each, however many items they have."""
    load.execute(
        "INSERT INTO ingest_errors SELECT DISTINCT s.line, NULL::integer, 'reference', 'required', NULL"
        f" FROM {load.staging} s WHERE coalesce(btrim(s.reference), '') = ''"
    )
