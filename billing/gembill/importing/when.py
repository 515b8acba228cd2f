"""When a recorded exchange took place.

Owns: which of the times a file tells is taken (contract.md, Import). Owns no calendar and no clock. Invariant: a time
is told by the file or by the user, never made up; an instant without an offset is UTC.
"""

from collections.abc import Iterable
from email.utils import parsedate_to_datetime

from gembill.capture.attribution import Header
from gembill.errors import ConfigurationError
from gembill.importing.member import RefusedLine, shown
from gembill.period import instant, zone

_UTC = zone("UTC")


def occurred(told: str | None, recorded_at: str | None, headers: Iterable[Header], assumed_us: int | None) -> int:
    """Microseconds of the exchange: as told, else when it was recorded, else by its date header, else as assumed.

    Refused where the time that is told cannot be read, and where there is none at all. A `recorded_at` or a date header
    that cannot be read counts as none: other programs wrote them for other ends.
    """
    if told is not None:
        found = _read(told)
        if found is None:
            raise RefusedLine(f"its time is '{shown(told)}'; write it like 2026-11-21T09:00:00Z")
        return found
    dates = (value.decode("latin-1") for name, value in headers if name == b"date")
    for text in (recorded_at, *dates):
        if text is not None and (found := _read(text)) is not None:
            return found
    if assumed_us is None:
        raise RefusedLine("it does not say when it took place; give --occurred-at, or add occurred_at to it")
    return assumed_us


def _read(text: str) -> int | None:
    """Microseconds of an ISO 8601 instant or of an HTTP date (RFC 9110 5.6.7); None if it is neither."""
    try:
        return instant(text, _UTC)
    except (ConfigurationError, OverflowError):
        pass
    try:
        return instant(parsedate_to_datetime(text).isoformat(), _UTC)
    except (ValueError, TypeError, OverflowError, IndexError, ConfigurationError):
        return None
