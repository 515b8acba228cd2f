"""`gembill simulate bill`, and what `gembill reconcile` says of its file."""

import json
from itertools import product
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gembill.cli import gembill
from gembill.errors import ConfigurationError
from gembill.ledger import open_ledger
from tests.gembill.cli.test_prices import record
from tests.gembill_reports.making import FLASH, call, put


@pytest.fixture
def url(tmp_path: Path) -> str:
    address = f"sqlite:///{tmp_path / 'ledger.db'}"
    record(address, "gemini-2.5-pro", "gemini-3-flash-preview")
    return address


def run(*words: object) -> Result:
    result = CliRunner().invoke(gembill, list(map(str, words)), env={"COLUMNS": "200"})
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


@pytest.mark.parametrize("form", ["bigquery", "focus", "cost_table", "reports"])
def test_a_made_up_bill_is_reconciled(url: str, tmp_path: Path, form: str) -> None:
    path = tmp_path / "bill"
    flags = ("--bill-form", form, "--currency", "EUR", "--rate", "0.92", "--bypass", "1", "--tax-percent", "19")
    run("simulate", "bill", *flags, "-o", path, "--database-url", url)
    words = (
        "reconcile",
        path,
        "--as-of",
        "2027-01-01",
        "--rate",
        "EUR=0.92",
        "--format",
        "json",
        "--database-url",
        url,
    )
    shape = json.loads(run(*words).stdout)
    assert shape["reconciled"] is True
    assert "unrecorded" in {residue["name"] for residue in shape["residues"]}


@pytest.mark.parametrize("form", ["bigquery", "focus", "cost_table", "reports"])
def test_calls_of_two_projects_and_locations_are_billed_in_theirs(tmp_path: Path, form: str) -> None:
    url, path = f"sqlite:///{tmp_path / 'ledger.db'}", tmp_path / "bill"
    ledger = open_ledger(url)
    for project, location in product(("shop-prod", "shop-test"), ("global", "us-central1")):
        place = {"project": project, "location": location}
        put(ledger, call("2026-11-10T10:00:00+00:00", (5000, 70, 300), FLASH, **place))
    ledger.close()
    run("simulate", "bill", "--bill-form", form, "-o", path, "--database-url", url)
    shape = json.loads(
        run("reconcile", path, "--as-of", "2027-01-01", "--format", "json", "--database-url", url).stdout
    )
    assert shape["reconciled"] is True
    assert {residue["name"] for residue in shape["residues"]} <= {"rounding"}
    projects, locations = ({line.get(name) for line in shape["lines"]} for name in ("project", "location"))
    assert projects == ({None} if form == "reports" else {"shop-prod", "shop-test"})
    assert locations == ({"global", "us-central1"} if form in ("bigquery", "focus") else {None})


def test_a_month_without_charges_cannot_be_billed(url: str) -> None:
    with pytest.raises(ConfigurationError, match="nothing to bill"):
        run("simulate", "bill", "--month", "2020-01", "--database-url", url)


def test_an_empty_ledger_cannot_be_billed(tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path / 'empty.db'}"
    open_ledger(address).close()
    with pytest.raises(ConfigurationError, match="nothing to bill"):
        run("simulate", "bill", "--database-url", address)


def test_a_rate_and_a_policy_have_to_be_known(url: str) -> None:
    assert run("simulate", "bill", "--rate", "0.0", "--database-url", url).exit_code == 2
    assert run("simulate", "bill", "--policy", "kind", "--database-url", url).exit_code == 2
    month = run("simulate", "bill", "--month", "2026-11", "--policy", "intermediate_not_counted", "--database-url", url)
    assert month.stdout.startswith('{"service"')
