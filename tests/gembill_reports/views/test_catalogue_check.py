"""A check against the catalogue in its formats."""

import csv
import json

from gembill.period import instant, zone
from gembill.reconcile.catalogue import CatalogueEntry
from gembill.rules.prices import bundled
from gembill_reports.analysis.catalogue_check import check_catalogue
from gembill_reports.views.catalogue_check import CatalogueCheckView
from gembill_reports.views.view import Format, text

ENTRIES = (
    CatalogueEntry("Generate content output token count gemini robotics er 2 preview text", 10_000, "count"),
    CatalogueEntry(
        "BatchGenerate content output token count gemini 2.5 flash long output text non-thinking", 200, "count"
    ),
    CatalogueEntry("Generate content output token count gemini 3.6 flash text", 3750, "count"),
    CatalogueEntry("Generate content search query gemini 3 free", 0, "count"),
    CatalogueEntry("Gemini ER1.6 Image Input - Online Predictions", 1000, "count"),
    CatalogueEntry("Gemini Pro Output Tokens", 1500, "count"),
)
VIEW = CatalogueCheckView(check_catalogue(bundled(), ENTRIES, instant("2026-11-28", zone())))


def test_json_and_csv_have_every_entry_with_both_figures() -> None:
    shape = json.loads("".join(text(VIEW, Format.JSON)))
    assert shape["counts"] == {"differs": 2, "unpriced": 1, "unknown": 1, "free": 1, "agrees": 1}
    assert (shape["in_order"], len(shape["entries"])) == (False, 6)
    first = shape["entries"][0]
    assert (first["model"], first["ours_usd"], first["theirs_usd"]) == (
        "gemini-robotics-er-2", "0.000005000000", "0.000010000000",
    )  # fmt: skip
    assert shape["entries"][5]["reason"] == "no rule reads gemini pro"
    lines = list(csv.DictReader("".join(text(VIEW, Format.CSV)).splitlines()))
    assert [line["verdict"] for line in lines] == [entry["verdict"] for entry in shape["entries"]]


def test_the_table_names_what_differs_what_has_no_price_and_what_is_not_known() -> None:
    differs, unpriced, unknown = (sheet.terminal(200) for sheet in VIEW.sheets())
    assert "output (text), long prompts" in differs
    assert "10.00" in differs
    assert "1 of 6 entries agree; 1 carry a free allowance." in differs
    assert "gemini-3.6-flash" not in differs
    assert "sources disagree: ours is of a package" in differs
    assert "gemini-robotics-er-1.6-preview" in unpriced
    assert "Gemini Pro Output Tokens" in unknown
