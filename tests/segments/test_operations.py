"""Saving segments, storing who is in, uploading lists: exact rows before and after, and every refusal."""

import datetime as dt

import pytest
from django import forms
from django.db import connection
from django.test.utils import CaptureQueriesContext

from campaigns.models import Campaign
from retention.actors import Actor
from retention.audit.models import AuditEntry, Version
from retention.audit.operations import EditedMeanwhile
from retention.customers.models import Customer
from retention.segments import operations
from retention.segments.jobs import RefreshSegments
from retention.segments.models import CustomerList, ListEntry, Membership, Segment
from retention.segments.operations import lists, refreshing
from retention.segments.querysets import explain, members, preview, users_of
from tests.segments.facts import NOW

pytestmark = pytest.mark.django_db
BY = Actor.command("test")
LATER = NOW + dt.timedelta(minutes=10)
GERMANS = {"key": "country", "args": {"countries": ["DE"]}}
WITH_EMAIL = {"key": "has_address", "args": {"address": "email"}}


def create(name="Mine", rule=WITH_EMAIL, **more) -> Segment:
    return operations.create_segment(name=name, rule=rule, now=NOW, by=BY, **more)


def save(segment, *, edited=1, **changes) -> Segment:
    values = {"name": segment.name, "about": segment.about, "rule": segment.rule, **changes}
    return operations.save_segment(segment_id=segment.pk, edited=edited, now=LATER, by=BY, **values)


def stored(shop, segment) -> dict[str, dt.datetime]:
    rows = Membership.objects.filter(segment=segment).values_list("customer_id", "entered_at")
    return {shop.names[pk]: at for pk, at in rows}


def named(segment) -> dict:
    return {"key": "in_segment", "args": {"segment": str(segment.public_id)}}


def test_creating_keeps_a_version_and_an_audit_row(shop):
    made = create(about="For mails", why="first")
    made.refresh_from_db()
    assert (made.name, made.about, made.rule, made.size) == ("Mine", "For mails", WITH_EMAIL, None)
    assert made.version.data == {"name": "Mine", "about": "For mails", "rule": WITH_EMAIL}
    assert (made.version.number, made.version.why) == (1, "first")
    assert AuditEntry.objects.get(verb="segments.create").subject_id == made.pk


def test_saving_makes_the_next_version_and_an_old_one_comes_back_as_another(shop):
    made = create()
    second = save(made, rule=GERMANS, name="Ours")
    assert (second.version.number, second.version.data["rule"]) == (2, GERMANS)
    old = Version.objects.get(subject="segments.segment", subject_id=made.pk, number=1)
    third = operations.save_segment(segment_id=made.pk, edited=2, now=LATER, by=BY, why="back", **old.data)
    assert (third.version.number, third.name, third.rule) == (3, "Mine", WITH_EMAIL)


def test_a_stale_save_is_refused_and_changes_nothing(shop):
    made = create()
    save(made, rule=GERMANS)
    with pytest.raises(EditedMeanwhile):
        save(made, name="Lost")
    made.refresh_from_db()
    assert (made.name, made.rule, made.version.number) == ("Mine", GERMANS, 2)


def test_an_invalid_rule_is_refused_at_its_place(shop):
    with pytest.raises(forms.ValidationError) as refused:
        create(rule={"all": [{"key": "country", "args": {}}]})
    assert refused.value.message_dict == {"rule/all/0/args/countries": ["This field is required."]}
    assert not Segment.objects.filter(name="Mine").exists()


def test_a_name_is_taken_once_among_the_live_ones(shop):
    made = create()
    with pytest.raises(operations.NameTaken, match="There is a segment called “MINE” already."):
        create(name="MINE")
    operations.archive_segment(segment_id=made.pk, now=NOW, by=BY)
    again = create(name="mine")
    with pytest.raises(operations.NameTaken):
        operations.bring_back_segment(segment_id=made.pk, now=NOW, by=BY)
    operations.archive_segment(segment_id=again.pk, now=NOW, by=BY)
    operations.bring_back_segment(segment_id=made.pk, now=NOW, by=BY)
    assert Segment.objects.get(pk=made.pk).archived_at is None


def test_no_circle_can_be_saved(shop):
    first = create("First")
    second = create("Second", named(first))
    with pytest.raises(forms.ValidationError, match="lean on itself"):
        save(first, rule={"all": [WITH_EMAIL, {"not": named(second)}]})
    with pytest.raises(forms.ValidationError, match="lean on itself"):
        save(first, rule=named(first))


