"""A difference of costs in every format: nothing unknown looks like a number, and nothing foreign like a command."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from gembill.ledger import Selection, Total
from gembill.model import CostParts, Tokens
from gembill.period import parse
from gembill.rules.budgets import BudgetState
from gembill_reports.analysis.cost_diff import TEST, CostDiff, DiffRow, DiffSide, Judged, Threshold
from gembill_reports.views.cost_diff import CostDiffView, in_few, sentence
from gembill_reports.views.view import Format, text
from tests.gembill_reports.conftest import Snapshots

CENT = 10**10


def total(cost: int | None, calls: int = 3, unpriced: int = 0) -> Total:
    return Total(
        group={"model": "m"},
        calls=calls,
        calls_code_execution=0,
        executions=0,
        executions_failed=0,
        unpriced_calls=unpriced,
        incomplete_calls=0,
        tokens=Tokens(input=1000 * calls, intermediate=200, output=30, total=None, cached=0, thinking=0),
        cost_pico=cost,
        cost_parts=CostParts(input=cost, intermediate=0, output=0, grounding=0) if cost else CostParts(),
        failed_execution_cost_pico=None,
    )


LIMIT = Threshold("--max-increase 10%", share=Fraction(1, 10))
EACH = Threshold("--max-test-increase 10%", share=Fraction(1, 10), by=TEST)
ALL = DiffRow(None, total(6 * CENT), total(4 * CENT))
ROWS = (
    DiffRow("tests/test_a.py::test_summary[pro]", total(5 * CENT), total(3 * CENT)),
    DiffRow("tests/test_a.py::test_gone", None, total(CENT)),
    DiffRow("tests/test_b.py::test_new", total(CENT), None),
    DiffRow(None, total(CENT, unpriced=1), total(CENT)),
    DiffRow("tests/test_b.py::test_unpriced", total(None, unpriced=3), total(0)),
)
DIFF = CostDiff(
    period=parse(month="2026-11"),
    head=DiffSide("label.branch=feature", "20261128T101500.000000Z-3fa9c1", Selection()),
    baseline=DiffSide("label.branch=main", "20261127T090000.000000Z-77ab03", Selection()),
    total=ALL,
    groups={"model": (replace(ALL, name="gemini-3-flash-preview"),), TEST: ROWS},
    judged=(Judged(LIMIT, ALL, BudgetState.BREACH),),
    thresholds=(LIMIT,),
)


def test_differences_look_as_they_did(snapshot: Snapshots) -> None:
    snapshot("diff", *CostDiffView(DIFF).sheets())
    within = replace(DIFF, judged=(), groups={"model": DIFF.groups["model"]}, demo=True)
    snapshot("diff-of-models", *CostDiffView(within).sheets())


def test_json_has_both_sides_and_what_was_not_kept() -> None:
    shape = CostDiffView(DIFF).json()
    assert shape["status"] == "BREACH"
    assert shape["head"] == {"asked": "label.branch=feature", "run": "20261128T101500.000000Z-3fa9c1"}
    assert shape["total"]["difference_usd"] == "0.020000000000"
    assert shape["total"]["head"]["cost_usd"] == "0.060000000000"
    assert "model" not in shape["total"]["head"]
    assert [one["by"] for one in shape["groups"]] == ["model", "label.test"]
    rows = {row["name"]: row for row in shape["groups"][1]["rows"]}
    gone, new = rows["tests/test_a.py::test_gone"], rows["tests/test_b.py::test_new"]
    assert (gone["head"], gone["difference_usd"]) == (None, "-0.010000000000")
    assert (new["baseline"], new["difference_usd"]) == (None, "0.010000000000")
    assert rows["tests/test_b.py::test_unpriced"]["difference_usd"] is None
    assert rows["tests/test_b.py::test_unpriced"]["head"]["cost_usd"] is None
    assert shape["not_kept"] == [{"threshold": "--max-increase 10%", "status": "BREACH", "name": None}]
    assert "demo_data" not in shape
    assert CostDiffView(replace(DIFF, demo=True)).json()["demo_data"] is True


def test_csv_has_a_line_for_each_model_and_test() -> None:
    lines = list(text(CostDiffView(DIFF), Format.CSV))
    assert lines[0].startswith("by,name,baseline_calls,head_calls,")
    assert lines[1] == "model,gemini-3-flash-preview,3,3,3230,3230,0.040000000000,0.060000000000,0.020000000000\n"
    assert lines[-1] == "label.test,tests/test_b.py::test_unpriced,3,3,3230,3230,0.000000000000,,\n"
    assert len(lines) == 7


def test_what_is_not_known_whole_says_so() -> None:
    (_, tests) = CostDiffView(DIFF).sheets()
    cells = {row[0]: row[-4:] for row in tests.table.rows}
    assert cells["tests/test_b.py::test_unpriced"] == ("$0.00", "unknown", "unknown", "")
    assert cells["(no test)"] == ("$0.01", "at least $0.01", "unknown", "")


@pytest.mark.parametrize(
    ("judged", "words"),
    [
        (DIFF.judged[0], "BREACH: all calls: $0.02 (+50%) more than before, over --max-increase 10%."),
        (Judged(EACH, ROWS[3], BudgetState.UNKNOWN), "UNKNOWN: (no test): some cost is not known"),
        (
            Judged(EACH, DiffRow("t", total(9 * CENT, unpriced=1), total(CENT)), BudgetState.BREACH),
            "BREACH: t: at least $0.08 more than before",
        ),
    ],
)
def test_a_threshold_that_is_not_kept_has_a_sentence(judged: Judged, words: str) -> None:
    assert sentence(judged).startswith(words)


def test_the_ids_of_runs_are_shown_as_they_are() -> None:
    assert (
        "Now it is run 20261128T101500.000000Z-3fa9c1, before it is run 20261127T090000.000000Z-77ab03."
        in CostDiffView(DIFF).sheets()[0].notes
    )


def test_a_limit_for_each_test_is_not_kept_by_calls_of_no_test() -> None:
    models = {"model": DIFF.groups["model"]}
    notes = CostDiffView(replace(DIFF, judged=(), groups=models, thresholds=(LIMIT, EACH))).sheets()[0].notes
    assert notes[:2] == (
        "PASS: within --max-increase 10%.",
        "No call has the label test: there is nothing to hold --max-test-increase 10% against.",
    )
    alone = CostDiffView(replace(DIFF, judged=(), groups=models, thresholds=(EACH,))).sheets()[0].notes
    assert not [note for note in alone if note.startswith("PASS")]


def test_many_tests_are_counted_and_not_all_shown() -> None:
    rows = tuple(DiffRow(f"test_{n}", total(CENT), total(CENT)) for n in range(300))
    judged = tuple(Judged(LIMIT, row, BudgetState.BREACH) for row in rows)
    first, tests = CostDiffView(replace(DIFF, groups={**DIFF.groups, TEST: rows}, judged=judged)).sheets()
    assert len(tests.table.rows) == 20
    assert tests.notes == ("280 more tests changed less; --format json or csv has all.",)
    assert "295 more are over a threshold or not known; --format json names them." in first.notes


def test_a_title_says_what_changed() -> None:
    assert in_few(DIFF) == "+$0.02 (+50%)"
    assert in_few(replace(DIFF, total=ROWS[3])) == "unknown"


@pytest.mark.parametrize(
    ("judged", "level"),
    [((), "notice"), (DIFF.judged, "error"), ((Judged(LIMIT, ALL, BudgetState.UNKNOWN),), "warning")],
)
def test_a_job_gets_one_annotation_its_outputs_and_a_report(
    judged: tuple[Judged, ...], level: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"):
        monkeypatch.setenv(name, str(tmp_path / name))
    monkeypatch.setenv("RUNNER_TEMP", str(tmp_path))
    hostile = replace(ROWS[0], name="a\n::error::x|")
    diff = replace(DIFF, judged=judged, groups={**DIFF.groups, TEST: (hostile,)})
    said = "".join(text(CostDiffView(diff, 10), Format.GITHUB))
    last = said.splitlines()[-1]
    assert last.startswith(f"::{level} title=Gemini cost +$0.02 (+50%25)::")
    assert [line for line in said.splitlines() if line.startswith("::error::x")] == []
    outputs = dict(line.split("=", 1) for line in (tmp_path / "GITHUB_OUTPUT").read_text().splitlines())
    assert (outputs["diff_status"], outputs["difference_usd"]) == (diff.verdict.value, "0.020000000000")
    assert outputs["diff_exit_code"] == "10"
    assert Path(outputs["diff_path"]).read_text().startswith("<!-- gembill-budgets -->\n### ")
    assert "### Gemini cost" in (tmp_path / "GITHUB_STEP_SUMMARY").read_text()
