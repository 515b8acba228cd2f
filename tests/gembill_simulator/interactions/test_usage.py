"""The usage of interactions: zeros are sent, the sum holds."""

from hypothesis import given
from hypothesis import strategies as st

from gembill_simulator.answer import Overrides, Script, compose
from gembill_simulator.interactions.usage import usage
from gembill_simulator.models import MODELS
from gembill_simulator.request import ParsedRequest
from gembill_simulator.tokens import TokenTally
from gembill_simulator.usage import whole

_RUNS = st.lists(st.sampled_from(["ok", "failed", "plot", "search"]), max_size=3).map(tuple)


@st.composite
def scripts(draw: st.DrawFn) -> Script:
    ask = ParsedRequest(
        TokenTally(draw(st.integers(1, 900)), image=draw(st.sampled_from([0, 258]))), "x", code_allowed=True
    )
    wishes = Overrides(runs=draw(_RUNS), cached=draw(st.integers(0, 50)))
    return compose(ask, MODELS[draw(st.sampled_from(sorted(MODELS)))], seed=draw(st.binary(max_size=3)), wishes=wishes)


@given(scripts(), st.booleans(), st.booleans())
def test_the_parts_sum_to_the_total_and_details_to_their_part(script: Script, agent: bool, researches: bool) -> None:
    found = usage(script, agent=agent, researches=agent and researches)
    parts = ("total_input_tokens", "total_tool_use_tokens", "total_output_tokens", "total_thought_tokens")
    assert found["total_tokens"] == sum(found[name] for name in parts) == whole(script).total
    for count, details in (
        ("total_input_tokens", "input_tokens_by_modality"),
        ("total_tool_use_tokens", "tool_use_tokens_by_modality"),
        ("total_cached_tokens", "cached_tokens_by_modality"),
    ):
        if found.get(details):
            assert sum(entry["tokens"] for entry in found[details]) == found[count]
    assert found["total_cached_tokens"] <= found["total_input_tokens"]


def test_zeros_are_sent() -> None:
    ask = ParsedRequest(TokenTally(text=3), "Hello", code_allowed=False, thinks=False)
    found = usage(compose(ask, MODELS["gemini-2.5-flash"], seed=b""))
    assert (found["total_cached_tokens"], found["total_tool_use_tokens"], found["total_thought_tokens"]) == (0, 0, 0)
    assert "grounding_tool_count" not in found


@given(scripts())
def test_a_coding_agent_reads_its_loop_as_input_and_deep_research_as_tool_use(script: Script) -> None:
    counts = whole(script)
    coding, research = usage(script, agent=True), usage(script, agent=True, researches=True)
    assert (coding["total_tool_use_tokens"], research["total_tool_use_tokens"]) == (0, counts.tool.total)
    assert coding["total_input_tokens"] == counts.prompt.total + counts.tool.total
    assert research["tool_use_tokens_by_modality"] is None


def test_a_search_is_counted_as_grounding() -> None:
    ask = ParsedRequest(TokenTally(text=3), "Search the news", code_allowed=False, search_allowed=True)
    for model in ("gemini-2.5-flash", "gemini-3.8-flash"):
        found = usage(compose(ask, MODELS[model], seed=b""))
        assert found["grounding_tool_count"] == [{"type": "google_search", "count": 1}]
        assert (found["total_tool_use_tokens"] > 0) is (model == "gemini-2.5-flash")
