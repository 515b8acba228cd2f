"""`gembill rerate`: charge recorded calls anew by the prices now in force.

Owns: the command and its flags. Owns no rating (`gembill.replay`). Invariant: with `--dry-run` nothing is written.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from gembill.cli.options import Choice, database_url_option, format_option, selection_options

if TYPE_CHECKING:
    from gembill.config import Settings
    from gembill.ledger import Ledger, Selection
    from gembill.price_catalog import PricingTerms
    from gembill.replay import ReplayResult

Command = TypeVar("Command", bound=Callable[..., Any])

_EVERY = 2.0  # seconds between signs of life
_POLICIES = (
    ("long_context_counts", ["prompt", "prompt_and_intermediate"], "What is held against the long-prompt threshold."),
    ("tool_tokens_with_grounding", ["input", "free"], "What intermediate tokens of a grounded call cost."),
    ("results_as_output", ["reported", "estimate"], "Whether execution results are charged as output, estimated."),
)


def policy_options(command: Command) -> Command:
    """Give a command a flag for each policy; without it the setting of the same name counts."""
    wrapped: Any = command
    for name, words, text in reversed(_POLICIES):
        wrapped = click.option("--" + name.replace("_", "-"), name, type=click.Choice(words), help=text)(wrapped)
    return wrapped  # type: ignore[no-any-return]


dry_run_option = click.option("--dry-run", is_flag=True, help="Only show what would change.")


@click.command()
@selection_options
@dry_run_option
@policy_options
@format_option
@database_url_option
def rerate(choice: Choice, dry_run: bool, form: str, **flags: str | None) -> None:
    """Charge recorded calls anew by the prices and policies now in force.

    Tokens stay as recorded. What changes is corrected by further charges: `gembill receipt` shows old and new with
    their price rows. The same prices change nothing. It may run beside a proxy.
    """
    from gembill.replay import rerate as again

    run(again, choice, form, dry_run=dry_run, flags=flags)


def run(
    again: Callable[..., ReplayResult], choice: Choice, form: str, *, dry_run: bool, flags: dict[str, str | None]
) -> None:
    """Do it on the configured ledger and show what changed."""
    from gembill.config import load
    from gembill_reports.layout import screen
    from gembill_reports.views import replay

    period = choice.period()
    settings = load(flags)
    found, demo = _done(again, settings, choice.selection(period), dry_run=dry_run)
    if form == "json":
        screen.write([replay.json_text(found, period, dry_run=dry_run)])
    elif form == "csv":
        screen.write(replay.csv_text(found))
    else:
        screen.write([replay.sheet(found, period, dry_run=dry_run, demo=demo).written(form)])


def _done(
    again: Callable[..., ReplayResult], settings: Settings, selection: Selection, *, dry_run: bool
) -> tuple[ReplayResult, bool]:
    """What changed, and whether the ledger holds made-up calls."""
    from gembill.ledger import open_ledger
    from gembill.ledger.records import holds_demo_data
    from gembill.price_catalog import PricingTerms, book_in_force, policies, terms

    def in_force(ledger: Ledger) -> PricingTerms:
        return PricingTerms(book_in_force(ledger, settings), policies(settings)) if dry_run else terms(ledger, settings)

    ledger = open_ledger(settings.ledger_url, read_only=dry_run)
    try:
        found = again(ledger, selection, in_force(ledger), _Progress(), dry_run=dry_run)
        return found, holds_demo_data(ledger)
    finally:
        ledger.close()


class _Progress:
    """Signs of life on stderr while it takes long."""

    def __init__(self) -> None:
        self._last = time.monotonic()

    def __call__(self, seen: int, changed: int) -> None:
        now = time.monotonic()
        if now - self._last >= _EVERY:
            self._last = now
            click.echo(f"gembill: {seen:,} records read, {changed:,} changed", err=True)
