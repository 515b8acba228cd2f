"""Logs without keys.

Owns: what is struck out of every line that leaves through the log, tracebacks included. Owns no credential in a request
(`caller` finds
them). Invariant: a line is redacted after it is formatted, so no argument, exception text or
third-party logger gets around it.
"""

import logging
import re
import sys
import threading
from collections import OrderedDict
from collections.abc import Iterable
from types import TracebackType

from billing.capture.caller import strike

_REMEMBERED = 1_024
_PATTERNS = re.compile(
    r"AIza[0-9A-Za-z_\-]{10,}|AQ\.[0-9A-Za-z_\-]{10,}|ya29\.[0-9A-Za-z_\-.]+"
    r"|(?i:(?<=[?&]key=)|(?<=access_token=)|(?<=bearer )|(?<=x-goog-api-key: )|(?<=authorization: ))[^\s&'\"<>]+"
)


class Redaction(logging.Formatter):
    """A log format that strikes out what looks like a key and every credential seen of late."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")
        self._recent: OrderedDict[bytes, None] = OrderedDict()

    def remember(self, credentials: Iterable[bytes]) -> None:
        """Strike these out from now on, until 1,024 later ones have come."""
        for credential in credentials:
            self._recent[credential] = None
            self._recent.move_to_end(credential)
        while len(self._recent) > _REMEMBERED:
            self._recent.popitem(last=False)

    def format(self, record: logging.LogRecord) -> str:
        """The line as it may be written."""
        return _PATTERNS.sub("[redacted]", strike(super().format(record), tuple(self._recent)))


def install(level: int) -> Redaction:
    """Send all logging of the process, and every uncaught exception, through one redacting handler on stderr."""
    redaction = Redaction()
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(redaction)
    logging.basicConfig(handlers=[handler], level=level, force=True)
    log = logging.getLogger("gembill")

    def uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        log.critical("uncaught exception", exc_info=(kind, error, trace))

    def uncaught_in_thread(args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None:
            uncaught(args.exc_type, args.exc_value, args.exc_traceback)

    def unraisable(args: "sys.UnraisableHookArgs") -> None:
        if args.exc_value is not None:
            uncaught(args.exc_type, args.exc_value, args.exc_traceback)

    sys.excepthook, threading.excepthook, sys.unraisablehook = uncaught, uncaught_in_thread, unraisable
    return redaction
