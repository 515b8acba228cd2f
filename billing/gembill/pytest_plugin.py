"""A pytest plugin: what the tests' Gemini calls cost, and a limit for a test or for all.

Owns: the options, the marker `gemini_budget`, the fixture `gemini_meter` and the summary. Not here: recording
(`gembill.run`). Invariant: without `--gemini-budget` nothing is started, nothing heavy is imported and no test changes.

Under pytest-xdist every worker records by itself, because a worker runs one test at a time: its calls are those of the
test that runs, and get its label. All workers write to one ledger under one run id, and the controller adds up there.
What a worker that crashed had not posted is posted by the next one; the summary cannot wait for that.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Generator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from gembill.errors import ConfigurationError, GembillError

if TYPE_CHECKING:
    from decimal import Decimal

    from gembill.rules.budgets import BudgetStatus
    from gembill.run import Run
    from gembill_reports.analysis.report import Report

_OPTION = "--gemini-budget"
_STRICT = "--gemini-strict"
_LABEL = "--gemini-label"
_MARKER = "gemini_budget(usd): the most that the Gemini calls of this test may cost, in US dollars, like usd='0.10'"
_RUN = "gembill_run"
_BATCHES = "gembill_batches"
_PLUGIN = "gembill-run"
_NAME_CHARS = 200


def pytest_addoption(parser: pytest.Parser) -> None:
    """The option that switches everything on, and how strict it is."""
    group = parser.getgroup("gembill", "cost of Gemini calls")
    group.addoption(_OPTION, metavar="USD", help="Record the tests' Gemini calls; fail if they cost more than this.")
    group.addoption(
        _LABEL,
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="A label for every call, like branch=main for `gembill diff`. Repeatable.",
    )
    group.addoption(
        _STRICT,
        action="store_true",
        help="Exit 12 if calls have no price or may lack tokens, or if none reached the proxy.",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Name the marker, and start recording if that was asked for."""
    config.addinivalue_line("markers", _MARKER)
    text = config.getoption(_OPTION)
    if text is None and config.getoption(_STRICT):
        raise pytest.UsageError(f"{_STRICT} says how {_OPTION} USD judges, and that was not given")
    if text is None and config.getoption(_LABEL):
        raise pytest.UsageError(f"{_LABEL} labels calls that {_OPTION} USD records, and that was not given")
    if text is not None:
        config.pluginmanager.register(_Recording(config, text), _PLUGIN)


@pytest.fixture
def gemini_meter(request: pytest.FixtureRequest) -> GeminiMeter:
    """What this test's Gemini calls have cost so far; the test is skipped where they are not recorded."""
    recording = request.config.pluginmanager.get_plugin(_PLUGIN)
    if recording is None:
        pytest.skip(f"gemini_meter measures only with {_OPTION} USD")
    return GeminiMeter(recording, request.node.nodeid)


class GeminiMeter:
    """The calls of one test. Each question waits until all calls so far are counted."""

    def __init__(self, recording: _Recording, test: str) -> None:
        self._recording = recording
        self._test = test

    @property
    def calls(self) -> int:
        """How many."""
        return self._recording.used_by(self._test).total.calls

    @property
    def tokens(self) -> int:
        """Input, intermediate and output."""
        counts = self._recording.used_by(self._test).total.tokens
        return sum(count or 0 for count in (counts.input, counts.intermediate, counts.output))

    @property
    def cost_pico(self) -> int | None:
        """Pico-dollars (1e-12); None if nothing is known of it."""
        return self._recording.used_by(self._test).total.cost_pico

    @property
    def cost_usd(self) -> Decimal | None:
        """US dollars; None if nothing is known of it."""
        from decimal import Decimal

        pico = self.cost_pico
        return None if pico is None else Decimal(pico).scaleb(-12)


