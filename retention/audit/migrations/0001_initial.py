import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="AuditEntry",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField()),
                (
                    "actor",
                    models.CharField(
                        help_text="Who, in a form that outlives the account: staff:5, key:shop, job:birthdays.",
                        max_length=80,
                    ),
                ),
                ("verb", models.CharField(help_text="The operation, such as `incentives.stop`.", max_length=60)),
                ("subject", models.CharField(blank=True, max_length=40)),
                ("subject_id", models.BigIntegerField(null=True)),
                (
                    "customer_id",
                    models.BigIntegerField(help_text="By number alone, so that the row outlives erasure.", null=True),
                ),
                ("before", models.JSONField(null=True)),
                ("after", models.JSONField(null=True)),
                (
                    "by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "audit entries",
                "ordering": ["-id"],
                "indexes": [
                    models.Index(fields=["subject", "subject_id", "-id"], name="audit_by_subject"),
                    models.Index(
                        fields=["verb", "-id"], name="audit_by_verb", opclasses=["varchar_pattern_ops", "int8_ops"]
                    ),
                    models.Index(
                        condition=models.Q(("customer_id__isnull", False)),
                        fields=["customer_id", "-id"],
                        name="audit_by_customer",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Version",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "subject",
                    models.CharField(
                        help_text="What it is a version of, such as `incentives.incentive`.", max_length=40
                    ),
                ),
                ("subject_id", models.BigIntegerField()),
                ("number", models.PositiveIntegerField()),
                ("data", models.JSONField()),
                ("why", models.CharField(blank=True, max_length=300)),
                ("saved_at", models.DateTimeField()),
                (
                    "by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["subject", "subject_id", "-number"],
                "constraints": [
                    models.UniqueConstraint(fields=("subject", "subject_id", "number"), name="one_version_a_number")
                ],
            },
        ),
    ]
