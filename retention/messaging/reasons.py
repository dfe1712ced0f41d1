"""Why a message was held, skipped or failed: each stable code with its sentence."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from retention.refusals import Refused


def _reason(code: str, sentence: Any) -> str:
    """Let `Refusal(code, params)` speak this sentence; returns the code."""
    name = "".join(word.title() for word in code.split("_"))
    type(name, (Refused,), {"code": f"messaging.{code}", "sentence": sentence, "__module__": __name__})
    return f"messaging.{code}"


# Not allowed, or no longer meant: the message is over.
CUSTOMER_GONE = _reason("customer_gone", _("The customer was merged into another one or forgotten."))
NO_ADDRESS = _reason("no_address", _("The customer has no address on this channel."))
SUPPRESSED = _reason("suppressed", _("Nothing is sent to this address any more (%(why)s)."))
NO_CONSENT = _reason("no_consent", _("There is no consent for %(purpose)s to this address."))
COUPON_WITHDRAWN = _reason("coupon_withdrawn", _("What the message brings was taken back."))
COUPON_ENDED = _reason("coupon_ended", _("What the message brings has expired."))
NOTHING_TO_CONFIRM = _reason(
    "nothing_to_confirm", _("What she was asked was answered meanwhile, or her address is another one.")
)
CANCELLED = _reason("cancelled", _("It was called off before it left."))
TOO_LATE = _reason("too_late", _("It was held back for more than %(days)s days."))
#: By the cap's period.
CAPPED = {
    "hours": _reason("capped_hours", _("The policy allows her %(most)s within %(span)s hours; room again %(until)s.")),
    "days": _reason("capped_days", _("The policy allows her %(most)s within %(span)s days; room again %(until)s.")),
    "day": _reason("capped_day", _("The policy allows her %(most)s a day; room again %(until)s.")),
    "week": _reason("capped_week", _("The policy allows her %(most)s a week; room again %(until)s.")),
    "month": _reason("capped_month", _("The policy allows her %(most)s a month; room again %(until)s.")),
}
QUIET = _reason("quiet_hours", _("These are quiet hours for her; they end %(until)s."))
# For a while.
YIELDS = _reason("yields", _("Another message to her is due as well, and goes first; only so many may leave at once."))
PAUSED = _reason("paused", _("It is paused, since too much of it bounced or was complained about."))
OFFER_STOPPED = _reason("offer_stopped", _("The incentive it brings is stopped; it waits for that to change."))
NO_CONNECTION = _reason("no_connection", _("The provider could not be reached; it will be tried again."))
SENDER_REFUSED = _reason("sender_refused", _("The provider refuses our account at present; it will be tried again."))
NOT_SET_UP = _reason("not_set_up", _("This channel is not set up in this installation; it waits."))
# Said by the provider.
SAID_STOP = _reason("said_stop", _("She told the provider STOP (%(detail)s)."))
TOO_LONG = _reason("too_long", _("It would take %(detail)s text messages; ten are the most."))
NO_TESTS_HERE = _reason("no_tests_here", _("This channel has no tests: use the preview."))
ADDRESS_REFUSED = _reason("address_refused", _("The provider does not take mail to this address (%(detail)s)."))
MESSAGE_REFUSED = _reason("message_refused", _("The provider did not take this message (%(detail)s)."))
BAD_ADDRESS = _reason("bad_address", _("The address cannot be written to."))
GAVE_UP = _reason("gave_up", _("Tried %(attempts)s times without success; the last reason: %(reason)s."))
RENDER_FAILED = _reason("render_failed", _("The template could not be filled for this customer (%(error)s)."))
BOUNCED = _reason("bounced", _("It came back: the address does not take mail (%(detail)s)."))
BAD_BOUNCES = _reason("bad_bounces", _("Too many messages bounced: %(n)s of %(sent)s."))
BAD_COMPLAINTS = _reason("bad_complaints", _("Too many were complained about as spam: %(n)s of %(sent)s."))
# Not known.
ANSWER_MISSING = _reason(
    "answer_missing", _("The provider's answer is missing: it may have been sent. It is not sent again by itself.")
)
SENDER_LOST = _reason(
    "sender_lost", _("The sender stopped while handing it over: it may have been sent. It is not sent again by itself.")
)
