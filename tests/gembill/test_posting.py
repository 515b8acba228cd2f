"""From spool to ledger: once, whatever happens between, and nothing lost on the way."""

import asyncio
import itertools
import json
from collections.abc import Callable, Sequence
from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from sqlalchemy import event as sqlalchemy_event

from gembill.errors import LedgerError
from gembill.event import Ending, Event, RequestFacts, ResponseFacts
from gembill.ledger import (
    InvalidPosting,
    Ledger,
    LedgerUnavailable,
    Selection,
    audit_ledger,
    line_of,
    net_lines,
    open_ledger,
    read_charges_of,
    read_event_body,
    read_records,
    read_totals,
)
from gembill.ledger.schema import dead_letter
from gembill.model import Api, Operation
from gembill.posting import (
    Poster,
    UnreadableEvent,
    append,
    joined,
    posting,
    read_event,
    write_halving,
)
from gembill.price_catalog import PricingTerms
from gembill.rules.prices import bundled
from gembill.rules.rating import DEFAULT
from gembill.spool import SegmentEntry, Spool
from tests.gembill.calls import calls_of, typical

USAGE = '{"promptTokenCount": 100, "candidatesTokenCount": 10, "totalTokenCount": 110}'
NOVEMBER = 1_793_700_000_000_000


def bundled_terms(_ledger: object) -> PricingTerms:
    return PricingTerms(bundled(), DEFAULT)


def event(number: int, **changes: object) -> bytes:
    plain = Event(
        id=f"0199a0b0-0000-7000-8000-{number:012x}",
        occurred_us=NOVEMBER + number,
        api=Api.GEMINI,
        operation=Operation.GENERATE_CONTENT,
        asked=RequestFacts(model="gemini-2.5-flash"),
        ending=Ending.FINISHED,
        http_status=200,
        seen=ResponseFacts(usage=USAGE),
    )
    return msgspec.json.encode(msgspec.structs.replace(plain, **changes))


@pytest.fixture
def spool(tmp_path):
    claimed = Spool.claim(tmp_path / "spool")
    yield claimed
    claimed.close(5)


def fill(spool: Spool, *bodies: bytes) -> None:
    async def run() -> None:
        for body in bodies:
            await spool.append(
                msgspec.json.decode(body)["id"] if body.startswith(b"{") else "0199a0b0-0000-7000-8000-00000000dead",
                body,
            )

    asyncio.run(run())


def test_an_event_becomes_a_priced_record_with_its_evidence(spool, ledger_url):
    fill(spool, event(1))
    poster = Poster(lambda: open_ledger(ledger_url), bundled_terms)
    assert poster.drain(spool) == 1
    poster.close()
    ledger = open_ledger(ledger_url)
    (stored,) = read_records(ledger, Selection())
    assert stored.cost_pico == 100 * 300_000 + 10 * 2_500_000
    assert read_event_body(ledger, stored) == event(1)
    assert spool.posted == 1
    ledger.close()


def test_posting_the_same_spool_again_changes_nothing(spool, ledger_url, tmp_path):
    fill(spool, *(event(n) for n in range(1, 8)))
    poster = Poster(lambda: open_ledger(ledger_url), bundled_terms)
    assert poster.drain(spool) == 7
    spool._reader.posted = 0  # as after the loss of the cursor
    assert poster.drain(spool) == 7
    assert poster.progress.posted == 7
    poster.close()
    ledger = open_ledger(ledger_url)
    assert len(list(read_records(ledger, Selection()))) == 7
    assert audit_ledger(ledger) == []
    ledger.close()


def test_an_event_that_cannot_be_read_is_buried_with_its_bytes_and_the_rest_goes_on(spool, ledger_url):
    fill(spool, event(1), b"no event at all", event(2, version=99), event(3))
    poster = Poster(lambda: open_ledger(ledger_url), bundled_terms)
    assert poster.drain(spool) == 4
    poster.close()
    ledger = open_ledger(ledger_url)
    assert len(list(read_records(ledger, Selection()))) == 2
    with ledger.engine.connect() as connection:
        buried = connection.execute(dead_letter.select().order_by(dead_letter.c.seq)).all()
    assert [bytes(row.body) for row in buried] == [b"no event at all", event(2, version=99)]
    assert "version 99" in buried[1].reason
    assert audit_ledger(ledger) == []
    ledger.close()


