"""Scripts as steps."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gembill_simulator.answer import Overrides, Script, compose
from gembill_simulator.calls import Function
from gembill_simulator.interactions.steps import Step, output
from gembill_simulator.models import MODELS
from gembill_simulator.request import ParsedRequest
from gembill_simulator.tokens import TokenTally

_RUNS = st.lists(st.sampled_from(["ok", "failed", "deadline_exceeded", "plot", "search"]), max_size=4).map(tuple)


def script(model: str = "gemini-3.8-flash", runs: tuple[str, ...] = ("ok",), **more: Any) -> Script:
    ask = ParsedRequest(TokenTally(text=9), "What is the weather in Boston?", code_allowed=True, **more)
    return compose(ask, MODELS[model], seed=b"s", wishes=Overrides(runs=runs))


def told(step: Step) -> dict[str, Any]:
    """The step that a reader of the stream puts together."""
    found = dict(step.start)
    for delta in step.deltas:
        if step.start["type"] == "model_output":
            said = found.setdefault("content", [])
            if said and said[-1]["type"] == delta["type"] == "text":
                said[-1] = said[-1] | {"text": said[-1]["text"] + delta["text"]}
            else:
                said.append(delta)
        elif delta["type"] == "thought_signature":
            found["signature"] = delta["signature"]
        elif delta["type"] == "thought_summary":
            found["summary"] = [delta["content"]]
        elif delta["type"] != "arguments_delta":
            found |= delta
    return found


@given(st.sampled_from(sorted(MODELS)), _RUNS, st.booleans())
def test_the_deltas_make_up_the_step_and_results_name_their_call(
    model: str, runs: tuple[str, ...], shown: bool
) -> None:
    calls: list[str] = []
    for step in output(script(model, runs, shows_thoughts=shown)):
        whole = step.whole
        bare = [{name: part[name] for name in part if name != "annotations"} for part in whole.get("content", [])]
        assert told(step) == (whole | {"content": bare} if bare else whole)
        if whole["type"].endswith("_call"):
            calls.append(whole["id"])
        if whole["type"].endswith("_result"):
            assert whole["call_id"] == calls[-1]
    assert len(set(calls)) == len(calls)


@pytest.mark.parametrize(("run", "wrong"), [("ok", False), ("failed", True), ("deadline_exceeded", True)])
def test_failures_are_told_by_is_error_and_words(run: str, wrong: bool) -> None:
    (result,) = [step.whole for step in output(script(runs=(run,))) if step.whole["type"] == "code_execution_result"]
    assert result["is_error"] is wrong
    assert result["result"]


def test_a_plot_is_an_image_of_the_output_and_thoughts_are_steps() -> None:
    found = [step.whole for step in output(script(runs=("plot",)))]
    kinds = [step["type"] for step in found]
    assert kinds[:3] == ["thought", "code_execution_call", "code_execution_result"]
    images = [part for step in found for part in step.get("content", []) if part["type"] == "image"]
    assert [image["mime_type"] for image in images] == ["image/png"]


@pytest.mark.parametrize("model", ["gemini-2.5-flash", "gemini-3.8-flash"])
def test_a_search_is_a_step_of_its_own_and_never_poses_as_code(model: str) -> None:
    found = [step.whole for step in output(script(model, ("search", "ok")))]
    kinds = [step["type"] for step in found]
    assert kinds.count("google_search_call") == kinds.count("google_search_result") == 1
    assert kinds.count("code_execution_call") == 1
    assert not any("concise_search" in str(step) for step in found)


def test_a_called_function_ends_the_steps() -> None:
    weather = Function("get_weather", {"properties": {"city": {"type": "string"}}})
    last = output(script(runs=("ok", "call"), functions=(weather,)))[-1]
    assert last.whole["name"] == "get_weather"
    assert last.whole["arguments"] == {"city": "Boston"}
    assert last.deltas == ({"type": "arguments_delta", "arguments": '{"city":"Boston"}'},)
