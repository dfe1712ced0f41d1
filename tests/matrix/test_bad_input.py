"""Every kind of import × everything that may be wrong with a cell, a row or a file.

The cases come from the registry: a kind without a good row, a column without bad cells or a refusal that no case asks
for fails. Every answer names line, column and code, and no table has a row more or less than before.
"""

import gzip
import io
import zipfile
from collections.abc import Iterator
from typing import Any

import openpyxl
import pytest
from django.db import transaction

from retention import registries
from retention.work.ingest import columns as c
from retention.work.ingest import ingest
from retention.work.ingest.files import MAX_WORKBOOK, BadFile, open_rows
from retention.work.ingest.sentences import SENTENCES
from tests.matrix import world
from tests.matrix.world import BY, GOOD, NOW

pytestmark = pytest.mark.django_db
KINDS = sorted(registries.ingests.keys())
#: Codes that only a file or a row as a whole can bring about; their cases are further down.
OF_ROWS = {"unknown_column", "wrong_number_of_cells", "not_json", "not_an_object", "not_a_list", "duplicate"}

#: Column class → bad cells: (value, code).
HUGE = 10**30
BAD_CELLS: dict[type, list[tuple[Any, str]]] = {
    c.Email: [("nobody", "not_an_email"), ("a@b", "not_an_email"), ("a@-b.com", "not_an_email")],
    c.Phone: [("12", "not_a_phone"), ("call me", "not_a_phone")],
    c.Whole: [
        ("1.5", "not_a_whole_number"), ("0x1F", "not_a_whole_number"), (HUGE, "not_a_whole_number"),
        (float("nan"), "not_a_whole_number"), (float("inf"), "not_a_whole_number"), (-(10**12), "too_small"),
        (10**17, "too_big"),
    ],
    c.Money: [
        ("-1", "negative"), ("1e5", "not_an_amount"), ("NaN", "not_an_amount"), (float("inf"), "not_an_amount"),
        (HUGE, "not_an_amount"), ("1,50", "not_an_amount"), ("1.001", "too_many_digits"), (True, "wrong_type"),
    ],
    c.Instant: [
        ("9999-99-99", "not_a_time"), ("2026-02-30", "not_a_time"), ("tomorrow", "not_a_time"),
        ("infinity", "not_a_time"), ("12.05.2026", "not_a_time"), ("9999-12-31", "out_of_range"),
        ("1066-10-14", "out_of_range"), ("2026-05-01 25:00", "not_a_time"),
    ],
    c.Day: [("9999-99-99", "not_a_date"), ("05/17/2026", "not_a_date"), ("9999-12-31", "out_of_range")],
    c.Birthday: [("9999-99-99", "not_a_birthday"), ("02-30", "not_a_birthday"), ("2031-01-01", "out_of_range")],
    c.Flag: [("maybe", "not_yes_or_no"), (2, "not_yes_or_no")],
    c.Choice: [("none of them", "not_a_choice")],
    c.Country: [("XX", "unknown_country"), ("Germany", "unknown_country")],
    c.Language: [("klingon!", "unknown_language"), ("x" * 13, "too_long")],
    c.Zone: [("Mars/Olympus", "unknown_zone")],
    c.Currency: [("EURO", "unknown_currency"), ("ZZZ", "unknown_currency")],
    c.Words: [([1, 2], "not_words"), ("[", "not_words"), (["x" * 61], "too_long")],
    c.Document: [("[1]", "not_an_object"), ('{"a":', "not_an_object"), ('{"a": NaN}', "not_an_object")],
    c.Column: [],
}  # fmt: skip
#: What no column takes, whatever it is.
NEVER: list[tuple[Any, str]] = [
    ("a\0b", "control_character"), ("a\x1b[2Jb", "control_character"), ("\ud800", "control_character"),
    (b"bytes", "wrong_type"), (object(), "wrong_type"),
]  # fmt: skip

