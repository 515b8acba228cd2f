"""`gembill budget`: exit codes, formats and alerts."""

import csv
import json
from io import StringIO
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner, Result

from gembill.cli import gembill
from gembill.cli.budget import chosen, load
from gembill.errors import ConfigurationError
from gembill.ledger import open_ledger
from tests.e2e.player import Player, Reply
from tests.gembill_reports.making import call, put

NOW = "2026-11-21T09:00:00Z"
HOSTILE = "search%0A::error::x"
TEXT = "".join(f'[[budget]]\nname = "{name}"\nlimit_usd = "1"\nperiod = "day"\n' for name in "ab")


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder and a home without any budget."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A ledger in which November's calls of one team cost 3 dollars."""
    monkeypatch.chdir(tmp_path)
    for name in ("GITHUB_ACTIONS", "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GEMBILL_RUN"):
        monkeypatch.delenv(name, raising=False)
    for name, value in (
        ("GEMBILL_DATA_DIR", "data"),
        ("XDG_CONFIG_HOME", "config"),
        ("GEMBILL_DATABASE_URL", "sqlite:///ledger.db"),
    ):
        monkeypatch.setenv(name, value)
    ledger = open_ledger("sqlite:///ledger.db")
    put(
        ledger,
        *(
            call(f"2026-11-{day:02d}T10:00:00+00:00", (1_000_000, 0, 0), labels={"team": HOSTILE})
            for day in range(1, 7)
        ),
    )
    ledger.close()
    return tmp_path


def write(*limits: str, more: str = "warn_at = [0.8]") -> None:
    text = "".join(
        f'[[budget]]\nname = "b{limit}"\nlimit_usd = "{limit}"\nperiod = "month"\n{more}\n' for limit in limits
    )
    Path("gembill.toml").write_text(text)


def run(*words: str, at: str | None = NOW, **env: str) -> Result:
    flags = ("--at", at) if at else ()
    result = CliRunner().invoke(gembill, ["budget", *words, *flags], env={"COLUMNS": "140", **env})
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def put_unpriced() -> None:
    ledger = open_ledger("sqlite:///ledger.db")
    put(ledger, call("2026-11-08T10:00:00+00:00", (1, 0, 0), "gemini-9"))
    ledger.close()


@pytest.mark.parametrize(
    ("limit", "flags", "code"),
    [
        ("100", (), 0),
        ("100", ("--fail-on", "warn", "--strict"), 0),
        ("3.5", (), 0),
        ("3.5", ("--fail-on", "warn"), 11),
        ("3", (), 0),
        ("2.99", (), 10),
        ("2.99", ("--fail-on", "warn"), 10),
    ],
)
def test_pass_warn_and_breach_have_their_exit_codes(limit, flags, code, folder):
    write(limit)
    assert run("check", *flags).exit_code == code


def test_a_call_without_a_price_is_loud_and_fails_only_if_that_was_asked_for(folder):
    put_unpriced()
    write("100")
    result = run("check")
    assert (result.exit_code, "UNKNOWN" in result.stdout) == (0, True)
    assert run("check", "--strict", "--fail-on", "warn").exit_code == 12
    write("2.99")
    assert run("check", "--strict").exit_code == 10


def test_only_the_budgets_that_are_named_are_checked(folder):
    write("100", "2.99")
    assert run("check", "b100").exit_code == 0
    assert run("check", "b2.99").exit_code == 10


def test_a_wrong_file_names_every_mistake_and_nothing_is_checked(folder):
    Path("gembill.toml").write_text('[[budget]]\nname = "x"\nlimit_usd = "ten"\nperiod = "fortnight"\n')
    with pytest.raises(ConfigurationError, match=r"(?s)gembill\.toml:3: .*gembill\.toml:4: .*fortnight") as caught:
        run("check")
    assert caught.value.exit_code == 2


def test_json_csv_markdown_and_junit_say_the_same(folder):
    write("100", "2.99")
    shape = json.loads(run("check", "--format", "json").stdout)
    rows = list(csv.DictReader(StringIO(run("check", "--format", "csv").stdout)))
    cases = ET.fromstring(run("check", "--format", "junit").stdout).findall(".//testcase")
    assert shape["status"] == "BREACH"
    assert (
        [b["name"] for b in shape["budgets"]]
        == [r["name"] for r in rows]
        == [c.get("name") for c in cases]
        == ["b2.99", "b100"]
    )
    assert shape["budgets"][0]["spent_usd"] == rows[0]["spent_usd"] == "3.000000000000"
    assert run("check", "--format", "markdown").stdout.startswith("### ")


