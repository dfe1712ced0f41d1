"""`manage.py seed`: the rows that each room cannot be without, made or set right; as often as you like.

A room has them by having `seeds.py` with `seed(*, now)` or `seed(*, now, by)`; rooms are asked in the order of
INSTALLED_APPS, so that a room may lean on those below it.
"""

import importlib
import importlib.util
import inspect

from django.apps import apps
from django.core.management.base import BaseCommand, CommandError

from retention import clock
from retention.actors import Actor
from retention.shop.models import Shop


class Command(BaseCommand):
    help = "Makes the rows that every installation needs: roles, jobs, kinds of activities, ready segments, templates."

    def handle(self, *args, **options):
        if not Shop.objects.exists():
            raise CommandError("Say first what shop this is: manage.py create_shop NAME --currency … --time-zone …")
        known = {"now": clock.now(), "by": Actor.command("seed")}
        for config in apps.get_app_configs():
            name = f"{config.name}.seeds"
            if importlib.util.find_spec(name) is None:
                continue
            seed = importlib.import_module(name).seed
            outcome = seed(**{name: known[name] for name in inspect.signature(seed).parameters})
            if options["verbosity"] > 0:
                self.stdout.write(f"{config.verbose_name}: {outcome if outcome is not None else 'done'}")
