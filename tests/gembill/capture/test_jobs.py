"""Films by their operations: one event when the work begins, one when it is done, none that invents a call."""

import json

import msgspec
import pytest

from gembill.capture.attribution import Caller
from gembill.capture.batch_results import exchange_for
from gembill.capture.context import ContextCache
from gembill.capture.fingerprint import Fingerprint
from gembill.capture.jobs import JobExchange, OperationPoll
from gembill.event import Ending, Event
from gembill.rules.metering import meter
from gembill.wire.routes import route

NAME = "models/veo-3.1-generate-preview/operations/o1"
BEGIN = "/v1beta/models/veo-3.1-generate-preview:predictLongRunning"
POLL = f"/v1beta/{NAME}"
DONE = {
    "name": NAME,
    "done": True,
    "response": {"generateVideoResponse": {"generatedSamples": [{"video": {"uri": "u"}}]}},
}
FAILED = {"name": NAME, "done": True, "error": {"code": 13, "message": "x"}}


def passed(
    method: str, path: str, context: ContextCache, answer: object, body: object = None, status: int = 200
) -> list[Event]:
    way = route(method, path)
    assert way is not None
    number = 1 if method == "POST" else 2
    call = exchange_for(
        f"0199a0b0-0000-7000-8000-00000000000{number}",
        number,
        route=way,
        caller=Caller((b"k",), {"team": "film"} if number == 1 else {}, labels_cut=False),
        fingerprint=Fingerprint(b"0" * 16),
        context=context,
    )
    call.sent(json.dumps(body or {}).encode())
    call.answered(status, [])
    call.received(json.dumps(answer).encode())
    return [msgspec.json.decode(text, type=Event) for _, text in call.events(Ending.FINISHED, 3)]


def begun(context: ContextCache, path: str = BEGIN, name: str = NAME) -> Event:
    (event,) = passed("POST", path, context, {"name": name}, {"parameters": {"durationSeconds": 6}})
    return event


def test_the_routes_have_their_observers():
    kinds = [
        type(
            exchange_for(
                "i", 1, route=route(*one), caller=Caller((), {}, labels_cut=False), fingerprint=Fingerprint(b"0")
            )
        )
        for one in (("POST", BEGIN), ("GET", POLL), ("POST", "/v1beta/models/m:embedContent"))
    ]
    assert kinds == [JobExchange, OperationPoll, JobExchange]


@pytest.mark.parametrize(("answer", "status"), [(DONE, "complete"), (FAILED, "error")])
def test_a_poll_of_a_finished_operation_meets_the_record_of_its_call(answer, status):
    context = ContextCache()
    call = begun(context)
    (poll,) = passed("GET", POLL, context, answer)
    assert call.natural == poll.natural == ("operation", "gemini", NAME)
    assert (poll.asked.film, poll.asked.turns) == (call.asked.film, None)
    first, second = meter(call, 1), meter(poll, 2)
    assert (first.source_id, first.id) == (second.source_id, second.id)
    assert (first.status, second.status) == ("partial", status)


def test_a_poll_says_nothing_before_the_end_and_nothing_of_a_call_that_nobody_saw():
    context = ContextCache()
    begun(context)
    assert passed("GET", POLL, context, {"name": NAME}) == []
    assert passed("GET", POLL, context, {"name": NAME, "done": True, "response": {}}) == []
    assert passed("GET", POLL, context, {"error": {"code": 404}}, status=404) == []
    assert passed("GET", POLL, ContextCache(), DONE) == []


def test_on_vertex_the_operation_is_named_in_bodies():
    context = ContextCache()
    model = "/v1beta1/projects/p/locations/us-central1/publishers/google/models/veo-3.1-generate-001"
    name = f"{model[9:]}/operations/o1"
    begun(context, f"{model}:predictLongRunning", name)
    done = {"name": name, "done": True, "response": {"videos": [{"gcsUri": "gs://b/o"}]}}
    (poll,) = passed("POST", f"{model}:fetchPredictOperation", context, done, {"operationName": name})
    assert (poll.natural, poll.seen.made, poll.asked.film.seconds) == (("operation", "vertex", name), 1, 6)
