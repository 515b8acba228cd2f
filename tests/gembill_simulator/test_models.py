"""The list of models."""

from gembill_simulator.models import MODELS


def test_every_alias_is_served_by_a_model_of_the_list_and_re_routed_names_differ() -> None:
    assert all(model.served in MODELS for model in MODELS.values())
    assert MODELS["gemini-3.5-flash"].served == "gemini-3.6-flash"
    assert MODELS["gemini-flash-latest"].served == "gemini-3.8-flash"


def test_counts_reset_from_generation_3_on() -> None:
    assert not MODELS["gemini-2.5-pro"].resets
    assert MODELS["gemini-3-flash-preview"].resets
    assert MODELS["gemini-4-argon"].resets
