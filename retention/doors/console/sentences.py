"""An operation's "no" as sentences for a page."""

from django.core.exceptions import ValidationError

from retention.refusals import Refused


def messages_of(reason: Refused | ValidationError) -> list[str]:
    """The sentences of a refusal, each with its field where it names one."""
    if isinstance(reason, Refused):
        return [str(reason)]
    if hasattr(reason, "error_dict"):
        return [f"{field}: {message}" for field, found in reason.message_dict.items() for message in found]
    return list(reason.messages)
