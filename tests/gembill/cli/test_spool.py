"""`gembill spool`: what each command says and leaves behind."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gembill.cli import gembill
from gembill.ledger import audit_ledger, open_ledger
from gembill.spool import Spool
from tests.gembill.calls import answered
from tests.gembill.test_spool_rescue import harmed, numbers, parted


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The data folder of these commands."""
    monkeypatch.setenv("GEMBILL_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.delenv("GEMBILL_DATABASE_URL", raising=False)
    return tmp_path / "data"


def run(*words: str) -> Result:
    return CliRunner().invoke(gembill, ["spool", *words], env={"COLUMNS": "140"})


def test_the_list_names_every_spool_and_what_waits(data: Path) -> None:
    assert "There is none" in run("list").stdout
    spool = Spool.claim(data / "spool")
    spool.append_wait(*answered(1))
    (row,) = json.loads(run("list", "--format", "json").stdout)["spools"]
    assert (row["source"], row["state"], row["unposted"]) == (f"{spool.source_id:016x}", "in use", 1)
    spool.close()


def test_a_clone_is_renewed_and_its_calls_are_posted(data: Path, tmp_path: Path) -> None:
    url = f"sqlite:///{data / 'ledger.db'}"
    data.mkdir()
    original, clone = parted(tmp_path, url)
    original.close()
    shutil.move(tmp_path / "two", data / "spool")
    result = run("renew", clone.name)
    assert result.exit_code == 0, result.output
    assert f"The clone {clone.name} is put away; 5 calls were its own and are in the spool " in result.stdout
    ledger = open_ledger(url)
    assert numbers(ledger) == [1, 2, 10, 11, 12, 20, 21, 22, 23, 24]
    assert audit_ledger(ledger) == []
    ledger.close()
    again = run("renew", clone.name)
    assert again.exit_code != 0
    assert "there is no spool" in str(again.exception)


def test_a_copy_is_adopted(data: Path) -> None:
    spool = Spool.claim(data / "spool")
    spool.close()
    shutil.copytree(spool.path, data / "kept")
    shutil.rmtree(spool.path)
    shutil.move(data / "kept", spool.path)
    assert json.loads(run("list", "--format", "json").stdout)["spools"][0]["state"] == "copy"
    assert "belongs to this machine" in run("adopt", spool.path.name).stdout
    assert json.loads(run("list", "--format", "json").stdout)["spools"][0]["state"] == "idle"


def test_salvage_says_what_could_be_read_and_what_is_lost(data: Path) -> None:
    open_ledger(f"sqlite:///{data / 'ledger.db'}").close()
    assert "No segment is damaged." in run("salvage").stdout
    home = harmed(data / "spool", at=0.6)
    result = run("salvage")
    assert result.exit_code == 0
    assert "3 recorded as unknown" in result.stdout
    assert "no call is lost" in result.stdout
    (segment,) = home.glob("*.seg-damaged")
    segment.write_bytes(bytes([segment.read_bytes()[0] ^ 1]) + b"\x99" * 3000)
    ledger = open_ledger(f"sqlite:///{data / 'ledger.db'}")
    ledger.close()
    (data / "ledger.db").unlink()
    open_ledger(f"sqlite:///{data / 'ledger.db'}").close()
    bad = run("salvage", home.name)
    assert bad.exit_code == 1
    assert "6 places are lost (1-6)" in bad.stdout
