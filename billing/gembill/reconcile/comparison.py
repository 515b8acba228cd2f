"""Google's bill held against the charges of the ledger.

Owns: which days are compared together, tokens first and then money, and the names of what is between the two. Not here:
reading either side, and layout. Invariant: the residues add up to bill minus ledger, in millionths for each cell and to
the pico-unit of the currency for the whole; money of the ledger becomes the bill's currency by the bill's own rate.

Money is Fractions until the end. Of a cell, C billed for B tokens, c charged for O, price p, rate r:
C - c*r = (C - B*p*r) + (B - O)*p*r + (O*p - c)*r: rounding or a price, tokens that have names, and a price.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from gembill.errors import ConfigurationError
from gembill.reconcile.bill_line import LineKind
from gembill.reconcile.cell import Cell, Naming
from gembill.reconcile.hypothesis import MICRO, Inference, Policies, Policy, Sides, cell_under, infer
from gembill.reconcile.naming_residues import Evidence, name_gaps
from gembill.reconcile.residue import Name, Residue
from gembill.reconcile.sku import Sku, UnknownSku, read
from gembill.reconcile.spans import Spans
from gembill.reconcile.sums import BillTotal, Doubt, Usage
from gembill.rules.prices import PriceBook

_SERVICES = ("gemini", "vertex", "generative language", "ai platform", "agent platform")
_PICO = 10**12
_ROUNDED_RATE = 4  # digits
_CENT = _PICO // 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Ours:
    """The ledger's side: charges, estimated tokens of results, and calls of which not everything is known."""

    usages: Sequence[Usage]
    results: Sequence[Usage] = ()
    doubts: Sequence[Doubt] = ()


@dataclass(slots=True)
class Side:
    """One cell of the bill or of the ledger: millionths; pico-units of the bill's currency, or pico-dollars."""

    amount: int = 0
    money: Fraction = Fraction(0)
    free: int = 0
    slack: Fraction = Fraction(0)
    skus: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True, kw_only=True)
class CellComparison:
    """Both sides of a cell, in millionths and in pico-units of the bill's currency, and the names of its residues.

    `slack` is how far its cost may be rounded, `rate` is units of the currency for a dollar, 0 if it is not known.
    """

    cell: Cell
    skus: tuple[str, ...]
    billed_micro: int
    ours_micro: int
    billed: Fraction
    ours: Fraction
    names: tuple[str, ...]
    slack: Fraction
    rate: Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The result. `others` are credits, tax and the like, `left_out` is what other services of Google cost.

    `open_days` are not compared. Without a rate (`rate` None) money of the ledger is unknown in this currency, and only
    tokens are compared. `billed` and `ours` are pico-units of the currency; `naming` gives charges their cells.
    """

    currency: str
    rate: Fraction | None
    days: tuple[int, int] | None
    cells: tuple[CellComparison, ...]
    residues: tuple[Residue, ...]
    billed: Fraction
    ours: Fraction
    others: Mapping[LineKind, int]
    left_out: int
    open_days: tuple[int, ...]
    unknown_skus: Mapping[str, str]
    inference: Inference
    spans: Mapping[int, int]
    naming: Naming

    @property
    def sums(self) -> dict[str, tuple[int, Fraction]]:
        """Millionths and money by the name of the residue."""
        sums: dict[str, tuple[int, Fraction]] = {}
        for residue in self.residues:
            amount, money = sums.get(residue.name, (0, Fraction(0)))
            sums[residue.name] = (amount + residue.amount_micro, money + residue.money)
        return sums

    @property
    def billed_pico(self) -> int:
        """What was billed for what was compared."""
        return round(self.billed)

    @property
    def ours_pico(self) -> int:
        """What the ledger charged for it, in the bill's currency, rounded once."""
        return round(self.ours)

    @property
    def sums_pico(self) -> dict[str, int]:
        """Money by the name of the residue in whole pico-units, which add up to `billed_pico - ours_pico`."""
        sums = {name: round(money) for name, (_, money) in self.sums.items()}
        rest = self.billed_pico - self.ours_pico - sum(sums.values())
        if rest and self.rate is not None:
            sums[Name.ROUNDING] = sums.get(Name.ROUNDING, 0) + rest
        return sums

    @property
    def unexplained_micro(self) -> int:
        """Millionths that have no name, whichever way they go."""
        return sum(abs(residue.amount_micro) for residue in self.residues if residue.name == Name.UNEXPLAINED)

    @property
    def is_reconciled(self) -> bool:
        """Whether no token is without a name and less than a cent of money; and something was compared."""
        money = self.sums.get(Name.UNEXPLAINED, (0, Fraction(0)))[1]
        return self.days is not None and not self.unexplained_micro and abs(money) < _CENT


