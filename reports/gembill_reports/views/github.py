"""A check of budgets in a GitHub Actions job: annotations, job summary and outputs.

Owns: the runner's command language and its escapes (formats.md 2), and the files it names in the environment. Not
here: states. Invariant: one annotation per budget; no name or label can begin a command of its own; an output is one
line.
"""

import os
import secrets
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from gembill.money import usd
from gembill.rules.budgets import BudgetState, BudgetStatus, ordered, overall_state
from gembill.rules.budgets.text import ratio, sentence, spent, title
from gembill_reports.layout.tables import clean

MARKER = "<!-- gembill-budgets -->"  # finds the one comment of a pull request that is updated
_LEVELS = {
    BudgetState.BREACH: "error",
    BudgetState.UNKNOWN: "warning",
    BudgetState.WARN: "warning",
    BudgetState.PASS: "notice",
}


def annotations(statuses: Sequence[BudgetStatus]) -> Iterator[str]:
    """A workflow command per budget, the most severe first, because a step shows only the first ten of a level."""
    for one in ordered(statuses):
        yield f"::{_LEVELS[one.state]} title={_property(title(one))}::{_data(sentence(one))}\n"


def quoted(text: str) -> Iterator[str]:
    """Text for the log, in which the runner looks for no command."""
    token = secrets.token_hex(16)
    yield f"::stop-commands::{token}\n"
    yield text
    yield f"::{token}::\n"


def leave(statuses: Sequence[BudgetStatus], markdown: str, code: int, environ: Mapping[str, str] = os.environ) -> None:
    """Write the job summary, the report for a comment and the step's outputs, where the runner names files for them."""
    report = f"{MARKER}\n{markdown}"
    if environ.get("GITHUB_STEP_SUMMARY"):
        _append(environ["GITHUB_STEP_SUMMARY"], markdown + "\n")
    if not environ.get("GITHUB_OUTPUT"):
        return
    path = Path(environ.get("RUNNER_TEMP") or Path(environ["GITHUB_OUTPUT"]).parent) / "gembill-budgets.md"
    path.write_text(report, encoding="utf-8")
    values = {**outputs(statuses), "exit_code": str(code), "report_path": str(path)}
    _append(environ["GITHUB_OUTPUT"], "".join(f"{name}={clean(value)}\n" for name, value in values.items()))


def outputs(statuses: Sequence[BudgetStatus]) -> dict[str, str]:
    """The outputs: the most severe state, and the budget that is most used up. What is unknown or not set is empty."""
    tightest = max(statuses, key=lambda one: (one.state.severity, one.share is None, one.share or 0))
    budget = tightest.budget
    return {
        "status": overall_state(statuses).value,
        "budget": budget.name,
        "spent_usd": "" if tightest.cost_pico is None else usd(tightest.cost_pico),
        "limit_usd": "" if budget.limit_pico is None else usd(budget.limit_pico),
        "used_ratio": ratio(tightest.share) or "",
        "summary": f"{title(tightest)}, {spent(tightest)}",
    }


def _append(path: str, text: str) -> None:
    with Path(path).open("a", encoding="utf-8") as file:
        file.write(text)


def _data(text: str) -> str:
    return clean(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
