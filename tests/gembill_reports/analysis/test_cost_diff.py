"""Two sides are compared as they are known: by newest run, by model and by test, and a breach is certain."""

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gembill.errors import ConfigurationError
from gembill.ledger import Ledger, Selection, Total
from gembill.model import CostParts, Tokens
from gembill.period import Period, parse, zone
from gembill.rules.budgets import BudgetState
from gembill_reports.analysis.cost_diff import (
    TEST,
    CostDiff,
    DiffQuestion,
    DiffRow,
    SideChoice,
    Threshold,
    cost_diff,
    judge,
    known_cost,
)
from tests.gembill_reports.making import FLASH, PRO, call, put

AT = "2026-11-01T10:00:00+00:00"
MAIN, FEATURE = SideChoice("branch", "main"), SideChoice("branch", "feature")
CALL = 500_000_000_000  # pico-dollars of a million tokens of input
DOLLAR = 10**12


def made(ledger: Ledger, run: str, branch: str, *tests: str, **more: Any) -> None:
    """A run with a call of a million tokens for each of the tests named."""
    labels = {"run": run, "branch": branch}
    put(ledger, *(call(AT, (1_000_000, 0, 0), labels={**labels, "test": name}, **more) for name in tests))


def asked(ledger: Ledger, **more: Any) -> CostDiff:
    question: dict[str, Any] = {"head": FEATURE, "baseline": MAIN, "selection": Selection()}
    question["period"] = Period(None, None, zone())
    return cost_diff(ledger, DiffQuestion(**question | more))


def names(rows: tuple[DiffRow, ...]) -> dict[str | None, int | None]:
    return {row.name: row.cost_pico for row in rows}


def test_a_branch_is_compared_by_its_newest_run(ledger: Ledger) -> None:
    made(ledger, "1", "main", "a", "a", "a")
    made(ledger, "2", "main", "a", "gone")
    made(ledger, "3", "feature", "a", "a", "a", "new")
    answer = asked(ledger)
    assert (answer.head.run, answer.baseline.run) == ("3", "2")
    assert answer.total.cost_pico == 2 * CALL
    assert answer.total.tokens == 2_000_000
    assert names(answer.groups[TEST]) == {"a": 2 * CALL, "gone": -CALL, "new": CALL}
    assert next(iter(names(answer.groups[TEST]))) == "a", "the greatest change comes first"
    assert names(answer.groups["model"]) == {FLASH: 2 * CALL}
    assert asked(ledger, all_runs=True).total.cost_pico == -CALL


def test_without_a_side_it_is_the_newest_run_and_the_baseline_the_one_before(ledger: Ledger) -> None:
    made(ledger, "1", "main", "a")
    made(ledger, "2", "main", "a", "a", "a")
    answer = asked(ledger, head=None)
    assert (answer.head.words, answer.head.run, answer.baseline.run) == ("run 2", "2", "1")
    assert answer.total.cost_pico == 2 * CALL


def test_runs_are_compared_by_their_ids(ledger: Ledger) -> None:
    made(ledger, "1", "main", "a", "a")
    made(ledger, "2", "main", "a")
    answer = asked(ledger, head=SideChoice("run", "2"), baseline=SideChoice("run", "1"))
    assert answer.total.cost_pico == -CALL
    assert answer.baseline.words == "run 1"


def test_calls_that_are_in_no_run_are_compared_together(ledger: Ledger) -> None:
    put(ledger, *(call(AT, (1_000_000, 0, 0), labels={"branch": name}) for name in ("main", "feature", "feature")))
    answer = asked(ledger)
    assert (answer.head.run, answer.total.cost_pico) == (None, CALL)
    assert TEST not in answer.groups, "no call is a test's"


def test_filters_hold_for_both_sides(ledger: Ledger) -> None:
    made(ledger, "1", "main", "a")
    made(ledger, "2", "feature", "a", "a")
    made(ledger, "2", "feature", "a", model=PRO)
    assert asked(ledger, selection=Selection(models=(FLASH,))).total.cost_pico == CALL
    assert names(asked(ledger).groups["model"]) == {PRO: 4 * CALL, FLASH: CALL}


def test_a_cost_without_a_price_is_unknown_and_no_zero(ledger: Ledger) -> None:
    made(ledger, "1", "main", "a", "b")
    made(ledger, "2", "feature", "a", "b", model="nobody-knows")
    made(ledger, "2", "feature", "c")
    answer = asked(ledger, thresholds=(Threshold("10%", share=Fraction(1, 10)),))
    assert answer.total.cost_pico is None
    assert not answer.strictly_complete
    assert answer.verdict is BudgetState.UNKNOWN
    rows = {row.name: row for row in answer.groups[TEST]}
    assert (rows["a"].cost_pico, rows["c"].cost_pico) == (None, CALL)
    assert known_cost(rows["a"].head) is None


