"""The WSGI application that the web server runs."""

import gc
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "retention.settings")

application = get_wsgi_application()

# What is loaded by now lives as long as the process: the collector need not go through it again. A request makes a few
# thousand objects, nearly all of which go by themselves: looking for cycles at every 700th made a redemption a
# twentieth slower.
gc.collect()
gc.freeze()
gc.set_threshold(50_000, 10, 10)
