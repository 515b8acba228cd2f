"""The charges that turn what was charged into what should have been.

Owns: the lines of a correcting revision. Owns no SQL. Invariant: old charges plus the correction add up to the new
charges line by line, and a price that no longer applies stays visible in its reversal.
"""

from collections.abc import Iterable, Mapping

from gembill.model import Charge

Line = tuple[str, str, int, str]
"""Meter, modality, unit price, price id: what a quantity is charged under."""


def line_of(charge: Charge) -> Line:
    """What a charge is charged under."""
    return (charge.meter, charge.modality, charge.unit_pico, charge.price_id)


def net(charges: Iterable[tuple[Line, int]]) -> dict[Line, int]:
    """Quantity by line; lines that came to nothing are left out."""
    sums: dict[Line, int] = {}
    for line, quantity in charges:
        sums[line] = sums.get(line, 0) + quantity
    return {line: quantity for line, quantity in sums.items() if quantity}


def correction(old: Mapping[Line, int], new: Mapping[Line, int]) -> list[tuple[Line, int]]:
    """Reversals of every line that changed, then the new lines."""
    changed = [line for line in (*old, *(line for line in new if line not in old)) if old.get(line) != new.get(line)]
    reversals = [(line, -old[line]) for line in changed if line in old]
    return reversals + [(line, new[line]) for line in changed if line in new]
