"""The nouns of gembill: what a call used, and what that costs.

Owns: the values that travel between metering, rating and the ledger, and their meaning. Not here: what was seen of a
call (`event`) and the rules that compute one from another. Invariant: every value is frozen; `None` is "not reported",
0 is zero; times are whole microseconds since 1970 in UTC (`..._us`), money is pico-dollars (`..._pico`), token counts
are tokens.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from msgspec import Struct

from gembill.errors import ConfigurationError


class Api(StrEnum):
    """The family of endpoints."""

    GEMINI = "gemini"
    VERTEX = "vertex"


class Operation(StrEnum):
    """The kind of call, where we know the surface; of any other call it is the verb of its path, in snake case."""

    GENERATE_CONTENT = "generate_content"
    INTERACTIONS = "interactions"
    BATCH = "batch"
    OPENAI_CHAT = "openai_chat"
    OPENAI_RESPONSES = "openai_responses"
    EMBED_CONTENT = "embed_content"
    GENERATE_IMAGES = "generate_images"
    PREDICT = "predict"
    GENERATE_VIDEOS = "generate_videos"
    DECISIONS = "decisions"
    IMPORT_FILE = "import_file"
    BATCH_PREDICTION = "batch_prediction"
    CACHE_STORAGE = "cache_storage"
    LIVE = "live"


class Status(StrEnum):
    """The state of a record (`contract.md`, Calls and records)."""

    COMPLETE = "complete"
    PARTIAL = "partial"
    ERROR = "error"
    UNKNOWN = "unknown"


class Outcome(StrEnum):
    """How one run of generated code ended."""

    OK = "ok"
    FAILED = "failed"
    DEADLINE_EXCEEDED = "deadline_exceeded"
    UNKNOWN = "unknown"


_FAILED = (Outcome.FAILED, Outcome.DEADLINE_EXCEEDED)


class Meter(StrEnum):
    """What is counted for money. Disjoint, so that quantities and charges add up."""

    INPUT = "input"  # prompt tokens that were not served from a cache
    CACHED_INPUT = "cached_input"
    INTERMEDIATE = "intermediate"  # tool-use prompt tokens
    OUTPUT = "output"  # candidates, without thinking
    THINKING = "thinking"
    GROUNDING = "grounding"  # searches or grounded prompts, not tokens
    MAPS = "maps"  # uses of Google Maps that have a fee: queries, or prompts on 2.x
    IMAGES = "images"  # pictures that were made, where they are priced by the piece
    VIDEO_SECONDS = "video_seconds"  # seconds of film with sound, up to 720p
    VIDEO_SECONDS_1080P = "video_seconds_1080p"
    VIDEO_SECONDS_4K = "video_seconds_4k"
    SILENT_VIDEO_SECONDS = "silent_video_seconds"  # seconds of film without sound, up to 720p
    SILENT_VIDEO_SECONDS_1080P = "silent_video_seconds_1080p"
    SILENT_VIDEO_SECONDS_4K = "silent_video_seconds_4k"
    STORAGE = "storage"  # token-hours: tokens kept in a cache times hours

    @property
    def unit(self) -> str:
        """What one of it is, in the plural."""
        return _UNITS.get(self.value) or ("seconds" if "seconds" in self.value else "tokens")


_UNITS = {"grounding": "searches", "maps": "lookups", "images": "pictures", "storage": "token-hours"}


class Modality(StrEnum):
    """The kind of content that a token is part of."""

    TEXT = "text"
    IMAGE = "image"
    VIDEO = "video"
    AUDIO = "audio"
    DOCUMENT = "document"
    OTHER = "other"  # a kind this version does not know


class Anomaly(StrEnum):
    """What is odd about a record: the call was counted all the same, or it is said why not.

    A record read from a ledger may carry the names of another version too.
    """

    TOTAL_MISMATCH = "total_mismatch"  # input, intermediate and output are not the reported total
    USAGE_INCOMPLETE = "usage_incomplete"  # no prompt count
    INVALID_USAGE = "invalid_usage"  # a count is not an integer of 0 to 2^53
    CACHED_EXCEEDS_INPUT = "cached_exceeds_input"
    DETAILS_MISMATCH = "details_mismatch"  # tokens by modality cannot be those of their count
    IMAGE_TOKENS_UNKNOWN = "image_tokens_unknown"  # the answer holds a picture and no count of its tokens
    OUTPUT_UNCOUNTED = "output_uncounted"  # the answer says something and its usage counts no tokens of it
    GROUNDING_UNKNOWN = "grounding_unknown"  # a tool that may have a fee was used: how often, or which, is not known
    REQUEST_UNREAD = "request_unread"  # what was asked is not known: tools, tier, conversation
    UNMETERED_SURFACE = "unmetered_surface"  # a paid call whose usage no dialect of ours reads
    INTERMEDIATE_UNEXPLAINED = "intermediate_unexplained"  # a round re-read what the law does not explain
    LABELS_CUT = "labels_cut"
    MODEL_CUT = "model_cut"  # the model's name is longer than what is kept
    RECORDER_STOPPED = "recorder_stopped"
    ANSWER_UNREAD_MALFORMED = "answer_unread_malformed"  # one for each `UnreadReason`
    ANSWER_UNREAD_ENCODING = "answer_unread_encoding"
    ANSWER_UNREAD_TOO_LARGE = "answer_unread_too_large"
    ANSWER_UNREAD_USAGE_TOO_LARGE = "answer_unread_usage_too_large"
    ANSWER_UNREAD_TOO_MANY_PARTS = "answer_unread_too_many_parts"
    ANSWER_UNREAD_TOO_MANY_SEARCHES = "answer_unread_too_many_searches"
    ANSWER_UNREAD_RECORDER_ERROR = "answer_unread_recorder_error"


class Flag(StrEnum):
    """What bears on the cost of a record: tokens that may be missing, or a policy that decided.

    A record read from a ledger may carry the names of another version too.
    """

    INCOMPLETE = "incomplete"
    THINKING_INFERRED = "thinking_inferred"  # only the total shows these tokens
    LONG_CONTEXT_POLICY = "long_context_policy"
    TOOL_TOKENS_WITH_GROUNDING = "tool_tokens_with_grounding"
    RESULTS_AS_OUTPUT = "results_as_output"
    FREE_TIER = "free_tier"
    PROVISIONED_THROUGHPUT = "provisioned_throughput"
    SENT_TWICE = "sent_twice"  # a first attempt met a connection that the API was closing: it may have cost the same
    ESTIMATED = "estimated"  # counted by what was asked for, because the API has not said what it made


class ApiError(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """An error the API answered with: its code, its status word and, for a 429, which limit was met."""

    code: int | str | None = None
    status: str | None = None
    kind: str | None = None


class Tokens(Struct, frozen=True, kw_only=True, gc=False):
    """The split of a record. `cached` is part of `input`, `thinking` part of `output`; `total` is as reported."""

    input: int | None = None
    intermediate: int | None = None
    output: int | None = None
    total: int | None = None
    cached: int | None = None
    thinking: int | None = None


class CostParts(Struct, frozen=True, kw_only=True, gc=False):
    """A cost by what it was spent on, in pico-dollars: four that add up to it, or four that are not known (None).

    `input` has cached input in it, `output` thinking; `grounding` is searches.
    """

    input: int | None = None
    intermediate: int | None = None
    output: int | None = None
    grounding: int | None = None

    @property
    def amounts(self) -> tuple[int | None, int | None, int | None, int | None]:
        """The four, in the order of `COST_PARTS`."""
        return self.input, self.intermediate, self.output, self.grounding


COST_PARTS = CostParts.__struct_fields__
"""The names of the parts of a cost."""


class Execution(Struct, frozen=True, kw_only=True, gc=False):
    """One run of generated code. It carries no tokens: the wire gives none per run."""

    outcome: Outcome
    part_id: str | None = None
    language: str | None = None
    code_chars: int | None = None
    result_chars: int | None = None
    result_digits: int = 0


class Reading(Struct, frozen=True, gc=False):
    """One metered count. Readings of a record are disjoint; `quantity` is in the unit of the meter, mostly tokens."""

    meter: Meter
    modality: Modality
    quantity: int


class Record(Struct, frozen=True, kw_only=True, gc=False):
    """An event read. Identity is (`source_id`, `id`); `seq` is its place in its spool, None under a natural key.

    `readings` is None where the counts do not suffice to price the call. `tier_reported` says that an answer named the
    tier; of a record read from the ledger neither is known.
    `conversation` names the first call of a chat or the first interaction of a chain (docs/wire.md, 4).
    `turns` is how many contents were sent.
    """

    source_id: int
    id: str
    occurred_us: int
    ended_us: int | None
    api: Api
    operation: str  # an `Operation`, or the verb of a surface that no row names
    project: str | None = None  # where a Vertex call ran, as its path says
    location: str | None = None
    streamed: bool
    model: str | None
    requested_model: str | None
    agent: str | None
    service_tier: str
    key: str | None
    status: Status
    http_status: int | None
    error: ApiError | None
    finish_reason: str | None
    response_id: str | None
    conversation: str | None
    turns: int | None
    tokens: Tokens
    declared: bool | None
    executions: tuple[Execution, ...]
    readings: tuple[Reading, ...] | None
    labels: dict[str, str]
    flags: tuple[str, ...] = ()  # `Flag`, or names of another version
    anomalies: tuple[str, ...] = ()  # `Anomaly`, likewise
    tier_reported: bool = False

    @property
    def failed(self) -> int:
        """Executions that failed or ran out of time."""
        failed = 0
        for run in self.executions:
            failed += run.outcome in _FAILED
        return failed

    @property
    def incomplete(self) -> bool:
        """Whether tokens of this call may be missing from the ledger."""
        return self.status in (Status.PARTIAL, Status.UNKNOWN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """A dated price row. It is in force for `effective_from_us <= t < effective_to_us` (None is open).

    `unit_pico` is pico-dollars for one of what the meter counts: a token, a search, a picture, a second. With
    `above_prompt_tokens` it applies to calls whose prompt has more tokens than that, and then to all of them.
    """

    id: str
    model: str
    meter: Meter
    modality: Modality
    service_tier: str
    above_prompt_tokens: int
    unit_pico: int
    effective_from_us: int | None
    effective_to_us: int | None
    source: str
    checked_on: str


class Charge(Struct, frozen=True, kw_only=True, gc=False):
    """Quantity times unit price for one meter and modality of one record; `cost_pico = quantity * unit_pico`."""

    meter: Meter
    modality: Modality
    quantity: int
    unit_pico: int
    price_id: str

    @property
    def cost_pico(self) -> int:
        """The charge in pico-dollars."""
        return self.quantity * self.unit_pico


class Rating(Struct, frozen=True, kw_only=True, gc=False):
    """The answer of rating: charges that add up to the cost, or why there is no cost."""

    charges: tuple[Charge, ...] = ()
    unpriced_reason: str | None = None
    flags: tuple[str, ...] = ()
    known: bool = True  # False where the record lacks the counts, and so has no cost to know

    @property
    def cost_pico(self) -> int | None:
        """The sum of the charges, or None where the cost is unknown."""
        if not self.is_costed:
            return None
        cost = 0
        for charge in self.charges:
            cost += charge.quantity * charge.unit_pico
        return cost

    @property
    def is_costed(self) -> bool:
        """Whether there is a cost to know."""
        return self.known and self.unpriced_reason is None


def parse_labels(pairs: Iterable[str], option: str) -> dict[str, str]:
    """The labels of `name=value` texts, as people write them to label calls.

    ConfigurationError, which names the `option`, where a text cannot be read or two give one name different values:
    no call can have both.
    """
    labels: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not name or not equals:
            raise ConfigurationError(f"{option} is '{pair}', which is not a label; write it like team=search")
        if labels.setdefault(name, value) != value:
            raise ConfigurationError(f"{option} {name} is both '{labels[name]}' and '{value}'; no call can be both")
    return labels


def chosen_labels(pairs: Iterable[str], option: str) -> dict[str, tuple[str, ...]]:
    """The labels of `name=value` texts that choose calls: all names must be there, with any of the values of each.

    ConfigurationError, which names the `option`, where a text cannot be read.
    """
    labels: dict[str, tuple[str, ...]] = {}
    for pair in pairs:
        ((name, value),) = parse_labels((pair,), option).items()
        labels[name] = tuple(dict.fromkeys((*labels.get(name, ()), value)))
    return labels
