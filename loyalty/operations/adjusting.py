"""Correcting what a member has by hand: with a reason, in the books, and told to her."""

import datetime as dt

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from loyalty.models import Member
from loyalty.operations.members import NoSuchMember
from loyalty.operations.telling import Told, tell
from loyalty.words import ADJUSTED
from retention.actors import Actor
from retention.ledger import operations as ledger
from retention.ledger.models import Entry
from retention.messaging import operations as messaging
from retention.messaging.models import Template
from retention.messaging.operations import Message
from retention.shop.models import Shop

ORIGIN = "loyalty.adjustment"
TEMPLATE = "points_adjusted"


@transaction.atomic
def adjust_points(*, member_id: int, amount: int, reason: str, source: str, now: dt.datetime, by: Actor) -> Entry:
    """Give a member so much, or take it from her where `amount` is negative; she reads the reason in a mail.

    The same source again changes nothing and sends nothing.

    Raises:
        NoSuchMember, ReasonMissing, NotEnough, SourceReused
    """
    member = Member.objects.select_related("programme__unit").filter(pk=member_id).first()
    if member is None:
        raise NoSuchMember
    unit, customer = member.programme.unit, member.customer_id
    accounts = ledger.open_customer_accounts(unit=unit, customer_ids=[customer], now=now)
    entry_id = ledger.adjust(
        account_id=accounts[customer], amount=amount, source=f"{ORIGIN}:{source}", reason=reason, now=now, by=by
    )
    told = Told(customer, f"loyalty.points_adjusted:{entry_id}", {"programme": member.programme.key, "amount": amount})
    tell(kind="loyalty.points_adjusted", told=[told], now=now)
    messaging.queue(
        template_id=template(now=now, by=by).pk, origin=ORIGIN, messages=[Message(entry_id, customer)], now=now
    )
    return Entry.objects.get(pk=entry_id)


def template(*, now: dt.datetime, by: Actor) -> Template:
    """The mail about corrections, as leads left it; made of the ready words where there is none."""
    present = Template.objects.filter(key=TEMPLATE).first()
    if present is not None:
        return present
    languages = Shop.objects.get().languages
    words = {language: ADJUSTED[language] for language in languages if language in ADJUSTED}
    words.setdefault(languages[0], ADJUSTED["en"])
    return messaging.create_template(
        key=TEMPLATE, name=str(_("Points corrected")), category=Template.Category.TRANSACTIONAL, words=words, now=now,
        by=by,
    )  # fmt: skip
