"""The page of data quality, on which the others rest.

Owns: its tables and data. Not here: counts. Invariant: what is not priced or not complete is named with
the calls it is about, and beside it how much there was in the period before.
"""

import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from gembill.ledger import (
    Ledger,
    Quality,
    Selection,
    read_dead_letters,
    read_quality,
    read_source_statuses,
    read_totals,
)
from gembill.model import Price
from gembill.period import Unit, local, name
from gembill.rules.prices import PriceBook
from gembill.spool import SpoolSurvey, survey_spools
from gembill_reports.analysis.previous_period import previous
from gembill_reports.analysis.price_list import price_list
from gembill_reports.dashboard import installation_grids
from gembill_reports.dashboard.comparison import HEADS, against, compared, count_cells
from gembill_reports.dashboard.links import calls_of
from gembill_reports.dashboard.page import Card, Cell, Grid, Page, counted, number, text
from gembill_reports.dashboard.query import PageQuery
from gembill_reports.layout.sheet import count
from gembill_reports.layout.tables import MISSING, clean
from gembill_reports.views import flag_texts

_HEADER = ("what", "name", "detail", "count", "previous_count")
_OLD_DAYS = 60  # prices not checked for so long are worth a look


def quality_page(ledger: Ledger, view: PageQuery, book: PriceBook, spools: Path | None = None) -> Page:
    """What is missing: unpriced, incomplete, anomalies, errors, events that never came, and how old the prices are.

    `spools` is the folder of this machine's spools, where it is looked into.
    """
    earlier = _before(view)
    counts = _Counts(read_quality(ledger, view.selection), None if earlier is None else read_quality(ledger, earlier))
    quality = counts.now
    sources, lying = read_source_statuses(ledger), survey(spools)
    letters = Counter((one.source_id, one.reason) for some in read_dead_letters(ledger) for one in some)
    today = local(view.now_us, view.period.zone).date()
    missing = sum(one.missing for one in sources)
    return Page(
        name="quality",
        title="Data quality",
        template="quality.html",
        data=_data(counts, book, today) | installation_grids.as_dict(sources, letters, lying),
        header=_HEADER if counts.before is not None else _HEADER[:-1],
        rows=[
            *_rows(counts),
            *({_HEADER[-1]: None} | row for row in installation_grids.csv_rows(sources, letters, lying)),
        ],
        cards=[
            *compared(_cards(quality, view, checked(book, view), today), _changes(counts)),
            installation_grids.missing_card(missing),
        ],
        grids=[
            *_grids(counts, view),
            _incomplete(ledger, counts, view, earlier),
            *installation_grids.grids(sources, letters, lying, view.period.zone),
        ],
        notes=[
            f"Counted from the records of {name(Unit.DAY, view.selection.start_us, view.period.zone)} on."
            if view.selection.start_us is not None
            else "Counted from all records.",
            "Dead letters, sources and spools are those of all time.",
        ],
    )


@dataclass(frozen=True, slots=True)
class _Counts:
    """The counts of the period, and those of the one before; None where there is none.

    Tables have these beside theirs only where it had calls.
    """

    now: Quality
    before: Quality | None

    @property
    def beside(self) -> Quality | None:
        """What tables show beside the counts."""
        return self.before if self.before is not None and self.before.calls else None

    def kinds(self, what: str) -> list[Any]:
        """What was counted under a name, most first."""
        return [kind for kind, _ in getattr(self.now, what).most_common()]

    def cells(self, what: str, key: object) -> list[Cell]:
        """How many there are of one, and how many there were."""
        now = getattr(self.now, what)[key]
        return [counted(now), *(() if self.beside is None else count_cells(now, getattr(self.beside, what)[key]))]

    def heads(self, *words: str, what: str = "Calls") -> list[Cell]:
        """The headings of a table of such counts."""
        return [*map(text, words), number(what), *(HEADS if self.beside is not None else ())]


def _before(view: PageQuery) -> Selection | None:
    """The calls of the period before; None where the period has no beginning or no end."""
    if view.period.start_us is None or view.period.end_us is None:
        return None
    period, _ = previous(view.period, view.now_us)
    return replace(view.selection, start_us=period.start_us, end_us=period.end_us)


