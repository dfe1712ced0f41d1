"""Is she meant: the campaign's life, who she is, her country, the audience and the exclusions."""

from __future__ import annotations

from collections.abc import Iterator

from django import forms
from django.utils.translation import gettext as _

from campaigns.models import Campaign
from campaigns.operations.life import ENDED
from campaigns.whys.answers import Answer, Verdict, moment
from campaigns.whys.cases import Case
from campaigns.whys.values import explained
from retention.segments.models import Segment


def answers(case: Case) -> Iterator[Answer]:
    yield _life(case)
    yield _person(case)
    if case.plan.countries:
        yield _country(case)
    yield from _segments(case)


def _life(case: Case) -> Answer:
    campaign, state = case.campaign, Campaign.State
    if campaign.archived_at is not None and campaign.launched_at is None:
        return _no("campaigns.archived_unlaunched", _("It was archived and never launched."))
    if campaign.launched_at is None:
        return _no("campaigns.not_launched", _("It was not launched yet; nobody gets it before."))
    launched = moment(campaign.launched_at, case.zone)
    if campaign.state == state.PAUSED:
        sentence = _("It is paused: nobody is touched and nothing of it is sent until it is resumed.")
        return Answer("campaign", "campaigns.paused", sentence, Verdict.WAITS)
    if campaign.state == state.ENDED:
        # Everything else first: who was never meant did not miss it because it ended.
        return Answer("campaign", ENDED, _("It ran from %(at)s and has ended.") % {"at": launched}, Verdict.NOTE)
    if case.now < case.opens_at:
        sentence = _("It is launched and begins on %(at)s.") % {"at": moment(case.opens_at, case.zone)}
        return Answer("campaign", "campaigns.not_begun", sentence, Verdict.NOTE, case.opens_at)
    return Answer("campaign", "campaigns.live", _("It is live since %(at)s.") % {"at": launched}, Verdict.YES)


def _no(code: str, sentence: str) -> Answer:
    return Answer("campaign", code, sentence, Verdict.NO)


def _person(case: Case) -> Answer:
    customer = case.customer
    if customer.erased_at is not None:
        return Answer("customer", "customers.erased", _("She was forgotten at her wish."), Verdict.NO)
    if customer.merged_into_id is not None:
        return Answer("customer", "customers.merged", _("She was merged into another customer."), Verdict.NO)
    return Answer("customer", "customers.known", _("She is a customer of her own."), Verdict.YES)


def _country(case: Case) -> Answer:
    meant, hers = ", ".join(case.plan.countries), case.customer.country
    if hers in case.plan.countries:
        return Answer(
            "countries", "campaigns.in_country", _("She is in %(hers)s, which is meant.") % {"hers": hers}, Verdict.YES
        )
    if not hers:
        sentence = _("Her country is not known; only %(meant)s is meant.") % {"meant": meant}
        return Answer("countries", "campaigns.country_unknown", sentence, Verdict.NO)
    sentence = _("She is in %(hers)s; only %(meant)s is meant.") % {"hers": hers, "meant": meant}
    return Answer("countries", "campaigns.other_country", sentence, Verdict.NO)


def _segments(case: Case) -> Iterator[Answer]:
    ids = [pk for pk in (case.plan.audience, case.plan.excluded) if pk]
    names = {segment.pk: segment.name for segment in Segment.objects.filter(pk__in=ids)}
    if not case.plan.audience:
        yield Answer("audience", "campaigns.everyone", _("Everyone is meant."), Verdict.YES)
    for pk, rule, topic, wanted in (
        (case.plan.audience, case.selection.audience, "audience", True),
        (case.plan.excluded, case.selection.excluded, "excluded", False),
    ):
        if not pk:
            continue
        try:
            is_in, parts = explained(rule, case.customer, case.now)
        except forms.ValidationError:
            sentence = _("The rule of “%(segment)s” is not valid any more.") % {"segment": names[pk]}
            yield Answer(topic, "campaigns.rule_not_valid", sentence, Verdict.NO)
            continue
        words = _("She is in “%(segment)s”.") if is_in else _("She is not in “%(segment)s”.")
        code = {
            (True, True): "campaigns.in_audience",
            (True, False): "campaigns.not_in_audience",
            (False, True): "campaigns.excluded",
            (False, False): "campaigns.not_excluded",
        }[wanted, is_in]
        verdict = Verdict.YES if is_in == wanted else Verdict.NO
        yield Answer(topic, code, words % {"segment": names[pk]}, verdict, parts=parts)
