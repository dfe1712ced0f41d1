"""`manage.py export_openapi [--check]`: write docs/openapi.json, or say whether it is current."""

import json
from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from retention.api.mount import api

PATH = Path(settings.BASE_DIR) / "docs" / "openapi.json"


class Command(BaseCommand):
    help = "Write the OpenAPI document to docs/openapi.json."

    def add_arguments(self, parser):
        parser.add_argument("--check", action="store_true", help="Write nothing; fail if the file is not current.")

    def handle(self, **options):
        text = json.dumps(api.get_openapi_schema(path_prefix="api/v1/"), indent=1, sort_keys=True) + "\n"
        if options["check"]:
            if not PATH.exists() or PATH.read_text() != text:
                raise CommandError("docs/openapi.json is not current: run `manage.py export_openapi` and commit it.")
            return
        PATH.parent.mkdir(exist_ok=True)
        PATH.write_text(text)
        self.stdout.write(f"{PATH.relative_to(settings.BASE_DIR)}: {len(api.get_openapi_schema()['paths'])} addresses")
