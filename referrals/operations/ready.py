"""A draft of a ready scheme, with drafts of the incentives that it gives."""

import datetime as dt
from itertools import count

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from referrals.models import Scheme
from referrals.operations.schemes import create_scheme
from referrals.ready import BY_KEY, Gift
from referrals.rules import SchemeRule
from retention.actors import Actor
from retention.incentives import operations as incentives
from retention.incentives.rules import IncentiveRule
from retention.refusals import Refused
from retention.shop.models import Shop


class NoSuchReadyScheme(Refused):
    code = "referrals.no_such_ready_scheme"
    sentence = _("There is no ready scheme “%(key)s”.")
    status = 404


@transaction.atomic
def create_from_ready(*, key: str, now: dt.datetime, by: Actor) -> Scheme:
    """Nothing happens until it is launched.

    Raises:
        NoSuchReadyScheme
    """
    ready = BY_KEY.get(key)
    if ready is None:
        raise NoSuchReadyScheme(key=key)
    shop = Shop.objects.get()

    def made(gift: Gift) -> int:
        rule = IncentiveRule.model_validate(gift(shop.currency))
        return incentives.create_incentive(rule=rule, now=now, by=by).pk

    rule = ready.rule(
        languages=list(shop.languages),
        friend_id=made(ready.friend) if ready.friend else None,
        level_ids=[made(gift) for _from, gift, _once in ready.levels],
    )
    return create_scheme(key=_free_key(key), rule=SchemeRule.model_validate(rule), now=now, by=by)


def _free_key(key: str) -> str:
    taken = set(Scheme.objects.filter(key__startswith=key).values_list("key", flat=True))
    return key if key not in taken else next(f"{key}_{n}" for n in count(2) if f"{key}_{n}" not in taken)
