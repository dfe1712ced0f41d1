import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.text
from django.conf import settings
from django.db import migrations, models

import retention.marks
import retention.public_ids


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("audit", "0002_append_only"),
        ("customers", "0002_append_only"),
        ("incentives", "0002_counters_and_checkout"),
        ("messaging", "0001_initial"),
        ("segments", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Campaign",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", retention.public_ids.PublicIdField()),
                ("name", models.CharField(max_length=120)),
                (
                    "playbook",
                    models.CharField(blank=True, help_text="Key of the playbook it came from.", max_length=60),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("draft", "Draft"),
                            ("review", "in review"),
                            ("approved", "Approved"),
                            ("scheduled", "Scheduled"),
                            ("live", "Live"),
                            ("paused", "Paused"),
                            ("ended", "Ended"),
                        ],
                        default="draft",
                        max_length=10,
                    ),
                ),
                (
                    "countries",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=2),
                        blank=True,
                        default=list,
                        help_text="Of the customer; empty: all.",
                        size=None,
                    ),
                ),
                ("occasion", models.CharField(help_text="Key of the occasion.", max_length=60)),
                ("occasion_args", models.JSONField(blank=True, default=dict)),
                (
                    "lateness_hours",
                    models.PositiveSmallIntegerField(
                        default=48, help_text="A day missed is caught up once, if not later than this."
                    ),
                ),
                ("priority", models.SmallIntegerField(default=0)),
                ("starts_at", models.DateTimeField(blank=True, null=True)),
                ("ends_at", models.DateTimeField(blank=True, null=True)),
                (
                    "review_note",
                    models.CharField(
                        blank=True,
                        editable=False,
                        help_text="Why it was sent back, until it is submitted again.",
                        max_length=300,
                    ),
                ),
                ("launched_at", models.DateTimeField(editable=False, null=True)),
                (
                    "stopped_at",
                    models.DateTimeField(
                        editable=False,
                        help_text="Ended by hand: then what waits in the outbox is not sent either.",
                        null=True,
                    ),
                ),
                ("archived_at", models.DateTimeField(blank=True, null=True)),
                (
                    "approved_by",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "approved_version",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="audit.version",
                    ),
                ),
                (
                    "audience",
                    models.ForeignKey(
                        blank=True,
                        help_text="Empty: everyone.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="campaigns",
                        to="segments.segment",
                    ),
                ),
                (
                    "excluded",
                    models.ForeignKey(
                        blank=True,
                        help_text="Not those in it.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="segments.segment",
                    ),
                ),
                (
                    "submitted_by",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
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
                    ("approve_campaign", "Can approve campaigns"),
                    ("launch_campaign", "Can launch, pause and end campaigns"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("starts_at", None),
                            ("ends_at", None),
                            ("starts_at__lt", models.F("ends_at")),
                            _connector="OR",
                        ),
                        name="campaign_is_half_open",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state__in", ["draft", "review", "ended"]),
                            ("approved_version__isnull", False),
                            _connector="OR",
                        ),
                        name="approved_before_live",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Reach",
            fields=[
                (
                    "campaign",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="reach",
                        serialize=False,
                        to="campaigns.campaign",
                    ),
                ),
                ("at", models.DateTimeField(help_text="Occasions due before it have been looked at.")),
                ("mark", retention.marks.Xid8Field(help_text="Facts of transactions before it have been looked at.")),
                ("opens_at", models.DateTimeField(help_text="The launch: nobody is touched as of an earlier instant.")),
                (
                    "phase",
                    models.CharField(
                        choices=[
                            ("rest", "Rest"),
                            ("fresh", "what fell due since the last look"),
                            ("late", "what became due late, by facts that came since"),
                        ],
                        default="rest",
                        max_length=5,
                    ),
                ),
                ("until", models.DateTimeField(help_text="Where the look under way ends.", null=True)),
                ("until_mark", retention.marks.Xid8Field(null=True)),
                ("position", models.BigIntegerField(default=0, help_text="The next customer of the look under way.")),
                (
                    "is_revived",
                    models.BooleanField(default=False, help_text="Those skipped before were looked at in this look."),
                ),
                (
                    "ramp",
                    models.JSONField(
                        help_text="How far it is opened: {percent: …} or {first: …}; null: to everyone.", null=True
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "reaches",
            },
        ),
        migrations.CreateModel(
            name="CampaignPolicy",
            fields=[
                ("id", models.SmallIntegerField(default=1, editable=False, primary_key=True, serialize=False)),
                (
                    "approval_above_minor",
                    models.BigIntegerField(
                        default=0,
                        help_text="A campaign that may cost more than this needs another person's approval.",
                        verbose_name="approval above",
                    ),
                ),
                ("currency", models.CharField(max_length=3)),
                (
                    "is_one_person_shop",
                    models.BooleanField(
                        default=False,
                        help_text="Whoever made a campaign may approve it as well.",
                        verbose_name="one-person shop",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "campaign policy",
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("id", 1)), name="one_campaign_policy"),
                    models.CheckConstraint(
                        condition=models.Q(("approval_above_minor__gte", 0)), name="approval_from_nought"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Holiday",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("country", models.CharField(help_text="ISO 3166 code, such as DE.", max_length=2)),
                ("on", models.DateField()),
                (
                    "key",
                    models.CharField(help_text="Its English name in slug form; stable over the years.", max_length=80),
                ),
                ("name", models.CharField(max_length=200)),
                (
                    "names",
                    models.JSONField(
                        default=dict,
                        editable=False,
                        help_text="By language, where it was computed; a mail says it in its own.",
                    ),
                ),
                ("is_edited", models.BooleanField(default=False, editable=False)),
                ("is_observed", models.BooleanField(default=True, verbose_name="in use")),
            ],
            options={
                "ordering": ["on", "country"],
                "indexes": [models.Index(fields=["country", "key"], name="holiday_by_key")],
                "constraints": [models.UniqueConstraint(fields=("country", "on", "key"), name="one_holiday_a_day")],
            },
        ),
        migrations.CreateModel(
            name="Quota",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "period",
                    models.CharField(
                        blank=True, help_text="Empty: in all; else the shop's day, 2026-05-12.", max_length=10
                    ),
                ),
                ("taken", models.PositiveIntegerField(default=0)),
                (
                    "campaign",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="quotas", to="campaigns.campaign"
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("campaign", "period"), name="one_quota_a_period")]
            },
        ),
        migrations.CreateModel(
            name="Touch",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "occasion",
                    models.CharField(help_text="A year or a count, never a date that can be edited.", max_length=120),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("due", "a step is to be taken"),
                            ("held", "waits until the campaign is opened to more"),
                            ("waiting", "its last message is on its way"),
                            ("done", "Done"),
                            ("skipped", "Skipped"),
                        ],
                        default="due",
                        max_length=10,
                    ),
                ),
                ("reason", models.CharField(blank=True, help_text="Stable code of why it was skipped.", max_length=60)),
                ("step", models.PositiveSmallIntegerField(default=0, help_text="The next one to take.")),
                ("due_at", models.DateTimeField(help_text="When the occasion fell.")),
                ("next_at", models.DateTimeField(help_text="When the next step is to be taken.", null=True)),
                (
                    "about",
                    models.JSONField(
                        default=dict, help_text="What messages may say of the occasion, such as years or a name."
                    ),
                ),
                (
                    "variant",
                    models.CharField(blank=True, db_default="", default="", help_text="Empty: no test.", max_length=20),
                ),
                (
                    "is_ghost",
                    models.BooleanField(
                        db_default=False,
                        default=False,
                        help_text="Nothing is given to her, and nothing leaves.",
                        verbose_name="held out",
                    ),
                ),
                (
                    "converted_at",
                    models.DateTimeField(help_text="When she first did what the campaign is for.", null=True),
                ),
                ("enlisted_at", models.DateTimeField()),
                ("begun_at", models.DateTimeField(help_text="When its first step was taken.", null=True)),
                ("ended_at", models.DateTimeField(help_text="When nothing more was to come.", null=True)),
                ("xid", retention.marks.MarkField(db_default=retention.marks.CurrentTransaction(), editable=False)),
                (
                    "campaign",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="touches",
                        to="campaigns.campaign",
                    ),
                ),
                (
                    "converted_order",
                    models.ForeignKey(
                        db_index=False,
                        help_text="By this order.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="customers.order",
                    ),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="touches",
                        to="customers.customer",
                    ),
                ),
                (
                    "grant",
                    models.ForeignKey(
                        db_index=False,
                        help_text="The one that the occasion is about; those it brings name the touch as their origin.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
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
            ],
            options={
                "verbose_name_plural": "touches",
                "ordering": ["-id"],
                "constraints": [
                    models.UniqueConstraint(fields=("campaign", "customer", "occasion"), name="touched_once")
                ],
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "due")), fields=["campaign", "next_at"], name="touch_due"
                    ),
                    models.Index(
                        condition=models.Q(
                            ("reason__in", ["campaigns.no_consent", "campaigns.no_address"]), ("state", "skipped")
                        ),
                        fields=["campaign", "customer"],
                        name="touch_to_revive",
                    ),
                    models.Index(condition=models.Q(("state", "held")), fields=["campaign", "id"], name="touch_held"),
                    models.Index(fields=["campaign", "-id"], name="touch_by_campaign"),
                    models.Index(fields=["customer", "-id"], name="touch_by_customer"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Calendar",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "countries",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=2),
                        blank=True,
                        default=list,
                        help_text="ISO codes: DE, KR.",
                        size=None,
                    ),
                ),
                (
                    "regions",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=100),
                        blank=True,
                        default=list,
                        help_text="Empty: the whole of these countries.",
                        size=None,
                    ),
                ),
                (
                    "cities",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=100),
                        blank=True,
                        default=list,
                        help_text="Empty: everywhere in them.",
                        size=None,
                    ),
                ),
                ("latitude", models.FloatField(blank=True, null=True)),
                ("longitude", models.FloatField(blank=True, null=True)),
                (
                    "radius_km",
                    models.PositiveIntegerField(
                        blank=True, help_text="Around the point.", null=True, verbose_name="radius in km"
                    ),
                ),
                ("public_id", retention.public_ids.PublicIdField()),
                ("name", models.CharField(max_length=120)),
                (
                    "url",
                    models.URLField(
                        blank=True,
                        help_text="An .ics file; empty: filled by hand or by upload.",
                        max_length=500,
                        verbose_name="address of the feed",
                    ),
                ),
                (
                    "theme",
                    models.SlugField(
                        blank=True, help_text="One word that campaigns ask for, such as music.", max_length=60
                    ),
                ),
                ("tried_at", models.DateTimeField(editable=False, null=True)),
                (
                    "read_at",
                    models.DateTimeField(editable=False, help_text="When its events were last read whole.", null=True),
                ),
                ("error", models.CharField(blank=True, editable=False, max_length=300)),
                ("archived_at", models.DateTimeField(editable=False, null=True)),
                (
                    "incentive",
                    models.ForeignKey(
                        blank=True,
                        help_text="Instead of the step's.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="incentives.incentive",
                    ),
                ),
            ],
            options={
                "ordering": ["name"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("countries__len__gte", 1),
                            models.Q(
                                ("latitude__range", (-90, 90)),
                                ("longitude__range", (-180, 180)),
                                ("radius_km__range", (1, 20000)),
                            ),
                            _connector="OR",
                        ),
                        name="calendar_is_somewhere",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("latitude", None), ("longitude", None), ("radius_km", None)),
                            models.Q(
                                ("latitude__range", (-90, 90)),
                                ("longitude__range", (-180, 180)),
                                ("radius_km__range", (1, 20000)),
                            ),
                            _connector="OR",
                        ),
                        name="calendar_radius_has_a_point",
                    ),
                    models.UniqueConstraint(
                        django.db.models.functions.text.Lower("name"),
                        condition=models.Q(("archived_at", None)),
                        name="one_live_calendar_a_name",
                        violation_error_message="There is a calendar of this name already.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Call",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.SlugField(db_index=False, help_text="What campaigns listen to.", max_length=60)),
                (
                    "source",
                    models.CharField(help_text="The caller's own key: the same one calls once.", max_length=100),
                ),
                ("about", models.JSONField(default=dict, help_text="What messages may say of it.")),
                ("at", models.DateTimeField()),
                ("xid", retention.marks.MarkField(db_default=retention.marks.CurrentTransaction(), editable=False)),
                (
                    "customer",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="calls",
                        to="customers.customer",
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "constraints": [models.UniqueConstraint(fields=("name", "customer", "source"), name="a_call_once")],
                "indexes": [
                    models.Index(fields=["name", "at"], name="call_by_name"),
                    models.Index(fields=["customer", "-id"], name="call_by_customer"),
                    models.Index(fields=["xid"], name="call_mark"),
                ],
            },
        ),
        migrations.CreateModel(
            name="LocalEvent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "countries",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=2),
                        blank=True,
                        default=list,
                        help_text="ISO codes: DE, KR.",
                        size=None,
                    ),
                ),
                (
                    "regions",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=100),
                        blank=True,
                        default=list,
                        help_text="Empty: the whole of these countries.",
                        size=None,
                    ),
                ),
                (
                    "cities",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=100),
                        blank=True,
                        default=list,
                        help_text="Empty: everywhere in them.",
                        size=None,
                    ),
                ),
                ("latitude", models.FloatField(blank=True, null=True)),
                ("longitude", models.FloatField(blank=True, null=True)),
                (
                    "radius_km",
                    models.PositiveIntegerField(
                        blank=True, help_text="Around the point.", null=True, verbose_name="radius in km"
                    ),
                ),
                ("public_id", retention.public_ids.PublicIdField()),
                ("uid", models.CharField(max_length=255)),
                ("name", models.CharField(max_length=200)),
                ("theme", models.SlugField(blank=True, max_length=60)),
                ("is_observed", models.BooleanField(default=True, verbose_name="in use")),
                ("is_edited", models.BooleanField(default=False, editable=False)),
                (
                    "calendar",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="events",
                        to="campaigns.calendar",
                    ),
                ),
                (
                    "incentive",
                    models.ForeignKey(
                        blank=True,
                        help_text="Instead of the step's.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="incentives.incentive",
                    ),
                ),
            ],
            options={
                "ordering": ["name", "id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("countries__len__gte", 1),
                            models.Q(
                                ("latitude__range", (-90, 90)),
                                ("longitude__range", (-180, 180)),
                                ("radius_km__range", (1, 20000)),
                            ),
                            _connector="OR",
                        ),
                        name="event_is_somewhere",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("latitude", None), ("longitude", None), ("radius_km", None)),
                            models.Q(
                                ("latitude__range", (-90, 90)),
                                ("longitude__range", (-180, 180)),
                                ("radius_km__range", (1, 20000)),
                            ),
                            _connector="OR",
                        ),
                        name="event_radius_has_a_point",
                    ),
                    models.UniqueConstraint(fields=("calendar", "uid"), name="one_event_a_uid"),
                ],
                "indexes": [models.Index(fields=["theme"], name="event_by_theme")],
            },
        ),
        migrations.CreateModel(
            name="EventDay",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("on", models.DateField()),
                (
                    "event",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="days", to="campaigns.localevent"
                    ),
                ),
            ],
            options={
                "ordering": ["on"],
                "constraints": [models.UniqueConstraint(fields=("event", "on"), name="an_event_begins_once_a_day")],
                "indexes": [models.Index(fields=["on"], name="event_by_day")],
            },
        ),
        migrations.CreateModel(
            name="Place",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("country", models.CharField(max_length=2)),
                ("city", models.CharField(max_length=100)),
                ("latitude", models.FloatField()),
                ("longitude", models.FloatField()),
            ],
            options={
                "ordering": ["country", "city"],
                "constraints": [
                    models.UniqueConstraint(
                        models.F("country"), django.db.models.functions.text.Lower("city"), name="one_place_a_city"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("latitude__range", (-90, 90)), ("longitude__range", (-180, 180))),
                        name="place_is_on_earth",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("country__regex", "^[A-Z]{2}$")), name="place_country_is_iso"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Board",
            fields=[
                ("id", models.SmallIntegerField(default=1, editable=False, primary_key=True, serialize=False)),
                ("computed_at", models.DateTimeField(null=True)),
                ("computed_ms", models.PositiveIntegerField(null=True)),
                ("asked_at", models.DateTimeField(help_text="Somebody asked for it since it was counted.", null=True)),
                (
                    "days",
                    models.JSONField(
                        default=dict,
                        help_text="Day → customers touched, shared by several campaigns, and by which: [[1, 2, heads]].",
                    ),
                ),
                ("failed", models.JSONField(default=list, help_text="Campaigns that could not be counted.")),
            ],
            options={
                "constraints": [models.CheckConstraint(condition=models.Q(("id", 1)), name="one_board")],
            },
        ),
        migrations.CreateModel(
            name="BackTest",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("first", models.DateField(help_text="First day of the shop's that is looked at.")),
                ("last", models.DateField(help_text="Last one.")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("running", "Running"),
                            ("done", "Done"),
                            ("failed", "Failed"),
                        ],
                        default="waiting",
                        max_length=10,
                    ),
                ),
                ("done", models.PositiveIntegerField(default=0, help_text="Parts that are through.")),
                ("total", models.PositiveIntegerField(default=0)),
                (
                    "figures",
                    models.JSONField(default=dict, help_text="The result, in the shape of the room's own class."),
                ),
                ("error", models.CharField(blank=True, max_length=300)),
                ("asked_at", models.DateTimeField()),
                ("computed_at", models.DateTimeField(help_text="As of when facts were read.", null=True)),
                (
                    "asked_by",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "campaign",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="back_tests", to="campaigns.campaign"
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
            ],
            options={
                "ordering": ["-id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("first__lte", models.F("last"))), name="campaigns_back_test_has_days"
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("state__in", ["waiting", "running"])),
                        fields=("campaign",),
                        name="one_open_back_test",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="BoardLine",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("on", models.DateField()),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("sends", "Sends"),
                            ("steps", "later steps"),
                            ("starts", "Starts"),
                            ("ends", "Ends"),
                            ("outbox", "other messages"),
                            ("coupons", "coupons expire"),
                            ("value", "value expires"),
                            ("holds", "holds end"),
                        ],
                        max_length=10,
                    ),
                ),
                ("incentive_id", models.BigIntegerField(help_text="Whose coupons expire.", null=True)),
                (
                    "label",
                    models.CharField(
                        blank=True, help_text="What it is about, where it is no campaign.", max_length=160
                    ),
                ),
                (
                    "heads",
                    models.BigIntegerField(
                        help_text="Customers, coupons or accounts; null: nobody can say.", null=True
                    ),
                ),
                (
                    "shared",
                    models.BigIntegerField(
                        default=0, help_text="Of them, touched by another campaign on the same day too."
                    ),
                ),
                ("amount", models.BigIntegerField(help_text="What expires, in the unit's smallest part.", null=True)),
                (
                    "cost_minor",
                    models.BigIntegerField(help_text="At most, in the shop's currency; null: not known.", null=True),
                ),
                (
                    "is_estimate",
                    models.BooleanField(
                        default=False, help_text="As on the days before: nobody knows who will sign up."
                    ),
                ),
                (
                    "campaign",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="campaigns.campaign",
                    ),
                ),
            ],
            options={
                "ordering": ["on", "kind", "campaign", "label"],
                "indexes": [models.Index(fields=["on"], name="board_by_day")],
            },
        ),
        migrations.CreateModel(
            name="ResultCount",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "since",
                    models.PositiveIntegerField(help_text="Number of the version with which the experiment began."),
                ),
                ("arms", models.JSONField(default=list)),
                ("rungs", models.JSONField(default=list)),
                ("counted_at", models.DateTimeField(null=True)),
                ("asked_at", models.DateTimeField(help_text="Somebody waits for newer ones.", null=True)),
                (
                    "campaign",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="result_counts",
                        to="campaigns.campaign",
                    ),
                ),
                (
                    "version",
                    models.ForeignKey(
                        db_index=False,
                        help_text="Approved by then.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="audit.version",
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("campaign", "since"), name="one_count_an_experiment")],
            },
        ),
    ]
