"""Making a customer whole: one coupon of her own, within limits, once a form, undone without a trace of value."""

import datetime as dt

import pytest

from retention.actors import Actor
from retention.audit.models import AuditEntry
from retention.customers.models import Customer, Order
from retention.incentives import operations as incentives
from retention.incentives.models import Code, Grant
from retention.messaging.models import Delivery
from retention.support import operations, querysets
from retention.support.models import AgentLimit, Allowance, Case, Compensation, Desk, Reason
from retention.support.operations import compensate, undo
from tests.support.conftest import make_agent

NEXT_DAY = dt.timedelta(days=1)


def nothing_is_left():
    return not (
        Case.objects.exists()
        or Compensation.objects.exists()
        or Grant.objects.exists()
        or Code.objects.exists()
        or Delivery.objects.exists()
        or Allowance.objects.filter(spent_minor__gt=0).exists()
    )


def test_a_coupon_of_her_own_is_granted_and_queued_as_a_transactional_mail(floor, by, now):
    given = compensate(
        source="form-1", complaint=floor.complaint(words=" So sorry. "), amount_minor=1_250, now=now, by=by
    )

    code = Code.objects.get()
    assert (code.code, code.customer, code.state) == (given.code, floor.anna, Code.State.RESERVED)
    assert code.code.startswith("SORRY")
    assert code.expires_at == now + dt.timedelta(days=60)
    assert code.grant.terms == {"amount_minor": 1_250, "currency": "USD"}
    delivery = Delivery.objects.get()
    assert (delivery.origin, delivery.origin_id) == ("support.compensation", given.compensation.pk)
    assert (delivery.customer, delivery.grant, delivery.is_transactional) == (floor.anna, code.grant, True)
    assert delivery.context == {}
    case = given.compensation.case
    assert (case.reason, case.order, case.line, case.words) == (floor.reason, floor.order, None, "So sorry.")
    assert Allowance.objects.get().spent_minor == 1_250


def test_the_audit_says_who_gave_what_and_holds_no_word_of_hers(floor, by, now):
    given = compensate(
        source="form-1", complaint=floor.complaint(words="Dear Anna Meyer"), amount_minor=1_250, now=now, by=by
    )

    entry = AuditEntry.objects.get(verb="support.compensate")
    assert (entry.by_id, entry.subject_id, entry.customer_id) == (by.staff_id, given.compensation.pk, floor.anna.pk)
    assert entry.after == {
        "case": given.compensation.case_id,
        "reason": "damaged",
        "order": "NW-1001",
        "product": None,
        "amount_minor": 1_250,
        "currency": "USD",
        "grant": given.compensation.grant_id,
        "is_sent": True,
        "undone": None,
    }
    assert not AuditEntry.objects.filter(after__icontains="meyer").exists()


def test_a_code_to_copy_is_given_at_once_and_nothing_is_sent(floor, by, now):
    given = compensate(source="form-1", complaint=floor.complaint(), amount_minor=900, send=False, now=now, by=by)

    assert Code.objects.get(code=given.code).state == Code.State.GIVEN
    assert not Delivery.objects.exists()
    assert given.compensation.is_sent is False


def test_a_coupon_for_the_lines_product_only(floor, by, now):
    complaint = floor.complaint(line_id=floor.line.pk, product_id=floor.line.product_id)
    given = compensate(source="form-1", complaint=complaint, amount_minor=1_200, now=now, by=by)

    assert given.compensation.grant.terms == {"amount_minor": 1_200, "currency": "USD", "products": ["LP-1"]}
    assert given.compensation.product.sku == "LP-1"


def test_a_line_alone_names_its_order(floor, by, now):
    complaint = floor.complaint(order_id=None, line_id=floor.line.pk)
    assert (
        compensate(source="f", complaint=complaint, amount_minor=1, now=now, by=by).compensation.case.order
        == floor.order
    )


