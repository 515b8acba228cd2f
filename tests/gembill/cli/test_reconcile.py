"""`gembill reconcile` from files to exit codes."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gembill.cli import gembill
from gembill.errors import ConfigurationError
from gembill.ledger import open_ledger
from gembill.reconcile.bill_files import BillError
from gembill.reconcile.bill_line import BillForm
from gembill.reconcile.synthetic import BillOptions, make_bill
from gembill.reconcile.synthetic_files import written
from gembill.rules.prices import bundled
from gembill_reports.analysis.reconciliation import charged
from tests.gembill.cli.test_prices import record


@pytest.fixture
def url(tmp_path: Path) -> str:
    address = f"sqlite:///{tmp_path / 'ledger.db'}"
    record(address, "gemini-2.5-pro", "gemini-3-flash-preview")
    return address


def bill(url: str, path: Path, form: BillForm = BillForm.BIGQUERY, **options: object) -> Path:
    ledger = open_ledger(url)
    usages = charged(ledger).usages
    ledger.close()
    path.write_text(written(make_bill(usages, [], bundled(), BillOptions(**options)), form), encoding="utf-8")
    return path


def reconcile(url: str, *words: object) -> Result:
    given = ["reconcile", "--as-of", "2027-01-01", *map(str, words), "--database-url", url]
    result = CliRunner().invoke(gembill, given, env={"COLUMNS": "200"})
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def test_a_bill_of_the_same_calls_is_reconciled_and_a_second_time_known(url: str, tmp_path: Path) -> None:
    path = bill(url, tmp_path / "bill.jsonl")
    first, second = reconcile(url, path, "--format", "json"), reconcile(url, path, "--format", "json")
    assert (first.exit_code, second.exit_code) == (0, 0)
    assert json.loads(first.stdout) == json.loads(second.stdout)
    assert json.loads(first.stdout)["reconciled"] is True
    assert "lines of a BigQuery export" in first.stderr
    assert "is known already" in second.stderr
    assert "reconciled." in reconcile(url).stdout  # what is kept, without a file


def test_a_token_too_many_exits_with_10_unless_its_money_is_tolerated(url: str, tmp_path: Path) -> None:
    path = bill(url, tmp_path / "bill.jsonl")
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    rows[0]["usage"]["amount"] = str(int(rows[0]["usage"]["amount"]) + 1)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert reconcile(url, path).exit_code == 10
    assert reconcile(url, "--tolerance", "0.5%").exit_code == 0


def test_open_days_and_unknown_skus_exit_with_12(url: str, tmp_path: Path) -> None:
    path = bill(url, tmp_path / "bill.jsonl")
    assert reconcile(url, path, "--as-of", "2026-01-01").exit_code == 12
    row = json.loads(path.read_text().splitlines()[0])
    row["sku"]["description"] += " offpeak"
    path.write_text(path.read_text() + json.dumps(row) + "\n")
    result = reconcile(url, path)
    assert result.exit_code == 12
    assert "no rule reads offpeak" in result.stdout


def test_a_revised_cost_table_says_what_changed(url: str, tmp_path: Path) -> None:
    path = bill(url, tmp_path / "bill.csv", BillForm.COST_TABLE)
    reconcile(url, path)
    path.write_text(path.read_text().replace(",count,", ",count,1", 1))
    result = reconcile(url, path)
    assert "in the place of" in result.stderr
    assert "revised: Generate content" in result.stderr


def test_a_report_needs_a_rate_for_money(url: str, tmp_path: Path) -> None:
    path = bill(url, tmp_path / "report.csv", BillForm.REPORTS, currency="EUR", rate="0.92")
    assert "only tokens are compared" in reconcile(url, path).stdout
    assert "reconciled." in reconcile(url, "--rate", "EUR=0.92").stdout


def test_a_report_of_a_whole_month_is_of_the_month_that_is_named(url: str, tmp_path: Path) -> None:
    path = bill(url, tmp_path / "report.csv", BillForm.REPORTS)
    path.write_text("".join(line.partition(",")[2] + "\n" for line in path.read_text().splitlines()))
    with pytest.raises(BillError, match="name the period of the report"):
        reconcile(url, path)
    shape = json.loads(reconcile(url, path, "--month", "2026-11", "--format", "json").stdout)
    assert (shape["reconciled"], shape["start"], shape["end"]) == (True, "2026-11-01", "2026-12-01")


def test_infer_says_what_it_sees_on_stderr(url: str, tmp_path: Path) -> None:
    assert "agrees best with" in reconcile(url, bill(url, tmp_path / "b"), "--infer").stderr


def test_a_broken_file_leaves_nothing(url: str, tmp_path: Path) -> None:
    path = bill(url, tmp_path / "bill.jsonl")
    path.write_text(path.read_text().replace('"cost": "', '"cost": "x', 1))
    with pytest.raises(BillError, match="nothing of it was taken in"):
        reconcile(url, path)
    with pytest.raises(ConfigurationError, match="holds no bill"):
        reconcile(url)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--rate", "0.92"), "like EUR=0.92"),
        (("--rate", "EUR=0"), "like EUR=0.92"),
        (("--rate", "EUR=0.92", "--currency", "USD"), "name one currency"),
    ],
)
def test_flags_that_cannot_be_obeyed_are_one_sentence(url: str, words: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(ConfigurationError, match=sentence):
        reconcile(url, *words)


def test_a_tolerance_is_a_share(url: str, tmp_path: Path) -> None:
    path = bill(url, tmp_path / "bill.jsonl")
    path.write_text(path.read_text().replace('"amount": "', '"amount": "1', 1))
    with pytest.raises(ConfigurationError, match=r"like 0\.5%"):
        reconcile(url, path, "--tolerance", "much")


def test_a_line_is_explained_by_its_calls(url: str, tmp_path: Path) -> None:
    path = bill(url, tmp_path / "bill.jsonl")
    shape = json.loads(reconcile(url, path, "--explain", "1", "--format", "json").stdout)
    assert shape["difference"] == "0"
    assert len(shape["calls"]) == 1


def test_calls_that_went_past_the_proxy_are_named_and_exit_with_10(url: str, tmp_path: Path) -> None:
    path = tmp_path / "calls.csv"
    rows = (
        "TimeSeries ID,a",
        "credential_id,apikey:1",
        "method,v1.GenerateContent",
        "Tue Nov 10 2026 01:00:00 GMT-0800,7",
    )
    path.write_text("\n".join(rows), encoding="utf-8")
    result = reconcile(url, "--calls", path, "--credential", "apikey:1=nobody")
    assert result.exit_code == 10
    assert "7 calls went past the proxy: generate_content with apikey:1 on 2026-11-10" in result.stdout
    with pytest.raises(ConfigurationError, match="ID=KEY"):
        reconcile(url, "--calls", path, "--credential", "apikey")
