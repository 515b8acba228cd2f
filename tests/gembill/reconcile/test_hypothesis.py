"""Policies are recovered from sums of tokens, or said to be undecidable."""

import pytest

from gembill.reconcile.cell import Naming
from gembill.reconcile.hypothesis import SETS, Policy, Sides, infer
from tests.gembill.reconcile.ledgers import BOOK, month

USAGES, RESULTS = month(days=4)
SIDES = Sides([(usage.day, usage) for usage in USAGES], [(usage.day, usage) for usage in RESULTS])
NAMING = Naming(BOOK)


@pytest.mark.parametrize("policies", SETS, ids=lambda some: "+".join(sorted(some)) or "ours")
def test_all_combinations_are_recovered_as_far_as_they_can_be(policies):
    result = infer(NAMING, SIDES.amounts(NAMING, policies), SIDES)
    assert result.is_decided
    assert (result.best.cells, result.best.tokens) == (0, 0)
    hidden = {Policy.GROUNDED_FREE} if Policy.INTERMEDIATE_FREE in policies else set()
    assert result.undecided == hidden
    assert result.best.policies == policies - hidden


def test_without_code_execution_nothing_is_decided():
    plain = Sides([(span, usage) for span, usage in SIDES.usages if usage.meter.value == "input" and not usage.lifted])
    result = infer(NAMING, plain.amounts(NAMING, frozenset()), plain)
    assert result.undecided == frozenset(Policy)
    assert result.second is None


def test_a_bill_between_two_policies_is_undecidable():
    ours, other = (SIDES.amounts(NAMING, some) for some in (frozenset(), frozenset((Policy.INTERMEDIATE_FREE,))))
    cells = sorted(cell for cell in ours if ours[cell] != other.get(cell))
    half = {**ours, **{cell: other.get(cell, 0) for cell in cells[: len(cells) // 2]}}
    result = infer(NAMING, half, SIDES)
    assert result.best.cells > 0
