"""The bundled price list against the genai-prices package, row by row, with each disagreement named.

genai-prices is an oracle here; under `billing` only `gembill prices sync` imports it.
"""

import re
import tomllib
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from importlib.resources import files
from pathlib import Path
from typing import Any

from genai_prices import data
from genai_prices.types import ModelInfo, ModelPrice, TieredPrices

import gembill
from gembill.model import Meter, Modality, Price
from gembill.rules.prices import bundled

GOOGLE = next(provider for provider in data.providers if provider.id == "google")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TEXT = files("gembill").joinpath("prices.toml").read_text(encoding="utf-8")
CHECKED = datetime(2026, 11, 21, tzinfo=UTC)
KEYS = {  # our meter and kind -> the oracle's price, and what it falls back to
    (Meter.INPUT, Modality.TEXT): ("input_mtok",),
    (Meter.INPUT, Modality.DOCUMENT): ("input_mtok",),
    (Meter.INPUT, Modality.IMAGE): ("input_image_mtok", "input_mtok"),
    (Meter.INPUT, Modality.VIDEO): ("input_video_mtok", "input_mtok"),
    (Meter.INPUT, Modality.AUDIO): ("input_audio_mtok", "input_mtok"),
    (Meter.CACHED_INPUT, Modality.TEXT): ("cache_read_mtok",),
    (Meter.CACHED_INPUT, Modality.DOCUMENT): ("cache_read_mtok",),
    (Meter.CACHED_INPUT, Modality.IMAGE): ("cache_read_mtok",),
    (Meter.CACHED_INPUT, Modality.VIDEO): ("cache_read_mtok",),
    (Meter.CACHED_INPUT, Modality.AUDIO): ("cache_audio_read_mtok", "cache_read_mtok"),
    (Meter.OUTPUT, Modality.TEXT): ("output_mtok",),
    (Meter.OUTPUT, Modality.IMAGE): ("output_image_mtok",),
    (Meter.OUTPUT, Modality.VIDEO): ("output_video_mtok",),
    (Meter.OUTPUT, Modality.AUDIO): ("output_audio_mtok", "output_mtok"),
    (Meter.GROUNDING, Modality.TEXT): ("web_searches_kcount",),
}
BORROWED = {Meter.INTERMEDIATE: Meter.INPUT, Meter.THINKING: Meter.OUTPUT}

# Where we carry a price and the oracle carries none or another. Any row not listed must agree to the last digit.
NO_MODEL = {
    "gemini-4-carbon",
    "gemini-4-hydrogen",
    "gemini-4-neon",  # newer than the package; transcriptions of the page (wire.md 6.3)
    "gemini-3.5-transcribe",
    "gemini-omni-1.2-flash",
    "imagen-3.0-generate-001",
    "imagen-3.0-fast-generate-001",
    "virtual-try-on-001",
    "veo-3.1-generate-preview",
    "veo-3.1-fast-generate-preview",
    "veo-3.1-lite-generate-preview",
    "veo-3.0-generate-001",
    "veo-3.0-fast-generate-001",
    "veo-2.0-generate-001",  # litellm 1.110.2 only; the package has no pictures and no film
    "deep-research-preview-04-2026",
    "deep-research-pro-preview-12-2025",  # agents; litellm 1.109.1 only
}
NO_TIER_VARIANT = {  # the oracle would answer with the standard price, twice or 0.56 times what is billed (wire.md 6.6)
    "flex": "no flex prices for these models in the package; litellm and Google's rule of one half",
    "priority": "no priority prices for these models in the package; litellm, 1.8 times standard",
}
NO_BATCH = {
    "gemini-3.7-flash",  # litellm has it
    "gemini-embedding-001",  # likewise
    "gemini-3.5-flash",  # litellm has it
    "gemini-robotics-er-2",  # litellm has it
    "gemini-3-pro-preview",  # shut down before 2026-10-14, where the package's batch prices begin; Google's rule
    "gemini-2.0-flash",  # likewise
    "gemini-2.5-flash-image",  # likewise
}
NO_METER = {Meter.MAPS, Meter.STORAGE}  # the package has no such prices
OTHER_SOURCES = ("invoice", "catalogue", "vertex-2", "litellm-2")  # who say what the package does not, or otherwise
OTHERS = {tomllib.loads(TEXT)["sources"][name] for name in OTHER_SOURCES}
ROUNDED = {  # the page rounds these, and one is billed otherwise than the page says
    ("gemini-3.5-flash-lite", "batch", Meter.CACHED_INPUT),
    ("gemini-3.5-flash-lite", "flex", Meter.CACHED_INPUT),
    ("gemini-3.5-flash", "flex", Meter.CACHED_INPUT),
    ("gemini-3.7-flash", "batch", Meter.CACHED_INPUT),
}
BATCH_BEFORE_2026_10_14 = {  # blocks that ended before the package's batch prices begin; the same figures as later
    ("gemini-3-flash-preview", "2025-12-17"),
    ("gemini-3-pro-image", "2025-11-20"),
}


