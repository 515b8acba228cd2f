"""Which call a turn of a chat goes on from.

Owns: the turns that were seen, as digests. Not here: how a turn is told (`gembill.wire.turns`). Invariant: a turn is
known for as long as this process lives and `MAX_TURNS` others were not seen after it; what is forgotten joins nothing.
"""

from collections import OrderedDict
from hashlib import sha256

from gembill.wire.turns import Turn, Turns

MAX_TURNS = 20_000


class Chats:
    """The conversations of turns, by who chats. For one event loop."""

    def __init__(self) -> None:
        self._turns: OrderedDict[bytes, str] = OrderedDict()

    def conversation(self, chatter: str, request: Turns) -> str | None:
        """The conversation of the newest call that a request goes on from; None if none is known.

        Where signatures were sent back, one of them has to be of that call: greetings are answered alike often.
        """
        turn = request.before
        if turn is None:
            return None
        marks = turn.marks or (b"",)
        return next((known for mark in marks if (known := self._turns.get(_place(chatter, turn, mark)))), None)

    def note(self, chatter: str, turn: Turn, conversation: str) -> None:
        """A prompt was answered."""
        for mark in (b"", *turn.marks):
            place = _place(chatter, turn, mark)
            self._turns[place] = conversation
            self._turns.move_to_end(place)
        while len(self._turns) > MAX_TURNS:
            self._turns.popitem(last=False)


def _place(chatter: str, turn: Turn, mark: bytes) -> bytes:
    """All that is kept of a turn."""
    return sha256(turn.prompt + turn.answer + mark + chatter.encode()).digest()[:16]
