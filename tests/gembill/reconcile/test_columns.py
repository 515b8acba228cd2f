"""Columns are found by words, and beside an SKU's id by their place."""

from gembill.reconcile.columns import has_sku, plain, roles

ENGLISH = ["Date", "Service description", "Service ID", "SKU description", "SKU ID", "Usage amount", "Usage unit"]
ENGLISH += ["List cost ($)", "Unrounded subtotal ($)", "Subtotal ($)"]
ROW = ["2026-11-03", "Gemini API", "AEFD-7695-64FA", "x", "1111-2222-3333", "1", "count", "1", "1", "1"]


def test_a_header_in_english_is_read_by_its_words():
    expected = {"first": 0, "service": 1, "service_id": 2, "sku": 3, "sku_id": 4, "amount": 5, "unit": 6}
    assert roles(ENGLISH, [ROW]) == {**expected, "unrounded": 8, "cost": 9}


def test_a_header_in_a_language_without_words_here_is_read_by_the_order_of_columns():
    foreign = [f"слово {place}" for place in range(10)]
    by_place = roles(foreign, [ROW])
    english = roles(ENGLISH, [ROW])
    assert {role: by_place[role] for role in ("first", "sku", "sku_id", "amount", "unit", "unrounded", "cost")} == {
        role: english[role] for role in ("first", "sku", "sku_id", "amount", "unit", "unrounded", "cost")
    }


def test_words_are_compared_without_accents_hyphens_and_currency():
    assert plain("Coût (€)") == "cout"
    assert plain("Dienst-ID") == "dienst id"


def test_a_header_has_several_columns_and_speaks_of_skus():
    assert has_sku(ENGLISH)
    assert not has_sku(["SKU", "x"])
    assert not has_sku(["a", "b", "c", "d", "e", "f"])
