"""`gembill report`: which period and rows it shows, and its exit codes."""

import csv
import json
from io import StringIO
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gembill.cli import gembill
from gembill.cli.options import CallFilter
from gembill.cli.report import groups_of, period_of
from gembill.errors import ConfigurationError
from gembill.ledger import open_ledger
from gembill.money import unit_price, usd
from gembill.period import Period, parse
from tests.gembill_reports.making import FLASH, OK, PRO, call, put, us

NOW = us("2026-11-21T09:00:00+00:00")
IN = unit_price("0.50")


@pytest.fixture
def url(tmp_path: Path) -> str:
    address = f"sqlite:///{tmp_path / 'ledger.db'}"
    ledger = open_ledger(address)
    put(
        ledger,
        call("2026-10-15T10:00:00+00:00", (8, 0, 0)),
        call("2026-11-05T10:00:00+00:00", (1, 0, 0), outcomes=[OK], labels={"team": "=a"}),
        call("2026-11-06T10:00:00+00:00", (2, 0, 0)),
        call("2026-11-06T11:00:00+00:00", (1, 0, 0), PRO),
    )
    ledger.close()
    return address


def run(url: str, *flags: str, **env: str) -> Result:
    result = CliRunner().invoke(gembill, ["report", *flags, "--database-url", url], env={"COLUMNS": "140", **env})
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def test_a_month_by_model_is_a_row_per_model(url: str) -> None:
    shape = json.loads(run(url, "monthly", "--by", "model", "--month", "2026-11", "--format", "json").stdout)
    assert shape["by"] == ["model"]
    assert [(row["model"], row["cost_usd"]) for row in shape["rows"]] == [
        (PRO, usd(unit_price("2.00"))),
        (FLASH, usd(3 * IN)),
    ]
    assert shape["period"]["timezone"] == "America/Los_Angeles"


def test_csv_has_the_columns_of_the_json_joined_and_no_total(url: str) -> None:
    flags = ("monthly", "--by", "label.team,model", "--month", "2026-11", "--format", "csv")
    rows = list(csv.DictReader(StringIO(run(url, *flags).stdout)))
    assert list(rows[0]) == [
        *("label.team", "model", "calls", "calls_code_execution", "tokens_input", "tokens_intermediate"),
        *("tokens_output", "tokens_total", "tokens_cached", "tokens_thinking", "executions", "executions_failed"),
        *("cost_usd", "cost_input", "cost_intermediate", "cost_output", "cost_grounding"),
        *("failed_execution_cost_usd_estimate", "unpriced_calls", "incomplete_calls"),
    ]
    assert [(row["label.team"], row["cost_usd"]) for row in rows] == [
        ("'=a", usd(IN)),
        ("", usd(unit_price("2.00"))),
        ("", usd(2 * IN)),
    ]


def test_csv_of_nothing_still_has_its_header(url: str) -> None:
    assert run(url, "daily", "--month", "2020-01", "--format", "csv").stdout.startswith("day,calls,")


def test_daily_is_a_row_per_day_and_weekly_per_week(url: str) -> None:
    daily = json.loads(run(url, "daily", "--month", "2026-11", "--format", "json").stdout)
    assert [(row["day"], row["calls"]) for row in daily["rows"]] == [("2026-11-05", 1), ("2026-11-06", 2)]
    weekly = run(url, "weekly", "--since", "2026-10-01", "--until", "2026-12-01", "--by", "model", "--format", "json")
    assert [(row["week"], row["model"]) for row in json.loads(weekly.stdout)["rows"]] == [
        ("2026-10-12", FLASH),
        ("2026-11-02", PRO),
        ("2026-11-02", FLASH),
    ]


def test_several_months_are_told_apart(url: str) -> None:
    flags = ("--since", "2026-10-01", "--until", "2026-12-01", "--format", "json")
    shape = json.loads(run(url, "monthly", *flags).stdout)
    assert shape["by"] == ["month", "model"]
    assert [row["month"] for row in shape["rows"]] == ["2026-10", "2026-11", "2026-11"]


