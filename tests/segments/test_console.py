"""The console's pages over HTTP: what the builder asks, how a form saves, who may do what."""

import json
import uuid

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.files.uploadedfile import SimpleUploadedFile

from retention.actors import Actor
from retention.audit.querysets import versions_of
from retention.doors.roles import rights_of
from retention.segments import operations
from retention.segments.models import CustomerList, Segment
from retention.segments.suggestions import suggestions
from retention.shop.models import Staff
from tests.segments.facts import NOW

pytestmark = pytest.mark.django_db
GERMANS = {"all": [{"key": "country", "args": {"countries": ["DE"]}}]}
LIST, ADD = "/admin/segments/segment/", "/admin/segments/segment/add/"


@pytest.fixture
def as_role(client, shop, empty_cache):
    def log_in(letter: str):
        found = [
            Permission.objects.get(content_type__app_label=app, codename=codename)
            for app, codename in (right.split(".") for right in rights_of(letter))
            if app in ("segments", "customers")
        ]
        group = Group.objects.create(name=uuid.uuid4().hex)
        group.permissions.set(found)
        user = Staff.objects.create(username=group.name, is_staff=True)
        user.groups.add(group)
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        return client

    return log_in


def ask(client, what, **body):
    url = f"{LIST}builder/{what}/"
    return client.post(url, json.dumps(body), content_type="application/json")


def form(**values):
    return {"name": "Mine", "about": "", "rule": json.dumps(GERMANS), "edited": "", "why": "", **values}


def errors_of(response):
    shown = response.context["adminform"].form
    return {field: list(messages) for field, messages in shown.errors.items()}


def test_a_preview_answers_with_all_that_the_page_shows(as_role, shop):
    told = ask(as_role("M"), "preview", rule={"not": GERMANS}, segment=None).json()
    assert (told["size"], told["total"]) == (3, 4)
    assert told["sentence"] == "Everyone who is not someone who lives in Germany."
    assert told["phrases"] == {"/not/all/0": "lives in Germany"}
    assert [customer["email"] for customer in told["sample"]] == ["boris@example.com", "chloe@example.com", ""]


def test_a_preview_of_a_broken_rule_names_every_place(as_role, shop):
    told = ask(as_role("M"), "preview", rule={"all": [{"key": "country", "args": {}}]}, segment=None).json()
    assert told == {"errors": {"/all/0/args/countries": ["This field is required."]}}


@pytest.mark.parametrize("body", ["", "[]", "nonsense", '{"segment": "5"}', '{"rule":' * 3000])
def test_what_the_builder_never_sends_is_refused(as_role, body):
    client = as_role("M")
    for what in ("preview", "explain"):
        answer = client.post(f"{LIST}builder/{what}/", body, content_type="application/json")
        assert answer.status_code == 400


def test_why_one_customer_is_in_or_not(as_role, shop):
    client = as_role("A")
    told = ask(client, "explain", rule=GERMANS, segment=None, customer=" ANNA@example.com ").json()
    assert (told["customer"]["name"], told["is_met"], told["since"]) == ("Anna", True, None)
    assert [(part["kind"], part["is_met"]) for part in told["told"]] == [("live", True), ("all", True)]
    told = ask(client, "explain", rule=GERMANS, segment=None, customer="gala").json()
    assert (told["is_met"], told["told"][1]["parts"][0]["sentence"]) == (False, "lives in Germany")
    operations.refresh_segment(segment_id=shop.germans.pk, now=NOW)
    told = ask(client, "explain", rule=GERMANS, segment=shop.germans.pk, customer="anna").json()
    assert told["since"] == "2026-05-12"
    assert ask(client, "explain", rule=GERMANS, segment=None, customer="x").json() == {
        "problem": "There is no customer with this email or reference."
    }
    assert "Mend the rule" in ask(client, "explain", rule={"key": "?"}, segment=None, customer="anna").json()["problem"]


