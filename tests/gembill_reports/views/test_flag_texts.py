"""Flags and anomalies in plain words."""

import pytest

from gembill.model import Anomaly, Flag
from gembill_reports.views.flag_texts import anomaly, flag


@pytest.mark.parametrize("name", Flag)
def test_every_flag_has_words(name: Flag) -> None:
    assert flag(name).endswith(".")
    assert "no words for" not in flag(name)


@pytest.mark.parametrize("name", Anomaly)
def test_every_anomaly_has_words(name: Anomaly) -> None:
    assert anomaly(name).endswith(".")
    assert "no words for" not in anomaly(name)


def test_a_name_from_a_later_version_is_shown_all_the_same() -> None:
    assert "'brand_new'" in flag("brand_new")
    assert "'brand_new'" in anomaly("brand_new")
