"""The desk's pages: found by whatever the agent has, given by one form, refused with its reason, undone."""

import re
from urllib.parse import urlsplit

import pytest
import time_machine
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.urls import reverse

from retention.customers.models import Order
from retention.incentives.models import Code, Grant
from retention.messaging.models import Delivery
from retention.support.models import Case, Compensation
from tests.support.conftest import make_agent

DESK = "/admin/sorry/"


@pytest.fixture(autouse=True)
def the_present(now):
    with time_machine.travel(now, tick=False):
        yield


@pytest.fixture
def agent(client, oleg):
    client.force_login(oleg, backend="django.contrib.auth.backends.ModelBackend")
    return client


def page_of(floor):
    return reverse("support:customer", args=[floor.anna.public_id])


def form(floor, **changes):
    typed = {
        "token": "t1",
        "reason": floor.reason.pk,
        "about": f"order-{floor.order.pk}",
        "amount": "12.50",
        "words": "Sorry, Anna.",
        "channel": "phone",
        "deliver": "send",
    }
    return typed | changes


@pytest.mark.parametrize(
    "text",
    [
        "anna.meyer@example.com",
        "NW-1001",
        "#nw-1001",
        "(212) 555-0123",
        "+1 212 555 0123",
        "C00001",
        "Anna Mey",
        "meyer",
    ],
)
def test_one_hit_opens_the_customer(agent, floor, text):
    answer = agent.get(DESK, {"q": text})
    assert (answer.status_code, urlsplit(answer.headers.get("Location", "")).path) == (302, page_of(floor))


def test_an_order_that_was_looked_for_is_chosen_already_however_old(agent, floor, now):
    for n in range(10):
        Order.objects.create(
            reference=f"NEW-{n}", customer=floor.anna, state="paid", currency="USD", total_minor=100, base_minor=100,
            placed_at=now, recorded_at=now,
        )  # fmt: skip
    text = agent.get(DESK, {"q": "NW-1001"}, follow=True).content.decode()
    assert re.search(rf'value="order-{floor.order.pk}"\s+checked', text)
    assert text.index("NW-1001") < text.index("NEW-")


def test_a_code_finds_its_customer(agent, floor):
    agent.post(page_of(floor), form(floor))
    code = Code.objects.get().code
    assert agent.get(DESK, {"q": f"{code[:5].lower()}-{code[5:].lower()}"}).headers["Location"] == page_of(floor)


@pytest.mark.parametrize(
    "text", ["nobody@example.com", "NW-9999", "+49 30 23125999", "\x00", "x", "%", "' OR 1=1", "a" * 5_000]
)
def test_nobody_found_is_said(agent, floor, text):
    answer = agent.get(DESK, {"q": text})
    assert answer.status_code == 200
    assert page_of(floor) not in answer.content.decode()


def test_hits_while_typing_come_as_a_part_of_a_page(agent, floor):
    text = agent.get(reverse("support:found"), {"q": "anna"}).content.decode()
    assert page_of(floor) in text
    assert "<html" not in text


def test_the_customers_page_takes_a_bounded_number_of_queries(agent, floor, django_assert_max_num_queries):
    with django_assert_max_num_queries(30):
        answer = agent.get(page_of(floor))
    text = answer.content.decode()
    for expected in ("Anna Meyer", "$150.00", "NW-1001", "Half Speed (Vinyl)", "$40.00", "Damaged or defective"):
        assert expected in text


def test_the_amount_is_suggested_with_why(agent, floor):
    address = reverse("support:suggestion", args=[floor.anna.public_id])
    line = agent.get(address, {"reason": floor.reason.pk, "about": f"line-{floor.line.pk}"}).content.decode()
    assert 'value="12.00"' in line
    assert "30 % of $40.00 for “Damaged or defective”." in line
    nothing = agent.get(address, {"reason": "", "about": "line-999"}).content.decode()
    assert "Choose a reason" in nothing


def test_one_form_gives_and_sends(agent, floor, oleg):
    answer = agent.post(page_of(floor), form(floor))

    given = Compensation.objects.get()
    assert answer.headers["Location"] == reverse("support:given", args=[given.pk])
    assert (given.amount_minor, given.given_by, given.case.words, given.case.channel) == (
        1_250,
        oleg,
        "Sorry, Anna.",
        "phone",
    )
    assert Delivery.objects.count() == 1
    text = agent.get(answer.headers["Location"]).content.decode()
    assert Code.objects.get().code in text
    assert "$167.50" in text


def test_a_double_click_is_one_coupon(agent, floor):
    first, second = agent.post(page_of(floor), form(floor)), agent.post(page_of(floor), form(floor))
    assert first.headers["Location"] == second.headers["Location"]
    assert (Grant.objects.count(), Delivery.objects.count()) == (1, 1)


