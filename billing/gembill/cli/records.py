"""`gembill records`: the recorded calls, one by one.

Owns: the command. Owns no form of a record (`gembill_reports.views.records` does).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from gembill.cli.options import Choice, database_url_option, format_option, limit_option, selection_options

if TYPE_CHECKING:
    from gembill.ledger import Ledger, Selection
    from gembill.period import Period


@click.command()
@selection_options
@limit_option
@format_option
@database_url_option
def records(choice: Choice, limit: int | None, form: str, database_url: str | None) -> None:
    """List recorded calls, newest first.

    Tables show the newest 100 and as many columns as fit; JSON and CSV hold all calls and all fields unless --limit.
    """
    from gembill.config import database_url as configured
    from gembill.ledger import open_ledger
    from gembill_reports.layout import screen

    period = choice.period()
    selection = choice.selection(period)
    ledger = open_ledger(configured(database_url), read_only=True)
    try:
        screen.write(_written(ledger, selection, period, limit=limit, form=form))
    finally:
        ledger.close()


def _written(ledger: Ledger, selection: Selection, period: Period, *, limit: int | None, form: str) -> Iterator[str]:
    from gembill.ledger.read import records as read
    from gembill.ledger.records import holds_demo_data
    from gembill_reports.layout import screen
    from gembill_reports.views import records as forms

    if form == "json":
        return forms.json_chunks(read(ledger, selection, limit=None if limit is None else limit + 1), limit)
    if form == "csv":
        return forms.csv_chunks(read(ledger, selection, limit=limit))
    shown = forms.NEWEST if limit is None else limit
    sheet = forms.sheet(read(ledger, selection, limit=shown + 1), period, shown, demo=holds_demo_data(ledger))
    return iter([sheet.markdown() if form == "markdown" else sheet.terminal(screen.width(), color=screen.colored())])
