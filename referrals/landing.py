"""What the page behind a personal link says: whose it is, what the friend is given, in the language she reads."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from referrals.models import Advocate, Scheme
from referrals.offers import friend_gets
from referrals.querysets import advocate_of, link_of_advocate
from referrals.rules import SchemeRule
from referrals.versions import rule_of
from retention.shop.models import Shop
from retention.texts import Texts, choose


@dataclass(frozen=True)
class Offered:
    """`shop_url` is set where the link leads to the shop at once; `title` and `text` where the scheme has own words."""

    code: str
    language: str
    is_live: bool
    advocate: str = ""
    gets: str = ""
    title: str = ""
    text: str = ""
    shop_url: str = ""


def offered(code: str, *, language: str, now: dt.datetime) -> Offered:
    """What the link with this code offers now.

    Raises:
        NoSuchAdvocate
    """
    advocate = advocate_of(code)
    if advocate.scheme.state != Scheme.State.LIVE:
        return Offered(advocate.code, language, is_live=False)
    rule = rule_of(advocate.scheme.version_id)
    default = Shop.objects.get().default_language
    landing = rule.landing
    return Offered(
        code=advocate.code,
        language=language,
        is_live=True,
        advocate=_name(advocate),
        gets=friend_gets({advocate.scheme.version_id})(link_of_advocate(advocate), language),
        title=_said(landing.titles, language, default),
        text=_said(landing.texts, language, default),
        shop_url=_target(advocate, rule),
    )


def _name(advocate: Advocate) -> str:
    if advocate.partner is not None:
        return advocate.partner.name
    return advocate.customer.given_name if advocate.customer else ""


def _target(advocate: Advocate, rule: SchemeRule) -> str:
    return rule.landing.shop_url if rule.landing.leads_to == "shop" else ""


def _said(texts: Texts, language: str, default: str) -> str:
    return choose(texts, language, default) if texts.get(default) or texts.get(language) else ""
