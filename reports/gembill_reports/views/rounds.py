"""The rounds of a call: what the model read again after each run of its code.

Owns: their form in a receipt, as JSON and as a sheet. Owns no number (`gembill.rules.rounds`). Invariant: what is
estimated says so, and a count that the law cannot explain stands beside the one it expects.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from gembill.ledger import Ledger, LedgerRecord, read
from gembill.posting import UnreadableEvent, read_event
from gembill.rules.metering import rounds
from gembill.rules.rounds import Round
from gembill_reports.layout.sheet import Sheet, count
from gembill_reports.layout.tables import Column, Table


def rounds_of(ledger: Ledger, stored: LedgerRecord) -> tuple[Round, ...]:
    """The rounds of the answer behind a record; () where its event is not kept, or is of a newer version."""
    body = read.event_body(ledger, stored)
    try:
        return () if body is None else rounds(read_event(body))
    except UnreadableEvent:
        return ()


def as_dicts(found: Sequence[Round]) -> list[dict[str, Any]]:
    """The rounds as JSON carries them. `expected` is without the results, which are at most `results_at_most` more."""
    return [
        {
            "number": number,
            "intermediate": one.intermediate,
            "expected": one.expected,
            "results_at_most": one.results,
            "estimate": one.estimated,
            "explained": one.explained,
        }
        for number, one in enumerate(found, 1)
    ]


def sheet(found: Sequence[Round]) -> Sheet:
    """The rounds as people read them."""
    columns = (Column("Round"), Column("Read again"), Column("Prompt, code and thoughts", 60), Column("", text=True))
    rows = tuple(
        (str(number), count(one.intermediate), count(one.expected), _remark(one)) for number, one in enumerate(found, 1)
    )
    total = ("Total", count(sum(one.intermediate for one in found)), "", "")
    return Sheet("Rounds", Table(columns, rows, total), tuple(_notes(found)))


def _remark(one: Round) -> str:
    if one.estimated:
        return "estimate"
    return "reported" if one.explained else "reported, not explained"


def _notes(found: Sequence[Round]) -> Iterator[str]:
    yield (
        "After each run the model reads prompt, code and thoughts so far again, and the results so far, which the API "
        "does not count on their own."
    )
    if any(one.estimated for one in found):
        yield "This answer does not show its rounds; as an estimate, its tokens are shared out by that rule."
    for number, one in enumerate(found, 1):
        if not one.explained:
            yield (
                f"Round {number} was reported with {one.intermediate:,} tokens; the rule gives {one.expected:,} and at "
                f"most {one.results:,} more for the results."
            )