def test_saving_keeps_a_version_and_a_second_save_another(as_role, shop):
    client = as_role("M")
    answer = client.post(ADD, form(why="first"))
    made = Segment.objects.get(name="Mine")
    assert answer.status_code == 302
    assert (made.rule, made.version.number, made.version.by) == (GERMANS, 1, Staff.objects.get())
    answer = client.post(f"{LIST}{made.pk}/change/", form(name="Ours", rule="{}", edited="1"))
    assert answer.status_code == 302
    assert [version.number for version in versions_of(made)] == [2, 1]
    made.refresh_from_db()
    assert (made.name, made.rule) == ("Ours", {})


def test_refusals_come_back_as_errors_of_the_form(as_role, shop):
    client = as_role("M")
    broken = client.post(ADD, form(rule=json.dumps({"all": [{"key": "moon"}]})))
    assert errors_of(broken) == {"rule": ["/all/0/key: There is no condition “moon”."]}
    assert "moon" in broken.text
    assert errors_of(client.post(ADD, form(rule="{nonsense"))) == {"rule": ["Enter a valid JSON."]}
    taken = client.post(ADD, form(name="germans"))
    assert errors_of(taken) == {"__all__": ["There is a segment called “germans” already."]}
    stale = client.post(f"{LIST}{shop.germans.pk}/change/", form(name="Late", edited="7"))
    assert list(errors_of(stale)) == ["__all__"]
    assert set(Segment.objects.values_list("name", flat=True)) == {"Germans", "Nobody"}


def test_going_back_to_an_older_version(as_role, shop):
    client = as_role("M")
    client.post(ADD, form())
    made = Segment.objects.get(name="Mine")
    client.post(f"{LIST}{made.pk}/change/", form(rule="{}", edited="1"))
    page = client.get(f"{LIST}{made.pk}/history/")
    assert "Everyone who lives in Germany." in page.text
    assert "Nobody: there is no condition yet." in page.text
    answer = client.post(f"{LIST}{made.pk}/history/1/restore/", {"edited": "2", "why": "better"})
    assert answer.status_code == 302
    made.refresh_from_db()
    assert (made.rule, made.version.number, made.version.why) == (GERMANS, 3, "better")


def test_the_list_shows_size_freshness_users_and_errors(as_role, shop):
    by = Actor.command("test")
    named = {"key": "in_segment", "args": {"segment": str(shop.germans.public_id)}}
    operations.create_segment(name="Inside", rule=named, now=NOW, by=by)
    operations.refresh_segment(segment_id=shop.germans.pk, now=NOW)
    Segment.objects.filter(name="Nobody").update(error="/key: There is no condition “moon”.")
    text = " ".join(as_role("A").get(LIST).text.split())
    assert "segment “Inside”" in text
    assert "Failed: /key: There is no condition “moon”." in text
    assert "within a minute" in text


def test_archived_segments_leave_the_list_and_come_back(as_role, shop):
    client = as_role("M")
    client.post(f"{LIST}{shop.germans.pk}/archive/", {"_form_submitted": "True"})
    assert Segment.objects.get(pk=shop.germans.pk).archived_at is not None
    assert "Germans" not in client.get(LIST).text
    assert "Germans" in client.get(f"{LIST}?state=archived").text
    client.post(f"{LIST}{shop.germans.pk}/bring-back/", {"_form_submitted": "True"})
    assert Segment.objects.get(pk=shop.germans.pk).archived_at is None


@pytest.mark.parametrize(("role", "may_edit"), [("M", True), ("L", True), ("A", False), ("S", False)])
def test_who_may_edit_and_who_may_look(as_role, shop, role, may_edit):
    client = as_role(role)
    page = client.get(f"{LIST}{shop.germans.pk}/change/")
    assert page.status_code == 200
    assert ('name="rule"' in page.text) is may_edit
    assert ("data-readonly" in page.text) is not may_edit
    assert client.get(ADD).status_code == (200 if may_edit else 403)
    saved = client.post(f"{LIST}{shop.germans.pk}/change/", form(name="Changed"))
    assert saved.status_code == (302 if may_edit else 403)
    assert ask(client, "preview", rule={}, segment=None).status_code == 200
    assert Segment.objects.get(pk=shop.germans.pk).name == ("Changed" if may_edit else "Germans")


