"""Google's bill beside the ledger, as scripts and people read it.

Owns: its JSON, CSV and sheets. Not here: the comparison (`gembill.reconcile`). Invariant: JSON and CSV have every cell
by day and every residue; the table adds days up and names what differs; money is in the bill's currency.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from gembill.model import Modality
from gembill.money import display, usd
from gembill.reconcile.bill_line import BillForm
from gembill.reconcile.cell import BillMeter, Cell
from gembill.reconcile.comparison import CellComparison, Comparison
from gembill.reconcile.hypothesis import MICRO
from gembill.reconcile.learned_prices import LearnedPrice, learned_prices
from gembill.reconcile.numerals import day_text
from gembill.reconcile.residue import Name
from gembill.reconcile.sku_price import LONG_PROMPT
from gembill.reconcile.synthetic import decimal_text
from gembill_reports.layout.sheet import DEMO, Sheet
from gembill_reports.layout.tables import Column, Table
from gembill_reports.views.view import Csv, View

SCHEMA_VERSION = 1
_CENT = 10**10
HEADER = (
    *("start", "end", "model", "service_tier", "meter", "modality", "band", "billed", "ours", "difference"),
    *("billed_cost", "ours_cost", "difference_cost", "names", "skus"),
)
_FLAGS = {
    (BillMeter.INPUT, Modality.TEXT): "--input",
    (BillMeter.INPUT, Modality.AUDIO): "--input-audio",
    (BillMeter.CACHED, Modality.TEXT): "--cached",
    (BillMeter.CACHED, Modality.AUDIO): "--cached-audio",
    (BillMeter.OUTPUT, Modality.TEXT): "--output",
    (BillMeter.OUTPUT, Modality.IMAGE): "--output-image",
}  # a fee of a generation is that of many models, which a command names one by one
_MEANINGS = {
    Name.UNRECORDED: "billed, and no call of ours: somebody calls past the proxy",
    Name.UNKNOWN_USAGE: "calls of ours whose usage was never learned",
    Name.PARTIAL: "answers of ours that were cut",
    Name.MISSING_ON_BILL: "recorded, and not billed: a free tier, or not exported yet",
    Name.DAY_EDGE: "calls near midnight, billed on the other day",
    Name.PROJECT: "billed in another project",
    Name.LOCATION: "billed in another location",
    Name.TIER: "billed on another tier",
    Name.BAND: "billed in the other band of prompt sizes",
    Name.CACHED: "billed as cached, or as not cached",
    Name.KIND: "billed as another kind of content",
    Name.PRICE: "the tokens agree, the price does not",
    Name.MODEL_ALIAS: "billed under another model",
    Name.FREE_ALLOWANCE: "used within the free allowance, which the ledger cannot see",
    Name.GROUNDING_COUNT: "searches that the answers did not name, or more of them",
    Name.NOT_METERED: "storage, film and the like, of which no count can be compared",
    Name.UNKNOWN_SKU: "lines whose SKU nobody here can read",
    Name.CURRENCY: "other exchange rates within the days compared",
    Name.ROUNDING: "what Google rounded",
    Name.UNEXPLAINED: "not explained",
}


@dataclass(frozen=True, slots=True)
class ReconciliationView(View):
    """A comparison of one form of bill with the ledger."""

    form: BillForm
    comparison: Comparison
    demo: bool = False  # the ledger holds made-up calls

    def json(self) -> dict[str, Any]:
        """Everything, money as decimal strings in the bill's currency."""
        one = self.comparison
        return {
            "schema_version": SCHEMA_VERSION,
            "form": self.form.value,
            "currency": one.currency,
            "rate": None if one.rate is None else _fraction(one),
            "start": day_text(one.days[0]) if one.days else None,
            "end": day_text(one.days[1] + 1) if one.days else None,
            "reconciled": one.is_reconciled,
            "billed_cost": usd(one.billed_pico),
            "ours_cost": _known(one, one.ours_pico),
            "difference_cost": _known(one, one.billed_pico - one.ours_pico),
            "residues": list(_residues(one)),
            "other_lines": {kind.value: usd(cost) for kind, cost in sorted(one.others.items())},
            "other_services_cost": usd(one.left_out),
            "open_days": [day_text(day) for day in one.open_days],
            "unknown_skus": [{"sku": sku, "reason": reason} for sku, reason in sorted(one.unknown_skus.items())],
            "inference": _inference(one),
            "price_proposals": proposals(one),
            "lines": list(_lines(one)),
        } | ({"demo_data": True} if self.demo else {})

    def csv(self) -> Csv:
        """A row for each cell."""
        rows = _lines(self.comparison)
        header = (*HEADER, *places(self.comparison))
        return Csv(header, (row | {name: "; ".join(row[name]) for name in ("names", "skus")} for row in rows))

    def sheets(self) -> Sequence[Sheet]:
        """The SKUs, and what is between the two sides."""
        mark = DEMO if self.demo else ""
        return [_lines_sheet(self.comparison, self.form, mark), _residue_sheet(self.comparison)]