def test_the_same_form_twice_gives_one_coupon(floor, by, now):
    first = compensate(source="form-1", complaint=floor.complaint(), amount_minor=1_250, now=now, by=by)
    again = compensate(source="form-1", complaint=floor.complaint(), amount_minor=1_250, now=now, by=by)

    assert (first.is_repeated, again.is_repeated) == (False, True)
    assert (again.compensation, again.code) == (first.compensation, first.code)
    assert (Case.objects.count(), Grant.objects.count(), Delivery.objects.count()) == (1, 1, 1)
    assert Allowance.objects.get().spent_minor == 1_250


def test_the_same_form_with_another_amount_is_refused(floor, by, now):
    compensate(source="form-1", complaint=floor.complaint(), amount_minor=1_250, now=now, by=by)

    with pytest.raises(operations.FormUsed):
        compensate(source="form-1", complaint=floor.complaint(), amount_minor=2_000, now=now, by=by)
    assert Grant.objects.count() == 1


def test_above_the_case_limit_nothing_is_given(floor, by, now):
    with pytest.raises(operations.AboveCaseLimit, match=r"\$50\.01 is above your limit of \$50\.00 for one case"):
        compensate(source="form-1", complaint=floor.complaint(), amount_minor=5_001, now=now, by=by)
    assert nothing_is_left()


def test_above_the_day_limit_the_refusal_says_what_is_left(floor, by, now):
    AgentLimit.objects.update(per_case_minor=18_000)
    compensate(source="form-1", complaint=floor.complaint(), amount_minor=16_800, now=now, by=by)

    with pytest.raises(operations.AboveDayLimit) as refused:
        compensate(source="form-2", complaint=floor.complaint(), amount_minor=1_201, is_confirmed=True, now=now, by=by)
    assert str(refused.value) == "You have $12.00 of $180.00 left today, too little for $12.01. Ask a lead."
    assert (Case.objects.count(), Allowance.objects.get().spent_minor) == (1, 16_800)

    compensate(source="form-3", complaint=floor.complaint(), amount_minor=1_200, is_confirmed=True, now=now, by=by)
    assert querysets.budget(by.staff_id, day=operations.shop_day(floor.shop, now)).left_minor == 0


def test_the_allowance_is_new_at_the_shops_midnight_not_at_the_servers(floor, by, now):
    AgentLimit.objects.update(per_day_minor=1_000)
    late = now.replace(hour=3, minute=59)  # 23:59 on 11 May in New York
    compensate(source="form-1", complaint=floor.complaint(), amount_minor=1_000, now=late, by=by)
    with pytest.raises(operations.AboveDayLimit):
        compensate(source="form-2", complaint=floor.complaint(), amount_minor=1, is_confirmed=True, now=late, by=by)

    midnight = now.replace(hour=4, minute=0)
    compensate(source="form-3", complaint=floor.complaint(), amount_minor=1, is_confirmed=True, now=midnight, by=by)
    assert dict(Allowance.objects.values_list("day", "spent_minor")) == {
        dt.date(2026, 5, 11): 1_000,
        dt.date(2026, 5, 12): 1,
    }


def test_without_a_limit_nothing_may_be_given(floor, by, now):
    AgentLimit.objects.all().delete()
    with pytest.raises(operations.NoLimit):
        compensate(source="form-1", complaint=floor.complaint(), amount_minor=100, now=now, by=by)
    with pytest.raises(operations.NoLimit):
        compensate(source="form-1", complaint=floor.complaint(), amount_minor=100, now=now, by=Actor.key("shop"))
    assert nothing_is_left()


def test_a_second_time_for_the_same_order_asks_for_a_yes(floor, by, now):
    compensate(source="form-1", complaint=floor.complaint(), amount_minor=1_250, now=now, by=by)

    later = now + 3 * NEXT_DAY
    with pytest.raises(operations.MadeWholeBefore, match=r"\$12\.50 was given for the same complaint on 2026-05-12"):
        compensate(source="form-2", complaint=floor.complaint(), amount_minor=500, now=later, by=by)
    assert Compensation.objects.count() == 1

    compensate(source="form-2", complaint=floor.complaint(), amount_minor=500, is_confirmed=True, now=later, by=by)
    assert Compensation.objects.count() == 2


