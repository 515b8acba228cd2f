"""`gembill statement`: flags, and one file for mail."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gembill.cli import gembill
from gembill.errors import ConfigurationError
from gembill.ledger import open_ledger
from gembill.money import unit_price, usd
from tests.gembill_reports.making import PRO, call, put, us

NOW = us("2026-11-21T09:00:00+00:00")
IN = unit_price("0.50")


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr("gembill.cli.statement.time.time_ns", lambda: NOW * 1000)
    address = f"sqlite:///{tmp_path / 'ledger.db'}"
    ledger = open_ledger(address)
    at = "2026-10-15T10:00:00+00:00"
    put(
        ledger,
        call(at, (3, 0, 0), labels={"team": "a"}),
        call(at, (1, 0, 0), labels={"team": "b"}),
        call(at, (4, 0, 0)),
        call("2026-11-15T10:00:00+00:00", (9, 0, 0), PRO, labels={"team": "b"}, key="k"),
    )
    ledger.close()
    return address


def run(url: str, *flags: str) -> Result:
    result = CliRunner().invoke(gembill, ["statement", *flags, "--database-url", url], env={"COLUMNS": "140"})
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def test_without_a_month_it_is_the_last_one(url: str) -> None:
    shape = json.loads(run(url, "--by", "label.team", "--format", "json").stdout)
    assert shape["period"]["start"] == "2026-10-01T00:00:00-07:00"
    assert [(row["label.team"], row["shared_usd"], row["total_usd"]) for row in shape["rows"]] == [
        ("a", usd(3 * IN), usd(6 * IN)),
        ("b", usd(IN), usd(2 * IN)),
    ]


def test_rule_markup_and_filters_are_kept_to(url: str) -> None:
    flags = ("--by", "label.team", "--month", "2026-10", "--shared", "evenly", "--markup", "50%", "--format", "json")
    rows = json.loads(run(url, *flags).stdout)["rows"]
    assert [(row["shared_usd"], row["markup_usd"]) for row in rows] == [
        (usd(2 * IN), usd(5 * IN // 2)),
        (usd(2 * IN), usd(3 * IN // 2)),
    ]
    flags = ("--by", "key", "--month", "2026-11", "--label", "team=b", "--format", "json")
    assert [row["key"] for row in json.loads(run(url, *flags).stdout)["rows"]] == ["k"]


def test_it_is_one_file_for_mail_and_markdown(url: str, tmp_path: Path) -> None:
    target = tmp_path / "october.html"
    run(url, "--by", "label.team", "--month", "2026-10", "--format", "html", "-o", str(target))
    assert "Statement by team · 2026-10" in target.read_text()
    assert "| Team | Calls |" in run(url, "--by", "label.team", "--format", "markdown").stdout


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (("--by", "label.team", "--markup", "ten"), "--markup is 'ten'"),
        (("--by", "label.team", "--markup", "-5%"), "--markup is '-5%'"),
        (("--by", "day"), "a statement is by one of"),
        (("--by", "model,key"), "a statement is by one of"),
        (("--by", "team"), "is not a group"),
        (("--by", "label.team", "--label", "team=none"), "no call has the label"),
    ],
)
def test_what_cannot_be_stated_is_said(url: str, flags: tuple[str, ...], says: str) -> None:
    with pytest.raises(ConfigurationError, match=says):
        run(url, *flags)
