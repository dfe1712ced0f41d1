from pathlib import Path

from django.db import migrations

FUNCTIONS = (Path(__file__).parent / "checkout_v1.sql").read_text()


class Migration(migrations.Migration):
    """The hot path's read and write: everything a checkout decision needs, a redemption, and its roll-back."""

    dependencies = [
        ("incentives", "0004_uses_given_back"),
        ("customers", "0001_initial"),
        ("shop", "0001_initial"),
    ]

    operations = [
        migrations.RunSQL(
            FUNCTIONS,
            "DROP FUNCTION checkout_facts_v1, checkout_person_v1, redeem_v1, roll_back_v1",
        ),
    ]
