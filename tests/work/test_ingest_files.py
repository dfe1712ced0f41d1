"""Files on their way in: what can be read, by line; the command; imports in the background."""

import csv
import datetime as dt
import gzip
import io
import json
import tracemalloc

import openpyxl
import pytest
from django.core.files.base import ContentFile
from django.core.management import CommandError, call_command
from django.db import connection

from retention.actors import Actor
from retention.customers.models import Customer
from retention.shop.models import Shop
from retention.work import imports
from retention.work.ingest import ingest
from retention.work.ingest.files import BadFile, open_rows
from retention.work.models import Import

BY = Actor.command("test")


@pytest.fixture
def shop(db):
    return Shop.objects.create(name="Shop", time_zone="Europe/Berlin", currency="EUR", country="DE")


def bring(content, now, **options):
    return ingest("customers", open_rows(io.BytesIO(content)), now=now, by=BY, **options)


CSV = b'Reference,Given name,address\na,"Ann, B","Street 1\nHouse 2"\n\nb,Bo\\n,x\n'


@pytest.mark.parametrize("wrap", [bytes, gzip.compress, lambda text: b"\xef\xbb\xbf" + text])
def test_csv_plain_gzipped_or_with_a_byte_order_mark(shop, now, wrap):
    assert bring(wrap(CSV), now).new == 2
    rows = dict(Customer.objects.values_list("reference", "address"))
    assert rows == {"a": "Street 1\nHouse 2", "b": "x"}
    assert Customer.objects.get(reference="b").given_name == "Bo\\n"


def test_other_delimiters_are_seen_in_the_header(shop, now):
    assert bring(b"reference;city\na;Bonn\n", now).new == 1
    assert bring(b"reference\tcity\nb\tBonn\n", now).new == 1
    assert list(Customer.objects.values_list("city", flat=True)) == ["Bonn", "Bonn"]


def test_json_lines(shop, now):
    assert bring(b'{"reference": "a"}\n\n{"reference": "b", "interests": ["x"]}\n', now).new == 2
    result = bring(b'{"reference": "c"}\n{"reference": \n[1]\n{"reference": NaN}', now)
    assert [(e.line, e.code) for e in result.refused] == [(2, "not_json"), (3, "not_an_object"), (4, "not_json")]
    assert Customer.objects.count() == 2


def test_a_workbook(shop, now):
    book = openpyxl.Workbook()
    book.active.append(["reference", "postcode", "birthday", "interests"])
    book.active.append([17, 53111.0, dt.date(1990, 5, 17)])
    book.active.append([None, None, None])
    book.active.append(["b", "01067", "05-17", "x"])
    file = io.BytesIO()
    book.save(file)
    assert bring(file.getvalue(), now).new == 2
    assert Customer.objects.values_list("postcode", "birth_year").get(reference="17") == ("53111", 1990)
    assert Customer.objects.get(reference="b").postcode == "01067"


def test_errors_name_the_line_of_the_file(shop, now):
    content = b'reference,address,country\na,"two\nlines",DE\nb,x,XX\nc,x\n\nd,x,XX\n'
    result = bring(content, now)
    assert [(e.line, e.column, e.code) for e in result.refused] == [
        (4, "country", "unknown_country"), (5, "", "wrong_number_of_cells"), (7, "country", "unknown_country"),
    ]  # fmt: skip
    assert bring(content, now, good_only=True).new == 1


def test_an_unknown_column_is_one_error_not_one_a_row(shop, now):
    result = bring(b"reference,shoe,attributes.size\n" + b"a,1,S\n" * 50, now)
    assert [(e.line, e.column, e.code) for e in result.refused] == [(1, "shoe", "unknown_column")]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"reference,\na,b\n", "column 2"),
        (b"reference,Reference\n", "twice"),
        ("reference\nÄ\n".encode("latin-1"), "UTF-8"),
        (b'reference\n"a\n', "not CSV"),
        (gzip.compress(b"reference\n" + b"abc\n" * 9_999)[:-9], "damaged"),
        (b"PK\x03\x04nonsense", "not a workbook"),
        (b"reference\n" + b"x" * 200_000 + b"\n", "not CSV"),
    ],
)
def test_a_file_that_cannot_be_read_says_so(shop, now, content, reason):
    with pytest.raises(BadFile, match=reason):
        bring(content, now)
    assert not Customer.objects.exists()


def test_memory_stays_flat_however_long_the_file(shop, now):
    def rows(count):
        for number in range(count):
            yield {"reference": f"c{number}", "city": "Bonn" * 10, "country": "DE"}

    def peak(count):
        tracemalloc.start()
        assert ingest("customers", rows(count), now=now, by=BY, dry_run=True).new == count
        _now, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(500)
    assert peak(8_000) < 3 * peak(2_000)


