"""What a search finds and how it grounds an answer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gembill_simulator.search import WORDS, citations, code_shown, find, grounding


@given(st.text(max_size=80))
def test_the_same_question_finds_the_same_and_addresses_lead_nowhere(question: str) -> None:
    findings = find(question)
    assert findings == find(question)
    assert findings.queries[0]
    assert all(address.split("/")[2].endswith(".example") for _, address in findings.sources)


@pytest.mark.parametrize("question", ["Search the news", "Who won?... who won the cup", "weather in Bonn"])
def test_words_ask_for_a_search(question: str) -> None:
    assert WORDS.search(question)
    assert not WORDS.search("Compute the sum of the first 5 primes")


def test_the_grounding_names_queries_pages_and_the_text() -> None:
    findings = find("Search the latest news")
    document = grounding(findings, "So it is.")
    assert document["webSearchQueries"] == ["search the latest news"]
    assert [chunk["web"]["title"] for chunk in document["groundingChunks"]] == ["first.example", "second.example"]
    assert document["groundingSupports"][0]["segment"] == {"endIndex": len("So it is."), "text": "So it is."}
    assert [note["url"] for note in citations(findings, "é")] == [address for _, address in findings.sources]
    assert citations(findings, "é")[0]["end_index"] == 2


def test_on_2_5_a_search_is_shown_as_code() -> None:
    assert 'concise_search("search it"' in code_shown(find("Search it"))
