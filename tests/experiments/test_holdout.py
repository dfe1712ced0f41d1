"""The global holdout: set by a lead, audited, and drawn anew only when it is asked for."""

import datetime as dt

import pytest
from django.db import IntegrityError, transaction

from retention.actors import Actor
from retention.audit.models import AuditEntry
from retention.experiments.models import GlobalHoldout
from retention.experiments.operations import HoldoutTooLarge, hold_out
from retention.experiments.querysets import global_holdout
from tests.console.conftest import as_role, person

__all__ = ["as_role", "person"]

pytestmark = pytest.mark.django_db
BY = Actor.command("test")
PAGE = "/admin/experiments/globalholdout/"


def test_a_higher_percentage_keeps_the_seed_and_a_redraw_changes_it(now):
    assert global_holdout() is None
    hold_out(percent=5, now=now, by=BY)
    first = global_holdout()
    later = now + dt.timedelta(days=9)
    hold_out(percent=10, now=later, by=BY)
    assert (global_holdout().seed, global_holdout().percent) == (first.seed, 10)
    assert GlobalHoldout.objects.get().since == later
    hold_out(percent=10, now=later + dt.timedelta(days=1), by=BY)
    assert GlobalHoldout.objects.get().since == later
    hold_out(percent=10, is_redrawn=True, now=later, by=BY)
    assert global_holdout().seed != first.seed
    hold_out(percent=0, now=later, by=BY)
    assert global_holdout() is None
    told = AuditEntry.objects.filter(verb="experiments.hold_out").order_by("pk")
    assert [(row.before["percent"], row.after["percent"]) for row in told] == [
        (0, 5),
        (5, 10),
        (10, 10),
        (10, 10),
        (10, 0),
    ]


def test_too_many_are_refused_by_the_operation_and_by_the_database(now):
    with pytest.raises(HoldoutTooLarge):
        hold_out(percent=21, now=now, by=BY)
    hold_out(percent=20, now=now, by=BY)
    with pytest.raises(IntegrityError), transaction.atomic():
        GlobalHoldout.objects.update(percent=21)


def test_the_page(as_role, shop_row):
    lead = as_role("marketing lead")
    page = lead.get(PAGE, follow=True)
    assert page.redirect_chain == [(f"{PAGE}1/change/", 302)]
    assert GlobalHoldout.objects.get().percent == 0
    assert lead.post(f"{PAGE}1/change/", {"percent": 7}).status_code == 302
    assert GlobalHoldout.objects.get().percent == 7
    refused = lead.post(f"{PAGE}1/change/", {"percent": 50})
    assert refused.status_code == 200
    assert refused.context["adminform"].form.errors
    marketer = as_role("marketer")
    assert b"is_redrawn" not in marketer.get(f"{PAGE}1/change/").content
    assert marketer.post(f"{PAGE}1/change/", {"percent": 9}).status_code == 403
    assert GlobalHoldout.objects.get().percent == 7
