"""Reason codes of skipped touches, in people's words."""

from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from campaigns.occasions.lapses import CouponExpiring, DaysSinceLastOrder
from campaigns.occasions.value import ValueExpiring
from campaigns.operations.life import ENDED
from campaigns.selection import NO_ADDRESS, NO_CONSENT, TOO_LATE
from retention.refusals import Refused

WORDS = {
    TOO_LATE: _("it was too late"),
    NO_ADDRESS: _("no address"),
    NO_CONSENT: _("no consent for this address"),
    ENDED: _("the campaign was ended"),
    DaysSinceLastOrder.settled: _("she ordered before it left"),
    CouponExpiring.settled: _("the coupon was used before it left"),
    ValueExpiring.settled: _("what was about to expire was spent before it left"),
}


def reason_text(code: str) -> str:
    """What a reason code says; a refusal's own words where it has no parameters, else the code itself."""
    if code in WORDS:
        return str(WORDS[code])
    refused = Refused.by_code.get(code)
    if refused is not None and "%(" not in (words := str(refused.sentence)):
        return words
    return _t(code.partition(".")[2].replace("_", " ")) if code else ""
