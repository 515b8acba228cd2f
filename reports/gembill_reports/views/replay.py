"""What re-rating or reposting changed, as scripts and people read it.

Owns: its JSON, CSV and table. Not here: any number. Invariant: whatever could not be done is named below the table.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from gembill.money import usd
from gembill.period import Period
from gembill.replay import ReplayCounts, ReplayResult
from gembill_reports.layout.sheet import DEMO, Sheet, count, exact
from gembill_reports.layout.tables import MISSING, Column, Table
from gembill_reports.views.period_texts import period_dict, words
from gembill_reports.views.view import Csv, View

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


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayView(View):
    """What changed in the records of a period, or with `dry_run` would change."""

    result: ReplayResult
    period: Period
    dry_run: bool
    demo: bool = False  # the ledger holds made-up calls

    def json(self) -> dict[str, Any]:
        """The rows, their total, and what could not be done."""
        skipped = sorted(self.result.skipped.items())
        return {
            "schema_version": SCHEMA_VERSION,
            "period": period_dict(self.period),
            "dry_run": self.dry_run,
            "rows": list(_rows(self.result)),
            "total": _row(self.result.total),
            "revived_dead_letters": self.result.revived,
            "skipped": [{"reason": reason, "count": number} for reason, number in skipped],
        }

    def csv(self) -> Csv:
        """A row per model."""
        return Csv(_HEADER, _rows(self.result))

    def sheets(self) -> Sequence[Sheet]:
        """One table; costs are those of the changed records, with all their digits."""
        verb = "What would change" if self.dry_run else "What changed"
        heading = f"{DEMO if self.demo else ''}{verb} · {words(self.period)} · {self.period.timezone} · US dollars"
        rows = tuple(_cells(model, counts) for model, counts in _ordered(self.result))
        return [Sheet(heading, Table(_COLUMNS, rows, _cells("Total", self.result.total)), tuple(self._notes()))]

    def _notes(self) -> Iterator[str]:
        result = self.result
        yield "Old and new are the costs of the changed records; one without a price counts as nothing."
        if not result.total.changed:
            yield "The ledger says what the prices in force say: nothing changes."
        if result.total.unpriced:
            yield f"{result.total.unpriced:,} of them have no price any more."
        if result.revived:
            yield f"{result.revived:,} dead letters become records."
        for reason, number in sorted(result.skipped.items()):
            yield f"{number:,} skipped: {reason}."
        if self.dry_run:
            yield "Nothing was written: leave out --dry-run to do it."


def _ordered(result: ReplayResult) -> list[tuple[str | None, ReplayCounts]]:
    return sorted(result.by_model.items(), key=lambda item: (item[0] is None, -item[1].changed, item[0] or ""))


def _cells(model: str | None, counts: ReplayCounts) -> tuple[str, ...]:
    difference = counts.difference_pico
    return (
        model or MISSING,
        count(counts.records),
        count(counts.changed),
        count(counts.priced),
        exact(counts.old_pico),
        exact(counts.new_pico),
        ("+" if difference > 0 else "") + exact(difference),
    )


def _rows(result: ReplayResult) -> Iterator[dict[str, Any]]:
    return ({"model": model, **_row(counts)} for model, counts in _ordered(result))


def _row(counts: ReplayCounts) -> dict[str, Any]:
    return {
        "records": counts.records,
        "changed": counts.changed,
        "newly_priced": counts.priced,
        "newly_unpriced": counts.unpriced,
        "old_usd": usd(counts.old_pico),
        "new_usd": usd(counts.new_pico),
        "difference_usd": usd(counts.difference_pico),
    }
