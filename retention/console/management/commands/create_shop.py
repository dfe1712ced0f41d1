"""`manage.py create_shop`: the first thing that a new installation is told, what shop it works for."""

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from retention import clock
from retention.actors import Actor
from retention.doors.operations.shop import save_shop
from retention.shop.models import Shop


class Command(BaseCommand):
    help = "Makes the shop of this installation. Everything but the base currency can be changed in the console."

    def add_arguments(self, parser):
        parser.add_argument("name", help="As customers know it.")
        parser.add_argument("--currency", required=True, help="Base currency, such as EUR; it stays for good.")
        parser.add_argument("--time-zone", required=True, help="Such as Europe/Berlin; days and hours are the shop's.")
        parser.add_argument("--languages", default="en", help="Such as de,en; the first is the default (%(default)s).")
        parser.add_argument("--sender-email", default="", help="Whom mails are from.")
        parser.add_argument("--postal-address", default="", help="Stands at the foot of every marketing mail.")

    def handle(self, *args, **options):
        if Shop.objects.exists():
            raise CommandError("There is a shop already; change it in the console.")
        values = {
            "name": options["name"],
            "currency": options["currency"].upper(),
            "time_zone": options["time_zone"],
            "languages": [word.strip() for word in options["languages"].split(",") if word.strip()],
            "sender_name": options["name"],
            "sender_email": options["sender_email"],
            "postal_address": options["postal_address"],
        }
        try:
            save_shop(values=values, edited=None, now=clock.now(), by=Actor.command("create_shop"))
        except ValidationError as error:
            raise CommandError("; ".join(error.messages), returncode=2) from None
        if options["verbosity"] > 0:
            self.stdout.write(f"{options['name']} is open. Next: manage.py seed")
