"""`gembill doctor`: its exit codes."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from gembill.cli import gembill
from gembill.ledger import open_ledger


def test_it_exits_1_only_for_what_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEMBILL_DATA_DIR", str(tmp_path))
    monkeypatch.delenv("GEMBILL_DATABASE_URL", raising=False)
    monkeypatch.setenv("GEMBILL_SPOOL_MIN_FREE_BYTES", "0")
    well = CliRunner().invoke(gembill, ["doctor"])
    assert well.exit_code == 0, well.output
    ledger = open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    ledger.add_dead_letter(5, 1, "poison", b"{", "no reason")
    ledger.close()
    ill = CliRunner().invoke(gembill, ["doctor", "--format", "json"])
    assert ill.exit_code == 1
    assert json.loads(ill.stdout)["findings"][0]["about"] == "dead letters"
