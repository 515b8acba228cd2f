"""Reports of a gembill ledger: rows, tables and receipts.

Owns: what people and scripts read. Owns no SQL and no rule of metering or rating.

    import reports
    november = reports.report("sqlite:///ledger.db", by=["model"], month="2026-11")
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reports.totals import Report

__all__ = ["report"]


def report(
    database_url: str | None = None,
    by: Sequence[str] = (),
    *,
    since: str | None = None,
    until: str | None = None,
    month: str | None = None,
    tz: str | None = None,
) -> "Report":
    """Totals of the calls in a period, as `gembill report` prints them (`reports.totals.as_dict` is the JSON).

    Without an address the configured ledger is read; `by` names groups such as `model` or `label.team`. Dates and
    months are in `tz` (America/Los_Angeles), `until` is exclusive. Errors are `billing.errors.GembillError`.
    """
    from billing.config import database_url as configured
    from billing.ledger import open_ledger
    from billing.period import parse
    from reports import totals

    period = parse(since, until, month, tz=tz)
    ledger = open_ledger(configured(database_url), read_only=True)
    try:
        return totals.report(ledger, period, by)
    finally:
        ledger.close()
