"""What re-rating changed, as JSON, CSV and table."""

import json

from gembill.period import parse
from gembill.replay import ReplayCounts, ReplayResult
from gembill_reports.views import replay
from tests.gembill_reports.conftest import Snapshots

MONTH = parse(month="2026-11")
FOUND = ReplayResult(
    by_model={
        "same": ReplayCounts(records=9),
        "new": ReplayCounts(records=3, changed=2, priced=1, old_pico=1_500_000, new_pico=3_000_000_000_000),
    },
    skipped={"their raw event cannot be read": 4},
    revived=2,
)


def test_the_table_has_every_digit_and_says_what_was_not_done() -> None:
    text = replay.sheet(FOUND, MONTH, dry_run=True).terminal(120)
    assert "What would change · 2026-11" in text
    assert "$0.0000015" in text
    assert "+$2.9999985" in text
    assert text.index("new ") < text.index("same ")
    assert "4 skipped: their raw event cannot be read." in text
    assert "2 dead letters become records." in text
    assert "Nothing was written" in text


def test_nothing_changed_is_said_in_words() -> None:
    text = replay.sheet(ReplayResult({"same": ReplayCounts(records=9)}), MONTH, dry_run=False).terminal(120)
    assert "What changed" in text
    assert "nothing changes" in text


def test_json_and_csv_are_exact() -> None:
    shape = json.loads(replay.json_text(FOUND, MONTH, dry_run=False))
    assert shape["rows"][0]["difference_usd"] == "2.999998500000"
    assert shape["total"]["records"] == 12
    assert "model" not in shape["total"]
    assert (shape["dry_run"], shape["revived_dead_letters"]) == (False, 2)
    assert shape["skipped"] == [{"reason": "their raw event cannot be read", "count": 4}]
    assert next(iter(list(replay.csv_text(FOUND))[1:])) == "new,3,2,1,0,0.000001500000,3.000000000000,2.999998500000\n"


def test_changes_look_as_they_did(snapshot: Snapshots) -> None:
    found = ReplayResult(
        by_model=FOUND.by_model
        | {
            "gemini-3.1-pro-preview": ReplayCounts(
                records=12_345, changed=12_000, unpriced=9, old_pico=4 * 10**15, new_pico=1
            )
        }
        | {None: ReplayCounts(records=3)},
        skipped=FOUND.skipped | {"this version reads their raw event otherwise: run `gembill repost`": 1_200},
        revived=2,
    )
    snapshot("rerate-dry-run", replay.sheet(found, MONTH, dry_run=True))
    snapshot("rerate", replay.sheet(found, parse("2026-11-01", "2026-11-08"), dry_run=False))
    snapshot("rerate-unchanged", replay.sheet(ReplayResult({"same": ReplayCounts(records=9)}), MONTH, dry_run=False))
    snapshot("rerate-of-nothing", replay.sheet(ReplayResult(), parse(), dry_run=False))
