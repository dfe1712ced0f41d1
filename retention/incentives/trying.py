"""What offers would do to a basket at some moment, drafts as if they were live. Reads only."""

import datetime as dt
import uuid
from collections.abc import Sequence

from retention.incentives.checkouts import Checkout
from retention.incentives.decisions import Decision, decide
from retention.incentives.facts import Facts, OfferFacts, read_facts, with_offers
from retention.incentives.models import Incentive
from retention.incentives.querysets import NoSuchIncentive, incentives, used_of
from retention.incentives.versions import rule_of


def try_offer(*, incentive: Incentive, checkout: Checkout, at: dt.datetime) -> Decision:
    """The decision about a code of this incentive's newest version, given to this very shopper.

    Raises:
        NoSuchCustomer: she is named by a number that nobody has.
    """
    facts = read_facts(checkout, codes=(), now=at)
    is_draft = incentive.state == Incentive.State.DRAFT
    return decide(with_offers(facts, offers_of([incentive], facts, Incentive.State.LIVE if is_draft else None)))


def try_together(*, incentive: Incentive, codes: Sequence[str], checkout: Checkout, at: dt.datetime) -> Decision:
    """The same beside whatever is live: the offers that apply by themselves, and codes that are typed too.

    A typed code that nobody has is not among what was checked.

    Raises:
        NoSuchCustomer: she is named by a number that nobody has.
    """
    facts = read_facts(checkout, codes=codes, now=at)
    others = [offer.facts for offer in facts.offers if offer.facts.incentive_id != incentive.pk]
    is_draft = incentive.state == Incentive.State.DRAFT
    own = offers_of([incentive], facts, Incentive.State.LIVE if is_draft else None)
    return decide(with_offers(facts, [*own, *others]))


def offers_of(chosen: Sequence[Incentive], facts: Facts, state: str | None) -> list[OfferFacts]:
    """The newest versions of incentives as offers of this very shopper, in this state (None: in their own)."""
    used = used_of(one.pk for one in chosen)
    return [_offer(one, state or one.state, used[one.pk], facts.basket.currency) for one in chosen]


def drafts_as_live(public_ids: Sequence[uuid.UUID], facts: Facts) -> list[OfferFacts]:
    """These incentives, whatever their state, as offers of this very shopper that are live.

    Raises:
        NoSuchIncentive: one of them is none.
    """
    found = list(incentives().filter(public_id__in=public_ids))
    if len(found) < len(set(public_ids)):
        raise NoSuchIncentive
    return offers_of(found, facts, Incentive.State.LIVE)


def _offer(incentive: Incentive, state: str, used: dict, currency: str) -> OfferFacts:
    rule = rule_of(incentive.version_id)
    return OfferFacts(
        code_id=None,
        code=None,
        version_id=incentive.version_id,
        customer_id=None,
        state="given",
        starts_at=rule.validity.starts_at,
        expires_at=rule.validity.ends_at,
        terms=None,
        budget_id=None,
        incentive_id=incentive.pk,
        incentive_public_id=str(incentive.public_id),
        incentive_name=incentive.name,
        incentive_state=state,
        is_stopped=False,
        total_used=used["redeemed"],
        spent_minor=used["spent_minor"].get(currency, 0),
        is_named=True,
    )
