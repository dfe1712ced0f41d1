"""Reason codes of skipped touches, in people's words."""

from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from campaigns.operations.life import ENDED
from campaigns.selection import (
    CONVERTED,
    COOLING_DOWN,
    CUSTOMERS_LIMIT,
    HELD,
    HELD_OUT,
    LEFT,
    LIMIT_REACHED,
    NO_ADDRESS,
    NO_CONSENT,
    NO_WAY,
    NOT_MEANT,
    TOO_LATE,
    TOO_SOON,
)
from retention import registries
from retention.refusals import Refused

WORDS = {
    TOO_LATE: _("it was too late"),
    NO_ADDRESS: _("no address"),
    NO_CONSENT: _("no consent for this address"),
    NO_WAY: _("she may not be written to by any of its channels"),
    CONVERTED: _("she did what it is for"),
    LEFT: _("she came into the segment that ends it"),
    NOT_MEANT: _("the step was not meant for her"),
    TOO_SOON: _("it was too soon after the last time"),
    COOLING_DOWN: _("a campaign gave her something not long ago"),
    CUSTOMERS_LIMIT: _("she had it as often as one customer may"),
    LIMIT_REACHED: _("as many customers were touched as it allows"),
    HELD: _("it is not opened to her yet"),
    HELD_OUT: _("she is held out, for the sake of proof"),
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
