"""The labels a ledger knows."""

from gembill.ledger import Ledger
from gembill.ledger.labels import labels
from tests.gembill.ledger.making import SPOOL, posting


def test_names_with_their_values_in_order(ledger: Ledger) -> None:
    assert labels(ledger) == {}
    sets = ({"team": "b", "env": "x"}, {"team": "a"}, {}, {"team": "b"})
    ledger.append(SPOOL, [posting(n, labels=dict(one)) for n, one in enumerate(sets, 1)])
    assert labels(ledger) == {"env": ("x",), "team": ("a", "b")}
    assert list(labels(ledger)) == ["env", "team"]
