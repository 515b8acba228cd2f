"""The server over HTTP: forms of a body, compression, keys, faults, and the log of what was served."""

import gzip
import http.client
import json
from collections.abc import Iterator
from typing import Any

import pytest

from gembill_simulator import InjectedFault, Options, Running, Simulator, in_thread

UNARY = "/v1beta/models/gemini-2.5-flash:generateContent"
STREAM = "/v1beta/models/gemini-3.8-flash:streamGenerateContent"
VERTEX = "/v1/projects/p/locations/l/publishers/google/models/gemini-3.8-flash:streamGenerateContent?alt=sse"
CODE = {
    "contents": [{"role": "user", "parts": [{"text": "Compute the sum of the first 9 primes"}]}],
    "tools": [{"codeExecution": {}}],
}


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    with in_thread(Simulator()) as simulator:
        yield simulator


def call(
    url: str, path: str, body: Any = CODE, method: str = "POST", **headers: str
) -> tuple[http.client.HTTPResponse, bytes]:
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=60)
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path, body if isinstance(body, bytes) else json.dumps(body), sent)
    answer = connection.getresponse()
    try:
        return answer, answer.read()
    finally:
        connection.close()


def events(body: bytes) -> list[dict[str, Any]]:
    assert body.endswith(b"\r\n\r\n")
    return [json.loads(event.removeprefix(b"data: ")) for event in body.split(b"\r\n\r\n")[:-1]]


def test_a_unary_answer_is_chunked_json_that_names_the_tier(running: Running) -> None:
    answer, body = call(running.url, UNARY, CODE | {"serviceTier": "flex"})
    assert answer.headers["Transfer-Encoding"] == "chunked"
    assert answer.headers["X-Gemini-Service-Tier"] == json.loads(body)["usageMetadata"]["serviceTier"] == "flex"


def test_the_tier_served_can_be_another_than_the_one_asked_for(running: Running) -> None:
    answer, _ = call(running.url, UNARY, CODE | {"serviceTier": "priority"}, x_simulator_tier="standard")
    assert answer.headers["X-Gemini-Service-Tier"] == "standard"


def test_a_stream_comes_as_events_or_as_an_array_with_the_same_documents(running: Running) -> None:
    sse, as_events = call(running.url, STREAM + "?alt=sse")
    plain, as_array = call(running.url, STREAM)
    assert sse.headers["Content-Type"] == "text/event-stream"
    assert plain.headers["Content-Type"].startswith("application/json")
    ours, theirs = events(as_events), json.loads(as_array)
    for document in (*ours, *theirs):
        assert document.pop("responseId")
    assert ours == theirs
    assert len(ours) > 2


@pytest.mark.parametrize("path", [UNARY, STREAM, STREAM + "?alt=sse"])
def test_gzip_changes_nothing_but_the_encoding(running: Running, path: str) -> None:
    answer, packed = call(running.url, path, accept_encoding="gzip, deflate")
    assert answer.headers["Content-Encoding"] == "gzip"
    assert answer.headers["Transfer-Encoding"] == "chunked"
    _, plain = call(running.url, path)
    one, other = gzip.decompress(packed), plain
    assert len(one) == len(other)  # all but the id is the same, and ids are of one length
    assert one.count(b"usageMetadata") == other.count(b"usageMetadata")


def test_a_sized_answer_has_a_length(running: Running) -> None:
    answer, body = call(running.url, UNARY, x_simulator_framing="sized", accept_encoding="gzip")
    assert int(answer.headers["Content-Length"]) == len(body)
    assert json.loads(gzip.decompress(body))["usageMetadata"]


def test_the_same_request_has_the_same_answer_under_another_id_and_another_seed_has_another(running: Running) -> None:
    first, second = (json.loads(call(running.url, UNARY)[1]) for _ in range(2))
    assert first.pop("responseId") != second.pop("responseId")
    assert first == second
    with in_thread(Simulator(Options(seed=1))) as other:
        third = json.loads(call(other.url, UNARY)[1])
    assert third["usageMetadata"] != first["usageMetadata"]


def test_vertex_counts_at_the_end_and_names_the_traffic(running: Running) -> None:
    answer, body = call(running.url, VERTEX, x_vertex_ai_llm_shared_request_type="flex")
    *firsts, last = events(body)
    assert "X-Gemini-Service-Tier" not in answer.headers
    assert all(chunk["usageMetadata"] == {"trafficType": "ON_DEMAND_FLEX"} for chunk in firsts)
    assert last["usageMetadata"]["toolUsePromptTokenCount"] > 0
    dedicated = call(running.url, VERTEX, x_vertex_ai_llm_request_type="dedicated")[1]
    assert events(dedicated)[-1]["usageMetadata"]["trafficType"] == "PROVISIONED_THROUGHPUT"


