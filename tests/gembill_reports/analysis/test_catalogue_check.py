"""The price list against Google's SKU catalogue: every entry has a verdict."""

import pytest

from gembill.period import instant, zone
from gembill.reconcile.catalogue import CatalogueEntry
from gembill.rules.prices import bundled
from gembill_reports.analysis.catalogue_check import Verdict, check_catalogue

AT = instant("2026-11-28", zone())


@pytest.mark.parametrize(
    ("sku", "nano", "verdict"),
    [
        ("Generate content input token count gemini 3.6 flash audio flex caching", 37, Verdict.AGREES),  # of 37.5
        ("Generate_content text input token count for Gemini 3.5 Flash Flex Caching", 75, Verdict.AGREES),
        ("Generate content search query gemini 2.5 paid one", 35_000_000, Verdict.AGREES),
        ("Generate content output token count gemini robotics er 2 preview text", 10_000, Verdict.DIFFERS),
        ("Generate content search query gemini 3 free", 0, Verdict.FREE),
        ("Gemini ER1.6 Image Input - Online Predictions", 1000, Verdict.UNPRICED),
        ("Gemini Pro Output Tokens", 1500, Verdict.UNKNOWN),
    ],
)
def test_an_entry_has_one_verdict(sku: str, nano: int, verdict: Verdict) -> None:
    check = check_catalogue(bundled(), [CatalogueEntry(sku, nano, "count")], AT)
    (line,) = check.lines
    assert line.verdict is verdict
    assert check.of(verdict) == [line]
    assert (line.reason is None) == (verdict is Verdict.AGREES)
    assert check.in_order == (verdict is not Verdict.DIFFERS)


@pytest.mark.parametrize(
    ("sku", "reason"),
    [
        ("Generate content output token count gemini robotics er 2 preview text", "sources disagree: ours is of a package"),
        (
            "BatchGenerate content output token count gemini 2.5 flash long output text non-thinking",
            "the list has one price for short and long prompts",
        ),
        ("Generate content output token count gemini 3.6 flash text", None),
    ],
)  # fmt: skip
def test_what_is_known_about_a_difference_is_said(sku: str, reason: str | None) -> None:
    (line,) = check_catalogue(bundled(), [CatalogueEntry(sku, 10_000, "count")], AT).lines
    assert (line.verdict, line.reason) == (Verdict.DIFFERS, reason)
