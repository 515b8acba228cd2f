"""Calls that wait in spools, by the period in which they began; those that the ledger has do not wait."""

import asyncio
from pathlib import Path

import msgspec
import pytest

from gembill.errors import SpoolError
from gembill.ledger import Ledger, RatedEvent
from gembill.period import parse
from gembill.spool import Spool
from gembill.unposted_calls import count_unposted
from tests.gembill.calls import id_at
from tests.gembill.ledger.making import append, posting

OCTOBER = parse(month="2026-10", tz="UTC")
LAST, NEXT = id_at("2026-10-31T23:59:59.999+00:00"), id_at("2026-11-01T00:00:00+00:00")


def test_those_of_the_period_count_that_are_posted_nowhere(ledger: Ledger, tmp_path: Path) -> None:
    assert count_unposted(ledger, tmp_path / "none", OCTOBER) == 0
    spool = Spool.claim(tmp_path)
    for event_id in (id_at("2026-10-01T00:00:00+00:00"), LAST, NEXT):
        spool.append_wait(event_id, b"{}")
    asyncio.run(spool.intend(id_at("2026-10-31T23:59:00+00:00"), b"{}"))
    asyncio.run(spool.intend(id_at("2026-11-01T00:01:00+00:00"), b"{}"))
    assert count_unposted(ledger, tmp_path, OCTOBER) == 3
    spool.mark_posted(1)
    assert count_unposted(ledger, tmp_path, OCTOBER) == 2
    assert count_unposted(ledger, tmp_path, OCTOBER, known_only=True) == 0
    append(ledger, spool.source_id, [_posted(LAST, spool.source_id)])  # and the cursor did not move yet
    assert count_unposted(ledger, tmp_path, OCTOBER) == count_unposted(ledger, tmp_path, OCTOBER, known_only=True) == 1
    spool.close()


def _posted(event_id: str, source_id: int) -> RatedEvent:
    return msgspec.structs.replace(posting(2, id=event_id, source_id=source_id), event_id=event_id)


def test_a_spool_that_cannot_be_read_is_said(ledger: Ledger, tmp_path: Path) -> None:
    (tmp_path / f"{7:016x}").write_text("a file where a folder should be")
    with pytest.raises(SpoolError, match=f"{7:016x}.* cannot be read: Not a directory"):
        count_unposted(ledger, tmp_path, OCTOBER)