def test_calls_whose_usage_is_unknown_are_counted_once(spool, ledger_url):
    fill(spool, event(1), event(2, ending=Ending.LOST, http_status=None, seen=ResponseFacts()))
    entries = spool.read(0, 10)
    poster = Poster(lambda: open_ledger(ledger_url), bundled_terms)
    assert poster.drain(spool) == 2
    poster._post(spool.source_id, entries)  # as after a commit that nobody knew of
    assert (poster.progress.posted, poster.progress.unknown, poster.progress.unmetered) == (2, 1, 0)
    poster.close()


def test_an_unfit_posting_is_isolated_by_halving_and_buried(spool, ledger_url):
    bodies = [event(n) for n in range(1, 12)]
    bodies[6] = event(7, key="k" * 800)  # longer than an index entry can be
    fill(spool, *bodies)
    poster = Poster(lambda: open_ledger(ledger_url), bundled_terms)
    assert poster.drain(spool) == 11
    assert (poster.progress.posted, poster.progress.buried) == (10, 1)
    poster.close()
    later = Poster(lambda: open_ledger(ledger_url), bundled_terms)
    later.look()
    assert later.progress.dead_letters == poster.progress.dead_letters == 1, "also after a restart"
    later.close()
    ledger = open_ledger(ledger_url)
    assert len(list(read_records(ledger, Selection()))) == 10
    with ledger.engine.connect() as connection:
        (row,) = connection.execute(dead_letter.select())
    assert (row.seq, bytes(row.body)) == (7, bodies[6])
    assert "key has 800 bytes" in row.reason
    assert audit_ledger(ledger) == []
    ledger.close()


@given(st.lists(st.booleans(), max_size=40))
def test_whatever_cannot_be_kept_is_refused_alone_and_all_others_are_written_in_order(fits):
    written, refused = [], []

    def write(batch):
        if not all(fits[place] for place in batch):
            raise InvalidPosting("one of them cannot be kept")
        written.extend(batch)
        return len(batch)

    count = write_halving(range(len(fits)), write, lambda place, error: refused.append((place, str(error))))
    assert written == [place for place, fit in enumerate(fits) if fit]
    assert refused == [(place, "one of them cannot be kept") for place, fit in enumerate(fits) if not fit]
    assert count == len(written)


def test_while_the_ledger_is_away_everything_stays_in_the_spool(spool, tmp_path):
    fill(spool, event(1))
    opened = []

    def away():
        opened.append(1)
        raise LedgerUnavailable("the ledger is away")

    poster = Poster(away, bundled_terms)
    for _ in range(3):
        with pytest.raises(LedgerError):
            poster.drain(spool)
    assert len(opened) == 3, "each try begins with a fresh connection"
    assert spool.posted == 0


def test_read_event_refuses_what_it_does_not_know():
    assert read_event(event(1)).id.endswith("1")
    for bad in (b"", b"[]", b"{}", event(1, version=2)):
        with pytest.raises(UnreadableEvent):
            read_event(bad)


def test_metering_and_rating_a_typical_call_takes_few_functions():
    entries = list(typical(20))
    terms = bundled_terms(None)
    for entry in entries:
        posting(entry, 77, terms)  # what is read once is read
    assert calls_of(lambda: [posting(entry, 77, terms) for entry in entries]) <= 74 * len(entries)  # measured: 67


def test_writing_a_typical_call_takes_few_functions(tmp_path):
    ledger, rate = open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}"), bundled_terms(None).rate
    made = [posting(entry, 77, bundled_terms(None)) for entry in typical(500)]
    append(ledger, 77, made[:100], rate)
    few, many = (calls_of(lambda part=part: append(ledger, 77, part, rate)) for part in (made[100:200], made[200:]))
    assert (many - few) / 200 <= 58  # measured: 52
    ledger.close()


