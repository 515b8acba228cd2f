"""A comparison as JSON, CSV and table."""

from dataclasses import replace
from fractions import Fraction

import pytest

from gembill.period import instant, parse, zone
from gembill.rules.prices import NoPrice
from gembill_reports.analysis.what_if import (
    CountedOtherwise,
    NotCharged,
    Reason,
    Uncompared,
    UnderPolicy,
    WhatIf,
    WhatIfChange,
    WhatIfRow,
)
from gembill_reports.layout.sheet import Sheet
from gembill_reports.views.view import Format, text
from gembill_reports.views.what_if import WhatIfView, reason_text
from tests.gembill_reports.conftest import Snapshots

COMPARISON = WhatIf(
    period=parse(month="2026-10"),
    change=WhatIfChange(model="m2", service_tier="batch", cached=Fraction(4, 5), at_us=instant("2026-12-15", zone())),
    rows=(
        WhatIfRow(model="m1", calls=3, now_pico=2 * 10**12, then_pico=10**12),
        WhatIfRow(model=None, calls=1, now_pico=10**12, then_pico=2 * 10**12),
    ),
    uncompared=(
        Uncompared(model="m1", reason=NoPrice("no price"), quantity=1120, unit="tokens", cost_pico=134_400_000_000),
        Uncompared(model=None, reason=NotCharged.UNPRICED, quantity=1, unit="calls", cost_pico=None),
    ),
)


def sheet(comparison: WhatIf) -> Sheet:
    (only,) = WhatIfView(comparison).sheets()
    return only


def test_json_has_the_question_the_rows_and_what_was_left_out() -> None:
    shape = WhatIfView(COMPARISON).json()
    assert shape["with"] == {
        "model": "m2",
        "service_tier": "batch",
        "cached_share": "4/5",
        "at": "2026-12-15T00:00:00-08:00",
    }
    assert shape["rows"][0] == {
        "model": "m1",
        "calls": 3,
        "now_usd": "2.000000000000",
        "then_usd": "1.000000000000",
        "difference_usd": "-1.000000000000",
    }
    assert shape["total"] == {
        "calls": 4,
        "now_usd": "3.000000000000",
        "then_usd": "3.000000000000",
        "difference_usd": "0.000000000000",
    }
    assert shape["not_compared"][0]["cost_usd"] == "0.134400000000"
    assert shape["not_compared"][1]["cost_usd"] is None


def test_the_table_says_more_or_less_and_names_what_is_missing() -> None:
    shown = sheet(COMPARISON).terminal(120)
    assert "If it had been m2, on the batch tier, 80% cached, at the prices of 2026-12-15 · 2026-10" in shown
    assert "-$1.00   -50.0%" in shown
    assert "+$1.00  +100.0%" in shown
    assert "m1: 1,120 tokens ($0.13): no price" in shown
    assert "(unknown): 1 call: recorded without a price" in shown
    assert "fees for keeping an explicit cache are not in it" in shown


def test_a_cost_that_is_not_known_is_never_a_number() -> None:
    row = WhatIfRow(model="m", calls=4, now_pico=None, then_pico=None)
    comparison = replace(COMPARISON, rows=(row,))
    assert sheet(comparison).table.rows == (("m", "4", "unknown", "unknown", "unknown", ""),)
    assert sheet(comparison).table.total == ("Total", "4", "unknown", "unknown", "unknown", "")
    assert WhatIfView(comparison).json()["total"]["difference_usd"] is None


def test_csv_has_one_line_for_each_model() -> None:
    lines = list(text(WhatIfView(COMPARISON), Format.CSV))
    assert lines[0] == "model,calls,now_usd,then_usd,difference_usd\n"
    assert lines[1] == "m1,3,2.000000000000,1.000000000000,-1.000000000000\n"
    assert len(lines) == 3


def test_what_is_left_of_a_cost_is_not_called_a_hundred_percent_less() -> None:
    row = WhatIfRow(model="m", calls=1, now_pico=4_000, then_pico=1)
    table = sheet(replace(COMPARISON, rows=(row, replace(row, then_pico=0), replace(row, then_pico=4_000)))).table
    assert [cells[-1] for cells in table.rows] == ["-99.9%", "-100.0%", "0.0%"]


def test_comparisons_look_as_they_did(snapshot: Snapshots) -> None:
    snapshot("contrast", sheet(COMPARISON))
    later = WhatIfChange(at_us=instant("2026-12-15", zone()))
    rows = (
        WhatIfRow(model="gemini-3.1-pro-preview", calls=12_345, now_pico=4_187_210_000_000_000, then_pico=10**12),
        WhatIfRow(model="gemini-3-flash-preview", calls=9, now_pico=1_081_500_000, then_pico=1_081_500_001),
        WhatIfRow(model="gemini-free", calls=1, now_pico=0, then_pico=10**12),
        WhatIfRow(model="gemini-unpriced", calls=4, now_pico=None, then_pico=None),
    )
    snapshot("contrast-date", sheet(replace(COMPARISON, change=later, rows=rows, uncompared=COMPARISON.uncompared[:1])))
    model = WhatIfChange(model="gemini-4-argon")
    snapshot("contrast-model", sheet(replace(COMPARISON, change=model, rows=rows[:1], uncompared=())))
    snapshot("contrast-of-nothing", sheet(replace(COMPARISON, change=model, rows=(), uncompared=())))


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        (NoPrice("no price is known"), "no price is known"),
        (UnderPolicy("free_tier"), "charged under the policy free_tier, not by a price"),
        (CountedOtherwise("a", "b"), "by prompt for one of 'a' and 'b', by search for the other"),
        *((reason, ";") for reason in NotCharged),
    ],
)
def test_every_reason_has_words(reason: Reason, words: str) -> None:
    assert words in reason_text(reason)
