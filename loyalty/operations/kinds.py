"""Kinds of activity that rules wait for: one that nobody declared can never be told."""

from collections.abc import Collection

from django.utils.translation import gettext_lazy as _

from retention.customers.models import ActivityKind
from retention.refusals import Refused


class UnknownActivity(Refused):
    code = "loyalty.unknown_activity"
    sentence = _("Nothing can be told of “%(kind)s”: declare this kind of activity first, or choose another.")


def refuse_unknown_activities(kinds: Collection[str]) -> None:
    """
    Raises:
        UnknownActivity
    """
    unknown = set(kinds) - set(ActivityKind.objects.filter(key__in=kinds).values_list("key", flat=True))
    if unknown:
        raise UnknownActivity(kind=min(unknown))
