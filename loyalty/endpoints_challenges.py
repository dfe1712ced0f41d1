"""The HTTP endpoints of challenges with their badges, and of surprises."""

import uuid

from django.core.exceptions import ValidationError
from django.http import HttpRequest
from ninja import Query, Status
from pydantic import ValidationError as RuleError

from loyalty import schemas_rewards as schemas
from loyalty.endpoints_rewards import READ, WRITE, member_by, programme_by, segment_by
from loyalty.models import Challenge, Completion, Surprise
from loyalty.operations import challenges, surprises
from loyalty.operations.rewards import reward_by
from loyalty.rules.challenges import ChallengeRule
from loyalty.rules.surprises import SurpriseRule
from loyalty.tellers import teller_of
from retention import clock
from retention.customers.querysets import known_as
from retention.doors.endpoints import Page, Router, actor, page

router = Router("Loyalty")


@router.get("loyalty/challenges/", scope=READ, response=Page[schemas.ChallengeOut])
def list_challenges(
    request: HttpRequest, programme: str, cursor: str | None = None, limit: int = Query(50, ge=1, le=200)
):
    """A programme's challenges as they are managed, the oldest first."""
    rows = Challenge.objects.filter(programme=programme_by(programme), archived_at=None)
    return page(rows.select_related("programme", "version"), cursor, limit, shape=schemas.challenge_out)


@router.post("loyalty/challenges/", scope=WRITE, response={201: schemas.ChallengeOut})
def create_challenge(request: HttpRequest, body: schemas.ChallengeIn):
    """Write a new challenge as a draft; what members do after `start` counts."""
    made = challenges.create_challenge(
        programme_id=programme_by(body.programme).pk, rule=_challenge_rule(body), now=clock.now(), by=actor(request),
        why=body.why,
    )  # fmt: skip
    return Status(201, schemas.challenge_out(made))


@router.get("loyalty/challenges/{uuid:id}/", scope=READ, response=schemas.ChallengeOut)
def get_challenge(request: HttpRequest, id: uuid.UUID):
    return schemas.challenge_out(_challenge(id))


@router.put("loyalty/challenges/{uuid:id}/", scope=WRITE, response=schemas.ChallengeOut)
def change_challenge(request: HttpRequest, id: uuid.UUID, body: schemas.ChallengeChange):
    """Save it whole as the next version; whoever did it before has done it."""
    challenges.save_challenge(
        challenge_id=_challenge(id).pk, rule=_challenge_rule(body), edited=body.edited, now=clock.now(),
        by=actor(request), why=body.why,
    )  # fmt: skip
    return schemas.challenge_out(_challenge(id))


@router.post("loyalty/challenges/{uuid:id}/start/", scope=WRITE, response=schemas.ChallengeOut)
def start_challenge(request: HttpRequest, id: uuid.UUID):
    """What members do from now on counts."""
    challenges.start_challenge(challenge_id=_challenge(id).pk, now=clock.now(), by=actor(request))
    return schemas.challenge_out(_challenge(id))


@router.post("loyalty/challenges/{uuid:id}/stop/", scope=WRITE, response=schemas.ChallengeOut)
def stop_challenge(request: HttpRequest, id: uuid.UUID):
    """Nobody does it any more; badges stay."""
    challenges.stop_challenge(challenge_id=_challenge(id).pk, now=clock.now(), by=actor(request))
    return schemas.challenge_out(_challenge(id))


@router.get("loyalty/programmes/{programme}/challenges/", scope=READ, response=list[schemas.ProgressOut])
def list_progress(request: HttpRequest, programme: str, customer: uuid.UUID):
    """How far a customer is with each challenge that runs, and which ones she did."""
    member = member_by(programme, customer)
    teller = teller_of(member.programme)
    return [schemas.progress_out(one, teller) for one in challenges.progress_of(member, now=clock.now())]


