"""How executions went: over time, by model, by label, and in which conversations their failures cost most.

Owns: which sums are put together. Not here: sums (`gembill.ledger`) and words. Invariant: times, models and labels come
from rollups alone where the ends of the period allow it; the conversations from the calls that failed, and no others.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from gembill.ledger import Ledger, Selection, Total, WastefulConversation, read_wasteful_conversations
from gembill.period import Period
from gembill_reports.analysis.previous_period import PreviousPeriod, predecessor
from gembill_reports.analysis.report import Report, add, report

CONVERSATIONS = 20


@dataclass(frozen=True, slots=True)
class ExecutionReport:
    """The executions of a period: by a unit of time, then by model and each label, the most wasteful first."""

    times: Report
    groups: tuple[Report, ...]
    conversations: tuple[WastefulConversation, ...]

    @property
    def total(self) -> Total:
        """All of the period."""
        return self.times.total


def executions(
    ledger: Ledger, period: Period, unit: str, labels: Sequence[str] = (), *, selection: Selection | None = None
) -> ExecutionReport:
    """The executions of the calls of `selection` in the period; the selection's own times are not used."""
    chosen = replace(selection or Selection(), start_us=period.start_us, end_us=period.end_us)
    groups = tuple(
        _ran(report(ledger, period, (by,), selection=chosen)) for by in ("model", *(f"label.{name}" for name in labels))
    )
    return ExecutionReport(
        times=report(ledger, period, (unit,), selection=chosen),
        groups=groups,
        conversations=tuple(read_wasteful_conversations(ledger, chosen, CONVERSATIONS)),
    )


def groups_before(
    ledger: Ledger, ran: ExecutionReport, now_us: int, *, selection: Selection | None = None
) -> tuple[PreviousPeriod, ...]:
    """The reports by model and by each label of the period before; ConfigurationError where the period has an open end.

    Times and conversations have none: they come only once.
    """
    return tuple(predecessor(ledger, one, now_us, selection=selection) for one in ran.groups)


def _ran(result: Report) -> Report:
    """The rows in which code ran, those first whose failures cost most."""
    rows = sorted((row for row in result.rows if row.executions), key=_waste)
    return replace(result, rows=tuple(rows), total=add({}, rows))


def _waste(row: Total) -> tuple[int, int, str]:
    return -(row.failed_execution_cost_pico or 0), -row.executions_failed, str([*row.group.values()])
