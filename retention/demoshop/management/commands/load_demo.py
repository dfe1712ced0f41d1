"""`manage.py load_demo`: the demo shop's facts and furniture, once."""

import sys
import time
from io import StringIO

from django.core.management import call_command
from django.core.management.base import BaseCommand
from tqdm import tqdm

from retention import clock
from retention.actors import Actor
from retention.demoshop import furniture, loading, premises, staff
from retention.doors.models import ApiKey

KEY = "Demo checkout"


class Command(BaseCommand):
    help = (
        "Fills this installation with the demo shop: 23,570 real purchase histories with invented people. Does nothing "
        "when they are there already; goes on where it was interrupted."
    )

    def add_arguments(self, parser):
        parser.add_argument("--customers", type=int, metavar="N", help="Only so many buyers (all 23,570).")
        parser.add_argument("--seed", type=int, default=loading.SEED, help="Of everything invented (%(default)s).")

    def handle(self, *args, **options):
        start = time.monotonic()
        by, now = Actor.command("load_demo"), clock.now()
        premises.open_shop(now=now, by=by)
        call_command("seed", verbosity=0)
        staff.hire(now=now, by=by)
        if loading.is_loaded():
            self.stdout.write("The demo shop is loaded already.")
        else:
            self._load(now, by, options)
        if furniture.furnish(now=now, by=by):
            self.stdout.write("Campaigns, segments, offers, codes and agents' limits are ready.")
            self._make_key()
        self.stdout.write(f"Ready after {time.monotonic() - start:.1f} s.")

    def _make_key(self):
        """A key for trying the API; whoever loads again keeps the one that was shown."""
        if not ApiKey.objects.filter(name=KEY).exists():
            said = StringIO()
            call_command("create_api_key", KEY, scopes=["all"], stdout=said)
            self.stdout.write(f"API key of “{KEY}”, shown this once: {said.getvalue().strip()}")

    def _load(self, now, by, options):
        bars = {}

        def progress(stage, done, total):
            if stage not in bars:
                bars[stage] = tqdm(total=total, desc=f"{stage:<11}", file=sys.stderr, leave=True, unit=" people")
            bars[stage].update(done - bars[stage].n)
            if done == total:
                bars[stage].close()

        loaded = loading.load(now=now, by=by, seed=options["seed"], buyers=options["customers"], progress=progress)
        for stage, rows in loaded.rows.items():
            self.stdout.write(f"{stage:<11}{rows:>9,} rows")