def test_two_agents_with_one_token_do_not_meet(client, agent, floor, now):
    agent.post(page_of(floor), form(floor))
    client.force_login(make_agent(now, name="vera"), backend="django.contrib.auth.backends.ModelBackend")
    client.post(page_of(floor), form(floor, is_confirmed="on"))
    assert Compensation.objects.count() == 2


def test_only_this_product(agent, floor):
    agent.post(page_of(floor), form(floor, about=f"line-{floor.line.pk}", only_product="on", deliver="copy"))
    assert Grant.objects.get().terms["products"] == ["LP-1"]
    assert not Delivery.objects.exists()


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"amount": "50.01"}, "$50.01 is above your limit of $50.00 for one case."),
        ({"amount": "0"}, "Give an amount above zero."),
        ({"amount": "-3"}, "Give an amount above zero."),
        ({"amount": "12.345"}, "Write an amount such as 12.50."),
        ({"amount": "Infinity"}, "Write an amount such as 12.50."),
        ({"amount": ""}, "Write an amount."),
        ({"amount": "9" * 20}, "is above your limit"),
        ({"reason": ""}, "Choose a reason."),
        ({"reason": "99999"}, "Select a valid choice."),
        ({"about": "order-x"}, "Enter a valid value."),
        ({"only_product": "on"}, "Choose the line whose product"),
        ({"token": ""}, "This field is required."),
    ],
)
def test_a_no_comes_with_its_reason_and_keeps_what_was_typed(agent, floor, changes, sentence):
    answer = agent.post(page_of(floor), form(floor, **changes))
    text = answer.content.decode()
    assert answer.status_code == 422
    assert sentence in text
    assert "Sorry, Anna." in text
    assert (Case.objects.count(), Grant.objects.count()) == (0, 0)


def test_the_same_complaint_again_asks_for_a_yes(agent, floor):
    agent.post(page_of(floor), form(floor))
    answer = agent.post(page_of(floor), form(floor, token="t2"))
    text = answer.content.decode()
    assert answer.status_code == 422
    assert "Made whole before" in text
    assert 'name="is_confirmed" required' in text
    assert Compensation.objects.count() == 1
    assert agent.post(page_of(floor), form(floor, token="t2", is_confirmed="on")).status_code == 302
    assert Compensation.objects.count() == 2


def test_undo_from_the_page(agent, floor):
    agent.post(page_of(floor), form(floor))
    given = Compensation.objects.get()
    answer = agent.post(reverse("support:undo", args=[given.pk]), follow=True)
    text = answer.content.decode()
    assert "Undone: the code is dead" in text
    assert "data-copy" not in text
    assert Code.objects.get().state == Code.State.VOID
    assert (
        "This was undone before." in agent.post(reverse("support:undo", args=[given.pk]), follow=True).content.decode()
    )


def test_words_are_shown_as_text(agent, floor):
    answer = agent.post(page_of(floor), form(floor, amount="999", words="</textarea><script>alert(1)</script>"))
    assert "<script>alert" not in answer.content.decode()


@pytest.mark.parametrize(
    ("role", "status"),
    [("support agent", 200), ("marketing lead", 200), ("administrator", 200), ("marketer", 403), ("analyst", 403)],
)
def test_only_agents_leads_and_administrators(client, floor, role, status):
    member = get_user_model().objects.create_user(role, is_staff=True)
    member.groups.add(Group.objects.get(name=role))
    client.force_login(member, backend="django.contrib.auth.backends.ModelBackend")
    for address in (
        DESK,
        reverse("support:found"),
        page_of(floor),
        reverse("support:suggestion", args=[floor.anna.public_id]),
    ):
        assert client.get(address).status_code == status
    assert client.post(page_of(floor), form(floor)).status_code == (422 if status == 200 else 403)


def test_strangers_are_sent_to_log_in(client, floor):
    for address in (DESK, page_of(floor), "/admin/sorry/given/1/"):
        assert "/admin/login/" in client.get(address).headers["Location"]


def test_nothing_is_given_by_a_get(agent, floor):
    agent.get(page_of(floor), form(floor))
    assert agent.get("/admin/sorry/given/1/undo/").status_code == 405
    assert not Case.objects.exists()


def test_every_form_has_a_token_of_its_own(agent, floor):
    tokens = {re.search(r'name="token" value="(\w+)"', agent.get(page_of(floor)).content.decode())[1] for _ in range(3)}
    assert len(tokens) == 3


def test_an_erased_or_merged_customer_is_not_there(agent, floor, now):
    floor.anna.erased_at = now
    floor.anna.save()
    assert agent.get(page_of(floor)).status_code == 404
    assert agent.get(DESK, {"q": "NW-1001"}).status_code == 200
