"""The sidebar and the palette: every line leads somewhere, and only where one may go."""

import re

import pytest
from django.contrib import admin
from django.db import connection
from django.test.utils import CaptureQueriesContext

from retention.console import navigation
from retention.doors.roles import TABLE

pytestmark = pytest.mark.django_db
LINES = [line for _title, lines in navigation.GROUPS for line in lines]
#: Lists that are reached from other pages and need no line of their own.
REACHED_OTHERWISE: set[str] = set()


@pytest.mark.parametrize("line", LINES, ids=lambda line: line.name)
def test_every_line_leads_to_a_page_for_a_right_that_exists(line):
    assert line.link(), "no page answers to this name"
    assert line.right in TABLE


def test_every_list_has_a_line():
    lists = {f"{model._meta.app_label}_{model._meta.model_name}_changelist" for model in admin.site._registry}
    assert lists - {line.name for line in LINES} - REACHED_OTHERWISE == set()


@pytest.mark.parametrize("role", ["marketer", "marketing lead", "support agent", "analyst", "administrator"])
def test_every_line_that_a_role_sees_opens(as_role, shop, role):
    client = as_role(role)
    page = client.get("/admin/password_change/")
    links = [item["link"] for group in page.context["sidebar_navigation"] for item in group["items"]]
    assert len(links) > 3
    for link in links:
        assert client.get(link, follow=True).status_code == 200, link


def test_without_a_role_there_is_only_home(as_role, shop):
    page = as_role("").get("/admin/")
    assert [[item["link"] for item in group["items"]] for group in page.context["sidebar_navigation"]] == [["/admin/"]]


def lit(page):
    items = [item for group in page.context["sidebar_navigation"] for item in group["items"]]
    return [str(item["title"]) for item in items if item["active"]]


def test_one_line_is_lit_the_nearest(as_role, shop):
    client = as_role("marketer")
    assert lit(client.get("/admin/")) == ["Home"]
    assert lit(client.get("/admin/campaigns/campaign/")) == ["Campaigns"]
    assert lit(client.get("/admin/campaigns/campaign/playbooks/")) == ["Playbooks"]
    assert lit(client.get("/admin/password_change/")) == []


def test_an_agents_own_page_comes_first(as_role, shop):
    def first(role):
        groups = as_role(role).get("/admin/password_change/").context["sidebar_navigation"]
        return str(groups[0]["items"][0]["title"]), [str(group.get("title", "")) for group in groups]

    assert first("support agent") == ("Sorry desk", ["Support", "Campaigns", "Customers", "Segments",
                                                     "Incentives & codes", "Messages", "Jobs"])  # fmt: skip
    title, groups = first("marketing lead")
    assert title == "Home"
    assert groups[1] == "Campaigns"


class TestPalette:
    def found(self, client, term):
        page = client.get("/admin/search/", {"s": term, "extended": "1"})
        return [(result.title, result.link) for result in page.context["results"]] if page.context else []

    def test_it_finds_pages_by_name(self, as_role, shop):
        assert ("API keys", "/admin/doors/apikey/") in self.found(as_role("administrator"), "api")

    def test_it_finds_rows_and_reads_only_a_few(self, as_role, person, shop):
        for number in range(9):
            person(f"oleg{number}")
        client = as_role("administrator")
        with CaptureQueriesContext(connection) as captured:
            found = self.found(client, "oleg")
        assert [title for title, _link in found] == [f"oleg{number}" for number in range(5)]
        searching = [query["sql"] for query in captured if "oleg%" in query["sql"]]
        assert searching
        assert [sql for sql in searching if not re.search(r"LIMIT \d{1,3}$", sql)] == []

    def test_it_finds_nothing_that_one_may_not_see(self, as_role, person, shop):
        person("oleg")
        assert self.found(as_role("marketer"), "oleg") == []
        assert ("API keys", "/admin/doors/apikey/") not in self.found(as_role("analyst"), "api")

    @pytest.mark.parametrize("term", ["", " ", "\x00", "%", "_", "x" * 500])
    def test_odd_words_find_nothing_and_break_nothing(self, as_role, shop, term):
        assert self.found(as_role("administrator"), term) == []

    def test_names_that_were_found_are_not_kept_in_the_cache(self, as_role, person, shop, empty_cache):
        person("oleg")
        self.found(as_role("administrator"), "oleg")
        assert not [key for key in empty_cache._cache.get_client().scan_iter("*") if b"search" in key]
