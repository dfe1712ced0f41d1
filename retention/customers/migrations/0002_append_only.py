"""What was said about consent is never rewritten."""

from django.db import migrations

from retention.constraints import append_only


class Migration(migrations.Migration):
    dependencies = [("customers", "0001_initial")]
    operations = [append_only("customers_consent")]
