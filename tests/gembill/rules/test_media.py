"""Pictures and films as readings: what was made, what was asked for until that is known, and the API's defaults."""

import pytest
from msgspec.structs import replace

from gembill.event import Ending, Event, FilmRequest, RequestFacts, ResponseFacts, Stored
from gembill.model import Anomaly, Api, ApiError, Flag, Meter, Modality, Operation, Reading, Status, Tokens
from gembill.rules.metering import meter
from gembill.rules.prices import bundled
from gembill.rules.rating import rate

OPERATION = "models/veo-3.1-generate-preview/operations/o1"


def called(operation: str, film: FilmRequest | None = None, model: str = "veo-3.1-generate-preview", **more) -> Event:
    ending = more.pop("ending", Ending.FINISHED)
    return Event(
        id="0199a0b0-0000-7000-8000-000000000001",
        occurred_us=1_000_000,
        api=Api.GEMINI,
        operation=operation,
        asked=RequestFacts(model=model, film=film),
        ending=ending,
        http_status=more.pop("http", 200),
        seen=ResponseFacts(**more),
    )


@pytest.mark.parametrize("operation", [Operation.GENERATE_IMAGES, Operation.PREDICT])
def test_pictures_are_a_reading_and_there_are_no_tokens(operation):
    record = meter(called(operation, made=3), 7)
    assert (record.status, record.tokens, record.anomalies, record.flags) == (Status.COMPLETE, Tokens(), (), ())
    assert record.readings == (Reading(Meter.IMAGES, Modality.IMAGE, 3),)


def test_an_answer_of_which_everything_was_filtered_out_has_nothing_to_pay():
    record = meter(called(Operation.GENERATE_IMAGES, made=0), 7)
    assert (record.status, record.readings) == (Status.COMPLETE, (Reading(Meter.IMAGES, Modality.IMAGE, 0),))
    rating = rate(replace(record, model="a-model-without-prices"), bundled())
    assert (rating.cost_pico, rating.unpriced_reason) == (0, None)


@pytest.mark.parametrize("operation", [Operation.GENERATE_IMAGES, Operation.GENERATE_VIDEOS])
def test_what_is_not_listed_is_unknown_and_said_aloud(operation):
    record = meter(called(operation), 7)
    assert (record.status, record.readings, record.anomalies) == (Status.UNKNOWN, None, (Anomaly.UNMETERED_SURFACE,))


def test_a_usage_in_tokens_goes_before_pictures():
    usage = '{"input_tokens": 3, "output_tokens": 9, "total_tokens": 12}'
    record = meter(called(Operation.GENERATE_IMAGES, usage=usage, made=1), 7)
    assert (record.tokens.input, record.tokens.output) == (3, 9)
    assert Meter.IMAGES not in {reading.meter for reading in record.readings}


@pytest.mark.parametrize(
    ("film", "model", "meter_", "seconds"),
    [
        (FilmRequest(), "veo-3.1-generate-preview", Meter.VIDEO_SECONDS, 8),
        (FilmRequest(), "veo-2.0-generate-001", Meter.SILENT_VIDEO_SECONDS, 8),
        (FilmRequest(samples=2, seconds=6, resolution="1080p"), "veo-3.0-x", Meter.VIDEO_SECONDS_1080P, 12),
        (FilmRequest(resolution="4k", seconds=4), "veo-3.1-x", Meter.VIDEO_SECONDS_4K, 4),
        (FilmRequest(resolution="4K", sound=False), "veo-3.1-x", Meter.SILENT_VIDEO_SECONDS_4K, 8),
        (FilmRequest(resolution="720p", sound=True), "veo-2.0-x", Meter.VIDEO_SECONDS, 8),
    ],
)
def test_a_film_that_was_begun_is_estimated_by_its_request(film, model, meter_, seconds):
    record = meter(called(Operation.GENERATE_VIDEOS, film, model, response_id=OPERATION), 7)
    assert (record.status, record.flags) == (Status.PARTIAL, (Flag.INCOMPLETE, Flag.ESTIMATED))
    assert record.readings == (Reading(meter_, Modality.VIDEO, seconds),)


def test_a_film_that_is_done_is_counted_by_what_was_made():
    film = FilmRequest(samples=4, seconds=6)
    record = meter(called(Operation.GENERATE_VIDEOS, film, response_id=OPERATION, made=3, finish_reason="done"), 7)
    assert (record.status, record.flags) == (Status.COMPLETE, ())
    assert record.readings == (Reading(Meter.VIDEO_SECONDS, Modality.VIDEO, 18),)


@pytest.mark.parametrize("refused", [{"http": 400}, {"fault": ApiError(code=13)}])
def test_a_film_that_failed_costs_nothing(refused):
    record = meter(called(Operation.GENERATE_VIDEOS, FilmRequest(), response_id=OPERATION, **refused), 7)
    assert (record.status, record.readings) == (Status.ERROR, ())


def test_an_answer_that_was_cut_is_not_counted():
    cut = called(Operation.GENERATE_IMAGES, made=1, ending=Ending.CUT)
    assert meter(cut, 7).status is Status.UNKNOWN
    unread = called(Operation.GENERATE_IMAGES, made=1, unread="malformed")
    assert meter(unread, 7).status is Status.UNKNOWN


@pytest.mark.parametrize(
    ("tokens", "seconds", "token_hours"), [(1000, 3600, 1000), (1000, 1, 1), (7, 5400, 11), (1000, 0, 0), (1000, -5, 0)]
)
def test_tokens_that_are_kept_are_counted_by_the_hour_and_rounded_up(tokens, seconds, token_hours):
    stored = Stored(tokens=tokens, from_us=1_000_000, until_us=(1 + seconds) * 1_000_000)
    record = meter(called(Operation.CACHE_STORAGE, stored=stored, response_id="cachedContents/c"), 7)
    assert (record.status, record.tokens, record.flags) == (Status.COMPLETE, Tokens(), (Flag.ESTIMATED,))
    assert record.readings == (Reading(Meter.STORAGE, Modality.TEXT, token_hours),)
