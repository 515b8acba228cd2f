"""A line of the bill and its calls, for scripts and for people."""

import json

from gembill.model import Modality
from gembill.reconcile.cell import BillMeter, Cell
from gembill_reports.analysis.bill_line_calls import BillLineCalls, CallShare
from gembill_reports.views.bill_line_calls import BillLineView
from gembill_reports.views.view import Format, text
from tests.gembill.ledger.test_bills import DAY, line

EXPLAINED = BillLineCalls(
    line=line(7, amount_micro=300_000_000),
    cell=Cell(DAY, "m", "standard", BillMeter.INPUT, Modality.TEXT, long=False),
    calls=(CallShare(5_000_000, 200, 1_000_000, "an-id"),),
    count=2,
    quantity=299,
    cost_pico=6_000_000,
)


def shown(form: Format) -> str:
    return "".join(text(BillLineView(EXPLAINED), form))


def test_json_has_both_sums_and_their_difference():
    shape = json.loads(shown(Format.JSON))
    assert (shape["billed"], shape["ours"], shape["difference"], shape["calls_count"]) == ("300", 299, "1", 2)
    assert shape["calls"][0]["id"] == "an-id"


def test_the_table_leads_to_receipts_and_csv_has_the_calls():
    assert "gembill receipt ID" in shown(Format.TABLE)
    assert shown(Format.CSV).splitlines()[1].startswith("an-id,1970-01-01T00:00:01")


def test_made_up_calls_are_marked_for_people_and_for_scripts():
    marked, plain = (BillLineView(EXPLAINED, demo=demo) for demo in (True, False))
    assert "DEMO DATA" in "".join(text(marked, Format.TABLE))
    assert "DEMO DATA" not in "".join(text(plain, Format.TABLE))
    assert json.loads("".join(text(marked, Format.JSON)))["demo_data"] is True
    assert "demo_data" not in json.loads("".join(text(plain, Format.JSON)))
