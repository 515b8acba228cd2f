"""Scripts as steps, and their usage: zeros are sent, the sum holds."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gembill_simulator.answer import Overrides, Script, compose
from gembill_simulator.calls import Function
from gembill_simulator.interactions.steps import Step, output, usage
from gembill_simulator.models import MODELS
from gembill_simulator.request import ParsedRequest
from gembill_simulator.tokens import TokenTally
from gembill_simulator.usage import whole as counted

_RUNS = st.lists(st.sampled_from(["ok", "failed", "deadline_exceeded", "plot", "search"]), max_size=4).map(tuple)
_COUNTED_RUNS = st.lists(st.sampled_from(["ok", "failed", "plot", "search"]), max_size=3).map(tuple)


def script(model: str = "gemini-3.8-flash", runs: tuple[str, ...] = ("ok",), **more: Any) -> Script:
    request = ParsedRequest(TokenTally(text=9), "What is the weather in Boston?", code_allowed=True, **more)
    return compose(request, MODELS[model], seed=b"s", overrides=Overrides(runs=runs))


def as_streamed(step: Step) -> dict[str, Any]:
    """The step that a reader of the stream puts together."""
    step_read = dict(step.start)
    for delta in step.deltas:
        if step.start["type"] == "model_output":
            said = step_read.setdefault("content", [])
            if said and said[-1]["type"] == delta["type"] == "text":
                said[-1] = said[-1] | {"text": said[-1]["text"] + delta["text"]}
            else:
                said.append(delta)
        elif delta["type"] == "thought_signature":
            step_read["signature"] = delta["signature"]
        elif delta["type"] == "thought_summary":
            step_read["summary"] = [delta["content"]]
        elif delta["type"] != "arguments_delta":
            step_read |= delta
    return step_read


@given(st.sampled_from(sorted(MODELS)), _RUNS, st.booleans())
def test_the_deltas_make_up_the_step_and_results_name_their_call(
    model: str, runs: tuple[str, ...], shown: bool
) -> None:
    calls: list[str] = []
    for step in output(script(model, runs, shows_thoughts=shown)):
        whole = step.whole
        bare = [{name: part[name] for name in part if name != "annotations"} for part in whole.get("content", [])]
        assert as_streamed(step) == (whole | {"content": bare} if bare else whole)
        if whole["type"].endswith("_call"):
            calls.append(whole["id"])
        if whole["type"].endswith("_result"):
            assert whole["call_id"] == calls[-1]
    assert len(set(calls)) == len(calls)


@pytest.mark.parametrize(("run", "wrong"), [("ok", False), ("failed", True), ("deadline_exceeded", True)])
def test_failures_are_shown_by_is_error_and_words(run: str, wrong: bool) -> None:
    (result,) = [step.whole for step in output(script(runs=(run,))) if step.whole["type"] == "code_execution_result"]
    assert result["is_error"] is wrong
    assert result["result"]


def test_a_plot_is_an_image_of_the_output_and_thoughts_are_steps() -> None:
    steps = [step.whole for step in output(script(runs=("plot",)))]
    kinds = [step["type"] for step in steps]
    assert kinds[:3] == ["thought", "code_execution_call", "code_execution_result"]
    images = [part for step in steps for part in step.get("content", []) if part["type"] == "image"]
    assert [image["mime_type"] for image in images] == ["image/png"]


@pytest.mark.parametrize("model", ["gemini-2.5-flash", "gemini-3.8-flash"])
def test_a_search_is_a_step_of_its_own_and_never_is_shown_as_code(model: str) -> None:
    steps = [step.whole for step in output(script(model, ("search", "ok")))]
    kinds = [step["type"] for step in steps]
    assert kinds.count("google_search_call") == kinds.count("google_search_result") == 1
    assert kinds.count("code_execution_call") == 1
    assert not any("concise_search" in str(step) for step in steps)


def test_a_called_function_ends_the_steps() -> None:
    weather = Function("get_weather", {"properties": {"city": {"type": "string"}}})
    last = output(script(runs=("ok", "call"), functions=(weather,)))[-1]
    assert last.whole["name"] == "get_weather"
    assert last.whole["arguments"] == {"city": "Boston"}
    assert last.deltas == ({"type": "arguments_delta", "arguments": '{"city":"Boston"}'},)


@st.composite
def scripts(draw: st.DrawFn) -> Script:
    request = ParsedRequest(
        TokenTally(draw(st.integers(1, 900)), image=draw(st.sampled_from([0, 258]))), "x", code_allowed=True
    )
    overrides = Overrides(runs=draw(_COUNTED_RUNS), cached=draw(st.integers(0, 50)))
    return compose(
        request, MODELS[draw(st.sampled_from(sorted(MODELS)))], seed=draw(st.binary(max_size=3)), overrides=overrides
    )


@given(scripts(), st.booleans(), st.booleans())
def test_the_parts_sum_to_the_total_and_details_to_their_part(script: Script, agent: bool, researches: bool) -> None:
    document = usage(script, agent=agent, researches=agent and researches)
    parts = ("total_input_tokens", "total_tool_use_tokens", "total_output_tokens", "total_thought_tokens")
    assert document["total_tokens"] == sum(document[name] for name in parts) == counted(script).total
    for count, details in (
        ("total_input_tokens", "input_tokens_by_modality"),
        ("total_tool_use_tokens", "tool_use_tokens_by_modality"),
        ("total_cached_tokens", "cached_tokens_by_modality"),
    ):
        if document.get(details):
            assert sum(entry["tokens"] for entry in document[details]) == document[count]
    assert document["total_cached_tokens"] <= document["total_input_tokens"]


def test_zeros_are_sent() -> None:
    request = ParsedRequest(TokenTally(text=3), "Hello", code_allowed=False, thinks=False)
    document = usage(compose(request, MODELS["gemini-2.5-flash"], seed=b""))
    assert (document["total_cached_tokens"], document["total_tool_use_tokens"], document["total_thought_tokens"]) == (
        0,
        0,
        0,
    )
    assert "grounding_tool_count" not in document


@given(scripts())
def test_a_coding_agent_reads_its_loop_as_input_and_deep_research_as_tool_use(script: Script) -> None:
    counts = counted(script)
    coding, research = usage(script, agent=True), usage(script, agent=True, researches=True)
    assert (coding["total_tool_use_tokens"], research["total_tool_use_tokens"]) == (0, counts.tool.total)
    assert coding["total_input_tokens"] == counts.prompt.total + counts.tool.total
    assert research["tool_use_tokens_by_modality"] is None


def test_a_search_is_counted_as_grounding() -> None:
    request = ParsedRequest(TokenTally(text=3), "Search the news", code_allowed=False, search_allowed=True)
    for model in ("gemini-2.5-flash", "gemini-3.8-flash"):
        document = usage(compose(request, MODELS[model], seed=b""))
        assert document["grounding_tool_count"] == [{"type": "google_search", "count": 1}]
        assert (document["total_tool_use_tokens"] > 0) is (model == "gemini-2.5-flash")
