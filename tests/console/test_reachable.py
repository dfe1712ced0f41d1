"""Every page of the console is reached by links from the sidebar: a page nobody links to is a page nobody finds."""

import re

import pytest
from django.contrib import admin
from django.urls import Resolver404, resolve

from retention.shop.models import Staff
from tests.matrix.routes import console_patterns
from tests.matrix.rows import one_of_each
from tests.matrix.test_roles import decided

pytestmark = pytest.mark.django_db

#: An address in an attribute or a script of a page.
ADDRESS = re.compile(r"""["'(](/admin/[^"'()#\s<>]*)""")
#: What no link leads to, and why that is right.
WITHOUT_A_LINK = {
    "admin/login/": "the way in",
    "admin/messaging/template/<int:object_id>/message/": "in the page of those who may only look",
    "admin/password_change/done/": "what comes after",
    "admin/campaigns/campaign/<int:object_id>/results/": "there once it was launched",
    "admin/campaigns/back-tests/<int:campaign_id>/results/": "comes into the page once the replay has ended",
    "admin/loyalty/programme/<int:object_id>/back-tests/results/": "comes into the page once the look back has ended",
    "admin/loyalty/programme/<int:object_id>/corrections/": "there once it was launched",
    "admin/<app_label>/": "Django's list of an app's models; the sidebar is ours",
}
ENDINGS_WITHOUT_A_LINK = {
    "/delete/": "nobody deletes",
    "/process_import/": "comes after a file was checked",
    "/errors/": "there once a file had bad rows",
    "/progress/": "asked while a file is read",
    "/restore/": "there once a row has two versions",
    "/undo/": "there while the coupon is unused",
}


@pytest.fixture
def reached(client, shop, person):
    """The patterns of all pages that links lead to, for whoever may see everything, starting at home."""
    boss = Staff.objects.create_superuser("boss", "boss@example.com", "x")
    client.force_login(boss, backend="django.contrib.auth.backends.ModelBackend")
    ids = one_of_each()
    # Home, and what the sorry desk's search finds.
    desk = f"/admin/sorry/customer/{ids['public_id']}/", f"/admin/sorry/given/{ids['compensation_id']}/"
    found, waiting = {}, ["/admin/", *desk]
    while waiting:
        path = waiting.pop().partition("?")[0]
        try:
            pattern = resolve(path).route
        except Resolver404:
            continue
        if "__fk__" in path:  # a blank that a script fills in
            continue
        if pattern in found or "logout" in pattern:
            found.setdefault(pattern, path)
            continue
        found[pattern] = path
        response = client.get(path, follow=True)
        waiting += [url for url, _status in response.redirect_chain]
        if response.streaming or not response["Content-Type"].startswith("text/html"):
            continue
        waiting += ADDRESS.findall(response.content.decode())
    return found


def test_every_page_is_reached_by_links(reached):
    # A button is on the page in the states in which it makes sense; the matrix presses each.
    buttons = {
        f"/{getattr(site, name).url_path}/" for site in admin.site._registry.values() for name in site.actions_detail
    }
    closed = {name for name, cells in decided().items() if set("".join(cells)) == {"·"}}
    lonely = [
        pattern
        for pattern in console_patterns()
        if pattern not in reached.keys() | closed
        and pattern not in WITHOUT_A_LINK
        and not pattern.endswith((*ENDINGS_WITHOUT_A_LINK, *buttons))
    ]
    assert lonely == []
