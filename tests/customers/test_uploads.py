"""The way in of a file through the console: uploaded, its columns chosen and kept, looked at, started."""

import datetime as dt
import io
import json

import openpyxl
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.urls import reverse

from retention.actors import Actor
from retention.audit.models import AuditEntry
from retention.customers.models import AttributeDefinition, ConsentState, Customer, Order, Product
from retention.work import column_maps, imports
from retention.work.models import ColumnMap, Import
from tests.customers.test_presets import FILES

BY = Actor.command("test")
ERP = (
    "Kundennr.;E-Mail-Adresse;Vorname;Nachname;Land;Newsletter;Geburtstag;Kunde seit;Wert;Notiz\n"
    "100;anna@example.com;Anna;Berg;DE;ja;17.05.1990;01.02.2024 14:30;12,50;x\n"
    "101;bo@example.com;Bo;Chen;;nein;;;;\n"
    "102;;Cy;;AT;;1.2.;;1.234,00;\n"
)


def choices_of(page, **changed):
    """What the page of columns would send as it stands, with changes by the file's column or by field."""
    form = page.context["form"]
    sent = {name: form[name].value() or "" for name in form.fields}
    places = {header: f"column_{at}" for at, header in enumerate(form.seen.headers)}
    return {**sent, **{places.get(name, name): value for name, value in changed.items()}}


def guesses(page):
    form = page.context["form"]
    return {header: form[f"column_{at}"].value() for at, header in enumerate(form.seen.headers)}


class TestColumns:
    def test_foreign_columns_are_guessed_shown_and_chosen(self, lead, upload, now):
        AttributeDefinition.objects.create(key="value", label="Value", kind="number")
        page = upload("customers", ERP)
        row = Import.objects.get()
        assert page.redirect_chain == [(reverse("admin:work_import_columns", args=[row.pk]), 302)]
        assert guesses(page) == {
            "Kundennr.": "reference", "E-Mail-Adresse": "email", "Vorname": "given_name", "Nachname": "family_name",
            "Land": "country", "Newsletter": "consents.event", "Geburtstag": "birthday", "Kunde seit": "signed_up_at",
            "Wert": "", "Notiz": "",
        }  # fmt: skip
        assert "anna@example.com · bo@example.com" in page.content.decode()
        words = {field.label: field.value() for field in list(page.context["form"].words())[0][1]}
        assert words == {"ja": "given", "nein": "withdrawn"}
        url = page.redirect_chain[-1][0]
        choice = choices_of(page, dates="day", has_decimal_comma="on", name="ERP export")
        choice |= {"constant_consents.channel": "email", "constant_consents.source": "erp"}
        page = lead.post(url, choice, follow=True)
        customers, consents = page.context["tables"]
        assert (customers.counts, consents.counts, page.context["refused"]) == ((3, 0, 0), (1, 0, 1), 0)
        assert not Customer.objects.exists()
        kept = ColumnMap.objects.get()
        assert (kept.name, kept.layout["dates"], kept.layout["constants"]) == (
            "ERP export", "day", {"consents.channel": "email", "consents.source": "erp"},
        )  # fmt: skip
        assert AuditEntry.objects.get(verb="work.save_column_map").after["headers"] == sorted(page_headers(ERP))

    def test_the_next_file_with_these_columns_is_read_by_what_was_kept(self, upload, erp):
        page = upload("", ERP.replace("Anna", "Anne"))
        row = Import.objects.get()
        assert page.redirect_chain == [(reverse("admin:work_import_preview", args=[row.pk]), 302)]
        assert (row.source, row.kind) == ("ERP export", "customers")
        assert "Read as: ERP export." in page.content.decode()
        assert page.context["tables"][0].counts == (3, 0, 0)
        other = upload("customers", ERP.replace("Notiz", "Bemerkung"))
        assert other.redirect_chain[-1][0].endswith("/columns/")

    def test_what_is_filled_twice_or_not_at_all_is_refused_on_the_page(self, lead, upload):
        page = upload("customers", "Mail,Kontakt\na@example.com,b@example.com\n")
        url = page.redirect_chain[-1][0]
        page = lead.post(url, choices_of(page, Kontakt="email"))
        assert page.context["form"].non_field_errors() == ["“email” is filled twice; leave one of its columns out."]
        page = lead.post(url, choices_of(page, Kontakt="", Mail=""))
        assert page.context["form"].non_field_errors() == ["No column of the file is used."]
        assert not ColumnMap.objects.exists()

    def test_words_of_choices_are_asked_for(self, lead, upload, catalogue):
        page = upload(
            "orders",
            "Bestellnummer;Bestellstatus;Datum;E-Mail;Artikelnummer;Menge;Einzelpreis\n"
            "O1;Bezahlt;01.05.2026;a@example.com;LP;2;12,00\nO1;;;;CD;1;5,00\n",
        )
        url = page.redirect_chain[-1][0]
        assert guesses(page) == {
            "Bestellnummer": "reference", "Bestellstatus": "state", "Datum": "placed_at", "E-Mail": "email",
            "Artikelnummer": "sku", "Menge": "quantity", "Einzelpreis": "unit_price",
        }  # fmt: skip
        ((_header, (word,)),) = page.context["form"].words()
        assert (word.label, word.value()) == ("Bezahlt", "")
        choice = choices_of(page, dates="day", has_decimal_comma="on", constant_currency="EUR")
        page = lead.post(url, choice, follow=True)
        errors = [(e.line, e.column, e.code) for e in page.context["tables"][0].errors]
        assert errors == [(2, "Bestellstatus", "not_a_choice")]
        page = lead.post(url, {**choice, word.html_name: "paid"}, follow=True)
        assert (page.context["tables"][0].counts, page.context["refused"]) == ((1, 0, 0), 0)

    def test_a_workbook_with_nameless_and_repeated_columns(self, lead, upload):
        book = openpyxl.Workbook()
        book.active.append(["Artikelnr", "Bezeichnung", "Preis", "Preis", None, "Saison"])
        book.active.append([4711, "Record", 12.5, 11, "?", dt.date(2026, 5, 1)])
        file = io.BytesIO()
        book.save(file)
        page = upload("products", file.getvalue(), name="articles.xlsx")
        assert list(guesses(page).items()) == [
            ("Artikelnr", "sku"), ("Bezeichnung", "name"), ("Preis", "price"), ("Preis (2)", ""), ("Column 5", ""),
            ("Saison", ""),
        ]  # fmt: skip
        url = page.redirect_chain[-1][0]
        choice = choices_of(page, Saison="season_from", has_decimal_comma="on")
        (table,) = lead.post(url, choice, follow=True).context["tables"]
        (row,) = table.rows
        cells = dict(zip(table.columns, row.cells, strict=True))
        assert (cells["price_minor"], cells["season_from"]) == ("<ins>1250</ins>", "<ins>2026-05-01</ins>")

    @pytest.mark.parametrize("kind", ["customers", "consents", "products", "stock", "orders", "returns", "activities", "codes"])  # fmt: skip  # noqa: E501
    def test_every_kind_has_its_page_of_columns(self, upload, kind):
        page = upload(kind, "Something,Else\n1,2\n")
        assert page.status_code == 200
        assert page.redirect_chain[-1][0].endswith("/columns/")
        assert page.context["form"].constants()


