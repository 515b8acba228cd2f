"""A ledger that was lost or fell back is the same again, whatever it has already, and however often it is done."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from gembill.ledger import (
    Ledger,
    Selection,
    audit_ledger,
    count_unreplayed,
    open_ledger,
    read_records,
    read_totals,
)
from gembill.model import Operation
from gembill.posting import Poster
from gembill.price_catalog import PricingTerms
from gembill.rules.prices import bundled
from gembill.rules.rating import DEFAULT
from gembill.spool import Spool
from gembill.spool_replay import SpoolReplay, replay_spools
from tests.gembill.calls import answered, event

LIST = PricingTerms(bundled(), DEFAULT)


@pytest.fixture
def spools(tmp_path: Path) -> Iterator[tuple[Spool, Spool]]:
    """Two spools of one data folder with calls that took turns."""
    pair = Spool.claim(tmp_path / "spool"), Spool.claim(tmp_path / "spool")
    for n in range(1, 41):
        pair[n % 2].append_wait(*answered(n))
    yield pair
    for each in pair:
        each.close()


def post(spools: tuple[Spool, ...], url: str, most: int = 10_000) -> None:
    poster = Poster(lambda: open_ledger(url), lambda _: LIST)
    for spool in spools:
        poster.drain(spool, most)
    poster.close()


def quiet(_events: int, _added: int) -> None:
    """Progress that is not read."""


def again(url: str, root: Path, since_us: int = 0) -> list[SpoolReplay]:
    ledger = open_ledger(url)
    try:
        return replay_spools(ledger, root, LIST, quiet, since_us=since_us)
    finally:
        ledger.close()


def books(url: str) -> tuple[object, ...]:
    """All that reports are made of; when it was posted is left out."""
    ledger = open_ledger(url)
    try:
        assert audit_ledger(ledger) == []
        return list(read_records(ledger, Selection())), read_totals(ledger, Selection(), ("model",))
    finally:
        ledger.close()


def test_a_new_ledger_is_as_the_lost_one_was_and_twice_changes_nothing(
    spools: tuple[Spool, Spool], ledger_url: str, tmp_path: Path
) -> None:
    post(spools, f"sqlite:///{tmp_path / 'lost.db'}")
    expected = books(f"sqlite:///{tmp_path / 'lost.db'}")
    first = again(ledger_url, tmp_path / "spool")
    assert [(each.events, each.added) for each in first] == [(20, 20), (20, 20)]
    assert books(ledger_url) == expected
    second = again(ledger_url, tmp_path / "spool")
    assert [(each.events, each.added, each.refused) for each in second] == [(20, 0, None), (20, 0, None)]
    assert books(ledger_url) == expected
    assert [spool.posted for spool in spools] == [20, 20], "the cursors stay"


def test_a_ledger_that_fell_back_gets_what_it_lacks(
    spools: tuple[Spool, Spool], ledger_url: str, tmp_path: Path
) -> None:
    one, other = spools
    one.close()
    post((other,), ledger_url)
    results = {each.source_id: each for each in again(ledger_url, tmp_path / "spool")}
    assert (results[one.source_id].added, results[other.source_id].added) == (20, 0)
    assert len(books(ledger_url)[0]) == 40  # type: ignore[arg-type]


def test_only_what_is_new_enough_is_posted(spools: tuple[Spool, Spool], ledger_url: str, tmp_path: Path) -> None:
    post(spools, f"sqlite:///{tmp_path / 'lost.db'}")
    cut = max(each.last_us or 0 for each in again(ledger_url, tmp_path / "spool", 1 << 62)) or 1 << 62
    assert sum(each.events for each in again(ledger_url, tmp_path / "spool", cut)) == 0
    assert sum(each.added for each in again(ledger_url, tmp_path / "spool")) == 40


def test_an_interaction_finds_the_one_before_it_in_another_spool(tmp_path: Path, ledger_url: str) -> None:
    pair = Spool.claim(tmp_path / "spool"), Spool.claim(tmp_path / "spool")
    first, second = sorted(pair, key=lambda each: -each.source_id)  # the later one is read first by name
    for n, spool in ((1, first), (2, second), (3, first), (4, second)):
        asked = event(n).asked
        made = msgspec.structs.replace(
            event(n),
            operation=Operation.INTERACTIONS,
            asked=msgspec.structs.replace(asked, previous_interaction_id=f"v1_{n - 1}" if n > 1 else None),
            seen=msgspec.structs.replace(event(n).seen, response_id=f"v1_{n}"),
            natural=("interaction", "gemini", f"v1_{n}"),
        )
        spool.append_wait(made.id, msgspec.json.encode(made))
    for each in pair:
        each.close()
    again(ledger_url, tmp_path / "spool")
    ledger = open_ledger(ledger_url)
    assert {one.record.conversation for one in read_records(ledger, Selection())} == {"v1_1"}
    ledger.close()


def test_what_cannot_be_kept_is_a_dead_letter_and_the_rest_goes_on(tmp_path: Path, ledger_url: str) -> None:
    spool = Spool.claim(tmp_path / "spool")
    spool.append_wait(*answered(1))
    spool.append_wait("no uuid", b"no event")
    spool.append_wait(*answered(2))
    spool.close()
    for _ in range(2):
        (result,) = again(ledger_url, tmp_path / "spool")
        assert (result.events, result.unfit, result.refused) == (3, 1, None)
    ledger = open_ledger(ledger_url)
    assert (len(list(read_records(ledger, Selection()))), count_unreplayed(ledger)) == (2, 1)
    ledger.close()


def test_a_spool_that_the_ledger_refuses_is_named_and_keeps_no_other_back(tmp_path: Path, ledger_url: str) -> None:
    pair = Spool.claim(tmp_path / "spool"), Spool.claim(tmp_path / "spool")
    for n, spool in enumerate(pair, 1):
        spool.append_wait(*answered(n))
        spool.close()
    ledger = open_ledger(ledger_url)
    clash(ledger, pair[0].source_id)
    ledger.close()
    results = {each.source_id: each for each in again(ledger_url, tmp_path / "spool")}
    assert "cloned or restored" in (results[pair[0].source_id].refused or "")
    assert (results[pair[1].source_id].refused, results[pair[1].source_id].added) == (None, 1)


def clash(ledger: Ledger, source_id: int) -> None:
    """Another event at the first place of a spool."""
    from gembill.posting import append, posting
    from gembill.spool import SegmentEntry

    append(ledger, source_id, [posting(SegmentEntry(1, *answered(99)), source_id, LIST)], LIST.rate)


def test_a_spool_that_cannot_be_read_is_named(tmp_path: Path, ledger_url: str) -> None:
    spool = Spool.claim(tmp_path / "spool")
    spool.append_wait(*answered(1))
    spool.close()
    (spool.path / "posting.lock").unlink(missing_ok=True)
    (spool.path / "posting.lock").mkdir()
    (result,) = again(ledger_url, tmp_path / "spool")
    assert "cannot be read" in (result.refused or "")
