"""The report people read: at every width each number shown is the number of the JSON."""

import re
from datetime import date

import pytest
from msgspec.structs import replace

from gembill.ledger import Ledger, RatedEvent
from gembill.model import Charge, Meter, Modality, Rating
from gembill.money import unit_price
from gembill.period import parse
from gembill_reports.analysis.forecast import Forecast
from gembill_reports.analysis.previous_period import predecessor
from gembill_reports.analysis.report import Report, report
from gembill_reports.views.report import report_dict, share_sentence, sheet
from tests.gembill_reports.conftest import Snapshots
from tests.gembill_reports.making import FAILED, FLASH, LATE, OK, PRO, SOURCE, call, put, us

NOVEMBER = parse(month="2026-11")
HEADINGS = {
    60: "Model Intermed. Output* Cost",
    80: "Model Input Intermed. Output* Failed Cost",
    100: "Model Calls Input Intermed. Output* Execs Failed Waste~ Cost",
    140: "Model Calls Input Intermed. Output* Execs Failed Waste~ $ in $ interm. $ out Cost",
}


@pytest.fixture
def month(ledger: Ledger) -> Report:
    at = "2026-11-05T10:10:00+00:00"
    put(
        ledger,
        call(at, (2_760_001, 7_410_002, 1_990_003), PRO, outcomes=[FAILED, OK, OK]),
        call(at, (910_004, 2_173_005, 631_006), FLASH, outcomes=[FAILED, FAILED]),
        call(at, (7, 8, 9), "gemini-nobody-knows"),
        call(at, None, FLASH),
        *(call(at, (1, 1, 1), FLASH) for _ in range(3)),
    )
    return report(ledger, NOVEMBER, ["model"])


@pytest.mark.parametrize("width", HEADINGS)
def test_a_narrow_terminal_loses_columns_and_never_a_digit(month: Report, width: int) -> None:
    lines = sheet(month).terminal(width).splitlines()
    assert all(len(line) <= width for line in lines)
    head = next(n for n, line in enumerate(lines) if line.startswith("Model"))
    assert " ".join(lines[head].split()) == HEADINGS[width]
    shape = report_dict(month)
    for line, row in zip(lines[head + 2 :], (*shape["rows"], None, shape["total"]), strict=False):
        if row is not None:
            allowed = [row["calls"], row["executions"], row["executions_failed"], *row["tokens"].values()]
            counts = re.findall(r"(?<=\s)\d[\d,]*(?=\s|$)", line)
            assert {int(count.replace(",", "")) for count in counts} <= set(allowed)
            assert f"{row['tokens']['intermediate']:,}" in line


@pytest.fixture
def season(ledger: Ledger) -> Ledger:
    """Calls of three months by two teams with two keys; some run code, one searches, some fail to be priced."""
    ann = {"key": "k_7f3a", "labels": {"team": "search"}}
    bob = {"key": "k_0c9d", "labels": {"team": "data-science-and-experiments", "stage": "nightly"}}
    put(
        ledger,
        call("2026-09-07T18:00:00+00:00", (120_000, 64_000, 31_000), PRO, outcomes=[OK], **ann),
        call("2026-10-05T17:30:00+00:00", (2_147_483_647, 910_000, 411_000), FLASH, outcomes=[OK, FAILED], **bob),
        call("2026-10-19T12:00:00+00:00", (5_000, 0, 900), FLASH, **ann),
        call("2026-11-03T06:59:59+00:00", (812_345, 1_234_567, 98_765), PRO, outcomes=[FAILED, LATE], **ann),
        grounded(call("2026-11-03T19:20:00+00:00", (1_000, 18_329, 276), FLASH, **bob)),
        call("2026-11-03T21:05:00+00:00", (7, 0, 3), FLASH, **ann),
        call("2026-11-17T09:00:00+00:00", (40_000, 30_000, 2_000), "gemini-9-nobody-knows", outcomes=[OK], **bob),
        call("2026-11-17T09:00:01+00:00", None, None),
    )
    return ledger


def grounded(posting: RatedEvent) -> RatedEvent:
    """The call with three searches at 14 dollars for a thousand."""
    unit = unit_price("14000")
    search = Charge(meter=Meter.GROUNDING, modality=Modality.TEXT, quantity=3, unit_pico=unit, price_id="g")
    return replace(posting, rating=Rating(charges=(*posting.rating.charges, search)))


def test_a_month_looks_as_it_did(month: Report, snapshot: Snapshots) -> None:
    snapshot("monthly", sheet(month))


