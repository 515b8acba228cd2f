"""The demo's bill has one call that its ledger has not."""

from dataclasses import replace
from pathlib import Path

from gembill.cli.demo import own_settings
from gembill.config import Settings
from gembill.demo import bill
from gembill.demo.month import fill
from gembill.ledger import open_ledger


def test_the_bill_is_reconciled_and_names_the_call_that_went_past_the_proxy(tmp_path: Path) -> None:
    settings = own_settings(replace(Settings(), data_dir=tmp_path))
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    sum(fill(settings, 200))
    bill.receive(settings)
    bill.receive(settings)  # a second time changes nothing
    ledger = open_ledger(settings.ledger_url)
    first, second = bill.proof(ledger, settings)
    ledger.close()
    assert first.endswith(": reconciled.")
    assert second.startswith("Billed and not recorded, so it went past the proxy: gemini-")
