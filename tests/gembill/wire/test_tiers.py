"""Words for tiers: any case and prefix, OpenAI's own ones, and Vertex's traffic types."""

import pytest

from gembill.wire import tiers


@pytest.mark.parametrize(
    ("name", "tier"),
    [
        (None, None), ("", None), ("auto", None), ("AUTO", None), ("SERVICE_TIER_UNSPECIFIED", None), ("service_tier_auto", None),
        ("default", "standard"), ("Default", "standard"), ("SERVICE_TIER_STANDARD", "standard"), ("standard", "standard"),
        ("SERVICE_TIER_FLEX", "flex"), ("Flex ", "flex"), ("priority", "priority"), ("scale", "scale"),
    ],
)  # fmt: skip
def test_a_word_for_a_tier_means_the_same_in_any_spelling(name, tier):
    assert tiers.tier(name) == tier


@pytest.mark.parametrize(
    ("kind", "tier"),
    [
        ("ON_DEMAND", "standard"), ("on_demand_flex", "flex"), ("ON_DEMAND_PRIORITY", "priority"), ("PROVISIONED_THROUGHPUT", "provisioned"),
        (1, "standard"), (2, "provisioned"), (0, None), (None, None), ([], None), ({}, None), (1.5, None), (True, None),
        ("TRAFFIC_TYPE_UNSPECIFIED", None), (" ", None), ("FLEX", "flex"), ("on_demand_turbo", "turbo"), ("SPOT", "spot"), (7, "traffic_7"), ("\0", None),
    ],
)  # fmt: skip
def test_traffic_of_vertex_is_a_tier(kind, tier):
    assert tiers.of_traffic(kind) == tier


def test_a_usage_that_names_a_tier_is_believed_before_its_traffic():
    assert tiers.reported("flex", "ON_DEMAND") == "flex"
    assert tiers.reported("auto", "ON_DEMAND_FLEX") == "flex"
    assert tiers.reported(5, "ON_DEMAND") == "standard"


@pytest.mark.parametrize(
    ("usage", "named"),
    [
        (b'{"serviceTier": "flex"}', True),
        (b'{"service_tier": "flex"}', True),
        (b'{"trafficType": "ON_DEMAND"}', True),
        (b'{"extra_properties": {"google": {"traffic_type": 1}}}', True),
        (rb'{"ser\u0076iceTier": "flex"}', True),
        (b'{"promptTokenCount": 3, "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 3}]}', False),
        (b'{"prompt_tokens": 3, "completion_tokens_details": {"reasoning_tokens": 2}}', False),
    ],
)
def test_a_usage_that_may_name_its_tier_is_told_from_one_that_does_not(usage, named):
    assert tiers.may_be_named(usage) is named
