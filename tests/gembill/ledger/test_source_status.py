"""Sources: what came of their numbered events, and what did not."""

from gembill.ledger import Ledger, read_source_statuses
from tests.gembill.ledger.making import NATURAL, SPOOL, append, posting


def test_missing_are_the_numbers_below_the_highest_that_never_came(ledger: Ledger) -> None:
    append(ledger, SPOOL, [posting(1), posting(2), posting(5)])
    ledger.add_dead_letter(SPOOL, 4, "buried", b"{}", "it has no id")
    ledger.add_dead_letter(SPOOL, 2, "posted since", b"{}", "it had no id")
    (one,) = read_source_statuses(ledger)
    assert (one.source_id, one.kind, one.events, one.missing) == (SPOOL, "spool", 4, 1)


def test_a_source_of_dead_letters_alone_has_gaps_too(ledger: Ledger) -> None:
    ledger.add_dead_letter(9, 3, "buried", b"{}", "it has no id")
    (one,) = read_source_statuses(ledger)
    assert (one.source_id, one.events, one.missing) == (9, 1, 2)


def test_sources_of_natural_keys_and_empty_ledgers_have_none(ledger: Ledger) -> None:
    assert read_source_statuses(ledger) == []
    append(ledger, SPOOL, [posting(1, source_id=NATURAL)])
    assert [one.source_id for one in read_source_statuses(ledger)] == [SPOOL]
