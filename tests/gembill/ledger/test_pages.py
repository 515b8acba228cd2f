"""Pages of calls: every call once, in the order asked for, whatever it lacks."""

import itertools
import random
from uuid import UUID

import pytest

from gembill.ledger import (
    Cursor,
    Ledger,
    LedgerRecord,
    ProblemFilter,
    RecordPage,
    Selection,
    SortOrder,
    count_calls,
    pages,
    read_page,
)
from gembill.model import Outcome, Status, Tokens
from tests.gembill.ledger.making import HOUR, NATURAL, SPOOL, START, append, number, posting, rated, runs, tokens


def walk(ledger: Ledger, asked: RecordPage, size: int = 2) -> list[LedgerRecord]:
    calls: list[LedgerRecord] = []
    place: Cursor | None = None
    while True:
        some, place = read_page(ledger, asked, size, place)
        calls += some
        if place is None:
            return calls


def fill(ledger: Ledger) -> None:
    append(
        ledger,
        SPOOL,
        [
            posting(1, tokens=tokens(100)),
            posting(2, tokens=tokens(300), executions=runs(Outcome.FAILED, Outcome.OK), occurred_us=START + 5 * HOUR),
            posting(3, tokens=Tokens(), rating=None, status=Status.UNKNOWN, executions=()),
            posting(4, tokens=tokens(300), anomalies=("total_mismatch",), conversation="chat"),
            posting(5, tokens=tokens(200), labels={"team": "ads"}, status=Status.ERROR),
        ],
    )


def numbers(calls: list[LedgerRecord]) -> list[int]:
    return [UUID(one.record.id).int - (1 << 100) for one in calls]


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (SortOrder.TIME, [2, 5, 4, 3, 1]),
        (SortOrder.INPUT, [2, 4, 5, 1, 3]),
        (SortOrder.COST, [2, 4, 5, 1, 3]),
        (SortOrder.FAILED, [2, 5, 4, 3, 1]),
        (SortOrder.EXECUTIONS, [2, 5, 4, 1, 3]),
    ],
)
@pytest.mark.parametrize("size", [1, 2, 5])
def test_every_call_is_on_one_page_in_order(ledger: Ledger, order: SortOrder, expected: list[int], size: int) -> None:
    fill(ledger)
    assert numbers(walk(ledger, RecordPage(selection=Selection(), order=order), size)) == expected
    upward = RecordPage(selection=Selection(), order=order, ascending=True)
    assert numbers(walk(ledger, upward, size)) == expected[::-1]


def busy(ledger: Ledger) -> None:
    """Many calls that are alike in what they are sorted by, of two models, a third of them corrected later."""
    draw = random.Random(16)
    for seen, some in enumerate((range(1, 90), range(1, 90, 3))):
        made = [
            posting(
                n + 1000 * seen,
                source_id=NATURAL,
                id=number(n),
                tokens=tokens(draw.choice([None, 1, 20, 300])),
                executions=runs(*draw.choices(list(Outcome), k=draw.randrange(3))),
                occurred_us=START + n // 4,
                model=draw.choice(["one", "other"]),
            )
            for n in some
        ]
        append(ledger, SPOOL, made)


def test_a_page_among_the_first_calls_is_that_of_all_calls(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    busy(ledger)
    monkeypatch.setattr(pages, "_FIRST", 1)
    monkeypatch.setattr(pages, "_FIRST_EACH", 2)
    periods = [Selection(), Selection(models=("other",)), Selection(start_us=START + 9)]
    for chosen, order, ascending in itertools.product(periods, SortOrder, (False, True)):
        page = RecordPage(selection=chosen, order=order, ascending=ascending)
        whole = walk(ledger, page, 100)  # more than there are, so that all calls are asked
        assert any(one.revision for one in whole)
        assert numbers(walk(ledger, page, 25)) == numbers(whole), page


def test_few_calls_are_asked_whether_they_are_current(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    busy(ledger)
    asked: list[object] = []
    shown = pages.records.shown
    monkeypatch.setattr(pages.records, "shown", lambda *given: asked.append(given) or shown(*given))
    read_page(ledger, RecordPage(selection=Selection(), order=SortOrder.COST), 5)
    assert len(asked) == 1
    read_page(ledger, RecordPage(selection=Selection(), order=SortOrder.COST, status=Status.ERROR), 5)
    assert len(asked) == 2  # no look among the first, where few calls are refused


@pytest.mark.parametrize(
    ("problem", "expected"),
    [
        (ProblemFilter.FAILED, [2]),
        (ProblemFilter.INCOMPLETE, [3]),
        (ProblemFilter.ANOMALY, [4]),
        (ProblemFilter.ERROR, [5]),
        (ProblemFilter.UNPRICED, []),
    ],
)
def test_a_problem_narrows(ledger: Ledger, problem: ProblemFilter, expected: list[int]) -> None:
    fill(ledger)
    assert numbers(walk(ledger, RecordPage(selection=Selection(), problem=problem))) == expected


def test_other_filters_narrow_too(ledger: Ledger) -> None:
    fill(ledger)
    assert numbers(walk(ledger, RecordPage(selection=Selection(), conversation="chat"))) == [4]
    assert numbers(walk(ledger, RecordPage(selection=Selection(), status=Status.UNKNOWN))) == [3]
    assert numbers(walk(ledger, RecordPage(selection=Selection(labels={"team": "ads"})))) == [5]
    late = Selection(start_us=START + HOUR, end_us=START + 6 * HOUR)
    assert numbers(walk(ledger, RecordPage(selection=late))) == [2]


def test_what_comes_in_between_moves_nothing(ledger: Ledger) -> None:
    fill(ledger)
    asked = RecordPage(selection=Selection())
    first, place = read_page(ledger, asked, 2)
    append(ledger, SPOOL, [posting(9, tokens=tokens(1), rating=rated(tokens(1)), occurred_us=START + 9 * HOUR)])
    rest, _ = read_page(ledger, asked, 9, place)
    assert numbers(first) + numbers(rest) == [2, 5, 4, 3, 1]


@pytest.mark.parametrize("problem", [None, *ProblemFilter])
@pytest.mark.parametrize("status", [None, *Status])
def test_calls_are_counted_as_they_are_listed(
    ledger: Ledger, problem: ProblemFilter | None, status: Status | None
) -> None:
    fill(ledger)
    for more in ({}, {"conversation": "chat"}, {"words": ("ADS",)}):
        page = RecordPage(selection=Selection(), problem=problem, status=status, **more)
        assert count_calls(ledger, page, 100) == len(walk(ledger, page))


def test_calls_that_no_rollup_counts_are_counted_up_to_a_limit(ledger: Ledger) -> None:
    fill(ledger)
    page = RecordPage(selection=Selection(), words=("gemini",))
    assert [count_calls(ledger, page, most) for most in (1, 4, 5)] == [2, 5, 5]
    assert not page.is_counted_by_rollups


@pytest.mark.parametrize(("word", "expected"), [("AD", [5]), ("chat", [4]), ("a%s", []), ("_ds", []), ("nothing", [])])
def test_a_word_is_looked_for_in_the_names_of_a_call(ledger: Ledger, word: str, expected: list[int]) -> None:
    fill(ledger)
    assert numbers(walk(ledger, RecordPage(selection=Selection(), words=(word,)))) == expected


def test_an_id_finds_its_call(ledger: Ledger) -> None:
    fill(ledger)
    wanted = walk(ledger, RecordPage(selection=Selection()))[0].record.id
    assert numbers(walk(ledger, RecordPage(selection=Selection(), words=(wanted,)))) == [2]
