"""Looking again and again, and telling once."""

import threading
import time
from dataclasses import replace

import pytest

from gembill.alert.message import Message
from gembill.alert.watch import Watch, WatchThread, configured_watch, now_us
from gembill.budget_gauges import BudgetGauge
from gembill.config import Settings
from gembill.errors import Undelivered
from gembill.ledger import Ledger, open_ledger
from gembill.money import unit_price
from gembill.period import zone
from gembill.rules.budgets import Budget, BudgetPeriod
from tests.gembill_reports.making import call, put

IN = unit_price("0.50")
BUDGET = Budget(name="b", limit_pico=100 * IN, span=BudgetPeriod.TOTAL, zone=zone("UTC"), warn_at=(500_000, 800_000))


class Ear:
    """A channel that keeps what it hears, unless it is told to fail."""

    name = "ear"

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.deaf = False

    def send(self, message: Message) -> None:
        if self.deaf:
            raise Undelivered("deaf")
        self.heard.append(message.body["threshold"])


def spend(ledger: Ledger, tokens: int) -> None:
    put(ledger, call("2026-11-01T00:00:00+00:00", (tokens, 0, 0)))


@pytest.fixture
def ear() -> Ear:
    return Ear()


def test_each_threshold_is_sent_once_on_the_way_up(ledger, ear):
    for tokens in (10, 45, 0, 30, 20, 5):
        spend(ledger, tokens)
        Watch([BUDGET], [ear]).look(ledger)  # a new one each time: restarts forget nothing
    assert ear.heard == ["warn 0.500000", "warn 0.800000", "breach"]


def test_eight_watchers_at_once_tell_once(ledger_url, ear):
    with_calls = open_ledger(ledger_url)
    spend(with_calls, 200)
    with_calls.close()

    def look() -> None:
        ledger = open_ledger(ledger_url)
        Watch([BUDGET], [ear]).look(ledger)
        ledger.close()

    threads = [threading.Thread(target=look) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ear.heard == ["breach"]


def test_what_did_not_arrive_is_sent_later(ledger, ear, monkeypatch, caplog):
    spend(ledger, 200)
    watch = Watch([BUDGET], [ear], pause=lambda _: None)
    ear.deaf = True
    watch.look(ledger)
    ear.deaf = False
    watch.look(ledger)
    assert ear.heard == [], "its lease has not run out"
    assert "did not arrive: deaf" in caplog.text
    later = now_us() + 10**9
    monkeypatch.setattr("gembill.alert.watch.now_us", lambda: later)
    watch.look(ledger)
    watch.look(ledger)
    assert ear.heard == ["breach"]


def test_the_thread_goes_on_after_a_look_that_failed(ledger_url, ear, caplog):
    ledger = open_ledger(ledger_url)
    spend(ledger, 200)
    ledger.close()
    doors = iter([OSError("locked")])

    def opened() -> Ledger:
        error = next(doors, None)
        if error is not None:
            raise error
        return open_ledger(ledger_url)

    thread = WatchThread(Watch([BUDGET], [ear]), opened, 0.01)
    thread.start()
    until = time.monotonic() + 60
    while not ear.heard and time.monotonic() < until:
        time.sleep(0.01)
    thread.end()
    thread.join(60)
    assert ear.heard == ["breach"]
    assert "the budgets could not be checked: locked" in caplog.text


def test_budgets_are_watched_where_there_are_any_also_for_the_metrics_alone(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings = Settings(data_dir=tmp_path, webhook_url="http://127.0.0.1:9/", webhook_secret="s")
    assert configured_watch(settings) is None, "there is no budget"
    (tmp_path / "gembill.toml").write_text('[[budget]]\nname = "b"\nlimit_usd = "1"\nperiod = "day"\n')
    assert configured_watch(Settings(data_dir=tmp_path))._channels == []
    assert len(configured_watch(settings)._channels) == 1


def test_a_look_gives_the_budgets_as_metrics_show_them(ledger):
    spend(ledger, 200)
    seen: list[tuple[BudgetGauge, ...]] = []
    tokens = replace(BUDGET, name="in tokens", limit_pico=None, limit_tokens=1_000_000)
    watch = Watch([BUDGET, tokens], [])
    watch.on_look = seen.append
    (money, counted) = watch.look(ledger)
    (gauges,) = seen
    assert gauges[0].limit_usd == BUDGET.limit_pico / 10**12
    assert gauges[0].spent_usd == money.used / 10**12
    assert gauges[0].used_ratio == money.share / 1_000_000
    assert (gauges[1].limit_usd, gauges[1].used_ratio) == (None, counted.share / 1_000_000)
