import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import retention.marks
import retention.public_ids
from retention.constraints import append_only


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("audit", "0001_initial"),
        ("customers", "0001_initial"),
        ("incentives", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Outage",
            fields=[
                (
                    "channel",
                    models.CharField(
                        choices=[
                            ("email", "email"),
                            ("sms", "text message"),
                            ("push", "push notice"),
                            ("inbox", "inbox on the shop's site"),
                            ("webhook", "webhook"),
                        ],
                        max_length=10,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("failures", models.PositiveIntegerField(default=0, help_text="In a row.")),
                ("since", models.DateTimeField(help_text="The first of these failures.", null=True)),
                ("until", models.DateTimeField(help_text="Nothing is handed over before.", null=True)),
                ("reason", models.CharField(blank=True, max_length=60)),
            ],
        ),
        migrations.CreateModel(
            name="Pace",
            fields=[
                (
                    "channel",
                    models.CharField(
                        choices=[
                            ("email", "email"),
                            ("sms", "text message"),
                            ("push", "push notice"),
                            ("inbox", "inbox on the shop's site"),
                            ("webhook", "webhook"),
                        ],
                        max_length=10,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("next_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="Topic",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "key",
                    models.CharField(
                        help_text="As templates and consents name it (topic:key); it stays as it is.",
                        max_length=50,
                        unique=True,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^[a-z0-9_-]+$", "Small letters, digits, - and _ only.", code="not_a_key"
                            )
                        ],
                    ),
                ),
                ("names", models.JSONField(help_text="What customers read, by language.")),
                ("archived_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "ordering": ["key"],
            },
        ),
        migrations.CreateModel(
            name="Block",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.SlugField(help_text="As templates name it; it stays as it is.", unique=True)),
                ("name", models.CharField(max_length=120)),
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
                "ordering": ["key"],
            },
        ),
        migrations.CreateModel(
            name="PushSubscription",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("endpoint", models.URLField(max_length=500, unique=True)),
                ("p256dh", models.CharField(max_length=120)),
                ("auth", models.CharField(max_length=60)),
                ("since", models.DateTimeField()),
                ("gone_at", models.DateTimeField(help_text="The push service knows it no more.", null=True)),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="push_subscriptions",
                        to="customers.customer",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Suppression",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "channel",
                    models.CharField(
                        choices=[
                            ("email", "email"),
                            ("sms", "text message"),
                            ("push", "push notice"),
                            ("inbox", "inbox on the shop's site"),
                            ("webhook", "webhook"),
                        ],
                        max_length=10,
                    ),
                ),
                ("address_hash", models.BinaryField(max_length=32)),
                (
                    "why",
                    models.CharField(
                        choices=[
                            ("bounce", "mail came back"),
                            ("complaint", "complained about spam"),
                            ("unsubscribed", "unsubscribed"),
                            ("erased", "was forgotten"),
                            ("by hand", "by hand"),
                        ],
                        max_length=12,
                    ),
                ),
                ("marketing_only", models.BooleanField(default=False)),
                ("since", models.DateTimeField()),
            ],
            options={
                "ordering": ["-id"],
                "permissions": [("lift_suppression", "Can let an address be written to again")],
                "constraints": [models.UniqueConstraint(fields=("channel", "address_hash"), name="suppressed_once")],
            },
        ),
        migrations.CreateModel(
            name="Template",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", retention.public_ids.PublicIdField()),
                (
                    "key",
                    models.SlugField(
                        blank=True, help_text="Of a ready template.", max_length=60, null=True, unique=True
                    ),
                ),
                ("name", models.CharField(max_length=120)),
                (
                    "channel",
                    models.CharField(
                        choices=[
                            ("email", "email"),
                            ("sms", "text message"),
                            ("push", "push notice"),
                            ("inbox", "inbox on the shop's site"),
                            ("webhook", "webhook"),
                        ],
                        default="email",
                        max_length=10,
                    ),
                ),
                (
                    "category",
                    models.CharField(
                        choices=[
                            ("marketing", "marketing: needs consent"),
                            ("transactional", "transactional: someone is waiting for it"),
                        ],
                        default="marketing",
                        max_length=15,
                    ),
                ),
                (
                    "topic",
                    models.CharField(blank=True, help_text="Consent for it is asked beside marketing.", max_length=60),
                ),
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
                "permissions": [("send_test_template", "Can send a test of a template to herself")],
            },
        ),
        migrations.CreateModel(
            name="Delivery",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", retention.public_ids.PublicIdField()),
                ("origin", models.CharField(help_text="On whose behalf, such as `campaigns.touch`.", max_length=40)),
                ("origin_id", models.BigIntegerField()),
                (
                    "group_id",
                    models.BigIntegerField(
                        help_text="What the origin's rows have in common, such as their campaign: figures go by it.",
                        null=True,
                    ),
                ),
                ("step", models.PositiveSmallIntegerField(default=0)),
                (
                    "channel",
                    models.CharField(
                        choices=[
                            ("email", "email"),
                            ("sms", "text message"),
                            ("push", "push notice"),
                            ("inbox", "inbox on the shop's site"),
                            ("webhook", "webhook"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "context",
                    models.JSONField(default=dict, help_text="Primitive values the origin adds to the placeholders."),
                ),
                ("is_transactional", models.BooleanField(default=False)),
                (
                    "is_ghost",
                    models.BooleanField(
                        db_default=False,
                        help_text="Of a customer held out for the sake of proof: it lives the same life, unsent.",
                    ),
                ),
                ("priority", models.SmallIntegerField(default=0)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("queued", "Queued"),
                            ("held", "Held"),
                            ("claimed", "Claimed"),
                            ("sending", "Sending"),
                            ("sent", "Sent"),
                            ("withheld", "Withheld"),
                            ("bounced", "Bounced"),
                            ("failed", "Failed"),
                            ("suppressed", "Suppressed"),
                            ("unknown", "Unknown"),
                        ],
                        default="queued",
                        max_length=10,
                    ),
                ),
                (
                    "reason",
                    models.CharField(
                        blank=True, help_text="Stable code of why it was held, skipped or failed.", max_length=60
                    ),
                ),
                ("params", models.JSONField(default=dict, help_text="Of the reason; no personal text.")),
                (
                    "language",
                    models.CharField(blank=True, help_text="It was written in, once handed over.", max_length=12),
                ),
                ("queued_at", models.DateTimeField()),
                ("not_before", models.DateTimeField(help_text="Due to leave, or to be tried again, from then on.")),
                ("held_at", models.DateTimeField(help_text="First held back; given up a week later.", null=True)),
                (
                    "left_at",
                    models.DateTimeField(help_text="Its hand-over began; caps on frequency count from it.", null=True),
                ),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("lease_until", models.DateTimeField(null=True)),
                ("claimed_by", models.CharField(blank=True, max_length=60)),
                ("ended_at", models.DateTimeField(help_text="Sent, withheld, or ended unsent.", null=True)),
                ("provider_id", models.CharField(blank=True, max_length=200)),
                ("xid", retention.marks.MarkField(db_default=retention.marks.CurrentTransaction(), editable=False)),
                (
                    "customer",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="deliveries",
                        to="customers.customer",
                    ),
                ),
                (
                    "grant",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="deliveries",
                        to="incentives.grant",
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
                    "template",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="deliveries",
                        to="messaging.template",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "deliveries",
                "ordering": ["-id"],
                "permissions": [("settle_delivery", "Can decide about messages whose end is unknown")],
                "constraints": [
                    models.UniqueConstraint(fields=("origin", "origin_id", "step", "channel"), name="delivered_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("lease_until__isnull", False), ("state__in", ["claimed", "sending"])),
                            models.Q(
                                ("lease_until", None), models.Q(("state__in", ["claimed", "sending"]), _negated=True)
                            ),
                            _connector="OR",
                        ),
                        name="leased_while_in_hand",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("ended_at", None), ("state__in", ["queued", "held", "claimed", "sending"])),
                            models.Q(
                                ("ended_at__isnull", False),
                                ("state__in", ["sent", "withheld", "bounced", "failed", "suppressed", "unknown"]),
                            ),
                            _connector="OR",
                        ),
                        name="ended_when_over",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("left_at", None),
                            ("state__in", ["sending", "sent", "withheld", "bounced", "unknown"]),
                            _connector="OR",
                        ),
                        name="left_when_under_way",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("is_ghost", True), models.Q(("state", "withheld"), _negated=True), _connector="OR"
                        ),
                        name="withheld_from_ghosts",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("is_ghost", False),
                            models.Q(("state__in", ["sent", "bounced"]), _negated=True),
                            _connector="OR",
                        ),
                        name="ghosts_never_leave",
                    ),
                ],
                "indexes": [
                    models.Index(
                        models.F("is_transactional"),
                        models.F("channel"),
                        models.OrderBy(models.F("priority"), descending=True),
                        models.F("not_before"),
                        models.F("id"),
                        condition=models.Q(("state__in", ["queued", "held"])),
                        name="delivery_due_by_priority",
                    ),
                    models.Index(
                        condition=models.Q(("state__in", ["claimed", "sending"])),
                        fields=["lease_until"],
                        name="delivery_leased",
                    ),
                    models.Index(fields=["customer", "-id"], name="delivery_by_customer"),
                    models.Index(
                        condition=models.Q(
                            ("is_transactional", False),
                            models.Q(
                                ("left_at__isnull", False),
                                ("state__in", ["queued", "held", "claimed"]),
                                _connector="OR",
                            ),
                        ),
                        fields=["customer", "left_at"],
                        name="delivery_that_counts",
                    ),
                    models.Index(
                        condition=models.Q(("grant__isnull", False)), fields=["grant"], name="delivery_by_grant"
                    ),
                    models.Index(
                        condition=models.Q(
                            ("state__in", ["held", "withheld", "bounced", "failed", "suppressed", "unknown"])
                        ),
                        fields=["state", "-id"],
                        name="delivery_to_look_at",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="BrandKit",
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
                "verbose_name_plural": "brand kit",
                "constraints": [models.CheckConstraint(condition=models.Q(("id", 1)), name="brand_kit_is_single")],
            },
        ),
        migrations.CreateModel(
            name="CompiledTemplate",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("language", models.CharField(max_length=12)),
                ("subject", models.TextField(blank=True)),
                ("html", models.TextField(blank=True)),
                ("text", models.TextField()),
                ("url", models.TextField(blank=True, help_text="Where a notice leads; still Liquid.")),
                ("placeholders", models.JSONField(default=list, help_text="Keys it uses: only these are looked up.")),
                (
                    "version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="compiled_templates",
                        to="audit.version",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("version", "language"), name="compiled_once_a_language")
                ],
            },
        ),
        migrations.CreateModel(
            name="Event",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("delivered", "delivered"),
                            ("opened", "opened"),
                            ("clicked", "clicked"),
                            ("soft_bounced", "bounced for now"),
                            ("bounced", "bounced for good"),
                            ("complained", "complained about as spam"),
                            ("unsubscribed", "unsubscribed"),
                        ],
                        max_length=12,
                    ),
                ),
                ("at", models.DateTimeField()),
                ("recorded_at", models.DateTimeField()),
                (
                    "is_machine",
                    models.BooleanField(
                        default=False, help_text="A scanner or a prefetching mail program, not a person."
                    ),
                ),
                ("link", models.SmallIntegerField(help_text="Which of the message's links, from 0.", null=True)),
                (
                    "source",
                    models.CharField(help_text="Whoever tells it twice is heard once.", max_length=120, unique=True),
                ),
                (
                    "detail",
                    models.CharField(blank=True, help_text="The provider's status or reason code.", max_length=60),
                ),
                ("xid", retention.marks.MarkField(db_default=retention.marks.CurrentTransaction(), editable=False)),
                (
                    "delivery",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="events", to="messaging.delivery"
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "indexes": [models.Index(fields=["xid"], name="event_by_mark")],
            },
        ),
        migrations.CreateModel(
            name="InboxMessage",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", retention.public_ids.PublicIdField()),
                ("subject", models.TextField(blank=True)),
                ("text", models.TextField(blank=True)),
                ("url", models.TextField(blank=True)),
                ("at", models.DateTimeField()),
                ("read_at", models.DateTimeField(null=True)),
                (
                    "customer",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="inbox",
                        to="customers.customer",
                    ),
                ),
                (
                    "delivery",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="inbox_message",
                        to="messaging.delivery",
                        to_field="public_id",
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "indexes": [models.Index(fields=["customer", "-id"], name="inbox_by_customer")],
            },
        ),
        migrations.CreateModel(
            name="MessagingPolicy",
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
                "verbose_name_plural": "messaging policy",
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("id", 1)), name="messaging_policy_is_single")
                ],
            },
        ),
        migrations.CreateModel(
            name="Pause",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "channel",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("email", "email"),
                            ("sms", "text message"),
                            ("push", "push notice"),
                            ("inbox", "inbox on the shop's site"),
                            ("webhook", "webhook"),
                        ],
                        help_text="A whole channel, or empty.",
                        max_length=10,
                    ),
                ),
                ("origin", models.CharField(blank=True, max_length=40)),
                ("group_id", models.BigIntegerField(null=True)),
                ("reason", models.CharField(max_length=60)),
                ("params", models.JSONField(default=dict)),
                (
                    "counted",
                    models.JSONField(
                        default=dict, help_text="What had been counted when it was lifted; only more counts."
                    ),
                ),
                ("since", models.DateTimeField()),
                ("lifted_at", models.DateTimeField(null=True)),
                (
                    "lifted_by",
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
                "permissions": [("lift_pause", "Can let a paused campaign or channel send again")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("lifted_at", None)),
                        fields=("channel", "origin", "group_id"),
                        name="paused_once",
                        nulls_distinct=False,
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Tally",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("origin", models.CharField(max_length=40)),
                ("group_id", models.BigIntegerField(help_text="Such as the campaign.", null=True)),
                (
                    "channel",
                    models.CharField(
                        choices=[
                            ("email", "email"),
                            ("sms", "text message"),
                            ("push", "push notice"),
                            ("inbox", "inbox on the shop's site"),
                            ("webhook", "webhook"),
                        ],
                        max_length=10,
                    ),
                ),
                ("day", models.DateField(help_text="In UTC.")),
                (
                    "kind",
                    models.CharField(
                        help_text="sent, withheld, unknown, unsent, or the kind of an event: the first of its message.",
                        max_length=12,
                    ),
                ),
                ("is_machine", models.BooleanField(default=False)),
                ("count", models.BigIntegerField()),
                (
                    "version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="audit.version"
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "tallies",
                "indexes": [
                    models.Index(fields=["version", "kind"], name="tally_by_version"),
                    models.Index(fields=["origin", "group_id", "kind"], name="tally_by_group"),
                    models.Index(fields=["day", "channel", "kind"], name="tally_by_day"),
                ],
            },
        ),
        append_only("messaging_event"),
    ]