def test_cached_tokens_come_on_demand(running: Running) -> None:
    usage = json.loads(call(running.url, UNARY, x_simulator_cached="5")[1])["usageMetadata"]
    assert usage["cachedContentTokenCount"] == 5
    assert usage["cacheTokensDetails"] == [{"modality": "TEXT", "tokenCount": 5}]


@pytest.mark.parametrize(
    ("path", "body", "status", "name"),
    [
        (UNARY, b"{", 400, "INVALID_ARGUMENT"),
        (UNARY, {}, 400, "INVALID_ARGUMENT"),
        ("/v1/models/gemini-99:generateContent", CODE, 404, "NOT_FOUND"),
        ("/elsewhere", CODE, 404, "NOT_FOUND"),
    ],
)
def test_errors_have_googles_shape(running: Running, path: str, body: Any, status: int, name: str) -> None:
    answer, text = call(running.url, path, body)
    assert answer.status == status
    error = json.loads(text)["error"]
    assert (error["code"], error["status"]) == (status, name)
    assert error["message"]


def test_an_error_of_an_array_stream_is_an_array(running: Running) -> None:
    answer, text = call(running.url, STREAM, b"{")
    assert answer.status == 400
    assert json.loads(text)[0]["error"]["code"] == 400


def test_a_missing_key_is_a_403_only_if_a_key_is_asked_for() -> None:
    with in_thread(Simulator(Options(require_key=True))) as guarded:
        assert call(guarded.url, UNARY)[0].status == 403
        assert call(guarded.url, UNARY, x_goog_api_key="k")[0].status == 200
        assert call(guarded.url, UNARY + "?key=k")[0].status == 200
        assert call(guarded.url, UNARY, authorization="Bearer t")[0].status == 200


def test_an_upload_goes_on_without_a_key_at_the_address_that_a_key_got() -> None:
    begin = {"x_goog_upload_protocol": "resumable", "x_goog_upload_command": "start"}
    send = {"x_goog_upload_command": "upload, finalize", "x_goog_upload_offset": "0"}
    with in_thread(Simulator(Options(require_key=True))) as guarded:
        assert call(guarded.url, "/upload/v1beta/files", b"", **begin)[0].status == 403
        started, _ = call(guarded.url, "/upload/v1beta/files", b"", x_goog_api_key="k", **begin)
        address = (started.getheader("X-Goog-Upload-URL") or "").removeprefix(guarded.url)
        assert call(guarded.url, address, b"some text", **send)[0].status == 200
        assert call(guarded.url, "/v1beta/files?upload_id=1", b"", "GET")[0].status == 403


@pytest.mark.parametrize(("seed", "different"), [(None, 2), (5, 1)])
def test_a_restart_repeats_no_name_unless_it_has_a_seed(seed: int | None, different: int) -> None:
    asked = {"model": "gemini-3.8-flash", "input": "Hello"}
    waiting = {"batch": {"inputConfig": {"requests": {"requests": [{"request": CODE}]}}}}
    made = []
    for _ in range(2):
        with in_thread(Simulator(Options(seed=seed))) as started:
            interaction = json.loads(call(started.url, "/v1beta/interactions", asked)[1])
            batch = json.loads(call(started.url, "/v1beta/models/gemini-3.8-flash:batchGenerateContent", waiting)[1])
            answer = json.loads(call(started.url, UNARY)[1])
        made.append(
            (interaction["id"], batch["name"], answer["responseId"], answer["usageMetadata"]["totalTokenCount"])
        )
    names = [len(set(pair)) for pair in zip(*made, strict=True)]
    assert names == [different, different, different, 1], "the answer itself is the same each time"


def test_count_tokens_and_models_answer_on_both_families(running: Running) -> None:
    counted = json.loads(call(running.url, "/v1/models/gemini-3.8-flash:countTokens")[1])
    used = json.loads(call(running.url, UNARY)[1])["usageMetadata"]
    assert counted["totalTokens"] == used["promptTokenCount"]
    listed = json.loads(call(running.url, "/v1/models?pageSize=5", b"", "GET")[1])
    assert len(listed["models"]) == 5
    rest = json.loads(call(running.url, f"/v1/models?pageToken={listed['nextPageToken']}", b"", "GET")[1])
    assert not {model["name"] for model in rest["models"]} & {model["name"] for model in listed["models"]}
    assert "nextPageToken" not in rest
    one = json.loads(call(running.url, "/v1/models/gemini-2.5-pro", b"", "GET")[1])
    assert one["name"] == "models/gemini-2.5-pro"
    assert json.loads(call(running.url, "/v1beta1/publishers/google/models", b"", "GET")[1])["publisherModels"]
    assert call(running.url, "/v1/models?pageSize=many", b"", "GET")[0].status == 400