#: Kind → what its own refusals need: (changes of the good row, column, code).
LINE = {"sku": "LP", "quantity": 1, "unit_price": "12.00"}
BAD_ROWS: dict[str, list[tuple[dict[str, Any], str, str]]] = {
    "customers": [
        ({"reference": "", "email": ""}, "reference", "no_key"),
        ({"email": "a@example.com"}, "email", "email_taken"),
        ({"reference": "b", "email": "a@example.com"}, "email", "email_taken"),
        ({"reference": "merged", "email": None}, "reference", "merged"),
        ({"acquisition_cost": "1.00"}, "acquisition_currency", "no_currency"),
        ({"acquisition_cost": "1.5", "acquisition_currency": "JPY"}, "acquisition_cost", "too_many_digits"),
        ({"acquisition_cost": "1", "acquisition_cost_minor": 1}, "acquisition_cost", "said_twice"),
        ({"attributes": {"shoe": 1}}, "attributes.shoe", "undeclared_attribute"),
        ({"attributes": {"size": {"value": "S", "how": "guessed"}}}, "attributes.size", "not_an_attribute"),
        ({"attributes": {"size": ["S"]}}, "attributes.size", "not_an_attribute"),
        ({"attributes": {"height": "tall"}}, "attributes.height", "not_a_number"),
        ({"attributes": {"vegan": "maybe"}}, "attributes.vegan", "not_yes_or_no"),
        ({"attributes": {"joined": "9999-99-99"}}, "attributes.joined", "not_a_date"),
        ({"attributes": {"size": "XXL"}}, "attributes.size", "not_among_choices"),
        ({"attributes": {"size": "x" * 1_001}}, "attributes.size", "not_among_choices"),
        ({"attributes": {"nick": {"value": "x" * 1_001, "how": "asked"}}}, "attributes.nick", "attribute_too_long"),
        ({"own_id": 1}, "own_id", "unknown_column"),
    ],
    "products": [
        ({"minimum_price": "6.00"}, "minimum_price", "minimum_above_price"),
        ({"season_from": "2026-06-01", "season_until": "2026-06-01"}, "season_until", "season_is_empty"),
        ({"url": "javascript:alert(1)"}, "url", "not_a_link"),
        ({"currency": "JPY", "price": "5.50"}, "price", "too_many_digits"),
        ({"price": None, "price_minor": HUGE}, "price_minor", "not_minor_units"),
        ({"price": None, "price_minor": -1}, "price_minor", "negative"),
    ],
    "stock": [
        ({"sku": "no such"}, "sku", "unknown_product"),
        ({"place": "x" * 61}, "place", "too_long"),
    ],
    "orders": [
        ({"customer": "nobody"}, "customer", "unknown_customer"),
        ({"lines": [{**LINE, "sku": "no such"}]}, "lines.0.sku", "unknown_product"),
        ({"lines": None}, "lines", "not_a_list"),
        ({"lines": [LINE, "LP"]}, "lines.1", "not_an_object"),
        ({"lines": [{**LINE, "colour": "red"}]}, "lines.0.colour", "unknown_column"),
        ({"lines": [{**LINE, "discount": "13"}]}, "lines.0.discount", "discount_above_price"),
        ({"currency": "USD"}, "currency", "no_exchange_rate"),
        ({"reference": "O1", "currency": "USD"}, "currency", "currency_changed"),
        ({"total": "16.99"}, "total", "total_does_not_add_up"),
        ({"discount": "18.00"}, "discount", "discount_above_lines"),
        ({"reference": "O4", "lines": [LINE], "total": "12.00"}, "lines", "fewer_than_returned"),
        ({"placed_at": "2031-01-01"}, "placed_at", "in_the_future"),
        ({"customer_id": 1}, "customer_id", "unknown_column"),
    ],
    "returns": [
        ({"order_reference": "no such"}, "order_reference", "unknown_order"),
        ({"order_reference": "O3"}, "order_reference", "order_is_cancelled"),
        ({"reference": "R1", "order_reference": "O4", "amount": "1.00"}, "reference", "already_recorded"),
        ({"reference": "R1"}, "reference", "already_recorded"),
        ({"amount": "17.01"}, "amount", "refund_above_total"),
        ({"lines": [{"sku": "no such", "quantity": 1}]}, "lines.0.sku", "unknown_line"),
        ({"order_reference": "O2", "lines": [{"sku": "LP", "quantity": 1}]}, "lines.0.sku", "ambiguous_line"),
        ({"lines": [{"sku": "CD", "quantity": 2}]}, "lines.0.quantity", "more_than_bought"),
    ],
    "consents": [
        ({"customer": "nobody"}, "customer", "unknown_customer"),
        ({"customer": "", "email": "nobody@example.com"}, "email", "unknown_customer"),
        ({"customer": ""}, "customer", "no_customer"),
        ({"purpose": "spam"}, "purpose", "unknown_purpose"),
        ({"customer": "silent"}, "address", "no_address"),
        ({"event": "asked", "purpose": "transactional"}, "event", "cannot_be_asked"),
        ({"expires_at": "2020-01-01"}, "expires_at", "ends_too_early"),
    ],
    "activities": [
        ({"customer": "nobody"}, "customer", "unknown_customer"),
        ({"customer": ""}, "customer", "nobodys"),
        ({"kind": "teleported"}, "kind", "unknown_kind"),
        ({"product": "no such"}, "product", "unknown_product"),
        ({"order_reference": "no such"}, "order_reference", "unknown_order"),
        ({"kind": "reviewed", "properties": {"rating": 11}}, "properties.rating", "wrong_property"),
    ],
    "codes": [
        ({"incentive": "no such"}, "incentive", "unknown_incentive"),
        ({"incentive": "Twin"}, "incentive", "ambiguous_incentive"),
        ({"incentive": "Draft"}, "incentive", "incentive_is_draft"),
        ({"incentive": "Public"}, "incentive", "incentive_is_public"),
        ({"code": "a=b"}, "code", "not_a_code"),
        ({"code": "TAKEN1"}, "code", "code_taken"),
        ({"starts_at": "2026-06-02", "expires_at": "2026-06-01"}, "expires_at", "ends_before_it_starts"),
    ],
    "suppressions": [
        ({"why": "erased"}, "why", "not_a_choice"),
        ({"email": ""}, "email", "required"),
        ({"address_hash": "00"}, "address_hash", "unknown_column"),
    ],
}
#: Refusals of rows beside each other: kind → (rows, {(line, column, code)}).
FLAT = {"reference": "F1", "email": "f@example.com", "state": "paid", "currency": "EUR", "placed_at": "2026-05-02"}
RETURN = {"reference": "F1", "order_reference": "O2", "amount": "5", "occurred_at": "2026-05-05"}
TOGETHER: dict[str, list[tuple[list[dict[str, Any]], set[tuple[int, str, str]]]]] = {
    "orders": [
        ([{**FLAT, **LINE}, {**FLAT, **LINE, "state": "placed"}], {(1, "state", "contradicts")}),
        ([FLAT], {(1, "lines", "no_lines")}),
        ([{**FLAT, **LINE}, FLAT], {(1, "reference", "duplicate"), (2, "reference", "duplicate")}),
    ],
    "returns": [
        (
            [{**RETURN, "position": 1, "quantity": 1}, {**RETURN, "position": 2, "quantity": 1, "amount": "4"}],
            {(2, "amount", "contradicts")},
        ),
        ([{**RETURN, "amount": "13"}, {**RETURN, "amount": "12", "reference": "F2"}],
         {(1, "amount", "refund_above_total"), (2, "amount", "refund_above_total")}),
    ],
    "products": [([{**GOOD["products"]}, {**GOOD["products"], "sku": " MUG ", "name": "Cup"}],
                  {(1, "sku", "duplicate"), (2, "sku", "duplicate")})],
    "customers": [([{"reference": "x", "email": "x@example.com"}, {"reference": "y", "email": "X@example.com "}],
                   {(1, "email", "duplicate"), (2, "email", "duplicate")})],
}  # fmt: skip