@pytest.mark.parametrize(
    "flags",
    [
        ("--period", "2026-11"),
        ("--since", "2026-11-01", "--through", "2026-11-30"),
        ("--month", "2026-11", "--label", "team==a", "--label", "team=b", "--model", FLASH),
        ("--month", "2026-11", "--tier", "batch", "--tier", "standard"),
    ],
)
def test_periods_and_filters_have_several_ways_of_writing_them(url: str, flags: tuple[str, ...]) -> None:
    ledger = open_ledger(url)
    put(ledger, call("2026-12-01T07:59:00+00:00", (1, 0, 0), labels={"team": "b"}, service_tier="batch"))
    ledger.close()
    shape = json.loads(run(url, "monthly", *flags, "--format", "json").stdout)
    assert shape["period"]["start"] == "2026-11-01T00:00:00-07:00"
    assert shape["period"]["end"] == "2026-12-01T00:00:00-08:00"
    assert shape["total"]["calls"] == (2 if "--label" in flags else 4)


@pytest.mark.parametrize("flag", ["--model", "--key", "--tier", "--location", "--label"])
def test_a_name_that_no_call_has_is_wrong_usage_and_no_report_of_zeros(url: str, flag: str) -> None:
    with pytest.raises(ConfigurationError, match="no call has the"):
        run(url, "monthly", flag, "team=none" if flag == "--label" else "none")
    assert (
        json.loads(run(url, "monthly", "--month", "2020-01", "--model", PRO, "--format", "json").stdout)["rows"] == []
    )


def test_tables_and_markdown_are_for_people(url: str) -> None:
    shown = run(url, "monthly", "--month", "2026-11").stdout
    assert "America/Los_Angeles" in shown
    assert "\x1b" not in shown
    assert "| Model | Calls |" in run(url, "monthly", "--month", "2026-11", "--format", "markdown").stdout


def test_columns_decide_what_is_shown(url: str) -> None:
    assert "$ interm." not in run(url, "monthly", "--month", "2026-11", COLUMNS="60").stdout
    assert "$ interm." in run(url, "monthly", "--month", "2026-11", COLUMNS="140").stdout


def test_strict_exits_12_only_for_what_is_not_complete(url: str) -> None:
    assert run(url, "monthly", "--month", "2026-11", "--strict").exit_code == 0
    ledger = open_ledger(url)
    put(ledger, call("2026-11-07T10:00:00+00:00", (1, 0, 0), "nobody-knows"))
    put(ledger, call("2026-10-07T10:00:00+00:00", None))
    ledger.close()
    for month in ("2026-11", "2026-10"):
        strict = run(url, "monthly", "--month", month, "--strict", "--format", "json")
        assert strict.exit_code == 12
        assert json.loads(strict.stdout)["schema_version"] == 1
        assert "1 " in strict.stderr
        assert run(url, "monthly", "--month", month).exit_code == 0
    assert run(url, "monthly", "--month", "2026-11", "--strict", "--model", FLASH).exit_code == 0


def test_a_report_needs_to_be_told_its_span(url: str) -> None:
    assert run(url, "yearly").exit_code == 2
    with pytest.raises(ConfigurationError, match="'colour' is not a group"):
        run(url, "monthly", "--by", "colour")


@pytest.mark.parametrize(
    ("span", "named", "start", "end"),
    [
        ("monthly", {}, "2026-11-01T00:00:00-07:00", "2026-12-01T00:00:00-08:00"),
        ("daily", {"tz": "UTC"}, "2026-11-01T00:00:00+00:00", "2026-12-01T00:00:00+00:00"),
        ("weekly", {"tz": "UTC"}, "2026-09-28T00:00:00+00:00", "2026-11-23T00:00:00+00:00"),
        ("daily", {"since": "2026-11-03", "tz": "UTC"}, "2026-11-03T00:00:00+00:00", "2026-11-22T00:00:00+00:00"),
        ("monthly", {"since": "2027-01-03", "tz": "UTC"}, "2027-01-03T00:00:00+00:00", "2027-02-01T00:00:00+00:00"),
        ("monthly", {"until": "2026-11-03", "tz": "UTC"}, None, "2026-11-03T00:00:00+00:00"),
    ],
)
def test_a_period_that_was_not_named_is_the_current_one(
    span: str, named: dict[str, str], start: str | None, end: str
) -> None:
    period = period_of(span, CallFilter(**named), NOW)
    assert (period.start, period.end) == (start, end)


