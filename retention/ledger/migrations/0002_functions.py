"""What keeps the books true: functions through which all value moves, and entries that nobody can change."""

from pathlib import Path

from django.db import migrations

from retention.constraints import append_only

FUNCTIONS = (Path(__file__).parent / "ledger.sql").read_text()


class Migration(migrations.Migration):
    dependencies = [("ledger", "0001_initial"), ("customers", "0001_initial")]

    operations = [
        append_only("ledger_entry"),
        append_only("ledger_draw"),
        migrations.RunSQL(
            FUNCTIONS,
            """
            DROP FUNCTION ledger_merge_v1, ledger_expire_v1, ledger_give_back_v1, ledger_transfer_v1, ledger_issue_v1,
                ledger_accounts_v1, ledger_draw_v1, ledger_count_v1, ledger_credit_v1, ledger_hold_v1, ledger_release_run_out_v1, ledger_release_v1,
                ledger_available_v1;
            DROP TYPE ledger_wish_v1;
            ALTER TABLE ledger_entry DROP CONSTRAINT entry_giver_in_unit, DROP CONSTRAINT entry_taker_in_unit;
            ALTER TABLE ledger_account RESET (fillfactor);
            ALTER TABLE ledger_lot RESET (fillfactor);
            ALTER TABLE ledger_cell RESET (fillfactor);
            """,
        ),
    ]
