"""Which process sends an alert."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import select

from gembill.ledger import alerts, open_ledger
from gembill.ledger.alerts import ATTEMPTS, LEASE_US, AlertKey
from gembill.ledger.schema import alert

KEY = AlertKey("search", "month 2026-11 UTC", "breach of 5 pico", "webhook")
LOWER = replace(KEY, threshold="warn 0.500000 of 5 pico")
T = 1_000_000_000_000


def test_of_eight_that_claim_an_alert_one_gets_it(ledger_url):
    ledgers = [open_ledger(ledger_url) for _ in range(8)]
    try:
        with ThreadPoolExecutor(8) as pool:
            won = list(pool.map(lambda opened: alerts.claim(opened, KEY, [LOWER], T), ledgers))
    finally:
        for opened in ledgers:
            opened.close()
    assert sorted(won) == [False] * 7 + [True]


def test_a_sent_alert_is_never_given_again(ledger):
    assert alerts.claim(ledger, KEY, [], T)
    alerts.sent(ledger, KEY, T)
    assert not alerts.claim(ledger, KEY, [], T + 100 * LEASE_US)


def test_a_lower_threshold_is_not_sent_after_a_higher_one(ledger):
    assert alerts.claim(ledger, KEY, [LOWER], T)
    assert not alerts.claim(ledger, LOWER, [], T + 100 * LEASE_US)


@pytest.mark.parametrize(
    "other",
    [{"period": "month 2026-12 UTC"}, {"channel": "notify"}, {"budget": "b"}, {"threshold": "breach of 9 pico"}],
)
def test_another_period_channel_budget_or_threshold_is_another_alert(other, ledger):
    assert alerts.claim(ledger, KEY, [], T)
    assert alerts.claim(ledger, replace(KEY, **other), [], T)


def test_an_alert_that_did_not_arrive_is_given_again_after_its_lease_and_not_for_ever(ledger):
    assert alerts.claim(ledger, KEY, [], T)
    alerts.failed(ledger, KEY, "no\0 answer")
    assert not alerts.claim(ledger, KEY, [], T + LEASE_US - 1)
    given = [alerts.claim(ledger, KEY, [], T + n * LEASE_US) for n in range(1, ATTEMPTS + 3)]
    assert given == [True] * (ATTEMPTS - 1) + [False] * 3
    with ledger.engine.connect() as connection:
        assert connection.scalar(select(alert.c.error)) == "no\ufffd answer"
