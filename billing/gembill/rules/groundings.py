"""Uses of tools that Google charges for beside tokens: web search and Maps (wire.md 6.5).

Owns: how many of them are billed, and whether that is known. Not here: what an answer shows of them (`wire.grounding`)
and prices. Invariant: where a usage counts uses itself, its count is taken; what nobody counted is not billed and is
said.
"""

import re
from functools import lru_cache

from gembill.event import ResponseFacts
from gembill.wire.token_counts import Usage

_GENERATION = re.compile(r"gemini-(\d+)")


@lru_cache(maxsize=4096)
def grounds_by_prompt(model: str | None) -> bool:
    """Whether a grounded prompt is billed once (Gemini 2.5 and before) and not each of its searches (wire.md 6.5)."""
    generation = _GENERATION.match(model or "")
    return generation is not None and int(generation[1]) < 3


def searches(seen: ResponseFacts, usage: Usage, model: str | None) -> int:
    """Billable searches of the web: each different query from Gemini 3 on, one a grounded prompt before."""
    if grounds_by_prompt(model):
        return int(seen.grounded or bool(usage.groundings))
    return seen.searches if usage.groundings is None else usage.groundings


def lookups(seen: ResponseFacts, usage: Usage, model: str | None) -> int:
    """Billable uses of Maps, whose fee is not that of web search: counted in the same way."""
    uses = seen.maps_searches if usage.maps is None else usage.maps
    return int(bool(uses or seen.maps_searches)) if grounds_by_prompt(model) else uses


def are_unknown(seen: ResponseFacts, usage: Usage, model: str | None) -> bool:
    """Whether more was used than is billed: a search that nobody counts, or a tool that we have no fee of."""
    return usage.unclear_uses > 0 or (seen.grounded and not searches(seen, usage, model))
