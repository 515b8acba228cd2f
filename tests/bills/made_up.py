"""Bills made up from a ledger's charges by a seed, taken in and compared as users do it.

Owns: how a bill of a number departs from the charges, and what has to come of it. Invariant: a number and a seed give
the same bill on any machine; each bill goes through its file's text, the ledger's tables and the comparison.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from random import Random
from shutil import copyfile

from gembill.ledger import BillFile, Ledger, add_bill, open_ledger, sum_bill
from gembill.model import Meter
from gembill.reconcile.bill_files import checked, recognise
from gembill.reconcile.bill_line import BillForm
from gembill.reconcile.comparison import Comparison, Ours, compare
from gembill.reconcile.hypothesis import SETS, Policies, Policy
from gembill.reconcile.residue import Name
from gembill.reconcile.sums import Usage
from gembill.reconcile.synthetic import BillOptions, make_bill
from gembill.reconcile.synthetic_files import written
from tests.gembill.reconcile.ledgers import BOOK, NOW, month, placed

_CURRENCIES = (("USD", "1"), ("EUR", "0.9213"), ("JPY", "151.27"))


@dataclass(frozen=True, slots=True)
class MadeUp:
    """A ledger's charges, the bill's departures, and the policies that these charges cannot tell."""

    usages: list[Usage]
    results: list[Usage]
    options: BillOptions
    revised: bool
    undecidable: Policies


def made_up(number: int, seed: int) -> MadeUp:
    """Bill `number`: its policies are each of the 32 sets in turn, everything else is drawn."""
    rng = Random(f"{seed}/{number}")
    usages, results = month(seed=rng.randrange(10**6), days=8)
    currency, rate = _CURRENCIES[number % 3]
    options = BillOptions(
        policies=SETS[number % len(SETS)],
        lag_days=rng.randrange(4),
        currency=currency,
        rate=rate,
        free_searches=rng.choice((0, 40, 100)),
        bypass=rng.choice((0, 0, 1, 3)),
        corrected=rng.random() < 0.5,
        tax_percent=rng.choice((0, 19)),
        seed=rng.randrange(10**6),
    )
    poorer, lacking = _poorer(usages, results, rng)
    hidden = {Policy.GROUNDED_FREE} if Policy.INTERMEDIATE_FREE in options.policies else set()
    revised = rng.random() < 0.5
    return MadeUp(*_somewhere(*poorer, rng), options, revised, frozenset(lacking | hidden))


def _somewhere(usages: list[Usage], results: list[Usage], rng: Random) -> tuple[list[Usage], list[Usage]]:
    """The charges as of before, or of two projects and locations, or of two projects that some of them do not name."""
    kind = rng.randrange(3)
    if kind == 0:
        return usages, results
    usages, results = placed(usages, rng.randrange(10**6)), placed(results, rng.randrange(10**6))
    return usages, [replace(one, project=None) for one in results] if kind == 2 else results


def _poorer(
    usages: list[Usage], results: list[Usage], rng: Random
) -> tuple[tuple[list[Usage], list[Usage]], set[Policy]]:
    """The charges without some of the calls that tell policies apart, and what is then not told."""
    lacking = {policy for policy in Policy if rng.random() < 0.2}
    if Policy.RESULTS_BILLED in lacking:
        results = []
    if Policy.LONG_WITH_INTERMEDIATE in lacking:
        usages, results = ([usage for usage in some if not usage.lifted] for some in (usages, results))
    if Policy.GROUNDED_FREE in lacking:
        usages = [usage for usage in usages if not usage.grounded]
    if Policy.BATCH_CACHED_STANDARD in lacking:
        usages = [u for u in usages if (u.service_tier, u.meter) != ("batch", Meter.CACHED_INPUT)]
    if Policy.INTERMEDIATE_FREE in lacking:
        usages = [usage for usage in usages if usage.meter is not Meter.INTERMEDIATE]
        lacking.add(Policy.GROUNDED_FREE)
    return (usages, results), lacking


def prove(made: MadeUp, form: BillForm, ledger: Ledger) -> None:
    """AssertionError unless the bill in this form is explained to the pico-unit, and says its policies."""
    comparison = _compared(made, form, ledger)
    assert sum((money for _, money in comparison.sums.values()), Fraction(0)) == comparison.billed - comparison.ours
    assert sum(comparison.sums_pico.values()) == comparison.billed_pico - comparison.ours_pico
    gaps = sum(cell.billed_micro - cell.ours_micro for cell in comparison.cells)
    assert sum(residue.amount_micro for residue in comparison.residues) == gaps
    assert comparison.is_reconciled
    assert Name.UNEXPLAINED not in comparison.sums
    assert (Name.UNRECORDED in comparison.sums) == bool(made.options.bypass)
    assert comparison.inference.undecided == made.undecidable
    assert comparison.inference.best.policies == made.options.policies - made.undecidable


def _compared(made: MadeUp, form: BillForm, ledger: Ledger) -> Comparison:
    lines = make_bill(made.usages, made.results, BOOK, made.options)
    if made.revised:  # an earlier export, which ended a day before
        last = max(line.last_day for line in lines)
        earlier = [line for line in lines if line.last_day < last]
        take_in(ledger, written(earlier, form), form, "earlier")
    take_in(ledger, written(lines, form), form, "last")
    rate = Fraction(made.options.rate)
    ours = Ours(usages=made.usages, results=made.results)
    return compare(sum_bill(ledger, form), ours, BOOK, now_day=NOW, rate=rate)


def take_in(ledger: Ledger, text: str, form: BillForm, name: str) -> None:
    """Take the text of a file into a ledger."""
    reading = recognise(text.splitlines(keepends=True), name)
    assert reading.form is form
    add_bill(ledger, BillFile(digest=name, name=name, form=form), lambda: checked(reading, name))


@contextmanager
def empty_ledger(folder: Path) -> Iterator[Ledger]:
    """A ledger without calls, copied from one that is made once in the folder."""
    first, own = folder / "first.db", folder / "ledger.db"
    if not first.exists():
        open_ledger(f"sqlite:///{first}").close()
    for end in ("", "-wal", "-shm"):
        (folder / f"ledger.db{end}").unlink(missing_ok=True)
    copyfile(first, own)
    ledger = open_ledger(f"sqlite:///{own}")
    try:
        yield ledger
    finally:
        ledger.close()
