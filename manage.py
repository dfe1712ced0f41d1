#!/usr/bin/env python
"""Runs Django's commands; where no servers are named, with the embedded ones."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line

from retention import embedded

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "retention.settings")
    try:
        embedded.provide(is_complete=sys.argv[1:2] == ["demo"])
        execute_from_command_line(sys.argv)
    except (ImproperlyConfigured, embedded.Unavailable) as error:
        sys.exit(f"{error}")
    except KeyboardInterrupt:
        sys.stderr.write("\nStopped.\n")
        sys.exit(130)
