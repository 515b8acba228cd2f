"""The labels a ledger knows.

Owns: that query. Owns no filter by them (`selection`). Invariant: names and values stand in the order of their text.
"""

from sqlalchemy import select

from gembill.ledger import mapping, schema
from gembill.ledger.engine import snapshot
from gembill.ledger.store import Ledger


def labels(ledger: Ledger) -> dict[str, tuple[str, ...]]:
    """Each label's name and the values that calls ever had of it."""
    found: dict[str, set[str]] = {}
    with snapshot(ledger.engine) as connection:
        for text in connection.scalars(select(schema.label_set.c.labels).distinct()):
            for name, value in mapping.read_labels(text).items():
                found.setdefault(name, set()).add(value)
    return {name: tuple(sorted(found[name])) for name in sorted(found)}
