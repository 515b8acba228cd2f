"""Charging again: old and new stay visible, doing it twice is doing it once, no newer answer is undone."""

import json
from collections.abc import Callable

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from gembill import replay
from gembill.config import Settings
from gembill.ledger import (
    Ledger,
    LedgerRecord,
    RatedEvent,
    Reason,
    Selection,
    audit_ledger,
    open_ledger,
    price_lists,
    read_charges,
    read_event_body,
    read_records,
    read_totals,
)
from gembill.ledger.price_lists import Origin
from gembill.model import Api, Meter, Operation, Price, Status
from gembill.money import unit_price
from gembill.posting import append, posting
from gembill.price_catalog import PricingTerms, terms
from gembill.replay import ReplayResult, repost, rerate
from gembill.rules.prices import bundled
from gembill.rules.rating import DEFAULT, LongContextCounts, Policies, ResultsAsOutput
from gembill.spool import SegmentEntry
from tests.gembill.calls import FLASH, SPOOL, event, executed, put
from tests.gembill.pricing import price

IN, OUT = unit_price("0.50"), unit_price("3.00")
COST = 1200 * IN + 350 * OUT  # what `event` costs
LIST = PricingTerms(bundled(), DEFAULT)


def quiet(_seen: int, _changed: int) -> None:
    """Progress that is not read."""


def stored(ledger: Ledger) -> list[LedgerRecord]:
    return list(read_records(ledger, Selection()))


def with_prices(ledger: Ledger, *rows: Price, policies: Policies = DEFAULT) -> PricingTerms:
    price_lists.add(ledger, Origin.SET, rows)
    return PricingTerms(terms(ledger, Settings()).book, policies)


def test_the_same_prices_change_nothing(ledger: Ledger) -> None:
    put(ledger, LIST, event(1), event(2))
    result = rerate(ledger, Selection(), LIST, quiet)
    assert (result.total.records, result.total.changed, result.skipped) == (2, 0, {})
    assert {one.revision for one in stored(ledger)} == {0}


def test_new_prices_are_correcting_charges_and_the_old_ones_stay(ledger: Ledger) -> None:
    put(ledger, LIST, event(1))
    again = with_prices(ledger, price("0.40"))
    result = rerate(ledger, Selection(), again, quiet)
    new = 1000 * unit_price("0.40") + 200 * IN + 350 * OUT
    assert result.by_model[FLASH] == replay.ReplayCounts(records=1, changed=1, old_pico=COST, new_pico=new)
    (record,) = stored(ledger)
    assert (record.cost_pico, record.revision) == (new, 1)
    lines = [(one.revision, one.charge.quantity, one.charge.price_id) for one in read_charges(ledger, record)]
    bundled_id = f"{FLASH}/input/text/standard/0@2025-12-17"
    inputs = [line for line in lines if "/input/" in line[2]]
    assert [line[:2] for line in inputs] == [(0, 1000), (1, -1000), (1, 1000)]
    assert inputs[0][2] == inputs[1][2]
    assert inputs[0][2].split("@")[0] == bundled_id.split("@", maxsplit=1)[0]
    assert inputs[2][2] == f"set-1/{FLASH}/input/text/standard/0@launch"
    assert audit_ledger(ledger) == []


def test_another_row_with_the_same_figure_changes_nothing(ledger: Ledger) -> None:
    put(ledger, LIST, event(1))
    assert rerate(ledger, Selection(), with_prices(ledger, price("0.50")), quiet).total.changed == 0


def test_a_dry_run_tells_and_writes_nothing(ledger: Ledger) -> None:
    put(ledger, LIST, event(1))
    again = with_prices(ledger, price("0.40"))
    dry = rerate(ledger, Selection(), again, quiet, dry_run=True)
    assert stored(ledger)[0].cost_pico == COST
    assert rerate(ledger, Selection(), again, quiet) == dry


def test_an_unknown_model_is_priced_once_there_is_a_price_and_both_histories_stay(ledger: Ledger) -> None:
    put(ledger, LIST, event(1, model="newest"), event(2))
    assert read_totals(ledger, Selection())[0].unpriced_calls == 1
    meters = (Meter.INPUT, Meter.INTERMEDIATE, Meter.OUTPUT, Meter.THINKING)
    again = with_prices(ledger, *(price("2.00", meter, "newest") for meter in meters))
    result = rerate(ledger, Selection(), again, quiet)
    assert result.by_model["newest"].priced == 1
    total = read_totals(ledger, Selection())[0]
    assert (total.unpriced_calls, total.cost_pico) == (0, COST + 1550 * unit_price("2.00"))
    assert audit_ledger(ledger) == []


def test_only_the_calls_selected_are_charged_again(ledger: Ledger) -> None:
    put(ledger, LIST, event(1), event(2, at="2026-11-06T12:00:00+00:00"))
    again = with_prices(ledger, price("0.40"))
    day = event(2, at="2026-11-06T00:00:00+00:00").occurred_us
    assert rerate(ledger, Selection(start_us=day), again, quiet).total.changed == 1
    assert [one.revision for one in stored(ledger)] == [1, 0]