def _oracle(name: str) -> ModelInfo | None:
    names = [name, *(alias.pattern for alias in bundled().aliases if alias.model == name and "#" not in alias.pattern)]
    return next((model for n in names for model in GOOGLE.models if model.is_match(n)), None)


def _then(row: Price, *, batch: bool) -> datetime:
    """A moment at which the row is in force and, for batch, the oracle's batch prices as well.

    Two days after the start: the oracle changes prices at midnight UTC, Google's calendar is US Pacific.
    """
    start = CHECKED if row.effective_from_us is None else EPOCH + timedelta(microseconds=row.effective_from_us, days=2)
    return max(start, datetime(2026, 10, 20, tzinfo=UTC)) if batch else start


def _in_force(row: Price, at: datetime) -> bool:
    return row.effective_to_us is None or at < EPOCH + timedelta(microseconds=row.effective_to_us)


def _figure(prices: ModelPrice, row: Price) -> Decimal | None:
    """The oracle's price for the row, dollars per million tokens or per thousand searches."""
    meter = BORROWED.get(row.meter, row.meter)
    figure: Any = next((v for key in KEYS[meter, row.modality] if (v := getattr(prices, key)) is not None), None)
    if isinstance(figure, TieredPrices):
        assert [tier.start for tier in figure.tiers] == [200_000]
        return figure.tiers[0].price if row.above_prompt_tokens == 200_000 else figure.base
    assert row.above_prompt_tokens == 0
    return figure  # type: ignore[no-any-return]


def _has_tier(model: ModelInfo, tier: str) -> bool:
    return any(variant.when == {"service_tier": tier} for variant in model.price_variants or ())


def _exception(row: Price, model: ModelInfo) -> str | None:
    """The name of what the oracle does not have, or None where it should agree."""
    if row.meter in NO_METER:
        return "no meter"
    if row.source in OTHERS:
        return "another source"
    if row.service_tier in NO_TIER_VARIANT and not _has_tier(model, row.service_tier):
        return f"no {row.service_tier}"
    if row.service_tier == "batch" and row.meter is not Meter.GROUNDING and not model.price_variants:
        return "no batch"
    return None


def _verdict(row: Price) -> str:
    """`agrees`, the name of a known disagreement, or what disagrees."""
    model = _oracle(row.model)
    if model is None:
        return "no model"
    exception = _exception(row, model)
    if exception is not None:
        return exception
    batch = row.service_tier == "batch"
    at = _then(row, batch=batch)
    if not _in_force(row, at):
        return "batch began later"
    context = {"processing": "batch"} if batch else {"service_tier": row.service_tier}
    figure = _figure(model.get_prices(at, context), row)
    ours = Decimal(row.unit_pico) / (10**9 if row.meter is Meter.GROUNDING else 10**6)
    if figure is None and ours == 0:
        return "agrees"  # a free model has no prices there
    return "agrees" if figure == ours else f"DISAGREES: {row.id} is {ours}, genai-prices says {figure}"


