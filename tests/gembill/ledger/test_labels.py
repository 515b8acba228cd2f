"""Labels and sources as a whole, asked of a ledger that is written and of one that is only read."""

import pytest

from gembill.ledger import DEMO_SOURCE, Ledger, greatest_label, holds_demo_data, open_ledger, read_labels
from tests.gembill.ledger.making import SPOOL, append, posting


def test_labels_are_names_with_their_values_in_order(ledger: Ledger) -> None:
    assert read_labels(ledger) == {}
    sets = ({"team": "b", "env": "x"}, {"team": "a"}, {}, {"team": "b"})
    append(ledger, SPOOL, [posting(n, labels=dict(one)) for n, one in enumerate(sets, 1)])
    assert read_labels(ledger) == {"env": ("x",), "team": ("a", "b")}
    assert list(read_labels(ledger)) == ["env", "team"]


def test_the_greatest_value_of_a_label_is_the_last_in_the_order_of_text(ledger: Ledger) -> None:
    assert greatest_label(ledger, "run") is None
    append(ledger, SPOOL, [posting(n, labels={name: f"2026110{n}"}) for n, name in ((1, "run"), (2, "run"), (3, "x"))])
    assert greatest_label(ledger, "run") == "20261102"
    assert greatest_label(ledger, 'r"un') is None


@pytest.mark.parametrize("kind", [DEMO_SOURCE, "spool"])
def test_only_what_the_demo_made_is_demo_data(ledger: Ledger, ledger_url: str, kind: str) -> None:
    ledger.announce(SPOOL, kind)
    append(ledger, SPOOL, [posting(1, labels={"run": "a"})])
    reader = open_ledger(ledger_url, read_only=True)
    assert holds_demo_data(ledger) == holds_demo_data(reader) == (kind == DEMO_SOURCE)
    assert read_labels(ledger) == read_labels(reader) == {"run": ("a",)}
    assert greatest_label(reader, "run") == "a"
    reader.close()
