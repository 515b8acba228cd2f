"""The name of a model as the ledger keeps it.

Owns: the place in front of a name, and how long a name may be. Not here: which of the names of a call counts
(`metering`). Invariant: whatever a caller asks for or an answer says, the name can be kept: no name makes a good call a
dead letter.
"""

import re
from functools import lru_cache

_PLACE = re.compile(r"^(?:(?:.*/)?publishers/[^/]+/)?models/")
_BYTES = 768  # as `ledger.validation` has it
_UTF8_BYTES = 4  # of a character, at most


@lru_cache(maxsize=4096)
def bare(name: str | None) -> str | None:
    """The name alone: on Vertex project, location and publisher can be in front of it."""
    return cut(_PLACE.sub("", name, count=1)) or None if name else None


def cut(name: str | None) -> str | None:
    """As much of a name as is kept: 768 bytes, whole characters."""
    if not name or len(name) * _UTF8_BYTES <= _BYTES:
        return name
    return name.encode("utf-8", "surrogatepass")[:_BYTES].decode("utf-8", "ignore")


@lru_cache(maxsize=4096)
def is_cut(name: str | None) -> bool:
    """Whether a name is longer than what is kept of it."""
    if not name or len(name) * _UTF8_BYTES <= _BYTES:
        return False
    alone = _PLACE.sub("", name, count=1)
    return cut(alone) != alone
