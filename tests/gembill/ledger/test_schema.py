import pytest
from sqlalchemy import Table, UniqueConstraint

from gembill.ledger.schema import (
    MEASURES,
    NARROW_KEY,
    WIDE_KEY,
    driver_id,
    metadata,
    rollup_narrow,
    rollup_narrow_day,
    rollup_wide,
    rollup_wide_day,
)

TABLES = list(metadata.tables.values())
REFERENCE = [table for table in TABLES if table.info.get("reference")]  # small, and the same for all sources
BY_SOURCE = [table for table in TABLES if table not in REFERENCE]


def test_only_prices_alerts_closed_months_and_googles_bill_are_kept_without_a_source() -> None:
    names = ["price_list", "price", "closed_month", "alert", "bill_file", "bill_line", "usage_day"]
    assert [table.name for table in REFERENCE] == names
    assert all("source_id" not in table.columns for table in REFERENCE)


@pytest.mark.parametrize("table", BY_SOURCE, ids=lambda table: table.name)
def test_source_id_comes_first_in_every_key(table: Table) -> None:
    assert next(iter(table.primary_key.columns)).name == "source_id"
    for constraint in table.constraints:
        if isinstance(constraint, UniqueConstraint):
            assert constraint.columns[0].name == "source_id"
    assert not any(index.unique for index in table.indexes)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_nothing_refers_to_another_table_or_is_filled_in_by_the_database(table: Table) -> None:
    assert not table.foreign_keys
    for column in table.columns:
        assert column.server_default is None
        assert column.server_onupdate is None
        assert column.default is None
        assert column.identity is None
        assert column.autoincrement is not True
    assert table.autoincrement_column is None


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_the_key_comes_first_and_is_never_null(table: Table) -> None:
    key = list(table.primary_key.columns)
    assert list(table.columns)[: len(key)] == key
    assert not any(column.nullable for column in key)
    assert table.dialect_options["sqlite"]["strict"]


def test_rollups_are_keys_and_measures() -> None:
    assert tuple(rollup_narrow.columns.keys()) == (*NARROW_KEY, *MEASURES)
    assert tuple(rollup_wide.columns.keys()) == (*WIDE_KEY, *MEASURES)
    for by_hour, by_day in ((rollup_narrow, rollup_narrow_day), (rollup_wide, rollup_wide_day)):
        assert [c.name.replace("hour", "day") for c in by_hour.columns] == [c.name for c in by_day.columns]


def test_an_id_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="badly formed"):
        driver_id("sqlite", "x")
