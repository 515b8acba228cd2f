"""Adjustments of closed months: each of one moment, and together what changed, by whatever group."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from random import Random

import msgspec
import pytest

from gembill.ledger import Ledger, Reason, Selection, Total, close_month, open_ledger, read_closings, read_totals
from gembill.model import Rating, Record, Status, Tokens
from gembill.period import parse
from gembill_reports.analysis.closed_months import Adjustment, adjustments, closed_months
from gembill_reports.analysis.statement import SharedRule, StatementTerms, statement
from tests.gembill.calls import us
from tests.gembill.ledger.making import SPOOL, append, posting, rated, record, tokens

OCTOBER, NOVEMBER, DECEMBER = (parse(month=f"2026-{month}") for month in (10, 11, 12))
MIDDLE = us("2026-10-15T12:00:00+00:00")
UNIT = 200 * 500_000  # what a call costs


def at(ledger: Ledger, when: str) -> Ledger:
    return Ledger(lambda: ledger.engine, lambda: us(when))


@pytest.fixture
def closed(ledger: Ledger) -> Ledger:
    """October, closed with two calls of a team; then one late call in November and one new price in December."""
    calls = [posting(seq, occurred_us=MIDDLE + seq) for seq in (1, 2)]
    append(at(ledger, "2026-10-20T12:00:00+00:00"), SPOOL, calls)
    close_month(ledger, "2026-10", OCTOBER, us("2026-11-02T12:00:00+00:00"))
    late = posting(3, occurred_us=MIDDLE + 3, labels={"team": "ads"})
    append(at(ledger, "2026-11-20T12:00:00+00:00"), SPOOL, [late])
    again = (record(1, occurred_us=MIDDLE + 1), rated(tokens(), 400_000))
    at(ledger, "2026-12-20T12:00:00+00:00").correct([again], reason=Reason.RERATE)
    return ledger


def test_the_month_itself_says_what_it_was_and_what_it_is(closed: Ledger) -> None:
    said = closed_months(closed, OCTOBER, Selection())
    assert said is not None
    (month,) = said.months
    assert month.is_adjusted
    assert (month.frozen.calls, month.frozen.cost_pico) == (2, 2 * UNIT)
    assert (month.today.calls, month.today.cost_pico) == (3, 3 * UNIT - 200 * 100_000)
    assert said.adjustments == ()


@pytest.mark.parametrize(
    ("period", "by", "expected"),
    [
        (NOVEMBER, (), [({}, 1, UNIT)]),
        (DECEMBER, (), [({}, 0, -200 * 100_000)]),
        (parse("2026-11-01", "2027-01-01"), (), [({}, 1, UNIT - 200 * 100_000)]),
        (parse(since="2026-11-01"), (), [({}, 1, UNIT - 200 * 100_000)]),
        (NOVEMBER, ("label.team",), [({"label.team": "ads"}, 1, UNIT)]),
        (DECEMBER, ("label.team",), [({"label.team": "search"}, 0, -200 * 100_000)]),
        (parse(month="2027-01"), (), []),
        (parse(month="2026-09"), (), []),
        (OCTOBER, (), []),
        (parse(), (), []),
    ],
)
def test_an_adjustment_is_in_the_period_in_which_it_was_posted(
    closed: Ledger, period: object, by: tuple[str, ...], expected: list[tuple[object, int, int]]
) -> None:
    made = adjustments(closed, read_closings(closed), period, Selection(), by)  # type: ignore[arg-type]
    assert [(one.group, one.calls, one.cost_pico) for one in made] == expected


def test_a_filter_is_kept_to(closed: Ledger) -> None:
    ads = Selection(labels={"team": "ads"})
    assert adjustments(closed, read_closings(closed), DECEMBER, ads) == []
    assert [one.cost_pico for one in adjustments(closed, read_closings(closed), NOVEMBER, ads)] == [UNIT]


def test_where_nothing_was_closed_there_is_nothing_to_say(ledger: Ledger) -> None:
    assert closed_months(ledger, OCTOBER, Selection()) is None


def test_a_closed_month_that_was_left_alone_is_what_it_was(ledger: Ledger) -> None:
    append(at(ledger, "2026-10-20T12:00:00+00:00"), SPOOL, [posting(1, occurred_us=MIDDLE)])
    close_month(ledger, "2026-10", OCTOBER, us("2026-11-02T12:00:00+00:00"))
    said = closed_months(ledger, parse("2026-01-01", "2027-01-01"), Selection())
    assert said is not None
    assert [one.is_adjusted for one in said.months] == [False]
    assert closed_months(ledger, NOVEMBER, Selection()).adjustments == ()  # type: ignore[union-attr]


def test_a_correction_that_only_moves_cost_is_an_adjustment_of_both(ledger: Ledger) -> None:
    append(at(ledger, "2026-10-20T12:00:00+00:00"), SPOOL, [posting(seq, occurred_us=MIDDLE + seq) for seq in (1, 2)])
    close_month(ledger, "2026-10", OCTOBER, us("2026-11-02T12:00:00+00:00"))
    moved = record(1, occurred_us=MIDDLE + 1, labels={"team": "ads"})
    at(ledger, "2026-11-20T12:00:00+00:00").correct([(moved, rated(tokens()))], reason=Reason.REPOST)
    said = closed_months(ledger, OCTOBER, Selection())
    assert said is not None
    assert [(one.is_corrected, one.is_adjusted) for one in said.months] == [(True, False)]
    said = closed_months(ledger, NOVEMBER, Selection(), ("day", "label.team"))
    assert said is not None
    (made,) = said.adjustments
    assert (made.total.group, made.total.calls, made.total.cost_pico) == ({}, 0, 0)
    parts = {tuple(one.group.items()): (one.calls, one.cost_pico) for one in made.rows}
    assert parts == {(("label.team", "ads"),): (1, UNIT), (("label.team", "search"),): (-1, -UNIT)}
    assert closed_months(ledger, NOVEMBER, Selection()).adjustments == ()  # type: ignore[union-attr]
    ads = closed_months(ledger, NOVEMBER, Selection(labels={"team": "ads"}))
    assert ads is not None
    assert [(one.total.calls, one.total.cost_pico, one.rows) for one in ads.adjustments] == [(1, UNIT, ())]


def test_what_a_slow_clock_posted_is_an_adjustment_of_the_month_that_follows(ledger: Ledger) -> None:
    append(at(ledger, "2026-10-20T12:00:00+00:00"), SPOOL, [posting(1, occurred_us=MIDDLE)])
    close_month(ledger, "2026-10", OCTOBER, us("2026-11-02T12:00:00+00:00"))
    append(at(ledger, "2026-10-25T12:00:00+00:00"), SPOOL, [posting(2, occurred_us=MIDDLE)])
    made = adjustments(ledger, read_closings(ledger), NOVEMBER, Selection())
    assert [(one.calls, one.cost_pico) for one in made] == [(1, UNIT)]


BY = ((), ("label.team",), ("label.job", "model"), ("key", "service_tier"), ("location", "project"), ("status",))
MONTHS = tuple(parse(month=month) for month in ("2026-10", "2026-11", "2026-12", "2027-01"))


@pytest.fixture
def either_ledger(ledger_url: str) -> Iterator[Ledger]:
    opened = open_ledger(ledger_url)
    yield opened
    opened.close()


@pytest.mark.parametrize(("seed", "moves"), [(1, False), (2, True)], ids=["whatever changes", "only moves of cost"])
def test_closed_months_and_their_adjustments_add_up_to_the_ledger_by_any_group(
    either_ledger: Ledger, seed: int, *, moves: bool
) -> None:
    ledger = either_ledger
    _live_through(ledger, Random(seed), MOVES if moves else CHANGES)
    closings = read_closings(ledger)
    for by in BY:
        made = [one for month in MONTHS for one in adjustments(ledger, closings, month, Selection(), by)]
        for closing in closings:
            sums = _sums(read_totals(ledger, closing.selection, by))
            sums.update(_sums(one for one in made if one.closing == closing))
            now = _sums(read_totals(ledger, replace(closing.selection, seen_us=None), by))
            assert _nonzero(sums) == _nonzero(now), (by, closing.month)
    for rule in SharedRule:
        terms = StatementTerms(by="label.team", shared=rule)
        stated = [statement(ledger, month, Selection(), terms) for month in MONTHS]
        assert sum(one.total.total_pico for one in stated) == read_totals(ledger, Selection())[0].cost_pico
    owed = Counter({row.name: 0 for one in stated for row in one.rows})  # of the last rule, by which nothing is spread
    for one in stated:
        owed.update({row.name: row.total_pico for row in one.rows})
    books = {row.group["label.team"]: row.cost_pico for row in read_totals(ledger, Selection(), ("label.team",))}
    assert _nonzero(owed) == _nonzero(books)


def _sums(rows: Iterable[Total | Adjustment]) -> Counter[object]:
    sums: Counter[object] = Counter()
    for row in rows:
        sums.update({(*row.group.values(), "calls"): row.calls, (*row.group.values(), "cost"): row.cost_pico or 0})
    return sums


def _nonzero(sums: Mapping[object, int | None]) -> dict[object, int]:
    return {key: value for key, value in sums.items() if value}


LABELS: tuple[dict[str, str], ...] = ({}, {"team": "ads"}, {"team": "search"}, {"team": "ads", "job": "night"})
Changes = Sequence[Callable[[Random, int], dict[str, object]]]
MOVES: Changes = (
    lambda random, _: {"labels": random.choice(LABELS)},
    lambda random, _: {"key": random.choice(("k1", "k2", None))},
    lambda random, _: {
        "model": random.choice(("gemini-3-pro", None)),
        "service_tier": random.choice(("flex", "batch")),
    },
    lambda random, _: {"location": random.choice(("global", "us-east5", None)), "project": random.choice(("p", None))},
)
CHANGES: Changes = (
    *MOVES,
    lambda _, occurred_us: {"occurred_us": occurred_us},
    lambda random, _: {"tokens": tokens(input=random.randrange(1000)), "status": Status.COMPLETE},
    lambda _random, _: {"tokens": Tokens(), "status": Status.ERROR, "executions": ()},
    lambda _random, _: {"tokens": Tokens(), "status": Status.UNKNOWN, "executions": ()},
    lambda _random, _: {},
)


def _live_through(ledger: Ledger, random: Random, changes: Changes) -> None:
    """Three months in which calls come, late ones too, and are corrected at random; two of them are closed meanwhile."""
    known: list[Record] = []
    first, last = us("2026-10-20T00:00:00+00:00"), us("2027-01-25T00:00:00+00:00")
    todo = dict(zip((us("2026-11-03T00:00:00+00:00"), us("2026-12-04T00:00:00+00:00")), MONTHS[:2], strict=True))
    for now_us in sorted((*todo, *(random.randrange(first, last) for _ in range(40)))):
        here = Ledger(lambda: ledger.engine, lambda at_us=now_us: at_us)  # type: ignore[misc]
        occurred_us = random.randrange(MONTHS[0].start_us or 0, min(now_us, MONTHS[3].start_us or 0))
        if changes is MOVES:  # then no call comes late
            occurred_us = now_us
        if now_us in todo:
            close_month(ledger, (todo[now_us].start or "")[:7], todo[now_us], now_us)
        elif len(known) < 6 or random.random() < 0.3:
            known.append(record(len(known) + 1, occurred_us=occurred_us, labels=random.choice(LABELS)))
            append(here, SPOOL, [posting(len(known), occurred_us=occurred_us, labels=known[-1].labels)])
        else:
            place = random.randrange(len(known))
            known[place] = msgspec.structs.replace(known[place], **random.choice(changes)(random, occurred_us))
            here.correct([_rated(known[place], random, moves=changes is MOVES)], reason=Reason.REPOST)


def _rated(known: Record, random: Random, *, moves: bool) -> tuple[Record, Rating]:
    unit = 500_000 if moves else random.choice((500_000, 400_000, 7))
    return known, Rating() if known.status is Status.ERROR else rated(known.tokens, unit)
