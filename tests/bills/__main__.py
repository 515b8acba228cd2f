"""`make bills`: a hundred made-up bills in every form, each explained to the last digit. SEED and BILLS choose others."""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from gembill.reconcile.bill_line import BillForm
from tests.bills.made_up import empty_ledger, made_up, prove


def main() -> None:
    """Exit 1 if a bill is not explained; its number and form are named, and `--only` runs it again."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--bills", type=int, default=100)
    parser.add_argument("--only", type=int)
    given = parser.parse_args()
    numbers = range(given.bills) if given.only is None else [given.only]
    began, failed = time.monotonic(), 0
    with tempfile.TemporaryDirectory() as folder:
        for number in numbers:
            failed += sum(not _proved(number, given.seed, form, Path(folder)) for form in BillForm)
    tried = len(numbers) * len(BillForm)
    print(f"{tried - failed} of {tried} bills are explained (seed {given.seed}), {time.monotonic() - began:.0f} s")
    sys.exit(failed > 0)


def _proved(number: int, seed: int, form: BillForm, folder: Path) -> bool:
    made = made_up(number, seed)
    try:
        with empty_ledger(folder) as ledger:
            prove(made, form, ledger)
    except AssertionError as error:
        reason = str(error).partition("\n")[0]
        print(f"bill {number} as {form.value}: {reason or 'an assertion failed'}; {made.options}")
        return False
    return True


if __name__ == "__main__":
    main()