def page_headers(text):
    return text.partition("\n")[0].split(";")


@pytest.fixture
def erp(shop, now):
    """The columns of ERP, kept."""
    layout = {
        "columns": {
            "Kundennr.": "reference", "E-Mail-Adresse": "email", "Vorname": "given_name", "Land": "country",
            "Newsletter": "consents.event", "Geburtstag": "birthday", "Kunde seit": "signed_up_at",
        },
        "constants": {"consents.channel": "email", "consents.source": "erp", "language": "de"},
        "words": {"consents.event": {"ja": "given", "nein": "withdrawn"}},
        "dates": "day",
    }  # fmt: skip
    headers = page_headers(ERP)
    return column_maps.save_column_map(
        name="ERP export", kind="customers", headers=headers, layout=layout, now=now, by=BY
    )


class TestPreset:
    def test_a_known_export_needs_no_choice(self, upload):
        page = upload("", (FILES / "unsubscribed_members_export.csv").read_bytes(), name="unsubscribed_members_1.csv")
        row = Import.objects.get()
        assert (row.source, row.layout) == ("Mailchimp: unsubscribed contacts", {"preset": "mailchimp_unsubscribed"})
        assert [table.counts for table in page.context["tables"]] == [(1, 0, 0), (1, 0, 0)]
        assert "Change the columns" not in page.content.decode()

    def test_what_nobody_knows_is_asked_for(self, upload):
        page = upload("", ERP)
        assert "say what the file holds" in str(page.context["form"].errors["what"])
        assert not Import.objects.exists()

    def test_a_file_that_cannot_be_read_is_told_at_its_field(self, upload):
        page = upload("customers", b"reference\n\xc4\xff\n")
        assert "UTF-8" in str(page.context["form"].errors["file"])


