"""Which alerts were raised, and who is to send them.

Owns: the rows of `alert` and the claims on them. Not here: thresholds and sending. Invariant: of all processes that
claim an alert only one gets it; a sent alert is never given again, an unsent one only after `LEASE_US` and at most
`ATTEMPTS` times, also when the process that had it died.
"""

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, update

from gembill.ledger import engine as engines
from gembill.ledger import sql
from gembill.ledger.errors import translated
from gembill.ledger.schema import alert
from gembill.ledger.store import Ledger

LEASE_US = 120_000_000
ATTEMPTS = 10
_ERROR_CHARS = 500


@dataclass(frozen=True, slots=True)
class AlertKey:
    """One threshold of a budget in one period, as it is said on one channel."""

    budget: str
    period: str
    threshold: str
    channel: str


def claim(ledger: Ledger, key: AlertKey, passed: Sequence[AlertKey], now_us: int) -> bool:
    """Whether this caller is the one to send `key` now. `passed`: lower thresholds that need not be sent any more."""
    with translated("note an alert"), engines.writing(ledger.engine) as connection:
        rows = [(*astuple(key), now_us, 0, 0, None, None)]
        rows += [(*astuple(one), now_us, now_us, 0, now_us, None) for one in passed]
        sql.insert(connection, alert, rows, sql.OnConflict.IGNORE)
        c = alert.c
        free = (c.sent_us.is_(None), c.attempts < ATTEMPTS, c.claimed_us <= now_us - LEASE_US)
        return _update(connection, (*_is(key), *free), claimed_us=now_us, attempts=c.attempts + 1) == 1


def sent(ledger: Ledger, key: AlertKey, now_us: int) -> None:
    """The alert arrived."""
    with translated("note an alert"), engines.writing(ledger.engine) as connection:
        _update(connection, _is(key), sent_us=now_us, error=None)


def failed(ledger: Ledger, key: AlertKey, error: str) -> None:
    """The alert did not arrive; it can be claimed again when its lease has run out."""
    with translated("note an alert"), engines.writing(ledger.engine) as connection:
        _update(connection, _is(key), error=error.replace("\0", "\ufffd")[:_ERROR_CHARS])


def _is(key: AlertKey) -> tuple[ColumnElement[bool], ...]:
    c = alert.c
    return c.budget == key.budget, c.period == key.period, c.threshold == key.threshold, c.channel == key.channel


def _update(connection: Connection, where: Sequence[ColumnElement[bool]], **values: Any) -> int:  # noqa: ANN401
    return connection.execute(update(alert).where(*where).values(**values)).rowcount
