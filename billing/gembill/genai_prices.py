"""What the genai-prices package says, in our terms.

Owns: reading the package, which is imported here and nowhere else, and only for `gembill prices sync`. It is not among
the rules, which are pure: what a package of others says changes with its version. Not here: the comparison
(`gembill.rules.prices.difference`). Invariant: figures are exact; a price the package has under conditions we cannot
follow is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from gembill.errors import ConfigurationError
from gembill.model import Meter, Modality
from gembill.period import Unit, containing, local, zone
from gembill.rules.prices import PriceBook
from gembill.rules.prices.book import PriceKey
from gembill.rules.prices.difference import ExternalPrice

_HOW = "python -m pip install genai-prices"
_OURS = ("gemini-", "gemma-")
_KEYS = {  # our meter and kind -> the package's price, and what it falls back to
    (Meter.INPUT, Modality.TEXT): ("input_mtok",),
    (Meter.INPUT, Modality.IMAGE): ("input_image_mtok", "input_mtok"),
    (Meter.INPUT, Modality.VIDEO): ("input_video_mtok", "input_mtok"),
    (Meter.INPUT, Modality.DOCUMENT): ("input_mtok",),
    (Meter.INPUT, Modality.AUDIO): ("input_audio_mtok", "input_mtok"),
    (Meter.CACHED_INPUT, Modality.TEXT): ("cache_read_mtok",),
    (Meter.CACHED_INPUT, Modality.IMAGE): ("cache_image_read_mtok", "cache_read_mtok"),
    (Meter.CACHED_INPUT, Modality.VIDEO): ("cache_video_read_mtok", "cache_read_mtok"),
    (Meter.CACHED_INPUT, Modality.DOCUMENT): ("cache_read_mtok",),
    (Meter.CACHED_INPUT, Modality.AUDIO): ("cache_audio_read_mtok", "cache_read_mtok"),
    (Meter.OUTPUT, Modality.TEXT): ("output_mtok",),
    (Meter.OUTPUT, Modality.IMAGE): ("output_image_mtok",),
    (Meter.GROUNDING, Modality.TEXT): ("web_searches_kcount",),
}
_BORROWERS = {(Meter.INPUT): Meter.INTERMEDIATE, Meter.OUTPUT: Meter.THINKING}
_BATCH = {"processing": "batch"}


def version() -> str:
    """The package's version; ConfigurationError, saying how to get it, where it is not installed."""
    try:
        from genai_prices import __version__
    except ImportError:
        raise ConfigurationError(
            f"the genai-prices package is not installed; `{_HOW}` in gembill's environment gets it"
        ) from None
    return str(__version__)


def external_prices(book: PriceBook, now_us: int) -> list[ExternalPrice]:
    """What the package says of Google's models: from today, and from each day to come on which it or ours changes.

    A model is called as we call it; one that we do not have is called by the package's id and holds since its launch.
    """
    from genai_prices import data

    google = next(provider for provider in data.providers if provider.id == "google")
    today = containing(Unit.DAY, now_us, zone()).start_us
    assert today is not None
    prices: list[ExternalPrice] = []
    for name, model in _models(book, google.models, now_us):
        known = bool(book.tiers(name))
        for at_us in _instants(book, name, model, today):
            start = at_us if known or at_us > today else None
            prices += _tiers(name, model, at_us, start)
    return prices


def _models(book: PriceBook, models: Iterable[Any], now_us: int) -> Iterator[tuple[str, Any]]:
    """Our names with the package's model, then the models of the package that we do not have."""
    all_models = list(models)
    matched: set[str] = set()
    for name in book.models:
        names = [name, *(alias.pattern for alias in book.aliases if alias.model == name and "#" not in alias.pattern)]
        model = next((one for n in names for one in all_models if one.is_match(n)), None)
        if model is not None:
            matched.add(model.id)
            yield name, model
    for model in all_models:
        new = model.id not in matched and book.stands_for(model.id, now_us) is None
        if new and model.id.startswith(_OURS):
            yield model.id, model


def _instants(book: PriceBook, name: str, model: Any, today: int) -> list[int]:  # noqa: ANN401
    days = {one.constraint.start_date for one in _dated(model)}
    theirs = {_midnight(day) for day in days}
    ours = {at for tier in book.tiers(name) for at in book.changes(name, tier)}
    return [today, *sorted(at for at in theirs | ours if at > today)]


def _dated(model: Any) -> Iterator[Any]:  # noqa: ANN401
    """The prices and variants that begin on a day."""
    prices = model.prices if isinstance(model.prices, list) else []
    yield from (one for one in (*prices, *(model.price_variants or ())) if hasattr(one.constraint, "start_date"))


def _tiers(name: str, model: Any, at_us: int, start_us: int | None) -> Iterator[ExternalPrice]:  # noqa: ANN401
    day = local(at_us, zone()).date()
    when = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)  # the package's days are UTC's, ours US Pacific
    yield _external_price(name, "standard", start_us, model.get_prices(when))
    batch = [one for one in model.price_variants or () if one.when == _BATCH]
    if any(one.constraint is None or one.constraint.active(when) for one in batch):
        yield _external_price(name, "batch", start_us, model.get_prices(when, _BATCH))


def _external_price(name: str, tier: str, start_us: int | None, prices: Any) -> ExternalPrice:  # noqa: ANN401
    figures: dict[PriceKey, int] = {}
    implied: set[PriceKey] = set()
    for (meter, kind), keys in _KEYS.items():
        key = next((key for key in keys if getattr(prices, key, None) is not None), None)
        if key is None:
            continue
        for above, pico in _by_size(getattr(prices, key), meter):
            borrower = _BORROWERS.get(meter) if kind is not Modality.IMAGE or meter is Meter.INPUT else None
            priced = [(m, kind, above) for m in (meter, borrower) if m is not None]
            figures |= dict.fromkeys(priced, pico)
            implied |= set(priced) if key != keys[0] or kind is Modality.DOCUMENT else set()
    return ExternalPrice(model=name, service_tier=tier, start_us=start_us, prices=figures, implied=frozenset(implied))


def _by_size(price: Any, meter: Meter) -> Iterator[tuple[int, int]]:  # noqa: ANN401
    """Pico-dollars for one by prompt size above which they hold."""
    if isinstance(price, Decimal):
        yield 0, _pico(price, meter)
        return
    yield 0, _pico(price.base, meter)
    for tier in price.tiers:
        yield tier.start, _pico(tier.price, meter)


def _pico(price: Decimal, meter: Meter) -> int:
    """Quoted for a million tokens, or for a thousand searches."""
    pico = price * (10**9 if meter is Meter.GROUNDING else 10**6)
    if pico != pico.to_integral_value():
        raise ConfigurationError(f"genai-prices has the price {price}, which is finer than a micro-dollar per million")
    return int(pico)


def _midnight(day: Any) -> int:  # noqa: ANN401
    noon = datetime(day.year, day.month, day.day, 20, tzinfo=UTC)  # noon or one o'clock US Pacific
    at_us = (noon - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    start = containing(Unit.DAY, at_us, zone()).start_us
    assert start is not None
    return start