@router.get("loyalty/badges/", scope=READ, response=Page[schemas.BadgeOut])
def list_badges(
    request: HttpRequest, customer: uuid.UUID, cursor: str | None = None, limit: int = Query(50, ge=1, le=200)
):
    """A customer's badges, the newest first."""
    rows = Completion.objects.filter(member__customer=known_as(customer), has_badge=True)
    return page(
        rows.select_related("challenge__programme"), cursor, limit, newest_first=True, shape=schemas.badge_out
    )  # fmt: skip


@router.get("loyalty/surprises/", scope=READ, response=Page[schemas.SurpriseOut])
def list_surprises(
    request: HttpRequest, programme: str, cursor: str | None = None, limit: int = Query(50, ge=1, le=200)
):
    """A programme's surprises, the oldest first."""
    rows = Surprise.objects.filter(programme=programme_by(programme), archived_at=None)
    return page(rows.select_related("programme", "version"), cursor, limit, shape=_surprise_out)


@router.post("loyalty/surprises/", scope=WRITE, response={201: schemas.SurpriseOut})
def create_surprise(request: HttpRequest, body: schemas.SurpriseIn):
    """Write a new surprise as a draft; `winners_today` says how many would win."""
    made = surprises.create_surprise(
        programme_id=programme_by(body.programme).pk, rule=_surprise_rule(body), now=clock.now(), by=actor(request),
        why=body.why,
    )  # fmt: skip
    return Status(201, _surprise_out(made))


@router.get("loyalty/surprises/{uuid:id}/", scope=READ, response=schemas.SurpriseOut)
def get_surprise(request: HttpRequest, id: uuid.UUID):
    return _surprise_out(_surprise(id))


@router.put("loyalty/surprises/{uuid:id}/", scope=WRITE, response=schemas.SurpriseOut)
def change_surprise(request: HttpRequest, id: uuid.UUID, body: schemas.SurpriseChange):
    """Save it whole as the next version; the next draw follows it."""
    surprises.save_surprise(
        surprise_id=_surprise(id).pk, rule=_surprise_rule(body), edited=body.edited, now=clock.now(),
        by=actor(request), why=body.why,
    )  # fmt: skip
    return _surprise_out(_surprise(id))


@router.post("loyalty/surprises/{uuid:id}/start/", scope=WRITE, response=schemas.SurpriseOut)
def start_surprise(request: HttpRequest, id: uuid.UUID):
    """It is drawn from the next draw on."""
    surprises.start_surprise(surprise_id=_surprise(id).pk, now=clock.now(), by=actor(request))
    return _surprise_out(_surprise(id))


@router.post("loyalty/surprises/{uuid:id}/stop/", scope=WRITE, response=schemas.SurpriseOut)
def stop_surprise(request: HttpRequest, id: uuid.UUID):
    """It is drawn no more."""
    surprises.stop_surprise(surprise_id=_surprise(id).pk, now=clock.now(), by=actor(request))
    return _surprise_out(_surprise(id))


def _challenge(public_id: uuid.UUID) -> Challenge:
    rows = Challenge.objects.select_related("programme", "version")
    challenge = rows.filter(public_id=public_id, archived_at=None).first()
    if challenge is None:
        raise challenges.NoSuchChallenge
    return challenge


def _challenge_rule(body: schemas.ChallengeSaid) -> ChallengeRule:
    reward_id = reward_by(body.reward).pk if body.reward else None
    try:
        return ChallengeRule(**body.plan.model_dump(), reward_id=reward_id, segment_id=segment_by(body.segment))
    except RuleError as error:
        raise ValidationError([found["msg"] for found in error.errors()]) from None


def _surprise(public_id: uuid.UUID) -> Surprise:
    rows = Surprise.objects.select_related("programme", "version")
    surprise = rows.filter(public_id=public_id, archived_at=None).first()
    if surprise is None:
        raise surprises.NoSuchSurprise
    return surprise


def _surprise_out(surprise: Surprise) -> dict:
    return schemas.surprise_out(surprise, len(surprises.winners(surprise, now=clock.now())))


def _surprise_rule(body: schemas.SurpriseSaid) -> SurpriseRule:
    reward_id, segment_id = reward_by(body.reward).pk, segment_by(body.segment)
    return SurpriseRule(**body.plan.model_dump(), reward_id=reward_id, segment_id=segment_id)
