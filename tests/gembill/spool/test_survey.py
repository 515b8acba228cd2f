"""Spools as they lie there: who has them, what waits, what is damaged; nothing is changed by looking."""

import asyncio
import shutil
from pathlib import Path

from gembill.spool import Spool, SpoolOptions, leave, read_unposted, survey_spools
from tests.gembill.spool.harm import flip


def test_each_state_has_its_word_and_its_numbers(tmp_path: Path) -> None:
    assert survey_spools(tmp_path / "none") == []
    busy, idle, left = (Spool.claim(tmp_path) for _ in range(3))
    for n in (1, 2, 3):
        busy.append_wait(f"e{n}", b"x")
    asyncio.run(busy.intend("open", b"x"))
    busy.mark_posted(1)
    idle.append_wait("a", b"the body")
    for each in (idle, left):
        each.close()
    leave(left.path, "the ledger refuses it")
    shutil.copytree(idle.path, tmp_path / "elsewhere")
    shutil.rmtree(idle.path)
    shutil.move(tmp_path / "elsewhere", idle.path)
    (tmp_path / f"{5:016x}.damaged-00ff").mkdir()
    (tmp_path / f"{6:016x}.renewed").mkdir()
    seen = {each.path: each for each in survey_spools(tmp_path)}
    assert [seen[each.path].state for each in (busy, idle, left)] == ["in use", "copy", "left alone"]
    assert (seen[busy.path].last, seen[busy.path].unposted, seen[busy.path].open_calls) == (3, 2, 1)
    assert seen[left.path].reason == "the ledger refuses it"
    assert sorted(each.state for each in seen.values() if each.source_id in (5, 6)) == ["renewed", "set aside"]
    busy.close()
    assert next(each for each in survey_spools(tmp_path) if each.path == busy.path).state == "idle"


def test_damaged_segments_are_counted(tmp_path: Path) -> None:
    spool = Spool.claim(tmp_path)
    spool.append_wait("a", b"the body")
    spool.append_wait("b", b"another")
    spool.close()
    (segment,) = spool.path.glob("*.seg")
    flip(segment, b"the body")
    Spool.claim(tmp_path).close()
    (seen,) = survey_spools(tmp_path)
    assert (seen.damaged, seen.segments, seen.bytes > 0) == (1, 1, True)


def test_ids_of_what_is_not_posted_are_read_from_whoever_has_the_spool(tmp_path: Path) -> None:
    spool = Spool.claim(tmp_path, SpoolOptions(segment_bytes=1))
    for n in range(1, 5):
        spool.append_wait(f"e{n}", b"x")
    asyncio.run(spool.intend("open", b"x"))
    assert len(list(spool.path.glob("*.seg"))) > 1
    assert read_unposted(spool.path) == ["e1", "e2", "e3", "e4", "open"]
    spool.mark_posted(3)
    assert read_unposted(spool.path) == ["e4", "open"]
    spool.close()
    assert read_unposted(spool.path) == ["e4", "open"]
