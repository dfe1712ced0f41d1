"""Mailchimp's audience export: a zip of one CSV for subscribed, one for unsubscribed, one for cleaned contacts.

Columns as in Mailchimp's help, "View or export a contact's data" (mailchimp.com/help/view-export-contacts); its times
are in UTC. The file of contacts that never subscribed has the columns of the subscribed ones, and only its name tells
them apart: it is never taken for consent.
"""

import re
from collections.abc import Callable, Iterator, Sequence

from django.utils.translation import gettext_lazy as _

from retention.registries import Preset, presets
from retention.work.ingest.feeds import Cells, per_row
from retention.work.ingest.layouts import bare

_CUSTOMER = {
    "email": "Email Address",
    "given_name": "First Name",
    "family_name": "Last Name",
    "phone": "Phone Number",
    "birthday": "Birthday",
    "country": "CC",
}
_BIRTHDAY = re.compile(r"(\d\d)/(\d\d)")


def customer(cells: Cells) -> Iterator[Cells]:
    """Who she is. Region, zone and place are left out: Mailchimp guesses them from where a mail was opened."""
    row = {ours: bare(cells.get(theirs, "")) for ours, theirs in _CUSTOMER.items()}
    if found := _BIRTHDAY.fullmatch(row["birthday"].strip()):
        row["birthday"] = f"{found[1]}-{found[2]}"
    yield row


def consent(event: str, *times: str) -> Callable[[Cells], Iterator[Cells]]:
    """A function of a row to its consent, at the first of these times that it has; a yes without any is none."""

    def rule(cells: Cells) -> Iterator[Cells]:
        at = next((cells[name].strip() for name in times if cells.get(name, "").strip()), "")
        if not at and event == "given":
            return
        told = {"email": cells.get("Email Address", ""), "channel": "email", "event": event, "source": "mailchimp"}
        if at:
            told["occurred_at"] = f"{at}+00"
            contact = cells.get("LEID", "").strip()
            told["reference"] = f"mailchimp:{contact}:{event}:{at}" if contact else ""
        asked = ("OPTIN_TIME", "OPTIN_IP", "CONFIRM_TIME", "CONFIRM_IP", "UNSUB_REASON")
        told["proof"] = "\n".join(f"{name}: {cells[name].strip()}" for name in asked if cells.get(name, "").strip())
        yield told

    return rule


_NAMES = {"email": "Email Address"}
_MARKS = frozenset({"Email Address", "OPTIN_TIME", "LEID"})


@presets.register
class Subscribed(Preset):
    key = "mailchimp_subscribed"
    label = _("Mailchimp: subscribed contacts")
    kind = "customers"
    marks = _MARKS
    feeds = (
        per_row("customers", customer, _CUSTOMER),
        per_row("consents", consent("given", "CONFIRM_TIME", "OPTIN_TIME"), {**_NAMES, "occurred_at": "CONFIRM_TIME"}),
    )

    @classmethod
    def fits(cls, headers: Sequence[str], file_name: str) -> bool:
        is_other = {"UNSUB_TIME", "CLEAN_TIME"} & set(headers) or file_name.lower().startswith("nonsubscribed")
        return super().fits(headers, file_name) and not is_other


@presets.register
class Unsubscribed(Preset):
    key = "mailchimp_unsubscribed"
    label = _("Mailchimp: unsubscribed contacts")
    kind = "customers"
    marks = _MARKS | {"UNSUB_TIME"}
    feeds = (
        per_row("customers", customer, _CUSTOMER),
        per_row(
            "consents", consent("withdrawn", "UNSUB_TIME", "LAST_CHANGED"), {**_NAMES, "occurred_at": "UNSUB_TIME"}
        ),
    )


def dead_address(cells: Cells) -> Iterator[Cells]:
    yield {"email": cells.get("Email Address", ""), "why": "bounce"}


@presets.register
class Cleaned(Preset):
    """Contacts whose address takes no mail any more: what they agreed to has expired, and nothing is written there."""

    key = "mailchimp_cleaned"
    label = _("Mailchimp: cleaned contacts")
    kind = "customers"
    marks = _MARKS | {"CLEAN_TIME"}
    feeds = (
        per_row("customers", customer, _CUSTOMER),
        per_row("consents", consent("expired", "CLEAN_TIME", "LAST_CHANGED"), {**_NAMES, "occurred_at": "CLEAN_TIME"}),
        per_row("suppressions", dead_address, _NAMES),
    )
