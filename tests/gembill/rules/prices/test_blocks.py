"""The blocks of a price list: when each holds and where its figures come from."""

from datetime import date
from typing import Any

import pytest

from gembill.rules.prices.blocks import Mistake, begin_us, blocks_of

SOURCES = {"page": "the page", "sku": "the catalogue"}


def block(**values: object) -> dict[str, Any]:
    return {"source": "page", "checked_on": date(2026, 11, 21), **values}


def test_a_block_ends_where_the_next_begins() -> None:
    tables = [block(), block(**{"from": date(2026, 12, 1)})]
    assert [one.until for one in blocks_of("m", tables, SOURCES, "")] == [date(2026, 12, 1), None]


def test_a_figure_has_the_source_named_for_its_key_and_audio_that_of_its_meter() -> None:
    figures: dict[str, Any] = {"input": "1", "cached": "1", "output": "1", "image": "1", "flex": {"cached": "x0.5"}}
    figures["other_sources"] = {"sku": ["flex.cached", "image"], "a note": ["input"]}
    (one,) = blocks_of("m", [block(**figures)], SOURCES, "")
    assert (one.source_of("cached", "flex"), one.source_of("cached_audio", "flex")) == ("the catalogue",) * 2
    assert (one.source_of("image"), one.source_of("input"), one.source_of("cached")) == (
        "the catalogue", "a note", "the page",
    )  # fmt: skip


@pytest.mark.parametrize("key", ["image", "flex.cached", "flex"])
def test_a_source_for_a_figure_that_is_not_there_is_refused(key: str) -> None:
    with pytest.raises(Mistake, match=f"other_sources names '{key}', a figure that the block does not have"):
        blocks_of("m", [block(input="1", other_sources={"sku": [key]})], SOURCES, "")


def test_a_mistake_names_its_path() -> None:
    with pytest.raises(Mistake, match=r"\$.models.m.prices\[0\].inputs is not a key") as mistake:
        blocks_of("m", [block(inputs="1")], SOURCES, "")
    assert mistake.value.path == ("models", "m", "prices", 0, "inputs")


def test_a_day_begins_at_midnight_us_pacific() -> None:
    assert begin_us(date(2026, 12, 1)) == 1_796_112_000 * 10**6
    assert begin_us(None) is None
