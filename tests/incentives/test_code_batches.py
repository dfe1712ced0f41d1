"""Codes by the thousand, their text, their resumption, and moving them to a newer version."""

import datetime as dt
import re

import pytest
from django.db import connection

from retention.audit.models import AuditEntry
from retention.incentives import codes, operations
from retention.incentives.decisions import NotLive
from retention.incentives.jobs import MakeCodes
from retention.incentives.models import Code, CodeBatch
from retention.incentives.operations import code_batches
from retention.incentives.rules import IncentiveRule
from tests.incentives.conftest import BY

pytestmark = pytest.mark.django_db


@pytest.fixture
def generate(now):
    def ask(incentive, count=10, **options):
        options = {"purpose": "handout", "source": "batch", "now": now, "by": BY, **options}
        return operations.generate_codes(incentive_id=incentive.pk, count=count, **options)

    return ask


def test_codes_to_hand_out_work_at_once(offer, generate, now):
    incentive = offer(codes={"kind": "unique", "pattern": "sale-####-####-##"}, validity={"hours_after_given": 24})
    batch = generate(incentive)
    assert (batch.state, batch.made, batch.ended_at) == ("done", 10, now)
    rows = list(Code.objects.values_list("code", "state", "batch_id", "given_at", "expires_at"))
    assert len({row[0] for row in rows}) == 10
    assert all(re.fullmatch(r"SALE[0-9A-HJKMNP-TV-Z]{11}", row[0]) for row in rows)
    assert {row[1:] for row in rows} == {("given", batch.pk, now, now + dt.timedelta(hours=24))}


def test_codes_of_a_pool_wait_to_be_given(offer, generate, grant, customers, now):
    incentive = offer(codes={"kind": "unique", "is_from_pool": True}, validity={"hours_after_given": 24})
    generate(incentive, 2, purpose="pool")
    assert set(Code.objects.values_list("state", "expires_at", "given_at")) == {("free", None, None)}
    granted = grant(incentive, customers[:3])
    assert len(granted.grants) == 2
    operations.give(grant_ids=granted.grants.values(), now=now)
    assert set(Code.objects.values_list("expires_at", flat=True)) == {now + dt.timedelta(hours=24)}


def test_the_same_source_asks_once(offer, generate):
    incentive = offer()
    assert generate(incentive).pk == generate(incentive).pk
    assert Code.objects.count() == 10
    with pytest.raises(code_batches.SourceOfOther):
        generate(incentive, 11)
    assert AuditEntry.objects.filter(verb="incentives.generate_codes").count() == 1


def test_a_big_batch_is_left_to_the_job_which_goes_on_where_it_was_left(offer, generate, now, monkeypatch):
    monkeypatch.setattr(code_batches, "AT_ONCE", 5)
    monkeypatch.setattr(code_batches, "CHUNK", 4)
    batch = generate(offer(), 10)
    assert (batch.state, batch.made, Code.objects.count()) == ("waiting", 0, 0)
    assert MakeCodes.preview(now=now) == {"due": 10}

    class Killed(Exception):
        pass

    def killed(done, total):
        if done == 8:
            raise Killed

    with pytest.raises(Killed):
        operations.fill_batch(batch_id=batch.pk, now=now, progress=killed)
    batch.refresh_from_db()
    assert (batch.state, batch.made, Code.objects.count()) == ("waiting", 8, 8)
    seen = []
    assert MakeCodes.run(now=now, progress=lambda done, total: seen.append((done, total))) == {"due": 2}
    assert seen == [(10, 10)]
    batch.refresh_from_db()
    assert (batch.state, batch.made, Code.objects.count()) == ("done", 10, 10)
    assert MakeCodes.run(now=now, progress=seen.append) == {"due": 0}


def test_codes_that_meet_old_ones_are_made_up_for(offer, generate, monkeypatch):
    incentive = offer()
    generate(incentive, 3)
    old = list(Code.objects.values_list("code", flat=True))
    fresh = codes.Pattern.make_block
    answers = [old, old[:1] + ["F1RSTNEW"]]

    def unlucky(pattern, count):
        return "".join(f"{code}\n" for code in answers.pop(0)[:count]) if answers else fresh(pattern, count)

    monkeypatch.setattr(codes.Pattern, "make_block", unlucky)
    batch = generate(incentive, 2, source="second")
    assert (batch.made, Code.objects.count()) == (2, 5)


@pytest.mark.parametrize(
    ("count", "rule", "refusal"),
    [
        (0, {}, code_batches.BadCount),
        (5_000_001, {}, code_batches.BadCount),
        (1, {"is_live": False}, NotLive),
        (1, {"codes": {"kind": "public", "text": "ALL"}}, code_batches.NotUnique),
        (40_000, {"codes": {"kind": "unique", "pattern": "#######"}}, codes.CodeSpaceTooSmall),
    ],
)
def test_refused(offer, generate, count, rule, refusal):
    with pytest.raises(refusal):
        generate(offer(**rule), count)
    assert not CodeBatch.objects.exists()


def test_the_codes_that_are_out_move_to_a_newer_version_when_told_so(offer, grant, customers, now):
    incentive = offer()
    grant(incentive, customers[:2], is_given=True)
    Code.objects.filter(customer=customers[1]).update(state="redeemed")
    rule = IncentiveRule.model_validate(incentive.version.data | {"name": "Better"})
    saved = operations.save_incentive(incentive_id=incentive.pk, rule=rule, edited=1, now=now, by=BY)
    assert Code.objects.filter(version=saved.version).count() == 0
    assert operations.apply_version_to_codes(incentive_id=incentive.pk, now=now, by=BY) == 1
    assert Code.objects.get(version=saved.version).customer_id == customers[0].pk
    assert AuditEntry.objects.get(verb="incentives.apply_version_to_codes").after == {"version": 2, "codes": 1}
    assert operations.apply_version_to_codes(incentive_id=incentive.pk, now=now, by=BY) == 0


@pytest.mark.parametrize("charset", list(codes.CHARSETS))
def test_one_wrong_symbol_never_fits(charset):
    pattern = codes.Pattern("AB-######-##", charset)
    for code in pattern.make(20):
        assert pattern.fits(code)
        for at in range(2, len(code)):
            wrong = [code[:at] + symbol + code[at + 1 :] for symbol in pattern.alphabet if symbol != code[at]]
            assert not any(pattern.fits(text) for text in wrong)


def test_made_codes_are_normal_as_the_database_has_it():
    with connection.cursor() as cursor:
        for charset in codes.CHARSETS:
            for code in codes.Pattern("x_-######", charset).make(5):
                assert codes.readings(code)[0] == code == codes.check_normal(code)
                cursor.execute("SELECT %s ~ '^[A-Z0-9_]{3,60}$'", [code])
                assert cursor.fetchone() == (True,)


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("save 20", ["SAVE20"]),
        (" sAvE\u201320\n", ["SAVE20"]),
        ("oil", ["OIL", "011"]),
        ("ab", []),
        ("a" * 61, []),
        ("caf\u00e9", []),
        ("x'; --", []),
        ("", []),
    ],
)
def test_what_a_typed_text_may_mean(typed, read):
    assert codes.readings(typed) == read
