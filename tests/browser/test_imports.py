"""A marketer brings a foreign file in: in a real browser, wide and narrow, and with the keyboard alone."""

import pytest

from retention.customers import seeds
from retention.customers.models import ConsentState, Customer
from retention.work.models import ColumnMap, Import
from tests.browser.test_console import NARROW, WIDE, log_in, serious_violations, shoot
from tests.customers.test_presets import FILES
from tests.customers.test_uploads import ERP

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def look(browser):
    """A function that examines the page it stands on: axe finds nothing serious, and a phone need not scroll it."""

    def examine(name):
        page = browser.page
        page.set_viewport_size(NARROW)
        shoot(page, f"{name}-narrow")
        assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"], name
        page.set_viewport_size(WIDE)
        shoot(page, name)
        assert serious_violations(page) == []

    return examine


def test_columns_are_chosen_kept_and_known_again(browser, person, shop, now, tmp_path, look, empty_cache):
    seeds.seed(now=now)
    person("mia", "marketer")
    path = tmp_path / "erp.csv"
    path.write_text(ERP)
    page = log_in(browser, "mia")
    page.set_viewport_size(WIDE)
    page.goto("/admin/work/import/upload/?what=kind:customers")
    look("import-upload")
    page.set_input_files("input[type=file]", str(path))
    page.click("main button[type=submit], #content button[type=submit]")
    page.wait_for_url("**/columns/")
    look("import-columns")
    # The rest by the keyboard: every control is reached by its label.
    page.get_by_label("Notiz").focus()
    page.keyboard.type("City")
    page.get_by_text("The same for every row").focus()
    page.keyboard.press("Enter")
    page.get_by_label("Consents: source").fill("erp")
    page.get_by_label("Consents: channel").select_option("email")
    page.get_by_label("Dates look like").select_option("day")
    page.get_by_label("Amounts have a decimal comma").check()
    page.get_by_label("Keep these columns as").fill("ERP export")
    look("import-columns-filled")
    page.get_by_label("Keep these columns as").press("Enter")
    page.wait_for_url("**/preview/")
    look("import-preview")
    page.get_by_role("button", name="Import", exact=True).press("Enter")
    page.wait_for_url("**/change/")
    look("import-done")
    assert ColumnMap.objects.get().name == "ERP export"
    assert Import.objects.get().state == "done"
    assert Customer.objects.get(reference="100").city == "x"
    assert ConsentState.objects.get().is_given
    page.goto("/admin/work/import/")
    look("imports")
    page.click("text=Import a file")
    page.set_input_files("input[type=file]", str(path))
    page.click("main button[type=submit], #content button[type=submit]")
    page.wait_for_url("**/preview/")
    assert "Read as: ERP export." in page.inner_text("#content")
    page.goto(f"/admin/work/columnmap/{ColumnMap.objects.get().pk}/change/")
    look("source")
    page.goto("/admin/customers/customer/data-health/")
    look("data-health")
    page.click("text=without Country")
    page.wait_for_url("**without=country**")
    look("without-country")
    assert browser.complaints == []


def test_errors_of_a_shop_export_are_shown_by_line_and_column(browser, person, shop, now, look):
    person("mia", "marketer")
    page = log_in(browser, "mia")
    page.goto("/admin/work/import/upload/")
    page.set_input_files("input[type=file]", str(FILES / "shopify_orders.csv"))
    page.click("main button[type=submit], #content button[type=submit]")
    page.wait_for_url("**/preview/")
    assert "There is no exchange rate for USD" in page.inner_text("#content")
    look("import-preview-errors")
    assert browser.complaints == []
