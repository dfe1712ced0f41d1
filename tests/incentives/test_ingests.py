"""Codes made elsewhere come in by `ingest`, all or nothing, with an error for each bad cell."""

import datetime as dt

import pytest

from retention.incentives.models import Code, CodeBatch
from retention.work.ingest import ingest
from tests.incentives.conftest import BY

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]


@pytest.fixture
def load(now):
    def run(*rows, **options):
        return ingest("codes", rows, now=now, by=BY, **options)

    return run


def test_codes_of_others_work_at_once_and_come_in_once(offer, load, now):
    offer(name="Partner", validity={"ends_at": now + dt.timedelta(days=30)})
    rows = [
        {"code": "abc-123", "incentive": "Partner"},
        {"code": "ABC 124", "incentive": "Partner", "expires_at": "2026-05-20 12:00Z"},
    ]
    result = load(*rows)
    assert (result.new, result.unchanged, result.refused) == (2, 0, ())
    assert list(Code.objects.order_by("code").values_list("code", "state", "given_at", "expires_at")) == [
        ("ABC123", "given", now, now + dt.timedelta(days=30)),
        ("ABC124", "given", now, dt.datetime(2026, 5, 20, 12, tzinfo=dt.UTC)),
    ]
    batch = CodeBatch.objects.get()
    assert (batch.purpose, batch.wanted, batch.made, batch.state) == ("handout", 2, 2, "done")
    again = load(*rows)
    assert (again.new, again.changed, again.unchanged) == (0, 0, 2)
    assert Code.objects.count() == 2


def test_codes_of_a_pool_wait_and_are_granted(offer, load, grant, customers):
    incentive = offer(name="Pool", codes={"kind": "unique", "is_from_pool": True})
    incentive.refresh_from_db()
    load({"code": "P001", "incentive": str(incentive.public_id)}, {"code": "P002", "incentive": "Pool"})
    assert set(Code.objects.values_list("state", flat=True)) == {"free"}
    assert len(grant(incentive, customers[:3]).grants) == 2


BAD = {
    "unknown_incentive": {"incentive": "Nobody's"},
    "ambiguous_incentive": {"incentive": "Twice"},
    "incentive_is_draft": {"incentive": "Draft"},
    "incentive_is_public": {"incentive": "Public"},
    "not_a_code": {"code": "caf\u00e9"},
    "code_taken": {"code": "ALL"},
    "too_long": {"code": "A" * 61},
    "required": {"code": ""},
    "not_a_time": {"expires_at": "soon"},
    "ends_before_it_starts": {"starts_at": "2026-06-02", "expires_at": "2026-06-01"},
    "unknown_column": {"discount": "5"},
}


@pytest.mark.parametrize("code", BAD)
def test_bad_rows_are_refused_with_their_reason_and_nothing_is_written(offer, load, code):
    offer(name="Partner")
    offer(name="Twice")
    offer(name="Twice")
    offer(name="Draft", is_live=False)
    offer(name="Public", codes={"kind": "public", "text": "ALL"})
    rows = [{"code": "G00D", "incentive": "Partner"}, {"code": "BAD1", "incentive": "Partner", **BAD[code]}]
    result = load(*rows)
    assert code in [error.code for error in result.refused], result.refused
    assert {error.line for error in result.refused} == {2}
    assert all("%(" not in error.message for error in result.refused)
    assert Code.objects.filter(is_public=False).count() == 0
    assert load(*rows, good_only=True).new == 1


def test_the_same_code_twice_in_a_file(offer, load):
    offer(name="Partner")
    result = load({"code": "A-BC", "incentive": "Partner"}, {"code": "abc", "incentive": "Partner"})
    assert {error.code for error in result.refused} == {"duplicate"}
    assert not Code.objects.exists()
