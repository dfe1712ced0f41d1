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
            name="ApiKey",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=80, unique=True)),
                (
                    "prefix",
                    models.CharField(help_text="The first symbols, to recognise it by.", max_length=12, unique=True),
                ),
                (
                    "secret_hash",
                    models.BinaryField(
                        help_text="SHA-256 of the whole key, which has 160 random bits.", max_length=32, unique=True
                    ),
                ),
                (
                    "scopes",
                    django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=40), size=None),
                ),
                (
                    "is_public",
                    models.BooleanField(
                        default=False,
                        help_text="Its answers reach strangers, as a storefront's do: they learn nothing of codes that do not work.",
                        verbose_name="for strangers",
                    ),
                ),
                ("created_at", models.DateTimeField()),
                ("last_used_on", models.DateField(null=True)),
                ("revoked_at", models.DateTimeField(blank=True, null=True)),
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
                "verbose_name": "API key",
                "verbose_name_plural": "API keys",
                "ordering": ["name"],
            },
        ),
        migrations.CreateModel(
            name="IdempotentAnswer",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(max_length=255)),
                (
                    "request_hash",
                    models.BinaryField(
                        help_text="Of method, path and body: another request under this key is refused.", max_length=32
                    ),
                ),
                ("status", models.SmallIntegerField()),
                ("body", models.JSONField(null=True)),
                ("at", models.DateTimeField()),
                (
                    "api_key",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="doors.apikey"),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["at"], name="idempotent_answer_by_age")],
                "constraints": [models.UniqueConstraint(fields=("api_key", "key"), name="one_answer_a_key")],
            },
        ),
    ]
