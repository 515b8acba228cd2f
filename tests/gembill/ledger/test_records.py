import pytest

from gembill.ledger import Ledger, Selection, read_record, read_records, read_time_range, records
from gembill.model import ApiError, Operation
from tests.gembill.ledger.making import NATURAL, SPOOL, START, append, number, posting


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "PAGE", 3)


def ids(ledger: Ledger, selection: Selection | None = None, limit: int | None = None) -> list[str]:
    return [stored.record.id for stored in read_records(ledger, selection or Selection(), limit=limit)]


def test_records_come_newest_first_then_by_id_across_pages(ledger: Ledger) -> None:
    times = [5, 1, 5, 5, 9, 5, 1, 5]
    append(ledger, SPOOL, [posting(seq, occurred_us=START + at) for seq, at in enumerate(times, 1)])
    newest_first = [5, 8, 6, 4, 3, 1, 7, 2]
    assert ids(ledger) == [number(seq) for seq in newest_first]
    for limit in range(10):
        assert ids(ledger, limit=limit) == [number(seq) for seq in newest_first[:limit]]


def test_the_same_id_under_two_sources_is_listed_twice(ledger: Ledger) -> None:
    append(
        ledger, SPOOL, [posting(seq, id=number(1), source_id=source) for seq, source in enumerate((SPOOL, NATURAL), 1)]
    )
    assert ids(ledger) == [number(1)] * 2


def test_start_is_in_and_end_is_out(ledger: Ledger) -> None:
    append(ledger, SPOOL, [posting(seq, occurred_us=START + seq) for seq in (1, 2, 3)])
    assert ids(ledger, Selection(start_us=START + 1, end_us=START + 3)) == [number(2), number(1)]


def test_a_conversation_shows_when_it_ties_something_together(ledger: Ledger) -> None:
    append(
        ledger,
        SPOOL,
        [
            posting(1, conversation="alone"),
            posting(2, conversation="shared"),
            posting(3, conversation="shared"),
            posting(4, conversation="c_long", turns=3),
            posting(5, conversation="chain", operation=Operation.INTERACTIONS),
            posting(6, conversation=None),
        ],
    )
    shown = [stored.conversation_id for stored in read_records(ledger, Selection())]
    assert shown == [None, "chain", "c_long", "shared", "shared", None]


def test_errors_keep_their_code_whatever_its_type(ledger: Ledger) -> None:
    faults = [ApiError(code=429, status="RESOURCE_EXHAUSTED", kind="rpd"), ApiError(code="blocked"), ApiError()]
    append(ledger, SPOOL, [posting(seq, error=fault) for seq, fault in enumerate(faults, 1)])
    assert [stored.record.error for stored in read_records(ledger, Selection())] == faults[::-1]


@pytest.mark.parametrize("wrong", ["", "x", "z" * 36, number(2)])
def test_a_record_that_is_not_there_is_none(ledger: Ledger, wrong: str) -> None:
    append(ledger, SPOOL, [posting(1)])
    assert read_record(ledger, wrong) is None


def test_the_time_range_is_from_the_first_to_the_last_call(ledger: Ledger) -> None:
    assert read_time_range(ledger) is None
    append(ledger, SPOOL, [posting(5), posting(2), posting(9)])
    assert read_time_range(ledger) == (START + 2, START + 9)
