"""An SKU's text, read word by word: surface, model, tier, meter, kind of content, context band.

Owns: the words Google uses on its catalogue and bills, and the model each name there means (wire.md 6.6 names the
traps). Not here: any price. Invariant: a word that no rule takes makes the SKU unknown, so that a suffix of the future
is never swallowed.
"""

import re
from collections.abc import Container
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise

from gembill.model import Meter, Modality


class Product(StrEnum):
    """What an SKU is for, as far as it concerns tokens of the Gemini API."""

    TOKENS = "tokens"
    STORAGE = "storage"  # tokens of cached content times hours
    SEARCH = "search"
    MAPS = "maps"
    OTHER = "other"  # Live, embeddings, film: named, not compared with token rows


class Band(StrEnum):
    """The context band of a model whose prices differ above 200,000 prompt tokens."""

    SHORT = "short"
    LONG = "long"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sku:
    """An SKU that was read. `model` is the name in the price list; `free` SKUs carry the free allowance at price 0.

    `meter` is None where it is not known which of ours counts it (film). `band` is None for models with flat prices.
    """

    text: str
    product: Product
    surface: str
    model: str | None
    tier: str = "standard"
    meter: Meter | None = None
    kind: Modality = Modality.TEXT
    band: Band | None = None
    free: bool = False


@dataclass(frozen=True, slots=True)
class UnknownSku:
    """An SKU that could not be read whole: which words no rule took, or what is missing."""

    text: str
    reason: str


MODELS = {
    "gemini 4 argon": "gemini-4-argon",
    "gemini 4 carbon": "gemini-4-carbon",
    "gemini 4 hydrogen": "gemini-4-hydrogen",
    "gemini 4 neon": "gemini-4-neon",
    "gemini 3.8 flash": "gemini-3.8-flash",
    "gemini 3.7 flash": "gemini-3.7-flash",
    "gemini 3.6 flash": "gemini-3.6-flash",
    "gemini 3.5 flash lite": "gemini-3.5-flash-lite",
    "gemini 3.5 flash": "gemini-3.5-flash",
    "gemini 3.1 flash lite image": "gemini-3.1-flash-lite-image",
    "gemini 3.1 flash lite preview": "gemini-3.1-flash-lite",  # still called so after general availability
    "gemini 3.1 flash lite": "gemini-3.1-flash-lite",
    "gemini 3.1 flash image preview": "gemini-3.1-flash-image",
    "gemini 3.1 flash image": "gemini-3.1-flash-image",
    "gemini 3.1 pro": "gemini-3.1-pro-preview",
    "gemini 3 pro image": "gemini-3-pro-image",
    "gemini 3 pro": "gemini-3.1-pro-preview",  # the bill's name for its successor too
    "gemini 3 flash live": "gemini-3-flash-live",
    "gemini 3 flash": "gemini-3-flash-preview",
    "gemini 2.5 flash native image generation": "gemini-2.5-flash-image",
    "gemini 2.5 flash lite": "gemini-2.5-flash-lite",
    "gemini 2.5 flash": "gemini-2.5-flash",
    "gemini 2.5 pro": "gemini-2.5-pro",
    "gemini 2.0 flash mmgen": "gemini-2.0-flash-preview-image-generation",
    "gemini 2.0 flash lite": "gemini-2.0-flash-lite",
    "gemini 2.0 flash": "gemini-2.0-flash",
    "gemini 1.5 flash 8b": "gemini-1.5-flash-8b",
    "gemini 1.5 flash": "gemini-1.5-flash",
    "gemini 1.5 pro": "gemini-1.5-pro",
    "gemini robotics er 2 preview": "gemini-robotics-er-2",
    "gemini robotics er 2": "gemini-robotics-er-2",
    "gemini robotics er 1.5": "gemini-robotics-er-1.5-preview",
    "gemini er1.6": "gemini-robotics-er-1.6-preview",
    "gemini embedding 2": "gemini-embedding-2",
    "gemini embedding 001": "gemini-embedding-001",
    "gemini omni flash": "gemini-omni-flash",
    "gemini omni 1.1 flash": "gemini-omni-1.1-flash",
    "gemini omni 1.2 flash": "gemini-omni-1.2-flash",
    "nano banana 2.1": "gemini-nano-banana-2.1",
    "gemini 3.8 flash lite tts": "gemini-3.8-flash-lite-tts",
    "gemini 3.8 flash tts": "gemini-3.8-flash-tts",
    "gemini 3.8 live": "gemini-3.8-live",
    "gemini 3.5 transcribe": "gemini-3.5-transcribe",
    "gemini 3.1 flash tts preview": "gemini-3.1-flash-tts-preview",
    "gemini 3.1 flash tts": "gemini-3.1-flash-tts-preview",
    "gemini 3.1 flash live preview": "gemini-3.1-flash-live-preview",
    "gemini 3.1 flash live": "gemini-3.1-flash-live-preview",
    "gemini 2.5 flash preview tts": "gemini-2.5-flash-preview-tts",
    "gemini 2.5 flash tts": "gemini-2.5-flash-preview-tts",
    "gemini 2.5 pro preview tts": "gemini-2.5-pro-preview-tts",
    "gemini 2.5 pro tts": "gemini-2.5-pro-preview-tts",
    "gemini 2.5 flash image": "gemini-2.5-flash-image",
    "gemini 3 flash preview": "gemini-3-flash-preview",
    "gemini 3.1 pro preview": "gemini-3.1-pro-preview",
    "gemini 3 pro preview": "gemini-3.1-pro-preview",
    "gemma 4 26b a4b it": "gemma-4-26b-a4b-it",
    "gemma 4 31b it": "gemma-4-31b-it",
    "gemini 4": "gemini-4",
    "gemini 3": "gemini-3",  # search and Maps are charged by generation, not by model
    "gemini 2.5": "gemini-2.5",
}
_LONGEST_FIRST = sorted(MODELS, key=len, reverse=True)
_SURFACES = (
    ("async batch embed content", "embed_content", "batch"),
    ("batch embed content", "embed_content", "batch"),
    ("embed content", "embed_content", None),
    ("bidi generate content", "live", None),
    ("batch generate content", "generate_content", "batch"),
    ("generate content", "generate_content", None),
)
_FEES = (
    ("search query", Product.SEARCH),
    ("maps grounding", Product.MAPS),
    ("grounding with google search(?: for)?", Product.SEARCH),  # names no model where it is for all of them
    ("grounding with google maps(?: for)?", Product.MAPS),
)
_ONLINE = ("batch predictions", "online predictions", "predictions")
_TIERS = {"batch": "batch", "batched": "batch", "flex": "flex", "priority": "priority", "standard": "standard"}
_KINDS = {
    "text": Modality.TEXT,
    "image": Modality.IMAGE,
    "images": Modality.IMAGE,
    "video": Modality.VIDEO,
    "audio": Modality.AUDIO,
}
_CACHED = frozenset(("cached", "caching"))
_FILLER = frozenset(("token", "tokens", "count", "for", "of", "content", "number", "and"))
_HOURS = "over a period of time expressed in token hours"
_GENERATIONS = frozenset(("gemini-2.5", "gemini-3", "gemini-4"))
_FILM = re.compile(r"(?:generate (?:videos?|images?|music) )?(veo|imagen|lyria|chirp|seconds)\b")


