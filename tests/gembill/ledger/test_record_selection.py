"""The conditions of queries over records, whose results are tested beside those of rollups in `test_selection`."""

from sqlalchemy import select, union_all

from gembill.ledger import Ledger, Selection, schema
from gembill.ledger.record_selection import selected
from tests.gembill.ledger.making import SPOOL, append, posting


def test_conditions_of_two_filters_keep_their_values_apart_in_one_statement(ledger: Ledger) -> None:
    calls = [posting(n, model=model, labels={"team": "a:b?"}) for n, model in enumerate(("m1", "m2", "x"), 1)]
    append(ledger, SPOOL, calls)
    filters = [Selection(models=(name,), labels={"team": "a:b?"}) for name in ("m1", "m*", "x?")]
    dialect = ledger.engine.dialect.name
    parts = [select(schema.record.c.model).where(*selected(one, dialect)) for one in filters]
    with ledger.engine.connect() as connection:
        assert sorted(connection.scalars(union_all(*parts))) == ["m1", "m1", "m2"]
