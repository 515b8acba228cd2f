"""The list of calls, and one call."""

import pytest

from gembill.errors import ConfigurationError
from gembill.ledger import Ledger, Selection, read_charges, read_records
from gembill.model import Status
from gembill.money import unit_price
from gembill.rules.rounds import Round
from gembill_reports.analysis.receipt import receipt
from gembill_reports.dashboard import call_pages
from gembill_reports.dashboard.query import PageQuery, view
from gembill_reports.layout.sheet import money
from gembill_reports.views.records import record_dict
from tests.gembill_reports.making import FAILED, call, put, us

NOW = us("2026-11-21T09:00:00+00:00")


def at(**rest: str) -> PageQuery:
    return view([("month", "2026-11"), *rest.items()], NOW, None)


def test_the_list_is_the_records(ledger: Ledger) -> None:
    page = call_pages.calls(ledger, at())
    period = at().selection
    assert page.data["records"] == [record_dict(one) for one in read_records(ledger, period)]
    assert page.data["truncated"] is False
    assert len(page.grids[0].rows) == len(list(page.rows)) == 6


def test_pages_follow_each_other(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(call_pages, "SIZE", 2)
    seen, shown = [], at(sort="cost")
    for _ in range(9):
        page = call_pages.calls(ledger, shown)
        seen += [record["id"] for record in page.data["records"]]
        if page.data["next"] is None:
            break
        from urllib.parse import parse_qsl, urlsplit

        shown = view(parse_qsl(urlsplit(page.data["next"]).query), NOW, None)
    assert len(seen) == len(set(seen)) == 6


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("sort", "colour"),
        ("trouble", "x"),
        ("status", "x"),
        ("after", "1.2.3"),
        ("after", "1.2.3.x"),
        ("after", f"{1 << 70}.1.1.01a1fe12-55d3-7385-8a49-8edee3c28196"),
    ],
)
def test_a_word_it_does_not_know_is_refused(ledger: Ledger, name: str, value: str) -> None:
    with pytest.raises(ConfigurationError):
        call_pages.calls(ledger, at(**{name: value}))


def test_headings_sort_and_turn(ledger: Ledger) -> None:
    grid = call_pages.calls(ledger, at(sort="cost")).grids[0]
    heads = {cell.text: cell.link or "" for cell in grid.heads}
    assert "dir=up" in heads["Cost"]
    assert grid.tools is not None
    assert grid.tools.column is not None
    assert (grid.heads[grid.tools.column].text, grid.tools.descending) == ("Cost", True)
    assert "sort=intermediate&dir=down" in heads["Intermediate"]


def test_one_call_shows_its_receipt_and_steps(ledger: Ledger) -> None:
    put(ledger, call("2026-11-09T10:00:00+00:00", (10, 20, 5)))
    stored = next(iter(read_records(ledger, Selection(), limit=1)))
    page = call_pages.one_call(receipt(stored, read_charges(ledger, stored), {}), at())
    assert page.data["record"]["id"] == stored.record.id
    assert page.dated == "2026-11-09 02:00:00", "Pacific time, as its zone says"
    assert page.charts[0].starts == ("0", "10", "30")
    assert [row["quantity"] for row in page.rows] == [10, 20, 5]
    assert page.more["cost"].startswith("$0.00")


def test_intermediate_tokens_come_round_by_round_where_rounds_explain_them(ledger: Ledger) -> None:
    put(ledger, call("2026-11-09T10:00:00+00:00", (10, 20, 5)))
    stored = next(iter(read_records(ledger, Selection(), limit=1)))
    posted = read_charges(ledger, stored)
    rounds = (
        Round(intermediate=8, expected=8, results=0),
        Round(intermediate=12, expected=12, results=0, estimated=True),
    )
    page = call_pages.one_call(receipt(stored, posted, {}, rounds), at())
    assert page.charts[0].categories == ("input", "round 1", "round 2 (estimate)", "output")
    assert page.charts[0].starts == ("0", "10", "18", "30")
    costs = [page.charts[0].tip(at).rows[0].cost for at in range(4)]
    assert costs == [
        money(n * unit_price(price)) for n, price in ((10, "0.50"), (8, "0.50"), (12, "0.50"), (5, "3.00"))
    ]
    partly = call_pages.one_call(receipt(stored, posted, {}, rounds[:1]), at())
    assert partly.charts[0].categories == ("input", "intermediate", "output")


def test_a_call_that_is_not_known_has_no_steps(ledger: Ledger) -> None:
    put(ledger, call("2026-11-09T10:00:00+00:00", None))
    stored = next(iter(read_records(ledger, Selection(), limit=1)))
    assert call_pages.one_call(receipt(stored, [], {}), at()).charts == ()


def test_the_receipt_of_a_call_without_a_charge_does_not_say_that_there_was_no_call(ledger: Ledger) -> None:
    put(ledger, call("2026-11-09T10:00:00+00:00", None, status=Status.ERROR))
    stored = next(iter(read_records(ledger, Selection(), limit=1)))
    page = call_pages.one_call(receipt(stored, [], {}), at())
    assert {grid.caption: grid.empty for grid in page.grids if not grid.rows} == {
        "What it used": "No token and no fee was reported."
    }
    assert page.more["explanation"] == "There are no intermediate tokens, because the call ended in an error."


def test_sentences_name_no_address_to_follow() -> None:
    assert call_pages.plain("see https://a.example/x and http://b") == "see a.example/x and b"


def test_a_search_looks_into_the_names_of_calls_and_says_how_many_fit(ledger: Ledger) -> None:
    for words, fitting in (("NOBODY", "1 call"), ("team b", "1 call"), ("rate", "1 call"), ("100%", "0 calls")):
        page = call_pages.calls(ledger, at(find=words))
        tools = page.grids[0].tools
        assert tools is not None
        assert (tools.summary, tools.sought) == (fitting, words)
        assert len(page.grids[0].rows) == len(list(page.rows)) == int(fitting[0])


def test_a_call_is_found_by_its_id(ledger: Ledger) -> None:
    wanted = next(iter(read_records(ledger, Selection(models=("nobody-knows",))))).record.id
    assert [one["id"] for one in call_pages.calls(ledger, at(find=wanted)).data["records"]] == [wanted]


def test_a_page_says_of_how_many_calls_it_shows_some(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(call_pages, "SIZE", 2)
    tools = call_pages.calls(ledger, at()).grids[0].tools
    assert tools is not None
    assert tools.summary == "2 of 6 calls"
    monkeypatch.setattr(call_pages, "_COUNTED", 3)
    put(ledger, *(call("2026-11-09T10:00:00+00:00", (n, 0, 0), outcomes=[FAILED]) for n in range(5)))
    tools = call_pages.calls(ledger, at(trouble="failed")).grids[0].tools
    assert tools is not None
    assert tools.summary == "2 of more than 3 calls"


@pytest.mark.parametrize(
    ("there", "counted", "said"),
    [
        (1, 3, "1 call"),
        (3, 3, "2 of 3 calls"),
        (4, 3, "2 of more than 3 calls"),
        (1_000_000, 3, "2 of 1,000,000 calls"),
        (4, None, "2 of 4 calls"),
    ],
)
def test_a_list_says_how_many_there_are_as_far_as_they_were_counted(there: int, counted: int | None, said: str) -> None:
    assert call_pages.there_are(there, "call", min(there, 2), None, counted) == said
