"""Whatever is wrong with an installation has a sentence and a command; a sound one has none."""

import os
import shlex
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import text

from gembill.config import Settings
from gembill.doctor import Ailment, examine
from gembill.ledger import LedgerUnavailable, open_ledger
from gembill.ledger.engine import writing
from gembill.posting import Poster
from gembill.spool import Spool, SpoolSurvey, leave
from gembill.spool.segments import SequenceRange
from gembill.spool_replay import replay_spools
from gembill.spool_rescue import salvage_spool
from gembill.sqlite import driver
from tests.gembill.calls import answered
from tests.gembill.test_spool_replay import LIST, quiet
from tests.gembill.test_spool_rescue import closed_again, harmed

NOW = 1_800_000_000.0


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A sound installation: a posted spool, a ledger and a secret."""
    made = Settings(data_dir=tmp_path, spool_min_free_bytes=0)
    spool = Spool.claim(made.spool_dir)
    for n in (1, 2, 3):
        spool.append_wait(*answered(n))
    poster = Poster(lambda: open_ledger(made.ledger_url), lambda _: LIST)
    poster.drain(spool)
    poster.close()
    spool.close()
    secret = tmp_path / "fingerprint.secret"
    secret.write_bytes(b"s" * 64)
    secret.chmod(0o600)
    return made


def found(settings: Settings) -> list[Ailment]:
    return examine(settings, lambda: NOW)


def only(settings: Settings) -> Ailment:
    (ailment,) = found(settings)
    return ailment


def home(settings: Settings) -> Path:
    (path,) = settings.spool_dir.iterdir()
    return path


def execute(settings: Settings, statement: str) -> None:
    ledger = open_ledger(settings.ledger_url)
    with writing(ledger.engine) as connection:
        connection.execute(text(statement))
    ledger.close()


def test_a_command_can_be_pasted_where_the_folder_has_a_blank(tmp_path: Path) -> None:
    spool = tmp_path / "data of gembill" / "spool"
    spool.mkdir(parents=True)
    spool.chmod(0o755)
    (ailment,) = [one for one in found(Settings(data_dir=spool.parent)) if one.about == "file modes"]
    assert shlex.split(ailment.remedy.strip("`")) == ["chmod", "700", str(spool)]


def test_a_sound_installation_has_nothing(settings: Settings) -> None:
    assert found(settings) == []


def test_nothing_at_all_is_worth_a_note(tmp_path: Path) -> None:
    notes = examine(Settings(data_dir=tmp_path / "none", spool_min_free_bytes=0))
    assert [(each.about, each.note) for each in notes] == [("data folder", True), ("ledger", True)]
    assert not (tmp_path / "none").exists()


def _no_secret(settings: Settings) -> None:
    (settings.data_folder / "fingerprint.secret").unlink()


def _empty_secret(settings: Settings) -> None:
    (settings.data_folder / "fingerprint.secret").write_bytes(b"")


def _open_modes(settings: Settings) -> None:
    (settings.data_folder / "ledger.db").chmod(0o644)


def _left(settings: Settings) -> None:
    leave(home(settings), "it was cloned")


def _set_aside(settings: Settings) -> None:
    home(settings).rename(home(settings).with_name(f"{home(settings).name}.damaged-00ff"))


def _lost_ledger(settings: Settings) -> None:
    (settings.data_folder / "ledger.db").unlink()
    open_ledger(settings.ledger_url).close()


def _dead_letter(settings: Settings) -> None:
    ledger = open_ledger(settings.ledger_url)
    ledger.add_dead_letter(5, 1, "poison", b"{", "no reason")
    ledger.close()


def _gap(settings: Settings) -> None:
    execute(settings, "DELETE FROM event WHERE seq = 2")


def _old_schema(settings: Settings) -> None:
    execute(settings, "UPDATE alembic_version SET version_num = '0007'")


def _new_schema(settings: Settings) -> None:
    execute(settings, "UPDATE alembic_version SET version_num = '9999'")


def _no_database(settings: Settings) -> None:
    (settings.data_folder / "ledger.db").write_bytes(b"no database" * 1000)


@pytest.mark.parametrize(
    ("harm", "about", "words", "remedy"),
    [
        (_no_secret, "secret", "is lost", "k_NEW = 'k_OLD'"),
        (_empty_secret, "secret", "is lost", "GEMBILL_FINGERPRINT_SECRET"),
        (_open_modes, "file modes", "others on this machine can read", "chmod 600"),
        (_left, "spool", "it was cloned", "gembill spool renew"),
        (_set_aside, "spool", "could not be used", "gembill spool salvage"),
        (_lost_ledger, "ledger", "the ledger lacks calls", "gembill replay"),
        (_dead_letter, "dead letters", "1 calls could not become records", "gembill replay --dead-letters"),
        (_gap, "gap", "first missing one is 2", "gembill replay"),
        (_old_schema, "ledger", "is at revision 0007", "gembill db upgrade"),
        (_new_schema, "ledger", "is at revision 9999", "pip install --upgrade ."),
        (_no_database, "ledger", "cannot be read", "gembill db restore"),
    ],
)
def test_what_is_wrong_is_named_with_its_remedy(
    settings: Settings, harm: Callable[[Settings], None], about: str, words: str, remedy: str
) -> None:
    harm(settings)
    ailment = only(settings)
    assert (ailment.about, ailment.note) == (about, False)
    assert words in ailment.sentence
    assert remedy in ailment.remedy


def test_a_copied_spool_and_one_without_a_process_are_named(settings: Settings) -> None:
    spool = Spool.claim(settings.spool_dir)
    spool.append_wait(*answered(4))
    spool.close()
    waiting = only(settings)
    assert (waiting.about, waiting.note) == ("spool", True)
    assert "1 unposted" in waiting.sentence
    shutil.copytree(spool.path, settings.data_folder / "copy")
    shutil.rmtree(spool.path)
    shutil.move(settings.data_folder / "copy", spool.path)
    assert f"gembill spool adopt {spool.path.name}" in only(settings).remedy


def test_the_clock_and_the_disk(settings: Settings) -> None:
    (clock,) = examine(settings, lambda: 1_000_000_000.0)
    assert clock.about == "clock"
    assert "2001-09-09" in clock.sentence
    (disk,) = found(Settings(data_dir=settings.data_dir, spool_min_free_bytes=2**60))
    assert (disk.about, disk.note) == ("disk", False)


def test_the_disk_of_a_ledger_that_is_elsewhere(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = settings.data_folder.parent / "elsewhere.db"
    (settings.data_folder / "ledger.db").rename(elsewhere)
    moved = replace(settings, database_url=f"sqlite:///{elsewhere}", spool_min_free_bytes=1000)
    room = {elsewhere: 10, settings.spool_dir: 10**12}
    monkeypatch.setattr("gembill.doctor.shutil.disk_usage", lambda path: SimpleNamespace(free=room[path]))
    assert found(moved) == [], "of one disk it is said once"
    stat = Path.stat
    other = SimpleNamespace(st_dev=-1, st_mode=0o600)
    monkeypatch.setattr(Path, "stat", lambda path, **more: other if path == elsewhere else stat(path, **more))
    (disk,) = found(moved)
    assert (disk.about, disk.note) == ("disk", False)
    assert f"the disk of the ledger {elsewhere} has 10 bytes free" in disk.sentence


def test_an_unreachable_database_shows_no_password(settings: Settings) -> None:
    url = "postgresql://u:hunter2@127.0.0.1:9/books?connect_timeout=2"
    ailment = only(Settings(data_dir=settings.data_dir, spool_min_free_bytes=0, database_url=url))
    assert ailment.about == "ledger"
    assert "cannot be reached" in ailment.sentence
    assert "hunter2" not in ailment.sentence + ailment.remedy


def test_a_secret_that_is_younger_than_the_first_call_is_worth_a_note(settings: Settings) -> None:
    execute(settings, "UPDATE source SET first_seen_us = 1")
    assert found(settings) == [], "no key was ever seen"
    execute(settings, "UPDATE rollup_wide_day SET key = 'k_0123456789ab'")
    ailment = only(settings)
    assert (ailment.about, ailment.note) == ("secret", True)


def close_to_us(monkeypatch: pytest.MonkeyPatch, closed: Path) -> None:
    """As if this process had no right to a path, whoever runs it."""
    allowed = os.access
    monkeypatch.setattr("gembill.doctor.os.access", lambda path, mode: Path(path) != closed and allowed(path, mode))


def test_a_data_folder_that_cannot_be_written_is_named(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    close_to_us(monkeypatch, settings.data_folder)
    ailment = only(settings)
    assert ailment.about == "data folder"
    assert f"`chmod -R u+rwX {settings.data_folder}`" in ailment.remedy


def test_a_folder_on_the_way_that_is_closed_is_opened_alone(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def closed(_root: Path) -> list[SpoolSurvey]:
        raise PermissionError(13, "Permission denied", str(settings.spool_dir))

    monkeypatch.setattr("gembill.doctor.survey_spools", closed)
    close_to_us(monkeypatch, settings.data_folder.parent)
    execute(settings, "DELETE FROM event WHERE seq = 2")
    spools, gap = found(settings)
    assert f"{settings.spool_dir} cannot be looked at: Permission denied" in spools.sentence
    assert f"`chmod u+x {settings.data_folder.parent}`" in spools.remedy
    assert gap.about == "gap", "the rest is looked at all the same"


def test_a_spool_that_we_may_not_read_is_not_taken_for_a_damaged_one(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def closed(_path: Path) -> list[SequenceRange]:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("gembill.spool.survey.listed", closed)
    close_to_us(monkeypatch, home(settings))
    ailment = only(settings)
    assert "it cannot be read: Permission denied" in ailment.sentence
    assert ailment.remedy == f"`chmod -R u+rwX {home(settings)}`"


def test_a_ledger_file_that_we_may_not_read_is_no_database_that_is_away(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def closed(*_: object, **__: object) -> None:
        raise LedgerUnavailable("unable to open database file")

    monkeypatch.setattr("gembill.doctor.open_ledger", closed)
    file = settings.data_folder / "ledger.db"
    assert only(settings).remedy == f"`fuser {file}` names the program that holds it"
    close_to_us(monkeypatch, file)
    assert only(settings).remedy == f"`chmod -R u+rwX {file}`"


def test_a_program_that_holds_the_ledgers_lock_is_named(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gembill.doctor._LOCKED_S", 0.05)
    file = settings.data_folder / "ledger.db"
    holder = driver.connect(file, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    ailment = only(settings)
    assert f"held the lock of the ledger {file}" in ailment.sentence
    assert f"`fuser {file}`" in ailment.remedy
    holder.execute("ROLLBACK")
    holder.close()
    assert found(settings) == []


def test_a_disk_that_is_mounted_read_only_is_named(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    close_to_us(monkeypatch, settings.data_folder)
    read_only = SimpleNamespace(f_flag=os.ST_RDONLY, f_bavail=1, f_bfree=1, f_frsize=1, f_blocks=1)
    monkeypatch.setattr("gembill.doctor.os.statvfs", lambda _: read_only)
    monkeypatch.setattr("gembill.doctor.os.path.ismount", lambda path: path == settings.data_folder.parent)
    ailment = only(settings)
    assert "mounted read-only" in ailment.sentence
    assert f"`mount -o remount,rw {settings.data_folder.parent}`" in ailment.remedy


def test_proposed_commands_have_the_database_that_was_given(settings: Settings) -> None:
    _dead_letter(settings)
    _left(settings)
    url = f"sqlite:///{settings.data_folder}/ledger.db"
    spool, letters, *_ = examine(settings, lambda: NOW, database_url=url)
    name = home(settings).name
    assert f"`gembill spool renew {name} --database-url {url}`" in spool.remedy
    assert f"`gembill spool adopt {name}`" in spool.remedy, "it asks no ledger"
    assert f"`gembill replay --dead-letters --database-url {url}`" in letters.remedy
    away = "postgresql://u:hunter2@127.0.0.1:9/books?connect_timeout=2"
    _set_aside(settings)
    for one in examine(replace(settings, database_url=away), lambda: NOW, database_url=away):
        assert "hunter2" not in one.sentence + one.remedy


def test_a_place_whose_call_is_recorded_at_another_one_is_explained(settings: Settings) -> None:
    """What was posted was damaged in the spool, so the next start took the call for one that never ended."""
    spool = Spool.claim(settings.spool_dir)
    for n in (2, 4):  # the second call again, and one behind it
        spool.append_wait(*answered(n))
    poster = Poster(lambda: open_ledger(settings.ledger_url), lambda _: LIST)
    poster.drain(spool)
    poster.close()
    spool.close()
    assert found(settings) == [], "the ledger knows what is at that place"
    execute(settings, "DELETE FROM dead_letter")  # as gembill 0.2 left it
    ailment = only(settings)
    assert (ailment.about, ailment.note) == ("gap", True)
    assert f"1 places of the spool {spool.path.name} are empty" in ailment.sentence
    assert "gembill replay" in ailment.remedy
    ledger = open_ledger(settings.ledger_url)
    replay_spools(ledger, settings.spool_dir, LIST, quiet)
    ledger.close()
    assert found(settings) == []
    execute(settings, "DELETE FROM dead_letter")
    _gap(settings)
    assert [(one.about, one.note) for one in found(settings)] == [("gap", False)], "one more is not explained"


def _salvaged(settings: Settings) -> None:
    ledger = open_ledger(settings.ledger_url)
    salvage_spool(ledger, settings.spool_dir / f"{7:016x}", 7, LIST)
    ledger.close()


def _replayed(settings: Settings) -> None:
    ledger = open_ledger(settings.ledger_url)
    replay_spools(ledger, settings.spool_dir, LIST, quiet)
    ledger.close()


def test_damage_is_worth_a_note_once_all_that_can_be_read_is_in_the_ledger(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, spool_min_free_bytes=0, fingerprint_secret="s" * 64)
    harmed(settings.spool_dir, at=0.6)
    settings.spool_dir.chmod(0o700)
    before = {(each.about, each.note): each for each in found(settings)}
    assert "gembill spool salvage" in before["damage", False].remedy, "without a ledger nothing of it was posted"
    _replayed(settings)
    gaps = {each.about: each for each in found(settings) if not each.note}
    assert sorted(gaps) == ["damage", "gap"]
    assert all("gembill spool salvage" in each.remedy for each in gaps.values())
    _salvaged(settings)
    assert [each.about for each in found(settings) if not each.note] == []
    (damage,) = [each for each in found(settings) if each.about == "damage"]
    assert "the ledger has all that can be read of them" in damage.sentence


def test_of_places_that_nothing_fills_it_says_so_instead_of_a_command_that_was_tried(tmp_path: Path) -> None:
    """The start after the damage closed its calls again at new places, and the ledger was lost."""
    settings = Settings(data_dir=tmp_path, spool_min_free_bytes=0, fingerprint_secret="s" * 64)
    closed_again(harmed(settings.spool_dir, at=0.6))
    settings.spool_dir.chmod(0o700)
    _replayed(settings)
    _salvaged(settings)
    (gap,) = [each for each in found(settings) if each.about == "gap"]
    assert "nothing that can be read of the spool fills them" in gap.sentence
    assert "gembill spool salvage" not in gap.remedy
    assert "gembill db restore BACKUP" in gap.remedy
    assert not gap.note