def test_every_bundled_row_agrees_with_the_oracle_or_is_a_named_exception() -> None:
    verdicts: dict[str, list[Price]] = defaultdict(list)
    for row in bundled().rows:
        verdicts[_verdict(row)].append(row)
    assert len(verdicts.pop("agrees")) > 700
    assert {row.model for row in verdicts.pop("no model")} == NO_MODEL
    assert verdicts.pop("no meter")
    assert {(row.model, row.service_tier, row.meter) for row in verdicts.pop("another source")} >= ROUNDED
    assert verdicts.pop("no flex")
    assert verdicts.pop("no priority")
    assert {row.model for row in verdicts.pop("no batch")} == NO_BATCH
    late = {(row.model, row.id.rpartition("@")[2]) for row in verdicts.pop("batch began later")}
    assert late == BATCH_BEFORE_2026_10_14
    assert list(verdicts) == []


def test_the_oracle_has_no_price_that_we_leave_out() -> None:
    """For each model of ours and each standard price of the oracle in force on the day of the check."""
    missing = set()
    for name in {row.model for row in bundled().rows} - NO_MODEL:
        model = _oracle(name)
        assert model is not None
        for (meter, kind), keys in KEYS.items():
            if getattr(model.get_prices(CHECKED), keys[0]) is not None and not _have(name, meter, kind):
                missing.add((name, meter.value, kind.value))
    assert missing == set()


def _have(model: str, meter: Meter, kind: Modality) -> bool:
    at_us = int(CHECKED.timestamp()) * 10**6
    price = bundled().price(model, meter, kind, service_tier="standard", prompt_tokens=1, at_us=at_us)
    return isinstance(price, Price)


def test_changes_announced_by_the_oracle_are_ours_too_on_the_same_day() -> None:
    for name in {row.model for row in bundled().rows} - NO_MODEL:
        model = _oracle(name)
        assert model is not None
        theirs = {
            str(price.constraint.start_date)  # type: ignore[union-attr]
            for price in (model.prices if isinstance(model.prices, list) else [])
            if price.constraint is not None
        }
        ours = {row.id.rpartition("@")[2] for row in bundled().rows if row.model == name}
        assert theirs <= ours, name


def test_the_models_of_the_facts_are_all_there() -> None:
    models = {row.model for row in bundled().rows}
    wanted = """gemini-4-argon gemini-4-carbon gemini-4-neon gemini-4-hydrogen gemini-3.8-flash gemini-3.7-flash
        gemini-3.6-flash gemini-3.5-flash gemini-3.5-flash-lite gemini-3.1-pro-preview gemini-3-pro-preview
        gemini-3.1-flash-lite gemini-3-flash-preview gemini-2.5-pro gemini-2.5-flash gemini-2.5-flash-lite
        gemini-2.0-flash gemini-robotics-er-2 gemini-3-pro-image gemini-3.1-flash-image gemini-3.1-flash-lite-image
        gemini-nano-banana-2.1 gemini-2.5-flash-image gemma-4-31b-it gemma-4-26b-a4b-it"""
    assert set(wanted.split()) <= models


def test_only_the_command_that_compares_with_it_imports_the_oracle() -> None:
    modules = list(Path(gembill.__file__).parent.rglob("*.py"))
    assert len(modules) > 10
    importing = re.compile(r"^\s*(import|from) genai_prices", re.MULTILINE)
    guilty = [file.name for file in modules if importing.search(file.read_text(encoding="utf-8"))]
    assert guilty == ["genai_prices.py"]


def test_the_list_is_read_once_for_a_process() -> None:
    assert bundled() is bundled()