def test_what_is_known_can_be_too_much_already(ledger: Ledger) -> None:
    made(ledger, "1", "main", "a")
    made(ledger, "2", "feature", "a", "a", "a")
    made(ledger, "2", "feature", "a", model="nobody-knows")
    assert asked(ledger, thresholds=(Threshold("0.50", pico=DOLLAR // 2),)).verdict is BudgetState.BREACH
    assert asked(ledger, thresholds=(Threshold("1.00", pico=DOLLAR),)).verdict is BudgetState.UNKNOWN


def test_a_call_that_may_lack_tokens_counts_with_what_is_known_and_is_told(ledger: Ledger) -> None:
    made(ledger, "1", "main", "a")
    put(ledger, call(AT, None, labels={"run": "1", "branch": "main", "test": "a"}))
    made(ledger, "2", "feature", "a", "a")
    put(ledger, call(AT, None, labels={"run": "2", "branch": "feature", "test": "lost"}))
    answer = asked(ledger)
    assert (answer.total.cost_pico, answer.strictly_complete) == (CALL, False)
    rows = {row.name: row for row in answer.groups[TEST]}
    assert rows["lost"].cost_pico is None, "nothing is known of its one call"


def test_a_baseline_without_a_price_proves_nothing(ledger: Ledger) -> None:
    made(ledger, "1", "main", "a", model="nobody-knows")
    made(ledger, "2", "feature", "a")
    assert asked(ledger, thresholds=(Threshold("0", pico=0),)).verdict is BudgetState.UNKNOWN


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ({"head": None}, "there is no run to compare"),
        ({"period": parse(month="2026-10")}, "no call of label.branch=feature fits .*; it has some from 2026-11-01"),
        ({"baseline": SideChoice("run", "9")}, "no call of run 9 fits the period and the filters$"),
    ],
)
def test_an_empty_side_is_one_sentence(question: dict[str, Any], words: str, ledger: Ledger) -> None:
    put(ledger, *(call(AT, (1, 0, 0), labels={"branch": name}) for name in ("main", "feature")))
    period = question.get("period", Period(None, None, zone()))
    selection = Selection(start_us=period.start_us, end_us=period.end_us)
    with pytest.raises(ConfigurationError, match=words):
        asked(ledger, selection=selection, **question)


def test_one_run_is_no_baseline_of_itself(ledger: Ledger) -> None:
    made(ledger, "1", "main", "a")
    with pytest.raises(ConfigurationError, match="main has no run but 1, which is the other side"):
        asked(ledger, head=None)


@pytest.mark.parametrize("side", [SideChoice("run", "1"), MAIN])
def test_calls_are_not_compared_with_themselves(side: SideChoice, ledger: Ledger) -> None:
    made(ledger, "1", "main", "a")
    with pytest.raises(ConfigurationError, match=r"both sides are the calls of .*; name another baseline"):
        asked(ledger, head=side, baseline=side, all_runs=True)


def total(cost: int | None, unpriced: int = 0) -> Total:
    numbers = dict.fromkeys(("calls_code_execution", "executions", "executions_failed", "incomplete_calls"), 0)
    return Total(
        group={},
        calls=1,
        unpriced_calls=unpriced,
        tokens=Tokens(),
        cost_pico=cost,
        cost_parts=CostParts(),
        failed_execution_cost_pico=None,
        **numbers,
    )


def verdicts(threshold: Threshold, row: DiffRow, least: int = 0) -> list[BudgetState]:
    return [one.verdict for one in judge([threshold], row, {}, least)]


def test_a_rise_of_exactly_the_limit_is_within_it() -> None:
    row = DiffRow(None, total(110), total(100))
    assert verdicts(Threshold("10%", share=Fraction(1, 10)), row) == []
    assert verdicts(Threshold("9%", share=Fraction(9, 100)), row) == [BudgetState.BREACH]
    assert verdicts(Threshold("10", pico=10), row) == []
    assert verdicts(Threshold("9", pico=9), row) == [BudgetState.BREACH]
    assert verdicts(Threshold("9", pico=9), row, least=10) == []


def test_what_is_gone_or_new_is_held_against_no_share() -> None:
    share, pico = Threshold("1%", share=Fraction(1, 100)), Threshold("1", pico=1)
    assert verdicts(share, DiffRow("t", None, total(100))) == verdicts(pico, DiffRow("t", None, total(100))) == []
    assert verdicts(share, DiffRow("t", total(100), None)) == []
    assert verdicts(pico, DiffRow("t", total(100), None)) == [BudgetState.BREACH]
    assert verdicts(share, DiffRow("t", total(1), total(0))) == [BudgetState.BREACH], "of nothing nothing is allowed"


@given(
    head=st.integers(0, 10**15),
    baseline=st.integers(0, 10**15),
    missing=st.integers(0, 10**15),
    limit=st.integers(0, 10**15),
)
def test_a_breach_is_one_whatever_the_unknown_cost_is(head: int, baseline: int, missing: int, limit: int) -> None:
    threshold = Threshold("x", pico=limit)
    seen = verdicts(threshold, DiffRow(None, total(head, unpriced=1), total(baseline)))
    truth = verdicts(threshold, DiffRow(None, total(head + missing), total(baseline)))
    assert seen in ([BudgetState.UNKNOWN], truth)


def test_a_threshold_of_tests_is_held_against_each_of_them(ledger: Ledger) -> None:
    made(ledger, "1", "main", "a", "b")
    made(ledger, "2", "feature", "a", "b", "b", "c")
    answer = asked(ledger, thresholds=(Threshold("0.10", pico=DOLLAR // 10, by=TEST),))
    assert sorted(one.row.name or "" for one in answer.judged) == ["b", "c"]
    assert {row.name for row in answer.groups[TEST][:2]} == {"b", "c"}, "breaches come first"
