"""Taking rewards: bought with points, given for nothing, and returned. Locks in one order: the member, the reward's
count of all, her count, her points, the grant.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db import connection, transaction
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from loyalty.catalogue import OPEN, reward_rule, standing_of
from loyalty.models import Claim, Member, Reward, RewardCount
from loyalty.operations.members import NoSuchMember
from loyalty.operations.rewards import NoSuchReward
from loyalty.operations.telling import Told, tell
from loyalty.rules.rewards import RewardGone, RewardLimit, RewardRule, refusal
from retention.actors import Actor
from retention.audit.operations import record
from retention.incentives import operations as incentives
from retention.incentives.rules import period
from retention.ledger import operations as ledger
from retention.ledger.days import book_day
from retention.ledger.models import Account, Entry
from retention.ledger.operations.transfers import SourceReused, as_refused
from retention.marks import CurrentTransaction
from retention.refusals import Refusal, Refused

ORIGIN = "loyalty.claim"


class NoSuchClaim(Refused):
    code = "loyalty.no_such_claim"
    sentence = _("There is no such claim.")
    status = 404


class ClaimReturned(Refused):
    code = "loyalty.claim_returned"
    sentence = _("This reward was returned before.")


@dataclass(frozen=True)
class Given:
    """What came of giving a reward to many: source → claim, and source → why not."""

    claims: Mapping[str, int]
    refused: Mapping[str, Refusal]


@transaction.atomic
def claim(*, reward_id: int, member_id: int, source: str, now: dt.datetime, by: Actor) -> Claim:
    """A member takes a reward for her points: both at once, or neither. The same source again returns the same claim.

    Raises:
        NoSuchReward, NoSuchMember
        RewardGone, RewardNotYet, RewardLimit, ForOtherTiers, OtherSegment: she cannot have it.
        ledger.NotEnough, ledger.Frozen: her points do not suffice, or are blocked.
        SourceReused: the source came before for something else.
        Refused: as `grant` says of its incentive.
    """
    member = _locked_member(member_id)
    stock = _locked_stock(reward_id)
    if (before := Claim.objects.filter(source=source).first()) is not None:
        if (before.reward_id, before.member_id) != (reward_id, member_id):
            raise SourceReused
        return before
    reward = _offered(reward_id)
    rule = reward_rule(reward.version_id)
    if reward.programme_id != member.programme_id or not rule.is_in_catalogue:
        raise NoSuchReward
    _take(stock, rule, member, now=now)
    (claim_id,) = _numbers(1)
    entry_id = _pay(member, rule.price, claim_id, now=now, by=by) if rule.price else None
    given = _grant(reward, {claim_id: member.customer_id}, now=now, by=by)
    for why in given.refused.values():
        raise as_refused(why)
    claimed = Claim.objects.create(
        pk=claim_id, reward=reward, member=member, version_id=reward.version_id, source=source, price=rule.price,
        entry_id=entry_id, grant_id=given.grants[_source(claim_id)], claimed_at=now,
    )  # fmt: skip
    Member.objects.filter(pk=member.pk).update(active_at=now)
    _tell([(claim_id, member.customer_id)], reward, rule.price, now=now)
    return claimed


@transaction.atomic
def give_rewards(
    *,
    reward_id: int,
    member_ids: Sequence[int],
    sources: Sequence[str],
    origin: str,
    origin_ids: Sequence[int],
    now: dt.datetime,
    by: Actor,
    budget_id: int | None = None,
) -> Given:
    """Give members a reward for nothing, one for each source; a source that came before has its claim already.

    Stock and budget hold; prices, windows, tiers and limits of each do not: whoever gives has decided that. Where
    there are not enough, the first of the array get it.

    Raises:
        NoSuchReward
    """
    stock = _locked_stock(reward_id)
    before = dict(Claim.objects.filter(source__in=list(sources)).values_list("source", "pk"))
    wishes = [
        wish for wish in zip(sources, member_ids, origin_ids, strict=True) if wish[0] not in before
    ]  # fmt: skip
    reward = Reward.objects.select_related("programme").get(pk=reward_id)
    refused: dict[str, Refusal] = {}
    room = len(wishes) if reward.state == Reward.State.LIVE else 0
    if stock.most is not None:
        room = min(room, stock.most - stock.taken)
    refused.update((source, RewardGone().as_refusal()) for source, *_rest in wishes[room:])
    wishes = wishes[:room]
    if not wishes:
        return Given(before, refused)
    numbers = _numbers(len(wishes))
    members = Member.objects.in_bulk([member_id for _source_, member_id, _origin_id in wishes])
    customers = {pk: members[wish[1]].customer_id for pk, wish in zip(numbers, wishes, strict=True)}
    given = _grant(reward, customers, now=now, by=by, budget_id=budget_id)
    claims = []
    for pk, (source, member_id, origin_id) in zip(numbers, wishes, strict=True):
        if (why := given.refused.get(_source(pk))) is not None:
            refused[source] = why
            continue
        claims.append(
            Claim(
                pk=pk, reward=reward, member_id=member_id, version_id=reward.version_id, source=source, origin=origin,
                origin_id=origin_id, price=0, grant_id=given.grants[_source(pk)], claimed_at=now,
            )
        )  # fmt: skip
    Claim.objects.bulk_create(claims)
    RewardCount.objects.filter(pk=stock.pk).update(taken=F("taken") + len(claims))
    _tell([(one.pk, customers[one.pk]) for one in claims], reward, 0, now=now)
    return Given({**before, **{one.source: one.pk for one in claims}}, refused)


@transaction.atomic
def return_claim(*, claim_id: int, now: dt.datetime, by: Actor, reason: str) -> Claim:
    """Take a reward back that was not used: its points come back with the ends they had, where its rule says so.

    Raises:
        NoSuchClaim, ClaimReturned
        GrantUsed: she used it already.
    """
    member_id = Claim.objects.filter(pk=claim_id).values_list("member_id", flat=True).first()
    if member_id is None:
        raise NoSuchClaim
    _locked_member(member_id)
    claimed = Claim.objects.get(pk=claim_id)
    if claimed.state == Claim.State.RETURNED:
        raise ClaimReturned
    stock = _locked_stock(claimed.reward_id)
    RewardCount.objects.filter(pk=stock.pk).update(taken=F("taken") - 1)
    rule = reward_rule(claimed.version_id)
    if not claimed.origin:
        # What she was given for nothing was never counted as hers.
        of_hers = period(rule.within, book_day(claimed.claimed_at))
        hers = RewardCount.objects.filter(reward=claimed.reward_id, member=member_id, period=of_hers)
        hers.update(taken=F("taken") - 1)
    if claimed.entry_id and rule.gives_back:
        ledger.give_back(
            entry_id=claimed.entry_id, amount=claimed.price, source=f"claim:{claim_id}:back", reason=reason, now=now,
            by=by, origin=ORIGIN, origin_id=claim_id,
        )  # fmt: skip
    incentives.void_grant(grant_id=claimed.grant_id, now=now, by=by, reason=reason)
    claimed.state, claimed.ended_at, claimed.xid = Claim.State.RETURNED, now, CurrentTransaction()
    claimed.save(update_fields=["state", "ended_at", "xid"])
    customer_id = Member.objects.values_list("customer_id", flat=True).get(pk=member_id)
    record(
        verb="loyalty.return_claim", by=by, now=now, subject=claimed, customer_id=customer_id,
        after={"reason": reason, "points": claimed.price if rule.gives_back else 0},
    )  # fmt: skip
    return claimed


def _locked_member(member_id: int) -> Member:
    rows = Member.objects.select_for_update(no_key=True, of=("self",)).select_related("programme", "tier")
    member = rows.filter(pk=member_id).first()
    if member is None:
        raise NoSuchMember
    return member


def _locked_stock(reward_id: int) -> RewardCount:
    """The reward's count of all; whoever saves, stops or takes it waits for each other here."""
    stock = RewardCount.objects.select_for_update(no_key=True).filter(reward=reward_id, member=None).first()
    if stock is None:
        raise NoSuchReward
    return stock


