"""How much a source of a price counts.

Owns: the ranks of sources, and where a source says its own. Not here: the sources (`prices.toml`). Invariant: a rank is
the first word of a source, in front of a colon, so every row carries it; a source without one has no rank, as have the
prices that a user sets.
"""

RANKS = ("invoice", "catalogue", "page", "package", "web")
"""What was billed, Google's SKU catalogue, its pricing page, packages that carry the page, and what others write."""


def rank_of(source: str) -> str | None:
    """The rank that a source says it has."""
    word, colon, _ = source.partition(":")
    return word if colon and word in RANKS else None


def outranks(source: str, rank: str) -> bool:
    """Whether a source counts more than sources of a rank do."""
    own = rank_of(source)
    return own is not None and RANKS.index(own) < RANKS.index(rank)
