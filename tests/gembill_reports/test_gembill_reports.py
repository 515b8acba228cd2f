"""The package's own door."""

import subprocess
import sys
from pathlib import Path

import pytest

import gembill_reports
from gembill.errors import ConfigurationError
from gembill.ledger import open_ledger
from tests.gembill_reports.making import FLASH, call, put


def test_a_script_gets_a_report_in_one_call(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    ledger = open_ledger(url)
    put(ledger, call("2026-11-05T10:00:00+00:00", (1, 2, 3)))
    ledger.close()
    found = gembill_reports.totals(url, ["model"], month="2026-11", tz="UTC")
    assert [row.group["model"] for row in found] == [FLASH]
    assert len(found) == 1
    assert found.total.tokens.total == 1 + 2 + 3
    with pytest.raises(ConfigurationError):
        gembill_reports.totals(url, month="2026-11", since="2026-11-01")


def test_importing_the_package_costs_nothing() -> None:
    code = "import sys, reports; print([m for m in ('sqlalchemy', 'rich', 'gembill.ledger') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