class TestPreviews:
    """What each kind's preview says: (what the row is, {column: (before, after)})."""

    ORDERS = "reference,email,state,currency,placed_at,sku,quantity,unit_price\n"

    @pytest.fixture
    def preview(self, upload):
        def look(kind, text):
            page = upload(kind, text)
            (table,) = page.context["tables"]
            assert not table.errors, table.errors
            assert table.figures in page.content.decode()
            cells = [
                (row.is_what, row.line, row.name, {n: c for n, c in zip(table.columns, row.cells, strict=True) if c})
                for row in table.rows
            ]
            return table.counts, cells

        return look

    def test_orders_with_their_lines(self, preview, bring, catalogue, order):
        bring("orders", order(), order("O2"))
        text = (
            "O1,guest@example.com,fulfilled,EUR,2026-05-01T10:00:00Z,CD,3,5.00\n"
            "O2,guest@example.com,paid,EUR,2026-05-01T10:00:00Z,LP,1,12.00\nO2,,,,,CD,1,5.00\n"
            "O3,new@example.com,paid,EUR,2026-05-02,LP,2,12.00\n"
        )
        counts, ((is_changed, line, name, changed), (is_new, _, _, new)) = preview("orders", self.ORDERS + text)
        assert (counts, is_changed, is_new) == ((1, 1, 1), "changed", "new")
        assert (line, name) == (2, "O1")
        assert changed["state"] == "<del>paid</del> <ins>fulfilled</ins>"
        assert changed["lines"] == "<del>1 × LP 12.00, 1 × CD 5.00</del> <ins>3 × CD 5.00</ins>"
        assert changed["total_minor"] == "<del>2000</del> <ins>1800</ins>"
        assert "customer" not in changed
        assert (new["customer"], new["lines"]) == ("<ins>new@example.com</ins>", "<ins>2 × LP 12.00</ins>")
        assert Order.objects.count() == 2

    def test_consents(self, preview, bring):
        bring("customers", {"reference": "a", "email": "a@example.com"})
        said = {"customer": "a", "channel": "email", "event": "given", "source": "x", "occurred_at": "2026-05-01"}
        bring("consents", {**said, "reference": "1"})
        text = "reference,customer,channel,event,source,occurred_at\n"
        text += "1,a,email,given,x,2026-05-01\n2,a,email,withdrawn,x,2026-05-02\n"
        counts, ((is_there, _, _, old), (is_new, _, _, new)) = preview("consents", text)
        assert (counts, is_there, is_new) == ((1, 0, 1), "there", "new")
        assert (old["event"], new["event"]) == ("given", "<ins>withdrawn</ins>")

    def test_activities(self, preview, bring):
        bring("activities", {"reference": "1", "visitor_key": "v", "kind": "shared", "occurred_at": "2026-05-01"})
        text = "reference,visitor_key,kind,occurred_at\n1,v,shared,2026-05-01\n,w,shared,2026-05-02\n"
        counts, ((is_there, _, _, old), (is_new, _, _, new)) = preview("activities", text)
        assert (counts, is_there, is_new) == ((1, 0, 1), "there", "new")
        assert (old["visitor_key"], new["visitor_key"]) == ("v", "<ins>w</ins>")

    def test_returns(self, preview, bring, catalogue, order):
        bring("orders", order())
        bring("returns", {"reference": "R1", "order_reference": "O1", "amount": "1", "occurred_at": "2026-05-05"})
        text = "reference,order_reference,amount,occurred_at,sku,quantity\n"
        text += "R1,O1,1,2026-05-05,,\nR2,O1,12,2026-05-06,LP,1\n"
        counts, ((is_there, _, _, old), (is_new, _, _, new)) = preview("returns", text)
        assert (counts, is_there, is_new) == ((1, 0, 1), "there", "new")
        assert (old["amount"], new["sku"], new["amount"]) == ("1", "<ins>LP</ins>", "<ins>12</ins>")

    def test_stock(self, preview, bring, catalogue):
        bring("stock", {"sku": "LP", "place": "Mitte", "quantity": 3}, {"sku": "CD", "place": "Mitte", "quantity": 1})
        counts, cells = preview("stock", "sku,place,quantity\nLP,Mitte,2\nCD,Mitte,1\nCD,Nord,4\n")
        assert counts == (1, 1, 1)
        assert cells == [
            ("changed", 2, "LP", {"quantity": "<del>3</del> <ins>2</ins>"}),
            ("new", 4, "CD", {"place": "<ins>Nord</ins>", "quantity": "<ins>4</ins>"}),
        ]


