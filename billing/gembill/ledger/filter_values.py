"""The values that a filter can have, and the refusal of others.

Owns: which names the calls of a ledger have, and the sentence about a name that none of them has. Not here: the
filter (`selection`). Invariant: a name in a filter that fits no call of the ledger is refused with the nearest ones, so
that a typing error is not an answer of zeros; a ledger without any call has no names, so nothing is refused there.
"""

import re
from collections.abc import Iterable, Sequence

from gembill.errors import ConfigurationError
from gembill.ledger.labels import read_labels
from gembill.ledger.selection import Selection
from gembill.ledger.store import Ledger
from gembill.ledger.totals import read_totals

_SHOWN = 5


def require_known(ledger: Ledger, selection: Selection) -> None:
    """ConfigurationError where a model, key, tier, location or label is chosen that no call of the ledger has."""
    with ledger.reading() as snapshot:
        if not snapshot.rows("SELECT source_id FROM record LIMIT 1"):
            return
        for what, asked, column, table in (
            ("model", selection.models, "model", "rollup_narrow_day"),
            ("tier", selection.tiers, "service_tier", "rollup_narrow_day"),
            ("key", selection.keys, "key", "rollup_wide_day"),
        ):
            if asked:
                rows = snapshot.rows(f"SELECT DISTINCT {column} FROM {table} WHERE calls > 0")  # noqa: S608
                _require(what, asked, sorted(name for (name,) in rows if name))
    if selection.locations:
        _require("location", selection.locations, _locations(ledger))
    if selection.labels:
        _require_labels(selection, read_labels(ledger))


def label_trouble(ledger: Ledger, name: str) -> str | None:
    """The sentence about a label that no call of the ledger has, with the nearest ones; None where some call has it."""
    known = read_labels(ledger)
    return None if name in known else f"no call has a label '{name}'; {_instead(name, tuple(known))}"


def _locations(ledger: Ledger) -> list[str]:
    groups = (total.group["location"] for total in read_totals(ledger, Selection(), ["location"]))
    return sorted(name for name in groups if isinstance(name, str))


def _require(what: str, asked: Iterable[str], known: Sequence[str]) -> None:
    for name in asked:
        pattern = re.compile(".*".join(map(re.escape, name.split("*"))), re.DOTALL)
        if not any(map(pattern.fullmatch, known)):
            raise ConfigurationError(f"no call has the {what} '{name}'; {_instead(name, known)}")


def _require_labels(selection: Selection, known: dict[str, tuple[str, ...]]) -> None:
    for name, values in selection.labels.items():
        if name not in known:
            raise ConfigurationError(f"no call has a label '{name}'; {_instead(name, tuple(known))}")
        for value in (values,) if isinstance(values, str) else values:
            if value not in known[name]:
                near = _instead(value, known[name], f"{name}=")
                raise ConfigurationError(f"no call has the label '{name}={value}'; {near}")


def _instead(name: str, known: Sequence[str], before: str = "") -> str:
    """What may have been meant, else what there is."""
    from difflib import get_close_matches

    near = get_close_matches(name.strip("*").lower(), {one.lower() for one in known}, 3)
    meant = [one for lower in near for one in known if one.lower() == lower]
    if meant:
        return f"did you mean {_either([before + one for one in meant])}?"
    if not known:
        return "the calls of this ledger have none"
    more = f", and {len(known) - _SHOWN} more" if len(known) > _SHOWN else ""
    return f"there are {', '.join(before + one for one in known[:_SHOWN])}{more}"


def _either(names: Sequence[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} or {last}" if first else last
