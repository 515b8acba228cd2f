"""Price rows in force, filtered and written."""

import csv
from collections.abc import Sequence

from gembill.model import Meter, Modality, Price
from gembill.period import instant, zone
from gembill.rules.prices import bundled
from gembill_reports.analysis.price_list import PriceList, price_list
from gembill_reports.layout.sheet import Sheet
from gembill_reports.views.price_list import PriceListView
from gembill_reports.views.view import Format, text
from tests.gembill.pricing import price
from tests.gembill_reports.conftest import Snapshots

SOURCE = "ai.google.dev/gemini-api/docs/pricing as carried by genai-prices 0.2.3 and litellm 1.109.1"
AT = instant("2026-11-21", zone())


def sheet(rows: Sequence[Price]) -> Sheet:
    (only,) = PriceListView(PriceList(AT, tuple(rows))).sheets()
    return only


def test_json_and_csv_hold_the_exact_figures() -> None:
    view = PriceListView(price_list(bundled(), AT, ["gemini-4-argon"], ["standard"]))
    shape = view.json()
    by_id = {row["id"]: row for row in shape["prices"]}
    assert shape["at"] == "2026-11-21T00:00:00-08:00"
    row = by_id["gemini-4-argon/cached_input/text/standard/0@2026-10-13"]
    assert (row["unit_price_usd"], row["usd_per_million"], row["unit"]) == ("0.000000100000", "0.10", "token")
    assert (row["effective_from"], row["effective_to"]) == ("2026-10-13T00:00:00-07:00", "2026-12-01T00:00:00-08:00")
    search = by_id["gemini-4-argon/grounding/text/standard/0@2026-10-13"]
    assert (search["unit_price_usd"], search["usd_per_million"]) == ("0.014000000000", None)
    lines = list(csv.DictReader(text(view, Format.CSV)))
    assert [(one["model"], one["times"]) for one in shape["regional"]] == [("gemini-4-argon", "1.1")]
    assert "Vertex tokens cost 1.1 times as much: gemini-4-argon." in view.sheets()[0].terminal(140)
    assert len(lines) == len(shape["prices"])
    assert lines[0]["unit_price_usd"] == shape["prices"][0]["unit_price_usd"]


def test_the_table_puts_the_same_price_on_one_line() -> None:
    shown = sheet(price_list(bundled(), AT, ["gemini-2.5-flash"], ["standard"]).rows).terminal(160)
    assert "Prices in force on 2026-11-21" in shown
    assert "input, intermediate (text, image, video, document)" in shown
    assert "35.00 /1k" in shown
    assert "25.00 /1k" in shown
    assert "1.00 /1M h" in shown
    assert sum(line.startswith("gemini-2.5-flash") for line in shown.splitlines()) == 8


def test_a_filter_that_fits_nothing_is_said() -> None:
    assert "No price row fits" in sheet([]).terminal(100)


def test_lists_of_prices_look_as_they_did(snapshot: Snapshots) -> None:
    def rows(
        model: str, *meters: Meter, usd: str = "0.30", kinds: Sequence[Modality] = (Modality.TEXT,), **more: object
    ):
        plain = {"effective_from_us": instant("2025-06-17", zone()), "source": SOURCE}
        return [price(usd, meter, model, modality=kind, **{**plain, **more}) for meter in meters for kind in kinds]

    pro, flash, kinds = "gemini-3.1-pro-preview", "gemini-2.5-flash", [*Modality]
    media = [kind for kind in kinds if kind not in (Modality.AUDIO, Modality.OTHER)]
    into, out = (Meter.INPUT, Meter.INTERMEDIATE), (Meter.OUTPUT, Meter.THINKING)
    listed = [
        *rows(flash, *into, usd="0.30", kinds=media),
        *rows(flash, *into, usd="1.00", kinds=[Modality.AUDIO]),
        *rows(flash, *out, usd="2.50"),
        *rows(flash, Meter.GROUNDING, usd="35000"),
        *rows(pro, *into, usd="2", kinds=kinds, effective_to_us=instant("2026-12-01", zone())),
        *rows(pro, *into, usd="4", kinds=kinds, above_prompt_tokens=200_000),
        *rows(pro, Meter.CACHED_INPUT, usd="0.0125", kinds=kinds, service_tier="batch", source="agreed by contract"),
    ]
    snapshot("prices-list", sheet(listed))
    snapshot("prices-list-none", sheet([]))
