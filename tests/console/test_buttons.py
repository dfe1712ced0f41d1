"""Buttons that ask first: who may press them, what they say, and what a refusal looks like."""

import pytest
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.test import RequestFactory

from retention.doors.console import button, confirm
from retention.doors.console.lists import FastList
from retention.refusals import Refused
from retention.shop.models import ExchangeRate

pytestmark = pytest.mark.django_db


class Never(Refused):
    code = "test.never"
    sentence = "Not today."


class Page(FastList):
    """An admin page with one button of each kind."""

    @confirm(title="Make one", permissions=["add"])
    def make_one(self, request, form, obj):
        return "One is made."

    count = button(
        lambda *, row_id, now, by: 1_234,
        of="row_id",
        done="%(outcome)s of %(row)s.",
        title="Count",
        permissions=["view"],
    )


class Refusing(FastList):
    @staticmethod
    def refuse(**_said):
        raise Never

    stop = button(refuse, of="row_id", done="Stopped.", title="Stop", permissions=["view"])


@pytest.fixture
def rate(shop):
    made = ExchangeRate.objects.create(currency="USD", on="2026-05-01", rate="0.9")
    made.refresh_from_db()
    return made


def press(page, name, user, pk=None, method="post"):
    request = getattr(RequestFactory(), method)(
        "/", {"_form_submitted": "1"}, headers={"HX-Current-URL": "http://testserver/admin/"}
    )
    request.user = user
    request._messages = type("Kept", (list,), {"add": lambda self, level, text, tags: self.append(str(text))})()
    response = getattr(page(ExchangeRate, admin.site), name)(request, *([str(pk)] if pk else []))
    return response, list(request._messages)


def test_a_button_may_ask_for_the_right_to_add(as_role, shop):
    _response, said = press(Page, "make_one", as_role("administrator").user)
    assert said == ["One is made."]
    with pytest.raises(PermissionDenied):
        press(Page, "make_one", as_role("marketer").user)


def test_it_calls_its_operation_once_confirmed_and_says_the_outcome(as_role, rate):
    user = as_role("administrator").user
    asked, said = press(Page, "count", user, rate.pk, "get")
    assert (asked.status_code, said) == (200, [])
    done, said = press(Page, "count", user, rate.pk)
    assert done["HX-Redirect"] == "http://testserver/admin/"
    assert said == [f"1,234 of {rate}."]


def test_a_refusal_stays_in_the_dialog(as_role, rate):
    response, said = press(Refusing, "stop", as_role("administrator").user, rate.pk)
    assert said == []
    assert b"Not today." in response.content
    assert "HX-Redirect" not in response
