"""The Celery application: the clock and the muscle, never the truth."""

import os

from celery import Celery

from retention.schedule import TICKS

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "retention.settings")

app = Celery("retention")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.beat_schedule = TICKS
app.autodiscover_tasks()
# By name: it reads the database, which is not set up while this module is imported.
app.steps["worker"].add("retention.work.pulse:Pulse")
