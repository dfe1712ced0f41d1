"""The `segments` room as Django sees it."""

from django.apps import AppConfig


class SegmentsConfig(AppConfig):
    name = "retention.segments"
    label = "segments"
