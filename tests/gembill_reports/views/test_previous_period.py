"""The period before beside a report: the sentence, the columns of CSV, and a change in percent."""

import pytest

from gembill.ledger import Ledger
from gembill.money import unit_price, usd
from gembill.period import parse
from gembill_reports.analysis.previous_period import predecessor
from gembill_reports.analysis.report import report
from gembill_reports.views.previous_period import change, csv_columns, sentence
from gembill_reports.views.report import previous_dict
from tests.gembill_reports.making import FLASH, PRO, call, put, us

LATER = us("2027-01-01T00:00:00+00:00")
IN = unit_price("0.50")


def test_the_sentence_and_the_columns_have_the_cost_before(ledger: Ledger) -> None:
    put(ledger, call("2026-10-15T10:00:00+00:00", (3, 0, 0)), call("2026-10-15T10:00:00+00:00", (1, 0, 0), "gone"))
    put(ledger, call("2026-11-15T10:00:00+00:00", (4, 0, 0)), call("2026-11-15T10:00:00+00:00", (1, 0, 0), PRO))
    current = report(ledger, parse(month="2026-11"), ("model",))
    before = predecessor(ledger, current, LATER)
    assert csv_columns(before, current.rows[0])["previous_cost_usd"] in (usd(3 * IN), usd(0))
    assert "+167%" in sentence(before, current.total)  # 4 + 1 x 4 after 3, and of "gone" nothing is known
    assert [row["model"] for row in previous_dict(before)["rows"]] == [FLASH, "gone"]


def test_rows_of_days_have_no_columns_because_a_day_comes_only_once(ledger: Ledger) -> None:
    put(ledger, call("2026-11-15T10:00:00+00:00", (4, 0, 0)))
    current = report(ledger, parse(month="2026-11"), ("day",))
    assert csv_columns(predecessor(ledger, current, LATER), current.total) == {}


@pytest.mark.parametrize(
    ("now", "before", "said"),
    [
        (110, 100, "+10%"),
        (97, 100, "-3%"),
        (100, 100, "0%"),
        (5, 0, "new"),
        (0, 0, "0%"),
        (0, 9, "-100%"),
        (1, 9_999, "-99%"),
        (None, 5, ""),
        (1004, 1000, "0%"),
    ],
)
def test_a_change_is_said_in_percent(now: int | None, before: int, said: str) -> None:
    assert change(now, before) == said
