import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.db.models.constraints
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.text
from django.db import migrations, models

import retention.marks
import retention.public_ids
import retention.shop.models


class Migration(migrations.Migration):
    initial = True

    dependencies = [("audit", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="ActivityKind",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(max_length=60, unique=True)),
                ("label", models.CharField(max_length=100)),
                ("schema", models.JSONField(blank=True, default=dict, help_text="JSON Schema of its properties.")),
                ("is_built_in", models.BooleanField(default=False, editable=False)),
            ],
            options={
                "ordering": ["key"],
            },
        ),
        migrations.CreateModel(
            name="Consent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "channel",
                    models.CharField(
                        choices=[("email", "Email"), ("sms", "SMS"), ("push", "Push"), ("post", "Post")], max_length=5
                    ),
                ),
                ("purpose", models.CharField(help_text="marketing, transactional, or topic:…", max_length=60)),
                (
                    "event",
                    models.CharField(
                        choices=[
                            ("asked", "Asked"),
                            ("given", "Given"),
                            ("withdrawn", "Withdrawn"),
                            ("expired", "Expired"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "address_hash",
                    models.BinaryField(help_text="Keyed hash of the address it was said for.", max_length=32),
                ),
                (
                    "source",
                    models.CharField(
                        help_text="Where it was said: checkout, popup, preferences, unsubscribe…", max_length=60
                    ),
                ),
                ("wording", models.CharField(blank=True, max_length=60, verbose_name="wording version")),
                ("reference", models.CharField(max_length=100, null=True, unique=True)),
                ("occurred_at", models.DateTimeField()),
                (
                    "expires_at",
                    models.DateTimeField(help_text="A yes that ends by itself; from then on it is a no.", null=True),
                ),
                ("recorded_at", models.DateTimeField()),
                ("xid", retention.marks.MarkField(db_default=retention.marks.CurrentTransaction(), editable=False)),
            ],
            options={
                "ordering": ["-occurred_at", "-id"],
                "indexes": [
                    models.Index(condition=models.Q(("event", "asked")), fields=["recorded_at"], name="consent_asked"),
                    models.Index(
                        condition=models.Q(("event", "asked")), fields=["address_hash"], name="consent_asked_of"
                    ),
                    models.Index(fields=["xid"], name="consent_mark"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("expires_at", None), ("expires_at__gt", models.F("occurred_at")), _connector="OR"
                        ),
                        name="consent_lasts_a_while",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Customer",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "public_id",
                    retention.public_ids.PublicIdField(),
                ),
                (
                    "reference",
                    models.CharField(
                        blank=True, help_text="The shop's own id.", max_length=100, null=True, unique=True
                    ),
                ),
                ("email", models.EmailField(blank=True, max_length=254, null=True)),
                (
                    "email_normal",
                    models.GeneratedField(
                        db_persist=True,
                        expression=django.db.models.functions.text.Lower(django.db.models.functions.text.Trim("email")),
                        output_field=models.CharField(max_length=254),
                    ),
                ),
                (
                    "phone",
                    models.CharField(blank=True, help_text="E.164, such as +4915112345678.", max_length=16, null=True),
                ),
                ("given_name", models.CharField(blank=True, max_length=100)),
                ("family_name", models.CharField(blank=True, max_length=100)),
                ("birth_year", models.SmallIntegerField(blank=True, null=True)),
                ("birth_month", models.SmallIntegerField(blank=True, null=True)),
                ("birth_day", models.SmallIntegerField(blank=True, null=True)),
                ("address", models.CharField(blank=True, max_length=300)),
                ("postcode", models.CharField(blank=True, max_length=20)),
                ("city", models.CharField(blank=True, max_length=100)),
                ("region", models.CharField(blank=True, max_length=100)),
                ("country", models.CharField(blank=True, help_text="ISO 3166 code, such as DE.", max_length=2)),
                ("language", models.CharField(blank=True, max_length=12)),
                (
                    "time_zone",
                    models.CharField(
                        blank=True,
                        help_text="IANA name; empty: the shop's.",
                        max_length=64,
                        validators=[retention.shop.models.check_zone],
                    ),
                ),
                (
                    "preferred_channel",
                    models.CharField(
                        blank=True,
                        choices=[("email", "Email"), ("sms", "SMS"), ("push", "Push"), ("post", "Post")],
                        max_length=5,
                    ),
                ),
                (
                    "interests",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=60), blank=True, default=list, size=None
                    ),
                ),
                ("source", models.CharField(blank=True, max_length=60, verbose_name="acquisition source")),
                ("acquisition_cost_minor", models.BigIntegerField(blank=True, null=True)),
                (
                    "acquisition_currency",
                    models.CharField(blank=True, max_length=3, validators=[retention.shop.models.check_currency]),
                ),
                ("attributes", models.JSONField(blank=True, default=dict)),
                ("signed_up_at", models.DateTimeField(blank=True, null=True)),
                ("recorded_at", models.DateTimeField()),
                ("erased_at", models.DateTimeField(editable=False, null=True)),
                ("xid", retention.marks.MarkField(db_default=retention.marks.CurrentTransaction(), editable=False)),
                (
                    "merged_into",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="customers.customer",
                    ),
                ),
            ],
            options={
                "permissions": [
                    ("import_customer", "Can import customers"),
                    ("export_customer", "Can export customers"),
                    ("view_data_health", "Can view how much is known of all customers"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("merged_into", None)),
                        fields=("email_normal",),
                        name="one_customer_an_email",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("email", ""), _negated=True), name="email_is_null_not_empty"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("reference", ""), _negated=True), name="reference_is_null_not_empty"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("phone", None), ("phone__regex", "^\\+[1-9][0-9]{6,14}$"), _connector="OR"),
                        name="phone_is_e164",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("birth_day", None), ("birth_month", None), ("birth_year", None)),
                            models.Q(("birth_day__range", (1, 31)), ("birth_month__in", [1, 3, 5, 7, 8, 10, 12])),
                            models.Q(("birth_day__range", (1, 30)), ("birth_month__in", [4, 6, 9, 11])),
                            models.Q(("birth_day__range", (1, 29)), ("birth_month", 2)),
                            _connector="OR",
                        ),
                        name="birthday_is_a_day",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("country", ""), ("country__regex", "^[A-Z]{2}$"), _connector="OR"),
                        name="country_is_iso",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("acquisition_cost_minor", None),
                            models.Q(
                                ("acquisition_cost_minor__gte", 0),
                                models.Q(("acquisition_currency", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="acquisition_cost_has_a_currency",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("merged_into", models.F("id")), _negated=True),
                        name="not_merged_into_herself",
                    ),
                ],
                "indexes": [
                    models.Index(fields=["birth_month", "birth_day"], name="customer_birthday"),
                    models.Index(fields=["signed_up_at"], name="customer_signed_up"),
                    models.Index(fields=["country"], name="customer_country"),
                    models.Index(condition=models.Q(("phone__isnull", False)), fields=["phone"], name="customer_phone"),
                    models.Index(fields=["email_normal"], name="customer_by_email", opclasses=["varchar_pattern_ops"]),
                    models.Index(
                        django.contrib.postgres.indexes.OpClass(
                            django.db.models.functions.text.Upper("given_name"), "varchar_pattern_ops"
                        ),
                        name="customer_by_given_name",
                    ),
                    models.Index(
                        django.contrib.postgres.indexes.OpClass(
                            django.db.models.functions.text.Upper("family_name"), "varchar_pattern_ops"
                        ),
                        name="customer_by_family_name",
                    ),
                    models.Index(fields=["xid"], name="customer_mark"),
                    models.Index(
                        condition=models.Q(("merged_into__isnull", False)),
                        fields=["merged_into"],
                        name="customer_tombstones",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="AttributeDefinition",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.SlugField(max_length=60, unique=True)),
                ("label", models.CharField(max_length=100)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("text", "Text"),
                            ("number", "Number"),
                            ("yes/no", "Yes No"),
                            ("date", "Date"),
                            ("choice", "Choice"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "choices",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=60), blank=True, default=list, size=None
                    ),
                ),
            ],
            options={
                "verbose_name": "custom attribute",
                "ordering": ["key"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("kind", "choice"), _negated=True), ("choices__len__gte", 1), _connector="OR"
                        ),
                        name="choice_has_choices",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ConsentProof",
            fields=[
                (
                    "consent",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="proof",
                        serialize=False,
                        to="customers.consent",
                    ),
                ),
                ("text", models.TextField(blank=True)),
            ],
        ),
        migrations.CreateModel(
            name="ConsentState",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "channel",
                    models.CharField(
                        choices=[("email", "Email"), ("sms", "SMS"), ("push", "Push"), ("post", "Post")], max_length=5
                    ),
                ),
                ("purpose", models.CharField(max_length=60)),
                ("is_given", models.BooleanField()),
                (
                    "address",
                    models.CharField(
                        help_text="The normalised address it holds for; another one is a no.", max_length=254
                    ),
                ),
                ("occurred_at", models.DateTimeField()),
                (
                    "expires_at",
                    models.DateTimeField(help_text="The end of a yes, past or to come; NULL: none was set.", null=True),
                ),
                (
                    "asked_at",
                    models.DateTimeField(
                        help_text="A yes that confirms what was asked then: any no since beats it.", null=True
                    ),
                ),
                ("xid", retention.marks.MarkField(db_default=retention.marks.CurrentTransaction(), editable=False)),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        db_index=False,
                        related_name="consent_states",
                        to="customers.customer",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("is_given", True)),
                        fields=["channel", "purpose", "customer"],
                        name="consent_given",
                    ),
                    models.Index(
                        condition=models.Q(("expires_at__isnull", False), ("is_given", True)),
                        fields=["expires_at"],
                        name="consent_ends",
                    ),
                    models.Index(fields=["xid"], name="consent_state_mark"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("customer", "channel", "purpose"), name="one_consent_state")
                ],
            },
        ),
        migrations.AddField(
            model_name="consent",
            name="customer",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                db_index=False,
                related_name="consents",
                to="customers.customer",
            ),
        ),
        migrations.CreateModel(
            name="Order",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "public_id",
                    retention.public_ids.PublicIdField(),
                ),
                ("reference", models.CharField(max_length=100, unique=True)),
                (
                    "email",
                    models.EmailField(
                        blank=True,
                        help_text="As given at the checkout; a guest is joined by it.",
                        max_length=254,
                        null=True,
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("placed", "Placed"),
                            ("paid", "Paid"),
                            ("fulfilled", "Fulfilled"),
                            ("partially_returned", "Partially Returned"),
                            ("returned", "Returned"),
                            ("cancelled", "Cancelled"),
                        ],
                        max_length=20,
                    ),
                ),
                ("currency", models.CharField(max_length=3, validators=[retention.shop.models.check_currency])),
                (
                    "total_minor",
                    models.BigIntegerField(
                        help_text="What was paid: lines, less discounts, plus shipping; tax included."
                    ),
                ),
                ("base_minor", models.BigIntegerField(help_text="The total in the base currency at the day's rate.")),
                ("shipping_minor", models.BigIntegerField(default=0)),
                (
                    "discount_minor",
                    models.BigIntegerField(default=0, help_text="Off the whole order; lines carry their own."),
                ),
                ("tax_minor", models.BigIntegerField(default=0, help_text="Carried, never computed.")),
                ("channel", models.CharField(blank=True, max_length=40)),
                ("store", models.CharField(blank=True, max_length=60)),
                ("payment_method", models.CharField(blank=True, max_length=40)),
                ("address", models.CharField(blank=True, max_length=300, verbose_name="delivery address")),
                ("city", models.CharField(blank=True, max_length=100)),
                ("region", models.CharField(blank=True, max_length=100)),
                ("postcode", models.CharField(blank=True, max_length=20)),
                ("country", models.CharField(blank=True, max_length=2)),
                (
                    "codes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=60), blank=True, default=list, size=None
                    ),
                ),
                ("placed_at", models.DateTimeField()),
                ("paid_at", models.DateTimeField(blank=True, null=True)),
                ("fulfilled_at", models.DateTimeField(blank=True, null=True)),
                ("cancelled_at", models.DateTimeField(blank=True, null=True)),
                ("recorded_at", models.DateTimeField()),
                ("xid", retention.marks.MarkField(db_default=retention.marks.CurrentTransaction(), editable=False)),
                (
                    "customer",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        db_index=False,
                        related_name="orders",
                        to="customers.customer",
                    ),
                ),
            ],
            options={
                "ordering": ["-placed_at"],
                "permissions": [("import_order", "Can import orders"), ("export_order", "Can export orders")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("discount_minor__gte", 0),
                            ("shipping_minor__gte", 0),
                            ("tax_minor__gte", 0),
                            ("total_minor__gte", 0),
                        ),
                        name="order_amounts_are_not_negative",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("email", ""), _negated=True), name="order_email_is_null_not_empty"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("country", ""), ("country__regex", "^[A-Z]{2}$"), _connector="OR"),
                        name="order_country_is_iso",
                    ),
                ],
                "indexes": [
                    models.Index(fields=["customer", "placed_at"], name="order_by_customer"),
                    models.Index(fields=["placed_at"], name="order_by_day"),
                    models.Index(fields=["xid"], name="order_mark"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Product",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("sku", models.CharField(max_length=100, unique=True, verbose_name="SKU")),
                ("name", models.CharField(max_length=200)),
                (
                    "category",
                    models.CharField(blank=True, help_text="Path from the top: Music/Jazz/Vinyl.", max_length=200),
                ),
                ("currency", models.CharField(max_length=3, validators=[retention.shop.models.check_currency])),
                ("price_minor", models.BigIntegerField()),
                ("minimum_price_minor", models.BigIntegerField(default=0, help_text="No discount goes below it.")),
                ("unit_cost_minor", models.BigIntegerField(blank=True, null=True)),
                ("compare_at_minor", models.BigIntegerField(blank=True, null=True)),
                ("is_low_margin", models.BooleanField(default=False, verbose_name="low margin")),
                (
                    "tags",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=60), blank=True, default=list, size=None
                    ),
                ),
                ("season_from", models.DateField(blank=True, null=True)),
                ("season_until", models.DateField(blank=True, null=True)),
                ("launched_on", models.DateField(blank=True, null=True)),
                (
                    "replenish_days",
                    models.PositiveIntegerField(blank=True, null=True, verbose_name="replenishment interval in days"),
                ),
                ("url", models.URLField(blank=True, max_length=500)),
                ("how_to_url", models.URLField(blank=True, max_length=500)),
                ("image_url", models.URLField(blank=True, max_length=500)),
                ("archived_at", models.DateTimeField(blank=True, null=True)),
                ("recorded_at", models.DateTimeField()),
                ("xid", retention.marks.MarkField(db_default=retention.marks.CurrentTransaction(), editable=False)),
            ],
            options={
                "ordering": ["sku"],
                "permissions": [("import_product", "Can import products"), ("export_product", "Can export products")],
                "indexes": [
                    models.Index(fields=["category"], name="product_category", opclasses=["varchar_pattern_ops"]),
                    django.contrib.postgres.indexes.GinIndex(fields=["tags"], name="product_tags"),
                    models.Index(fields=["xid"], name="product_mark"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("minimum_price_minor__gte", 0),
                            ("minimum_price_minor__lte", models.F("price_minor")),
                            ("price_minor__gte", 0),
                        ),
                        name="product_prices_are_in_order",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("season_from", None),
                            ("season_until", None),
                            ("season_from__lt", models.F("season_until")),
                            _connector="OR",
                        ),
                        name="season_is_half_open",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Price",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("price_minor", models.BigIntegerField()),
                ("compare_at_minor", models.BigIntegerField(null=True)),
                ("starts_at", models.DateTimeField()),
                ("xid", retention.marks.MarkField(db_default=retention.marks.CurrentTransaction(), editable=False)),
                (
                    "product",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="prices", to="customers.product"
                    ),
                ),
            ],
            options={
                "ordering": ["product", "-starts_at"],
                "constraints": [models.UniqueConstraint(fields=("product", "starts_at"), name="one_price_an_instant")],
            },
        ),
        migrations.CreateModel(
            name="OrderLine",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("position", models.PositiveSmallIntegerField()),
                ("quantity", models.PositiveIntegerField()),
                ("unit_price_minor", models.BigIntegerField()),
                ("discount_minor", models.BigIntegerField(default=0)),
                ("total_minor", models.BigIntegerField()),
                ("returned_quantity", models.PositiveIntegerField(default=0)),
                (
                    "order",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        db_index=False,
                        related_name="lines",
                        to="customers.order",
                    ),
                ),
                (
                    "product",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="order_lines", to="customers.product"
                    ),
                ),
            ],
            options={
                "ordering": ["order", "position"],
                "constraints": [
                    models.UniqueConstraint(fields=("order", "position"), name="one_line_a_position"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("discount_minor__gte", 0),
                            ("quantity__gte", 1),
                            ("total_minor__gte", 0),
                            ("unit_price_minor__gte", 0),
                        ),
                        name="line_amounts_are_not_negative",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "total_minor",
                                django.db.models.expressions.CombinedExpression(
                                    django.db.models.expressions.CombinedExpression(
                                        models.F("quantity"), "*", models.F("unit_price_minor")
                                    ),
                                    "-",
                                    models.F("discount_minor"),
                                ),
                            )
                        ),
                        name="line_total_adds_up",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("returned_quantity__lte", models.F("quantity"))),
                        name="not_more_returned_than_bought",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Activity",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(max_length=60)),
                ("reference", models.CharField(max_length=100, null=True, unique=True)),
                ("visitor_key", models.CharField(blank=True, help_text="Of a visitor not known yet.", max_length=64)),
                ("properties", models.JSONField(blank=True, default=dict)),
                ("occurred_at", models.DateTimeField()),
                ("recorded_at", models.DateTimeField()),
                ("xid", retention.marks.MarkField(db_default=retention.marks.CurrentTransaction(), editable=False)),
                (
                    "customer",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        db_index=False,
                        related_name="activities",
                        to="customers.customer",
                    ),
                ),
                (
                    "order",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="customers.order"
                    ),
                ),
                (
                    "product",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="customers.product"
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "activities",
                "ordering": ["-occurred_at"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("customer__isnull", False), models.Q(("visitor_key", ""), _negated=True), _connector="OR"
                        ),
                        name="activity_is_someones",
                    )
                ],
                "indexes": [
                    models.Index(fields=["customer", "kind", "occurred_at"], name="activity_by_customer"),
                    models.Index(fields=["kind", "occurred_at"], name="activity_by_kind"),
                    models.Index(
                        condition=models.Q(("visitor_key", ""), _negated=True),
                        fields=["visitor_key"],
                        name="activity_by_visitor",
                    ),
                    models.Index(fields=["xid"], name="activity_mark"),
                ],
            },
        ),
        migrations.CreateModel(
            name="KnownVisitor",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "visitor_key",
                    models.CharField(help_text="NULL once it was forgotten.", max_length=64, null=True, unique=True),
                ),
                ("joined_at", models.DateTimeField()),
                ("xid", retention.marks.MarkField(db_default=retention.marks.CurrentTransaction(), editable=False)),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="visitors",
                        to="customers.customer",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("visitor_key", ""), _negated=True), name="visitor_key_is_null_not_empty"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Return",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("reference", models.CharField(max_length=100, unique=True)),
                ("reason", models.CharField(blank=True, max_length=60)),
                ("amount_minor", models.BigIntegerField(help_text="Refunded, in the order's currency.")),
                ("base_minor", models.BigIntegerField()),
                ("occurred_at", models.DateTimeField()),
                ("recorded_at", models.DateTimeField()),
                ("xid", retention.marks.MarkField(db_default=retention.marks.CurrentTransaction(), editable=False)),
                (
                    "order",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="returns", to="customers.order"
                    ),
                ),
            ],
            options={
                "ordering": ["-occurred_at"],
                "indexes": [models.Index(fields=["xid"], name="return_mark")],
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("amount_minor__gte", 0)), name="refund_is_not_negative")
                ],
            },
        ),
        migrations.CreateModel(
            name="ReturnLine",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("quantity", models.PositiveIntegerField()),
                (
                    "line",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="returns", to="customers.orderline"
                    ),
                ),
                (
                    "of",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="lines", to="customers.return"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("of", "line"), name="a_line_once_a_return"),
                    models.CheckConstraint(condition=models.Q(("quantity__gte", 1)), name="something_came_back"),
                ]
            },
        ),
        migrations.CreateModel(
            name="Stock",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("place", models.CharField(max_length=60)),
                ("quantity", models.IntegerField()),
                ("xid", retention.marks.MarkField(db_default=retention.marks.CurrentTransaction(), editable=False)),
                (
                    "product",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="stocks", to="customers.product"
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "stock",
                "constraints": [models.UniqueConstraint(fields=("product", "place"), name="one_stock_a_place")],
            },
        ),
        migrations.CreateModel(
            name="CustomerStats",
            fields=[
                (
                    "customer",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="stats",
                        serialize=False,
                        to="customers.customer",
                    ),
                ),
                ("orders", models.PositiveIntegerField(default=0)),
                ("items", models.PositiveIntegerField(default=0)),
                ("first_order_at", models.DateTimeField(null=True)),
                ("last_order_at", models.DateTimeField(null=True)),
                ("spend_minor", models.BigIntegerField(default=0, help_text="Paid less refunded.")),
                ("refunds_minor", models.BigIntegerField(default=0)),
                ("discounts_minor", models.BigIntegerField(default=0)),
                ("average_order_minor", models.BigIntegerField(null=True)),
                (
                    "days_between_orders",
                    models.FloatField(help_text="Mean; known from the second order on.", null=True),
                ),
                (
                    "discount_share",
                    models.FloatField(help_text="Discounts over what the orders would have cost without.", null=True),
                ),
                ("favourite_category", models.CharField(blank=True, max_length=200)),
                ("last_seen_at", models.DateTimeField(null=True)),
                ("last_opened_at", models.DateTimeField(help_text="A message, by a human.", null=True)),
                ("xid", retention.marks.MarkField(db_default=retention.marks.CurrentTransaction(), editable=False)),
                (
                    "favourite_product",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="customers.product"
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "customer statistics",
                "indexes": [
                    models.Index(fields=["last_order_at"], name="stats_last_order"),
                    models.Index(fields=["spend_minor"], name="stats_spend"),
                    models.Index(fields=["xid"], name="stats_mark"),
                ],
            },
        ),
        migrations.AddIndex(
            model_name="consent",
            index=models.Index(fields=["customer", "channel", "purpose", "-occurred_at"], name="consent_history"),
        ),
        migrations.CreateModel(
            name="CustomerStage",
            fields=[
                (
                    "customer",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="lifecycle_stage",
                        serialize=False,
                        to="customers.customer",
                    ),
                ),
                ("since", models.DateTimeField()),
                ("xid", retention.marks.MarkField(db_default=retention.marks.CurrentTransaction(), editable=False)),
            ],
            options={"indexes": [models.Index(fields=["xid"], name="customer_stage_mark")]},
        ),
        migrations.CreateModel(
            name="LifeEvent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", retention.public_ids.PublicIdField()),
                ("about", models.CharField(blank=True, max_length=300)),
                (
                    "what",
                    models.CharField(choices=[("bought", "Bought"), ("did", "Did")], default="bought", max_length=6),
                ),
                (
                    "kind",
                    models.CharField(
                        blank=True, help_text="Key of an activity's kind.", max_length=60, verbose_name="activity"
                    ),
                ),
                (
                    "products",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=100),
                        blank=True,
                        default=list,
                        help_text="SKUs.",
                        size=None,
                    ),
                ),
                (
                    "categories",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=200),
                        blank=True,
                        default=list,
                        help_text="With all below them.",
                        size=None,
                    ),
                ),
                ("at_least", models.PositiveSmallIntegerField(default=2, verbose_name="how often")),
                ("within_days", models.PositiveSmallIntegerField(default=60, verbose_name="within days")),
                ("lasts_days", models.PositiveSmallIntegerField(default=365, verbose_name="holds for days")),
                ("archived_at", models.DateTimeField(editable=False, null=True)),
            ],
            options={
                "ordering": ["attribute"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("at_least__gte", 1), ("lasts_days__gte", 1), ("within_days__gte", 1)),
                        name="life_event_counts",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("kind", ""),
                                ("what", "bought"),
                                models.Q(
                                    models.Q(("products", []), _negated=True),
                                    models.Q(("categories", []), _negated=True),
                                    _connector="OR",
                                ),
                            ),
                            models.Q(("what", "did"), models.Q(("kind", ""), _negated=True)),
                            _connector="OR",
                        ),
                        name="life_event_names_something",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Rfm",
            fields=[
                (
                    "customer",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="rfm",
                        serialize=False,
                        to="customers.customer",
                    ),
                ),
                ("recency", models.PositiveSmallIntegerField()),
                ("frequency", models.PositiveSmallIntegerField()),
                ("monetary", models.PositiveSmallIntegerField()),
                ("group", models.CharField(help_text="Key of `customers.rfm`.", max_length=20)),
                (
                    "previous_group",
                    models.CharField(blank=True, help_text="The group before this one, if any.", max_length=20),
                ),
                ("computed_at", models.DateTimeField(help_text="Since when her scores are these.")),
                ("xid", retention.marks.MarkField(db_default=retention.marks.CurrentTransaction(), editable=False)),
            ],
            options={
                "verbose_name": "RFM score",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("frequency__range", (1, 5)), ("monetary__range", (1, 5)), ("recency__range", (1, 5))
                        ),
                        name="rfm_scores_are_fifths",
                    )
                ],
                "indexes": [
                    models.Index(fields=["group"], name="rfm_by_group"),
                    models.Index(fields=["xid"], name="rfm_mark"),
                ],
            },
        ),
        migrations.CreateModel(
            name="RfmChange",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("before", models.CharField(blank=True, max_length=20)),
                ("after", models.CharField(blank=True, max_length=20)),
                ("at", models.DateTimeField()),
                ("xid", retention.marks.MarkField(db_default=retention.marks.CurrentTransaction(), editable=False)),
            ],
            options={
                "verbose_name": "RFM change",
                "ordering": ["-id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("before", models.F("after")), _negated=True), name="an_rfm_change_changes"
                    )
                ],
                "indexes": [
                    models.Index(fields=["at"], name="rfm_change_by_time"),
                    models.Index(fields=["xid"], name="rfm_change_mark"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Stage",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", retention.public_ids.PublicIdField()),
                ("key", models.SlugField(max_length=60, unique=True)),
                ("name", models.JSONField(default=dict, help_text="By language.")),
                ("about", models.CharField(blank=True, help_text="Who is in it, in a sentence.", max_length=300)),
                (
                    "position",
                    models.PositiveSmallIntegerField(editable=False, help_text="NULL once it is archived.", null=True),
                ),
                ("rule", models.JSONField(blank=True, default=dict)),
                ("archived_at", models.DateTimeField(editable=False, null=True)),
            ],
            options={
                "ordering": ["position", "key"],
                "constraints": [
                    models.UniqueConstraint(
                        deferrable=django.db.models.constraints.Deferrable["DEFERRED"],
                        fields=("position",),
                        name="one_stage_a_position",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("archived_at__isnull", False), ("position", None)),
                            models.Q(("archived_at", None), ("position__isnull", False)),
                            _connector="OR",
                        ),
                        name="stages_in_use_have_a_position",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="StageChange",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField()),
                ("xid", retention.marks.MarkField(db_default=retention.marks.CurrentTransaction(), editable=False)),
            ],
            options={
                "ordering": ["-id"],
                "indexes": [
                    models.Index(fields=["at"], name="stage_change_by_time"),
                    models.Index(fields=["xid"], name="stage_change_mark"),
                ],
            },
        ),
        migrations.AddField(
            model_name="attributedefinition",
            name="is_sensitive",
            field=models.BooleanField(default=False, help_text="Never worded in messages.", verbose_name="sensitive"),
        ),
        migrations.AddField(
            model_name="lifeevent",
            name="attribute",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="life_event",
                to="customers.attributedefinition",
            ),
        ),
        migrations.AddField(
            model_name="lifeevent",
            name="version",
            field=models.ForeignKey(
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="audit.version",
            ),
        ),
        migrations.AddField(
            model_name="rfmchange",
            name="customer",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="rfm_changes",
                to="customers.customer",
            ),
        ),
        migrations.AddField(
            model_name="stage",
            name="version",
            field=models.ForeignKey(
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="audit.version",
            ),
        ),
        migrations.AddField(
            model_name="customerstage",
            name="stage",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="customers", to="customers.stage"
            ),
        ),
        migrations.AddField(
            model_name="stagechange",
            name="after",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="customers.stage",
            ),
        ),
        migrations.AddField(
            model_name="stagechange",
            name="before",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="customers.stage",
            ),
        ),
        migrations.AddField(
            model_name="stagechange",
            name="customer",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="stage_changes",
                to="customers.customer",
            ),
        ),
        migrations.AddIndex(
            model_name="rfmchange",
            index=models.Index(fields=["customer", "-id"], name="rfm_change_by_customer"),
        ),
        migrations.AddIndex(
            model_name="stagechange",
            index=models.Index(fields=["customer", "-id"], name="stage_change_by_customer"),
        ),
        migrations.AddConstraint(
            model_name="stagechange",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("after__isnull", False), ("before", None)),
                    models.Q(("after", None), ("before__isnull", False)),
                    models.Q(
                        ("after__isnull", False),
                        ("before__isnull", False),
                        models.Q(("before", models.F("after")), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="a_stage_change_changes",
            ),
        ),
    ]