@pytest.mark.parametrize(("limit", "code"), [("2", 10), ("100", 0)])
def test_the_verdict_outlasts_a_runner_whose_files_cannot_be_written(limit, code, folder):
    write(limit)
    nowhere = dict.fromkeys(("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "RUNNER_TEMP"), str(folder / "no" / "where"))
    result = run("check", GITHUB_ACTIONS="true", **nowhere)
    assert (result.exit_code, result.stderr.count("\n")) == (code, 1)
    assert result.stderr.startswith("gembill: the verdict counts, but this could not be written: GITHUB_STEP_SUMMARY (")


def test_in_github_actions_nothing_has_to_be_configured(folder):
    write("100", "2.99")
    result = run(
        "check", GITHUB_ACTIONS="true", GITHUB_OUTPUT="out", GITHUB_STEP_SUMMARY="summary", RUNNER_TEMP=str(folder)
    )
    assert result.exit_code == 10
    outside = result.stdout.rsplit("::\n", 1)[1].splitlines()  # after the table, in which no commands are looked for
    assert [line.split(" ")[0] for line in outside] == ["::error", "::notice"]
    assert "status=BREACH\n" in Path("out").read_text()
    assert "exit_code=10\n" in Path("out").read_text()
    assert Path("summary").read_text().startswith("### ")


def test_list_shows_the_file(folder):
    write("100", "2.99")
    assert "b2.99" in run("list", at=None).stdout
    assert json.loads(run("list", "--format", "json", at=None).stdout)["budgets"][0]["limit_usd"] == "100.000000000000"
    assert list(csv.DictReader(StringIO(run("list", "--format", "csv", at=None).stdout)))[1]["name"] == "b2.99"


def test_explain_names_days_and_calls(folder):
    write("100")
    assert len(json.loads(run("explain", "b100", "--format", "json").stdout)["days"]) == 6
    text = run("explain", "b100").stdout
    assert "2026-11-03" in text
    assert f"team={HOSTILE}" in text


def test_now_is_the_instant_unless_another_is_named(folder):
    write("1")
    assert run("check", at=None).exit_code in (0, 10)
    assert run("check", at="2026-11-02").exit_code == 0
    with pytest.raises(ConfigurationError, match="--at is 'noon'"):
        run("check", at="noon")


def test_check_sends_alerts_only_if_asked_and_once(folder):
    write("2.99")
    with Player(answer=lambda _: Reply()).serving() as player:
        env = {"GEMBILL_WEBHOOK_URL": player.url, "GEMBILL_WEBHOOK_SECRET": "s"}
        assert [run("check", **env).exit_code, len(player.requests)] == [10, 0]
        assert [run("check", "--alert", **env).exit_code, len(player.requests)] == [10, 1]
        assert [run("check", "--alert", **env).exit_code, len(player.requests)] == [10, 1]
    body = json.loads(player.requests[0].body)
    assert (body["threshold"], body["budget"]["spent_usd"]) == ("breach", "3.000000000000")


def test_watch_looks_once_for_a_timer_and_tells(folder):
    write("2.99", more='timezone = "UTC"')
    Path("gembill.toml").write_text(Path("gembill.toml").read_text().replace("month", "total"))
    with Player(answer=lambda _: Reply()).serving() as player:
        result = run("watch", "--once", at=None, GEMBILL_WEBHOOK_URL=player.url, GEMBILL_WEBHOOK_SECRET="s")
    assert (result.exit_code, len(player.requests)) == (0, 1)
    assert result.stdout.startswith("BREACH b2.99: $3.00 of $2.99")


def test_a_test_alert_says_what_arrived(folder):
    with Player(answer=lambda _: Reply()).serving() as player:
        result = run("test-alert", at=None, GEMBILL_WEBHOOK_URL=player.url, GEMBILL_WEBHOOK_SECRET="s")
    assert (result.exit_code, result.stdout) == (0, "webhook: arrived\n")
    assert json.loads(player.requests[0].body)["event"] == "test"


def test_a_test_alert_nobody_takes_exits_with_1(folder, monkeypatch):
    monkeypatch.setattr("gembill.alert.notify.PAUSES", ())
    result = run("test-alert", at=None, GEMBILL_WEBHOOK_URL="http://127.0.0.1:9/", GEMBILL_WEBHOOK_SECRET="s")
    assert result.exit_code == 1
    assert "did not take it" in result.stdout


def test_with_nobody_to_tell_watching_is_refused(folder):
    write("1")
    with pytest.raises(ConfigurationError, match="GEMBILL_WEBHOOK_URL"):
        run("watch", "--once", at=None)


def names(budgets: tuple[str, list]) -> tuple[str, list[str]]:
    return budgets[0], [budget.name for budget in budgets[1]]


def test_the_projects_file_comes_before_the_users(empty):
    assert names(load()) == ("gembill.toml", [])
    user = empty / "config/gembill/gembill.toml"
    user.parent.mkdir(parents=True)
    user.write_text(TEXT)
    assert names(load()) == (str(user), ["a", "b"])
    (empty / "pyproject.toml").write_text('[[tool.gembill.budget]]\nname = "p"\nlimit_usd = "1"\nperiod = "day"\n')
    assert names(load()) == ("pyproject.toml", ["p"])
    (empty / "gembill.toml").write_text(TEXT.replace('"a"', '"c"'))
    assert names(load()) == ("gembill.toml", ["c", "b"])


def test_a_file_can_be_named(empty):
    file = empty / "other.toml"
    file.write_text(TEXT)
    assert names(load(file)) == (str(file), ["a", "b"])
    file.write_text(TEXT, encoding="utf-8-sig")
    assert names(load(file)) == (str(file), ["a", "b"])
    with pytest.raises(ConfigurationError, match="cannot be read"):
        load(empty / "none.toml")


def test_names_choose_and_a_wrong_one_is_refused(empty):
    (empty / "gembill.toml").write_text(TEXT)
    assert names(chosen(None, ())) == ("gembill.toml", ["a", "b"])
    assert names(chosen(None, ("b", "b"))) == ("gembill.toml", ["b"])
    with pytest.raises(ConfigurationError, match="no budget 'c'; it has a, b"):
        chosen(None, ("c",))


@pytest.mark.usefixtures("empty")
def test_a_file_without_budgets_is_refused():
    with pytest.raises(ConfigurationError, match=r"begin one with \[\[budget\]\]"):
        chosen(None, ())
