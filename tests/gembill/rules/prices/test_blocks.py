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
    (one,) = blocks_of("m", [block(other_sources={"sku": ["flex.cached", "image"], "a note": ["input"]})], SOURCES, "")
    assert (one.source_of("cached", "flex"), one.source_of("cached_audio", "flex")) == ("the catalogue",) * 2
    assert (one.source_of("image"), one.source_of("input"), one.source_of("cached")) == (
        "the catalogue", "a note", "the page",
    )  # fmt: skip


def test_a_mistake_names_its_path() -> None:
    with pytest.raises(Mistake, match=r"\$.models.m.prices\[0\].inputs is not a key") as mistake:
        blocks_of("m", [block(inputs="1")], SOURCES, "")
    assert mistake.value.path == ("models", "m", "prices", 0, "inputs")


def test_a_day_begins_at_midnight_us_pacific() -> None:
    assert begin_us(date(2026, 12, 1)) == 1_796_112_000 * 10**6
    assert begin_us(None) is None
