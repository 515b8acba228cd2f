"""The page of data quality, on which the others rest.

Owns: its tables and data. Not here: counts. Invariant: what is not priced or not complete is named with
the calls it is about.
"""

import os
from collections import Counter
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from gembill.ledger import Ledger, Quality, read_dead_letters, read_quality, read_source_statuses, read_totals
from gembill.model import Price
from gembill.period import Unit, local, name
from gembill.rules.prices import PriceBook
from gembill.spool import SpoolSurvey, survey_spools
from gembill_reports.analysis.price_list import price_list
from gembill_reports.dashboard import installation_grids
from gembill_reports.dashboard.links import calls_of
from gembill_reports.dashboard.page import Card, Cell, Grid, Page, counted, number, text
from gembill_reports.dashboard.query import PageQuery
from gembill_reports.layout.sheet import count
from gembill_reports.layout.tables import MISSING, clean
from gembill_reports.views import flag_texts

_OLD_DAYS = 60  # prices not checked for so long are worth a look


def quality_page(ledger: Ledger, view: PageQuery, book: PriceBook, spools: Path | None = None) -> Page:
    """What is missing: unpriced, incomplete, anomalies, errors, events that never came, and how old the prices are.

    `spools` is the folder of this machine's spools, where it is looked into.
    """
    quality = read_quality(ledger, view.selection)
    sources, lying = read_source_statuses(ledger), survey(spools)
    letters = Counter((one.source_id, one.reason) for some in read_dead_letters(ledger) for one in some)
    today = local(view.now_us, view.period.zone).date()
    missing = sum(one.missing for one in sources)
    return Page(
        name="quality",
        title="Data quality",
        template="quality.html",
        data=_data(quality, book, today) | installation_grids.as_dict(sources, letters, lying),
        header=("what", "name", "detail", "count"),
        rows=[*_rows(quality), *installation_grids.csv_rows(sources, letters, lying)],
        cards=[*_cards(quality, view, checked(book, view), today), installation_grids.missing_card(missing)],
        grids=[
            *_grids(quality, view),
            _incomplete(ledger, view),
            *installation_grids.grids(sources, letters, lying, view.period.zone),
        ],
        notes=[
            f"Counted from the records of {name(Unit.DAY, view.selection.start_us, view.period.zone)} on."
            if view.selection.start_us is not None
            else "Counted from all records.",
            "Dead letters, sources and spools are those of all time.",
        ],
    )


def survey(spools: Path | None) -> list[SpoolSurvey]:
    """The spools of this machine; none where they are not there or not ours to look into."""
    if spools is None or not os.access(spools, os.R_OK | os.W_OK | os.X_OK):
        return []
    return survey_spools(spools)


def _grids(quality: Quality, view: PageQuery) -> list[Grid]:
    unpriced, empty = _unpriced(quality, view), "Every call has a price."
    anomalies, flags = _named(quality.anomalies, flag_texts.anomaly), _named(quality.flags, flag_texts.flag)
    return [
        Grid(
            "Calls without a price", _heads("Model", "Reason"), unpriced, empty=empty, name="unpriced", noun="reasons"
        ),
        Grid("Calls by status", _heads("Status"), _statuses(quality, view), name="status", noun="kinds"),
        Grid("Anomalies", _heads("Anomaly", "Meaning"), anomalies, empty="None.", name="anomalies", noun="kinds"),
        Grid("Flags", _heads("Flag", "Meaning"), flags, empty="None.", name="flags", noun="kinds"),
        Grid(
            "Errors of the API",
            _heads("Code", "Status", "Kind"),
            _errors(quality),
            empty="None.",
            name="errors",
            noun="kinds",
        ),
        Grid(
            "Executions by outcome",
            _heads("Outcome", what="Executions"),
            _outcomes(quality),
            empty="No code ran.",
            name="outcomes",
            noun="kinds",
        ),
    ]


