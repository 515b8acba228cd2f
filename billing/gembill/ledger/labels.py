"""The labels that calls ever had, and whether calls of a ledger are made up.

Owns: what is read of sets of labels and of sources as a whole. Not here: the labels of one call (`records`) and sums by
them (`totals`). Invariant: statements are text, because a check of budgets asks these questions without SQLAlchemy.
"""

from gembill.ledger.entries import DEMO_SOURCE
from gembill.ledger.store import Ledger

_GREATEST = {
    "sqlite": "SELECT max(json_extract(labels, ?)) FROM label_set",
    "postgresql": "SELECT max(CAST(labels AS JSONB) ->> CAST(? AS TEXT)) FROM label_set",
}


def holds_demo_data(ledger: Ledger) -> bool:
    """Whether the ledger was filled by `gembill demo`, which whatever is shown of it has to say."""
    with ledger.reading() as snapshot:
        return bool(snapshot.rows("SELECT source_id FROM source WHERE kind = ? LIMIT 1", (DEMO_SOURCE,)))


def read_labels(ledger: Ledger) -> dict[str, tuple[str, ...]]:
    """Each label's name and the values that calls ever had of it, both in the order of their text."""
    from gembill.ledger import mapping

    values: dict[str, set[str]] = {}
    with ledger.reading() as snapshot:
        for (text,) in snapshot.rows("SELECT DISTINCT labels FROM label_set"):
            for name, value in mapping.read_labels(text).items():
                values.setdefault(name, set()).add(value)
    return {name: tuple(sorted(values[name])) for name in sorted(values)}


def greatest_label(ledger: Ledger, name: str) -> str | None:
    """The last value of a label in the order of their text; None where no call has the label."""
    with ledger.reading() as snapshot:
        place = f'$."{name}"' if snapshot.dialect == "sqlite" else name
        ((greatest,),) = snapshot.rows(_GREATEST[snapshot.dialect], (place,))
    return None if greatest is None else str(greatest)
