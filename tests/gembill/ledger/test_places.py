"""Which event is at which place, on both engines."""

from gembill.ledger import Ledger, read_places
from tests.gembill.ledger.making import SPOOL, append, number, posting


def test_places_of_events_and_of_dead_letters_are_taken(ledger: Ledger) -> None:
    append(ledger, SPOOL, [posting(n) for n in (1, 2, 4)])
    ledger.add_dead_letter(SPOOL, 3, "no uuid", b"body", "unreadable")
    assert read_places(ledger, SPOOL, [*range(2, 1200)]) == {2: number(2), 3: "no uuid", 4: number(4)}
    assert read_places(ledger, SPOOL + 1, [1]) == {}
    assert read_places(ledger, SPOOL, []) == {}