class TestErrors:
    def test_they_name_the_files_line_and_column_and_nothing_can_be_started_whole(self, upload, erp):
        page = upload("", ERP.replace("AT", "Atlantis").replace("17.05.1990", "40.40.1990"))
        told = [(e.line, e.column, e.code) for table in page.context["tables"] for e in table.errors]
        assert told == [(2, "Geburtstag", "not_a_birthday"), (4, "Land", "unknown_country")]
        content = page.content.decode()
        assert "Import the good rows, return the others" in content
        assert ">Import<" not in content.replace("\n", "").replace(" ", "")

    def test_an_unknown_column_of_ours_cannot_be_sent(self, lead, upload):
        page = upload("customers", "Mail\na@example.com\n")
        url = page.redirect_chain[-1][0]
        page = lead.post(url, choices_of(page, Mail="own_id"))
        assert page.context["form"].errors["column_0"]


@pytest.mark.django_db(transaction=True)
class TestStarting:
    def test_a_small_file_is_in_at_once(self, lead, bring, upload):
        bring("customers", {"reference": "a", "city": "Bonn"}, {"reference": "b"})
        page = upload("customers", "reference,city\na,Köln\nb,\nc,Kiel\n")
        assert "<del>Bonn</del> <ins>Köln</ins>" in page.content.decode()
        done = lead.post(page.redirect_chain[-1][0], follow=True)
        assert "1 new, 1 changed, 1 as they were." in done.content.decode()
        assert dict(Customer.objects.values_list("reference", "city")) == {"a": "Köln", "b": "", "c": "Kiel"}
        again = lead.post(page.redirect_chain[-1][0], follow=True)
        assert again.redirect_chain[-1][0] == reverse("admin:work_import_change", args=[Import.objects.get().pk])

    def test_two_kinds_come_in_with_one_file(self, lead, upload, erp):
        page = upload("", ERP)
        done = lead.post(page.redirect_chain[-1][0], follow=True)
        row = Import.objects.get()
        assert (row.state, [(each["kind"], each["new"]) for each in row.figures["kinds"]]) == (
            "done", [("customers", 3), ("consents", 1)],
        )  # fmt: skip
        assert "Consents: 1 new, 0 changed, 1 as they were." in done.content.decode()
        assert row.rows_done == 3
        anna = Customer.objects.get(reference="100")
        assert (anna.birth_year, anna.language, anna.signed_up_at.isoformat()) == (
            1990, "de", "2024-02-01T13:30:00+00:00",
        )  # fmt: skip
        assert Customer.objects.get(reference="102").birth_month == 2
        assert list(ConsentState.objects.values_list("customer__reference", "is_given")) == [("100", True)]

    def test_of_a_refused_file_the_good_rows_come_in(self, lead, upload, erp):
        page = upload("", ERP.replace("AT", "Atlantis"))
        lead.post(page.redirect_chain[-1][0], {"good_only": "1"})
        row = Import.objects.get()
        assert (row.state, row.figures["refused"], Customer.objects.count()) == ("done", 1, 2)
        with row.errors.open("rb") as file:
            assert b"4,Land,unknown_country" in file.read()

    def test_a_large_file_is_a_workers_who_reads_it_by_the_same_columns(self, lead, upload, erp, now):
        text = ERP + "".join(f"{n};c{n}@example.com;C;;DE;ja;;;;\n" for n in range(1_000, 6_100))
        page = upload("", text)
        assert page.context["is_large"]
        assert "another one starts over" in page.content.decode()
        page = lead.post(page.redirect_chain[-1][0], follow=True)
        row = Import.objects.get()
        assert (row.state, imports.due_imports()) == ("waiting", [row.pk])
        assert b'hx-trigger="every 1s"' in page.content
        ColumnMap.objects.update(layout={"columns": {"Notiz": "city"}})  # edited meanwhile: what ran is what was shown
        done = imports.run_import(import_id=row.pk, now=now)
        assert (done.state, done.figures["new"]) == ("done", 5_103 + 5_101)

    def test_a_dead_workers_import_is_taken_up_by_another_and_the_page_says_so(self, lead, upload, erp, now):
        text = ERP + "".join(f"{n};;C;;DE;;;;;\n" for n in range(1_000, 6_100))
        page = upload("", text)
        lead.post(page.redirect_chain[-1][0])
        row = Import.objects.get()
        assert imports._claim(row.pk) == 1  # the worker who dies
        with connection.cursor() as cursor:
            cursor.execute("UPDATE work_import SET lease_until = now() - interval '1 second'")
        page = lead.get(reverse("admin:work_import_change", args=[row.pk]))
        assert "its worker has not been heard of; another one takes it up" in page.content.decode()
        assert imports._claim(row.pk) == 2
        page = lead.get(reverse("admin:work_import_change", args=[row.pk]))
        assert "Started over: attempt 2 of 3" in page.content.decode()
        with connection.cursor() as cursor:
            cursor.execute("UPDATE work_import SET lease_until = now() - interval '1 second'")
        assert imports.due_imports() == [row.pk]
        assert imports.run_import(import_id=row.pk, now=now).state == "done"
        assert Customer.objects.count() == 5_103, "nothing twice"


