"""`gembill demo`: everything once, on made-up data.

Owns: the order of the demo and what it prints. Not here: traffic (`gembill.demo`) and reports.
Invariant: it needs no key and no network, touches no ledger but its own, and marks what it shows as DEMO DATA.
"""

import shlex
import shutil
import time
from dataclasses import replace
from pathlib import Path

import click

from gembill.address import of_file
from gembill.cli.progress import Progress
from gembill.config import Settings, load

MARK = "DEMO DATA"
CALLS = 1_500
_WHOLE = "whole"  # a file that is there when the demo was made to its end
_SECRET = "the demo's keys are made up"  # noqa: S105 - it is none: keys have the same names in every demo


@click.command()
@click.option(
    "--records",
    type=click.IntRange(1),
    default=CALLS,
    show_default=True,
    metavar="N",
    help="How many calls the made-up month has; a million takes about half an hour.",
)
@click.option("--clear", is_flag=True, help="Remove the demo's ledger and stop.")
def demo(records: int, clear: bool) -> None:
    """Try everything on made-up data: no key, no network.

    Starts the simulator and the proxy on free ports, sends some dozens of calls through them with the google-genai SDK,
    adds a made-up month to the same ledger (one of its own), and shows the monthly report and one receipt.
    """
    own = own_settings(load())
    shutil.rmtree(own.data_dir, ignore_errors=True)
    if clear:
        click.echo(f"gembill: removed {own.data_dir}", err=True)
        return
    began = time.monotonic()
    sent = make(own, records)
    _show(own.ledger_url, sent, records, time.monotonic() - began)


def own_settings(settings: Settings) -> Settings:
    """The demo's own ledger, spool and secret, in a folder of its own within the data folder, on free ports."""
    folder = settings.data_folder / "demo"
    url = of_file(folder / "ledger.db")
    return replace(settings, data_dir=folder, database_url=url, host="127.0.0.1", port=0, fingerprint_secret=_SECRET)


def make(own: Settings, records: int = CALLS) -> int:
    """Fill the demo's ledger, of which there must be none yet; how many calls were sent besides the made-up month."""
    from gembill.demo import bill

    own.data_dir.mkdir(parents=True, mode=0o700)
    _fill(own, records)
    bill.receive(own)
    return _send(own)


def ready(own: Settings) -> None:
    """Make the demo's ledger where there is none, and bring one of an earlier gembill up to date."""
    if Path(own.data_dir, _WHOLE).exists():
        from gembill.ledger import open_ledger

        open_ledger(own.ledger_url).close()
        return
    click.echo("gembill: making the demo's ledger first, which takes some seconds", err=True)
    shutil.rmtree(own.data_dir, ignore_errors=True)  # one that was begun and not finished
    make(own)


def _fill(settings: Settings, count: int) -> None:
    """Record and post the made-up month."""
    from gembill.demo import month as demo_month

    done = 0
    with Progress("made-up calls", count) as progress:
        for some in demo_month.fill(settings, count):
            done += some
            progress.reach(done)


def _send(settings: Settings) -> int:
    """Send real calls through proxy and simulator; how many."""
    from gembill.demo.calls import make_calls
    from gembill.posting_thread import PostingThread
    from gembill.service import ProxyService
    from gembill_simulator import Options, simulator_in_thread

    with (
        simulator_in_thread(Options(seed=7)) as simulator,
        ProxyService(
            replace(settings, upstream=simulator, upstream_proxy="none"), PostingThread(settings)
        ).running() as url,
    ):
        sent = make_calls(url)
    Path(settings.data_dir, _WHOLE).touch()
    return sent


def _show(url: str, sent: int, filled: int, seconds: float) -> None:
    from gembill.demo.month import MONTH
    from gembill_reports.layout import screen

    click.echo(f"{MARK}: {filled:,} made-up calls of {MONTH}, and {sent} calls sent just now")
    click.echo("by the google-genai SDK through the proxy to the simulator; recorded, posted and priced")
    click.echo(f"in {seconds:.1f} s.\n")
    for page in _pages(url, MONTH):
        screen.write([page, "\n"])
    for sentence in _bill(url):
        click.echo(sentence)
    there = f"--database-url {shlex.quote(url)}"
    click.echo(f"""
Next:
  gembill dashboard --demo       {MONTH} in your browser
  gembill records {there}
  gembill report daily --month {MONTH} {there}
  gembill audit {there}
  gembill reconcile --month {MONTH} {there}
  gembill proxy                  record your own: export GOOGLE_GEMINI_BASE_URL=http://127.0.0.1:8787
  gembill demo --clear           remove this demo""")


def _bill(url: str) -> list[str]:
    """What Google's bill, here made up as well, says of the ledger."""
    from gembill.demo import bill
    from gembill.ledger import open_ledger

    ledger = open_ledger(url, read_only=True)
    try:
        return [f"{MARK}: {sentence}" for sentence in bill.proof(ledger, load())]
    finally:
        ledger.close()


def _pages(url: str, month: str) -> list[str]:
    """The month by model, and the receipt of the call that failed most among those just sent."""
    import gembill_reports
    from gembill.ledger import Selection, open_ledger, read_charges, read_records
    from gembill.period import zone
    from gembill.price_catalog import rows_of
    from gembill_reports.analysis.receipt import receipt
    from gembill_reports.layout import screen
    from gembill_reports.views.receipt import sheets
    from gembill_reports.views.report import sheet

    width, color = screen.width(), screen.colored()
    table = sheet(gembill_reports.totals(url, ["model"], month=month)).terminal(width, color=color)
    ledger = open_ledger(url, read_only=True)
    try:
        chosen = max(read_records(ledger, Selection(labels={"source": "sdk"})), key=lambda stored: stored.record.failed)
        posted = read_charges(ledger, chosen)
        explained = receipt(chosen, posted, rows_of(ledger, load(), (one.charge.price_id for one in posted)))
    finally:
        ledger.close()
    return [table, *(page.terminal(width, color=color) for page in sheets(explained, zone(None), demo=True))]
