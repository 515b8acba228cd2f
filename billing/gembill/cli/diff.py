"""`gembill diff`: what a change costs, a run, label or branch against a baseline.

Owns: the command, what its flags mean, and its exit codes. Not here: sums, verdicts and layout (`gembill_reports`).
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import click

from gembill.cli.options import CallFilter, database_url_option, opened, selection_options, together
from gembill.cli.output import Output, output_options
from gembill.errors import ConfigurationError
from gembill.model import parse_labels
from gembill_reports.views.view import Format

if TYPE_CHECKING:
    from gembill.ledger import Ledger
    from gembill_reports.analysis.cost_diff import CostDiff, DiffQuestion, SideChoice, Threshold

BREACH_EXIT, STRICT_EXIT = 10, 12
_PERCENT = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,6})?)%", re.ASCII)
_LABEL = "label."


@dataclass(frozen=True, slots=True)
class DiffFlags:
    """The two sides and the thresholds, as given."""

    head: str | None
    baseline: str
    all_runs: bool
    max_increase: tuple[str, ...]
    max_test_increase: tuple[str, ...]
    ignore_below: str | None

    def question(self, calls: CallFilter, ledger: Ledger) -> DiffQuestion:
        """What is asked for, with both sides known to the ledger. ConfigurationError if one is not."""
        from gembill.ledger import Selection, require_known
        from gembill_reports.analysis.cost_diff import TEST, DiffQuestion

        head = None if self.head is None else _side(self.head, "the first side")
        baseline = _side(self.baseline, "--baseline")
        thresholds = [_threshold(text, "--max-increase", None) for text in self.max_increase]
        thresholds += [_threshold(text, "--max-test-increase", TEST) for text in self.max_test_increase]
        least = 0 if self.ignore_below is None else _usd(self.ignore_below, "--ignore-below")
        period = calls.period()
        selection = calls.selection(period, ledger)
        for side in (head, baseline):
            if side is not None and side.name in selection.labels:
                raise ConfigurationError(f"--label {side.name} and {side.words} choose by one label; leave one out")
            if side is not None:
                require_known(ledger, Selection(labels={side.name: side.value}))
        return DiffQuestion(
            head=head,
            baseline=baseline,
            selection=selection,
            period=period,
            all_runs=self.all_runs,
            thresholds=tuple(thresholds),
            least_pico=least,
        )


_FLAGS = (
    click.argument("head", required=False, metavar="[SIDE]", envvar="GEMBILL_RUN"),
    click.option("--baseline", required=True, metavar="SIDE", help="What it is compared with; as SIDE."),
    click.option("--all-runs", is_flag=True, help="All runs of a label together, not its newest alone."),
    click.option(
        "--max-increase",
        multiple=True,
        metavar="LIMIT",
        help="How much more all calls may cost: 10% or 0.50 (US dollars). Repeatable: each has to be kept.",
    ),
    click.option(
        "--max-test-increase", multiple=True, metavar="LIMIT", help="How much more each single test may cost."
    ),
    click.option("--ignore-below", metavar="USD", help="A rise of no more than this is no breach."),
)


def _usual_form() -> str:
    return Format.GITHUB if os.environ.get("GITHUB_ACTIONS") == "true" else Format.TABLE


@click.command()
@together("flags", DiffFlags, _FLAGS)
@selection_options
@output_options(
    *(Format.TABLE, Format.JSON, Format.CSV, Format.MARKDOWN, Format.GITHUB),
    file=True,
    text="How to write it.  [default: table; in GitHub Actions github]",
    default=_usual_form,
)
@click.option("--strict", is_flag=True, help="Exit 12 if calls of either side have no price or may lack tokens.")
@database_url_option
@click.pass_context
def diff(
    ctx: click.Context, flags: DiffFlags, calls: CallFilter, output: Output, *, strict: bool, database_url: str | None
) -> None:
    """Show what a run, label or branch costs against a baseline, by model and by test.

    SIDE is label.NAME=VALUE or the id of a run; without one it is the newest run. Of a label with runs its newest run
    counts, on the baseline's side one that is not the other side. Periods and filters hold for both sides.

    Exits 10 if the cost rose by more than a --max-increase allows. What has no price is unknown, not free: where it
    decides, the state is UNKNOWN, and with --strict the exit code 12.

    \b
    gembill diff --baseline label.branch=main --max-increase 20%
    """
    from gembill_reports.analysis.cost_diff import cost_diff
    from gembill_reports.views.cost_diff import CostDiffView

    with opened(database_url) as (ledger, _):
        answer = cost_diff(ledger, flags.question(calls, ledger))
    code = _exit_code(answer, strict=strict)
    output.write(CostDiffView(answer, code))
    ctx.exit(code)


def _exit_code(answer: CostDiff, *, strict: bool) -> int:
    from gembill.rules.budgets import BudgetState

    if answer.verdict is BudgetState.BREACH:
        return BREACH_EXIT
    return STRICT_EXIT if strict and not answer.strictly_complete else 0


def _side(text: str, flag: str) -> SideChoice:
    from gembill_reports.analysis.cost_diff import SideChoice

    if text.startswith(_LABEL):
        ((name, value),) = parse_labels((text.removeprefix(_LABEL),), flag).items()
        return SideChoice(name, value)
    if "=" in text or not text:
        raise ConfigurationError(f"{flag} is '{text}'; write label.NAME=VALUE, like label.branch=main, or a run's id")
    return SideChoice("run", text)


def _threshold(text: str, flag: str, by: str | None) -> Threshold:
    from gembill_reports.analysis.cost_diff import Threshold

    percent = _PERCENT.fullmatch(text.strip())
    if percent is not None:
        return Threshold(f"{flag} {text.strip()}", share=Fraction(percent[1]) / 100, by=by)
    return Threshold(f"{flag} {text.strip()}", pico=_usd(text, flag), by=by)


def _usd(text: str, flag: str) -> int:
    from gembill.money import parse_usd

    try:
        pico = parse_usd(text)
    except ConfigurationError:
        raise ConfigurationError(f"{flag} is '{text}'; write US dollars, like 0.50, or a share, like 10%") from None
    if pico < 0:
        raise ConfigurationError(f"{flag} is {text}; it cannot be negative")
    return pico
