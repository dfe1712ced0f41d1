"""A scheme's life: written, saved as versions, launched, paused, resumed, ended. One click each."""

from __future__ import annotations

import datetime as dt

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from referrals.models import Scheme
from referrals.rules import SchemeRule
from referrals.sharing import Faulty, check_words
from referrals.versions import rule_of
from retention.actors import Actor
from retention.audit.operations import record, save_version
from retention.incentives import operations as incentives
from retention.incentives.models import Incentive
from retention.messaging.models import Template
from retention.refusals import Refused
from retention.segments.models import Segment
from retention.shop.models import Shop
from retention.texts import check_texts


class NoSuchScheme(Refused):
    code = "referrals.no_such_scheme"
    sentence = _("There is no such scheme.")
    status = 404


class KeyTaken(Refused):
    code = "referrals.key_taken"
    sentence = _("The key “%(key)s” is another scheme's.")


class KindIsFixed(Refused):
    code = "referrals.kind_is_fixed"
    sentence = _("A scheme stays for customers or for partners. Make another one.")
    status = 422


class NamesMissing(Refused):
    code = "referrals.names_missing"
    sentence = _("A name in %(language)s, the shop's first language, is missing.")
    status = 422


class IncentiveNotUsable(Refused):
    code = "referrals.incentive_not_usable"
    sentence = _("The incentive “%(name)s” cannot be given: it is stopped, archived, or has one code for everybody.")
    status = 422


class NoSuchSegment(Refused):
    code = "referrals.no_such_segment"
    sentence = _("There is no segment %(id)s.")
    status = 422


class TemplateNotUsable(Refused):
    code = "referrals.template_not_usable"
    sentence = _("There is no template %(id)s with words.")
    status = 422


class AlreadyLaunched(Refused):
    code = "referrals.already_launched"
    sentence = _("“%(name)s” was launched before.")


class NotLive(Refused):
    code = "referrals.not_live"
    sentence = _("“%(name)s” is not live.")


class NotPaused(Refused):
    code = "referrals.not_paused"
    sentence = _("“%(name)s” is not paused.")


class HasEnded(Refused):
    code = "referrals.has_ended"
    sentence = _("“%(name)s” has ended.")


@transaction.atomic
def create_scheme(*, key: str, rule: SchemeRule, now: dt.datetime, by: Actor, why: str = "") -> Scheme:
    """A new draft with its first version.

    Raises:
        KeyTaken, NamesMissing, IncentiveNotUsable, NoSuchSegment, TemplateNotUsable, Faulty
        ValidationError: the key is no word.
    """
    scheme = Scheme(key=key, name=_name(rule), kind=rule.kind)
    try:
        scheme.full_clean(exclude=["version"], validate_constraints=True)
    except ValidationError as error:
        if any(fault.code == "unique" for fault in error.error_dict.get("key", ())):
            raise KeyTaken(key=key) from None
        raise
    _check(rule)
    scheme.save()
    scheme.version = save_version(of=scheme, data=rule.model_dump(mode="json"), edited=None, by=by, now=now, why=why)
    scheme.save(update_fields=["version"])
    record(verb="referrals.create_scheme", by=by, now=now, subject=scheme, after={"version": 1})
    return scheme


@transaction.atomic
def save_scheme(
    *, scheme_id: int, rule: SchemeRule, edited: int | None, now: dt.datetime, by: Actor, why: str = ""
) -> Scheme:
    """The scheme's next version: for referrals from now on; those there are keep the one they began with.

    Raises:
        EditedMeanwhile: someone saved after version number `edited` was read.
        NoSuchScheme, HasEnded, KindIsFixed, NamesMissing, IncentiveNotUsable, NoSuchSegment, TemplateNotUsable, Faulty
    """
    scheme = locked(scheme_id)
    if scheme.state == Scheme.State.ENDED:
        raise HasEnded(name=scheme.name)
    if rule.kind != scheme.kind:
        raise KindIsFixed
    _check(rule)
    if scheme.state != Scheme.State.DRAFT:
        _make_usable(rule, now=now, by=by)
    scheme.version = save_version(of=scheme, data=rule.model_dump(mode="json"), edited=edited, by=by, now=now, why=why)
    scheme.name = _name(rule)
    scheme.save(update_fields=["version", "name"])
    record(
        verb="referrals.save_scheme", by=by, now=now, subject=scheme,
        before={"version": edited}, after={"version": scheme.version.number},
    )  # fmt: skip
    return scheme


