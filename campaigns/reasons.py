"""Reason codes of skipped touches, in people's words."""

from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from campaigns.operations.life import ENDED
from campaigns.selection import NO_ADDRESS, NO_CONSENT, TOO_LATE
from retention import registries
from retention.refusals import Refused

WORDS = {
    TOO_LATE: _("it was too late"),
    NO_ADDRESS: _("no address"),
    NO_CONSENT: _("no consent for this address"),
    ENDED: _("the campaign was ended"),
}


def reason_text(code: str) -> str:
    """What a reason code says; a refusal's own words where it has no parameters, else the code itself."""
    if code in WORDS:
        return str(WORDS[code])
    for occasion in registries.occasions:
        if code and occasion.settled == code:
            return str(occasion.settled_sentence)
    refused = Refused.by_code.get(code)
    if refused is not None and "%(" not in (words := str(refused.sentence)):
        return words
    return _t(code.partition(".")[2].replace("_", " ")) if code else ""
