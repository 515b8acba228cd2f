"""A clone goes on under a number of its own, and damage costs what is damaged and no more."""

import shutil
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from gembill.errors import SpoolError
from gembill.event import Ending, ResponseFacts
from gembill.ledger import Ledger, Selection, audit_ledger, open_ledger, read_records
from gembill.model import Status
from gembill.posting import Poster
from gembill.spool import Spool, frames
from gembill.spool.frames import Header
from gembill.spool.segment import Segment
from gembill.spool.segments import segment_path
from gembill.spool_replay import replay_spools
from gembill.spool_rescue import adopt, count_displaced, is_salvaged, renew, salvage_spool
from tests.gembill.calls import answered, event
from tests.gembill.spool.harm import groups
from tests.gembill.test_spool_replay import LIST, again, quiet

LOST: dict[str, object] = {"ending": Ending.LOST, "http_status": None, "seen": ResponseFacts()}


def numbers(ledger: Ledger) -> list[int]:
    return sorted(int(one.record.id[-4:], 16) for one in read_records(ledger, Selection()))


def parted(tmp_path: Path, url: str) -> tuple[Spool, Path]:
    """A spool and its clone on a file system that did not tell: both went on under one number. The original's calls 1,
    2 and 10 to 12 are in the ledger; the clone has 1, 2 and 20 to 24."""
    original = Spool.claim(tmp_path / "one")
    for n in (1, 2):
        original.append_wait(*answered(n))
    shutil.copytree(original.path, tmp_path / "two" / original.path.name, ignore=shutil.ignore_patterns("lock"))
    clone = Spool.claim(tmp_path / "two")
    assert clone.source_id == original.source_id
    for n in (20, 21, 22, 23, 24):
        clone.append_wait(*answered(n))
    clone.close()
    for n in (10, 11, 12):
        original.append_wait(*answered(n))
    poster = Poster(lambda: open_ledger(url), lambda _: LIST)
    poster.drain(original)
    poster.close()
    return original, clone.path


def test_a_clone_and_its_original_go_on_under_their_own_numbers(tmp_path: Path, ledger_url: str) -> None:
    original, clone = parted(tmp_path, ledger_url)
    (refused,) = again(ledger_url, tmp_path / "two")
    assert "cloned or restored" in (refused.refused or "")
    ledger = open_ledger(ledger_url)
    renewal = renew(ledger, clone)
    assert (renewal.moved, renewal.put_away.name) == (5, f"{clone.name}.renewed")
    assert renewal.source_id != original.source_id
    (result,) = replay_spools(ledger, tmp_path / "two", LIST, quiet)
    assert (result.source_id, result.added, result.refused) == (renewal.source_id, 5, None)
    assert numbers(ledger) == [1, 2, 10, 11, 12, 20, 21, 22, 23, 24]
    original.append_wait(*answered(13))
    poster = Poster(lambda: open_ledger(ledger_url), lambda _: LIST)
    assert poster.drain(original) == 1, "the original is not held up"
    poster.close()
    assert audit_ledger(ledger) == []
    ledger.close()
    original.close()


