"""`gembill rerate` and `gembill repost`: charge recorded calls again, or read them again.

Owns: the commands and their flags. Not here: rating and reading (`gembill.replay`). Invariant: with `--dry-run` nothing
is written.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click

from gembill.cli.options import CallFilter, database_url_option, opened, selection_options, together
from gembill.cli.output import Output, output_options
from gembill.cli.progress import Progress

if TYPE_CHECKING:
    from gembill.config import Settings
    from gembill.ledger import Ledger
    from gembill.price_catalog import PricingTerms
    from gembill.replay import ReplayResult
    from gembill_reports.views.replay import ReplayView

Command = TypeVar("Command", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class PolicyFlags:
    """Policies as given; without one the setting of the same name counts."""

    long_context_counts: str | None
    tool_tokens_with_grounding: str | None
    results_as_output: str | None


_POLICIES = (
    click.option(
        "--long-context-counts",
        type=click.Choice(["prompt", "prompt_and_intermediate"]),
        help="What is held against the long-prompt threshold.",
    ),
    click.option(
        "--tool-tokens-with-grounding",
        type=click.Choice(["input", "free"]),
        help="What intermediate tokens of a grounded call cost.",
    ),
    click.option(
        "--results-as-output",
        type=click.Choice(["reported", "estimate"]),
        help="Whether execution results are charged as output, estimated.",
    ),
)


def replay_options(command: Command) -> Command:
    """Give a command what both of them take: `calls`, `dry_run`, `policies`, `output` and `database_url`."""
    wrapped: Any = database_url_option(command)
    wrapped = output_options()(wrapped)
    wrapped = together("policies", PolicyFlags, _POLICIES)(wrapped)
    wrapped = click.option("--dry-run", is_flag=True, help="Only show what would change.")(wrapped)
    return selection_options(wrapped)  # type: ignore[no-any-return]


@click.command()
@replay_options
def rerate(calls: CallFilter, dry_run: bool, policies: PolicyFlags, output: Output, database_url: str | None) -> None:
    """Charge recorded calls again, by the prices and policies now in force.

    Tokens stay as recorded. What changes is corrected by further charges: `gembill receipt` shows old and new with
    their price rows. The same prices change nothing. It may run beside a proxy.
    """
    from gembill.replay import rerate as again

    output.write(_done(again, calls, policies, database_url, dry_run=dry_run))


@click.command()
@replay_options
def repost(calls: CallFilter, dry_run: bool, policies: PolicyFlags, output: Output, database_url: str | None) -> None:
    """Read the raw events of recorded calls again, with this version's metering, and charge what it finds.

    For after an upgrade that reads usage better. What changes is corrected by further charges, as with `gembill
    rerate`. Events that could not be read before (dead letters) are tried again, whatever the period.
    """
    from gembill.replay import repost as again

    output.write(_done(again, calls, policies, database_url, dry_run=dry_run))


def _done(
    again: Callable[..., ReplayResult],
    calls: CallFilter,
    policies: PolicyFlags,
    database_url: str | None,
    *,
    dry_run: bool,
) -> ReplayView:
    """Do it on the configured ledger."""
    from gembill.ledger import holds_demo_data, read_totals
    from gembill_reports.views.replay import ReplayView

    period = calls.period()
    with opened(database_url, flags=asdict(policies), read_only=dry_run) as (ledger, settings):
        selection = calls.selection(period, ledger)
        terms = _terms(ledger, settings, dry_run=dry_run)
        with Progress("records", read_totals(ledger, selection)[0].calls) as progress:

            def seen(records: int, changed: int) -> None:
                progress.reach(records, f"{changed:,} changed")

            result = again(ledger, selection, terms, seen, dry_run=dry_run)
        return ReplayView(result=result, period=period, dry_run=dry_run, demo=holds_demo_data(ledger))


def _terms(ledger: Ledger, settings: Settings, *, dry_run: bool) -> PricingTerms:
    """The prices and policies in force; `terms` keeps the list that comes with gembill, which a dry run must not."""
    from gembill.price_catalog import PricingTerms, book_in_force, policies, terms

    return PricingTerms(book_in_force(ledger, settings), policies(settings)) if dry_run else terms(ledger, settings)
