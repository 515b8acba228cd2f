"""The command `gembill`.

Owns: the list of commands and how an error, ours or the machine's, becomes one sentence and an exit code. Not here:
commands, which are in files of their own that are imported only when they are called. Invariant: data goes to stdout,
everything else to stderr; whatever the machine refuses (a full disk, a closed pipe), nobody reads a traceback.
"""

import contextlib
import errno
import importlib
import io
import os
import sys

import click

from gembill import __version__
from gembill.cli.groups import NearGroup, usage_sentence
from gembill.errors import GembillError

_SECTIONS = {  # in the order in which people meet them
    "Begin": {
        "demo": ("gembill.cli.demo", "Try everything on made-up data: no key, no network."),
        "proxy": ("gembill.cli.proxy", "Record Gemini calls that pass through."),
        "run": ("gembill.cli.run", "Run a program and say what its Gemini calls cost."),
        "import": ("gembill.cli.imports:import_calls", "Record calls that did not pass through the proxy."),
    },
    "Look": {
        "report": ("gembill.cli.report", "Sum up calls by model, label or time."),
        "dashboard": ("gembill.cli.dashboard", "Show the ledger in a browser."),
        "records": ("gembill.cli.records", "List recorded calls."),
        "receipt": ("gembill.cli.receipt", "Explain one call: tokens, prices, executions."),
        "compare": ("gembill.cli.compare", "What recorded tokens would have cost otherwise."),
        "diff": ("gembill.cli.diff", "What a run, label or branch costs against a baseline."),
        "export": ("gembill.cli.export", "Write calls or charges for other programs: csv, jsonl, FOCUS."),
    },
    "Limit": {
        "budget": ("gembill.cli.budget", "Check budgets; a breach exits with 10."),
    },
    "Prices and books": {
        "statement": ("gembill.cli.statement", "What each team or customer used in a month, and owes."),
        "close": ("gembill.cli.close", "Close a month: its totals and prices are kept for good."),
        "prices": ("gembill.cli.prices", "List, check, set or sync prices."),
        "reconcile": ("gembill.cli.reconcile", "Hold Google's bill against the ledger."),
        "rerate": ("gembill.cli.rerate", "Charge recorded calls again by the prices in force."),
        "repost": ("gembill.cli.rerate:repost", "Read raw events of recorded calls again."),
        "doctor": ("gembill.cli.doctor", "Say what is wrong here, and which command mends it."),
        "replay": ("gembill.cli.replay", "Fill a ledger again from the spools that are kept."),
        "spool": ("gembill.cli.spool", "List, adopt, renew or salvage spools."),
        "audit": ("gembill.cli.audit", "Check that the ledger's books balance."),
        "db": ("gembill.cli.db", "Upgrade, check, back up or restore the ledger."),
    },
    "Test": {
        "simulate": ("gembill.cli.simulate", "Serve a look-alike of the Gemini API on loopback."),
    },
}
_COMMANDS = {name: command for section in _SECTIONS.values() for name, command in section.items()}
_OTHER_WORDS = {  # what people call a command that has another name here
    "bill": "report",
    "calls": "records",
    "invoice": "reconcile",
    "cost": "report",
    "costs": "report",
    "list": "records",
    "serve": "proxy",
    "start": "proxy",
    "summary": "report",
    "ui": "dashboard",
    "web": "dashboard",
}


class _LazyGroup(NearGroup):
    """A group that knows its commands by name and imports one only when it runs."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _COMMANDS:
            return None
        module, _, attribute = _COMMANDS[cmd_name][0].partition(":")  # a module cannot be named `import`
        command: click.Command = getattr(importlib.import_module(module), attribute or cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        width = max(map(len, _COMMANDS))  # one column for all sections
        for title, commands in _SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(name.ljust(width), text) for name, (_, text) in commands.items()])


@click.group(cls=_LazyGroup, other_words=_OTHER_WORDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="gembill")
def gembill() -> None:
    """Token billing and usage accounting for the code execution of Google's Gemini API."""


_OUTPUT_ERRORS = {errno.EPIPE, errno.ENOSPC, errno.EIO, errno.EDQUOT, errno.EFBIG}


def main() -> None:
    """Run the command line; an error is one sentence on stderr and its own exit code, the machine's errors have 1."""
    _prepare_streams()
    try:
        code = _run()
        sys.stdout.flush()  # what is still held back fails here, not where nobody can report it
    except GembillError as error:
        code = _complain(str(error), error.exit_code)
    except OSError as error:
        code = _complain(_sentence(error), 1)
    _close_streams()
    raise SystemExit(code)


def _run() -> int:
    """What click does when it is the program, except that an OSError comes out."""
    streams = sys.stdout, sys.stderr
    try:
        code = gembill.main(prog_name="gembill", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return error.exit_code
    except click.UsageError as error:
        return _complain(usage_sentence(error), error.exit_code)
    except click.ClickException as error:
        return _complain(error.format_message(), error.exit_code)
    except click.Abort:
        return _complain("stopped", 1)
    except SystemExit:
        if streams == (sys.stdout, sys.stderr):
            raise
        sys.stdout, sys.stderr = streams  # click leaves without a word, and with mute streams, where a pipe was closed
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE)) from None
    return code if isinstance(code, int) else 0


def _prepare_streams() -> None:
    """A stream that was closed before we began leads nowhere; a character that one cannot show is written out."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115, PTH123 (kept until the end)
        elif isinstance(stream := getattr(sys, name), io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _close_streams() -> None:
    """Let nothing be written at the interpreter's end, where a failure would be a traceback and another exit code."""
    for stream, number in ((sys.__stdout__, 1), (sys.__stderr__, 2)):
        try:
            if stream is not None:
                stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), number)


def _sentence(error: OSError) -> str:
    reason = error.strerror or str(error) or type(error).__name__
    if error.filename is not None:
        return f"{os.fsdecode(error.filename)}: {reason}"
    return f"the output cannot be written: {reason}" if error.errno in _OUTPUT_ERRORS else reason


def _complain(sentence: str, code: int) -> int:
    with contextlib.suppress(OSError):  # then the exit code has to do
        click.echo(f"gembill: {sentence}", err=True)
    return code
