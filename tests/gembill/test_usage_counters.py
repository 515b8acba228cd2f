"""Counts by model as Prometheus reads them: exact, bounded, and the same whoever adds them up."""

import msgspec
import pytest
from msgspec.structs import replace
from prometheus_client.parser import text_string_to_metric_families

from gembill.event import Ending, Part, ResponseFacts
from gembill.model import Rating, Record
from gembill.posting import append, posting
from gembill.price_catalog import PricingTerms
from gembill.rules.metering import meter
from gembill.rules.prices import bundled
from gembill.rules.rating import DEFAULT, rate
from gembill.spool import SegmentEntry
from gembill.usage_counters import BUCKETS_S, MODELS, UsageCounters, added, lines
from tests.gembill.calls import FLASH, SPOOL, calls_of, event


def rated(**more) -> tuple[Record, Rating]:
    record = meter(event(1, **more), 7)
    return record, rate(record, bundled(), DEFAULT)


def scraped(counts) -> dict[tuple, float]:
    """Samples by name and sorted labels, read by Prometheus's own parser."""
    text = "\n".join(lines(counts)) + "\n"
    families = list(text_string_to_metric_families(text))
    assert len({family.name for family in families}) == len(families)
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value for family in families for sample in family.samples
    }


def of(samples: dict[tuple, float], name: str) -> dict[tuple, float]:
    return {key[1:]: value for key, value in samples.items() if key[0] == name}


def test_a_call_is_counted_in_every_family_that_it_belongs_to():
    counters = UsageCounters()
    parts = (Part(kind="code", id="a", language="PYTHON"), Part(kind="result", id="a", outcome="OUTCOME_FAILED"))
    record, rating = rated(seen={"outline": parts}, usage={"cachedContentTokenCount": 400})
    counters.add_call(record, rating)
    samples = scraped(counters.counts)
    model = ("model", FLASH)
    assert of(samples, "gembill_requests_total") == {(("api", "gemini"), model, ("status", "complete")): 1}
    assert of(samples, "gembill_tokens_total") == {
        (("kind", "prompt"), model): 600,
        (("kind", "cached"), model): 400,
        (("kind", "intermediate"), model): 200,
        (("kind", "output"), model): 300,
        (("kind", "thinking"), model): 50,
    }
    assert sum(of(samples, "gembill_cost_usd_total").values()) == pytest.approx(rating.cost_pico / 1e12)
    assert of(samples, "gembill_code_executions_total") == {(model, ("outcome", "failed")): 1}
    intermediate = of(samples, "gembill_cost_usd_total")[("kind", "intermediate"), model]
    assert of(samples, "gembill_failed_execution_cost_usd_total") == {(model,): intermediate}
    assert of(samples, "gembill_unpriced_requests_total") == {}


def test_money_is_written_to_the_last_of_twelve_decimals():
    counters = UsageCounters({"cost_usd_total": {'model="m",kind="prompt"': 12_000_000_000_000_345_678}})
    assert 'gembill_cost_usd_total{model="m",kind="prompt"} 12000000.000000345678' in list(lines(counters.counts))


def test_durations_fall_into_cumulative_buckets():
    counters = UsageCounters()
    record, rating = rated()
    for seconds in (-1, 0.1, 0.100001, 4, 5_000):
        counters.add_call(replace(record, ended_us=record.occurred_us + int(seconds * 1e6)), rating)
    samples = scraped(counters.counts)
    buckets = [
        samples["gembill_request_duration_seconds_bucket", ("le", le), ("model", FLASH), ("stream", "false")]
        for le in (*(f"{limit:g}" for limit in BUCKETS_S), "+Inf")
    ]
    assert buckets == [2, 3, 3, 3, 4, 4, 4, 4, 4, 4, 4, 5]
    assert samples["gembill_request_duration_seconds_count", ("model", FLASH), ("stream", "false")] == 5
    assert samples["gembill_request_duration_seconds_sum", ("model", FLASH), ("stream", "false")] == 5004.200001


def test_an_unpriced_call_and_one_of_unknown_cost():
    counters = UsageCounters()
    counters.add_call(*rated(model="gemini-of-tomorrow"))
    lost = meter(replace(event(2), ending=Ending.LOST, http_status=None, seen=ResponseFacts()), 7)
    counters.add_call(lost, rate(lost, bundled(), DEFAULT))
    samples = scraped(counters.counts)
    assert of(samples, "gembill_unpriced_requests_total") == {(("model", "gemini-of-tomorrow"),): 1}
    assert of(samples, "gembill_cost_usd_total") == {}


def test_counting_a_call_takes_few_functions():
    counters, record_and_rating = UsageCounters(), rated()
    counters.add_call(*record_and_rating)
    assert calls_of(lambda: counters.add_call(*record_and_rating)) <= 10  # measured: 8


def test_names_of_models_cannot_break_the_text_nor_grow_without_end():
    counters = UsageCounters()
    record, rating = rated()
    for name in ('a"b', "a\\b", "a\nb", None, *(f"model-{number}" for number in range(200))):
        counters.add_call(replace(record, model=name), rating)
    models = {dict(labels)["model"] for labels in of(scraped(counters.counts), "gembill_requests_total")}
    assert len(models) <= MODELS + 1
    assert {"a_b", "unknown", "other"} <= models
    assert sum(of(scraped(counters.counts), "gembill_requests_total").values()) == 204


def test_counts_of_two_processes_add_up_and_travel_as_json():
    one, other = UsageCounters(), UsageCounters()
    for counters in (one, other, other):
        counters.add_call(*rated())
    sums = added(one.counts, msgspec.json.decode(msgspec.json.encode(other.counts)))
    three = UsageCounters()
    for _ in range(3):
        three.add_call(*rated())
    assert sums == three.counts
    assert one.counts != sums, "neither of the two is changed"


def posted(ledger, counters: UsageCounters, *events) -> int:
    """Post them in the places that their numbers say; how many were new."""
    terms = PricingTerms(bundled(), DEFAULT)
    entries = [SegmentEntry(int(one.id[-4:], 16), one.id, msgspec.json.encode(one)) for one in events]
    return append(ledger, SPOOL, [posting(entry, SPOOL, terms) for entry in entries], terms.rate, counters)


def test_what_is_posted_is_counted_once_however_often_it_is_sent(ledger):
    counters = UsageCounters()
    assert posted(ledger, counters, event(1)) == 1
    assert posted(ledger, counters, event(1), event(2)) == 1
    assert sum(counters.counts["requests_total"].values()) == 2
    assert sum(counters.counts["tokens_total"].values()) == 2 * 1_550


def test_a_call_whose_usage_comes_later_is_one_call_with_its_tokens_once(ledger):
    natural = ("gemini", "interaction", "i1")
    counters = UsageCounters()
    early = replace(event(1), seen=ResponseFacts(), natural=natural)
    for one in (early, replace(event(2), natural=natural), replace(event(3), natural=natural)):
        assert posted(ledger, counters, one) == 1
    assert sum(counters.counts["requests_total"].values()) == 1
    assert sum(counters.counts["tokens_total"].values()) == 1_550


def test_nothing_counted_is_no_text():
    assert list(lines({})) == []
