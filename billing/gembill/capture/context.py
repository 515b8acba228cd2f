"""What earlier exchanges explain of later ones: tools of a cached content, requests of a batch, turns of a chat.

Owns: these facts, bounded, for as long as this process lives. Not here: records. Invariant: no more than `MAX_NAMES`
names and `MAX_ENTRIES` batch entries are kept, and the oldest are forgotten; what is forgotten is "not known", never
guessed.
"""

from collections import OrderedDict

from msgspec import Struct

from gembill.capture.chats import Chats
from gembill.event import FilmRequest, Stored
from gembill.model import Api, Operation

MAX_NAMES = 10_000
MAX_ENTRIES = 1_000_000


class Submitted(Struct, frozen=True, kw_only=True):
    """A batch as it was submitted: when and by whom, and a byte (0 or 1) for each inlined request that allows code.

    Or other work that goes on after its answer: `operation` says which, `name` is the API's, `film` what was asked for.
    """

    operation: str = Operation.BATCH
    name: str = ""
    occurred_us: int
    key: str | None
    labels: dict[str, str]
    labels_cut: bool
    model: str | None
    declared: bytes = b""
    film: FilmRequest | None = None
    stored: Stored | None = None

    def declares(self, key: str) -> bool | None:
        """Whether the inlined request at this place allows code execution; None where it is not one of them."""
        place = int(key) if key.isascii() and key.isdigit() and len(key) < 9 else len(self.declared)
        return bool(self.declared[place]) if place < len(self.declared) else None


class ContextCache:
    """Facts by family and name. For one event loop; a name noted again replaces the old facts."""

    def __init__(self) -> None:
        self._caches: OrderedDict[tuple[Api, str], bool] = OrderedDict()
        self._batches: OrderedDict[tuple[Api, str], Submitted] = OrderedDict()
        self._unread: OrderedDict[tuple[Api, str], None] = OrderedDict()
        self.chats = Chats()
        self._entries = 0

    def cached(self, api: Api, name: str) -> bool | None:
        """Whether a cached content declares code execution; None if it is not known."""
        return self._caches.get((api, name))

    def note_cached(self, api: Api, name: str, *, declared: bool) -> None:
        """A cached content was made."""
        self._caches[api, name] = declared
        if len(self._caches) > MAX_NAMES:
            self._caches.popitem(last=False)

    def batch(self, api: Api, name: str) -> Submitted | None:
        """The batch of this name, or whose results are in the file of this name."""
        return self._batches.get((api, name))

    def note_batch(self, api: Api, name: str, submitted: Submitted) -> None:
        """A batch was submitted, or the file of its results became known."""
        old = self._batches.pop((api, name), None)
        self._entries += len(submitted.declared) - (len(old.declared) if old else 0)
        self._batches[api, name] = submitted
        while self._batches and (len(self._batches) > MAX_NAMES or self._entries > MAX_ENTRIES):
            forgotten, left = self._batches.popitem(last=False)
            self._entries -= len(left.declared)
            self._unread.pop(forgotten, None)

    def note_unread(self, api: Api, name: str) -> None:
        """A batch was made: its entries are calls that nobody sees before its results pass."""
        if (api, name) in self._batches:
            self._unread[api, name] = None

    def note_read(self, api: Api, name: str) -> None:
        """Results of a batch passed, or it ended without any."""
        self._unread.pop((api, name), None)

    @property
    def unread_batches(self) -> tuple[str, ...]:
        """The batches that were made here and whose results did not pass, the oldest first."""
        return tuple(name for _, name in self._unread)
