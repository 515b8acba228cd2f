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
        (1, "standard"), (2, "provisioned"), (0, None), ("NEW", None), (None, None), ([], None), ({}, None), (1.5, None),
    ],
)  # fmt: skip
def test_traffic_of_vertex_is_a_tier(kind, tier):
    assert tiers.of_traffic(kind) == tier


def test_a_usage_that_names_a_tier_is_believed_before_its_traffic():
    assert tiers.reported("flex", "ON_DEMAND") == "flex"
    assert tiers.reported("auto", "ON_DEMAND_FLEX") == "flex"
    assert tiers.reported(5, "ON_DEMAND") == "standard"
