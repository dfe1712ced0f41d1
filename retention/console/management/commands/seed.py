"""`manage.py seed`: the rows that each room cannot be without, made or set right; as often as you like."""

import importlib
import importlib.util

from django.apps import apps
from django.core.management.base import BaseCommand

from retention import clock


class Command(BaseCommand):
    help = "Makes the rows that every installation needs: roles, jobs, kinds of activities, ready segments, templates."

    def handle(self, *args, **options):
        now = clock.now()
        for config in apps.get_app_configs():
            name = f"{config.name}.seeds"
            if importlib.util.find_spec(name) is None:
                continue
            outcome = importlib.import_module(name).seed(now=now)
            if options["verbosity"] > 0:
                self.stdout.write(f"{config.verbose_name}: {outcome if outcome is not None else 'done'}")
