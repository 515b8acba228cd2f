"""Counts of tokens by kind of content: text, pictures, sound.

Owns: which tokens of a count are of which kind, and which of a prompt came from a cache. Not here: what the counts are
(`metering`) and prices. Invariant: the count rules, whatever its details claim, so readings add up to it.
"""

from collections.abc import Mapping

from gembill.model import Meter, Modality, Reading
from gembill.wire.token_counts import Usage

_TEXT = frozenset((Modality.TEXT,))


def of_prompt(usage: Usage, cached: int) -> list[Reading]:
    """What was read, and what of it came from a cache: `cached` tokens, at most those of the prompt."""
    prompt = _by_modality(usage.prompt or 0, usage.prompt_details)
    of_cache = _by_modality(cached, usage.cached_details) if usage.cached_details else _first_of(prompt, cached)
    return _listed(Meter.INPUT, _without(prompt, of_cache)) + _listed(Meter.CACHED_INPUT, of_cache)


def of_kinds(meter: Meter, count: int, details: Mapping[Modality, int]) -> list[Reading]:
    """A count of a meter, split as its details say."""
    if count <= 0:
        return []
    if not details or details.keys() == _TEXT:  # nearly every call: the count is all there is to say
        return [Reading(meter, Modality.TEXT, count)]
    return _listed(meter, _by_modality(count, details))


def are_odd(usage: Usage) -> bool:
    """Whether details cannot be those of their counts, or what was cached is not told of a prompt of several kinds.

    Those of a prompt add up to it; of the others they may leave out text (wire.md 9, law 11).
    """
    prompt = usage.prompt_details
    if prompt and sum(prompt.values()) != usage.prompt:
        return True
    if usage.cached and (prompt.keys() - _TEXT and not usage.cached_details):
        return True
    return (
        _exceed(usage.candidates_details, usage.candidates)
        or _exceed(usage.tool_use_details, usage.tool_use)
        or _exceed(usage.cached_details, usage.cached)
    )


def _exceed(details: Mapping[Modality, int], count: int | None) -> bool:
    return bool(details) and sum(details.values()) > (count or 0)


def _listed(meter: Meter, counts: Mapping[Modality, int]) -> list[Reading]:
    return [Reading(meter, modality, counts[modality]) for modality in sorted(counts) if counts[modality]]


def _by_modality(total: int, details: Mapping[Modality, int]) -> dict[Modality, int]:
    """The count by modality: text is what the other modalities leave of it.

    Where one of them claims more than the count, all of it is of that one; several that do are not believed at all.
    """
    counts: dict[Modality, int] = {m: n for m, n in details.items() if n and m is not Modality.TEXT}
    text = total - sum(counts.values())
    if text < 0:
        return {next(iter(counts)) if len(counts) == 1 else Modality.TEXT: total}
    counts[Modality.TEXT] = text
    return counts


def _first_of(counts: Mapping[Modality, int], total: int) -> dict[Modality, int]:
    """So many tokens of these, text before the others: what came from a cache where that is not told by modality."""
    taken: dict[Modality, int] = {}
    for modality in sorted(counts, key=_text_first):
        taken[modality] = min(counts[modality], total - sum(taken.values()))
    return taken


def _without(prompt: Mapping[Modality, int], cached: Mapping[Modality, int]) -> dict[Modality, int]:
    """What of the prompt was not cached. What a modality has cached beyond its own count is taken from text first."""
    rest = {modality: prompt.get(modality, 0) - cached.get(modality, 0) for modality in {*prompt, *cached}}
    missing = -sum(n for n in rest.values() if n < 0)
    rest = {modality: max(n, 0) for modality, n in rest.items()}
    for modality in sorted(rest, key=_text_first):
        taken = min(missing, rest[modality])
        rest[modality] -= taken
        missing -= taken
    return rest


def _text_first(modality: Modality) -> tuple[bool, str]:
    return modality is not Modality.TEXT, modality
