"""Price rows for tests. Owns: one plain row. Invariant: what a test does not say is as in an ordinary text price."""

from typing import Any

from gembill.model import Meter, Modality, Price
from gembill.money import unit_price
from tests.gembill.calls import FLASH


def price(usd: str, meter: Meter = Meter.INPUT, model: str = FLASH, **more: Any) -> Price:
    """A row at a price in dollars per million tokens, in force forever; `more` fields replace its own."""
    plain: dict[str, Any] = {
        "id": f"{model}/{meter}/text/standard/0@launch",
        "modality": Modality.TEXT,
        "service_tier": "standard",
        "above_prompt_tokens": 0,
        "unit_pico": unit_price(usd),
        "effective_from_us": None,
        "effective_to_us": None,
        "source": "test",
        "checked_on": "2026-11-21",
    }
    return Price(model=model, meter=meter, **plain | more)
