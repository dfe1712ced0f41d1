"""The template editor in a real browser: tabs, inserting, a preview that follows, a mistake, a test, a phone."""

import datetime as dt

import pytest
from django.contrib.auth import get_user_model
from playwright.sync_api import expect

from retention.actors import Actor
from retention.messaging.models import Template
from retention.messaging.operations import ensure_ready_template
from retention.shop.models import Shop

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def editor(browser):
    """The birthday template's editor, opened by an administrator."""
    Shop.objects.create(
        name="Tea & Co", time_zone="UTC", currency="EUR", languages=["en", "ko"], website_url="https://tea.example.com"
    )
    now = dt.datetime(2026, 5, 12, 10, tzinfo=dt.UTC)
    template = ensure_ready_template(key="birthday", now=now, by=Actor.command("test"))
    staff = get_user_model().objects.create_superuser("owner", "owner@example.com", "a long enough password")
    page = browser.log_in(staff)
    page.goto(f"/admin/messaging/template/{template.pk}/change/")
    return page


def test_the_preview_follows_what_is_typed(editor, browser):
    frame = editor.frame_locator("iframe[name=words-preview]")
    frame.get_by_text("Happy birthday, Anna!").wait_for()
    assert frame.locator("img[alt=SAMPLE7K2M9P]").evaluate("picture => picture.naturalWidth") > 100
    editor.locator("#id_words-en-body").click()
    editor.keyboard.press("Control+Home")
    editor.get_by_role("button", name="Heading", exact=True).click()
    frame.get_by_text("Heading", exact=True).wait_for()
    editor.get_by_role("button", name="Plain text", exact=True).click()
    frame.get_by_text("Good until 30 June 2026").wait_for()
    assert frame.locator("pre").count() == 1
    assert browser.complaints == []


def test_tabs_show_one_language_at_a_time_with_its_preview(editor):
    editor.get_by_role("tab", name="한국어").click()
    expect(editor.locator("#words-ko")).to_be_visible()
    expect(editor.locator("#words-en")).to_be_hidden()
    editor.frame_locator("iframe[name=words-preview]").get_by_text("생일을 축하합니다").first.wait_for()


def test_a_mistake_is_shown_in_the_preview_and_refused_at_save(editor):
    editor.locator("#id_words-en-subject").fill("Hi {{ customer.nick }}")
    frame = editor.frame_locator("iframe[name=words-preview]")
    frame.get_by_text("There is no placeholder “customer.nick”").wait_for()
    editor.get_by_role("button", name="Save", exact=True).click()
    editor.get_by_text("subject, line 1, column 7").wait_for()
    assert editor.locator("#id_words-en-subject").input_value() == "Hi {{ customer.nick }}"
    assert Template.objects.get().version.number == 1


def test_saving_makes_a_version(editor, browser):
    editor.locator("#id_words-en-subject").fill("Many happy returns")
    editor.get_by_role("button", name="Save", exact=True).click()
    editor.wait_for_url("**/messaging/template/")
    template = Template.objects.get()
    assert template.version.number == 2
    assert template.version.data["words"]["en"]["subject"] == "Many happy returns"
    assert browser.complaints == []


def test_on_a_phone_nothing_is_wider_than_the_screen(editor):
    editor.set_viewport_size({"width": 390, "height": 844})
    editor.reload()
    editor.locator("iframe[name=words-preview]").scroll_into_view_if_needed()
    editor.frame_locator("iframe[name=words-preview]").get_by_text("Happy birthday, Anna!").wait_for()
    assert editor.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_kit_is_seen_on_a_mail_while_it_is_chosen(editor, browser):
    editor.goto("/admin/messaging/brandkit/")
    frame = editor.frame_locator("iframe[name=mail-look]")
    frame.get_by_text("Happy birthday, Anna!").first.wait_for()
    assert frame.locator("[style*='#fffbeb']").count() == 0
    editor.get_by_label("Paper", exact=True).fill("#fffbeb")
    frame.locator("[style*='#fffbeb']").first.wait_for(state="attached")
    editor.get_by_label("Words", exact=True).fill("#fffbea")
    frame.get_by_text("could hardly be read").wait_for()
    assert browser.complaints == []
