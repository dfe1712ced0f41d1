"""Staff: made and changed by administrators alone, no way up for anyone else, log-ins throttled and explained."""

import pytest
from axes.models import AccessAttempt
from django.test import Client

from retention.actors import Actor
from retention.audit.models import AuditEntry
from retention.doors.operations.staff import Person, create_staff
from retention.shop.models import Staff
from tests.console.conftest import PASSWORD

pytestmark = pytest.mark.django_db
LIST = "/admin/shop/staff/"


def change(user):
    return f"{LIST}{user.pk}/change/"


def fields(username, *roles, **more):
    said = {"username": username, "first_name": "", "last_name": "", "email": "", "roles": roles, "is_active": "on"}
    return {**said, **more}


@pytest.fixture
def admin(as_role):
    return as_role("administrator")


def test_an_administrator_makes_an_agent_who_can_log_in(admin):
    response = admin.post(f"{LIST}add/", fields("oleg", "support agent", password="a good long one"))
    assert response.status_code == 302
    oleg = Staff.objects.get(username="oleg")
    assert (oleg.is_staff, oleg.is_superuser, [g.name for g in oleg.groups.all()]) == (True, False, ["support agent"])
    client = Client()
    page = client.post("/admin/login/?next=/admin/", {"username": "oleg", "password": "a good long one"})
    assert page.status_code == 302


@pytest.mark.parametrize("password", ["short", "password", "olegoleg"])
def test_weak_passwords_are_refused_at_the_field(admin, password):
    response = admin.post(f"{LIST}add/", fields("olegoleg", password=password))
    assert response.status_code == 200
    assert response.context["adminform"].form.errors["password"]
    assert not Staff.objects.filter(username="olegoleg").exists()


def test_no_password_is_written_anywhere_readable(admin):
    admin.post(f"{LIST}add/", fields("oleg", password="a good long one"))
    assert "a good long one" not in repr(list(AuditEntry.objects.values()))


def test_roles_can_be_taken_and_act_from_the_next_click_on(admin, as_role):
    marketer = as_role("marketer")
    assert marketer.get("/admin/shop/shop/").status_code == 200
    assert admin.post(change(marketer.user), fields("marketer")).status_code == 302
    assert marketer.get("/admin/shop/shop/").status_code == 403
    entry = AuditEntry.objects.filter(verb="doors.save_staff").get()
    assert (entry.before["roles"], entry.after["roles"]) == (["marketer"], [])


def test_someone_switched_off_is_logged_out_at_once(admin, as_role):
    marketer = as_role("marketer")
    admin.post(change(marketer.user), fields("marketer", "marketer", is_active=""))
    response = marketer.get("/admin/")
    assert response.status_code == 302
    assert response["Location"].startswith("/admin/login/")


@pytest.mark.parametrize("role", ["marketer", "marketing lead", "support agent", "analyst", ""])
def test_nobody_else_touches_staff(as_role, person, role):
    client, other = as_role(role), person("other")
    for url in (LIST, f"{LIST}add/", change(other), change(client.user), f"{LIST}{other.pk}/new-password/"):
        assert client.get(url).status_code == 403, url
        assert client.post(url, fields("x", "administrator", password="a good long one")).status_code == 403, url
    assert not Staff.objects.filter(groups__name="administrator").exists()


def test_forged_fields_give_no_one_every_right(admin, person):
    other = person("other")
    forged = fields("other", "marketer", is_superuser="on", is_staff="", user_permissions=["1"], groups=["1"])
    admin.post(change(other), forged)
    other.refresh_from_db()
    assert (other.is_superuser, other.is_staff, other.user_permissions.count()) == (False, True, 0)
    assert [group.name for group in other.groups.all()] == ["marketer"]
    unknown = admin.post(change(other), fields("other", "owner of everything"))
    assert unknown.status_code == 200
    assert unknown.context["adminform"].form.errors["roles"]


def test_the_owner_is_out_of_an_administrators_reach(admin, person):
    owner = person("owner")
    Staff.objects.filter(pk=owner.pk).update(is_superuser=True)
    response = admin.post(change(owner), fields("owner", is_active=""))
    assert "every right of the installation" in str(response.context["adminform"].form.non_field_errors())
    dialog = admin.post(f"{LIST}{owner.pk}/new-password/", {"_form_submitted": "True", "password": "a good long one"})
    assert "every right of the installation" in dialog.content.decode()
    owner.refresh_from_db()
    assert owner.is_active
    assert owner.check_password(PASSWORD)


