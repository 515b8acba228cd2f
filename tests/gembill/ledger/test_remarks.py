"""What is to be said of a ledger as a whole, on both engines."""

from gembill.ledger import DEMO_SOURCE, Ledger, Remarks, count_unreplayed, read_remarks
from tests.gembill.ledger.making import SPOOL, append, number, posting


def test_dead_letters_count_until_they_are_records(ledger: Ledger) -> None:
    assert count_unreplayed(ledger) == 0
    for n in (1, 2):
        ledger.add_dead_letter(SPOOL, n, number(n), b"body", "unreadable")
    assert count_unreplayed(ledger) == 2
    append(ledger, SPOOL, [posting(2)])
    assert count_unreplayed(ledger) == 1


def test_only_what_the_demo_made_is_demo_data(ledger: Ledger) -> None:
    append(ledger, SPOOL, [posting(1)])
    assert read_remarks(ledger) == Remarks(demo=False, dead_letters=0)
    ledger.announce(SPOOL + 1, DEMO_SOURCE)
    ledger.add_dead_letter(SPOOL, 2, "no uuid", b"body", "unreadable")
    assert read_remarks(ledger) == Remarks(demo=True, dead_letters=1)
