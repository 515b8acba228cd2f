"""The short form of `make faults`: a few rounds of the faults that nothing else in the tests makes, and the suite itself."""

import random

import pytest

from tests.bench.stage import compiler
from tests.faults import figures, scenarios
from tests.faults.figures import NUMBERS, SCENARIOS, Figure, Plan, plan_of, row, write
from tests.faults.ground import Balance, compare, ground
from tests.gembill.calls import event, put
from tests.gembill.test_posting import bundled_terms

assert scenarios.LOADED


@pytest.mark.timeout(300)
@pytest.mark.parametrize("number", ["R2", "R17"])
def test_a_fault_loses_and_doubles_nothing(number, tmp_path):
    if compiler() is None:
        pytest.skip("no C compiler is here: power cuts, failing syncs and wrong clocks were not made")
    with ground(tmp_path) as here:
        plan = Plan(random.Random(number), rounds=1, seconds=0.3)
        figure = SCENARIOS[number][0](here, plan)
    assert figure.held, figure.text


def test_every_row_of_the_list_has_a_scenario_or_a_reason():
    assert set(SCENARIOS) == set(NUMBERS)
    assert len(NUMBERS) == 39


def test_a_seed_draws_the_same_chance_for_a_row_alone_and_among_others():
    drawn = [plan_of("R1", 7).pause(), plan_of("R2", 7).pause(), plan_of("R1", 7).pause(), plan_of("R1", 8).pause()]
    assert drawn[0] == drawn[2]
    assert len(set(drawn)) == 3


def test_rows_of_an_earlier_run_stay_until_they_are_run_again(tmp_path):
    document = tmp_path / "doc.md"
    document.write_text(f"above\n{figures.BEGIN}\n{figures.END}\nbelow\n")
    write(document, {"R2": Figure("two"), "S1": Figure("no", held=False)}, "first")
    write(document, {"R1": Figure("one"), "R2": Figure("again", held=None)}, "second")
    text = document.read_text()
    rows = [line for line in text.splitlines() if line.startswith(("| R", "| S"))]
    assert [line.split("|")[1].strip() for line in rows] == ["R1", "R2", "S1"]
    assert "| not tried | again | " in rows[1]
    assert "| **not held** | no | " in rows[2]
    assert rows[2].endswith("`first` |")
    assert text.startswith("above\n")
    assert text.endswith("\nbelow\n")
    assert row("R1", Figure("one")) == "| R1 | held | one |"


def test_the_comparison_sees_what_is_lost_doubled_and_missing(ledger, ledger_url):
    put(ledger, bundled_terms(ledger), *(event(n, seen={"response_id": f"{n // 2:016}"}) for n in (2, 3, 4)))
    had = {f"{n:016}" for n in (1, 2, 9)}
    balance = compare(ledger_url, had, 5)
    assert (balance.had, balance.lost_ids, balance.doubled, balance.records, balance.missing) == (
        3, frozenset({"9".zfill(16)}), 1, 3, 2,
    )  # fmt: skip
    assert not balance.held
    assert "1 lost, 1 doubled" in str(balance)
    assert Balance(3, 3, 0, frozenset(), 0, 0, []).held
