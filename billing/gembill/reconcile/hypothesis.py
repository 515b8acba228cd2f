"""What Google might bill where its documentation leaves a choice, as hypotheses on sums of tokens.

Owns: the policies, what each of them does to the tokens of a cell, and which set of them explains a bill best. Not
here: cells and residues. Invariant: a policy moves whole groups of tokens, so it explains a bill exactly or not at all;
two sets that predict the same cannot be told apart, and then that is the answer.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import combinations

from gembill.model import Meter
from gembill.reconcile.cell import BillMeter, Cell, Naming
from gembill.reconcile.sums import Usage

MICRO = 1_000_000


class Policy(StrEnum):
    """A departure from what the ledger takes for granted."""

    INTERMEDIATE_FREE = "intermediate_not_counted"
    RESULTS_BILLED = "results_as_output"
    LONG_WITH_INTERMEDIATE = "long_context_counts_intermediate"
    GROUNDED_FREE = "tool_tokens_with_grounding_free"
    BATCH_CACHED_STANDARD = "batch_cached_at_standard_rate"


Policies = frozenset[Policy]
Amounts = dict[Cell, int]
SETS: tuple[Policies, ...] = tuple(
    frozenset(some) for size in range(len(Policy) + 1) for some in combinations(Policy, size)
)


@dataclass(frozen=True, slots=True)
class Sides:
    """Charges and estimated results, each with the span it is in."""

    usages: Sequence[tuple[int, Usage]]
    results: Sequence[tuple[int, Usage]] = ()

    def amounts(self, naming: Naming, policies: Policies) -> Amounts:
        """Millionths by cell, if these were Google's policies."""
        sums: Amounts = defaultdict(int)
        for span, usage in self.usages:
            if not _left_out(usage, policies):
                sums[cell_under(naming, usage, span, policies)] += usage.quantity * MICRO
        if Policy.RESULTS_BILLED in policies:
            for span, usage in self.results:
                sums[cell_under(naming, usage, span, policies)] += usage.quantity * MICRO
        return dict(sums)


def _left_out(usage: Usage, policies: Policies) -> bool:
    if usage.meter is not Meter.INTERMEDIATE:
        return False
    return Policy.INTERMEDIATE_FREE in policies or (usage.grounded and Policy.GROUNDED_FREE in policies)


def cell_under(naming: Naming, usage: Usage, span: int, policies: Policies) -> Cell:
    """The cell of charges under some policies."""
    if usage.lifted and Policy.LONG_WITH_INTERMEDIATE in policies:
        usage = replace(usage, long=True)
    cell = naming.of_usage(usage, span)
    if cell.meter is BillMeter.CACHED and cell.tier == "batch" and Policy.BATCH_CACHED_STANDARD in policies:
        return cell._replace(tier="standard")
    return cell


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """How well policies explain a bill: cells that differ, and by how many tokens in all."""

    policies: Policies
    cells: int
    tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Inference:
    """The best set and the runner-up of another prediction; `undecided` are policies that change nothing here."""

    best: Fit
    second: Fit | None
    undecided: frozenset[Policy]

    @property
    def is_decided(self) -> bool:
        """Whether one set explains the bill better than any that predicts something else."""
        return self.second is None or (self.best.cells, self.best.tokens) < (self.second.cells, self.second.tokens)


def infer(naming: Naming, billed: Mapping[Cell, int], sides: Sides) -> Inference:
    """Hold the bill's tokens against all sets of policies. It sets nothing."""
    wanted = {cell: amount for cell, amount in billed.items() if cell.is_tokens}
    predictions: dict[tuple[tuple[Cell, int], ...], Fit] = {}
    undecided = frozenset(policy for policy in Policy if _same(naming, sides, frozenset(), frozenset((policy,))))
    for policies in SETS:
        if policies & undecided:
            continue
        predicted = _tokens(sides.amounts(naming, policies))
        key = tuple(sorted(predicted.items()))
        if key not in predictions:
            predictions[key] = _fit(policies, wanted, predicted)
    best, *others = sorted(predictions.values(), key=lambda fit: (fit.cells, fit.tokens, len(fit.policies)))
    hidden = {policy for policy in Policy if _same(naming, sides, best.policies, best.policies ^ {policy})}
    return Inference(best=best, second=others[0] if others else None, undecided=undecided | hidden)


def _same(naming: Naming, sides: Sides, some: Policies, others: Policies) -> bool:
    """Whether two sets of policies predict the same tokens here."""
    return _tokens(sides.amounts(naming, some)) == _tokens(sides.amounts(naming, others))


def _tokens(amounts: Amounts) -> Amounts:
    return {cell: amount for cell, amount in amounts.items() if cell.is_tokens and amount}


def _fit(policies: Policies, wanted: Mapping[Cell, int], predicted: Mapping[Cell, int]) -> Fit:
    gaps = [abs(wanted.get(cell, 0) - predicted.get(cell, 0)) for cell in _cells(wanted, predicted)]
    return Fit(policies=policies, cells=sum(1 for gap in gaps if gap), tokens=sum(gaps) // MICRO)


def _cells(*sides: Iterable[Cell]) -> set[Cell]:
    return {cell for side in sides for cell in side}
