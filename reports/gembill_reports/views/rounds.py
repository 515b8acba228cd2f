"""Why a call has intermediate tokens: one sentence, and round by round what the model read again.

Owns: those words, and the rounds as JSON and as a sheet. Not here: the numbers (`gembill.rules.rounds`). Invariant:
what is estimated says so, and a count that the law cannot explain is shown beside the one it expects.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from gembill.model import Status
from gembill.rules.rounds import Round
from gembill_reports.analysis.receipt import Receipt
from gembill_reports.layout.sheet import Sheet, count, exact, percent
from gembill_reports.layout.tables import Column, Table


def explanation(receipt: Receipt) -> str:
    """One sentence on why this call has intermediate tokens, or has none."""
    record, tokens = receipt.stored.record, receipt.stored.record.tokens
    runs = len(record.executions)
    if tokens.intermediate is None:
        if record.status is Status.ERROR:
            return "There are no intermediate tokens, because the call ended in an error."
        return "The API did not report how many intermediate tokens this call has."
    if not tokens.intermediate:
        return _without_intermediate(runs)
    size = f"{tokens.intermediate:,} intermediate tokens, {_shares(receipt)}"
    if not runs:
        return (
            f"There are {size}, although no code ran: the results of another tool (search, URL context, file search) "
            "were fed back to the model as input."
        )
    again = "once" if runs == 1 else f"{runs} times"
    return (
        f"The model ran code {again} and after each run read the prompt, its own code and thinking, and the results so "
        f"far once more as input: these are the {size}."
    )


def _without_intermediate(runs: int) -> str:
    if not runs:
        return "There are no intermediate tokens, because no code ran and no other tool fed results back."
    return f"The API reported no intermediate tokens, although code ran {'once' if runs == 1 else f'{runs} times'}."


def _shares(receipt: Receipt) -> str:
    tokens, stored = receipt.stored.record.tokens, receipt.stored
    part = tokens.intermediate or 0
    share = f"{percent(part, part + (tokens.input or 0) + (tokens.output or 0))} of all tokens"
    cost = stored.cost_parts.intermediate
    if stored.cost_pico and cost is not None:
        share += f" and {percent(cost, stored.cost_pico)} of the bill ({exact(cost)})"
    return share


def rounds_dicts(rounds: Sequence[Round]) -> list[dict[str, Any]]:
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
        for number, one in enumerate(rounds, 1)
    ]


def sheet(rounds: Sequence[Round]) -> Sheet:
    """The rounds as people read them."""
    columns = (Column("Round"), Column("Read again"), Column("Prompt, code and thoughts", 60), Column("", text=True))
    rows = tuple(
        (str(number), count(one.intermediate), count(one.expected), _remark(one))
        for number, one in enumerate(rounds, 1)
    )
    total = ("Total", count(sum(one.intermediate for one in rounds)), "", "")
    return Sheet("Rounds", Table(columns, rows, total), tuple(_notes(rounds)))


def _remark(one: Round) -> str:
    if one.estimated:
        return "estimate"
    return "reported" if one.explained else "reported, not explained"


def _notes(rounds: Sequence[Round]) -> Iterator[str]:
    yield (
        "After each run the model reads prompt, code and thoughts so far again, and the results so far, which the API "
        "does not count on their own."
    )
    if any(one.estimated for one in rounds):
        yield "This answer does not show its rounds; as an estimate, its tokens are shared out by that rule."
    for number, one in enumerate(rounds, 1):
        if not one.explained:
            yield (
                f"Round {number} was reported with {one.intermediate:,} tokens; the rule gives {one.expected:,} and at "
                f"most {one.results:,} more for the results."
            )
