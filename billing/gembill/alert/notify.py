"""Alerts to Slack, Teams, mail and the like, by the library apprise (extra `notify`).

Owns: nothing but the call. Owns no address format: those are apprise's. Invariant: apprise is imported when the first
channel is made, and an address, which may hold a password, is never in a message.
"""

from collections.abc import Sequence

from gembill.alert.message import Message
from gembill.errors import ConfigurationError, Undelivered


class Notify:
    """Addresses of apprise, such as `slack://...` or `mailto://...`; ConfigurationError if one is none."""

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
                raise ConfigurationError(f"address {place} of notify_urls is none that apprise knows")

    def send(self, message: Message) -> None:
        """Send to all addresses; Undelivered if one of them did not take it."""
        if not self._apprise.notify(title=message.title, body=message.text):
            raise Undelivered("not all of notify_urls took it; apprise says no more than that")
