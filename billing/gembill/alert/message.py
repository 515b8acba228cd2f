"""What an alert says, and when there is one to say.

Owns: the thresholds a standing has crossed, and the message about the highest. Owns no sending and no memory of what
was said. Invariant: the same threshold of the same budget, limit and period has the same key, in every process.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from gembill.period import Unit, name
from gembill.rules.budgets import Budget, BudgetPeriod, BudgetState, BudgetStatus
from gembill.rules.budgets.text import as_dict as standing_dict
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
    """The highest threshold of one kind that a standing crossed, and the lower ones, which need no alert any more."""

    standing: BudgetStatus
    threshold: str
    lower: tuple[str, ...]

    @property
    def period(self) -> str:
        """The name of the period, different for every one."""
        return period_name(self.standing)

    def message(self) -> Message:
        """What to say of it."""
        standing = self.standing
        heading = title(standing)
        if self.threshold.startswith("forecast"):
            heading = f"Budget {standing.budget.name} is on its way over {_word(self.threshold)} of its limit"
        body = {
            "schema_version": SCHEMA_VERSION,
            "id": _id(standing.budget.name, self.period, self.threshold),
            "event": "budget.threshold",
            "threshold": self.threshold.partition(" of ")[0],
            "title": heading,
            "text": sentence(standing),
            "budget": standing_dict(standing),
        }
        return Message(heading, sentence(standing), body)


def crossings(standing: BudgetStatus) -> Iterator[Crossing]:
    """The thresholds a standing has crossed: of what was used, of the forecast, and that the state is not known."""
    budget = standing.budget
    used = [_threshold(budget, f"warn {ratio(at)}") for at in standing.warnings]
    if standing.state is BudgetState.BREACH:
        used.append(_threshold(budget, "breach"))
    if used:
        yield _highest(standing, used)
    if standing.forecast_warns and standing.state is not BudgetState.BREACH:
        yield Crossing(standing, _threshold(budget, f"forecast {ratio(budget.forecast_at)}"), ())
    if standing.state is BudgetState.UNKNOWN:
        yield Crossing(standing, _threshold(budget, "unknown"), ())


def period_name(standing: BudgetStatus) -> str:
    """`month 2026-11 America/Los_Angeles`, `total`, or the id of a run."""
    budget, start = standing.budget, standing.period.start_us
    if budget.span is BudgetPeriod.RUN:
        return f"run {standing.run}"
    if start is None:
        return "total"
    return f"{budget.span} {name(Unit(budget.span.value), start, budget.zone)} {budget.zone.key}"


def trial() -> Message:
    """What `gembill budget test-alert` sends."""
    text = "This is a test: alerts of gembill arrive here."
    body = {"schema_version": SCHEMA_VERSION, "id": TEST, "event": TEST, "title": "gembill test alert", "text": text}
    return Message("gembill test alert", text, body)


def _highest(standing: BudgetStatus, crossed: Sequence[str]) -> Crossing:
    return Crossing(standing, crossed[-1], tuple(crossed[:-1]))


def _threshold(budget: Budget, word: str) -> str:
    """A threshold of this limit: another limit is another threshold, to be said again."""
    return f"{word} of {budget.limit} {'tokens' if budget.in_tokens else 'pico'}"


def _word(threshold: str) -> str:
    return threshold.split(" ")[1].rstrip("0").rstrip(".")


def _id(*parts: str) -> str:
    """The same for every try to deliver one alert, so that its receiver can tell a second one."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]