def _incomplete(ledger: Ledger, view: PageQuery) -> Grid:
    """The calls that may lack tokens, by model: what is unknown or was cut."""
    totals = read_totals(ledger, view.selection, ("model", "status"))
    rows = [
        [
            text(clean(MISSING if model is None else str(model)), _calls_link(view, model, str(status)) or None),
            text(str(status), mark=str(status)),
            counted(one.calls),
        ]
        for one in sorted(totals, key=lambda one: -one.calls)
        if one.incomplete_calls
        for model, status in [(one.group["model"], one.group["status"])]
    ]
    return Grid(
        "Calls that may lack tokens", _heads("Model", "Status"), rows, empty="None.", name="incomplete", noun="rows"
    )


def _calls_link(view: PageQuery, model: str | int | bool | None, status: str) -> str:
    return calls_of(view, "model", None if model is None else str(model), ("status", status))


def checked(book: PriceBook, view: PageQuery) -> date | None:
    """When the price rows in force were last checked: the newest of their dates."""
    return newest_check(price_list(book, view.now_us).rows)


def newest_check(rows: Sequence[Price]) -> date | None:
    """The newest day on which one of the rows was checked."""
    return max((date.fromisoformat(row.checked_on) for row in rows), default=None)


def _cards(quality: Quality, view: PageQuery, newest: date | None, today: date) -> list[Card]:
    unpriced = sum(quality.unpriced.values())
    incomplete = quality.statuses["partial"] + quality.statuses["unknown"]
    odd = sum(quality.anomalies.values())
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


def _heads(*words: str, what: str = "Calls") -> list[Cell]:
    return [*map(text, words), number(what)]


def _unpriced(quality: Quality, view: PageQuery) -> list[list[Cell]]:
    link = view.to("/calls", ("trouble", "unpriced"))
    return [
        [text(clean(model or MISSING), link), text(clean(reason)), counted(calls)]
        for (model, reason), calls in quality.unpriced.most_common()
    ]


def _statuses(quality: Quality, view: PageQuery) -> list[list[Cell]]:
    return [
        [text(status, view.to("/calls", ("status", status)), mark=status), counted(calls)]
        for status, calls in quality.statuses.most_common()
    ]


def _named(names: Any, words: Any) -> list[list[Cell]]:  # noqa: ANN401
    return [[text(clean(one)), text(words(one)), counted(calls)] for one, calls in names.most_common()]


def _errors(quality: Quality) -> list[list[Cell]]:
    return [
        [*(text(clean(word or "")) for word in words), counted(calls)] for words, calls in quality.errors.most_common()
    ]


def _outcomes(quality: Quality) -> list[list[Cell]]:
    return [[text(one.replace("_", " ")), counted(runs)] for one, runs in quality.outcomes.most_common()]


def _rows(quality: Quality) -> list[dict[str, Any]]:
    """The counts as rows of CSV."""
    rows = [_row("unpriced", model, reason, n) for (model, reason), n in quality.unpriced.most_common()]
    for what in ("statuses", "anomalies", "flags", "outcomes"):
        rows += [_row(what, one, None, n) for one, n in getattr(quality, what).most_common()]
    rows += [
        _row("errors", words[0], " ".join(filter(None, words[1:])), n) for words, n in quality.errors.most_common()
    ]
    return [*rows, _row("dead_letters", None, None, quality.dead_letters)]


def _row(what: str, named: str | None, detail: str | None, calls: int) -> dict[str, Any]:
    return {"what": what, "name": named, "detail": detail, "count": calls}


def _data(quality: Quality, book: PriceBook, today: date) -> dict[str, Any]:
    newest = newest_check(book.rows)
    return {
        "schema_version": 1,
        "calls": quality.calls,
        "unpriced": [{"model": m, "reason": why, "calls": n} for (m, why), n in quality.unpriced.most_common()],
        "statuses": dict(quality.statuses),
        "anomalies": dict(quality.anomalies),
        "flags": dict(quality.flags),
        "errors": [{"code": c, "status": s, "class": k, "calls": n} for (c, s, k), n in quality.errors.most_common()],
        "outcomes": dict(quality.outcomes),
        "dead_letters": quality.dead_letters,
        "prices_checked_on": None if newest is None else newest.isoformat(),
        "prices_age_days": None if newest is None else (today - newest).days,
    }
