"""Reads of schemes, advocates, visits and referrals."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django.db.models import Count, OuterRef, Prefetch, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from referrals.models import Advocate, Referral, ReferralStep, Scheme, Visit
from retention.incentives.codes import readings
from retention.refusals import Refused


class NoSuchAdvocate(Refused):
    code = "referrals.no_such_advocate"
    sentence = _("There is no such link or code.")
    status = 404


@dataclass(frozen=True)
class Link:
    """One advocate's link in one scheme, with the version of it that counts now."""

    advocate_id: int
    code: str
    scheme_id: int
    scheme_public_id: uuid.UUID
    version_id: int


def link_of_advocate(advocate: Advocate) -> Link:
    scheme = advocate.scheme
    return Link(advocate.pk, advocate.code, scheme.pk, scheme.public_id, scheme.version_id)


def schemes() -> QuerySet[Scheme]:
    """Those not archived, with the version that counts."""
    return Scheme.objects.filter(archived_at=None).select_related("version")


def advocate_of(code: str) -> Advocate:
    """By a code as somebody typed it: O, I and L are read as 0 and 1.

    Raises:
        NoSuchAdvocate: nobody has it, or she is blocked.
    """
    found = (
        Advocate.objects.filter(code__in=readings(code), blocked_at=None)
        .select_related("scheme__version", "customer", "partner")
        .first()
    )
    if found is None:
        raise NoSuchAdvocate
    return found


def with_counts(advocates: QuerySet[Advocate]) -> QuerySet[Advocate]:
    """With `visited`, `referred`, `waiting` (not ended yet) and `rewarded`: counted for the rows that are shown."""
    brought = Referral.objects.filter(advocate=OuterRef("pk"))
    return advocates.annotate(
        visited=_count(Visit.objects.filter(advocate=OuterRef("pk"))),
        referred=_count(brought),
        waiting=_count(brought.filter(state__in=Referral.OPEN)),
        rewarded=_count(brought.filter(state=Referral.State.REWARDED)),
    )


def referrals() -> QuerySet[Referral]:
    """With advocate, friend, scheme and steps."""
    return Referral.objects.select_related("scheme", "version", "advocate__customer", "friend").prefetch_related(
        Prefetch("steps", ReferralStep.objects.order_by("pk"))
    )


def to_review() -> QuerySet[Referral]:
    """What waits for a person, the first to be due first."""
    return referrals().filter(state=Referral.State.REVIEW).order_by("due_at", "pk")


def _count(rows: QuerySet) -> Coalesce:
    counted = rows.order_by().values("advocate").annotate(n=Count("*")).values("n")
    return Coalesce(Subquery(counted), 0)