class _Recording:
    """The run of one pytest process: a worker's, the controller's, or that of a session without workers."""

    def __init__(self, config: pytest.Config, text: str) -> None:
        from gembill.config import load
        from gembill.model import parse_labels
        from gembill.run import Run, replaced_addresses

        self.limit = _option(text)
        self._strict = bool(config.getoption(_STRICT))
        worker = getattr(config, "workerinput", None)
        try:
            labels = parse_labels(config.getoption(_LABEL), _LABEL)
            if "test" in labels:
                raise ConfigurationError(f"{_LABEL} test=...: that label is the test's own; choose another name")
            settings = load()
            self.run: Run = Run(settings, labels, worker[_RUN] if worker else None)
        except GembillError as error:
            raise pytest.UsageError(f"gembill: {error}") from None
        self._is_worker = worker is not None
        self._replaced = replaced_addresses(settings)
        self._takes_calls = worker is not None or not config.getoption("numprocesses", None)
        self._open = ExitStack()
        self._known: tuple[Report, BudgetStatus] | None = None
        self._trouble = ""
        self._batches: list[str] = []  # made, and their results not read

    def used_by(self, test: str | None = None) -> Report:
        """What the calls of a test, or of all, used, by model. LedgerError if some are not in the ledger in time."""
        from gembill.period import Period, zone
        from gembill_reports.analysis.report import report

        if self._takes_calls:
            self.run.settle()
        ledger = self.run.ledger()
        try:
            labels = {"test": _label(test)} if test else {}
            return report(ledger, Period(None, None, zone()), ("model",), selection=self.run.selection(labels))
        finally:
            ledger.close()

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:  # noqa: ANN401 - xdist's WorkerController
        """Give a worker the id of the run it is part of (a hook of xdist's)."""
        node.workerinput[_RUN] = self.run.id

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self) -> None:
        """Start recording and point this process at it."""
        from gembill.run import environment

        if not self._takes_calls:
            return
        try:
            url = self._open.enter_context(self.run.recording())
        except GembillError as error:
            raise pytest.UsageError(f"gembill: {error}") from None
        for name, value in environment(url, self.run.id, {}).items():
            self._open.callback(_restore, name, os.environ.get(name))
            os.environ[name] = (
                f"{os.environ[name]},{value}" if name.lower() == "no_proxy" and os.environ.get(name) else value
            )

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Name the test on its calls, those of its fixtures too."""
        self.run.label({"test": _label(item.nodeid)})
        try:
            return (yield)
        finally:
            self.run.label({})

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, object, object]:
        """Fail a test that cost more than its marker allows; one that fails by itself keeps its own message."""
        marker = item.get_closest_marker("gemini_budget")
        allowed = None if marker is None else _allowed(marker)
        result = yield
        if allowed is not None:
            self._hold(item.nodeid, allowed)
        return result

    def _hold(self, test: str, allowed: int) -> None:
        from gembill.money import display

        total = self.used_by(test).total
        if (total.cost_pico or 0) > allowed:
            calls = "call" if total.calls == 1 else "calls"
            pytest.fail(
                f"{total.calls} Gemini {calls} of this test cost {display(total.cost_pico or 0)}, "
                f"more than the {display(allowed)} that gemini_budget allows",
                pytrace=False,
            )

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Stop recording; the process that ends last adds up, and fails the session if it cost too much."""
        self._stop()
        if self._is_worker:
            session.config.workeroutput |= {_RUN: self._trouble, _BATCHES: self._batches}  # type: ignore[attr-defined]
            return
        try:
            self._known = self._judged()
        except GembillError as error:
            self._trouble = str(error)
        if self._trouble or self._known is None:
            session.exitstatus = session.exitstatus or pytest.ExitCode.TESTS_FAILED
            return
        if session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
            session.exitstatus = self._verdict(*self._known) or session.exitstatus

    def _verdict(self, report: Report, status: BudgetStatus) -> int:
        """The exit code of a session without failures: not 0 if it cost too much or, if strict, nobody knows."""
        from gembill.rules.budgets import exit_code

        if status.used > self.limit:
            return pytest.ExitCode.TESTS_FAILED
        known = report.total.calls > 0 and report.total.is_known and not self._batches
        return exit_code([status], strict=self._strict, known=known)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:  # noqa: ANN401 - xdist's WorkerController
        """Take over whether a worker could not post its calls, and the batches it left (a hook of xdist's)."""
        output = getattr(node, "workeroutput", {})
        self._trouble = self._trouble or output.get(_RUN, "")
        self._batches += output.get(_BATCHES, ())

    def _stop(self) -> None:
        """End recording; what could not be posted is trouble."""
        try:
            if self._takes_calls:
                self.run.settle()
        except GembillError as error:
            self._trouble = str(error)
        finally:
            self._open.close()
            self._batches += self.run.unread_batches

    def _judged(self) -> tuple[Report, BudgetStatus]:
        from gembill.run import limit

        ledger = self.run.ledger()
        try:
            (status,) = self.run.budget_statuses([limit(self.limit, _OPTION)], ledger)
        finally:
            ledger.close()
        self._takes_calls = False
        return self.used_by(), status

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """The section `Gemini calls`: by model, and the state of the budget."""
        from gembill.run import NOT_REACHED, unread
        from gembill_reports.views.budgets import run_sheet

        terminalreporter.section("Gemini calls")
        for sentence in self._replaced:
            terminalreporter.write_line(sentence)
        if self._trouble:
            terminalreporter.write_line(f"UNKNOWN COST: {self._trouble}")
        if self._known is None:
            return
        report, status = self._known
        sheet = run_sheet(report, [status])
        terminalreporter.write_line(sheet.terminal(terminalreporter._tw.fullwidth).rstrip())  # noqa: SLF001
        for sentence in unread(self._batches) if self._batches or report.total.calls else [NOT_REACHED]:
            terminalreporter.write_line(sentence)


def _allowed(marker: pytest.Mark) -> int:
    if set(marker.kwargs) != {"usd"} or marker.args:
        pytest.fail("gemini_budget takes one argument, usd, like gemini_budget(usd='0.10')", pytrace=False)
    try:
        return _pico(marker.kwargs["usd"])
    except GembillError as error:
        pytest.fail(f"gemini_budget: {error}", pytrace=False)


def _option(text: str) -> int:
    try:
        return _pico(text)
    except GembillError as error:
        raise pytest.UsageError(f"{_OPTION}: {error}") from None


def _pico(value: object) -> int:
    """Pico-dollars of an amount as people write it in tests: a text, a number or a Decimal; else ConfigurationError."""
    from decimal import Decimal

    from gembill.money import parse_usd

    text = format(Decimal(repr(value)), "f") if isinstance(value, float) else str(value)
    pico = parse_usd(text)
    if pico < 0:
        raise ConfigurationError(f"{value} is less than nothing")
    return pico


def _label(test: str) -> str:
    """The name of a test as a label: cut where it is long, and then still its own."""
    if len(test) <= _NAME_CHARS and "\0" not in test:
        return test
    return f"{test[:_NAME_CHARS]}…{hashlib.sha256(test.encode()).hexdigest()[:16]}".replace("\0", "")


def _restore(name: str, value: str | None) -> None:
    if value is None:
        os.environ.pop(name, None)
    else:
        os.environ[name] = value
