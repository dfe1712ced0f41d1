"""The `recommendations` room as Django sees it."""

from django.apps import AppConfig


class RecommendationsConfig(AppConfig):
    name = "retention.recommendations"
    label = "recommendations"
