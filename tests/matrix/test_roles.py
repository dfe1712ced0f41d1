"""Role × page of the console × GET and POST, against a table that people have decided on.

A page without a line in `roles.txt` fails: decide who may open it, then write the table anew with
`WRITE_MATRIX=1 pytest tests/matrix/test_roles.py` and read its difference.
"""

import os
from pathlib import Path

import pytest
from django.contrib import admin
from django.contrib.messages.storage.fallback import FallbackStorage
from django.contrib.sessions.backends.cache import SessionStore
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.http import Http404
from django.test import RequestFactory
from django.urls import resolve

from retention.doors.roles import ROLES
from tests.matrix.routes import address, autocompletes, console_patterns
from tests.matrix.rows import one_of_each

pytestmark = pytest.mark.django_db
TABLE = Path(__file__).with_name("roles.txt")
COLUMNS = [*ROLES, "-"]
HEAD = """\
# Who may do what on which page: M marketer, L marketing lead, S support agent, A analyst, Z administrator, - no role.
# r: GET is answered; w: POST is answered; ·: refused. Lines of bulk actions name them by role.
"""


def answers(user, url, method):
    """Whether the view behind an address answers this person, without painting the page; nothing it does stays."""
    request = getattr(RequestFactory(), method)(url)
    request.user, request.session = user, SessionStore()
    request._messages = FallbackStorage(request)
    request._dont_enforce_csrf_checks = True
    match = resolve(url.partition("?")[0])
    request.resolver_match = match
    with transaction.atomic():
        try:
            response = match.func(request, *match.args, **match.kwargs)
            status = response.status_code
            to_log_in = response.get("Location", "").startswith("/admin/login/")
        except PermissionDenied:
            status, to_log_in = 403, False
        except Http404:
            status, to_log_in = 404, False
        except IntegrityError:
            # It was let in and it acted; the made-up row had no history for it to undo.
            status, to_log_in = 200, False
        transaction.set_rollback(True)
    assert status < 500, (url, method, status)
    return status not in (403, 404, 405) and not to_log_in


@pytest.fixture
def people(person):
    made = {letter: person(key.replace(" ", "_"), key) for letter, (key, _label) in ROLES.items()}
    return {**made, "-": person("nobody")}


def decided():
    lines = [line.split() for line in TABLE.read_text().splitlines() if line and not line.startswith("#")]
    return {line[0]: line[1:] for line in lines}


def offered(user):
    """Bulk actions of every list, as this person is offered them."""
    request = RequestFactory().get("/")
    request.user = user
    return {model._meta.label_lower: sorted(site.get_actions(request)) for model, site in admin.site._registry.items()}


def found(people):
    ids = one_of_each()
    table = {}
    for pattern in console_patterns():
        url = address(pattern, ids)
        cells = []
        for letter in COLUMNS:
            get, post = answers(people[letter], url, "get"), answers(people[letter], url, "post")
            cells.append(("r" if get else "·") + ("w" if post else "·"))
        table[pattern] = cells
    for name, url in sorted(autocompletes().items()):
        table[name] = [("r" if answers(people[letter], url, "get") else "·") + "·" for letter in COLUMNS]
    actions = {letter: offered(people[letter]) for letter in COLUMNS}
    for label in sorted(actions["Z"]):
        cells = [",".join(actions[letter][label]) or "··" for letter in COLUMNS]
        if set(cells) != {"··"}:
            table[f"actions:{label}"] = cells
    return table


def test_every_page_answers_exactly_whom_the_table_names(people, shop):
    table = found(people)
    if os.environ.get("WRITE_MATRIX"):
        width = 84  # fixed, so that a new page changes only its own line
        rows = "".join(f"{name:<{width}}  {'  '.join(cells)}\n" for name, cells in table.items())
        TABLE.write_text(HEAD + f"# {'page':<{width - 2}}  {'   '.join(COLUMNS)}\n" + rows)
    known = decided()
    assert sorted(set(table) - set(known)) == [], "pages on which nobody has decided"
    assert sorted(set(known) - set(table)) == [], "lines of pages that are no more"
    assert {name: cells for name, cells in table.items() if cells != known[name]} == {
        name: known[name] for name, cells in table.items() if cells != known[name]
    }


class TestTheTableItself:
    """What must hold whoever edits the table."""

    #: Pages that everyone who may log in has, and log-in itself.
    COMMON = {
        "admin/",
        "admin/jsi18n/",
        "admin/login/",
        "admin/logout/",
        "admin/password_change/",
        "admin/password_change/done/",
        "admin/search/",
    }

    def cells(self, letter):
        place = COLUMNS.index(letter)
        return {name: cells[place] for name, cells in decided().items()}

    def test_without_a_role_nothing_opens(self):
        assert {name for name, cell in self.cells("-").items() if cell != "··"} == self.COMMON

    def test_an_analyst_changes_nothing(self):
        writing = ("/add/", "/change/", "/import/", "/process_import/", "/delete/", "/restore/")
        allowed = {name for name, cell in self.cells("A").items() if "w" in cell and name.endswith(writing)}
        assert allowed == set()

    def test_staff_keys_and_settings_are_the_administrators_alone(self):
        for letter in "MLSA-":
            cells = self.cells(letter)
            for start in ("admin/shop/staff/", "admin/doors/apikey/", "admin/auth/group/"):
                assert {cell for name, cell in cells.items() if name.startswith(start)} == {"··"}, (letter, start)
            assert "w" not in cells["admin/shop/shop/<path:object_id>/change/"]

    def test_nobody_deletes(self):
        deleting = [cells for name, cells in decided().items() if name.endswith("/delete/")]
        assert {cell for cells in deleting for cell in cells} == {"··"}


def test_no_list_edits_rows_in_place():
    """A forged list of changed rows finds nobody to save them."""
    for model, site in admin.site._registry.items():
        assert not site.list_editable, model
        assert not getattr(site, "ordering_field", None), model


def test_no_admin_saves_behind_the_operations():
    """Each form saves by an operation or not at all, and none offers Django's own deletion."""
    for model, site in admin.site._registry.items():
        request = RequestFactory().get("/")
        request.user = type("Everyone", (), {"has_perm": lambda *_: True, "is_active": True, "is_staff": True})()
        assert "delete_selected" not in site.get_actions(request), model
        assert not site.has_delete_permission(request), model


@pytest.mark.parametrize("role", ["", "analyst", "support agent"])
def test_a_forged_list_changes_nothing(as_role, shop, role):
    client = as_role(role)
    ids = one_of_each()
    for model, site in admin.site._registry.items():
        label = model._meta.label_lower
        if label not in ids or label == "auth.group":
            continue
        before = model.objects.filter(pk=ids[label]).values().get()
        forged = {"form-TOTAL_FORMS": 1, "form-INITIAL_FORMS": 1, "form-0-id": ids[label], "_save": "Save"}
        forged |= {f"form-0-{field.name}": "1" for field in model._meta.fields if not field.primary_key}
        client.post(f"/admin/{label.replace('.', '/')}/", forged)
        assert model.objects.filter(pk=ids[label]).values().get() == before, label
        assert site is not None
