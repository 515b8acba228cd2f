"""Calls that Cloud Monitoring counted beside those that the ledger has: what went past the proxy.

Owns: which credential is which key, and what is between the two numbers. Not here: layout, and files
(`gembill.reconcile.monitoring`). Invariant: a call of ours whose answer was never learned may or may not be among
Google's, so it explains a difference up to their number and none is invented; credentials that cannot be told apart are
compared together.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from gembill.ledger import Ledger, Selection, read_totals
from gembill.model import Status
from gembill.period import HOUR_US
from gembill.reconcile.monitoring import Counted
from gembill_reports.analysis.reconciliation import bill_calendar, pacific_day

_ANSWERED = (Status.COMPLETE.value, Status.PARTIAL.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Witnessed:
    """A day of credentials and the keys they are: calls that succeeded, as Google and the ledger counted them.

    `unknown` are calls of ours of which it is not known; `past` went past the proxy; Google lacks the `unseen` ones.
    """

    day: int
    operation: str
    credentials: tuple[str, ...]
    keys: tuple[str, ...]
    google: int
    ours: int
    unknown: int

    @property
    def past(self) -> int:
        """Calls that Google answered and the ledger does not have."""
        return max(0, self.google - self.ours - self.unknown)

    @property
    def unseen(self) -> int:
        """Calls that the ledger has and Google does not count: of another project, or not there yet."""
        return max(0, self.ours - self.google)


Numbers = Counter[tuple[int, str]]  # by day and operation


def witnessed(ledger: Ledger, counts: Counter[Counted], named: Mapping[str, str]) -> list[Witnessed]:
    """The days of a file, by credential. `named` says which key of ours a credential is."""
    succeeded = _by_credential(counts)
    days = sorted({cell.day for cell in counts})
    if not days:
        return []
    ours, unknown = _ours(ledger, days[0], days[-1], {cell.operation for cell in counts})
    return [
        Witnessed(
            day=day,
            operation=operation,
            credentials=credentials,
            keys=keys,
            google=sum(succeeded[one][day, operation] for one in credentials),
            ours=sum(ours[key][day, operation] for key in keys),
            unknown=sum(unknown[key][day, operation] for key in keys),
        )
        for credentials, keys in _pairs(succeeded, ours, named)
        for day, operation in _places(succeeded, ours, unknown, credentials, keys)
    ]


def _by_credential(counts: Counter[Counted]) -> dict[str, Numbers]:
    numbers: dict[str, Numbers] = defaultdict(Counter)
    for cell, calls in counts.items():
        numbers[cell.credential][cell.day, cell.operation] += calls if cell.ok else 0
    return numbers


def _ours(
    ledger: Ledger, first: int, last: int, operations: set[str]
) -> tuple[defaultdict[str, Numbers], defaultdict[str, Numbers]]:
    """Calls that were answered, and those of which it is not known, by key; an empty name is no key."""
    calendar = bill_calendar(first, last)
    selection = Selection(start_us=calendar[0].start_us, end_us=calendar[-1].end_us)
    answered: defaultdict[str, Numbers] = defaultdict(Counter)
    unknown: defaultdict[str, Numbers] = defaultdict(Counter)
    for total in read_totals(ledger, selection, ("hour", "key", "operation", "status")):
        group = total.group
        hour, operation = group["hour"], str(group["operation"])
        if operation not in operations or not isinstance(hour, int):
            continue
        place = (pacific_day(hour * HOUR_US), operation)
        side = (
            answered if group["status"] in _ANSWERED else unknown if group["status"] == Status.UNKNOWN.value else None
        )
        if side is not None:
            side[str(group["key"] or "")][place] += total.calls
            answered[str(group["key"] or "")][place] += 0
    return answered, unknown


def _pairs(
    google: Mapping[str, Numbers], ours: Mapping[str, Numbers], named: Mapping[str, str]
) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Which credentials are which keys: as they were named, else by equal numbers, else all that is left together."""
    left, keys = dict(google), dict(ours)
    for credential in sorted(google):
        same = [key for key in keys if +keys[key] == +left[credential]]
        key = named.get(credential) or (same[0] if len(same) == 1 and credential not in named else None)
        if key is not None:
            keys.pop(key, None)
            del left[credential]
            yield (credential,), (key,)
    if left or keys:
        yield tuple(sorted(left)), tuple(sorted(keys))


def _places(
    google: Mapping[str, Numbers],
    ours: Mapping[str, Numbers],
    unknown: Mapping[str, Numbers],
    credentials: Sequence[str],
    keys: Sequence[str],
) -> list[tuple[int, str]]:
    """The days and operations that one of them has."""
    sides = [
        *(google[one] for one in credentials),
        *(side[key] for key in keys for side in (ours, unknown) if key in side),
    ]
    return sorted({place for side in sides for place, calls in side.items() if calls})
