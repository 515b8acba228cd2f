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
        yield annotation(_LEVELS[one.state], title(one), sentence(one))


def annotation(level: str, title: str, text: str) -> str:
    """One workflow command that shows a text: `level` is error, warning or notice."""
    return f"::{level} title={_property(title)}::{_data(text)}\n"


def quoted(text: str) -> Iterator[str]:
    """Text for the log, in which the runner looks for no command."""
    token = secrets.token_hex(16)
    yield f"::stop-commands::{token}\n"
    yield text
    yield f"::{token}::\n"


def leave(
    statuses: Sequence[BudgetStatus], markdown: str, code: int, environ: Mapping[str, str] = os.environ
) -> list[str]:
    """Write the job summary, the report for a comment and the step's outputs, where the runner names files for them.

    Returns what could not be written, in words: the verdict does not depend on the runner's disk, so nothing is raised.
    """
    values = {**outputs(statuses), "exit_code": str(code)}
    return leave_report("gembill-budgets", "report_path", values, markdown, environ)


def leave_report(
    name: str, path_output: str, values: Mapping[str, str], markdown: str, environ: Mapping[str, str] = os.environ
) -> list[str]:
    """The same for any report: its file is `name`.md, and `path_output` the output that says where that is."""
    failures: list[str] = []
    if environ.get("GITHUB_STEP_SUMMARY"):
        failures += _append("GITHUB_STEP_SUMMARY", environ["GITHUB_STEP_SUMMARY"], markdown + "\n")
    if environ.get("GITHUB_OUTPUT"):
        path = Path(environ.get("RUNNER_TEMP") or Path(environ["GITHUB_OUTPUT"]).parent) / f"{name}.md"
        missing = _put("the report for a comment", path, f"{MARKER}\n{markdown}", "w")
        named = {**values, path_output: "" if missing else str(path)}
        lines = "".join(f"{output}={clean(value)}\n" for output, value in named.items())
        failures += missing + _append("GITHUB_OUTPUT", environ["GITHUB_OUTPUT"], lines)
    return failures


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


def _append(name: str, path: str, text: str) -> list[str]:
    return _put(name, Path(path), text, "a")


def _put(name: str, path: Path, text: str, mode: str) -> list[str]:
    """Write a file of the runner's; the failure in words where that is not possible."""
    try:
        with path.open(mode, encoding="utf-8") as file:
            file.write(text)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        return [f"{name} ({path}: {getattr(error, 'strerror', None) or error})"]
    return []


def _data(text: str) -> str:
    return clean(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