def headline(one: Comparison) -> str:
    """The result in a sentence: until when, how far apart, and whether everything has a name."""
    if one.days is None:
        return "Nothing could be compared: every day of the bill is still open."
    until = f"Google's bill until {day_text(one.days[1])}"
    if one.rate is None:
        return f"{until}: only tokens are compared, because the bill names no exchange rate; give one with --rate."
    billed, ours = one.billed_pico, one.ours_pico
    word = "reconciled" if one.is_reconciled else "not reconciled"
    return f"{until}: {amount(one, billed)}, ours {amount(one, ours)} ({share(one)}){_greatest(one)}: {word}."


def share(one: Comparison) -> str:
    """How much more or less the ledger has than the bill."""
    if one.rate is None:
        return "unknown"
    billed, ours = one.billed_pico, one.ours_pico
    return f"{100 * (ours - billed) / billed:+.2f} %" if billed else "nothing was billed"


def _greatest(one: Comparison) -> str:
    """The residue with the most money, where it is a cent or more."""
    money = {name: pico for name, pico in one.sums_pico.items() if abs(pico) >= _CENT}
    if not money:
        return ""
    name = max(money, key=lambda name: abs(money[name]))
    return f", most of it {name.replace('_', ' ')}, {amount(one, money[name])}"


def amount(one: Comparison, pico: int) -> str:
    """Money in the bill's currency, for people."""
    shown = display(pico)
    return shown if one.currency == "USD" else f"{shown.replace('$', '')} {one.currency}"


def _known(one: Comparison, pico: int) -> str | None:
    return None if one.rate is None else usd(pico)


def _fraction(one: Comparison) -> str:
    assert one.rate is not None
    return decimal_text(round(one.rate * 10**9), 9)


def _residues(one: Comparison) -> Iterator[dict[str, Any]]:
    money = one.sums_pico
    for name in sorted(money):
        tokens = sum(residue.amount_micro for residue in one.residues if residue.name == name)
        details = sorted({residue.detail for residue in one.residues if residue.name == name and residue.detail})
        yield {"name": name, "amount": _count(tokens), "cost": _known(one, money[name]), "details": details[:20]}


def _inference(one: Comparison) -> dict[str, Any]:
    result = one.inference
    return {
        "decided": result.is_decided,
        "best": sorted(policy.value for policy in result.best.policies),
        "best_difference": result.best.tokens,
        "second": None if result.second is None else sorted(policy.value for policy in result.second.policies),
        "second_difference": None if result.second is None else result.second.tokens,
        "undecidable": sorted(policy.value for policy in result.undecided),
    }


def places(one: Comparison) -> tuple[str, ...]:
    """Which of `project` and `location` any cell has; only those are shown."""
    return tuple(name for name in ("project", "location") if any(getattr(line.cell, name) for line in one.cells))


def _lines(one: Comparison) -> Iterator[dict[str, Any]]:
    shown = places(one)
    for line in one.cells:
        yield _line(one, line) | {name: getattr(line.cell, name) or None for name in shown}


def _line(one: Comparison, line: CellComparison) -> dict[str, Any]:
    cell = line.cell
    billed, ours = round(line.billed), round(line.ours)
    return {
        "start": day_text(cell.span),
        "end": day_text(one.spans.get(cell.span, cell.span) + 1),
        "model": cell.model or None,
        "service_tier": cell.tier,
        "meter": cell.meter.value,
        "modality": cell.kind.value,
        "band": "long" if cell.long else None,
        "billed": _count(line.billed_micro),
        "ours": _count(line.ours_micro),
        "difference": _count(line.billed_micro - line.ours_micro),
        "billed_cost": usd(billed),
        "ours_cost": _known(one, ours),
        "difference_cost": _known(one, billed - ours),
        "names": list(line.names),
        "skus": list(line.skus),
    }


def _count(micro: int) -> int | str:
    """Whole tokens as a number; hours may have decimals and are text then."""
    return decimal_text(micro, 6) if micro % MICRO else micro // MICRO


def _lines_sheet(one: Comparison, form: BillForm, mark: str) -> Sheet:
    shown = places(one)
    columns = (
        *(Column(title, text=True) for title in ("Model", "Tier", *(name.capitalize() for name in shown), "Meter")),
        Column("Billed"),
        *(Column("Ours", 30), Column("Difference"), Column("Billed cost", 20), Column("Our cost", 10)),
        *(Column("Difference in cost", 40), Column("Name", text=True)),
    )
    groups: dict[Cell, list[CellComparison]] = defaultdict(list)
    for line in one.cells:
        groups[line.cell._replace(span=0)].append(line)
    rows = tuple(_row(one, cell, lines, shown) for cell, lines in sorted(groups.items()))
    days = f", {day_text(one.days[0])} to {day_text(one.days[1])}" if one.days else ""
    heading = f"{mark}Google's bill ({form.value.replace('_', ' ')}{days}) and the ledger"
    return Sheet(heading, Table(columns, rows), (headline(one),))


