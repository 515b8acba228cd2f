"""How figures are written: what is read exactly, and what is refused."""

from decimal import Decimal

import pytest

from gembill.rules.prices.figures import FEE, PIECE, RATE, STORAGE, TIMES
from gembill.toml_values import Kind


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (RATE, "0.30", 300_000),
        (RATE, "unknown", None),
        (STORAGE, "4.50", 4_500_000),
        (FEE, "14", 14 * 10**9),
        (PIECE, "0.04", 4 * 10**10),
        (TIMES, "x1.1", Decimal("1.1")),
    ],
)
def test_a_figure_is_exact_for_one(kind: Kind, text: str, value: object) -> None:
    assert kind.checked(text, "it") == value


@pytest.mark.parametrize(
    ("kind", "text"),
    [(RATE, "0.0000001"), (STORAGE, "unknown"), (FEE, "0.0000000001"), (PIECE, "-1"), (TIMES, "1.1"), (TIMES, "x0.5")],
)
def test_a_figure_that_is_not_exact_or_not_meant_is_refused(kind: Kind, text: str) -> None:
    with pytest.raises(ValueError, match="it must be"):
        kind.checked(text, "it")
