import django.db.models.deletion
import django.db.models.functions.text
from django.conf import settings
from django.db import migrations, models

import retention.marks
import retention.public_ids


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("audit", "0001_initial"),
        ("customers", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="CustomerList",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "public_id",
                    retention.public_ids.PublicIdField(),
                ),
                ("name", models.CharField(max_length=120, unique=True)),
                ("size", models.PositiveIntegerField(default=0, editable=False)),
                (
                    "unknown",
                    models.PositiveIntegerField(default=0, editable=False, help_text="Lines that named no customer."),
                ),
                ("uploaded_at", models.DateTimeField(editable=False)),
                ("archived_at", models.DateTimeField(blank=True, editable=False, null=True)),
                (
                    "by",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["name"],
            },
        ),
        migrations.CreateModel(
            name="Segment",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "public_id",
                    retention.public_ids.PublicIdField(),
                ),
                (
                    "key",
                    models.SlugField(
                        blank=True, help_text="Of a ready segment.", max_length=60, null=True, unique=True
                    ),
                ),
                ("name", models.CharField(max_length=120)),
                ("about", models.CharField(blank=True, help_text="What it is for, in a sentence.", max_length=300)),
                ("rule", models.JSONField(blank=True, default=dict)),
                ("size", models.PositiveIntegerField(editable=False, null=True)),
                ("computed_at", models.DateTimeField(editable=False, null=True)),
                ("computed_ms", models.PositiveIntegerField(editable=False, null=True)),
                (
                    "tried_at",
                    models.DateTimeField(editable=False, help_text="Last refresh, also one that failed.", null=True),
                ),
                ("error", models.TextField(blank=True, editable=False)),
                ("archived_at", models.DateTimeField(blank=True, editable=False, null=True)),
                (
                    "version",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="audit.version",
                    ),
                ),
            ],
            options={
                "ordering": ["name"],
                "constraints": [
                    models.UniqueConstraint(
                        django.db.models.functions.text.Lower("name"),
                        condition=models.Q(("archived_at", None)),
                        name="one_live_segment_a_name",
                        violation_error_message="There is a segment of this name already.",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Membership",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("entered_at", models.DateTimeField()),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="memberships", to="customers.customer"
                    ),
                ),
                (
                    "segment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        db_index=False,
                        related_name="memberships",
                        to="segments.segment",
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("segment", "customer"), name="in_a_segment_once")]
            },
        ),
        migrations.CreateModel(
            name="SegmentSize",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("on", models.DateField(help_text="In the shop's zone.")),
                ("size", models.PositiveIntegerField()),
                (
                    "segment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="sizes", to="segments.segment"
                    ),
                ),
            ],
            options={
                "ordering": ["segment", "on"],
                "constraints": [models.UniqueConstraint(fields=("segment", "on"), name="one_segment_size_a_day")],
            },
        ),
        migrations.CreateModel(
            name="ListEntry",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="list_entries",
                        to="customers.customer",
                    ),
                ),
                (
                    "list",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="entries", to="segments.customerlist"
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "list entries",
                "constraints": [models.UniqueConstraint(fields=("customer", "list"), name="on_a_list_once")],
            },
        ),
        migrations.CreateModel(
            name="MembershipChange",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("has_entered", models.BooleanField(help_text="Otherwise she left.")),
                ("at", models.DateTimeField()),
                ("xid", retention.marks.MarkField(db_default=retention.marks.CurrentTransaction(), editable=False)),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.AddField(
            model_name="listentry",
            name="xid",
            field=retention.marks.MarkField(db_default=retention.marks.CurrentTransaction(), editable=False),
        ),
        migrations.AddField(
            model_name="segment",
            name="is_time_relative",
            field=models.BooleanField(
                default=True, editable=False, help_text="Whether who is in can change with time alone."
            ),
        ),
        migrations.AddField(
            model_name="segment",
            name="mark",
            field=retention.marks.Xid8Field(
                editable=False, help_text="Facts of transactions before it have been looked at; NULL: none.", null=True
            ),
        ),
        migrations.AddField(
            model_name="segment",
            name="whole_at",
            field=models.DateTimeField(editable=False, help_text="When everybody was last looked at.", null=True),
        ),
        migrations.AddField(
            model_name="segment",
            name="whole_ms",
            field=models.PositiveIntegerField(editable=False, null=True),
        ),
        migrations.AddIndex(
            model_name="listentry",
            index=models.Index(fields=["xid"], name="list_entry_mark"),
        ),
        migrations.AddField(
            model_name="membershipchange",
            name="customer",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="segment_changes",
                to="customers.customer",
            ),
        ),
        migrations.AddField(
            model_name="membershipchange",
            name="segment",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="changes",
                to="segments.segment",
            ),
        ),
        migrations.AddIndex(
            model_name="membershipchange",
            index=models.Index(fields=["segment", "xid"], name="membership_change_mark"),
        ),
        migrations.AddIndex(
            model_name="membershipchange",
            index=models.Index(fields=["segment", "at"], name="membership_change_by_time"),
        ),
        migrations.AddIndex(
            model_name="membershipchange",
            index=models.Index(fields=["customer", "-id"], name="membership_change_of_customer"),
        ),
        migrations.AddField(
            model_name="segment",
            name="xid",
            field=retention.marks.MarkField(
                db_default=retention.marks.CurrentTransaction(),
                editable=False,
                help_text="The save that last changed what it means: its own, or that of a segment it names.",
            ),
        ),
        migrations.AlterField(
            model_name="segment",
            name="is_time_relative",
            field=models.BooleanField(
                default=True, editable=False, help_text="Whether who is in can change without a new fact of hers."
            ),
        ),
    ]
