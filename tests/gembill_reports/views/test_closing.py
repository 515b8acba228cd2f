"""Closed months in JSON and tables, and what is said of them below a report."""

import json
from dataclasses import replace

from gembill.ledger import Closing, Total
from gembill.model import CostParts, Tokens
from gembill.period import parse
from gembill_reports.analysis.closed_months import Adjustment, ClosedMonth, ClosedMonths, MonthAdjustment
from gembill_reports.views.closing import ClosingsView, closed_dicts, notes
from gembill_reports.views.view import Format, text
from tests.gembill.calls import us
from tests.gembill_reports.conftest import Snapshots

OCTOBER = parse(month="2026-10")


def closing(**sums: int) -> Closing:
    measures = {
        "calls": 1500,
        "unpriced_calls": 4,
        "incomplete_calls": 10,
        "cost_pico": 7_126_686 * 10**6,
        "costed": 1496,
    }
    row = dict.fromkeys(_names(), 0) | measures | sums
    return Closing(
        month="2026-10",
        timezone="America/Los_Angeles",
        start_us=OCTOBER.start_us or 0,
        end_us=OCTOBER.end_us or 0,
        closed_us=us("2026-11-02T18:00:00+00:00"),
        seen_us=1,
        digest="edda6c5ee0342a78" * 4,
        document=json.dumps({"rows": [row]}),
    )


def _names() -> list[str]:
    from gembill.ledger import MEASURES

    return [*MEASURES, "calls_code_execution", "incomplete_calls"]


def total(calls: int, cost: int) -> Total:
    return Total(
        group={},
        calls=calls,
        calls_code_execution=0,
        executions=0,
        executions_failed=0,
        unpriced_calls=0,
        incomplete_calls=0,
        tokens=Tokens(),
        cost_pico=cost,
        cost_parts=CostParts(),
        failed_execution_cost_pico=None,
    )


def test_a_month_is_shown_with_its_digest() -> None:
    view = ClosingsView([closing()])
    (month,) = view.json()["closed"]
    assert month["cost_usd"] == "7.126686000000"
    assert month["closed_at"] == "2026-11-02T10:00:00-08:00"
    assert month["period"]["end"] == "2026-11-01T00:00:00-07:00"
    assert list(text(view, Format.CSV))[1].startswith("2026-10,America/Los_Angeles,2026-11-02T10:00:00-08:00,1500,7.12")


def test_a_cost_of_which_nothing_is_known_is_not_zero() -> None:
    (month,) = ClosingsView([closing(costed=0, cost_pico=0)]).json()["closed"]
    assert month["cost_usd"] is None
    (empty,) = ClosingsView([closing(calls=0, costed=0, cost_pico=0)]).json()["closed"]
    assert empty["cost_usd"] == "0.000000000000"


def test_below_a_report_stands_what_was_closed_and_what_was_corrected() -> None:
    same, other = total(3, 10**12), total(4, 12 * 10**11)
    adjusted = MonthAdjustment(Adjustment(closing=closing(), group={}, calls=1, cost_pico=2 * 10**11))
    fewer = MonthAdjustment(Adjustment(closing=closing(), group={}, calls=0, cost_pico=-1))
    months = ((same, same, False), (same, other, True), (same, same, True))
    closed = ClosedMonths(tuple(ClosedMonth(closing(), *month) for month in months), (adjusted, fewer))
    october = "2026-10 was closed on 2026-11-02 with $1.00 of 3 calls (digest edda6c5ee0342a78)"
    assert notes(closed) == [
        f"{october}; nothing was corrected since.",
        f"{october}; corrections since, +$0.20, are adjustments of the months they were made in.",
        f"{october}; corrections since leave these sums as they were.",
        "Adjustment of 2026-10, made in this period and not in the sums above: +$0.20, +1 call.",
        "Adjustment of 2026-10, made in this period and not in the sums above: -$0.000000000001.",
    ]
    shape = closed_dicts(closed)
    assert [one["adjusted_usd"] for one in shape["closed_months"]] == [
        "0.000000000000",
        "0.200000000000",
        "0.000000000000",
    ]
    assert [one["corrected"] for one in shape["closed_months"]] == [False, True, True]
    assert shape["adjustments"][0] == {"month": "2026-10", "calls": 1, "cost_usd": "0.200000000000"}
    assert closed_dicts(ClosedMonths()) == {}


def test_an_adjustment_names_its_largest_parts() -> None:
    def part(team: str | None, calls: int, cost: int) -> Adjustment:
        return Adjustment(closing=closing(), group={"label.team": team, "model": "m"}, calls=calls, cost_pico=cost)

    rows = (part("a", 1, 10**10), part(None, -1, -(10**12)), *(part(f"t{place}", 0, 1) for place in range(6)))
    made = MonthAdjustment(Adjustment(closing=closing(), group={}, calls=0, cost_pico=0), rows[:2])
    begin = "Adjustment of 2026-10, made in this period and not in the sums above: $0.00"
    two = "(unknown) / m -$1.00, -1 call; a / m +$0.01, +1 call"
    assert notes(ClosedMonths((), (made,))) == [f"{begin} ({two})."]
    named = "; ".join(f"t{place} / m +$0.000000000001" for place in range(4))
    assert notes(ClosedMonths((), (replace(made, rows=rows),))) == [f"{begin} ({two}; {named}; 2 more)."]
    assert closed_dicts(ClosedMonths((), (made,)))["adjustments"] == [
        {
            "month": "2026-10",
            "calls": 0,
            "cost_usd": "0.000000000000",
            "rows": [
                {"label.team": "a", "model": "m", "calls": 1, "cost_usd": "0.010000000000"},
                {"label.team": None, "model": "m", "calls": -1, "cost_usd": "-1.000000000000"},
            ],
        }
    ]


def test_closed_months_look_as_they_did(snapshot: Snapshots) -> None:
    snapshot("closed-months", *ClosingsView([closing(), closing(costed=0, cost_pico=0)]).sheets())
    snapshot("closed-months-none", *ClosingsView([]).sheets())
