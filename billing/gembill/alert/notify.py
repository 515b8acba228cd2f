"""The channels that alerts are sent by: which ones the settings name, and how often one is tried.

Owns: what a channel is, and the channel of the library apprise (extra `notify`; Slack, Teams, mail and the like). Not
here: the plain `webhook`, and apprise's address formats. Invariant: a message is tried a bounded number of times; what
did not arrive is an `Undelivered`. A channel's library is imported only where the channel is set, and an address, which
may hold a password, is never in a message.
"""

import time
from collections.abc import Callable, Sequence
from typing import Protocol

from gembill.alert.message import Message
from gembill.config import Settings
from gembill.errors import ConfigurationError, Undelivered

PAUSES = (0.5, 2.0)  # seconds before the second and the third try


class Channel(Protocol):
    """A way to send a message."""

    name: str  # in the ledger

    def send(self, message: Message) -> None:
        """Send once; Undelivered says why it did not arrive."""


class Notify:
    """Addresses of apprise, such as `slack://...` or `mailto://...`; ConfigurationError if one is not."""

    name = "notify"

    def __init__(self, urls: Sequence[str]) -> None:
        try:
            import apprise
        except ImportError:
            raise ConfigurationError(
                "notify_urls need apprise; install it with: pip install 'gembill[notify]'"
            ) from None
        self._apprise = apprise.Apprise()
        for place, url in enumerate(urls, 1):
            if not self._apprise.add(url):
                raise ConfigurationError(f"address {place} of notify_urls is not one that apprise knows")

    def send(self, message: Message) -> None:
        """Send to all addresses; Undelivered if one of them did not take it."""
        if not self._apprise.notify(title=message.title, body=message.text):
            raise Undelivered("not all of notify_urls took it; apprise does not say which")


def configured(settings: Settings) -> list[Channel]:
    """The channels of the settings; ConfigurationError where a webhook has no secret or apprise is missing."""
    channels: list[Channel] = []
    if settings.webhook_url is not None:
        from gembill.alert.webhook import Webhook

        if settings.webhook_secret is None:
            raise ConfigurationError(
                "webhook_url is set and webhook_secret is not; set GEMBILL_WEBHOOK_SECRET, because alerts are signed"
            )
        channels.append(Webhook(settings.webhook_url, settings.webhook_secret))
    if settings.notify_urls:
        channels.append(Notify(settings.notify_urls))
    return channels


def with_retries(channel: Channel, message: Message, pause: Callable[[float], object] = time.sleep) -> None:
    """Send, and try again after each of `PAUSES`; Undelivered after the last."""
    for seconds in PAUSES:
        try:
            return channel.send(message)
        except Undelivered:
            pause(seconds)
    return channel.send(message)