class TestCommand:
    @pytest.fixture
    def file(self, tmp_path):
        path = tmp_path / "erp.csv"
        path.write_text(ERP)
        return str(path)

    def test_it_reads_by_a_kept_source(self, erp, file, capsys):
        call_command("ingest", "customers", file, "--map", "ERP export", "--json")
        told = json.loads(capsys.readouterr().out)
        assert (told["new"], [each["kind"] for each in told["kinds"]]) == (4, ["customers", "consents"])
        assert Customer.objects.filter(language="de").count() == 3

    def test_it_reads_by_a_preset(self, shop, capsys):
        call_command("ingest", "orders", str(FILES / "woocommerce_orders.csv"), "--map", "woocommerce_orders")
        assert "5 new, 0 changed, 0 unchanged, 0 refused. Written." in capsys.readouterr().out
        assert (Order.objects.count(), Product.objects.count()) == (2, 3)

    def test_errors_are_the_files(self, erp, file, capsys):
        with open(file, "a") as out:
            out.write("103;x;;;;;;;;\n")
        with pytest.raises(SystemExit):
            call_command("ingest", "customers", file, "--map", "ERP export")
        assert "line 5, E-Mail-Adresse: “x” is not an email address." in capsys.readouterr().err
        assert not Customer.objects.exists()

    @pytest.mark.parametrize("name", ["nobody's", "shopify_orders"])
    def test_an_unknown_source_ends_in_2(self, shop, file, name):
        with pytest.raises(CommandError) as ended:
            call_command("ingest", "customers", file, "--map", name)
        assert ended.value.returncode == 2


def test_files_that_nobody_brought_in_are_forgotten(lead, upload, now):
    upload("customers", ERP)
    row = Import.objects.get()
    path = row.file.path
    assert imports.forget_files(now=row.created_at + dt.timedelta(hours=23)) == 0
    assert imports.forget_files(now=row.created_at + dt.timedelta(hours=25)) == 1
    assert not Import.objects.exists()
    with pytest.raises(FileNotFoundError):
        open(path)


def test_files_of_ended_imports_are_forgotten_after_a_month_and_the_import_stays(lead, upload, now):
    upload("customers", ERP)
    row = Import.objects.get()
    path = row.file.path
    Import.objects.update(state=Import.State.DONE, ended_at=now)
    assert imports.forget_files(now=now + dt.timedelta(days=29)) == 0
    assert imports.forget_files(now=now + dt.timedelta(days=31)) == 1
    assert imports.forget_files(now=now + dt.timedelta(days=31)) == 0
    assert Import.objects.get().file.name == ""
    with pytest.raises(FileNotFoundError):
        open(path)


def test_a_source_is_put_away_and_known_no_more(lead, upload, erp):
    page = lead.get(reverse("admin:work_columnmap_change", args=[erp.pk]))
    assert "E-Mail-Adresse → email" in page.content.decode()
    lead.post(reverse("admin:work_columnmap_archive", args=[erp.pk]), {"_form_submitted": "True"})
    assert ColumnMap.objects.get().archived_at is not None
    assert AuditEntry.objects.filter(verb="work.archive_column_map").exists()
    assert upload("customers", ERP).redirect_chain[-1][0].endswith("/columns/")


def test_rights_are_those_of_every_kind_in_the_file(log_in, shop):
    for role in ("support agent", "analyst", ""):
        client = log_in(role)
        for name in ("upload", "changelist"):
            assert client.get(reverse(f"admin:work_import_{name}")).status_code == 403
        client.logout()
