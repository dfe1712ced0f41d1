"""Creating, saving, archiving: what marketers do to a segment, each save a version."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from retention.actors import Actor
from retention.audit.models import Version
from retention.audit.operations import record, save_version
from retention.marks import CurrentTransaction
from retention.refusals import Refused
from retention.segments import rules
from retention.segments.models import Segment
from retention.segments.querysets import live_segments, users_of


class NameTaken(Refused):
    code = "segments.name_taken"
    sentence = _("There is a segment called “%(name)s” already.")


class SegmentInUse(Refused):
    code = "segments.in_use"
    sentence = _("This segment is used by %(users)s.")


def create_segment(
    *,
    name: str,
    rule: Any,
    now: dt.datetime,
    by: Actor,
    about: str = "",
    key: str | None = None,
    why: str = "",
) -> Segment:
    """A new segment with its first version; its members are there after the next refresh.

    Raises:
        forms.ValidationError: the rule is not valid; by JSON pointer under `rule`.
        NameTaken
    """
    with transaction.atomic():
        _one_at_a_time()
        _checked(rule, of=None)
        _refuse_taken(name, but=None)
        segment = Segment.objects.create(key=key, name=name, about=about, rule=rule)
        _keep_version(segment, edited=None, now=now, by=by, why=why)
        record(verb="segments.create", by=by, now=now, subject=segment, after={"name": name})
    return segment


def save_segment(
    *,
    segment_id: int,
    name: str,
    rule: Any,
    edited: int | None,
    now: dt.datetime,
    by: Actor,
    about: str = "",
    why: str = "",
) -> Segment:
    """Save the whole segment as its next version; `edited` is the version that the editor had before her.

    Raises:
        forms.ValidationError: the rule is not valid, or would make the segment lean on itself.
        NameTaken
        EditedMeanwhile: somebody saved a version since.
    """
    with transaction.atomic():
        _one_at_a_time()
        segment = Segment.objects.select_for_update(of=("self",)).get(pk=segment_id)
        _checked(rule, of=segment.pk)
        _refuse_taken(name, but=segment.pk)
        segment.name, segment.about, segment.rule = name, about, rule
        Segment.objects.filter(pk=segment.pk).update(name=name, about=about, rule=rule)
        version = _keep_version(segment, edited=edited, now=now, by=by, why=why)
        _look_again(segment)
        record(verb="segments.save", by=by, now=now, subject=segment, after={"version": version.number})
    return segment


def archive_segment(*, segment_id: int, now: dt.datetime, by: Actor) -> None:
    """Put a segment away: it is offered and refreshed no more, and nobody is in it.

    Raises:
        SegmentInUse: another segment or a campaign is built on it.
    """
    with transaction.atomic():
        _one_at_a_time()
        segment = Segment.objects.select_for_update(of=("self",)).get(pk=segment_id)
        if users := users_of([segment])[segment.pk]:
            raise SegmentInUse(users=", ".join(users))
        segment.memberships.all().delete()
        Segment.objects.filter(pk=segment.pk).update(
            archived_at=now, size=None, computed_at=None, tried_at=None, mark=None, whole_at=None, error=""
        )
        record(verb="segments.archive", by=by, now=now, subject=segment)


def bring_back_segment(*, segment_id: int, now: dt.datetime, by: Actor) -> None:
    """Take an archived segment into use again; its members are there after the next refresh.

    Raises:
        forms.ValidationError: its rule is not valid any more.
        NameTaken: another segment has its name by now.
    """
    with transaction.atomic():
        _one_at_a_time()
        segment = Segment.objects.select_for_update(of=("self",)).get(pk=segment_id)
        _checked(segment.rule, of=segment.pk)
        _refuse_taken(segment.name, but=segment.pk)
        Segment.objects.filter(pk=segment.pk).update(archived_at=None)
        record(verb="segments.bring_back", by=by, now=now, subject=segment)


def _one_at_a_time() -> None:
    # Two saves at once could each be free of circles and make one together, or name a segment being archived.
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('segments.editing'))")


def _look_again(segment: Segment) -> None:
    """Everybody is looked at anew for this segment and for all that name it, however indirectly."""
    rules_of = {other: str(other.rule) for other in live_segments()}
    found, waiting = {segment.pk}, [str(segment.public_id)]
    while waiting:
        named = waiting.pop()
        for other, rule in rules_of.items():
            if named in rule and other.pk not in found:
                found.add(other.pk)
                waiting.append(str(other.public_id))
    Segment.objects.filter(pk__in=found).update(xid=CurrentTransaction(), tried_at=None)


def _checked(rule: Any, *, of: int | None) -> None:
    try:
        rules.parse(rule, of=of)
    except forms.ValidationError as invalid:
        raise rules.under_rule(invalid) from None


def _refuse_taken(name: str, *, but: int | None) -> None:
    others = Segment.objects.filter(archived_at=None, name__iexact=name)
    if (others if but is None else others.exclude(pk=but)).exists():
        raise NameTaken(name=name)


def _keep_version(segment: Segment, *, edited: int | None, now: dt.datetime, by: Actor, why: str) -> Version:
    data = {"name": segment.name, "about": segment.about, "rule": segment.rule}
    version = save_version(of=segment, data=data, edited=edited, by=by, now=now, why=why)
    segment.version = version
    Segment.objects.filter(pk=segment.pk).update(version=version)
    return version
