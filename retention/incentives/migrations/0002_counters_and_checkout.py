"""What makes redemptions and grants fast and exact: counters with room on their pages, and their functions."""

from pathlib import Path

from django.db import migrations

FUNCTIONS = (Path(__file__).parent / "checkout.sql").read_text()
GRANTS = (Path(__file__).parent / "grants.sql").read_text()


class Migration(migrations.Migration):
    dependencies = [("incentives", "0001_initial"), ("customers", "0001_initial"), ("shop", "0001_initial")]

    operations = [
        # Counters are updated all day: room on their pages lets PostgreSQL do it in place.
        migrations.RunSQL(
            "ALTER TABLE incentives_counter SET (fillfactor = 50)",
            "ALTER TABLE incentives_counter RESET (fillfactor)",
        ),
        migrations.RunSQL(
            FUNCTIONS,
            "DROP FUNCTION checkout_facts_v2, rolling_used_v1, count_v1, count_with_leases_v1, count_back_v1, redeem_v2, redeem_held_v1, lease_v1,"
            " lease_all_v1",
        ),
        migrations.RunSQL(GRANTS, "DROP FUNCTION grant_value_v1"),
    ]
