import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

import retention.marks
import retention.public_ids


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("customers", "0002_append_only"),
    ]

    operations = [
        migrations.CreateModel(
            name="Endpoint",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", retention.public_ids.PublicIdField()),
                ("name", models.CharField(max_length=80)),
                ("url", models.CharField(max_length=500, verbose_name="address")),
                (
                    "kinds",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=60),
                        default=list,
                        help_text="What it is told; none is nothing.",
                        size=None,
                    ),
                ),
                ("generation", models.PositiveIntegerField(default=1, editable=False, help_text="Of its secret.")),
                (
                    "earlier_until",
                    models.DateTimeField(
                        editable=False, help_text="Until then the secret before the present one signs too.", null=True
                    ),
                ),
                ("is_on", models.BooleanField(default=True, editable=False)),
                (
                    "off_why",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("hand", "by hand"),
                            ("gone", "it answered that it is gone (410)"),
                            ("failing", "it took nothing for five days"),
                        ],
                        editable=False,
                        max_length=7,
                    ),
                ),
                ("off_at", models.DateTimeField(editable=False, null=True)),
                ("mark", retention.marks.Xid8Field(editable=False)),
                ("since_at", models.DateTimeField(editable=False, help_text="What happened before is not told.")),
                ("followed_at", models.DateTimeField(editable=False)),
                (
                    "failing_since",
                    models.DateTimeField(editable=False, help_text="Its first failure after a success.", null=True),
                ),
                ("succeeded_at", models.DateTimeField(editable=False, null=True, verbose_name="last success")),
                (
                    "made_by",
                    models.CharField(
                        editable=False, help_text="Idempotency key.", max_length=100, null=True, unique=True
                    ),
                ),
                (
                    "made_of",
                    models.CharField(blank=True, editable=False, help_text="Hash of that request.", max_length=64),
                ),
                (
                    "rotated_by",
                    models.CharField(blank=True, editable=False, help_text="Of the last rotation.", max_length=100),
                ),
                ("created_at", models.DateTimeField(editable=False)),
                ("archived_at", models.DateTimeField(editable=False, null=True)),
            ],
            options={
                "ordering": ["name"],
                "permissions": [("reveal_endpoint", "Can see and replace the secrets of endpoints")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("is_on", True), ("off_at", None), ("off_why", "")),
                            models.Q(
                                ("is_on", False), ("off_at__isnull", False), models.Q(("off_why", ""), _negated=True)
                            ),
                            _connector="OR",
                        ),
                        name="endpoint_is_off_for_a_reason",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("archived_at", None), ("is_on", False), _connector="OR"),
                        name="an_archived_endpoint_is_off",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Notice",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", retention.public_ids.PublicIdField()),
                ("kind", models.CharField(max_length=60)),
                ("reference", models.CharField(db_collation="C", help_text="The fact that it is of.", max_length=120)),
                ("occurred_at", models.DateTimeField(verbose_name="happened")),
                (
                    "data",
                    models.JSONField(help_text="Public ids, keys, codes and amounts; nothing that names a person."),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[("waiting", "Waiting"), ("delivered", "Delivered"), ("given_up", "given up")],
                        default="waiting",
                        max_length=9,
                    ),
                ),
                (
                    "tries",
                    models.PositiveSmallIntegerField(
                        default=0, help_text="Since it was first told, or asked for again."
                    ),
                ),
                ("next_at", models.DateTimeField(null=True, verbose_name="tried next")),
                ("lease_until", models.DateTimeField(null=True)),
                (
                    "replayed_by",
                    models.CharField(blank=True, help_text="Who asked for it to be sent again.", max_length=80),
                ),
                ("recorded_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
                (
                    "customer",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="customers.customer",
                    ),
                ),
                (
                    "endpoint",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="notices",
                        to="webhooks.endpoint",
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "permissions": [("replay_notice", "Can send notices again")],
                "constraints": [
                    models.UniqueConstraint(fields=("endpoint", "kind", "reference"), name="told_once_an_endpoint"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("ended_at", None), ("next_at__isnull", False), ("state", "waiting")),
                            models.Q(
                                ("ended_at__isnull", False),
                                ("lease_until", None),
                                ("next_at", None),
                                ("state__in", ["delivered", "given_up"]),
                            ),
                            _connector="OR",
                        ),
                        name="notice_waits_or_has_ended",
                    ),
                ],
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "waiting")),
                        fields=["endpoint", "next_at", "id"],
                        name="notice_due",
                    ),
                    models.Index(fields=["endpoint", "-id"], name="notice_by_endpoint"),
                    models.Index(
                        condition=models.Q(("ended_at__isnull", False)), fields=["ended_at"], name="notice_ended"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Attempt",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField()),
                ("status", models.PositiveSmallIntegerField(help_text="Of the answer over HTTP.", null=True)),
                ("why", models.CharField(blank=True, help_text="Code of why there was none.", max_length=40)),
                ("milliseconds", models.PositiveIntegerField()),
                ("answer", models.CharField(blank=True, help_text="Its beginning.", max_length=500)),
                (
                    "by",
                    models.CharField(blank=True, help_text="Who asked for it, where it was sent again.", max_length=80),
                ),
                (
                    "notice",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="attempts", to="webhooks.notice"
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("status__isnull", False), ("why", "")),
                            models.Q(("status", None), models.Q(("why", ""), _negated=True)),
                            _connector="OR",
                        ),
                        name="attempt_has_an_end",
                    )
                ],
            },
        ),
    ]
