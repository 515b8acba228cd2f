"""Numbers of calls as Google's Cloud Monitoring counted them: a second witness beside the bill.

Owns: the two files it comes in, the JSON of `timeSeries.list` (pages one after the other) and the CSV of Metrics
Explorer. Not here: what the ledger counted. Invariant: only the metric `api/request_count` of the Gemini API and Vertex
AI is a number of calls; a quota metric counts calls twice and a rate counts none, so both are refused in a sentence.
"""

import csv
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from gembill.errors import ConfigurationError
from gembill.period import HOUR_US, day_of, us, zone

_PACIFIC = zone()
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC).toordinal()
_SERVICES = ("generativelanguage.googleapis.com", "aiplatform.googleapis.com")
_METRIC = "api/request_count"
_METHODS = {
    "GenerateContent": "generate_content",
    "StreamGenerateContent": "generate_content",
    "CreateInteraction": "interactions",
    "EmbedContent": "embed_content",
}
_SPOKEN = re.compile(r"(?:[A-Z][a-z]{2} )?([A-Z][a-z]{2}) (\d{1,2}) (\d{4}) (\d\d:\d\d:\d\d) (?:GMT|UTC)([+-]\d{4})?")
_OK = 200


class Counted(NamedTuple):
    """What is counted together: Pacific day, credential (empty if unknown), operation as in the ledger, and success."""

    day: int
    credential: str
    operation: str
    ok: bool


class _Point(NamedTuple):
    """A number of calls between two instants, with the labels of its series."""

    labels: Mapping[str, str]
    start_us: int
    end_us: int
    value: str


def read_calls(path: Path) -> Counter[Counted]:
    """The calls of a file. ConfigurationError if it cannot be read, or is not what counts calls."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} cannot be read: {error}") from None
    counts: Counter[Counted] = Counter()
    points = _of_json(text, path.name) if text.lstrip().startswith(("{", "[")) else _of_csv(text, path.name)
    for point in points:
        _count(counts, point, path.name)
    return counts


def _count(counts: Counter[Counted], point: _Point, name: str) -> None:
    labels = point.labels
    operation = _METHODS.get(labels.get("method", "").rpartition(".")[2])
    if operation is None or labels.get("service", _SERVICES[0]) not in _SERVICES:
        return
    if not re.fullmatch(r"\d+(?:\.0+)?", point.value):
        raise ConfigurationError(f"{name} has rates ({point.value}), not numbers of calls; align by delta and sum up")
    if point.end_us - point.start_us > HOUR_US:
        raise ConfigurationError(f"{name} has points of more than an hour, which no day can be told from; align by 1h")
    day = day_of(point.end_us - 1, _PACIFIC).toordinal() - _EPOCH
    cell = Counted(day, labels.get("credential_id", ""), operation, _succeeded(labels))
    counts[cell] += int(point.value.partition(".")[0])


def _succeeded(labels: Mapping[str, str]) -> bool:
    code = labels.get("response_code") or labels.get("response_code_class") or str(_OK)
    return code.startswith("2")


def _of_json(text: str, name: str) -> Iterator[_Point]:
    for page in _pages(text, name):
        for series in page.get("timeSeries", ()):
            try:
                yield from _of_series(series, name)
            except (KeyError, TypeError, ValueError, AttributeError):
                raise ConfigurationError(f"{name} has a time series without labels, times or values") from None


def _pages(text: str, name: str) -> Iterator[dict[str, Any]]:
    decoder, at, text = json.JSONDecoder(parse_float=str), 0, text.strip()
    while at < len(text):
        try:
            document, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            raise ConfigurationError(f"{name} is not JSON from its character {at + 1:,} on") from None
        at += len(text[at:]) - len(text[at:].lstrip())
        for page in document if isinstance(document, list) else [document]:
            if not isinstance(page, dict) or not ({"timeSeries", "executionErrors", "unit"} & set(page) or page == {}):
                raise ConfigurationError(f"{name} is not what Monitoring's timeSeries.list answers")
            yield page


def _of_series(series: Mapping[str, Any], name: str) -> Iterator[_Point]:
    metric, resource = series["metric"], series.get("resource", {})
    _require_calls(metric["type"], name)
    labels = {**resource.get("labels", {}), **metric.get("labels", {})}
    for point in series.get("points", ()):
        value = point["value"]
        number = value["int64Value"] if "int64Value" in value else value["doubleValue"]
        start, end = (_instant(point["interval"][end]) for end in ("startTime", "endTime"))
        yield _Point(labels, start, end, str(number))


def _require_calls(metric: str, name: str) -> None:
    if not metric.endswith(_METRIC):
        raise ConfigurationError(
            f"{name} has the metric {metric}, which does not count calls once; ask for "
            f"serviceruntime.googleapis.com/{_METRIC}"
        )


def _of_csv(text: str, name: str) -> Iterator[_Point]:
    """A column for each series: rows of labels, then a row for each time."""
    rows = [row for row in csv.reader(text.splitlines()) if any(cell.strip() for cell in row)]
    split = next((place for place, row in enumerate(rows) if _spoken(row[0]) is not None), None)
    if not rows or split is None or rows[0][0].strip().lower() != "timeseries id":
        raise ConfigurationError(
            f"{name} is neither what Monitoring's timeSeries.list answers nor a CSV of Metrics Explorer, which begins "
            "with TimeSeries ID"
        )
    series = list(_labels(rows[:split]))
    if any("limit_name" in labels for labels in series):
        _require_calls("of a quota", name)
    times = [_spoken(row[0]) for row in rows[split:]]
    for start, end, row in zip(_starts(times), times, rows[split:], strict=True):
        if end is None:
            raise ConfigurationError(f"{name} has '{row[0]}' where a time should be")
        for labels, value in zip(series, row[1:], strict=False):
            if value.strip() not in ("", "undefined", "NaN"):
                yield _Point(labels, start, end, value.strip())


def _labels(rows: Sequence[Sequence[str]]) -> Iterator[dict[str, str]]:
    names = [row[0].strip().rpartition(".")[2] for row in rows]
    width = max(map(len, rows))
    for place in range(1, width):
        values = [row[place].strip() if place < len(row) else "" for row in rows]
        yield {name: value for name, value in zip(names, values, strict=True) if value}


def _starts(times: Sequence[int | None]) -> Iterable[int]:
    """When each row began: as long before as the rows are apart."""
    known = [time for time in times if time is not None]
    step = min((abs(b - a) for a, b in pairwise(known) if a != b), default=60_000_000)
    return [(time or 0) - step for time in times]


def _spoken(text: str) -> int | None:
    """A time as a browser or a standard writes it; None if it is none."""
    match = _SPOKEN.match(text.strip())
    try:
        if match is None:
            return _instant(text.strip()) if text[:4].isdigit() else None
        month, day, year, clock, offset = match.groups()
        at = datetime.strptime(f"{month} {day} {year} {clock} {offset or '+0000'}", "%b %d %Y %H:%M:%S %z")
    except ValueError:
        return None
    return us(at)


def _instant(text: str) -> int:
    at = datetime.fromisoformat(text)
    return us(at if at.tzinfo else at.replace(tzinfo=UTC))
