import django.contrib.postgres.fields
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
            name="Heartbeat",
            fields=[
                ("name", models.CharField(max_length=60, primary_key=True, serialize=False)),
                ("at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="Job",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(max_length=60, unique=True)),
                ("is_enabled", models.BooleanField(default=True, verbose_name="enabled")),
                (
                    "at",
                    models.TimeField(
                        blank=True, help_text="Hour in the shop's zone; empty: at every tick, each minute.", null=True
                    ),
                ),
                ("heartbeat_at", models.DateTimeField(editable=False, null=True)),
            ],
            options={
                "ordering": ["key"],
            },
        ),
        migrations.CreateModel(
            name="Watermark",
            fields=[
                ("key", models.CharField(max_length=100, primary_key=True, serialize=False)),
                ("at", models.DateTimeField(null=True)),
                ("mark", models.BigIntegerField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="Alert",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(max_length=60)),
                ("subject", models.CharField(blank=True, max_length=100)),
                (
                    "level",
                    models.CharField(
                        choices=[("note", "Note"), ("warning", "Warning"), ("urgent", "Urgent")],
                        default="warning",
                        max_length=10,
                    ),
                ),
                ("text", models.CharField(max_length=300)),
                ("url", models.CharField(blank=True, max_length=200)),
                ("raised_at", models.DateTimeField()),
                ("resolved_at", models.DateTimeField(null=True)),
            ],
            options={
                "ordering": ["-raised_at"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("resolved_at", None)), fields=("kind", "subject"), name="one_open_alert"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ColumnMap",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "name",
                    models.CharField(
                        help_text="Where the files come from, such as “ERP export”.", max_length=80, unique=True
                    ),
                ),
                ("kind", models.CharField(max_length=40)),
                (
                    "headers",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=120),
                        help_text="Columns of its files, sorted.",
                        size=None,
                    ),
                ),
                (
                    "layout",
                    models.JSONField(help_text="columns, constants, words, dates, has_decimal_comma."),
                ),
                ("saved_at", models.DateTimeField()),
                ("archived_at", models.DateTimeField(blank=True, null=True)),
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
                "verbose_name": "source",
                "ordering": ["name"],
            },
        ),
        migrations.CreateModel(
            name="Import",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(max_length=40)),
                (
                    "source",
                    models.CharField(blank=True, help_text="What its columns were read by.", max_length=80),
                ),
                (
                    "layout",
                    models.JSONField(
                        default=dict, help_text="The columns as they were chosen then; empty: they are ours."
                    ),
                ),
                ("file", models.FileField(upload_to="imports/%Y/%m/")),
                ("file_name", models.CharField(max_length=200)),
                ("good_only", models.BooleanField(default=False, verbose_name="import the good rows, return the rest")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("prepared", "being prepared"),
                            ("waiting", "Waiting"),
                            ("running", "Running"),
                            ("done", "Done"),
                            ("failed", "Failed"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="waiting",
                        max_length=10,
                    ),
                ),
                ("is_cancelling", models.BooleanField(default=False)),
                ("lease_until", models.DateTimeField(null=True)),
                ("bytes_total", models.BigIntegerField(default=0)),
                ("bytes_done", models.BigIntegerField(default=0)),
                ("rows_done", models.BigIntegerField(default=0)),
                ("figures", models.JSONField(default=dict, help_text="new, changed, unchanged, refused.")),
                ("errors", models.FileField(blank=True, upload_to="imports/%Y/%m/")),
                ("error", models.TextField(blank=True)),
                ("created_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
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
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="JobRun",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("due_at", models.DateTimeField(help_text="The instant it was due; a run missed is caught up once.")),
                (
                    "lane",
                    models.PositiveSmallIntegerField(default=0, help_text="Jobs of several lanes run side by side."),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "waiting for a worker"),
                            ("running", "Running"),
                            ("done", "Done"),
                            ("failed", "Failed"),
                        ],
                        default="waiting",
                        max_length=10,
                    ),
                ),
                (
                    "attempts",
                    models.PositiveSmallIntegerField(
                        default=0, help_text="Also tells a run from one that took it over."
                    ),
                ),
                ("started_at", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
                (
                    "lease_until",
                    models.DateTimeField(
                        help_text="Past it, a run that waits was lost and one that is running has died.", null=True
                    ),
                ),
                ("done", models.BigIntegerField(default=0)),
                ("total", models.BigIntegerField(default=0)),
                (
                    "figures",
                    models.JSONField(default=dict, help_text="due, touched, granted, queued, sent, skipped by reason."),
                ),
                ("error", models.TextField(blank=True)),
                (
                    "job",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="runs", to="work.job"),
                ),
            ],
            options={
                "ordering": ["-due_at"],
                "indexes": [models.Index(fields=["job", "-started_at"], name="run_by_job")],
                "constraints": [
                    models.UniqueConstraint(fields=("job", "due_at", "lane"), name="one_run_a_due_instant"),
                    models.UniqueConstraint(
                        condition=models.Q(("state__in", ["waiting", "running"])),
                        fields=("job", "lane"),
                        name="one_open_run_a_lane",
                    ),
                ],
            },
        ),
    ]
