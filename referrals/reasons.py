"""Why a referral is where it is, beside what its checks said: codes in its rows, sentences wherever they are shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from retention.refusals import Refusal, Refused


class CameBack(Refused):
    code = "referrals.order_came_back"
    sentence = _("The friend's order was cancelled or came back.")


class NotInTime(Refused):
    code = "referrals.not_in_time"
    sentence = _("The friend did not do it within %(days)s days.")


class DeadlinePassed(Refused):
    code = "referrals.deadline_passed"
    sentence = _("Nobody looked at it within %(days)s days.")


class ByHand(Refused):
    code = "referrals.by_hand"
    sentence = _("A person decided so.")


class CapReached(Refused):
    code = "referrals.cap_reached"
    sentence = _("The advocate was rewarded for %(most)s friends (%(period)s), and more are not rewarded.")


class AdvocateGone(Refused):
    code = "referrals.advocate_gone"
    sentence = _("The advocate was forgotten: there is nobody to reward.")


class RewardUsed(Refused):
    code = "referrals.reward_used"
    sentence = _("The advocate had used her reward: it could not be taken back.")


class RewardKept(Refused):
    code = "referrals.reward_kept"
    sentence = _("The reward stays: the scheme takes none back.")


class NothingAtThisLevel(Refused):
    code = "referrals.nothing_at_this_level"
    sentence = _("The scheme gives nothing for the advocate's friend number %(level)s.")


def sentences(codes: Iterable[str], params: Mapping[str, Any]) -> list[str]:
    """The sentences of a step's codes, with what its `params` hold under each."""
    return [str(Refusal(code, params.get(code, {}))) for code in codes]
