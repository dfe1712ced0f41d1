"""`manage.py create_api_key NAME --scopes a b`: make a caller's key and print it, this once."""

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from retention import clock
from retention.actors import Actor
from retention.api import mount
from retention.doors.console.sentences import messages_of
from retention.doors.endpoints import scopes
from retention.doors.keys import create_key
from retention.refusals import Refused


class Command(BaseCommand):
    help = "Make an API key. It is printed once and kept only as a hash."

    def add_arguments(self, parser):
        known = ", ".join(sorted(scopes)) if mount.api else ""
        parser.add_argument("name")
        parser.add_argument("--scopes", required=True, nargs="+", help=f"Names, or `all`. Known: {known}.")
        parser.add_argument(
            "--public", action="store_true", help="Its answers reach strangers: one answer for all codes that fail."
        )

    def handle(self, name, **options):
        named = ",".join(options["scopes"]).split(",")
        asked = scopes if named == ["all"] else named
        try:
            made = create_key(
                name=name,
                scopes=asked,
                known=scopes,
                is_public=options["public"],
                now=clock.now(),
                by=Actor.command("create_api_key"),
            )
        except (Refused, ValidationError) as reason:
            raise CommandError(" ".join(messages_of(reason))) from None
        self.stdout.write(made.secret)
