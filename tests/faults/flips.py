"""R11: bytes that flip, in segments (by the tests of the spool) and in the file of a SQLite ledger."""

import contextlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from gembill.ledger import (
    Ledger,
    LedgerRecord,
    Selection,
    audit_ledger,
    open_ledger,
    read_event_body,
    read_records,
)
from tests.faults.figures import Figure, Plan, scenario
from tests.faults.ground import Ground, settle, stop
from tests.faults.proofs import proven

SEGMENTS = tuple(f"tests/gembill/spool/test_{name}.py" for name in ("segment", "segments", "frames", "reader"))


@scenario("R11", rounds=60)
def flip_bytes(ground: Ground, plan: Plan) -> Figure:
    """Three bytes flipped in a ledger, again and again: named by the audit, or nothing that is read changed."""
    child = ground.proxy("r11")
    with child.running():
        with ground.load(child, 2.0, connections=8, rate=300):
            pass
        settle(child)
        stop(child)
    whole = (ground.folder / "r11" / "data" / "ledger.db").read_bytes()
    file = ground.folder / "flipped.db"
    before, seen = _read(file, whole), Counter[str]()
    for _ in range(plan.rounds):
        content = bytearray(whole)
        for _ in range(3):
            content[plan.dice.randrange(len(content))] ^= 1 << plan.dice.randrange(8)
        seen[_outcome(before, _read(file, bytes(content)))] += 1
    figure = proven(
        "bytes flipped in segments: one group lost, named, set aside, no number twice", SEGMENTS, ground, plan
    )
    text = f"{figure.text}. Three bytes flipped in a ledger of {len(whole) / 1e6:.1f} MB, {plan.rounds} times: "
    text += f"{seen[NAMED]} named by `gembill audit` or the file refused, {seen[SAME]} in bytes that nothing reads, "
    text += f"{seen[TEXT]} unseen in ids, times, names or in events kept for `repost`, {seen[MONEY]} unseen in tokens or money"
    return Figure(text, figure.held and not seen[MONEY])


NAMED, SAME, TEXT, MONEY = "named", "same", "text", "money"


@dataclass(frozen=True)
class Books:
    """What a ledger says: the numbers of its calls, and all the rest."""

    numbers: list[object]
    rest: list[object]


def _outcome(before: Books | None, after: Books | None) -> str:
    assert before is not None
    if after is None:
        return NAMED
    if after == before:
        return SAME
    return TEXT if after.numbers == before.numbers else MONEY


def _read(file: Path, content: bytes) -> Books | None:
    """All that the ledger in a file says of its calls; None where the audit names damage, or it cannot be read."""
    for each in file.parent.glob(f"{file.name}*"):
        each.unlink()
    file.write_bytes(content)
    try:
        ledger = open_ledger(f"sqlite:///{file}", read_only=True)
        with contextlib.closing(ledger):
            return None if audit_ledger(ledger) else _books(ledger)
    except Exception:  # refused, in whatever words
        return None


def _books(ledger: Ledger) -> Books:
    stored = list(read_records(ledger, Selection()))
    numbers: list[object] = [
        (each.record.status, each.record.tokens, each.cost_pico, each.cost_parts) for each in stored
    ]
    return Books(numbers, [stored, [_body(ledger, each) for each in stored]])


def _body(ledger: Ledger, stored: LedgerRecord) -> object:
    """The event of a call, or why it cannot be read: no audit reads it, so that it is not refused here."""
    try:
        return read_event_body(ledger, stored)
    except Exception as error:
        return str(error)
