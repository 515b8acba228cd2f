"""Ids of charges that a policy decides."""

import pytest

from gembill.rules import policy_ids
from gembill.rules.policy_ids import ESTIMATED, FREE_TIER, FREE_TOOL_TOKENS, PREPAID, over

ROW = "gemini-3-flash-preview/output/text/standard/0@2025-12-17"


@pytest.mark.parametrize(
    "price_id", [ROW, over(FREE_TIER, ROW), over(ESTIMATED, ROW), over(FREE_TIER, over(ESTIMATED, ROW))]
)
def test_the_row_behind_the_policies_is_found(price_id):
    assert policy_ids.row_of(price_id) == ROW
    assert policy_ids.is_policy(price_id) is (price_id != ROW)


def test_an_estimate_is_one_also_under_the_free_tier():
    free_estimate = over(FREE_TIER, over(ESTIMATED, ROW))
    assert policy_ids.is_estimate(free_estimate)
    assert policy_ids.is_free_tier(free_estimate)
    assert policy_ids.is_estimate(over(ESTIMATED, ROW))
    assert not policy_ids.is_free_tier(over(ESTIMATED, ROW))
    assert not policy_ids.is_estimate(over(FREE_TIER, ROW))


def test_no_id_is_of_no_policy():
    for question in (policy_ids.is_policy, policy_ids.is_free_tier, policy_ids.is_estimate):
        assert not question(None)
        assert not question(ROW)


@pytest.mark.parametrize(
    ("price_id", "name"),
    [
        (PREPAID, "provisioned_throughput"),
        (FREE_TOOL_TOKENS, "tool_tokens_with_grounding=free"),
        (over(FREE_TIER, ROW), "free_tier"),
    ],
)
def test_the_outermost_policy_has_a_name(price_id, name):
    assert policy_ids.policy_of(price_id) == name
