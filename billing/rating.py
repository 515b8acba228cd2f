"""A record and a price book give charges.

Owns: which price each reading has, the policies where the documentation leaves a choice, and the flags that say so.
Owns no price and no counting. Invariant: every token of a priced record stands in exactly one charge, the charges add
up to the cost, and a record has its whole cost or none: if one reading has no price, it is unpriced and says why.

Grounding is charged at list price; the free allowances (per day or month, for a whole account) cannot be seen in an
answer and are ignored (gemini-api.md 6.5).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from billing.model import Charge, Meter, Rating, Reading, Record, Status
from billing.pricebook import NoPrice, PriceBook, Tariff

PROVISIONED = "provisioned"  # the tier of prepaid throughput

_NOTHING = Rating()
_UNCOUNTED = Rating(known=False)
_PREPAID = "policy/provisioned_throughput"
_FREE_TOOL_TOKENS = "policy/tool_tokens_with_grounding=free"


class LongContextCounts(StrEnum):
    """What is compared with the long-context threshold."""

    PROMPT = "prompt"  # "prompts > 200k tokens", as documented
    PROMPT_AND_INTERMEDIATE = "prompt_and_intermediate"  # as other price libraries do


class ToolTokensWithGrounding(StrEnum):
    """What intermediate tokens cost in a grounded call, whose counts do not tell search from code."""

    INPUT = "input"  # the input rate, as everywhere
    FREE = "free"  # "retrieved context is not charged"


@dataclass(frozen=True, slots=True, kw_only=True)
class Policies:
    """The choices the documentation leaves open (gemini-api.md 6.3 and 6.5); a record they decide carries a flag."""

    long_context_counts: LongContextCounts = LongContextCounts.PROMPT
    tool_tokens_with_grounding: ToolTokensWithGrounding = ToolTokensWithGrounding.INPUT


DEFAULT = Policies()


def rate(record: Record, book: PriceBook, policies: Policies = DEFAULT) -> Rating:
    """The charges of a record by the prices in force when the call was received.

    - A call the API refused costs nothing (HTTP errors are not billed, gemini-api.md 1.9).
    - A record without the counts has no cost to know: `known` is False.
    - Prepaid throughput costs 0 at the margin (gemini-api.md 6.4), with the flag `provisioned_throughput`.

    Flags: `long_context_policy` where intermediate tokens would lift the call over a threshold its prompt stays under,
    `tool_tokens_with_grounding` where both occur.
    """
    prompt_tokens = record.tokens.input
    if record.status is Status.ERROR:
        return _NOTHING
    if record.readings is None or prompt_tokens is None:
        return _UNCOUNTED
    if record.service_tier == PROVISIONED:
        return _prepaid(record.readings)
    tariff = book.tariff(record.model, record.service_tier, record.occurred_us)
    if isinstance(tariff, NoPrice):
        return Rating(unpriced_reason=tariff.reason)
    with_intermediate = prompt_tokens + (record.tokens.intermediate or 0)
    flags: tuple[str, ...] = ()
    if tariff.thresholds and any(prompt_tokens <= size < with_intermediate for size in tariff.thresholds):
        flags = ("long_context_policy",)
        if policies.long_context_counts is LongContextCounts.PROMPT_AND_INTERMEDIATE:
            prompt_tokens = with_intermediate
    free = False
    if _tools_meet_grounding(record.readings):
        flags += ("tool_tokens_with_grounding",)
        free = policies.tool_tokens_with_grounding is ToolTokensWithGrounding.FREE
    charges = _charges(record.readings, tariff, prompt_tokens, free_intermediate=free)
    if isinstance(charges, NoPrice):
        return Rating(unpriced_reason=charges.reason, flags=flags)
    return Rating(charges=charges, flags=flags)


def _charges(
    readings: Iterable[Reading], tariff: Tariff, prompt_tokens: int, *, free_intermediate: bool
) -> tuple[Charge, ...] | NoPrice:
    charges = []
    for reading in readings:
        if not reading.quantity:
            continue
        if free_intermediate and reading.meter is Meter.INTERMEDIATE:
            charges.append(_charge(reading, 0, _FREE_TOOL_TOKENS))
            continue
        price = tariff.price(reading.meter, reading.modality, prompt_tokens)
        if isinstance(price, NoPrice):
            return price
        charges.append(_charge(reading, price.unit_pico, price.id))
    return tuple(charges)


def _prepaid(readings: Iterable[Reading]) -> Rating:
    charges = tuple(_charge(reading, 0, _PREPAID) for reading in readings if reading.quantity)
    return Rating(charges=charges, flags=("provisioned_throughput",))


def _charge(reading: Reading, unit_pico: int, price_id: str) -> Charge:
    return Charge(
        meter=reading.meter,
        modality=reading.modality,
        quantity=reading.quantity,
        unit_pico=unit_pico,
        price_id=price_id,
    )


def _tools_meet_grounding(readings: Iterable[Reading]) -> bool:
    meters = {reading.meter for reading in readings if reading.quantity}
    return Meter.GROUNDING in meters and Meter.INTERMEDIATE in meters