def test_a_posting_carries_the_place_in_its_spool():
    made = posting(SegmentEntry(seq=5, event_id="x", body=event(5)), 77, bundled_terms(None))
    assert (made.seq, made.event_id, made.record.source_id) == (5, "x", 77)


def interaction(number: int, name: str, before: str | None = None) -> bytes:
    return event(
        number,
        operation=Operation.INTERACTIONS,
        asked=RequestFacts(model="gemini-2.5-flash", previous_interaction_id=before, turns=1),
        seen=ResponseFacts(
            usage='{"total_input_tokens": 100, "total_tokens": 100}', response_id=name, finish_reason="completed"
        ),
        natural=("interaction", "gemini", name),
    )


def test_a_chain_is_followed_in_whatever_order_a_batch_has_it(spool, ledger_url):
    bodies = [interaction(1, "i1"), interaction(2, "i2", "i1"), interaction(3, "i3", "i2"), interaction(4, "i4", "i3")]
    for order in itertools.permutations(bodies):
        ledger = open_ledger(ledger_url)
        postings = [
            posting(SegmentEntry(seq, f"e{seq}", body), 1, bundled_terms(ledger)) for seq, body in enumerate(order)
        ]
        assert [one.record.conversation for one in joined(ledger, postings)] == ["i1"] * 4
        ledger.close()


def test_a_chain_that_bites_its_tail_ends(spool, ledger_url):
    ledger = open_ledger(ledger_url)
    bodies = [interaction(1, "i1", "i2"), interaction(2, "i2", "i1")]
    postings = [
        posting(SegmentEntry(seq, f"e{seq}", body), 1, bundled_terms(ledger)) for seq, body in enumerate(bodies)
    ]
    assert {one.record.conversation for one in joined(ledger, postings)} <= {"i1", "i2"}
    ledger.close()


@pytest.mark.parametrize("at_once", [True, False])
def test_a_chain_is_followed_to_its_first_in_one_batch_or_in_several(spool, ledger_url, at_once):
    bodies = [
        interaction(1, "i1"),
        interaction(2, "i2", "i1"),
        interaction(3, "i3", "i2"),
        interaction(4, "x", "elsewhere"),
    ]
    poster = Poster(lambda: open_ledger(ledger_url), bundled_terms)
    for chunk in [bodies] if at_once else [[body] for body in bodies]:
        fill(spool, *chunk)
        poster.drain(spool)
    poster.close()
    ledger = open_ledger(ledger_url)
    conversations = {stored.record.response_id: stored.conversation_id for stored in read_records(ledger, Selection())}
    assert conversations == {"i1": "i1", "i2": "i1", "i3": "i1", "x": "elsewhere"}
    ledger.close()


def test_a_completed_call_is_priced_by_its_own_time_not_by_that_of_its_poll(spool, ledger_url):
    """gemini-4-argon is dearer from 2026-12-01 on; the call was made before, its answer was read after."""
    made, read = 1_796_000_000_000_000, 1_797_000_000_000_000
    asked = RequestFacts(model="gemini-4-argon", turns=1)
    common = {"operation": Operation.INTERACTIONS, "natural": ("interaction", "gemini", "i1")}
    call = event(
        1, occurred_us=made, asked=asked, seen=ResponseFacts(response_id="i1", finish_reason="queued"), **common
    )
    usage = '{"total_input_tokens": 100, "total_tokens": 100}'
    poll = event(
        2,
        occurred_us=read,
        asked=RequestFacts(),
        seen=ResponseFacts(usage=usage, response_id="i1", model_version="gemini-4-argon"),
        **common,
    )
    fill(spool, call, poll)
    poster = Poster(lambda: open_ledger(ledger_url), bundled_terms)
    poster.drain(spool)
    poster.close()
    ledger = open_ledger(ledger_url)
    (stored,) = read_records(ledger, Selection())
    assert (stored.record.occurred_us, stored.cost_pico) == (made, 100 * 2_000_000)
    assert audit_ledger(ledger) == []
    ledger.close()


