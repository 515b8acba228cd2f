"""The models that the simulator knows.

Owns: their names, which model answers for which name, and the habits that differ between generations. Not here:
answers. Invariant: a name is either known here or answered with 404. Names and re-routing: wire.md 1.7 and 6.3.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class SimulatedModel:
    """One name that can be asked for; `served` is what `modelVersion` says."""

    name: str
    served: str
    generation: int
    thinks: bool = True

    @property
    def resets(self) -> bool:
        """Whether stream counts start again with each inner turn and parts of a run carry ids (laws 13 and 20)."""
        return self.generation >= 3


def _known() -> Mapping[str, SimulatedModel]:
    own = [
        "gemini-2.5-pro",
        "gemini-2.5-flash",
        "gemini-2.5-flash-lite",
        "gemini-3-flash-preview",
        "gemini-3.1-pro-preview",
        "gemini-3.1-flash-lite",
        "gemini-3.5-flash-lite",
        "gemini-3.6-flash",
        "gemini-3.8-flash",
        "gemini-4-argon",
        "gemini-4-carbon",
        "gemini-4-hydrogen",
        "gemini-4-neon",
    ]
    served = {name: name for name in own} | {
        "gemini-3.5-flash": "gemini-3.6-flash",
        "gemini-3.7-flash": "gemini-3.8-flash",
        "gemini-flash-latest": "gemini-3.8-flash",
        "gemini-flash-lite-latest": "gemini-3.5-flash-lite",
        "gemini-pro-latest": "gemini-3.1-pro-preview",
    }
    return MappingProxyType({name: _model(name, answering) for name, answering in sorted(served.items())})


def _model(name: str, served: str) -> SimulatedModel:
    # 2.5 Flash-Lite is the one model here that does not think unless it is asked to.
    return SimulatedModel(
        name, served, generation=int(served.split("-")[1][0]), thinks=served != "gemini-2.5-flash-lite"
    )


MODELS = _known()
"""Every known name, sorted, with its model."""

MEDIA_MODELS = {
    "gemini-embedding-001": ("embedContent", "batchEmbedContents", "asyncBatchEmbedContent", "predict"),
    "text-embedding-004": ("embedContent", "batchEmbedContents", "predict"),
    "text-embedding-005": ("predict",),
    "imagen-4.0-generate-001": ("predict",),
    "imagen-4.0-fast-generate-001": ("predict",),
    "veo-2.0-generate-001": ("predictLongRunning", "fetchPredictOperation"),
    "veo-3.0-generate-001": ("predictLongRunning", "fetchPredictOperation"),
    "veo-3.1-generate-preview": ("predictLongRunning", "fetchPredictOperation"),
}
"""Models of embeddings, pictures and films, with their methods. They are in no list of models."""
