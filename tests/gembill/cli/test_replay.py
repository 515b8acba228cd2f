"""`gembill replay`: what it says, and its exit codes."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gembill.cli import gembill
from gembill.ledger import Selection, open_ledger, read_records
from gembill.posting import Poster
from gembill.spool import Spool
from tests.gembill.calls import answered
from tests.gembill.spool.harm import flip
from tests.gembill.test_spool_replay import LIST


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder with a spool of three events, and no ledger."""
    monkeypatch.setenv("GEMBILL_DATA_DIR", str(tmp_path))
    monkeypatch.delenv("GEMBILL_DATABASE_URL", raising=False)
    spool = Spool.claim(tmp_path / "spool")
    for n in (1, 2, 3):
        spool.append_wait(*answered(n))
    spool.close()
    return tmp_path


def run(*words: str) -> Result:
    return CliRunner().invoke(gembill, ["replay", *words], env={"COLUMNS": "140"}, catch_exceptions=False)


def test_a_ledger_that_is_gone_is_made_again_and_twice_changes_nothing(folder: Path) -> None:
    first = run("--format", "json")
    assert first.exit_code == 0
    (row,) = json.loads(first.stdout)["spools"]
    assert (row["events"], row["added"], row["damage"], row["refused"]) == (3, 3, [], None)
    second = run()
    assert second.exit_code == 0
    assert "The ledger had all of it: nothing changes." in second.stdout
    ledger = open_ledger(f"sqlite:///{folder / 'ledger.db'}")
    assert len(list(read_records(ledger, Selection()))) == 3
    ledger.close()
    assert json.loads(run("--since", "2100-01-01", "--format", "json").stdout)["spools"][0]["events"] == 0


def test_what_cannot_be_read_is_named_and_exits_1(folder: Path) -> None:
    (segment,) = folder.glob("spool/*/*.seg")
    flip(segment, answered(2)[1][:20])
    result = run()
    assert result.exit_code == 1
    assert "cannot be read" in result.stdout


def test_dead_letters_are_tried_again_after_a_fix(folder: Path) -> None:
    url = f"sqlite:///{folder / 'ledger.db'}"
    ledger = open_ledger(url)
    ledger.add_dead_letter(5, 1, *answered(9), "a mistake that is mended")
    ledger.add_dead_letter(5, 2, "broken", b"{", "no event")
    ledger.close()
    result = run("--dead-letters", "--format", "json")
    assert json.loads(result.stdout) == {
        "schema_version": 1,
        "spools": [],
        "revived_dead_letters": 1,
        "skipped": [{"reason": "they are still dead letters", "count": 1}],
    }
    assert "1 dead letters become records" not in run("--dead-letters").stdout
    poster = Poster(lambda: open_ledger(url), lambda _: LIST)
    poster.look()
    assert poster.progress.dead_letters == 1, "the one that is a record by now is over"
    poster.close()