@lru_cache(maxsize=4096)
def read(text: str) -> Sku | UnknownSku:
    """What an SKU's description means, or what of it is not known."""
    words = _normal(text)
    if film := _FILM.match(words):
        return Sku(text=text, product=Product.OTHER, surface=film[1], model=None)
    surface, tier, words = _surface(words)
    model, words = _model(words)
    reading = _Reading(text, surface, tier, model, words)
    return reading.result()


def _normal(text: str) -> str:
    """Lower case, one blank between words, and the joined spellings of method names apart."""
    spread = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text)
    return " ".join(re.sub(r"[_\-()]+", " ", spread).lower().split())


def _surface(words: str) -> tuple[str | None, str | None, str]:
    for phrase, surface, tier in _SURFACES:
        if words.startswith(f"{phrase} "):
            return surface, tier, words.removeprefix(phrase).strip()
    for phrase in _ONLINE:
        if words.endswith(f" {phrase}"):
            rest = words.removesuffix(phrase).strip()
            return "generate_content", "batch" if phrase.startswith("batch") else None, rest
    return None, None, words


def _model(words: str) -> tuple[str | None, str]:
    """The model, longest name first, and the words without it. `er1.6 image` must not become an image model.

    Vertex AI adds `ga` to the name of what is not a preview any more.
    """
    for name in _LONGEST_FIRST:
        match = re.search(rf"(?<![\w.]){re.escape(name)}(?: ga)?(?![\w.])", words)
        if match:
            rest = f"{words[: match.start()]} {words[match.end() :]}"
            if not _is_kind(name, rest):
                return MODELS[name], rest
    return None, words


def _is_kind(name: str, rest: str) -> bool:
    """Whether the `image` at the end of a model's name is the kind of content of another model's input.

    Every SKU of an image model names a kind besides, as in `image input ... for gemini 3 pro image`.
    """
    named = name.endswith(" image") and name.removesuffix(" image") in MODELS
    return named and "output" not in rest.split() and not _KINDS.keys() & rest.split()


