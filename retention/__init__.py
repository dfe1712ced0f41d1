"""The retention back office: the foundation that every app shares."""

from retention.celery import app as celery_app

__all__ = ["celery_app"]