def compare(
    bill: Iterable[BillTotal],
    ours: Ours,
    book: PriceBook,
    *,
    now_day: int,
    rate: Fraction | None = None,
) -> Comparison:
    """Hold a bill against the ledger.

    `now_day` is the day on which the bill was written: days that ended less than 48 hours before may still be revised
    and are not compared. `rate` is units of the currency for a dollar, where the bill has none. ConfigurationError if
    the lines are in several currencies.
    """
    return _Comparing(list(bill), ours, book, now_day, rate).result()


class _Comparing:
    """One comparison while it is made."""

    def __init__(self, bill: list[BillTotal], ours: Ours, book: PriceBook, now_day: int, rate: Fraction | None) -> None:
        self._ours = ours
        self.currency = _currency(bill)
        usage = [total for total in bill if total.kind is LineKind.USAGE]
        self._others = [total for total in bill if total.kind is not LineKind.USAGE]
        self._left_out = [total for total in usage if not _is_ours(total.service)]
        usage = [total for total in usage if _is_ours(total.service)]
        self.spans = Spans.of(((total.first_day, total.last_day) for total in usage), now_day)
        self._usage = [total for total in usage if self.spans.of_day(total.first_day) is not None]
        self._skus = {total.sku: read(total.sku) for total in self._usage}
        known = [(sku, total) for total in self._usage if isinstance(sku := self._skus[total.sku], Sku)]
        self._sides = Sides(self._within(ours.usages), self._within(ours.results))
        self.naming = Naming.of(book, ((sku, total.first_day) for sku, total in known)).told_apart(
            ((self._span(total.first_day), sku, total) for sku, total in known),
            [*self._sides.usages, *self._sides.results],
        )
        self._rates = self._rates_of_spans(rate)
        self.residues: list[Residue] = []
        self._currencies: dict[Cell, Fraction] = defaultdict(Fraction)
        self.billed: dict[Cell, Side] = defaultdict(Side)
        self.charged: dict[Cell, Side] = defaultdict(Side)

    def _rates_of_spans(self, given: Fraction | None) -> dict[int, Fraction | None]:
        """The rate of each span: that of most of its lines."""
        counts: dict[int, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        for total in self._usage:
            if total.rate is not None:
                counts[self._span(total.first_day)][total.rate] += total.lines
        fallback = Fraction(1) if self.currency == "USD" else given
        return {
            span: Fraction(max(counts[span], key=lambda rate: (counts[span][rate], rate)))
            if span in counts
            else fallback
            for span in self.spans.starts
        }

    def _span(self, day: int) -> int:
        span = self.spans.of_day(day)
        assert span is not None
        return span

    def _rate(self, span: int) -> Fraction:
        return self._rates.get(span) or Fraction(0)

    def result(self) -> Comparison:
        """The comparison."""
        self._read_ours()
        self._read_bill()
        inference = infer(self.naming, {cell: side.amount for cell, side in self.billed.items()}, self._sides)
        policies = inference.best.policies if inference.is_decided else frozenset[Policy]()
        predicted = self._apply(policies)
        for cell in sorted({*self.billed, *predicted, *self.charged}):
            self._price_residues(cell)
        self._name(predicted)
        return self._finish(inference)

    def _within(self, usages: Iterable[Usage]) -> list[tuple[int, Usage]]:
        return [(span, usage) for usage in usages if (span := self.spans.of_day(usage.day)) is not None]

    def _read_bill(self) -> None:
        for total in self._usage:
            sku = self._skus[total.sku]
            span = self._span(total.first_day)
            cell = self.naming.of_line(sku, total, span) if isinstance(sku, Sku) else None
            if isinstance(sku, UnknownSku):
                self._add(Name.UNKNOWN_SKU, None, 0, Fraction(total.cost_pico), f"{total.sku}: {sku.reason}")
            elif cell is None:
                self._add(Name.NOT_METERED, None, 0, Fraction(total.cost_pico), total.sku)
            else:
                self._bill_cell(cell, total, free=sku.free)

    def _bill_cell(self, cell: Cell, total: BillTotal, *, free: bool) -> None:
        side = self.billed[cell]
        side.amount += total.amount_micro
        side.free += total.amount_micro if free else 0
        side.money += total.cost_pico
        side.skus.add(total.sku)
        half = Fraction(_PICO, 2 * 10**total.decimals)
        side.slack += half * total.lines
        charged = self.charged.get(cell)
        price = self._implied(cell) if charged is not None and self._price(cell) is None else self._price(cell)
        if total.rate is not None and price is not None and not free:
            dollars = price * total.amount_micro / MICRO
            digits = len(total.rate.partition(".")[2])
            if digits >= _ROUNDED_RATE and total.decimals < _ROUNDED_RATE:  # the console's tables round both
                side.slack += abs(dollars) / (2 * 10**digits)
            other = Fraction(total.rate) - self._rate(cell.span)
            if other:
                self._currencies[cell] += dollars * other

    def _read_ours(self) -> None:
        for span, usage in self._sides.usages:
            side = self.charged[self.naming.of_usage(usage, span)]
            side.amount += usage.quantity * MICRO
            side.money += usage.cost_pico

    def _apply(self, policies: Policies) -> dict[Cell, int]:
        """The tokens under the policies that explain the bill; each of them becomes residues, one after the other."""
        before = self._sides.amounts(self.naming, frozenset())
        active: frozenset[Policy] = frozenset()
        for policy in sorted(policies):
            active |= {policy}
            after = self._sides.amounts(self.naming, active)
            for cell in sorted({*before, *after}):
                moved = after.get(cell, 0) - before.get(cell, 0)
                if moved:
                    name = Name.PRICE if policy is Policy.BATCH_CACHED_STANDARD else f"policy:{policy.value}"
                    self._add(name, cell, moved, self._worth(cell, moved), policy.value)
            before = after
        return before

    def _price_residues(self, cell: Cell) -> None:
        """What is neither tokens nor a policy: what Google rounded, other prices, the free allowance."""
        bill, ours = self.billed.get(cell, Side()), self.charged.get(cell, Side())
        if self._rates.get(cell.span) is None:
            return
        currency = self._currencies[cell]
        expected = self._worth(cell, bill.amount - bill.free) + currency
        if currency:
            self._add(Name.CURRENCY, cell, 0, currency)
        over = bill.money - expected
        if over:
            self._add(
                Name.ROUNDING if abs(over) <= bill.slack else Name.PRICE, cell, 0, over, ", ".join(sorted(bill.skus))
            )
        if bill.free:
            self._add(Name.FREE_ALLOWANCE, cell, 0, -self._worth(cell, bill.free))
        own = self._worth(cell, ours.amount) - ours.money * self._rate(cell.span)
        if own:
            self._add(Name.PRICE, cell, 0, own, "the ledger charged another price")

    def _name(self, predicted: Mapping[Cell, int]) -> None:
        cells = {*self.billed, *predicted}
        gaps = {cell: self.billed.get(cell, Side()).amount - predicted.get(cell, 0) for cell in cells}
        for name, cell, amount in name_gaps(gaps, self._evidence(predicted)):
            self._add(name, cell, amount, self._worth(cell, amount))

    def _evidence(self, predicted: Mapping[Cell, int]) -> Evidence:
        edges: dict[Cell, tuple[int, int]] = {}
        for usage in self._ours.usages:
            span = self.spans.of_day(usage.day)
            if span is None or not usage.edge:
                continue
            cell = cell_under(self.naming, usage, span, frozenset())
            first, last = edges.get(cell, (0, 0))
            at_first = usage.edge < 0 and usage.day == span
            at_last = usage.edge > 0 and usage.day == self.spans.starts[span]
            edges[cell] = (first + usage.quantity * MICRO * at_first, last + usage.quantity * MICRO * at_last)
        return Evidence(
            billed=[cell for cell, side in self.billed.items() if side.amount],
            ours=[cell for cell, amount in predicted.items() if amount],
            edges=edges,
            unknown=self._doubtful(doubt for doubt in self._ours.doubts if doubt.unknown),
            partial=self._doubtful(doubt for doubt in self._ours.doubts if doubt.partial),
            next_span=self.spans.following,
        )

    def _doubtful(self, doubts: Iterable[Doubt]) -> set[tuple[int, str, str]]:
        return {
            (span, self.naming.model(doubt.model, span), doubt.service_tier)
            for doubt in doubts
            if (span := self.spans.of_day(doubt.day)) is not None
        }

    def _worth(self, cell: Cell, amount: int) -> Fraction:
        """What an amount costs at list price in the bill's currency; where no price is known, at what was charged."""
        price = self._price(cell)
        if price is None:
            price = self._implied(cell)
        return price * amount / MICRO * self._rate(cell.span)

    def _price(self, cell: Cell) -> Fraction | None:
        """The list price that holds in the whole span; None where there is none, or where it changes within."""
        price = self.naming.price(cell)
        last = self.spans.starts.get(cell.span, cell.span)
        return price if last == cell.span or self.naming.price(cell._replace(span=last)) == price else None

    def _implied(self, cell: Cell) -> Fraction:
        ours, bill, rate = self.charged.get(cell), self.billed.get(cell), self._rates.get(cell.span)
        if ours is not None and ours.amount:
            return ours.money * MICRO / ours.amount
        return bill.money * MICRO / bill.amount / rate if bill is not None and bill.amount and rate else Fraction(0)

    def _add(self, name: str, cell: Cell | None, amount: int, money: Fraction, detail: str = "") -> None:
        self.residues.append(Residue(str(name), amount, money, cell, detail))

    def _finish(self, inference: Inference) -> Comparison:
        billed = sum((Fraction(total.cost_pico) for total in self._usage), Fraction(0))
        ours = sum((side.money * self._rate(cell.span) for cell, side in self.charged.items()), Fraction(0))
        others: dict[LineKind, int] = defaultdict(int)
        for total in self._others:
            others[total.kind] += total.cost_pico
        lacks_rate = any(rate is None for rate in self._rates.values())
        return Comparison(
            currency=self.currency,
            rate=None if lacks_rate else next(iter(self._rates.values()), Fraction(1)),
            days=self.spans.range,
            cells=tuple(self._cells()),
            residues=tuple(self.residues),
            billed=billed,
            ours=ours,
            others=dict(others),
            left_out=sum(total.cost_pico for total in self._left_out),
            open_days=self.spans.open_days,
            unknown_skus={text: sku.reason for text, sku in self._skus.items() if isinstance(sku, UnknownSku)},
            inference=inference,
            spans=self.spans.starts,
            naming=self.naming,
        )

    def _cells(self) -> Iterator[CellComparison]:
        names: dict[Cell, set[str]] = defaultdict(set)
        for residue in self.residues:
            if residue.cell is not None and residue.name != Name.ROUNDING:
                names[residue.cell].add(residue.name)
        for cell in sorted({*self.billed, *self.charged, *names}):
            yield self._cell(cell, names[cell])

    def _cell(self, cell: Cell, names: set[str]) -> CellComparison:
        bill, ours = self.billed.get(cell, Side()), self.charged.get(cell, Side())
        return CellComparison(
            cell=cell,
            skus=tuple(sorted(bill.skus)),
            billed_micro=bill.amount,
            ours_micro=ours.amount,
            billed=bill.money,
            ours=ours.money * self._rate(cell.span),
            names=tuple(sorted(names)),
            slack=bill.slack,
            rate=self._rate(cell.span),
        )


def _currency(bill: Sequence[BillTotal]) -> str:
    currencies = sorted({total.currency for total in bill})
    if len(currencies) > 1:
        raise ConfigurationError(
            f"the bill is in several currencies, {', '.join(currencies)}; choose one with --currency"
        )
    return currencies[0] if currencies else "USD"


def _is_ours(service: str) -> bool:
    """Whether lines of a service of Google's can be about calls; a line that names none is."""
    return not service or any(word in service.lower() for word in _SERVICES)