def test_a_segment_in_use_cannot_be_archived(shop):
    first = create("First")
    create("Second", named(first))
    campaign = Campaign.objects.create(name="Spring", audience=first, occasion="broadcast")
    assert users_of([first, shop.germans]) == {
        first.pk: ["segment “Second”", f"campaign “{campaign}”"],
        shop.germans.pk: [],
    }
    with pytest.raises(operations.SegmentInUse) as refused:
        operations.archive_segment(segment_id=first.pk, now=NOW, by=BY)
    assert str(refused.value) == "This segment is used by segment “Second”, campaign “Spring”."


def test_a_refresh_stores_exactly_who_is_in(shop):
    made = create(rule={"any": [GERMANS, {"key": "country", "args": {"countries": ["AT"]}}]})
    assert operations.refresh_segment(segment_id=made.pk, now=NOW).error == ""
    assert stored(shop, made) == {"anna": NOW, "boris": NOW}
    save(made, rule={"any": [GERMANS, {"key": "country", "args": {"countries": ["KR"]}}]})
    again = operations.refresh_segment(segment_id=made.pk, now=LATER)
    assert (again.size, again.entered, again.left) == (2, 1, 1)
    assert stored(shop, made) == {"anna": NOW, "chloe": LATER}
    made.refresh_from_db()
    assert (made.size, made.computed_at, made.tried_at, made.error) == (2, LATER, LATER, "")
    idle = operations.refresh_segment(segment_id=made.pk, now=LATER)
    assert (idle.size, idle.entered, idle.left) == (2, 0, 0)


def test_who_is_merged_or_erased_leaves(shop):
    made = create(rule=WITH_EMAIL)
    operations.refresh_segment(segment_id=made.pk, now=NOW)
    Customer.objects.filter(pk=shop.people["chloe"].pk).update(erased_at=NOW)
    operations.refresh_segment(segment_id=made.pk, now=LATER)
    assert set(stored(shop, made)) == {"anna", "boris"}


def test_an_empty_rule_stores_nobody(shop):
    made = create(rule={})
    assert operations.refresh_segment(segment_id=made.pk, now=NOW).size == 0
    assert stored(shop, made) == {}


def test_a_refresh_that_fails_keeps_its_reason_and_the_members_before_it(shop):
    made = create()
    operations.refresh_segment(segment_id=made.pk, now=NOW)
    Segment.objects.filter(pk=made.pk).update(rule={"all": [{"key": "moon_phase"}]})
    failed = operations.refresh_segment(segment_id=made.pk, now=LATER)
    assert failed.error == "/all/0/key: There is no condition “moon_phase”."
    made.refresh_from_db()
    assert (made.error, made.tried_at, made.computed_at, made.size) == (failed.error, LATER, NOW, 3)
    assert set(stored(shop, made)) == {"anna", "boris", "chloe"}


def test_an_error_of_the_database_is_named_without_what_it_quotes(shop, monkeypatch):
    made = create()
    monkeypatch.setattr(refreshing, "_REPLACE", "SELECT 'anna@example.com'::int -- {members}" + " %s" * 7)
    assert operations.refresh_segment(segment_id=made.pk, now=NOW).error == "InvalidTextRepresentation"


def test_the_job_counts_what_failed_and_tries_again_later(shop):
    Segment.objects.exclude(pk=create().pk).update(archived_at=NOW)
    Segment.objects.filter(archived_at=None).update(rule={"key": "moon"})
    assert RefreshSegments.preview(now=NOW) == {"due": 1}
    figures = RefreshSegments.run(now=NOW, progress=lambda *_: None)
    assert figures == {"due": 1, "touched": 0, "skipped": {"segments.failed": 1}}
    assert RefreshSegments.preview(now=NOW + dt.timedelta(minutes=9)) == {"due": 0}
    assert RefreshSegments.preview(now=LATER) == {"due": 1}


def test_a_list_joins_lines_to_customers_by_reference_or_email(shop):
    lines = ["anna", "BORIS@example.com", " gala ", "", '"chloe"', "nobody@example.com", "anna", "emil", "dora"]
    uploaded = operations.upload_list(name="Fair", lines=lines, now=NOW, by=BY)
    assert (uploaded.list.size, uploaded.list.unknown) == (4, 3)
    assert uploaded.unknown == ("nobody@example.com", "emil", "dora")
    entries = ListEntry.objects.filter(list=uploaded.list).values_list("customer_id", flat=True)
    assert {shop.names[pk] for pk in entries} == {"anna", "boris", "gala", "chloe"}
    after = AuditEntry.objects.get(verb="segments.upload_list").after
    assert after == {"name": "Fair", "size": 4, "unknown": 3}
    with pytest.raises(lists.ListNameTaken):
        operations.upload_list(name="Fair", lines=[], now=NOW, by=BY)