def _changes(counts: _Counts) -> dict[str, str]:
    """What cards say of a period before that had calls."""
    now, before = counts.now, counts.beside
    if before is None:
        return {}
    return {
        "Calls": against(now.calls, before.calls),
        "Unpriced": against(now.unpriced.total(), before.unpriced.total()),
        "Incomplete": against(_incomplete_calls(now), _incomplete_calls(before)),
        "Anomalies": against(now.anomalies.total(), before.anomalies.total()),
    }


def survey(spools: Path | None) -> list[SpoolSurvey]:
    """The spools of this machine; none where they are not there or not ours to look into."""
    if spools is None or not os.access(spools, os.R_OK | os.W_OK | os.X_OK):
        return []
    return survey_spools(spools)


def _grids(counts: _Counts, view: PageQuery) -> list[Grid]:
    unpriced, empty = _unpriced(counts, view), "Every call has a price."
    anomalies, flags = _named(counts, "anomalies", flag_texts.anomaly), _named(counts, "flags", flag_texts.flag)
    return [
        Grid(
            "Calls without a price",
            counts.heads("Model", "Reason"),
            unpriced,
            empty=empty,
            name="unpriced",
            noun="reasons",
        ),
        Grid("Calls by status", counts.heads("Status"), _statuses(counts, view), name="status", noun="kinds"),
        Grid("Anomalies", counts.heads("Anomaly", "Meaning"), anomalies, empty="None.", name="anomalies", noun="kinds"),
        Grid("Flags", counts.heads("Flag", "Meaning"), flags, empty="None.", name="flags", noun="kinds"),
        Grid(
            "Errors of the API",
            counts.heads("Code", "Status", "Kind"),
            _errors(counts),
            empty="None.",
            name="errors",
            noun="kinds",
        ),
        Grid(
            "Executions by outcome",
            counts.heads("Outcome", what="Executions"),
            _outcomes(counts),
            empty="No code ran.",
            name="outcomes",
            noun="kinds",
        ),
    ]


def _incomplete(ledger: Ledger, counts: _Counts, view: PageQuery, earlier: Selection | None) -> Grid:
    """The calls that may lack tokens, by model: what is unknown or was cut."""
    now = _lacking(ledger, view.selection)
    before = None if earlier is None or counts.beside is None else _lacking(ledger, earlier)
    rows = [
        [
            text(clean(MISSING if model is None else str(model)), _calls_link(view, model, status) or None),
            text(status, mark=status),
            counted(calls),
            *(() if before is None else count_cells(calls, before[model, status])),
        ]
        for (model, status), calls in now.most_common()
    ]
    heads = counts.heads("Model", "Status")
    return Grid("Calls that may lack tokens", heads, rows, empty="None.", name="incomplete", noun="rows")


def _lacking(ledger: Ledger, selection: Selection) -> Counter[tuple[str | int | bool | None, str]]:
    """Calls that may lack tokens, by model and status."""
    totals = read_totals(ledger, selection, ("model", "status"))
    return +Counter({(one.group["model"], str(one.group["status"])): one.incomplete_calls for one in totals})


def _calls_link(view: PageQuery, model: str | int | bool | None, status: str) -> str:
    return calls_of(view, "model", None if model is None else str(model), ("status", status))


def checked(book: PriceBook, view: PageQuery) -> date | None:
    """When the price rows in force were last checked: the newest of their dates."""
    return newest_check(price_list(book, view.now_us).rows)


def newest_check(rows: Sequence[Price]) -> date | None:
    """The newest day on which one of the rows was checked."""
    return max((date.fromisoformat(row.checked_on) for row in rows), default=None)


