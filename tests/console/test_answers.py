"""Pages of what failed: whole by themselves, without the database, and allowed by the policy of every place."""

import base64
import hashlib
import re

import pytest
from django.template.loader import render_to_string

from retention.console import answers


@pytest.mark.django_db
def test_a_failure_is_told_by_a_page_that_needs_nothing_else(client, rf, monkeypatch, django_assert_num_queries):
    with django_assert_num_queries(0):
        answers.broken(rf.get("/"))

    monkeypatch.setattr("retention.storefront.club.Programme", None)
    monkeypatch.setattr("retention.console.site.ConsoleSite.each_context", None)
    client.raise_request_exception = False
    for address in ("/club/points", "/admin/login/"):
        answer = client.get(address, headers={"accept-language": "en"})
        page = answer.content.decode()
        assert answer.status_code == 500
        assert "Nothing of what you sent was half saved." in page
        assert "try again" in page
        assert not re.findall(r'(?:src|href)="[^"]+"', page)
        (style,) = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
        assert "prefers-color-scheme: dark" in style
        known = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
        assert f"'sha256-{known}'" in answer["Content-Security-Policy"]


@pytest.mark.parametrize("name", ["400", "403", "403_csrf", "404"])
def test_refusals_have_a_style_and_a_word_on_what_to_do(name):
    page = render_to_string(f"{name}.html")
    assert "console/plain" in page
    assert 'class="mark"' in page
    assert re.search(r"[Gg]o back|ask an administrator", page)
