"""The room's HTTP endpoints about what is not written to: suppressed addresses, and campaigns or channels that rest."""

from typing import Annotated

from django.http import HttpRequest
from ninja import Schema, Status
from pydantic import AwareDatetime, Field, StringConstraints

from retention import clock
from retention.customers.addresses import address_hash, normal_email
from retention.doors.endpoints import Router, actor
from retention.messaging import operations
from retention.messaging.endpoints import READ, WRITE
from retention.messaging.groups import name_of
from retention.messaging.models import Pause, Suppression, Way
from retention.messaging.operations.braking import NotPaused
from retention.messaging.operations.suppressing import NotSuppressed, lift_suppression, suppress
from retention.messaging.schemas import Body
from retention.refusals import Refusal

router = Router("Messages")


class AddressIn(Body):
    """A mail address; only its keyed hash is kept."""

    address: Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=254)]


class SuppressionIn(AddressIn):
    marketing_only: bool = Field(default=False, description="Transactional mail may still go there.")


class SuppressionOut(Schema):
    why: str
    marketing_only: bool
    since: AwareDatetime


class LiftedOut(Schema):
    is_lifted: bool


class PauseKey(Body):
    """What rests: a channel, or a campaign by what `pauses/` says of it."""

    channel: Annotated[str, StringConstraints(max_length=10)] = ""
    origin: Annotated[str, StringConstraints(max_length=40)] = ""
    group: Annotated[int, Field(ge=1, lt=2**63)] | None = None


class PauseOut(Schema):
    channel: str = Field(description="A whole channel; empty: a campaign.")
    origin: str
    group: int | None
    name: str = Field(description="Of the channel or campaign.")
    reason: str
    detail: str
    since: AwareDatetime


@router.post("suppressions/", scope=WRITE, response={201: SuppressionOut})
def suppress_address(request: HttpRequest, body: SuppressionIn):
    """Write to this address no more. A stricter suppression replaces a milder one, never the other way round."""
    row = suppress(address=body.address, marketing_only=body.marketing_only, now=clock.now(), by=actor(request))
    return Status(201, {"why": row.why, "marketing_only": row.marketing_only, "since": row.since})


@router.post("suppressions/lift/", scope=WRITE, response=LiftedOut)
def lift_address(request: HttpRequest, body: AddressIn):
    """Write to this address again: someone made sure that it works and is wanted. Her consent is asked all the same."""
    known = address_hash(normal_email(body.address))
    row = Suppression.objects.filter(channel=Way.EMAIL, address_hash=known).first()
    if row is None:
        raise NotSuppressed
    lift_suppression(suppression_id=row.pk, now=clock.now(), by=actor(request))
    return {"is_lifted": True}


@router.get("pauses/", scope=READ, response=list[PauseOut])
def list_pauses(request: HttpRequest):
    """Campaigns and channels whose marketing rests because too much of it went wrong; none is good news."""
    return [
        {
            "channel": pause.channel,
            "origin": pause.origin,
            "group": pause.group_id,
            "name": str(Way(pause.channel).label) if pause.channel else name_of(pause.origin, pause.group_id),
            "reason": pause.reason,
            "detail": str(Refusal(pause.reason, pause.params)),
            "since": pause.since,
        }
        for pause in Pause.objects.filter(lifted_at=None).order_by("id")
    ]


@router.post("pauses/lift/", scope=WRITE, response=LiftedOut)
def lift_pause(request: HttpRequest, body: PauseKey):
    """Let it send again; it is judged by what comes from now on."""
    which = {"channel": body.channel, "origin": body.origin, "group_id": body.group}
    pause = Pause.objects.filter(lifted_at=None, **which).first()
    if pause is None:
        raise NotPaused
    operations.lift_pause(pause_id=pause.pk, now=clock.now(), by=actor(request))
    return {"is_lifted": True}
