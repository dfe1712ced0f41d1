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

    names = ["Support", "Campaigns", "Customers", "Segments", "Incentives & codes", "Loyalty", "Value", "Referrals",
             "Messages", "Jobs"]  # fmt: skip
    assert first("support agent") == ("Sorry desk", names)
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


class TestNo:
    """Whoever is logged in reads why not inside the console, with the way on beside it."""

    def test_a_page_of_another_role(self, as_role, shop):
        page = as_role("marketer").get("/admin/shop/staff/add/")
        assert page.status_code == 403
        assert "Your role does not have it." in page.content.decode()
        assert 'id="nav-sidebar"' in page.content.decode()

    def test_a_page_that_is_not_there(self, as_role, shop):
        page = as_role("marketer").get("/admin/nothing/of/the/kind/")
        assert page.status_code == 404
        assert "The address may be old or mistyped" in page.content.decode()
        assert 'id="nav-sidebar"' in page.content.decode()

    def test_strangers_see_nothing_of_the_console(self, client, shop):
        page = client.get("/nothing/")
        assert page.status_code == 404
        assert 'id="nav-sidebar"' not in page.content.decode()


class TestTrail:
    @pytest.mark.parametrize(
        ("path", "title", "steps"),
        [
            ("/admin/campaigns/campaign/", "", [("Campaigns", None)]),
            ("/admin/campaigns/campaign/playbooks/", "", [("Campaigns", None), ("Playbooks", None)]),
            ("/admin/auth/group/", "", [("Settings", None), ("Roles", None)]),
            ("/admin/work/import/add/", "New import", [("Customers", None), ("Imports", "/admin/work/import/"),
                                                       ("New import", None)]),
            ("/admin/password_change/", "Password change", [("Password change", None)]),
        ],
    )  # fmt: skip
    def test_it_goes_from_the_sidebar_down(self, path, title, steps):
        assert navigation.trail(path, None, title) == steps

    def test_a_row_is_told_by_its_list_and_leads_back_to_its_own_page(self, shop):
        assert navigation.trail("/admin/shop/shop/1/history/", shop, "History") == [
            ("Shop", "/admin/shop/shop/"),
            ("Shop", "/admin/shop/shop/1/change/"),
            ("History", None),
        ]
