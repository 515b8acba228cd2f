"""A document read as it comes: the items of lists in it, and what is beside them.

Owns: putting the two together for tests of dialects. Not here: the reading.
"""

from collections.abc import Collection, Iterable

from gembill.capture.documents import Documents
from gembill.capture.listed import ListItems, Path
from gembill.event import UnreadReason

Item = tuple[Path, int, bytes | None, UnreadReason | None]


def read(
    pieces: Iterable[bytes], paths: Collection[Path], wanted: Collection[Path] = ()
) -> tuple[list[Item], list[bytes], dict]:
    """The items, the documents that are left, and the texts that were wanted."""
    listed: list[Item] = []
    framings: list[ListItems] = []

    def framing(elider, note) -> ListItems:
        framings.append(ListItems(elider, note, paths=paths, wanted=wanted, taken=lambda *item: listed.append(item)))
        return framings[0]

    documents = Documents(framing=framing)
    rest = [document for piece in pieces for document in documents.feed(piece)]  # none but of a list of its own
    rest += documents.close()
    return listed, rest, framings[0].texts if framings else {}


def items(document: bytes, paths: Collection[Path]) -> tuple[list[tuple[Path, int, bytes]], bytes]:
    """The items of these lists, and the rest of the document."""
    listed, (rest,), _ = read([document], paths)
    return [(path, place, text or b"") for path, place, text, _ in listed], rest
