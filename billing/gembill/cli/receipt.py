"""`gembill receipt`: one call explained.

Owns: the command and how a call is found by its id. Owns no line of a receipt (`gembill_reports.analysis.receipt`
does).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from gembill.cli.options import database_url_option, tz_option
from gembill.errors import LedgerError

if TYPE_CHECKING:
    from gembill.ledger import Ledger, LedgerRecord
    from gembill_reports.analysis.receipt import Receipt

SHORTEST = 6
_SEARCHED = 10_000


@click.command()
@click.argument("record_id", metavar="ID")
@tz_option
@click.option("--format", "form", type=click.Choice(["table", "json", "markdown"]), default="table", show_default=True)
@database_url_option
def receipt(record_id: str, tz: str | None, form: str, database_url: str | None) -> None:
    """Explain one call: its tokens, prices, cost and executions.

    ID is what `gembill records` shows: whole, or its first characters (6 or more) if no other of the newest 10,000
    calls has them.
    """
    from gembill.period import zone
    from gembill_reports.layout import screen

    calendar = zone(tz)
    found, demo = _found(record_id, database_url)
    if form == "json":
        from gembill_reports.analysis.receipt import as_dict

        screen.write([json.dumps(as_dict(found), indent=2), "\n"])
        return
    from gembill_reports.views.receipt import sheets

    pages = sheets(found, calendar, demo=demo)
    if form == "markdown":
        screen.write(["\n".join(page.markdown() for page in pages)])
    else:
        screen.write(["\n".join(page.terminal(screen.width(), color=screen.colored()) for page in pages)])


def _found(record_id: str, database_url: str | None) -> tuple[Receipt, bool]:
    """The receipt, and whether the ledger holds made-up calls."""
    from gembill.config import load
    from gembill.ledger import open_ledger, read
    from gembill.ledger.records import holds_demo_data
    from gembill.price_catalog import rows_of
    from gembill_reports.analysis.receipt import receipt as explained
    from gembill_reports.views.rounds import rounds_of

    settings = load({"database_url": database_url})
    ledger = open_ledger(settings.ledger_url, read_only=True)
    try:
        stored = read.record(ledger, record_id) or _begins(ledger, record_id)
        posted = read.charges(ledger, stored)
        prices = rows_of(ledger, settings, (one.charge.price_id for one in posted))
        return explained(stored, posted, prices, rounds_of(ledger, stored)), holds_demo_data(ledger)
    finally:
        ledger.close()


def _begins(ledger: Ledger, prefix: str) -> LedgerRecord:
    """The one call of the newest whose id begins so. LedgerError if there is none or more than one."""
    from gembill.ledger import Selection, read

    newest = read.records(ledger, Selection(), limit=_SEARCHED) if len(prefix) >= SHORTEST else ()
    found = [stored for stored in newest if stored.record.id.startswith(prefix.lower())]
    if not found:
        raise LedgerError(f"the ledger has no call '{prefix}'; `gembill records` lists those it has")
    if len(found) > 1:
        ids = ", ".join(stored.record.id for stored in found[:3])
        raise LedgerError(f"'{prefix}' begins the ids of {len(found)} calls ({ids}, ...); give more characters")
    return found[0]
