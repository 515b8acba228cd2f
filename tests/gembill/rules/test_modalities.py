"""Counts by kind of content: the count rules, and what cannot be is said."""

import pytest

from gembill.model import Meter, Modality, Reading
from gembill.rules.modalities import are_odd, of_kinds, of_prompt
from gembill.wire.token_counts import Usage

AUDIO, IMAGE, TEXT, VIDEO = Modality.AUDIO, Modality.IMAGE, Modality.TEXT, Modality.VIDEO


def split(count, details):
    return {reading.modality: reading.quantity for reading in of_kinds(Meter.OUTPUT, count, details)}


@pytest.mark.parametrize(
    ("count", "details", "kinds"),
    [
        (0, {IMAGE: 5}, {}),
        (10, {}, {TEXT: 10}),
        (10, {TEXT: 4}, {TEXT: 10}),
        (10, {IMAGE: 7}, {IMAGE: 7, TEXT: 3}),
        (10, {IMAGE: 10, TEXT: 0}, {IMAGE: 10}),
        (10, {IMAGE: 11}, {IMAGE: 10}),
        (10, {AUDIO: 12, TEXT: 3, IMAGE: 0}, {AUDIO: 10}),
        (10, {AUDIO: 6, IMAGE: 6}, {TEXT: 10}),
    ],
)
def test_a_count_is_all_of_the_one_kind_that_claims_more_than_it(count, details, kinds):
    assert split(count, details) == kinds
    assert sum(kinds.values()) == count


def test_image_output_leaves_the_rest_of_the_candidates_as_text():
    assert of_kinds(Meter.OUTPUT, 1430, {IMAGE: 1120}) == [
        Reading(Meter.OUTPUT, IMAGE, 1120),
        Reading(Meter.OUTPUT, TEXT, 1430 - 1120),
    ]


@pytest.mark.parametrize(
    ("prompt_details", "cached_details", "fresh", "cached"),
    [
        ({AUDIO: 90, TEXT: 10}, {AUDIO: 75, TEXT: 5}, {AUDIO: 15, TEXT: 5}, {AUDIO: 75, TEXT: 5}),
        ({AUDIO: 90, TEXT: 10}, {}, {AUDIO: 20}, {AUDIO: 70, TEXT: 10}),
        ({AUDIO: 100}, {}, {AUDIO: 20}, {AUDIO: 80}),
        ({AUDIO: 30, VIDEO: 60, TEXT: 10}, {}, {VIDEO: 20}, {AUDIO: 30, VIDEO: 40, TEXT: 10}),
        ({TEXT: 100}, {}, {TEXT: 20}, {TEXT: 80}),
        ({}, {}, {TEXT: 20}, {TEXT: 80}),
        ({AUDIO: 90, TEXT: 10}, {TEXT: 80}, {AUDIO: 20}, {TEXT: 80}),
    ],
)
def test_what_came_from_a_cache_is_text_first_where_its_kinds_are_not_told(
    prompt_details, cached_details, fresh, cached
):
    usage = Usage(prompt=100, cached=80, prompt_details=prompt_details, cached_details=cached_details)
    assert set(of_prompt(usage, 80)) == {
        *(Reading(Meter.INPUT, kind, count) for kind, count in fresh.items()),
        *(Reading(Meter.CACHED_INPUT, kind, count) for kind, count in cached.items()),
    }


@pytest.mark.parametrize(
    ("usage", "odd"),
    [
        (Usage(prompt=10), False),
        (Usage(prompt=10, prompt_details={TEXT: 10}), False),
        (Usage(prompt=10, prompt_details={TEXT: 9}), True),
        (Usage(prompt=10, cached=5, prompt_details={TEXT: 10}), False),
        (Usage(prompt=10, cached=5, prompt_details={TEXT: 1, AUDIO: 9}), True),
        (Usage(prompt=10, prompt_details={TEXT: 1, AUDIO: 9}), False),
        (Usage(prompt=10, cached=5, prompt_details={AUDIO: 10}, cached_details={AUDIO: 5}), False),
        (Usage(prompt=10, cached=5, cached_details={TEXT: 6}), True),
        (Usage(prompt=10, candidates=9, candidates_details={IMAGE: 8}), False),
        (Usage(prompt=10, candidates=9, candidates_details={IMAGE: 10}), True),
        (Usage(prompt=10, candidates_details={IMAGE: 1}), True),
        (Usage(prompt=10, tool_use=3, tool_use_details={TEXT: 4}), True),
        (Usage(prompt=10, tool_use=3, tool_use_details={TEXT: 2}), False),
    ],
)
def test_details_that_cannot_be_those_of_their_counts_are_odd(usage, odd):
    assert are_odd(usage) is odd
