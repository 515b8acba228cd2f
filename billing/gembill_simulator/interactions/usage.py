"""The `usage` of an interaction.

Owns: the names of its counts and how they are made from those of an answer (wire.md 2.5). Owns no law of usage.
Invariant: zeros are sent; total = input + tool use + output + thoughts (law 2 of the corpus).

Agents differ: what a coding agent's loop reads again is input and mostly cached, its tool use is 0; deep research
counts tool use and names no modalities of it (corpus cases 159 and 153).
"""

from gembill_simulator.answer import Script
from gembill_simulator.tokens import TokenTally
from gembill_simulator.usage import whole
from gembill_simulator.wire import Document

_CACHED_SHARE = (2, 3)  # of what an agent's loop reads again


def usage(script: Script, *, agent: bool = False, researches: bool = False) -> Document:
    """The usage of a whole answer."""
    counts = whole(script)
    prompt, tool, cached = counts.prompt, counts.tool, counts.cached
    if agent and not researches:
        cached = max(cached, tool.text * _CACHED_SHARE[0] // _CACHED_SHARE[1])
        prompt, tool = prompt + tool, TokenTally()
    found: Document = {"total_tokens": counts.total, "total_input_tokens": prompt.total}
    found["input_tokens_by_modality"] = _by_modality(prompt)
    found["total_cached_tokens"] = cached
    if cached:
        found["cached_tokens_by_modality"] = _by_modality(TokenTally(text=cached))
    found["total_output_tokens"] = counts.candidates
    if agent:
        found["output_tokens_by_modality"] = _by_modality(TokenTally(text=counts.candidates))
    found["total_tool_use_tokens"] = tool.total
    if researches:
        found["tool_use_tokens_by_modality"] = None
    elif tool.total:
        found["tool_use_tokens_by_modality"] = _by_modality(tool)
    found["total_thought_tokens"] = counts.thoughts
    if script.findings is not None:
        found["grounding_tool_count"] = [{"type": "google_search", "count": len(script.findings.queries)}]
    if script.model.generation >= 3 and not agent:  # in no public schema, and seen on the wire (2.5)
        found["raw_prompt_token"] = prompt.total + tool.total
    return found


def _by_modality(tally: TokenTally) -> list[Document]:
    return [{"modality": str(one["modality"]).lower(), "tokens": one["tokenCount"]} for one in tally.details()]
