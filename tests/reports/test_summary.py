"""The report people read: at every width each number shown is the number of the JSON."""

import os
import re
from pathlib import Path

import pytest

from billing.ledger import Ledger
from billing.period import Period, parse, zone
from reports.rows import Report, as_dict, report
from reports.summary import share_sentence, sheet, words
from tests.reports.calls import FAILED, FLASH, OK, PRO, call, put

NOVEMBER = parse(month="2026-11")
HEADINGS = {
    60: "Model Intermed. Output* Cost",
    80: "Model Input Intermed. Output* Failed Cost",
    100: "Model Calls Input Intermed. Output* Execs Failed Waste~ Cost",
    140: "Model Calls Input Intermed. Output* Execs Failed Waste~ $ in $ interm. $ out Cost",
}
SNAPSHOTS = Path(__file__).parent / "snapshots"


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
    shape = as_dict(month)
    for line, row in zip(lines[head + 2 :], (*shape["rows"], None, shape["total"]), strict=False):
        if row is not None:
            allowed = [row["calls"], row["executions"], row["executions_failed"], *row["tokens"].values()]
            counts = re.findall(r"(?<=\s)\d[\d,]*(?=\s|$)", line)
            assert {int(count.replace(",", "")) for count in counts} <= set(allowed)
            assert f"{row['tokens']['intermediate']:,}" in line


@pytest.mark.parametrize("width", HEADINGS)
def test_the_sheet_looks_as_it_did(month: Report, width: int) -> None:
    """GEMBILL_UPDATE_SNAPSHOTS=1 writes them anew: then read the difference."""
    path, text = SNAPSHOTS / f"monthly-{width}.txt", sheet(month).terminal(width)
    if os.environ.get("GEMBILL_UPDATE_SNAPSHOTS"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


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
    found = report(ledger, NOVEMBER)
    assert share_sentence(found.total) is None
    assert any("America/Los_Angeles" in note for note in sheet(found).notes)


def test_a_label_may_hold_anything(ledger: Ledger) -> None:
    evil = "x\x1b[2J|\n<b>"
    put(ledger, call("2026-11-05T10:10:00+00:00", (1, 0, 0), labels={evil: evil}))
    found = sheet(report(ledger, NOVEMBER, [f"label.{evil}"]))
    for text in (found.terminal(100), found.markdown()):
        assert all(character.isprintable() or character == "\n" for character in text)
    assert r"x\\x1b\[2J\|\\n\<b\>" in found.markdown()


def test_grounding_has_a_column_only_where_it_cost_something(month: Report) -> None:
    assert "$ search" not in sheet(month).markdown()


@pytest.mark.parametrize(
    ("period", "expected"),
    [
        (parse(month="2026-11"), "2026-11"),
        (parse("2026-11-01", "2026-12-01"), "2026-11"),
        (parse("2026-11-21", "2026-11-22"), "2026-11-21"),
        (parse("2026-11-01", "2026-11-08"), "2026-11-01 to 2026-11-07"),
        (parse(since="2026-11-01"), "since 2026-11-01"),
        (parse(until="2026-11-01"), "all until 2026-11-01 (not included)"),
        (parse(), "all"),
        (
            parse("2026-11-01T10:00Z", "2026-11-01T12:00Z", tz="UTC"),
            "2026-11-01T10:00:00+00:00 until 2026-11-01T12:00:00+00:00 (not included)",
        ),
        (Period(0, None, zone("UTC")), "since 1970-01-01"),
    ],
)
def test_a_period_in_few_words(period: Period, expected: str) -> None:
    assert words(period) == expected
