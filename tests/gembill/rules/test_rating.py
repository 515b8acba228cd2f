"""Charges of a record: the reference cases of wire.md 6.8 to the last digit, the policies, and what has no price."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from gembill.model import Api, Meter, Modality, Operation, Price, Rating, Reading, Record, Status, Tokens
from gembill.money import parse_usd
from gembill.rules.prices import bundled, parse
from gembill.rules.rating import LongContextCounts, Policies, ToolTokensWithGrounding, rate

INPUT, CACHED, TOOL, OUTPUT, THINKING, GROUNDING, *_ = Meter
COUNTING_TOOLS = Policies(long_context_counts=LongContextCounts.PROMPT_AND_INTERMEDIATE)
FREE_TOOLS = Policies(tool_tokens_with_grounding=ToolTokensWithGrounding.FREE)


def _at(text: str) -> int:
    """Microseconds of a time on the calendar of Google's bill."""
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("America/Los_Angeles")).timestamp() * 10**6)


def _record(
    model: str | None,
    *counts: tuple[Meter, int] | Reading,
    at: str = "2026-11-21",
    tier: str = "standard",
    status: Status = Status.COMPLETE,
) -> Record:
    readings = tuple(c if isinstance(c, Reading) else Reading(c[0], Modality.TEXT, c[1]) for c in counts)
    amount: Counter[Meter] = Counter()
    for reading in readings:
        amount[reading.meter] += reading.quantity
    tokens = Tokens(
        input=amount[INPUT] + amount[CACHED],
        intermediate=amount[TOOL],
        output=amount[OUTPUT] + amount[THINKING],
        cached=amount[CACHED],
        thinking=amount[THINKING],
    )
    return _with(model, tokens, readings, at=at, tier=tier, status=status)


def _with(
    model: str | None,
    tokens: Tokens,
    readings: tuple[Reading, ...] | None,
    *,
    at: str = "2026-11-21",
    tier: str = "standard",
    status: Status = Status.COMPLETE,
) -> Record:
    return Record(
        source_id=1,
        id="00000000-0000-7000-8000-000000000000",
        occurred_us=_at(at),
        ended_us=None,
        api=Api.GEMINI,
        operation=Operation.GENERATE_CONTENT,
        streamed=False,
        model=model,
        requested_model=model,
        agent=None,
        service_tier=tier,
        key=None,
        status=status,
        http_status=200,
        error=None,
        finish_reason="STOP",
        response_id=None,
        conversation=None,
        turns=1,
        tokens=tokens,
        declared=True,
        executions=(),
        readings=readings,
        labels={},
    )


def _call(model: str, prompt: int, candidates: int, thoughts: int, tool: int, *more: Reading, **kw: str) -> Record:
    counts = ((INPUT, prompt), (OUTPUT, candidates), (THINKING, thoughts), (TOOL, tool))
    return _record(model, *counts, *more, **kw)  # type: ignore[arg-type]


