"""Bills as Google would have sent them, made from a ledger's charges.

Owns: what is billed under chosen policies, and the words of SKUs. Not here: the forms of files (`synthetic_files`) and
the comparison. Invariant: nothing is random but by a seed; a bill of charges that nobody departed from is reconciled.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from dataclasses import replace as replace_dataclass
from decimal import Decimal
from fractions import Fraction
from hashlib import sha256
from random import Random

from msgspec.structs import replace

from gembill.model import Modality
from gembill.reconcile.bill_line import BillLine, LineKind
from gembill.reconcile.cell import BillMeter, Cell, Naming
from gembill.reconcile.hypothesis import MICRO, Policies, Sides
from gembill.reconcile.numerals import day_text
from gembill.reconcile.places import Places
from gembill.reconcile.sku import MODELS
from gembill.reconcile.sums import Usage
from gembill.rules.prices import PriceBook

_WORDS = {model: words for words, model in reversed(MODELS.items())}
_DECIMALS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class BillOptions:
    """How the bill departs from the ledger.

    `lag_days` are left out at its end; `rate` is units of `currency` for a dollar; `free_searches` a day cost nothing;
    `bypass` calls are billed that the ledger never saw; `corrected` tells the first of two exports, whose last rows are
    corrected by later ones in the second; `project` is that of charges that name none.
    """

    policies: Policies = frozenset()
    lag_days: int = 0
    currency: str = "USD"
    rate: str = "1"
    free_searches: int = 0
    bypass: int = 0
    corrected: bool = False
    tax_percent: int = 0
    project: str = "made-up-project"
    seed: int = 1


def make_bill(
    usages: Sequence[Usage], results: Sequence[Usage], book: PriceBook, options: BillOptions
) -> list[BillLine]:
    """The lines of a bill for these charges, by day."""
    last = max((usage.day for usage in usages), default=0) - options.lag_days
    sides = Sides(*([(usage.day, usage) for usage in some if usage.day <= last] for some in (usages, results)))
    naming = _placing(Naming(book), [*sides.usages, *sides.results])
    amounts = sides.amounts(naming, options.policies)
    for cell, amount in _bypassing(sorted(amounts), options):
        amounts[cell] = amounts.get(cell, 0) + amount
    lines = [line for cell in sorted(amounts) for line in _lines(naming, cell, amounts[cell], options)]
    return [*_with_corrections(lines, options), *_tax(lines, options)]


def _placing(naming: Naming, usages: Iterable[tuple[int, Usage]]) -> Naming:
    """The naming that leaves each charge its own project and location."""
    models = frozenset(naming.of_usage(usage, day).model for day, usage in usages)
    return replace_dataclass(naming, places=Places(models, models))


def _bypassing(cells: Sequence[Cell], options: BillOptions) -> Iterable[tuple[Cell, int]]:
    """Calls of somebody else: a prompt and an answer each."""
    rng = Random(options.seed)  # noqa: S311 - made-up traffic, not a secret
    prompts = [cell for cell in cells if cell.meter is BillMeter.INPUT and cell.kind is Modality.TEXT]
    for _ in range(options.bypass if prompts else 0):
        cell = rng.choice(prompts)
        yield cell, rng.randrange(1_000, 90_000) * MICRO
        yield cell._replace(meter=BillMeter.OUTPUT), rng.randrange(100, 9_000) * MICRO


def _lines(naming: Naming, cell: Cell, amount: int, options: BillOptions) -> Iterable[BillLine]:
    if cell.meter is BillMeter.OTHER or not amount:
        return
    free = min(amount, options.free_searches * MICRO) if cell.meter is BillMeter.SEARCH else 0
    price = naming.price(cell) or Fraction(0)
    if free:
        yield _line(cell, free, Fraction(0), f"{sku_text(cell)} free", options)
    if amount > free:
        yield _line(cell, amount - free, price, sku_text(cell) + (" paid one" if free else ""), options)


def _line(cell: Cell, amount: int, price: Fraction, sku: str, options: BillOptions) -> BillLine:
    cost = price * amount / MICRO * Fraction(options.rate)
    step = 10 ** (12 - _DECIMALS)
    return BillLine(
        number=0,
        kind=LineKind.USAGE,
        service="Gemini API",
        sku_id=_sku_id(sku),
        sku=sku,
        project=cell.project or options.project,
        location=cell.location or None,
        first_day=cell.span,
        last_day=cell.span,
        amount_micro=amount,
        unit="hour" if cell.meter is BillMeter.STORAGE else "count",
        cost_pico=round(cost / step) * step,
        currency=options.currency,
        rate=options.rate,
        decimals=_DECIMALS,
        month=day_text(cell.span)[:7],
        exported_us=(cell.span + 1) * 86_400_000_000 + 36_000_000_000,
    )


def _with_corrections(lines: list[BillLine], options: BillOptions) -> list[BillLine]:
    """A part of some rows is billed late, in a row of its own."""
    if not options.corrected:
        return lines
    rng = Random(options.seed)  # noqa: S311 - made-up traffic, not a secret
    result = []
    for line in lines:
        late = line.amount_micro // MICRO // 3 * MICRO if rng.random() < 0.2 else 0
        cost = line.cost_pico * late // line.amount_micro // 10**6 * 10**6 if late else 0
        result.append(replace(line, amount_micro=line.amount_micro - late, cost_pico=line.cost_pico - cost))
        if late:
            exported = (line.exported_us or 0) + 86_400_000_000
            result.append(replace(line, amount_micro=late, cost_pico=cost, exported_us=exported))
    return result


def _tax(lines: Sequence[BillLine], options: BillOptions) -> Iterable[BillLine]:
    months: dict[str, list[BillLine]] = defaultdict(list)
    for line in lines:
        months[line.month or ""].append(line)
    for some in months.values() if options.tax_percent else ():
        cost = sum(line.cost_pico for line in some) * options.tax_percent // 100 // 10**6 * 10**6
        yield replace(some[-1], kind=LineKind.TAX, sku="Tax", sku_id="", amount_micro=0, cost_pico=cost)


def sku_text(cell: Cell) -> str:
    """An SKU that means a cell, in the words of Google's catalogue."""
    name = _WORDS.get(cell.model, cell.model.replace("-", " "))
    if cell.meter is BillMeter.SEARCH:
        return f"Generate content search query {name}"
    if cell.meter is BillMeter.MAPS:
        return f"Generate content maps grounding {name}"
    if cell.meter is BillMeter.STORAGE:
        return f"Generate content cached content storage token hours {name}"
    direction = "output" if cell.meter is BillMeter.OUTPUT else "input"
    cached = cell.meter is BillMeter.CACHED
    before = "cached " if cached and cell.tier == "standard" else ""
    tier = "" if cell.tier == "standard" else f" {cell.tier}{' caching' if cached else ''}"
    band = " long" if cell.long else ""
    return f"Generate content {before}{direction} token count {name}{band} {cell.kind.value}{tier}"


def _sku_id(sku: str) -> str:
    digits = sha256(sku.encode()).hexdigest().upper()
    return "-".join((digits[:4], digits[4:8], digits[8:12]))


def decimal_text(value: int, places: int) -> str:
    """A whole number of 10^-places as a decimal, without zeros at the end."""
    text = f"{Decimal(value).scaleb(-places):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
