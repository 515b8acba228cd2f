"""`gembill run`: a program whose Gemini calls are counted and held against budgets.

Owns: the child process, its signals and its exit code. Not here: recording (`gembill.run`) and the rules of budgets.
Invariant: a child that fails by itself keeps its exit code; stdout is the child's alone.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gembill.cli.budget import ExitRule, exit_options, file_option, load
from gembill.cli.options import database_url_option, together
from gembill.errors import ConfigurationError, GembillError
from gembill.model import parse_labels

if TYPE_CHECKING:
    from gembill.rules.budgets import Budget, BudgetStatus
    from gembill.run import Run

_FORWARDED = (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)
_FROM_KEYS = (signal.SIGINT, signal.SIGQUIT)  # a terminal sends these to the child itself
_NOT_FOUND, _NOT_RUNNABLE, _SIGNALLED = 127, 126, 128  # as a shell says it


@dataclass(frozen=True, slots=True)
class RunLimits:
    """What the run may cost, as given, and the file of budgets."""

    usd: str | None
    file: Path | None

    def budgets(self) -> list[Budget]:
        """The budgets of the run, that of --budget first. ConfigurationError if it is not an amount."""
        from gembill.money import parse_usd
        from gembill.rules.budgets import BudgetPeriod
        from gembill.run import limit

        budgets = [budget for budget in load(self.file)[1] if budget.span is BudgetPeriod.RUN]
        if self.usd is None:
            return budgets
        pico = parse_usd(self.usd)
        if pico < 0:
            raise ConfigurationError(f"--budget is {self.usd}; it cannot be negative")
        return [limit(pico, "--budget"), *budgets]


_LIMITS = (
    click.option("--budget", "usd", metavar="USD", help="What the run may cost, like 0.50; more exits with 10."),
    file_option,
)


@click.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@together("limits", RunLimits, _LIMITS)
@click.option("--label", multiple=True, metavar="NAME=VALUE", help="A label for every call of the run. Repeatable.")
@exit_options
@click.option("--upstream", metavar="URL", help="The API behind the proxy.  [default: the public Gemini API]")
@database_url_option
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED, metavar="-- COMMAND...")
@click.pass_context
def run(
    ctx: click.Context,
    /,
    command: tuple[str, ...],
    limits: RunLimits,
    label: tuple[str, ...],
    exits: ExitRule,
    upstream: str | None,
    database_url: str | None,
) -> None:
    """Run a program, record its Gemini calls, and show what they cost.

    A proxy is started on a free port, and the program gets its address in GOOGLE_GEMINI_BASE_URL and
    GOOGLE_VERTEX_BASE_URL, which the SDKs for Python, JavaScript and Go read. Budgets of the file whose period is `run`
    count beside --budget. The program's own exit code is kept if it fails. If no call reached the
    proxy, that is said; with --strict it is exit 12.

    \b
    gembill run --budget 0.50 --label job=nightly -- pytest -q
    """
    from gembill import config
    from gembill.capture.redaction import install

    budgets = limits.budgets()
    settings = config.load({"upstream": upstream, "database_url": database_url})
    labels = parse_labels(label, "--label")
    redaction = install(logging.WARNING)
    from gembill.run import Run, environment, replaced_addresses

    recorded = Run(settings, labels)
    for sentence in replaced_addresses(settings):
        click.echo(f"gembill: {sentence}", err=True)
    with recorded.recording(redaction) as url:
        code = _child(command, environment(url, recorded.id))
    try:
        statuses, known = _judge(recorded, budgets, ran=code not in (_NOT_FOUND, _NOT_RUNNABLE))
    except GembillError as error:
        if not code:
            raise
        click.echo(f"gembill: {error}", err=True)  # the program's own failure is what counts
        statuses, known = [], True
    ctx.exit(code or exits.code(statuses, known=known))


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
    """Whether we are in the foreground of a terminal, which then has sent them to the child too."""
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


def _judge(recorded: Run, budgets: list[Budget], *, ran: bool) -> tuple[list[BudgetStatus], bool]:
    """The state of the budgets, and whether calls reached us whose whole cost is known; what they cost goes to stderr.

    A batch whose results the run did not read has a cost that is not known.

    LedgerError if calls are not in the ledger.
    """
    import sys

    from gembill.period import Period, zone
    from gembill.run import NOT_REACHED, unread
    from gembill_reports.analysis.report import report
    from gembill_reports.layout import screen
    from gembill_reports.views import budgets as shown

    recorded.settle(seconds=0.0)
    ledger = recorded.ledger()
    try:
        statuses = recorded.budget_statuses(budgets, ledger)
        rows = report(ledger, Period(None, None, zone()), ("model",), selection=recorded.selection())
    finally:
        ledger.close()
    sheet = shown.run_sheet(rows, statuses)
    screen.write([sheet.terminal(screen.width(), color=screen.colored(sys.stderr))], sys.stderr)
    batches = recorded.unread_batches
    for sentence in unread(batches) if batches or rows.total.calls or not ran else [NOT_REACHED]:
        click.echo(f"gembill: {sentence}", err=True)
    return statuses, rows.total.calls > 0 and rows.total.is_known and not batches
