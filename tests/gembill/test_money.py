"""Money in and out: exact, and readable where people read it."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gembill import money
from gembill.errors import ConfigurationError

USD = 10**12


@pytest.mark.parametrize(
    ("text", "pico"),
    [
        ("0", 0),
        ("0.50", USD // 2),
        (" 14 ", 14 * USD),
        (".5", USD // 2),
        ("5.", 5 * USD),
        ("-0.000000000001", -1),
        ("+1.000000000001", USD + 1),
        ("0.5000000000000000000", USD // 2),
    ],
)
def test_an_amount_is_read_to_the_last_digit(text: str, pico: int) -> None:
    assert money.parse_usd(text) == pico


@pytest.mark.parametrize(
    "text", ["", ".", "-", "1e3", "1_000", "0,50", "$5", "NaN", "Infinity", "0x10", "１", "1 2", "--1", "9" * 25]
)
def test_what_is_not_an_amount_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"not an amount in US dollars .* write it like 0\.50"):
        money.parse_usd(text)


@pytest.mark.parametrize(
    "text", ["0.0000000000001", "1.0000000000000000000000000001", "123456789012345678.0000000000005"]
)
def test_an_amount_finer_than_a_pico_dollar_is_refused_not_rounded(text: str) -> None:
    with pytest.raises(ConfigurationError, match="at most 12 decimals"):
        money.parse_usd(text)


@given(st.integers(min_value=-(10**30), max_value=10**30))
def test_what_is_written_and_read_again_is_the_same_amount(pico: int) -> None:
    assert money.parse_usd(money.usd(pico)) == pico
    assert Decimal(money.usd(pico)) * USD == pico or abs(pico) >= 10**28  # Decimal rounds at 28 digits, we do not


def test_json_money_has_twelve_decimals() -> None:
    assert money.usd(1_081_500_000) == "0.001081500000"
    assert money.usd(0) == "0.000000000000"
    assert money.usd(-1) == "-0.000000000001"
    assert money.usd(12 * USD + 5) == "12.000000000005"


def test_dollars_per_million_tokens_are_pico_dollars_per_token() -> None:
    assert money.unit_price("0.30") == 300_000
    assert money.unit_price("0.30") * 1_000_000 == money.parse_usd("0.30")
    assert money.unit_price("0.000001") == 1


@pytest.mark.parametrize("text", ["-0.30", "0.0000001", "cheap"])
def test_a_price_that_is_negative_or_too_fine_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError):
        money.unit_price(text)


@given(st.integers(min_value=0, max_value=10**12))
def test_a_unit_price_survives_being_quoted(pico: int) -> None:
    assert money.unit_price(money.usd_per_million(pico)) == pico


def test_a_price_is_quoted_without_superfluous_zeros() -> None:
    assert money.usd_per_million(75_000) == "0.075"
    assert money.usd_per_million(2_000_000) == "2.00"
    assert money.usd_per_million(0) == "0.00"


@pytest.mark.parametrize(
    ("pico", "shown"),
    [
        (0, "$0.00"),
        (USD, "$1.00"),
        (1_234_567 * USD + USD // 2, "$1,234,567.50"),
        (USD // 100, "$0.01"),
        (14_999_999_999, "$0.01"),  # cents from a cent on
        (15_000_000_000, "$0.02"),  # half up
        (1_081_500_000, "$0.0011"),  # below a cent two significant digits
        (1_040_000_000, "$0.0010"),
        (99, "$0.000000000099"),
        (1, "$0.000000000001"),
        (-1_081_500_000, "-$0.0011"),
        (-15_000_000_000, "-$0.02"),
    ],
)
def test_tables_show_cents_or_enough_digits_to_be_non_zero(pico: int, shown: str) -> None:
    assert money.display(pico) == shown


@given(st.integers(min_value=-(10**20), max_value=10**20))
def test_what_is_shown_is_near_the_amount_and_never_a_false_zero(pico: int) -> None:
    shown = Decimal(money.display(pico).replace("$", "").replace(",", ""))
    exact = Decimal(pico).scaleb(-12)
    step = Decimal(1).scaleb(shown.as_tuple().exponent)  # type: ignore[arg-type]
    assert abs(shown - exact) * 2 <= step
    assert (shown == 0) == (pico == 0)
    assert abs(exact) >= Decimal("0.01") or not pico or abs(shown - exact) <= abs(exact) / 20 or step.adjusted() == -12


@given(st.integers(min_value=-(10**20), max_value=10**20))
def test_an_exact_amount_for_people_loses_no_digit(pico: int) -> None:
    shown = money.display_exact(pico)
    assert money.parse_usd(shown.replace("$", "").replace(",", "")) == pico
    assert len(shown.split(".")[1]) >= 2


def test_searches_are_quoted_per_thousand() -> None:
    assert money.usd_per_thousand(14_000_000_000) == "14.00"
    assert money.usd_per_thousand(14_000_000_001) == "14.000000001"


def test_what_is_not_known_stays_unknown() -> None:
    assert (money.usd(None), money.usd_per_million(None)) == (None, None)
