"""The price that an SKU has in a price list.

Owns: which row of a book an SKU means, also where Google bills by generation, and what one name meant earlier. Not
here: the words of an SKU (`sku`) and prices (`gembill.rules.prices`). Invariant: an SKU whose row cannot be named has
no price and a sentence why; a free allowance has none.
"""

from gembill.model import Modality, Price
from gembill.reconcile.sku import Band, Sku
from gembill.rules.prices import NoPrice, PriceBook

_GENERATIONS = {  # fees are charged by generation: a model that has the fee of its generation
    "gemini-3": "gemini-3-flash-preview",
    "gemini-2.5": "gemini-2.5-flash",
}
_BEFORE = {"gemini-3.1-pro-preview": "gemini-3-pro-preview"}  # what a name on the bill meant until the other came
LONG_PROMPT = 200_001  # tokens of a prompt above every threshold there is


def price_of(book: PriceBook, sku: Sku, at_us: int) -> Price | NoPrice:
    """The row in force at an instant for what an SKU bills, or why there is none."""
    if sku.free:
        return NoPrice("it carries the free allowance, at no price")
    if sku.meter is None or sku.model is None:
        return NoPrice("it names no model" if sku.model is None else "no meter of ours counts it")
    model = generation_model(sku.model)
    price = _price(book, model, sku, at_us)
    if isinstance(price, NoPrice) and model in _BEFORE:
        earlier = _price(book, _BEFORE[model], sku, at_us)
        return price if isinstance(earlier, NoPrice) else earlier
    return price


def generation_model(model: str) -> str:
    """A model that has the fees of a generation; any other model is itself."""
    return _GENERATIONS.get(model, model)


def _price(book: PriceBook, model: str, sku: Sku, at_us: int) -> Price | NoPrice:
    assert sku.meter is not None
    kind = sku.kind if sku.meter.unit == "tokens" else Modality.TEXT  # storage has one price for all kinds of content
    return book.price(
        model,
        sku.meter,
        kind,
        service_tier=sku.tier,
        prompt_tokens=LONG_PROMPT if sku.band is Band.LONG else 0,
        at_us=at_us,
    )
