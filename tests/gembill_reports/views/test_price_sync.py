"""Where other people's prices differ, as `gembill prices sync` shows it."""

from gembill.model import Meter, Modality
from gembill.money import unit_price
from gembill.period import instant, zone
from gembill.rules.prices.difference import PriceDifference
from gembill_reports.views.price_sync import sheets
from tests.gembill_reports.conftest import Snapshots


def test_other_peoples_prices_look_as_they_did(snapshot: Snapshots) -> None:
    def other(
        model: str, meter: Meter, theirs: str, ours: str | None = None, *, tier: str = "standard", above: int = 0
    ):
        figures = [None if usd is None else unit_price(usd) for usd in (ours, theirs)]
        start = instant("2026-12-01", zone()) if above else None
        key = (meter, Modality.TEXT, above)
        return PriceDifference(
            model=model, service_tier=tier, key=key, start_us=start, ours=figures[0], theirs=figures[1] or 0
        )

    differing = [
        other("gemini-3.1-pro-preview", Meter.INPUT, "2.25", "2.00"),
        other("gemini-3.1-pro-preview", Meter.INPUT, "4.50", "4.00", above=200_000),
        other("gemini-3.1-pro-preview", Meter.GROUNDING, "35000", "14000"),
        other("gemini-2.0-flash-lite", Meter.INPUT, "0.075"),
        other("gemini-2.0-flash-lite", Meter.OUTPUT, "0.30"),
        other("gemini-2.0-flash-lite", Meter.OUTPUT, "0.15", tier="batch"),
    ]
    snapshot("prices-sync", *sheets(differing, "0.2.3"))
    snapshot("prices-sync-nothing", *sheets([], "0.2.3"))
