"""The receipt of one call: what was counted, at which price, and why.

Owns: the lines of a receipt, their sums, corrections and rounds, and the estimate of the documentation's literal
reading. Not here: prices, and how a receipt is written (`gembill_reports.views.receipt`). Invariant: the lines add up
to the cost of the record, and their tokens to its total; where they do not, both numbers are in the receipt.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from gembill.ledger import Ledger, LedgerCharge, LedgerRecord, read_event_body
from gembill.model import Charge, Execution, Meter, Modality, Price, Tokens
from gembill.posting import UnreadableEvent, read_event
from gembill.rules import policy_ids
from gembill.rules.metering import by_meter, rounds
from gembill.rules.rating import result_tokens
from gembill.rules.rounds import Round

_METERS = tuple(Meter)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptLine:
    """One meter of a call. Without a price the unit price is None, and so is the cost."""

    meter: Meter
    modality: Modality | None
    quantity: int
    unit_pico: int | None = None
    price_id: str | None = None
    price: Price | None = None

    @property
    def cost_pico(self) -> int | None:
        """Quantity times unit price."""
        return None if self.unit_pico is None else self.quantity * self.unit_pico

    @property
    def is_free(self) -> bool:
        """Whether it was charged nothing because the key is of the free tier."""
        return policy_ids.is_free_tier(self.price_id)

    @property
    def list_unit_pico(self) -> int | None:
        """The unit price it would have without the free tier; None where that row is not known."""
        if not self.is_free:
            return self.unit_pico
        return None if self.price is None else self.price.unit_pico

    @property
    def is_tokens(self) -> bool:
        """Whether it counts tokens of the call; grounding counts searches, and estimated tokens are in no count."""
        return self.meter.unit == "tokens" and not self.is_estimate

    @property
    def is_estimate(self) -> bool:
        """Whether a policy added it: estimated tokens of execution results."""
        return policy_ids.is_estimate(self.price_id)


@dataclass(frozen=True, slots=True)
class Correction:
    """A revision after the first (which is 0): the lines as they were and as they became.

    Lines that stayed the same are in neither. A cost is None where there was no line, and so no cost known.
    """

    revision: int
    old: tuple[ReceiptLine, ...]
    new: tuple[ReceiptLine, ...]
    old_cost_pico: int | None
    new_cost_pico: int | None


@dataclass(frozen=True, slots=True)
class Estimate:
    """What execution results would cost as output tokens, which they are by the documentation but not by the counts.

    (wire.md 6.1 items 3 and 5 against 1.4.) `unit_pico` is the call's output price, None where it has none.
    """

    result_tokens: int
    unit_pico: int | None

    @property
    def cost_pico(self) -> int | None:
        """The estimated tokens times the price of output."""
        return None if self.unit_pico is None else self.result_tokens * self.unit_pico


@dataclass(frozen=True, slots=True)
class Receipt:
    """A call explained."""

    stored: LedgerRecord
    lines: tuple[ReceiptLine, ...]
    corrections: tuple[Correction, ...]
    estimate: Estimate | None
    rounds: tuple[Round, ...] = ()

    @property
    def tokens(self) -> int | None:
        """The tokens of all lines; None where the call's counts are not known."""
        if self.stored.record.tokens == Tokens():
            return None
        return sum(line.quantity for line in self.lines if line.is_tokens)

    @property
    def cost_pico(self) -> int | None:
        """The sum of the lines; None where the ledger knows no cost."""
        if self.stored.cost_pico is None:
            return None
        return sum(line.cost_pico or 0 for line in self.lines)

    @property
    def list_cost_pico(self) -> int | None:
        """What the call would cost at list price, where it was free; None where it was not, or a row is not known."""
        free = [(line.quantity, line.list_unit_pico) for line in self.lines if line.is_free]
        if not free or any(unit is None for _, unit in free):
            return None
        return sum(quantity * (unit or 0) for quantity, unit in free)


def receipt(
    stored: LedgerRecord, posted: Sequence[LedgerCharge], prices: Mapping[str, Price], rounds: Sequence[Round] = ()
) -> Receipt:
    """The receipt of a record, from the charges of all its revisions, the price rows by their id, and its rounds."""
    lines = _lines((one.charge for one in posted), prices)
    if stored.cost_pico is None or not any(line.is_tokens for line in lines):
        lines = (*_unpriced(stored.record.tokens), *lines)
    estimate = _estimate(stored.record.executions, lines)
    return Receipt(stored, lines, tuple(_corrections(posted, prices)), estimate, tuple(rounds))


def rounds_of(ledger: Ledger, stored: LedgerRecord) -> tuple[Round, ...]:
    """The rounds of the answer behind a record; () where its event is not kept, or is of a newer version."""
    body = read_event_body(ledger, stored)
    try:
        return () if body is None else rounds(read_event(body))
    except UnreadableEvent:
        return ()


def _lines(charges: Iterable[Charge], prices: Mapping[str, Price]) -> tuple[ReceiptLine, ...]:
    """Charges and reversals added up: what is left after the last of them."""
    sums: dict[tuple[Meter, Modality, int, str], int] = {}
    for charge in charges:
        key = (charge.meter, charge.modality, charge.unit_pico, charge.price_id)
        sums[key] = sums.get(key, 0) + charge.quantity
    lines = [
        ReceiptLine(meter=m, modality=kind, quantity=n, unit_pico=unit, price_id=price, price=prices.get(price))
        for (m, kind, unit, price), n in sums.items()
        if n
    ]
    return tuple(sorted(lines, key=lambda line: (_METERS.index(line.meter), line.modality or "")))


def _unpriced(tokens: Tokens) -> list[ReceiptLine]:
    """The meters of a call without charges, from its split: by kind of content they are known only with a price."""
    return [ReceiptLine(meter=meter, modality=None, quantity=quantity) for meter, quantity in by_meter(tokens).items()]


def _corrections(posted: Sequence[LedgerCharge], prices: Mapping[str, Price]) -> Iterable[Correction]:
    charges: list[Charge] = []
    for revision, group in groupby(posted, key=lambda one: one.revision):
        before = _lines(charges, prices)
        charges += [one.charge for one in group]
        after = _lines(charges, prices)
        if revision:
            old, new = ([x for x in a if x not in b] for a, b in ((before, after), (after, before)))
            yield Correction(revision, tuple(old), tuple(new), _cost(before), _cost(after))


def _cost(lines: Sequence[ReceiptLine]) -> int | None:
    return sum(line.cost_pico or 0 for line in lines) if lines else None


def _estimate(executions: Sequence[Execution], lines: Sequence[ReceiptLine]) -> Estimate | None:
    tokens = result_tokens(executions)
    if tokens is None or any(line.is_estimate for line in lines):
        return None
    text = {line.meter: line.unit_pico for line in lines if line.modality is Modality.TEXT}
    return Estimate(tokens, text.get(Meter.OUTPUT, text.get(Meter.THINKING)))
