"""`gembill close`: what can be closed, and what is said of it afterwards."""

import json
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gembill.cli import gembill
from gembill.errors import ConfigurationError, GembillError, SpoolError
from gembill.ledger import open_ledger
from gembill.money import unit_price, usd
from gembill.spool import Spool
from tests.gembill.calls import id_at
from tests.gembill_reports.making import call, put, us

NOW = us("2026-11-21T09:00:00+00:00")
IN = unit_price("0.50")


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    clock = count(NOW * 1000, 1_000_000)
    monkeypatch.setattr("gembill.cli.close.time.time_ns", lambda: next(clock))
    address = f"sqlite:///{tmp_path / 'ledger.db'}"
    ledger = open_ledger(address)
    put(ledger, call("2026-10-15T10:00:00+00:00", (8, 0, 0)), call("2026-11-05T10:00:00+00:00", (1, 0, 0)))
    ledger.close()
    return address


def run(url: str, *words: str) -> Result:
    ledger = ["--database-url", url] if url else []
    result = CliRunner().invoke(gembill, [*words, *ledger], env={"COLUMNS": "140"})
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def test_a_month_is_closed_and_later_corrections_are_adjustments(url: str) -> None:
    assert "2026-10" in run(url, "close", "2026-10").stdout
    (closed,) = json.loads(run(url, "close", "--list", "--format", "json").stdout)["closed"]
    assert closed["cost_usd"] == usd(8 * IN)
    ledger = open_ledger(url)
    put(ledger, call("2026-10-16T10:00:00+00:00", (2, 0, 0)))  # it comes late
    ledger.close()
    october = json.loads(run(url, "report", "monthly", "--month", "2026-10", "--format", "json").stdout)
    assert october["closed_months"] == [
        {
            **{key: closed[key] for key in ("month", "timezone", "closed_at", "digest")},
            "calls": 1,
            "cost_usd": usd(8 * IN),
            "adjusted_calls": 1,
            "adjusted_usd": usd(2 * IN),
            "corrected": True,
        }
    ]
    assert october["total"]["cost_usd"] == usd(10 * IN)
    for form in ("table", "markdown", "html"):
        assert "2026-10 was closed on" in run(url, "report", "monthly", "--month", "2026-10", "--format", form).stdout
    later = json.loads(run(url, "report", "monthly", "--since", "2026-11-01", "--format", "json").stdout)
    part = {"calls": 1, "cost_usd": usd(2 * IN)}
    assert later["adjustments"] == [{"month": "2026-10", **part, "rows": [{"model": "gemini-3-flash-preview", **part}]}]
    assert run(url, "audit").exit_code == 0


def test_a_report_of_a_ledger_without_closed_months_says_nothing_of_them(url: str) -> None:
    shape = json.loads(run(url, "report", "monthly", "--month", "2026-10", "--format", "json").stdout)
    assert "closed_months" not in shape
    assert "adjustments" not in shape


def test_costs_that_are_not_known_are_named_and_keep_a_month_open_if_asked(url: str) -> None:
    ledger = open_ledger(url)
    put(ledger, call("2026-10-16T10:00:00+00:00", (2, 0, 0), "nobody-knows"))
    ledger.close()
    strict = run(url, "close", "2026-10", "--strict")
    assert strict.exit_code == 12
    assert "1 unpriced and 0 incomplete calls" in strict.stderr
    assert json.loads(run(url, "close", "--list", "--format", "json").stdout)["closed"] == []
    assert run(url, "close", "2026-10").exit_code == 0


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("2026-11",), "2026-11 is not over; it can be closed from 2026-12-01T00:00:00-08:00 on"),
        (("2026-13",), "which is not a month"),
        ((), "name the month to close"),
        (("2026-10", "--list"), "name the month to close"),
    ],
)
def test_what_cannot_be_closed_is_said(url: str, words: tuple[str, ...], says: str) -> None:
    with pytest.raises(ConfigurationError, match=says):
        run(url, "close", *words)


def test_of_a_month_that_is_closed_nothing_else_is_said(waiting: Spool, url: str) -> None:
    assert waiting.source_id
    run(url, "close", "2026-10")
    with pytest.raises(ConfigurationError, match="2026-10 was closed at 2026-11-21"):
        run("", "close", "2026-10")
    assert "2026-10" in run("", "close", "2026-10", "--tz", "UTC", "--yes").stdout


def test_a_month_without_a_call_is_closed_only_if_that_is_right(url: str) -> None:
    with pytest.raises(
        ConfigurationError, match=r"no call of 2026-09 \(America/Los_Angeles\); if that is right, `gembill"
    ):
        run(url, "close", "2026-09")
    assert json.loads(run(url, "close", "--list", "--format", "json").stdout)["closed"] == []
    assert "2026-09" in run(url, "close", "2026-09", "--yes").stdout


@pytest.fixture
def waiting(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Spool]:
    """A spool of this machine with a call of October, on the ledger that the configuration names."""
    monkeypatch.setenv("GEMBILL_DATABASE_URL", url)
    monkeypatch.setenv("GEMBILL_DATA_DIR", str(tmp_path))
    spool = Spool.claim(tmp_path / "spool")
    spool.append_wait(id_at("2026-10-31T23:00:00+00:00"), b"{}")
    yield spool
    spool.close()


def test_a_month_is_not_closed_without_the_calls_that_wait_in_a_spool(waiting: Spool) -> None:
    with pytest.raises(SpoolError, match=r"1 call of 2026-10 wait in .*spool and are not in the ledger yet"):
        run("", "close", "2026-10")
    waiting.append_wait(id_at("2026-11-01T02:00:00+00:00"), b"{}")
    with pytest.raises(SpoolError, match="2 calls of 2026-10"):
        run("", "close", "2026-10")
    waiting.mark_posted(2)
    assert "2026-10" in run("", "close", "2026-10").stdout


def test_a_month_is_closed_without_them_if_that_is_wanted(waiting: Spool) -> None:
    assert waiting.source_id
    assert "2026-10" in run("", "close", "2026-10", "--yes").stdout


def test_a_spool_that_never_posted_to_a_ledger_named_by_flag_is_of_another(waiting: Spool, url: str) -> None:
    assert waiting.source_id
    assert "2026-10" in run(url, "close", "2026-10").stdout


def test_it_makes_no_ledger(tmp_path: Path, url: str) -> None:
    with pytest.raises(GembillError, match="there is no ledger"):
        run(f"sqlite:///{tmp_path / 'none.db'}", "close", "2026-10")
    assert not (tmp_path / "none.db").exists()
