"""A comparison for scripts and for people."""

import json
from dataclasses import replace

from gembill.reconcile.bill_line import BillForm
from gembill.reconcile.comparison import Comparison, Ours, compare
from gembill.reconcile.hypothesis import Policy
from gembill.reconcile.synthetic import BillOptions, make_bill
from gembill_reports.views.reconciliation import ReconciliationView, amount, headline, inference_notes, proposals
from gembill_reports.views.view import Format, text
from tests.gembill.reconcile.ledgers import BOOK, NOW, month, placed, totals

USAGES, RESULTS = month(days=4)


def held(now: int = NOW, **options: object) -> Comparison:
    lines = totals(make_bill(USAGES, RESULTS, BOOK, BillOptions(**options)))
    return compare(lines, Ours(usages=USAGES, results=RESULTS), BOOK, now_day=now)


def shown(comparison: Comparison, form: Format) -> str:
    return "".join(text(ReconciliationView(BillForm.BIGQUERY, comparison), form))


def test_json_has_every_cell_and_residues_that_add_up():
    shape = json.loads(shown(held(currency="EUR", rate="0.92", bypass=2), Format.JSON))
    assert (shape["schema_version"], shape["reconciled"], shape["currency"], shape["rate"]) == (1, True, "EUR", "0.92")
    pico = {one["name"]: int(one["cost"].replace(".", "")) for one in shape["residues"]}
    assert sum(pico.values()) == int(shape["difference_cost"].replace(".", ""))
    assert "unrecorded" in pico
    assert {line["names"][0] for line in shape["lines"] if line["names"]} == {"unrecorded"}
    assert all(line["end"] > line["start"] for line in shape["lines"])


def test_csv_has_a_row_for_each_cell():
    comparison = held()
    header, *rows = shown(comparison, Format.CSV).splitlines()
    assert header.startswith("start,end,model,service_tier,meter")
    assert len(rows) == len(comparison.cells)


def test_projects_and_locations_are_shown_where_cells_have_them(monkeypatch):
    monkeypatch.setenv("COLUMNS", "250")
    usages = placed(USAGES)
    lines = totals(make_bill(usages, [], BOOK, BillOptions()))
    split = compare(lines, Ours(usages=usages), BOOK, now_day=NOW)
    by_project = compare([replace(one, location=None) for one in lines], Ours(usages=usages), BOOK, now_day=NOW)
    for comparison, names in ((split, ["project", "location"]), (by_project, ["project"]), (held(), [])):
        header, *rows = shown(comparison, Format.CSV).splitlines()
        assert header.split(",")[15:] == names
        assert len(rows) == len(comparison.cells)
        line = json.loads(shown(comparison, Format.JSON))["lines"][0]
        assert [name for name in line if name in ("project", "location")] == names
        assert all(line[name] for name in names)
        for form in (Format.TABLE, Format.MARKDOWN):
            said = shown(comparison, form)
            assert [name for name in ("project", "location") if name.capitalize() in said] == names
            assert ("shop-test" in said) == ("project" in names)


def test_the_table_adds_days_up_and_names_what_differs(monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    table = shown(held(policies=frozenset((Policy.INTERMEDIATE_FREE,)), tax_percent=19), Format.TABLE)
    assert "policy:intermediate_not_counted" in table
    assert "vanishes if intermediate not counted" in table
    assert "Not compared: tax" in table
    assert table.count("gemini-3.1-pro-preview") < 10


def test_the_headline_says_until_when_and_how_far_apart():
    comparison = held(free_searches=0)
    assert headline(comparison).startswith("Google's bill until 2026-11-05: $")
    assert headline(comparison).endswith("reconciled.")
    assert "most of it unrecorded, $" in headline(held(bypass=5))
    assert "still open" in headline(held(now=0))
    assert "only tokens" in headline(replace(comparison, rate=None))


def test_money_of_another_currency_has_its_name():
    assert amount(held(currency="EUR", rate="0.92"), 2 * 10**12) == "2.00 EUR"


def test_what_is_inferred_names_the_runner_up_or_says_undecidable():
    notes = list(inference_notes(held(policies=frozenset((Policy.RESULTS_BILLED, Policy.INTERMEDIATE_FREE)))))
    assert "agrees best with intermediate not counted and results as output: 0 tokens apart" in notes[0]
    assert notes[1] == "Undecidable from these calls: tool tokens with grounding free."


def test_a_price_of_the_bill_is_a_command_that_somebody_may_run():
    made = totals(make_bill(USAGES, RESULTS, BOOK, BillOptions()))
    dearer = ("output token count gemini 3.7 flash text batch", "search query gemini 3", "pro long text")
    lines = [replace(one, cost_pico=one.cost_pico * 2) if any(w in one.sku for w in dearer) else one for one in made]
    comparison = compare(lines, Ours(usages=USAGES, results=RESULTS), BOOK, now_day=NOW)
    said = proposals(comparison)
    assert "gembill prices set gemini-3.7-flash --tier batch --output 3.75 --from 2026-11-02" in said
    assert any("--above 200000" in command for command in said)
    [fee] = [command for command in said if command.startswith("# ")]
    assert fee == "# gemini-3, standard, search (text): billed at 0.028 dollars for one, which no flag sets"
    assert json.loads(shown(comparison, Format.JSON))["price_proposals"] == said


def test_made_up_calls_are_marked_for_people_and_for_scripts():
    marked, plain = (ReconciliationView(BillForm.BIGQUERY, held(), demo=demo) for demo in (True, False))
    assert "DEMO DATA" in "".join(text(marked, Format.TABLE))
    assert "DEMO DATA" not in "".join(text(plain, Format.TABLE))
    assert json.loads("".join(text(marked, Format.JSON)))["demo_data"] is True
    assert "demo_data" not in json.loads("".join(text(plain, Format.JSON)))
