"""Schemes, advocates, visits and referrals over HTTP."""

import uuid
from collections.abc import Callable
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Query, Status

from referrals import operations, querysets, schemas
from referrals.models import Advocate, Referral, Scheme
from referrals.offers import friend_gets
from referrals.operations.visits import record_visit
from referrals.references import read_rule
from referrals.shares import shares_of
from retention import clock
from retention.customers.models import Customer
from retention.customers.querysets import known_as
from retention.doors.endpoints import Page, Router, actor, idempotency_key, page

router = Router("Referrals")
READ, WRITE, LAUNCH = "referrals:read", "referrals:write", "referrals:launch"
REFER, REVIEW = "referrals:refer", "referrals:review"
Cursor = Annotated[str | None, Query(max_length=40)]
Limit = Annotated[int, Query(ge=1, le=200)]
Word = Annotated[str, Query(max_length=100)]


@router.get("referrals/schemes/", scope=READ, response=Page[schemas.SchemeOut])
def list_schemes(request: HttpRequest, cursor: Cursor = None, limit: Limit = 50):
    """Schemes that are not archived."""
    return page(querysets.schemes(), cursor, limit, shape=schemas.scheme_out)


@router.post("referrals/schemes/", scope=WRITE, response={201: schemas.SchemeWithRuleOut})
def create_scheme(request: HttpRequest, body: schemas.SchemeIn):
    """A new draft."""
    scheme = operations.create_scheme(
        key=body.key, rule=read_rule(body.rule), why=body.why, now=clock.now(), by=actor(request)
    )
    return Status(201, schemas.scheme_with_rule_out(scheme))


@router.get("referrals/schemes/{uuid:id}/", scope=READ, response=schemas.SchemeWithRuleOut)
def get_scheme(request: HttpRequest, id: uuid.UUID):
    """One scheme with its whole rule."""
    return schemas.scheme_with_rule_out(_scheme(id))


@router.put("referrals/schemes/{uuid:id}/", scope=WRITE, response=schemas.SchemeWithRuleOut)
def change_scheme(request: HttpRequest, id: uuid.UUID, body: schemas.SchemeChanges):
    """Save the whole rule as the next version: for friends from now on; those there are keep theirs."""
    pk, rule = _scheme(id).pk, read_rule(body.rule)
    operations.save_scheme(
        scheme_id=pk, rule=rule, edited=body.edited, why=body.why, now=clock.now(), by=actor(request)
    )  # fmt: skip
    return schemas.scheme_with_rule_out(_scheme(id))


@router.post("referrals/schemes/{uuid:id}/launch/", scope=LAUNCH, response=schemas.SchemeOut)
def launch_scheme(request: HttpRequest, id: uuid.UUID):
    """Put a draft live, and its incentives with it."""
    return _turned(id, operations.launch_scheme, request)


@router.post("referrals/schemes/{uuid:id}/pause/", scope=LAUNCH, response=schemas.SchemeOut)
def pause_scheme(request: HttpRequest, id: uuid.UUID):
    """Nobody new is referred; what was promised is kept."""
    return _turned(id, operations.pause_scheme, request)


@router.post("referrals/schemes/{uuid:id}/resume/", scope=LAUNCH, response=schemas.SchemeOut)
def resume_scheme(request: HttpRequest, id: uuid.UUID):
    """Links and codes bring friends again."""
    return _turned(id, operations.resume_scheme, request)


@router.post("referrals/schemes/{uuid:id}/end/", scope=LAUNCH, response=schemas.SchemeOut)
def end_scheme(request: HttpRequest, id: uuid.UUID):
    """Over for good; what was promised is kept."""
    return _turned(id, operations.end_scheme, request)


@router.post("referrals/schemes/{uuid:id}/advocates/", scope=REFER, response=schemas.OpenedOut)
def open_advocates(request: HttpRequest, id: uuid.UUID, body: schemas.AdvocatesIn):
    """Give up to 5,000 customers links of their own; who has one keeps it. Unknown ones are left out."""
    found = Customer.objects.filter(public_id__in=body.customers).values_list("pk", flat=True)
    opened = operations.open_advocates(
        scheme_id=_scheme(id).pk, customer_ids=list(found), now=clock.now(), by=actor(request)
    )
    ids = {pk for pk, _code in opened.advocates.values()}
    rows = Advocate.objects.filter(pk__in=ids).select_related("customer").order_by("pk")
    return {"new": opened.new, "advocates": [schemas.link_out(row) for row in rows]}


@router.post("referrals/links/", scope=REFER, response=schemas.ReferralLinkOut)
def get_referral_link(request: HttpRequest, body: schemas.ReferralLinkIn):
    """One customer's link and code, with texts to share by channel; made now, if she has none yet."""
    now, customer = clock.now(), known_as(body.customer)
    if body.scheme is None:
        link = operations.links_of([customer.pk], now=now).get(customer.pk)
        scheme = Scheme.objects.get(pk=link.scheme_id) if link else None
    else:
        scheme = querysets.schemes().filter(key=body.scheme).first()
    if scheme is None:
        raise operations.NoSuchScheme
    opened = operations.open_advocates(
        scheme_id=scheme.pk, customer_ids=[customer.pk], device=body.device, network=body.network, now=now,
        by=actor(request),
    )  # fmt: skip
    advocate = Advocate.objects.select_related("scheme__version", "customer").get(pk=opened.advocates[customer.pk][0])
    gets, shares = shares_of(advocate, language=body.language, persona=body.persona)
    return {
        **schemas.link_out(advocate),
        "scheme": advocate.scheme.key,
        "friend_gets": gets,
        "shares": [vars(share) for share in shares],
    }


