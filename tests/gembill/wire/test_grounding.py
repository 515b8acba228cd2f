"""Whose queries are whose: web search and Maps, over the documents of an answer in any order."""

from hypothesis import example, given
from hypothesis import strategies as st

from gembill.wire.grounding import Grounding

_documents = st.lists(
    st.tuples(st.lists(st.sampled_from(("a", "b", "c", "", " "))), st.booleans(), st.booleans(), st.booleans())
)


def gather(documents: list[tuple[list[str], bool, bool, bool]]) -> tuple[int, bool, int]:
    grounding = Grounding()
    for queries, searched, web, maps in documents:
        grounding.add(queries, searched=searched, cites_web=web, maps=maps)
    return grounding.searches, grounding.grounded, grounding.maps_searches


@given(_documents)
def test_neither_order_nor_repetition_changes_what_is_counted(documents):
    assert gather(documents) == gather(documents[::-1]) == gather(documents * 2)


@given(_documents)
@example([([], False, True, False), (["a", "b"], False, False, False), (["a", "b"], False, False, True)])
def test_no_query_is_paid_twice_and_each_use_is_seen(documents):
    searches, grounded, maps = gather(documents)
    different = {query for queries, *_ in documents for query in queries if query.strip()}
    assert searches + max(maps - 1, 0) <= len(different)
    assert bool(maps) == any(uses_maps for *_, uses_maps in documents)
    assert grounded or not searches


def test_what_is_not_a_list_of_texts_is_not_a_search():
    grounding = Grounding()
    assert all(grounding.add(queries) for queries in (None, "a", 5, {}, [None, 5, {}]))
    assert (grounding.searches, grounding.grounded, grounding.maps_searches) == (0, False, 0)


def test_a_page_that_was_fetched_is_not_a_search():
    grounding = Grounding()
    grounding.add([], cites_web=True)
    assert grounding.grounded
    grounding.mark_fetched()
    assert not grounding.grounded
