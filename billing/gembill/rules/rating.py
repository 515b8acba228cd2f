"""A record and a price book give charges.

Owns: which price each reading has, the policies where the documentation leaves a choice, and the flags that say so.
Not here: prices and counting. Invariant: every token of a priced record is in exactly one charge, the charges add
up to the cost, and a record has its whole cost or none: if one reading has no price, it is unpriced and says why.

Grounding is charged at list price; the free allowances (per day or month, for a whole account) cannot be seen in an
answer and are ignored (wire.md 6.5).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from msgspec.structs import replace

from gembill.model import Anomaly, Api, Charge, Execution, Flag, Meter, Modality, Rating, Reading, Record, Status
from gembill.rules import policy_ids
from gembill.rules.policy_ids import ESTIMATED, FREE_TIER, over
from gembill.rules.prices import NoPrice, PriceBook, Tariff

PROVISIONED = "provisioned"  # the tier of prepaid throughput

_NOTHING = Rating()
_UNCOUNTED = Rating(known=False)


class LongContextCounts(StrEnum):
    """What is compared with the long-context threshold."""

    PROMPT = "prompt"  # "prompts > 200k tokens", as documented
    PROMPT_AND_INTERMEDIATE = "prompt_and_intermediate"  # as other price libraries do


class ToolTokensWithGrounding(StrEnum):
    """What intermediate tokens cost in a grounded call, whose counts do not tell search from code."""

    INPUT = "input"  # the input rate, as everywhere
    FREE = "free"  # "retrieved context is not charged"


class ResultsAsOutput(StrEnum):
    """Whether execution results, which the reported output leaves out, are charged as output."""

    REPORTED = "reported"  # what the API counts
    ESTIMATE = "estimate"  # the documentation read literally, with an estimate of their tokens (wire.md 6.1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policies:
    """The choices the documentation leaves open (wire.md 6.1, 6.3 and 6.5) and what an answer does not show.

    A record they decide carries a flag. `free_tier_keys` are names or fingerprints of keys on the free tier: their
    calls cost 0, and each charge still names the price row of its list price.
    """

    long_context_counts: LongContextCounts = LongContextCounts.PROMPT
    tool_tokens_with_grounding: ToolTokensWithGrounding = ToolTokensWithGrounding.INPUT
    results_as_output: ResultsAsOutput = ResultsAsOutput.REPORTED
    free_tier_keys: frozenset[str] = frozenset()


DEFAULT = Policies()


def rate(record: Record, book: PriceBook, policies: Policies = DEFAULT) -> Rating:
    """The charges of a record by the prices in force when the call was received.

    - A call the API refused costs nothing (HTTP errors are not billed, wire.md 1.9).
    - A record without the counts has no cost to know: `known` is False.
    - Prepaid throughput costs 0 at the margin (wire.md 6.4), with the flag `provisioned_throughput`.

    Flags: `long_context_policy` where intermediate tokens would lift the call over a threshold its prompt stays under,
    `tool_tokens_with_grounding` where both occur, `results_as_output` where an estimate was added, `free_tier`.
    """
    if record.status is Status.ERROR:
        return _NOTHING
    if record.readings is None or (record.tokens.input is None and not record.readings):
        unmetered = Anomaly.UNMETERED_SURFACE in record.anomalies
        return _unmetered(record) if unmetered else _UNCOUNTED
    if record.tokens.input is None and not any(reading.quantity for reading in record.readings):
        return _NOTHING  # every picture or film was filtered out
    if record.service_tier == PROVISIONED:
        return _prepaid(record.readings)
    rating = _at_list_price(record, record.readings, book, policies)
    if policies.free_tier_keys and record.key in policies.free_tier_keys:
        return _free(rating, record.readings)
    return rating


def result_tokens(executions: Iterable[Execution]) -> int | None:
    """About how many tokens the results of executions are; None where no result was seen.

    Digits count one token each, other characters four to a token (wire.md 7, check value).
    """
    results = [(one.result_chars, one.result_digits) for one in executions if one.result_chars is not None]
    return sum(digits + -(-(chars - digits) // 4) for chars, digits in results) if results else None


def is_regional(record: Record) -> bool:
    """Whether the call ran on a regional endpoint of Vertex, or one of several regions such as `eu` (wire.md 6.4)."""
    return record.api is Api.VERTEX and record.location not in (None, "global")


def _unmetered(record: Record) -> Rating:
    """A paid call that nobody can count has no price, so that reports and budgets name it as any unpriced call."""
    return Rating(unpriced_reason=f"gembill cannot read yet what a call of {record.operation} used")


def _at_list_price(record: Record, readings: Iterable[Reading], book: PriceBook, policies: Policies) -> Rating:
    tariff = book.tariff(record.model, record.service_tier, record.occurred_us, regional=is_regional(record))
    if isinstance(tariff, NoPrice):
        return Rating(unpriced_reason=tariff.reason)
    prompt_tokens = record.tokens.input or 0
    with_intermediate = prompt_tokens + (record.tokens.intermediate or 0)
    flags: tuple[str, ...] = ()
    if tariff.thresholds and any(prompt_tokens <= size < with_intermediate for size in tariff.thresholds):
        flags = (Flag.LONG_CONTEXT_POLICY,)
        if policies.long_context_counts is LongContextCounts.PROMPT_AND_INTERMEDIATE:
            prompt_tokens = with_intermediate
    free = False
    if _tools_meet_grounding(readings):
        flags += (Flag.TOOL_TOKENS_WITH_GROUNDING,)
        free = policies.tool_tokens_with_grounding is ToolTokensWithGrounding.FREE
    charges = _charges(readings, tariff, prompt_tokens, free_intermediate=free)
    if isinstance(charges, NoPrice):
        return Rating(unpriced_reason=charges.reason, flags=flags)
    rating = Rating(charges=charges, flags=flags)
    if policies.results_as_output is ResultsAsOutput.ESTIMATE and record.executions:
        return _with_results(rating, record.executions, tariff, prompt_tokens)
    return rating


def _charges(
    readings: Iterable[Reading], tariff: Tariff, prompt_tokens: int, *, free_intermediate: bool
) -> tuple[Charge, ...] | NoPrice:
    charges = []
    for reading in readings:
        if not reading.quantity:
            continue
        if free_intermediate and reading.meter is Meter.INTERMEDIATE:
            charges.append(_charge(reading, 0, policy_ids.FREE_TOOL_TOKENS))
            continue
        price = tariff.price(reading.meter, reading.modality, prompt_tokens)
        if isinstance(price, NoPrice):
            return price
        charges.append(_charge(reading, price.unit_pico, price.id))
    return tuple(charges)


def _with_results(rating: Rating, executions: Iterable[Execution], tariff: Tariff, prompt_tokens: int) -> Rating:
    """The rating with a charge for the estimated tokens of results, which are in no count of the record."""
    tokens = result_tokens(executions)
    if not tokens:
        return rating
    price = tariff.price(Meter.OUTPUT, Modality.TEXT, prompt_tokens)
    if isinstance(price, NoPrice):
        return Rating(unpriced_reason=price.reason, flags=rating.flags)
    estimate = _charge(Reading(Meter.OUTPUT, Modality.TEXT, tokens), price.unit_pico, over(ESTIMATED, price.id))
    return replace(rating, charges=(*rating.charges, estimate), flags=(*rating.flags, Flag.RESULTS_AS_OUTPUT))


def _free(rating: Rating, readings: Iterable[Reading]) -> Rating:
    """The rating at no cost. Without a list price the call costs nothing all the same."""
    flags = (*rating.flags, Flag.FREE_TIER)
    if rating.unpriced_reason is not None:
        charges = tuple(_charge(reading, 0, FREE_TIER) for reading in readings if reading.quantity)
        return Rating(charges=charges, flags=flags)
    freed = (replace(charge, unit_pico=0, price_id=over(FREE_TIER, charge.price_id)) for charge in rating.charges)
    return Rating(charges=tuple(freed), flags=flags)


def _prepaid(readings: Iterable[Reading]) -> Rating:
    charges = tuple(_charge(reading, 0, policy_ids.PREPAID) for reading in readings if reading.quantity)
    return Rating(charges=charges, flags=(Flag.PROVISIONED_THROUGHPUT,))


def _charge(reading: Reading, unit_pico: int, price_id: str) -> Charge:
    return Charge(
        meter=reading.meter,
        modality=reading.modality,
        quantity=reading.quantity,
        unit_pico=unit_pico,
        price_id=price_id,
    )


def _tools_meet_grounding(readings: Iterable[Reading]) -> bool:
    meters = [reading.meter for reading in readings if reading.quantity]
    return (Meter.GROUNDING in meters or Meter.MAPS in meters) and Meter.INTERMEDIATE in meters
