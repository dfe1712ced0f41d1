"""The log-in page in a real browser."""

import pytest
from django.contrib.auth import get_user_model

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def staff():
    return get_user_model().objects.create_superuser("owner", "owner@example.com", "a long enough password")


def test_staff_log_in_by_the_form_and_reach_the_console(browser, staff):
    page = browser.page
    page.goto("/admin/")
    page.fill("input[name=username]", "owner")
    page.fill("input[name=password]", "a long enough password")
    page.click("button[type=submit]")
    page.wait_for_url("**/admin/")
    assert page.locator("form#login-form").count() == 0
    assert browser.complaints == []


def test_a_wrong_password_stays_outside(browser, staff):
    page = browser.page
    page.goto("/admin/")
    page.fill("input[name=username]", "owner")
    page.fill("input[name=password]", "another password")
    page.click("button[type=submit]")
    page.wait_for_load_state()
    assert "/login/" in page.url
    assert page.get_by_text("Please enter the correct username and password").count() == 1


def test_a_session_opened_without_the_form_is_a_session(browser, staff):
    browser.log_in(staff)
    browser.page.goto("/admin/")
    assert "/login/" not in browser.page.url
