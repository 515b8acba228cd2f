from pathlib import Path

import pytest
from msgspec.structs import replace
from sqlalchemy import text

from gembill.ledger import Ledger, Reason, audit_ledger, open_ledger
from gembill.spool.segments import JUMP
from tests.gembill.ledger.making import HOUR, LOST, SPOOL, START, append, natural, posting, rated, record, tokens


@pytest.fixture
def books(ledger: Ledger) -> Ledger:
    """Three calls, one of them corrected, and a call that a poll completed."""
    append(ledger, SPOOL, [posting(1), posting(2), posting(3), natural(4, **LOST), natural(5)])
    ledger.correct([(record(2), rated(tokens(), 7, "p2"))], reason=Reason.RERATE)
    assert audit_ledger(ledger) == []
    return ledger


@pytest.mark.parametrize(
    ("damage", "finding"),
    [
        (
            "DELETE FROM event WHERE seq = 2",
            "source 77: its last place is 5 but 4 places are filled, the first missing one is 2",
        ),
        ("DELETE FROM event WHERE seq = 1", "first missing one is 1"),
        ("DELETE FROM event WHERE seq = 5", "its event 00000010-0000-0000-0000-000000000005 is not in the ledger"),
        ("DELETE FROM event_block", "the block that its body is in is not in the ledger"),
        ("DELETE FROM entry WHERE source_id = 77 AND revision = 1", "cost_pico is 200001400, its records add up to"),
        ("DELETE FROM entry WHERE source_id = -7 AND revision = 0", "its revisions go up to 1 but there are 1"),
        ("DELETE FROM template WHERE source_id = -7", "revision 1: its words and price rows are not in the ledger"),
        ("DELETE FROM template_line WHERE line = 0", "its charges add up to 50000000"),
        ("UPDATE template_line SET unit_pico = unit_pico + 1 WHERE line = 0", "its charges add up to 100000100"),
        ("UPDATE template_line SET meter = 'output' WHERE meter = 'input'", "its charges add up to"),
        ("UPDATE entry SET quantities = NULL WHERE source_id = -7", "its charges add up to 0"),
        (
            "UPDATE entry SET tokens_output = 61 WHERE source_id = -7",
            "it has 61 output tokens, its charges are for 60",
        ),
        ("UPDATE entry SET cost_output_pico = NULL WHERE source_id = -7", "its cost is"),
        ("UPDATE entry SET cost_pico = cost_pico + 1 WHERE source_id = -7", "its cost is 100000001 pico-dollars"),
        ("UPDATE rollup_narrow SET tokens_thinking_known = 9", "rollup_narrow (source_id=-7"),
        ("UPDATE rollup_wide SET failed_execution_cost_pico = 1", "rollup_wide (source_id=-7"),
        ("DELETE FROM rollup_wide", "calls is 0, its records add up to 1"),
        ("DELETE FROM label_set", "have labels that are not in label_set"),
    ],
    ids=lambda value: value if " FROM " in value or value.startswith("UPDATE") else "",
)
def test_every_kind_of_damage_is_found(books: Ledger, damage: str, finding: str) -> None:
    with books.engine.begin() as connection:
        connection.execute(text(damage))
    assert any(finding in sentence for sentence in audit_ledger(books)), audit_ledger(books)


@pytest.mark.parametrize("index", ["entry_by_time", "entry_by_conversation"])
def test_a_byte_that_flipped_in_an_index_of_a_file_is_found(tmp_path: Path, index: str) -> None:
    file = tmp_path / "ledger.db"
    ledger = open_ledger(f"sqlite:///{file}")
    append(ledger, SPOOL, [posting(number) for number in range(1, 50)])
    with ledger.engine.connect() as connection:
        root = connection.execute(
            text("SELECT rootpage FROM sqlite_schema WHERE name = :name"), {"name": index}
        ).scalar()
        size = connection.execute(text("PRAGMA page_size")).scalar()
    ledger.close()
    content = bytearray(file.read_bytes())
    content[root * size - 20] ^= 4  # among the cells, which fill a page from its end
    file.write_bytes(content)
    ledger = open_ledger(f"sqlite:///{file}")
    findings = audit_ledger(ledger)
    ledger.close()
    assert findings
    assert all("the file of the ledger is damaged" in finding for finding in findings)


def test_a_buried_event_fills_its_place(ledger: Ledger) -> None:
    append(ledger, SPOOL, [posting(1), posting(3)])
    assert len(audit_ledger(ledger)) == 1
    ledger.add_dead_letter(SPOOL, 2, "poison", b"", "no reason")
    assert audit_ledger(ledger) == []


def test_imports_have_no_places(ledger: Ledger) -> None:
    append(ledger, SPOOL, [replace(posting(seq), seq=None) for seq in (4, 9)])
    assert audit_ledger(ledger) == []


def test_many_findings_of_a_kind_are_abridged(ledger: Ledger) -> None:
    append(ledger, SPOOL, [posting(seq, occurred_us=START) for seq in range(1, 12)])
    with ledger.engine.begin() as connection:
        connection.execute(text("DELETE FROM event"))
    assert audit_ledger(ledger)[-1] == "and 6 more like the last one"


def test_calls_before_1970_are_on_their_own_days(ledger: Ledger) -> None:
    append(ledger, SPOOL, [posting(n, occurred_us=-hour * HOUR) for n, hour in enumerate((1, 23, 24, 25, 49), 1)])
    assert audit_ledger(ledger) == []


def test_places_that_a_spool_jumped_over_are_not_missing(ledger: Ledger) -> None:
    behind = 3 + JUMP
    append(
        ledger, SPOOL, [posting(1), posting(2), replace(posting(3), seq=behind), replace(posting(4), seq=behind + 1)]
    )
    assert audit_ledger(ledger) == []
    append(ledger, SPOOL, [replace(posting(5), seq=behind + 3)])
    (finding,) = audit_ledger(ledger)
    assert f"the first missing one is {behind + 2}" in finding
