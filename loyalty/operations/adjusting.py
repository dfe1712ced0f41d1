"""Correcting what members have by hand, one or many: with a reason, in the books, and told to each."""

import datetime as dt
import hashlib
from collections import Counter as Tally
from collections.abc import Sequence
from dataclasses import dataclass

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
from retention.refusals import Refused
from retention.shop.models import Shop

ORIGIN = "loyalty.adjustment"
TEMPLATE = "points_adjusted"
#: Corrections of one list.
MOST = 500


class TooLong(Refused):
    code = "loyalty.list_too_long"
    sentence = _("A list has at most %(most)s corrections; cut it into several.")
    status = 422


@dataclass(frozen=True)
class Correction:
    """One line of a list; without a member it names nobody who is in the programme."""

    member_id: int | None
    amount: int
    reason: str


@dataclass(frozen=True)
class Corrected:
    """What became of a line: its entry, written now or before; or why there is none."""

    entry_id: int | None = None
    is_new: bool = False
    refused: Refused | None = None


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


def adjust_many(*, name: str, corrections: Sequence[Correction], now: dt.datetime, by: Actor) -> list[Corrected]:
    """Correct every line by itself, in their order; what is refused leaves the others.

    Of a list of the same name, a line that was corrected before is not corrected again: the second of two that are the
    same is another line.

    Raises:
        TooLong
    """
    if len(corrections) > MOST:
        raise TooLong(most=MOST)
    seen: Tally[Correction] = Tally()
    done = []
    for one in corrections:
        seen[one] += 1
        done.append(_adjust_line(one, f"list:{_digest(name, one, seen[one])}", now, by))
    return done


def _adjust_line(one: Correction, source: str, now: dt.datetime, by: Actor) -> Corrected:
    if one.member_id is None:
        return Corrected(refused=NoSuchMember())
    was_there = Entry.objects.filter(source=f"{ORIGIN}:{source}").exists()
    try:
        with transaction.atomic():
            entry = adjust_points(
                member_id=one.member_id, amount=one.amount, reason=one.reason, source=source, now=now, by=by
            )
    except Refused as refused:
        return Corrected(refused=refused)
    return Corrected(entry.pk, not was_there)


def _digest(name: str, one: Correction, place: int) -> str:
    said = "\n".join(map(str, (name, one.member_id, one.amount, one.reason, place)))
    return hashlib.sha256(said.encode()).hexdigest()


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
