import django.contrib.auth.models
import django.contrib.auth.validators
import django.contrib.postgres.fields
import django.utils.timezone
from django.db import migrations, models

import retention.shop.models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [
        migrations.CreateModel(
            name="Staff",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("password", models.CharField(max_length=128, verbose_name="password")),
                ("last_login", models.DateTimeField(blank=True, null=True, verbose_name="last login")),
                (
                    "is_superuser",
                    models.BooleanField(
                        default=False,
                        help_text="Designates that this user has all permissions without explicitly assigning them.",
                        verbose_name="superuser status",
                    ),
                ),
                (
                    "username",
                    models.CharField(
                        error_messages={"unique": "A user with that username already exists."},
                        help_text="Required. 150 characters or fewer. Letters, digits and @/./+/-/_ only.",
                        max_length=150,
                        unique=True,
                        validators=[django.contrib.auth.validators.UnicodeUsernameValidator()],
                        verbose_name="username",
                    ),
                ),
                ("first_name", models.CharField(blank=True, max_length=150, verbose_name="first name")),
                ("last_name", models.CharField(blank=True, max_length=150, verbose_name="last name")),
                ("email", models.EmailField(blank=True, max_length=254, verbose_name="email address")),
                (
                    "is_staff",
                    models.BooleanField(
                        default=False,
                        help_text="Designates whether the user can log into this admin site.",
                        verbose_name="staff status",
                    ),
                ),
                (
                    "is_active",
                    models.BooleanField(
                        default=True,
                        help_text="Designates whether this user should be treated as active. Unselect this instead of deleting accounts.",
                        verbose_name="active",
                    ),
                ),
                ("date_joined", models.DateTimeField(default=django.utils.timezone.now, verbose_name="date joined")),
                (
                    "groups",
                    models.ManyToManyField(
                        blank=True,
                        help_text="The groups this user belongs to. A user will get all permissions granted to each of their groups.",
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.group",
                        verbose_name="groups",
                    ),
                ),
                (
                    "user_permissions",
                    models.ManyToManyField(
                        blank=True,
                        help_text="Specific permissions for this user.",
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.permission",
                        verbose_name="user permissions",
                    ),
                ),
            ],
            options={
                "verbose_name": "member of staff",
                "verbose_name_plural": "staff",
            },
            managers=[
                ("objects", django.contrib.auth.models.UserManager()),
            ],
        ),
        migrations.CreateModel(
            name="ExchangeRate",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("currency", models.CharField(max_length=3, validators=[retention.shop.models.check_currency])),
                ("on", models.DateField()),
                ("rate", models.DecimalField(decimal_places=9, help_text="Base currency for one unit.", max_digits=18)),
            ],
            options={
                "ordering": ["currency", "-on"],
                "constraints": [
                    models.UniqueConstraint(fields=("currency", "on"), name="one_rate_a_day"),
                    models.CheckConstraint(condition=models.Q(("rate__gt", 0)), name="rate_is_positive"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Shop",
            fields=[
                ("id", models.SmallIntegerField(default=1, editable=False, primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=120)),
                ("time_zone", models.CharField(max_length=64, validators=[retention.shop.models.check_zone])),
                (
                    "currency",
                    models.CharField(
                        help_text="Statistics and reports are in it.",
                        max_length=3,
                        validators=[retention.shop.models.check_currency],
                        verbose_name="base currency",
                    ),
                ),
                (
                    "languages",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=12),
                        default=retention.shop.models.default_languages,
                        help_text="The first is the default.",
                        size=None,
                    ),
                ),
                ("country", models.CharField(blank=True, max_length=2)),
                ("sender_name", models.CharField(blank=True, max_length=120)),
                ("sender_email", models.EmailField(blank=True, max_length=254)),
                (
                    "postal_address",
                    models.TextField(blank=True, help_text="Shown at the foot of every marketing mail."),
                ),
                (
                    "has_double_opt_in",
                    models.BooleanField(
                        default=False,
                        help_text="A yes to email that your systems tell without proof counts once she has confirmed"
                        " it by mail.",
                        verbose_name="double opt-in",
                    ),
                ),
                ("brand_color", models.CharField(default="#1f2937", max_length=7)),
                ("logo_url", models.URLField(blank=True)),
                ("website_url", models.URLField(blank=True)),
                (
                    "cart_link",
                    models.CharField(
                        blank=True,
                        help_text="Address that fills a cart; {items} stands for SKU:quantity, with commas: https://shop.example.com/cart?add={items}",
                        max_length=300,
                        verbose_name="cart link",
                    ),
                ),
            ],
            options={
                "verbose_name": "shop",
                "verbose_name_plural": "shop",
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("id", 1)), name="shop_is_single"),
                    models.CheckConstraint(condition=models.Q(("languages__len__gte", 1)), name="shop_has_a_language"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("cart_link", ""), ("cart_link__regex", "^https?://.*\\{items\\}"), _connector="OR"
                        ),
                        name="cart_link_has_its_items",
                        violation_error_message="Write an address with {items} in it.",
                    ),
                ],
            },
        ),
    ]
