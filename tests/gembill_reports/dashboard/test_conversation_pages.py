"""The page of conversations: sorted, searched, counted, whole as CSV."""

import pytest

from gembill.errors import ConfigurationError
from gembill.ledger import Ledger
from gembill_reports.dashboard import call_pages, conversation_pages
from gembill_reports.dashboard.page import Page
from gembill_reports.dashboard.query import PageQuery, view
from tests.gembill_reports.making import PRO, call, put, us

NOW = us("2026-11-21T09:00:00+00:00")


def at(**rest: str) -> PageQuery:
    return view([("month", "2026-11"), *rest.items()], NOW, None)


def fill(ledger: Ledger) -> None:
    put(
        ledger,
        *(
            call(f"2026-11-09T1{n}:00:00+00:00", (10 * n, 0, 0), PRO if n else "other", conversation=f"c_{n}", turns=2)
            for n in range(5)
        ),
    )


def ids(page: Page) -> list[str]:
    return [row["conversation_id"] for row in page.data["conversations"]]


def summary(page: Page) -> str:
    tools = page.grids[0].tools
    assert tools is not None
    return tools.summary


def test_conversations_lead_to_their_calls(ledger: Ledger) -> None:
    page = conversation_pages.conversations(ledger, at())
    assert [row["conversation_id"] for row in page.rows] == ["chain"]
    link = page.grids[0].rows[0][0].link
    assert link == "/calls?month=2026-11&conversation=chain&dir=up"
    assert len(call_pages.calls(ledger, at(conversation="chain")).data["records"]) == 1


def test_where_there_is_none_it_says_what_makes_one(ledger: Ledger) -> None:
    page = conversation_pages.conversations(ledger, view([("month", "2026-09")], NOW, None))
    assert page.grids[0].empty.startswith("No conversation in this period.")
    assert "x-gembill-label-conversation" in page.grids[0].empty


def test_they_are_sorted_by_their_sums(ledger: Ledger) -> None:
    fill(ledger)
    assert ids(conversation_pages.conversations(ledger, at())) == ["c_4", "c_3", "c_2", "c_1", "c_0", "chain"]
    assert ids(conversation_pages.conversations(ledger, at(sort="cost", dir="up")))[:2] == ["c_0", "chain"]
    page = conversation_pages.conversations(ledger, at(sort="input"))
    assert ids(page)[:2] == ["c_4", "c_3"]
    heads = {head.text: head.link or "" for head in page.grids[0].heads}
    assert "sort=input&dir=up" in heads["Input"]
    assert "sort=cost&dir=down" in heads["Cost"]
    assert [row["conversation_id"] for row in page.rows] == ids(page)


def test_a_search_looks_at_ids_and_models(ledger: Ledger) -> None:
    fill(ledger)
    page = conversation_pages.conversations(ledger, at(find="OTHER"))
    assert (ids(page), summary(page)) == (["c_0"], "1 conversation")
    assert [row["conversation_id"] for row in page.rows] == ["c_0"]
    assert ids(conversation_pages.conversations(ledger, at(find="c_3"))) == ["c_3"]
    nothing = conversation_pages.conversations(ledger, at(find="delta"))
    assert (nothing.grids[0].empty, summary(nothing)) == ("Nothing fits 'delta'.", "0 conversations")


def test_pages_follow_each_other_and_say_of_how_many(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversation_pages, "SIZE", 4)
    fill(ledger)
    first, last = (conversation_pages.conversations(ledger, at(page=n)) for n in "12")
    assert (ids(first), ids(last)) == (["c_4", "c_3", "c_2", "c_1"], ["c_0", "chain"])
    assert (summary(first), summary(last)) == ("4 of 6 conversations", "2 of 6 conversations")
    assert (first.more["onward"], first.more["previous"]) == ("/conversations?month=2026-11&page=2", None)
    assert (last.more["onward"], last.more["previous"]) == (None, "/conversations?month=2026-11&page=1")


@pytest.mark.parametrize(("name", "value"), [("page", "0"), ("page", "x"), ("sort", "colour")])
def test_a_word_it_does_not_know_is_refused(ledger: Ledger, name: str, value: str) -> None:
    with pytest.raises(ConfigurationError):
        conversation_pages.conversations(ledger, at(**{name: value}))
