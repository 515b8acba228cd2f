"""What a run, a label or a branch costs against a baseline, in all, by model and by test.

Owns: which calls the two sides are, the pairs of their sums, and the verdict on thresholds. Not here: SQL, and words
(`gembill_reports.views.cost_diff`). Invariant: a cost without a price is unknown: a breach is judged by what is known
to have been spent, over a baseline all of whose calls have a price; where that does not decide, the verdict is unknown
and never a pass. Calls that may lack tokens count with what is known of them, as in budgets, and are counted apart.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from gembill.errors import ConfigurationError
from gembill.ledger import Ledger, Selection, Total, holds_demo_data, read_totals
from gembill.period import HOUR_US, Period, local
from gembill.rules.budgets import BudgetState
from gembill_reports.analysis.report import add

MODEL, TEST = "model", "label.test"
_RUN = "run"


@dataclass(frozen=True, slots=True)
class SideChoice:
    """The calls with this label; the id of a run is the label `run`."""

    name: str
    value: str

    @property
    def words(self) -> str:
        """As it is asked for."""
        return f"run {self.value}" if self.name == _RUN else f"label.{self.name}={self.value}"


@dataclass(frozen=True, slots=True)
class Threshold:
    """By how much the cost may rise: pico-dollars, or a share of the baseline. `by` is None for all calls together."""

    text: str
    pico: int | None = None
    share: Fraction | None = None
    by: str | None = None

    def allowed(self, baseline_pico: int) -> int:
        """The greatest increase that is no breach, in pico-dollars."""
        return self.pico if self.pico is not None else int(baseline_pico * (self.share or 0))


@dataclass(frozen=True, slots=True, kw_only=True)
class DiffQuestion:
    """What is compared: `selection` and `period` hold for both sides. A head of None is the newest run.

    Of a side with runs its newest counts, or with `all_runs` all of them. `least_pico`: a smaller rise is no breach.
    """

    head: SideChoice | None
    baseline: SideChoice
    selection: Selection
    period: Period
    all_runs: bool = False
    thresholds: tuple[Threshold, ...] = ()
    least_pico: int = 0


@dataclass(frozen=True, slots=True)
class DiffSide:
    """One side: what was asked for, and the run that is meant, or None for all its calls."""

    words: str
    run: str | None
    selection: Selection


@dataclass(frozen=True, slots=True)
class DiffRow:
    """The sums of one group on both sides; None where a side has no call of it."""

    name: str | None
    head: Total | None
    baseline: Total | None

    @property
    def cost_pico(self) -> int | None:
        """By how much the cost rose or, negative, fell; None unless both costs are known."""
        head, baseline = known_cost(self.head), known_cost(self.baseline)
        return None if head is None or baseline is None else head - baseline

    @property
    def tokens(self) -> int:
        """By how much the tokens that are known rose or fell."""
        return known_tokens(self.head) - known_tokens(self.baseline)


@dataclass(frozen=True, slots=True)
class Judged:
    """A threshold held against one row, where it does not pass."""

    threshold: Threshold
    row: DiffRow
    verdict: BudgetState


@dataclass(frozen=True, slots=True, kw_only=True)
class CostDiff:
    """The answer. Rows come with the greatest change first, those that are not known last."""

    period: Period
    head: DiffSide
    baseline: DiffSide
    total: DiffRow
    groups: Mapping[str, tuple[DiffRow, ...]]
    judged: tuple[Judged, ...] = ()
    thresholds: tuple[Threshold, ...] = ()
    demo: bool = False

    @property
    def verdict(self) -> BudgetState:
        """The most severe of all thresholds."""
        return max((one.verdict for one in self.judged), key=lambda one: one.severity, default=BudgetState.PASS)

    @property
    def strictly_complete(self) -> bool:
        """Whether every call of both sides has its tokens and a price."""
        return all(side is None or side.is_known for side in (self.total.head, self.total.baseline))


def known_cost(total: Total | None) -> int | None:
    """A cost in pico-dollars: 0 without calls, None where calls have no price, or where nothing is known of any."""
    if total is None:
        return 0
    return None if total.unpriced_calls else total.cost_pico


def known_tokens(total: Total | None) -> int:
    """Input, intermediate and output, as far as they are known."""
    counts = () if total is None else (total.tokens.input, total.tokens.intermediate, total.tokens.output)
    return sum(count or 0 for count in counts)


def cost_diff(ledger: Ledger, question: DiffQuestion) -> CostDiff:
    """Compare the two sides. ConfigurationError where one of them has no calls."""
    head = _side(ledger, question, question.head, ())
    baseline = _side(ledger, question, question.baseline, () if head.run is None else (head.run,))
    if head.selection == baseline.selection:
        raise ConfigurationError(f"both sides are the calls of {head.words}; name another baseline")
    sums = [_sums(ledger, side, question.period) for side in (head, baseline)]
    groups = {by: _rows(*(groups[by] for groups in sums)) for by in (MODEL, TEST)}
    total = DiffRow(None, *(add({}, groups[MODEL]) for groups in sums))
    if not any(row.name for row in groups[TEST]):
        del groups[TEST]  # no call is a test's
    judged = tuple(judge(question.thresholds, total, groups, question.least_pico))
    return CostDiff(
        period=question.period,
        head=head,
        baseline=baseline,
        total=total,
        groups={by: tuple(sorted(rows, key=lambda row: _order(row, judged))) for by, rows in groups.items()},
        judged=judged,
        thresholds=question.thresholds,
        demo=holds_demo_data(ledger),
    )


def judge(
    thresholds: Iterable[Threshold], total: DiffRow, groups: Mapping[str, Sequence[DiffRow]], least_pico: int = 0
) -> list[Judged]:
    """What does not pass: a threshold of all calls is held against the total, one by group against each of its rows."""
    judged = []
    for threshold in thresholds:
        rows = [total] if threshold.by is None else groups.get(threshold.by, ())
        for row in rows:
            verdict = _verdict(threshold, row, least_pico)
            if verdict is not BudgetState.PASS:
                judged.append(Judged(threshold, row, verdict))
    return judged


def _verdict(threshold: Threshold, row: DiffRow, least_pico: int) -> BudgetState:
    if row.head is None or (row.baseline is None and threshold.share is not None):
        return BudgetState.PASS  # gone, or new: a share of nothing says nothing
    baseline = known_cost(row.baseline)
    if baseline is None:
        return BudgetState.UNKNOWN
    increase = (row.head.cost_pico or 0) - baseline  # at least
    if increase > max(threshold.allowed(baseline), least_pico):
        return BudgetState.BREACH
    return BudgetState.PASS if known_cost(row.head) is not None else BudgetState.UNKNOWN


def _side(ledger: Ledger, question: DiffQuestion, choice: SideChoice | None, besides: Sequence[str]) -> DiffSide:
    """The calls of a side; `besides` are runs that it is not, because they are the other side."""
    labels = question.selection.labels if choice is None else {**question.selection.labels, choice.name: choice.value}
    chosen = replace(question.selection, labels=labels)
    if choice is not None and (choice.name == _RUN or question.all_runs):
        _require_calls(ledger, chosen, choice, question.period)
        return DiffSide(choice.words, choice.value if choice.name == _RUN else None, chosen)
    runs = {str(one.group["label.run"]) for one in read_totals(ledger, chosen, ["label.run"]) if one.group["label.run"]}
    if not runs and choice is not None:
        _require_calls(ledger, chosen, choice, question.period)
        return DiffSide(choice.words, None, chosen)
    if not runs - {*besides}:
        raise ConfigurationError(_no_run(choice, runs))
    newest = max(runs - {*besides})  # ids sort by the time they were made
    words = f"run {newest}" if choice is None else choice.words
    return DiffSide(words, newest, replace(chosen, labels={**labels, _RUN: newest}))


def _no_run(choice: SideChoice | None, runs: Iterable[str]) -> str:
    if choice is None:
        return "there is no run to compare; name a side: the id of a run, or label.NAME=VALUE"
    return f"{choice.words} has no run but {', '.join(runs)}, which is the other side; name another baseline"


def _require_calls(ledger: Ledger, chosen: Selection, choice: SideChoice, period: Period) -> None:
    (total,) = read_totals(ledger, chosen)
    if total.calls:
        return
    hours = [one.group["hour"] for one in read_totals(ledger, replace(chosen, start_us=None, end_us=None), ["hour"])]
    days = [local(hour * HOUR_US, period.zone).date() for hour in hours if isinstance(hour, int)]
    when = f"; it has some from {days[0]} through {days[-1]}" if days else ""
    raise ConfigurationError(f"no call of {choice.words} fits the period and the filters{when}")


def _sums(ledger: Ledger, side: DiffSide, period: Period) -> dict[str, list[Total]]:
    chosen = replace(side.selection, start_us=period.start_us, end_us=period.end_us)
    return {by: read_totals(ledger, chosen, [by]) for by in (MODEL, TEST)}


def _rows(head: Sequence[Total], baseline: Sequence[Total]) -> list[DiffRow]:
    sides = [{_name(one): one for one in totals} for totals in (head, baseline)]
    return [DiffRow(name, *(side.get(name) for side in sides)) for name in dict.fromkeys([*sides[0], *sides[1]])]


def _name(total: Total) -> str | None:
    (value,) = total.group.values()
    return None if value is None else str(value)


def _order(row: DiffRow, judged: Iterable[Judged]) -> tuple[bool, bool, int, str]:
    breaches = any(one.row is row and one.verdict is BudgetState.BREACH for one in judged)
    return not breaches, row.cost_pico is None, -abs(row.cost_pico or 0), row.name or ""
