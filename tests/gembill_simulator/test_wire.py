"""The JSON of answers."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gembill_simulator import tokens, wire
from gembill_simulator.answer import Overrides, Script, compose
from gembill_simulator.models import MODELS
from gembill_simulator.request import ParsedRequest
from gembill_simulator.tokens import TokenTally
from gembill_simulator.wire import Stamp

DEVELOPER = Stamp("r1", tier="flex")
VERTEX = Stamp("r1", traffic="ON_DEMAND", created="2026-11-21T00:00:00.000000Z")
_RUNS = st.lists(st.sampled_from(["ok", "failed", "deadline_exceeded", "plot", "search", "call"]), max_size=4).map(
    tuple
)


def script(model: str, runs: tuple[str, ...] | None = ("ok",), question: str = "Compute", **more: Any) -> Script:
    request = ParsedRequest(TokenTally(text=20), question, code_allowed=True, **more)
    return compose(request, MODELS[model], seed=b"s", overrides=Overrides(runs=runs))


def parts(document: dict[str, Any]) -> list[dict[str, Any]]:
    content: list[dict[str, Any]] = document["candidates"][0]["content"].get("parts", [])
    return content


@given(st.sampled_from(sorted(MODELS)), _RUNS, st.sampled_from([DEVELOPER, VERTEX]))
def test_zeros_are_absent_and_the_identity_and_the_details_hold(
    model: str, runs: tuple[str, ...], stamp: Stamp
) -> None:
    for document in [wire.answer(script(model, runs), stamp), *wire.chunks(script(model, runs), stamp)]:
        usage = document["usageMetadata"]
        assert all(usage.values())
        counts = {name: value for name, value in usage.items() if name.endswith("TokenCount")}
        cached = counts.pop("cachedContentTokenCount", 0)
        assert cached <= counts.get("promptTokenCount", 0)
        assert counts.pop("totalTokenCount", 0) == sum(counts.values())
        for count, details in (
            ("promptTokenCount", "promptTokensDetails"),
            ("toolUsePromptTokenCount", "toolUsePromptTokensDetails"),
        ):
            assert sum(entry["tokenCount"] for entry in usage.get(details, [])) == counts.get(count, 0)


@given(st.sampled_from(sorted(MODELS)), _RUNS)
def test_the_chunks_joined_are_the_unary_answer(model: str, runs: tuple[str, ...]) -> None:
    def gist(documents: list[dict[str, Any]], kind: str) -> list[Any]:
        return [part[kind] for document in documents for part in parts(document) if kind in part]

    whole, chunks = [wire.answer(script(model, runs), DEVELOPER)], wire.chunks(script(model, runs), DEVELOPER)
    for kind in ("executableCode", "codeExecutionResult", "inlineData", "functionCall"):
        assert gist(whole, kind) == gist(chunks, kind)
    assert "".join(gist(whole, "text")) == "".join(gist(chunks, "text"))
    assert whole[0]["usageMetadata"] == chunks[-1]["usageMetadata"]


def test_a_2_5_stream_of_two_rounds_says_stop_before_its_end() -> None:
    chunks = wire.chunks(script("gemini-2.5-flash", ("ok", "ok")), DEVELOPER)
    stops = [index for index, chunk in enumerate(chunks) if "finishReason" in chunk["candidates"][0]]
    assert len(stops) == 2
    assert "executableCode" in parts(chunks[stops[0]])[0]
    assert stops[1] == len(chunks) - 1
    newer = wire.chunks(script("gemini-3.8-flash", ("ok", "ok")), DEVELOPER)
    assert sum("finishReason" in chunk["candidates"][0] for chunk in newer) == 1


def test_ids_and_signatures_come_with_3_x_only() -> None:
    newer = parts(wire.answer(script("gemini-3.8-flash"), DEVELOPER))
    assert newer[0]["executableCode"]["id"] == newer[1]["codeExecutionResult"]["id"]
    assert "thoughtSignature" in newer[0]
    older = parts(wire.answer(script("gemini-2.5-flash"), DEVELOPER))
    assert not any("thoughtSignature" in part or "id" in part.get("executableCode", {}) for part in older)


def test_a_run_that_printed_nothing_has_no_output_key() -> None:
    results = [
        part["codeExecutionResult"]
        for part in parts(wire.answer(script("gemini-2.5-pro", ("deadline_exceeded",)), DEVELOPER))
        if "codeExecutionResult" in part
    ]
    assert results == [{"outcome": "OUTCOME_DEADLINE_EXCEEDED"}]


def test_a_plot_is_inline_data_after_its_result() -> None:
    shown = parts(wire.answer(script("gemini-3.8-flash", ("plot",)), DEVELOPER))
    assert shown[2]["inlineData"]["mimeType"] == "image/png"


def test_the_developer_api_names_the_tier_and_vertex_the_traffic() -> None:
    answer = script("gemini-3.5-flash")
    developer, vertex = wire.answer(answer, DEVELOPER), wire.answer(answer, VERTEX)
    assert developer["usageMetadata"]["serviceTier"] == "flex"
    assert "createTime" not in developer
    assert vertex["usageMetadata"]["trafficType"] == "ON_DEMAND"
    assert "serviceTier" not in vertex["usageMetadata"]
    assert vertex["createTime"] == VERTEX.created
    assert developer["modelVersion"] == "gemini-3.6-flash"


def test_a_vertex_stream_counts_in_the_last_chunk_only() -> None:
    *firsts, last = wire.chunks(script("gemini-3.8-flash"), VERTEX)
    assert all(chunk["usageMetadata"] == {"trafficType": "ON_DEMAND"} for chunk in firsts)
    assert last["usageMetadata"]["totalTokenCount"] > 20


def test_an_answer_that_the_limit_left_empty_has_no_parts() -> None:
    answer = wire.answer(script("gemini-2.5-flash", (), most_tokens=1), DEVELOPER)
    assert answer["candidates"][0] == {"content": {"role": "model"}, "finishReason": "MAX_TOKENS", "index": 0}
    assert "candidatesTokenCount" not in answer["usageMetadata"]


def test_thoughts_are_apart_from_the_text() -> None:
    first, second = parts(wire.answer(script("gemini-2.5-flash", (), "Hello", shows_thoughts=True), DEVELOPER))
    assert first["thought"] is True
    assert second["text"].startswith("Hello!")


def test_a_search_grounds_the_answer_and_is_shown_as_code_on_2_5_only() -> None:
    for model, shown in (("gemini-2.5-flash", True), ("gemini-3.8-flash", False)):
        made = script(model, ("search", "ok"))
        unary, chunks = wire.answer(made, DEVELOPER), wire.chunks(made, DEVELOPER)
        assert unary["candidates"][0]["groundingMetadata"]["webSearchQueries"] == ["compute"]
        assert [("groundingMetadata" in chunk["candidates"][0]) for chunk in chunks].count(True) == 1
        assert "groundingMetadata" in chunks[-1]["candidates"][0]
        codes = [part["executableCode"]["code"] for part in parts(unary) if "executableCode" in part]
        assert any("concise_search" in code for code in codes) is shown
        assert len(codes) == 1 + shown


def test_a_function_call_has_an_id_on_3_x_only() -> None:
    for model in ("gemini-2.5-flash", "gemini-3.8-flash"):
        called = parts(wire.answer(script(model, ("ok", "call")), DEVELOPER))[-1]["functionCall"]
        assert (called["name"], called["args"]) == ("simulated_function", {})
        assert ("id" in called) is (model == "gemini-3.8-flash")


def test_a_hop_ends_with_its_token() -> None:
    request = ParsedRequest(TokenTally(text=20), "Hello", code_allowed=False)
    made = compose(request, MODELS["gemini-4-argon"], seed=b"s", overrides=Overrides(hops=2))
    for document in (wire.answer(made, DEVELOPER), wire.chunks(made, DEVELOPER)[-1]):
        candidate = document["candidates"][0]
        assert candidate["finishReason"] == "CONTINUATION"
        assert candidate["continuationToken"]


def test_an_error_of_an_interaction_has_a_word_for_a_code() -> None:
    error = wire.interactions_error(wire.error(400, "INVALID_ARGUMENT", "No."))
    assert error == {"error": {"code": "invalid_request", "message": "No."}}
    assert wire.interactions_error(wire.error(404, "NOT_FOUND", "No."))["error"]["code"] == "not_found"


@given(st.sampled_from(sorted(MODELS)), _RUNS)
def test_further_candidates_come_whole_and_are_counted(model: str, runs: tuple[str, ...]) -> None:
    one, three = script(model, runs), script(model, runs, candidates=3)
    for documents in ([wire.answer(three, DEVELOPER)], wire.chunks(three, DEVELOPER)):
        last = documents[-1]
        assert [candidate["index"] for candidate in last["candidates"]] == [0, 1, 2]
        texts = [candidate["content"]["parts"][0]["text"] for candidate in last["candidates"][1:]]
        before, usage = wire.answer(one, DEVELOPER)["usageMetadata"], last["usageMetadata"]
        more = usage["candidatesTokenCount"] - before.get("candidatesTokenCount", 0)
        assert more == sum(tokens.count(text) for text in texts) == usage["totalTokenCount"] - before["totalTokenCount"]
