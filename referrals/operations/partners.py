"""Partners: made, changed, paused, archived, and forgotten once nothing is owed to them."""

import datetime as dt
import re
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _
from stdnum.iban import compact, is_valid

from referrals.models import Advocate, Partner, Payout, Referral, Scheme
from referrals.operations.advocates import CODES
from referrals.operations.commissions import ORIGIN
from referrals.operations.schemes import NoSuchScheme, NotLive
from retention import money
from retention.actors import Actor
from retention.audit.operations import record
from retention.incentives.models import Code
from retention.ledger.models import Account
from retention.refusals import Refused

#: Whom the bank pays.
_PAID_TO = {"payee", "iban"}
#: What of a partner the audit names the content of; of the rest only that it changed.
_PLAIN = ("basis_points", "currency", "least_minor")


class NoSuchPartner(Refused):
    code = "referrals.no_such_partner"
    sentence = _("There is no such partner.")
    status = 404


class PartnerTaken(Refused):
    code = "referrals.partner_taken"
    sentence = _("There is a partner “%(reference)s” already.")


class BadIban(Refused):
    code = "referrals.bad_iban"
    sentence = _("This is not an IBAN: its length or its check digits are wrong.")
    status = 422


class BadShare(Refused):
    code = "referrals.bad_share"
    sentence = _("A share lies between 0 and 100 %.")
    status = 422


class BadCurrency(Refused):
    code = "referrals.bad_currency"
    sentence = _("%(currency)s is not a currency.")
    status = 422


class CurrencyIsFixed(Refused):
    code = "referrals.currency_is_fixed"
    sentence = _("The currency stays once something was earned in it; make a new partner for another one.")


class InPayouts(Refused):
    code = "referrals.in_payouts"
    sentence = _(
        "This partner is in payouts that the bank has not paid yet (%(batch)s): who gets them stays as it was looked"
        " at. Pay or cancel them first."
    )


class PartnerArchived(Refused):
    code = "referrals.partner_archived"
    sentence = _("“%(name)s” is archived.")


class StillOwed(Refused):
    code = "referrals.still_owed"
    sentence = _("%(amount)s are owed to this partner still. Pay it out first.")


class StillComing(Refused):
    code = "referrals.still_coming"
    sentence = _("%(count)s of this partner's referrals are not decided yet; they may still earn something.")


class BadCode(Refused):
    code = "referrals.bad_code"
    sentence = _("A code has 4 to 60 letters and digits.")
    status = 422


class CodeTaken(Refused):
    code = "referrals.code_taken"
    sentence = _("The code %(code)s is somebody else's.")


class NotForPartners(Refused):
    code = "referrals.not_for_partners"
    sentence = _("“%(name)s” is for customers.")


@dataclass(frozen=True)
class PartnerData:
    """All that people decide about a partner. `least_minor`: less than this waits for the next payout."""

    reference: str
    name: str
    basis_points: int
    currency: str
    email: str = ""
    payee: str = ""
    iban: str = ""
    tax_number: str = ""
    least_minor: int = 0

    def columns(self) -> dict[str, Any]:
        """As they are kept.

        Raises:
            BadIban, BadShare, BadCurrency
        """
        iban = compact(self.iban)
        if iban and not is_valid(iban):
            raise BadIban
        if not 0 <= self.basis_points <= 10_000:
            raise BadShare
        if self.currency not in money.currency_codes():
            raise BadCurrency(currency=self.currency)
        return {**vars(self), "iban": iban, "email": self.email or None}


@transaction.atomic
def create_partner(*, data: PartnerData, now: dt.datetime, by: Actor) -> Partner:
    """
    Raises:
        PartnerTaken, BadIban, BadShare, BadCurrency
    """
    partner = Partner(created_at=now, **data.columns())
    _insert(partner)
    record(verb="referrals.create_partner", by=by, now=now, subject=partner, after=_plain(partner))
    return partner


@transaction.atomic
def save_partner(*, partner_id: int, data: PartnerData, now: dt.datetime, by: Actor) -> Partner:
    """What was earned keeps the share that it was earned with.

    Raises:
        NoSuchPartner, PartnerArchived, PartnerTaken, BadIban, BadShare, BadCurrency
        CurrencyIsFixed: something was earned in the one she has.
        InPayouts: her account at the bank was to change between the approval and the bank.
    """
    partner = locked(partner_id)
    if partner.archived_at:
        raise PartnerArchived(name=partner.name)
    before, columns = _plain(partner), data.columns()
    if columns["currency"] != partner.currency and _accounts(partner).exists():
        raise CurrencyIsFixed
    changed = sorted(name for name, value in columns.items() if getattr(partner, name) != value)
    if _PAID_TO & set(changed):
        _check_not_in_payouts(partner)
    for name in changed:
        setattr(partner, name, columns[name])
    _insert(partner)
    record(
        verb="referrals.save_partner", by=by, now=now, subject=partner, before=before,
        after={**_plain(partner), "changed": changed},
    )  # fmt: skip
    return partner


@transaction.atomic
def set_partner_active(*, partner_id: int, is_active: bool, now: dt.datetime, by: Actor) -> Partner:
    """Pause a partner, or let her go on: while she is paused her links bring nobody. What was brought still earns.

    Raises:
        NoSuchPartner, PartnerArchived
    """
    partner = locked(partner_id)
    if partner.archived_at:
        raise PartnerArchived(name=partner.name)
    if partner.is_active != is_active:
        _turn(partner, is_active, now)
        record(verb=f"referrals.{'resume' if is_active else 'pause'}_partner", by=by, now=now, subject=partner)
    return partner


def pause_partner(*, partner_id: int, now: dt.datetime, by: Actor) -> Partner:
    return set_partner_active(partner_id=partner_id, is_active=False, now=now, by=by)