def _usd(rates_and_tokens: Iterable[tuple[str, int]]) -> int:
    """Pico-dollars of tokens at a price in dollars a million."""
    return sum(parse_usd(rate) // 10**6 * tokens for rate, tokens in rates_and_tokens)


FLASH, FLASH3, PRO = "gemini-2.5-flash", "gemini-3-flash-preview", "gemini-2.5-pro"
IMAGE, AUDIO = Modality.IMAGE, Modality.AUDIO


def _a1(tier: str = "standard") -> Record:
    return _call(FLASH, 33, 310, 542, 1200, tier=tier)


# id, record, dollars, and the same as arithmetic: (dollars a million, tokens)
CASES: dict[str, tuple[Record, str, list[tuple[str, int]]]] = {
    "A1": (_a1(), "0.0024999", [("0.30", 33 + 1200), ("2.50", 310 + 542)]),
    "A2": (_call(FLASH3, 33, 310, 542, 1200), "0.0031725", [("0.50", 33 + 1200), ("3.00", 310 + 542)]),
    "A3": (_call(PRO, 33, 310, 542, 1200), "0.01006125", [("1.25", 33 + 1200), ("10", 310 + 542)]),
    "A4": (_call(FLASH3, 120, 640, 900, 18329), "0.0138445", [("0.50", 120 + 18329), ("3.00", 640 + 900)]),
    "B1": (
        _call(FLASH3, 10000 - 8000, 310, 542, 1200, Reading(CACHED, Modality.TEXT, 8000)),
        "0.0045560",
        [("0.50", 10000 - 8000 + 1200), ("0.05", 8000), ("3.00", 310 + 542)],
    ),
    "C1": (_call(PRO, 210000, 310, 542, 1200), "0.5407800", [("2.50", 210000 + 1200), ("15", 310 + 542)]),
    "C3": (_call(PRO, 199500, 310, 542, 1200), "0.2593950", [("1.25", 199500 + 1200), ("10", 310 + 542)]),
    "D1": (
        _call(FLASH, 33, 310, 542, 1200, Reading(INPUT, AUDIO, 1000)),
        "0.0034999",
        [("0.30", 33 + 1200), ("1.00", 1000), ("2.50", 310 + 542)],
    ),
    "E1": (
        _call("gemini-3-pro-image", 33, 1430 - 1120, 200, 0, Reading(OUTPUT, IMAGE, 1120)),
        "0.1405860",
        [("2.00", 33), ("12", 1430 - 1120 + 200), ("120", 1120)],
    ),
    "F1": (
        _call(FLASH3, 1133, 310, 542, 1200, Reading(TOOL, IMAGE, 2300)),
        "0.0048725",
        [("0.50", 1133 + 3500), ("3.00", 310 + 542)],
    ),
    "G1": (_a1("batch"), "0.00124995", [("0.15", 33 + 1200), ("1.25", 310 + 542)]),
    "G2": (_a1("flex"), "0.00124995", [("0.15", 33 + 1200), ("1.25", 310 + 542)]),
    "G3": (_a1("priority"), "0.00449982", [("0.54", 33 + 1200), ("4.50", 310 + 542)]),
    "H1": (
        _call(FLASH3, 33, 310, 542, 1200, Reading(GROUNDING, Modality.TEXT, 2)),
        "0.0311725",
        [("0.50", 33 + 1200), ("3.00", 310 + 542), ("14000", 2)],
    ),
    "R1": (_call(FLASH, 32, 341, 103, 720), "0.0013356", [("0.30", 32 + 720), ("2.50", 341 + 103)]),
    "R2": (_call(FLASH, 32, 441, 240, 764), "0.0019413", [("0.30", 32 + 764), ("2.50", 441 + 240)]),
    "R3": (_call(FLASH, 75, 414, 117, 573), "0.0015219", [("0.30", 75 + 573), ("2.50", 414 + 117)]),
    "R4": (_call(FLASH3, 257, 170, 773, 1732), "0.0038235", [("0.50", 257 + 1732), ("3.00", 170 + 773)]),
    "R5": (_call(FLASH3, 893, 106, 1312, 3056), "0.0062285", [("0.50", 893 + 3056), ("3.00", 106 + 1312)]),
    "R6": (_call(FLASH3, 147, 108, 168, 360), "0.0010815", [("0.50", 147 + 360), ("3.00", 108 + 168)]),
    "R7": (_call(FLASH3, 343, 82, 159, 877), "0.0013330", [("0.50", 343 + 877), ("3.00", 82 + 159)]),
}


@pytest.mark.parametrize("case", CASES)
def test_the_reference_cases_cost_what_the_documented_model_says(case: str) -> None:
    record, dollars, arithmetic = CASES[case]
    rating = rate(record, bundled())
    assert rating.cost_pico == _usd(arithmetic) == parse_usd(dollars)
    assert rating.unpriced_reason is None


def test_the_documented_cost_of_the_seven_recorded_calls() -> None:
    costs = [rate(CASES[f"R{n}"][0], bundled()).cost_pico or 0 for n in range(1, 8)]
    assert sum(costs) == parse_usd("0.0172653")


@pytest.mark.parametrize(("prompt", "rate_in", "rate_out"), [(200_000, "1.25", "10"), (200_001, "2.50", "15")])
@pytest.mark.parametrize("cached", [0, 150_000])
def test_the_threshold_is_crossed_by_the_first_token_above_it_cached_ones_included(
    prompt: int, rate_in: str, rate_out: str, cached: int
) -> None:
    rating = rate(_record(PRO, (INPUT, prompt - cached), (CACHED, cached), (TOOL, 5), (OUTPUT, 7)), bundled())
    rate_cached = "0.125" if prompt == 200_000 else "0.25"
    assert rating.cost_pico == _usd([(rate_in, prompt - cached + 5), (rate_cached, cached), (rate_out, 7)])


def test_intermediate_tokens_cross_the_threshold_only_by_policy_and_the_record_says_so() -> None:
    record = CASES["C3"][0]
    documented, counting = rate(record, bundled()), rate(record, bundled(), COUNTING_TOOLS)
    assert documented.flags == counting.flags == ("long_context_policy",)
    assert documented.cost_pico == _usd([("1.25", 199500 + 1200), ("10", 310 + 542)])
    assert counting.cost_pico == _usd([("2.50", 199500 + 1200), ("15", 310 + 542)])


@pytest.mark.parametrize(
    ("model", "prompt", "tool", "flagged"),
    [
        (PRO, 200_000, 1, True),
        (PRO, 199_999, 1, False),  # 200,000 together: not above
        (PRO, 200_001, 1, False),  # above either way
        (PRO, 200_000, 0, False),
        (FLASH, 200_000, 1, False),  # flat
        ("gemini-3.1-pro-preview", 200_000, 1, True),
    ],
)
def test_the_long_context_flag_appears_only_where_the_choice_decides(
    model: str, prompt: int, tool: int, flagged: bool
) -> None:
    record = _call(model, prompt, 1, 1, tool)
    assert (rate(record, bundled()).flags == ("long_context_policy",)) is flagged
    assert (rate(record, bundled()).cost_pico != rate(record, bundled(), COUNTING_TOOLS).cost_pico) is flagged


def test_tool_tokens_of_a_grounded_call_cost_input_or_nothing_by_policy() -> None:
    record = CASES["H1"][0]
    paid, free = rate(record, bundled()), rate(record, bundled(), FREE_TOOLS)
    assert paid.flags == free.flags == ("tool_tokens_with_grounding",)
    assert (paid.cost_pico or 0) - (free.cost_pico or 0) == _usd([("0.50", 1200)])
    assert sum(c.quantity for c in free.charges if c.meter is TOOL) == 1200
    assert rate(CASES["A2"][0], bundled(), FREE_TOOLS) == rate(CASES["A2"][0], bundled())


@pytest.mark.parametrize(
    ("model", "last_day", "first_day", "before", "after"),
    [
        ("gemini-4-argon", "2026-11-30", "2026-12-01", ("2", "0.10", "10"), ("4", "0.20", "20")),
        ("gemini-4-carbon", "2026-11-30", "2026-12-01", ("2", "0.10", "10"), ("4", "0.20", "20")),
        ("gemini-3.8-flash", "2026-12-31", "2027-01-01", ("0.75", "0.075", "3.75"), ("1.50", "0.15", "7.50")),
        ("gemini-3.7-flash", "2026-12-31", "2027-01-01", ("0.75", "0.075", "3.75"), ("1.50", "0.15", "7.50")),
        ("gemini-3.6-flash", "2026-12-31", "2027-01-01", ("0.75", "0.075", "3.75"), ("1.50", "0.15", "7.50")),
        ("gemini-robotics-er-2", "2026-12-31", "2027-01-01", ("1", "0.10", "5"), ("2", "0.20", "10")),
    ],
)
def test_an_announced_change_comes_at_midnight_pacific(
    model: str, last_day: str, first_day: str, before: tuple[str, ...], after: tuple[str, ...]
) -> None:
    for at, (fresh, cached, out) in ((f"{last_day}T23:59:59", before), (f"{first_day}T00:00:00", after)):
        record = _record(model, (INPUT, 1000), (CACHED, 100), (TOOL, 10), (OUTPUT, 20), (THINKING, 30), at=at)
        assert rate(record, bundled()).cost_pico == _usd([(fresh, 1010), (cached, 100), (out, 50)])


def test_the_search_fee_of_gemini_3_begins_at_midnight_pacific_and_was_unknown_before() -> None:
    fee = Reading(GROUNDING, Modality.TEXT, 3)
    before = rate(_record(FLASH3, (INPUT, 10), fee, at="2026-01-04T23:59:59"), bundled())
    after = rate(_record(FLASH3, (INPUT, 10), fee, at="2026-01-05T00:00:00"), bundled())
    assert before.unpriced_reason == "no price is known for grounding of 'gemini-3-flash-preview' on the standard tier"
    assert after.cost_pico == _usd([("0.50", 10)]) + 3 * parse_usd("14") // 1000


def test_a_grounded_prompt_of_gemini_2_5_costs_35_dollars_a_thousand() -> None:
    record = _record(FLASH, (INPUT, 10), (GROUNDING, 1))
    assert rate(record, bundled()).cost_pico == _usd([("0.30", 10)]) + parse_usd("35") // 1000


@pytest.mark.parametrize(
    ("tier", "fresh", "cached", "out"),
    [
        ("standard", "0.30", "0.03", "2.50"),
        ("batch", "0.15", "0.015", "1.25"),
        ("flex", "0.15", "0.015", "1.25"),
        ("priority", "0.54", "0.054", "4.50"),
    ],
)
def test_each_tier_has_its_own_prices(tier: str, fresh: str, cached: str, out: str) -> None:
    record = _record("gemini-3.5-flash-lite", (INPUT, 1000), (CACHED, 100), (TOOL, 10), (OUTPUT, 7), tier=tier)
    assert rate(record, bundled()).cost_pico == _usd([(fresh, 1010), (cached, 100), (out, 7)])


@pytest.mark.parametrize("kind", [kind for kind in Modality if kind is not Modality.OTHER])
def test_each_kind_of_input_has_the_rate_of_its_kind(kind: Modality) -> None:
    fresh, cached = ("1.00", "0.10") if kind is AUDIO else ("0.50", "0.05")
    record = _record(FLASH3, Reading(INPUT, kind, 1000), Reading(CACHED, kind, 200), Reading(TOOL, kind, 30))
    assert rate(record, bundled()).cost_pico == _usd([(fresh, 1000 + 30), (cached, 200)])


def test_a_charge_names_its_price_and_a_borrowed_price_says_so() -> None:
    ids = {charge.meter: charge.price_id for charge in rate(CASES["C1"][0], bundled()).charges}
    assert ids == {
        INPUT: "gemini-2.5-pro/input/text/standard/200000@2025-06-17",
        TOOL: "gemini-2.5-pro/intermediate=input/text/standard/200000@2025-06-17",
        OUTPUT: "gemini-2.5-pro/output/text/standard/200000@2025-06-17",
        THINKING: "gemini-2.5-pro/thinking=output/text/standard/200000@2025-06-17",
    }


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (_record(None, (INPUT, 1)), "the model that answered is not known"),
        (_record("gemini-9", (INPUT, 1)), "no price is known for the model 'gemini-9'"),
        (_record("gemini-2.5-flash-x", (INPUT, 1)), "no price is known for the model 'gemini-2.5-flash-x'"),
        (_record(FLASH, (INPUT, 1), tier="offpeak"), "no price is known for 'gemini-2.5-flash' on the offpeak tier"),
        (_record("gemini-4-neon", (INPUT, 1), tier="batch"), "on the batch tier; known tiers: standard"),
        (_record(FLASH, (INPUT, 9), Reading(OUTPUT, IMAGE, 1)), "no price is known for image tokens (output)"),
        (_record(FLASH, (INPUT, 9), Reading(INPUT, Modality.OTHER, 1)), "no price is known for other tokens (input)"),
        (_record("gemini-2.5-flash-image", (CACHED, 1)), "no price is known for text tokens (cached_input)"),
        (_record("gemini-4-carbon", (INPUT, 9), (GROUNDING, 1)), "no price is known for grounding"),
        (_record(FLASH, (INPUT, 1), at="2025-06-16T23:59:59"), "is of 2025-06-17, the call of 2025-06-16 (US Pacific)"),
        (_record("gemini-flash-latest", (INPUT, 1), at="2026-06-01"), "what 'gemini-flash-latest' stood for"),
    ],
)
def test_without_a_price_there_is_no_cost_not_even_a_part_of_it(record: Record, reason: str) -> None:
    rating = rate(record, bundled())
    assert reason in (rating.unpriced_reason or "")
    assert rating.charges == ()
    assert rating.cost_pico is None
    assert rating.known