def _cards(quality: Quality, view: PageQuery, newest: date | None, today: date) -> list[Card]:
    unpriced, incomplete, odd = quality.unpriced.total(), _incomplete_calls(quality), quality.anomalies.total()
    days = None if newest is None else (today - newest).days
    age = "unknown" if days is None else f"{count(max(days, 0))} {'day' if days == 1 else 'days'}"
    note = (
        "worth a look: compare them with Google's" if days is not None and days > _OLD_DAYS else f"checked on {newest}"
    )
    return [
        Card("Calls", count(quality.calls), "in this period"),
        Card(
            "Unpriced",
            count(unpriced),
            "their cost is in no sum",
            "failed" if unpriced else "",
            view.to("/calls", ("trouble", "unpriced")),
        ),
        Card(
            "Incomplete",
            count(incomplete),
            "tokens may be missing",
            "failed" if incomplete else "",
            view.to("/calls", ("trouble", "incomplete")),
        ),
        Card("Anomalies", count(odd), "kept as reported", "", view.to("/calls", ("trouble", "anomaly"))),
        Card(
            "Dead letters",
            count(quality.dead_letters),
            "events that became no record",
            "failed" if quality.dead_letters else "",
        ),
        Card("Price age", age, note),
    ]


def _incomplete_calls(quality: Quality) -> int:
    return quality.statuses["partial"] + quality.statuses["unknown"]


def _unpriced(counts: _Counts, view: PageQuery) -> list[list[Cell]]:
    link = view.to("/calls", ("trouble", "unpriced"))
    return [
        [text(clean(one[0] or MISSING), link), text(clean(one[1])), *counts.cells("unpriced", one)]
        for one in counts.kinds("unpriced")
    ]


def _statuses(counts: _Counts, view: PageQuery) -> list[list[Cell]]:
    return [
        [text(one, view.to("/calls", ("status", one)), mark=one), *counts.cells("statuses", one)]
        for one in counts.kinds("statuses")
    ]


def _named(counts: _Counts, what: str, words: Callable[[str], str]) -> list[list[Cell]]:
    return [[text(clean(one)), text(words(one)), *counts.cells(what, one)] for one in counts.kinds(what)]


def _errors(counts: _Counts) -> list[list[Cell]]:
    return [
        [*(text(clean(word or "")) for word in one), *counts.cells("errors", one)] for one in counts.kinds("errors")
    ]


def _outcomes(counts: _Counts) -> list[list[Cell]]:
    return [[text(one.replace("_", " ")), *counts.cells("outcomes", one)] for one in counts.kinds("outcomes")]


def _rows(counts: _Counts) -> list[dict[str, Any]]:
    """The counts as rows of CSV."""
    rows = [_row(counts, "unpriced", one, one) for one in counts.kinds("unpriced")]
    for what in ("statuses", "anomalies", "flags", "outcomes"):
        rows += [_row(counts, what, one, (one, None)) for one in counts.kinds(what)]
    rows += [_row(counts, "errors", one, (one[0], " ".join(filter(None, one[1:])))) for one in counts.kinds("errors")]
    return [*rows, dict(zip(_HEADER, ("dead_letters", None, None, counts.now.dead_letters, None), strict=True))]


def _row(counts: _Counts, what: str, key: object, named: tuple[str | None, str | None]) -> dict[str, Any]:
    now, before = getattr(counts.now, what)[key], counts.before and getattr(counts.before, what)[key]
    return dict(zip(_HEADER, (what, *named, now, before), strict=True))


def _data(counts: _Counts, book: PriceBook, today: date) -> dict[str, Any]:
    newest, before = newest_check(book.rows), counts.before
    return {
        "schema_version": 1,
        **_counts_dict(counts.now),
        "dead_letters": counts.now.dead_letters,
        "prices_checked_on": None if newest is None else newest.isoformat(),
        "prices_age_days": None if newest is None else (today - newest).days,
        "previous": before and _counts_dict(before),
    }


def _counts_dict(quality: Quality) -> dict[str, Any]:
    """The counts of a period as JSON carries them."""
    return {
        "calls": quality.calls,
        "unpriced": [{"model": m, "reason": why, "calls": n} for (m, why), n in quality.unpriced.most_common()],
        "statuses": dict(quality.statuses),
        "anomalies": dict(quality.anomalies),
        "flags": dict(quality.flags),
        "errors": [{"code": c, "status": s, "class": k, "calls": n} for (c, s, k), n in quality.errors.most_common()],
        "outcomes": dict(quality.outcomes),
    }
