"""What every report has to say of the ledger: whether it is made up, and how many calls never became records.

Owns: these two, asked in one statement. Not here: the dead letters themselves, and how many were ever put aside
(`evidence`). Invariant: where there are none, which is nearly always, that statement of text is all that is read.
"""

from dataclasses import dataclass

from gembill.ledger.entries import DEMO_SOURCE
from gembill.ledger.errors import translated
from gembill.ledger.store import Ledger

_ANY = (
    "SELECT (SELECT count(*) FROM (SELECT source_id FROM source WHERE kind = ? LIMIT 1) AS demo), "
    "(SELECT count(*) FROM (SELECT source_id FROM dead_letter LIMIT 1) AS dead)"
)


@dataclass(frozen=True, slots=True)
class Remarks:
    """Whether the ledger holds made-up calls, and how many dead letters of any time are not records yet."""

    demo: bool
    dead_letters: int


def read_remarks(ledger: Ledger) -> Remarks:
    """What is to be said of this ledger. LedgerError where it cannot be asked."""
    with translated("count the dead letters"):
        with ledger.reading() as snapshot:
            ((demo, dead),) = snapshot.rows(_ANY, (DEMO_SOURCE,))
        if not dead:
            return Remarks(bool(demo), 0)
        from gembill.ledger.evidence import read_dead_letters

        return Remarks(bool(demo), sum(map(len, read_dead_letters(ledger))))


def count_unreplayed(ledger: Ledger) -> int:
    """How many dead letters are not records yet. LedgerError where the ledger cannot be asked."""
    return read_remarks(ledger).dead_letters
