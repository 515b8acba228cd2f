"""The page of what changed: two periods, their difference by each group."""

from urllib.parse import parse_qsl

import pytest

from gembill.errors import ConfigurationError
from gembill.ledger import Ledger, read_records
from gembill_reports.dashboard import change_pages
from gembill_reports.dashboard.query import PageQuery, view
from tests.gembill_reports.making import call, put, us

NOW = us("2026-11-21T09:00:00+00:00")


def at(*pairs: tuple[str, str]) -> PageQuery:
    return view(pairs, NOW, None)


def test_each_group_has_a_table_that_adds_up(ledger: Ledger) -> None:
    page = change_pages.changes(ledger, at(("month", "2026-10"), ("against", "2026-11")))
    assert [grid.caption for grid in page.grids] == ["By model", "By meter", "By env", "By team"]
    for grid in page.grids:
        assert grid.total is not None
        assert sum(row[1].order or 0 for row in grid.rows) == grid.total[1].order
    assert page.data["before"]["start"].startswith("2026-11-01")
    assert page.cards[0].figure.startswith("-$")


def test_a_period_is_beside_the_one_before(ledger: Ledger) -> None:
    page = change_pages.changes(ledger, at(("month", "2026-11")))
    assert (page.data["total"]["before"]["calls"], page.data["total"]["now"]["calls"]) == (1, 6)
    assert page.data["unfinished"] is True
    assert [(card.figure, card.note) for card in page.cards if card.name == "Calls"] == [("+5", "6 against 1")]


def test_rows_lead_to_the_calls_of_the_later_period_or_else_of_the_earlier(ledger: Ledger) -> None:
    put(ledger, call("2026-10-16T10:00:00+00:00", (9, 0, 0), "gone"))
    links = {}
    for row in change_pages.changes(ledger, at(("month", "2026-11"))).grids[0].rows:
        assert row[0].link
        links[row[0].text] = row[0].link
    assert links["nobody-knows"] == "/calls?month=2026-11&model=nobody-knows"
    path, _, query = links["gone"].partition("?")
    assert path == "/calls"
    assert [one.record.model for one in read_records(ledger, at(*parse_qsl(query)).selection)] == ["gone"]


def test_a_long_chart_ends_with_what_is_left(ledger: Ledger) -> None:
    put(ledger, *(call("2026-11-09T10:00:00+00:00", (n, 0, 0), labels={"team": f"t{n}"}) for n in range(1, 20)))
    (by_model, by_meter) = change_pages.changes(ledger, at(("month", "2026-11"))).charts
    assert by_model.categories[0] == by_meter.categories[0] == "before"
    assert by_model.categories[-1] == "now"
    assert len({by_model.key, by_meter.key}) == 2


def test_what_cannot_be_compared_is_refused(ledger: Ledger) -> None:
    with pytest.raises(ConfigurationError, match="both have ends"):
        change_pages.changes(ledger, at(("since", "2026-11-01")))
    with pytest.raises(ConfigurationError, match="Compared with is 'soon'"):
        change_pages.changes(ledger, at(("month", "2026-11"), ("against", "soon")))


def test_a_group_of_one_value_has_no_table(ledger: Ledger) -> None:
    put(ledger, *(call(f"2026-0{n}-05T10:00:00+00:00", (9, 0, 0), labels={"team": "a"}, key="k") for n in (3, 4)))
    page = change_pages.changes(ledger, at(("month", "2026-04")))
    assert [grid.caption for grid in page.grids] == ["By model", "By meter"]
    assert [one["by"] for one in page.data["comparisons"]] == ["model", "meter", "key", "label.env", "label.team"]
