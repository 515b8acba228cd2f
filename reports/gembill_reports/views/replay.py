"""What re-rating or reposting changed, as scripts and people read it.

Owns: its JSON, CSV and table. Owns no number. Invariant: whatever could not be done is said beneath.
"""

import json
from collections.abc import Iterator
from typing import Any

from gembill.money import usd
from gembill.period import Period
from gembill.replay import ReplayCounts, ReplayResult
from gembill_reports.layout.sheet import DEMO, Sheet, count, exact
from gembill_reports.layout.tables import MISSING, Column, Table, csv_lines
from gembill_reports.views.period_texts import words

SCHEMA_VERSION = 1
_HEADER = ("model", "records", "changed", "newly_priced", "newly_unpriced", "old_usd", "new_usd", "difference_usd")
_COLUMNS = (
    Column("Model", text=True),
    Column("Records", 50),
    Column("Changed"),
    Column("Now priced", 40),
    Column("Old", 80),
    Column("New", 70),
    Column("Difference"),
)


def json_text(found: ReplayResult, period: Period, *, dry_run: bool) -> str:
    """The changes as JSON."""
    shape = {
        "schema_version": SCHEMA_VERSION,
        "period": {"start": period.start, "end": period.end, "timezone": period.timezone},
        "dry_run": dry_run,
        "rows": list(_rows(found)),
        "total": _row("", found.total, model=False),
        "revived_dead_letters": found.revived,
        "skipped": [{"reason": reason, "count": number} for reason, number in sorted(found.skipped.items())],
    }
    return json.dumps(shape, indent=2) + "\n"


def csv_text(found: ReplayResult) -> Iterator[str]:
    """The rows as CSV."""
    return csv_lines(_HEADER, _rows(found))


def sheet(found: ReplayResult, period: Period, *, dry_run: bool, demo: bool = False) -> Sheet:
    """The changes as a table; costs are those of the changed records, with all their digits."""
    verb = "What would change" if dry_run else "What changed"
    heading = f"{DEMO if demo else ''}{verb} · {words(period)} · {period.timezone} · US dollars"
    rows = tuple(_cells(model, tally) for model, tally in _ordered(found))
    notes = ["Old and new are the costs of the changed records; one without a price counts as nothing."]
    notes += [] if found.total.changed else ["The ledger says what the prices in force say: nothing changes."]
    notes += [f"{found.total.unpriced:,} of them have no price any more."] if found.total.unpriced else []
    notes += [f"{found.revived:,} dead letters become records."] if found.revived else []
    notes += [f"{number:,} skipped: {reason}." for reason, number in sorted(found.skipped.items())]
    notes += ["Nothing was written: leave out --dry-run to do it."] if dry_run else []
    return Sheet(heading, Table(_COLUMNS, rows, _cells("Total", found.total)), tuple(notes))


def _ordered(found: ReplayResult) -> list[tuple[str | None, ReplayCounts]]:
    return sorted(found.by_model.items(), key=lambda item: (item[0] is None, -item[1].changed, item[0] or ""))


def _cells(model: str | None, tally: ReplayCounts) -> tuple[str, ...]:
    difference = tally.difference_pico
    return (
        model or MISSING,
        count(tally.records),
        count(tally.changed),
        count(tally.priced),
        exact(tally.old_pico),
        exact(tally.new_pico),
        ("+" if difference > 0 else "") + exact(difference),
    )


def _rows(found: ReplayResult) -> Iterator[dict[str, Any]]:
    return (_row(model, tally) for model, tally in _ordered(found))


def _row(name: str | None, tally: ReplayCounts, *, model: bool = True) -> dict[str, Any]:
    row: dict[str, Any] = {"model": name} if model else {}
    return row | {
        "records": tally.records,
        "changed": tally.changed,
        "newly_priced": tally.priced,
        "newly_unpriced": tally.unpriced,
        "old_usd": usd(tally.old_pico),
        "new_usd": usd(tally.new_pico),
        "difference_usd": usd(tally.difference_pico),
    }
