"""The period before: whole or as far as this one has come."""

import pytest

from billing.errors import ConfigurationError
from billing.ledger import Ledger
from billing.money import unit_price, usd
from billing.period import parse
from reports import predecessor
from reports.predecessor import change, previous
from reports.rows import report
from tests.reports.calls import FLASH, PRO, call, put, us

IN = unit_price("0.50")
LATER = us("2027-05-01T00:00:00+00:00")


@pytest.mark.parametrize(
    ("named", "start", "end"),
    [
        ({"month": "2026-11"}, "2026-10-01T00:00:00-07:00", "2026-11-01T00:00:00-07:00"),
        ({"month": "2026-04"}, "2026-03-01T00:00:00-08:00", "2026-04-01T00:00:00-07:00"),
        ({"since": "2026-11-16", "until": "2026-11-23"}, "2026-11-09T00:00:00-08:00", "2026-11-16T00:00:00-08:00"),
        ({"since": "2026-11-05", "until": "2026-11-06"}, "2026-11-04T00:00:00-08:00", "2026-11-05T00:00:00-08:00"),
        (
            {"since": "2026-11-05", "until": "2026-11-08", "tz": "UTC"},
            "2026-11-02T00:00:00+00:00",
            "2026-11-05T00:00:00+00:00",
        ),
    ],
)
def test_it_is_the_calendars_where_the_period_is(named: dict[str, str], start: str, end: str) -> None:
    before, unfinished = previous(parse(**named), LATER)
    assert (before.start, before.end, unfinished) == (start, end, False)


def test_an_unfinished_month_is_compared_with_as_much_of_the_last() -> None:
    before, unfinished = previous(parse(month="2026-11", tz="UTC"), us("2026-11-03T06:30:12+00:00"))
    assert (before.end, unfinished) == ("2026-10-03T06:30:00+00:00", True)
    march, _ = previous(parse(month="2026-03", tz="UTC"), us("2026-03-31T06:00:00+00:00"))
    assert march.end == "2026-03-01T00:00:00+00:00"  # February had no 31st


def test_an_open_period_has_none_before() -> None:
    with pytest.raises(ConfigurationError, match="needs a period"):
        previous(parse(since="2026-11-01"), LATER)


def test_rows_find_their_counterpart(ledger: Ledger) -> None:
    put(ledger, call("2026-10-15T10:00:00+00:00", (3, 0, 0)), call("2026-10-15T10:00:00+00:00", (1, 0, 0), "gone"))
    put(ledger, call("2026-11-15T10:00:00+00:00", (4, 0, 0)), call("2026-11-15T10:00:00+00:00", (1, 0, 0), PRO))
    found = report(ledger, parse(month="2026-11"), ("model",))
    before = predecessor.predecessor(ledger, found, LATER)
    costs = {row.group["model"]: before.cost_of(row) for row in found.rows}
    assert costs == {FLASH: 3 * IN, PRO: 0}
    assert predecessor.csv_columns(before, found.rows[0])["previous_cost_usd"] in (usd(3 * IN), usd(0))
    assert "+167%" in predecessor.sentence(before, found.total)  # 4 + 1 x 4 after 3, and of "gone" nothing is known
    assert [row["model"] for row in predecessor.as_dict(before)["rows"]] == [FLASH, "gone"]
    by_day = predecessor.predecessor(ledger, report(ledger, parse(month="2026-11"), ("day",)), LATER)
    assert not by_day.by_row
    assert predecessor.csv_columns(by_day, found.total) == {}


@pytest.mark.parametrize(
    ("now", "before", "said"),
    [
        (110, 100, "+10%"),
        (97, 100, "-3%"),
        (100, 100, "0%"),
        (5, 0, "new"),
        (0, 0, "0%"),
        (None, 5, ""),
        (1004, 1000, "0%"),
    ],
)
def test_a_change_is_said_in_percent(now: int | None, before: int, said: str) -> None:
    assert change(now, before) == said
