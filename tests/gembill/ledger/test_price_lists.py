"""Price lists in the ledger: append-only, once each, on both engines."""

from dataclasses import replace
from threading import Thread

import pytest
from sqlalchemy import func, select

from gembill.ledger import Ledger, price_lists, schema
from gembill.ledger.price_lists import Origin
from gembill.model import Meter
from gembill.money import unit_price
from gembill.rules.prices import bundled
from tests.gembill.pricing import price

PRICE = price("0.45", model="m", effective_from_us=1_796_112_000_000_000, source="contract 7")


def rows(ledger: Ledger) -> int:
    with ledger.engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(schema.price)) or 0


def test_the_bundled_list_is_kept_once(ledger: Ledger) -> None:
    first = price_lists.add(ledger, Origin.BUNDLED, bundled().rows, bundled().digest)
    assert (
        price_lists.add(ledger, Origin.BUNDLED, bundled().rows, bundled().digest)
        == first
        == price_lists.newest(ledger)
        == 1
    )
    assert rows(ledger) == len(bundled().rows)


def test_a_later_bundled_list_adds_only_what_is_new_or_was_corrected(ledger: Ledger) -> None:
    old = [PRICE, replace(PRICE, id="m/output/text/standard/0@2026-12-01", meter=Meter.OUTPUT)]
    price_lists.add(ledger, Origin.BUNDLED, old)
    corrected = replace(PRICE, unit_pico=unit_price("0.46"))
    new = replace(PRICE, id="m/thinking/text/standard/0@2026-12-01", meter=Meter.THINKING)
    assert price_lists.add(ledger, Origin.BUNDLED, [corrected, old[1], new]) == 2
    assert rows(ledger) == 4
    assert price_lists.explained(ledger, [PRICE.id]) == {PRICE.id: corrected}


def test_what_is_set_twice_is_two_lists_whose_rows_say_which(ledger: Ledger) -> None:
    assert [price_lists.add(ledger, Origin.SET, [PRICE]) for _ in range(2)] == [1, 2]
    lists = price_lists.lists(ledger)
    assert [[row.id for row in one.rows] for one in lists] == [[f"set-1/{PRICE.id}"], [f"set-2/{PRICE.id}"]]
    assert replace(lists[1].rows[0], id=PRICE.id) == PRICE


def test_a_row_is_found_by_the_id_that_charges_name(ledger: Ledger) -> None:
    price_lists.add(ledger, Origin.BUNDLED, bundled().rows, bundled().digest)
    price_lists.add(ledger, Origin.SYNC, [PRICE])
    ids = [bundled().rows[0].id, f"sync-2/{PRICE.id}", "set-2/nothing", "policy/provisioned_throughput"]
    rows = price_lists.explained(ledger, ids)
    assert set(rows) == set(ids[:2])
    assert rows[ids[0]] == bundled().rows[0]
    assert rows[ids[1]].source == "contract 7"
    assert price_lists.explained(ledger, []) == {}


def test_lists_added_at_once_all_get_their_own_number(ledger: Ledger) -> None:
    threads = [Thread(target=price_lists.add, args=(ledger, Origin.SET, [PRICE])) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [one.number for one in price_lists.lists(ledger)] == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("origin", [Origin.BUNDLED, Origin.FILE])
def test_rows_of_files_and_bundled_lists_are_not_in_force_from_the_ledger(ledger: Ledger, origin: Origin) -> None:
    price_lists.add(ledger, origin, [PRICE])
    assert price_lists.lists(ledger)[0].rows == ()
    assert price_lists.lists(ledger)[0].digest == price_lists.digest_of([PRICE])
