"""The two sides of a comparison are values."""

from gembill.model import Meter, Modality
from gembill.reconcile.sums import Doubt, Usage


def test_sums_are_compared_by_what_they_say():
    facts = {"model": "m", "service_tier": "standard", "project": None, "meter": Meter.INPUT, "modality": Modality.TEXT}
    flags = {"long": False, "lifted": False, "grounded": False, "edge": 0}
    assert Usage(day=1, quantity=1, cost_pico=2, **facts, **flags) == Usage(
        day=1, quantity=1, cost_pico=2, **facts, **flags
    )
    assert Doubt(day=1, model="m", service_tier="flex", unknown=1, partial=0).unknown == 1
