"""Codes as a file: all of an offer or one batch, streamed, by right, and audited."""

import csv
import io
import tracemalloc

import pytest
from django.db import connection

from retention.audit.models import AuditEntry
from retention.incentives import operations
from retention.incentives.models import Code
from retention.shop.models import Staff
from tests.incentives.conftest import BY

pytestmark = pytest.mark.django_db


@pytest.fixture
def two_batches(offer, now):
    incentive = offer()
    made = [
        operations.generate_codes(
            incentive_id=incentive.pk, count=count, purpose=purpose, source=purpose, now=now, by=BY
        )
        for count, purpose in ((3, "handout"), (2, "pool"))
    ]
    return incentive, made


def rows(blocks):
    return list(csv.DictReader(io.StringIO(b"".join(blocks).decode())))


def test_all_codes_of_an_offer_and_nobody_elses(two_batches, offer, now):
    incentive, (handout, pool) = two_batches
    other = offer(name="Other")
    operations.generate_codes(incentive_id=other.pk, count=1, purpose="pool", source="o", now=now, by=BY)
    found = rows(operations.export_codes(incentive_id=incentive.pk, now=now, by=BY))
    assert [row["code"] for row in found] == list(
        Code.objects.filter(incentive=incentive).order_by("pk").values_list("code", flat=True)
    )
    assert [(row["state"], row["batch"]) for row in found] == [("given", str(handout.pk))] * 3 + [
        ("free", str(pool.pk))
    ] * 2
    assert {row["given_at"] for row in found} == {"2026-05-12 10:00:00+00", ""}


def test_one_batch(two_batches, now):
    incentive, (_handout, pool) = two_batches
    found = rows(operations.export_codes(incentive_id=incentive.pk, batch_id=pool.pk, now=now, by=BY))
    assert {row["batch"] for row in found} == {str(pool.pk)}
    assert len(found) == 2


def test_what_is_not_there_is_refused_and_not_audited(two_batches, offer, now):
    _incentive, (handout, _pool) = two_batches
    with pytest.raises(operations.NoSuchBatch):
        operations.export_codes(incentive_id=offer(name="Other").pk, batch_id=handout.pk, now=now, by=BY)
    assert not AuditEntry.objects.filter(verb="incentives.export_codes").exists()


def test_a_file_grows_and_the_memory_does_not(offer, now):
    incentive = offer()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO incentives_code (code, incentive_id, version_id, is_public, state)"
            " SELECT 'C' || lpad(n::text, 9, '0'), %s, %s, false, 'free' FROM generate_series(1, 200000) n",
            [incentive.pk, incentive.version_id],
        )
    tracemalloc.start()
    size = sum(len(block) for block in operations.export_codes(incentive_id=incentive.pk, now=now, by=BY))
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size > 200_000 * 15
    assert peak < 1_000_000


class TestTheDoor:
    @pytest.fixture
    def logged_in(self, client, shop):
        staff = Staff.objects.create_superuser("root", "root@example.com", "x")
        client.force_login(staff, backend="django.contrib.auth.backends.ModelBackend")
        return client

    def test_it_is_a_file_by_name(self, logged_in, two_batches):
        incentive, (handout, _pool) = two_batches
        response = logged_in.get(f"/admin/incentives/incentive/{incentive.pk}/codes/", {"batch": handout.pk})
        assert response.status_code == 200
        assert response["Content-Disposition"] == f'attachment; filename="codes-{incentive.pk}-batch-{handout.pk}.csv"'
        assert len(rows(response.streaming_content)) == 3
        entry = AuditEntry.objects.get(verb="incentives.export_codes")
        assert (entry.by.username, entry.subject_id, entry.after) == ("root", incentive.pk, {"batch": handout.pk})

    def test_no_such_batch_is_no_page(self, logged_in, two_batches):
        incentive, _batches = two_batches
        assert logged_in.get(f"/admin/incentives/incentive/{incentive.pk}/codes/", {"batch": 999}).status_code == 404

    def test_the_page_shows_batches_and_asks_again_while_codes_are_made(self, logged_in, two_batches):
        incentive, (handout, _pool) = two_batches
        url = f"/admin/incentives/incentive/{incentive.pk}/batches/"
        done = logged_in.get(url).content.decode()
        assert "every 2s" not in done
        assert f"/codes/?batch={handout.pk}" in done
        handout.state, handout.wanted = "waiting", 10
        handout.save()
        making = logged_in.get(url).content.decode()
        assert "Making codes: 3 of 10" in making
        assert "every 2s" in making
