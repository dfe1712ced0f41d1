"""The product's own settings with the bare endpoint of `bare_urls` beside its pages."""

from retention.settings import *  # noqa: F403

ROOT_URLCONF = "benchmarks.bare_urls"