def test_a_refused_call_costs_nothing_whatever_its_model() -> None:
    rating = rate(_with(None, Tokens(), (), status=Status.ERROR), bundled())
    assert rating == Rating()
    assert rating.cost_pico == 0


@pytest.mark.parametrize("record", [_with(FLASH, Tokens(output=5), None), _with(FLASH, Tokens(), ())])
def test_a_record_without_counts_has_no_cost_to_know_and_is_not_unpriced(record: Record) -> None:
    rating = rate(record, bundled())
    assert (rating.known, rating.cost_pico, rating.unpriced_reason) == (False, None, None)


def test_prepaid_throughput_costs_nothing_and_is_shown() -> None:
    rating = rate(_record("gemini-9", (INPUT, 7), (OUTPUT, 3), tier="provisioned"), bundled())
    assert rating.cost_pico == 0
    assert rating.flags == ("provisioned_throughput",)
    assert [(charge.meter, charge.quantity) for charge in rating.charges] == [(INPUT, 7), (OUTPUT, 3)]


def test_a_reading_of_nothing_needs_no_price() -> None:
    rating = rate(_record(FLASH, (INPUT, 7), Reading(OUTPUT, IMAGE, 0)), bundled())
    assert [charge.quantity for charge in rating.charges] == [7]


def test_a_price_of_zero_is_a_price() -> None:
    rating = rate(_record("gemma-4-31b-it", (INPUT, 7), (OUTPUT, 3)), bundled())
    assert rating.cost_pico == 0
    assert len(rating.charges) == 2


