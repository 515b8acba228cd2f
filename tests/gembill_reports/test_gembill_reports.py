"""The package's own door: totals, data frames and figures for scripts and notebooks."""

import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any, get_args

import pytest

import gembill_reports
from gembill.errors import ConfigurationError
from gembill.ledger import Ledger, open_ledger
from gembill.model import Api
from gembill.money import unit_price, usd
from gembill_reports import ChartName, charts
from tests.gembill_reports.making import FLASH, call, put

SCRIPT = """
import gembill_reports

report = gembill_reports.totals("sqlite:///ledger.db", by=["model"], month="2026-11", labels={"team": "search"})
calls: int = report.total.calls
cost: int | None = report.rows[0].cost_pico
frame = gembill_reports.frame(by=["day"], since="2026-11-01", models=["gemini-3*"], code_execution=True)
print(calls, cost, frame["cost_usd"].sum())
gembill_reports.figure("cost_per_day", month="2026-11", tz="UTC").show()
"""
WRONG = """
import gembill_reports

gembill_reports.totals(moth="2026-11")
gembill_reports.frame(models=3)
gembill_reports.figure("pie")
report = gembill_reports.totals(by=["model"])
report.total.calls = "many"
"""


def test_a_script_gets_a_report_in_one_call(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    ledger = open_ledger(url)
    put(ledger, call("2026-11-05T10:00:00+00:00", (1, 2, 3)))
    ledger.close()
    report = gembill_reports.totals(url, ["model"], month="2026-11", tz="UTC")
    assert [row.group["model"] for row in report] == [FLASH]
    assert len(report) == 1
    assert report.total.tokens.total == 1 + 2 + 3
    with pytest.raises(ConfigurationError):
        gembill_reports.totals(url, month="2026-11", since="2026-11-01")


def test_calls_are_chosen_by_every_filter(ledger: Ledger) -> None:
    more = {"key": "k", "labels": {"team": "a"}, "api": Api.VERTEX, "location": "eu", "service_tier": "batch"}
    put(
        ledger,
        call("2026-11-05T10:00:00+00:00", (1, 0, 0), **more),
        call("2026-11-05T10:00:00+00:00", (2, 0, 0), labels={"team": "b"}),
        call("2026-10-05T10:00:00+00:00", (4, 0, 0)),
    )
    url = str(ledger.engine.url)

    def tokens(**calls: Any) -> int | None:
        return gembill_reports.totals(url, **calls).total.tokens.input

    assert tokens(period="2026-Q4") == 7
    assert tokens(since="2026-10-01", through="2026-11-05") == 7
    assert tokens(since="2026-10-01", through="2026-11-04") == 4
    assert tokens(labels={"team": ("a", "b")}) == 3
    for one in ({"keys": ["k"]}, {"tiers": ["batch"]}, {"locations": ["eu"]}, {"labels": {"team": "a"}}):
        assert tokens(**one) == 1
    with pytest.raises(ConfigurationError, match="did you mean batch"):
        tokens(tiers=["bacth"])
    with pytest.raises(ConfigurationError, match="'period' names a whole period"):
        tokens(period="2026-Q4", since="2026-10-01")


def test_importing_the_package_costs_nothing() -> None:
    heavy = ("sqlalchemy", "rich", "pandas", "plotly", "gembill.ledger")
    code = f"import sys, gembill_reports; print([m for m in {heavy} if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_columns_of_a_frame_are_those_of_the_csv_and_money_is_exact(ledger: Ledger) -> None:
    put(
        ledger,
        call("2026-11-05T10:00:00+00:00", (1, 2, 3), labels={"team": "a"}),
        call("2026-11-05T10:00:00+00:00", (1, 0, 0), "new"),
    )
    frame = gembill_reports.frame(str(ledger.engine.url), ["model", "label.team"], month="2026-11")
    assert list(frame.columns[:4]) == ["model", "label.team", "calls", "calls_code_execution"]
    assert list(frame["model"]) == [FLASH, "new"]
    assert frame["label.team"][1] is None
    assert frame["cost_usd"][0] == Decimal(usd(3 * unit_price("0.50") + 3 * unit_price("3.00")))
    assert frame["cost_usd"][1] is None
    assert str(frame["tokens_intermediate"].dtype) == "Int64"
    assert frame["tokens_intermediate"].sum() == 2
    assert frame["cost_usd"].dropna().sum() == Decimal(usd(3 * unit_price("0.50") + 3 * unit_price("3.00")))


def test_of_nothing_there_is_an_empty_frame_with_its_columns(ledger: Ledger) -> None:
    frame = gembill_reports.frame(str(ledger.engine.url), ["day"], month="2020-01")
    assert len(frame) == 0
    assert list(frame.columns[:2]) == ["day", "calls"]


def test_a_notebook_needs_two_lines(ledger: Ledger) -> None:
    put(ledger, call("2026-11-05T10:00:00+00:00", (1000, 0, 0)))
    url = str(ledger.engine.url)
    assert gembill_reports.frame(url, ["model"], month="2026-11")["calls"].sum() == 1
    drawn = gembill_reports.figure("cost_per_day", url, month="2026-11")
    assert drawn.data[0].name == "input"
    with pytest.raises(ConfigurationError, match="'pie' is not a chart"):
        gembill_reports.figure("pie", url)  # type: ignore[arg-type]


def test_every_chart_has_its_name_in_the_type() -> None:
    assert get_args(ChartName) == tuple(charts.CHARTS)


def strict(script: str, folder: Path) -> list[str]:
    """What mypy --strict says of a user's script, in a project that has no settings of ours."""
    (folder / "script.py").write_text(script)
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--cache-dir", str(folder / "cache")]
    done = subprocess.run([*command, "script.py"], cwd=folder, capture_output=True, text=True, check=False)
    return [line for line in done.stdout.splitlines() if "error" in line]


def test_a_users_script_is_clean_under_strict_types_and_a_wrong_one_is_not(tmp_path: Path) -> None:
    assert strict(SCRIPT, tmp_path) == []
    errors = "\n".join(strict(WRONG, tmp_path))
    for kind in ('"moth"', '"models"', '"Literal', "read-only"):
        assert kind in errors
