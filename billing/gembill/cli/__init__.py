"""The command `gembill`.

Owns: the list of commands and how an error becomes one sentence and an exit code. Not here: commands, which are in
files of their own that are imported only when they are called. Invariant: data goes to stdout, everything else to
stderr.
"""

import importlib

import click

from gembill import __version__
from gembill.errors import GembillError

_COMMANDS = {
    "audit": ("gembill.cli.audit", "Check that the ledger's books balance."),
    "budget": ("gembill.cli.budget", "Check budgets; a breach exits with 10."),
    "compare": ("gembill.cli.compare", "What recorded tokens would have cost otherwise."),
    "dashboard": ("gembill.cli.dashboard", "Show the ledger in a browser."),
    "db": ("gembill.cli.db", "Upgrade or check the ledger's schema."),
    "demo": ("gembill.cli.demo", "Try everything on made-up data: no key, no network."),
    "export": ("gembill.cli.export", "Write calls or charges for other programs: csv, jsonl, FOCUS."),
    "import": ("gembill.cli.imports:import_calls", "Record calls that did not pass through the proxy."),
    "prices": ("gembill.cli.prices", "List, check, set or sync prices."),
    "proxy": ("gembill.cli.proxy", "Record Gemini calls that pass through."),
    "receipt": ("gembill.cli.receipt", "Explain one call: tokens, prices, executions."),
    "records": ("gembill.cli.records", "List recorded calls."),
    "report": ("gembill.cli.report", "Sum up calls by model, label or time."),
    "repost": ("gembill.cli.rerate:repost", "Read raw events of recorded calls again."),
    "rerate": ("gembill.cli.rerate", "Charge recorded calls again by the prices in force."),
    "run": ("gembill.cli.run", "Run a program and say what its Gemini calls cost."),
    "simulate": ("gembill.cli.simulate", "Serve a look-alike of the Gemini API on loopback."),
}


class _LazyGroup(click.Group):
    """A group that knows its commands by name and imports one only when it runs."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _COMMANDS:
            return None
        module, _, attribute = _COMMANDS[cmd_name][0].partition(":")  # a module cannot be named `import`
        command: click.Command = getattr(importlib.import_module(module), attribute or cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in sorted(_COMMANDS.items())])


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="gembill")
def gembill() -> None:
    """Token billing and usage accounting for the code execution of Google's Gemini API."""


def main() -> None:
    """Run the command line; an error of ours is one sentence on stderr and its own exit code."""
    try:
        gembill.main(prog_name="gembill")
    except GembillError as error:
        click.echo(f"gembill: {error}", err=True)
        raise SystemExit(error.exit_code) from None
