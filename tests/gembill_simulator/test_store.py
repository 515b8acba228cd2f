"""Keeping by name, and pages."""

import pytest

from gembill.errors import Refusal
from gembill_simulator.store import Store, page


def test_things_are_kept_replaced_and_dropped_by_name() -> None:
    store: Store[int] = Store()
    store.put("a", 1)
    store.put("b", 2)
    store.put("a", 3)
    assert (store.get("a"), store.get("c"), list(store)) == (3, None, [3, 2])
    store.drop("a")
    store.drop("a")
    assert list(store) == [2]


def test_the_oldest_go_first_when_it_is_full() -> None:
    store: Store[int] = Store(most=2)
    for number in range(4):
        store.put(str(number), number)
    assert list(store) == [2, 3]
    assert len(store) == 2


def test_pages_cover_a_list_once() -> None:
    things, seen, query = list(range(7)), [], {"pageSize": "3"}
    while True:
        shown, more = page(things, query)
        seen += shown
        if not more:
            break
        query = query | {"pageToken": more["nextPageToken"]}
    assert seen == things


@pytest.mark.parametrize("query", [{"pageSize": "x"}, {"pageToken": "-1"}, {"pageSize": "²"}])
def test_a_page_that_is_not_a_number_is_a_400(query: dict[str, str]) -> None:
    with pytest.raises(Refusal) as caught:
        page([1], query)
    assert caught.value.status == 400
