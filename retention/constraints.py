"""Rules that Django's constraints cannot say, as migration operations: append-only tables."""

from django.db import migrations

_FUNCTION = """
CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- A test database empties its tables between tests; no other ever sets this.
    IF TG_OP = 'TRUNCATE' AND current_setting('retention.may_truncate', true) = 'on' THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';
END $$
"""


def append_only(table: str) -> migrations.RunSQL:
    """The database refuses UPDATE, DELETE and TRUNCATE of this table, whoever asks."""
    return migrations.RunSQL(
        sql=[
            _FUNCTION,
            f"CREATE TRIGGER {table}_rows BEFORE UPDATE OR DELETE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION refuse_change()",
            f"CREATE TRIGGER {table}_whole BEFORE TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
        ],
        reverse_sql=[f"DROP TRIGGER {table}_rows ON {table}", f"DROP TRIGGER {table}_whole ON {table}"],
    )