@router.get("referrals/advocates/", scope=READ, response=Page[schemas.AdvocateOut])
def list_advocates(
    request: HttpRequest,
    scheme: Word = "",
    customer: uuid.UUID | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
):
    """Advocates, newest first: of a scheme by its key, of a customer."""
    found = Advocate.objects.select_related("scheme", "customer")
    found = found.filter(scheme__key=scheme) if scheme else found
    found = found.filter(customer__public_id=customer) if customer else found
    return page(querysets.with_counts(found), cursor, limit, newest_first=True, shape=schemas.advocate_out)


@router.get("referrals/advocates/{uuid:id}/", scope=READ, response=schemas.AdvocateOut)
def get_advocate(request: HttpRequest, id: uuid.UUID):
    """One advocate with what her link brought."""
    found = querysets.with_counts(Advocate.objects.select_related("scheme", "customer")).filter(public_id=id).first()
    if found is None:
        raise querysets.NoSuchAdvocate
    return schemas.advocate_out(found)


@router.post("referrals/visits/", scope=REFER, response={201: schemas.VisitOut})
def add_visit(request: HttpRequest, body: schemas.VisitIn):
    """Somebody came to the shop by a personal link; with what her friend gives her, to be shown."""
    visit = record_visit(**body.model_dump(), now=clock.now())
    advocate = Advocate.objects.select_related("scheme").get(pk=visit.advocate_id)
    said = friend_gets({advocate.scheme.version_id})
    answer = {
        "scheme": advocate.scheme.key,
        "advocate": advocate.public_id,
        "code": advocate.code,
        "friend_gets": said(querysets.link_of_advocate(advocate), ""),
    }
    return Status(201, answer)


@router.post("referrals/", scope=REFER, response={201: schemas.ReferralOut})
def refer(request: HttpRequest, body: schemas.ReferralIn):
    """A customer was brought by whoever has this code: she is checked, and given her welcome, at once."""
    referred = operations.refer(
        **body.model_dump(exclude={"customer"}),
        friend_id=known_as(body.customer).pk,
        source=f"key:{request.auth.pk}:{idempotency_key(request)}"[:120],
        now=clock.now(),
        by=actor(request),
    )
    return Status(201, schemas.referral_out(_referral(referred.referral.public_id)))


@router.get("referrals/", scope=READ, response=Page[schemas.ReferralOut])
def list_referrals(
    request: HttpRequest,
    state: Word = "",
    scheme: Word = "",
    advocate: uuid.UUID | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
):
    """Referrals, newest first: in a state, of a scheme by its key, of an advocate."""
    found = _referrals()
    found = found.filter(state=state) if state else found
    found = found.filter(scheme__key=scheme) if scheme else found
    found = found.filter(advocate__public_id=advocate) if advocate else found
    return page(found, cursor, limit, newest_first=True, shape=schemas.referral_out)


@router.get("referrals/{uuid:id}/", scope=READ, response=schemas.ReferralOut)
def get_referral(request: HttpRequest, id: uuid.UUID):
    """One referral with every step and its reasons."""
    return schemas.referral_out(_referral(id))


@router.post("referrals/{uuid:id}/approve/", scope=REVIEW, response=schemas.ReferralOut)
def approve_referral(request: HttpRequest, id: uuid.UUID, body: schemas.ReferralDecisionIn):
    """It is in review, and fine."""
    return _decided(id, operations.approve, request, body.why)


@router.post("referrals/{uuid:id}/reject/", scope=REVIEW, response=schemas.ReferralOut)
def reject_referral(request: HttpRequest, id: uuid.UUID, body: schemas.ReferralDecisionIn):
    """It is not fine: nothing more is given for it."""
    return _decided(id, operations.reject, request, body.why)


def _scheme(public_id: uuid.UUID) -> Scheme:
    scheme = querysets.schemes().filter(public_id=public_id).first()
    if scheme is None:
        raise operations.NoSuchScheme
    return scheme


def _turned(public_id: uuid.UUID, turn: Callable[..., Scheme], request: HttpRequest) -> dict[str, Any]:
    turn(scheme_id=_scheme(public_id).pk, now=clock.now(), by=actor(request))
    return schemas.scheme_out(_scheme(public_id))


def _referrals():
    return querysets.referrals().select_related("friend_grant__code")


def _referral(public_id: uuid.UUID) -> Referral:
    referral = _referrals().filter(public_id=public_id).first()
    if referral is None:
        raise operations.NoSuchReferral
    return referral


def _decided(public_id: uuid.UUID, decide: Callable[..., Referral], request: HttpRequest, why: str) -> dict[str, Any]:
    decide(referral_id=_referral(public_id).pk, now=clock.now(), by=actor(request), why=why)
    return schemas.referral_out(_referral(public_id))
