"""Flags and anomalies in plain words."""

import pytest

from gembill_reports.views.flag_texts import anomaly, flag


@pytest.mark.parametrize("name", ["incomplete", "long_context_policy", "tool_tokens_with_grounding"])
def test_every_flag_of_the_contract_has_words(name: str) -> None:
    assert flag(name).endswith(".")
    assert "no words for" not in flag(name)


@pytest.mark.parametrize(
    "name", ["total_mismatch", "usage_incomplete", "invalid_usage", "labels_cut", "recorder_stopped"]
)
def test_every_anomaly_of_the_contract_has_words(name: str) -> None:
    assert "no words for" not in anomaly(name)


def test_a_name_from_a_later_version_is_shown_all_the_same() -> None:
    assert "'brand_new'" in flag("brand_new")
    assert "'brand_new'" in anomaly("brand_new")
