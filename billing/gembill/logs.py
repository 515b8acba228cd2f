"""Where the log goes and in which form, and a line for every request.

Owns: the text and JSON forms of a line, log files, and the access log. Not here: what is struck out of a line
(`capture.redaction`). Invariants: a line in JSON is one line, redacted before it is encoded, so that an escape cannot
hide a key; the access log has no query, no field of a head and no address of a caller; files are for their owner
alone, and one that was moved or removed is made again at the next line, so that rotation needs no signal.
"""

import json
import logging
import os
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from io import TextIOWrapper
from logging.handlers import WatchedFileHandler
from pathlib import Path
from typing import Any

from gembill.capture.http_request import Request
from gembill.capture.http_server import Handler
from gembill.capture.redaction import Redaction, StderrHandler, install
from gembill.config import Settings
from gembill.errors import ConfigurationError

_ACCESS = logging.getLogger("gembill.access")
STDERR = Path("-")


def set_up(settings: Settings, level: int) -> Redaction:
    """Send the log of this process where the settings say. ConfigurationError where a file cannot be opened."""
    redaction = JsonRedaction() if settings.log_format == "json" else Redaction()
    install(level, redaction, _handler(settings.log_file))
    return redaction


def access_log(settings: Settings, redaction: Redaction) -> "AccessLog | None":
    """The access log of the settings, if they ask for one. ConfigurationError where its file cannot be opened."""
    if settings.access_log is None:
        return None
    return AccessLog(_handler(settings.access_log), redaction, as_json=settings.log_format == "json")


class JsonRedaction(Redaction):
    """A line as a JSON object: `time`, `level`, `logger`, `message`, and `exception` where there was one."""

    def format(self, record: logging.LogRecord) -> str:
        """The line as it may be written."""
        members = {
            "time": _instant(record.created),
            "level": record.levelname.lower(),
            "logger": self.struck(record.name),
            "message": self.struck(record.getMessage()),
        }
        trace = self.formatException(record.exc_info) if record.exc_info else None
        if record.stack_info:
            trace = f"{trace or ''}\n{self.formatStack(record.stack_info)}".strip()
        if trace:
            members["exception"] = self.struck(trace)
        return json.dumps(members)


class AccessLog:
    """Writes a line when a request was answered: time, method, path, status, bytes of the body, seconds."""

    def __init__(self, handler: logging.Handler, redaction: Redaction, *, as_json: bool) -> None:
        self._handler = handler
        self._redaction = redaction
        self._as_json = as_json

    def around(self, handler: Handler) -> Handler:
        """A handler that answers as this one does, and is written down."""
        return _Logged(handler, self.write)

    def write(self, request: Request, at: float, seconds: float) -> None:
        """Write the line of a request that came at `at` (seconds since 1970) and took `seconds`."""
        path = request.target.partition(b"?")[0].decode("ascii", "backslashreplace")
        members = {
            "time": _instant(at),
            "method": request.method,
            "path": self._redaction.struck(path),
            "status": request.status,
            "bytes": request.sent,
            "seconds": round(seconds, 6),
            "whole": request.ended,
        }
        text = json.dumps(members) if self._as_json else _words(members)
        self._handler.handle(_ACCESS.makeRecord(_ACCESS.name, logging.INFO, "", 0, text, (), None))


class _Logged:
    """Answers as `handler` does, and then gives the request, when it came and how long it took."""

    def __init__(self, handler: Handler, write: Callable[[Request, float, float], None]) -> None:
        self._handler = handler
        self._write = write

    async def __call__(self, request: Request) -> None:
        began, at = time.monotonic(), time.time()
        try:
            await self._handler(request)
        finally:
            self._write(request, at, time.monotonic() - began)

    async def close(self) -> None:
        await self._handler.close()


def _words(members: dict[str, Any]) -> str:
    end = "" if members["whole"] else " cut"
    return "{time} {method} {path} {status} {bytes} {seconds:.6f}".format(**members) + end


class OwnFile(WatchedFileHandler):
    """A log file for its owner alone; a line that cannot be written is said on stderr without its arguments."""

    handleError = StderrHandler.handleError  # noqa: N815 - the name is the library's

    def _open(self) -> TextIOWrapper:
        descriptor = os.open(self.baseFilename, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        return os.fdopen(descriptor, "a", encoding="utf-8")


def _handler(file: Path | None) -> logging.Handler:
    if file is None or file == STDERR:
        return StderrHandler(sys.stderr)
    try:
        return OwnFile(file)
    except OSError as error:
        raise ConfigurationError(f"the log {file} cannot be opened: {error.strerror}") from None


def _instant(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
