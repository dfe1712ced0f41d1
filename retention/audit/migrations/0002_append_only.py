"""What was done and what ran is never rewritten."""

from django.db import migrations

from retention.constraints import append_only


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_initial")]
    operations = [append_only("audit_auditentry"), append_only("audit_version")]
