"""`gembill budget`: check budgets, list and explain them, and tell people.

Owns: the commands and their exit codes (contract.md, Commands). Owns no rule, no sum and no layout.
Invariant: `check` reads only sums that are kept; nothing is sent unless it was asked for.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gembill.cli.budgets import chosen, file_option
from gembill.cli.options import database_url_option, format_option, tz_option

if TYPE_CHECKING:
    from gembill.alert.notify import Channel
    from gembill.config import Settings
    from gembill.ledger import Ledger
    from gembill.rules.budgets import BudgetStatus

at_option = click.option(
    "--at", metavar="INSTANT", help="As it stood then: a date (its midnight) or an ISO instant. [default: now]"
)
run_option = click.option(
    "--run", envvar="GEMBILL_RUN", metavar="ID", help="The run that `run` budgets are about. [default: the newest]"
)


@click.group()
def budget() -> None:
    """Check budgets against the ledger; a breach exits with 10.

    Budgets are [[budget]] tables in gembill.toml or [[tool.gembill.budget]] in pyproject.toml.
    """


@budget.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json", "csv", "markdown", "junit", "github"]),
    help="How to write it.  [default: table; in GitHub Actions github]",
)
@click.option(
    "--fail-on", type=click.Choice(["breach", "warn"]), default="breach", help="warn: exit 11 on warnings too."
)
@click.option("--strict", is_flag=True, help="Exit 12 if calls have no price or may lack tokens.")
@click.option("--alert", is_flag=True, help="Also send what is new to webhook_url and notify_urls.")
@at_option
@tz_option
@run_option
@file_option
@database_url_option
@click.pass_context
def check(ctx: click.Context, /, names: tuple[str, ...], **flags: Any) -> None:  # noqa: ANN401
    """Say how budgets stand: PASS, WARN, BREACH or UNKNOWN.

    Exits 10 if one is breached, 12 with --strict if the cost of calls is not known, 11 with --fail-on warn if one
    warns, else 0. UNKNOWN: calls without a price may have spent more than is known.
    """
    from gembill.rules.budgets import exit_code

    _, budgets = chosen(flags["file"], names)
    at_us, past = _instant(flags["at"], flags["tz"])
    ledger, settings = _ledger(flags["database_url"], read_only=not flags["alert"])
    try:
        from gembill.budget_status import evaluate_budgets
        from gembill.ledger import holds_demo_data

        found, demo = evaluate_budgets(ledger, budgets, at_us, run=flags["run"], past=past), holds_demo_data(ledger)
        if flags["alert"]:
            _tell(ledger, settings, found)
    finally:
        ledger.close()
    code = exit_code(found, strict=flags["strict"], fail_on_warn=flags["fail_on"] == "warn")
    form = flags["form"] or ("github" if os.environ.get("GITHUB_ACTIONS") == "true" else "table")
    _write(found, at_us, form, code, demo=demo)
    ctx.exit(code)


@budget.command("list")
@format_option
@file_option
def list_(form: str, file: Path | None) -> None:
    """List the budgets of the file."""
    from gembill_reports.layout import screen
    from gembill_reports.layout.tables import csv_lines
    from gembill_reports.views import budgets as shown

    where, found = chosen(file, ())
    rules = shown.rules_dict(found)
    if form == "json":
        screen.write([json.dumps(rules, indent=2), "\n"])
    elif form == "csv":
        screen.write(csv_lines(list(rules["budgets"][0]), [_joined(rule) for rule in rules["budgets"]]))
    else:
        screen.write([shown.rules_sheet(found, where).written(form)])


@budget.command()
@click.argument("name")
@click.option(
    "--format", "form", type=click.Choice(["table", "json", "markdown"]), default="table", help="How to write it."
)
@at_option
@tz_option
@run_option
@file_option
@database_url_option
def explain(name: str, **flags: Any) -> None:  # noqa: ANN401
    """Say which days, models and calls a budget was spent on. Reads every call of its period."""
    from gembill.budget_status import evaluate_budgets
    from gembill_reports.analysis.budget_explanation import explanation
    from gembill_reports.views.budget_explanation import ExplanationView
    from gembill_reports.views.view import Format, write

    _, budgets = chosen(flags["file"], (name,))
    at_us, past = _instant(flags["at"], flags["tz"])
    ledger, _ = _ledger(flags["database_url"])
    try:
        (status,) = evaluate_budgets(ledger, budgets, at_us, run=flags["run"], past=past)
        write(ExplanationView(explanation(ledger, status, past=past)), Format(flags["form"]))
    finally:
        ledger.close()


@budget.command()
@click.option("--every", type=click.IntRange(1), metavar="SECONDS", help="Time between two looks.  [default: 60]")
@click.option("--once", is_flag=True, help="Look once and stop, for a timer of the system.")
@file_option
@database_url_option
def watch(every: int | None, once: bool, file: Path | None, database_url: str | None) -> None:
    """Look at the budgets again and again, and tell what changed.

    Each threshold is told once for each period, however many processes watch: to GEMBILL_WEBHOOK_URL, signed with
    GEMBILL_WEBHOOK_SECRET, and to the apprise addresses in GEMBILL_NOTIFY_URLS. `gembill proxy` does the same itself.
    """
    from gembill.alert.watch import Watch
    from gembill.errors import LedgerError

    _, budgets = chosen(file, ())
    ledger, settings = _ledger(database_url, read_only=False)
    watching = Watch(budgets, _channels(settings))
    states: dict[str, str] = {}
    try:
        while True:
            try:
                _say_changes(watching.look(ledger), states)
            except LedgerError as error:
                if once:
                    raise
                click.echo(f"gembill: {error}; the next look tries again", err=True)
            if once:
                return
            time.sleep(every or settings.budget_seconds)
    finally:
        ledger.close()


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


def _instant(at: str | None, tz: str | None) -> tuple[int, bool]:
    """The instant of a check, and whether it is one of the past."""
    from gembill.period import instant, zone

    return (time.time_ns() // 1000, False) if at is None else (instant(at, zone(tz), name="--at"), True)


def _ledger(url: str | None, *, read_only: bool = True) -> tuple[Ledger, Settings]:
    from gembill.config import load
    from gembill.ledger import open_ledger

    settings = load({"database_url": url})
    return open_ledger(settings.ledger_url, read_only=read_only), settings


def _channels(settings: Settings) -> list[Channel]:
    from gembill.alert.notify import configured
    from gembill.errors import ConfigurationError

    found = configured(settings)
    if not found:
        raise ConfigurationError("nobody is to be told; set GEMBILL_WEBHOOK_URL and _SECRET, or GEMBILL_NOTIFY_URLS")
    return found


def _tell(ledger: Ledger, settings: Settings, found: list[BudgetStatus]) -> None:
    from gembill.alert.watch import Watch

    Watch([one.budget for one in found], _channels(settings)).send(ledger, found)


def _say_changes(found: list[BudgetStatus], states: dict[str, str]) -> None:
    """A line for each budget whose state is another than at the last look."""
    from gembill.rules.budgets.text import sentence
    from gembill_reports.layout import screen
    from gembill_reports.layout.tables import clean

    for one in found:
        if states.get(one.budget.name) != one.state:
            screen.write([clean(f"{one.state} {one.budget.name}: {sentence(one)}"), "\n"])
        states[one.budget.name] = one.state


def _joined(rule: dict[str, Any]) -> dict[str, Any]:
    """A rule with its lists and labels as single texts."""
    pairs = {"labels": " ".join(f"{name}={value}" for name, value in rule["labels"].items())}
    return {key: " ".join(value) if isinstance(value, list) else value for key, value in (rule | pairs).items()}


def _write(found: list[BudgetStatus], at_us: int, form: str, code: int, *, demo: bool) -> None:
    from gembill_reports.layout import screen
    from gembill_reports.layout.tables import csv_lines, flat
    from gembill_reports.views import budgets as budget_table

    if form == "json":
        screen.write([json.dumps(budget_table.check_dict(found, at_us, demo=demo), indent=2), "\n"])
    elif form == "csv":
        rows = [flat(_joined({"labels": {}, **row})) for row in budget_table.check_dict(found, at_us)["budgets"]]
        screen.write(csv_lines([key for key in rows[0] if key != "labels"], rows))
    elif form == "junit":
        from gembill_reports.views.junit import junit

        screen.write([junit(budget_table.ordered(found))])
    elif form == "github":
        from gembill_reports.views import github

        sheet = budget_table.check_sheet(found, at_us, demo=demo)
        screen.write(github.quoted(sheet.written("table")))
        screen.write(github.annotations(found))
        github.leave(found, sheet.markdown(), code)
    else:
        screen.write([budget_table.check_sheet(found, at_us, demo=demo).written(form)])
