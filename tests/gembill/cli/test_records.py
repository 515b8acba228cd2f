"""`gembill records` on a real ledger."""

import csv
import json
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gembill.cli import gembill
from gembill.errors import ConfigurationError, LedgerError
from gembill.ledger import open_ledger
from tests.gembill_reports.making import OK, PRO, call, put

HEAVY = ("sqlalchemy", "rich", "pandas", "plotly", "google.genai", "gembill.ledger")


@pytest.fixture
def url(tmp_path: Path) -> str:
    address = f"sqlite:///{tmp_path / 'ledger.db'}"
    ledger = open_ledger(address)
    put(
        ledger,
        call("2026-11-05T10:00:00+00:00", (1, 0, 0), outcomes=[OK], labels={"team": "a"}),
        call("2026-11-05T11:00:00+00:00", (2, 0, 0), PRO),
        call("2026-11-01T06:30:00+00:00", (4, 0, 0)),
    )
    ledger.close()
    return address


def run(url: str, *flags: str) -> Result:
    result = CliRunner().invoke(gembill, ["records", "--database-url", url, *flags], env={"COLUMNS": "120"})
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def inputs(result: Result) -> list[int]:
    return [record["tokens"]["input"] for record in json.loads(result.stdout)["records"]]


def test_json_holds_all_calls_newest_first(url: str) -> None:
    assert inputs(run(url, "--format", "json")) == [2, 1, 4]


def test_flags_narrow_what_is_listed(url: str) -> None:
    for flags, expected in {
        ("--code-execution",): [1],
        ("--label", "team=a"): [1],
        ("--model", "gemini-3.1*"): [2],
        ("--month", "2026-11"): [2, 1],  # the third is still October in Los Angeles
        ("--month", "2026-11", "--tz", "UTC"): [2, 1, 4],
        ("--since", "2026-11-05T11:00:00Z"): [2],
        ("--until", "2026-11-05T11:00:00Z"): [1, 4],
        ("--limit", "1"): [2],
    }.items():
        assert inputs(run(url, "--format", "json", *flags)) == expected, flags


def test_a_limit_is_told_in_json_and_obeyed_in_csv(url: str) -> None:
    assert json.loads(run(url, "--format", "json", "--limit", "2").stdout)["truncated"] is True
    assert json.loads(run(url, "--format", "json", "--limit", "3").stdout)["truncated"] is False
    assert len(list(csv.DictReader(StringIO(run(url, "--format", "csv", "--limit", "2").stdout)))) == 2


def test_tables_and_markdown_are_for_people(url: str) -> None:
    assert "2026-11-05 03:00:00" in run(url).stdout
    assert "| ID | When |" in run(url, "--format", "markdown").stdout
    assert "The newest 1 calls; there are more" in run(url, "--limit", "1").stdout


def test_data_goes_to_stdout_alone(url: str) -> None:
    assert run(url, "--format", "json").stderr == ""


def test_what_cannot_be_obeyed_is_said(url: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="--label is 'team'"):
        run(url, "--label", "team")
    with pytest.raises(ConfigurationError, match="not a month"):
        run(url, "--month", "November")
    with pytest.raises(LedgerError, match="there is no ledger at"):
        run(f"sqlite:///{tmp_path / 'none.db'}")
    assert run(url, "--limit", "-1").exit_code == 2


@pytest.mark.parametrize("command", ["records", "receipt", "report", "audit"])
def test_help_imports_nothing_heavy(command: str) -> None:
    code = f"""if True:
        import sys
        from gembill.cli import gembill
        gembill.main([{command!r}, "--help"], standalone_mode=False)
        print([name for name in {HEAVY!r} if name in sys.modules])"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    assert "Usage: " in done.stdout


@pytest.mark.parametrize("command", [["records"], ["report", "monthly"]])
def test_exact_formats_do_without_pandas_and_rich(url: str, command: list[str]) -> None:
    code = f"""if True:
        import sys
        from gembill.cli import gembill
        gembill.main([*{command!r}, "--format", "csv", "--database-url", {url!r}], standalone_mode=False)
        print([name for name in ("pandas", "rich") if name in sys.modules])"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
