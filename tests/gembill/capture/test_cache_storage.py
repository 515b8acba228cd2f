"""Cached contents as they pass: one record for what is kept, corrected when it changes or ends early."""

import json

import msgspec
import pytest

from gembill.capture.attribution import Caller
from gembill.capture.batch_results import exchange_for
from gembill.capture.context import ContextCache
from gembill.capture.fingerprint import Fingerprint
from gembill.event import Ending, Event
from gembill.model import Anomaly, Meter, Status
from gembill.rules.metering import meter
from gembill.wire.routes import route

START = 1_794_312_000_000_000  # 2026-11-10 12:00 UTC
HOUR = 3_600_000_000
GEMINI = "/v1beta/cachedContents"
VERTEX = "/v1beta1/projects/p/locations/us-central1/cachedContents"


def made(expires: str = "13:00:00", name: str = "cachedContents/c") -> dict:
    return {
        "name": name,
        "model": "models/gemini-2.5-flash",
        "createTime": "2026-11-10T12:00:00Z",
        "expireTime": f"2026-11-10T{expires}Z",
        "usageMetadata": {"totalTokenCount": 1000},
    }


def passed(
    method: str, path: str, context: ContextCache, answer: object, *, at: int = START, status: int = 200
) -> list[Event]:
    way = route(method, path)
    assert way is not None
    call = exchange_for(
        "0199a0b0-0000-7000-8000-000000000001",
        at,
        route=way,
        caller=Caller((b"k",), {}, labels_cut=False),
        fingerprint=Fingerprint(b"0" * 16),
        context=context,
    )
    call.sent(b"{}")
    call.answered(status, [])
    call.received(json.dumps(answer).encode())
    return [msgspec.json.decode(text, type=Event) for _, text in call.events(Ending.FINISHED, at + 5)]


def token_hours(events: list[Event]) -> int:
    (event,) = events
    record = meter(event, 1)
    assert (record.operation, record.status, record.model) == ("cache_storage", Status.COMPLETE, "gemini-2.5-flash")
    (reading,) = record.readings
    assert reading.meter is Meter.STORAGE
    return reading.quantity


@pytest.mark.parametrize(("path", "front"), [(GEMINI, ""), (VERTEX, "projects/12/locations/us-central1/")])
def test_what_is_made_changed_and_deleted_meets_one_record(path, front):
    context, name = ContextCache(), f"{front}cachedContents/c"
    begun = passed("POST", path, context, made(name=name))
    longer = passed("PATCH", f"{path}/c", context, made("15:00:00", name), at=START + HOUR // 2)
    ended = passed("DELETE", f"{path}/c", context, {}, at=START + 2 * HOUR)
    assert [token_hours(one) for one in (begun, longer, ended)] == [1000, 3000, 2000]
    assert len({one.natural for event in (begun, longer, ended) for one in event}) == 1


def test_what_was_deleted_after_its_end_was_kept_until_its_end():
    context = ContextCache()
    passed("POST", GEMINI, context, made())
    assert token_hours(passed("DELETE", f"{GEMINI}/c", context, {}, at=START + 9 * HOUR)) == 1000


def test_what_nobody_saw_made_is_a_record_when_it_is_changed_and_none_when_it_is_deleted():
    assert token_hours(passed("PATCH", f"{GEMINI}/c", ContextCache(), made())) == 1000
    assert passed("DELETE", f"{GEMINI}/c", ContextCache(), {}) == []


def test_a_refusal_is_not_a_record_and_an_answer_without_times_is_unknown():
    assert passed("POST", GEMINI, ContextCache(), {"error": {"code": 400}}, status=400) == []
    assert passed("DELETE", f"{GEMINI}/c", ContextCache(), {"error": {"code": 403}}, status=403) == []
    (event,) = passed("POST", GEMINI, ContextCache(), {"name": "cachedContents/c"})
    record = meter(event, 1)
    assert (record.status, record.anomalies) == (Status.UNKNOWN, (Anomaly.UNMETERED_SURFACE,))
