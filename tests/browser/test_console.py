"""Every page is walked through in a real browser, wide and narrow, by a role that may see it.

`SCREENSHOTS=folder` keeps a picture of each page.
"""

import os
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import RequestFactory
from playwright.sync_api import expect

from retention.console import navigation
from retention.doors.roles import ROLES
from tests.console.conftest import PASSWORD
from tests.matrix.rows import one_of_each

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
#: The administrator first: she sees the most.
KEYS = [key for key, _label in reversed(ROLES.values())]
WIDE, NARROW = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
SERIOUS = ("serious", "critical")


def shoot(page, name):
    if folder := os.environ.get("SCREENSHOTS"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def log_in(browser, username):
    page = browser.page
    page.goto("/admin/login/?next=/admin/")
    page.fill("#id_username", username)
    page.fill("#id_password", PASSWORD)
    page.click("#login-form button[type=submit]")
    page.wait_for_url(lambda url: "/login/" not in url)
    return page


def serious_violations(page):
    # What is faded while it is fetched anew has too little contrast on purpose.
    page.wait_for_function("!document.querySelector('[aria-busy=true], .is-stale')")
    page.evaluate("document.getAnimations().forEach(a => a.effect.getTiming().iterations === Infinity || a.finish())")
    found = Axe().run(page).response["violations"]
    return [
        (page.url, violation["id"], violation["nodes"][0]["html"][:200])
        for violation in found
        if violation["impact"] in SERIOUS
    ]


def lines_of(staff):
    request = RequestFactory().get("/admin/")
    request.user = staff
    return navigation.pages(request)


@pytest.mark.parametrize("group", [str(title) for title, _lines in navigation.GROUPS])
def test_every_page_is_whole_wide_and_narrow(browser, person, shop, group):
    """By the first role that may see it: on a page roles differ by what is absent, and `tests/console` opens all."""
    one_of_each()
    walked, violations = set(), []
    for number, key in enumerate(KEYS):
        seen = lines_of(person(f"walker_{number}", key))
        links = [link for title, _page, link in seen if title == group and link not in walked]
        if not links:
            continue
        page = log_in(browser, f"walker_{number}")
        page.set_viewport_size(WIDE)
        shown = page.eval_on_selector_all("#nav-sidebar-apps a", "all => all.map(a => a.getAttribute('href'))")
        assert {link for _title, _page, link in seen} <= set(shown)
        for link in links:
            violations += walk(page, link)
        walked |= set(links)
        page.context.clear_cookies()
    assert walked
    assert browser.complaints == []
    assert violations == []


@pytest.mark.parametrize("role", KEYS)
def test_where_a_role_starts_is_whole(browser, person, shop, role):
    person("someone", role)
    page = log_in(browser, "someone")
    page.set_viewport_size(WIDE)
    assert walk(page, page.url) == []
    assert browser.complaints == []


def walk(page, link):
    """Open a list and the first row of it, and say what is wrong with them."""
    page.goto(link)
    assert page.query_selector("#content"), link
    name = urlsplit(link).path.strip("/").replace("/", "_")
    shoot(page, name)
    violations = serious_violations(page)
    page.set_viewport_size(NARROW)
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"], f"{link} is wider than a phone"
    shoot(page, f"{name}-narrow")
    page.set_viewport_size(WIDE)
    row = page.query_selector("#result_list tbody a[href*='/change/']")
    if row is not None:
        page.goto(row.get_attribute("href"))
        shoot(page, f"{name}-row")
        violations += serious_violations(page)
    return violations


def test_log_in_says_what_is_wrong(browser, person, shop):
    person("mina", "marketer")
    page = browser.page
    page.goto("/admin/login/?next=/admin/")
    assert serious_violations(page) == []
    page.fill("#id_username", "mina")
    page.fill("#id_password", "wrong")
    page.click("#login-form button[type=submit]")
    assert "correct" in page.inner_text(".errornote >> nth=-1")
    page.fill("#id_password", PASSWORD)
    page.click("#login-form button[type=submit]")
    page.wait_for_url("**/admin/")
    assert browser.complaints == []


def test_a_dialog_asks_acts_and_tells(browser, person, shop):
    """Revoking a key: the question, the refusal of the second time inside the dialog, and the outcome on the page."""
    person("ada", "administrator")
    page = log_in(browser, "ada")
    page.goto("/admin/doors/apikey/add/")
    page.fill("#id_name", "checkout")
    page.check("input[name=scopes] >> nth=0")
    page.click("button[name=_continue]")
    secret = page.inner_text("#new-key")
    assert secret.startswith("rk_")
    page.click("text=Revoke the key")
    page.wait_for_selector("#dialog")
    assert "within two seconds" in page.inner_text("#dialog")
    assert serious_violations(page) == []
    page.click("#dialog button[type=submit]")
    page.wait_for_selector("text=The key checkout is revoked.")
    assert secret not in page.content()
    page.click("text=Revoke the key")
    page.wait_for_selector("#dialog")
    page.click("#dialog button[type=submit]")
    page.wait_for_selector("#dialog [role=alert]")
    assert "revoked already" in page.inner_text("#dialog [role=alert]")
    assert browser.complaints == []


def test_the_palette_opens_with_the_keyboard_and_finds(browser, person, shop):
    person("ada", "administrator")
    page = log_in(browser, "ada")
    page.keyboard.press("Control+k")
    page.wait_for_selector("#search-input-command", state="visible")
    page.keyboard.type("exchange")
    page.wait_for_selector("#command-results-list >> text=Exchange rates")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url("**/admin/shop/exchangerate/")
    assert browser.complaints == []


def test_the_language_can_be_changed(browser, person, shop):
    person("ada", "administrator")
    page = log_in(browser, "ada")
    page.click("text=ada")
    page.click("button:has-text('한국어')")
    page.wait_for_selector("html[lang=ko]")
    assert browser.complaints == []


def test_a_form_keeps_what_was_typed_when_it_is_refused(browser, person, shop):
    person("ada", "administrator")
    page = log_in(browser, "ada")
    page.goto("/admin/shop/exchangerate/add/")
    page.fill("#id_currency", "EUR")
    page.fill("#id_on", "2026-05-01")
    page.fill("#id_rate", "2")
    page.click("button[name=_save]")
    assert "always worth one" in page.inner_text("#content")
    assert page.input_value("#id_rate") == "2"
    assert browser.complaints == []


def test_icons_are_not_read_aloud(browser, person, shop):
    person("mina", "marketer")
    page = log_in(browser, "mina")
    expect(page.locator("#nav-sidebar-apps").get_by_role("link", name="Products", exact=True)).to_have_count(1)