@pytest.mark.parametrize("name", ["gemini-2.0-flash-001", "gemini-2.5-flash-preview-09-2025", "gemini-flash-latest"])
def test_a_recorded_version_is_priced_by_its_model(name: str) -> None:
    assert rate(_record(name, (INPUT, 10), (OUTPUT, 10)), bundled()).cost_pico


READINGS = st.lists(
    st.builds(
        Reading, st.sampled_from([INPUT, CACHED, TOOL]), st.sampled_from(list(Modality)[:5]), st.integers(0, 300_000)
    )
    | st.builds(Reading, st.sampled_from([OUTPUT, THINKING]), st.just(Modality.TEXT), st.integers(0, 70_000))
    | st.builds(Reading, st.just(GROUNDING), st.just(Modality.TEXT), st.integers(0, 9)),
    unique_by=lambda reading: (reading.meter, reading.modality),
)
PRICED = st.sampled_from(["gemini-2.5-pro", FLASH, FLASH3, "gemini-3.1-pro-preview", "gemini-4-argon"])
TIERS = st.sampled_from(["standard", "batch", "flex", "priority", "provisioned"])
POLICIES = st.builds(
    Policies,
    long_context_counts=st.sampled_from(LongContextCounts),
    tool_tokens_with_grounding=st.sampled_from(ToolTokensWithGrounding),
)


