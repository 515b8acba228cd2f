"""The dialect of generateContent: what documents show, and that no text is kept."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gembill.event import Part, ResponseFacts
from gembill.model import ApiError, Execution, Outcome
from gembill.wire.generate_content import executions, observe, usage
from gembill.wire.observation import Observation


def facts_of(*documents: object) -> ResponseFacts:
    observation = Observation()
    for document in documents:
        observe(document if isinstance(document, bytes) else json.dumps(document).encode(), observation)
    return observation.response_facts()


def answer(*parts: object, index: object = 0, **candidate: object) -> dict[str, Any]:
    return {"candidates": [{"content": {"parts": list(parts), "role": "model"}, "index": index, **candidate}]}


def code(text: str = "print(1)", **more: object) -> dict[str, Any]:
    return {"executableCode": {"language": "PYTHON", "code": text, **more}}


def result(outcome: object = "OUTCOME_OK", output: str = "12\n", **more: object) -> dict[str, Any]:
    return {"codeExecutionResult": {"outcome": outcome, "output": output, **more}}


def outcomes(*parts: object) -> list[Outcome]:
    return [e.outcome for e in executions(facts_of(answer(*parts)).outline)]


# ---- parts -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("part", "kind"),
    [
        ({"text": "abcde"}, Part(kind="text", chars=5)),
        ({"text": "abcde", "thought": True}, Part(kind="text", chars=5, thought=True)),
        ({"text": "abc", "thought": "yes"}, Part(kind="text", chars=3)),
        (result(id="x1", output="a1b22"), Part(kind="result", id="x1", outcome="OUTCOME_OK", chars=5, digits=3)),
        ({"codeExecutionResult": {"outcome": "OUTCOME_OK"}, "thought": True}, Part(kind="result", outcome="OUTCOME_OK", thought=True)),
        ({"codeExecutionResult": {"outcome": 2, "output": 5}}, Part(kind="result", outcome=2)),
        ({"codeExecutionResult": {"outcome": True}}, Part(kind="result")),
        (result(output="elided:70000:0123456789abcdef"), Part(kind="result", outcome="OUTCOME_OK", chars=70_000)),
        ({"inlineData": {"mimeType": "image/png", "data": "A" * 400}}, Part(kind="blob", mime="image/png", chars=300)),
        ({"functionCall": {"name": "f", "args": {}}}, Part(kind="function_call")),
        ({"functionResponse": {"name": "f"}}, Part(kind="function_response")),
        ({"toolCall": {}}, Part(kind="tool")),
        ({"toolResponse": {}}, Part(kind="tool")),
        ({"fileData": {"fileUri": "x"}}, Part(kind="file")),
        ({"fileData": {"fileUri": "x", "mimeType": "image/png"}}, Part(kind="file", mime="image/png")),
        ({"thoughtSignature": "abc"}, Part(kind="other")),
        ({"news": {}}, Part(kind="other")),
        ({}, Part(kind="other")),
    ],
)  # fmt: skip
def test_each_kind_of_part_leaves_its_outline(part, kind):
    assert facts_of(answer(part)).outline == (kind,)


def test_code_leaves_its_length_digest_and_language():
    (one,), (same,), (other,) = (
        facts_of(answer(code(text, id="c7"))).outline for text in ("print(1)", "print(1)", "print(2)")
    )
    assert (one.kind, one.id, one.language, one.chars, one.tool_call_as_code) == ("code", "c7", "PYTHON", 8, None)
    assert one.digest == same.digest != other.digest
    assert len(one.digest or "") == 16
    assert facts_of(answer(code(language=1))).outline[0].language == "PYTHON"


@pytest.mark.parametrize("shape", [
    {"candidates": {}}, {"candidates": "x"}, {"candidates": [5, None]}, {"candidates": [{"content": []}]}, {"candidates": [{"content": {"parts": "x"}}]},
    answer(5, None, "x", []), answer(code(5), index="x"), answer({"executableCode": 5}), answer({"inlineData": []}), answer({"text": 5}),
    answer({"inlineData": {"data": 7, "mimeType": []}}), answer(groundingMetadata=5), answer(groundingMetadata={"webSearchQueries": 5}),
    answer(groundingMetadata={"webSearchQueries": {"a": 1}}), answer(groundingMetadata={"webSearchQueries": "moon"}), answer(finishReason=[]),
    {"promptFeedback": 5}, {"modelVersion": {}, "responseId": []}, {"usageMetadata": 5}, {"error": "x"}, {"error": {"code": True, "message": [[]]}},
    answer({"text": "x"}, index=True), answer({"text": "x"}, index=-4), answer({"text": "x"}, index=10**25), answer(code(language=[], id={})),
    answer(result(10**25)), answer(result([])), answer({"codeExecutionResult": {"outcome": 1.5}}),
], ids=str)  # fmt: skip
def test_odd_shapes_raise_nothing_and_the_observation_still_decodes(shape):
    facts = facts_of({**shape, "usageMetadata": shape.get("usageMetadata", {"promptTokenCount": 4})})
    assert msgspec.json.decode(msgspec.json.encode(facts), type=ResponseFacts) == facts
    assert facts.searches == 0
    assert facts.usage is not None


@given(st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(
        ["candidates", "content", "parts", "text", "executableCode", "codeExecutionResult", "outcome", "code", "id", "index", "finishReason",
         "groundingMetadata", "webSearchQueries", "usageMetadata", "promptFeedback", "blockReason", "error", "status", "message", "modelVersion"]), inner, max_size=4),
    max_leaves=25,
))  # fmt: skip
@settings(max_examples=150, deadline=None)
def test_no_document_raises_anything_and_every_observation_decodes(document):
    facts = facts_of(document)
    assert msgspec.json.decode(msgspec.json.encode(facts), type=ResponseFacts) == facts
    executions(facts.outline)


@pytest.mark.parametrize("document", [b"", b"x", b"[]", b"5", b'{"candidates": [', b"[" * 100_000, b'{"a":' * 100_000])
def test_a_document_that_cannot_be_read_is_said(document):
    assert facts_of({"usageMetadata": {"promptTokenCount": 1}}, document).unread == "malformed"
    assert facts_of({"usageMetadata": {"promptTokenCount": 1}}, document).usage == '{"promptTokenCount":1}'


@pytest.mark.parametrize("odd", [5, "x", [], [5], {"a": 1}, True, 1.5])
@pytest.mark.parametrize("name", ["candidates", "promptFeedback", "error", "modelVersion"])
def test_a_member_of_an_unexpected_type_costs_the_usage_of_no_answer(name, odd):
    facts = facts_of({**answer(code()), "usageMetadata": {"promptTokenCount": 4}, "responseId": "r", name: odd})
    assert (json.loads(facts.usage or ""), facts.response_id) == ({"promptTokenCount": 4}, "r")
    assert [part.kind for part in facts.outline] == ([] if name == "candidates" else ["code"])
    assert facts.unread is None


@pytest.mark.parametrize("odd", [5, "x", [5], None, True])
@pytest.mark.parametrize("name", ["text", "inlineData", "executableCode", "functionCall", "thought"])
def test_a_part_with_an_odd_member_leaves_the_parts_beside_it(name, odd):
    facts = facts_of(answer(code(), {name: odd}, result()))
    kinds = {"text": "text" if odd == "x" else "other", "functionCall": "function_call"}
    assert [part.kind for part in facts.outline] == ["code", kinds.get(name, "other"), "result"]


def test_candidates_nested_too_deep_are_said_to_be_unread():
    deep = b'{"candidates": ' + b"[" * 50_000 + b"]" * 50_000 + b', "usageMetadata": {"promptTokenCount": 4}}'
    assert (facts_of(deep).unread, facts_of(deep).usage) == ("malformed", '{"promptTokenCount":4}')
    null = {"candidates": None, "usageMetadata": {"promptTokenCount": 4}}
    assert facts_of(null).unread is None


def test_the_usage_keeps_its_own_words_where_a_name_beside_it_cannot_be_read():
    facts = facts_of(b'{"\xff": 1, "usageMetadata": {"b": 1,  "promptTokenCount": 4}}')
    assert facts.usage == '{"b":1,"promptTokenCount":4}'


def test_a_member_that_is_repeated_counts_as_it_came_last():
    facts = facts_of(
        b'{"candidates": 5, "modelVersion": "a", "modelVersion": "b", "candidates": [{"finishReason": "STOP"}]}'
    )
    assert (facts.model_version, facts.finish_reason) == ("b", "STOP")


def test_a_nan_spoils_the_usage_and_not_the_rest():
    facts = facts_of(b'{"modelVersion": "m", "usageMetadata": {"promptTokenCount": NaN}}')
    assert (facts.model_version, facts.unread) == ("m", None)
    assert "NaN" in (facts.usage or "")


# ---- executions ------------------------------------------------------------------------------------------------------


def test_results_pair_with_the_code_of_their_id():
    first, second = code("a" * 3, id="1"), code("b" * 7, id="2")
    runs = executions(
        facts_of(answer(first, second, result(id="2", output="two"), result("OUTCOME_FAILED", id="1"))).outline
    )
    assert [(e.part_id, e.code_chars, e.outcome) for e in runs] == [("2", 7, Outcome.OK), ("1", 3, Outcome.FAILED)]
    assert runs[0] == Execution(outcome=Outcome.OK, part_id="2", language="python", code_chars=7, result_chars=3)


def test_without_ids_a_result_belongs_to_the_code_before_it():
    runs = executions(
        facts_of(answer(code("a"), result("OUTCOME_FAILED"), code("bb"), {"text": "hm"}, result())).outline
    )
    assert [(e.code_chars, e.outcome) for e in runs] == [(1, Outcome.FAILED), (2, Outcome.OK)]


def test_candidates_do_not_share_their_codes():
    one, two = answer(code("a")), answer(code("bbb"), index=1)
    three, four = answer(result("OUTCOME_FAILED")), answer(result(), index=1)
    runs = executions(facts_of(one, two, three, four).outline)
    assert [(e.code_chars, e.outcome) for e in runs] == [(1, Outcome.FAILED), (3, Outcome.OK)]
    both = {"candidates": [answer(code("a"), result())["candidates"][0], answer(code("b"), index=1)["candidates"][0]]}
    assert [e.outcome for e in executions(facts_of(both).outline)] == [Outcome.OK, Outcome.UNKNOWN]


@pytest.mark.parametrize(
    ("word", "outcome"),
    [
        ("OUTCOME_OK", Outcome.OK), ("OUTCOME_FAILED", Outcome.FAILED), ("OUTCOME_DEADLINE_EXCEEDED", Outcome.DEADLINE_EXCEEDED),
        ("OUTCOME_UNSPECIFIED", Outcome.UNKNOWN), ("OUTCOME_NEW", Outcome.UNKNOWN), (None, Outcome.UNKNOWN), (0, Outcome.UNKNOWN),
        (1, Outcome.OK), (2, Outcome.FAILED), (3, Outcome.DEADLINE_EXCEEDED), (4, Outcome.UNKNOWN), (True, Outcome.UNKNOWN),
    ],
)  # fmt: skip
def test_outcomes_come_as_words_or_integers(word, outcome):
    assert outcomes(code(), result(word)) == [outcome]


def test_code_without_a_result_ran_with_an_unknown_end_and_a_result_without_code_counts():
    assert outcomes(code()) == [Outcome.UNKNOWN]
    assert outcomes(result("OUTCOME_FAILED")) == [Outcome.FAILED]
    assert outcomes(code("a"), code("b"), result()) == [Outcome.OK, Outcome.UNKNOWN]
    assert outcomes({"text": "a"}) == []


@pytest.mark.parametrize(
    "query", ['concise_search("moon", 3)', 'print(concise_search("moon"))', "\n default_api.search(1)"]
)
def test_a_search_shown_as_code_is_not_an_execution(query):
    looking = result(output="Looking up information on Google Search.")
    assert facts_of(answer(code(query))).outline[0].tool_call_as_code in ("concise_search", "default_api")
    assert outcomes(code(query), looking) == []
    assert outcomes(code(query)) == []
    assert outcomes(code(query), looking, code("print(2)"), result("OUTCOME_FAILED")) == [Outcome.FAILED]
    assert outcomes(code("print(2)"), result(), code(query), looking) == [Outcome.OK]
    assert outcomes(code("# concise_search"), result()) == [Outcome.OK]


# ---- the words of an answer ------------------------------------------------------------------------------------------


def test_two_stops_are_one_finish_and_what_comes_between_is_seen():
    facts = facts_of(
        answer(code(), finishReason="STOP"), answer(result()), answer({"text": "x"}, finishReason="MAX_TOKENS")
    )
    assert (facts.finish_reason, facts.documents) == ("MAX_TOKENS", 3)
    assert [p.kind for p in facts.outline] == ["code", "result", "text"]


@pytest.mark.parametrize(("said", "kept"), [("STOP", "STOP"), (1, "STOP"), (2, "MAX_TOKENS"), (3, "SAFETY"), (99, "99"), (None, None), ("NEW", "NEW")])  # fmt: skip
def test_a_finish_reason_comes_as_a_word_or_an_integer(said, kept):
    assert facts_of(answer(finishReason=said)).finish_reason == kept


def test_an_error_chunk_after_usage_is_a_fault_and_the_usage_stays():
    facts = facts_of(
        {**answer({"text": "a"}), "usageMetadata": {"promptTokenCount": 3}},
        {"error": {"code": 503, "status": "UNAVAILABLE"}},
    )
    assert facts.fault == ApiError(code=503, status="UNAVAILABLE")
    assert facts.usage == '{"promptTokenCount":3}'


def test_a_blocked_prompt_says_why():
    facts = facts_of(
        {
            "promptFeedback": {"blockReason": "SAFETY", "blockReasonMessage": "m"},
            "usageMetadata": {"promptTokenCount": 3},
        }
    )
    assert (facts.block_reason, facts.outline) == ("SAFETY", ())


def test_queries_are_counted_once_over_all_chunks_and_candidates():
    def grounded(*queries: str) -> dict[str, Any]:
        return answer(groundingMetadata={"webSearchQueries": list(queries), "searchEntryPoint": {}})

    facts = facts_of(grounded("sun", "moon"), grounded("moon", ""), grounded("sun", "stars"))
    assert (facts.searches, facts.grounded) == (3, True)
    chunks = facts_of(answer(groundingMetadata={"groundingChunks": [{"web": {}}]}))
    assert (chunks.searches, chunks.grounded) == (0, True)
    assert not facts_of(answer(groundingMetadata={})).grounded


WEB, PLACE, FILE = {"web": {"uri": "u"}}, {"maps": {"placeId": "p"}}, {"retrievedContext": {"title": "t"}}
PICTURE = {"image": {"sourceUri": "u"}}


def grounding(*chunks: object, queries: tuple[str, ...] = (), **more: object) -> dict[str, Any]:
    return answer(groundingMetadata={"groundingChunks": list(chunks), "webSearchQueries": list(queries), **more})


@pytest.mark.parametrize(
    ("documents", "searches", "grounded", "maps"),
    [
        ([grounding()], 0, False, 0),
        ([grounding(queries=("", " "))], 0, False, 0),
        ([grounding(queries=("a", "b"))], 2, True, 0),
        ([grounding(WEB)], 0, True, 0),
        ([grounding(WEB, queries=("a", "b", "a"))], 2, True, 0),
        ([grounding(FILE)], 0, False, 0),
        ([grounding(PLACE)], 0, False, 1),
        ([grounding(PLACE, queries=("pizza near me", "ice"))], 0, False, 2),
        ([grounding(googleMapsWidgetContextToken="t")], 0, False, 1),
        ([grounding(WEB, PLACE, queries=("a", "b"))], 2, True, 1),
        ([grounding(PLACE, queries=("a",), searchEntryPoint={"renderedContent": "<x>"})], 1, True, 1),
        ([grounding(PICTURE, imageSearchQueries=["cat"])], 1, True, 0),
        ([grounding(WEB, imageSearchQueries=["cat"], queries=("a",))], 2, True, 0),
        ([grounding(queries=("a",)), grounding(WEB, queries=("a", "b")), grounding(WEB)], 2, True, 0),
        ([grounding(queries=("a",)), grounding(PLACE)], 0, False, 1),
        ([grounding(WEB, queries=("a",)), grounding(PLACE, queries=("b", "c"))], 1, True, 2),
        ([grounding({"maps": None, "web": {"uri": "u"}})], 0, True, 0),
        ([answer(urlContextMetadata={"urlMetadata": []}), grounding(WEB)], 0, False, 0),
        ([answer(urlContextMetadata={"urlMetadata": []}), grounding(WEB, queries=("a",))], 1, True, 0),
    ],
)
def test_each_tool_with_a_fee_is_counted_by_what_the_answer_cites(documents, searches, grounded, maps):
    facts = facts_of(*documents)
    assert (facts.searches, facts.grounded, facts.maps_searches) == (searches, grounded, maps)


def test_snapshots_show_the_rounds_of_a_stream():
    def chunk(part: object, prompt: int) -> dict[str, Any]:
        return {**answer(part), "usageMetadata": {"promptTokenCount": prompt}}

    parts = ({"text": "a"}, code(), result(), {"text": "b"}, {"text": "c"})
    facts = facts_of(*(chunk(part, n) for n, part in enumerate(parts)))
    assert [(s.after, json.loads(s.usage)["promptTokenCount"]) for s in facts.snapshots] == [(2, 1), (3, 2), (4, 3)]


@pytest.mark.parametrize(
    ("said", "tier"),
    [
        ({"serviceTier": "flex"}, "flex"), ({"serviceTier": "flex", "trafficType": "ON_DEMAND"}, "flex"), ({"trafficType": "ON_DEMAND"}, "standard"),
        ({"trafficType": "ON_DEMAND_PRIORITY"}, "priority"), ({"trafficType": "ON_DEMAND_FLEX"}, "flex"), ({"trafficType": "ON_DEMAND_OFFPEAK"}, "offpeak"),
        ({"trafficType": "PROVISIONED_THROUGHPUT"}, "provisioned"), ({"trafficType": 1}, "standard"), ({"trafficType": 2}, "provisioned"),
        ({"trafficType": "TRAFFIC_TYPE_UNSPECIFIED"}, None), ({"trafficType": 0}, None), ({"trafficType": []}, None), ({"serviceTier": 5}, None), ({}, None),
    ],
)  # fmt: skip
def test_the_served_tier_is_read_on_either_host(said, tier):
    assert usage(json.dumps(said)).service_tier == tier


# ---- no text ---------------------------------------------------------------------------------------------------------

_marker = st.text("0123456789abcdef", min_size=24, max_size=24).map(lambda text: f"MARK{text}")


def places(m: str) -> list[dict[str, Any]]:
    """Every place of an answer where a text of prompt, answer or code can stand."""
    parts = [
        {"text": m}, {"text": f"think {m}", "thought": True, "thoughtSignature": m}, code(m), code(f'concise_search("{m}")'), result(output=m),
        result("OUTCOME_FAILED", output=f"Traceback {m}"), {"inlineData": {"mimeType": "text/plain", "data": m}}, {"fileData": {"fileUri": m}},
        {"functionCall": {"name": m, "args": {m: m}}}, {"functionResponse": {"name": m, "response": {"r": m}}}, {"toolCall": {"args": m}},
        {"toolResponse": {"response": m}}, {m: m},
    ]  # fmt: skip
    grounding = {"webSearchQueries": [m], "groundingChunks": [{"web": {"uri": m, "title": m}}], "groundingSupports": [{"segment": {"text": m}}],
                 "searchEntryPoint": {"renderedContent": m}}  # fmt: skip
    return [
        answer(*parts, finishReason="STOP", finishMessage=m, groundingMetadata=grounding, citationMetadata={"citationSources": [{"uri": m}]},
               urlContextMetadata={"urlMetadata": [{"retrievedUrl": m}]}, logprobsResult={"chosenCandidates": [{"token": m}]}),
        {"promptFeedback": {"blockReason": "SAFETY", "blockReasonMessage": m}, "modelStatus": {"message": m}, m: m, "turnToken": m},
        {"error": {"code": 400, "status": "INVALID_ARGUMENT", "message": m, "details": [{"reason": m}]}},
        {"usageMetadata": {"promptTokenCount": 5}, "modelVersion": "gemini", "responseId": "r1"},
    ]  # fmt: skip


@given(_marker)
@settings(max_examples=40, deadline=None)
def test_no_text_of_prompt_answer_or_code_is_in_the_observation(marker):
    facts = facts_of(*places(marker))
    assert len(facts.outline) == 13
    assert marker.encode() not in msgspec.json.encode(facts)
    assert marker[:12].encode() not in msgspec.json.encode(facts)
