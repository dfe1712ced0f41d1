import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.db.models.deletion
import django.db.models.expressions
from django.conf import settings
from django.db import migrations, models

import retention.documents
import retention.marks
import retention.public_ids
import retention.shop.models
from retention.constraints import append_only


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("audit", "0001_initial"),
        ("customers", "0001_initial"),
        ("ledger", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Counter",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("incentive_id", models.BigIntegerField()),
                (
                    "scope",
                    models.CharField(
                        choices=[
                            ("incentive", "Incentive"),
                            ("stripe", "a part of an incentive's count in a rush"),
                            ("issue", "what was given of an incentive"),
                            ("code", "Code"),
                            ("customer", "Customer"),
                            ("person", "keyed hash of an email, phone, address or payment"),
                            ("budget", "what was used of a budget"),
                            ("issue_budget", "what was given of a budget"),
                        ],
                        max_length=12,
                    ),
                ),
                (
                    "subject_id",
                    models.BigIntegerField(
                        default=0, help_text="The code, customer, hash, budget or stripe; 0 for the incentive itself."
                    ),
                ),
                (
                    "period",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        help_text="Of the shop's days: D2026-11-22, W2026-11-16, M2026-11; empty for all time.",
                        max_length=12,
                    ),
                ),
                (
                    "currency",
                    models.CharField(blank=True, default="", help_text="Of the money; empty for counts.", max_length=3),
                ),
                ("issued", models.BigIntegerField(default=0)),
                ("redeemed", models.BigIntegerField(default=0)),
                ("spent_minor", models.BigIntegerField(default=0)),
                (
                    "most",
                    models.BigIntegerField(
                        help_text="The limit that was last asked for; of a stripe its lease.", null=True
                    ),
                ),
                (
                    "is_stopped",
                    models.BooleanField(
                        default=False,
                        help_text="Of an incentive's own rows and stripes: stop meets redeem and grant on them.",
                    ),
                ),
                (
                    "is_striped",
                    models.BooleanField(
                        db_default=False, default=False, help_text="Of an incentive's own rows: stripes count too."
                    ),
                ),
                ("version_id", models.BigIntegerField(help_text="Of the issue row: what is given now.", null=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("incentive_id", "scope", "subject_id", "period", "currency"), name="one_counter_a_limit"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("issued__gte", 0), ("redeemed__gte", 0), ("spent_minor__gte", 0)),
                        name="counters_are_not_negative",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("scope", "stripe"), _negated=True),
                            ("most", None),
                            (
                                "most__gte",
                                django.db.models.expressions.CombinedExpression(
                                    models.F("redeemed"), "+", models.F("spent_minor")
                                ),
                            ),
                            _connector="OR",
                        ),
                        name="stripes_keep_to_their_lease",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Incentive",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", retention.public_ids.PublicIdField()),
                ("name", models.CharField(max_length=120)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("percent", "Percent"),
                            ("amount", "Amount"),
                            ("fixed_price", "fixed price"),
                            ("free_shipping", "free shipping"),
                            ("free_product", "free product"),
                            ("buy_get", "buy some, get some"),
                            ("bundle_price", "bundle price"),
                            ("tiers", "spend more, save more"),
                            ("cash_back", "cash back"),
                            ("free_trial", "free trial"),
                            ("gift_card", "gift card"),
                            ("store_credit", "store credit"),
                            ("points", "Points"),
                            ("cash", "Cash"),
                            ("access", "Access"),
                            ("experience", "Experience"),
                        ],
                        help_text="Of its first effect.",
                        max_length=20,
                    ),
                ),
                (
                    "code_kind",
                    models.CharField(
                        choices=[
                            ("unique", "one code for each customer"),
                            ("public", "one public code"),
                            ("automatic", "no code: it applies by itself"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[("draft", "Draft"), ("live", "Live"), ("stopped", "Stopped")],
                        default="draft",
                        max_length=10,
                    ),
                ),
                ("starts_at", models.DateTimeField(blank=True, null=True)),
                ("ends_at", models.DateTimeField(blank=True, null=True)),
                ("archived_at", models.DateTimeField(blank=True, null=True)),
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
                "permissions": [
                    ("stop_incentive", "Can stop an offer everywhere"),
                    ("import_code", "Can import codes"),
                    ("export_code", "Can export codes"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("starts_at", None),
                            ("ends_at", None),
                            ("starts_at__lt", models.F("ends_at")),
                            _connector="OR",
                        ),
                        name="incentive_is_half_open",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("state", "draft"), ("version__isnull", False), _connector="OR"),
                        name="incentive_is_written_before_live",
                    ),
                ],
                "indexes": [
                    models.Index(
                        condition=models.Q(("code_kind", "automatic"), ("state", "live")),
                        fields=["id"],
                        name="incentive_automatic",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Grant",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "source",
                    models.CharField(
                        db_collation="C", help_text="Idempotency key: one reason, one grant.", max_length=120
                    ),
                ),
                ("origin", models.CharField(help_text="On whose behalf, such as `campaigns.touch`.", max_length=40)),
                ("origin_id", models.BigIntegerField(null=True)),
                (
                    "budget_id",
                    models.BigIntegerField(help_text="The Budget that its issue and its use count in.", null=True),
                ),
                ("granted_on", models.DateField(help_text="The shop's day, where a budget counts it.", null=True)),
                (
                    "state",
                    models.CharField(
                        choices=[("active", "Active"), ("returned", "returned unsent"), ("void", "Void")],
                        default="active",
                        max_length=10,
                    ),
                ),
                ("terms", models.JSONField(default=dict)),
                ("granted_at", models.DateTimeField()),
                ("granted_by", models.CharField(help_text="The actor's name.", max_length=80)),
                ("expires_at", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
                ("xid", retention.marks.MarkField(db_default=retention.marks.CurrentTransaction(), editable=False)),
                (
                    "customer",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="grants",
                        to="customers.customer",
                    ),
                ),
                (
                    "version",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="audit.version",
                    ),
                ),
                (
                    "incentive",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="grants",
                        to="incentives.incentive",
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "constraints": [models.UniqueConstraint(fields=("source",), name="one_grant_a_source")],
                "indexes": [
                    models.Index(fields=["customer", "-id"], name="grant_by_customer"),
                    models.Index(fields=["origin", "origin_id"], name="grant_by_origin"),
                    models.Index(fields=["incentive", "-id"], name="grant_by_incentive"),
                    models.Index(fields=["xid"], name="grant_mark"),
                    models.Index(
                        condition=models.Q(("customer", None), ("state", "active")),
                        fields=["origin_id"],
                        name="grant_of_guest",
                    ),
                    models.Index(
                        condition=models.Q(("budget_id__isnull", False)),
                        fields=["budget_id", "granted_at"],
                        name="grant_by_budget",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="CodeBatch",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", retention.public_ids.PublicIdField()),
                ("source", models.CharField(db_collation="C", help_text="Idempotency key.", max_length=120)),
                (
                    "purpose",
                    models.CharField(
                        choices=[
                            ("handout", "to be handed out elsewhere: they work at once"),
                            ("pool", "to be granted one by one: each works once it is given"),
                        ],
                        max_length=10,
                    ),
                ),
                ("wanted", models.PositiveIntegerField()),
                ("made", models.PositiveIntegerField(default=0)),
                (
                    "state",
                    models.CharField(
                        choices=[("waiting", "being made"), ("done", "Done")], default="waiting", max_length=10
                    ),
                ),
                ("expires_at", models.DateTimeField(blank=True, help_text="Of its codes.", null=True)),
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
                (
                    "version",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="audit.version",
                    ),
                ),
                (
                    "incentive",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="batches", to="incentives.incentive"
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "code batches",
                "ordering": ["-id"],
                "constraints": [
                    models.UniqueConstraint(fields=("source",), name="one_batch_a_source"),
                    models.CheckConstraint(
                        condition=models.Q(("made__lte", models.F("wanted"))), name="not_more_made_than_wanted"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Code",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("code", models.CharField(db_collation="C", max_length=60)),
                ("is_public", models.BooleanField(default=False)),
                (
                    "applies_by_itself",
                    models.BooleanField(
                        db_default=False, default=False, help_text="At its customer's next order, typed or not."
                    ),
                ),
                (
                    "is_card",
                    models.BooleanField(
                        db_default=False,
                        default=False,
                        editable=False,
                        help_text="Of a gift card: it pays, and takes nothing off.",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("free", "Free"),
                            ("reserved", "reserved until its message is accepted"),
                            ("given", "Given"),
                            ("redeemed", "Redeemed"),
                            ("void", "Void"),
                        ],
                        default="free",
                        max_length=10,
                    ),
                ),
                ("starts_at", models.DateTimeField(blank=True, null=True)),
                ("expires_at", models.DateTimeField(blank=True, null=True)),
                ("given_at", models.DateTimeField(editable=False, null=True)),
                (
                    "customer",
                    models.ForeignKey(
                        db_index=False,
                        help_text="Whose it is; whether only she may use it, the rule says.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="codes",
                        to="customers.customer",
                    ),
                ),
                (
                    "version",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="audit.version",
                    ),
                ),
                (
                    "batch",
                    models.ForeignKey(
                        db_index=False,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="codes",
                        to="incentives.codebatch",
                    ),
                ),
                (
                    "grant",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="code",
                        to="incentives.grant",
                    ),
                ),
                (
                    "incentive",
                    models.ForeignKey(
                        db_index=False,
                        help_text="None: of a gift card that was sold.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="codes",
                        to="incentives.incentive",
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "constraints": [
                    models.UniqueConstraint(fields=("code",), name="one_code_a_text"),
                    models.UniqueConstraint(
                        condition=models.Q(("is_public", True), models.Q(("state", "void"), _negated=True)),
                        fields=("incentive",),
                        name="one_public_code",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("code__regex", "^[A-Z0-9_]{3,60}$")), name="code_is_in_normal_form"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "free"), _negated=True),
                            models.Q(("customer", None), ("grant", None)),
                            _connector="OR",
                        ),
                        name="free_code_is_nobodys",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("is_card", True),
                            models.Q(("incentive__isnull", False), ("version__isnull", False)),
                            _connector="OR",
                        ),
                        name="code_is_of_an_offer_or_a_card",
                    ),
                ],
                "indexes": [
                    models.Index(fields=["incentive", "-id"], name="code_by_incentive"),
                    models.Index(condition=models.Q(("state", "free")), fields=["incentive", "id"], name="code_free"),
                    models.Index(
                        condition=models.Q(("customer__isnull", False)),
                        fields=["customer", "-id"],
                        name="code_by_customer",
                    ),
                    models.Index(
                        condition=models.Q(("applies_by_itself", True), ("state", "given")),
                        fields=["customer"],
                        name="code_own",
                    ),
                    models.Index(
                        condition=models.Q(("expires_at__isnull", False), ("state", "given")),
                        fields=["expires_at"],
                        name="code_expiring",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Redemption",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", retention.public_ids.PublicIdField()),
                ("source", models.CharField(db_collation="C", max_length=300)),
                ("request_hash", models.BinaryField(max_length=32)),
                (
                    "hold_source",
                    models.CharField(
                        db_collation="C",
                        help_text="Of what was held before it was redeemed.",
                        max_length=300,
                        null=True,
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("held", "Held"),
                            ("redeemed", "Redeemed"),
                            ("rolled_back", "rolled back whole"),
                            ("released", "held and released"),
                        ],
                        max_length=12,
                    ),
                ),
                (
                    "persons",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(),
                        default=list,
                        help_text="Keyed hashes that she was counted under: of her email, phone, address, payment.",
                        size=None,
                    ),
                ),
                (
                    "policy_id",
                    models.BigIntegerField(
                        help_text="The version of the checkout's policy it was decided by.", null=True
                    ),
                ),
                ("order_reference", models.CharField(blank=True, max_length=100)),
                ("currency", models.CharField(max_length=3, validators=[retention.shop.models.check_currency])),
                ("discount_minor", models.BigIntegerField()),
                ("given_back_minor", models.BigIntegerField(db_default=0, default=0)),
                ("base_minor", models.BigIntegerField(help_text="The discount in the base currency.")),
                (
                    "effects",
                    retention.documents.DocumentField(
                        help_text="What was applied, per line and to shipping, and by which offer."
                    ),
                ),
                ("held_until", models.DateTimeField(null=True)),
                ("redeemed_at", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(help_text="Rolled back whole, or released.", null=True)),
                ("xid", retention.marks.MarkField(db_default=retention.marks.CurrentTransaction(), editable=False)),
                (
                    "customer",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="redemptions",
                        to="customers.customer",
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "constraints": [
                    models.UniqueConstraint(fields=("source",), name="one_redemption_a_source"),
                    models.UniqueConstraint(
                        condition=models.Q(("hold_source__isnull", False)),
                        fields=("hold_source",),
                        name="one_redemption_a_hold",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("base_minor__gte", 0),
                            ("discount_minor__gte", 0),
                            ("given_back_minor__gte", 0),
                            ("given_back_minor__lte", models.F("discount_minor")),
                        ),
                        name="no_more_is_given_back_than_was_taken",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("ended_at", None),
                                ("held_until__isnull", False),
                                ("redeemed_at", None),
                                ("state", "held"),
                            ),
                            models.Q(
                                ("ended_at__isnull", False),
                                ("held_until__isnull", False),
                                ("redeemed_at", None),
                                ("state", "released"),
                            ),
                            models.Q(("ended_at", None), ("redeemed_at__isnull", False), ("state", "redeemed")),
                            models.Q(
                                ("ended_at__isnull", False), ("redeemed_at__isnull", False), ("state", "rolled_back")
                            ),
                            _connector="OR",
                        ),
                        name="redemption_states_have_their_times",
                    ),
                ],
                "indexes": [
                    models.Index(fields=["customer", "-id"], name="redemption_by_customer"),
                    models.Index(fields=["order_reference"], name="redemption_by_order"),
                    models.Index(fields=["redeemed_at"], name="redemption_by_day"),
                    models.Index(condition=models.Q(("state", "held")), fields=["held_until"], name="redemption_held"),
                    models.Index(fields=["xid"], name="redemption_mark"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Rollback",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("source", models.CharField(db_collation="C", max_length=300)),
                ("reason", models.CharField(max_length=120)),
                (
                    "lines",
                    models.JSONField(help_text="The lines and quantities asked for; empty for the whole.", null=True),
                ),
                ("discount_minor", models.BigIntegerField(help_text="Of the discount, given back.")),
                (
                    "effects",
                    models.JSONField(help_text="What came back, per line and for shipping, and by which offer."),
                ),
                ("is_last", models.BooleanField(help_text="It left nothing of the redemption.")),
                ("rolled_back_at", models.DateTimeField()),
                ("xid", retention.marks.MarkField(db_default=retention.marks.CurrentTransaction(), editable=False)),
                (
                    "redemption",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="rollbacks",
                        to="incentives.redemption",
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
                "constraints": [models.UniqueConstraint(fields=("source",), name="one_rollback_a_source")],
                "indexes": [models.Index(fields=["xid"], name="rollback_mark")],
            },
        ),
        migrations.CreateModel(
            name="Use",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("place", models.PositiveSmallIntegerField(help_text="Among the offers of the redemption's effects.")),
                ("incentive_id", models.BigIntegerField()),
                ("budget_id", models.BigIntegerField(null=True)),
                ("budget_version_id", models.BigIntegerField(help_text="The limits it was counted by.", null=True)),
                (
                    "counted_by",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(),
                        help_text="Versions whose limits began later and count it too: of the incentive, its budget, the policy.",
                        null=True,
                        size=None,
                    ),
                ),
                ("stripe", models.PositiveSmallIntegerField(help_text="Where it was counted, in a rush.", null=True)),
                ("discount_minor", models.BigIntegerField()),
                ("given_back_minor", models.BigIntegerField(db_default=0, default=0)),
                (
                    "is_counted",
                    models.BooleanField(
                        db_default=True, default=True, help_text="Still a use; otherwise undone and usable again."
                    ),
                ),
                ("used_at", models.DateTimeField()),
                ("used_on", models.DateField(help_text="The shop's day.")),
                (
                    "rolling_for",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(),
                        help_text="Where a rolling limit may ask: keyed hashes of who used it.",
                        null=True,
                        size=None,
                    ),
                ),
                (
                    "code",
                    models.ForeignKey(
                        db_index=False,
                        help_text="None: by itself.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="uses",
                        to="incentives.code",
                    ),
                ),
                (
                    "redemption",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="uses", to="incentives.redemption"
                    ),
                ),
                (
                    "version",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="audit.version",
                    ),
                ),
            ],
            options={
                "ordering": ["redemption_id", "place"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("given_back_minor__gte", 0), ("given_back_minor__lte", models.F("discount_minor"))
                        ),
                        name="use_gives_no_more_back_than_it_took",
                    )
                ],
                "indexes": [
                    models.Index(fields=["incentive_id", "-id"], name="use_by_incentive"),
                    models.Index(
                        condition=models.Q(("code__isnull", False)), fields=["code", "-id"], name="use_by_code"
                    ),
                    models.Index(
                        condition=models.Q(("budget_id__isnull", False)),
                        fields=["budget_id", "-id"],
                        name="use_by_budget",
                    ),
                    django.contrib.postgres.indexes.GinIndex(
                        condition=models.Q(("rolling_for__isnull", False)), fields=["rolling_for"], name="use_rolling"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Budget",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", retention.public_ids.PublicIdField()),
                ("name", models.CharField(max_length=120)),
                ("origin", models.CharField(help_text="Whose it is, such as `campaigns.campaign`.", max_length=40)),
                ("origin_id", models.BigIntegerField()),
                ("archived_at", models.DateTimeField(blank=True, null=True)),
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
                        condition=models.Q(("archived_at", None)),
                        fields=("origin", "origin_id"),
                        name="one_budget_an_origin",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="CheckoutPolicy",
            fields=[
                ("id", models.SmallIntegerField(default=1, editable=False, primary_key=True, serialize=False)),
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
                "verbose_name_plural": "checkout policy",
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("id", 1)), name="checkout_policy_is_single")
                ],
            },
        ),
        migrations.CreateModel(
            name="GiftCard",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", retention.public_ids.PublicIdField()),
                ("currency", models.CharField(max_length=3, validators=[retention.shop.models.check_currency])),
                ("initial_minor", models.BigIntegerField(help_text="What it was made with.")),
                (
                    "products",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=100),
                        blank=True,
                        default=list,
                        help_text="It pays for these",
                        size=None,
                    ),
                ),
                (
                    "categories",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=200),
                        blank=True,
                        default=list,
                        help_text="and these; both empty: for everything.",
                        size=None,
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[("inactive", "not activated yet"), ("active", "Active"), ("blocked", "Blocked")],
                        default="active",
                        max_length=10,
                    ),
                ),
                ("source", models.CharField(db_collation="C", help_text="Idempotency key.", max_length=300)),
                (
                    "expires_at",
                    models.DateTimeField(help_text="Of what is put on it; what comes back may live longer.", null=True),
                ),
                ("made_at", models.DateTimeField()),
                ("xid", retention.marks.MarkField(db_default=retention.marks.CurrentTransaction(), editable=False)),
            ],
            options={
                "ordering": ["-id"],
                "permissions": [
                    ("make_giftcard", "Can make and top up gift cards"),
                    ("block_giftcard", "Can block gift cards and free them"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("source",), name="one_card_a_source"),
                    models.CheckConstraint(
                        condition=models.Q(("initial_minor__gt", 0)), name="card_is_worth_something"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Tender",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("place", models.PositiveSmallIntegerField()),
                ("amount", models.BigIntegerField(help_text="In the smallest part of the account's unit.")),
                ("amount_minor", models.BigIntegerField(help_text="What that was worth, in the order's currency.")),
                (
                    "lines",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(), help_text="Of each line, in minor units.", size=None
                    ),
                ),
                ("shipping_minor", models.BigIntegerField()),
                ("given_back", models.BigIntegerField(default=0)),
                ("given_back_minor", models.BigIntegerField(default=0)),
            ],
            options={
                "ordering": ["redemption_id", "place"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("amount__gt", 0),
                            ("given_back__gte", 0),
                            ("given_back__lte", models.F("amount")),
                            ("given_back_minor__gte", 0),
                            ("given_back_minor__lte", models.F("amount_minor")),
                        ),
                        name="tender_gives_no_more_back_than_it_paid",
                    )
                ],
            },
        ),
        migrations.AddField(
            model_name="giftcard",
            name="account",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.PROTECT, related_name="card", to="ledger.account"
            ),
        ),
        migrations.AddField(
            model_name="giftcard",
            name="code",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.PROTECT, related_name="card", to="incentives.code"
            ),
        ),
        migrations.AddField(
            model_name="tender",
            name="account",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="ledger.account"
            ),
        ),
        migrations.AddField(
            model_name="tender",
            name="code",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="incentives.code",
            ),
        ),
        migrations.AddField(
            model_name="tender",
            name="entry",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="ledger.entry",
            ),
        ),
        migrations.AddField(
            model_name="tender",
            name="hold",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="ledger.hold",
            ),
        ),
        migrations.AddField(
            model_name="tender",
            name="redemption",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="tenders", to="incentives.redemption"
            ),
        ),
        migrations.AddIndex(
            model_name="tender",
            index=models.Index(fields=["account", "-id"], name="tender_by_account"),
        ),
        migrations.AddConstraint(
            model_name="tender",
            constraint=models.UniqueConstraint(fields=("redemption", "place"), name="one_tender_a_place"),
        ),
        migrations.AddConstraint(
            model_name="tender",
            constraint=models.CheckConstraint(
                condition=models.Q(("entry__isnull", False), ("hold__isnull", False), _connector="OR"),
                name="tender_is_held_or_spent",
            ),
        ),
        append_only("incentives_rollback"),
        migrations.CreateModel(
            name="Fulfilment",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", retention.public_ids.PublicIdField()),
                ("place", models.PositiveSmallIntegerField(help_text="Among the effects of the grant's rule.")),
                ("what", models.CharField(max_length=120)),
                ("instructions", models.CharField(blank=True, max_length=1000)),
                (
                    "state",
                    models.CharField(
                        choices=[("open", "to be done"), ("done", "Done"), ("cancelled", "Cancelled")],
                        default="open",
                        max_length=10,
                    ),
                ),
                ("asked_at", models.DateTimeField()),
                ("settled_at", models.DateTimeField(null=True)),
                ("settled_by", models.CharField(blank=True, help_text="The actor's name.", max_length=80)),
                ("note", models.CharField(blank=True, help_text="Such as the number of the parcel.", max_length=300)),
                (
                    "grant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="fulfilments", to="incentives.grant"
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "permissions": [("settle_fulfilment", "Can settle what is on the work-list")],
                "indexes": [models.Index(condition=models.Q(("state", "open")), fields=["id"], name="fulfilment_open")],
                "constraints": [
                    models.UniqueConstraint(fields=("grant", "place"), name="one_fulfilment_an_effect"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("settled_at", None), ("state", "open")),
                            models.Q(models.Q(("state", "open"), _negated=True), ("settled_at__isnull", False)),
                            _connector="OR",
                        ),
                        name="fulfilment_is_settled_at_some_time",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Ticket",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", retention.public_ids.PublicIdField()),
                ("name", models.CharField(help_text="Of the event, or of whatever it lets in to.", max_length=120)),
                ("checked_in_at", models.DateTimeField(null=True)),
                ("checked_in_by", models.CharField(blank=True, help_text="The actor's name.", max_length=80)),
                ("withdrawn_at", models.DateTimeField(help_text="The order that brought it was undone.", null=True)),
                (
                    "grant",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="ticket", to="incentives.grant"
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("checked_in_at", None), ("withdrawn_at", None), _connector="OR"),
                        name="withdrawn_ticket_lets_nobody_in",
                    )
                ],
                "permissions": [("check_in_ticket", "Can check in tickets")],
            },
        ),
        migrations.CreateModel(
            name="ShopperTier",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("programme", models.CharField(db_collation="C", max_length=40)),
                ("tier", models.CharField(db_collation="C", max_length=40)),
                (
                    "customer",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="customers.customer",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["programme", "tier"], name="shopper_tier_by_programme")],
                "constraints": [
                    models.UniqueConstraint(fields=("customer", "programme"), name="one_tier_a_customer_and_programme")
                ],
            },
        ),
    ]
