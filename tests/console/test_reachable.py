"""Every page of the console is reached by links from the sidebar: a page nobody links to is a page nobody finds."""

import re

import pytest
from django.urls import Resolver404, resolve

from retention.shop.models import Staff
from tests.matrix.routes import console_patterns
from tests.matrix.rows import one_of_each

pytestmark = pytest.mark.django_db

#: An address in an attribute or a script of a page.
ADDRESS = re.compile(r"""["'(](/admin/[^"'()#\s<>]*)""")
#: What no link leads to, and why that is right.
WITHOUT_A_LINK = {
    "admin/login/": "the way in",
    "admin/password_change/done/": "what comes after",
    "admin/autocomplete/": "asked by fields while one types",
    "admin/search/": "asked by the palette while one types",
    "admin/jsi18n/": "words of Django's scripts",
    "admin/<app_label>/": "Django's list of an app's models; the sidebar is ours",
    "admin/support/desk/add/": "the one desk is there already",
}
ENDINGS_WITHOUT_A_LINK = {
    "/delete/": "nobody deletes",
    "/process_import/": "comes after a file was checked",
    "/errors/": "there once a file had bad rows",
    "/restore/": "there once a row has two versions",
}


@pytest.fixture
def reached(client, shop, person):
    """The patterns of all pages that links lead to, for whoever may see everything, starting at home."""
    boss = Staff.objects.create_superuser("boss", "boss@example.com", "x")
    client.force_login(boss, backend="django.contrib.auth.backends.ModelBackend")
    one_of_each()
    found, waiting = {}, ["/admin/"]
    while waiting:
        path = waiting.pop().replace("&amp;", "&")
        try:
            pattern = resolve(path.partition("?")[0]).route
        except Resolver404:
            continue
        if pattern in found or "logout" in pattern:
            found.setdefault(pattern, path)
            continue
        found[pattern] = path
        response = client.get(path, follow=True)
        if response.streaming or not response["Content-Type"].startswith("text/html"):
            continue
        waiting += ADDRESS.findall(response.content.decode())
    return found


def test_every_page_is_reached_by_links(reached):
    lonely = [
        pattern
        for pattern in console_patterns()
        if pattern not in reached
        and pattern not in WITHOUT_A_LINK
        and not pattern.endswith(tuple(ENDINGS_WITHOUT_A_LINK))
    ]
    assert lonely == []


def test_what_is_excused_is_not_reached_after_all(reached):
    assert sorted(set(WITHOUT_A_LINK) & set(reached)) == []
