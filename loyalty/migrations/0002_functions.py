"""The functions by which members earn."""

from pathlib import Path

from django.db import migrations

FUNCTIONS = (Path(__file__).parent / "earning.sql").read_text()


class Migration(migrations.Migration):
    dependencies = [("loyalty", "0001_initial")]

    operations = [migrations.RunSQL(FUNCTIONS, "DROP FUNCTION loyalty_lock_v1, loyalty_earn_v1")]