def post_typical(ledger: Ledger, entries: Sequence[SegmentEntry]) -> None:
    terms = bundled_terms(ledger)
    append(ledger, 77, joined(ledger, [posting(entry, 77, terms) for entry in entries]), terms.rate)


def statements_of(ledger: Ledger, work: Callable[[], object]) -> list[str]:
    """The statements that a piece of work asks of the database, COPY left out."""
    asked: list[str] = []

    def note(_connection, _cursor, statement, *_more):
        asked.append(statement.split("(")[0])

    sqlalchemy_event.listen(ledger.engine, "before_cursor_execute", note)
    try:
        work()
    finally:
        sqlalchemy_event.remove(ledger.engine, "before_cursor_execute", note)
    return asked


def test_a_batch_asks_for_as_many_statements_however_large_it_is(ledger_url):
    ledger, entries = open_ledger(ledger_url), list(typical(700))
    few, many = (
        statements_of(ledger, lambda part=part: post_typical(ledger, part)) for part in (entries[:20], entries[20:])
    )
    assert len(many) <= len(few) <= 14, many
    ledger.close()


def test_a_call_takes_little_room(tmp_path):
    ledger = open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    sizes = []
    entries = list(typical(2_000))
    for part in (entries[:1_000], entries[1_000:]):
        post_typical(ledger, part)
        with ledger.engine.connect() as connection:
            sizes.append(connection.exec_driver_sql("PRAGMA page_count").scalar_one() * 4096)
    assert (sizes[1] - sizes[0]) / 1_000 < 620
    ledger.close()


def books(ledger: Ledger) -> list[object]:
    """All that is known of the calls, but how often it was corrected on the way there."""
    records = list(read_records(ledger, Selection()))
    charges = read_charges_of(ledger, records)
    net = [net_lines((line_of(one.charge), one.charge.quantity) for one in charges[key]) for key in sorted(charges)]
    totals = read_totals(ledger, Selection(), ("hour", "model", "status", "key", "label.team"))
    return [[replace(one, revision=0) for one in records], net, totals, audit_ledger(ledger)]


def calls_and_polls() -> list[SegmentEntry]:
    """Calls that ran code, refused ones, and interactions whose answers come with a poll."""
    bodies = [entry.body for entry in typical(30)]
    for number in range(12):
        common = {"operation": Operation.INTERACTIONS, "natural": ("interaction", "gemini", f"i{number}")}
        queued = ResponseFacts(response_id=f"i{number}", finish_reason="queued")
        usage = '{"total_input_tokens": 100, "total_tokens": 100}'
        model = "gemini-2.5-flash"
        done = ResponseFacts(usage=usage, response_id=f"i{number}", finish_reason="completed", model_version=model)
        asked = RequestFacts(model=model, turns=1)
        bodies.append(event(1000 + number, asked=asked, seen=queued, labels={"team": "search"}, **common))
        bodies.append(event(2000 + number, asked=RequestFacts(), seen=done, **common))
        bodies.append(event(3000 + number, http_status=429, seen=ResponseFacts()))
    return [SegmentEntry(seq, json.loads(body)["id"], body) for seq, body in enumerate(bodies, 1)]


@pytest.mark.parametrize(("size", "seed"), [(1, 1), (7, 2), (500, 3)])
def test_the_books_are_the_same_whatever_the_batches_and_their_order(tmp_path, ledger_url, size, seed):
    one_by_one, mixed = open_ledger(f"sqlite:///{tmp_path / 'other.db'}"), open_ledger(ledger_url)
    entries = calls_and_polls()
    for entry in entries:
        post_typical(one_by_one, [entry])
    batches = [entries[start : start + size] for start in range(0, len(entries), size)] * 2
    Random(seed).shuffle(batches)
    for batch in batches:
        post_typical(mixed, batch)
    assert books(mixed) == books(one_by_one)
    assert len(books(mixed)[0]) == 30 + 12 + 12
    one_by_one.close()
    mixed.close()
