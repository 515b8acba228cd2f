"""A check of prices as JSON, CSV and sheets."""

from dataclasses import replace

from gembill.model import Meter
from gembill.money import unit_price
from gembill.period import instant, parse, zone
from gembill.rules.prices import bundled
from gembill_reports.analysis.price_check import (
    ComingPrice,
    ComingShutDown,
    PriceCheck,
    PriceGap,
    StalePrice,
    disputed_prices,
)
from gembill_reports.views.price_check import PriceCheckView
from gembill_reports.views.view import Format, text
from tests.gembill_reports.conftest import Snapshots

DAY = instant("2026-12-01", zone())
NOW = instant("2026-11-27", zone())
COMING = ComingPrice(
    model="m",
    at_us=DAY,
    input=(unit_price("2"), unit_price("4")),
    output=(None, unit_price("20")),
    now_pico=10**12,
    then_pico=2 * 10**12,
)
END = next(one for one in bundled().remarks.shut_downs if one.model == "gemini-2.5-pro")
OUTPUT = next(one for one in disputed_prices(bundled(), NOW) if one.ours.meter is Meter.OUTPUT)
FINDINGS = PriceCheck(
    month=parse(month="2026-10"),
    days=90,
    gaps=(PriceGap(model=None, service_tier="standard", calls=3, reason="the model that answered is not known"),),
    stale=(StalePrice(model="m", checked_on="2026-01-02", rows=12),),
    coming=(
        COMING,
        ComingPrice(model="own", at_us=DAY, input=(1, 1), output=(1, 1), now_pico=None, then_pico=None, hidden=True),
    ),
    shut_downs=(ComingShutDown(shut_down=END, days=4, calls=7),),
    disputed=(OUTPUT,),
)


def test_json_has_all_findings() -> None:
    shape = PriceCheckView(FINDINGS).json()
    assert shape["in_order"] is False
    assert shape["gaps"][0]["unpriced_calls"] == 3
    assert shape["stale"] == [{"model": "m", "checked_on": "2026-01-02", "rows": 12}]
    assert shape["coming"][0] == {
        "model": "m",
        "date": "2026-12-01",
        "input_usd_per_million": ["2.00", "4.00"],
        "output_usd_per_million": [None, "20.00"],
        "last_month_now_usd": "1.000000000000",
        "last_month_then_usd": "2.000000000000",
        "hidden_by_own_price": False,
    }
    assert shape["coming"][1]["hidden_by_own_price"] is True
    assert [(one["model"], one["date"], one["days"], one["calls"]) for one in shape["shut_downs"]] == [
        ("gemini-2.5-pro", "2026-12-01", 4, 7)
    ]
    (dispute,) = shape["disputed"]
    assert (dispute["ours_usd"], dispute["theirs_usd"]) == ("0.000005000000", "0.000010000000")
    assert dispute["price_id"] == "gemini-robotics-er-2/output/text/standard/0@2026-07-30"


def test_the_sheets_say_what_to_do() -> None:
    gaps, stale, coming, ends, disputed = (sheet.terminal(140) for sheet in PriceCheckView(FINDINGS).sheets())
    assert "(unknown)" in gaps
    assert "gembill prices set" in gaps
    assert "Prices not checked for 90 days" in stale
    assert "2.00 to 4.00" in coming
    assert "+$1.00" in coming
    assert "a price of your own stays in force" in coming
    assert "2026-12-01  gemini-2.5-pro          4                 7" in ends
    assert disputed.splitlines()[4].split() == [
        "gemini-robotics-er-2",
        "standard",
        "output",
        "(text)",
        "5.00",
        "package",
        "10.00",
        "catalogue",
    ]


def test_nothing_found_is_one_word() -> None:
    empty = PriceCheck(month=FINDINGS.month, days=90, gaps=(), stale=(), coming=())
    assert ["None" in sheet.terminal(80) for sheet in PriceCheckView(empty).sheets()] == [True] * 5


def test_csv_has_a_line_for_each_finding() -> None:
    lines = list(text(PriceCheckView(FINDINGS), Format.CSV))
    assert [line.split(",")[0] for line in lines] == [
        "kind", "gap", "stale", "coming", "coming", "shut_down", "disputed",
    ]  # fmt: skip
    assert lines[3] == "coming,m,,2026-12-01,,1.000000000000,2.000000000000,\n"


def test_findings_look_as_they_did(snapshot: Snapshots) -> None:
    snapshot(
        "prices-check-none",
        *PriceCheckView(PriceCheck(month=FINDINGS.month, days=90, gaps=(), stale=(), coming=())).sheets(),
    )
    tier = "no price is known for the model 'gemini-3.1-pro-preview' on the tier 'batch'"
    findings = replace(
        FINDINGS,
        gaps=(
            PriceGap(model="gemini-3.1-pro-preview", service_tier="batch", calls=1_204, reason=tier),
            PriceGap(model="gemini-2.5-flash", service_tier="standard", calls=12, reason=None),
            *FINDINGS.gaps,
        ),
        stale=(*FINDINGS.stale, StalePrice(model="gemini-3.1-pro-preview", checked_on="2026-08-01", rows=104)),
        coming=(
            replace(COMING, model="gemini-4-argon-preview", now_pico=4_187_210_000_000_000, then_pico=10**12),
            *FINDINGS.coming,
        ),
    )
    snapshot("prices-check", *PriceCheckView(findings).sheets())
