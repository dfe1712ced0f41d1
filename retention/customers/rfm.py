"""Recency, frequency, money: how buyers are cut into fifths, and the grid that names what two of them make.

**Ties.** Who is equal gets the same score. A buyer's share is that of all buyers who are strictly better (recency) or
strictly worse (frequency, money); recency is 5 − ⌊5 × share⌋, the others 1 + ⌊5 × share⌋. So where most have bought
once, they all have frequency 1, and where all bought today, recency 5: doubt speaks for who was here lately, and
against who bought little.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

CHAMPIONS, LOYAL, RECENT, PROMISING = "champions", "loyal", "recent", "promising"
ATTENTION, RISK, SLEEPY, HIBERNATING, LOST = "needs_attention", "at_risk", "about_to_sleep", "hibernating", "lost"


@dataclass(frozen=True)
class Group:
    """A named group, in words for marketers."""

    key: str
    label: Promise
    about: Promise


#: The best first.
GROUPS: dict[str, Group] = {
    group.key: group
    for group in (
        Group(CHAMPIONS, _("Champions"), _("Bought lately, often, and for much. Thank them; ask for a review.")),
        Group(LOYAL, _("Loyal"), _("Come back again and again. Show them more of what they like.")),
        Group(RECENT, _("Recent"), _("Bought lately, for the first times. Help them to a second order.")),
        Group(PROMISING, _("Promising"), _("Lately here, and more than a first try. Give them a reason to return.")),
        Group(ATTENTION, _("Needs attention"), _("Middling in all: an offer for a time may decide it.")),
        Group(RISK, _("At risk"), _("Bought often and for much, and have been away. Win them back in person.")),
        Group(SLEEPY, _("About to sleep"), _("Away for a while, with few orders. Remind them before they forget.")),
        Group(HIBERNATING, _("Hibernating"), _("Long away, with few orders. A season's greeting, not a discount.")),
        Group(LOST, _("Lost"), _("Longest away, and bought least. Let them rest.")),
    )
}

#: Recency 5 to 1 from the top, frequency-and-money 1 to 5 from the left.
GRID: tuple[tuple[str, ...], ...] = (
    (RECENT, PROMISING, LOYAL, CHAMPIONS, CHAMPIONS),
    (RECENT, PROMISING, LOYAL, LOYAL, CHAMPIONS),
    (SLEEPY, ATTENTION, ATTENTION, LOYAL, LOYAL),
    (HIBERNATING, SLEEPY, RISK, RISK, RISK),
    (LOST, LOST, HIBERNATING, RISK, RISK),
)


def worth(frequency: int, monetary: int) -> int:
    """Frequency and money in one: their mean, halves rounded up."""
    return (frequency + monetary + 1) // 2
