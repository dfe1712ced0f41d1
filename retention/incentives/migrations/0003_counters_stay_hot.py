from django.db import migrations


class Migration(migrations.Migration):
    """Counters are updated all day: room on their pages lets PostgreSQL do it in place."""

    dependencies = [("incentives", "0002_codes_in_batches")]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE incentives_counter SET (fillfactor = 50)",
            "ALTER TABLE incentives_counter RESET (fillfactor)",
        ),
    ]
