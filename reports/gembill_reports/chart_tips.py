"""What a bar of a chart says when it is pointed at.

Owns: the lines of it: a meter, its tokens, its dollars and its share of the bar. Not here: bars, colours and markup.
Invariant: the numbers are those of the row that the bar was made of; what is not known is called unknown, never 0.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from gembill.ledger import Total
from gembill_reports.layout.sheet import count, money, percent

TOKENS = ("Tokens", "Cost", "Share")
EXECUTIONS = ("Executions", "Cost", "Share")
Look = tuple[str, str, str]  # a kind of tokens, its colour, and what it is called


@dataclass(frozen=True, slots=True)
class TipRow:
    """One line: its colour (empty in a line that adds up others), what it is, a count, dollars, and a share."""

    color: str
    name: str
    count: str = ""
    cost: str = ""
    share: str = ""


@dataclass(frozen=True, slots=True)
class Tip:
    """All that a bar says: the name of its day or group, the lines under their headings, and a sentence."""

    name: str
    rows: tuple[TipRow, ...] = ()
    heads: tuple[str, str, str] = TOKENS
    note: str = ""

    @property
    def text(self) -> str:
        """The same in plain lines, as browsers show them without a script."""
        lines = (" ".join(filter(None, (f"{r.name}:", r.count, r.cost, r.share))) for r in self.rows)
        return "\n".join([self.name, *lines, *filter(None, [self.note])])


def cost_tip(name: str, row: Total | None, whole_pico: int | None, looks: Sequence[Look]) -> Tip:
    """The meters of a row; `whole_pico` is the cost of all rows together."""
    if row is None:
        return Tip(name, note="No call.")
    rows = [
        TipRow(
            color,
            words,
            "" if part == "grounding" else count(getattr(row.tokens, part)),
            money(getattr(row.cost_parts, part)),
            share(getattr(row.cost_parts, part), row.cost_pico),
        )
        for part, color, words in looks
    ]
    rows.append(TipRow("", "together", count(row.tokens.total), money(row.cost_pico)))
    of_all = share(row.cost_pico, whole_pico)
    return Tip(name, tuple(rows), note=f"{_calls(row)}{f', {of_all} of the cost of all' if of_all else ''}.")


def outcome_tip(name: str, row: Total | None, looks: Sequence[Look]) -> Tip:
    """The executions of a row that failed, with what they are estimated to have cost, and the others."""
    if row is None:
        return Tip(name, heads=EXECUTIONS, note="No call.")
    (_, ran_color, ran), (_, failed_color, failed) = looks
    good = row.executions - row.executions_failed
    cost = money(row.failed_execution_cost_pico) if row.executions_failed else ""
    rows = (
        TipRow(ran_color, ran, count(good), "", share(good, row.executions)),
        TipRow(failed_color, failed, count(row.executions_failed), cost, share(row.executions_failed, row.executions)),
    )
    return Tip(name, rows, EXECUTIONS, f"In {row.calls_code_execution:,} of {_calls(row)}.")


def ratio_tip(name: str, row: Total, looks: Sequence[Look], ratio: str) -> Tip:
    """The tokens of a row that are compared with each other."""
    parts = [(getattr(row.tokens, part), getattr(row.cost_parts, part)) for part, _, _ in looks]
    whole = sum(tokens or 0 for tokens, _ in parts)
    rows = tuple(
        TipRow(color, words, count(tokens), money(cost), share(tokens, whole))
        for (_, color, words), (tokens, cost) in zip(looks, parts, strict=True)
    )
    return Tip(name, rows, note=f"{ratio} intermediate tokens for each token of input.")


def step_tip(name: str, look: Look, tokens: int, whole: int, cost: str) -> Tip:
    """One step of a call; `whole` are the tokens of all steps, `cost` is written already, empty if it is not known."""
    _, color, words = look
    return Tip(name, (TipRow(color, words, count(tokens), cost, share(tokens, whole)),))


def share(part: int | None, whole: int | None) -> str:
    """A share in whole percent; empty where one of the two is not known, or there is nothing to share."""
    return percent(part, whole) if part is not None and whole else ""


def _calls(row: Total) -> str:
    return f"{row.calls:,} call{'' if row.calls == 1 else 's'}"
