"""`gembill proxy`: record Gemini calls that pass through.

Owns: the command's flags and what it prints at start. Not here: the proxy (`gembill.service`).
Invariant: it listens on other addresses than loopback only with --allow-remote.
"""

from __future__ import annotations

import gc
import logging
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import click

from gembill.address import addresses, from_here, loopback, masked
from gembill.cli.options import together
from gembill.config import Settings, load
from gembill.errors import ConfigurationError

if TYPE_CHECKING:
    from gembill.handover import TakenOver


@dataclass(frozen=True, slots=True)
class ProxyFlags:
    """Settings as given on the command line; None is not given."""

    host: str | None
    port: int | None
    upstream: str | None
    vertex_upstream: str | None
    database_url: str | None
    on_record_failure: str | None
    tls: str | None
    tls_cert: str | None
    tls_key: str | None
    log_format: str | None
    access_log: str | None


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
    click.option("--tls", type=click.Choice(["self"]), help="Speak TLS with a certificate made for this machine."),
    click.option("--tls-cert", metavar="FILE", help="Speak TLS with this certificate (PEM)."),
    click.option("--tls-key", metavar="FILE", help="The key of --tls-cert, if it is not in the same file."),
    click.option("--log-format", type=click.Choice(["text", "json"]), help="The form of a line of the log."),
    click.option("--access-log", metavar="FILE", help="Write a line a request, without query and key; - is stderr."),
)


@click.command()
@together("flags", ProxyFlags, _FLAGS)
@click.option(
    "--allow-remote",
    is_flag=True,
    help="Listen on an address that other machines can reach; callers there show a token.",
)
@click.option(
    "--log-level", type=click.Choice(["debug", "info", "warning", "error"]), default="info", show_default=True
)
@click.option(
    "--take-over", is_flag=True, help="Take the place of the proxy on this port; its calls under way end as they would."
)
def proxy(flags: ProxyFlags, allow_remote: bool, log_level: str, take_over: bool) -> None:
    """Record Gemini calls that pass through.

    Point your program at it, for example with GOOGLE_GEMINI_BASE_URL=http://127.0.0.1:8787, and keep your key where it
    is: it is passed on and never written. Headers x-gembill-label-NAME: VALUE label a call.
    Budgets are checked every minute if GEMBILL_WEBHOOK_URL or GEMBILL_NOTIFY_URLS is set.
    """
    settings = load(asdict(flags))
    if not loopback(settings.host) and not allow_remote:
        raise ConfigurationError(f"other machines can reach {settings.host}; add --allow-remote if that is meant")
    from gembill.certificate import how_to_trust
    from gembill.logs import access_log, set_up
    from gembill.posting_supervisor import PostingSupervisor

    level = logging.getLevelNamesMapping()[log_level.upper()]
    redaction = set_up(settings, level)
    posting = PostingSupervisor(settings, level)  # it loads while the proxy does
    from gembill.service import ProxyService

    taken = _taken(settings) if take_over else None
    station = ProxyService(settings, posting, redaction, access_log(settings, redaction), taken)
    posting.ready()
    click.echo(_announcement(station.url, settings, station.way_out), err=True)
    click.echo(f"gembill: export GOOGLE_GEMINI_BASE_URL={from_here(station.url)}", err=True)
    for advice in filter(
        None,
        (
            _from_elsewhere(station.url),
            _on_names(settings),
            _on_token(settings, station.made_token),
            how_to_trust(settings),
        ),
    ):
        click.echo(f"gembill: {advice}", err=True)
    gc.collect()
    gc.freeze()  # what is loaded by now stays: scanning it again stops all calls for a quarter of a second
    _keep_freed_memory()
    station.serve(replaceable=True)


def _keep_freed_memory() -> None:
    """Let glibc keep up to 4 MiB that were freed, in place of giving the buffers of each long body back to the kernel.

    It keeps twice the largest block it saw freed (mallopt(3), M_MMAP_THRESHOLD); other allocators do not care.
    """
    bytes(2 << 20)


def _taken(settings: Settings) -> TakenOver | None:
    """The place of the proxy that listens on our port; None where there is none, and the start is like any other."""
    from gembill.handover import take_over

    taken = take_over(settings.data_folder, settings.port)
    if taken is None:
        return None
    there = taken.listener.getsockname()[0]
    if there not in addresses(settings.host):  # also because who has to show a token depends on it
        raise ConfigurationError(f"the proxy on port {settings.port} listens on {there}, which cannot be changed now")
    return taken


def _from_elsewhere(url: str) -> str | None:
    """How programs of other machines call; None where the address that was given says it."""
    if from_here(url) == url:
        return None
    return (
        f"programs on other machines: {url.partition('://')[0]}://NAME:{url.rpartition(':')[2]}, by a name of this one"
    )


def _on_names(settings: Settings) -> str | None:
    """What to do where any `Host` is answered; None where it is not."""
    if loopback(settings.host) or settings.hosts:
        return None
    return "it answers to any host name; list its own in the setting hosts (GEMBILL_HOSTS)"


def _on_token(settings: Settings, made: str | None) -> str | None:
    """What callers from other machines have to send; None where there are none. A token just made is shown."""
    if loopback(settings.host):
        return None
    if made is not None:
        return f"callers from other machines send X-Gembill-Token: {made} (made now, and never shown again)"
    return "callers from other machines send X-Gembill-Token, as it was set or shown when it was made"


def _announcement(url: str, settings: Settings, way_out: str | None = None) -> str:
    through = f" through {way_out}" if way_out else ""
    return f"gembill: {url} -> {masked(settings.upstream)}{through}, ledger {masked(settings.ledger_url)}"
