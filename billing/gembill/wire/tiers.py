"""The words for service tiers, of every API that names one (wire.md 1.6, 1.8, 5.1).

Owns: which tier a word means. Not here: where a word appears (the dialects) and which of several counts (metering).
Invariant: a word that asks for nothing is None, one that nobody knows is a tier of its own, which has no price; case
and prefix do not matter.
"""

from functools import lru_cache

from gembill.wire.json_text import word

_TRAFFIC = {
    "ON_DEMAND": "standard",
    "ON_DEMAND_PRIORITY": "priority",
    "ON_DEMAND_FLEX": "flex",
    "ON_DEMAND_OFFPEAK": "offpeak",
    "PROVISIONED_THROUGHPUT": "provisioned",
    "TRAFFIC_TYPE_UNSPECIFIED": None,
    "": None,
    0: None,
    1: "standard",
    2: "provisioned",
}
_TRAFFIC_PREFIX = "on_demand_"
_PREFIX = "service_tier_"
_NOT_ASKED = ("", "auto", "unspecified")  # `auto` is OpenAI's


@lru_cache(maxsize=1024)
def tier(name: str | None) -> str | None:
    """The tier of a word of a request or an answer; OpenAI calls the standard one `default`."""
    plain = (name or "").strip().lower().removeprefix(_PREFIX)
    if plain in _NOT_ASKED:
        return None
    return "standard" if plain == "default" else plain


def of_traffic(kind: object) -> str | None:
    """The tier of Vertex's traffic type, which its endpoints report in place of a tier; a number is that of a word.

    Traffic of a type that is new is not standard: it is a tier by the name that the answer gives it.
    """
    if isinstance(kind, str):
        kind = kind.strip().upper()
    elif type(kind) is not int:
        return None
    if kind in _TRAFFIC:
        return _TRAFFIC[kind]
    new = word(kind, 64)
    return f"traffic_{new}" if isinstance(kind, int) else new and new.lower().removeprefix(_TRAFFIC_PREFIX)


def reported(service_tier: object, traffic: object) -> str | None:
    """The tier of a usage object that may name it in either way."""
    named = _named(service_tier) if isinstance(service_tier, str) else None
    return named or of_traffic(traffic)


@lru_cache(maxsize=256)
def _named(text: str) -> str | None:
    named = word(text, 64)
    return named if tier(named) else None


def may_be_named(usage: bytes) -> bool:
    """Whether a usage object, still text, can name its tier. No other name in one has a `v` or an `f` in it."""
    return b"v" in usage or b"f" in usage or b"\\" in usage
