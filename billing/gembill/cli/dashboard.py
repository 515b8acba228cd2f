"""The command `gembill dashboard`.

Owns: its flags, the address it listens on, when a token is asked for, and tokens by name. Not here: pages
(`gembill_reports.dashboard`). Invariant: it listens on loopback unless there is a token, and it never writes to the
ledger.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from gembill.address import bracketed, from_here, listen, loopback, url_of
from gembill.cli.options import database_url_option
from gembill.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable

    import uvicorn

    from gembill.ledger import Ledger
    from gembill_reports.dashboard.guard import App
    from gembill_reports.dashboard.tokens import TokenFile

_TOKEN = "GEMBILL_DASHBOARD_TOKEN"  # noqa: S105 - the name of a variable
_SHORTEST = 16
_NONE_IS_LEFT = (
    "no token by name is left; a dashboard that runs asks for one all the same, until it is started again: make "
    "another with `gembill dashboard tokens add NAME`, or restart it"
)
_NO_NAME = "other machines get no page yet: name this one as they call it, a name or an address, with --allow-host NAME"
_EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104 - compared with, not listened on


@click.group(invoke_without_command=True)
@click.option(
    "--host", default="127.0.0.1", show_default=True, help=f"Address to listen on; others than loopback need {_TOKEN}."
)
@click.option(
    "--port", default=8789, show_default=True, type=click.IntRange(0, 65535), help="Port; 0 takes a free one."
)
@click.option(
    "--allow-host", "names", multiple=True, metavar="NAME", help="A further name it is reached by. Repeatable."
)
@click.option("--demo", is_flag=True, help="Show the made-up month of `gembill demo`, which is made if need be.")
@database_url_option
@click.pass_context
def dashboard(
    ctx: click.Context, host: str, port: int, names: tuple[str, ...], *, demo: bool, database_url: str | None
) -> None:
    """Show the ledger in a browser: spend, intermediate tokens, executions, receipts.

    Everything comes from this machine; nothing is loaded from elsewhere and nothing is written but the views that you
    save. Where there is no ledger yet it says what to do, and shows the ledger once there is one. With the variable
    GEMBILL_DASHBOARD_TOKEN set (16 characters or more), or with tokens made by name, it asks for one: on a page, as
    http://HOST:PORT/?token=..., or as `Authorization: Bearer ...` for JSON and CSV.
    """
    if ctx.invoked_subcommand is not None:
        return
    try:
        named = _named_tokens()
    except ConfigurationError:  # no data folder, as in many containers: there are no tokens by name
        named = None
    token = token_for(host, os.environ.get(_TOKEN), named=named is not None and bool(named.tokens()))
    if demo and database_url is not None:
        raise ConfigurationError("--demo has a ledger of its own; leave out --database-url, or --demo")
    listener = listen(host, port, backlog=128)
    servers: list[uvicorn.Server] = []
    app = _app(
        hosts_of(bracketed(host), names),
        (token, named),
        database_url,
        demo=demo,
        ended=lambda: any(one.should_exit for one in servers),
    )
    url = from_here(url_of("http", host, listener.getsockname()[1]))
    click.echo(f"gembill: dashboard on {url} (Ctrl-C stops it)", err=True)
    if host in _EVERYWHERE and not names:
        click.echo(f"gembill: {_NO_NAME}", err=True)
    import uvicorn

    # no access log: it would hold the token, which is in an address once; and no X-Forwarded-For: who guesses at the
    # token could call itself by another address each time
    config = uvicorn.Config(app, log_level="warning", access_log=False, server_header=False, proxy_headers=False)
    servers.append(uvicorn.Server(config))
    servers[0].run([listener])


def _app(
    hosts: tuple[str, ...],
    tokens: tuple[str | None, TokenFile | None],
    database_url: str | None,
    *,
    demo: bool,
    ended: Callable[[], bool],
) -> App:
    """The pages of the ledger that was named, or of the demo's."""
    from gembill.cli.budget import load as load_budgets
    from gembill.config import load
    from gembill.ledger import ledger_file, open_ledger
    from gembill_reports.dashboard.app import Dashboard
    from gembill_reports.dashboard.waiting import Waiting

    settings = load({"database_url": database_url})
    budgets, landing = load_budgets()[1], None
    if demo:
        from gembill.cli.demo import own_settings, ready
        from gembill.demo.budgets import budgets as demo_budgets
        from gembill.demo.month import MONTH

        settings, budgets, landing = own_settings(settings), demo_budgets(), MONTH
        ready(settings)

    def there() -> App | None:
        file = ledger_file(settings.ledger_url)
        if file is not None and not file.exists():
            return None
        ledger = open_ledger(settings.ledger_url, read_only=True)
        month = landing or _month_of_demo(ledger)
        return Dashboard(ledger, settings, budgets=budgets, landing=month, ended=ended).app(hosts, *tokens)

    return Waiting.until(there, hosts, *tokens)


def _month_of_demo(ledger: Ledger) -> str | None:
    """The made-up month, if the ledger has one: its newest calls are those few that the demo made itself."""
    from gembill.ledger import holds_demo_data

    if not holds_demo_data(ledger):
        return None
    from gembill.demo.month import MONTH

    return MONTH


def token_for(host: str, token: str | None, *, named: bool = False) -> str | None:
    """The owner's token; `named`: there are others. ConfigurationError where one is needed, or it is too short."""
    if token and len(token) < _SHORTEST:
        raise ConfigurationError(f"{_TOKEN} has {len(token)} characters; it needs {_SHORTEST} or more")
    if not token and not named and not loopback(host):
        raise ConfigurationError(f"other machines can reach {host}; set {_TOKEN} to a long random text first")
    return token or None


def hosts_of(host: str, names: tuple[str, ...]) -> tuple[str, ...]:
    """The names under which requests are answered."""
    from gembill_reports.dashboard.guard import LOOPBACK

    own = () if host.strip("[]") in _EVERYWHERE else (host,)
    return (*LOOPBACK, *own, *names)


@dashboard.group()
def tokens() -> None:
    """Tokens by name that let someone read the dashboard.

    Only a hash of each is kept, in the data folder. As long as there is one, everybody needs a token; a dashboard that
    has asked for one does so until it ends.
    """


@tokens.command()
@click.argument("name")
def add(name: str) -> None:
    """Make a token and print it, this once."""
    day = datetime.now(UTC).date().isoformat()
    click.echo(_named_tokens().add(name, day))


@tokens.command("list")
def list_() -> None:
    """The names of the tokens, and the day each was made."""
    for one in _named_tokens().tokens():
        click.echo(f"{one.name}  {one.added}")


@tokens.command()
@click.argument("name")
def revoke(name: str) -> None:
    """Take a token back; a dashboard that runs refuses it from now on."""
    there = _named_tokens()
    there.revoke(name)
    click.echo(f"gembill: the token {name} opens nothing any more", err=True)
    if not there.tokens():
        click.echo(f"gembill: {_NONE_IS_LEFT}", err=True)


def _named_tokens() -> TokenFile:
    from gembill.config import load
    from gembill_reports.dashboard.tokens import FILE, TokenFile

    return TokenFile(load({}).data_folder / FILE)