def test_another_order_another_line_and_a_long_time_ask_nothing(floor, by, now):
    other = Order.objects.create(
        reference="NW-1002", customer=floor.anna, state="paid", currency="USD", total_minor=1, base_minor=1,
        placed_at=now, recorded_at=now,
    )  # fmt: skip
    compensate(source="1", complaint=floor.complaint(line_id=floor.line.pk), amount_minor=1, now=now, by=by)
    compensate(source="2", complaint=floor.complaint(line_id=floor.other_line.pk), amount_minor=1, now=now, by=by)
    compensate(source="3", complaint=floor.complaint(order_id=other.pk), amount_minor=1, now=now, by=by)
    compensate(source="4", complaint=floor.complaint(), amount_minor=1, now=now + 61 * NEXT_DAY, by=by)
    assert Compensation.objects.count() == 4


def test_what_was_undone_does_not_count_as_made_whole(floor, by, now):
    first = compensate(source="1", complaint=floor.complaint(), amount_minor=1, now=now, by=by)
    undo(compensation_id=first.compensation.pk, now=now, by=by)
    compensate(source="2", complaint=floor.complaint(), amount_minor=2, now=now, by=by)
    assert Compensation.objects.filter(undone_at=None).count() == 1


def test_another_customers_order_line_or_product_is_refused(floor, by, now):
    boris = Customer.objects.create(reference="C2", email="boris@example.com", recorded_at=now)
    wrong = [
        floor.complaint(customer_id=boris.pk),
        floor.complaint(customer_id=boris.pk, order_id=None, line_id=floor.line.pk),
        floor.complaint(line_id=floor.line.pk, product_id=floor.other_line.product_id),
        floor.complaint(product_id=10**9),
    ]
    for number, complaint in enumerate(wrong):
        with pytest.raises(operations.NotHers):
            compensate(source=f"form-{number}", complaint=complaint, amount_minor=100, now=now, by=by)
    assert nothing_is_left()


def test_refusals_that_leave_nothing_behind(floor, by, now):
    Customer.objects.filter(pk=floor.anna.pk).update(email=None)
    with pytest.raises(operations.NoAddress):
        compensate(source="1", complaint=floor.complaint(), amount_minor=100, now=now, by=by)
    with pytest.raises(operations.NotAnAmount):
        compensate(source="2", complaint=floor.complaint(), amount_minor=0, send=False, now=now, by=by)
    Reason.objects.update(is_active=False)
    with pytest.raises(operations.UnknownReason):
        compensate(source="3", complaint=floor.complaint(), amount_minor=100, send=False, now=now, by=by)
    Customer.objects.filter(pk=floor.anna.pk).update(erased_at=now)
    with pytest.raises(operations.UnknownCustomer):
        compensate(source="4", complaint=floor.complaint(), amount_minor=100, send=False, now=now, by=by)
    assert nothing_is_left()


def test_a_stopped_coupon_gives_nothing_and_costs_nothing(floor, by, now):
    incentives.stop(incentive_id=Desk.objects.get().incentive_id, now=now, by=by)
    with pytest.raises(operations.compensations.Refused) as refused:
        compensate(source="1", complaint=floor.complaint(), amount_minor=100, now=now, by=by)
    assert refused.value.code.startswith("incentives.")
    assert nothing_is_left()


