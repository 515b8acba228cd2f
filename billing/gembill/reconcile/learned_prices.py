"""Prices that a bill shows and the list in force does not have.

Owns: which price a bill was made with, as exactly as its digits allow. Not here: setting any, which people do.
Invariant: a price is learned only where all lines of a model, tier, meter, kind and band agree on one; it is the
shortest decimal that explains each of them, and where the list's own price does, nothing is learned.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from gembill.reconcile.cell import Cell
from gembill.reconcile.comparison import CellComparison, Comparison
from gembill.reconcile.hypothesis import MICRO
from gembill.reconcile.residue import Name

_LARGEST_STEP = 9  # digits of a price in pico-dollars for one that may all be zero: a thousandth of a dollar


@dataclass(frozen=True, slots=True)
class LearnedPrice:
    """What a bill charges for one, in pico-dollars, from a day on; `listed_pico` is the list's price, None without one.

    `cell` has its first day as span.
    """

    cell: Cell
    unit_pico: int
    listed_pico: Fraction | None


def learned_prices(one: Comparison) -> list[LearnedPrice]:
    """The prices of cells with a price residue."""
    if one.rate is None:
        return []
    groups: dict[Cell, list[CellComparison]] = defaultdict(list)
    for line in one.cells:
        if Name.PRICE in line.names and line.billed_micro > 0:
            groups[line.cell._replace(span=0, project="", location="")].append(line)
    prices = (_learned(one, lines) for _, lines in sorted(groups.items()))
    return [price for price in prices if price is not None]


def _learned(one: Comparison, lines: list[CellComparison]) -> LearnedPrice | None:
    """The price of all these lines; None if they have no common one, or the list's."""
    first = min(lines, key=lambda line: line.cell.span).cell
    low, high = _common(_bounds(line) for line in lines)
    listed = one.naming.price(first)
    if low > high or (listed is not None and low <= listed <= high):
        return None
    unit = _shortest(low, high)
    return None if unit is None else LearnedPrice(first, unit, listed)


def _bounds(line: CellComparison) -> tuple[Fraction, Fraction]:
    """Between which prices in pico-dollars for one a line was made, by what its cost may have been rounded."""
    share = Fraction(MICRO, line.billed_micro) / line.rate if line.rate else Fraction(0)
    return (line.billed - line.slack) * share, (line.billed + line.slack) * share


def _common(bounds: Iterable[tuple[Fraction, Fraction]]) -> tuple[Fraction, Fraction]:
    lows, highs = zip(*bounds, strict=True)
    return max(lows), min(highs)


def _shortest(low: Fraction, high: Fraction) -> int | None:
    """The number between the two with the fewest digits other than zero at its end; None if no whole one is there."""
    for digits in range(_LARGEST_STEP, -1, -1):
        step = 10**digits
        value = -(-low // step) * step  # rounded up
        if value <= high:
            return int(value)
    return None
