"""Whatever is damaged, what is given is as it was written; what is lost is named."""

import random
from pathlib import Path

from gembill.spool import Spool, frames, salvage
from gembill.spool.frames import Header
from gembill.spool.segment import Segment
from gembill.spool.segments import JUMP, segment_path
from tests.gembill.spool.harm import groups


def damaged(root: Path) -> Path:
    """A spool whose first segment has a group of intents and one of their completions, damaged in its middle, and
    another segment behind it that begins with a call of the first one that is still open."""
    home = root / f"{7:016x}"
    home.mkdir()
    asked = {name: body[:100] for name, body in bodies().items()} | {"open": b"still asked"}
    first = Segment.begin(segment_path(home, 1, 1))
    first.write(
        [frames.intent(n, name.encode(), body) for n, (name, body) in enumerate(asked.items(), 1)],
        Header(7, 1, 0, 0).written(),
    )
    first.write([frames.completion_of(n, 0, n, body[:100], body) for n, body in enumerate(bodies().values(), 1)])
    first.close()
    second = Segment.begin(segment_path(home, 2, 9))
    second.write([frames.intent(9, b"open", b"still asked")], Header(7, 9, 0, 1).written())
    second.close()
    at, group = groups(first.path)[-1]
    data = bytearray(first.path.read_bytes())
    data[(at + group.end) // 2] ^= 0x10
    first.path.write_bytes(data)
    first.path.rename(first.path.with_suffix(".seg-damaged"))
    return home


def bodies() -> dict[str, bytes]:
    return {f"e{n}": b"asked %d " % n * 14 + random.Random(n).randbytes(150) for n in range(1, 9)}


def test_whole_entries_of_a_damaged_group_are_read_and_the_others_are_named(tmp_path: Path) -> None:
    (result,) = salvage(damaged(tmp_path), 7)
    read = {entry.event_id: entry.body for entry in result.entries}
    assert read.items() < bodies().items()
    assert read, "those before the damage"
    lost = [name for name, _ in result.orphans]
    assert sorted([*read, *lost]) == sorted(bodies()), "the open call went on in the next segment"
    assert result.missing == [n for n, name in enumerate(bodies(), 1) if name in lost]
    assert result.bytes_lost > 0


def test_a_flipped_byte_anywhere_gives_nothing_that_was_not_written(tmp_path: Path) -> None:
    path = damaged(tmp_path)
    (segment,) = path.glob("*.seg-damaged")
    whole = segment.read_bytes()
    chance = random.Random(4)
    for _ in range(150):
        data = bytearray(whole)
        for _ in range(chance.randrange(1, 4)):
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        segment.write_bytes(data)
        (result,) = salvage(path, 7)
        assert {entry.event_id: entry.body for entry in result.entries}.items() <= bodies().items()


def test_numbers_that_the_start_after_the_damage_jumped_over_are_not_lost(tmp_path: Path) -> None:
    path = damaged(tmp_path)
    (behind,) = path.glob("*.seg")
    (before,) = salvage(path, 7)
    behind.rename(segment_path(path, 2, 1 + JUMP))  # it could read nothing, salvage reads some
    (result,) = salvage(path, 7)
    assert result.entries == before.entries != []
    assert max(result.missing, default=0) < result.entries[-1].seq, "between those that are read"


def test_a_whole_spool_has_nothing_to_salvage(tmp_path: Path) -> None:
    spool = Spool.claim(tmp_path)
    spool.append_wait("a", b"x")
    spool.close()
    assert salvage(spool.path, spool.source_id) == []


def test_a_damaged_segment_of_the_version_before_is_named(tmp_path: Path) -> None:
    home = tmp_path / f"{7:016x}"
    home.mkdir()
    (home / f"{1:08d}-{1:020d}.db-damaged").write_bytes(b"no database" * 100)
    (result,) = salvage(home, 7)
    assert (result.entries, result.error is None) == ([], False)
