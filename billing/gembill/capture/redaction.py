"""Logs without keys.

Owns: what is struck out of every line that leaves through the log, tracebacks included. Not here: which parts of a
request are credentials (`attribution`). Invariant: a line is redacted after it is formatted, so no argument,
exception text or third-party logger gets around it.
"""

import logging
import re
import sys
import threading
from collections import OrderedDict
from collections.abc import Iterable
from types import TracebackType
from typing import TextIO

from gembill.capture.attribution import KEY_SHAPES, strike

_REMEMBERED = 1_024
_INTRODUCED = (  # by a name, as a URL, a header line, a dict or a pair of bytes shows it
    r"(?i:((?:(?<![\w-])key|access_token|oauth_token)(?:=|%3d)"
    r"|(?:x-goog-api-key|x-gembill-token|authorization)['\"]?\s*[:=,]\s*(?:b?['\"])?(?:(?:bearer|basic|token)\s+)?"
    r"|\bbearer\s+))[^\s&'\"<>]+"
)
_PATTERNS = re.compile(rf"{_INTRODUCED}|{KEY_SHAPES}|gmb_[0-9A-Za-z_\-]{{20,}}")


class Redaction(logging.Formatter):
    """A log format that strikes out what looks like a key and every credential seen of late."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")
        self._recent: OrderedDict[bytes, None] = OrderedDict()
        self._newest: Iterable[bytes] | None = None

    def remember(self, credentials: Iterable[bytes]) -> None:
        """Strike these out from now on, until 1,024 later ones have come."""
        if credentials is self._newest:  # most calls are of the caller before
            return
        self._newest = credentials
        for credential in credentials:
            self._recent[credential] = None
            self._recent.move_to_end(credential)
        while len(self._recent) > _REMEMBERED:
            self._recent.popitem(last=False)

    def format(self, record: logging.LogRecord) -> str:
        """The line as it may be written."""
        return self.struck(super().format(record))

    def struck(self, text: str) -> str:
        """A text without what looks like a key, and without the credentials seen of late."""
        text = strike(text, tuple(self._recent))
        return _PATTERNS.sub(lambda match: f"{match[1] or ''}[redacted]", text)


class StderrHandler(logging.StreamHandler[TextIO]):
    """Writes to stderr, and does not show the arguments of a line that it cannot write."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the name is the library's
        """Say where the line came from."""
        kind = sys.exc_info()[0]
        if sys.stderr is not None:
            sys.stderr.write(f"a log line of {record.pathname}:{record.lineno} could not be written: {kind}\n")


def install(level: int, redaction: Redaction | None = None, handler: logging.Handler | None = None) -> Redaction:
    """Send all logging of the process, and every uncaught exception, through one redacting handler, that of stderr
    where no other is given."""
    redaction = redaction or Redaction()
    handler = handler or StderrHandler(sys.stderr)
    handler.setFormatter(redaction)
    logging.basicConfig(handlers=[handler], level=level, force=True)
    log = logging.getLogger("gembill")

    def uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        log.critical("uncaught exception", exc_info=(kind, error, trace))

    def uncaught_in_thread(args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None and not isinstance(args.exc_value, SystemExit):
            uncaught(args.exc_type, args.exc_value, args.exc_traceback)

    def unraisable(args: "sys.UnraisableHookArgs") -> None:
        if args.exc_value is not None:
            uncaught(args.exc_type, args.exc_value, args.exc_traceback)

    sys.excepthook, threading.excepthook, sys.unraisablehook = uncaught, uncaught_in_thread, unraisable
    return redaction
