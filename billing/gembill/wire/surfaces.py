"""The surfaces of the API: every way to make a paid call that we know, one row each, and what is known to cost nothing.

Owns: path patterns, the operation each makes and what it is billed by (wire.md 5.1). Not here: which dialect reads an
operation (`dialect`) and what an exchange is to the ledger (`routes`). Invariant: a POST that no row of either
table names is a paid call of which we only know that it was made; it is never free by default.

To add a surface is to add a row. Patterns are matched against the path behind version, project and location.
"""

import re
from dataclasses import dataclass, field
from enum import StrEnum

from gembill.model import Operation

_MODEL = r"(?:(?:publishers/[^/:]+/)?models/(?P<model>[^/:]+)|(?P<resource>(?:tunedModels|dynamic|endpoints)/[^/:]+))"


class Basis(StrEnum):
    """What a surface is billed by."""

    TOKENS = "tokens"
    IMAGES = "images"  # pictures that were made
    VIDEO = "video"  # seconds of film, by resolution and sound
    JOB = "job"  # what its results tell, where they pass
    UNKNOWN = "unknown"  # a surface nobody described to us


@dataclass(frozen=True, slots=True)
class Surface:
    """A row: POST on a path that `path` matches makes a call of this operation. `model` in the path is its group."""

    operation: Operation | str  # a name of its own is enough for a new kind of call
    path: str
    basis: Basis = Basis.TOKENS
    streamed: bool = False
    submits: bool = False  # the work is done later: results are polled, or the content is kept for later calls
    pattern: re.Pattern[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "pattern", re.compile(self.path))


SURFACES = (
    Surface(Operation.GENERATE_CONTENT, rf"{_MODEL}:generateContent"),
    Surface(Operation.GENERATE_CONTENT, rf"{_MODEL}:streamGenerateContent", streamed=True),
    Surface(Operation.BATCH, rf"{_MODEL}:batchGenerateContent", Basis.JOB, submits=True),
    Surface(Operation.INTERACTIONS, r"interactions"),
    Surface(Operation.OPENAI_CHAT, r"(?:openai|endpoints/[^/:]+)/chat/completions"),
    Surface(Operation.CACHE_STORAGE, r"cachedContents", submits=True),
    Surface(Operation.EMBED_CONTENT, rf"{_MODEL}:(?:embedContent|batchEmbedContents)"),
    Surface(Operation.EMBED_CONTENT, rf"{_MODEL}:asyncBatchEmbedContent", Basis.JOB),
    Surface(Operation.EMBED_CONTENT, r"openai/embeddings"),
    Surface(Operation.GENERATE_IMAGES, r"openai/images/(?:generations|edits)", Basis.IMAGES),
    Surface(
        Operation.GENERATE_IMAGES,
        r"(?:publishers/google/)?models/(?P<model>(?:imagen|imagegeneration|virtual-try-on)[^/:]*):predict",
        Basis.IMAGES,
    ),
    Surface(Operation.EMBED_CONTENT, r"(?:publishers/google/)?models/(?P<model>[^/:]*embedding[^/:]*):predict"),
    Surface(Operation.PREDICT, rf"{_MODEL}:predict"),
    Surface(Operation.GENERATE_VIDEOS, rf"{_MODEL}:predictLongRunning", Basis.VIDEO),
    Surface(Operation.DECISIONS, r"decisions"),
    Surface(Operation.OPENAI_RESPONSES, r"openai/responses"),
    Surface(Operation.IMPORT_FILE, r"fileSearchStores/[^/:]+:(?:importFile|uploadToFileSearchStore)"),
    Surface(Operation.BATCH_PREDICTION, r"batchPredictionJobs", Basis.JOB),
)

_RESOURCE = r"(?:agents|auth_tokens|corpora|credentials|environments|fileSearchStores|triggers|webhooks)"
FREE = tuple(
    re.compile(pattern)
    for pattern in (
        rf"{_MODEL}:(?:countTokens|computeTokens)",  # counting is free (wire.md 7)
        r"files(?:/[^/:]+|:register)?",  # uploads and their registration; tokens are billed where a file is read
        r"(?:.+/)?operations/[^/:]+:(?:cancel|wait)",  # long-running work is billed where it was begun
        rf"{_MODEL}:fetchPredictOperation",
        r"(?:batches|batchPredictionJobs|tuningJobs)/[^/:]+:cancel",
        r"interactions/[^/:]+/(?:cancel|auth_tokens)",
        rf"{_RESOURCE}(?:/[^/:]+)?",  # making and changing a resource; running one is a call of its own
        r"environments/[^/:]+/files(?:/[^:]+)?",
        r"webhooks/[^/:]+:(?:ping|rotateSigningSecret)",
        r"corpora/[^/:]+/(?:documents|permissions)(?:/[^:]+)?",
        r"fileSearchStores/[^/:]+/documents(?:/[^:]+)?",
        r"tunedModels/[^/:]+/permissions(?:/[^/:]+)?",
        r"tunedModels/[^/:]+:transferOwnership",
    )
)
"""POSTs that are known to cost nothing, a closed list. The whole path behind the version must match."""
