"""Unit prices: each as people quote it."""

import pytest

from gembill.model import Meter
from gembill_reports.views.unit_prices import one_of, quoted


@pytest.mark.parametrize(
    ("meter", "pico", "text"),
    [
        (Meter.INPUT, 37_500, "0.0375"),
        (Meter.GROUNDING, 14 * 10**9, "14.00 /1k"),
        (Meter.MAPS, 25 * 10**9, "25.00 /1k"),
        (Meter.IMAGES, 4 * 10**10, "0.04 /picture"),
        (Meter.VIDEO_SECONDS_4K, 6 * 10**11, "0.60 /second"),
        (Meter.STORAGE, 4_500_000, "4.50 /1M h"),
    ],
)
def test_a_price_is_quoted_by_its_unit(meter: Meter, pico: int, text: str) -> None:
    assert quoted(meter, pico) == text


def test_units_have_a_singular() -> None:
    assert {one_of(meter) for meter in Meter} == {"token", "search", "lookup", "picture", "second", "token-hour"}
