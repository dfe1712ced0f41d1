"""Who asks and when: what every operation is told by the page that calls it."""

from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest

from retention import clock
from retention.actors import Actor


def acting(request: HttpRequest) -> dict[str, Any]:
    """`now` and `by` for an operation called on behalf of whoever sent this request."""
    if isinstance(request.user, AnonymousUser):
        raise PermissionError("a console page was reached without a log-in")
    return {"now": clock.now(), "by": Actor.staff(request.user)}
