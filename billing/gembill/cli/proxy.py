"""`gembill proxy`: record Gemini calls that pass through.

Owns: the command's flags and what it prints at start. Not here: the proxy (`gembill.service`).
Invariant: it listens on other addresses than loopback only with --allow-remote.
"""

from __future__ import annotations

import contextlib
import gc
import logging
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import click

from gembill.address import loopback, masked
from gembill.cli.options import together
from gembill.config import Settings, load
from gembill.errors import ConfigurationError, GembillError

if TYPE_CHECKING:
    from gembill.alert.watch import Watch


@dataclass(frozen=True, slots=True)
class ProxyFlags:
    """Settings as given on the command line; None is not given."""

    host: str | None
    port: int | None
    upstream: str | None
    vertex_upstream: str | None
    database_url: str | None
    on_record_failure: str | None


_FLAGS = (
    click.option("--host", help="Address to listen on.  [default: 127.0.0.1]"),
    click.option(
        "--port", type=click.IntRange(0, 65535), help="Port to listen on; 0 takes a free one.  [default: 8787]"
    ),
    click.option("--upstream", metavar="URL", help="The API behind the proxy.  [default: the public Gemini API]"),
    click.option("--vertex-upstream", metavar="URL", help="The API behind Vertex paths.  [default: the same upstream]"),
    click.option("--database-url", metavar="URL", help="The ledger: sqlite:///FILE or postgresql://..."),
    click.option(
        "--on-record-failure",
        type=click.Choice(["closed", "open"]),
        help="When a call cannot be recorded: refuse it (closed, the default), or serve and count it (open).",
    ),
)


@click.command()
@together("flags", ProxyFlags, _FLAGS)
@click.option("--allow-remote", is_flag=True, help="Listen on an address that other machines can reach.")
@click.option(
    "--log-level", type=click.Choice(["debug", "info", "warning", "error"]), default="info", show_default=True
)
def proxy(flags: ProxyFlags, allow_remote: bool, log_level: str) -> None:
    """Record Gemini calls that pass through.

    Point your program at it, for example with GOOGLE_GEMINI_BASE_URL=http://127.0.0.1:8787, and keep your key where it
    is: it is passed on and never written. Headers x-gembill-label-NAME: VALUE label a call.
    Budgets are checked every minute if GEMBILL_WEBHOOK_URL or GEMBILL_NOTIFY_URLS is set.
    """
    settings = load(asdict(flags))
    if not loopback(settings.host) and not allow_remote:
        raise ConfigurationError(f"other machines can reach {settings.host}; add --allow-remote if that is meant")
    from gembill.capture.redaction import install

    redaction = install(logging.getLevelNamesMapping()[log_level.upper()])
    from gembill.service import ProxyService

    _begin_ledger(settings)
    station = ProxyService(settings, redaction, watch=_watch(settings))
    click.echo(_announcement(station.url, settings), err=True)
    click.echo(f"gembill: export GOOGLE_GEMINI_BASE_URL={station.url}", err=True)
    gc.collect()
    gc.freeze()  # what is loaded by now stays: scanning it again stops all calls for a quarter of a second
    station.serve()


def _begin_ledger(settings: Settings) -> None:
    """Make a ledger in a file now, so that reports before the first call are empty and not an error.

    One that cannot be made stops no call: the spool keeps them, and posting says what is wrong.
    """
    from gembill.ledger import ledger_file, open_ledger

    file = ledger_file(settings.ledger_url)
    if file is not None and not file.exists():
        with contextlib.suppress(GembillError, OSError):
            open_ledger(settings.ledger_url).close()


def _watch(settings: Settings) -> Watch | None:
    """The budgets of the file, if there are any and an alert channel is configured."""
    from gembill.alert.notify import configured
    from gembill.alert.watch import Watch
    from gembill.cli.budget import load as load_budgets

    _, budgets = load_budgets()
    channels = configured(settings)
    return Watch(budgets, channels) if budgets and channels else None


def _announcement(url: str, settings: Settings) -> str:
    return f"gembill: {url} -> {masked(settings.upstream)}, ledger {masked(settings.ledger_url)}"
