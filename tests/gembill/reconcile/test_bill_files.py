"""A file is recognised by its content, and refused whole where a line of it cannot be used."""

import json

import pytest

from gembill.errors import ConfigurationError, GembillError
from gembill.reconcile.bill_files import BillError, checked, digest, open_bill, recognise
from gembill.reconcile.bill_line import BillForm, BillLine
from gembill.reconcile.exported_rows import flat
from tests.gembill.reconcile.bills import BIGQUERY_ROW, COST_TABLE, FOCUS, REPORT_DE, SKU

JSON_LINES = json.dumps(BIGQUERY_ROW) + "\n"
FLAT = flat(BIGQUERY_ROW) | {"credits": "[]"}
BIGQUERY_CSV = ",".join(FLAT) + "\n" + ",".join("" if value is None else str(value) for value in FLAT.values()) + "\n"


def reading(text: str):
    return recognise(text.splitlines(keepends=True), "bill")


@pytest.mark.parametrize(
    ("text", "form"),
    [
        (COST_TABLE, BillForm.COST_TABLE),
        (REPORT_DE, BillForm.REPORTS),
        (REPORT_DE.replace(",", ";").replace("0;69", "0,69").replace("1;", "1,"), BillForm.REPORTS),
        (JSON_LINES, BillForm.BIGQUERY),
        (BIGQUERY_CSV, BillForm.BIGQUERY),
        (BIGQUERY_CSV.replace("sku_id", "sku.id").replace("sku_description", "sku.description"), BillForm.BIGQUERY),
        (FOCUS, BillForm.FOCUS),
    ],
)
def test_a_file_is_known_by_its_content(text, form):
    assert reading(text).form is form


def test_the_same_line_reads_the_same_in_every_form():
    facts = {
        (line.sku, line.sku_id, line.first_day, line.last_day, line.amount_micro, line.cost_pico, line.currency)
        for text in (COST_TABLE, REPORT_DE, JSON_LINES, BIGQUERY_CSV, FOCUS)
        for line in reading(text).lines
        if isinstance(line, BillLine) and line.sku == SKU
    }
    assert len(facts) == 1


@pytest.mark.parametrize("text", ["", "a,b,c\n1,2,3\n", '{"a": 1}\n', "hello\n", "{oops\n"])
def test_what_is_no_bill_is_refused_in_a_sentence(text):
    with pytest.raises(BillError):
        list(reading(text).lines)


def test_a_list_of_rows_is_read_as_their_lines_are():
    rows = json.dumps([BIGQUERY_ROW, BIGQUERY_ROW])
    assert [line.number for line in reading(rows).lines] == [1, 2]
    for text in ("[oops", "[1]"):
        with pytest.raises(BillError):
            list(reading(text).lines)


def test_a_row_of_tax_that_comes_first_hides_nothing():
    tax = {"cost": 1, "currency": "EUR", "cost_type": "tax", "invoice": {"month": "202611"}}
    lines = list(reading(json.dumps(tax) + "\n" + JSON_LINES).lines)
    assert [line.kind.value for line in lines] == ["tax", "usage"]


def test_an_export_of_gembill_is_not_taken_for_googles():
    header, row, *_ = FOCUS.splitlines()
    with pytest.raises(BillError, match="gembill's own"):
        reading(f"{header},x_CostBasis\n{row},list\n")


def test_bad_lines_are_counted_and_the_first_are_named():
    rows = [json.dumps(BIGQUERY_ROW | {"cost": f"bad{number}"}) for number in range(7)]
    with pytest.raises(BillError, match=r"has 7 lines .*line 1: 'bad0' is not a number.*and 2 more"):
        list(checked(reading("\n".join(rows)), "bill"))


def test_a_file_that_is_gone_or_parquet_or_latin_says_so(tmp_path):
    with pytest.raises(ConfigurationError, match="cannot be read"):
        open_bill(tmp_path / "none.csv")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        digest(tmp_path / "none.csv")
    (tmp_path / "x.parquet").write_bytes(b"PAR1....")
    with pytest.raises(GembillError, match="Parquet"):
        open_bill(tmp_path / "x.parquet")
    (tmp_path / "x.csv").write_bytes(b"K\xf6ln\n")
    with pytest.raises(BillError, match="not UTF-8"):
        open_bill(tmp_path / "x.csv")


def test_a_mark_of_byte_order_is_no_part_of_the_first_name(tmp_path):
    (tmp_path / "x.csv").write_text("\ufeff" + REPORT_DE, encoding="utf-8")
    assert len(list(open_bill(tmp_path / "x.csv").lines)) == 2
    assert len(digest(tmp_path / "x.csv")) == 64