def meter_text(cell: Cell) -> str:
    """What a cell counts, in words."""
    band = ", long prompts" if cell.long else ""
    return f"{cell.meter.value.replace('_', ' ')} ({cell.kind.value}){band}"


def _row(one: Comparison, cell: Cell, lines: Sequence[CellComparison], shown: Sequence[str]) -> tuple[str, ...]:
    billed, ours = (sum(getattr(line, name) for line in lines) for name in ("billed_micro", "ours_micro"))
    cost, own = (round(sum(getattr(line, name) for line in lines)) for name in ("billed", "ours"))
    money = (amount(one, own), amount(one, cost - own)) if one.rate is not None else ("unknown", "unknown")
    names = sorted({name for line in lines for name in line.names})
    tokens = (f"{billed // MICRO:,}", f"{ours // MICRO:,}", f"{(billed - ours) // MICRO:+,}")
    where = (cell.model, cell.tier, *(getattr(cell, name) for name in shown), meter_text(cell))
    return *where, *tokens, amount(one, cost), *money, ", ".join(names)


def _residue_sheet(one: Comparison) -> Sheet:
    columns = (Column("Name", text=True), Column("Tokens"), Column("Cost"), Column("What it is", 10, text=True))
    money, tokens = one.sums_pico, one.sums
    rows = tuple(
        (name, f"{tokens.get(name, (0, 0))[0] // MICRO:+,}", amount(one, money[name]), meaning(name))
        for name in sorted(money, key=lambda name: -abs(money[name]))
    )
    total = ("Total", "", amount(one, one.billed_pico - one.ours_pico), "bill minus ledger")
    return Sheet("What is between them", Table(columns, rows, total), tuple(comparison_notes(one)))


def meaning(name: str) -> str:
    """What the name of a residue says, in a few words."""
    policy = name.removeprefix("policy:")
    return f"vanishes if {policy.replace('_', ' ')}" if policy != name else _MEANINGS[Name(name)]


def comparison_notes(one: Comparison) -> Iterator[str]:
    """What was not compared, and which SKUs nobody here can read."""
    for kind, cost in sorted(one.others.items()):
        yield f"Not compared: {kind.value}, {amount(one, cost)}."
    if one.left_out:
        yield f"Not compared: other services of Google, {amount(one, one.left_out)}."
    if one.open_days:
        first, last = day_text(one.open_days[0]), day_text(one.open_days[-1])
        yield f"Open, because Google may still revise them: {first} to {last}."
    for sku, reason in sorted(one.unknown_skus.items())[:10]:
        yield f"Unknown SKU {sku}: {reason}."


def proposals(one: Comparison) -> list[str]:
    """A command for each price that the bill has and the list has not; where no flag can say it, a sentence."""
    return [_proposal(price) for price in learned_prices(one)]


def _proposal(price: LearnedPrice) -> str:
    cell = price.cell
    flag = _FLAGS.get((cell.meter, cell.kind))
    if flag is None:
        what = f"{cell.model}, {cell.tier}, {meter_text(cell)}"
        return f"# {what}: billed at {decimal_text(price.unit_pico, 12)} dollars for one, which no flag sets"
    tier = "" if cell.tier == "standard" else f" --tier {cell.tier}"
    above = f" --above {LONG_PROMPT - 1}" if cell.long else ""
    dollars = decimal_text(price.unit_pico, 6)  # for a million
    return f"gembill prices set {cell.model}{tier} {flag} {dollars}{above} --from {day_text(cell.span)}"


def inference_notes(one: Comparison) -> Iterator[str]:
    """What the bill says about the policies that Google leaves open."""
    result = one.inference
    best = _policies(result.best.policies)
    second = (
        "" if result.second is None else f"; next, {_policies(result.second.policies)}: {result.second.tokens:,} tokens"
    )
    if result.is_decided:
        yield f"The bill agrees best with {best}: {result.best.tokens:,} tokens apart{second}."
    else:
        other = _policies(result.second.policies) if result.second else ""
        yield f"Undecidable: {best} and {other} explain it equally well."
    for policy in sorted(result.undecided):
        yield f"Undecidable from these calls: {policy.value.replace('_', ' ')}."


def _policies(policies: frozenset[Any]) -> str:
    return " and ".join(sorted(policy.value.replace("_", " ") for policy in policies)) or "the ledger's policies"
