"""What changed, in words and for scripts."""

from gembill.money import usd
from gembill.period import parse
from gembill_reports.analysis.what_changed import Change, Comparison, Spend, WhatChanged
from gembill_reports.views.what_changed import csv_rows, difference, named, notes, sentence, what_changed_dict

CENT = 10**10
BEFORE, NOW = Spend(2, 2, 0, 0, 300 * CENT), Spend(3, 2, 1, 0, 100 * CENT)
NOTHING = Spend()


def changed(before: Spend = BEFORE, now: Spend = NOW, *, unfinished: bool = False) -> WhatChanged:
    models = Comparison("model", (Change("pro", before, NOTHING), Change(None, NOTHING, now)))
    teams = Comparison("label.team", (Change("a", before, now),))
    meters = Comparison("meter", (Change("grounding", before, now), Change("input", NOTHING, NOTHING)))
    total = Change(None, before, now)
    return WhatChanged(parse(month="2026-11"), parse(month="2026-10"), unfinished, total, (models, meters, teams))


def test_the_sentence_says_both_costs_and_the_largest_changes() -> None:
    assert sentence(changed()) == (
        "-$2.00 (-67%): $3.00 in 2026-10, $1.00 in 2026-11. Largest changes: model pro -$3.00, meter search -$2.00."
    )
    assert sentence(changed(NOTHING, NOTHING)) == "$0.00 (0%): $0.00 in 2026-10, $0.00 in 2026-11."
    assert sentence(changed(NOTHING)).startswith("+$1.00: $0.00 in 2026-10")


def test_what_is_not_known_is_said() -> None:
    assert notes(changed(unfinished=True)) == [
        "2026-11 is not over: beside it is as much of the one before as has passed of it.",
        "2026-11: calls without a price, whose cost is in no sum: 1; calls that may lack tokens: 0.",
        "The rows of each table add up to the whole difference, exactly.",
    ]
    assert "unknown in 2026-10" in sentence(changed(Spend(calls=1, unpriced_calls=1)))


def test_a_difference_has_its_sign() -> None:
    changes = [Change("pro", Spend(1, 1, 0, 0, 2 * CENT), Spend(1, 1, 0, 0, now * CENT)) for now in (4, 2, 0)]
    assert [difference(one) for one in changes] == ["+$0.02", "$0.00", "-$0.02"]


def test_a_difference_of_a_cost_that_is_not_known_is_not_zero() -> None:
    unpriced = changed(NOTHING, Spend(calls=1, unpriced_calls=1))
    assert difference(unpriced.total) == "unknown"
    assert what_changed_dict(unpriced)["total"]["difference_usd"] is None
    assert [row["difference_usd"] for row in csv_rows(unpriced).rows if row["by"] == "label.team"] == [None]


def test_json_and_csv_have_every_row_with_its_exact_difference() -> None:
    data = what_changed_dict(changed())
    assert data["total"]["difference_usd"] == usd(-200 * CENT)
    assert [(one["by"], len(one["rows"])) for one in data["comparisons"]] == [
        ("model", 2),
        ("meter", 2),
        ("label.team", 1),
    ]
    csv = csv_rows(changed())
    rows = list(csv.rows)
    assert set(csv.header) == set(rows[0])
    assert [row["difference_usd"] for row in rows if row["by"] == "model"] == [usd(-300 * CENT), usd(100 * CENT)]
    assert rows[0]["before_calls"] == 2
    assert rows[1]["value"] is None


def test_values_are_named_for_people() -> None:
    assert named("meter", "output") == "output with thinking"
    assert named("label.team", None) == "(unknown)"
    assert named("model", "a\nb") == "a\\nb"
