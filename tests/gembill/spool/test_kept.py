"""What a spool keeps is read from its first completion, whoever has the spool, and nothing in it is touched."""

import os
from pathlib import Path

from gembill.spool import KeptSpool, Spool, SpoolOptions, SpoolReader, kept_spools
from tests.gembill.spool.harm import flip
from tests.gembill.spool.test_upgrade import SOURCE, old_segment

SMALL = SpoolOptions(segment_bytes=2_000)


def filled(root: Path, count: int) -> Spool:
    spool = Spool.claim(root, SMALL)
    for n in range(1, count + 1):
        spool.append_wait(f"e{n}", b"%04d" % n + os.urandom(300))
    return spool


def places(path: Path, since_us: int = 0) -> list[int]:
    kept = KeptSpool.open(path)
    try:
        return [entry.seq for entry in kept.entries(since_us)]
    finally:
        kept.close()


def test_all_of_a_spool_that_nobody_has_is_read_posted_or_not(tmp_path: Path) -> None:
    spool = filled(tmp_path, 30)
    spool.mark_posted(12)
    spool.close()
    before = {file: file.read_bytes() for file in spool.path.iterdir()}
    assert len([file for file in before if file.suffix == ".seg"]) > 2
    assert places(spool.path) == list(range(1, 31))
    after = {file: file.read_bytes() for file in spool.path.iterdir() if file.name != "posting.lock"}
    assert after == {file: text for file, text in before.items() if file.name != "posting.lock"}
    assert kept_spools(tmp_path) == [spool.path]
    assert kept_spools(tmp_path / "none") == []


def test_of_a_spool_in_use_only_what_was_posted_is_read(tmp_path: Path) -> None:
    spool = filled(tmp_path, 9)
    spool.mark_posted(4)
    assert places(spool.path) == [1, 2, 3, 4], "it is being written"
    spool.close()
    poster = SpoolReader(spool.path)
    assert poster.lock_posting()
    assert places(spool.path) == [1, 2, 3, 4], "it is being posted"
    poster.close()
    assert places(spool.path) == list(range(1, 10))


def test_what_was_appended_before_a_moment_is_left_out(tmp_path: Path) -> None:
    spool = filled(tmp_path, 5)
    spool.close()
    kept = KeptSpool.open(spool.path)
    times = [entry.at_us for entry in kept.entries()]
    kept.close()
    assert places(spool.path, times[2]) == [n for n in range(1, 6) if times[n - 1] >= times[2]]
    assert places(spool.path, times[-1] + 1) == []


def test_damage_is_named_with_the_numbers_that_are_missing(tmp_path: Path) -> None:
    spool = filled(tmp_path, 6)
    spool.close()
    (first, *_) = sorted(spool.path.glob("*.seg"))
    flip(first, b"0002")
    kept = KeptSpool.open(spool.path)
    assert [entry.seq for entry in kept.entries()] == [1, 3, 4, 5, 6]
    kept.close()
    reasons = [damage.reason for damage in kept.damage]
    assert len(reasons) == 2
    assert any("completions 2 to 2 " in reason for reason in reasons)
    assert first.exists(), "it keeps its name: only who posts renames it"


def test_segments_of_the_version_before_are_read_too(tmp_path: Path) -> None:
    home = tmp_path / f"{SOURCE:016x}"
    old_segment(home, 1, range(1, 4), {})
    old_segment(home, 2, range(4, 6), {})
    assert places(home) == [1, 2, 3, 4, 5]
    (home / f"{1:08d}-{1:020d}.db").write_bytes(b"no database at all" * 100)
    kept = KeptSpool.open(home)
    assert [entry.seq for entry in kept.entries()] == [4, 5]
    kept.close()
    assert any("of gembill 0.2 cannot be read" in damage.reason for damage in kept.damage)