def test_nobody_locks_herself_out(admin):
    for said in (fields("administrator", "marketer"), fields("administrator", "administrator", is_active="")):
        response = admin.post(change(admin.user), said)
        assert "cannot take the administrator" in str(response.context["adminform"].form.non_field_errors())
    admin.user.refresh_from_db()
    assert admin.user.is_active


def test_a_new_password_ends_all_log_ins(admin, person, as_role):
    marketer = as_role("marketer")
    url = f"{LIST}{marketer.user.pk}/new-password/"
    dialog = admin.get(url)
    assert "All log-ins of this person end at once" in dialog.content.decode()
    weak = admin.post(url, {"_form_submitted": "True", "password": "short"})
    assert "too short" in weak.content.decode()
    done = admin.post(url, {"_form_submitted": "True", "password": "another long one"})
    assert done["HX-Redirect"] == f"{LIST}{marketer.user.pk}/"
    assert marketer.get("/admin/").status_code == 302


def test_names_are_taken_whatever_their_case(admin, person, now):
    person("mina")
    response = admin.post(f"{LIST}add/", fields("Mina", password="a good long one"))
    assert "logs in as Mina already" in str(response.context["adminform"].form.non_field_errors())
    by = Actor.command("test")
    assert create_staff(person=Person("mona"), password="a good long one", now=now, by=by).is_staff


class TestLogIn:
    def log_in(self, client, username, password):
        return client.post("/admin/login/?next=/admin/", {"username": username, "password": password})

    def test_ten_failures_lock_and_say_so(self, person, client):
        person("mina", "marketer")
        for _ in range(9):
            assert self.log_in(client, "mina", "wrong").status_code == 200
        locked = self.log_in(client, "mina", "wrong")
        assert (locked.status_code, b"quarter of an hour" in locked.content) == (429, True)
        assert self.log_in(client, "mina", PASSWORD).status_code == 429
        assert AccessAttempt.objects.get().failures_since_start >= 10

    def test_it_is_audited_without_what_was_typed(self, person, client):
        mina = person("mina", "marketer")
        self.log_in(client, "mina", "my secret")
        self.log_in(client, "anna@example.com", "x")
        self.log_in(client, "mina", PASSWORD)
        client.post("/admin/logout/")
        acts = AuditEntry.objects.filter(verb__startswith="console.").order_by("id")
        assert list(acts.values_list("verb", "actor", "subject_id")) == [
            ("console.log_in_refused", "visitor", mina.pk),
            ("console.log_in_refused", "visitor", None),
            ("console.log_in", f"staff:{mina.pk}", mina.pk),
            ("console.log_out", f"staff:{mina.pk}", mina.pk),
        ]
        kept = repr(list(acts.values()))
        assert "anna" not in kept
        assert "secret" not in kept

    def test_a_name_with_a_nul_is_only_wrong(self, person, client):
        assert self.log_in(client, "mi\x00na", "x").status_code == 200


class TestOnesOwnPassword:
    NEW = {"old_password": PASSWORD, "new_password1": "another long one", "new_password2": "another long one"}

    def test_it_is_audited_without_the_password_and_the_log_in_goes_on(self, as_role):
        marketer = as_role("marketer")
        response = marketer.post("/admin/password_change/", self.NEW)
        assert response.status_code == 302
        entry = AuditEntry.objects.get(verb="doors.set_password")
        assert (entry.by, entry.subject, entry.subject_id) == (marketer.user, "shop.staff", marketer.user.pk)
        assert (entry.before, entry.after) == (None, None)
        assert marketer.get("/admin/").status_code == 200
        assert Staff.objects.get(pk=marketer.user.pk).check_password("another long one")

    def test_a_wrong_old_one_changes_and_records_nothing(self, as_role):
        marketer = as_role("marketer")
        response = marketer.post("/admin/password_change/", {**self.NEW, "old_password": "wrong"})
        assert response.status_code == 200
        assert response.context["form"].errors["old_password"]
        assert not AuditEntry.objects.filter(verb="doors.set_password").exists()
        assert Staff.objects.get(pk=marketer.user.pk).check_password(PASSWORD)
