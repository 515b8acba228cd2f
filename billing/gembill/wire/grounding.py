"""What an answer shows of the tools that Google charges per use: web search and Maps (wire.md 6.5).

Owns: whose queries are whose, and which grounding is charged. Not here: names of fields (the dialects) and prices.
Invariant: no query is kept, only digests of at most MAX_SEARCHES different ones; what is shown twice counts once.
"""

from hashlib import blake2b

MAX_SEARCHES = 10_000


class Grounding:
    """Gathers evidence over the documents of an answer, in any order.

    Maps report their queries in the same list as web search does. So the queries of a document are those of the tool
    whose sources it cites; where it cites none, they are those of web search unless the answer cites nothing but Maps,
    or another document shows the same query with Maps.
    """

    def __init__(self) -> None:
        self._web: set[bytes] = set()
        self._maps: set[bytes] = set()
        self._open: set[bytes] = set()  # from documents without sources
        self._searched = self._cites_web = self._uses_maps = self._fetched = False

    def add(self, queries: object, *, searched: bool = False, cites_web: bool = False, maps: bool = False) -> bool:
        """Add what one document shows: its queries, a sign of web search, pages or places it cites.

        False if there are more different queries than are counted.
        """
        self._searched |= searched
        self._cites_web |= cites_web
        self._uses_maps |= maps
        pile = self._web if searched or cites_web else self._maps if maps else self._open
        counted = True
        for query in queries if isinstance(queries, list) else ():
            counted = self._add_query(query, pile) and counted
        return counted

    def mark_fetched(self) -> None:
        """The answer used URL context, whose pages look like those of a search and have no fee."""
        self._fetched = True

    @property
    def searches(self) -> int:
        """Different queries of web and image search that are not empty."""
        return len(self._web if self._is_all_maps else self._web | (self._open - self._maps))

    @property
    def grounded(self) -> bool:
        """Whether the web was searched."""
        return self._searched or self.searches > 0 or (self._cites_web and not self._fetched)

    @property
    def maps_searches(self) -> int:
        """Different queries of Maps, at least one where Maps were used; 0 where they were not."""
        if not self._uses_maps:
            return 0
        queries = self._maps | self._open if self._is_all_maps else self._maps
        return max(len(queries - self._web), 1)

    @property
    def _is_all_maps(self) -> bool:
        return self._uses_maps and not (self._searched or self._cites_web)

    def _add_query(self, query: object, pile: set[bytes]) -> bool:
        if not isinstance(query, str) or not query.strip():
            return True
        digest = blake2b(query.encode("utf-8", "replace"), digest_size=16).digest()
        if digest in pile:
            return True
        if len(self._web) + len(self._maps) + len(self._open) >= MAX_SEARCHES:
            return False
        pile.add(digest)
        return True
