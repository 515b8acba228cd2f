"""The tables of the billing console, in several languages."""

from gembill.reconcile.bill_files import recognise
from gembill.reconcile.bill_line import BadLine, BillForm, BillLine, LineKind
from gembill.reconcile.numerals import day
from tests.gembill.reconcile.bills import COST_TABLE, DAY, REPORT_DE, SKU


def lines(text: str) -> list[BillLine | BadLine]:
    return list(recognise(text.splitlines(keepends=True), "bill.csv").lines)


def test_a_cost_table_has_its_currency_rate_and_month_in_the_preamble():
    first, second, tax = lines(COST_TABLE)
    assert (first.currency, first.rate, first.month) == ("EUR", "0.92", "2026-11")
    assert (first.sku, first.sku_id, first.project) == (SKU, "1111-2222-3333", "search-1")
    assert (first.first_day, first.last_day) == (DAY, DAY) == (day("2026-11-03"), day("2026-11-03"))
    assert (first.amount_micro, first.cost_pico, first.decimals) == (10**12, 690_000_000_000, 2)
    assert (second.amount_micro, tax.kind, tax.cost_pico) == (200_000 * 10**6, LineKind.TAX, 110_000_000_000)


def test_tax_without_a_day_is_that_of_the_invoice_month():
    tax = lines(COST_TABLE)[-1]
    assert (tax.first_day, tax.last_day) == (day("2026-11-01"), day("2026-11-30"))


def test_a_cost_table_in_a_language_without_words_here_is_read_by_its_ids_and_dates():
    header = next(row for row in COST_TABLE.splitlines() if "SKU" in row)
    foreign = ",".join(f"слово {place} SKU" for place in range(12)) + ",слово (€)"
    back, english = lines(COST_TABLE.replace(header, foreign)), lines(COST_TABLE)
    facts = [
        [(one.sku, one.sku_id, one.kind, one.first_day, one.last_day, one.amount_micro, one.cost_pico) for one in some]
        for some in (back, english)
    ]
    assert facts[0] == facts[1]


def test_a_preamble_without_a_date_leaves_the_month_to_the_last_day_of_usage():
    tax = lines(COST_TABLE.replace("Invoice date,2026-11-30\n", ""))[-1]
    assert (tax.month, tax.first_day) == ("2026-11", day("2026-11-01"))


def test_a_german_report_says_the_same():
    reading = recognise(REPORT_DE.splitlines(keepends=True), "x")
    assert reading.form is BillForm.REPORTS
    first, second = reading.lines
    assert (first.amount_micro, first.cost_pico, first.currency) == (10**12, 690_000_000_000, "EUR")
    assert (first.first_day, first.project, first.rate) == (DAY, None, None)
    assert second.sku_id == "1111-2222-4444"


def test_a_line_that_cannot_be_read_is_a_complaint_with_its_number():
    broken = lines(COST_TABLE.replace('"200,000"', "many"))
    assert broken[1] == BadLine(9, "'many' is not a number")


def test_a_report_without_days_is_a_complaint():
    header, *rows = REPORT_DE.splitlines()
    text = "\n".join([header.replace("Datum", "Produkt"), *(row.replace("03.11.2026", "Suche") for row in rows)])
    assert "neither a day nor a month" in lines(text)[0].reason


def test_a_report_without_days_can_be_of_a_period_that_is_named():
    header, row, *_ = REPORT_DE.splitlines()
    text = [f"{line.partition(',')[2]}\n" for line in (header, row)]
    [line] = recognise(text, "x", (DAY, DAY + 9)).lines
    assert (line.first_day, line.last_day, line.sku, line.amount_micro) == (DAY, DAY + 9, SKU, 10**12)


def test_a_monthly_report_covers_the_month():
    header, row, *_ = REPORT_DE.splitlines()
    [line] = lines(f"{header.replace('Datum', 'Monat')}\n{row.replace('03.11.2026', '2026-11')}\n")
    assert (line.first_day, line.last_day) == (day("2026-11-01"), day("2026-11-30"))


def test_the_currency_of_a_report_is_in_its_header():
    english = REPORT_DE.replace("(€)", "(A$)")
    assert lines(english)[0].currency == "AUD"


def test_a_credit_and_an_adjustment_are_lines_of_their_own():
    extra = "Search,search-1,Gemini API,AEFD-7695-64FA,Promotion,,Credit,2026-11-03,2026-11-03,,,-0.10,-0.10\n"
    kinds = [line.kind for line in lines(COST_TABLE + extra + extra.replace("Credit", "Adjustment"))]
    assert kinds[-2:] == [LineKind.CREDIT, LineKind.ADJUSTMENT]