def test_undo_kills_the_code_and_gives_the_allowance_back(floor, by, now):
    given = compensate(source="form-1", complaint=floor.complaint(), amount_minor=1_250, now=now, by=by)

    found = undo(compensation_id=given.compensation.pk, now=now + NEXT_DAY, by=by)

    found.refresh_from_db()
    assert (found.undone_at, found.undone_by_id, found.undone_why) == (now + NEXT_DAY, by.staff_id, "undone")
    assert Code.objects.get().state == Code.State.VOID
    assert Grant.objects.get().state == Grant.State.VOID
    # Back to the day it came from, though it is the next day now.
    assert list(Allowance.objects.values_list("day", "spent_minor")) == [(dt.date(2026, 5, 12), 0)]
    entry = AuditEntry.objects.get(verb="support.undo")
    assert (entry.by_id, entry.after["undone"]) == (by.staff_id, "undone")


def test_undoing_twice_gives_back_once(floor, by, now):
    given = compensate(source="form-1", complaint=floor.complaint(), amount_minor=1_250, now=now, by=by)
    compensate(source="form-2", complaint=floor.complaint(), amount_minor=500, is_confirmed=True, now=now, by=by)
    undo(compensation_id=given.compensation.pk, now=now, by=by)

    with pytest.raises(operations.AlreadyUndone):
        undo(compensation_id=given.compensation.pk, now=now, by=by)
    assert Allowance.objects.get().spent_minor == 500


def test_a_used_code_cannot_be_undone(floor, by, now):
    given = compensate(source="form-1", complaint=floor.complaint(), amount_minor=1_250, send=False, now=now, by=by)
    Code.objects.filter(code=given.code).update(state=Code.State.REDEEMED)

    with pytest.raises(operations.compensations.Refused) as refused:
        undo(compensation_id=given.compensation.pk, now=now, by=by)
    assert refused.value.code == "incentives.grant_used"
    assert (Allowance.objects.get().spent_minor, Compensation.objects.get().undone_at) == (1_250, None)


def test_a_colleagues_gift_is_undone_by_a_lead_only(floor, by, now):
    given = compensate(source="form-1", complaint=floor.complaint(), amount_minor=1_250, now=now, by=by)
    other = Actor.staff(make_agent(now, name="vera"))

    with pytest.raises(operations.NotYours):
        undo(compensation_id=given.compensation.pk, now=now, by=other)
    undo(compensation_id=given.compensation.pk, of_anyone=True, now=now, by=other)
    # To the one who had given it.
    assert dict(Allowance.objects.values_list("staff_id", "spent_minor")) == {by.staff_id: 0}


def test_a_mail_that_never_left_gives_the_allowance_back_once(floor, by, now):
    given = compensate(source="form-1", complaint=floor.complaint(), amount_minor=1_250, now=now, by=by)
    pk = given.compensation.pk

    assert operations.not_delivered(why={pk: "messaging.bounced"}, now=now, by=Actor.job("send")) == 1
    assert operations.not_delivered(why={pk: "messaging.bounced"}, now=now, by=Actor.job("send")) == 0
    found = Compensation.objects.get()
    assert (found.undone_at, found.undone_by_id, found.undone_why) == (now, None, "messaging.bounced")
    assert querysets.standing(found, now=now) == querysets.Standing.NOT_SENT
    assert Allowance.objects.get().spent_minor == 0


def test_a_new_limit_holds_at_once_and_keeps_what_was_spent(floor, oleg, by, now):
    compensate(source="form-1", complaint=floor.complaint(), amount_minor=1_250, now=now, by=by)
    lead = Actor.command("test")
    operations.set_limit(staff_id=oleg.pk, per_case_minor=5_000, per_day_minor=1_000, now=now, by=lead)

    with pytest.raises(operations.AboveDayLimit, match=r"You have \$0\.00 of \$10\.00 left"):
        compensate(source="form-2", complaint=floor.complaint(), amount_minor=1, is_confirmed=True, now=now, by=by)
    entry = AuditEntry.objects.filter(verb="support.set_limit").latest("id")
    assert (entry.before["per_day_minor"], entry.after["per_day_minor"]) == (18_000, 1_000)