class _Reading:
    """The words of an SKU behind its surface and model, taken one by one."""

    def __init__(self, text: str, surface: str | None, tier: str | None, model: str | None, words: str) -> None:
        self._text = text
        self._surface = surface
        self._tiers = {tier} if tier else set()
        self._model = model
        self._hours = _HOURS in words or "storage" in words
        self._words = words.replace(_HOURS, " ").split()
        self._twice = next((one for one, after in pairwise(self._words) if one == after and one in _KINDS), None)

    def result(self) -> Sku | UnknownSku:
        """The SKU, or the first thing about it that is not known."""
        if fee := self._fee():
            return fee
        band, kinds, meters = self._take_band(), self._take(_KINDS), self._meter_words()
        self._tiers |= {_TIERS[word] for word in self._take(_TIERS)}
        storage = self._hours
        if storage:
            self._take(("storage", "hours", "hour"))
        if reason := self._reason(meters, kinds, storage=storage):
            return UnknownSku(self._text, reason)
        return self._sku(storage=storage, meters=meters, kind=kinds[0] if kinds else "text", band=band)

    def _reason(self, meters: set[str], kinds: list[str], *, storage: bool) -> str | None:
        """Why the words that were taken make no SKU, or None."""
        if left := [word for word in self._words if word not in _FILLER]:
            return f"no rule reads {' '.join(left)}"
        if "count" in self._words and not {"token", "tokens"} & {*self._words}:
            return "it counts something else than tokens"
        if len(self._tiers) > 1:
            return f"it names two tiers, {' and '.join(sorted(self._tiers))}"
        return (
            self._reason_of_model(storage=storage)
            or _reason_of_meters(meters, storage=storage)
            or self._reason_of_kinds(meters, kinds)
        )

    def _reason_of_model(self, *, storage: bool) -> str | None:
        if self._model is None:
            return None if storage else "it names no model we know"
        if self._model in _GENERATIONS:
            return "it names a generation of models and not one of them"
        if self._model.startswith("gemini-1.5") and _normal(self._text).endswith("predictions"):
            return "Vertex AI billed this model by characters, pictures and seconds, not by tokens"
        return None

    def _reason_of_kinds(self, meters: set[str], kinds: list[str]) -> str | None:
        if len(set(kinds)) > 1:
            return f"it names two kinds of content, {' and '.join(sorted(set(kinds)))}"
        if self._twice:
            return f"it names {self._twice} twice"
        if not kinds and "output" in meters and (self._model or "").endswith("-image"):
            return "it does not say whether the output is text or images"
        return None

    def _sku(self, *, storage: bool, meters: set[str], kind: str, band: Band | None) -> Sku:
        other = self._surface not in ("generate_content", None) or "embedding" in (self._model or "")
        product = Product.OTHER if other else Product.TOKENS
        return Sku(
            text=self._text,
            product=Product.STORAGE if storage else product,
            surface=self._surface or ("cache" if storage else "generate_content"),
            model=self._model,
            tier=next(iter(self._tiers), "standard"),
            meter=Meter.STORAGE if storage else _meter(meters),
            kind=_KINDS[kind],
            band=band,
        )

    def _fee(self) -> Sku | None:
        """A search query or a Maps grounding. `free` lines carry the free allowance, `paid one` is a price step."""
        rest = " ".join(self._words)
        for phrase, product in _FEES:
            match = re.fullmatch(rf"{phrase}(?: (free|paid(?: (?:one|two|three))?))?", rest)
            if match and (self._model or phrase.startswith("grounding")):
                return Sku(
                    text=self._text,
                    product=product,
                    surface="generate_content",
                    model=self._model,
                    meter=Meter.MAPS if product is Product.MAPS else Meter.GROUNDING,
                    free=match[1] == "free",
                )
        return None

    def _take(self, wanted: Container[str]) -> list[str]:
        taken = [word for word in self._words if word in wanted]
        self._words = [word for word in self._words if word not in taken]
        return taken

    def _take_band(self) -> Band | None:
        """`short` or `long`; the `input` behind it is part of the band where an output is counted."""
        rest = " ".join(self._words)
        match = re.search(r"\b(short|long)\b(?: context\b)?", rest)
        if match is None:
            return None
        if "output" in self._words and (inner := re.search(r"\b(?:short|long) input\b", rest)):
            rest = f"{rest[: inner.start()]} {rest[inner.end() :]}"
        else:
            rest = f"{rest[: match.start()]} {rest[match.end() :]}"
        self._words = rest.split()
        return Band(match[1])

    def _meter_words(self) -> set[str]:
        """input, output, cached; `thinking` and `non thinking` are twins of an output SKU, which both are output."""
        if "output" in self._words:
            self._words = " ".join(self._words).replace("non thinking", " ").split()
            self._take(("thinking",))
        cached = bool(self._take(_CACHED))
        return {*self._take(("input", "output")), *(("cached",) if cached else ())}


def _reason_of_meters(meters: set[str], *, storage: bool) -> str | None:
    if {"input", "output"} <= meters or not (storage or meters):
        return "it does not name one of input and output"
    if "output" in meters and (storage or "cached" in meters):
        return "it names output that was cached, and only input is"
    return None


def _meter(words: set[str]) -> Meter:
    if "cached" in words:
        return Meter.CACHED_INPUT
    return Meter.OUTPUT if "output" in words else Meter.INPUT
