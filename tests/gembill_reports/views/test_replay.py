"""What re-rating changed, as JSON, CSV and table."""

from gembill.period import Period, parse
from gembill.replay import ReplayCounts, ReplayResult
from gembill_reports.layout.sheet import Sheet
from gembill_reports.views.replay import ReplayView
from gembill_reports.views.view import Format, text
from tests.gembill_reports.conftest import Snapshots

MONTH = parse(month="2026-11")
RESULT = ReplayResult(
    by_model={
        "same": ReplayCounts(records=9),
        "new": ReplayCounts(records=3, changed=2, priced=1, old_pico=1_500_000, new_pico=3_000_000_000_000),
    },
    skipped={"their raw event cannot be read": 4},
    revived=2,
)


def view(result: ReplayResult, period: Period = MONTH, *, dry_run: bool = False) -> ReplayView:
    return ReplayView(result=result, period=period, dry_run=dry_run)


def sheet(result: ReplayResult, period: Period = MONTH, *, dry_run: bool = False) -> Sheet:
    (only,) = view(result, period, dry_run=dry_run).sheets()
    return only


def test_the_table_has_every_digit_and_says_what_was_not_done() -> None:
    shown = sheet(RESULT, dry_run=True).terminal(120)
    assert "What would change · 2026-11" in shown
    assert "$0.0000015" in shown
    assert "+$2.9999985" in shown
    assert shown.index("new ") < shown.index("same ")
    assert "4 skipped: their raw event cannot be read." in shown
    assert "2 dead letters become records." in shown
    assert "Nothing was written" in shown


def test_nothing_changed_is_said_in_words() -> None:
    shown = sheet(ReplayResult({"same": ReplayCounts(records=9)})).terminal(120)
    assert "What changed" in shown
    assert "nothing changes" in shown


def test_json_and_csv_are_exact() -> None:
    shape = view(RESULT).json()
    assert shape["rows"][0]["difference_usd"] == "2.999998500000"
    assert shape["total"]["records"] == 12
    assert "model" not in shape["total"]
    assert (shape["dry_run"], shape["revived_dead_letters"]) == (False, 2)
    assert shape["skipped"] == [{"reason": "their raw event cannot be read", "count": 4}]
    assert list(text(view(RESULT), Format.CSV))[1] == "new,3,2,1,0,0.000001500000,3.000000000000,2.999998500000\n"


def test_changes_look_as_they_did(snapshot: Snapshots) -> None:
    result = ReplayResult(
        by_model=RESULT.by_model
        | {
            "gemini-3.1-pro-preview": ReplayCounts(
                records=12_345, changed=12_000, unpriced=9, old_pico=4 * 10**15, new_pico=1
            )
        }
        | {None: ReplayCounts(records=3)},
        skipped=RESULT.skipped | {"this version reads their raw event otherwise: run `gembill repost`": 1_200},
        revived=2,
    )
    snapshot("rerate-dry-run", sheet(result, dry_run=True))
    snapshot("rerate", sheet(result, parse("2026-11-01", "2026-11-08")))
    snapshot("rerate-unchanged", sheet(ReplayResult({"same": ReplayCounts(records=9)})))
    snapshot("rerate-of-nothing", sheet(ReplayResult(), parse()))