def test_a_policy_can_be_changed_afterwards(ledger: Ledger) -> None:
    usage = {"promptTokenCount": 199_500, "toolUsePromptTokenCount": 1200}
    put(ledger, LIST, event(1, model="gemini-2.5-pro", usage=usage), event(2, seen={"outline": executed(13, 5)}))
    policies = Policies(
        long_context_counts=LongContextCounts.PROMPT_AND_INTERMEDIATE, results_as_output=ResultsAsOutput.ESTIMATE
    )
    result = rerate(ledger, Selection(), PricingTerms(bundled(), policies), quiet)
    assert result.by_model["gemini-2.5-pro"].difference_pico == (
        200_700 * (unit_price("2.50") - unit_price("1.25")) + 350 * (unit_price("15") - unit_price("10"))
    )
    assert result.by_model[FLASH].difference_pico == (5 + 2) * OUT  # 5 digits, 8 other characters
    flags = {one.record.model: one.record.flags for one in stored(ledger)}
    assert flags == {"gemini-2.5-pro": ("long_context_policy",), FLASH: ("results_as_output",)}
    assert audit_ledger(ledger) == []
    assert rerate(ledger, Selection(), LIST, quiet).total.difference_pico == -result.total.difference_pico


def test_a_key_can_be_put_on_the_free_tier(ledger: Ledger) -> None:
    put(ledger, LIST, event(1, key="k_free"), event(2, key="k_paid"), event(3, key="k_free", model="newest"))
    rerate(ledger, Selection(), PricingTerms(bundled(), Policies(free_tier_keys=frozenset({"k_free"}))), quiet)
    by_key = {(one.record.key, one.record.model): one for one in stored(ledger)}
    free = by_key["k_free", FLASH]
    assert (free.cost_pico, free.record.flags, free.priced) == (0, ("free_tier",), True)
    assert by_key["k_free", "newest"].cost_pico == 0
    assert by_key["k_paid", FLASH].cost_pico == COST
    in_force = [one.charge for one in read_charges(ledger, free) if one.revision == 1 and one.charge.quantity > 0]
    names = {charge.price_id.removeprefix("policy/free_tier/"): charge.quantity for charge in in_force}
    rows = {row.id: row for row in bundled().rows}
    assert sum(rows[name].unit_pico * quantity for name, quantity in names.items()) == COST
    assert audit_ledger(ledger) == []


FIGURES = st.sampled_from(["0.10", "0.40", "0.50", "2.00"])


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.lists(st.tuples(st.sampled_from([Meter.INPUT, Meter.OUTPUT, Meter.THINKING]), FIGURES), max_size=3))
def test_charging_again_twice_is_charging_again_once(tmp_path_factory, changes: list[tuple[Meter, str]]) -> None:
    ledger = open_ledger(f"sqlite:///{tmp_path_factory.mktemp('l') / 'ledger.db'}")
    put(ledger, LIST, *(event(n, usage={"promptTokenCount": 10**n}) for n in range(1, 5)))
    again = LIST
    for meter, figure in changes:
        again = with_prices(ledger, price(figure, meter))
        rerate(ledger, Selection(), again, quiet)
    once = stored(ledger)
    assert rerate(ledger, Selection(), again, quiet).total.changed == 0
    assert stored(ledger) == once
    for one in once:
        charges = [posted.charge for posted in read_charges(ledger, one)]
        assert sum(charge.cost_pico for charge in charges) == one.cost_pico
        assert sum(charge.quantity for charge in charges) == one.record.tokens.total
        direct = again.rate(
            posting(SegmentEntry(1, one.record.id, read_event_body(ledger, one) or b""), SPOOL, again).record
        )
        assert direct.cost_pico == one.cost_pico
    assert audit_ledger(ledger) == []
    ledger.close()


def natural(number: int, status: Status = Status.COMPLETE, **changes: object) -> RatedEvent:
    """An event about one interaction, posted under its natural key."""
    made = posting(SegmentEntry(number, event(number).id, msgspec.json.encode(event(number))), SPOOL, LIST)
    record = replace(made.record, source_id=-7, id=event(900).id, status=status, **changes)
    return replace(made, record=record)


