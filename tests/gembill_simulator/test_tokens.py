"""Token counts and their sums."""

from hypothesis import given
from hypothesis import strategies as st

from gembill_simulator.tokens import TokenTally, count, count_media

_TALLIES = st.builds(TokenTally, *[st.integers(0, 10**6)] * 5)


def test_digits_are_single_tokens_and_nothing_is_none() -> None:
    assert count("") == 0
    assert count("12345") == 5
    assert count("-12.5\n") == 6


@given(_TALLIES, _TALLIES)
def test_totals_and_details_add_up(one: TokenTally, other: TokenTally) -> None:
    both = one + other
    assert both.total == one.total + other.total
    assert sum(int(entry["tokenCount"]) for entry in both.details()) == both.total
    assert all(entry["tokenCount"] for entry in both.details())


def test_an_image_counts_258_image_tokens() -> None:
    assert count_media("image/png").details() == [{"modality": "IMAGE", "tokenCount": 258}]
    assert count_media("audio/wav").audio > 0 < count_media("video/mp4").video
    assert count_media("application/pdf").document > 0 < count_media("text/csv").text