def test_periods_cut_into_smaller_ones_look_as_they_did(season: Ledger, snapshot: Snapshots) -> None:
    snapshot("monthly-several", sheet(report(season, parse("2026-09-01", "2026-12-01"), ["month", "model"])))
    snapshot("weekly", sheet(report(season, parse("2026-10-05", "2026-11-23"), ["week"])))
    snapshot("daily-by-model", sheet(report(season, NOVEMBER, ["day", "model"])))
    snapshot("hourly", sheet(report(season, parse("2026-11-03", "2026-11-04"), ["hour", "status"])))


def test_groups_of_callers_look_as_they_did(season: Ledger, snapshot: Snapshots) -> None:
    snapshot("by-label", sheet(report(season, parse(tz="Asia/Kolkata"), ["label.team"])))
    snapshot("by-many", sheet(report(season, parse(), ["label.team", "label.stage", "key", "model", "service_tier"])))


def test_a_report_beside_the_period_before_looks_as_it_did(season: Ledger, snapshot: Snapshots) -> None:
    current = report(season, NOVEMBER, ["model"])
    closed, unfinished = (
        predecessor(season, current, us(f"{day}T08:00:00+00:00")) for day in ("2026-12-01", "2026-11-20")
    )
    snapshot("compare-closed", sheet(current, closed))
    snapshot("compare-unfinished", sheet(current, unfinished))
    by_day = report(season, NOVEMBER, ["day"])
    snapshot("compare-daily", sheet(by_day, predecessor(season, by_day, us("2026-12-01T08:00:00+00:00"))))


def test_a_report_with_a_forecast_looks_as_it_did(month: Report, snapshot: Snapshots) -> None:
    coming = Forecast(
        end="2026-12-01T00:00:00-08:00",
        cost_pico=131_040_000_000_000,
        low_pico=47_650_000_000_000,
        high_pico=1_412_700_000_000_000,
        days=9,
        changes=(("gemini-4-argon", date(2026, 11, 15)), ("gemini-3.8-flash", date(2026, 11, 22))),
    )
    snapshot("forecast", sheet(month, None, coming))


def test_reports_of_nothing_and_of_made_up_calls_look_as_they_did(ledger: Ledger, snapshot: Snapshots) -> None:
    snapshot("empty", sheet(report(ledger, NOVEMBER, ["model"])))
    put(ledger, *(call("2026-11-05T10:10:00+00:00", (1, 1, 1), f"gemini-{n}") for n in range(12)))
    ledger.announce(SOURCE, "demo")
    snapshot("demo", sheet(report(ledger, NOVEMBER, ["model"])))


def test_what_is_not_complete_is_named(month: Report) -> None:
    notes = " ".join(sheet(month).notes)
    assert "Unpriced: 1 call (gemini-nobody-knows: 1); their cost is unknown and in no sum." in notes
    assert f"Incomplete: 1 call ({FLASH}: 1); some of their tokens may be missing." in notes
    assert "unknown" in sheet(month).terminal(140).splitlines()[6]


def test_the_share_of_intermediate_tokens_is_a_sentence(ledger: Ledger) -> None:
    put(ledger, call("2026-11-05T10:10:00+00:00", (147, 360, 276)))
    # 360 of 783 tokens; 360 x 0.50 of (147 + 360) x 0.50 + 276 x 3.00
    assert share_sentence(report(ledger, NOVEMBER).total) == (
        "Intermediate tokens (code and its results fed back as input) are 46% of all tokens and 17% of the cost."
    )


def test_nothing_is_said_of_shares_where_there_are_no_tokens(ledger: Ledger) -> None:
    empty = report(ledger, NOVEMBER)
    assert share_sentence(empty.total) is None
    assert any("America/Los_Angeles" in note for note in sheet(empty).notes)


def test_a_label_may_hold_anything(ledger: Ledger) -> None:
    evil = "x\x1b[2J|\n<b>"
    put(ledger, call("2026-11-05T10:10:00+00:00", (1, 0, 0), labels={evil: evil}))
    page = sheet(report(ledger, NOVEMBER, [f"label.{evil}"]))
    for text in (page.terminal(100), page.markdown()):
        assert all(character.isprintable() or character == "\n" for character in text)
    assert r"x\\x1b\[2J\|\\n\<b\>" in page.markdown()


def test_grounding_has_a_column_only_where_it_cost_something(month: Report) -> None:
    assert "$ search" not in sheet(month).markdown()
