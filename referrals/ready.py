"""Ready schemes: what each plans, expects and asks to watch out for, and the rule that a draft of it begins with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from retention import money

Gift = Callable[[str], dict[str, Any]]

_TEXTS = {
    "email": (
        "{{ advocate.first_name }} thinks you will like {{ shop.name }}",
        "Hi, I shop at {{ shop.name }} and thought of you. With my link you get {{ friend_gets }}: {{ referral_link }}",
    ),
    "sms": ("", "A present for you at {{ shop.name }}, {{ friend_gets }}: {{ referral_link }}"),
    "chat": ("", "I like {{ shop.name }}. You get {{ friend_gets }} with my link: {{ referral_link }}"),
    "social": ("", "My tip: {{ shop.name }}. {{ friend_gets }} with my link: {{ referral_link }}"),
}


@dataclass(frozen=True)
class ReadyScheme:
    """One card of the gallery.

    Attributes:
        friend: the rule of what the friend gets, by the shop's currency; None: nothing.
        levels: (from so many friends on, the rule of what the advocate gets, for that very friend alone).
        more: what else of the scheme's rule differs from its defaults.
    """

    key: str
    label: Promise
    icon: str
    plan: Promise
    expected: Promise
    watch_out: Promise
    friend: Gift | None = None
    levels: tuple[tuple[int, Gift, bool], ...] = ()
    kind: str = "customers"
    more: Mapping[str, Any] = field(default_factory=dict)

    def rule(self, *, languages: list[str], friend_id: int | None, level_ids: list[int]) -> dict[str, Any]:
        """The rule of a draft, as JSON; words in the shop's default language alone."""
        language = languages[0]
        texts = [
            {"channel": channel, "subjects": {language: subject} if subject else {}, "texts": {language: text}}
            for channel, (subject, text) in _TEXTS.items()
        ]
        return {
            "kind": self.kind,
            "names": {language: str(self.label)},
            "friend_incentive": friend_id,
            "levels": [
                {"from_count": count, "incentive_id": incentive_id, "is_once": is_once}
                for (count, _gift, is_once), incentive_id in zip(self.levels, level_ids, strict=True)
            ],
            "texts": texts if self.friend else [],
            **self.more,
        }


def _minor(currency: str, tens: int) -> int:
    """So many tens of what is small change in the currency: €10, ₩10,000."""
    return tens * 10 * (10 ** money.digits(currency) if money.digits(currency) else 1_000)


def _off(name: str, tens: int) -> Gift:
    return lambda currency: {
        "name": name,
        "effects": [{"kind": "amount", "amounts": {currency: _minor(currency, tens)}}],
        "conditions": [
            {"kind": "minimum_amount", "amounts": {currency: _minor(currency, tens) * 3}},
            {"kind": "first_order"},
        ],
        "codes": {"kind": "unique", "is_bound": True},
        "validity": {"hours_after_given": 60 * 24},
    }


def _credit(name: str, tens: int) -> Gift:
    return lambda currency: {
        "name": name,
        "effects": [{"kind": "store_credit", "amounts": {currency: _minor(currency, tens)}, "days": 180}],
        "codes": {"kind": "unique"},
    }


def _points(name: str, points: int) -> Gift:
    return lambda currency: {
        "name": name, "effects": [{"kind": "points", "points": points}], "codes": {"kind": "unique"}
    }  # fmt: skip


READY: tuple[ReadyScheme, ...] = (
    ReadyScheme(
        key="give_and_get",
        label=_("Give and get"),
        icon="handshake",
        plan=_("The friend gets an amount off the first order, the advocate the same as credit once it is kept."),
        expected=_("Both have a reason: the invitation is a present, not an advertisement. Most shops begin here."),
        watch_out=_("The friend's order should be worth about three times what both get. Look at the estimate first."),
        friend=_off("Welcome from a friend", 1),
        levels=((1, _credit("Thank you for a friend", 1), False),),
    ),
    ReadyScheme(
        key="points_for_friends",
        label=_("Points for friends"),
        icon="stars",
        plan=_("Each friend who keeps a first order brings points; the friend gets an amount off that order."),
        expected=_("Points cost nothing before they are spent, and bring the advocate back as well as the friend."),
        watch_out=_("It needs a unit called points: change it in the incentive where yours has another key."),
        friend=_off("Welcome from a friend", 1),
        levels=((1, _points("Points for a friend", 500), False),),
        more={"caps": {"per_month": 20}},
    ),
    ReadyScheme(
        key="ladder",
        label=_("One, three, ten friends"),
        icon="stairs",
        plan=_("A small credit for each friend, and once a larger one with the third and with the tenth."),
        expected=_("A few advocates bring most friends. Steps that they can see keep them going."),
        watch_out=_("The tenth friend is where fraud pays: leave the checks on, and look through the review queue."),
        friend=_off("Welcome from a friend", 1),
        levels=(
            (1, _credit("Credit for a friend", 1), False),
            (3, _credit("Credit for three friends", 3), True),
            (10, _credit("Credit for ten friends", 10), True),
        ),
        more={"caps": {"per_year": 50}},
    ),
    ReadyScheme(
        key="affiliates",
        label=_("Affiliates"),
        icon="storefront",
        plan=_("Partners outside bring customers by their links, and are paid a share of each first order in cash."),
        expected=_(
            "You pay for orders that were kept, and for nothing else. Partners see each of them in a statement."
        ),
        watch_out=_("Cash tempts more than credit: hold it for the whole return window, and pay out in batches."),
        kind="partners",
        more={"hold_days": 30, "attribution": "last", "at_deadline": "wait"},
    ),
)
BY_KEY = {one.key: one for one in READY}
