"""What is wrong with the records of a period, counted.

Owns: counts of unpriced and incomplete calls, anomalies, flags, errors and outcomes. Not here: wording. Invariant:
every count is of current revisions; a call with two anomalies counts for both.

How many calls and runs there are, and how they ended, rollups know. Anomalies, flags, errors and reasons are words of a
template, and most templates have none: only calls of the others are counted, by an index that holds the template beside
the time. Runs that ran out of time, or whose end nobody saw, are counted in the few calls that have them.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from gembill.ledger.errors import translated
from gembill.ledger.reading import Snapshot
from gembill.ledger.remarks import count_unreplayed
from gembill.ledger.selection import Condition, Selection, conditions, labelled, one_of, within
from gembill.ledger.store import Ledger
from gembill.ledger.totals import Total, read_totals
from gembill.model import Anomaly, ApiError, Outcome, Status

_names = msgspec.json.Decoder(tuple[str, ...])
_fault = msgspec.json.Decoder(ApiError)
_NOTED = "(anomalies <> '[]' OR flags <> '[]' OR error IS NOT NULL OR unpriced_reason IS NOT NULL)"
_FOUND = {"sqlite": "instr", "postgresql": "strpos"}


@dataclass(frozen=True, slots=True)
class Quality:
    """Calls by what they lack: `unpriced` by model and reason, `statuses`, `anomalies` and `flags` by name.

    `errors` by code, status word and kind; `outcomes` counts executions. `dead_letters` are events of all time that
    are not records by now.
    """

    calls: int = 0
    unpriced: Counter[tuple[str | None, str]] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)
    anomalies: Counter[str] = field(default_factory=Counter)
    flags: Counter[str] = field(default_factory=Counter)
    errors: Counter[tuple[str | None, str | None, str | None]] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    dead_letters: int = 0


def read_quality(ledger: Ledger, selection: Selection) -> Quality:
    """The counts of the selected calls."""
    totals = read_totals(ledger, selection, ("status",))
    counts = Quality(
        calls=sum(one.calls for one in totals),
        statuses=Counter({str(one.group["status"]): one.calls for one in totals}),
    )
    with translated("count what is wrong with its records"), ledger.reading() as snapshot:
        _count_notes(snapshot, selection, counts)
        outcomes = _outcomes(snapshot, selection, totals)
    return replace(counts, outcomes=outcomes, dead_letters=count_unreplayed(ledger))


def _count_notes(snapshot: Snapshot, selection: Selection, counts: Quality) -> None:
    """Add what templates say of the calls that have one with something to say."""
    words = _joined([(_NOTED, ()), *_of_template(selection, snapshot.dialect)])
    asked = f"SELECT number, model, unpriced_reason, error, anomalies, flags FROM template WHERE {words[0]}"  # noqa: S608
    noted = {row[0]: row[1:] for row in snapshot.rows(asked, words[1])}
    if not noted:
        return
    where = _joined(
        [
            (f"e.template IN (SELECT number FROM template WHERE {words[0]})", words[1]),  # noqa: S608
            *_of_entry(selection, snapshot.dialect),
        ]
    )
    asked = f"SELECT e.template, count(*) FROM entry AS e WHERE {where[0]} GROUP BY e.template"  # noqa: S608
    for number, calls in snapshot.rows(asked, where[1]):
        _count_note(counts, noted[number], calls)


def _count_note(counts: Quality, words: Sequence[Any], calls: int) -> None:
    model, reason, error, anomalies, flags = words
    if reason is not None:
        counts.unpriced[model, reason] += calls
    if error is not None:
        counts.errors[_words(error)] += calls
    counts.anomalies.update(dict.fromkeys(_names.decode(anomalies), calls))
    counts.flags.update(dict.fromkeys(_names.decode(flags), calls))


def _outcomes(snapshot: Snapshot, selection: Selection, totals: Sequence[Total]) -> Counter[str]:
    """Runs by outcome: those of two are counted, those of the others follow from sums."""
    runs, failed = sum(one.executions for one in totals), sum(one.executions_failed for one in totals)
    late = _runs(snapshot, selection, Outcome.DEADLINE_EXCEEDED) if failed else 0
    unknown = _runs(snapshot, selection, Outcome.UNKNOWN) if runs > failed else 0
    return +Counter(
        {
            Outcome.OK.value: runs - failed - unknown,
            Outcome.FAILED.value: failed - late,
            Outcome.DEADLINE_EXCEEDED.value: late,
            Outcome.UNKNOWN.value: unknown,
        }
    )


def _runs(snapshot: Snapshot, selection: Selection, outcome: Outcome) -> int:
    """How many runs ended so, counted in the calls of a partial index. SQLite, which has no statistics of a ledger,
    would rather read the whole period: it is told."""
    begins = _begins(outcome)
    index, there = "entry_by_failure", "e.executions_failed > 0"
    if outcome is Outcome.UNKNOWN:
        index, there = "entry_by_unseen_run", f"{_FOUND[snapshot.dialect]}(e.executions, '{begins}') > 0"
    words, values = _joined(_of_template(selection, snapshot.dialect))
    own = [(f"e.template IN (SELECT number FROM template WHERE {words})", values)] if words else []  # noqa: S608
    chosen, values = _joined([(there, ()), *own, *_of_entry(selection, snapshot.dialect)])
    count = f"(length(e.executions) - length(replace(e.executions, '{begins}', ''))) / {len(begins)}"
    told = f" INDEXED BY {index}" if snapshot.dialect == "sqlite" else ""
    ((runs,),) = snapshot.rows(f"SELECT sum({count}) FROM entry AS e{told} WHERE {chosen}", values)  # noqa: S608
    return int(runs or 0)


def _begins(outcome: Outcome) -> str:
    """How a run of the outcome begins in the JSON of the executions; quotes within its texts are escaped there."""
    return f'["{outcome.value}",'


def _of_template(selection: Selection, dialect: str) -> list[Condition]:
    """What the selection asks of the words that calls have alike."""
    where = conditions(replace(selection, code_execution=False), "template", dialect)
    where += [one_of("template.location", selection.locations)] if selection.locations else []
    if selection.unmetered:
        has = f"{_FOUND[dialect]}(template.anomalies, ?) > 0"
        where += [("template.status = ?", (Status.UNKNOWN.value,)), (has, (f'"{Anomaly.UNMETERED_SURFACE.value}"',))]
    return where


def _of_entry(selection: Selection, dialect: str) -> list[Condition]:
    """What the selection asks of a call itself, and that the revision is the one that counts."""
    where = within("e.occurred_us", selection.start_us, selection.end_us)
    where += [("e.executions_count > 0", ())] if selection.code_execution else []
    if selection.labels:
        chosen, values = _joined(labelled(selection.labels, "labels", dialect))
        where += [(f"e.labels_hash IN (SELECT labels_hash FROM label_set WHERE {chosen})", values)]  # noqa: S608
    newer = "SELECT 1 FROM entry AS n WHERE n.source_id = e.source_id AND n.id = e.id AND n.revision > e.revision"
    seen = () if selection.seen_us is None else (selection.seen_us,)
    where += [(f"NOT EXISTS ({newer}{' AND n.posted_us <= ?' if seen else ''})", seen)]
    return where + ([("e.posted_us <= ?", seen)] if seen else [])


def _joined(where: Sequence[Condition]) -> Condition:
    return " AND ".join(one for one, _ in where), tuple(value for _, values in where for value in values)


def _words(text: str) -> tuple[str | None, str | None, str | None]:
    fault = _fault.decode(text)
    return None if fault.code is None else str(fault.code), fault.status, fault.kind
