"""Names of the things that a simulator makes: answers, interactions, caches, files, batches.

Owns: their giving out, and how often the same request came. Not here: the things themselves. Invariant: a name follows
from what it was made of and from how often that came before; a request that mentions a name gives the same answer as
one that mentions another name of the same origin, so that two runs of a program differ in names only.
"""

import re
import secrets
from base64 import urlsafe_b64encode
from collections import OrderedDict
from hashlib import blake2b

_REMEMBERED = 4096  # origins whose repetitions are counted, and names whose origin is known
_FORM = re.compile(rb',\s*"stream"\s*:\s*(?:true|false)|"stream"\s*:\s*(?:true|false)\s*,?\s*')
_MENTIONS = re.compile(rb"(?:v1_|cachedContents/|files/|batches/)[\w-]+")


class IdFactory:
    """The names that one simulator gave out.

    With a seed they repeat at the next start. Without one no start repeats the names of another, as interactions and
    batches are told apart by name alone; what is answered is that of seed 0 all the same.
    """

    def __init__(self, seed: int | None) -> None:
        self._seed = b"%d" % (seed or 0)
        self._start = secrets.token_bytes(16) if seed is None else b""
        self._repeats: OrderedDict[bytes, int] = OrderedDict()
        self._origins: OrderedDict[bytes, bytes] = OrderedDict()

    def origin(self, place: str, body: bytes) -> bytes:
        """What an answer to this body at this place may depend on besides control headers: 16 bytes.

        Whether the answer is to be streamed does not matter.
        """
        body = _FORM.sub(b"", body)
        if self._origins:
            body = _MENTIONS.sub(lambda match: self._origins.get(match[0], match[0]), body)
        return blake2b(b"%b %b %b" % (self._seed, place.encode(), body), digest_size=16).digest()

    def draw(self, origin: bytes) -> bytes:
        """24 bytes that differ each time the same origin comes; the last 8 choose a fault and repeat at each start."""
        repeat = self._repeats.pop(origin, 0)
        self._repeats[origin] = repeat + 1
        _bound(self._repeats)
        drawn = blake2b(b"%b %d" % (origin, repeat), digest_size=24).digest()
        if not self._start:
            return drawn
        return blake2b(drawn, digest_size=16, key=self._start).digest() + drawn[16:]

    def give(self, prefix: str, draw: bytes, origin: bytes) -> str:
        """A name of this prefix (`v1_`, `files/`, ...) for what was made of this origin."""
        name = prefix + (id_text(draw) if prefix == "v1_" else draw[:10].hex())
        self._origins[name.encode()] = origin.hex().encode()
        _bound(self._origins)
        return name


def id_text(draw: bytes) -> str:
    """A draw as 22 characters of the alphabet of ids."""
    return urlsafe_b64encode(draw[:16])[:22].decode()


def _bound(known: "OrderedDict[bytes, int] | OrderedDict[bytes, bytes]") -> None:
    if len(known) > _REMEMBERED:
        known.popitem(last=False)
