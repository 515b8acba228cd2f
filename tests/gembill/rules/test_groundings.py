"""Uses of tools with a fee: counted by prompt or by query, and said where they are not known."""

import pytest

from gembill.event import ResponseFacts
from gembill.rules.groundings import are_unknown, grounds_by_prompt, lookups, searches
from gembill.wire.token_counts import Usage

NEW, OLD = "gemini-3-flash-preview", "gemini-2.5-flash"


@pytest.mark.parametrize(
    ("model", "by_prompt"),
    [
        ("gemini-2.5-flash", True),
        ("gemini-2.0-flash-lite", True),
        ("gemini-3-flash-preview", False),
        ("gemini-3.1-pro-preview", False),
        ("gemini-4-argon", False),
        ("gemini-10", False),
        ("deep-research", False),
        (None, False),
    ],
)
def test_grounding_is_billed_by_prompt_before_gemini_3_and_by_search_from_then_on(model, by_prompt):
    assert grounds_by_prompt(model) is by_prompt


@pytest.mark.parametrize(
    ("model", "seen", "usage", "web", "maps", "unknown"),
    [
        (NEW, {"grounded": True, "searches": 2}, {}, 2, 0, False),
        (OLD, {"grounded": True, "searches": 2}, {}, 1, 0, False),
        (OLD, {"grounded": True}, {}, 1, 0, False),
        (NEW, {"grounded": True}, {}, 0, 0, True),
        (NEW, {"grounded": True, "searches": 3}, {"groundings": 14}, 14, 0, False),
        (NEW, {"grounded": True}, {"groundings": 0}, 0, 0, True),
        (NEW, {}, {"groundings": 0, "maps": 2}, 0, 2, False),
        (OLD, {}, {"groundings": 5, "maps": 2}, 1, 1, False),
        (NEW, {"maps_searches": 2}, {}, 0, 2, False),
        (NEW, {}, {"groundings": 1, "unclear_uses": 1}, 1, 0, True),
        (NEW, {}, {}, 0, 0, False),
    ],
)
def test_what_is_used_is_counted_or_said_to_be_unknown(model, seen, usage, web, maps, unknown):
    shown, told = ResponseFacts(**seen), Usage(prompt=1, **usage)
    assert (searches(shown, told, model), lookups(shown, told, model)) == (web, maps)
    assert are_unknown(shown, told, model) is unknown
