"""Ranks of sources: which counts more, and that every price in the list says its own."""

import pytest

from gembill.rules.prices import bundled
from gembill.rules.prices.sources import outranks, rank_of


@pytest.mark.parametrize(
    ("source", "rank"),
    [("invoice: of May", "invoice"), ("package: x: y", "package"), ("a contract", None), ("offer: of May", None)],
)
def test_the_first_word_of_a_source_is_its_rank(source: str, rank: str | None) -> None:
    assert rank_of(source) == rank


def test_what_was_billed_counts_more_than_the_catalogue_and_a_page_more_than_a_package() -> None:
    assert outranks("invoice: of May", "catalogue")
    assert outranks("page: of May", "package")
    assert not outranks("package: x", "package")
    assert not outranks("a contract", "package")


def test_every_bundled_price_says_the_rank_of_its_source() -> None:
    assert {row.id for row in bundled().rows if rank_of(row.source) is None} == set()
    assert {one.model for one in bundled().remarks.uplifts if rank_of(one.source) is None} == set()