@pytest.fixture(scope="module")
def shop(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock(), transaction.atomic():
        world.furnish()
        yield
        transaction.set_rollback(True)


@pytest.fixture
def untouched(shop):
    """Whatever the test does, it may not add or take a row of any table; what is done for comparison is undone."""
    before = world.row_counts()
    with transaction.atomic():
        yield
        after = world.row_counts()
        transaction.set_rollback(True)
    assert after == before


def refused(kind: str, *rows: Any, **options: Any) -> set[tuple[int, str, str]]:
    result = ingest(kind, rows, now=NOW, by=BY, **options)
    assert not result.is_written
    assert (result.new, result.changed) == (0, 0)
    for error in result.refused:
        assert error.message, error
        assert "%(" not in error.message, error
    return {(error.line, error.column, error.code) for error in result.refused}


def cells_of(column: c.Column) -> Iterator[tuple[Any, str]]:
    """(value, code) of everything that this column must refuse."""
    yield from BAD_CELLS[next(base for base in type(column).__mro__ if base in BAD_CELLS)]
    yield from NEVER
    if "too_long" in [code for code, _condition in column.checks("w")] and not isinstance(
        column, c.Words | c.Language | c.Money
    ):
        body = '{"a": "%s"}' % ("x" * column.limit) if isinstance(column, c.Document) else "x" * (column.limit + 1)
        yield body, "too_long"
    if list not in column.accepts:
        yield ["a", {"b": 1}], "wrong_type"
    if dict not in column.accepts:
        yield {"a": 1}, "wrong_type"
    if bool not in column.accepts:
        yield True, "wrong_type"
    if column.required:
        yield "", "required"


def bad_cells(kind: str) -> Iterator[tuple[c.Column, Any, str]]:
    cls = registries.ingests[kind]
    for column in cls.columns:
        if column.name not in cls.hidden:
            yield from ((column, value, code) for value, code in cells_of(column))


def put(row: dict[str, Any], column: c.Column, value: Any) -> tuple[dict[str, Any], str]:
    """The row with this cell in it, and the path that its error must name."""
    if column.item is None:
        return {**row, column.name: value}, column.name
    first, *rest = row["lines"]
    return {**row, "lines": [{**first, column.item: value}, *rest]}, f"lines.0.{column.item}"


def test_every_kind_has_a_good_row_and_bad_ones(shop):
    assert set(KINDS) == set(GOOD) == set(BAD_ROWS)


@pytest.mark.parametrize("kind", KINDS)
def test_the_good_row_is_good(shop, kind):
    with transaction.atomic():
        result = ingest(kind, [GOOD[kind]], now=NOW, by=BY)
        transaction.set_rollback(True)
    assert (result.new, result.refused) == (1, ())


@pytest.mark.parametrize("kind", KINDS)
def test_a_bad_cell_is_named_by_line_column_and_code(untouched, kind):
    """Beside one good row, as many rows as there are bad cells, each with one of them."""
    rows, expected = [another(kind, 1)], {}
    for line, (column, value, code) in enumerate(bad_cells(kind), start=2):
        row, path = put(another(kind, line), column, value)
        rows.append(row)
        expected[line] = (path, code, repr(value)[:60])
    found = refused(kind, *rows)
    missed = {line: case for line, case in expected.items() if (line, *case[:2]) not in found}
    assert not missed, [(case, [f for f in found if f[0] == line]) for line, case in missed.items()]
    assert {line for line, _path, _code in found} == set(expected)


def another(kind: str, number: int) -> dict[str, Any]:
    """The good row as another one, so that many may stand beside each other."""
    key = {"products": "sku", "stock": "place", "codes": "code", "suppressions": "email"}.get(kind, "reference")
    of_o2 = {"order_reference": "O2", "lines": [{"position": 1, "quantity": 1}]}
    email = {"email": f"n{number}@example.com"}
    more = {"customers": email, "returns": of_o2, "suppressions": email}.get(kind, {})
    return {**GOOD[kind], key: f"OTHER{number}", **more}


@pytest.mark.parametrize(
    ("kind", "changes", "column", "code"),
    [(kind, *case) for kind, cases in BAD_ROWS.items() for case in cases],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_bad_row_is_refused_and_takes_the_good_one_with_it(untouched, kind, changes, column, code):
    found = refused(kind, another(kind, 1), {**GOOD[kind], **changes})
    assert (2, column, code) in found, found
    assert {line for line, _path, _code in found} == {2}, found


@pytest.mark.parametrize("kind", KINDS)
def test_the_good_ones_alone_where_that_was_asked_for(shop, kind):
    changes, column, code = BAD_ROWS[kind][0]
    with transaction.atomic():
        rows = [another(kind, 1), {**GOOD[kind], **changes}]
        result = ingest(kind, rows, now=NOW, by=BY, good_only=True)
        transaction.set_rollback(True)
    assert (result.is_written, result.new, result.refused_rows) == (True, 1, 1)
    assert (2, column, code) in {(error.line, error.column, error.code) for error in result.refused}


@pytest.mark.parametrize("kind", KINDS)
def test_a_row_twice_is_told_at_both_lines(untouched, kind):
    found = refused(kind, GOOD[kind], GOOD[kind])
    assert {(line, code) for line, _column, code in found} >= {(1, "duplicate"), (2, "duplicate")}, found


@pytest.mark.parametrize(("kind", "rows", "expected"), [(k, *case) for k, cases in TOGETHER.items() for case in cases])
def test_rows_that_cannot_stand_together(untouched, kind, rows, expected):
    assert expected <= refused(kind, *rows)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("row", ["text", 7, None, ["list"], {}, {"no_such_column": 1}, {"\0": 1}, {"lines\n": []}])
def test_what_is_no_row_at_all(untouched, kind, row):
    found = refused(kind, row)
    assert found
    assert {line for line, _column, _code in found} == {1}


def test_every_refusal_is_asked_for(shop):
    """A sentence that no case says is one that nobody has read."""
    asked = {code for kind in KINDS for _column, _value, code in bad_cells(kind)}
    for kind in KINDS:
        together = {code for _rows, found in TOGETHER.get(kind, []) for _line, _column, code in found}
        own = {code for _changes, _column, code in BAD_ROWS[kind]} | together
        assert set(registries.ingests[kind].sentences) <= own, kind
        asked |= own
    assert set(SENTENCES) - OF_ROWS <= asked


class TestFiles:
    """The same for files: what cannot be read says why; what can is judged by line."""

    CSV = "reference,city\r\na,Köln\r\nc,Kiel\r\n"

    def load(self, data: bytes, kind: str = "customers", **options: Any):
        with transaction.atomic():
            result = ingest(kind, open_rows(io.BytesIO(data)), now=NOW, by=BY, **options)
            transaction.set_rollback(True)
        return result

    SHAPES = {
        "plain": CSV.encode(),
        "bom": CSV.encode("utf-8-sig"),
        "gzip": gzip.compress(CSV.encode()),
        "lf": CSV.replace("\r\n", "\n").encode(),
        "cr": CSV.replace("\r\n", "\r").encode(),
        "mixed ends": CSV.replace("\r\n", "\n", 1).encode(),
        "semicolons": CSV.replace(",", ";").encode(),
        "tabs": CSV.replace(",", "\t").encode(),
        "json lines": b'{"reference": "a", "city": "K"}\n\n{"reference": "c"}',
        "no last end": CSV.rstrip().encode(),
        "blank lines": (CSV + "\r\n\r\n").encode(),
        "quoted": 'Reference, City\n"a","Köln"\n"c",Kiel\n'.encode(),
    }

    @pytest.mark.parametrize("data", SHAPES.values(), ids=SHAPES)
    def test_shapes_that_are_welcome(self, shop, data):
        result = self.load(data)
        assert (result.new, result.changed, result.refused) == (1, 1, ()), result

    @classmethod
    def unreadable(cls, first: str, second: str) -> Iterator[tuple[str, bytes, str]]:
        """(what it is, the file, what is said of it) under columns that the kind has."""
        head = f"{first},{second}\n"
        good = (head + "a,ö\n" * 9).encode()
        yield "empty", b"", "it is empty"
        yield "blank", b"\n\n", "it is empty"
        yield "utf-16", good.decode().encode("utf-16"), "it is not UTF-8"
        yield "utf-16 without a mark", (head + "a,b\n").encode("utf-16-le"), "it is not UTF-8"
        yield "latin-1", good.decode().encode("latin-1"), "it is not UTF-8"
        yield "latin-1 far below", head.encode() + b"a,b\n" * 4_999 + b"a,\xf6\n", "it is not UTF-8 after line"
        yield "binary", bytes(range(256)) * 8, "it is not UTF-8"
        yield "an old workbook", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512), "it is not UTF-8"
        yield "a column twice", f"{first},{first}\na,b\n".encode(), f"{first} is there twice"
        yield "a column twice but for case", f"{first},{first.title()} \na,b\n".encode(), f"{first} is there twice"
        yield "a nameless column", f"{first},,{second}\na,b,c\n".encode(), "column 2 has no name"
        yield "an open quote", (head + 'a,"K\n').encode(), "line 2 is not CSV"
        yield "text after a quote", (head + 'a,b\nc,"K"x\n').encode(), "line 3 is not CSV"
        yield "a huge cell", head.encode() + b"a," + b"x" * 200_000 + b"\n", "line 2 is not CSV"
        yield "not a zip", b"PK\x03\x04 and nothing", "it is not a workbook"
        yield "half a zip", cls.workbook([[first], ["a"]])[:-200], "it is not a workbook"
        yield "half a gzip", gzip.compress(good)[:-9], "it is damaged"
        yield "a broken gzip", b"\x1f\x8b\x08\x00 nothing", "it is damaged"

    @pytest.mark.parametrize("kind", KINDS)
    def test_files_that_cannot_be_read(self, untouched, kind):
        cls = registries.ingests[kind]
        first, second, *_rest = (column.name for column in cls.columns if column.name not in cls.hidden)
        for name, data, reason in self.unreadable(first, second):
            with pytest.raises(BadFile) as told:
                self.load(data, kind)
            assert reason in str(told.value), name

    @pytest.mark.parametrize(
        ("text", "found"),
        [
            ("reference|city\na|K\n", {(1, "reference|city", "unknown_column")}),
            ("a,K\nb,L\n", {(1, "a", "unknown_column"), (1, "k", "unknown_column")}),
            ("reference,shoe size\na,42\n", {(1, "shoe_size", "unknown_column")}),
            ("reference,own_id\na,1\n", {(1, "own_id", "unknown_column")}),
            ("reference,city\na\n\nb,L,M\n", {(2, "", "wrong_number_of_cells"), (4, "", "wrong_number_of_cells")}),
            ('reference,city\na,"K\nL"\nb,\x7f\n', {(line, "city", "control_character") for line in (2, 4)}),
            ('{"reference": "a"}\n{"reference": NaN}\n[1]\nx\n',
             {(2, "", "not_json"), (3, "", "not_an_object"), (4, "", "not_json")}),
            ('{"a":' * 5_000 + "1" + "}" * 5_000, {(1, "", "not_json")}),
            ('{"reference": "\\ud800"}\n', {(1, "reference", "control_character"), (1, "reference", "no_key")}),
        ],
    )  # fmt: skip
    def test_rows_are_judged_by_line(self, untouched, text, found):
        result = self.load(text.encode())
        assert not result.is_written
        assert {(error.line, error.column, error.code) for error in result.refused} == found

    @staticmethod
    def workbook(rows: list[list[Any]]) -> bytes:
        book, out = openpyxl.Workbook(), io.BytesIO()
        for row in rows:
            book.active.append(row)
        book.save(out)
        return out.getvalue()

    def test_a_workbooks_bad_cell_has_its_row(self, untouched):
        data = self.workbook([["reference", "country"], ["a", "DE"], [None, None], ["b", "#REF!"]])
        result = self.load(data)
        assert [(e.line, e.column, e.code) for e in result.refused] == [(4, "country", "unknown_country")]

    def test_a_workbook_that_would_fill_the_memory_is_not_unpacked(self, untouched):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as bomb:
            with bomb.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as sheet:
                for _ in range(MAX_WORKBOOK // 2**24 + 1):
                    sheet.write(bytes(2**24))
        assert len(out.getvalue()) < 2**20
        with pytest.raises(BadFile, match="too large"):
            self.load(out.getvalue())

    def test_a_workbook_with_entities_or_without_a_sheet(self, untouched):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as odd:
            odd.writestr("[Content_Types].xml", "<!DOCTYPE x [<!ENTITY a 'aaaa'>]><x>&a;</x>")
        with pytest.raises(BadFile, match="not a workbook"):
            self.load(out.getvalue())

    def test_a_hundred_thousand_bad_rows_are_counted_and_told_within_reason(self, untouched):
        rows = ({"reference": f"r{number}", "country": "XX"} for number in range(100_000))
        result = ingest("customers", rows, now=NOW, by=BY)
        assert (result.refused_rows, len(result.refused), result.is_written) == (100_000, 10_000, False)
