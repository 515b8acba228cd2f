"""The blocks of docs/notebook.md run, one after the other, on a ledger."""

import re
from decimal import Decimal
from pathlib import Path

import pytest

from gembill.ledger import open_ledger
from gembill.money import unit_price, usd
from tests.gembill_reports.making import FLASH, call, put

PAGE = Path(__file__).parents[2] / "docs" / "notebook.md"


def test_every_block_runs_and_says_the_truth(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    ledger = open_ledger(url)
    put(ledger, call("2026-11-05T10:00:00+00:00", (100, 300, 10), labels={"team": "a"}))
    ledger.close()
    monkeypatch.setenv("GEMBILL_DATABASE_URL", url)
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    names: dict[str, object] = {}
    for block in blocks:
        exec(block, names)
    cost = 400 * unit_price("0.50") + 10 * unit_price("3.00")
    assert len(blocks) == 3
    assert f"{FLASH} 300 {cost}" in capsys.readouterr().out
    assert names["spent"] == Decimal(usd(cost))
    assert names["share"] == 0.75
    assert "plotly" in str(names["html"]).lower()
