"""Names for the tokens that differ.

Owns: the order in which names are tried, and what proves each. Not here: money (`comparison`) and policies
(`hypothesis`). Invariant: every millionth that differs gets exactly one name; a move between cells has to come out
even, so that it cannot hide an error of one token, and what nothing proves is unexplained.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Iterator, Mapping
from dataclasses import dataclass, field

from gembill.model import Modality
from gembill.reconcile.cell import BillMeter, Cell
from gembill.reconcile.residue import Name

Gaps = dict[Cell, int]
Named = tuple[str, Cell, int]
_Calls = tuple[int, str, str, str, str]  # span, model, tier, project, location
_BOTH = (BillMeter.INPUT, BillMeter.OUTPUT)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the names are proved by.

    `billed` and `ours` are the cells that each side has; `edges` the millionths of our calls near the first and the
    last midnight of a cell; `unknown` and `partial` the (span, model, tier) with such calls; `next_span` the one after.
    """

    billed: Collection[Cell]
    ours: Collection[Cell]
    edges: Mapping[Cell, tuple[int, int]] = field(default_factory=dict)
    unknown: Collection[tuple[int, str, str]] = ()
    partial: Collection[tuple[int, str, str]] = ()
    next_span: Mapping[int, int] = field(default_factory=dict)


def name_gaps(gaps: Mapping[Cell, int], evidence: Evidence) -> Iterator[Named]:
    """A name for each gap (billed less ours, millionths) or for parts of it."""
    left = {cell: gap for cell, gap in gaps.items() if gap}
    for name, same in _ELSEWHERE:
        yield from _moved(left, name, same)
    yield from _fees(left)
    for name, same in _MOVES:
        yield from _moved(left, name, same)
    yield from _edges(left, evidence)
    yield from _moved(left, Name.MODEL_ALIAS, lambda cell: cell._replace(model="", project="", location=""))
    yield from _calls(left, evidence)
    yield from ((Name.UNEXPLAINED, cell, gap) for cell, gap in left.items())


def _fees(left: Gaps) -> Iterator[Named]:
    names = {BillMeter.SEARCH: Name.GROUNDING_COUNT, BillMeter.MAPS: Name.GROUNDING_COUNT}
    for cell in [cell for cell in left if not cell.is_tokens]:
        yield names.get(cell.meter, Name.NOT_METERED), cell, left.pop(cell)


def _direction(cell: Cell) -> BillMeter:
    return BillMeter.OUTPUT if cell.meter is BillMeter.OUTPUT else BillMeter.INPUT


_MOVES: tuple[tuple[Name, Callable[[Cell], Hashable]], ...] = (
    (Name.TIER, lambda cell: cell._replace(tier="")),
    (Name.BAND, lambda cell: cell._replace(long=False)),
    (Name.CACHED, lambda cell: cell._replace(meter=_direction(cell))),
    (Name.KIND, lambda cell: cell._replace(kind=Modality.TEXT)),
)
_ELSEWHERE: tuple[tuple[Name, Callable[[Cell], Hashable]], ...] = (  # of fees also, so they come before these
    (Name.PROJECT, lambda cell: cell._replace(project="")),
    (Name.LOCATION, lambda cell: cell._replace(location="")),
)


def _moved(left: Gaps, name: Name, same: Callable[[Cell], Hashable]) -> Iterator[Named]:
    """Gaps of cells that are otherwise the same and come out even: all of them together, or two by two."""
    groups: dict[Hashable, list[Cell]] = defaultdict(list)
    for cell in left:
        groups[same(cell)].append(cell)
    for cells in groups.values():
        if len(cells) > 1 and sum(left[cell] for cell in cells) == 0:
            yield from ((name, cell, left.pop(cell)) for cell in cells)
            continue
        for cell in cells:
            partner = next((other for other in cells if cell in left and left.get(other) == -left[cell]), None)
            if partner is not None:
                yield name, cell, left.pop(cell)
                yield name, partner, left.pop(partner)


def _edges(left: Gaps, evidence: Evidence) -> Iterator[Named]:
    """Tokens that are billed on the day before or after, as far as calls were near midnight."""
    for cell in sorted(left):
        after = cell._replace(span=evidence.next_span.get(cell.span, cell.span))
        if after == cell or cell not in left or after not in left or left[cell] * left[after] >= 0:
            continue
        moved = min(abs(left[cell]), abs(left[after]))
        earlier = left[cell] > 0  # billed on the day before that of the call
        room = evidence.edges.get(after, (0, 0))[0] if earlier else evidence.edges.get(cell, (0, 0))[1]
        if moved <= room:
            sign = 1 if earlier else -1
            yield Name.DAY_EDGE, cell, sign * moved
            yield Name.DAY_EDGE, after, -sign * moved
            _take(left, cell, sign * moved)
            _take(left, after, -sign * moved)


def _take(left: Gaps, cell: Cell, amount: int) -> None:
    left[cell] -= amount
    if not left[cell]:
        del left[cell]


def _calls(left: Gaps, evidence: Evidence) -> Iterator[Named]:
    """Whole calls that only one side has, by day, model, tier and place: such a call has a prompt and an answer."""
    groups: dict[_Calls, list[Cell]] = defaultdict(list)
    for cell in left:
        groups[_calls_of(cell)].append(cell)
    billed, ours = (_groups(side) for side in (evidence.billed, evidence.ours))
    for key, cells in groups.items():
        name = _whole_calls([(cell, left[cell]) for cell in cells], key[:3], evidence, (key in billed, key in ours))
        if name is not None:
            yield from ((name, cell, left.pop(cell)) for cell in cells)


def _calls_of(cell: Cell) -> _Calls:
    return cell.span, cell.model, cell.tier, cell.project, cell.location


def _groups(cells: Collection[Cell]) -> set[_Calls]:
    return {_calls_of(cell) for cell in cells if cell.is_tokens}


def _whole_calls(
    gaps: list[tuple[Cell, int]], key: tuple[int, str, str], evidence: Evidence, there: tuple[bool, bool]
) -> Name | None:
    more = all(gap > 0 for _, gap in gaps)
    less = all(gap < 0 for _, gap in gaps)
    whole = {cell.meter for cell, _ in gaps} >= set(_BOTH)
    on_bill, in_ledger = there
    if more and key in evidence.unknown:
        return Name.UNKNOWN_USAGE
    if more and key in evidence.partial and BillMeter.INPUT not in {cell.meter for cell, _ in gaps}:
        return Name.PARTIAL
    if more and (whole or not in_ledger):
        return Name.UNRECORDED
    return Name.MISSING_ON_BILL if less and (whole or not on_bill) else None
