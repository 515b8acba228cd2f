"""Looking at budgets again and again, and saying what changed.

Owns: one look (statuses, claims, sending) and the thread that repeats it beside a proxy. Not here: rules and SQL.
Invariant: an alert is sent by the one process that claimed it; a look that fails is in the log and is tried again at
the next interval, and nothing that takes or answers calls ever waits for one.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence

from gembill.alert.message import Crossing, crossings
from gembill.alert.notify import Channel, configured, with_retries
from gembill.budget_gauges import BudgetGauge
from gembill.budget_status import evaluate_budgets
from gembill.config import Settings, budget_text
from gembill.errors import Undelivered
from gembill.ledger import Ledger, alerts, open_ledger
from gembill.ledger.alerts import AlertKey
from gembill.rules.budgets import Budget, BudgetStatus
from gembill.rules.budgets.budget import WHOLE
from gembill.rules.budgets.toml import budgets as read_budgets

_log = logging.getLogger("gembill.budget")


def now_us() -> int:
    """The wall clock in microseconds."""
    return time.time_ns() // 1000


class Watch:
    """Budgets and the channels of their alerts, for one thread; `pause` waits between the tries of one alert."""

    def __init__(
        self, budgets: Sequence[Budget], channels: Sequence[Channel], *, pause: Callable[[float], object] = time.sleep
    ) -> None:
        self.pause = pause
        self.on_look: Callable[[tuple[BudgetGauge, ...]], None] | None = None  # called with how the budgets are
        self._budgets = budgets
        self._channels = channels

    def look(self, ledger: Ledger, at_us: int | None = None) -> list[BudgetStatus]:
        """The state of the budgets; what is new was sent, or its failure is in the log and in the ledger."""
        statuses = evaluate_budgets(ledger, self._budgets, at_us or now_us())
        if self.on_look is not None:
            self.on_look(gauges(statuses))
        self.send(ledger, statuses)
        return statuses

    def send(self, ledger: Ledger, statuses: Sequence[BudgetStatus]) -> int:
        """Send what no process has sent yet; how many messages arrived."""
        return sum(self._sent(ledger, crossing, channel) for crossing, channel in self._due(statuses))

    def _due(self, statuses: Sequence[BudgetStatus]) -> Iterator[tuple[Crossing, Channel]]:
        for status in statuses:
            for crossing in crossings(status):
                for channel in self._channels:
                    yield crossing, channel

    def _sent(self, ledger: Ledger, crossing: Crossing, channel: Channel) -> bool:
        key = _key(crossing, crossing.threshold, channel)
        lower = [_key(crossing, threshold, channel) for threshold in crossing.lower]
        if not alerts.claim(ledger, key, lower, now_us()):
            return False
        message = crossing.message()
        try:
            with_retries(channel, message, self.pause)
        except Undelivered as error:
            _log.warning("the alert '%s' did not arrive: %s", message.title, error)
            alerts.failed(ledger, key, str(error))
            return False
        alerts.sent(ledger, key, now_us())
        _log.info("alert sent by %s: %s", channel.name, message.title)
        return True


def configured_watch(settings: Settings) -> Watch | None:
    """The budgets of the file, if there are any, with the channels that are configured; without one they are looked at
    for the metrics alone. ConfigurationError for mistakes."""
    text = budget_text()
    budgets = [] if text is None else read_budgets(text[1], text[0], text[2])
    channels = configured(settings)
    return Watch(budgets, channels) if budgets else None


def gauges(statuses: Sequence[BudgetStatus]) -> tuple[BudgetGauge, ...]:
    """The statuses as metrics show them."""
    return tuple(map(_gauge, statuses))


def _gauge(status: BudgetStatus) -> BudgetGauge:
    ratio = None if status.share is None else status.share / WHOLE
    if status.budget.in_tokens:
        return BudgetGauge(name=status.budget.name, used_ratio=ratio)
    amounts = (status.budget.limit, status.used, status.forecast)
    limit, spent, forecast = (None if pico is None else pico / 10**12 for pico in amounts)
    return BudgetGauge(
        name=status.budget.name, limit_usd=limit, spent_usd=spent, forecast_usd=forecast, used_ratio=ratio
    )


class WatchThread(threading.Thread):
    """Looks every `seconds` until it is ended; a daemon, so that no alert keeps a process alive."""

    def __init__(self, watch: Watch, open_ledger: Callable[[], Ledger], seconds: float) -> None:
        super().__init__(name="gembill-budgets", daemon=True)
        self._ended = threading.Event()
        self._watch = watch
        self._watch.pause = self._ended.wait
        self._open_ledger = open_ledger
        self._seconds = seconds

    @classmethod
    def of(cls, watch: Watch, settings: Settings) -> "WatchThread":
        """A thread that looks at the ledger of the settings, as often as they say."""
        return cls(watch, lambda: open_ledger(settings.ledger_url), max(1, settings.budget_seconds))

    def run(self) -> None:
        """Look, wait, look again."""
        while not self._ended.wait(self._seconds):
            try:
                self._look()
            except Exception as error:  # noqa: BLE001 - logged and tried again: watching must not end silently
                _log.warning("the budgets could not be checked: %s", error)

    def end(self) -> None:
        """Stop before the next look. A look under way is not waited for."""
        self._ended.set()

    def _look(self) -> None:
        ledger = self._open_ledger()
        try:
            self._watch.look(ledger)
        finally:
            ledger.close()


def _key(crossing: Crossing, threshold: str, channel: Channel) -> AlertKey:
    return AlertKey(crossing.status.budget.name, crossing.period, threshold, channel.name)