@given(PRICED, READINGS, TIERS, POLICIES)
def test_every_token_is_in_one_charge_and_the_charges_add_up(
    model: str, readings: list[Reading], tier: str, policies: Policies
) -> None:
    rating = rate(_record(model, *readings, tier=tier), bundled(), policies)
    assert rating.cost_pico == sum(c.quantity * c.unit_pico for c in rating.charges)
    charged = Counter({(c.meter, c.modality): c.quantity for c in rating.charges})
    assert charged == Counter({(r.meter, r.modality): r.quantity for r in readings if r.quantity})
    assert len(rating.charges) == len(charged)


@given(PRICED, READINGS, TIERS, POLICIES, st.randoms())
def test_the_order_of_the_readings_does_not_matter(
    model: str, readings: list[Reading], tier: str, policies: Policies, chance: object
) -> None:
    shuffled = list(readings)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    one, other = (rate(_record(model, *order, tier=tier), bundled(), policies) for order in (readings, shuffled))
    assert set(one.charges) == set(other.charges)
    assert (one.cost_pico, one.flags) == (other.cost_pico, other.flags)


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_a_user_price_is_charged_in_place_of_the_bundled_one(tokens: int, dollars: int) -> None:
    text = '[models."gemini-2.5-flash"]\n[[models."gemini-2.5-flash".prices]]\nsource = "contract"\n'
    text += f'checked_on = 2026-11-21\ninput = "{dollars}"\noutput = "unknown"\n'
    rating = rate(_record(FLASH, (INPUT, tokens), (OUTPUT, 3)), parse(text, prefix="own/", over=bundled()))
    assert rating.cost_pico == _usd([(str(dollars), tokens), ("2.50", 3)])


def test_every_bundled_price_is_charged_by_some_record() -> None:
    unreached = [row.id for row in bundled().rows if not _reached(row)]
    assert unreached == []


def _reached(row: Price) -> bool:
    record = _with(
        row.model,
        Tokens(input=row.above_prompt_tokens + 1, intermediate=0),
        (Reading(row.meter, row.modality, 1),),
        tier=row.service_tier,
    )
    if row.effective_from_us is not None:
        record = replace(record, occurred_us=row.effective_from_us)
    return [(c.price_id, c.unit_pico) for c in rate(record, bundled()).charges] == [(row.id, row.unit_pico)]


def test_a_call_on_a_regional_endpoint_of_vertex_has_the_regional_price() -> None:
    call = replace(_record("gemini-3.5-flash", (INPUT, 10), (CACHED, 1)), api=Api.VERTEX)
    for location, cost_pico, suffix in (("eu", 16_665_000, "/regional=x1.1"), ("global", 15_150_000, "")):
        rating = rate(replace(call, location=location), bundled())
        assert (rating.cost_pico, rating.charges[0].price_id.partition("05-19")[2]) == (cost_pico, suffix)
    assert rate(replace(call, api=Api.GEMINI, location="eu"), bundled()).cost_pico == 15_150_000
