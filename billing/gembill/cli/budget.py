"""`gembill budget`: check budgets, list and explain them, and send alerts.

Owns: the commands and their exit codes (contract.md, Commands), and which file budgets come from. Not here: rules, sums
and layout. Invariant: `check` reads only sums that are kept; nothing is sent unless it was asked for; a file with a
mistake gives no budget at all.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gembill.cli import hints
from gembill.cli.groups import NearGroup
from gembill.cli.options import database_url_option, opened, together, tz_option
from gembill.cli.output import Output, output_options
from gembill.errors import ConfigurationError
from gembill_reports.views.view import Format

if TYPE_CHECKING:
    from gembill.alert.notify import Channel
    from gembill.config import Settings
    from gembill.ledger import Ledger
    from gembill.rules.budgets import Budget, BudgetStatus

file_option = click.option(
    "--file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A TOML file with [[budget]] tables.  [default: gembill.toml, else pyproject.toml]",
)
at_option = click.option(
    "--at", metavar="INSTANT", help="As it was then: a date (its midnight) or an ISO instant. [default: now]"
)
run_option = click.option(
    "--run", envvar="GEMBILL_RUN", metavar="ID", help="The run that `run` budgets are about. [default: the newest]"
)


@dataclass(frozen=True, slots=True)
class BudgetMoment:
    """When, and for which run, budgets are looked at, as given."""

    at: str | None
    tz: str | None
    run: str | None

    @property
    def past(self) -> bool:
        """Whether an instant was given, so that later calls do not count."""
        return self.at is not None

    def at_us(self) -> int:
        """The instant in microseconds, now where none was given. ConfigurationError if it is not one."""
        from gembill.period import instant, zone

        return time.time_ns() // 1000 if self.at is None else instant(self.at, zone(self.tz), name="--at")

    def statuses(self, ledger: Ledger, budgets: Sequence[Budget], at_us: int) -> list[BudgetStatus]:
        """The status of each budget at that instant."""
        from gembill.budget_status import evaluate_budgets

        return evaluate_budgets(ledger, budgets, at_us, run=self.run, past=self.past)


@dataclass(frozen=True, slots=True)
class ExitRule:
    """What makes a command about budgets fail, as given."""

    fail_on: str
    strict: bool

    def code(self, statuses: Sequence[BudgetStatus], *, known: bool = True) -> int:
        """The exit code for these statuses (contract.md, Commands), and of a run whether its whole cost is known."""
        from gembill.rules.budgets import exit_code

        return exit_code(statuses, strict=self.strict, fail_on_warn=self.fail_on == "warn", known=known)


moment_options = together("moment", BudgetMoment, (at_option, tz_option, run_option))
exit_options = together(
    "exits",
    ExitRule,
    (
        click.option(
            "--fail-on", type=click.Choice(["breach", "warn"]), default="breach", help="warn: exit 11 on warnings too."
        ),
        click.option("--strict", is_flag=True, help="Exit 12 if calls have no price or may lack tokens."),
    ),
)


@dataclass(frozen=True, slots=True)
class BudgetChoice:
    """Which budgets of which file, as given."""

    file: Path | None
    names: tuple[str, ...] = ()

    def load(self) -> tuple[str, list[Budget]]:
        """The name of the file, and these budgets of it or all. ConfigurationError if there is none of them."""
        return chosen(self.file, self.names)


@click.group(cls=NearGroup)
def budget() -> None:
    """Check budgets against the ledger; a breach exits with 10.

    Budgets are [[budget]] tables in gembill.toml or [[tool.gembill.budget]] in pyproject.toml.
    """


def _usual_form() -> str:
    return Format.GITHUB if os.environ.get("GITHUB_ACTIONS") == "true" else Format.TABLE


@budget.command()
@output_options(
    *(Format.TABLE, Format.JSON, Format.CSV, Format.MARKDOWN, Format.JUNIT, Format.GITHUB),
    text="How to write it.  [default: table; in GitHub Actions github]",
    default=_usual_form,
)
@exit_options
@click.option("--alert", is_flag=True, help="Also send what is new to webhook_url and notify_urls.")
@moment_options
@together("choice", BudgetChoice, (click.argument("names", nargs=-1, metavar="[NAME]..."), file_option))
@database_url_option
@click.pass_context
def check(
    ctx: click.Context,
    output: Output,
    exits: ExitRule,
    alert: bool,
    moment: BudgetMoment,
    choice: BudgetChoice,
    database_url: str | None,
) -> None:
    """Show the state of budgets: PASS, WARN, BREACH or UNKNOWN.

    Exits 10 if one is breached, 12 with --strict if the cost of calls is not known, 11 with --fail-on warn if one
    warns, else 0. UNKNOWN: calls without a price may have spent more than is known.
    """
    from gembill.ledger import count_unreplayed, holds_demo_data
    from gembill_reports.views.budgets import BudgetCheckView

    _, budgets = choice.load()
    at_us = moment.at_us()
    with opened(database_url, read_only=not alert) as (ledger, settings):
        statuses, demo = moment.statuses(ledger, budgets, at_us), holds_demo_data(ledger)
        known = not (exits.strict and count_unreplayed(ledger))
        hints.about_budgets(ledger, statuses)
        if alert:
            _send(ledger, settings, statuses)
    code = exits.code(statuses, known=known)
    output.write(BudgetCheckView(statuses=statuses, at_us=at_us, exit_code=code, demo=demo))
    ctx.exit(code)


@budget.command("list")
@output_options()
@file_option
def list_(output: Output, file: Path | None) -> None:
    """List the budgets of the file."""
    from gembill_reports.views.budgets import BudgetListView

    where, budgets = chosen(file, ())
    output.write(BudgetListView(budgets, where))


@budget.command()
@click.argument("name")
@output_options(Format.TABLE, Format.JSON, Format.MARKDOWN, text="How to write it.")
@moment_options
@file_option
@database_url_option
def explain(name: str, output: Output, moment: BudgetMoment, file: Path | None, database_url: str | None) -> None:
    """Show the days, models and calls that a budget was spent on. Reads every call of its period."""
    from gembill_reports.analysis.budget_explanation import explanation
    from gembill_reports.views.budget_explanation import ExplanationView

    _, budgets = chosen(file, (name,))
    at_us = moment.at_us()
    with opened(database_url) as (ledger, _):
        (status,) = moment.statuses(ledger, budgets, at_us)
        output.write(ExplanationView(explanation(ledger, status, past=moment.past)))


@budget.command()
@click.option("--every", type=click.IntRange(1), metavar="SECONDS", help="Time between two checks.  [default: 60]")
@click.option("--once", is_flag=True, help="Check once and stop, for a timer of the system.")
@file_option
@database_url_option
def watch(every: int | None, once: bool, file: Path | None, database_url: str | None) -> None:
    """Check the budgets again and again, and report what changed.

    Each threshold is reported once per period, however many processes watch: to GEMBILL_WEBHOOK_URL, signed with
    GEMBILL_WEBHOOK_SECRET, and to the apprise addresses in GEMBILL_NOTIFY_URLS. `gembill proxy` does the same itself.
    """
    from gembill.alert.watch import Watch
    from gembill.errors import LedgerError

    _, budgets = chosen(file, ())
    states: dict[str, str] = {}
    with opened(database_url, read_only=False) as (ledger, settings):
        watching = Watch(budgets, _channels(settings))
        while True:
            try:
                _say_changes(watching.look(ledger), states)
            except LedgerError as error:
                if once:
                    raise
                click.echo(f"gembill: {error}; the next check tries again", err=True)
            if once:
                return
            time.sleep(every or settings.budget_seconds)


@budget.command("test-alert")
@click.pass_context
def test_alert(ctx: click.Context) -> None:
    """Send a test message to every channel that is set; exit 1 if one does not take it."""
    from gembill.alert.message import trial
    from gembill.alert.notify import with_retries
    from gembill.config import load
    from gembill.errors import Undelivered

    code = 0
    for channel in _channels(load()):
        try:
            with_retries(channel, trial())
            click.echo(f"{channel.name}: arrived")
        except Undelivered as error:
            click.echo(f"{channel.name}: {error}")
            code = 1
    ctx.exit(code)


def _channels(settings: Settings) -> list[Channel]:
    from gembill.alert.notify import configured

    channels = configured(settings)
    if not channels:
        raise ConfigurationError(
            "no alert channel is configured; set GEMBILL_WEBHOOK_URL and _SECRET, or GEMBILL_NOTIFY_URLS"
        )
    return channels


def _send(ledger: Ledger, settings: Settings, statuses: list[BudgetStatus]) -> None:
    from gembill.alert.watch import Watch

    Watch([one.budget for one in statuses], _channels(settings)).send(ledger, statuses)


def _say_changes(statuses: list[BudgetStatus], states: dict[str, str]) -> None:
    """A line for each budget whose state is not the one of the last check."""
    from gembill.rules.budgets.text import sentence
    from gembill_reports.layout import screen
    from gembill_reports.layout.tables import clean

    for one in statuses:
        if states.get(one.budget.name) != one.state:
            screen.write([clean(f"{one.state} {one.budget.name}: {sentence(one)}"), "\n"])
        states[one.budget.name] = one.state


def load(file: Path | None = None) -> tuple[str, list[Budget]]:
    """The name of the file and its budgets; none where no file has any. ConfigurationError names every mistake."""
    from gembill.config import budget_text
    from gembill.rules.budgets.toml import budgets

    if file is None:
        text = budget_text()
        return ("gembill.toml", []) if text is None else (text[0], budgets(text[1], text[0], text[2]))
    try:
        content = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{file} cannot be read: {error}") from None
    return str(file), budgets(content, str(file), ("tool", "gembill") if file.name == "pyproject.toml" else ())


def chosen(file: Path | None, names: Sequence[str]) -> tuple[str, list[Budget]]:
    """The budgets of these names, or all; ConfigurationError if there is none or a name is not among them."""
    where, budgets = load(file)
    if not budgets:
        raise ConfigurationError(f"{where} has no budget; begin one with [[budget]], name, limit_usd and period")
    known = {budget.name: budget for budget in budgets}
    for name in names:
        if name not in known:
            raise ConfigurationError(f"{where} has no budget '{name}'; it has {', '.join(known)}")
    return where, [known[name] for name in dict.fromkeys(names)] or budgets