@transaction.atomic
def launch_scheme(*, scheme_id: int, now: dt.datetime, by: Actor) -> Scheme:
    """A draft goes live, and its incentives that are drafts with it.

    Raises:
        NoSuchScheme, AlreadyLaunched, IncentiveNotUsable
    """
    scheme = locked(scheme_id)
    if scheme.state != Scheme.State.DRAFT:
        raise AlreadyLaunched(name=scheme.name)
    _make_usable(rule_of(scheme.version_id), now=now, by=by)
    scheme.launched_at = now
    return _turn(scheme, Scheme.State.LIVE, "referrals.launch_scheme", now=now, by=by)


@transaction.atomic
def pause_scheme(*, scheme_id: int, now: dt.datetime, by: Actor) -> Scheme:
    """From now on nobody new is referred; what was promised is kept.

    Raises:
        NoSuchScheme, NotLive
    """
    scheme = locked(scheme_id)
    if scheme.state != Scheme.State.LIVE:
        raise NotLive(name=scheme.name)
    return _turn(scheme, Scheme.State.PAUSED, "referrals.pause_scheme", now=now, by=by)


@transaction.atomic
def resume_scheme(*, scheme_id: int, now: dt.datetime, by: Actor) -> Scheme:
    """Links and codes bring friends again.

    Raises:
        NoSuchScheme, NotPaused
    """
    scheme = locked(scheme_id)
    if scheme.state != Scheme.State.PAUSED:
        raise NotPaused(name=scheme.name)
    return _turn(scheme, Scheme.State.LIVE, "referrals.resume_scheme", now=now, by=by)


@transaction.atomic
def end_scheme(*, scheme_id: int, now: dt.datetime, by: Actor) -> Scheme:
    """It is over for good: nobody is referred any more; what was promised is kept.

    Raises:
        NoSuchScheme, NotLive: it was never launched.
        HasEnded
    """
    scheme = locked(scheme_id)
    if scheme.state == Scheme.State.ENDED:
        raise HasEnded(name=scheme.name)
    if scheme.state == Scheme.State.DRAFT:
        raise NotLive(name=scheme.name)
    return _turn(scheme, Scheme.State.ENDED, "referrals.end_scheme", now=now, by=by)


def locked(scheme_id: int) -> Scheme:
    """The scheme, held against other edits until the transaction ends.

    Raises:
        NoSuchScheme
    """
    scheme = (
        Scheme.objects.select_for_update(of=("self",), no_key=True).select_related("version").filter(pk=scheme_id)
    ).first()
    if scheme is None:
        raise NoSuchScheme
    return scheme


def _turn(scheme: Scheme, state: str, verb: str, *, now: dt.datetime, by: Actor) -> Scheme:
    before, scheme.state = scheme.state, state
    scheme.save(update_fields=["state", "launched_at"])
    record(verb=verb, by=by, now=now, subject=scheme, before={"state": before}, after={"state": state})
    return scheme


def _name(rule: SchemeRule) -> str:
    language = Shop.objects.get().default_language
    try:
        check_texts(rule.names, language)
    except ValidationError:
        raise NamesMissing(language=language) from None
    return rule.names[language]


def _check(rule: SchemeRule) -> None:
    """Refuse what names rows that are not there, and share texts that say what nobody knows."""
    found = {incentive.pk: incentive for incentive in Incentive.objects.filter(pk__in=rule.incentive_ids)}
    for incentive_id in sorted(rule.incentive_ids):
        incentive = found.get(incentive_id)
        if incentive is None or not _is_usable(incentive):
            raise IncentiveNotUsable(name=incentive.name if incentive else incentive_id)
    wanted = {share.segment_id for share in rule.texts} | {rule.segment_id}
    wanted.discard(None)
    if gone := wanted - set(Segment.objects.filter(pk__in=wanted).values_list("pk", flat=True)):
        raise NoSuchSegment(id=min(gone))
    usable = Template.objects.filter(pk__in=rule.template_ids, archived_at=None).exclude(version=None)
    if missing := rule.template_ids - set(usable.values_list("pk", flat=True)):
        raise TemplateNotUsable(id=min(missing))
    if faults := check_words(rule):
        raise Faulty(faults)


def _is_usable(incentive: Incentive) -> bool:
    return (
        incentive.state != Incentive.State.STOPPED and incentive.archived_at is None and incentive.code_kind == "unique"
    )


def _make_usable(rule: SchemeRule, *, now: dt.datetime, by: Actor) -> None:
    for incentive in Incentive.objects.filter(pk__in=rule.incentive_ids).order_by("pk"):
        if not _is_usable(incentive):
            raise IncentiveNotUsable(name=incentive.name)
        if incentive.state == Incentive.State.DRAFT:
            incentives.go_live(incentive_id=incentive.pk, now=now, by=by)