class TestCommand:
    def write(self, tmp_path, text):
        path = tmp_path / "rows.csv"
        path.write_text(text)
        return str(path)

    def test_it_brings_a_file_in(self, shop, tmp_path, capsys):
        call_command("ingest", "customers", self.write(tmp_path, "reference\na\nb\n"), "--json")
        assert json.loads(capsys.readouterr().out) == {
            "new": 2, "changed": 0, "unchanged": 0, "refused": 0, "written": True, "errors": [],
        }  # fmt: skip
        assert Customer.objects.count() == 2

    def test_refused_rows_end_in_1_and_in_the_errors_file(self, shop, tmp_path, capsys):
        path, errors = self.write(tmp_path, "reference,country\na,DE\nb,XX\n"), tmp_path / "errors.csv"
        with pytest.raises(SystemExit) as ended:
            call_command("ingest", "customers", path, "--errors", str(errors))
        assert ended.value.code == 1
        assert "Nothing was written." in capsys.readouterr().out
        with errors.open(newline="") as file:
            assert [(row["line"], row["column"], row["code"]) for row in csv.DictReader(file)] == [
                ("3", "country", "unknown_country")
            ]
        with pytest.raises(SystemExit):
            call_command("ingest", "customers", path, "--good-only")
        assert Customer.objects.get().reference == "a"

    def test_a_dry_run_writes_nothing(self, shop, tmp_path, capsys):
        call_command("ingest", "customers", self.write(tmp_path, "reference\na\n"), "--dry-run")
        assert "dry run" in capsys.readouterr().out
        assert not Customer.objects.exists()

    def test_what_cannot_be_read_ends_in_2(self, shop, tmp_path):
        for path in (self.write(tmp_path, ""), str(tmp_path / "nowhere.csv")):
            with pytest.raises(CommandError) as ended:
                call_command("ingest", "customers", path)
            assert ended.value.returncode == 2


@pytest.mark.django_db(transaction=True)
class TestInTheBackground:
    @pytest.fixture
    def start(self, now):
        Shop.objects.create(name="Shop", time_zone="Europe/Berlin", currency="EUR", country="DE")

        def begin(text, **options):
            content = text.encode()
            row = imports.prepare_import(
                kind="customers", file=ContentFile(content), file_name="../people.csv", size=len(content),
                layout=options.pop("layout", None), now=now, by=BY,
            )  # fmt: skip
            imports.start_import(import_id=row.pk, **{"good_only": False, **options})
            return row

        return begin

    def test_it_ends_with_figures(self, start, now):
        row = start("reference\na\nb\n")
        assert (row.file_name, imports.due_imports()) == ("people.csv", [row.pk])
        done = imports.run_import(import_id=row.pk, now=now)
        assert (done.state, done.figures["new"], done.figures["written"], done.error) == ("done", 2, True, "")
        assert imports.due_imports() == []
        assert imports.run_import(import_id=row.pk, now=now) is None

    def test_refused_rows_are_a_file_safe_for_spreadsheets(self, start, now):
        row = start("reference,country\na,DE\nb,=1+1\n", good_only=True)
        done = imports.run_import(import_id=row.pk, now=now)
        assert (done.state, done.figures["new"], done.figures["refused"]) == ("done", 1, 1)
        with done.errors.open("rb") as file:
            (error,) = csv.DictReader(io.StringIO(file.read().decode()))
        assert (error["line"], error["code"]) == ("3", "unknown_country")

    def test_all_or_nothing_unless_asked(self, start, now):
        done = imports.run_import(import_id=start("reference,country\na,DE\nb,XX\n").pk, now=now)
        assert (done.state, done.figures["written"]) == ("failed", False)
        assert not Customer.objects.exists()

    def test_a_file_that_cannot_be_read_fails_with_its_reason(self, start, now):
        done = imports.run_import(import_id=start('reference\n"a').pk, now=now)
        assert (done.state, done.error) == ("failed", "The file cannot be read: line 2 is not CSV.")

    def test_cancelled_while_it_waits_or_runs_it_leaves_nothing(self, start, now):
        waiting, running = start("reference\na\n"), start("reference\nb\n")
        imports.cancel_import(import_id=waiting.pk, now=now)
        assert imports.run_import(import_id=waiting.pk, now=now) is None
        Import.objects.filter(pk=running.pk).update(is_cancelling=True)
        assert imports.run_import(import_id=running.pk, now=now).state == "cancelled"
        assert not Customer.objects.exists()
        with pytest.raises(imports.NothingToCancel):
            imports.cancel_import(import_id=waiting.pk, now=now)

    def test_a_dead_workers_import_is_taken_over_and_after_three_deaths_fails(self, start, now):
        row = start("reference\na\n")
        for attempt in (1, 2, 3):
            assert imports._claim(row.pk) == attempt
            assert imports.run_import(import_id=row.pk, now=now) is None  # somebody has it
            with connection.cursor() as cursor:
                cursor.execute("UPDATE work_import SET lease_until = now() - interval '1 second'")
            assert imports.due_imports() == [row.pk]
        done = imports.run_import(import_id=row.pk, now=now)
        assert (done.state, done.error) == ("failed", "Its worker died three times.")

    def test_who_lost_the_lease_writes_nothing(self, start, now, monkeypatch):
        row = start("reference\na\n")
        ended = imports._end

        def too_late(*args, **options):
            Import.objects.using("default").filter(pk=row.pk).update(figures={"attempt": 2})
            return ended(*args, **options)

        monkeypatch.setattr(imports, "_end", too_late)
        assert imports.run_import(import_id=row.pk, now=now) is None
        assert not Customer.objects.exists()
