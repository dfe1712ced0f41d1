"""The HTTP endpoints of what members get: the catalogue and its rewards, claims, and choices of milestones."""

import hashlib
import uuid

from django.http import HttpRequest
from ninja import Query, Status

from loyalty import schemas_rewards as schemas
from loyalty.catalogue import available_to, offered_to
from loyalty.links import GOOD_FOR, member_url, programme_url
from loyalty.models import Claim, Member, Passing, Programme, Reward
from loyalty.operations import claims, milestones, rewards
from loyalty.operations.members import NoSuchMember
from loyalty.operations.preferences import prefer
from loyalty.operations.programmes import NoSuchProgramme
from loyalty.rules.rewards import RewardRule
from retention import clock
from retention.customers.querysets import known_as
from retention.doors.endpoints import Page, Router, actor, idempotency_key, page
from retention.incentives.models import Incentive
from retention.incentives.querysets import NoSuchIncentive
from retention.segments.models import Segment

router = Router("Loyalty")
READ, WRITE, CLAIM = "loyalty:read", "loyalty:write", "loyalty:claim"


@router.get("loyalty/rewards/", scope=READ, response=Page[schemas.RewardOut])
def list_rewards(
    request: HttpRequest, programme: str, cursor: str | None = None, limit: int = Query(50, ge=1, le=200)
):  # fmt: skip
    """A programme's rewards as they are managed, drafts too, the oldest first."""
    rows = Reward.objects.filter(programme=programme_by(programme), archived_at=None)
    return page(rows.select_related("programme", "version"), cursor, limit, shape=schemas.reward_out)


@router.post("loyalty/rewards/", scope=WRITE, response={201: schemas.RewardOut})
def create_reward(request: HttpRequest, body: schemas.RewardIn):
    """Write a new reward as a draft; `start` shows it to members."""
    made = rewards.create_reward(
        programme_id=programme_by(body.programme).pk, rule=_rule(body), now=clock.now(), by=actor(request), why=body.why
    )
    return Status(201, schemas.reward_out(made))


@router.get("loyalty/rewards/{uuid:id}/", scope=READ, response=schemas.RewardOut)
def get_reward(request: HttpRequest, id: uuid.UUID):
    return schemas.reward_out(rewards.reward_by(id))


@router.put("loyalty/rewards/{uuid:id}/", scope=WRITE, response=schemas.RewardOut)
def change_reward(request: HttpRequest, id: uuid.UUID, body: schemas.RewardChange):
    """Save it whole as the next version; claims follow it at once."""
    rewards.save_reward(
        reward_id=rewards.reward_by(id).pk, rule=_rule(body), edited=body.edited, now=clock.now(), by=actor(request),
        why=body.why,
    )  # fmt: skip
    return schemas.reward_out(rewards.reward_by(id))


@router.post("loyalty/rewards/{uuid:id}/start/", scope=WRITE, response=schemas.RewardOut)
def start_reward(request: HttpRequest, id: uuid.UUID):
    """Show it to members and let them take it; a draft of an incentive goes live with it."""
    rewards.start_reward(reward_id=rewards.reward_by(id).pk, now=clock.now(), by=actor(request))
    return schemas.reward_out(rewards.reward_by(id))


@router.post("loyalty/rewards/{uuid:id}/stop/", scope=WRITE, response=schemas.RewardOut)
def stop_reward(request: HttpRequest, id: uuid.UUID):
    """Take it out of the catalogue; what was claimed stays."""
    rewards.stop_reward(reward_id=rewards.reward_by(id).pk, now=clock.now(), by=actor(request))
    return schemas.reward_out(rewards.reward_by(id))


@router.get("loyalty/programmes/{programme}/catalogue/", scope=READ, response=schemas.CatalogueOut)
def get_catalogue(request: HttpRequest, programme: str, customer: uuid.UUID):
    """What a customer can have for her points, what she likes best first; what she cannot have yet says why."""
    member, now = member_by(programme, customer), clock.now()
    return {
        "programme": programme, "customer": customer, "available": available_to(member, now=now),
        "prefers": member.prefers or None, "rewards": [schemas.offered_out(one) for one in offered_to(member, now=now)],
    }  # fmt: skip


@router.get("loyalty/programmes/{programme}/page/", scope=READ, response=schemas.PageOut)
def get_member_page(request: HttpRequest, programme: str, customer: uuid.UUID):
    """The signed link to a customer's own page of a programme, member or not, and the public page of the programme."""
    its, now = programme_by(programme), clock.now()
    url = member_url(known_as(customer).public_id, its.public_id, now=now)
    return {"url": url, "expires_at": now + GOOD_FOR, "how_it_works": programme_url(its)}


@router.put("loyalty/programmes/{programme}/members/{uuid:customer}/preference/", scope=WRITE, response={204: None})
def put_preference(request: HttpRequest, programme: str, customer: uuid.UUID, body: schemas.PreferenceIn):
    """Say which kind of reward a customer likes best; her catalogue begins with it."""
    prefer(member_id=member_by(programme, customer).pk, kind=body.kind or "", now=clock.now(), by=actor(request))
    return Status(204, None)