@pytest.mark.parametrize("status", ["400", "401", "403", "404", "429", "500", "503", "504"])
def test_status_faults_answer_that_status(running: Running, status: str) -> None:
    answer, body = call(running.url, UNARY, x_simulator_fault=status)
    assert str(answer.status) == status
    assert json.loads(body)["error"]["code"] == answer.status


@pytest.mark.parametrize("path", [UNARY, STREAM + "?alt=sse", STREAM])
def test_a_cut_answer_is_incomplete(running: Running, path: str) -> None:
    with pytest.raises(http.client.IncompleteRead):
        call(running.url, path, x_simulator_fault="cut")


def test_a_cut_sized_answer_is_shorter_than_its_length(running: Running) -> None:
    with pytest.raises(http.client.IncompleteRead):
        call(running.url, UNARY, x_simulator_fault="cut", x_simulator_framing="sized")


def test_a_reset_connection_has_no_answer(running: Running) -> None:
    with pytest.raises(ConnectionError):
        call(running.url, UNARY, x_simulator_fault="reset")


def test_a_hanging_answer_does_not_come(running: Running) -> None:
    connection = http.client.HTTPConnection(running.url.removeprefix("http://"), timeout=0.3)
    connection.request("POST", UNARY, json.dumps(CODE), {"x-simulator-fault": "hang"})
    with pytest.raises(TimeoutError):
        connection.getresponse()
    connection.close()


def test_garbage_is_not_json(running: Running) -> None:
    answer, body = call(running.url, UNARY, x_simulator_fault="garbage")
    assert answer.status == 200
    with pytest.raises(json.JSONDecodeError):
        json.loads(body)
    with pytest.raises(json.JSONDecodeError):
        events(call(running.url, STREAM + "?alt=sse", x_simulator_fault="garbage")[1])


def test_an_error_chunk_ends_a_stream_that_began_well(running: Running) -> None:
    answer, body = call(running.url, STREAM + "?alt=sse", x_simulator_fault="error_chunk")
    assert answer.status == 200
    *firsts, last = events(body)
    assert firsts[0]["candidates"]
    assert last["error"]["status"] == "UNAVAILABLE"
    assert "error" in json.loads(call(running.url, STREAM, x_simulator_fault="error_chunk")[1])[-1]
    assert call(running.url, UNARY, x_simulator_fault="error_chunk")[0].status == 500


def test_an_error_repeats_the_presented_key_when_asked_to(running: Running) -> None:
    assert b"sesame" in call(running.url, UNARY, x_simulator_fault="echo_key", x_goog_api_key="sesame")[1]
    assert b"sesame" in call(running.url, UNARY + "?key=sesame", x_simulator_fault="echo_key")[1]


def test_faults_by_rate_come_about_that_often_and_a_repeated_request_can_succeed() -> None:
    def statuses() -> list[int]:
        with in_thread(Simulator(Options(faults=(InjectedFault("503", 0.5),)))) as half:
            return [call(half.url, UNARY)[0].status for _ in range(60)]

    seen = statuses()
    assert 15 < seen.count(503) < 45
    assert set(seen) == {200, 503}
    assert statuses() == seen


def test_a_script_names_the_first_faults_in_order() -> None:
    with in_thread(Simulator(Options(script=("429", "ok", "503")))) as scripted:
        assert [call(scripted.url, UNARY)[0].status for _ in range(4)] == [429, 200, 503, 200]


def test_the_log_says_what_clients_received() -> None:
    simulator = Simulator()
    with in_thread(simulator) as running:
        whole = json.loads(call(running.url, UNARY + "?key=secret")[1])
        last = events(call(running.url, STREAM + "?alt=sse")[1])[-1]
        call(running.url, UNARY, x_simulator_fault="503")
        with pytest.raises(http.client.IncompleteRead):
            call(running.url, STREAM, x_simulator_fault="cut")
        call(running.url, "/v1/models", b"", "GET")
        assert running.served[0] == (whole["responseId"], UNARY, whole["usageMetadata"])
        assert running.served[1] == (last["responseId"], STREAM, last["usageMetadata"])
        assert [served.usage for served in running.served][2:] == [None, None]
    assert running.served is simulator.served


def test_the_log_is_bounded() -> None:
    with in_thread(Simulator(Options(keep_served=2))) as running:
        ids = [json.loads(call(running.url, UNARY)[1])["responseId"] for _ in range(4)]
        assert [served.response_id for served in running.served] == ids[2:]
