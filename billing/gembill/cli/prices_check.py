"""`gembill prices check`: whether the prices fit the calls.

Owns: the command and its exit code. Owns no finding (`gembill_reports.analysis.price_check`). Invariant: it writes
nothing.
"""

import time

import click

from gembill.cli.options import database_url_option, format_option

FAULTS_EXIT = 1


@click.command()
@click.option(
    "--days", type=click.IntRange(min=0), default=90, show_default=True, help="How long a check of a row holds."
)
@format_option
@database_url_option
@click.pass_context
def check(ctx: click.Context, days: int, form: str, database_url: str | None) -> None:
    """Look for gaps, for rows not checked for long, and for changes to come.

    Looks at models that were called. Exits 1 if a price is missing or too old a check; changes to come, shown with what
    they would have done to last month's usage, are no fault.
    """
    from gembill.config import load
    from gembill.ledger import open_ledger, price_lists
    from gembill.price_catalog import PricingTerms, book_in_force, ledger_book, policies
    from gembill_reports.analysis.price_check import check as checked
    from gembill_reports.layout import screen
    from gembill_reports.views import price_check

    settings = load({"database_url": database_url})
    ledger = open_ledger(settings.ledger_url, read_only=True)
    try:
        terms = PricingTerms(book_in_force(ledger, settings), policies(settings))
        list_prices = ledger_book(price_lists.lists(ledger), own=False)
        found = checked(ledger, terms, list_prices, time.time_ns() // 1000, days)
    finally:
        ledger.close()
    if form == "json":
        screen.write([price_check.json_text(found)])
    elif form == "csv":
        screen.write(price_check.csv_text(found))
    else:
        screen.write(["\n".join(page.written(form) for page in price_check.sheets(found))])
    ctx.exit(0 if found.in_order else FAULTS_EXIT)
