"""What members say they like."""

import datetime as dt

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from loyalty.models import Member, Reward
from loyalty.operations.members import NoSuchMember
from retention.actors import Actor
from retention.audit.operations import record
from retention.refusals import Refused


class NoSuchKind(Refused):
    code = "loyalty.no_such_kind"
    sentence = _("There is no such kind of reward.")
    status = 422


@transaction.atomic
def prefer(*, member_id: int, kind: str, now: dt.datetime, by: Actor) -> None:
    """A member likes one kind of reward best; "": none more than others.

    Raises:
        NoSuchMember, NoSuchKind
    """
    if kind and kind not in Reward.Kind:
        raise NoSuchKind
    member = Member.objects.select_for_update(no_key=True).filter(pk=member_id).first()
    if member is None:
        raise NoSuchMember
    if member.prefers == kind:
        return
    Member.objects.filter(pk=member_id).update(prefers=kind)
    record(verb="loyalty.prefer", by=by, now=now, subject=member, customer_id=member.customer_id, after={"kind": kind})
