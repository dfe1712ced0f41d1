"""The HTTP endpoints of what holds over several offers: the checkout policy, and budgets."""

import uuid

from django.http import HttpRequest
from ninja import Query

from retention import clock
from retention.doors.endpoints import Page, Router, actor, page
from retention.incentives import operations
from retention.incentives import schemas_bounds as schemas
from retention.incentives.models import Budget, CheckoutPolicy
from retention.incentives.operations.budgets import NoSuchBudget
from retention.incentives.rules import BudgetLimits

router = Router("Incentives")
READ, WRITE = "incentives:read", "incentives:write"


@router.get("checkout-policy/", scope=READ, response=schemas.PolicyOut)
def get_policy(request: HttpRequest):
    """How offers meet at the checkout. `version` is absent as long as nobody said anything."""
    return schemas.policy_out(CheckoutPolicy.objects.select_related("version").first())


@router.put("checkout-policy/", scope=WRITE, response=schemas.PolicyOut)
def put_policy(request: HttpRequest, body: schemas.PolicyIn):
    """Save the whole policy; the next basket follows it."""
    saved = operations.save_policy(
        policy=body.policy, edited=body.edited, why=body.why, now=clock.now(), by=actor(request)
    )
    return schemas.policy_out(saved)


@router.get("budgets/", scope=READ, response=Page[schemas.BudgetOut])
def list_budgets(request: HttpRequest, cursor: str | None = None, limit: int = Query(50, ge=1, le=200)):
    """Budgets in use, the oldest first."""
    return page(_budgets(), cursor, limit, shape=schemas.budget_out)


@router.put("budgets/", scope=WRITE, response=schemas.BudgetOut)
def put_budget(request: HttpRequest, body: schemas.BudgetIn):
    """Make the budget of a campaign or an agent, or save all its limits anew; grants and checkouts follow at once."""
    budget = operations.save_budget(
        origin=body.origin,
        origin_id=body.origin_id,
        name=body.name,
        limits=BudgetLimits(limits=body.limits),
        edited=body.edited,
        why=body.why,
        now=clock.now(),
        by=actor(request),
    )
    budget.refresh_from_db()
    return schemas.budget_out(budget)


@router.get("budgets/{uuid:id}/", scope=READ, response=schemas.BudgetOut)
def get_budget(request: HttpRequest, id: uuid.UUID):
    budget = _budgets().filter(public_id=id).first()
    if budget is None:
        raise NoSuchBudget
    return schemas.budget_out(budget)


def _budgets():
    return Budget.objects.filter(archived_at=None).select_related("version")
