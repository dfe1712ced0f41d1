"""What she is given: may the offer be given, how much of its limits is left, where it holds, and her coupons."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _

from campaigns.goals import ORIGIN
from campaigns.operations.forecasting import left_to_issue
from campaigns.whys.answers import Answer, Part, Verdict, moment
from campaigns.whys.cases import Case
from retention.incentives.decisions import Ended, NotLive, Stopped
from retention.incentives.models import Code, Counter, Grant, Incentive, Use
from retention.incentives.operations.grants import AllIssued, CustomerHasHers
from retention.incentives.rules import sentence as rule_sentence
from retention.incentives.versions import rule_of


def answers(case: Case) -> Iterator[Answer]:
    for incentive in _incentives(case):
        yield _offer(case, incentive)
    yield from _coupons(case)


def _incentives(case: Case) -> list[Incentive]:
    variant = case.touch.variant if case.touch else ""
    steps = [case.plan.step_for(index, variant) for index in range(len(case.plan.steps))]
    found = Incentive.objects.in_bulk([step.incentive for step in steps if step.incentive])
    return [found[pk] for pk in dict.fromkeys(step.incentive for step in steps) if pk in found]


def _offer(case: Case, incentive: Incentive) -> Answer:
    """Asked in the order in which granting asks."""
    rule = rule_of(incentive.version_id)
    parts = (Part(rule_sentence(rule)), *(Part(condition.sentence()) for condition in rule.conditions))
    parts += tuple(Part(words) for words in rule.stacking.sentences())
    left, limits, hers = left_to_issue(incentive.pk), rule.limits, 0
    words: dict[str, Any] = {"offer": incentive.name, "left": f"{left:,}", "limit": limits.issued}
    if limits.issued:
        parts += (Part(_("%(left)s of %(limit)s are left to be given.") % words, left > 0),)
    if limits.issued_per_customer:
        hers = _hers(case, incentive)
        words |= {"hers": hers, "hers_at_most": limits.issued_per_customer}
        sentence = _("She was given %(hers)s of at most %(hers_at_most)s.") % words
        parts += (Part(sentence, hers < limits.issued_per_customer),)
    no = Verdict.NO if case.touch is None else Verdict.NOTE
    for is_so, code, sentence in (
        (incentive.state == Incentive.State.STOPPED, Stopped.code, _("“%(offer)s” is stopped: it is not given.")),
        (
            incentive.state == Incentive.State.DRAFT and case.campaign.launched_at is not None,
            NotLive.code,
            _("“%(offer)s” is a draft: it is not given."),
        ),
        (
            rule.validity.ends_at is not None and rule.validity.ends_at <= case.now,
            Ended.code,
            _("“%(offer)s” has ended."),
        ),
        (bool(limits.issued) and not left, AllIssued.code, _("All %(limit)s of “%(offer)s” have been given.")),
        (
            bool(limits.issued_per_customer) and hers >= (limits.issued_per_customer or 0),
            CustomerHasHers.code,
            _("She was given “%(offer)s” as often as it may be (%(hers_at_most)s)."),
        ),
    ):
        if is_so:
            return Answer("offer", code, sentence % words, no, parts=parts)
    return Answer("offer", "campaigns.offer_open", _("“%(offer)s” can be given.") % words, Verdict.YES, parts=parts)


def _hers(case: Case, incentive: Incentive) -> int:
    mine = Counter.objects.filter(
        incentive_id=incentive.pk, scope=Counter.Scope.CUSTOMER, subject_id=case.customer.pk, currency="", period=""
    )
    return mine.values_list("issued", flat=True).first() or 0


def _coupons(case: Case) -> Iterator[Answer]:
    grants = Grant.objects.filter(origin=ORIGIN, origin_id__in=[touch.pk for touch in case.touches])
    codes = {code.grant_id: code for code in Code.objects.filter(grant__in=grants.values("pk"))}
    for grant in grants.select_related("incentive").order_by("id"):
        yield _coupon(case, grant, codes.get(grant.pk))


def _coupon(case: Case, grant: Grant, code: Code | None) -> Answer:
    state, sentence = _standing(case, code)
    words: dict[str, Any] = {"offer": grant.incentive.name, "state": grant.get_state_display()}
    if code is not None and code.expires_at:
        words["at"] = moment(code.expires_at, case.zone)
    at = code.expires_at if code is not None else None
    return Answer("coupon", f"incentives.{state}", sentence % words, Verdict.NOTE, at)


def _standing(case: Case, code: Code | None) -> tuple[str, str]:
    """What has become of it: a word for the code, and the sentence; never what is typed."""
    if code is None:
        return "granted", _("“%(offer)s”: %(state)s.")
    if Use.objects.filter(code=code, redemption__ended_at=None).exists():
        return "code_used", _("Her coupon of “%(offer)s” was used.")
    if code.state == Code.State.VOID:
        return "code_void", _("Her coupon of “%(offer)s” was taken back.")
    if code.expires_at and code.expires_at <= case.now:
        return "code_expired", _("Her coupon of “%(offer)s” expired on %(at)s.")
    if code.state == Code.State.RESERVED:
        return "code_reserved", _("A coupon of “%(offer)s” is set aside for her until its message is accepted.")
    if code.expires_at:
        return "code_given", _("She holds a coupon of “%(offer)s”, good until %(at)s.")
    return "code_given", _("She holds a coupon of “%(offer)s”.")