def _offered(reward_id: int) -> Reward:
    reward = Reward.objects.select_related("programme").get(pk=reward_id)
    if reward.state != Reward.State.LIVE or reward.archived_at or reward.programme.state not in OPEN:
        raise RewardGone
    return reward


def _take(stock: RewardCount, rule: RewardRule, member: Member, *, now: dt.datetime) -> None:
    """Count one more of all and of hers, where both still may be."""
    standing = standing_of(member, [rule], available=rule.price, now=now)
    if (why := refusal(rule, standing)) is not None:
        raise why
    free = RewardCount.objects.filter(Q(most=None) | Q(taken__lt=F("most")), pk=stock.pk)
    if not free.update(taken=F("taken") + 1):
        raise RewardGone
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO loyalty_rewardcount AS count (reward_id, member_id, period, taken, most)
            VALUES (%(reward)s, %(member)s, %(period)s, 1, %(most)s)
            ON CONFLICT (reward_id, member_id, period)
            DO UPDATE SET taken = count.taken + 1, most = excluded.most
            WHERE excluded.most IS NULL OR count.taken < excluded.most
            """,
            {
                "reward": stock.reward_id, "member": member.pk, "period": period(rule.within, book_day(now)),
                "most": rule.per_customer,
            },
        )  # fmt: skip
        if not cursor.rowcount:
            raise RewardLimit(limit=rule.limit())


def _pay(member: Member, price: int, claim_id: int, *, now: dt.datetime, by: Actor) -> int:
    unit = member.programme.unit
    accounts = ledger.open_customer_accounts(unit=unit, customer_ids=[member.customer_id], now=now)
    wish = ledger.Transfer(
        source=_source(claim_id), from_id=accounts[member.customer_id], amount=price, verb=Entry.Verb.SPEND,
        to_id=ledger.shop_account(unit, Account.Purpose.REDEEMED), origin=ORIGIN, origin_id=claim_id,
    )  # fmt: skip
    return ledger.transfer_one(wish=wish, now=now, by=by)


def _grant(
    reward: Reward, customers: Mapping[int, int], *, now: dt.datetime, by: Actor, budget_id: int | None = None
) -> incentives.Granted:
    """Grant a reward's incentive for claims: claim → customer."""
    return incentives.grant(
        incentive_id=reward.incentive_id, sources=[_source(pk) for pk in customers],
        customer_ids=list(customers.values()), origin=ORIGIN, origin_ids=list(customers), now=now, by=by,
        is_given=True, budget_id=budget_id,
    )  # fmt: skip


def _source(claim_id: int) -> str:
    return f"claim:{claim_id}"


def _numbers(count: int) -> list[int]:
    """Numbers of claims to be: what pays for them and what they give names them before they are written."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence('loyalty_claim', 'id')) FROM generate_series(1, %s)", [count]
        )
        return [pk for (pk,) in cursor.fetchall()]


def _tell(claims: Iterable[tuple[int, int]], reward: Reward, price: int, *, now: dt.datetime) -> None:
    about = {"programme": reward.programme.key, "reward": str(reward.public_id), "points": price}
    tell(
        kind="loyalty.reward_claimed",
        told=[Told(customer, f"loyalty.claim:{pk}", about) for pk, customer in claims],
        now=now,
    )
