"""What can be kept on both engines, and what is refused by the name of its field."""

import contextlib
from random import Random

import pytest
from msgspec.structs import replace

from gembill.ledger import (
    InvalidPosting,
    Ledger,
    RatedEvent,
    Selection,
    open_ledger,
    read_event_body,
    read_records,
    read_totals,
    upgrade_ledger,
)
from gembill.ledger.validation import check_posting, check_source
from gembill.model import ApiError, Charge, Execution, Meter, Modality, Outcome, Rating, Tokens
from tests.gembill.ledger.making import SPOOL, append, number, posting

MOST = 2**63 - 1
UNKNOWN = Rating(known=False)


def rating(**changes: object) -> Rating:
    plain = {"meter": Meter.INPUT, "modality": Modality.TEXT, "quantity": 1, "unit_pico": 1, "price_id": "p"}
    return Rating(charges=(Charge(**{**plain, **changes}),))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"id": "canary"}, "id is not a UUID"),
        ({"id": number(1).upper().replace("0", "A")}, "id is not a UUID"),
        ({"source_id": SPOOL + 1}, "neither its spool's 77 nor a reserved one"),
        ({"source_id": -65}, "source_id of the record is -65"),
        ({"occurred_us": 2**63}, "occurred_us is not a whole number"),
        ({"ended_us": "canary"}, "ended_us"),
        ({"http_status": 200.0}, "http_status"),
        ({"turns": float("nan")}, "turns"),
        ({"tokens": Tokens(input=2**63)}, r"tokens\.input"),
        ({"tokens": Tokens(output=-1)}, r"tokens\.output"),
        ({"tokens": Tokens(thinking=1.5)}, r"tokens\.thinking"),  # type: ignore[arg-type]
        ({"tokens": Tokens(cached=True)}, r"tokens\.cached"),
        ({"model": "canary\0"}, "model contains a NUL"),
        ({"model": "m" * 769}, "model has 769 bytes, more than 768"),
        ({"key": "k" * 769}, "key has 769"),
        ({"service_tier": "\U00020000" * 193}, "service_tier has 772"),
        ({"requested_model": "canary\ud800"}, "requested_model contains a NUL or half a surrogate pair"),
        ({"agent": "\0"}, "agent"),
        ({"finish_reason": "\0"}, "finish_reason"),
        ({"response_id": "\0"}, "response_id"),
        ({"conversation": "\udfff"}, "conversation"),
        ({"error": ApiError(code="canary\0")}, "error"),
        ({"labels": {"team": "canary\ud800"}}, "labels"),
        ({"labels": {"canary\0": "x"}}, "labels"),
        ({"flags": ("\0",)}, "flags or anomalies"),
        ({"anomalies": ("\0",)}, "flags or anomalies"),
        ({"executions": (Execution(outcome=Outcome.OK, part_id="\0"),)}, "executions"),
        ({"rating": Rating(unpriced_reason="canary\0")}, "flags or anomalies"),
        ({"rating": rating(price_id="\0")}, "price_id"),
        ({"rating": rating(quantity=-1)}, "quantity of a charge"),
        ({"rating": rating(unit_pico=2**63)}, "unit_pico of a charge"),
        ({"rating": rating(quantity=2**32, unit_pico=2**31)}, "cost_pico of a charge"),
        ({"rating": Rating(charges=rating(quantity=MOST).charges * 2)}, "the cost"),
    ],
    ids=str,
)
def test_what_cannot_be_kept_is_refused_by_the_name_of_its_field(changes: dict[str, object], field: str) -> None:
    unfit = posting(1, **{"rating": UNKNOWN, **changes})  # type: ignore[arg-type]
    with pytest.raises(InvalidPosting, match=field) as caught:
        check_posting(SPOOL, unfit)
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"event_id": "canary"}, "event_id is not a UUID"),
        ({"event_id": 7}, "event_id is not a UUID"),
        ({"seq": 0}, "seq is not a whole number"),
        ({"body": "canary"}, "body of the event is str, not bytes"),
    ],
    ids=str,
)
def test_an_event_that_cannot_be_kept_is_refused(changes: dict[str, object], field: str) -> None:
    with pytest.raises(InvalidPosting, match=field) as caught:
        check_posting(SPOOL, replace(posting(1), **changes))  # type: ignore[arg-type]
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("source_id", [0, -65, 2**63, True, 1.0])
def test_a_source_is_a_spools_or_a_reserved_one(source_id: int) -> None:
    for each in (1, MOST, -1, -64):
        check_source(each)
    with pytest.raises(InvalidPosting, match=f"source_id is {source_id}"):
        check_source(source_id)


def extreme(name: str) -> RatedEvent:
    """A posting with the largest numbers and longest names that pass."""
    odd = "\x01\t\n\\N\x7f\ufffe\U0010ffff'\""
    counts = Tokens(input=MOST, intermediate=MOST, output=MOST, total=MOST, cached=MOST, thinking=MOST)
    return replace(
        posting(
            1,
            rating(quantity=MOST, price_id=odd),
            source_id=MOST,
            occurred_us=MOST,
            ended_us=-MOST,
            turns=MOST,
            http_status=-MOST,
            tokens=counts,
            model=name,
            key=name[::-1],
            service_tier=name[1:] + name[:1],
            **dict.fromkeys(("requested_model", "agent", "finish_reason", "response_id", "conversation"), odd),
            error=ApiError(code=-MOST, status=odd, kind=odd),
            executions=(Execution(outcome=Outcome.OK, part_id=odd, language=odd, code_chars=MOST),),
            labels={odd: odd},
            flags=(odd,),
            anomalies=(odd, ""),
        ),
        seq=MOST,
        body=bytes(range(256)),
    )


def name_of(first: str, last: str) -> str:
    """256 characters of a range in no order that an index could compress."""
    rng = Random(1)
    return "".join(chr(rng.randint(ord(first), ord(last))) for _ in range(256))


@pytest.mark.parametrize("characters", ["!~", "\u4e00\u9fff"], ids=["one byte", "three bytes"])
def test_the_largest_values_that_pass_are_kept_as_they_are(ledger: Ledger, characters: str) -> None:
    unusual = extreme(name_of(*characters))
    assert append(ledger, MOST, [unusual]) == 1
    (stored,) = read_records(ledger, Selection())
    assert stored.record == unusual.record
    assert stored.cost_pico == MOST
    assert read_event_body(ledger, stored) == unusual.body
    (total,) = read_totals(ledger, Selection(), ["key", "service_tier"])
    assert (total.group["key"], total.tokens.thinking) == (unusual.record.key, MOST)


def test_names_that_an_index_entry_cannot_hold_are_not_a_reason_to_try_later(empty_postgres_url: str) -> None:
    upgrade_ledger(empty_postgres_url)
    with contextlib.closing(open_ledger(empty_postgres_url)) as ledger, contextlib.suppress(InvalidPosting):
        append(ledger, MOST, [extreme(name_of("\U00020000", "\U0002ffff"))])