@router.post("loyalty/claims/", scope=CLAIM, response={201: schemas.ClaimOut})
def create_claim(request: HttpRequest, body: schemas.ClaimIn):
    """A customer takes a reward for her points: both at once, or neither."""
    reward = rewards.reward_by(body.reward)
    member = member_by(reward.programme.key, body.customer)
    said = f"{request.auth.pk}:{idempotency_key(request)}"
    claim = claims.claim(
        reward_id=reward.pk, member_id=member.pk, source=f"api:{hashlib.sha256(said.encode()).hexdigest()}",
        now=clock.now(), by=actor(request),
    )  # fmt: skip
    return Status(201, _claim(claim.pk))


@router.get("loyalty/claims/", scope=READ, response=Page[schemas.ClaimOut])
def list_claims(
    request: HttpRequest,
    customer: uuid.UUID | None = None,
    reward: uuid.UUID | None = None,
    cursor: str | None = None,
    limit: int = Query(50, ge=1, le=200),
):
    """What was taken, the newest first: by one customer, of one reward, or by all."""
    rows = _claims()
    if customer:
        rows = rows.filter(member__customer=known_as(customer))
    if reward:
        rows = rows.filter(reward=rewards.reward_by(reward))
    return page(rows, cursor, limit, newest_first=True, shape=schemas.claim_out)


@router.get("loyalty/claims/{uuid:id}/", scope=READ, response=schemas.ClaimOut)
def get_claim(request: HttpRequest, id: uuid.UUID):
    return _claim(_claim_by(id))


@router.post("loyalty/claims/{uuid:id}/return/", scope=WRITE, response=schemas.ClaimOut)
def return_claim(request: HttpRequest, id: uuid.UUID, body: schemas.ClaimReturnIn):
    """Take back a reward that was not used; its points come back where the reward says so."""
    pk = _claim_by(id)
    claims.return_claim(claim_id=pk, now=clock.now(), by=actor(request), reason=body.reason)
    return _claim(pk)


@router.get("loyalty/choices/", scope=READ, response=Page[schemas.ChoiceOut])
def list_choices(
    request: HttpRequest, customer: uuid.UUID, cursor: str | None = None, limit: int = Query(50, ge=1, le=200)
):
    """What a customer may choose from now, for milestones that she passed."""
    rows = Passing.objects.filter(
        member__customer=known_as(customer), state=Passing.State.OPEN, choose_until__gt=clock.now()
    )
    return page(rows.select_related(*_OF_CHOICES), cursor, limit, shape=schemas.choice_out)


@router.post("loyalty/choices/{uuid:id}/choose/", scope=CLAIM, response=schemas.ClaimOut)
def choose(request: HttpRequest, id: uuid.UUID, body: schemas.ChooseIn):
    """A customer chooses one of the rewards; where it cannot be given, her choice stays open."""
    claim = milestones.choose(
        passing=id, reward_id=rewards.reward_by(body.reward).pk, now=clock.now(), by=actor(request)
    )
    return _claim(claim.pk)


_OF_CHOICES = ("member__programme", "member__customer", "claim")


def programme_by(key: str) -> Programme:
    """
    Raises:
        NoSuchProgramme
    """
    programme = Programme.objects.filter(key=key, archived_at=None).first()
    if programme is None:
        raise NoSuchProgramme
    return programme


def member_by(key: str, customer: uuid.UUID) -> Member:
    """
    Raises:
        NoSuchProgramme, NoSuchCustomer, NoSuchMember
    """
    rows = Member.objects.select_related("programme__unit", "tier", "customer")
    member = rows.filter(programme=programme_by(key), customer=known_as(customer)).first()
    if member is None:
        raise NoSuchMember
    return member


def segment_by(public_id: uuid.UUID | None) -> int | None:
    """
    Raises:
        RewardNamesNobody
    """
    if public_id is None:
        return None
    pk = Segment.objects.filter(public_id=public_id, archived_at=None).values_list("pk", flat=True).first()
    if pk is None:
        raise rewards.RewardNamesNobody(what="segment")
    return pk


def _rule(body: schemas.RewardSaid) -> RewardRule:
    incentive = Incentive.objects.filter(public_id=body.incentive, archived_at=None).first()
    if incentive is None:
        raise NoSuchIncentive
    return RewardRule(**body.plan.model_dump(), incentive_id=incentive.pk, segment_id=segment_by(body.segment))


def _claims():
    return Claim.objects.select_related("reward__programme", "member__customer", "grant__code")


def _claim(pk: int) -> dict:
    return schemas.claim_out(_claims().get(pk=pk))


def _claim_by(public_id: uuid.UUID) -> int:
    pk = Claim.objects.filter(public_id=public_id).values_list("pk", flat=True).first()
    if pk is None:
        raise claims.NoSuchClaim
    return pk
