"""Price rows in force, filtered and written."""

import csv
import json
from collections.abc import Sequence

from gembill.model import Meter, Modality
from gembill.period import instant, zone
from gembill.rules.prices import bundled
from gembill_reports.views import price_list
from tests.gembill.pricing import price
from tests.gembill_reports.conftest import Snapshots

SOURCE = "ai.google.dev/gemini-api/docs/pricing as carried by genai-prices 0.2.3 and litellm 1.109.1"
AT = instant("2026-11-21", zone())


def test_rows_are_those_in_force_then_by_model_and_tier() -> None:
    found = price_list.rows(bundled(), AT, ["gemini-2.5-*"], ["batch"])
    assert {row.service_tier for row in found} == {"batch"}
    assert {row.model for row in found} >= {"gemini-2.5-pro", "gemini-2.5-flash"}
    assert all(row.effective_to_us is None or row.effective_to_us > AT for row in found)
    later = price_list.rows(bundled(), instant("2026-12-01", zone()), ["gemini-4-argon"])
    assert all(row.id.endswith("@2026-12-01") for row in later)


def test_another_name_of_a_model_finds_it() -> None:
    assert {row.model for row in price_list.rows(bundled(), AT, ["gemini-flash-latest"])} == {"gemini-3.8-flash"}


def test_json_and_csv_hold_the_exact_figures() -> None:
    found = price_list.rows(bundled(), AT, ["gemini-4-argon"], ["standard"])
    shape = json.loads(price_list.json_text(found, AT))
    by_id = {row["id"]: row for row in shape["prices"]}
    assert shape["at"] == "2026-11-21T00:00:00-08:00"
    row = by_id["gemini-4-argon/cached_input/text/standard/0@2026-10-13"]
    assert (row["unit_price_usd"], row["usd_per_million"], row["unit"]) == ("0.000000100000", "0.10", "token")
    assert (row["effective_from"], row["effective_to"]) == ("2026-10-13T00:00:00-07:00", "2026-12-01T00:00:00-08:00")
    search = by_id["gemini-4-argon/grounding/text/standard/0@2026-10-13"]
    assert (search["unit_price_usd"], search["usd_per_million"]) == ("0.014000000000", None)
    lines = list(csv.DictReader(price_list.csv_text(found)))
    assert len(lines) == len(shape["prices"])
    assert lines[0]["unit_price_usd"] == shape["prices"][0]["unit_price_usd"]


def test_the_table_puts_the_same_price_on_one_line() -> None:
    found = price_list.rows(bundled(), AT, ["gemini-2.5-flash"], ["standard"])
    text = price_list.sheet(found, AT).terminal(160)
    assert "Prices in force on 2026-11-21" in text
    assert "input, intermediate (text, image, video, document)" in text
    assert "35.00 /1k" in text
    assert sum(line.startswith("gemini-2.5-flash") for line in text.splitlines()) == 6


def test_a_filter_that_fits_nothing_is_said() -> None:
    assert "No price row fits" in price_list.sheet([], AT).terminal(100)


def test_lists_of_prices_look_as_they_did(snapshot: Snapshots) -> None:
    def rows(
        model: str, *meters: Meter, usd: str = "0.30", kinds: Sequence[Modality] = (Modality.TEXT,), **more: object
    ):
        plain = {"effective_from_us": instant("2025-06-17", zone()), "source": SOURCE}
        return [price(usd, meter, model, modality=kind, **{**plain, **more}) for meter in meters for kind in kinds]

    pro, flash, kinds = "gemini-3.1-pro-preview", "gemini-2.5-flash", [*Modality]
    media = [kind for kind in kinds if kind not in (Modality.AUDIO, Modality.OTHER)]
    into, out = (Meter.INPUT, Meter.INTERMEDIATE), (Meter.OUTPUT, Meter.THINKING)
    found = [
        *rows(flash, *into, usd="0.30", kinds=media),
        *rows(flash, *into, usd="1.00", kinds=[Modality.AUDIO]),
        *rows(flash, *out, usd="2.50"),
        *rows(flash, Meter.GROUNDING, usd="35000"),
        *rows(pro, *into, usd="2", kinds=kinds, effective_to_us=instant("2026-12-01", zone())),
        *rows(pro, *into, usd="4", kinds=kinds, above_prompt_tokens=200_000),
        *rows(pro, Meter.CACHED_INPUT, usd="0.0125", kinds=kinds, service_tier="batch", source="agreed by contract"),
    ]
    snapshot("prices-list", price_list.sheet(found, AT))
    snapshot("prices-list-none", price_list.sheet([], AT))