@pytest.mark.parametrize(
    ("span", "by", "period", "expected"),
    [
        ("monthly", (), parse(month="2026-11"), ("model",)),
        ("monthly", ("key",), parse("2026-11-03", "2026-11-05"), ("key",)),
        ("monthly", ("key",), parse("2026-11-03", "2026-12-02"), ("month", "key")),
        ("monthly", ("day,model",), parse("2026-11-03", "2026-12-02"), ("day", "model")),
        ("monthly", (), parse(until="2026-12-02"), ("month", "model")),
        ("daily", (), parse(month="2026-11"), ("day",)),
        ("daily", ("model", "key"), parse(month="2026-11"), ("day", "model", "key")),
        ("weekly", ("model", "hour"), parse(month="2026-11"), ("model", "hour")),
    ],
)
def test_rows_are_cut_by_time_where_the_report_is(
    span: str, by: tuple[str, ...], period: Period, expected: tuple[str, ...]
) -> None:
    assert groups_of(span, by, period) == expected


def test_compare_shows_the_period_before(url: str) -> None:
    flags = ("monthly", "--month", "2026-11", "--compare")
    shape = json.loads(run(url, *flags, "--format", "json").stdout)
    assert shape["previous"]["total"]["cost_usd"] == usd(8 * IN)
    assert shape["previous"]["period"]["start"] == "2026-10-01T00:00:00-07:00"
    rows = {row["model"]: row for row in csv.DictReader(StringIO(run(url, *flags, "--format", "csv").stdout))}
    assert (rows[FLASH]["previous_cost_usd"], rows[FLASH]["change_usd"]) == (usd(8 * IN), usd(-5 * IN))
    assert rows[PRO]["previous_cost_usd"] == usd(0)
    shown = run(url, *flags).stdout
    assert "Change" in shown
    assert "-63%" in shown  # from 8 to 3
    assert "The period before" in shown
    assert "Change" not in run(url, "daily", "--month", "2026-11", "--compare").stdout


def test_the_month_under_way_has_a_forecast(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gembill.cli.report.time.time_ns", lambda: NOW * 1000)
    shape = json.loads(run(url, "monthly", "--format", "json").stdout)
    assert shape["forecast"]["whole_days"] == 16  # the 5th to the 20th
    assert "Forecast until" in run(url, "monthly").stdout
    assert "forecast" not in json.loads(run(url, "monthly", "--month", "2026-10", "--format", "json").stdout)


def test_html_goes_into_one_file(url: str, tmp_path: Path) -> None:
    target = tmp_path / "november.html"
    done = run(url, "monthly", "--month", "2026-11", "--format", "html", "-o", str(target))
    assert done.stdout == ""
    assert target.read_text().lstrip().startswith("<!doctype html>")
    assert run(url, "monthly", "--month", "2026-11", "--format", "html").stdout.lstrip().startswith("<!doctype html>")
    with pytest.raises(ConfigurationError, match="cannot be written"):
        run(url, "monthly", "--format", "csv", "-o", str(tmp_path / "none" / "x"))


def test_strict_exits_12_while_there_are_dead_letters(url: str) -> None:
    ledger = open_ledger(url)
    ledger.add_dead_letter(5, 1, "poison", b"{", "no reason")
    ledger.close()
    strict = run(url, "monthly", "--month", "2026-11", "--strict", "--format", "json")
    assert strict.exit_code == 12
    assert "1 dead letters" in strict.stderr
    assert "Dead letters: 1." in run(url, "monthly", "--month", "2026-11").stdout
