import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("customers", "0001_initial"),
        ("incentives", "0001_initial"),
        ("messaging", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Reason",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.SlugField(max_length=40, unique=True)),
                ("label", models.CharField(max_length=80)),
                (
                    "percent",
                    models.PositiveSmallIntegerField(
                        default=20,
                        help_text="Of what the line or the order cost; only a suggestion.",
                        verbose_name="suggested share in %",
                    ),
                ),
                ("is_active", models.BooleanField(default=True, verbose_name="offered to agents")),
                ("position", models.PositiveSmallIntegerField(default=0)),
            ],
            options={
                "ordering": ["position", "label"],
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("percent__lte", 100)), name="share_is_a_share")
                ],
            },
        ),
        migrations.CreateModel(
            name="Case",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "source",
                    models.CharField(
                        editable=False, help_text="Idempotency key: one form, one case.", max_length=80, unique=True
                    ),
                ),
                ("channel", models.CharField(blank=True, max_length=20)),
                (
                    "words",
                    models.TextField(
                        blank=True, help_text="Added to the message; scrubbed on erasure.", verbose_name="own words"
                    ),
                ),
                ("opened_at", models.DateTimeField()),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="cases", to="customers.customer"
                    ),
                ),
                (
                    "line",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="customers.orderline",
                    ),
                ),
                (
                    "opened_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "order",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="cases",
                        to="customers.order",
                    ),
                ),
                (
                    "reason",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="cases", to="support.reason"
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "indexes": [models.Index(fields=["customer", "-opened_at"], name="case_by_customer")],
            },
        ),
        migrations.CreateModel(
            name="AgentLimit",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("per_case_minor", models.BigIntegerField()),
                ("per_day_minor", models.BigIntegerField()),
                (
                    "staff",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="agent_limit",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "limit of an agent",
                "verbose_name_plural": "limits of agents",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("per_case_minor__gte", 0), ("per_day_minor__gte", 0)),
                        name="limits_not_negative",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Allowance",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("day", models.DateField()),
                ("spent_minor", models.BigIntegerField(default=0)),
                (
                    "staff",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("staff", "day"), name="one_allowance_a_day"),
                    models.CheckConstraint(condition=models.Q(("spent_minor__gte", 0)), name="allowance_not_negative"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Compensation",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("amount_minor", models.BigIntegerField()),
                ("currency", models.CharField(max_length=3)),
                ("base_minor", models.BigIntegerField()),
                ("day", models.DateField(help_text="Of the allowance it came from, in the shop's zone.")),
                ("given_at", models.DateTimeField()),
                ("is_sent", models.BooleanField(help_text="By mail; otherwise shown to be pasted.")),
                ("undone_at", models.DateTimeField(null=True)),
                (
                    "undone_why",
                    models.CharField(blank=True, help_text="`undone`, or why its mail ended unsent.", max_length=60),
                ),
                (
                    "case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="compensations", to="support.case"
                    ),
                ),
                (
                    "given_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "grant",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="compensation", to="incentives.grant"
                    ),
                ),
                (
                    "product",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="customers.product",
                    ),
                ),
                (
                    "undone_by",
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
                "permissions": [("undo_any_compensation", "Can undo what colleagues gave")],
                "indexes": [models.Index(fields=["given_by", "day"], name="compensation_by_agent")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("amount_minor__gt", 0), ("base_minor__gt", 0)), name="something_was_given"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("undone_at", None), ("undone_why", "")),
                            models.Q(("undone_at__isnull", False), models.Q(("undone_why", ""), _negated=True)),
                            _connector="OR",
                        ),
                        name="undone_for_a_reason",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Desk",
            fields=[
                ("id", models.SmallIntegerField(default=1, editable=False, primary_key=True, serialize=False)),
                (
                    "valid_days",
                    models.PositiveSmallIntegerField(default=60, help_text="How long a coupon given here is good for."),
                ),
                (
                    "repeat_days",
                    models.PositiveSmallIntegerField(
                        default=60, help_text="A customer made whole within so many days brings up a warning."
                    ),
                ),
                (
                    "incentive",
                    models.ForeignKey(
                        help_text="Its amount is decided grant by grant.",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="incentives.incentive",
                    ),
                ),
                (
                    "template",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="messaging.template"
                    ),
                ),
            ],
            options={
                "verbose_name": "sorry desk",
                "verbose_name_plural": "sorry desk",
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("id", 1)), name="desk_is_single"),
                    models.CheckConstraint(condition=models.Q(("valid_days__gte", 1)), name="a_coupon_lives_a_day"),
                ],
            },
        ),
    ]
