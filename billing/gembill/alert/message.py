"""What an alert says, and when there is one to say.

Owns: the thresholds a budget has crossed, and the message about the highest. Not here: sending, and the memory of what
was sent. Invariant: the same threshold of the same budget, limit and period has the same key, in every process.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from gembill.period import Unit, name
from gembill.rules.budgets import Budget, BudgetPeriod, BudgetState, BudgetStatus
from gembill.rules.budgets.text import as_dict as status_dict
from gembill.rules.budgets.text import ratio, sentence, title

SCHEMA_VERSION = 1
TEST = "test"


@dataclass(frozen=True, slots=True)
class Message:
    """A title, a sentence, and the JSON a webhook carries."""

    title: str
    text: str
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Crossing:
    """The highest threshold of one kind that a budget crossed, and the lower ones, which need no alert any more."""

    status: BudgetStatus
    threshold: str
    lower: tuple[str, ...]

    @property
    def period(self) -> str:
        """The name of the period, different for every one."""
        return period_name(self.status)

    def message(self) -> Message:
        """The message about it."""
        status = self.status
        heading = title(status)
        if self.threshold.startswith("forecast"):
            heading = f"Budget {status.budget.name} is on its way over {_word(self.threshold)} of its limit"
        body = {
            "schema_version": SCHEMA_VERSION,
            "id": _id(status.budget.name, self.period, self.threshold),
            "event": "budget.threshold",
            "threshold": self.threshold.partition(" of ")[0],
            "title": heading,
            "text": sentence(status),
            "budget": status_dict(status),
        }
        return Message(heading, sentence(status), body)


def crossings(status: BudgetStatus) -> Iterator[Crossing]:
    """The thresholds a budget has crossed: of what was used, of the forecast, and that the state is not known."""
    budget = status.budget
    used = [_threshold(budget, f"warn {ratio(at)}") for at in status.warnings]
    if status.state is BudgetState.BREACH:
        used.append(_threshold(budget, "breach"))
    if used:
        yield _highest(status, used)
    if status.forecast_warns and status.state is not BudgetState.BREACH:
        yield Crossing(status, _threshold(budget, f"forecast {ratio(budget.forecast_at)}"), ())
    if status.state is BudgetState.UNKNOWN:
        yield Crossing(status, _threshold(budget, "unknown"), ())


def period_name(status: BudgetStatus) -> str:
    """`month 2026-11 America/Los_Angeles`, `total`, or the id of a run."""
    budget, start = status.budget, status.period.start_us
    if budget.span is BudgetPeriod.RUN:
        return f"run {status.run}"
    if start is None:
        return "total"
    return f"{budget.span} {name(Unit(budget.span.value), start, budget.zone)} {budget.zone.key}"


def trial() -> Message:
    """What `gembill budget test-alert` sends."""
    text = "This is a test: alerts of gembill arrive here."
    body = {"schema_version": SCHEMA_VERSION, "id": TEST, "event": TEST, "title": "gembill test alert", "text": text}
    return Message("gembill test alert", text, body)


def _highest(status: BudgetStatus, crossed: Sequence[str]) -> Crossing:
    return Crossing(status, crossed[-1], tuple(crossed[:-1]))


def _threshold(budget: Budget, word: str) -> str:
    """A threshold of this limit: another limit is another threshold, with an alert of its own."""
    return f"{word} of {budget.limit} {'tokens' if budget.in_tokens else 'pico'}"


def _word(threshold: str) -> str:
    return threshold.split(" ")[1].rstrip("0").rstrip(".")


def _id(*parts: str) -> str:
    """The same for every try to deliver one alert, so that its receiver can recognise a second one."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]
