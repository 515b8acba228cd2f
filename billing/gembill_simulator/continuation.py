"""Tokens that go on with an answer which stopped at the limit of one hop (wire.md 1.5 and 2.7).

Owns: what a continuation token says and its form. Owns no answer. Invariant: a token that was given out is read back
as it was; any other text is a `Refusal` with status 400.
"""

from base64 import b64decode, b64encode
from dataclasses import dataclass

from gembill_simulator.fields import bad

_MARK = "hop"


@dataclass(frozen=True, slots=True)
class Continuation:
    """`left` hops are still to come, the one that presents it included; `spent` tokens were put out before it."""

    left: int
    spent: int

    def token(self) -> str:
        """The opaque text of it."""
        return b64encode(f"{_MARK}:{self.left}:{self.spent}".encode()).decode()


def read(token: str) -> Continuation:
    """What a token says; raises `Refusal` (400) for one that was never given out."""
    try:
        mark, left, spent = b64decode(token, altchars=b"-_", validate=True).decode("ascii").split(":")
    except ValueError as reason:  # of base64, of ASCII and of the number of parts
        raise bad("The continuation token is not one of this simulator's.") from reason
    if mark != _MARK or not (left.isdigit() and spent.isdigit() and len(left) < 4 and len(spent) < 13):
        raise bad("The continuation token is not one of this simulator's.")
    return Continuation(int(left), int(spent))