def test_without_the_right_nothing_answers(client, shop):
    nobody = Staff.objects.create(username="nobody", is_staff=True)
    client.force_login(nobody, backend="django.contrib.auth.backends.ModelBackend")
    assert client.get(LIST).status_code == 403
    assert ask(client, "preview", rule={}).status_code == 403
    assert ask(client, "explain", rule={}, customer="anna").status_code == 403
    assert client.get(f"{LIST}builder/suggest/?source=cities&q=").status_code == 403


def test_who_may_not_see_customers_sees_sizes_only(client, shop, empty_cache):
    counter = Staff.objects.create(username="counter", is_staff=True)
    counter.user_permissions.add(Permission.objects.get(codename="view_segment"))
    client.force_login(counter, backend="django.contrib.auth.backends.ModelBackend")
    told = ask(client, "preview", rule=GERMANS, segment=None).json()
    assert (told["size"], told["sample"]) == (1, None)
    assert ask(client, "explain", rule=GERMANS, segment=None, customer="anna").status_code == 403
    assert "data-why" not in client.get(f"{LIST}{shop.germans.pk}/change/").text.replace("data-why=", "")


def test_suggestions_know_the_shop(shop):
    assert suggestions("cities", "ber") == [("Berlin", "Berlin")]
    assert suggestions("products", "vin") == [("vinyl", "Vinyl (vinyl)")]
    assert [value for value, _label in suggestions("categories", "jazz")] == [
        "Music/Jazz",
        "Music/Jazz/Vinyl",
        "Music/Jazzy",
    ]
    assert suggestions("interests", "JA") == [("jazz", "jazz")]
    assert suggestions("interests", "%") == []
    assert suggestions("languages", "korean") == [("ko", "Korean (ko)")]
    assert suggestions("stores", "") == [("Graben", "Graben"), ("Mitte", "Mitte")]
    assert suggestions("planets", "") == []


def test_a_list_is_uploaded_as_a_file(as_role, shop):
    client = as_role("M")
    file = SimpleUploadedFile("guests.csv", b"anna,Anna\nboris@example.com\nghost\n")
    answer = client.post(
        "/admin/segments/customerlist/add/", {"name": "Guests", "lines": "", "file": file}, follow=True
    )
    assert "1 lines named no customer: ghost" in answer.text
    made = CustomerList.objects.get(name="Guests")
    assert (made.size, made.unknown, made.by) == (2, 1, Staff.objects.get())
    assert client.get(f"/admin/segments/customerlist/{made.pk}/change/").status_code == 200
    empty = client.post("/admin/segments/customerlist/add/", {"name": "None", "lines": ""})
    assert errors_of(empty) == {"file": ["Choose a file or paste some lines."]}
    binary = SimpleUploadedFile("x.xlsx", b"PK\x03\x04\xff\xfe")
    refused = client.post("/admin/segments/customerlist/add/", {"name": "X", "lines": "", "file": binary})
    assert errors_of(refused) == {"file": ["This file is not text in UTF-8."]}
    assert CustomerList.objects.count() == 2


def test_the_composition_of_a_segment(as_role, shop):
    client = as_role("A")
    url = f"{LIST}{shop.germans.pk}/composition/"
    assert "has not been computed yet" in client.get(url).text
    operations.refresh_segment(segment_id=shop.germans.pk, now=NOW)
    page = " ".join(client.get(url).text.split())
    assert "Germany" in page
    assert "100 %" in page
    assert client.get(f"{LIST}{shop.germans.pk}/open-composition/").url == url
    assert client.get(f"{LIST}999999/composition/").status_code == 404
