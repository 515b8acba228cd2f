"""From when to when there are calls."""

from gembill.ledger import Ledger
from gembill.ledger.extent import extent
from tests.gembill.ledger.making import SPOOL, START, posting


def test_it_is_the_first_and_the_last_call(ledger: Ledger) -> None:
    assert extent(ledger) is None
    ledger.append(SPOOL, [posting(5), posting(2), posting(9)])
    assert extent(ledger) == (START + 2, START + 9)