def test_a_fuller_answer_that_comes_meanwhile_is_not_undone(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    put(ledger, LIST, event(1))
    again = with_prices(ledger, price("0.40"))
    correct = Ledger.correct
    other = stored(ledger)[0].record

    def slow(self: Ledger, corrections: object, **named: object) -> int:
        monkeypatch.setattr(Ledger, "correct", correct)
        correct(self, [(replace(other, labels={"by": "another"}), LIST.rate(_read(ledger)))], reason=Reason.REPOST)
        return correct(self, corrections, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(Ledger, "correct", slow)
    result = rerate(ledger, Selection(), again, quiet)
    assert result.skipped == {replay.OVERTAKEN: 1}
    assert (stored(ledger)[0].record.labels, stored(ledger)[0].cost_pico) == ({"by": "another"}, COST)
    assert rerate(ledger, Selection(), again, quiet).total.changed == 1
    assert stored(ledger)[0].record.labels == {"by": "another"}


def _read(ledger: Ledger):
    one = stored(ledger)[0]
    return posting(SegmentEntry(1, one.record.id, read_event_body(ledger, one) or b""), SPOOL, LIST).record


def test_what_this_version_reads_otherwise_is_left_to_repost(ledger: Ledger) -> None:
    _post_misread(ledger)
    result = rerate(ledger, Selection(), with_prices(ledger, price("0.40")), quiet)
    assert (result.total.changed, result.skipped) == (0, {replay.READ_OTHERWISE: 1})


def test_reposting_mends_what_was_misread_and_says_what_changed(ledger: Ledger) -> None:
    _post_misread(ledger)
    terms(ledger, Settings())
    dry = repost(ledger, Selection(), LIST, quiet, dry_run=True)
    result = repost(ledger, Selection(), LIST, quiet)
    assert result == dry
    assert result.total.difference_pico == 200 * IN
    (record,) = stored(ledger)
    assert (record.record.tokens.intermediate, record.cost_pico, record.revision) == (200, COST, 1)
    assert repost(ledger, Selection(), LIST, quiet).total.changed == 0
    assert audit_ledger(ledger) == []


def _post_misread(ledger: Ledger) -> None:
    """A record as a faulty metering would have read the event: without its intermediate tokens."""
    right = posting(SegmentEntry(1, event(1).id, msgspec.json.encode(event(1))), SPOOL, LIST)
    readings = tuple(one for one in right.record.readings or () if one.meter is not Meter.INTERMEDIATE)
    wrong = replace(right.record, tokens=replace(right.record.tokens, intermediate=0, total=1350), readings=readings)
    append(ledger, SPOOL, [replace(right, record=wrong, rating=LIST.rate(wrong))], LIST.rate)


def test_a_record_completed_by_a_later_answer_keeps_what_the_first_one_asked(ledger: Ledger) -> None:
    append(ledger, SPOOL, [natural(1, Status.UNKNOWN, labels={"team": "a"}), natural(2)], LIST.rate)
    assert repost(ledger, Selection(), LIST, quiet).total.changed == 0
    assert stored(ledger)[0].record.labels == {"team": "a"}
    assert rerate(ledger, Selection(), with_prices(ledger, price("0.40")), quiet).total.changed == 1
    assert stored(ledger)[0].record.labels == {"team": "a"}


def test_dead_letters_are_tried_again(ledger: Ledger) -> None:
    body = msgspec.json.encode(event(3))
    ledger.add_dead_letter(SPOOL, 1, event(3).id, body, "a fault that is mended by now")
    ledger.add_dead_letter(SPOOL, 2, event(4).id, b"{", "no JSON")
    assert repost(ledger, Selection(), LIST, quiet, dry_run=True).revived == 1
    assert stored(ledger) == []
    result = repost(ledger, Selection(), LIST, quiet)
    assert (result.revived, result.skipped) == (1, {replay.STILL_DEAD: 1})
    assert [(one.record.id, one.cost_pico) for one in stored(ledger)] == [(event(3).id, COST)]
    assert repost(ledger, Selection(), LIST, quiet).revived == 0
    assert audit_ledger(ledger) == []


@pytest.mark.parametrize("again", [rerate, repost])
def test_an_event_that_cannot_be_read_does_not_keep_back_others(
    ledger: Ledger, again: Callable[..., ReplayResult]
) -> None:
    made = [posting(SegmentEntry(n, event(n).id, msgspec.json.encode(event(n))), SPOOL, LIST) for n in (1, 2)]
    append(ledger, SPOOL, [replace(made[0], body=json.dumps({"version": 99}).encode()), made[1]], LIST.rate)
    result = again(ledger, Selection(), with_prices(ledger, price("0.40")), quiet)
    assert (result.total.changed, result.skipped) == (1, {replay.UNREADABLE: 1})


def test_progress_is_reported_after_each_batch(ledger: Ledger) -> None:
    put(ledger, LIST, *(event(n) for n in range(1, 4)))
    reported: list[tuple[int, int]] = []
    rerate(ledger, Selection(), with_prices(ledger, price("0.40")), lambda *at: reported.append(at))
    assert reported == [(3, 3)]


def test_calls_of_other_kinds_are_charged_again_too(ledger: Ledger) -> None:
    put(ledger, LIST, event(1, model="gemini-2.5-flash", tier="batch"))
    assert stored(ledger)[0].record.service_tier == "batch"
    assert (
        stored(ledger)[0].record.api,
        stored(ledger)[0].record.operation,
    ) == (Api.GEMINI, Operation.GENERATE_CONTENT)
    assert rerate(ledger, Selection(), LIST, quiet).total.changed == 0
