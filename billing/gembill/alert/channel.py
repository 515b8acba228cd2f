"""A way to send alerts.

Owns: what a channel is, which ones the settings name, and how often one is tried. Owns no protocol. Invariant: a
message is tried a bounded number of times; what did not arrive is an `Undelivered`. A channel is imported only where it
is set: a proxy without one has no use for an HTTP client more.
"""

import time
from collections.abc import Callable
from typing import Protocol

from gembill.alert.message import Message
from gembill.config import Settings
from gembill.errors import ConfigurationError, Undelivered

PAUSES = (0.5, 2.0)  # seconds before the second and the third try


class Channel(Protocol):
    """Something that can be told."""

    name: str  # what the ledger remembers it by

    def send(self, message: Message) -> None:
        """Send once; Undelivered says why it did not arrive."""


def configured(settings: Settings) -> list[Channel]:
    """The channels of the settings; ConfigurationError where a webhook has no secret or apprise is missing."""
    found: list[Channel] = []
    if settings.webhook_url is not None:
        from gembill.alert.webhook import Webhook

        if settings.webhook_secret is None:
            raise ConfigurationError(
                "webhook_url is set and webhook_secret is not; set GEMBILL_WEBHOOK_SECRET, for alerts are signed"
            )
        found.append(Webhook(settings.webhook_url, settings.webhook_secret))
    if settings.notify_urls:
        from gembill.alert.notify import Notify

        found.append(Notify(settings.notify_urls))
    return found


def with_retries(channel: Channel, message: Message, pause: Callable[[float], object] = time.sleep) -> None:
    """Send, and try again after each of `PAUSES`; Undelivered after the last."""
    for seconds in PAUSES:
        try:
            return channel.send(message)
        except Undelivered:
            pause(seconds)
    return channel.send(message)
