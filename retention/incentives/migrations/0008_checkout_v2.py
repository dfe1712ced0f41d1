from pathlib import Path

from django.db import migrations

FUNCTION = (Path(__file__).parent / "checkout_v2.sql").read_text()


class Migration(migrations.Migration):
    """Counters are read one by one; version 1 stays for the servers that still run the code before this."""

    dependencies = [("incentives", "0007_checkout_by_index")]

    operations = [migrations.RunSQL(FUNCTION, "DROP FUNCTION checkout_facts_v2")]