def test_a_second_try_after_a_crash_moves_nothing_twice(
    tmp_path: Path, ledger_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    original, clone = parted(tmp_path, ledger_url)
    original.close()
    ledger = open_ledger(ledger_url)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", _no_rename(Path.rename, clone))
        with pytest.raises(SpoolError, match="cannot be renewed"):
            renew(ledger, clone)
    second = renew(ledger, clone)
    results = replay_spools(ledger, tmp_path / "two", LIST, quiet)
    assert [(each.source_id, each.events) for each in results] == [(second.source_id, 5)]
    assert numbers(ledger) == [1, 2, 10, 11, 12, 20, 21, 22, 23, 24]
    ledger.close()


def _no_rename(rename, clone):  # type: ignore[no-untyped-def]
    def refuse(self: Path, target: Path) -> Path:
        if self == clone:
            raise PermissionError(13, "Permission denied")
        result: Path = rename(self, target)
        return result

    return refuse


def test_a_copy_that_was_never_written_has_nothing_of_its_own(tmp_path: Path, ledger_url: str) -> None:
    spool = Spool.claim(tmp_path / "one")
    spool.append_wait(*answered(1))
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    ledger = open_ledger(ledger_url)
    renewal = renew(ledger, tmp_path / "two" / spool.path.name)
    assert (renewal.moved, renewal.source_id) == (0, None)
    assert [path.name for path in (tmp_path / "two").iterdir()] == [f"{spool.path.name}.renewed"]
    ledger.close()
    spool.close()


def test_a_spool_that_a_process_has_is_not_touched(tmp_path: Path, ledger_url: str) -> None:
    spool = Spool.claim(tmp_path)
    ledger = open_ledger(ledger_url)
    with pytest.raises(SpoolError, match="a process has the spool"):
        renew(ledger, spool.path)
    with pytest.raises(SpoolError, match="a process has the spool"):
        adopt(spool.path)
    ledger.close()
    spool.close()


def test_an_adopted_copy_is_taken_at_the_next_start(tmp_path: Path) -> None:
    spool = Spool.claim(tmp_path / "one")
    spool.append_wait(*answered(1))
    spool.close()
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    copy = tmp_path / "two" / spool.path.name
    adopt(copy)
    taken = Spool.claim(tmp_path / "two")
    assert taken.path == copy
    taken.close()


def harmed(root: Path, *, at: float) -> Path:
    """A spool with a segment of six calls, asked and answered in a group each, damaged in its last one."""
    home = root / f"{7:016x}"
    home.mkdir(parents=True)
    calls = [answered(n) for n in range(1, 7)]
    first = Segment.begin(segment_path(home, 1, 1))
    lost = [(event(n).id, msgspec.json.encode(replace(event(n), **LOST))) for n in range(1, 7)]
    first.write(
        [frames.intent(n, name.encode(), body) for n, (name, body) in enumerate(lost, 1)],
        Header(7, 1, 0, 0).written(),
    )
    first.write([frames.completion(n, 0, name.encode(), body) for n, (name, body) in enumerate(calls[:3], 1)])
    first.write([frames.completion_of(n, 0, n, lost[n - 1][1], calls[n - 1][1]) for n in (4, 5, 6)])
    first.close()
    second = Segment.begin(segment_path(home, 2, 7))
    second.write([frames.completion(7, 0, answered(7)[0].encode(), answered(7)[1])], Header(7, 7, 0, 0).written())
    second.close()
    start, group = groups(first.path)[-1]
    data = bytearray(first.path.read_bytes())
    data[start + int((group.end - start) * at)] ^= 0x10
    first.path.write_bytes(data)
    first.path.rename(first.path.with_suffix(".seg-damaged"))
    return home


def closed_again(home: Path) -> None:
    """A start that took the calls of the damaged group for ones that never ended, and wrote each at a new place."""
    lost = [msgspec.json.encode(replace(event(n), **LOST)) for n in (4, 5, 6)]
    third = Segment.begin(segment_path(home, 3, 8))
    again = [frames.completion(n + 4, 0, event(n).id.encode(), lost[n - 4]) for n in (4, 5, 6)]
    third.write(again, Header(7, 8, 0, 0).written())
    third.close()


def test_calls_whose_end_is_lost_are_recorded_as_unknown_and_the_books_balance(tmp_path: Path, ledger_url: str) -> None:
    home = harmed(tmp_path, at=0.6)
    ledger = open_ledger(ledger_url)
    replay_spools(ledger, tmp_path, LIST, quiet)
    assert len(audit_ledger(ledger)) == 1, "there is a gap"
    assert not is_salvaged(ledger, home, 7)
    assert count_displaced(ledger, home, 7) == (0, 0), "replay gave all that it has"
    (result,) = salvage_spool(ledger, home, 7, LIST)
    assert result.lost == []
    assert result.unknown > 0
    assert result.bytes_lost > 0
    records = {int(one.record.id[-4:], 16): one.record for one in read_records(ledger, Selection())}
    assert sorted(records) == [1, 2, 3, 4, 5, 6, 7]
    assert sum(one.status is Status.UNKNOWN for one in records.values()) == result.unknown
    assert audit_ledger(ledger) == []
    (twice,) = salvage_spool(ledger, home, 7, LIST)
    assert (twice.added, twice.unknown, twice.lost) == (0, 0, [])
    assert is_salvaged(ledger, home, 7)
    ledger.close()


@pytest.mark.parametrize("at", [0.6, 0.999])
def test_an_answer_that_is_salvaged_after_a_start_completes_the_record_of_its_call(
    tmp_path: Path, ledger_url: str, at: float
) -> None:
    """The start after the damage took the calls of the damaged group for lost ones, each at a new place."""
    home = harmed(tmp_path, at=at)
    closed_again(home)
    ledger = open_ledger(ledger_url)
    replay_spools(ledger, tmp_path, LIST, quiet)
    (result,) = salvage_spool(ledger, home, 7, LIST)
    records = {int(one.record.id[-4:], 16): one.record for one in read_records(ledger, Selection())}
    answers = [number for number in (4, 5, 6) if records[number].tokens.total == 1550]
    assert sorted(records) == [1, 2, 3, 4, 5, 6, 7]
    assert (result.added, result.unknown) == (len(answers), 0)
    assert answers == [4, 5, 6][: 6 - 3 - len(result.lost)]
    assert audit_ledger(ledger) == [] or result.lost, "places of which nothing can be read stay empty"
    (twice,) = salvage_spool(ledger, home, 7, LIST)
    assert (twice.added, twice.unknown, twice.lost) == (0, 0, result.lost)
    ledger.close()


def test_damage_behind_the_last_entry_costs_nothing(tmp_path: Path, ledger_url: str) -> None:
    home = harmed(tmp_path, at=0.999)
    ledger = open_ledger(ledger_url)
    (result,) = salvage_spool(ledger, home, 7, LIST)
    assert (result.read, result.added, result.unknown, result.lost) == (6, 6, 0, [])
    ledger.close()