def resume_partner(*, partner_id: int, now: dt.datetime, by: Actor) -> Partner:
    return set_partner_active(partner_id=partner_id, is_active=True, now=now, by=by)


@transaction.atomic
def archive_partner(*, partner_id: int, now: dt.datetime, by: Actor) -> Partner:
    """Out of the list for good, and her links bring nobody; what is owed to her is still paid out.

    Raises:
        NoSuchPartner
    """
    partner = locked(partner_id)
    if partner.archived_at is None:
        _turn(partner, False, now)
        Partner.objects.filter(pk=partner.pk).update(archived_at=now)
        record(verb="referrals.archive_partner", by=by, now=now, subject=partner)
        partner.archived_at = now
    return partner


@transaction.atomic
def renew_link(*, partner_id: int, now: dt.datetime, by: Actor) -> Partner:
    """A new link to her statement; the old one is dead.

    Raises:
        NoSuchPartner: nobody, or one who was forgotten.
    """
    partner = locked(partner_id)
    if not partner.name:
        raise NoSuchPartner
    partner.has_link, partner.link_number = True, partner.link_number + 1
    partner.save(update_fields=["has_link", "link_number"])
    record(verb="referrals.renew_link", by=by, now=now, subject=partner)
    return partner


@transaction.atomic
def revoke_link(*, partner_id: int, now: dt.datetime, by: Actor) -> Partner:
    """The link to her statement is dead until it is renewed.

    Raises:
        NoSuchPartner
    """
    partner = locked(partner_id)
    partner.has_link = False
    partner.save(update_fields=["has_link"])
    record(verb="referrals.revoke_link", by=by, now=now, subject=partner)
    return partner


@transaction.atomic
def forget_partner(*, partner_id: int, now: dt.datetime, by: Actor) -> Partner:
    """Blank all that names her. The books keep what she earned and was paid, by number alone.

    Raises:
        NoSuchPartner
        StillOwed, StillComing: first pay, or decide, what is hers.
    """
    partner = locked(partner_id)
    owed = max((max(balance, held) for balance, held in _accounts(partner).values_list("balance", "held")), default=0)
    if owed > 0:
        raise StillOwed(amount=money.show(owed, partner.currency))
    coming = Referral.objects.filter(advocate__partner=partner, state__in=Referral.OPEN).count()
    if coming:
        raise StillComing(count=coming)
    _turn(partner, False, now)
    Partner.objects.filter(pk=partner.pk).update(
        name="", email=None, payee="", iban="", tax_number="", archived_at=partner.archived_at or now
    )
    record(verb="referrals.forget_partner", by=by, now=now, subject=partner)
    partner.refresh_from_db()
    return partner


@transaction.atomic
def enrol_partner(*, partner_id: int, scheme_id: int, now: dt.datetime, by: Actor, code: str = "") -> Advocate:
    """Give a partner her link in a scheme of partners; who has one keeps it. Without a code one is drawn.

    Raises:
        NoSuchPartner, PartnerArchived, NoSuchScheme, NotForPartners, BadCode, CodeTaken
        NotLive: the scheme has ended.
    """
    partner = locked(partner_id)
    if partner.archived_at:
        raise PartnerArchived(name=partner.name)
    scheme = Scheme.objects.filter(pk=scheme_id).first()
    if scheme is None:
        raise NoSuchScheme
    if scheme.kind != Scheme.Kind.PARTNERS:
        raise NotForPartners(name=scheme.name)
    if scheme.state == Scheme.State.ENDED:
        raise NotLive(name=scheme.name)
    known = Advocate.objects.filter(scheme=scheme, partner=partner).first()
    if known is not None:
        return known
    chosen = code.strip().upper()
    if chosen and not re.fullmatch(r"[A-Z0-9]{4,60}", chosen):
        raise BadCode
    chosen = chosen or next(iter(CODES.make(1)))
    if Code.objects.filter(code=chosen).exists():
        raise CodeTaken(code=chosen)
    blocked_at = None if partner.is_active else now
    try:
        with transaction.atomic():
            advocate = Advocate.objects.create(
                scheme=scheme, partner=partner, code=chosen, joined_at=now, blocked_at=blocked_at
            )
    except IntegrityError:
        raise CodeTaken(code=chosen) from None
    record(verb="referrals.enrol_partner", by=by, now=now, subject=partner, after={"scheme": scheme.key})
    return advocate


def locked(partner_id: int) -> Partner:
    """The partner, under her lock.

    Raises:
        NoSuchPartner
    """
    partner = Partner.objects.select_for_update(no_key=True).filter(pk=partner_id).first()
    if partner is None:
        raise NoSuchPartner
    return partner


def _accounts(partner: Partner):
    return Account.objects.filter(origin=ORIGIN, origin_id=partner.pk)


def _check_not_in_payouts(partner: Partner) -> None:
    held = Payout.objects.filter(partner=partner, batch__state__in=["draft", "approved"]).order_by("pk")
    if (batch := held.values_list("batch_id", flat=True).first()) is not None:
        raise InPayouts(batch=batch)


def _insert(partner: Partner) -> None:
    try:
        with transaction.atomic():
            partner.save()
    except IntegrityError:
        raise PartnerTaken(reference=partner.reference) from None


def _turn(partner: Partner, is_active: bool, now: dt.datetime) -> None:
    partner.is_active = is_active
    Partner.objects.filter(pk=partner.pk).update(is_active=is_active)
    links = Advocate.objects.filter(partner=partner, blocked_at__isnull=not is_active)
    links.update(blocked_at=None if is_active else now)


def _plain(partner: Partner) -> dict[str, Any]:
    return {name: getattr(partner, name) for name in _PLAIN}