def test_a_list_in_use_cannot_be_archived(shop):
    rule = {"key": "on_list", "args": {"list": str(shop.evening.public_id)}}
    made = create(rule=rule)
    with pytest.raises(operations.ListInUse, match="This list is used by Mine."):
        operations.archive_list(list_id=shop.evening.pk, now=NOW, by=BY)
    operations.archive_segment(segment_id=made.pk, now=NOW, by=BY)
    operations.archive_list(list_id=shop.evening.pk, now=NOW, by=BY)
    assert not ListEntry.objects.filter(list=shop.evening).exists()
    assert CustomerList.objects.get(pk=shop.evening.pk).archived_at == NOW


def test_members_are_one_statement_with_one_join_of_statistics(shop):
    orders = {"key": "order_count", "args": {"operator": "at_least", "number": 1, "window": "ever"}}
    silent = {"key": "last_order", "args": {"window": "before", "days": 1}}
    spent = {"key": "spend", "args": {"operator": "at_least", "number": 1, "window": "ever"}}
    consent = {"key": "consent", "args": {"channel": "email", "purpose": "marketing", "state": "given"}}
    with CaptureQueriesContext(connection) as asked:
        sql = str(members({"all": [orders, silent, spent, consent, GERMANS]}, NOW).query)
        asked_while_compiling = len(asked)
        assert members({"all": [orders, silent, spent, consent, GERMANS]}, NOW).count() == 1
    assert asked_while_compiling == 0
    assert len(asked) == 1
    assert sql.count('customers_customerstats" ON') == 1
    assert "INNER JOIN" in sql
    assert "LEFT OUTER" not in sql
    assert "IS NOT NULL" not in sql


def test_explaining_takes_one_query_and_shows_every_condition(shop):
    rule = {"all": [GERMANS, {"not": {"any": [WITH_EMAIL, named(shop.nobody)]}}]}
    with CaptureQueriesContext(connection) as asked:
        told = explain(rule, shop.people["anna"].pk, NOW)
    # One for the customer; the other reads the segment that the rule names.
    assert len(asked) == 2
    assert told.is_met is False
    live, root = told.parts
    assert (live.is_met, root.kind, root.is_met) == (True, "all", False)
    germans, negated = root.parts
    assert (germans.sentence, germans.is_met, germans.path) == ("lives in Germany", True, "/all/0")
    assert (negated.kind, negated.is_met, negated.parts[0].is_met) == ("not", False, True)
    email, nobody = negated.parts[0].parts
    assert (email.is_met, nobody.is_met, nobody.kind, nobody.parts[0].sentence) == (True, False, "segment", "is nobody")


def test_explaining_somebody_who_is_not_there(shop):
    with pytest.raises(Customer.DoesNotExist):
        explain(GERMANS, 0, NOW)


def test_a_preview_counts_and_shows_some(shop):
    found = preview({"not": GERMANS}, NOW, most=2)
    assert found.size == 3
    assert [customer.given_name for customer in found.sample] == ["Boris", "Chloe"]
    assert preview({}, NOW).size == 0


def test_a_preview_gives_up_in_time_and_leaves_no_limit_behind(shop):
    slow = {"all": [{"key": "random_bucket", "args": {"since": 0, "until": 50, "salt": "a"}}] * 100}
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO customers_customer (attributes, interests, recorded_at, given_name, family_name, address,"
            " postcode, city, region, country, language, time_zone, preferred_channel, source, acquisition_currency)"
            " SELECT '{}', '{}', %s, '', '', '', '', '', '', '', '', '', '', '', '' FROM generate_series(1, 20000)",
            [NOW],
        )
    found = preview(slow, NOW, limit_ms=1)
    assert (found.size, found.sample) == (None, None)
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() == ("0",)


def test_a_refresh_keeps_one_size_a_day_in_the_shops_zone(shop):
    made = create(rule=WITH_EMAIL)
    late = NOW.replace(hour=22, minute=30)  # In Berlin it is the next day already.
    for at in (NOW, LATER, late):
        operations.refresh_segment(segment_id=made.pk, now=at)
        Customer.objects.filter(pk=shop.people["chloe"].pk).update(erased_at=NOW)
    assert list(made.sizes.values_list("on", "size")) == [(dt.date(2026, 5, 12), 2), (dt.date(2026, 5, 13), 2)]
