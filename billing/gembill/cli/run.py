"""`gembill run`: a program whose Gemini calls are counted, and may cost only so much.

Owns: the child process, its signals and its exit code. Owns no recording (`gembill.run`) and no rule of budgets.
Invariant: a child that fails by itself keeps its exit code; stdout is the child's alone.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gembill.cli.budgets import file_option, load
from gembill.cli.options import database_url_option
from gembill.errors import ConfigurationError, GembillError
from gembill.model import parse_labels

if TYPE_CHECKING:
    from gembill.rules.budgets import Budget, BudgetStatus
    from gembill.run import Run

_FORWARDED = (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)
_FROM_KEYS = (signal.SIGINT, signal.SIGQUIT)  # a terminal sends these to the child itself
_NOT_FOUND, _NOT_RUNNABLE, _SIGNALLED = 127, 126, 128  # as a shell says it


@click.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.option("--budget", "usd", metavar="USD", help="What the run may cost, like 0.50; more exits with 10.")
@click.option("--label", multiple=True, metavar="NAME=VALUE", help="A label for every call of the run. Repeatable.")
@click.option(
    "--fail-on", type=click.Choice(["breach", "warn"]), default="breach", help="warn: exit 11 on warnings too."
)
@click.option("--strict", is_flag=True, help="Exit 12 if calls have no price or may lack tokens.")
@click.option("--upstream", metavar="URL", help="The API behind the proxy.  [default: the public Gemini API]")
@file_option
@database_url_option
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED, metavar="-- COMMAND...")
@click.pass_context
def run(ctx: click.Context, /, command: tuple[str, ...], usd: str | None, **flags: Any) -> None:  # noqa: ANN401
    """Run a program, record its Gemini calls, and say what they cost.

    A proxy is started on a free port and the program is told of it by GOOGLE_GEMINI_BASE_URL and
    GOOGLE_VERTEX_BASE_URL, which the SDKs for Python, JavaScript and Go read. Budgets of the file whose period is `run`
    count beside --budget. The program's own exit code is kept if it fails.

    \b
    gembill run --budget 0.50 --label job=nightly -- pytest -q
    """
    from gembill import config
    from gembill.capture.redaction import install

    budgets = _budgets(usd, flags["file"])
    settings = config.load({"upstream": flags["upstream"], "database_url": flags["database_url"]})
    given = parse_labels(flags["label"], "--label")
    redaction = install(logging.WARNING)
    from gembill.run import Run, environment

    recorded = Run(settings, given)
    with recorded.recording(redaction) as url:
        code = _child(command, environment(url, recorded.id))
    try:
        found = _judge(recorded, budgets)
    except GembillError as error:
        if not code:
            raise
        click.echo(f"gembill: {error}", err=True)  # the program's own failure is what counts
        found = []
    ctx.exit(code or _exit_code(found, strict=flags["strict"], fail_on_warn=flags["fail_on"] == "warn"))


def _budgets(usd: str | None, file: Path | None) -> list[Budget]:
    from gembill.money import parse_usd
    from gembill.rules.budgets import BudgetPeriod
    from gembill.run import limit

    found = [budget for budget in load(file)[1] if budget.span is BudgetPeriod.RUN]
    if usd is not None:
        pico = parse_usd(usd)
        if pico < 0:
            raise ConfigurationError(f"--budget is {usd}; it cannot be negative")
        found.insert(0, limit(pico, "--budget"))
    return found


def _child(command: tuple[str, ...], environment: dict[str, str]) -> int:
    """Run the program with our streams and pass our signals on; its exit code, 128 and more where a signal ended it."""
    child: subprocess.Popen[bytes] | None = None
    early: list[int] = []  # came while the program was being started

    def forward(number: int, _: object = None) -> None:
        if child is None:
            early.append(number)
        elif number not in _FROM_KEYS or not _at_terminal():
            child.send_signal(number)

    before = {number: signal.signal(number, forward) for number in (*_FORWARDED, *_FROM_KEYS)}
    try:
        child = subprocess.Popen(command, env=environment)  # noqa: S603 - running it is what was asked for
        for number in early:
            forward(number)
        code = child.wait()
    except OSError as error:
        click.echo(f"gembill: {command[0]} cannot be run: {error.strerror}", err=True)
        return _NOT_FOUND if isinstance(error, FileNotFoundError) else _NOT_RUNNABLE
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return code if code >= 0 else _SIGNALLED - code


def _at_terminal() -> bool:
    """Whether we are in the foreground of a terminal, which then has told the child too."""
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)


def _judge(recorded: Run, budgets: list[Budget]) -> list[BudgetStatus]:
    """How the budgets stand; what the run cost goes to stderr. LedgerError if calls are not in the ledger."""
    import sys

    from gembill.period import Period, zone
    from gembill_reports.analysis.report import report
    from gembill_reports.layout import screen
    from gembill_reports.views import budgets as shown

    recorded.settle(seconds=0.0)
    ledger = recorded.ledger()
    try:
        found = recorded.budget_statuses(budgets, ledger)
        rows = report(ledger, Period(None, None, zone()), ("model",), selection=recorded.selection())
    finally:
        ledger.close()
    sheet = shown.run_sheet(rows, found)
    screen.write([sheet.terminal(screen.width(), color=screen.colored(sys.stderr))], sys.stderr)
    return found


def _exit_code(found: list[BudgetStatus], *, strict: bool, fail_on_warn: bool) -> int:
    from gembill.rules.budgets import exit_code

    return exit_code(found, strict=strict, fail_on_warn=fail_on_warn)
