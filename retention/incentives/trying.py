"""What an offer would do to a basket at some moment, a draft as if it were live. Reads only."""

import datetime as dt

from retention.incentives.decisions import Decision, decide
from retention.incentives.facts import Checkout, CodeFacts, Used, read_facts
from retention.incentives.models import Counter, Incentive
from retention.incentives.versions import rule_of


def try_offer(*, incentive: Incentive, checkout: Checkout, at: dt.datetime) -> Decision:
    """The decision about a code of this incentive's newest version, given to this very shopper.

    Raises:
        NoSuchCustomer: she is named by a number that nobody has.
    """
    facts = read_facts(checkout, code="", now=at)
    rule, shopper = rule_of(incentive.version_id), facts.basket.shopper
    used = _used(incentive.pk, {"customer": shopper.id, "email": facts.email_key})
    code = CodeFacts(
        id=0,
        code="",
        version_id=incentive.version_id,
        customer_id=None,
        is_public=rule.codes.kind == "public",
        state="given",
        starts_at=rule.validity.starts_at,
        expires_at=rule.validity.ends_at,
        incentive_id=incentive.pk,
        incentive_public_id=str(incentive.public_id),
        incentive_name=incentive.name,
        incentive_state=Incentive.State.LIVE if incentive.state == Incentive.State.DRAFT else incentive.state,
        terms={},
        used=used,
    )
    return decide(code, facts.basket, now=at)


def _used(incentive_id: int, persons: dict[str, int | None]) -> Used:
    total, customer, spent = 0, 0, {}
    subjects = [subject for subject in persons.values() if subject is not None]
    rows = Counter.objects.filter(
        incentive_id=incentive_id, scope__in=["incentive", *persons], subject_id__in=[0, *subjects]
    )
    for row in rows:
        if row.scope != Counter.Scope.INCENTIVE:
            customer = max(customer, row.redeemed if row.subject_id == persons[row.scope] else 0)
        elif row.currency:
            spent[row.currency] = row.spent_minor
        else:
            total = row.redeemed
    return Used(total, 0, customer, spent)
