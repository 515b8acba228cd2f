"""`gembill receipt`: one call explained.

Owns: the command and how a call is found by its id. Not here: the lines of a receipt
(`gembill_reports.analysis.receipt`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gembill.cli.options import database_url_option, opened, tz_option
from gembill.cli.output import Output, output_options
from gembill.errors import LedgerError
from gembill_reports.views.view import Format

if TYPE_CHECKING:
    from gembill.config import Settings
    from gembill.ledger import Ledger, LedgerRecord
    from gembill_reports.analysis.receipt import Receipt

SHORTEST = 6
_SEARCHED = 10_000


@click.command()
@click.argument("record_id", metavar="ID")
@tz_option
@output_options(Format.TABLE, Format.JSON, Format.MARKDOWN)
@database_url_option
def receipt(record_id: str, tz: str | None, output: Output, database_url: str | None) -> None:
    """Explain one call: its tokens, prices, cost and executions.

    ID is what `gembill records` shows: whole, or its first characters (6 or more) if no other of the newest 10,000
    calls has them.
    """
    from gembill.ledger import holds_demo_data
    from gembill.period import zone
    from gembill_reports.views.receipt import ReceiptView

    calendar = zone(tz)
    with opened(database_url) as (ledger, settings):
        explained = _receipt(ledger, settings, record_id)
        output.write(ReceiptView(explained, calendar, demo=holds_demo_data(ledger)))


def _receipt(ledger: Ledger, settings: Settings, record_id: str) -> Receipt:
    from gembill.ledger import read_charges, read_record
    from gembill.price_catalog import rows_of
    from gembill_reports.analysis.receipt import receipt, rounds_of

    stored = read_record(ledger, record_id) or _begins(ledger, record_id)
    posted = read_charges(ledger, stored)
    prices = rows_of(ledger, settings, (one.charge.price_id for one in posted))
    return receipt(stored, posted, prices, rounds_of(ledger, stored))


def _begins(ledger: Ledger, prefix: str) -> LedgerRecord:
    """The one call of the newest whose id begins so. LedgerError if there is none or more than one."""
    from gembill.ledger import Selection, read_records

    newest = read_records(ledger, Selection(), limit=_SEARCHED) if len(prefix) >= SHORTEST else ()
    matches = [stored for stored in newest if stored.record.id.startswith(prefix.lower())]
    if not matches:
        raise LedgerError(f"the ledger has no call '{prefix}'; `gembill records` lists those it has")
    if len(matches) > 1:
        ids = ", ".join(stored.record.id for stored in matches[:3])
        raise LedgerError(f"'{prefix}' begins the ids of {len(matches)} calls ({ids}, ...); give more characters")
    return matches[0]
