"""Dead letters, sources and spools on the page of data quality: events that never became records.

Owns: their tables, card, JSON and CSV rows. Not here: how they are read. Invariant: what may be missing from every
report is named with its source and with the command that helps.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from gembill.ledger import SourceStatus
from gembill.period import iso, local
from gembill.spool import SpoolSurvey
from gembill_reports.dashboard.page import Card, Cell, Grid, counted, number, text
from gembill_reports.layout.sheet import count
from gembill_reports.layout.tables import clean

Letters = Mapping[tuple[int, str], int]
"""How many dead letters there are, by source and reason."""
_STUCK = ("left alone", "copy", "set aside")


def missing_card(missing: int) -> Card:
    """How many events of all sources never came."""
    note = "`gembill replay` posts what spools keep" if missing else "every number of every source"
    return Card("Missing events", count(missing), note, "failed" if missing else "")


def grids(
    sources: Sequence[SourceStatus], letters: Letters, spools: Sequence[SpoolSurvey], zone: ZoneInfo
) -> list[Grid]:
    """A table of each."""
    return [
        _letters(letters),
        _spools(spools),
        Grid(
            "Sources",
            [text("Source"), text("Kind"), text("Host"), number("Last heard of"), number("Events"), number("Missing")],
            [_source(one, zone) for one in sources],
            empty="None.",
            name="sources",
            noun="sources",
        ),
    ]


def as_dict(sources: Sequence[SourceStatus], letters: Letters, spools: Sequence[SpoolSurvey]) -> dict[str, Any]:
    """The three as JSON carries them; `dead_letter_reasons` are of those that are not records by now."""
    return {
        "dead_letter_reasons": [
            {"source": _name(source), "reason": reason, "events": events}
            for (source, reason), events in letters.items()
        ],
        "sources": [
            {
                "source": _name(one.source_id),
                "kind": one.kind,
                "host": one.host,
                "last_seen_at": iso(one.last_seen_us, ZoneInfo("UTC")),
                "events": one.events,
                "missing_events": one.missing,
            }
            for one in sources
        ],
        "spools": [
            {"source": _name(one.source_id), "state": one.state, "unposted": one.unposted, "reason": one.reason}
            for one in spools
        ],
    }


def csv_rows(sources: Sequence[SourceStatus], letters: Letters, spools: Sequence[SpoolSurvey]) -> list[dict[str, Any]]:
    """The three as rows of the page's CSV."""
    rows: list[tuple[str, str, str | None, int]]
    rows = [("dead_letter", _name(source), reason, events) for (source, reason), events in letters.items()]
    rows += [("missing_events", _name(one.source_id), one.host, one.missing) for one in sources]
    rows += [("unposted", _name(one.source_id), one.state, one.unposted) for one in spools]
    return [dict(zip(("what", "name", "detail", "count"), row, strict=True)) for row in rows]


def _name(source_id: int) -> str:
    """A source as its spool's directory and commands call it."""
    return f"{source_id:016x}" if source_id >= 0 else str(source_id)


def _letters(letters: Letters) -> Grid:
    rows = [
        [text(clean(reason)), text(_name(source)), counted(events, mark="failed")]
        for (source, reason), events in sorted(letters.items(), key=lambda pair: -pair[1])
    ]
    heads = [text("Why it became no record"), text("Source"), number("Events")]
    return Grid("Dead letters", heads, rows, empty="None.", name="letters", noun="reasons")


def _spools(spools: Sequence[SpoolSurvey]) -> Grid:
    heads = [text("Spool"), text("State"), number("Not posted"), number("Under way"), number("Damaged"), text("Why")]
    rows = [
        [
            text(_name(one.source_id)),
            text(one.state, mark="failed" if one.state in _STUCK else ""),
            counted(one.unposted),
            counted(one.open_calls),
            counted(one.damaged, mark="failed" if one.damaged else ""),
            text(clean(one.reason or "")),
        ]
        for one in spools
    ]
    return Grid(
        "Spools of this machine", heads, rows, empty="There is no spool on this machine.", name="spools", noun="spools"
    )


def _source(one: SourceStatus, zone: ZoneInfo) -> list[Cell]:
    seen = local(one.last_seen_us, zone).strftime("%Y-%m-%d %H:%M")
    return [
        text(_name(one.source_id)),
        text(one.kind),
        text(clean(one.host or "")),
        Cell(seen, number=True, order=one.last_seen_us),
        counted(one.events),
        counted(one.missing, mark="failed" if one.missing else ""),
    ]
