"""The names of measures are those of the rollups' columns, in their order."""

from gembill.ledger import MEASURES, measures, schema


def test_each_rollup_has_the_measures_behind_its_key_in_order():
    for table in schema.ROLLUPS:
        names = [column.name for column in table.columns]
        assert tuple(names[len(table.primary_key) :]) == MEASURES


def test_halves_of_sums_are_joined_to_what_64_bits_cannot_hold():
    numbers = [2**63 - 1, -3, 5]
    high, low = (sum(eval(f"{number} {half}") for number in numbers) for half in measures.HALVES)
    assert measures.joined_halves([high, low, None, None]) == (sum(numbers), 0)
