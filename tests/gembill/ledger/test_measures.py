"""The names of measures are those of the rollups' columns, in their order."""

from gembill.ledger import MEASURES, schema


def test_each_rollup_has_the_measures_behind_its_key_in_order():
    for table in schema.ROLLUPS:
        names = [column.name for column in table.columns]
        assert tuple(names[len(table.primary_key) :]) == MEASURES
